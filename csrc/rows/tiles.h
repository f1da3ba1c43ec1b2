/* Tiles of rows in and out of arrays of any dtype, strides and byte order. A tile's lines are its rows or,
 * where vectors run across rows, its classes. Lines that lie contiguous in memory are used in place; those
 * that are contiguous the other way are transposed; anything else is gathered line by line, the shorter
 * stride first. */
#ifndef FL_ROWS_TILES_H
#define FL_ROWS_TILES_H

#include "../blocks/check.h"
#include "../blocks/load.h"
#include "../blocks/store.h"
#include "../pass/stream.h"
#include "tile_view.h"
#include "transpose.h"

/* One strided run of an array to packed reals or back, in pieces that fit into `raw`. */
static void fl_convert_run(const fl_array *a, char *run, ptrdiff_t stride, size_t n, real *block, char *raw,
                           int scatter) {
    size_t itemsize = fl_itemsize(a->dtype), piece = FL_RAW_BYTES / itemsize;
    for (size_t i = 0; i < n; i += piece, run += (ptrdiff_t)piece * stride, block += piece) {
        size_t m = n - i < piece ? n - i : piece;
        fl_array part = {.data = run, .dtype = a->dtype, .swapped = a->swapped, .n_dims = 1};
        part.shape[0] = (ptrdiff_t)m;
        part.strides[0] = stride;
        if (scatter) {
            fl_store(&part, 0, m, block, raw);
        } else {
            const char *from = run;
            if (a->swapped || stride != (ptrdiff_t)itemsize) {
                fl_walk_view(&part, 0, m, raw, 0);
                from = raw;
            }
            fl_converters[a->dtype](block, from, m);
        }
    }
}

/* Every line of the tile, along the dimension of the shorter stride, to or from a packed matrix whose lines
 * are those. */
static void fl_convert_lines(const fl_array *a, const fl_tile_view *v, int by_class, real *block,
                             ptrdiff_t stride, char *raw, int scatter) {
    size_t n_lines = by_class ? v->n_classes : v->n, length = by_class ? v->n : v->n_classes;
    for (size_t i = 0; i < n_lines; i++)
        fl_convert_run(a, v->data + (ptrdiff_t)i * (by_class ? v->column : v->row),
                       by_class ? v->row : v->column, length, block + (ptrdiff_t)i * stride, raw, scatter);
}

/* Rows beyond the last repeat it, so that whatever holds for all rows holds for them. */
static void fl_pad_rows(real *block, size_t n, size_t padded, size_t n_classes) {
    for (size_t k = 0; n < padded && k < n_classes; k++)
        for (size_t i = n; i < padded; i++)
            block[k * padded + i] = block[k * padded + n - 1];
}

static fl_row_matrix fl_load_tile(const fl_array *a, size_t start, size_t n, int across, size_t whole,
                                  real *block, char *raw) {
    fl_tile_view v = fl_view_tile(a, start, n, across, whole);
    int lines = fl_lines_of(&v, across);
    if (lines == FL_LINES_IN_PLACE)
        return fl_in_place(&v, across);
    size_t line = v.line;
    if (lines == FL_LINES_TRANSPOSED) {
        if (across)
            fl_transpose((const real *)v.data, v.row / (ptrdiff_t)sizeof(real), n, v.n_classes, block,
                         (ptrdiff_t)line);
        else
            fl_transpose_fetched((const real *)v.data, v.column / (ptrdiff_t)sizeof(real), v.n_classes, n,
                                 block, (ptrdiff_t)line);
    } else {
        int by_class = fl_is_by_class(v.row, v.column);
        real *gathered = by_class == across ? block : block + v.matrix;
        size_t other = by_class ? v.padded : (across ? v.n_classes : line);
        fl_convert_lines(a, &v, by_class, gathered, (ptrdiff_t)other, raw, 0);
        if (gathered != block)
            fl_transpose(gathered, (ptrdiff_t)other, by_class ? v.n_classes : n, by_class ? n : v.n_classes,
                         block, (ptrdiff_t)line);
    }
    if (across)
        fl_pad_rows(block, n, v.padded, v.n_classes);
    return (fl_row_matrix){block, (ptrdiff_t)line};
}

/* Rows of classes next to each other, turned into lines of the classes, which are written past the caches but
 * for their ends: the next rows' lines begin in the same cache lines. */
