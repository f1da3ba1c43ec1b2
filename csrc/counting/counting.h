/* Counts of pairs of codes, which is what all scores of predicted classes are made of; codes of labels. */
#ifndef FL_COUNTING_H
#define FL_COUNTING_H

#include "../fastloss.h"

typedef struct {
    /* in */
    size_t n, n_a, n_b;
    fl_array a, b;   /* codes below n_a and n_b, of integer dtypes; what is not counts as 0 */
    fl_array weight; /* optional */
    fl_go_on go_on;  /* optional */
    void *context;   /* of go_on */
    /* out, (n_a, n_b): the number of samples of each pair, or their weight in `sums`: of weights of 64-bit
     * integers it is in `counts`, modulo 2^64 */
    uint64_t *counts;
    double *sums;
} fl_pair_count;

/* FL_NO_MEMORY, FL_INTERRUPTED. */
fl_status fl_count_pairs(fl_pair_count *c);

/* For each of n numbers how many of the edges, which increase, it is not up to: of NaN all. */
fl_status fl_find_bins(const fl_array *x, size_t n, const double *edges, size_t n_edges, uint32_t *bins);

/* Codes of n items, C order, that are told apart by their bytes: numbered as they come. `first`, which has
 * room for n, says where each of *n_codes is first. FL_NO_MEMORY. */
fl_status fl_encode_items(const char *items, size_t itemsize, size_t n, uint32_t *codes, size_t *first,
                          size_t *n_codes);

#endif
