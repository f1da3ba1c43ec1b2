/* Sums over a row, in double whatever the precision: no square of a float32 over- or underflows there, and a
 * difference of two is all but exact.
 *
 * Sixteen lanes are added in a fixed order, so that all tiers with fused multiply-add give the same bits; a
 * chunk's lanes are folded, and the chunks' sums added with their errors, so that the error of a long row
 * does not grow with its length. The lanes are vectors of the machine's width by name, as in simd/simd.h.
 */
#ifndef FL_EMBEDDINGS_WIDE_H
#define FL_EMBEDDINGS_WIDE_H

#include <float.h>

#include "../blocks/tile.h"
#include "../pass/watch.h"
#include "../simd/loops.h"
#include "../simd/simd.h"
#include "../sums/compensated.h"
#include "../sums/fold.h"

enum { FL_WIDE_LANES = FL_LANES, FL_WIDE_CHUNK = 1024, FL_WIDE_SUMS = 3 };

/* What is summed: (a - b)^2; that and (a - c)^2; a·b, a·a and b·b. */
enum { FL_OF_DISTANCE, FL_OF_DISTANCES, FL_OF_PRODUCTS };

/* Rows, and powers of two that their numbers, or differences, are multiplied by. */
typedef struct {
    const real *a, *b, *c;
    double scale_a, scale_b;
} fl_wide_rows;

typedef fl_double_vector fl_wide_lanes[FL_WIDE_SUMS][FL_N_DOUBLE_VECTORS];

FL_INLINE void fl_add_sixteen(const int what, const real *a, const real *b, const real *c, double scale_a,
                              double scale_b, fl_wide_lanes lanes) {
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++) {
        fl_double_vector x = fl_wide_part(a + i * FL_DOUBLES), y = fl_wide_part(b + i * FL_DOUBLES);
        if (what == FL_OF_PRODUCTS) {
            x *= scale_a;
            y *= scale_b;
            lanes[0][i] = fl_vector_fma(x, y, lanes[0][i]);
            lanes[1][i] = fl_vector_fma(x, x, lanes[1][i]);
            lanes[2][i] = fl_vector_fma(y, y, lanes[2][i]);
        } else {
            fl_double_vector d = (x - y) * scale_a;
            lanes[0][i] = fl_vector_fma(d, d, lanes[0][i]);
            if (what == FL_OF_DISTANCES) {
                fl_double_vector e = x - fl_wide_part(c + i * FL_DOUBLES);
                lanes[1][i] = fl_vector_fma(e, e, lanes[1][i]);
            }
        }
    }
}

/* Lanes folded onto each other as by fl_fold_lanes. */
FL_INLINE double fl_fold_wide(fl_double_vector *lanes) {
#pragma GCC unroll 8
    for (int width = FL_N_DOUBLE_VECTORS / 2; width > 0; width /= 2)
#pragma GCC unroll 8
        for (int k = 0; k < width; k++)
            lanes[k] += lanes[k + width];
    return fl_fold_vector(lanes[0]);
}

/* One by one: the sums of short rows would wait for memory to be filled. */
FL_INLINE void fl_clear_lanes(const int what, fl_wide_lanes lanes) {
#pragma GCC unroll 3
    for (int m = 0; m <= what; m++)
#pragma GCC unroll 8
        for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++)
            lanes[m][i] = (fl_double_vector){0};
}

FL_INLINE void fl_sum_chunk_wide(const int what, fl_wide_rows r, size_t n, double *sums) {
    fl_wide_lanes lanes;
    fl_clear_lanes(what, lanes);
    size_t i = 0;
    for (; i + FL_WIDE_LANES <= n; i += FL_WIDE_LANES)
        fl_add_sixteen(what, r.a + i, r.b + i, r.c + i, r.scale_a, r.scale_b, lanes);
    if (i < n) {
        real a[FL_WIDE_LANES], b[FL_WIDE_LANES], c[FL_WIDE_LANES];
        fl_pad_tail(r.a + i, n - i, a);
        fl_pad_tail(r.b + i, n - i, b);
        if (what == FL_OF_DISTANCES)
            fl_pad_tail(r.c + i, n - i, c);
        fl_add_sixteen(what, a, b, c, r.scale_a, r.scale_b, lanes);
    }
    for (int m = 0; m <= what; m++)
        sums[m] = fl_fold_wide(lanes[m]);
}

#if FL_PRECISION == 32
/* Squares of distances from differences in float, whose squares are added in pairs before they are taken into
 * double: conversions are what takes longest. The errors are some 2^-23 of the sums, but where differences
 * overflow or all squares may be below the smallest number: fl_is_narrow. */
FL_INLINE fl_real_vector fl_square_part(const real *a, const real *b) {
    fl_real_vector x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x -= y;
    return x * x;
}

