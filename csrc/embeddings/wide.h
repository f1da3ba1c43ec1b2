/* Sums over a row, in double whatever the precision: no square of a float32 over- or underflows there, and a
 * difference of two is all but exact.
 *
 * Sixteen lanes are added in a fixed order, so that all tiers with fused multiply-add give the same bits; a
 * chunk's lanes are folded, and the chunks' sums added with their errors, so that the error of a long row
 * does not grow with its length. */
#ifndef FL_EMBEDDINGS_WIDE_H
#define FL_EMBEDDINGS_WIDE_H

#include "../blocks/real.h"
#include "../sums/compensated.h"
#include "../sums/fold.h"

enum { FL_WIDE_LANES = 16, FL_WIDE_CHUNK = 1024 };

/* Iterations of a loop over a row do not depend on each other, though a gradient may lie over its input. */
#if defined(__GNUC__) && !defined(__clang__)
#define FL_COLUMN_LOOP _Pragma("GCC ivdep")
#else
#define FL_COLUMN_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif

/* Unrolled before it is vectorised, the loop over the lanes would stay scalar. */
#if defined(__GNUC__) && !defined(__clang__)
#define FL_LANE_LOOP _Pragma("GCC unroll 1")
#else
#define FL_LANE_LOOP
#endif

FL_INLINE double fl_wide_fma(double a, double b, double c) {
#if FL_HAS_FMA
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* name(a, b, c, n, s, t, sums): as many sums over i < n as `n_sums`; STEP(k, i) adds element i's terms to
 * lanes[0..n_sums - 1][k]. a, b and c are what STEP calls them, s and t are scales. */
#define FL_DEFINE_WIDE_SUMS(name, n_sums, STEP)                                                              \
    FL_INLINE void name##_of_chunk(const real *a, const real *b, const real *c, size_t n, double s,          \
                                   double t, double *sums) {                                                 \
        double lanes[n_sums][FL_WIDE_LANES] = {{0}};                                                         \
        size_t i = 0;                                                                                        \
        (void)c, (void)s, (void)t;                                                                           \
        for (; i + FL_WIDE_LANES <= n; i += FL_WIDE_LANES)                                                   \
            FL_LANE_LOOP                                                                                     \
        for (size_t k = 0; k < FL_WIDE_LANES; k++) {                                                         \
            STEP(k, i + k)                                                                                   \
        }                                                                                                    \
        for (size_t k = 0; i + k < n; k++) {                                                                 \
            STEP(k, i + k)                                                                                   \
        }                                                                                                    \
        for (int m = 0; m < n_sums; m++)                                                                     \
            sums[m] = fl_fold_lanes(lanes[m], FL_WIDE_LANES);                                                \
    }                                                                                                        \
    static __attribute__((noinline)) void name##_of_chunks(const real *a, const real *b, const real *c,      \
                                                           size_t n, double s, double t, double *sums) {     \
        fl_compensated total[n_sums] = {{0, 0}};                                                             \
        for (size_t i = 0; i < n; i += FL_WIDE_CHUNK) {                                                      \
            name##_of_chunk(a + i, b + i, c ? c + i : c, n - i < FL_WIDE_CHUNK ? n - i : FL_WIDE_CHUNK, s,   \
                            t, sums);                                                                        \
            for (int m = 0; m < n_sums; m++)                                                                 \
                fl_add(&total[m], sums[m]);                                                                  \
        }                                                                                                    \
        for (int m = 0; m < n_sums; m++)                                                                     \
            sums[m] = fl_total(total[m]);                                                                    \
    }                                                                                                        \
    FL_INLINE void name(const real *a, const real *b, const real *c, size_t n, double s, double t,           \
                        double *sums) {                                                                      \
        if (n <= FL_WIDE_CHUNK)                                                                              \
            name##_of_chunk(a, b, c, n, s, t, sums);                                                         \
        else                                                                                                 \
            name##_of_chunks(a, b, c, n, s, t, sums);                                                        \
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
