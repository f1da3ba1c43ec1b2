/* The driver of the embedding losses: check labels and weights, then load -> compute -> sum, store, tile by
 * tile.
 *
 * Rows are grouped into segments (pass/plan.h) of tiles, whose size depends on the number of columns alone.
 */
#include <math.h>
#include <string.h>

#include "../blocks/view.h"
#include "../pass/cache.h"
#include "../pass/plan.h"
#include "../pass/threads.h"
#include "../rows/parts.h"
#include "pass.h"

#define FL_LABELS_NONE {-INFINITY, INFINITY, 0, 0, 1}
#define FL_LABELS_ZERO_ONE {0, 1, 0, 1, 0}
#define FL_LABELS_SIGN {-1, 1, 0, 1, 0}

static const struct {
    const char *name;
    int n_inputs, has_label;
    fl_domain label;
} fl_embedding_kernels[] = {
#define FL_DESCRIBE_EMBEDDING(name, n_inputs, label) {#name, n_inputs, n_inputs == 2, FL_LABELS_##label},
    FL_EMBEDDING_KERNELS(FL_DESCRIBE_EMBEDDING)
#undef FL_DESCRIBE_EMBEDDING
        {"center", 2, 1, FL_LABELS_NONE},
};

int fl_find_embeddings(const char *name) {
    for (int i = 0; i <= FL_EMBEDDINGS_center; i++)
        if (strcmp(fl_embedding_kernels[i].name, name) == 0)
            return i;
    return -1;
}

int fl_embeddings_n_inputs(int kernel) {
    return fl_embedding_kernels[kernel].n_inputs;
}

int fl_embeddings_has_label(int kernel) {
    return fl_embedding_kernels[kernel].has_label;
}

static fl_status fl_bad_row(fl_embeddings_call *c, fl_status status, size_t row, double value) {
    c->bad_row = row;
    c->bad_value = value;
    return status;
}

/* Checks all labels and weights, and adds the weights up; FL_AGAIN: some of these are of unusual sizes. */
static fl_status fl_check_numbers(fl_embeddings_call *c, const fl_embedding_pass *p) {
    _Alignas(64) char scratch[FL_BLOCK_BYTES], raw[FL_RAW_BYTES];
    const fl_ops *ops = p->ops;
    size_t done = 0;
    const fl_domain *label = &fl_embedding_kernels[c->kernel].label;
    int is_center = c->kernel == FL_EMBEDDINGS_center, has_label = fl_embedding_kernels[c->kernel].has_label;
    fl_compensated sum = {0, 0};
    fl_status result = FL_OK;
    for (size_t start = 0; start < c->n_rows; start += ops->block) {
        size_t n = c->n_rows - start < ops->block ? c->n_rows - start : ops->block, at = n;
        double bad = 0;
        if (is_center) {
            at = ops->rows->labels(&c->label, start, n, c->n_centers, NULL, scratch, raw, &bad);
        } else if (has_label) {
            const void *y = ops->load(&c->label, start, n, scratch, raw);
            if (ops->any_outside(y, fl_round_up(n), label))
                at = ops->first_outside(y, n, label);
            bad = at < n ? fl_number_at(ops, y, at) : 0;
        }
        if (at < n)
            return fl_bad_row(c, FL_BAD_TARGET, start + at, bad);
        if (fl_stops(p->watch, &done, n))
            return FL_INTERRUPTED;
        if (!c->weight.data)
            continue;
        const void *w = ops->load(&c->weight, start, n, scratch, raw);
        int kinds;
        fl_status status = fl_check_weights(&c->weight, w, start, n, c->float32, raw, &kinds, &at, &bad);
        if (status == FL_BAD_WEIGHT)
            return fl_bad_row(c, FL_BAD_WEIGHT, start + at, bad);
        result = status == FL_OK ? result : status;
        size_t whole = n & ~(size_t)(FL_LANES - 1);
        fl_add(&sum, ops->sum(w, whole));
        for (size_t i = whole; i < n; i++)
            fl_add(&sum, fl_number_at(ops, w, i));
    }
    c->weight_sum = c->weight.data ? fl_total(sum) : (double)c->n_rows;
    return result == FL_OK && c->reduction == FL_REDUCE_MEAN && c->weight_sum == 0 ? FL_BAD_WEIGHT_SUM
                                                                                   : result;
}

static void fl_lay_out(const fl_embedding_pass *p, fl_embedding_scratch *s, fl_layout *l) {
    const fl_embeddings_call *c = p->call;
    size_t numbers = fl_round_up(p->tile_rows) * sizeof(double);
    size_t matrix = fl_scratch_matrix(p->tile_rows, c->n_columns, p->ops->itemsize, 0);
    s->slope = fl_take(l, numbers);
    s->value = fl_take(l, numbers);
    s->label = fl_take(l, numbers);
    s->weight = fl_take(l, numbers);
    s->raw = fl_take(l, FL_RAW_BYTES);
    for (int m = 0; m < p->n_inputs; m++) {
        s->input[m] = fl_take(l, fl_copy_bytes(p->ops, &c->input[m], p->tile_rows, 0));
        s->gradient[m] =
            fl_take(l, p->streams ? matrix : fl_copy_bytes(p->ops, &c->gradient[m], p->tile_rows, 0));
    }
}

int fl_allocate_embeddings(const fl_embedding_pass *p, fl_embedding_scratch *s) {
    fl_layout l = {.memory = NULL};
    *s = (fl_embedding_scratch){.allocated = NULL};
    fl_lay_out(p, s, &l);
    s->allocated = fl_get_counted(&l);
    if (s->allocated)
        fl_lay_out(p, s, &l);
    return s->allocated != NULL;
}