static void fl_stream_classes(const fl_tile_view *v, const real *block, ptrdiff_t line) {
    enum { CLASSES = 16, ROWS = FL_TURNED_LINES * 64 / sizeof(real), WIDTH = ROWS + 64 / sizeof(real) };
    _Alignas(64) real turned[CLASSES * WIDTH];
    for (size_t k = 0; k < v->n_classes; k += CLASSES) {
        size_t n_classes = v->n_classes - k < CLASSES ? v->n_classes - k : CLASSES;
        size_t bytes = v->n * sizeof(real);
        for (size_t j = k + CLASSES; j < k + 2 * CLASSES && j < v->n_classes; j++) {
            const char *next = v->data + (ptrdiff_t)j * v->column;
            fl_fetch_line(next, 1);
            fl_fetch_line(next + bytes - 1, 1);
        }
        fl_transpose(block + k, line, v->n, n_classes, turned, WIDTH);
        for (size_t j = 0; j < n_classes; j++) {
            char *to = v->data + (ptrdiff_t)(k + j) * v->column;
            const char *from = (const char *)(turned + j * WIDTH);
            size_t i = (64 - (uintptr_t)to % 64) % 64;
            i = i < bytes ? i : bytes;
            memcpy(to, from, i);
            for (; i + 64 <= bytes; i += 64)
                fl_stream_line(to + i, from + i);
            memcpy(to + i, from + i, bytes - i);
        }
    }
}

static void fl_store_tile(const fl_array *a, size_t start, size_t n, int across, size_t whole, real *block,
                          char *raw, int streams) {
    fl_tile_view v = fl_view_tile(a, start, n, across, whole);
    int lines = fl_lines_of(&v, across);
    size_t line = v.line;
    if (streams && v.column == (ptrdiff_t)sizeof(real) && !across) {
        fl_stream(v.data, block, n * v.n_classes);
        return;
    }
    if (streams && !across) {
        fl_stream_classes(&v, block, (ptrdiff_t)line);
        return;
    }
    if (streams) {
        real *turned = block + v.matrix;
        fl_transpose(block, (ptrdiff_t)line, v.n_classes, n, turned, (ptrdiff_t)v.n_classes);
        fl_stream(v.data, turned, n * v.n_classes);
        return;
    }
    if (lines == FL_LINES_IN_PLACE)
        return;
    if (lines == FL_LINES_TRANSPOSED) {
        fl_transpose(block, (ptrdiff_t)line, across ? v.n_classes : n, across ? n : v.n_classes,
                     (real *)v.data, (across ? v.row : v.column) / (ptrdiff_t)sizeof(real));
        return;
    }
    int by_class = fl_is_by_class(v.row, v.column);
    if (by_class != across) {
        real *turned = block + v.matrix;
        size_t other = by_class ? v.padded : (across ? v.n_classes : line);
        fl_transpose(block, (ptrdiff_t)line, across ? v.n_classes : n, across ? n : v.n_classes, turned,
                     (ptrdiff_t)other);
        block = turned;
        line = other;
    }
    fl_convert_lines(a, &v, by_class, block, (ptrdiff_t)line, raw, 1);
}

static int fl_is_entry_outside(fl_row_matrix m, size_t row, size_t k, int across, const fl_domain *d,
                               double *value) {
    const real *x = m.data;
    real entry =
        across ? x[(ptrdiff_t)k * m.stride + (ptrdiff_t)row] : x[(ptrdiff_t)row * m.stride + (ptrdiff_t)k];
    *value = (double)entry;
    return fl_is_outside(entry, d);
}

static int fl_is_tile_outside(fl_row_matrix m, size_t n, size_t n_classes, int across,
                              const fl_domain *domain, size_t *row, size_t *column, double *bad_value) {
    size_t n_lines = across ? n_classes : n, length = across ? n : n_classes, whole = length & ~(size_t)15;
    int outside = 0;
    for (size_t i = 0; i < n_lines; i++) {
        const real *line = m.data + (ptrdiff_t)i * m.stride;
        outside |= fl_any_outside(line, whole, domain);
        outside |= fl_first_outside(line + whole, length - whole, domain) < length - whole;
    }
    if (!outside)
        return 0;
    for (*row = 0; *row < n; ++*row)
        for (*column = 0; *column < n_classes; ++*column)
            if (fl_is_entry_outside(m, *row, *column, across, domain, bad_value))
                return 1;
    return 0;
}

#endif
