/* The driver of the Sinkhorn divergence.
 *
 * Potentials f of the rows and g of the columns are updated in turn, f_i = -eps log sum_j b_j exp((g_j -
 * C_ij)/eps), each from the other, until the plan P_ij = a_i b_j exp((f_i + g_j - C_ij)/eps) has the weights
 * for marginals. Three things make it fast:
 *   - eps falls from the largest cost to reg, one iteration each, so that the potentials begin near their
 * end;
 *   - then Anderson's acceleration combines the last iterates (for Sinkhorn: L. Chizat, P. Roussillon, F.
 *     Léger, F.-X. Vialard, G. Peyré, "Faster Wasserstein Distance Estimation with the Sinkhorn Divergence",
 *     NeurIPS 2020), and goes back to the plain iteration where the error has grown;
 *   - OT(x, x) has one potential, whose update averaged with itself converges at a rate of 1/3 at the least.
 * Rows are independent within an update, and all sums over them are taken in their order: the result has the
 * same bits for any number of threads. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../pass/scratch.h"
#include "../pass/threads.h"
#include "../pass/watch.h"
#include "anderson.h"
#include "numbers.h"

enum {
    FL_PARALLEL_COSTS = 1 << 16, /* below so many entries one thread is faster */
    FL_ROWS_AT_A_TIME = 16,
    FL_STORE_FROM_DIMS = 12, /* costs of fewer dimensions are computed faster than they are read */
    FL_STORE_MOST = 1 << 22  /* entries: 32 MiB, and again for the transpose */
};

/* The update of OT(x, x) has the derivative -K, 0 <= K <= 1: this step turns its modes into +-1/3 at most. */
#define FL_SYMMETRIC_STEP (2.0 / 3.0)

/* eps falls by this factor an iteration; an accelerated step is undone if the error has grown by the other.
 */
#define FL_ANNEALING 0.5
#define FL_WORST_GROWTH 2.0

/* Costs above so many times reg leave no digit of an exponent after the point. */
#define FL_COST_RANGE 1e13

typedef struct {
    size_t n, padded, dims;
    double *points, *by_dim, *weight, *log_weight; /* log_weight is padded with -infinity */
    void *allocated;
} fl_cloud;

/* The update of one potential, of the rows, from the other, of the columns. */
typedef struct {
    fl_watch *watch;
    const fl_cloud *rows, *columns;
    double *stored; /* costs, or NULL */
    double *potential, *height, *guess, *log_sum;
    void *allocated;
} fl_side;

static size_t fl_pad(size_t n) {
    return (n + FL_COLUMN_LANES - 1) / FL_COLUMN_LANES * FL_COLUMN_LANES;
}

static int fl_threads_for(const fl_sinkhorn_call *c, size_t rows, size_t columns) {
    size_t pieces = (rows + FL_ROWS_AT_A_TIME - 1) / FL_ROWS_AT_A_TIME;
    int allowed = fl_threads_allowed(c->n_threads, fl_times(rows, columns), FL_PARALLEL_COSTS);
    return fl_threads_needed(allowed, pieces);
}

