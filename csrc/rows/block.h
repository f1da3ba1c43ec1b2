/* The matrices of a few tiles' rows, in and out of the caller's arrays. Included by drive.h alone. */
#ifndef FL_ROWS_BLOCK_H
#define FL_ROWS_BLOCK_H

#include "../pass/cache.h"
#include "pass.h"

typedef struct {
    size_t start, n;
    int shift; /* if the 2^shift rows after these, which are turned at once, are to be fetched meanwhile */
    fl_row_matrix prediction, target, gradient, hessian;
} fl_row_block;

/* Of a matrix that is turned at once: a thread's share of the last-level cache within these bounds. */
enum {
    FL_LEAST_TURNED_BYTES = 2 << 20,
    FL_MOST_TURNED_BYTES = 8 << 20,
    FL_FETCHED_BYTES = 1 << 20 /* of the next one */
};

static int fl_lies_by_class(const fl_array *a) {
    return a->data && fl_is_by_class(a->strides[0], a->strides[1]);
}

/* Usually a tile. A matrix in which a class's rows are next to each other is turned in blocks of whole cache
 * lines of them, even where they do not fit into L2. */
static size_t fl_block_rows(const fl_row_pass *p) {
    const fl_rows_call *c = p->call;
    int by_class = fl_lies_by_class(&c->prediction) || fl_lies_by_class(&c->gradient) ||
                   fl_lies_by_class(&c->hessian) || (c->dense && fl_lies_by_class(&c->target));
    if (p->across || !by_class)
        return p->tile_rows;
    size_t rows = 64 / sizeof(real), row_bytes = c->n_classes * sizeof(real);
    size_t share = (c->n_rows + (size_t)c->n_threads - 1) / (size_t)c->n_threads;
    size_t most = fl_cache_size() / (size_t)c->n_threads;
    most = most > FL_MOST_TURNED_BYTES ? FL_MOST_TURNED_BYTES : most;
    most = most < FL_LEAST_TURNED_BYTES ? FL_LEAST_TURNED_BYTES : most;
    for (int i = 1; i < FL_TURNED_LINES && 2 * rows * row_bytes <= most && rows < share; i *= 2)
        rows *= 2;
    return rows > p->tile_rows ? rows : p->tile_rows;
}

/* Whether the next block that is turned is fetched while this one is computed: it waits in L2, unless all of
 * it is in the last-level cache anyway. */
static int fl_fetches_blocks(const fl_row_pass *p) {
    return p->streams && fl_turns_blocks(p) && p->matrix_reals <= FL_FETCHED_BYTES / sizeof(real) &&
           fl_lies_by_class(&p->call->prediction);
}

/* A block's matrix from one of its rows on. */
static fl_row_matrix fl_rows_of(fl_row_matrix m, size_t row) {
    if (row)
        m.data += (ptrdiff_t)row * m.stride;
    return m;
}

static int fl_is_copied(const fl_row_pass *p, const fl_array *a) {
    return a->data && fl_scratch_matrices(a, p->across) > 0;
}

/* Where the kernel may leave rows of an output: `block` is the matrix in scratch. Those that wait in a queue
 * lie within a cache line as their destination does. */
static fl_row_matrix fl_place_output(const fl_row_pass *p, const fl_array *a, size_t start, size_t n,
                                     fl_row_matrix block, int second_half) {
    if (!a->data)
        return block;
    if (p->streams && (p->across || p->flat))
        return block;
    if (!fl_queues_slopes(p))
        return fl_place_tile(a, start, n, p->across, block.data);
    uintptr_t to = (uintptr_t)a->data + start * (size_t)a->strides[0];
    real *half = block.data + (second_half ? fl_streamed_half(p) : 0);
    return (fl_row_matrix){half + to % 64 / sizeof(real), a->shape[1]};
}

/* All but the ends, which share their lines with rows of other threads, waits for its turn. */
static void fl_queue_block(const fl_row_block *b, const fl_array *a, fl_row_matrix m, fl_row_queue *queue) {
    char *to = (char *)a->data + (ptrdiff_t)b->start * a->strides[0];
    const char *from = (const char *)m.data;
    size_t bytes = b->n * (size_t)a->strides[0], head = (64 - (uintptr_t)to % 64) % 64;
    head = head < bytes ? head : bytes;
    size_t lines = (bytes - head) / 64, end = head + 64 * lines;
    memcpy(to, from, head);
    memcpy(to + end, from + end, bytes - end);
    *queue = (fl_row_queue){from + head, to + head, lines};
}

