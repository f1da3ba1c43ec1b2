/* Walking an n-dimensional strided view: a block of it is gathered into packed memory, or scattered back,
 * element by element with memcpy, so that neither alignment nor byte order nor stride matters. */
#ifndef FL_BLOCKS_VIEW_H
#define FL_BLOCKS_VIEW_H

#include <stdint.h>
#include <string.h>

#include "../fastloss.h"

/* Bytes of one element, 16 at the most. */
static inline size_t fl_itemsize(fl_dtype dtype) {
    static const unsigned char sizes[FL_N_DTYPES] = {1, 1, 1, 2, 2, 4, 4,
                                                     8, 8, 2, 2, 4, 8, sizeof(long double)};
    return sizes[dtype];
}

static inline void fl_reverse_bytes(unsigned char *item, size_t itemsize) {
    for (size_t i = 0; i < itemsize / 2; i++) {
        unsigned char t = item[i];
        item[i] = item[itemsize - 1 - i];
        item[itemsize - 1 - i] = t;
    }
}

/* Copies a run between packed memory and a strided one, in the direction of `scatter`. Called with a
 * constant itemsize, so that each memcpy is one move. */
static inline void fl_copy_run(char *packed, char *strided, ptrdiff_t stride, size_t n, size_t itemsize,
                               int scatter) {
    for (size_t i = 0; i < n; i++, strided += stride, packed += itemsize) {
        if (scatter)
            memcpy(strided, packed, itemsize);
        else
            memcpy(packed, strided, itemsize);
    }
}

static inline void fl_walk_view(const fl_array *a, size_t start, size_t n, char *packed, int scatter) {
    size_t itemsize = fl_itemsize(a->dtype);
    if (scatter && a->swapped)
        for (size_t i = 0; i < n; i++)
            fl_reverse_bytes((unsigned char *)packed + i * itemsize, itemsize);
    char *out = packed;
    size_t left = n;
    while (left > 0) {
        /* The position of element `start` in C order, by its last dimension's run. */
        int last = a->n_dims - 1;
        size_t rest = start / (size_t)a->shape[last], at = start % (size_t)a->shape[last];
        char *item = (char *)a->data + (ptrdiff_t)at * a->strides[last];
        for (int d = last - 1; d >= 0; d--) {
            item += (ptrdiff_t)(rest % (size_t)a->shape[d]) * a->strides[d];
            rest /= (size_t)a->shape[d];
        }
        size_t run = (size_t)a->shape[last] - at;
        if (run > left)
            run = left;
        ptrdiff_t stride = a->strides[last];
        switch (itemsize) {
        case 1:
            fl_copy_run(out, item, stride, run, 1, scatter);
            break;
        case 2:
            fl_copy_run(out, item, stride, run, 2, scatter);
            break;
        case 4:
            fl_copy_run(out, item, stride, run, 4, scatter);
            break;
        case 8:
            fl_copy_run(out, item, stride, run, 8, scatter);
            break;
        default:
            fl_copy_run(out, item, stride, run, itemsize, scatter);
        }
        out += run * itemsize;
        start += run;
        left -= run;
    }
    if (!scatter && a->swapped)
        for (size_t i = 0; i < n; i++)
            fl_reverse_bytes((unsigned char *)packed + i * itemsize, itemsize);
}

/* Native elements one after the other: nothing to gather. */
static inline int fl_is_packed(const fl_array *a) {
    return a->n_dims == 1 && !a->swapped && a->strides[0] == (ptrdiff_t)fl_itemsize(a->dtype);
}

#endif
