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

#include "exact.h"
#include "kernel_types.h"
#include "vectors.h"

/* Vectors that are added to side by side, so that one addition need not wait for the other; of products fewer, since
 * they have more sums, all of which are to stay in registers. At most 128 numbers of a block go to one lane. */
enum {
    FL_SIDES = 4,
    FL_LANES_AT_ONCE = FL_SIDES * FL_WIDTH,
    FL_PRODUCT_SIDES = FL_WIDTH == 2 ? 4 : 2,
    FL_PRODUCTS_AT_ONCE = FL_PRODUCT_SIDES * FL_WIDTH
};

enum { FL_SUM_LEVELS = 2, FL_SQUARE_LEVELS = 3, FL_PRODUCT_LEVELS = 3 };

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
static __attribute__((noinline)) void fl_find_starts(double *start, int levels, int exponent) {
    for (int j = 0; j < levels; j++)
        start[j] = fl_three_halves(exponent + FL_HEADROOM - j * FL_LEVEL_BITS);
}

/* `sides` vectors for each level. */
static inline __attribute__((always_inline)) void fl_start_levels(fl_doubles *s, int sides, int levels,
                                                                  const double *start) {
    for (int j = 0; j < levels; j++)
        for (int v = 0; v < sides; v++)
            s[j * sides + v] = fl_all_of(start[j]);
}

static inline __attribute__((always_inline)) void fl_total_levels(const fl_doubles *s, int sides, int levels,
                                                                  const double *start, double *totals) {
    for (int j = 0; j < levels; j++) {
        fl_doubles all = s[j * sides] - start[j];
        for (int v = 1; v < sides; v++)
            all += s[j * sides + v] - start[j];
        totals[j] = 0;
        for (int k = 0; k < FL_WIDTH; k++)
            totals[j] += all[k];
    }
}

/* Numbers into a vector of each level; returns what remains. `levels` is a constant where this is inlined. */
static inline __attribute__((always_inline)) fl_doubles fl_split_into(fl_doubles *s, int sides, int levels,
                                                                      fl_doubles t) {
    for (int j = 0; j < levels; j++) {
        fl_doubles u = s[j * sides] + t;
        t -= u - s[j * sides];
        s[j * sides] = u;
    }
    return t;
}

/* Numbers of x from i on, with zeros beyond its n numbers: room for as many as are taken at once. */
static inline const double *fl_padded(const double *x, size_t i, size_t n, double room[FL_LANES_AT_ONCE]) {
    memset(room, 0, FL_LANES_AT_ONCE * sizeof *room);
    memcpy(room, x + i, (n - i) * sizeof *room);
    return room;
}

/* The largest magnitudes, the smallest but 0, and all bits. The smallest less 2^63 + 1, by which 0 alone comes to be
 * positive, and larger than all. */
typedef struct {
    fl_words high, low;
    fl_bits any;
} fl_double_range;

static inline __attribute__((always_inline)) void fl_widen_range(fl_double_range *r, const double *x) {
    fl_bits bits = (fl_bits)fl_load_doubles(x) & INT64_MAX;
    fl_words size = (fl_words)bits, before = (fl_words)(bits + INT64_MAX);
    r->high = fl_pick(size > r->high, size, r->high);
    r->low = fl_pick(before < r->low, before, r->low);
    r->any |= bits;
}

static int fl_range(const double *x, size_t n, double *largest, double *smallest) {
    fl_double_range one = {{0}, (fl_words){0} + INT64_MAX, {0}}, other = one;
    size_t i = 0;
    for (; i + 2 * FL_WIDTH <= n; i += 2 * FL_WIDTH) {
        fl_widen_range(&one, x + i);
        fl_widen_range(&other, x + i + FL_WIDTH);
    }
    if (i < n) {
        double room[FL_LANES_AT_ONCE];
        fl_padded(x, i, n, room);
        fl_widen_range(&one, room);
        fl_widen_range(&other, room + FL_WIDTH);
    }
    int64_t high = 0, low = INT64_MAX;
    for (int k = 0; k < FL_WIDTH; k++) {
        high = one.high[k] > high ? one.high[k] : high;
        high = other.high[k] > high ? other.high[k] : high;
        low = one.low[k] < low ? one.low[k] : low;
        low = other.low[k] < low ? other.low[k] : low;
    }
    uint64_t least = (uint64_t)low - INT64_MAX;
    memcpy(largest, &high, sizeof *largest);
    memcpy(smallest, &least, sizeof *smallest);
    if (!least)
        *smallest = INFINITY;
    return 53 - __builtin_ctzll(fl_any_bits(one.any | other.any) | (uint64_t)1 << 52);
}

