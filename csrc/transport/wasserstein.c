/* The driver of the Wasserstein distances: load -> check -> sort -> couple -> sum, store, row by row.
 *
 * A row is one thread's work from beginning to end, and the distances are added in their order afterwards:
 * the result has the same bits for any number of threads. Sorting is most of the work. */
#include <stdlib.h>
#include <string.h>

#include "../pass/scratch.h"
#include "../pass/threads.h"
#include "../pass/watch.h"
#include "digits.h"
#include "histogram.h"
#include "numbers.h"

/* Below so many numbers to sort a parallel region costs more than it saves. */
enum { FL_PARALLEL_ATOMS = 1 << 16 };

/* One thread's scratch. */
typedef struct {
    fl_atoms u, v;
    double *numbers, *masses, *u_upto, *v_upto, *gradient;
    fl_moves moves;
    ptrdiff_t *order;
    fl_watch *watch;
    size_t done; /* numbers since the last look at it */
    void *allocated;
} fl_scratch;

static int fl_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int fl_own_sort(void *x, ptrdiff_t n, void *unused) {
    (void)unused;
    qsort(x, (size_t)n, sizeof(double), fl_compare);
    return 0;
}

typedef struct {
    double x;
    ptrdiff_t at;
} fl_placed;

static int fl_own_argsort(void *x, ptrdiff_t *order, ptrdiff_t n, void *unused) {
    (void)unused;
    fl_placed *placed = malloc((size_t)n * sizeof *placed);
    if (!placed)
        return -1;
    for (ptrdiff_t i = 0; i < n; i++)
        placed[i] = (fl_placed){((double *)x)[order[i]], order[i]};
    qsort(placed, (size_t)n, sizeof *placed, fl_compare);
    for (ptrdiff_t i = 0; i < n; i++)
        order[i] = placed[i].at;
    free(placed);
    return 0;
}

static void fl_lay_out(size_t nu, size_t nv, fl_scratch *s, fl_layout *l) {
    size_t most = nu > nv ? nu : nv;
#define FL_PIECE_OF(field, count) s->field = fl_take(l, fl_times(count, sizeof *s->field))
    FL_PIECE_OF(moves.mass, nu + nv);
    FL_PIECE_OF(moves.difference, nu + nv);
    FL_PIECE_OF(moves.to, nu + nv);
    FL_PIECE_OF(u.x, nu);
    FL_PIECE_OF(u.upto, nu);
    FL_PIECE_OF(u.order, nu);
    FL_PIECE_OF(v.x, nv);
    FL_PIECE_OF(v.upto, nv);
    FL_PIECE_OF(v.order, nv);
    FL_PIECE_OF(numbers, most);
    FL_PIECE_OF(masses, most);
    FL_PIECE_OF(order, most);
    FL_PIECE_OF(u_upto, nu);
    FL_PIECE_OF(v_upto, nv);
    FL_PIECE_OF(gradient, nv);
#undef FL_PIECE_OF
}

static int fl_allocate_scratch(const fl_wasserstein_call *c, fl_watch *watch, fl_scratch *s) {
    *s = (fl_scratch){.watch = watch};
    fl_layout l = {.memory = NULL};
    fl_lay_out(c->n_u, c->n_v, s, &l);
    s->allocated = fl_get_counted(&l);
    if (s->allocated)
        fl_lay_out(c->n_u, c->n_v, s, &l);
    return s->allocated != NULL;
}

