/* Euclidean distances of rows, and the gradients of what is made of them. */
#ifndef FL_EMBEDDINGS_DISTANCE_H
#define FL_EMBEDDINGS_DISTANCE_H

#include "put.h"

/* The distance ||a - b||; where its square leaves double's range it is that of the differences times `scale`,
 * a power of two, whose root is `scaled_root`. */
typedef struct {
    double scaled_root, scale;
    double root, square;
} fl_distance;

/* Of the rows of a tile. */
typedef struct {
    double scaled_root[FL_EMBEDDING_TILE_ROWS], scale[FL_EMBEDDING_TILE_ROWS];
    double root[FL_EMBEDDING_TILE_ROWS], square[FL_EMBEDDING_TILE_ROWS];
} fl_distances;

static __attribute__((noinline, unused)) fl_distance fl_scaled_distance(const real *a, const real *b,
                                                                        size_t n, fl_watch *watch) {
    double largest = 0, square;
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i++) {
            double d = fabs((double)a[i] - (double)b[i]);
            largest = d > largest ? d : largest;
        }
    double scale = largest > 0 ? fl_inverse_scale(largest) : 1;
    fl_sum_row(FL_OF_DISTANCE, (fl_wide_rows){a, b, b, scale, 1}, n, watch, &square);
    return (fl_distance){sqrt(square), scale, sqrt(square) / scale, square / scale / scale};
}

/* Whether a sum of squares is far from the ends of double's range: float32's always is, and most of
 * float64's. An infinite difference or NaN goes through the scaled sum as it is. */
FL_INLINE int fl_is_in_range(double square) {
    return FL_PRECISION == 32 || (square >= 0x1p-900 && square <= 0x1p1000);
}

/* All else from d->square, for rows of inputs a and b. */
FL_INLINE void fl_take_roots(const fl_embedding_tile *t, const int a, const int b, fl_distances *d) {
#pragma omp simd
    for (size_t i = 0; i < t->n_rows; i++) {
        d->root[i] = d->scaled_root[i] = __builtin_sqrt(d->square[i]);
        d->scale[i] = 1;
    }
    for (size_t i = 0; i < t->n_rows && FL_PRECISION == 64; i++)
        if (!fl_is_in_range(d->square[i])) {
            fl_distance s = fl_scaled_distance(fl_embedding_row(&t->input[a], i),
                                               fl_embedding_row(&t->input[b], i), t->n_columns, t->watch);
            d->scaled_root[i] = s.scaled_root;
            d->scale[i] = s.scale;
            d->root[i] = s.root;
            d->square[i] = s.square;
        }
}

/* slope/||a - b|| for the difference's step: 0 where the points are one or the loss is flat. */
FL_INLINE double fl_slope_of_root(double scaled_root, double slope) {
    const int is_flat = (scaled_root == 0) | (slope == 0);
    return is_flat ? 0 : slope / scaled_root;
}

/* s = {scale, slope}: slope (a - b) scale, and its negative. */
#define FL_DEFINE_DIFFERENCE(name, type, fma)                                                                \
    FL_INLINE void fl_difference_##name(const double *s, real a, real b, real c, real *g) {                  \
        type d = ((type)a - (type)b) * (type)s[0] * (type)s[1];                                              \
        g[0] = (real)(d + 0);                                                                                \
        g[1] = (real)(0 - d);                                                                                \
        (void)c;                                                                                             \
    }
FL_IN_BOTH(FL_DEFINE_DIFFERENCE)

/* The first, or both, of these. */
FL_INLINE void fl_put_difference(const int n_outputs, const fl_put *p, double square, double scale,
                                 double slope) {
#if FL_PRECISION == 32
    if (fl_fits_narrow(square, slope)) {
        fl_put_row(n_outputs, fl_difference_narrow, p, (const double[]){1, slope});
        return;
    }
#endif
    if (!fl_is_flat(square, slope)) {
        fl_put_row(n_outputs, fl_difference_wide, p, (const double[]){scale, slope});
        return;
    }
    for (int m = 0; m < n_outputs; m++)
        fl_put_zeros(p->to[m], p->n_columns, p->streams >> m & 1, p->watch);
}

#endif