/* Numbers into the sums of FL_SUM_LEVELS, what remains of them to `rest`. */
static inline __attribute__((always_inline)) void fl_split_doubles(const double *x, fl_doubles *s,
                                                                   double *rest, fl_bits *left) {
    for (int v = 0; v < FL_SIDES; v++) {
        fl_doubles t = fl_split_into(s + v, FL_SIDES, FL_SUM_LEVELS, fl_load_doubles(x + v * FL_WIDTH));
        fl_store_doubles(rest + v * FL_WIDTH, t);
        *left |= (fl_bits)t;
    }
}

static int fl_sum_doubles(const double *x, size_t n, double *rest, double *totals) {
    fl_doubles s[FL_SUM_LEVELS * FL_SIDES];
    fl_bits left = {0};
    double largest, smallest, start[FL_SUM_LEVELS];
    int exponent;
    fl_range(x, n, &largest, &smallest);
    if (!(largest < 0x1p1000))
        return FL_ALL_LEFT;
    frexp(largest, &exponent);
    fl_find_starts(start, FL_SUM_LEVELS, exponent);
    fl_start_levels(s, FL_SIDES, FL_SUM_LEVELS, start);
    size_t i = 0;
    for (; i + FL_LANES_AT_ONCE <= n; i += FL_LANES_AT_ONCE)
        fl_split_doubles(x + i, s, rest + i, &left);
    if (i < n) {
        double room[FL_LANES_AT_ONCE];
        fl_padded(x, i, n, room);
        fl_split_doubles(room, s, room, &left);
        memcpy(rest + i, room, (n - i) * sizeof *rest);
    }
    fl_total_levels(s, FL_SIDES, FL_SUM_LEVELS, start, totals);
    return fl_any_bits(left) << 1 ? FL_SOME_LEFT : FL_NOTHING_LEFT; /* but for the sign of 0 */
}

/* The least exponents of floats, as they are stored, for which one level takes all bits of a number, and two
 * those of a square; or two and three. A level has 43 bits, a float 24 and its square 48. */
enum { FL_NARROW_SPAN = 18, FL_WIDE_SPAN = 40 };

/* The square of floats, likewise. */
static inline __attribute__((always_inline)) void fl_split_square(fl_doubles *s, int sides, int levels,
                                                                  fl_doubles t) {
#if FL_HAS_FMA
    fl_doubles u = fl_vector_fma(t, t, s[0]), rest = fl_vector_fma(t, t, s[0] - u);
    s[0] = u;
#else
    fl_doubles rest = fl_split_into(s, sides, 1, t * t);
#endif
    fl_split_into(s + sides, sides, levels - 1, rest);
}

/* Sums of floats below 2^exponent and of their squares, split at `levels` and one more powers of two. */
static inline __attribute__((always_inline)) void
fl_split_floats(const float *x, size_t n, int exponent, int levels, double *totals, double *squares) {
    fl_doubles s[FL_SUM_LEVELS * FL_PRODUCT_SIDES], q[FL_SQUARE_LEVELS * FL_PRODUCT_SIDES];
    double start[FL_SUM_LEVELS], square_start[FL_SQUARE_LEVELS];
    float room[FL_PRODUCTS_AT_ONCE] = {0};
    fl_find_starts(start, levels, exponent);
    fl_find_starts(square_start, levels + 1, 2 * exponent);
    fl_start_levels(s, FL_PRODUCT_SIDES, levels, start);
    fl_start_levels(q, FL_PRODUCT_SIDES, levels + 1, square_start);
    for (size_t i = 0; i < n; i += FL_PRODUCTS_AT_ONCE) {
        const float *from = x + i;
        if (n - i < FL_PRODUCTS_AT_ONCE)
            from = memcpy(room, from, (n - i) * sizeof *room);
        for (int v = 0; v < FL_PRODUCT_SIDES; v++) {
            fl_doubles t = fl_load_floats(from + v * FL_WIDTH);
            fl_split_into(s + v, FL_PRODUCT_SIDES, levels, t);
            fl_split_square(q + v, FL_PRODUCT_SIDES, levels + 1, t);
        }
    }
    fl_total_levels(s, FL_PRODUCT_SIDES, levels, start, totals);
    fl_total_levels(q, FL_PRODUCT_SIDES, levels + 1, square_start, squares);
}

