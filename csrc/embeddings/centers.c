/* The driver of the centre loss. Values alone are computed in the order of the rows. For the gradients the
 * rows are taken class by class (a counting sort), so that one centre and its sums stay in cache while one
 * pass over the rows makes values, gradients and the scatter-add.
 *
 * The sorted rows are cut into segments, whose bounds depend on the sizes alone; a class that is cut has a
 * partial sum for each segment, added in their order afterwards: the same bits for any number of threads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pass.h"

enum {
    FL_CENTER_SEGMENT_ROWS = 64,        /* at least */
    FL_CENTER_PARTIAL_BYTES = 32 << 20, /* of all segments together, or of one */
    FL_LINE_BYTES = 64,
    FL_PREFETCH_BYTES = 1 << 10
};

/* Two partial sums of a segment: of the class that it begins in the middle of, and of the one that it ends
 * in; each is n_columns sums and as many errors. */
typedef struct {
    const fl_embedding_pass *pass;
    size_t *row;   /* row numbers, sorted by class */
    size_t *begin; /* of each class among them, and their end */
    char *value;   /* reals, by row number */
    double *partial;
    size_t n_segments;
} fl_centers;

static size_t fl_label_at(const fl_embedding_pass *p, const void *labels, size_t i) {
    return p->call->float32 ? (size_t)((const int32_t *)labels)[i] : (size_t)((const int64_t *)labels)[i];
}

static size_t fl_labels_of(const fl_embedding_pass *p, size_t start, size_t n, void *labels, void *raw) {
    double bad;
    return p->ops->rows->labels(&p->call->label, start, n, p->call->n_centers, NULL, labels, raw, &bad);
}

static const void *fl_row_at(const fl_embedding_pass *p, int input, size_t row,
                             const fl_embedding_scratch *s) {
    return p->ops->rows->load(&p->call->input[input], row, 1, 0, s->input[input], s->raw).data;
}

static void fl_set_value(const fl_embedding_pass *p, void *values, size_t i, double x) {
    if (p->call->float32)
        ((float *)values)[i] = (float)x;
    else
        ((double *)values)[i] = x;
}

static void fl_value_tile(const fl_embedding_pass *p, size_t start, size_t n, const char *values,
                          fl_embedding_scratch *s, fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    if (values) {
        memcpy(s->value, values + start * p->ops->itemsize, n * p->ops->itemsize);
    } else {
        fl_labels_of(p, start, n, s->label, s->raw);
        fl_row_matrix x = p->ops->rows->load(&c->input[0], start, n, 0, s->input[0], s->raw);
        for (size_t i = 0; i < n; i++) {
            const void *center = fl_row_at(p, 1, fl_label_at(p, s->label, i), s);
            const char *row = (const char *)x.data + (ptrdiff_t)i * x.stride * (ptrdiff_t)p->ops->itemsize;
            fl_set_value(p, s->value, i,
                         p->ops->embeddings->center(row, center, c->n_columns, 0, 0, NULL, NULL, NULL));
        }
    }
    const void *weights = fl_load_weights(p, start, n, s);
    fl_close_values(p, start, n, s->value, weights ? s->weight : NULL, s->raw, total);
}

/* The values of all rows, computed, or as `values` has them: either way added in the order of the rows. */
static fl_status fl_center_values(const fl_embedding_pass *p, const char *values, double *result) {
    fl_compensated totals[FL_EMBEDDING_SEGMENTS] = {{0, 0}}, total = {0, 0};
    size_t n_rows = p->call->n_rows, n_units = (n_rows + p->tile_rows - 1) / p->tile_rows;
    size_t n_segments = n_units < FL_EMBEDDING_SEGMENTS ? n_units : FL_EMBEDDING_SEGMENTS;
    int failed = 0;
#pragma omp parallel num_threads(p->threads) if (parallel : p -> threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        int ready = fl_allocate_embeddings(p, p->tile_rows, &scratch);
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t s = 0; s < n_segments; s++) {
            size_t from = s * n_units / n_segments * p->tile_rows;
            size_t to = (s + 1) * n_units / n_segments * p->tile_rows;
            to = to < n_rows ? to : n_rows;
            for (size_t start = from; start < to && ready; start += p->tile_rows)
                fl_value_tile(p, start, to - start < p->tile_rows ? to - start : p->tile_rows, values,
                              &scratch, &totals[s]);
        }
        free(scratch.allocated);
    }
    for (size_t s = 0; s < n_segments; s++) {
        fl_add(&total, totals[s].sum);
        fl_add(&total, totals[s].error);
    }
    *result = fl_total(total);
    return failed ? FL_NO_MEMORY : FL_OK;
}