static void fl_send_queues(const fl_row_pass *p, fl_row_queue *queues) {
    for (int i = 0; i < FL_ROW_QUEUES; i++) {
        p->ops->stream(queues[i].to, queues[i].from, queues[i].lines * 64 / sizeof(real));
        queues[i].lines = 0;
    }
}

/* With `copied`, what is not used in place is in scratch already. */
static fl_row_block fl_load_block(const fl_row_pass *p, size_t start, size_t n, int copied,
                                  fl_row_scratch *scratch) {
    const fl_rows_call *c = p->call;
    ptrdiff_t line = (ptrdiff_t)(p->across ? fl_round_up(n) : fl_scratch_line(c->n_classes));
    fl_row_block b = {.start = start, .n = n};
    for (size_t rows = p->block_rows; fl_fetches_blocks(p) && rows > 1; rows /= 2)
        b.shift++;
    b.prediction = (fl_row_matrix){scratch->prediction, line};
    b.target = (fl_row_matrix){scratch->target, line};
    if (p->reads_target && !fl_by_label(p) && !(copied && fl_is_copied(p, &c->target)))
        b.target =
            fl_load_matrix(p->ops, p->watch, &c->target, start, n, p->across, scratch->target, scratch->raw);
    if (p->reads_prediction && !(copied && fl_is_copied(p, &c->prediction)))
        b.prediction = fl_load_matrix(p->ops, p->watch, &c->prediction, start, n, p->across,
                                      scratch->prediction, scratch->raw);
    b.gradient = fl_place_output(p, &c->gradient, start, n, (fl_row_matrix){scratch->gradient, line},
                                 scratch->second_half);
    b.hessian = fl_place_output(p, &c->hessian, start, n,
                                (fl_row_matrix){c->hessian.data ? scratch->hessian : NULL, line},
                                scratch->second_half);
    return b;
}

static void fl_store_block(const fl_row_pass *p, const fl_row_block *b, fl_row_scratch *scratch) {
    const fl_rows_call *c = p->call;
    if (!p->functions)
        return;
    if (fl_queues_slopes(p)) {
        fl_send_queues(p, scratch->queues);
        if (c->gradient.data)
            fl_queue_block(b, &c->gradient, b->gradient, &scratch->queues[0]);
        if (c->hessian.data)
            fl_queue_block(b, &c->hessian, b->hessian, &scratch->queues[1]);
        scratch->second_half = !scratch->second_half;
        return;
    }
    if (c->gradient.data)
        fl_store_matrix(p->ops, p->watch, &c->gradient, b->start, b->n, p->across, scratch->gradient,
                        scratch->raw, p->streams);
    if (c->hessian.data)
        fl_store_matrix(p->ops, p->watch, &c->hessian, b->start, b->n, p->across, scratch->hessian,
                        scratch->raw, p->streams);
}

/* What is not used in place of a row along which vectors run, by all threads. */
static void fl_copy_row(const fl_row_pass *p, size_t row, int threads, fl_row_scratch *scratch, int stores) {
    const fl_rows_call *c = p->call;
    const fl_array *arrays[] = {stores ? &c->gradient : &c->prediction, stores ? &c->hessian : &c->target};
    real *places[] = {stores ? scratch->gradient : scratch->prediction,
                      stores ? scratch->hessian : scratch->target};
    size_t shares = (size_t)threads;
    for (int k = 0; k < 2; k++) {
        int has_rows = stores || k == 0 || (p->reads_target && !fl_by_label(p));
        if (!has_rows || !fl_is_copied(p, arrays[k]))
            continue;
#pragma omp parallel for num_threads(threads) schedule(static)
        for (size_t i = 0; i < shares; i++)
            fl_copy_part(p->ops, p->watch, arrays[k], row, i * c->n_classes / shares,
                         (i + 1) * c->n_classes / shares, places[k], stores);
    }
}

#endif
