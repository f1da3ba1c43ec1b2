/* The matrices of a few tiles' rows, in and out of the caller's arrays. Included by evaluate.c alone. */
#ifndef FL_ROWS_BLOCK_H
#define FL_ROWS_BLOCK_H

#include "pass.h"

typedef struct {
    size_t start, n;
    int shift; /* of the 2^shift rows that are turned at once, if any */
    fl_row_matrix prediction, target, gradient, hessian;
} fl_row_block;

enum {
    FL_TURNED_BYTES = 2 << 20, /* of a matrix that is turned at once */
    FL_TURNED_LINES = 8        /* cache lines of each class, at most */
};

static int fl_lies_by_class(const fl_array *a) {
    ptrdiff_t row = a->strides[0], column = a->strides[1];
    return a->data && (row < 0 ? -row : row) < (column < 0 ? -column : column);
}

/* Usually a tile. A matrix in which a class's rows are next to each other is turned in blocks of whole cache
 * lines of them, even where they do not fit into L2. */
static size_t fl_block_rows(const fl_row_pass *p) {
    const fl_rows_call *c = p->call;
    int by_class = fl_lies_by_class(&c->prediction) || fl_lies_by_class(&c->gradient) ||
                   fl_lies_by_class(&c->hessian) || (c->dense && fl_lies_by_class(&c->target));
    if (p->across || !by_class)
        return p->tile_rows;
    size_t rows = 64 / p->ops->itemsize, row_bytes = c->n_classes * p->ops->itemsize;
    size_t share = (c->n_rows + (size_t)c->n_threads - 1) / (size_t)c->n_threads;
    for (int i = 1; i < FL_TURNED_LINES && 2 * rows * row_bytes <= FL_TURNED_BYTES && rows < share; i *= 2)
        rows *= 2;
    return rows > p->tile_rows ? rows : p->tile_rows;
}

/* A block's matrix from one of its rows on. */
static fl_row_matrix fl_rows_of(const fl_row_pass *p, fl_row_matrix m, size_t row) {
    if (row)
        m.data = (char *)m.data + (ptrdiff_t)row * m.stride * (ptrdiff_t)p->ops->itemsize;
    return m;
}

static fl_row_block fl_load_block(const fl_row_pass *p, size_t start, size_t n, fl_row_scratch *scratch) {
    const fl_rows_call *c = p->call;
    size_t itemsize = p->ops->itemsize;
    ptrdiff_t line =
        (ptrdiff_t)(p->across ? fl_round_up(n) : fl_scratch_line(c->n_classes, itemsize) / itemsize);
    fl_row_block b = {.start = start, .n = n};
    for (size_t rows = p->block_rows; p->block_rows > p->tile_rows && rows > 1; rows /= 2)
        b.shift++;
    if (p->reads_target && !fl_by_label(p))
        b.target = p->rows->load(&c->target, start, n, p->across, scratch->target, scratch->raw);
    if (p->reads_prediction)
        b.prediction = p->rows->load(&c->prediction, start, n, p->across, scratch->prediction, scratch->raw);
    b.gradient = (fl_row_matrix){scratch->gradient, line};
    b.hessian = (fl_row_matrix){c->hessian.data ? scratch->hessian : NULL, line};
    if (c->gradient.data && !p->streams)
        b.gradient = p->rows->place(&c->gradient, start, n, p->across, scratch->gradient);
    if (c->hessian.data && !p->streams)
        b.hessian = p->rows->place(&c->hessian, start, n, p->across, scratch->hessian);
    return b;
}

static void fl_store_block(const fl_row_pass *p, const fl_row_block *b, fl_row_scratch *scratch) {
    const fl_rows_call *c = p->call;
    fl_stream_fn stream = p->streams ? p->ops->stream : NULL;
    if (!p->functions)
        return;
    if (c->gradient.data)
        p->rows->store(&c->gradient, b->start, b->n, p->across, scratch->gradient, scratch->raw, stream);
    if (c->hessian.data)
        p->rows->store(&c->hessian, b->start, b->n, p->across, scratch->hessian, scratch->raw, stream);
}

#endif
