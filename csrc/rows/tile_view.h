/* Where the rows of a tile lie in an array, and whether they are used there. */
#ifndef FL_ROWS_TILE_VIEW_H
#define FL_ROWS_TILE_VIEW_H

#include "kernel_types.h"

typedef struct {
    char *data;            /* of the first row */
    ptrdiff_t row, column; /* strides in bytes */
    size_t n, padded, n_classes;
    size_t line, matrix; /* reals of a packed line, and of all of them */
    int native;          /* aligned reals of this machine's byte order */
} fl_tile_view;

/* `whole` are the classes of a row, of which the array may have a part alone. */
static inline fl_tile_view fl_view_tile(const fl_array *a, size_t start, size_t n, int across, size_t whole) {
    fl_tile_view v = {(char *)a->data + (ptrdiff_t)start * a->strides[0],
                      a->strides[0],
                      a->strides[1],
                      n,
                      fl_round_up(n),
                      (size_t)a->shape[1],
                      0,
                      0,
                      0};
    v.line = across ? v.padded : fl_scratch_line(whole);
    v.matrix = fl_scratch_matrix(n, whole, across);
    v.native = a->dtype == FL_REAL_DTYPE && !a->swapped && (uintptr_t)v.data % sizeof(real) == 0 &&
               v.row % (ptrdiff_t)sizeof(real) == 0 && v.column % (ptrdiff_t)sizeof(real) == 0;
    return v;
}

enum { FL_LINES_IN_PLACE, FL_LINES_TRANSPOSED, FL_LINES_SCATTERED };

static inline int fl_lines_of(const fl_tile_view *v, int across) {
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

static inline fl_row_matrix fl_in_place(const fl_tile_view *v, int across) {
    return (fl_row_matrix){(real *)v->data, (across ? v->column : v->row) / (ptrdiff_t)sizeof(real)};
}

/* Where a kernel may write these rows of an output: its destination, or scratch. */
static inline fl_row_matrix fl_place_tile(const fl_array *a, size_t start, size_t n, int across,
                                          real *scratch) {
    fl_tile_view v = fl_view_tile(a, start, n, across, (size_t)a->shape[1]);
    if (fl_lines_of(&v, across) == FL_LINES_IN_PLACE)
        return fl_in_place(&v, across);
    return (fl_row_matrix){scratch, (ptrdiff_t)v.line};
}

/* How many matrices of scratch these need for an array: a last tile across rows may have to be padded. */
static inline size_t fl_scratch_matrices(const fl_array *a, int across) {
    fl_tile_view v = fl_view_tile(a, 0, 16, across, (size_t)a->shape[1]);
    int lines = fl_lines_of(&v, across);
    return lines == FL_LINES_SCATTERED ? 2 : lines == FL_LINES_TRANSPOSED || across;
}

/* Where the classes of the n rows after these lie: in C order, or across rows as lines if they do. */
static inline fl_row_ahead fl_next_tile(const fl_array *a, size_t start, size_t n, int across) {
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

#endif