/* The largest magnitudes of floats, and the smallest but 0, less 2^31 + 1 like those of doubles. */
static inline __attribute__((always_inline)) void fl_widen_float_range(fl_half_words *high,
                                                                       fl_half_words *low, const float *x) {
    fl_half_words size, before;
    memcpy(&size, x, sizeof size);
    size &= INT32_MAX;
    before = size + INT32_MAX;
    *high = fl_pick_halves(size > *high, size, *high);
    *low = fl_pick_halves(before < *low, before, *low);
}

static int fl_sum_floats(const float *x, size_t n, double *totals) {
    enum { AT_ONCE = 2 * FL_WIDTH };
    fl_half_words highs[2] = {{0}, {0}}, lows[2];
    lows[0] = lows[1] = (fl_half_words){0} + INT32_MAX;
    size_t i = 0;
    for (; i + 2 * AT_ONCE <= n; i += 2 * AT_ONCE) {
        fl_widen_float_range(&highs[0], &lows[0], x + i);
        fl_widen_float_range(&highs[1], &lows[1], x + i + AT_ONCE);
    }
    if (i < n) {
        float room[2 * AT_ONCE] = {0};
        memcpy(room, x + i, (n - i) * sizeof *room);
        fl_widen_float_range(&highs[0], &lows[0], room);
        fl_widen_float_range(&highs[1], &lows[1], room + AT_ONCE);
    }
    int32_t high = 0, low = INT32_MAX;
    for (int k = 0; k < 2 * AT_ONCE; k++) {
        int32_t size = highs[k / AT_ONCE][k % AT_ONCE], before = lows[k / AT_ONCE][k % AT_ONCE];
        high = size > high ? size : high;
        low = before < low ? before : low;
    }
    double *squares = totals + FL_SUM_LEVELS;
    memset(totals, 0, (FL_SUM_LEVELS + FL_SQUARE_LEVELS) * sizeof *totals);
    if (high == 0)
        return 1;
    uint32_t least = (uint32_t)low - INT32_MAX;
    /* Those below the smallest normal number have its last bit. */
    int top = high >> 23 ? high >> 23 : 1, bottom = least >> 23 ? (int)(least >> 23) : 1;
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

/* Numbers x, or products x y that are doubles, of which nothing is left after so many levels. */
static inline __attribute__((always_inline)) void fl_split_known(const double *x, const double *y,
                                                                 fl_doubles *s, int levels) {
    for (int v = 0; v < FL_SIDES; v++) {
        fl_doubles t = fl_load_doubles(x + v * FL_WIDTH);
        fl_split_into(s + v, FL_SIDES, levels, y ? t * fl_load_doubles(y + v * FL_WIDTH) : t);
    }
}

static inline __attribute__((always_inline)) void fl_sum_known_at(const double *x, const double *y, size_t n,
                                                                  int exponent, int levels, double *totals) {
    fl_doubles s[FL_KNOWN_LEVELS * FL_SIDES];
    double start[FL_KNOWN_LEVELS];
    fl_find_starts(start, levels, exponent);
    fl_start_levels(s, FL_SIDES, levels, start);
    size_t i = 0;
    for (; i + FL_LANES_AT_ONCE <= n; i += FL_LANES_AT_ONCE)
        fl_split_known(x + i, y ? y + i : NULL, s, levels);
    if (i < n) {
        double room_x[FL_LANES_AT_ONCE], room_y[FL_LANES_AT_ONCE];
        fl_split_known(fl_padded(x, i, n, room_x), y ? fl_padded(y, i, n, room_y) : NULL, s, levels);
    }
    fl_total_levels(s, FL_SIDES, levels, start, totals);
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

/* What products lose by rounding. Without an instruction for it by Dekker's splitting, which is as exact. */
static inline __attribute__((always_inline)) fl_doubles fl_product_error(fl_doubles x, fl_doubles y,
                                                                         fl_doubles product) {
#if FL_HAS_FMA
    return fl_vector_fma(x, y, -product);
#else
    fl_doubles a = 134217729.0 * x, b = 134217729.0 * y;
    fl_doubles x_high = a - (a - x), y_high = b - (b - y), x_low = x - x_high, y_low = y - y_high;
    return ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low;
#endif
}

/* Products and their rounding errors, each split at `levels` powers of two. */
static inline __attribute__((always_inline)) void fl_split_pairs(const double *x, const double *y,
                                                                 fl_doubles *high, fl_doubles *low,
                                                                 int levels, fl_bits *left) {
    for (int v = 0; v < FL_PRODUCT_SIDES; v++) {
        fl_doubles a = fl_load_doubles(x + v * FL_WIDTH), b = fl_load_doubles(y + v * FL_WIDTH);
        fl_doubles product = a * b, error = fl_product_error(a, b, product);
        *left |= (fl_bits)fl_split_into(high + v, FL_PRODUCT_SIDES, levels, product);
        *left |= (fl_bits)fl_split_into(low + v, FL_PRODUCT_SIDES, levels, error);
    }
}

/* Sums of n products below 2^exponent and of their rounding errors; whether nothing remains. */
static inline __attribute__((always_inline)) int fl_split_products_at(const double *x, const double *y,
                                                                      size_t n, int exponent, int levels,
                                                                      double *totals, double *low_totals) {
    fl_doubles high[FL_PRODUCT_LEVELS * FL_PRODUCT_SIDES], low[FL_PRODUCT_LEVELS * FL_PRODUCT_SIDES];
    fl_bits left = {0};
    double start[FL_PRODUCT_LEVELS], low_start[FL_PRODUCT_LEVELS];
    fl_find_starts(start, levels, exponent);
    fl_find_starts(low_start, levels, exponent - 53);
    fl_start_levels(high, FL_PRODUCT_SIDES, levels, start);
    fl_start_levels(low, FL_PRODUCT_SIDES, levels, low_start);
    size_t i = 0;
    for (; i + FL_PRODUCTS_AT_ONCE <= n; i += FL_PRODUCTS_AT_ONCE)
        fl_split_pairs(x + i, y + i, high, low, levels, &left);
    if (i < n) {
        double room_x[FL_LANES_AT_ONCE], room_y[FL_LANES_AT_ONCE];
        fl_split_pairs(fl_padded(x, i, n, room_x), fl_padded(y, i, n, room_y), high, low, levels, &left);
    }
    fl_total_levels(high, FL_PRODUCT_SIDES, levels, start, totals);
    fl_total_levels(low, FL_PRODUCT_SIDES, levels, low_start, low_totals);
    return fl_any_bits(left) << 1 == 0;
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
static inline int fl_is_moderate_or_zero(double x) {
    return (fabs(x) >= 0x1p-480 && fabs(x) <= 0x1p480) || x == 0;
}

static int fl_split_products(const double *x, const double *y, size_t n, double *high, double *low) {
    int fine = 1;
    for (size_t i = 0; i < n; i += FL_WIDTH) {
        double room_x[FL_LANES_AT_ONCE], room_y[FL_LANES_AT_ONCE];
        size_t length = n - i < FL_WIDTH ? n - i : FL_WIDTH;
        fl_doubles a = fl_load_doubles(fl_padded(x, i, i + length, room_x));
        fl_doubles b = fl_load_doubles(fl_padded(y, i, i + length, room_y));
        fl_doubles product = a * b, error = fl_product_error(a, b, product);
        memcpy(high + i, &product, length * sizeof *high);
        memcpy(low + i, &error, length * sizeof *low);
        for (size_t k = 0; k < length; k++)
            fine &= fl_is_moderate_or_zero(x[i + k]) && fl_is_moderate_or_zero(y[i + k]);
    }
    return fine;
}

#endif
