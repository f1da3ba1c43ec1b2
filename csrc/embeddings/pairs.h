/* Losses of pairs of rows. */
#ifndef FL_EMBEDDINGS_PAIRS_H
#define FL_EMBEDDINGS_PAIRS_H

#include "distance.h"
#include "kernel_types.h"

FL_INLINE double fl_row_slope(const fl_embedding_tile *t, size_t row) {
    return t->slope ? t->slope[row] : t->scale;
}

FL_INLINE real *fl_embedding_row(const fl_row_matrix *m, size_t row) {
    return (real *)m->data + (ptrdiff_t)row * m->stride;
}

/* Similar (label 1): D^2. Dissimilar: [margin - D]^2 while positive. */
FL_INLINE void fl_contrastive_row(const fl_embedding_tile *t, size_t row, const int with_gradient) {
    const real *a = fl_embedding_row(&t->input[0], row), *b = fl_embedding_row(&t->input[1], row);
    const int similar = ((const real *)t->label)[row] == 1;
    double square;
    fl_distance_sum(a, b, NULL, t->n_columns, 1, 0, &square);
    fl_distance d = fl_distance_of(square, a, b, t->n_columns);
    double short_of = t->margin - d.root;
    double missing = short_of <= 0 ? 0 : short_of; /* NaN stays */
    ((real *)t->value)[row] = (real)(similar ? d.square : missing * missing);
    if (!with_gradient)
        return;
    double weight = 2 * fl_row_slope(t, row);
    double slope = fl_slope_of_root(d, -weight * missing);
    if (similar)
        slope = d.root != d.root ? d.root : weight;
    fl_put_difference(fl_embedding_row(&t->gradient[0], row), fl_embedding_row(&t->gradient[1], row), a, b,
                      t->n_columns, d, similar ? 1 : d.scale, slope);
}

#define FL_COSINE_STEP(k, i)                                                                                 \
    double x = (double)a[i] * s, y = (double)b[i] * t;                                                       \
    lanes[0][k] = fl_wide_fma(x, y, lanes[0][k]);                                                            \
    lanes[1][k] = fl_wide_fma(x, x, lanes[1][k]);                                                            \
    lanes[2][k] = fl_wide_fma(y, y, lanes[2][k]);
FL_DEFINE_WIDE_SUMS(fl_cosine_sums, 3, FL_COSINE_STEP)

typedef struct {
    double ab, aa, bb; /* inner products of a * scale_a and b * scale_b */
    double scale_a, scale_b;
} fl_products;

static __attribute__((noinline, unused)) fl_products fl_scaled_products(const real *a, const real *b,
                                                                        size_t n) {
    double largest_a = 0, largest_b = 0, sums[3];
    for (size_t i = 0; i < n; i++) {
        double x = fabs((double)a[i]), y = fabs((double)b[i]);
        largest_a = x > largest_a ? x : largest_a;
        largest_b = y > largest_b ? y : largest_b;
    }
    double s = largest_a > 0 ? fl_inverse_scale(largest_a) : 1;
    double t = largest_b > 0 ? fl_inverse_scale(largest_b) : 1;
    fl_cosine_sums(a, b, NULL, n, s, t, sums);
    return (fl_products){sums[0], sums[1], sums[2], s, t};
}

FL_INLINE fl_products fl_products_of(const real *a, const real *b, size_t n) {
    double sums[3];
    fl_cosine_sums(a, b, NULL, n, 1, 1, sums);
#if FL_PRECISION == 64
    double low = sums[1] < sums[2] ? sums[1] : sums[2], high = sums[1] < sums[2] ? sums[2] : sums[1];
    if (!(low >= 0x1p-450 && high <= 0x1p500))
        return fl_scaled_products(a, b, n);
#endif
    return (fl_products){sums[0], sums[1], sums[2], 1, 1};
}

#define FL_DEFINE_PUT_COSINE(name, type, fma)                                                                \
    FL_INLINE void fl_put_cosine_##name(real *to_a, real *to_b, const real *a, const real *b, size_t n,      \
                                        type scale_a, type scale_b, type along_a, type along_b,              \
                                        type slope_a, type slope_b) {                                        \
        FL_COLUMN_LOOP                                                                                       \
        for (size_t i = 0; i < n; i++) {                                                                     \
            type x = (type)a[i] * scale_a, y = (type)b[i] * scale_b;                                         \
            to_a[i] = (real)(fma(-along_a, x, y) * slope_a);                                                 \
            to_b[i] = (real)(fma(-along_b, y, x) * slope_b);                                                 \
        }                                                                                                    \
    }
FL_IN_BOTH(FL_DEFINE_PUT_COSINE)

/* 1 - cos(a, b), or [cos(a, b) - margin] while positive. The gradient of cos by
 * a is (b - (ab/aa) a)/(|a||b|): the part of b that is orthogonal to a. A zero
 * vector has the cosine 0 and no gradient. */
FL_INLINE void fl_cosine_embedding_row(const fl_embedding_tile *t, size_t row, const int with_gradient) {
    const real *a = fl_embedding_row(&t->input[0], row), *b = fl_embedding_row(&t->input[1], row);
    const int similar = ((const real *)t->label)[row] == 1;
    fl_products p = fl_products_of(a, b, t->n_columns);
    const int has_direction = !(p.aa == 0 || p.bb == 0);
    double lengths = sqrt(p.aa * p.bb);
    double cosine = has_direction ? p.ab / lengths : p.ab * 0;
    cosine = cosine > 1 ? 1 : (cosine < -1 ? -1 : cosine);
    double over = cosine - t->margin;
    ((real *)t->value)[row] = (real)(similar ? 1 - cosine : (over <= 0 ? 0 : over));
    if (!with_gradient)
        return;
    real *to_a = fl_embedding_row(&t->gradient[0], row), *to_b = fl_embedding_row(&t->gradient[1], row);
    double slope = similar ? -fl_row_slope(t, row) : (over <= 0 ? 0 : fl_row_slope(t, row));
    slope = has_direction ? slope / lengths : 0;
    slope = cosine != cosine ? cosine : slope;
    if (slope == 0) {
        fl_put_zeros(to_a, t->n_columns);
        fl_put_zeros(to_b, t->n_columns);
        return;
    }
    const double slope_a = slope * p.scale_a, slope_b = slope * p.scale_b;
    const double along_a = has_direction ? p.ab / p.aa : 0, along_b = has_direction ? p.ab / p.bb : 0;
#if FL_PRECISION == 32
    if (fl_fits_narrow(p.aa + p.bb, slope) && fabs(along_a) <= 0x1p100 && fabs(along_b) <= 0x1p100) {
        fl_put_cosine_narrow(to_a, to_b, a, b, t->n_columns, 1, 1, (real)along_a, (real)along_b,
                             (real)slope_a, (real)slope_b);
        return;
    }
#endif
    fl_put_cosine_wide(to_a, to_b, a, b, t->n_columns, p.scale_a, p.scale_b, along_a, along_b, slope_a,
                       slope_b);
}

#endif
