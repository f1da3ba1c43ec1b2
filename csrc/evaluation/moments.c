/* Sums, second and cross moments of weighted values, all exact. */
#include "evaluation.h"

#include "../dispatch/ops.h"

static void fl_add_to_both(fl_exact *a, fl_exact *also, double x) {
    fl_exact_add(a, x);
    if (also)
        fl_exact_add(also, x);
}

/* The sum of a block to one cell, or to two: what the block's totals leave is summed like it. */
static void fl_add_doubles(const fl_evaluation_ops *ops, fl_exact *a, fl_exact *also, const double *x,
                           size_t n) {
    double totals[2], rest[FL_SUM_BLOCK];
    int left = FL_SOME_LEFT;
    while (left == FL_SOME_LEFT) {
        left = ops->sum(x, n, rest, totals);
        for (int j = 0; j < 2 && left != FL_ALL_LEFT; j++)
            fl_add_to_both(a, also, totals[j]);
        if (left == FL_SOME_LEFT)
            x = rest;
    }
    for (size_t i = 0; i < n && left == FL_ALL_LEFT; i++)
        fl_add_to_both(a, also, x[i]);
}

/* Numbers of a block, and the range of those that are not 0. */
typedef struct {
    const double *x;
    double largest, smallest;
} fl_factor;

static fl_factor fl_as_factor(const fl_evaluation_ops *ops, const double *x, size_t n) {
    fl_factor f = {x, 0, 0};
    ops->range(x, n, &f.largest, &f.smallest);
    return f;
}

/* Neither products nor their rounding errors leave the range of doubles. */
static int fl_is_moderate(fl_factor f) {
    return f.largest <= 0x1p480 && f.smallest >= 0x1p-480;
}

static int fl_exponent(double x) {
    int exponent;
    frexp(x, &exponent);
    return exponent;
}

static void fl_add_products(const fl_evaluation_ops *ops, fl_exact *a, fl_factor f, fl_factor g, size_t n) {
    double high[FL_SUM_BLOCK], low[FL_SUM_BLOCK], totals[6];
    const double *x = f.x, *y = g.x;
    int exponent = fl_exponent(f.largest) + fl_exponent(g.largest);
    int span = exponent - fl_exponent(f.smallest) - fl_exponent(g.smallest);
    if (fl_is_moderate(f) && fl_is_moderate(g) && ops->sum_products(x, y, n, exponent, span, totals)) {
        for (int j = 0; j < 6; j++)
            fl_exact_add(a, totals[j]);
        return;
    }
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
static void fl_add_cross(const fl_moments *m, fl_exact *a, fl_factor p, fl_factor q, size_t n) {
    double product[FL_SUM_BLOCK];
    if (!m->floats || m->weights) {
        fl_add_products(m->ops, a, p, q, n);
        return;
    }
    m->ops->multiply(p.x, q.x, n, product);
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
        fl_factor c = {NULL, 0, 0};
        if (counted)
            c = fl_as_factor(m.ops, counted + start, length);
        for (size_t k = 0; k < n_values; k++) {
            fl_exact *also = counted ? NULL : by_weight + k; /* with weights of 1 the same sum */
            double totals[5];
            int summed =
                floats && !weights && m.ops->sum_floats((const float *)values[k] + start, length, totals);
            fl_factor p = {NULL, 0, 0};
            if (!summed || k > 0 || counted)
                p = fl_as_factor(m.ops, fl_weighted(&m, k, start, length, first), length);
            if (summed)
                for (int j = 0; j < 2; j++)
                    fl_add_to_both(sums + k, also, totals[j]);
            else
                fl_add_doubles(m.ops, sums + k, also, p.x, length);
            if (counted)
                fl_add_products(m.ops, by_weight + k, p, c, length);
            for (size_t j = 0; j < k; j++) {
                const double *other = fl_weighted(&m, j, start, length, second);
                fl_add_cross(&m, cross++, fl_as_factor(m.ops, other, length), p, length);
            }
            if (summed)
                for (int j = 2; j < 5; j++)
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
        fl_factor w = fl_as_factor(ops, weights + start, length);
        fl_add_products(ops, cells + 1, w, w, length);
    }
}
