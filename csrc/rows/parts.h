/* A row that is copied into scratch or back, in parts: by several threads, or between which its call can be
 * stopped. */
#ifndef FL_ROWS_PARTS_H
#define FL_ROWS_PARTS_H

#include <string.h>

#include "../pass/ops.h"
#include "../pass/watch.h"
#include "tile_view.h"

/* Columns from .. to. As a matrix of one row whose columns are the nearer ones it needs no turning; it may be
 * one that can be used in place, where the whole array is not. */
static inline void fl_copy_part(const fl_ops *ops, fl_watch *watch, const fl_array *a, size_t row,
                                size_t from, size_t to, real *scratch, int stores) {
    _Alignas(64) char raw[FL_RAW_BYTES];
    fl_array part = *a;
    part.shape[0] = 1;
    part.strides[0] = a->strides[1] * a->shape[1];
    for (size_t at = from, end; (end = fl_stretch(watch, at, to)) > at; at = end) {
        real *mine = scratch + at;
        part.data = (char *)a->data + (ptrdiff_t)row * a->strides[0] + (ptrdiff_t)at * a->strides[1];
        part.shape[1] = (ptrdiff_t)(end - at);
        real *theirs = fl_place_tile(&part, 0, 1, 0, mine).data;
        if (theirs != mine)
            memcpy(stores ? theirs : mine, stores ? mine : theirs, (end - at) * sizeof(real));
        else if (stores)
            ops->rows->store(&part, 0, 1, 0, end - at, mine, raw, 0);
        else
            ops->rows->load(&part, 0, 1, 0, end - at, mine, raw);
    }
}

static inline int fl_is_long_copy(const fl_array *a, size_t n, int across) {
    return n == 1 && !across && a->shape[1] > FL_WATCHED_STRETCH && fl_scratch_matrices(a, 0) > 0;
}

/* Reals of scratch that n rows of an array need. */
static inline size_t fl_copy_reals(const fl_array *a, size_t n, int across) {
    if (!a->data)
        return 0;
    if (fl_is_long_copy(a, n, across))
        return fl_scratch_line((size_t)a->shape[1]);
    return fl_times(fl_scratch_matrices(a, across), fl_scratch_matrix(n, (size_t)a->shape[1], across));
}

/* The next piece of scratch, of so many reals. */
static inline real *fl_take_reals(fl_layout *l, size_t n) {
    return fl_take(l, fl_times(n, sizeof(real)));
}

/* Whether rows are turned some classes after the other. Scratch for a second matrix is as far away as that of
 * whole rows, so a part of one must not be longer than the rest. */
static inline int fl_is_long_turn(const fl_array *a) {
    return a->shape[1] > 2 * FL_WATCHED_STRETCH && fl_is_by_class(a->strides[0], a->strides[1]) &&
           fl_scratch_matrices(a, 0) > 0;
}

/* Classes from .. to of an array. */
static inline fl_array fl_some_classes(const fl_array *a, size_t from, size_t to) {
    fl_array part = *a;
    part.data = (char *)a->data + (ptrdiff_t)from * a->strides[1];
    part.shape[1] = (ptrdiff_t)(to - from);
    return part;
}

/* Rows start .. start + n, in place if possible. */
static inline fl_row_matrix fl_load_matrix(const fl_ops *ops, fl_watch *watch, const fl_array *a,
                                           size_t start, size_t n, int across, real *scratch, char *raw) {
    size_t n_classes = (size_t)a->shape[1];
    if (fl_is_long_copy(a, n, across)) {
        fl_copy_part(ops, watch, a, start, 0, n_classes, scratch, 0);
        return (fl_row_matrix){scratch, a->shape[1]};
    }
    if (!fl_is_long_turn(a))
        return ops->rows->load(a, start, n, across, n_classes, scratch, raw);
    fl_row_matrix found = {scratch, 0};
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n_classes)) > at; at = end) {
        fl_array part = fl_some_classes(a, at, end);
        found.stride = ops->rows->load(&part, start, n, across, n_classes, scratch + at, raw).stride;
    }
    return found;
}

static inline void fl_store_matrix(const fl_ops *ops, fl_watch *watch, const fl_array *a, size_t start,
                                   size_t n, int across, real *scratch, char *raw, int streams) {
    size_t n_classes = (size_t)a->shape[1];
    if (!streams && fl_is_long_copy(a, n, across)) {
        fl_copy_part(ops, watch, a, start, 0, n_classes, scratch, 1);
        return;
    }
    if (!fl_is_long_turn(a)) {
        ops->rows->store(a, start, n, across, n_classes, scratch, raw, streams);
        return;
    }
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n_classes)) > at; at = end) {
        fl_array part = fl_some_classes(a, at, end);
        ops->rows->store(&part, start, n, across, n_classes, scratch + at, raw, streams);
    }
}

#endif
