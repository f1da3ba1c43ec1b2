/* The driver of the centre loss: one pass over the rows makes values and gradients and scatters the latter
 * into the sums of their centres.
 *
 * Only classes that rows have get sums. Few of them: the rows are cut into segments, whose bounds depend on
 * the sizes alone, each with sums of its own, which are added in their order. Many: each thread takes the
 * classes that are its own, so that a centre's rows are added in their order by one thread. Either way the
 * result has the same bits for any number of threads. Included by drive.h alone. */
#ifndef FL_EMBEDDINGS_DRIVE_CENTERS_H
#define FL_EMBEDDINGS_DRIVE_CENTERS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../pass/plan.h"
#include "../pass/threads.h"
#include "pass.h"

enum { FL_CENTER_SEGMENTS = 16, FL_CENTER_SUMS_BYTES = 8 << 20, FL_NO_ROWS = -1 };

typedef struct {
    const fl_embedding_pass *pass;
    ptrdiff_t *slot; /* of each class among those that have rows */
    fl_plan plan;
    size_t n_slots;
    size_t slot_sums; /* of a slot: n_columns, and in float64 as many errors */
    double *sums;     /* for each segment and slot */
    real *value;      /* one a row */
    real_int *label;  /* as they were when their slots were numbered */
} fl_centers;

/* The first label that is no class, though it was one when all were checked: somebody has changed it since.
 */
typedef struct {
    int found;
    size_t row;
    double value;
} fl_changed;

/* Whether all are classes still; `labels` has room for whole lanes. */
static int fl_load_classes(const fl_embedding_pass *p, size_t start, size_t n, real_int *labels, char *raw,
                           fl_changed *changed) {
    double value;
    size_t at =
        p->ops->rows->labels(&p->call->label, start, n, p->call->n_centers, NULL, labels, raw, &value);
    if (at == n)
        return 1;
#pragma omp critical
    if (!changed->found || start + at < changed->row)
        *changed = (fl_changed){1, start + at, value};
    return 0;
}

static fl_status fl_outcome(const fl_embedding_pass *p, fl_embeddings_call *c, const fl_changed *changed,
                            int failed) {
    if (failed)
        return FL_NO_MEMORY;
    if (changed->found) {
        c->bad_row = changed->row;
        c->bad_value = changed->value;
        return FL_BAD_TARGET;
    }
    return fl_is_stopped(p->watch) ? FL_INTERRUPTED : FL_OK;
}

/* A row of an input, number `line` of its tile: in place, or in scratch. */
static const real *fl_row_at(const fl_embedding_pass *p, int input, size_t row, size_t line,
                             const fl_embedding_scratch *s) {
    const fl_array *a = &p->call->input[input];
    if (!p->copies_input[input])
        return (const real *)a->data + (ptrdiff_t)row * (a->strides[0] / (ptrdiff_t)sizeof(real));
    real *copy = s->input[input] + line * fl_scratch_line(p->call->n_columns);
    fl_copy_part(p->ops, p->watch, a, row, 0, p->call->n_columns, copy, 0);
    return copy;
}

static size_t fl_tile_of(const fl_embedding_pass *p, size_t start, size_t end) {
    return end - start < p->tile_rows ? end - start : p->tile_rows;
}

/* The values of some rows, computed, or as `values` has them. */
static void fl_value_tile(const fl_embedding_pass *p, size_t start, size_t n, const real *values,
                          fl_embedding_scratch *s, fl_changed *changed, fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    if (values) {
        memcpy(s->value, values + start, n * sizeof *values);
    } else {
        if (!fl_load_classes(p, start, n, s->class, s->raw, changed))
            return;
        fl_center_task tasks[FL_EMBEDDING_TILE_ROWS];
        for (size_t i = 0; i < n; i++)
            tasks[i] = (fl_center_task){.x = fl_row_at(p, 0, start + i, i, s),
                                        .center = fl_row_at(p, 1, (size_t)s->class[i], i, s),
                                        .value = s->value + i,
                                        .slope = 1};
        p->ops->embeddings->center(tasks, n, c->n_columns, 0, p->watch);
    }
    fl_load_weights(p, start, n, s);
    fl_close_values(p, start, n, s, total);
}

