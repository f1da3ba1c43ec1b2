/* Softmins over rows of a cost matrix: the passes that a Sinkhorn iteration is made of.
 *
 * One exponential an entry and no pass for the maximum: the sum found for the same row an iteration ago is
 * about what comes now, and dividing by it keeps the exponentials in range. Where it does not, the row is
 * done again with its maximum. A few rows share each tile of columns, whose coordinates stay in L1. */
#ifndef FL_TRANSPORT_SOFTMIN_H
#define FL_TRANSPORT_SOFTMIN_H

#include "../sums/fold.h"
#include "../vecmath/log.h"
#include "kernel_types.h"

enum {
    FL_TILE_ROWS = 16,
    FL_TILE_MOST = 256,    /* columns */
    FL_TILE_LEAST = 64,    /* however many dimensions they have */
    FL_TILE_NUMBERS = 4096 /* coordinates of a tile: the first-level cache */
};

/* Beyond this range a sum is not trusted: terms may have been clamped. */
#define FL_SUM_SMALLEST 0x1p-600
#define FL_SUM_LARGEST 0x1p600
#define FL_CLAMP 650.0

/* e^t for t in +-650, clamped to that; -infinity becomes e^-650. */
FL_INLINE double fl_exp_clamped(double t) {
    t = t > -FL_CLAMP ? t : -FL_CLAMP;
    t = t < FL_CLAMP ? t : FL_CLAMP;
    fl_exp_split s = fl_split_exponent(t);
    return fl_from_bits(fl_to_bits(fl_exp_reduced(s.remainder)) + FL_EXPONENT(s.k_pattern));
}

/* The squared differences of `width` dimensions, added to c or beginning it. */
FL_INLINE void fl_add_dims(const double *x, const double *y, size_t stride, int width, int begins, size_t n,
                           double *restrict c) {
    for (size_t j = 0; j < n; j++) {
        double d = x[0] - y[j], sum = begins ? d * d : fl_fma(d, d, c[j]);
        for (int k = 1; k < width; k++) {
            d = x[k] - y[(size_t)k * stride + j];
            sum = fl_fma(d, d, sum);
        }
        c[j] = sum;
    }
}

/* The costs from the point x to n columns, a multiple of the lanes. */
static void fl_cost_row(const fl_softmin *s, const double *x, size_t first, size_t n, double *restrict c) {
    const double *y = s->y_by_dim + first;
    size_t stride = s->n_columns, d = s->dims, k = d % 4;
    if (k == 1)
        fl_add_dims(x, y, stride, 1, 1, n, c);
    else if (k == 2)
        fl_add_dims(x, y, stride, 2, 1, n, c);
    else if (k == 3)
        fl_add_dims(x, y, stride, 3, 1, n, c);
    else {
        k = 4;
        fl_add_dims(x, y, stride, 4, 1, n, c);
    }
    for (; k < d; k += 4)
        fl_add_dims(x + k, y + k * stride, stride, 4, 0, n, c);
    if (s->euclidean)
        for (size_t j = 0; j < n; j++)
            c[j] = fl_sqrt(c[j]);
}

static const double *fl_costs_of(const fl_softmin *s, size_t row, size_t first, size_t n, double *scratch) {
    if (s->stored)
        return s->stored + row * s->n_columns + first;
    fl_cost_row(s, s->x + row * s->dims, first, n, scratch);
    return scratch;
}

static size_t fl_tile_columns(const fl_softmin *s) {
    size_t n = FL_TILE_NUMBERS / s->dims / FL_COLUMN_LANES * FL_COLUMN_LANES;
    n = s->stored || n > FL_TILE_MOST ? FL_TILE_MOST : n < FL_TILE_LEAST ? FL_TILE_LEAST : n;
    return n < s->n_columns ? n : s->n_columns;
}

static size_t fl_smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* e[j] = e^(height - cost/reg - shift), added to the lanes too. */
FL_INLINE void fl_exponentials(const double *restrict c, const double *restrict h, double shift,
                               double inverse_reg, size_t n, double *restrict sums, double *restrict e) {
    double lanes[FL_COLUMN_LANES];
    for (int k = 0; k < FL_COLUMN_LANES; k++)
        lanes[k] = sums[k];
    for (size_t j = 0; j < n; j += FL_COLUMN_LANES)
        for (int k = 0; k < FL_COLUMN_LANES; k++) {
            double term = fl_exp_clamped(fl_fma(-inverse_reg, c[j + k], h[j + k] - shift));
            lanes[k] += term;
            if (e)
                e[j + k] = term;
        }
    for (int k = 0; k < FL_COLUMN_LANES; k++)
        sums[k] = lanes[k];
}

