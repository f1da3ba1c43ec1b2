/* Samples in the order of their scores, and what that order tells of two classes. */
#ifndef FL_RANKING_RANKING_H
#define FL_RANKING_RANKING_H

#include "../evaluation/evaluation.h"
#include "../fastloss.h"

/* Fill the first fields, call fl_rank with memory of fl_ordering_bytes, and ask what you want to know. */
typedef struct {
    /* in */
    size_t n;
    fl_array score; /* finite numbers; other dtypes than float32, int64 and uint64 count as float64 */
    const uint8_t *positive; /* 1 for a positive sample, 0 for a negative one */
    fl_array weight;         /* optional, finite; samples of weight 0 are left out */
    fl_go_on go_on;          /* optional */
    void *context;           /* of go_on */
    /* results */
    int has_negative_weights;
    /* the samples in order, larger scores first: two parts, one after the other, in the memory */
    const void *part[2];
    size_t n_part[2];
    int kind;
} fl_ordering;

/* FL_BAD_PREDICTION or FL_BAD_WEIGHT where some number is not finite, FL_NO_MEMORY, FL_TOO_LARGE,
 * FL_INTERRUPTED. */
fl_status fl_rank(fl_ordering *r, void *memory);
size_t fl_ordering_bytes(const fl_ordering *r);

/* The area under the ROC curve, ties counted half; NaN where a class has no weight. */
double fl_ordering_auc(const fl_ordering *r);
/* Of at most 2^32 samples without weights: how many are of each class, the area and its variance, the average precision
 * and KS. */
void fl_summarise_ordering(const fl_ordering *r, fl_ranking_summary *to);
/* Sum of the precision at each threshold times the recall it adds; 0 without positive samples. */
double fl_ordering_average_precision(const fl_ordering *r);
/* How many different scores there are. */
size_t fl_ordering_n_thresholds(const fl_ordering *r);
/* For each of them, from the largest on: the weight of the negative and of the positive samples
 * of at least that score, and the score: of dtype float32, int64 or uint64 if the scores are, otherwise
 * float64.
 */
void fl_ordering_curve(const fl_ordering *r, double *negative, double *positive, void *threshold);

/* For each row of (n, n_columns) numbers of dtype float32, float64 or int64, C order: whether fewer than k of
 * its numbers come before that of the column named, the larger first and of equal ones the last first. */
void fl_is_among_top(const void *scores, fl_dtype dtype, const int64_t *column, size_t n, size_t n_columns,
                     size_t k, uint8_t *result);

/* For each row of (n, n_columns), C order: the gains in the order of the scores, the larger first, times
 * discount[place], summed; equal scores share the mean of their gains, or are taken from the last to the
 * first if `ignore_ties`. */
fl_status fl_discounted_gains(const double *gains, const void *scores, fl_dtype dtype, size_t n,
                              size_t n_columns, const double *discount, int ignore_ties, double *result);

#endif