static fl_status fl_center_values(const fl_embedding_pass *p, fl_embeddings_call *c, const real *values,
                                  double *result) {
    fl_compensated totals[FL_SEGMENTS] = {{0, 0}}, total = {0, 0};
    const fl_plan plan = fl_plan_of(c->n_rows, p->tile_rows);
    int failed = 0, threads = values ? 1 : fl_threads_needed(p->threads, plan.n_segments);
    fl_changed changed = {0, 0, 0};
    (void)threads;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        int ready = fl_allocate(p, &scratch);
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t s = 0; s < plan.n_segments; s++) {
            size_t at = fl_segment_start(&plan, s), end = fl_segment_start(&plan, s + 1);
            for (; at < end && ready && !fl_is_stopped(p->watch); at += p->tile_rows) {
                size_t n = fl_tile_of(p, at, end);
                fl_value_tile(p, at, n, values, &scratch, &changed, &totals[s]);
                fl_stops(p->watch, &scratch.done, n * c->n_columns);
            }
        }
        fl_give_scratch(scratch.allocated);
    }
    for (size_t s = 0; s < plan.n_segments; s++)
        fl_add_all(&total, totals[s]);
    *result = fl_total(total);
    return fl_outcome(p, c, &changed, failed);
}

/* From here on nobody reads the caller's labels any more. */
static int fl_number_slots(fl_centers *k, fl_embedding_scratch *s, fl_changed *changed) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    for (size_t label = 0; label < c->n_centers; label++)
        k->slot[label] = FL_NO_ROWS;
    for (size_t start = 0; start < c->n_rows; start += p->tile_rows) {
        size_t n = fl_tile_of(p, start, c->n_rows);
        real_int *labels = k->label + start;
        if (!fl_load_classes(p, start, n, labels, s->raw, changed))
            return 0;
        for (size_t i = 0; i < n; i++) {
            if (k->slot[labels[i]] == FL_NO_ROWS)
                k->slot[labels[i]] = (ptrdiff_t)k->n_slots++;
        }
    }
    return 1;
}

/* Rows start .. start + n, where they are of classes of this one of all the owners. */
static void fl_center_tile(const fl_centers *k, size_t start, size_t n, size_t owner, size_t n_owners,
                           double *sums, fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_array *gradient = &p->call->gradient[0];
    const double *slope = fl_load_weights(p, start, n, s);
    const size_t line = p->streams ? p->call->n_columns : fl_scratch_line(p->call->n_columns);
    const ptrdiff_t apart = gradient->strides[0] / (ptrdiff_t)sizeof(real);
    const int copies = p->streams ? !p->streams_straight : p->copies_gradient[0];
    fl_center_task tasks[FL_EMBEDDING_TILE_ROWS];
    size_t row[FL_EMBEDDING_TILE_ROWS], n_tasks = 0;
    for (size_t i = 0; i < n; i++) {
        size_t label = (size_t)k->label[start + i], slot = (size_t)k->slot[label];
        if (n_owners > 1 && slot % n_owners != owner)
            continue;
        fl_center_task *t = &tasks[n_tasks];
        row[n_tasks++] = start + i;
        t->x = fl_row_at(p, 0, start + i, i, s);
        t->center = fl_row_at(p, 1, label, i, s);
        t->gradient =
            copies ? s->gradient[0] + i * line : (real *)gradient->data + (ptrdiff_t)(start + i) * apart;
        t->value = k->value + start + i;
        t->sum = sums + slot * k->slot_sums;
        t->slope = slope ? slope[i] : p->scale;
        t->weight = p->shares ? slope[i] : slope ? (double)s->weight[i] : 1;
    }
    p->ops->embeddings->center(tasks, n_tasks, p->call->n_columns, p->streams_straight, p->watch);
    for (size_t i = 0; i < n_tasks && copies; i++) {
        if (p->streams)
            p->ops->stream((char *)gradient->data + row[i] * p->row_bytes, tasks[i].gradient,
                           p->call->n_columns);
        else
            fl_copy_part(p->ops, p->watch, gradient, row[i], 0, p->call->n_columns, tasks[i].gradient, 1);
    }
}

/* The rows of a segment whose classes belong to this one of all the owners. */
static void fl_center_rows(const fl_centers *k, size_t segment, size_t owner, size_t n_owners,
                           fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    size_t from = fl_segment_start(&k->plan, segment), to = fl_segment_start(&k->plan, segment + 1);
    double *sums = k->sums + segment * k->n_slots * k->slot_sums;
    for (size_t start = from; start < to && !fl_is_stopped(p->watch); start += p->tile_rows) {
        size_t n = fl_tile_of(p, start, to);
        fl_center_tile(k, start, n, owner, n_owners, sums, s);
        fl_stops(p->watch, &s->done, n * c->n_columns);
    }
    if (p->streams)
        p->ops->stream_end();
}

