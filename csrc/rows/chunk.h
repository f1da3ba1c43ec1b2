/* Rows in chunks of classes, and what the loops along rows (along.inc) do with the numbers of one: its end that
 * is no whole vector, the largest and the sum of its lanes, memory fetched ahead. */
#ifndef FL_ROWS_CHUNK_H
#define FL_ROWS_CHUNK_H

#include "../blocks/tile.h"
#include "state.h"

enum {
    FL_ALONG_LANES = 64 / sizeof(real),
    FL_ALONG_GROUP = 4 * FL_ALONG_LANES, /* classes whose terms are added to each other first */
    /* Partial sums of a chunk: one of each group and of each vector after them, and zeros up to a multiple of
     * four. */
    FL_ALONG_PARTS = FL_ROW_CHUNK / FL_ALONG_GROUP + 4
};

/* One chunk's part of all matrices, classes from `start` on. */
typedef struct {
    size_t row, chunk, start, n;
    const real *z, *y, *own, *base;
    real *g, *h;
} fl_row_chunk;

/* What is kept of a chunk until the row is complete. */
#define FL_DECLARE_FIELD(type, name) type name;
typedef struct {
    FL_PART_FIELDS(FL_DECLARE_FIELD)
} fl_row_part;

#define FL_TAKE_FIELD(type, name) row.name = part.name;
FL_INLINE fl_row fl_part_of(fl_row row, fl_row_part part) {
    FL_PART_FIELDS(FL_TAKE_FIELD)
    return row;
}

/* These fields alone: a row's others are known in its state. */
#define FL_PUT_PART_FIELD(type, name) s->name[i] = part.name;
FL_INLINE void fl_put_part(fl_row_state *s, size_t i, fl_row_part part) {
    FL_PART_FIELDS(FL_PUT_PART_FIELD)
}

/* What chunks of a row amount to on each level of the tree in which they are merged lies in the state's
 * places beyond those of the rows, field by field: a structure written by scalars and read by vectors waits.
 */
enum { FL_MOST_LEVELS = 48, FL_FIRST_LEVEL = FL_ROW_TILE - FL_MOST_LEVELS };

#define FL_PUT_LEVEL_FIELD(type, name) s->name[i] = row.name;
FL_INLINE void fl_put_level(fl_row_state *s, size_t i, fl_row row){FL_LEVEL_FIELDS(FL_PUT_LEVEL_FIELD)}

#define FL_TAKE_LEVEL_FIELD(type, name) row.name = s->name[i];
FL_INLINE fl_row fl_take_level(const fl_row_state *s, size_t i) {
    fl_row row = {0};
    FL_LEVEL_FIELDS(FL_TAKE_LEVEL_FIELD)
    return row;
}

/* A vector of the classes after a chunk's whole groups. */
typedef struct {
    _Alignas(64) real z[FL_ALONG_LANES], y[FL_ALONG_LANES], own[FL_ALONG_LANES], base[FL_ALONG_LANES];
} fl_row_tail;

