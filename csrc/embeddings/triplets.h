/* Losses of triplets of rows: anchor, positive, negative. A tile goes in three steps, as that of pairs. */
#ifndef FL_EMBEDDINGS_TRIPLETS_H
#define FL_EMBEDDINGS_TRIPLETS_H

#include "distance.h"

/* s = {slope}. In the gradient by the anchor the anchor cancels. */
#define FL_DEFINE_SQUARED(name, type, fma)                                                                   \
    FL_INLINE void fl_squared_##name(const double *s, real a, real p, real n, real *g) {                     \
        type slope = (type)s[0];                                                                             \
        g[0] = (real)(((type)n - (type)p) * slope + 0);                                                      \
        g[1] = (real)(((type)p - (type)a) * slope + 0);                                                      \
        g[2] = (real)(((type)a - (type)n) * slope + 0);                                                      \
    }
FL_IN_BOTH(FL_DEFINE_SQUARED)

/* s = {scales and slopes of the distances from positive and negative}. */
#define FL_DEFINE_UNITS(name, type, fma)                                                                     \
    FL_INLINE void fl_units_##name(const double *s, real a, real p, real n, real *g) {                       \
        type by_p = ((type)p - (type)a) * (type)s[0] * (type)s[2];                                           \
        type by_n = ((type)a - (type)n) * (type)s[1] * (type)s[3];                                           \
        g[0] = (real)(0 - (by_p + by_n));                                                                    \
        g[1] = (real)(by_p + 0);                                                                             \
        g[2] = (real)(by_n + 0);                                                                             \
    }
FL_IN_BOTH(FL_DEFINE_UNITS)

FL_INLINE void fl_sum_triplets(const fl_embedding_tile *t, double *near, double *far) {
    for (size_t i = 0; i < t->n_rows; i++) {
        const real *a = fl_embedding_row(&t->input[0], i), *p = fl_embedding_row(&t->input[1], i),
                   *n = fl_embedding_row(&t->input[2], i);
        double sums[2];
        fl_sum_row(FL_OF_DISTANCES, (fl_wide_rows){a, p, n, 1, 1}, t->n_columns, t->watch, sums);
        near[i] = sums[0];
        far[i] = sums[1];
    }
}

/* [|a - p|^2 - |a - n|^2 + margin] while positive. */
FL_INLINE void fl_triplet_squared_tile(const fl_embedding_tile *t, const int with_gradient) {
    double near[FL_EMBEDDING_TILE_ROWS], far[FL_EMBEDDING_TILE_ROWS], over[FL_EMBEDDING_TILE_ROWS];
    real *value = t->value;
    fl_sum_triplets(t, near, far);
    for (size_t i = 0; i < t->n_rows; i++) {
        over[i] = (near[i] - far[i]) + t->margin;
        value[i] = (real)(over[i] <= 0 ? 0 : over[i]);
    }
    for (size_t i = 0; i < t->n_rows && with_gradient; i++) {
        const fl_put p = fl_put_of(t, i, 3);
        const double own = over[i] != over[i] ? over[i] : 2 * fl_row_slope(t, i);
        const double slope = over[i] <= 0 || fl_is_weightless(t, i) ? 0 : own;
#if FL_PRECISION == 32
        if (fl_fits_narrow(near[i] + far[i], slope)) {
            fl_put_row(3, fl_squared_narrow, &p, &slope);
            continue;
        }
#endif
        if (fl_is_flat(near[i] + far[i], slope))
            fl_put_flat(t, i, 3);
        else
            fl_put_row(3, fl_squared_wide, &p, &slope);
    }
}

/* [|a - p| - |a - n| + margin] while positive. */
FL_INLINE void fl_triplet_tile(const fl_embedding_tile *t, const int with_gradient) {
    fl_distances near, far;
    double over[FL_EMBEDDING_TILE_ROWS];
    double slope_p[FL_EMBEDDING_TILE_ROWS], slope_n[FL_EMBEDDING_TILE_ROWS];
    real *value = t->value;
    fl_sum_triplets(t, near.square, far.square);
    fl_take_roots(t, 0, 1, &near);
    fl_take_roots(t, 0, 2, &far);
#pragma omp simd
    for (size_t i = 0; i < t->n_rows; i++) {
        over[i] = (near.root[i] - far.root[i]) + t->margin;
        value[i] = (real)(over[i] <= 0 ? 0 : over[i]);
        if (with_gradient) {
            double slope = over[i] != over[i] ? over[i] : fl_row_slope(t, i);
            slope = over[i] <= 0 || fl_is_weightless(t, i) ? 0 : slope;
            slope_p[i] = fl_slope_of_root(near.scaled_root[i], slope);
            slope_n[i] = fl_slope_of_root(far.scaled_root[i], slope);
        }
    }
    for (size_t i = 0; i < t->n_rows && with_gradient; i++) {
        const fl_put p = fl_put_of(t, i, 3);
#if FL_PRECISION == 32
        if (fl_fits_narrow(near.square[i] + far.square[i], slope_p[i]) && fl_is_moderate(slope_n[i])) {
            fl_put_row(3, fl_units_narrow, &p, (const double[]){1, 1, slope_p[i], slope_n[i]});
            continue;
        }
#endif
        if (slope_p[i] == 0 && fl_is_flat(near.square[i] + far.square[i], slope_n[i]))
            fl_put_flat(t, i, 3);
        else
            fl_put_row(3, fl_units_wide, &p,
                       (const double[]){near.scale[i], far.scale[i], slope_p[i], slope_n[i]});
    }
}

#endif