static fl_status fl_new_cloud(fl_sinkhorn_call *c, fl_watch *watch, const fl_array *points,
                              const fl_array *weights, size_t n, fl_transport_argument argument,
                              fl_cloud *cloud) {
    size_t d = c->dims, padded = fl_pad(n);
    double *at = cloud->allocated = malloc((n * d + padded * d + n + padded) * sizeof(double));
    if (!at)
        return FL_NO_MEMORY;
    *cloud =
        (fl_cloud){n, padded, d, at, at + n * d, at + n * d + padded * d, at + n * d + padded * d + n, at};
    fl_complaint bad = {.status = FL_OK};
    fl_load_row(points, 0, n * d, cloud->points, watch);
    if (fl_is_stopped(watch))
        return FL_INTERRUPTED;
    if (fl_is_row_bad(cloud->points, n * d, -DBL_MAX, argument, 0, &bad)) {
        c->bad_row = bad.column / d;
        c->bad_column = bad.column % d;
        c->bad_argument = argument;
        return FL_BAD_ENTRY;
    }
    for (size_t k = 0; k < d; k++)
        for (size_t j = 0; j < padded; j++)
            cloud->by_dim[k * padded + j] = j < n ? cloud->points[j * d + k] : 0;
    for (size_t i = 0; i < n; i++)
        cloud->weight[i] = 1;
    c->bad_argument = argument == FL_FIRST ? FL_FIRST_WEIGHT : FL_SECOND_WEIGHT;
    if (weights->data)
        fl_load_row(weights, 0, n, cloud->weight, watch);
    if (fl_is_stopped(watch))
        return FL_INTERRUPTED;
    if (fl_is_row_bad(cloud->weight, n, 0, c->bad_argument, 0, &bad)) {
        c->bad_row = 0;
        c->bad_column = bad.column;
        return FL_BAD_ENTRY;
    }
    fl_tame_masses(cloud->weight, n);
    fl_compensated sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        fl_add(&sum, cloud->weight[i]);
    c->bad_sum = fl_total(sum);
    if (c->bad_sum == 0)
        return FL_BAD_MASS;
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end) {
        for (size_t i = at; i < end; i++)
            cloud->weight[i] /= c->bad_sum;
        fl_ops_for(0)->transport->logarithms(cloud->weight + at, end - at, cloud->log_weight + at);
    }
    for (size_t i = n; i < padded; i++)
        cloud->log_weight[i] = -INFINITY;
    return fl_is_stopped(watch) ? FL_INTERRUPTED : FL_OK;
}

/* An upper bound of the costs, from the box that both clouds lie in. */
static double fl_largest_cost(const fl_cloud *x, const fl_cloud *y, int euclidean) {
    double sum = 0;
    for (size_t k = 0; k < x->dims; k++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < x->n; i++) {
            low = fmin(low, x->points[i * x->dims + k]);
            high = fmax(high, x->points[i * x->dims + k]);
        }
        for (size_t j = 0; j < y->n; j++) {
            low = fmin(low, y->points[j * y->dims + k]);
            high = fmax(high, y->points[j * y->dims + k]);
        }
        sum += (high - low) * (high - low);
    }
    return euclidean && sum <= DBL_MAX ? sqrt(sum) : sum;
}

static fl_softmin fl_softmin_of(const fl_sinkhorn_call *c, const fl_side *s, double eps) {
    return (fl_softmin){c->dims,   s->columns->padded, s->rows->points, s->columns->by_dim,
                        s->stored, c->euclidean,       1 / eps,         s->height};
}

static int fl_new_side(const fl_sinkhorn_call *c, fl_watch *watch, const fl_cloud *rows,
                       const fl_cloud *columns, fl_side *side) {
    size_t n = rows->n, entries = fl_times(n, columns->padded);
    int stores = c->dims >= FL_STORE_FROM_DIMS && entries <= FL_STORE_MOST;
    double *at = malloc((3 * n + columns->padded + (stores ? entries : 0)) * sizeof(double));
    if (!at)
        return 0;
    *side = (fl_side){watch, rows, columns, NULL, at, at + 3 * n, at + n, at + 2 * n, at};
    for (size_t i = 0; i < n; i++)
        side->potential[i] = 0;
    if (stores) {
        double *stored = at + 3 * n + columns->padded;
        fl_softmin s = fl_softmin_of(c, side, 1);
        const fl_transport_ops *ops = fl_ops_for(0)->transport;
        int threads = fl_threads_for(c, n, columns->n);
        (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
        for (size_t i = 0; i < n; i += FL_ROWS_AT_A_TIME)
            ops->costs(&s, i, i + FL_ROWS_AT_A_TIME < n ? i + FL_ROWS_AT_A_TIME : n, stored);
        side->stored = stored;
    }
    return 1;
}

/* log_sum from the columns' potential; with `pull` the mean derivative of the costs, too. */
static void fl_update(const fl_sinkhorn_call *c, fl_side *side, const double *columns_potential, double eps,
                      double *pull) {
    const fl_transport_ops *ops = fl_ops_for(0)->transport;
    size_t n = side->rows->n;
    fl_softmin s = fl_softmin_of(c, side, eps);
    for (size_t j = 0; j < side->columns->padded; j++)
        side->height[j] =
            side->columns->log_weight[j] + (j < side->columns->n ? columns_potential[j] / eps : 0);
    for (size_t i = 0; i < n; i++)
        side->guess[i] = -side->potential[i] / eps;
    int threads = fl_threads_for(c, n, side->columns->n);
    (void)threads;
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        size_t done = 0;
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n; i += FL_ROWS_AT_A_TIME) {
            size_t end = i + FL_ROWS_AT_A_TIME < n ? i + FL_ROWS_AT_A_TIME : n;
            if (fl_is_stopped(side->watch))
                continue;
            if (pull)
                ops->pull(&s, i, end, side->guess, side->log_sum, pull);
            else
                ops->softmin(&s, i, end, side->guess, side->log_sum);
            fl_stops(side->watch, &done, fl_times(end - i, s.n_columns));
        }
    }
}

