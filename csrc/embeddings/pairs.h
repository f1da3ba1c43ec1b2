/* Losses of pairs of rows. A tile goes in three steps: the sums of each row; what comes of them, for several
 * rows at once; the gradients of each row. */
#ifndef FL_EMBEDDINGS_PAIRS_H
#define FL_EMBEDDINGS_PAIRS_H

#include "distance.h"

/* Similar (label 1): D^2. Dissimilar: [margin - D]^2 while positive. */
FL_INLINE void fl_contrastive_tile(const fl_embedding_tile *t, const int with_gradient) {
    const real *label = t->label;
    real *value = t->value;
    fl_distances d;
    double slope[FL_EMBEDDING_TILE_ROWS];
    for (size_t i = 0; i < t->n_rows; i++) {
        const real *a = fl_embedding_row(&t->input[0], i), *b = fl_embedding_row(&t->input[1], i);
        fl_sum_row(FL_OF_DISTANCE, (fl_wide_rows){a, b, b, 1, 1}, t->n_columns, t->watch, &d.square[i]);
    }
    fl_take_roots(t, 0, 1, &d);
#pragma omp simd
    for (size_t i = 0; i < t->n_rows; i++) {
        const int similar = label[i] == 1;
        double short_of = t->margin - d.root[i], missing = short_of <= 0 ? 0 : short_of; /* NaN stays */
        value[i] = (real)(similar ? d.square[i] : missing * missing);
        if (with_gradient) {
            const double weight = 2 * fl_row_slope(t, i);
            double apart = fl_slope_of_root(d.scaled_root[i], -weight * missing);
            double together = d.root[i] != d.root[i] ? d.root[i] : weight;
            slope[i] = fl_is_weightless(t, i) ? 0 : similar ? together : apart;
        }
    }
    for (size_t i = 0; i < t->n_rows && with_gradient; i++) {
        const fl_put p = fl_put_of(t, i, 2);
        fl_put_difference(2, &p, d.square[i], label[i] == 1 ? 1 : d.scale[i], slope[i]);
    }
}

/* Inner products of a * scale_a and b * scale_b. */
typedef struct {
    double ab[FL_EMBEDDING_TILE_ROWS], aa[FL_EMBEDDING_TILE_ROWS], bb[FL_EMBEDDING_TILE_ROWS];
    double scale_a[FL_EMBEDDING_TILE_ROWS], scale_b[FL_EMBEDDING_TILE_ROWS];
} fl_products;

static double fl_largest_magnitude(const real *x, size_t n, fl_watch *watch) {
    double largest = 0;
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i++) {
            double magnitude = fabs((double)x[i]);
            largest = magnitude > largest ? magnitude : largest;
        }
    return largest;
}

FL_INLINE int fl_products_are_in_range(double aa, double bb) {
    double low = aa < bb ? aa : bb, high = aa < bb ? bb : aa;
    return FL_PRECISION == 32 || (low >= 0x1p-450 && high <= 0x1p500);
}

FL_INLINE void fl_take_products(const fl_embedding_tile *t, fl_products *p) {
    for (size_t i = 0; i < t->n_rows; i++) {
        const real *a = fl_embedding_row(&t->input[0], i), *b = fl_embedding_row(&t->input[1], i);
        double sums[3];
        p->scale_a[i] = p->scale_b[i] = 1;
        fl_sum_row(FL_OF_PRODUCTS, (fl_wide_rows){a, b, b, 1, 1}, t->n_columns, t->watch, sums);
        if (!fl_products_are_in_range(sums[1], sums[2])) {
            double largest_a = fl_largest_magnitude(a, t->n_columns, t->watch);
            double largest_b = fl_largest_magnitude(b, t->n_columns, t->watch);
            p->scale_a[i] = largest_a > 0 ? fl_inverse_scale(largest_a) : 1;
            p->scale_b[i] = largest_b > 0 ? fl_inverse_scale(largest_b) : 1;
            fl_sum_row(FL_OF_PRODUCTS, (fl_wide_rows){a, b, b, p->scale_a[i], p->scale_b[i]}, t->n_columns,
                       t->watch, sums);
        }
        p->ab[i] = sums[0];
        p->aa[i] = sums[1];
        p->bb[i] = sums[2];
    }
}