FL_INLINE void fl_add_narrow(const real *a, const real *b, size_t n, fl_double_vector *lanes) {
    enum { VECTORS = FL_LANES / FL_REALS };
    fl_real_vector squares[VECTORS];
#pragma GCC unroll 4
    for (int k = 0; k < VECTORS; k++) {
        squares[k] = fl_square_part(a + k * FL_REALS, b + k * FL_REALS);
        if (n > FL_LANES)
            squares[k] += fl_square_part(a + FL_LANES + k * FL_REALS, b + FL_LANES + k * FL_REALS);
    }
    fl_add_tile(lanes, (const real *)squares);
}

FL_INLINE void fl_sum_chunk_narrow(const int what, fl_wide_rows r, size_t n, double *sums) {
    fl_wide_lanes lanes;
    fl_clear_lanes(what, lanes);
    size_t i = 0;
    for (; i + 2 * FL_LANES <= n; i += 2 * FL_LANES) {
        fl_add_narrow(r.a + i, r.b + i, 2 * FL_LANES, lanes[0]);
        if (what == FL_OF_DISTANCES)
            fl_add_narrow(r.a + i, r.c + i, 2 * FL_LANES, lanes[1]);
    }
    if (i + FL_LANES <= n) {
        fl_add_narrow(r.a + i, r.b + i, FL_LANES, lanes[0]);
        if (what == FL_OF_DISTANCES)
            fl_add_narrow(r.a + i, r.c + i, FL_LANES, lanes[1]);
        i += FL_LANES;
    }
    if (i < n) {
        real a[FL_LANES], b[FL_LANES];
        fl_pad_tail(r.a + i, n - i, a);
        fl_pad_tail(r.b + i, n - i, b);
        fl_add_narrow(a, b, FL_LANES, lanes[0]);
        if (what == FL_OF_DISTANCES) {
            fl_pad_tail(r.c + i, n - i, b);
            fl_add_narrow(a, b, FL_LANES, lanes[1]);
        }
    }
    for (int m = 0; m <= what; m++)
        sums[m] = fl_fold_wide(lanes[m]);
}

FL_INLINE int fl_is_narrow(const int what, const double *sums) {
    int narrow = sums[0] >= 0x1p-100 && sums[0] <= DBL_MAX;
    return what == FL_OF_DISTANCES ? narrow && sums[1] >= 0x1p-100 && sums[1] <= DBL_MAX : narrow;
}

static __attribute__((noinline)) void fl_sum_anywhere(int what, fl_wide_rows r, size_t n, double *sums) {
    if (what == FL_OF_DISTANCE)
        fl_sum_chunk_wide(FL_OF_DISTANCE, r, n, sums);
    else
        fl_sum_chunk_wide(FL_OF_DISTANCES, r, n, sums);
}
#endif

FL_INLINE void fl_sum_chunk(const int what, fl_wide_rows r, size_t n, double *sums) {
#if FL_PRECISION == 32
    if (what != FL_OF_PRODUCTS) {
        fl_sum_chunk_narrow(what, r, n, sums);
        if (!fl_is_narrow(what, sums))
            fl_sum_anywhere(what, r, n, sums);
        return;
    }
#endif
    fl_sum_chunk_wide(what, r, n, sums);
}

/* Chunk by chunk. */
static __attribute__((noinline)) void fl_sum_chunks(int what, fl_wide_rows r, size_t n, fl_watch *watch,
                                                    double *sums) {
    fl_compensated total[FL_WIDE_SUMS] = {{0, 0}};
    size_t done = 0;
    for (size_t i = 0; i < n && !fl_stops(watch, &done, FL_WIDE_CHUNK); i += FL_WIDE_CHUNK) {
        fl_wide_rows part = {r.a + i, r.b + i, r.c + i, r.scale_a, r.scale_b};
        size_t m = n - i < FL_WIDE_CHUNK ? n - i : FL_WIDE_CHUNK;
        if (what == FL_OF_DISTANCE)
            fl_sum_chunk(FL_OF_DISTANCE, part, m, sums);
        else if (what == FL_OF_DISTANCES)
            fl_sum_chunk(FL_OF_DISTANCES, part, m, sums);
        else
            fl_sum_chunk(FL_OF_PRODUCTS, part, m, sums);
        for (int k = 0; k <= what; k++)
            fl_add(&total[k], sums[k]);
    }
    for (int k = 0; k <= what; k++)
        sums[k] = fl_total(total[k]);
}

/* All of the sums over n columns; those of a call that is stopped are wrong. */
FL_INLINE void fl_sum_row(const int what, fl_wide_rows r, size_t n, fl_watch *watch, double *sums) {
    if (n <= FL_WIDE_CHUNK)
        fl_sum_chunk(what, r, n, sums);
    else
        fl_sum_chunks(what, r, n, watch, sums);
}

/* The power of two that brings a number near 1, as far as doubles go. */
FL_INLINE double fl_inverse_scale(double largest) {
    uint64_t bits;
    memcpy(&bits, &largest, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    exponent = exponent < -1000 ? -1000 : (exponent > 1000 ? 1000 : exponent);
    bits = (uint64_t)(1023 - exponent) << 52;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale;
}

#endif