/* Row numbers by class, within a class in their order. */
static void fl_sort_rows(fl_centers *k, const fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    size_t *next = k->begin + 1;
    memset(k->begin, 0, (c->n_centers + 2) * sizeof *k->begin);
    for (int placing = 0; placing < 2; placing++) {
        for (size_t start = 0; start < c->n_rows; start += p->tile_rows) {
            size_t n = c->n_rows - start < p->tile_rows ? c->n_rows - start : p->tile_rows;
            fl_labels_of(p, start, n, s->label, s->raw);
            for (size_t i = 0; i < n; i++) {
                size_t label = fl_label_at(p, s->label, i);
                if (placing)
                    k->row[next[label]++] = start + i;
                else
                    next[label + 1]++;
            }
        }
        for (size_t label = 0; label < c->n_centers && !placing; label++)
            next[label + 1] += next[label];
    }
}

static void fl_store_center(const fl_centers *k, size_t label, const double *sums, fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_array *to = &p->call->gradient[1];
    size_t d = p->call->n_columns;
    fl_row_matrix place = p->ops->rows->place(to, label, 1, 0, s->gradient[1]);
    p->ops->embeddings->finish_center(place.data, sums, sums + d, d, -p->scale);
    p->ops->rows->store(to, label, 1, 0, s->gradient[1], s->raw);
}

/* The start of a row that comes soon, whose address no hardware can foresee. */
static void fl_fetch(const fl_embedding_pass *p, size_t row) {
#if defined(__GNUC__) || defined(__clang__)
    const fl_array *x = &p->call->input[0];
    const char *at = (const char *)x->data + (ptrdiff_t)row * x->strides[0];
    size_t bytes = p->row_bytes < FL_PREFETCH_BYTES ? p->row_bytes : FL_PREFETCH_BYTES;
    for (size_t i = 0; i < bytes && !p->copies_input[0]; i += FL_LINE_BYTES)
        __builtin_prefetch(at + i);
#else
    (void)p, (void)row;
#endif
}

/* One row's value, gradient, and share of its centre's sums. */
static void fl_center_step(const fl_centers *k, size_t row, const void *center, double *sums,
                           fl_embedding_scratch *s) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    double weight = 1;
    if (c->weight.data) {
        const void *w = p->ops->load(&c->weight, row, 1, s->weight, s->raw);
        weight = c->float32 ? (double)*(const float *)w : *(const double *)w;
    }
    const void *x = fl_row_at(p, 0, row, s);
    fl_row_matrix to = p->ops->rows->place(&c->gradient[0], row, 1, 0, s->gradient[0]);
    double value = p->ops->embeddings->center(x, center, c->n_columns, p->scale * weight, weight, to.data,
                                              sums, sums + c->n_columns);
    fl_set_value(p, k->value, row, value);
    p->ops->rows->store(&c->gradient[0], row, 1, 0, s->gradient[0], s->raw);
}

static size_t fl_segment_bound(const fl_centers *k, size_t segment) {
    return (size_t)((double)k->pass->call->n_rows / (double)k->n_segments * (double)segment);
}

