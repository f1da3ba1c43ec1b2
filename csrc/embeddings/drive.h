/* The driver of the embedding losses: check labels and weights, then load -> compute -> sum, store, tile by
 * tile. Compiled once in either precision (drive_f32.c, drive_f64.c), for all tiers, whose kernels it calls
 * through their table.
 *
 * Rows are grouped into segments (pass/plan.h) of tiles, whose size depends on the number of columns alone.
 */
#ifndef FL_EMBEDDINGS_DRIVE_H
#define FL_EMBEDDINGS_DRIVE_H

#include "../pass/cache.h"
#include "../pass/plan.h"
#include "../pass/threads.h"
#include "drive_centers.h"
#include "drive_similarities.h"
#include "pass.h"

static fl_status fl_bad_row(fl_embeddings_call *c, fl_status status, size_t row, double value) {
    c->bad_row = row;
    c->bad_value = value;
    return status;
}

/* Checks all labels and weights, and adds the weights up; FL_AGAIN: some of these are of unusual sizes. */
static fl_status fl_check_numbers(fl_embeddings_call *c, const fl_embedding_pass *p) {
    _Alignas(64) real scratch[FL_BLOCK];
    real_int classes[FL_BLOCK];
    char raw[FL_RAW_BYTES];
    const fl_ops *ops = p->ops;
    size_t done = 0;
    const fl_domain *label = &fl_describe_embeddings(c->kernel)->label;
    fl_compensated sum = {0, 0};
    fl_status result = FL_OK;
    for (size_t start = 0; start < c->n_rows; start += FL_BLOCK) {
        size_t n = c->n_rows - start < FL_BLOCK ? c->n_rows - start : FL_BLOCK, at = n;
        double bad = 0;
        if (c->kernel == FL_EMBEDDINGS_center) {
            at = ops->rows->labels(&c->label, start, n, c->n_centers, NULL, classes, raw, &bad);
        } else if (p->has_label) {
            const real *y = ops->load(&c->label, start, n, scratch, raw);
            if (ops->any_outside(y, fl_round_up(n), label))
                at = ops->first_outside(y, n, label);
            bad = at < n ? (double)y[at] : 0;
        }
        if (at < n)
            return fl_bad_row(c, FL_BAD_TARGET, start + at, bad);
        if (fl_stops(p->watch, &done, n))
            return FL_INTERRUPTED;
        if (!c->weight.data)
            continue;
        const real *w = ops->load(&c->weight, start, n, scratch, raw);
        int kinds;
        fl_status status = fl_check_weights(&c->weight, w, start, n, c->float32, raw, &kinds, &at, &bad);
        if (status == FL_BAD_WEIGHT)
            return fl_bad_row(c, FL_BAD_WEIGHT, start + at, bad);
        result = status == FL_OK ? result : status;
        size_t whole = n & ~(size_t)(FL_LANES - 1);
        fl_add(&sum, ops->sum(w, whole));
        for (size_t i = whole; i < n; i++)
            fl_add(&sum, (double)w[i]);
    }
    c->weight_sum = c->weight.data ? fl_total(sum) : (double)c->n_rows;
    return result == FL_OK && c->reduction == FL_REDUCE_MEAN && c->weight_sum == 0 ? FL_BAD_WEIGHT_SUM
                                                                                   : result;
}

/* Gradients times the rows' shares, which are not in them. */
static void fl_weigh_gradients(const fl_embedding_pass *p, const fl_embedding_tile *t, const double *slope) {
    const fl_embeddings_call *c = p->call;
    for (size_t i = 0; i < t->n_rows; i++)
        for (int m = 0; m < p->n_inputs; m++)
            fl_take_shares(t->gradient[m].data + (ptrdiff_t)i * t->gradient[m].stride, slope + i, 0,
                           c->n_columns, c->float32);
}

static void fl_run_tile(const fl_embedding_pass *p, size_t start, size_t n, fl_embedding_scratch *s,
                        fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    fl_embedding_tile t = {.n_rows = n,
                           .n_columns = c->n_columns,
                           .margin = c->margin,
                           .scale = p->scale,
                           .value = s->value,
                           .watch = p->watch,
                           .streams = p->streams_straight};
    if (p->has_label)
        t.label = p->ops->load(&c->label, start, n, s->label, s->raw);
    const double *slope = fl_load_weights(p, start, n, s);
    t.slope = p->shares ? NULL : slope;
    for (int m = 0; m < p->n_inputs; m++) {
        t.input[m] = fl_load_matrix(p->ops, p->watch, &c->input[m], start, n, 0, s->input[m], s->raw);
        if (p->streams && !(p->streams_straight >> m & 1))
            t.gradient[m] = (fl_row_matrix){s->gradient[m], (ptrdiff_t)c->n_columns};
        else if (p->has_gradient)
            t.gradient[m] = fl_place_tile(&c->gradient[m], start, n, 0, s->gradient[m]);
    }
    p->ops->embeddings->tile[c->kernel][p->has_gradient ? FL_EMBEDDINGS_VG : FL_EMBEDDINGS_V](&t);
    if (fl_is_stopped(p->watch))
        return;
    if (p->has_gradient && p->shares)
        fl_weigh_gradients(p, &t, slope);
    fl_close_values(p, start, n, s, total);
    for (int m = 0; m < p->n_inputs && p->has_gradient; m++) {
        if (!p->streams)
            fl_store_matrix(p->ops, p->watch, &c->gradient[m], start, n, 0, s->gradient[m], s->raw, 0);
        else if (!(p->streams_straight >> m & 1))
            p->ops->stream((char *)c->gradient[m].data + start * p->row_bytes, s->gradient[m],
                           n * c->n_columns);
    }
}

