/* Euclidean distances of rows, and the gradients of what is made of them. */
#ifndef FL_EMBEDDINGS_DISTANCE_H
#define FL_EMBEDDINGS_DISTANCE_H

#include "wide.h"

#define FL_DISTANCE_STEP(k, i)                                                                               \
    double d = ((double)a[i] - (double)b[i]) * s;                                                            \
    lanes[0][k] = fl_wide_fma(d, d, lanes[0][k]);
FL_DEFINE_WIDE_SUMS(fl_distance_sum, 1, FL_DISTANCE_STEP)

#define FL_TWO_DISTANCES_STEP(k, i)                                                                          \
    double d = (double)a[i] - (double)b[i], e = (double)a[i] - (double)c[i];                                 \
    lanes[0][k] = fl_wide_fma(d, d, lanes[0][k]);                                                            \
    lanes[1][k] = fl_wide_fma(e, e, lanes[1][k]);
FL_DEFINE_WIDE_SUMS(fl_two_distance_sums, 2, FL_TWO_DISTANCES_STEP)

/* The distance ||a - b||; where its square leaves double's range it is that of
 * the differences times `scale`, a power of two, whose square is
 * `scaled_square`. */
typedef struct {
    double scaled_root, scale;
    double root, square;
} fl_distance;

static __attribute__((noinline, unused)) fl_distance fl_scaled_distance(const real *a, const real *b,
                                                                        size_t n) {
    double largest = 0, square;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        largest = d > largest ? d : largest;
    }
    double scale = largest > 0 ? fl_inverse_scale(largest) : 1;
    fl_distance_sum(a, b, NULL, n, scale, 0, &square);
    return (fl_distance){sqrt(square), scale, sqrt(square) / scale, square / scale / scale};
}

/* Of the sum of squares: float32's is always in range, and so is most of
 * float64's. An infinite difference or NaN goes through the scaled sum as it
 * is. */
FL_INLINE fl_distance fl_distance_of(double square, const real *a, const real *b, size_t n) {
#if FL_PRECISION == 64
    if (!(square >= 0x1p-900 && square <= 0x1p1000))
        return fl_scaled_distance(a, b, n);
#else
    (void)a, (void)b, (void)n;
#endif
    return (fl_distance){sqrt(square), 1, sqrt(square), square};
}

/* slope/||a - b|| for fl_put_difference: 0 where the points are one, NaN where
 * an input is. */
FL_INLINE double fl_slope_of_root(fl_distance d, double slope) {
    return d.scaled_root == 0 ? 0 : slope / d.scaled_root;
}

/* Gradients of float32 are made in float where neither slopes nor rows are so
 * large or small that anything could leave its range, else in double, like
 * those of float64; X(name, type, fma) defines one of both. */
#if FL_PRECISION == 32
#define FL_IN_BOTH(X) X(narrow, real, fl_fma) X(wide, double, fl_wide_fma)
#else
#define FL_IN_BOTH(X) X(wide, double, fl_wide_fma)
#endif

FL_INLINE int fl_is_moderate(double slope) {
    double magnitude = fabs(slope);
    return (magnitude >= 0x1p-100 && magnitude <= 0x1p100) || magnitude == 0;
}

FL_INLINE int fl_fits_narrow(double square, double slope) {
    return FL_PRECISION == 32 && square <= 0x1p200 && fl_is_moderate(slope);
}

FL_INLINE void fl_put_zeros(real *to, size_t n) {
    memset(to, 0, n * sizeof *to);
}

#define FL_DEFINE_PUT_DIFFERENCE(name, type, fma)                                                            \
    FL_INLINE void fl_put_difference_##name(real *to, real *opposite, const real *a, const real *b,          \
                                            size_t n, type scale, type slope) {                              \
        FL_COLUMN_LOOP                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                                     \
            type g = ((type)a[i] - (type)b[i]) * scale * slope;                                              \
            to[i] = (real)g;                                                                                 \
            opposite[i] = (real)(0 - g);                                                                     \
        }                                                                                                    \
    }
FL_IN_BOTH(FL_DEFINE_PUT_DIFFERENCE)

/* to = slope (a - b) scale, and its negative to `opposite`. A slope of 0 is a
 * flat loss: 0 even where a difference is infinite. */
FL_INLINE void fl_put_difference(real *to, real *opposite, const real *a, const real *b, size_t n,
                                 fl_distance d, double scale, double slope) {
    if (slope == 0) {
        fl_put_zeros(to, n);
        fl_put_zeros(opposite, n);
        return;
    }
#if FL_PRECISION == 32
    if (fl_fits_narrow(d.square, slope)) {
        fl_put_difference_narrow(to, opposite, a, b, n, 1, (real)slope);
        return;
    }
#else
    (void)d;
#endif
    fl_put_difference_wide(to, opposite, a, b, n, scale, slope);
}

#endif