/* The largest exponent of a row. */
static double fl_row_maximum(const fl_softmin *s, size_t row) {
    double scratch[FL_TILE_MOST], largest[FL_COLUMN_LANES];
    size_t tile = fl_tile_columns(s);
    for (int k = 0; k < FL_COLUMN_LANES; k++)
        largest[k] = -FL_INFINITY;
    for (size_t first = 0; first < s->n_columns; first += tile) {
        size_t n = fl_smaller(tile, s->n_columns - first);
        const double *c = fl_costs_of(s, row, first, n, scratch), *h = s->height + first;
        for (size_t j = 0; j < n; j += FL_COLUMN_LANES)
            for (int k = 0; k < FL_COLUMN_LANES; k++) {
                double t = fl_fma(-s->inverse_reg, c[j + k], h[j + k]);
                largest[k] = t > largest[k] ? t : largest[k];
            }
    }
    for (int k = 1; k < FL_COLUMN_LANES; k++)
        largest[0] = largest[k] > largest[0] ? largest[k] : largest[0];
    return largest[0];
}

/* The sums of a few rows, each relative to e^shift[i]. */
static void fl_sum_rows(const fl_softmin *s, size_t row, size_t n_rows, const double *shift, double *sum) {
    double scratch[FL_TILE_MOST], lanes[FL_TILE_ROWS][FL_COLUMN_LANES] = {{0}};
    size_t tile = fl_tile_columns(s);
    for (size_t first = 0; first < s->n_columns; first += tile) {
        size_t n = fl_smaller(tile, s->n_columns - first);
        for (size_t i = 0; i < n_rows; i++)
            fl_exponentials(fl_costs_of(s, row + i, first, n, scratch), s->height + first, shift[i],
                            s->inverse_reg, n, lanes[i], NULL);
    }
    for (size_t i = 0; i < n_rows; i++)
        sum[i] = fl_fold_lanes(lanes[i], FL_COLUMN_LANES);
}

/* Logarithms of numbers that are not negative: libm's have other bits on other machines. */
static void fl_logarithms(const double *x, size_t n, double *to) {
    for (size_t i = 0; i < n; i++) {
        int small = x[i] < 0x1p-900;
        double log = fl_log_pair(small ? x[i] * 0x1p200 : x[i], small ? -200 : 0, 0).hi;
        to[i] = x[i] > 0 ? log : -FL_INFINITY;
    }
}

static void fl_softmin_rows(const fl_softmin *s, size_t first, size_t end, const double *guess,
                            double *log_sum) {
    for (size_t row = first; row < end; row += FL_TILE_ROWS) {
        size_t n = fl_smaller(FL_TILE_ROWS, end - row);
        double shift[FL_TILE_ROWS], sum[FL_TILE_ROWS];
        for (size_t i = 0; i < n; i++)
            shift[i] = guess[row + i];
        fl_sum_rows(s, row, n, shift, sum);
        for (size_t i = 0; i < n; i++) {
            if (!(sum[i] >= FL_SUM_SMALLEST && sum[i] <= FL_SUM_LARGEST)) {
                shift[i] = fl_row_maximum(s, row + i);
                fl_sum_rows(s, row + i, 1, shift + i, sum + i);
            }
            log_sum[row + i] = shift[i] + fl_log_pair(sum[i], 0, 0).hi;
        }
    }
}

/* sum_j w_j (x_k - y_jk) over a tile, added to pull[k]. */
static void fl_pull_tile(const fl_softmin *s, const double *x, size_t first, size_t n, const double *w,
                         double *pull) {
    for (size_t k = 0; k < s->dims; k++) {
        const double *y = s->y_by_dim + k * s->n_columns + first;
        double lanes[FL_COLUMN_LANES] = {0};
        for (size_t j = 0; j < n; j += FL_COLUMN_LANES)
            for (int lane = 0; lane < FL_COLUMN_LANES; lane++)
                lanes[lane] = fl_fma(w[j + lane], x[k] - y[j + lane], lanes[lane]);
        pull[k] += fl_fold_lanes(lanes, FL_COLUMN_LANES);
    }
}

static void fl_pull_rows(const fl_softmin *s, size_t first, size_t end, const double *guess, double *log_sum,
                         double *pull) {
    size_t tile = fl_tile_columns(s);
    fl_softmin_rows(s, first, end, guess, log_sum);
    for (size_t row = first; row < end; row++) {
        const double *x = s->x + row * s->dims;
        double scratch[FL_TILE_MOST], weight[FL_TILE_MOST], sums[FL_COLUMN_LANES] = {0};
        double *to = pull + row * s->dims;
        for (size_t k = 0; k < s->dims; k++)
            to[k] = 0;
        for (size_t at = 0; at < s->n_columns; at += tile) {
            size_t n = fl_smaller(tile, s->n_columns - at);
            const double *c = fl_costs_of(s, row, at, n, scratch);
            /* Relative to the sum that the softmin found: these are the mean's weights. */
            fl_exponentials(c, s->height + at, log_sum[row], s->inverse_reg, n, sums, weight);
            for (size_t j = 0; j < n; j++)
                weight[j] = s->euclidean ? (c[j] > 0 ? weight[j] / c[j] : 0) : 2 * weight[j];
            fl_pull_tile(s, x, at, n, weight, to);
        }
    }
}

static void fl_cost_rows(const fl_softmin *s, size_t first, size_t end, double *to) {
    for (size_t row = first; row < end; row++)
        fl_cost_row(s, s->x + row * s->dims, 0, s->n_columns, to + row * s->n_columns);
}

#endif
