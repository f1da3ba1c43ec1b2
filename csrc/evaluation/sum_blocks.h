/* Exact sums of a block of numbers, in vectors.
 *
 * Each number is split at fixed powers of two (Rump, Ogita and Oishi, "Accurate floating-point summation",
 * 2008; Demmel and Nguyen, "Parallel reproducible summation", 2015): u = S + t rounds t to a multiple of S's
 * last bit, u - S is that part and t - (u - S) the rest, both exact. The parts add up in S without rounding;
 * the rest goes to the next, finer S. Where nothing remains after the last one, the sums are exact, and that
 * is seen. */
#ifndef FL_EVALUATION_SUM_BLOCKS_H
#define FL_EVALUATION_SUM_BLOCKS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "exact.h"
#include "kernel_types.h"

/* Lanes only share out the additions: the sums are exact, so their number does not matter to a result. */
#ifdef __AVX512F__
enum { FL_EXACT_LANES = 32 };
#else
enum { FL_EXACT_LANES = 16 };
#endif

enum {
    /* S = 1.5 2^(E + 9) for numbers below 2^E: a lane takes up to 64 of them and stays between 2^(E + 9) and
     * 2^(E + 10), and what a whole block adds, below 2^(E + 10), is at most 2^53 last bits of S. */
    FL_HEADROOM = 9,
    FL_LEVEL_BITS = 52 - FL_HEADROOM,
    FL_LARGEST_EXPONENT = 1000
};

static double fl_largest_magnitude(const double *x, size_t n) {
    double lanes[FL_EXACT_LANES] = {0};
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        for (int k = 0; k < FL_EXACT_LANES; k++)
            lanes[k] = fabs(x[i + k]) > lanes[k] ? fabs(x[i + k]) : lanes[k];
    for (int k = 0; i + k < n; k++)
        lanes[k] = fabs(x[i + k]) > lanes[k] ? fabs(x[i + k]) : lanes[k];
    double largest = 0;
    for (int k = 0; k < FL_EXACT_LANES; k++)
        largest = lanes[k] > largest ? lanes[k] : largest;
    return largest;
}

/* One number into lane k of each level; `levels` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void fl_split_into(double s[][FL_EXACT_LANES], double *left,
                                                                int k, int levels, double t) {
    for (int j = 0; j < levels; j++) {
        double u = s[j][k] + t;
        t -= u - s[j][k];
        s[j][k] = u;
    }
    left[k] += fabs(t);
}

/* The sums of n numbers below 2^exponent, or of the squares of floats, split at `levels` powers of two;
 * whether nothing remains. The flag and the levels are constants where this is inlined. */
static inline __attribute__((always_inline)) int fl_split_block(const void *x, int squares, size_t n,
                                                                int exponent, int levels, double *totals) {
    const double *d = (const double *)x;
    const float *f = (const float *)x;
    double s[FL_SUM_LEVELS][FL_EXACT_LANES], start[FL_SUM_LEVELS], left[FL_EXACT_LANES] = {0};
    for (int j = 0; j < levels; j++) {
        start[j] = ldexp(1.5, exponent + FL_HEADROOM - j * FL_LEVEL_BITS);
        for (int k = 0; k < FL_EXACT_LANES; k++)
            s[j][k] = start[j];
    }
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        for (int k = 0; k < FL_EXACT_LANES; k++)
            fl_split_into(s, left, k, levels, squares ? (double)f[i + k] * (double)f[i + k] : d[i + k]);
    for (int k = 0; i + k < n; k++)
        fl_split_into(s, left, k, levels, squares ? (double)f[i + k] * (double)f[i + k] : d[i + k]);
    double rest = 0;
    for (int k = 0; k < FL_EXACT_LANES; k++)
        rest += left[k];
    for (int j = 0; j < levels; j++) {
        totals[j] = 0;
        for (int k = 0; k < FL_EXACT_LANES; k++)
            totals[j] += s[j][k] - start[j];
    }
    return rest == 0; /* not where a number was NaN */
}