static fl_status fl_run_tiles(const fl_embedding_pass *p, double *result) {
    fl_compensated totals[FL_SEGMENTS] = {{0, 0}};
    const fl_plan plan = fl_plan_of(p->call->n_rows, p->tile_rows);
    int failed = 0, threads = fl_threads_needed(p->threads, plan.n_segments);
    (void)threads;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        int ready = fl_allocate(p, &scratch);
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t s = 0; s < plan.n_segments; s++) {
            size_t to = fl_segment_start(&plan, s + 1);
            for (size_t start = fl_segment_start(&plan, s), n;
                 start < to && ready && !fl_is_stopped(p->watch); start += n) {
                n = to - start < p->tile_rows ? to - start : p->tile_rows;
                fl_run_tile(p, start, n, &scratch, &totals[s]);
                fl_stops(p->watch, &scratch.done, n * p->call->n_columns);
            }
        }
        if (p->streams)
            p->ops->stream_end();
        fl_give_scratch(scratch.allocated);
    }
    fl_compensated total = {0, 0};
    for (size_t s = 0; s < plan.n_segments; s++)
        fl_add_all(&total, totals[s]);
    *result = fl_total(total);
    return failed ? FL_NO_MEMORY : (fl_is_stopped(p->watch) ? FL_INTERRUPTED : FL_OK);
}

/* Rows of aligned reals of this machine's byte order, each contiguous. */
static int fl_has_plain_rows(const fl_array *a) {
    const ptrdiff_t item = sizeof(real);
    return a->dtype == FL_REAL_DTYPE && !a->swapped && a->strides[1] == item && a->strides[0] % item == 0 &&
           (uintptr_t)a->data % sizeof(real) == 0;
}

/* Streaming pays when all that is touched does not fit into the last-level cache anyway; written over an
 * input, the lines are in cache already. */
static int fl_should_stream(const fl_embedding_pass *p, const fl_embeddings_call *c) {
    /* The centres' gradient is not written row by row. */
    int n_streams = c->kernel == FL_EMBEDDINGS_center ? 1 : p->n_inputs;
    if (!p->ops->has_stream || !p->has_gradient)
        return 0;
    for (int m = 0; m < n_streams; m++)
        if (p->copies_gradient[m] || c->gradient[m].data == c->input[m].data ||
            c->gradient[m].strides[0] != (ptrdiff_t)p->row_bytes)
            return 0;
    return fl_exceeds_cache(2 * (size_t)n_streams * c->n_rows * p->row_bytes);
}

/* Which of the streamed gradients need no scratch: those whose rows begin the same quarters of cache lines as
 * the last one's, and are not short: those make too many quarters. */
static int fl_streams_straight(const fl_embedding_pass *p, const fl_embeddings_call *c, int n_streams) {
    uintptr_t place = (uintptr_t)c->gradient[n_streams - 1].data % 64;
    int straight = 0, whole = p->streams && p->row_bytes >= FL_STRAIGHT_ROW_BYTES && p->row_bytes % 16 == 0 &&
                              place % 16 == 0;
    for (int m = 0; m < n_streams && whole; m++)
        straight |= ((uintptr_t)c->gradient[m].data % 64 == place) << m;
    return straight;
}

static fl_embedding_pass fl_begin(const fl_embeddings_call *c, fl_watch *watch) {
    fl_embedding_pass p = {.call = c,
                           .watch = watch,
                           .ops = fl_ops_for(FL_PRECISION == 32),
                           .scale = 1,
                           .n_inputs = fl_describe_embeddings(c->kernel)->n_inputs,
                           .has_label = fl_describe_embeddings(c->kernel)->has_label,
                           .has_gradient = c->gradient[0].data != NULL};
    p.row_bytes = c->n_columns * sizeof(real);
    size_t fit = FL_EMBEDDING_TILE_BYTES / p.row_bytes;
    p.tile_rows = fit < 1 ? 1 : (fit < FL_EMBEDDING_TILE_ROWS ? fit : FL_EMBEDDING_TILE_ROWS);
    p.threads = fl_threads_allowed(c->n_threads, c->n_rows * c->n_columns, FL_PARALLEL_EMBEDDINGS);
    for (int m = 0; m < p.n_inputs; m++) {
        p.copies_input[m] = !fl_has_plain_rows(&c->input[m]);
        p.copies_gradient[m] = p.has_gradient && !fl_has_plain_rows(&c->gradient[m]);
    }
    p.streams = fl_should_stream(&p, c);
    p.streams_straight = fl_streams_straight(&p, c, c->kernel == FL_EMBEDDINGS_center ? 1 : p.n_inputs);
    return p;
}

/* The door. */
fl_status FL_OF_PRECISION(fl_drive_embeddings)(fl_embeddings_call *c) {
    fl_watch own, *watch = fl_new_watch(&own, c->go_on, c->context, c->n_rows * c->n_columns);
    fl_embedding_pass p = fl_begin(c, watch);
    fl_shares shares = {&c->weight, 1, 1};
    int mean = c->reduction == FL_REDUCE_MEAN;
    fl_status status = fl_check_numbers(c, &p);
    if (status == FL_AGAIN) {
        status =
            fl_prepare_shares(&shares, c->n_rows, mean, watch, &c->weight_sum, &c->bad_row, &c->bad_value);
        p.shares = &shares;
        p.streams_straight = 0; /* gradients are read again */
    }
    if (status != FL_OK)
        return status;
    if (mean && !p.shares)
        p.scale = 1 / c->weight_sum;
    double total;
    status = c->kernel == FL_EMBEDDINGS_center ? fl_run_centers(&p, c, &total) : fl_run_tiles(&p, &total);
    c->total = mean && !p.shares ? total / c->weight_sum : total;
    return status;
}

#endif