/* Adds the segments' sums of a class up, and stores its gradient, a few columns at a time. */
static void fl_store_center(const fl_centers *k, size_t label, fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_array *to = &p->call->gradient[1];
    const size_t d = p->call->n_columns, apart = k->n_slots * k->slot_sums;
    const int has_rows = k->slot[label] != FL_NO_ROWS;
    const double *sums = k->sums + (has_rows ? (size_t)k->slot[label] * k->slot_sums : 0);
    const ptrdiff_t line_apart = to->strides[0] / (ptrdiff_t)sizeof(real);
    real *line = p->copies_gradient[1] ? s->gradient[1] : (real *)to->data + (ptrdiff_t)label * line_apart;
    for (size_t at = 0, n; at < d && !fl_stops(p->watch, &s->done, FL_CENTER_COLUMNS); at += n) {
        n = d - at < FL_CENTER_COLUMNS ? d - at : FL_CENTER_COLUMNS;
        p->ops->embeddings->finish_center(line + at, sums + at, apart, has_rows ? k->plan.n_segments : 0, d,
                                          n, -p->scale);
    }
    if (p->copies_gradient[1])
        fl_copy_part(p->ops, p->watch, to, label, 0, d, line, 1);
}

static int fl_scatter(fl_centers *k) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    size_t n_segments = k->plan.n_segments;
    int failed = 0, threads = fl_threads_needed(p->threads, n_segments > 1 ? n_segments : k->n_slots);
    size_t n_owners = n_segments > 1 ? 1 : (size_t)threads, n_tasks = n_segments * n_owners;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        int ready = fl_allocate(p, &scratch);
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t task = 0; task < n_tasks; task++)
            if (ready)
                fl_center_rows(k, task / n_owners, task % n_owners, n_owners, &scratch);
#pragma omp for schedule(static)
        for (size_t label = 0; label < c->n_centers; label++)
            if (ready && !fl_is_stopped(p->watch))
                fl_store_center(k, label, &scratch);
        fl_give_scratch(scratch.allocated);
    }
    return !failed;
}

static fl_status fl_center_gradients(const fl_embedding_pass *p, fl_embeddings_call *c, double *total) {
    fl_centers k = {.pass = p, .plan = fl_plan_of(c->n_rows, p->tile_rows)};
    fl_embedding_scratch scratch = {.allocated = NULL};
    fl_changed changed = {0, 0, 0};
    int failed = 1;
    k.slot = malloc(fl_times(c->n_centers, sizeof *k.slot));
    k.value = malloc((c->n_rows + 1) * sizeof *k.value);
    k.label = malloc((c->n_rows + FL_LANES) * sizeof *k.label);
    if (k.slot && k.value && k.label && fl_allocate(p, &scratch)) {
        int numbered = fl_number_slots(&k, &scratch, &changed);
        fl_give_scratch(scratch.allocated);
        failed = 0;
        if (numbered) {
            k.slot_sums = fl_times(c->n_columns, FL_CENTER_SUMS);
            size_t bytes = fl_times(k.n_slots, fl_times(k.slot_sums, sizeof *k.sums));
            int fits = bytes <= FL_CENTER_SUMS_BYTES / FL_CENTER_SEGMENTS;
            k.plan.n_segments =
                c->n_rows >= FL_CENTER_SEGMENTS * p->tile_rows && fits ? FL_CENTER_SEGMENTS : 1;
            k.sums = calloc(k.plan.n_segments, bytes ? bytes : 1);
            failed = !k.sums || !fl_scatter(&k);
        }
    }
    fl_status status = fl_outcome(p, c, &changed, failed);
    if (status == FL_OK)
        status = fl_center_values(p, c, k.value, total);
    free(k.slot);
    free(k.value);
    free(k.label);
    free(k.sums);
    return status;
}

/* Leaves the sum of the values in `total`, or what is wrong with a label that has been changed since it was
 * checked. */
static fl_status fl_run_centers(const fl_embedding_pass *p, fl_embeddings_call *c, double *total) {
    return p->has_gradient ? fl_center_gradients(p, c, total) : fl_center_values(p, c, NULL, total);
}

#endif
