/* Exact sums of a block of numbers, in vectors.
 *
 * Each number is split at fixed powers of two (Rump, Ogita and Oishi, "Accurate floating-point summation",
 * 2008; Demmel and Nguyen, "Parallel reproducible summation", 2015): u = S + t rounds t to a multiple of S's
 * last bit, u - S is that part and t - (u - S) the rest, both exact. The parts add up in S without rounding;
 * the rest goes to the next, finer S. What remains after the last one is seen, and can be summed again; where
 * the exponents of all numbers are known, it is known beforehand that nothing does. */
#ifndef FL_EVALUATION_SUM_BLOCKS_H
#define FL_EVALUATION_SUM_BLOCKS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../simd/simd.h"
#include "exact.h"
#include "kernel_types.h"

/* Lanes only share out the additions: the sums are exact, so their number does not matter to a result. */
enum { FL_EXACT_LANES = FL_VECTOR_BYTES == 64 ? 32 : 16 };

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

/* 1.5 2^exponent. */
static inline double fl_three_halves(int exponent) {
    if (exponent < -1022 || exponent > 1023)
        return ldexp(1.5, exponent);
    uint64_t bits = (uint64_t)(exponent + 1023) << 52 | (uint64_t)1 << 51;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Powers of two at which numbers below 2^exponent are split. */
static __attribute__((noinline)) void fl_start_levels(double s[][FL_EXACT_LANES], double *start, int levels,
                                                      int exponent) {
    for (int j = 0; j < levels; j++) {
        start[j] = fl_three_halves(exponent + FL_HEADROOM - j * FL_LEVEL_BITS);
        for (int k = 0; k < FL_EXACT_LANES; k++)
            s[j][k] = start[j];
    }
}

static __attribute__((noinline)) void fl_total_levels(double s[][FL_EXACT_LANES], const double *start,
                                                      int levels, double *totals) {
    for (int j = 0; j < levels; j++) {
        double lanes[FL_EXACT_LANES];
        for (int k = 0; k < FL_EXACT_LANES; k++)
            lanes[k] = s[j][k] - start[j];
        for (int half = FL_EXACT_LANES / 2; half > 0; half /= 2)
            for (int k = 0; k < half; k++)
                lanes[k] += lanes[k + half];
        totals[j] = lanes[0];
    }
}

/* A number into lane k of each level; returns what remains. `levels` is a constant where this is inlined. */
static inline __attribute__((always_inline)) double fl_split_into(double s[][FL_EXACT_LANES], int k,
                                                                  int levels, double t) {
    for (int j = 0; j < levels; j++) {
        double u = s[j][k] + t;
        t -= u - s[j][k];
        s[j][k] = u;
    }
    return t;
}

static inline uint64_t fl_bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

enum { FL_SUM_LEVELS = 2, FL_SQUARE_LEVELS = 3, FL_PRODUCT_LEVELS = 3 };

static int fl_sum_doubles(const double *x, size_t n, double *rest, double *totals) {
    double s[FL_SUM_LEVELS][FL_EXACT_LANES], start[FL_SUM_LEVELS];
    uint64_t left[FL_EXACT_LANES] = {0}, any = 0;
    double largest = fl_largest_magnitude(x, n);
    int exponent;
    if (!(largest < 0x1p1000))
        return FL_ALL_LEFT;
    frexp(largest, &exponent);
    fl_start_levels(s, start, FL_SUM_LEVELS, exponent);
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        for (int k = 0; k < FL_EXACT_LANES; k++) {
            double t = fl_split_into(s, k, FL_SUM_LEVELS, x[i + k]);
            rest[i + k] = t;
            left[k] |= fl_bits_of(t);
        }
    for (int k = 0; i + k < n; k++) {
        double t = fl_split_into(s, k, FL_SUM_LEVELS, x[i + k]);
        rest[i + k] = t;
        left[k] |= fl_bits_of(t);
    }
    for (int k = 0; k < FL_EXACT_LANES; k++)
        any |= left[k];
    fl_total_levels(s, start, FL_SUM_LEVELS, totals);
    if (totals[0] != totals[0]) /* a number is NaN */
        return FL_ALL_LEFT;
    return any << 1 ? FL_SOME_LEFT : FL_NOTHING_LEFT; /* but for the sign of 0 */
}

/* The least exponents of floats, as they are stored, for which one level takes all bits of a number, and two
 * those of a square; or two and three. A level has 43 bits, a float 24 and its square 48. */
enum { FL_NARROW_SPAN = 18, FL_WIDE_SPAN = 40 };

/* The square of a float, likewise. */
static inline __attribute__((always_inline)) void fl_split_square(double s[][FL_EXACT_LANES], int k,
                                                                  int levels, double t) {
#ifdef FP_FAST_FMA
    double u = fma(t, t, s[0][k]), rest = fma(t, t, s[0][k] - u);
    s[0][k] = u;
#else
    double rest = fl_split_into(s, k, 1, t * t);
#endif
    fl_split_into(s + 1, k, levels - 1, rest);
}

/* Sums of floats below 2^exponent and of their squares, split at `levels` and one more powers of two. */
static inline __attribute__((always_inline)) void
fl_split_floats(const float *x, size_t n, int exponent, int levels, double *totals, double *squares) {
    double s[FL_SUM_LEVELS][FL_EXACT_LANES], q[FL_SQUARE_LEVELS][FL_EXACT_LANES];
    double start[FL_SUM_LEVELS], square_start[FL_SQUARE_LEVELS];
    fl_start_levels(s, start, levels, exponent);
    fl_start_levels(q, square_start, levels + 1, 2 * exponent);
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        for (int k = 0; k < FL_EXACT_LANES; k++) {
            double t = (double)x[i + k];
            fl_split_into(s, k, levels, t);
            fl_split_square(q, k, levels + 1, t);
        }
    for (int k = 0; i + k < n; k++) {
        double t = (double)x[i + k];
        fl_split_into(s, k, levels, t);
        fl_split_square(q, k, levels + 1, t);
    }
    fl_total_levels(s, start, levels, totals);
    fl_total_levels(q, square_start, levels + 1, squares);
}

/* Of lanes of floats the largest magnitudes and the smallest, less 1, so that 0 is larger than all. */
static inline __attribute__((always_inline)) void fl_widen_range(const float *x, uint32_t *largest,
                                                                 uint32_t *smallest) {
    for (int k = 0; k < FL_EXACT_LANES; k++) {
        uint32_t bits, before;
        memcpy(&bits, x + k, sizeof bits);
        bits &= 0x7fffffff;
        before = bits - 1;
        largest[k] = bits > largest[k] ? bits : largest[k];
        smallest[k] = before < smallest[k] ? before : smallest[k];
    }
}

static int fl_sum_floats(const float *x, size_t n, double *totals) {
    uint32_t largest[FL_EXACT_LANES] = {0}, smallest[FL_EXACT_LANES], high = 0, low = 0xffffffff;
    memset(smallest, 0xff, sizeof smallest);
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        fl_widen_range(x + i, largest, smallest);
    if (i < n) {
        float part[FL_EXACT_LANES] = {0};
        memcpy(part, x + i, (n - i) * sizeof *part);
        fl_widen_range(part, largest, smallest);
    }
    for (int k = 0; k < FL_EXACT_LANES; k++) {
        high = largest[k] > high ? largest[k] : high;
        low = smallest[k] < low ? smallest[k] : low;
    }
    double *squares = totals + FL_SUM_LEVELS;
    memset(totals, 0, (FL_SUM_LEVELS + FL_SQUARE_LEVELS) * sizeof *totals);
    if (high == 0)
        return 1;
    /* Those below the smallest normal number have its last bit. */
    int top = high >> 23 ? (int)(high >> 23) : 1, bottom = (low + 1) >> 23 ? (int)((low + 1) >> 23) : 1;
    if (top == 255 || top - bottom > FL_WIDE_SPAN)
        return 0;
    /* A float of the exponent `top` is below 2^(top - 126). */
    if (top - bottom <= FL_NARROW_SPAN)
        fl_split_floats(x, n, top - 126, 1, totals, squares);
    else
        fl_split_floats(x, n, top - 126, 2, totals, squares);
    return 1;
}

static void fl_widen(const float *x, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = (double)x[i];
}

static void fl_weigh(const double *x, const double *w, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = (w[i] != 0 ? x[i] : 0) * w[i];
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

/* Lanes of x from i on, with zeros beyond its n numbers. */
static inline const double *fl_padded(const double *x, size_t i, size_t n, double room[FL_EXACT_LANES]) {
    memset(room, 0, FL_EXACT_LANES * sizeof *room);
    memcpy(room, x + i, (n - i) * sizeof *room);
    return room;
}

/* Of lanes of doubles the largest magnitudes, the smallest, less 1, so that 0 is larger than all, and all bits. */
static inline __attribute__((always_inline)) void fl_widen_double_range(const double *x, uint64_t *high,
                                                                        uint64_t *low, uint64_t *any) {
    for (int k = 0; k < FL_EXACT_LANES; k++) {
        uint64_t bits = fl_bits_of(x[k]) & INT64_MAX, before = bits - 1;
        high[k] = bits > high[k] ? bits : high[k];
        low[k] = before < low[k] ? before : low[k];
        any[k] |= bits;
    }
}

static int fl_range(const double *x, size_t n, double *largest, double *smallest) {
    uint64_t high[FL_EXACT_LANES] = {0}, low[FL_EXACT_LANES], any[FL_EXACT_LANES] = {0};
    memset(low, 0xff, sizeof low);
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        fl_widen_double_range(x + i, high, low, any);
    if (i < n) {
        double room[FL_EXACT_LANES];
        fl_widen_double_range(fl_padded(x, i, n, room), high, low, any);
    }
    for (int k = 1; k < FL_EXACT_LANES; k++) {
        high[0] = high[k] > high[0] ? high[k] : high[0];
        low[0] = low[k] < low[0] ? low[k] : low[0];
        any[0] |= any[k];
    }
    low[0]++;
    memcpy(largest, high, sizeof *largest);
    memcpy(smallest, low, sizeof *smallest);
    if (!low[0])
        *smallest = INFINITY;
    return 53 - __builtin_ctzll(any[0] | (uint64_t)1 << 52);
}

/* Lanes of x, or of products x y that are doubles, of which nothing is left after so many levels. */
static inline __attribute__((always_inline)) void fl_split_known(const double *x, const double *y,
                                                                 double s[][FL_EXACT_LANES], int levels) {
    for (int k = 0; k < FL_EXACT_LANES; k++)
        fl_split_into(s, k, levels, y ? x[k] * y[k] : x[k]);
}

static inline __attribute__((always_inline)) void fl_sum_known_at(const double *x, const double *y, size_t n,
                                                                  int exponent, int levels, double *totals) {
    double s[FL_KNOWN_LEVELS][FL_EXACT_LANES], start[FL_KNOWN_LEVELS];
    fl_start_levels(s, start, levels, exponent);
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        fl_split_known(x + i, y ? y + i : NULL, s, levels);
    if (i < n) {
        double room_x[FL_EXACT_LANES], room_y[FL_EXACT_LANES];
        fl_split_known(fl_padded(x, i, n, room_x), y ? fl_padded(y, i, n, room_y) : NULL, s, levels);
    }
    fl_total_levels(s, start, levels, totals);
}

static void fl_sum_known(const double *x, const double *y, size_t n, int exponent, int levels,
                         double *totals) {
    if (levels == 1)
        y ? fl_sum_known_at(x, y, n, exponent, 1, totals) : fl_sum_known_at(x, NULL, n, exponent, 1, totals);
    else if (levels == 2)
        y ? fl_sum_known_at(x, y, n, exponent, 2, totals) : fl_sum_known_at(x, NULL, n, exponent, 2, totals);
    else
        y ? fl_sum_known_at(x, y, n, exponent, 3, totals) : fl_sum_known_at(x, NULL, n, exponent, 3, totals);
}

/* Lanes of products and of their rounding errors, each split at `levels` powers of two. */
static inline __attribute__((always_inline)) void fl_split_lanes(const double *x, const double *y,
                                                                 double high[][FL_EXACT_LANES],
                                                                 double low[][FL_EXACT_LANES], int levels,
                                                                 uint64_t *left) {
    for (int k = 0; k < FL_EXACT_LANES; k++) {
        double product = x[k] * y[k], error = fl_product_error(x[k], y[k], product);
        left[k] |= fl_bits_of(fl_split_into(high, k, levels, product));
        left[k] |= fl_bits_of(fl_split_into(low, k, levels, error));
    }
}

/* Sums of n products below 2^exponent and of their rounding errors; whether nothing remains. */
static inline __attribute__((always_inline)) int fl_split_products_at(const double *x, const double *y,
                                                                      size_t n, int exponent, int levels,
                                                                      double *totals, double *low_totals) {
    double high[FL_PRODUCT_LEVELS][FL_EXACT_LANES], low[FL_PRODUCT_LEVELS][FL_EXACT_LANES];
    double start[FL_PRODUCT_LEVELS], low_start[FL_PRODUCT_LEVELS];
    uint64_t left[FL_EXACT_LANES] = {0}, any = 0;
    fl_start_levels(high, start, levels, exponent);
    fl_start_levels(low, low_start, levels, exponent - 53);
    size_t i = 0;
    for (; i + FL_EXACT_LANES <= n; i += FL_EXACT_LANES)
        fl_split_lanes(x + i, y + i, high, low, levels, left);
    if (i < n) {
        double room_x[FL_EXACT_LANES], room_y[FL_EXACT_LANES];
        fl_split_lanes(fl_padded(x, i, n, room_x), fl_padded(y, i, n, room_y), high, low, levels, left);
    }
    for (int k = 0; k < FL_EXACT_LANES; k++)
        any |= left[k];
    fl_total_levels(high, start, levels, totals);
    fl_total_levels(low, low_start, levels, low_totals);
    return any << 1 == 0;
}

/* A product has 53 bits, so that two levels take those whose exponents span what is left of them; others may
 * be fine as well, but are mostly not. */
static int fl_sum_products(const double *x, const double *y, size_t n, int exponent, int span,
                           double *totals) {
    memset(totals, 0, 2 * FL_PRODUCT_LEVELS * sizeof *totals);
    return (span <= 2 * FL_LEVEL_BITS - 53 &&
            fl_split_products_at(x, y, n, exponent, 2, totals, totals + FL_PRODUCT_LEVELS)) ||
           fl_split_products_at(x, y, n, exponent, 3, totals, totals + FL_PRODUCT_LEVELS);
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
