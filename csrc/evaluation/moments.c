/* Sums, second and cross moments of weighted values, all exact. */
#include "evaluation.h"

#include "../dispatch/ops.h"

static void fl_add_to_both(fl_exact *a, fl_exact *also, double x) {
    fl_exact_add(a, x);
    if (also)
        fl_exact_add(also, x);
}

/* The sum of a block to one cell, or to two. A block that no number of levels splits completely is added
 * number by number. */
static void fl_add_doubles(const fl_evaluation_ops *ops, fl_exact *a, fl_exact *also, const double *x,
                           size_t n) {
    double totals[FL_SUM_LEVELS];
    for (int levels = a->levels == FL_SUM_LEVELS ? FL_SUM_LEVELS : 2; levels <= FL_SUM_LEVELS; levels++)
        if (ops->sum(x, n, levels, totals)) {
            for (int j = 0; j < levels; j++)
                fl_add_to_both(a, also, totals[j]);
            a->levels = levels;
            return;
        }
    for (size_t i = 0; i < n; i++)
        fl_add_to_both(a, also, x[i]);
}

static void fl_add_products(const fl_evaluation_ops *ops, fl_exact *a, const double *x, const double *y,
                            size_t n) {
    double high[FL_SUM_BLOCK], low[FL_SUM_BLOCK];
    if (ops->split_products(x, y, n, high, low)) {
        fl_add_doubles(ops, a, NULL, high, n);
        fl_add_doubles(ops, a, NULL, low, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        fl_exact_add_product(a, x[i], y[i]);
}

typedef struct {
    const fl_evaluation_ops *ops;
    const void *const *values;
    int floats;
    const double *weights;
} fl_moments;

/* A block of w l_k; where it is as it is stored, there. */
static const double *fl_weighted(const fl_moments *m, size_t k, size_t start, size_t n, double *to) {
    const double *x = (const double *)m->values[k] + start;
    if (m->floats) {
        m->ops->widen((const float *)m->values[k] + start, n, to);
        x = to;
    }
    if (!m->weights)
        return x;
    m->ops->weigh(x, m->weights + start, n, to);
    return to;
}

/* Floats have products of 48 bits, which are doubles. */
static void fl_add_cross(const fl_moments *m, fl_exact *a, const double *p, const double *q, size_t n) {
    double product[FL_SUM_BLOCK];
    if (!m->floats || m->weights) {
        fl_add_products(m->ops, a, p, q, n);
        return;
    }
    m->ops->multiply(p, q, n, product);
    fl_add_doubles(m->ops, a, NULL, product, n);
}

void fl_add_moments(fl_exact *cells, size_t n_values, const void *const *values, int floats,
                    const double *weights, const double *counted, size_t n) {
    const fl_moments m = {fl_ops_for(0)->evaluation, values, floats, weights};
    double first[FL_SUM_BLOCK], second[FL_SUM_BLOCK];
    fl_exact *sums = cells, *by_weight = cells + n_values;
    for (size_t start = 0; start < n; start += FL_SUM_BLOCK) {
        size_t length = n - start < FL_SUM_BLOCK ? n - start : FL_SUM_BLOCK;
        fl_exact *cross = cells + 2 * n_values;
        for (size_t k = 0; k < n_values; k++) {
            fl_exact *also = counted ? NULL : by_weight + k; /* with weights of 1 the same sum */
            double totals[3];
            int exact = 0;
            if (floats && !weights)
                exact = m.ops->sum_floats((const float *)values[k] + start, length, totals);
            int all_exact = exact == (FL_SUM_IS_EXACT | FL_SQUARES_ARE_EXACT);
            const double *p =
                all_exact && k == 0 && !counted ? NULL : fl_weighted(&m, k, start, length, first);
            if (exact & FL_SUM_IS_EXACT)
                fl_add_to_both(sums + k, also, totals[0]);
            else
                fl_add_doubles(m.ops, sums + k, also, p, length);
            if (counted)
                fl_add_products(m.ops, by_weight + k, p, counted + start, length);
            for (size_t j = 0; j < k; j++)
                fl_add_cross(&m, cross++, fl_weighted(&m, j, start, length, second), p, length);
            if (exact & FL_SQUARES_ARE_EXACT)
                for (int j = 1; j < 3; j++)
                    fl_exact_add(cross, totals[j]);
            else
                fl_add_cross(&m, cross, p, p, length);
            cross++;
        }
    }
}

void fl_add_weights(fl_exact *cells, const double *weights, size_t n) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    for (size_t start = 0; start < n; start += FL_SUM_BLOCK) {
        size_t length = n - start < FL_SUM_BLOCK ? n - start : FL_SUM_BLOCK;
        fl_add_doubles(ops, cells, NULL, weights + start, length);
        fl_add_products(ops, cells + 1, weights + start, weights + start, length);
    }
}
