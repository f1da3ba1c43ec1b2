/* The table of evaluation kernels that each tier has. */
#ifndef FL_EVALUATION_KERNEL_TYPES_H
#define FL_EVALUATION_KERNEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* The most numbers of a block: four arrays of doubles stay in L1. */
    FL_SUM_BLOCK = 1024,
    /* Numbers below 2^E are split at S = 1.5 2^(E + 9): a lane takes up to 128 of them and stays between 2^(E + 9)
     * and 2^(E + 10), and what a whole block adds, below 2^(E + 10), is at most 2^53 last bits of S. */
    FL_HEADROOM = 9,
    FL_LEVEL_BITS = 52 - FL_HEADROOM, /* that one power of two takes of numbers that are split at several */
    FL_KNOWN_LEVELS = 3,
    /* Scores have so many keys: a sign, 32 octaves, 14 bits within an octave. */
    FL_SCORE_KEYS = 1 << 20,
    /* Keys that lie together in a table, in rows of so many: neighbours in a row are FL_RUN_ROWS keys apart, so
     * that a vector goes through as many parts of a run side by side. */
    FL_RUN = 512,
    FL_RUN_LANES = 8,
    FL_RUN_ROWS = FL_RUN / FL_RUN_LANES,
    FL_N_RUNS = FL_SCORE_KEYS / FL_RUN
};

/* What is left of a block of doubles beside its totals: nothing, something, or all since one of them is too
 * large to be added so, infinite or NaN. */
enum fl_rest { FL_NOTHING_LEFT, FL_SOME_LEFT, FL_ALL_LEFT };

/* A run of a table, its scores from the highest on. Each row of the one label has twice t rows, or weights, of
 * the other before it in the run, those of its own key counted half. */
typedef struct {
    double weight[2], twice[2], square[2]; /* of each label the sums of w, w t and w t^2 */
    double tied;                           /* of products of weights of one key */
} fl_run_moments;

/* What entries of rows say in the order of their scores, the highest first, of the average precision and of KS. */
typedef struct {
    double weight[2]; /* of each label */
    /* Of the rows of the label 1 the sum of the precision after each: as estimated, and the least and the most that it
     * can be, whatever the order of the rows within an entry. */
    double precision, least, most;
    /* The largest difference of the labels' shares above a score, times all weights of both: between the entries, and
     * the most that it can be within one. */
    double apart, most_apart;
} fl_order_moments;

typedef struct fl_evaluation_ops {
    /* Two totals that with `rest`, n numbers as well, add up to the sum of n doubles without any rounding;
     * returns an fl_rest. `rest` may be x. */
    int (*sum)(const double *x, size_t n, double *rest, double *totals);
    /* Two totals that add up to the sum of n floats without any rounding, and three to that of their squares;
     * 0 where they cannot be told so simply. */
    int (*sum_floats)(const float *x, size_t n, double *totals);
    /* The largest of n magnitudes, NaN if there is one, and the smallest but 0: of zeros alone 0 and infinity.
     * Returns how many bits the numbers have, from the first to the last one that is not 0 in all of them. */
    int (*range)(const double *x, size_t n, double *largest, double *smallest);
    /* Six totals that add up to the sum of n products x y, below 2^exponent, without any rounding; 0 where
     * something is left. Their exponents may be `span` less. No product may be so small that its rounding
     * error is no double. */
    int (*sum_products)(const double *x, const double *y, size_t n, int exponent, int span, double *totals);
    /* As many totals as levels, up to FL_KNOWN_LEVELS, that add up to the sum of n numbers x, or of products x y that
     * are doubles (y may be NULL): below 2^exponent and without bits below 2^(exponent - levels FL_LEVEL_BITS). */
    void (*sum_known)(const double *x, const double *y, size_t n, int exponent, int levels, double *totals);
    void (*widen)(const float *x, size_t n, double *to);
    /* w x, rounded once; 0 where w is 0, whatever x is. */
    void (*weigh)(const double *x, const double *w, size_t n, double *to);
    /* x y = high + low without rounding; 0 where a product is out of the range in which that can be said. */
    int (*split_products)(const double *x, const double *y, size_t n, double *high, double *low);
    /* Where tables have rows of a score and label; widens the extent, the lowest and the highest key. Whether no
     * score is NaN. */
    int (*float_places)(const float *x, const uint8_t *labels, size_t n, uint32_t *places, uint32_t *extent);
    int (*double_places)(const double *x, const uint8_t *labels, size_t n, uint32_t *places,
                         uint32_t *extent);
    /* Codes of probabilities: twice the bin of n_bins that each is in, and its label. Whether all are from 0 to 1. */
    int (*float_bins)(const float *p, const uint8_t *labels, size_t n, uint32_t n_bins, uint32_t *codes);
    int (*double_bins)(const double *p, const uint8_t *labels, size_t n, uint32_t n_bins, uint32_t *codes);
    /* What a run of counts, or of weights as doubles, says; its rows are in the order of the scores at 0 ^ flip,
     * 1 ^ flip and so on. */
    void (*count_run)(const uint32_t *run, uint32_t flip, fl_run_moments *to);
    void (*weigh_run)(const double *run, uint32_t flip, fl_run_moments *to);
    /* What n groups of equal scores say: how many rows there are up to the end of each, after a first 0, and how
     * many of the label 1. The last numbers are there up to a whole row more. */
    void (*count_groups)(const uint32_t *ends, const uint32_t *positive, size_t n, fl_run_moments *to);
    /* What a run of weights, or of counts as doubles, says of an order, as `weigh_run` has it; so much of each label
     * lies above it, and in all. Rows have at least the weight `step`. */
    void (*order_run)(const double *run, uint32_t flip, const double *above, const double *all, double step,
                      fl_order_moments *to);
    /* The same of groups of equal scores, as `count_groups` has them: nothing within them has an order. */
    void (*order_groups)(const uint32_t *ends, const uint32_t *positive, size_t n, const double *above,
                         const double *all, fl_order_moments *to);
    /* 256 high + low; high may be NULL. */
    void (*read_counts)(const uint8_t *low, const uint32_t *high, size_t n, uint32_t *to);
    void (*widen_counts)(const uint32_t *counts, size_t n, double *to);
    /* Weights w from 0 to 2^31 as whole numbers of 2^-64, high 2^64 + low, and w^2, rounded once, of 2^-128:
     * what is below is left off. */
    void (*fix_weights)(const double *w, size_t n, uint64_t *high, uint64_t *low);
    void (*fix_squares)(const double *w, size_t n, uint64_t *high, uint64_t *middle, uint64_t *low);
    /* Such numbers, of two words, the low one first, as doubles; and of three. */
    void (*read_wide)(const uint64_t *words, size_t n, double *to);
    void (*read_wider)(const uint64_t *words, size_t n, double *to);
} fl_evaluation_ops;

#endif
