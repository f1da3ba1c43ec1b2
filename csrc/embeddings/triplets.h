/* Losses of triplets of rows: anchor, positive, negative. */
#ifndef FL_EMBEDDINGS_TRIPLETS_H
#define FL_EMBEDDINGS_TRIPLETS_H

#include "pairs.h"

/* [|a - p|^2 - |a - n|^2 + margin] while positive. In the gradient by the anchor the anchor cancels. */
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
    double slope = over != over ? over : 2 * fl_row_slope(t, row);
    const int flat = over <= 0;
    FL_COLUMN_LOOP
    for (size_t i = 0; i < t->n_columns; i++) {
        double ai = (double)a[i], pi = (double)p[i], ni = (double)n[i];
        double by_a = (ni - pi) * slope, by_p = (pi - ai) * slope, by_n = (ai - ni) * slope;
        to_a[i] = (real)(flat ? 0 : by_a);
        to_p[i] = (real)(flat ? 0 : by_p);
        to_n[i] = (real)(flat ? 0 : by_n);
    }
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
    double slope = over != over ? over : fl_row_slope(t, row);
    double slope_p = fl_slope_of_root(near, slope), slope_n = fl_slope_of_root(far, slope);
    const int flat = over <= 0;
    FL_COLUMN_LOOP
    for (size_t i = 0; i < t->n_columns; i++) {
        double ai = (double)a[i];
        double by_p = ((double)p[i] - ai) * near.scale * slope_p;
        double by_n = (ai - (double)n[i]) * far.scale * slope_n;
        to_a[i] = (real)(flat ? 0 : 0 - (by_p + by_n));
        to_p[i] = (real)(flat ? 0 : by_p);
        to_n[i] = (real)(flat ? 0 : by_n);
    }
}

#endif
