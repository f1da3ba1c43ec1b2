/* Numbers in and out of the transport drivers: rows of any array as doubles, checked. */
#ifndef FL_TRANSPORT_NUMBERS_H
#define FL_TRANSPORT_NUMBERS_H

#include <float.h>
#include <string.h>

#include "../blocks/view.h"
#include "../pass/ops.h"
#include "../pass/watch.h"
#include "../pass/shares.h"
#include "kernel_types.h"

enum { FL_BLOCK_DOUBLES = FL_BLOCK_BYTES / sizeof(double) };

typedef struct {
    fl_status status;
    fl_transport_argument argument;
    size_t row, column;
    double sum;
} fl_complaint;

static inline void fl_load_row(const fl_array *a, size_t row, size_t n, double *to, fl_watch *watch) {
    const fl_ops *ops = fl_ops_for(0);
    const int is_packed = fl_is_packed(a) && a->dtype == FL_FLOAT64;
    double block[FL_BLOCK_DOUBLES];
    char raw[FL_RAW_BYTES];
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end) {
        if (is_packed)
            memcpy(to + at, (const char *)a->data + (row * n + at) * sizeof(double),
                   (end - at) * sizeof(double));
        for (size_t i = at; i < end && !is_packed; i += FL_BLOCK_DOUBLES) {
            size_t count = end - i < FL_BLOCK_DOUBLES ? end - i : FL_BLOCK_DOUBLES;
            memcpy(to + i, ops->load(a, row * n + i, count, block, raw), count * sizeof(double));
        }
    }
}

static inline void fl_store_row(const fl_array *a, size_t row, size_t n, const double *from,
                                fl_watch *watch) {
    const fl_ops *ops = fl_ops_for(0);
    char raw[FL_RAW_BYTES];
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i += FL_BLOCK_DOUBLES) {
            size_t count = end - i < FL_BLOCK_DOUBLES ? end - i : FL_BLOCK_DOUBLES;
            ops->store(a, row * n + i, count, from + i, raw);
        }
}

/* Brings masses whose sum, or what it divides, could leave double's range near 1 by a power of two, which it
 * returns. */
static inline double fl_tame_masses(double *mass, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = mass[i] > largest ? mass[i] : largest;
    double scale = fl_is_usual(largest, 0) ? 1 : fl_scale_of(largest);
    for (size_t i = 0; i < n && scale != 1; i++)
        mass[i] *= scale;
    return scale;
}

/* Numbers must be finite, masses not negative either. */
static inline int fl_is_row_bad(const double *x, size_t n, double low, fl_transport_argument argument,
                                size_t row, fl_complaint *complaint) {
    if (!fl_ops_for(0)->transport->any_bad(x, n, low))
        return 0;
    size_t i = 0;
    while (x[i] >= low && x[i] <= DBL_MAX)
        i++;
    *complaint = (fl_complaint){FL_BAD_ENTRY, argument, row, i, 0};
    return 1;
}

#endif