/* The cumulative masses, of 1; their rounding errors do not add up. */
static int fl_accumulate(const double *mass, size_t n, fl_transport_argument argument, size_t row,
                         const fl_scratch *s, double *upto, double *sum, fl_complaint *complaint) {
    fl_compensated total = {0, 0};
    for (size_t at = 0, end; (end = fl_stretch(s->watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i++) {
            fl_add(&total, mass[i]);
            upto[i] = fl_total(total);
        }
    if (fl_is_stopped(s->watch))
        return 0;
    *sum = upto[n - 1];
    if (*sum == 0) {
        *complaint = (fl_complaint){FL_BAD_MASS, argument, row, 0, *sum};
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        upto[i] /= *sum;
    return 1;
}

static int fl_is_matched(const fl_wasserstein_call *c) {
    return c->n_u == c->n_v && !c->u_weight.data && !c->v_weight.data;
}

/* The numbers x, in scratch, sorted into the atoms' places; `ordered`: with their order. */
static fl_status fl_sort_row(const fl_wasserstein_call *c, size_t n, int ordered, fl_scratch *s,
                             fl_atoms *atoms) {
    double *x = s->numbers;
    if (n >= FL_SORTED_BY_DIGITS) {
        fl_sorting to = {atoms->x, ordered ? atoms->order : NULL};
        fl_sorting sorted = fl_sort_by_digits((fl_sorting){x, ordered ? s->order : NULL}, to, n, s->watch);
        if (sorted.x != to.x) {
            memcpy(to.x, sorted.x, n * sizeof *to.x);
            if (ordered)
                memcpy(to.order, sorted.order, n * sizeof *to.order);
        }
        return fl_is_stopped(s->watch) ? FL_INTERRUPTED : FL_OK;
    }
    if (!ordered) {
        memcpy(atoms->x, x, n * sizeof *x);
        (c->sort ? c->sort : fl_own_sort)(atoms->x, (ptrdiff_t)n, NULL);
        return FL_OK;
    }
    for (size_t i = 0; i < n; i++)
        atoms->order[i] = (ptrdiff_t)i;
    if ((c->argsort ? c->argsort : fl_own_argsort)(x, atoms->order, (ptrdiff_t)n, NULL))
        return FL_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        atoms->x[i] = x[atoms->order[i]];
    return FL_OK;
}

/* One row of samples, sorted; `ordered`: with the order, which weights and gradients need. Matched atoms need
 * no levels. */
static int fl_read_sample(const fl_wasserstein_call *c, const fl_array *positions, const fl_array *weights,
                          size_t row, size_t n, fl_transport_argument argument, int ordered, fl_scratch *s,
                          fl_atoms *atoms, fl_complaint *complaint) {
    double sum;
    int weighted = weights->data != NULL;
    fl_load_row(positions, row, n, s->numbers, s->watch);
    if (fl_is_stopped(s->watch) || fl_is_row_bad(s->numbers, n, -DBL_MAX, argument, row, complaint))
        return 0;
    atoms->n = n;
    fl_status status = fl_sort_row(c, n, weighted || ordered, s, atoms);
    if (status != FL_OK) {
        *complaint = (fl_complaint){status, argument, row, 0, 0};
        return 0;
    }
    if (!weighted) {
        for (size_t i = 0; i < n && !fl_is_matched(c); i++)
            atoms->upto[i] = (double)(i + 1) / (double)n;
        return 1;
    }
    fl_load_row(weights, row, n, s->masses, s->watch);
    argument = argument == FL_FIRST ? FL_FIRST_WEIGHT : FL_SECOND_WEIGHT;
    if (fl_is_stopped(s->watch) || fl_is_row_bad(s->masses, n, 0, argument, row, complaint))
        return 0;
    atoms->n = 0;
    for (size_t at = 0, end; (end = fl_stretch(s->watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i++) {
            ptrdiff_t from = atoms->order[i];
            atoms->order[atoms->n] = from;
            atoms->x[atoms->n] = atoms->x[i];
            atoms->upto[atoms->n] = s->masses[from];
            atoms->n += s->masses[from] > 0;
        }
    if (fl_is_stopped(s->watch))
        return 0;
    if (atoms->n == 0) {
        *complaint = (fl_complaint){FL_BAD_MASS, argument, row, 0, 0};
        return 0;
    }
    fl_tame_masses(atoms->upto, atoms->n);
    return fl_accumulate(atoms->upto, atoms->n, argument, row, s, atoms->upto, &sum, complaint);
}

static double fl_sample_row(const fl_wasserstein_call *c, size_t row, double factor, fl_scratch *s,
                            fl_complaint *complaint) {
    int differentiates = c->gradient.data != NULL;
    if (!fl_read_sample(c, &c->u, &c->u_weight, row, c->n_u, FL_FIRST, 0, s, &s->u, complaint) ||
        !fl_read_sample(c, &c->v, &c->v_weight, row, c->n_v, FL_SECOND, differentiates, s, &s->v, complaint))
        return 0;
    const fl_transport_ops *ops = fl_ops_for(0)->transport;
    int matched = fl_is_matched(c);
    size_t n_moves = matched ? 0 : fl_couple(&s->u, &s->v, s->moves, s->watch);
    fl_coupling_cost cost = matched ? fl_matched_cost(ops, s->u.x, s->v.x, c->n_u, c->p, s->watch)
                                    : fl_cost_of(s->moves, n_moves, c->p, s->watch);
    if (differentiates) {
        double *slope = s->v_upto;
        if (matched)
            fl_matched_slopes(s->u.x, s->v.x, c->n_u, cost.scale, c->p, slope, s->watch);
        else
            fl_slopes(&s->v, s->moves, n_moves, cost.scale, c->p, slope, s->watch);
        memset(s->gradient, 0, c->n_v * sizeof(double));
        fl_position_gradient(&s->v, c->v_weight.data != NULL, slope, fl_outer_slope(cost, c->p), factor,
                             s->gradient, s->watch);
        fl_store_row(&c->gradient, row, c->n_v, s->gradient, s->watch);
    }
    return fl_distance(cost, c->p);
}

/* The positions that have mass. */
static void fl_keep_massive(const double *x, const double *mass, const double *upto, size_t n,
                            fl_atoms *atoms) {
    atoms->n = 0;
    for (size_t i = 0; i < n; i++)
        if (mass[i] > 0) {
            atoms->x[atoms->n] = x[i];
            atoms->upto[atoms->n++] = upto[i];
        }
}

static double fl_histogram_row(const fl_wasserstein_call *c, size_t row, double factor, fl_scratch *s,
                               fl_complaint *complaint) {
    size_t n = c->n_v;
    double sum, *q = s->masses, *potential = s->numbers;
    fl_load_row(&c->u, row, n, s->gradient, s->watch);
    fl_load_row(&c->v, row, n, q, s->watch);
    if (fl_is_stopped(s->watch) || fl_is_row_bad(s->gradient, n, 0, FL_FIRST, row, complaint))
        return 0;
    fl_tame_masses(s->gradient, n);
    if (!fl_accumulate(s->gradient, n, FL_FIRST, row, s, s->u_upto, &sum, complaint) ||
        fl_is_row_bad(q, n, 0, FL_SECOND, row, complaint))
        return 0;
    double scale = fl_tame_masses(q, n);
    if (!fl_accumulate(q, n, FL_SECOND, row, s, s->v_upto, &sum, complaint))
        return 0;
    double distance, slope = 1;
    if (c->p == 1) {
        distance = fl_cdf_distance(c->positions, s->u_upto, s->v_upto, n);
        if (c->gradient.data)
            fl_cdf_potential(c->positions, s->u_upto, s->v_upto, n, potential);
    } else {
        fl_keep_massive(c->positions, s->gradient, s->u_upto, n, &s->u);
        fl_keep_massive(c->positions, q, s->v_upto, n, &s->v);
        fl_coupling_cost cost =
            fl_cost_of(s->moves, fl_couple(&s->u, &s->v, s->moves, s->watch), c->p, s->watch);
        distance = fl_distance(cost, c->p);
        slope = cost.scale / c->p * fl_outer_slope(cost, c->p);
        if (c->gradient.data && slope > 0)
            fl_quantile_potential(c->positions, &s->u, s->v_upto, n, cost.scale, c->p, potential, s->watch);
        else
            memset(potential, 0, n * sizeof(double));
    }
    if (c->gradient.data) {
        fl_mass_gradient(potential, q, sum, n, slope, factor, s->gradient);
        for (size_t j = 0; j < n && scale != 1; j++)
            s->gradient[j] *= scale;
        fl_store_row(&c->gradient, row, n, s->gradient, s->watch);
    }
    return distance;
}

/* The weights of the rows, one each, for a mean times a scale; their sum. */
static fl_status fl_row_weights(fl_wasserstein_call *c, double *weights, double *scale) {
    fl_complaint bad = {.status = FL_OK};
    fl_compensated sum = {0, 0};
    for (size_t i = 0; i < c->n_rows; i++)
        weights[i] = 1;
    if (c->weight.data)
        fl_load_row(&c->weight, 0, c->n_rows, weights, &fl_no_watch);
    if (fl_is_row_bad(weights, c->n_rows, 0, FL_FIRST, 0, &bad)) {
        c->bad_row = bad.column;
        return FL_BAD_WEIGHT;
    }
    if (c->reduction == FL_REDUCE_MEAN)
        *scale = fl_tame_masses(weights, c->n_rows);
    for (size_t i = 0; i < c->n_rows; i++)
        fl_add(&sum, weights[i]);
    c->weight_sum = fl_total(sum);
    return c->reduction == FL_REDUCE_MEAN && c->weight_sum == 0 ? FL_BAD_WEIGHT_SUM : FL_OK;
}

static fl_complaint fl_all_rows(const fl_wasserstein_call *c, const double *weights, double *distances) {
    fl_complaint first = {.status = FL_OK};
    size_t work = c->n_rows * (c->n_u + c->n_v);
    fl_watch own, *watch = fl_new_watch(&own, c->go_on, c->context, work);
    int threads = fl_threads_needed(fl_threads_allowed(c->n_threads, work, FL_PARALLEL_ATOMS), c->n_rows);
    double scale = c->reduction == FL_REDUCE_MEAN ? 1 / c->weight_sum : 1;
    (void)threads;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1)
    {
        fl_scratch scratch;
        fl_complaint mine = {.status = FL_OK};
        if (!fl_allocate_scratch(c, watch, &scratch))
            mine.status = FL_NO_MEMORY;
#pragma omp for schedule(static)
        for (size_t i = 0; i < c->n_rows; i++)
            if (mine.status == FL_OK) {
                distances[i] = (c->positions ? fl_histogram_row : fl_sample_row)(c, i, scale * weights[i],
                                                                                 &scratch, &mine);
                if (weights[i] == 0 && c->gradient.data) {
                    memset(scratch.gradient, 0, c->n_v * sizeof(double));
                    fl_store_row(&c->gradient, i, c->n_v, scratch.gradient, watch);
                }
                if (fl_stops(watch, &scratch.done, c->n_u + c->n_v) || fl_is_stopped(watch))
                    mine = (fl_complaint){.status = FL_INTERRUPTED};
            }
        fl_give_scratch(scratch.allocated);
        if (mine.status != FL_OK) {
#pragma omp critical
            if (first.status == FL_OK || mine.status == FL_NO_MEMORY ||
                (first.status != FL_NO_MEMORY && mine.row < first.row))
                first = mine;
        }
    }
    if (fl_is_stopped(watch))
        first.status = FL_INTERRUPTED;
    return first;
}

fl_status fl_wasserstein(fl_wasserstein_call *c) {
    c->total = c->weight_sum = 0;
    if (c->n_rows == 0)
        return c->reduction == FL_REDUCE_MEAN ? FL_EMPTY : FL_OK;
    size_t most = FL_MOST_ELEMENTS / c->n_rows;
    if (c->n_u > most || c->n_v > most)
        return FL_TOO_LARGE;
    double *weights = malloc(2 * c->n_rows * sizeof(double));
    if (!weights)
        return FL_NO_MEMORY;
    double *distances = weights + c->n_rows, scale = 1;
    fl_status status = fl_row_weights(c, weights, &scale);
    if (status == FL_OK) {
        fl_complaint complaint = fl_all_rows(c, weights, distances);
        status = complaint.status;
        c->bad_argument = complaint.argument;
        c->bad_row = complaint.row;
        c->bad_column = complaint.column;
        c->bad_sum = complaint.sum;
    }
    if (status == FL_OK) {
        fl_compensated total = {0, 0};
        for (size_t i = 0; i < c->n_rows; i++) {
            distances[i] = fl_share_of(distances[i], weights[i]);
            fl_add(&total, distances[i]);
        }
        c->total = fl_total(total) / (c->reduction == FL_REDUCE_MEAN ? c->weight_sum : 1);
        if (c->value.data && c->reduction == FL_REDUCE_NONE)
            fl_store_row(&c->value, 0, c->n_rows, distances, &fl_no_watch);
        c->weight_sum /= scale;
    }
    free(weights);
    return status;
}
