/* The driver of the centre loss: one pass over the rows makes values and gradients and scatters the latter
 * into the sums of their centres.
 *
 * Only classes that rows have get sums. Few of them: the rows are cut into segments, whose bounds depend on
 * the sizes alone, each with sums of its own, which are added in their order. Many: each thread takes the
 * classes that are its own, so that a centre's rows are added in their order by one thread. Either way the
 * result has the same bits for any number of threads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../dispatch/threads.h"
#include "pass.h"

enum { FL_CENTER_SEGMENTS = 16, FL_CENTER_SUMS_BYTES = 8 << 20, FL_NO_ROWS = -1 };

typedef struct {
    const fl_embedding_pass *pass;
    ptrdiff_t *slot; /* of each class among those that have rows */
    size_t n_slots, n_segments;
    double *sums; /* for each segment and slot n_columns sums and as many errors */
    char *value;  /* reals, one a row */
    char *label;  /* integers as wide, as they were when their slots were numbered */
} fl_centers;

/* The first label that is no class, though it was one when all were checked: somebody has changed it since.
 */
typedef struct {
    int found;
    size_t row;
    double value;
} fl_changed;

static size_t fl_label_at(const fl_embedding_pass *p, const void *labels, size_t i) {
    return p->call->float32 ? (size_t)((const int32_t *)labels)[i] : (size_t)((const int64_t *)labels)[i];
}

/* Whether all are classes still; `labels` has room for whole lanes. */
static int fl_load_classes(const fl_embedding_pass *p, size_t start, size_t n, void *labels, void *raw,
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

static const void *fl_row_at(const fl_embedding_pass *p, int input, size_t row,
                             const fl_embedding_scratch *s) {
    const fl_array *a = &p->call->input[input];
    if (!p->copies_input[input])
        return (const char *)a->data + (ptrdiff_t)row * a->strides[0];
    return p->ops->rows->load(a, row, 1, 0, s->input[input], s->raw).data;
}

static void fl_set_value(const fl_embedding_pass *p, void *values, size_t i, double x) {
    if (p->call->float32)
        ((float *)values)[i] = (float)x;
    else
        ((double *)values)[i] = x;
}

static size_t fl_tile_of(const fl_embedding_pass *p, size_t start, size_t end) {
    return end - start < p->tile_rows ? end - start : p->tile_rows;
}

/* The values of some rows, computed, or as `values` has them. */
static void fl_value_tile(const fl_embedding_pass *p, size_t start, size_t n, const char *values,
                          fl_embedding_scratch *s, fl_changed *changed, fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    if (values) {
        memcpy(s->value, values + start * p->ops->itemsize, n * p->ops->itemsize);
    } else {
        if (!fl_load_classes(p, start, n, s->label, s->raw, changed))
            return;
        for (size_t i = 0; i < n; i++) {
            const void *x = fl_row_at(p, 0, start + i, s);
            const void *center = fl_row_at(p, 1, fl_label_at(p, s->label, i), s);
            fl_set_value(p, s->value, i,
                         p->ops->embeddings->center(x, center, c->n_columns, 0, 0, NULL, NULL, NULL));
        }
    }
    fl_load_weights(p, start, n, s);
    fl_close_values(p, start, n, s, total);
}

static fl_status fl_center_values(const fl_embedding_pass *p, fl_embeddings_call *c, const char *values,
                                  double *result) {
    fl_compensated totals[FL_EMBEDDING_SEGMENTS] = {{0, 0}}, total = {0, 0};
    size_t n_rows = c->n_rows, n_units = (n_rows + p->tile_rows - 1) / p->tile_rows;
    size_t n_segments = n_units < FL_EMBEDDING_SEGMENTS ? n_units : FL_EMBEDDING_SEGMENTS;
    int failed = 0, threads = values ? 1 : fl_threads_needed(p->threads, n_segments);
    fl_changed changed = {0, 0, 0};
    (void)threads;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        int ready = fl_allocate_embeddings(p, &scratch);
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t s = 0; s < n_segments; s++) {
            size_t end = (s + 1) * n_units / n_segments * p->tile_rows, at = s * n_units / n_segments;
            end = end < n_rows ? end : n_rows;
            for (at *= p->tile_rows; at < end && ready && !fl_is_stopped(p->watch); at += p->tile_rows) {
                size_t n = fl_tile_of(p, at, end);
                fl_value_tile(p, at, n, values, &scratch, &changed, &totals[s]);
                fl_stops(p->watch, &scratch.done, n * c->n_columns);
            }
        }
        fl_give_scratch(scratch.allocated);
    }
    for (size_t s = 0; s < n_segments; s++) {
        fl_add(&total, totals[s].sum);
        fl_add(&total, totals[s].error);
    }
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
        char *labels = k->label + start * p->ops->itemsize;
        if (!fl_load_classes(p, start, n, labels, s->raw, changed))
            return 0;
        for (size_t i = 0; i < n; i++) {
            size_t label = fl_label_at(p, labels, i);
            if (k->slot[label] == FL_NO_ROWS)
                k->slot[label] = (ptrdiff_t)k->n_slots++;
        }
    }
    return 1;
}