/* s = {scales of a and b, along_a, along_b, slope_a, slope_b}. The gradient of cos by a is
 * (b - (ab/aa) a)/(|a||b|): the part of b that is orthogonal to a. */
#define FL_DEFINE_COSINE(name, type, fma)                                                                    \
    FL_INLINE void fl_cosine_##name(const double *s, real a, real b, real c, real *g) {                      \
        type x = (type)a * (type)s[0], y = (type)b * (type)s[1];                                             \
        g[0] = (real)(fma(-(type)s[2], x, y) * (type)s[4] + 0);                                              \
        g[1] = (real)(fma(-(type)s[3], y, x) * (type)s[5] + 0);                                              \
        (void)c;                                                                                             \
    }
FL_IN_BOTH(FL_DEFINE_COSINE)

FL_INLINE void fl_put_cosine(const fl_embedding_tile *t, const fl_products *p, size_t i, double slope,
                             double along_a, double along_b) {
    const double slope_a = slope * p->scale_a[i], slope_b = slope * p->scale_b[i];
    const fl_put to = fl_put_of(t, i, 2);
#if FL_PRECISION == 32
    if (fl_fits_narrow(p->aa[i] + p->bb[i], slope) && fabs(along_a) <= 0x1p100 && fabs(along_b) <= 0x1p100) {
        fl_put_row(2, fl_cosine_narrow, &to, (const double[]){1, 1, along_a, along_b, slope_a, slope_b});
        return;
    }
#endif
    if (fl_is_flat(p->aa[i] + p->bb[i], slope))
        fl_put_flat(t, i, 2);
    else
        fl_put_row(2, fl_cosine_wide, &to,
                   (const double[]){p->scale_a[i], p->scale_b[i], along_a, along_b, slope_a, slope_b});
}

/* 1 - cos(a, b), or [cos(a, b) - margin] while positive. A zero vector has the cosine 0 and no gradient. */
FL_INLINE void fl_cosine_embedding_tile(const fl_embedding_tile *t, const int with_gradient) {
    const real *label = t->label;
    real *value = t->value;
    fl_products p;
    double slope[FL_EMBEDDING_TILE_ROWS], along_a[FL_EMBEDDING_TILE_ROWS], along_b[FL_EMBEDDING_TILE_ROWS];
    fl_take_products(t, &p);
#pragma omp simd
    for (size_t i = 0; i < t->n_rows; i++) {
        const int similar = label[i] == 1, has_direction = (p.aa[i] != 0) & (p.bb[i] != 0);
        double lengths = __builtin_sqrt(p.aa[i] * p.bb[i]);
        double cosine = has_direction ? p.ab[i] / lengths : p.ab[i] * 0;
        cosine = cosine > 1 ? 1 : (cosine < -1 ? -1 : cosine);
        double over = cosine - t->margin;
        value[i] = (real)(similar ? 1 - cosine : (over <= 0 ? 0 : over));
        if (with_gradient) {
            double own = fl_row_slope(t, i), s = similar ? -own : (over <= 0 ? 0 : own);
            s = has_direction ? s / lengths : 0;
            s = cosine != cosine ? cosine : s;
            slope[i] = fl_is_weightless(t, i) ? 0 : s;
            along_a[i] = has_direction ? p.ab[i] / p.aa[i] : 0;
            along_b[i] = has_direction ? p.ab[i] / p.bb[i] : 0;
        }
    }
    for (size_t i = 0; i < t->n_rows && with_gradient; i++) {
        fl_put_cosine(t, &p, i, slope[i], along_a[i], along_b[i]);
    }
}

#endif