const double *fl_load_weights(const fl_embedding_pass *p, size_t start, size_t n,
                              const fl_embedding_scratch *s) {
    const fl_array *weight = &p->call->weight;
    if (!weight->data)
        return NULL;
    if (p->shares) {
        fl_load_shares(p->shares, start, n, s->slope, s->raw);
        return s->slope;
    }
    const void *w = p->ops->load(weight, start, n, s->weight, s->raw);
    if (w != s->weight)
        memcpy(s->weight, w, n * p->ops->itemsize);
    for (size_t i = 0; i < n; i++)
        s->slope[i] = p->scale * fl_number_at(p->ops, s->weight, i);
    return s->slope;
}

void fl_close_values(const fl_embedding_pass *p, size_t start, size_t n, const fl_embedding_scratch *s,
                     fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    size_t whole = fl_round_up(n), rest = (whole - n) * p->ops->itemsize;
    int weighted = c->weight.data && !p->shares;
    if (!c->want_value)
        return;
    memset(s->value + n * p->ops->itemsize, 0, rest);
    if (weighted)
        memset(s->weight + n * p->ops->itemsize, 0, rest);
    if (c->value.data) {
        if (p->shares)
            fl_take_shares(s->value, s->slope, 1, n, c->float32);
        else if (weighted)
            p->ops->multiply(s->value, s->weight, 1, whole);
        p->ops->store(&c->value, start, n, s->value, s->raw);
    } else if (p->shares) {
        fl_add_shares(s->value, s->slope, n, c->float32, total);
    } else {
        fl_add(total, weighted ? p->ops->dot(s->value, s->weight, whole) : p->ops->sum(s->value, whole));
    }
}

/* Gradients times the rows' shares, which are not in them. */
static void fl_weigh_gradients(const fl_embedding_pass *p, const fl_embedding_tile *t, const double *slope) {
    const fl_embeddings_call *c = p->call;
    for (size_t i = 0; i < t->n_rows; i++)
        for (int m = 0; m < p->n_inputs; m++)
            fl_take_shares((char *)t->gradient[m].data +
                               (ptrdiff_t)i * t->gradient[m].stride * (ptrdiff_t)p->ops->itemsize,
                           slope + i, 0, c->n_columns, c->float32);
}

static void fl_run_tile(const fl_embedding_pass *p, size_t start, size_t n, fl_embedding_scratch *s,
                        fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    const fl_row_ops *rows = p->ops->rows;
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
            t.gradient[m] = rows->place(&c->gradient[m], start, n, 0, s->gradient[m]);
    }
    p->ops->embeddings->tile[c->kernel][p->has_gradient ? FL_EMBEDDINGS_VG : FL_EMBEDDINGS_V](&t);
    if (fl_is_stopped(p->watch))
        return;
    if (p->has_gradient && p->shares)
        fl_weigh_gradients(p, &t, slope);
    fl_close_values(p, start, n, s, total);
    for (int m = 0; m < p->n_inputs && p->has_gradient; m++) {
        if (!p->streams)
            fl_store_matrix(p->ops, p->watch, &c->gradient[m], start, n, 0, s->gradient[m], s->raw, NULL);
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
        int ready = fl_allocate_embeddings(p, &scratch);
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
static int fl_has_plain_rows(const fl_array *a, const fl_ops *ops) {
    ptrdiff_t itemsize = (ptrdiff_t)ops->itemsize;
    return a->dtype == ops->dtype && !a->swapped && a->strides[1] == itemsize &&
           a->strides[0] % itemsize == 0 && (uintptr_t)a->data % ops->itemsize == 0;
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
                           .ops = fl_ops_for(c->float32),
                           .scale = 1,
                           .n_inputs = fl_embedding_kernels[c->kernel].n_inputs,
                           .has_label = fl_embedding_kernels[c->kernel].has_label,
                           .has_gradient = c->gradient[0].data != NULL};
    p.row_bytes = c->n_columns * p.ops->itemsize;
    size_t fit = FL_EMBEDDING_TILE_BYTES / p.row_bytes;
    p.tile_rows = fit < 1 ? 1 : (fit < FL_EMBEDDING_TILE_ROWS ? fit : FL_EMBEDDING_TILE_ROWS);
    p.threads = fl_threads_allowed(c->n_threads, c->n_rows * c->n_columns, FL_PARALLEL_EMBEDDINGS);
    for (int m = 0; m < p.n_inputs; m++) {
        p.copies_input[m] = !fl_has_plain_rows(&c->input[m], p.ops);
        p.copies_gradient[m] = p.has_gradient && !fl_has_plain_rows(&c->gradient[m], p.ops);
    }
    p.streams = fl_should_stream(&p, c);
    p.streams_straight = fl_streams_straight(&p, c, c->kernel == FL_EMBEDDINGS_center ? 1 : p.n_inputs);
    return p;
}

fl_status fl_embeddings(fl_embeddings_call *c) {
    c->total = c->weight_sum = 0;
    if (c->n_columns == 0 || (c->n_rows == 0 && c->reduction == FL_REDUCE_MEAN))
        return c->reduction == FL_REDUCE_MEAN ? FL_EMPTY : FL_OK;
    int has_more_centers = c->kernel == FL_EMBEDDINGS_center && c->n_centers > c->n_rows;
    if (fl_times(has_more_centers ? c->n_centers : c->n_rows, c->n_columns) > FL_MOST_ELEMENTS)
        return FL_TOO_LARGE;
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
