/* Tiles of rows in and out of arrays of any dtype, strides and byte order. A tile's lines are its rows or,
 * where vectors run across rows, its classes. Lines that lie contiguous in memory are used in place; those
 * that are contiguous the other way are transposed; anything else is gathered line by line, the shorter
 * stride first. */
#ifndef FL_ROWS_TILES_H
#define FL_ROWS_TILES_H

#include "../blocks/check.h"
#include "../blocks/load.h"
#include "../blocks/store.h"
#include "transpose.h"

typedef struct {
    char *data;            /* of the first row */
    ptrdiff_t row, column; /* strides in bytes */
    size_t n, padded, n_classes;
    size_t line, matrix; /* reals of a packed line, and of all of them */
    int native;          /* aligned reals of this machine's byte order */
} fl_tile_view;

/* `whole` are the classes of a row, of which the array may have a part alone. */
static fl_tile_view fl_view_tile(const fl_array *a, size_t start, size_t n, int across, size_t whole) {
    fl_tile_view v = {(char *)a->data + (ptrdiff_t)start * a->strides[0],
                      a->strides[0],
                      a->strides[1],
                      n,
                      fl_round_up(n),
                      (size_t)a->shape[1],
                      0,
                      0,
                      0};
    v.line = across ? v.padded : fl_scratch_line(whole, sizeof(real)) / sizeof(real);
    v.matrix = fl_scratch_matrix(n, whole, sizeof(real), across) / sizeof(real);
    v.native = a->dtype == FL_REAL_DTYPE && !a->swapped && (uintptr_t)v.data % sizeof(real) == 0 &&
               v.row % (ptrdiff_t)sizeof(real) == 0 && v.column % (ptrdiff_t)sizeof(real) == 0;
    return v;
}

enum { FL_LINES_IN_PLACE, FL_LINES_TRANSPOSED, FL_LINES_SCATTERED };

static int fl_lines_of(const fl_tile_view *v, int across) {
    const ptrdiff_t item = sizeof(real);
    if (!v->native)
        return FL_LINES_SCATTERED;
    int packed = v->n_classes > FL_MOST_FLAT_CLASSES || v->row == (ptrdiff_t)v->n_classes * item;
    if (across ? v->row == item && v->n == v->padded : v->column == item && packed)
        return FL_LINES_IN_PLACE;
    if (across ? v->column == item : v->row == item)
        return FL_LINES_TRANSPOSED;
    return FL_LINES_SCATTERED;
}

static fl_row_matrix fl_in_place(const fl_tile_view *v, int across) {
    return (fl_row_matrix){v->data, (across ? v->column : v->row) / (ptrdiff_t)sizeof(real)};
}

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
                                  void *scratch, void *raw) {
    fl_tile_view v = fl_view_tile(a, start, n, across, whole);
    int lines = fl_lines_of(&v, across);
    if (lines == FL_LINES_IN_PLACE)
        return fl_in_place(&v, across);
    real *block = scratch;
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

static fl_row_matrix fl_place_tile(const fl_array *a, size_t start, size_t n, int across, void *scratch) {
    fl_tile_view v = fl_view_tile(a, start, n, across, (size_t)a->shape[1]);
    if (fl_lines_of(&v, across) == FL_LINES_IN_PLACE)
        return fl_in_place(&v, across);
    return (fl_row_matrix){scratch, (ptrdiff_t)v.line};
}

/* A last tile across rows may have to be padded. */
static size_t fl_scratch_matrices(const fl_array *a, int across) {
    fl_tile_view v = fl_view_tile(a, 0, 16, across, (size_t)a->shape[1]);
    int lines = fl_lines_of(&v, across);
    return lines == FL_LINES_SCATTERED ? 2 : lines == FL_LINES_TRANSPOSED || across;
}

/* Where the classes of the n rows after these lie: in C order, or across rows as lines if they do. */
static fl_row_ahead fl_next_tile(const fl_array *a, size_t start, size_t n, int across) {
    const ptrdiff_t item = sizeof(real);
    fl_tile_view v = fl_view_tile(a, start, n, 1, (size_t)a->shape[1]);
    uintptr_t next = (uintptr_t)v.data + n * (size_t)v.row; /* perhaps beyond the array */
    if (!v.native || start + n >= (size_t)a->shape[0])
        return (fl_row_ahead){NULL, 0};
    if (across && v.row == item)
        return (fl_row_ahead){(const char *)next, v.column};
    if (v.column == item && v.row == (ptrdiff_t)v.n_classes * item)
        return (fl_row_ahead){(const char *)next, (ptrdiff_t)n * item};
    return (fl_row_ahead){NULL, 0};
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

static void fl_store_tile(const fl_array *a, size_t start, size_t n, int across, size_t whole, void *scratch,
                          void *raw, fl_stream_fn stream) {
    fl_tile_view v = fl_view_tile(a, start, n, across, whole);
    int lines = fl_lines_of(&v, across);
    real *block = scratch;
    size_t line = v.line;
    if (stream && v.column == (ptrdiff_t)sizeof(real) && !across) {
        stream(v.data, block, n * v.n_classes);
        return;
    }
    if (stream && !across) {
        fl_stream_classes(&v, block, (ptrdiff_t)line);
        return;
    }
    if (stream) {
        real *turned = block + v.matrix;
        fl_transpose(block, (ptrdiff_t)line, v.n_classes, n, turned, (ptrdiff_t)v.n_classes);
        stream(v.data, turned, n * v.n_classes);
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
        const real *line = (const real *)m.data + (ptrdiff_t)i * m.stride;
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