static int fl_sum_doubles(const double *x, size_t n, int levels, double *totals) {
    int exponent;
    double largest = fl_largest_magnitude(x, n);
    if (!(largest < 0x1p1000))
        return 0;
    frexp(largest, &exponent);
    return levels == 2 ? fl_split_block(x, 0, n, exponent, 2, totals)
                       : fl_split_block(x, 0, n, exponent, 3, totals);
}

/* Floats of a span of 18 binary orders: 24 + 18 bits, and 10 for a block of them, are a double's. */
enum { FL_FLOAT_SPAN = 18 };

static int fl_sum_floats(const float *x, size_t n, double *totals) {
    double sums[FL_EXACT_LANES] = {0};
    uint32_t largest[FL_EXACT_LANES] = {0}, smallest[FL_EXACT_LANES];
    memset(smallest, 0xff, sizeof smallest);
    size_t i = 0;
    for (; i < n; i += FL_EXACT_LANES) {
        float part[FL_EXACT_LANES] = {0};
        const float *v = x + i;
        if (i + FL_EXACT_LANES > n) {
            memcpy(part, v, (n - i) * sizeof *part);
            v = part;
        }
        for (int k = 0; k < FL_EXACT_LANES; k++) {
            uint32_t bits, before;
            memcpy(&bits, v + k, sizeof bits);
            bits &= 0x7fffffff;
            before = bits - 1; /* 0 is larger than all */
            largest[k] = bits > largest[k] ? bits : largest[k];
            smallest[k] = before < smallest[k] ? before : smallest[k];
            sums[k] += (double)v[k];
        }
    }
    uint32_t high = 0, low = 0xffffffff;
    double sum = 0;
    for (int k = 0; k < FL_EXACT_LANES; k++) {
        high = largest[k] > high ? largest[k] : high;
        low = smallest[k] < low ? smallest[k] : low;
        sum += sums[k];
    }
    double *squares = totals + 1;
    totals[0] = sum;
    squares[0] = squares[1] = 0;
    if (high == 0)
        return FL_SUM_IS_EXACT | FL_SQUARES_ARE_EXACT;
    /* Those below the smallest normal number have its last bit. */
    int top = high >> 23 ? (int)(high >> 23) : 1, bottom = (low + 1) >> 23 ? (int)((low + 1) >> 23) : 1;
    if (top == 255)
        return 0;
    /* A float of the exponent `top` is below 2^(top - 126), and its square has 48 bits. */
    return (top - bottom <= FL_FLOAT_SPAN ? FL_SUM_IS_EXACT : 0) |
           (fl_split_block(x, 1, n, 2 * (top - 126), 2, squares) ? FL_SQUARES_ARE_EXACT : 0);
}

static void fl_widen(const float *x, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = (double)x[i];
}

static void fl_weigh(const double *x, const double *w, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = (w[i] != 0 ? x[i] : 0) * w[i];
}

static void fl_multiply_exactly(const double *x, const double *y, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = x[i] * y[i];
}

/* What a product loses by rounding. Without an instruction for it by Dekker's splitting, which is as exact.
 */
static inline double fl_product_error(double x, double y, double product) {
#ifdef FP_FAST_FMA
    return fma(x, y, -product);
#else
    double a = 134217729.0 * x, b = 134217729.0 * y;
    double x_high = a - (a - x), y_high = b - (b - y), x_low = x - x_high, y_low = y - y_high;
    return ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low;
#endif
}

/* Within this range neither the factors' halves overflow nor the error of a product underflows. */
static inline int fl_is_moderate(double x) {
    return fabs(x) >= 0x1p-480 && fabs(x) <= 0x1p480;
}

static int fl_split_products(const double *x, const double *y, size_t n, double *high, double *low) {
    int64_t fine = 1;
    for (size_t i = 0; i < n; i++) {
        double product = x[i] * y[i];
        high[i] = product;
        low[i] = fl_product_error(x[i], y[i], product);
        fine &= (fl_is_moderate(x[i]) | (x[i] == 0)) & (fl_is_moderate(y[i]) | (y[i] == 0));
    }
    return (int)fine;
}

#endif
