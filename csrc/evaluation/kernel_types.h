/* The table of evaluation kernels that each tier has. */
#ifndef FL_EVALUATION_KERNEL_TYPES_H
#define FL_EVALUATION_KERNEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* The most numbers of a block: four arrays of doubles stay in L1. */
    FL_SUM_BLOCK = 1024,
    /* Scores have so many keys: a sign, 32 octaves, 14 bits within an octave. */
    FL_SCORE_KEYS = 1 << 20,
    FL_RUN = 512 /* keys that lie together in a table, in another order */
};

/* What is left of a block of doubles beside its totals: nothing, something, or all since one of them is too
 * large to be added so, infinite or NaN. */
enum fl_rest { FL_NOTHING_LEFT, FL_SOME_LEFT, FL_ALL_LEFT };

/* Pairs of rows of the labels 0 and 1 in the order of their scores, the highest first: so far, in whole
 * numbers. With at most 2^32 rows there are at most 2^62 pairs, so that no sum of 64 bits overflows. */
typedef struct {
    uint64_t rows[2];    /* of each label */
    uint64_t twice_wins; /* pairs in the right order, and half of those in one entry, times two */
    uint64_t tied;       /* pairs in one entry */
} fl_pairs;

/* The squares of how far twice the pairs that each row wins (label 1) or loses (label 0) are from a centre,
 * summed over the rows of each label, on so many lanes. */
enum { FL_SQUARE_LANES = 8 };
typedef struct {
    double centre[2], lanes[2][FL_SQUARE_LANES];
} fl_squares;

typedef struct {
    /* Two totals that with `rest`, n numbers as well, add up to the sum of n doubles without any rounding;
     * returns an fl_rest. `rest` may be x. */
    int (*sum)(const double *x, size_t n, double *rest, double *totals);
    /* Two totals that add up to the sum of n floats without any rounding, and three to that of their squares;
     * 0 where they cannot be told so simply. */
    int (*sum_floats)(const float *x, size_t n, double *totals);
    /* The largest of n magnitudes, NaN if there is one, and the smallest but 0: of zeros alone 0 and infinity. */
    void (*range)(const double *x, size_t n, double *largest, double *smallest);
    /* Six totals that add up to the sum of n products x y, below 2^exponent, without any rounding; 0 where
     * something is left. Their exponents may be `span` less. No product may be so small that its rounding
     * error is no double. */
    int (*sum_products)(const double *x, const double *y, size_t n, int exponent, int span, double *totals);
    void (*widen)(const float *x, size_t n, double *to);
    /* w x, rounded once; 0 where w is 0, whatever x is. */
    void (*weigh)(const double *x, const double *w, size_t n, double *to);
    /* x y, of numbers whose products are doubles. */
    void (*multiply)(const double *x, const double *y, size_t n, double *to);
    /* x y = high + low without rounding; 0 where a product is out of the range in which that can be said. */
    int (*split_products)(const double *x, const double *y, size_t n, double *high, double *low);
    /* Where tables have rows of a score and label, and where the squares of their weights; whether no score is
     * NaN. */
    int (*float_places)(const float *x, const uint8_t *labels, size_t n, uint32_t *places, uint32_t *coarse);
    int (*double_places)(const double *x, const uint8_t *labels, size_t n, uint32_t *places,
                         uint32_t *coarse);
    /* The rows of each label in a run of a table. */
    void (*total_run)(const uint32_t *run, uint32_t total[2]);
    /* Adds a run, whose entries are in the order of the scores at 0 ^ flip, 1 ^ flip and so on. */
    void (*count_run)(const uint32_t *run, uint32_t flip, fl_pairs *pairs, fl_squares *squares);
    /* Weights w from 0 to 2^31 as whole numbers of 2^-64, high 2^64 + low, and w^2, rounded once, of 2^-128:
     * what is below is left off. */
    void (*fix_weights)(const double *w, size_t n, uint64_t *high, uint64_t *low);
    void (*fix_squares)(const double *w, size_t n, uint64_t *high, uint64_t *middle, uint64_t *low);
    /* Such numbers, of two words, the low one first, as doubles; and of three. */
    void (*read_wide)(const uint64_t *words, size_t n, double *to);
    void (*read_wider)(const uint64_t *words, size_t n, double *to);
} fl_evaluation_ops;

#endif
