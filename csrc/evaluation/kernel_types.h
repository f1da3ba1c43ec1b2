/* The table of evaluation kernels that each tier has. */
#ifndef FL_EVALUATION_KERNEL_TYPES_H
#define FL_EVALUATION_KERNEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* The most numbers of a block: four arrays of doubles stay in L1. */
    FL_SUM_BLOCK = 1024,
    /* Scores have so many keys: a sign, 32 octaves, 14 bits within an octave. */
    FL_SCORE_KEYS = 1 << 20
};

/* What is left of a block of doubles beside its totals: nothing, something, or all since one of them is too
 * large to be added so, infinite or NaN. */
enum fl_rest { FL_NOTHING_LEFT, FL_SOME_LEFT, FL_ALL_LEFT };

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
     * something is left. No product may be so small that its rounding error is no double. */
    int (*sum_products)(const double *x, const double *y, size_t n, int exponent, double *totals);
    void (*widen)(const float *x, size_t n, double *to);
    /* w x, rounded once; 0 where w is 0, whatever x is. */
    void (*weigh)(const double *x, const double *w, size_t n, double *to);
    /* x y, of numbers whose products are doubles. */
    void (*multiply)(const double *x, const double *y, size_t n, double *to);
    /* x y = high + low without rounding; 0 where a product is out of the range in which that can be said. */
    int (*split_products)(const double *x, const double *y, size_t n, double *high, double *low);
    /* Keys in the order of the scores; whether none is NaN. */
    int (*float_keys)(const float *x, size_t n, uint32_t *keys);
    int (*double_keys)(const double *x, size_t n, uint32_t *keys);
    /* Weights w from 0 to 2^31 as whole numbers of 2^-64, high 2^64 + low, and w^2, rounded once, of 2^-128:
     * what is below is left off. */
    void (*fix_weights)(const double *w, size_t n, uint64_t *high, uint64_t *low);
    void (*fix_squares)(const double *w, size_t n, uint64_t *high, uint64_t *middle, uint64_t *low);
} fl_evaluation_ops;

#endif
