/* The table of evaluation kernels that each tier has. */
#ifndef FL_EVALUATION_KERNEL_TYPES_H
#define FL_EVALUATION_KERNEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* The most numbers of a block: four arrays of doubles stay in L1. */
    FL_SUM_BLOCK = 1024,
    FL_SUM_LEVELS = 3,
    /* Scores have so many keys: a sign, 32 octaves, 14 bits within an octave. */
    FL_SCORE_KEYS = 1 << 20
};

typedef struct {
    /* Whether the totals, `levels` of them, add up to the sum of n doubles without any rounding. */
    int (*sum)(const double *x, size_t n, int levels, double *totals);
    /* The sum of n floats, and two totals of their squares; which of them is exact: fl_exactness. */
    int (*sum_floats)(const float *x, size_t n, double *total);
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
} fl_evaluation_ops;

#endif