/* The class of a place among the sorted rows. */
static size_t fl_class_at(const fl_centers *k, size_t place) {
    size_t low = 0, high = k->pass->call->n_centers;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (k->begin[middle] <= place)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void fl_center_segment(const fl_centers *k, size_t segment, double *own_sums,
                              fl_embedding_scratch *s) {
    size_t d = k->pass->call->n_columns, from = fl_segment_bound(k, segment);
    size_t to = segment + 1 == k->n_segments ? k->pass->call->n_rows : fl_segment_bound(k, segment + 1);
    for (size_t at = from; at < to;) {
        size_t label = fl_class_at(k, at), end = k->begin[label + 1] < to ? k->begin[label + 1] : to;
        int starts = k->begin[label] >= from, ends = k->begin[label + 1] <= to;
        double *sums = starts && ends ? own_sums : k->partial + (2 * segment + (starts ? 1 : 0)) * 2 * d;
        memset(sums, 0, 2 * d * sizeof *sums);
        const void *center = fl_row_at(k->pass, 1, label, s);
        for (; at < end; at++) {
            if (at + 2 < to)
                fl_fetch(k->pass, k->row[at + 2]);
            fl_center_step(k, k->row[at], center, sums, s);
        }
        if (starts && ends)
            fl_store_center(k, label, sums, s);
    }
}

/* Of the classes that segments cut: the sums of their pieces, in order. */
static void fl_join_segments(const fl_centers *k, double *sums, fl_embedding_scratch *s) {
    size_t d = k->pass->call->n_columns, n_rows = k->pass->call->n_rows;
    for (size_t segment = 0; segment + 1 < k->n_segments; segment++) {
        size_t bound = fl_segment_bound(k, segment + 1), label = fl_class_at(k, bound);
        size_t first = k->begin[label], last = k->begin[label + 1];
        /* Joined once, at the first bound inside the class. */
        if (first >= bound || first < fl_segment_bound(k, segment))
            continue;
        memset(sums, 0, 2 * d * sizeof *sums);
        for (size_t piece = segment; piece < k->n_segments; piece++) {
            size_t from = fl_segment_bound(k, piece);
            if (from >= last || from >= n_rows)
                break;
            const double *part = k->partial + (2 * piece + (first >= from ? 1 : 0)) * 2 * d;
            for (size_t i = 0; i < 2 * d; i++)
                sums[i] += part[i];
        }
        fl_store_center(k, label, sums, s);
    }
}

static int fl_run_center_segments(fl_centers *k) {
    const fl_embedding_pass *p = k->pass;
    const fl_embeddings_call *c = p->call;
    size_t sum_bytes = 2 * c->n_columns * sizeof(double);
    int failed = 0;
#pragma omp parallel num_threads(p->threads) if (parallel : p -> threads > 1) reduction(| : failed)
    {
        fl_embedding_scratch scratch;
        double *sums = malloc(sum_bytes);
        int ready = fl_allocate_embeddings(p, 1, &scratch) && sums;
        failed |= !ready;
#pragma omp for schedule(dynamic, 1)
        for (size_t segment = 0; segment < k->n_segments; segment++)
            if (ready)
                fl_center_segment(k, segment, sums, &scratch);
#pragma omp single
        if (ready)
            fl_join_segments(k, sums, &scratch);
        if (ready)
            memset(sums, 0, sum_bytes);
#pragma omp for schedule(static)
        for (size_t label = 0; label < c->n_centers; label++)
            if (ready && k->begin[label] == k->begin[label + 1])
                fl_store_center(k, label, sums, &scratch);
        free(scratch.allocated);
        free(sums);
    }
    return !failed;
}

static fl_status fl_center_gradients(const fl_embedding_pass *p, double *total) {
    const fl_embeddings_call *c = p->call;
    size_t partial_bytes = 4 * c->n_columns * sizeof(double);
    size_t most = FL_CENTER_PARTIAL_BYTES / partial_bytes, wanted = c->n_rows / FL_CENTER_SEGMENT_ROWS;
    most = most < 1 ? 1 : (most < FL_EMBEDDING_SEGMENTS ? most : FL_EMBEDDING_SEGMENTS);
    fl_centers k = {.pass = p, .n_segments = wanted < 1 ? 1 : (wanted < most ? wanted : most)};
    k.row = malloc((c->n_rows + 1) * sizeof *k.row);
    k.begin = malloc((c->n_centers + 2) * sizeof *k.begin);
    k.value = malloc((c->n_rows + 1) * p->ops->itemsize);
    k.partial = malloc(k.n_segments * partial_bytes);
    fl_embedding_scratch scratch = {.allocated = NULL};
    fl_status status = FL_NO_MEMORY;
    if (k.row && k.begin && k.value && k.partial && fl_allocate_embeddings(p, p->tile_rows, &scratch)) {
        fl_sort_rows(&k, &scratch);
        if (fl_run_center_segments(&k))
            status = fl_center_values(p, k.value, total);
    }
    free(scratch.allocated);
    free(k.row);
    free(k.begin);
    free(k.value);
    free(k.partial);
    return status;
}

fl_status fl_run_centers(const fl_embedding_pass *p, double *total) {
    return p->has_gradient ? fl_center_gradients(p, total) : fl_center_values(p, NULL, total);
}