/* How far the rows' marginal is from their weights: the plan's row i sums to w_i exp((f_i - new_i)/eps). */
static double fl_violation(const fl_side *side, double eps) {
    double sum = 0;
    for (size_t at = 0, end; (end = fl_stretch(side->watch, at, side->rows->n)) > at; at = end)
        for (size_t i = at; i < end; i++)
            if (side->rows->weight[i] > 0)
                sum += side->rows->weight[i] * fabs(expm1(side->potential[i] / eps + side->log_sum[i]));
    return sum;
}

static void fl_step(fl_side *side, double eps, double factor) {
    for (size_t i = 0; i < side->rows->n; i++)
        side->potential[i] += factor * (-eps * side->log_sum[i] - side->potential[i]);
}

static double fl_weighted_sum(const fl_cloud *cloud, const double *potential) {
    fl_compensated sum = {0, 0};
    for (size_t i = 0; i < cloud->n; i++)
        if (cloud->weight[i] > 0)
            fl_add(&sum, cloud->weight[i] * potential[i]);
    return fl_total(sum);
}

/* The outcome of one problem, kept if it is the worst so far. */
static void fl_keep_worst(fl_sinkhorn_call *c, int iterations, double violation) {
    c->violation = violation > c->violation ? violation : c->violation;
    c->iterations = iterations > c->iterations ? iterations : c->iterations;
}

/* OT(x, y) and, with `pull`, the mean derivative of the costs by each point of y. */
static fl_status fl_solve(fl_sinkhorn_call *c, fl_watch *watch, const fl_cloud *x, const fl_cloud *y,
                          double *value, double *pull) {
    fl_side f = {.allocated = NULL}, g = {.allocated = NULL};
    fl_history history = {.image = NULL};
    fl_status status = FL_OK;
    double eps = c->max_iter > 1 ? fmax(c->largest_cost, c->reg) : c->reg;
    double violation = INFINITY, before = INFINITY;
    size_t done = 0;
    int i = 0;
    if (!fl_new_side(c, watch, x, y, &f) || !fl_new_side(c, watch, y, x, &g) ||
        !fl_new_history(&history, x->n)) {
        status = FL_NO_MEMORY;
        goto done;
    }
    for (;;) {
        i++;
        fl_update(c, &g, f.potential, eps, NULL);
        fl_step(&g, eps, 1);
        fl_update(c, &f, g.potential, eps, NULL);
        violation = fl_violation(&f, eps);
        if (fl_stops(watch, &done, fl_times(x->n, y->n)) || fl_is_stopped(watch)) {
            status = FL_INTERRUPTED;
            goto done;
        }
        int at_reg = eps == c->reg;
        if (i == c->max_iter || (at_reg && violation <= c->tol))
            break;
        if (!at_reg) {
            fl_step(&f, eps, 1);
            /* Half of the iterations, if few, are at reg. */
            eps = i >= c->max_iter / 2 ? c->reg : fmax(c->reg, FL_ANNEALING * eps);
        } else if (history.count > 1 && !(violation <= FL_WORST_GROWTH * before)) {
            fl_restart(&history, f.potential);
            before = INFINITY;
        } else {
            for (size_t k = 0; k < x->n; k++)
                f.log_sum[k] *= -eps;
            fl_accelerate(&history, f.log_sum, x->weight, f.potential, watch);
            before = violation;
        }
    }
    /* A plain last step: these potentials' plan has the rows' marginal, and mass 1. */
    fl_step(&f, eps, 1);
    fl_keep_worst(c, i, violation);
    *value = fl_weighted_sum(x, f.potential) + fl_weighted_sum(y, g.potential);
    if (pull)
        fl_update(c, &g, f.potential, eps, pull);
    if (fl_is_stopped(watch))
        status = FL_INTERRUPTED;
done:
    free(f.allocated);
    free(g.allocated);
    free(history.image);
    return status;
}