FL_INLINE size_t fl_chunks_of_row(const fl_row_tile *t) {
    return (t->n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;
}

FL_INLINE fl_row_part *fl_part_at(const fl_row_tile *t, size_t row, size_t chunk) {
    return (fl_row_part *)t->partial + row * fl_chunks_of_row(t) + chunk;
}

FL_INLINE real *fl_chunk_line(fl_row_matrix m, size_t row, size_t start) {
    return m.data ? m.data + (ptrdiff_t)row * m.stride + start : NULL;
}

FL_INLINE fl_row_chunk fl_chunk_at(const fl_row_tile *t, size_t row, size_t chunk, int form) {
    int spreads = form == FL_SMOOTHED || form == FL_DENSE_WEIGHTED;
    size_t start = chunk * FL_ROW_CHUNK, left = t->n_classes - start;
    return (fl_row_chunk){row,
                          chunk,
                          start,
                          left < FL_ROW_CHUNK ? left : FL_ROW_CHUNK,
                          fl_chunk_line(t->prediction, row, start),
                          fl_has_matrix(form) ? fl_chunk_line(t->target, row, start) : NULL,
                          spreads ? t->options->own + start : NULL,
                          spreads ? t->options->base + start : NULL,
                          fl_chunk_line(t->gradient, row, start),
                          fl_chunk_line(t->hessian, row, start)};
}

FL_INLINE fl_row_chunk fl_chunk_after(const fl_row_tile *t, fl_row_chunk c, size_t n_chunks, int form) {
    int ends = c.chunk + 1 == n_chunks;
    return fl_chunk_at(t, c.row + (size_t)ends, ends ? 0 : c.chunk + 1, form);
}

/* Numbers from .. n of a chunk, then its last one; `width` in all. */
FL_INLINE void fl_fill_tail(const real *x, size_t from, size_t n, const real_int width, real *tail) {
    real_int left = (real_int)(n - from);
    const real *rest = x + from, last = x[n - 1];
#pragma omp simd
    for (real_int j = 0; j < width; j++)
        tail[j] = j < left ? rest[j] : last;
}

FL_INLINE void fl_put_tail(const real *tail, size_t n, real *to) {
    real_int left = (real_int)n;
#pragma omp simd
    for (real_int j = 0; j < FL_ALONG_LANES; j++)
        if (j < left)
            to[j] = tail[j];
}

FL_INLINE void fl_tail_of(fl_row_chunk c, const real *x, size_t from, int form, fl_row_tail *tail) {
    fl_fill_tail(x, from, c.n, FL_ALONG_LANES, tail->z);
    if (fl_has_matrix(form))
        fl_fill_tail(c.y, from, c.n, FL_ALONG_LANES, tail->y);
    if (form == FL_SMOOTHED || form == FL_DENSE_WEIGHTED) {
        fl_fill_tail(c.own, from, c.n, FL_ALONG_LANES, tail->own);
        fl_fill_tail(c.base, from, c.n, FL_ALONG_LANES, tail->base);
    }
}

/* What is scanned, in vectors that stay in registers. */
enum { FL_SCAN_VECTORS = 4, FL_SCAN_STEP = FL_SCAN_VECTORS * (int)FL_REALS };
typedef struct {
    fl_real_vector highest[FL_SCAN_VECTORS], lowest[FL_SCAN_VECTORS], poison[FL_SCAN_VECTORS];
} fl_along_scan;

#define FL_LARGER(x, y) ((x) > (y) ? (x) : (y))
#define FL_SMALLER(x, y) ((x) < (y) ? (x) : (y))
#define FL_SUM(x, y) ((x) + (y))
/* x[j] = OF(x[j], x[j + width]): as a loop for the vectoriser, since unrolled it becomes scalars. */
#define FL_HALVE(OF, size, width, x)                                                                         \
    if ((size) > (width)) {                                                                                  \
        _Pragma("omp simd") for (int j = 0; j < (width); j++) x[j] = OF(x[j], x[j + (width)]);               \
    }
/* One number from `size` of them, 64 at most; `from` are vectors or reals. */
#define FL_REDUCE(OF, size, from)                                                                            \
    _Alignas(64) real x[size];                                                                               \
    memcpy(x, from, sizeof x);                                                                               \
    FL_HALVE(OF, size, 32, x)                                                                                \
    FL_HALVE(OF, size, 16, x)                                                                                \
    FL_HALVE(OF, size, 8, x)                                                                                 \
    FL_HALVE(OF, size, 4, x)                                                                                 \
    return OF(OF(x[0], x[2]), OF(x[1], x[3]));

FL_INLINE real fl_largest_scanned(const fl_real_vector *lanes){FL_REDUCE(FL_LARGER, FL_SCAN_STEP, lanes)}

FL_INLINE real fl_smallest_scanned(const fl_real_vector *lanes){FL_REDUCE(FL_SMALLER, FL_SCAN_STEP, lanes)}

FL_INLINE real fl_sum_scanned(const fl_real_vector *lanes){FL_REDUCE(FL_SUM, FL_SCAN_STEP, lanes)}

/* The sum of vectors of partial sums, followed by zeros up to a multiple of four of them. */
FL_INLINE real fl_sum_parts(const real *parts, size_t n_parts) {
    enum { WIDTH = FL_ALONG_GROUP / FL_REALS };
    fl_real_vector sums[WIDTH] = {{0}}, more;
    for (size_t p = 0; p < n_parts; p += 4) {
        const real *next = parts + p * FL_ALONG_LANES;
#pragma GCC unroll 16
        for (int i = 0; i < WIDTH; i++) {
            memcpy(&more, next + i * FL_REALS, sizeof more);
            sums[i] += more;
        }
    }
    FL_REDUCE(FL_SUM, FL_ALONG_GROUP, sums)
}

/* What that sum is off by. */
FL_INLINE real fl_error_of_parts(const real *parts, size_t n_parts) {
    _Alignas(64) real s[FL_ALONG_GROUP], error[FL_ALONG_GROUP] = {0};
    memcpy(s, parts, sizeof s);
    for (size_t p = 4; p < n_parts; p += 4) {
#pragma omp simd
        for (size_t j = 0; j < FL_ALONG_GROUP; j++) {
            fl_pair sum = fl_two_sum(s[j], parts[p * FL_ALONG_LANES + j]);
            s[j] = sum.hi;
            error[j] += sum.lo;
        }
    }
    for (size_t width = FL_ALONG_GROUP / 2; width > 0; width /= 2) {
#pragma omp simd
        for (size_t j = 0; j < width; j++) {
            fl_pair sum = fl_two_sum(s[j], s[j + width]);
            s[j] = sum.hi;
            error[j] = (error[j] + error[j + width]) + sum.lo;
        }
    }
    return error[0];
}

/* Where a class's rows are next to each other, in lines that are turned for a block of rows: spread over the
 * computation of one block, fetches the next one's to L2. `done` of the block's entries are computed, `now`
 * by now. */
FL_INLINE void fl_fetch_turned(fl_row_ahead next, int block_shift, size_t done, size_t now) {
    for (size_t k = done >> block_shift; k < now >> block_shift; k++) {
        const char *line = next.data + (ptrdiff_t)k * next.step;
        for (size_t i = 0; i < (sizeof(real) << block_shift) + 48; i += 64) {
            __builtin_prefetch(line + i, 0, 2);
        }
    }
}

/* How far ahead of their terms predictions are asked for, which are scanned a chunk before, and how far ahead
 * of the terms kept in them outputs. */
enum { FL_READ_AHEAD = 4 * FL_ROW_CHUNK, FL_WRITE_AHEAD = FL_ROW_CHUNK };

FL_INLINE void fl_fetch_group(const real *lines, const int for_writing) {
    for (size_t i = 0; i < FL_ALONG_GROUP; i += FL_ALONG_LANES)
        fl_fetch_line(lines + i, for_writing);
}

/* Four of the lines that wait, unless they are fewer. */
FL_INLINE void fl_send_lines(const fl_row_queue *q, size_t line) {
    if (line + 4 <= q->lines)
        for (size_t i = line; i < line + 4; i++)
            fl_stream_line(q->to + 64 * i, q->from + 64 * i);
}

/* After a chunk during which `lines` could be sent. */
FL_INLINE void fl_advance_queue(fl_row_queue *q, size_t lines) {
    size_t sent = q->lines < lines ? q->lines & ~(size_t)3 : lines;
    q->from += 64 * sent;
    q->to += 64 * sent;
    q->lines -= sent;
}

#endif