/* One row's value, gradient, and share of its centre's sums. */
static void fl_center_step(const fl_centers *k, size_t row, const void *center, double slope, double weight,
                           double *sums, fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    const fl_array *gradient = &c->gradient[0];
    char *to = (char *)gradient->data + (ptrdiff_t)row * gradient->strides[0];
    void *place = p->copies_gradient[0] || p->streams ? s->gradient[0] : to;
    double value = 0;
    if (slope == 0) /* the row is as if it were not there */
        memset(place, 0, p->row_bytes);
    else
        value = p->ops->embeddings->center(fl_row_at(p, 0, row, s), center, c->n_columns, slope, weight,
                                           place, sums, sums + c->n_columns);
    fl_set_value(p, k->value, row, value);
    if (p->streams)
        p->ops->stream(to, place, c->n_columns);
    else if (p->copies_gradient[0])
        p->ops->rows->store(gradient, row, 1, 0, place, s->raw, NULL);
}

/* The rows of a segment whose classes belong to this one of all the owners. */
static void fl_center_rows(const fl_centers *k, size_t segment, size_t owner, size_t n_owners,
                           fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    size_t n_units = (c->n_rows + p->tile_rows - 1) / p->tile_rows;
    size_t from = segment * n_units / k->n_segments * p->tile_rows;
    size_t to = (segment + 1) * n_units / k->n_segments * p->tile_rows;
    double *sums = k->sums + segment * k->n_slots * 2 * c->n_columns;
    to = to < c->n_rows ? to : c->n_rows;
    for (size_t start = from; start < to && !fl_is_stopped(p->watch); start += p->tile_rows) {
        size_t n = fl_tile_of(p, start, to);
        const double *slope = fl_load_weights(p, start, n, s);
        for (size_t i = 0; i < n; i++) {
            size_t label = fl_label_at(p, k->label, start + i), slot = (size_t)k->slot[label];
            if (slot % n_owners != owner)
                continue;
            double weight = 1;
            if (p->shares)
                weight = slope[i];
            else if (slope)
                weight = c->float32 ? (double)((const float *)(const void *)s->weight)[i]
                                    : ((const double *)(const void *)s->weight)[i];
            fl_center_step(k, start + i, fl_row_at(p, 1, label, s), slope ? slope[i] : p->scale, weight,
                           sums + slot * 2 * c->n_columns, s);
        }
        fl_stops(p->watch, &s->done, n * c->n_columns);
    }
    if (p->streams)
        p->ops->stream_end();
}

/* Adds the segments' sums of a class up, and stores its gradient. */
static void fl_store_center(const fl_centers *k, size_t label, double *sums, fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_array *to = &p->call->gradient[1];
    size_t d = p->call->n_columns;
    memset(sums, 0, 2 * d * sizeof *sums);
    for (size_t segment = 0; segment < k->n_segments && k->slot[label] != FL_NO_ROWS; segment++) {
        const double *part = k->sums + (segment * k->n_slots + (size_t)k->slot[label]) * 2 * d;
        for (size_t i = 0; i < d; i++) {
            fl_compensated total = {sums[i], sums[d + i] + part[d + i]};
            fl_add(&total, part[i]);
            sums[i] = total.sum;
            sums[d + i] = total.error;
        }
    }
    fl_row_matrix place = p->ops->rows->place(to, label, 1, 0, s->gradient[1]);
    p->ops->embeddings->finish_center(place.data, sums, sums + d, d, -p->scale);
    p->ops->rows->store(to, label, 1, 0, s->gradient[1], s->raw, NULL);
}

static int fl_scatter(fl_centers *k) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    int failed = 0, threads = fl_threads_needed(p->threads, k->n_segments > 1 ? k->n_segments : k->n_slots);
    size_t n_owners = k->n_segments > 1 ? 1 : (size_t)threads, n_tasks = k->n_segments * n_owners;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        double *sums = malloc(fl_times(c->n_columns, 2 * sizeof *sums));
        int ready = fl_allocate_embeddings(p, &scratch) && sums;
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t task = 0; task < n_tasks; task++)
            if (ready)
                fl_center_rows(k, task / n_owners, task % n_owners, n_owners, &scratch);
#pragma omp for schedule(static)
        for (size_t label = 0; label < c->n_centers; label++)
            if (ready && !fl_is_stopped(p->watch))
                fl_store_center(k, label, sums, &scratch);
        fl_give_scratch(scratch.allocated);
        free(sums);
    }
    return !failed;
}

static fl_status fl_center_gradients(const fl_embedding_pass *p, fl_embeddings_call *c, double *total) {
    fl_centers k = {.pass = p, .n_segments = 1};
    fl_embedding_scratch scratch = {.allocated = NULL};
    fl_changed changed = {0, 0, 0};
    size_t itemsize = p->ops->itemsize;
    int failed = 1;
    k.slot = malloc(fl_times(c->n_centers, sizeof *k.slot));
    k.value = malloc((c->n_rows + 1) * itemsize);
    k.label = malloc((c->n_rows + FL_LANES) * itemsize);
    if (k.slot && k.value && k.label && fl_allocate_embeddings(p, &scratch)) {
        int numbered = fl_number_slots(&k, &scratch, &changed);
        fl_give_scratch(scratch.allocated);
        failed = 0;
        if (numbered) {
            size_t bytes = fl_times(k.n_slots, fl_times(c->n_columns, 2 * sizeof *k.sums));
            if (c->n_rows >= FL_CENTER_SEGMENTS * p->tile_rows &&
                bytes <= FL_CENTER_SUMS_BYTES / FL_CENTER_SEGMENTS)
                k.n_segments = FL_CENTER_SEGMENTS;
            k.sums = calloc(k.n_segments, bytes ? bytes : 1);
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

fl_status fl_run_centers(const fl_embedding_pass *p, fl_embeddings_call *c, double *total) {
    return p->has_gradient ? fl_center_gradients(p, c, total) : fl_center_values(p, c, NULL, total);
}
