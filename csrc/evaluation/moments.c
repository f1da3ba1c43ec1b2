/* Sums, second and cross moments of weighted values, all exact. */
#include "evaluation.h"

#include "../pass/ops.h"

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

/* Numbers of a block, the range of those that are not 0, and how many bits they have. */
typedef struct {
    const double *x;
    double largest, smallest;
    int bits;
} fl_factor;

static fl_factor fl_as_factor(const fl_evaluation_ops *ops, const double *x, size_t n) {
    fl_factor f = {x, 0, 0, 0};
    f.bits = ops->range(x, n, &f.largest, &f.smallest);
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

/* Levels that leave nothing of numbers below 2^exponent whose last bits are at 2^last; 0 where too many would be
 * needed. */
static int fl_levels(int exponent, int last) {
    int levels = (exponent - last + FL_LEVEL_BITS - 1) / FL_LEVEL_BITS;
    return levels <= FL_KNOWN_LEVELS ? (levels > 1 ? levels : 1) : 0;
}

/* The last bit that a number of the block may have. */
static int fl_last_bit(fl_factor f) {
    return fl_exponent(f.smallest) - f.bits;
}

/* The sum of the numbers to one cell, or to two. */
static void fl_add_numbers(const fl_evaluation_ops *ops, fl_exact *a, fl_exact *also, fl_factor f, size_t n) {
    double totals[FL_KNOWN_LEVELS];
    int exponent = fl_exponent(f.largest), levels = 0;
    if (f.largest == 0)
        return;
    if (fl_is_moderate(f))
        levels = fl_levels(exponent, fl_last_bit(f));
    if (!levels) {
        fl_add_doubles(ops, a, also, f.x, n);
        return;
    }
    ops->sum_known(f.x, NULL, n, exponent, levels, totals);
    for (int j = 0; j < levels; j++)
        fl_add_to_both(a, also, totals[j]);
}

static void fl_add_products(const fl_evaluation_ops *ops, fl_exact *a, fl_factor f, fl_factor g, size_t n) {
    double high[FL_SUM_BLOCK], low[FL_SUM_BLOCK], totals[6];
    const double *x = f.x, *y = g.x;
    int is_moderate = fl_is_moderate(f) && fl_is_moderate(g);
    if (is_moderate && (f.largest == 0 || g.largest == 0))
        return;
    int exponent = fl_exponent(f.largest) + fl_exponent(g.largest), levels = 0;
    if (is_moderate && (f.bits + g.bits <= 53 || f.bits == 1 || g.bits == 1))
        levels = fl_levels(exponent, fl_last_bit(f) + fl_last_bit(g));
    if (levels) {
        ops->sum_known(x, y, n, exponent, levels, totals);
        for (int j = 0; j < levels; j++)
            fl_exact_add(a, totals[j]);
        return;
    }
    int span = exponent - fl_exponent(f.smallest) - fl_exponent(g.smallest);
    if (is_moderate && ops->sum_products(x, y, n, exponent, span, totals)) {
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

void fl_add_moments(fl_exact *cells, size_t n_values, const void *const *values, int floats,
                    const double *weights, const double *counted, size_t n) {
    const fl_moments m = {fl_ops_for(0)->evaluation, values, floats, weights};
    double first[FL_SUM_BLOCK], second[FL_SUM_BLOCK];
    fl_factor p[FL_MOST_VALUES];
    fl_exact *sums = cells, *by_weight = cells + n_values;
    for (size_t start = 0; start < n; start += FL_SUM_BLOCK) {
        size_t length = n - start < FL_SUM_BLOCK ? n - start : FL_SUM_BLOCK;
        fl_exact *cross = cells + 2 * n_values;
        fl_factor c = {NULL, 0, 0, 0};
        if (counted)
            c = fl_as_factor(m.ops, counted + start, length);
        for (size_t k = 0; k < n_values; k++) {
            fl_exact *also = counted ? NULL : by_weight + k; /* with weights of 1 the same sum */
            double totals[5];
            int summed =
                floats && !weights && m.ops->sum_floats((const float *)values[k] + start, length, totals);
            if (!summed || n_values > 1 || counted)
                p[k] = fl_as_factor(m.ops, fl_weighted(&m, k, start, length, first), length);
            if (summed)
                for (int j = 0; j < 2; j++)
                    fl_add_to_both(sums + k, also, totals[j]);
            else
                fl_add_numbers(m.ops, sums + k, also, p[k], length);
            if (counted)
                fl_add_products(m.ops, by_weight + k, p[k], c, length);
            for (size_t j = 0; j < k; j++) {
                p[j].x = fl_weighted(&m, j, start, length, second);
                fl_add_products(m.ops, cross++, p[j], p[k], length);
            }
            if (summed)
                for (int j = 2; j < 5; j++)
                    fl_exact_add(cross, totals[j]);
            else
                fl_add_products(m.ops, cross, p[k], p[k], length);
            cross++;
        }
    }
}

void fl_add_weights(fl_exact *cells, const double *weights, size_t n) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    for (size_t start = 0; start < n; start += FL_SUM_BLOCK) {
        size_t length = n - start < FL_SUM_BLOCK ? n - start : FL_SUM_BLOCK;
        fl_factor w = fl_as_factor(ops, weights + start, length);
        fl_add_numbers(ops, cells, NULL, w, length);
        fl_add_products(ops, cells + 1, w, w, length);
    }
}
