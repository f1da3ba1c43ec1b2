/* What an evaluation adds up over rows: exact sums and counts of scores, both independent of the order of
 * rows. */
#ifndef FL_EVALUATION_H
#define FL_EVALUATION_H

#include "exact.h"
#include "kernel_types.h"

/* A number of 128 bits, in units of 2^-64. */
typedef struct {
    uint64_t low, high;
} fl_wide;

/* A number of 192 bits, in units of 2^-128. */
typedef struct {
    uint64_t low, middle, high;
} fl_wider;

enum { FL_MOST_VALUES = 64 };

/* Of at most FL_MOST_VALUES values l_k of rows, their weights w and what they count for, c (both may be NULL: all are 1), with
 * p_k = w l_k rounded once: adds sum p_k to cells 0 .. m - 1, sum p_k c to m .. 2m - 1, and sum p_j p_k, j <=
 * k, to the cells after, k by k. All values are floats, or all are doubles. */
void fl_add_moments(fl_exact *cells, size_t n_values, const void *const *values, int floats,
                    const double *weights, const double *counted, size_t n);

/* Adds sum w and sum w^2 to two cells. */
void fl_add_weights(fl_exact *cells, const double *weights, size_t n);

/* Codes of probabilities, floats or doubles: twice the bin of n_bins of one width that each is in, and its label.
 * Whether all are from 0 to 1. */
int fl_find_probability_bins(const void *p, int floats, const uint8_t *labels, size_t n, uint32_t n_bins,
                             uint32_t *codes);

/* A table of 2 FL_SCORE_KEYS counts below 2^32, as bytes, which stay in the cache where words would not: most counts are
 * small. What is above a byte is apart; whether a run has such is said. */
typedef struct {
    uint8_t *low;
    uint32_t *high;
    uint8_t *is_high; /* of each run */
} fl_counts;

/* Counts rows by label, 0 or 1, and by score, and widens the extent of the table, the lowest and the highest key that it
 * has; whether no score is NaN. */
int fl_count_scores(const fl_counts *table, uint32_t *extent, const void *scores, int floats,
                    const uint8_t *labels, size_t n);

/* Adds counts of this extent to others, whose sums are below 2^32. */
void fl_merge_counts(const fl_counts *table, const fl_counts *more, const uint32_t *extent);

/* The counts of a run: 2 FL_RUN numbers. */
void fl_read_run(const fl_counts *table, size_t run, uint32_t *to);

/* The same of rows with weights from 0 to 2^31, whose squares go to pairs of each run. */
int fl_weigh_scores(fl_wide *table, fl_wider *squares, uint32_t *extent, const void *scores, int floats,
                    const uint8_t *labels, const double *weights, size_t n);

/* Adds weights and their squares to others. */
void fl_merge_weights(fl_wide *table, fl_wider *squares, const fl_wide *more, const fl_wider *more_squares,
                      const uint32_t *extent);

/* Rows of a run are in another order in each: a few scores that are frequent, since they are round, do not
 * share a set of the cache. */
static inline uint32_t fl_run_flip(uint32_t run) {
    return (run ^ run >> 5) % FL_RUN_ROWS;
}

/* Where a table has a key: of a row the entries of the label 0, then those of the label 1. */
static inline uint32_t fl_place_of_key(uint32_t key, uint32_t label) {
    uint32_t run = key / FL_RUN, lane = key / FL_RUN_ROWS % FL_RUN_LANES;
    uint32_t row = run * FL_RUN_ROWS + (key % FL_RUN_ROWS ^ fl_run_flip(run));
    return (row * 2 + label) * FL_RUN_LANES + lane;
}

/* Rows of itemsize bytes, and where they go. */
typedef struct {
    const char *from;
    size_t itemsize;
    char *to;
} fl_row_array;

/* Brings fewer than 2^32 rows together by code, equal ones as they come; code c begins at starts[c]. The
 * scratch `next` has a number for each code. */
void fl_bring_together(const uint32_t *codes, size_t n, size_t n_codes, size_t n_arrays,
                       const fl_row_array *arrays, ptrdiff_t *starts, uint32_t *next);

/* What an order of scores says. Weights of the labels 0 and 1, and their squares, at each score, highest
 * first. */
typedef struct {
    const double *weight[2], *square[2];
    size_t n;
} fl_ranking;

typedef struct {
    double weight[2], square[2];
    double auc, auc_margin, auc_variance;
    double precision, precision_margin; /* the average precision */
    double ks, ks_margin;
} fl_ranking_summary;

void fl_summarise_ranking(const fl_ranking *r, fl_ranking_summary *to);

/* The same of a table of at most 2^32 counts, or of weights, whose rows have any order within a key; of squares those
 * of each run are known, which its keys share by weight. Average precision and KS only `with_order`. */
void fl_summarise_counts(const fl_counts *table, const uint32_t *extent, int with_order,
                         fl_ranking_summary *to);
void fl_summarise_weights(const fl_wide *table, const fl_wider *squares, const uint32_t *extent,
                          int with_order, fl_ranking_summary *to);

/* The keys of a table that have something, the highest first, and the counts or weights of each label, and the
 * squares of weights; how many they are. The arrays have room for one more than there are keys in the extent. */
size_t fl_list_counts(const fl_counts *table, const uint32_t *extent, uint32_t *keys,
                      double *const weight[2]);
size_t fl_list_weights(const fl_wide *table, const fl_wider *squares, const uint32_t *extent, uint32_t *keys,
                       double *const weight[2], double *const square[2]);

#endif