/* OT(x, x), whose two potentials are one. */
static fl_status fl_solve_symmetric(fl_sinkhorn_call *c, fl_watch *watch, const fl_cloud *x, double *value,
                                    double *pull) {
    fl_side f;
    fl_status status = FL_OK;
    double violation = INFINITY;
    int i = 0;
    size_t done = 0;
    if (!fl_new_side(c, watch, x, x, &f))
        return FL_NO_MEMORY;
    while (status == FL_OK && i < c->max_iter) {
        i++;
        fl_update(c, &f, f.potential, c->reg, NULL);
        violation = fl_violation(&f, c->reg);
        if (fl_stops(watch, &done, fl_times(x->n, x->n)) || fl_is_stopped(watch))
            status = FL_INTERRUPTED;
        if (violation <= c->tol || i == c->max_iter)
            break;
        fl_step(&f, c->reg, FL_SYMMETRIC_STEP);
    }
    fl_keep_worst(c, i, violation);
    double sum = fl_weighted_sum(x, f.potential);
    if (status == FL_OK && pull)
        fl_update(c, &f, f.potential, c->reg, pull);
    if (fl_is_stopped(watch))
        status = FL_INTERRUPTED;
    fl_step(&f, c->reg, 1);
    *value = sum + fl_weighted_sum(x, f.potential);
    free(f.allocated);
    return status;
}

fl_status fl_sinkhorn(fl_sinkhorn_call *c) {
    fl_cloud x = {.allocated = NULL}, y = {.allocated = NULL};
    size_t numbers = c->m * c->dims;
    double *pull = NULL, *own_pull = NULL, xy = 0, xx = 0, yy = 0;
    c->iterations = 0;
    c->violation = 0;
    if ((c->n > c->m ? c->n : c->m) > FL_MOST_ELEMENTS / c->dims)
        return FL_TOO_LARGE;
    /* However few the points, there may be many iterations. */
    fl_watch own, *watch = fl_new_watch(&own, c->go_on, c->context, FL_WATCHED_FROM);
    fl_status status = fl_new_cloud(c, watch, &c->x, &c->x_weight, c->n, FL_FIRST, &x);
    if (status == FL_OK)
        status = fl_new_cloud(c, watch, &c->y, &c->y_weight, c->m, FL_SECOND, &y);
    if (status != FL_OK)
        goto done;
    c->largest_cost = fl_largest_cost(&x, &y, c->euclidean);
    if (!(c->largest_cost <= FL_COST_RANGE * c->reg)) {
        status = FL_OUT_OF_RANGE;
        goto done;
    }
    if (c->gradient.data) {
        pull = malloc(2 * numbers * sizeof(double));
        if (!pull) {
            status = FL_NO_MEMORY;
            goto done;
        }
        own_pull = pull + numbers;
    }
    status = fl_solve(c, watch, &x, &y, &xy, pull);
    if (status == FL_OK && c->debiased)
        status = fl_solve_symmetric(c, watch, &x, &xx, NULL);
    if (status == FL_OK && c->debiased)
        status = fl_solve_symmetric(c, watch, &y, &yy, own_pull);
    if (status != FL_OK)
        goto done;
    /* Debiased it is never negative, but for the rounding of the difference. */
    c->value = c->debiased ? fmax(0, xy - 0.5 * (xx + yy)) : xy;
    if (c->gradient.data) {
        for (size_t i = 0; i < numbers; i++)
            pull[i] = y.weight[i / c->dims] * (c->debiased ? pull[i] - own_pull[i] : pull[i]);
        fl_store_row(&c->gradient, 0, numbers, pull, watch);
    }
done:
    free(pull);
    free(x.allocated);
    free(y.allocated);
    return status;
}
