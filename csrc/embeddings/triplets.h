/* Losses of triplets of rows: anchor, positive, negative. */
#ifndef FL_EMBEDDINGS_TRIPLETS_H
#define FL_EMBEDDINGS_TRIPLETS_H

#include "pairs.h"

#define FL_DEFINE_PUT_SQUARED(name, type, fma)                                                               \
    FL_INLINE void fl_put_squared_##name(real *to_a, real *to_p, real *to_n, const real *a, const real *p,   \
                                         const real *n, size_t n_columns, type slope) {                      \
        FL_COLUMN_LOOP                                                                                       \
        for (size_t i = 0; i < n_columns; i++) {                                                             \
            type ai = (type)a[i], pi = (type)p[i], ni = (type)n[i];                                          \
            to_a[i] = (real)((ni - pi) * slope);                                                             \
            to_p[i] = (real)((pi - ai) * slope);                                                             \
            to_n[i] = (real)((ai - ni) * slope);                                                             \
        }                                                                                                    \
    }
FL_IN_BOTH(FL_DEFINE_PUT_SQUARED)

#define FL_DEFINE_PUT_UNITS(name, type, fma)                                                                 \
    FL_INLINE void fl_put_units_##name(real *to_a, real *to_p, real *to_n, const real *a, const real *p,     \
                                       const real *n, size_t n_columns, type scale_p, type scale_n,          \
                                       type slope_p, type slope_n) {                                         \
        FL_COLUMN_LOOP                                                                                       \
        for (size_t i = 0; i < n_columns; i++) {                                                             \
            type ai = (type)a[i];                                                                            \
            type by_p = ((type)p[i] - ai) * scale_p * slope_p, by_n = (ai - (type)n[i]) * scale_n * slope_n; \
            to_a[i] = (real)(0 - (by_p + by_n));                                                             \
            to_p[i] = (real)by_p;                                                                            \
            to_n[i] = (real)by_n;                                                                            \
        }                                                                                                    \
    }
FL_IN_BOTH(FL_DEFINE_PUT_UNITS)

/* [|a - p|^2 - |a - n|^2 + margin] while positive. In the gradient by the
 * anchor the anchor cancels. */
FL_INLINE void fl_triplet_squared_row(const fl_embedding_tile *t, size_t row, const int with_gradient) {
    const real *a = fl_embedding_row(&t->input[0], row), *p = fl_embedding_row(&t->input[1], row),
               *n = fl_embedding_row(&t->input[2], row);
    double sums[2];
    fl_two_distance_sums(a, p, n, t->n_columns, 1, 1, sums);
    double over = (sums[0] - sums[1]) + t->margin;
    ((real *)t->value)[row] = (real)(over <= 0 ? 0 : over);
    if (!with_gradient)
        return;
    real *to_a = fl_embedding_row(&t->gradient[0], row), *to_p = fl_embedding_row(&t->gradient[1], row),
         *to_n = fl_embedding_row(&t->gradient[2], row);
    if (over <= 0) {
        fl_put_zeros(to_a, t->n_columns);
        fl_put_zeros(to_p, t->n_columns);
        fl_put_zeros(to_n, t->n_columns);
        return;
    }
    double slope = over != over ? over : 2 * fl_row_slope(t, row);
#if FL_PRECISION == 32
    if (fl_fits_narrow(sums[0] + sums[1], slope)) {
        fl_put_squared_narrow(to_a, to_p, to_n, a, p, n, t->n_columns, (real)slope);
        return;
    }
#endif
    fl_put_squared_wide(to_a, to_p, to_n, a, p, n, t->n_columns, slope);
}

/* [|a - p| - |a - n| + margin] while positive. */
FL_INLINE void fl_triplet_row(const fl_embedding_tile *t, size_t row, const int with_gradient) {
    const real *a = fl_embedding_row(&t->input[0], row), *p = fl_embedding_row(&t->input[1], row),
               *n = fl_embedding_row(&t->input[2], row);
    double sums[2];
    fl_two_distance_sums(a, p, n, t->n_columns, 1, 1, sums);
    fl_distance near = fl_distance_of(sums[0], a, p, t->n_columns);
    fl_distance far = fl_distance_of(sums[1], a, n, t->n_columns);
    double over = (near.root - far.root) + t->margin;
    ((real *)t->value)[row] = (real)(over <= 0 ? 0 : over);
    if (!with_gradient)
        return;
    real *to_a = fl_embedding_row(&t->gradient[0], row), *to_p = fl_embedding_row(&t->gradient[1], row),
         *to_n = fl_embedding_row(&t->gradient[2], row);
    if (over <= 0) {
        fl_put_zeros(to_a, t->n_columns);
        fl_put_zeros(to_p, t->n_columns);
        fl_put_zeros(to_n, t->n_columns);
        return;
    }
    double slope = over != over ? over : fl_row_slope(t, row);
    double slope_p = fl_slope_of_root(near, slope), slope_n = fl_slope_of_root(far, slope);
#if FL_PRECISION == 32
    if (fl_fits_narrow(sums[0] + sums[1], slope_p) && fl_is_moderate(slope_n)) {
        fl_put_units_narrow(to_a, to_p, to_n, a, p, n, t->n_columns, 1, 1, (real)slope_p, (real)slope_n);
        return;
    }
#endif
    fl_put_units_wide(to_a, to_p, to_n, a, p, n, t->n_columns, near.scale, far.scale, slope_p, slope_n);
}

#endif
