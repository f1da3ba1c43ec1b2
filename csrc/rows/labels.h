/* Class indices of any dtype, checked as they are read. */
#ifndef FL_ROWS_LABELS_H
#define FL_ROWS_LABELS_H

#include "../blocks/half.h"
#include "../blocks/view.h"
#include "kernel_types.h"

/* One of packed numbers of any dtype. */
typedef union {
    int8_t i1;
    uint8_t u1;
    int16_t i2;
    uint16_t u2;
    int32_t i4;
    uint32_t u4;
    int64_t i8;
    float f4;
    double f8;
    long double f16;
} fl_label_item;

FL_INLINE int64_t fl_whole_label(const char *from, size_t i, const fl_dtype dtype) {
    fl_label_item item;
    memcpy(&item, from + i * fl_itemsize(dtype), fl_itemsize(dtype));
    switch (dtype) {
    case FL_INT8:
        return item.i1;
    case FL_BOOL:
    case FL_UINT8:
        return item.u1;
    case FL_INT16:
        return item.i2;
    case FL_UINT16:
        return item.u2;
    case FL_INT32:
        return item.i4;
    case FL_UINT32:
        return item.u4;
    default: /* unsigned numbers beyond the signed ones are far outside either way */
        return item.i8;
    }
}

FL_INLINE double fl_real_label(const char *from, size_t i, const fl_dtype dtype) {
    fl_label_item item;
    memcpy(&item, from + i * fl_itemsize(dtype), fl_itemsize(dtype));
    switch (dtype) {
    case FL_FLOAT16:
        return (double)fl_float_from_float16(item.u2);
    case FL_BFLOAT16:
        return (double)fl_float_from_bfloat16(item.u2);
    case FL_FLOAT32:
        return (double)item.f4;
    case FL_FLOAT64:
        return item.f8;
    default:
        return (double)item.f16;
    }
}

FL_INLINE int fl_is_unsigned(const fl_dtype dtype) {
    return dtype == FL_BOOL || dtype == FL_UINT8 || dtype == FL_UINT16 || dtype == FL_UINT32 ||
           dtype == FL_UINT64;
}

#define LABELS fl_read_whole
#define WIDE int64_t
#define WIDE_LABEL fl_whole_label
#include "labels.inc"

#define LABELS fl_read_reals
#define WIDE double
#define WIDE_LABEL fl_real_label
#include "labels.inc"

/* Writes n labels, and returns the place of the first that is neither a class nor ignored. */
static size_t fl_read_labels(fl_dtype dtype, const char *from, size_t n, size_t n_classes,
                             const long long *ignored, real_int *labels, double *bad_value) {
    switch (dtype) {
    case FL_BOOL:
        return fl_read_whole(FL_BOOL, from, n, n_classes, ignored, labels, bad_value);
    case FL_INT8:
        return fl_read_whole(FL_INT8, from, n, n_classes, ignored, labels, bad_value);
    case FL_UINT8:
        return fl_read_whole(FL_UINT8, from, n, n_classes, ignored, labels, bad_value);
    case FL_INT16:
        return fl_read_whole(FL_INT16, from, n, n_classes, ignored, labels, bad_value);
    case FL_UINT16:
        return fl_read_whole(FL_UINT16, from, n, n_classes, ignored, labels, bad_value);
    case FL_INT32:
        return fl_read_whole(FL_INT32, from, n, n_classes, ignored, labels, bad_value);
    case FL_UINT32:
        return fl_read_whole(FL_UINT32, from, n, n_classes, ignored, labels, bad_value);
    case FL_INT64:
        return fl_read_whole(FL_INT64, from, n, n_classes, ignored, labels, bad_value);
    case FL_UINT64:
        return fl_read_whole(FL_UINT64, from, n, n_classes, ignored, labels, bad_value);
    case FL_FLOAT16:
        return fl_read_reals(FL_FLOAT16, from, n, n_classes, ignored, labels, bad_value);
    case FL_BFLOAT16:
        return fl_read_reals(FL_BFLOAT16, from, n, n_classes, ignored, labels, bad_value);
    case FL_FLOAT32:
        return fl_read_reals(FL_FLOAT32, from, n, n_classes, ignored, labels, bad_value);
    case FL_FLOAT64:
        return fl_read_reals(FL_FLOAT64, from, n, n_classes, ignored, labels, bad_value);
    default:
        return fl_read_reals(FL_LONGDOUBLE, from, n, n_classes, ignored, labels, bad_value);
    }
}

static size_t fl_load_labels(const fl_array *a, size_t start, size_t n, size_t n_classes,
                             const long long *ignored, real_int *label, char *raw, double *bad_value) {
    size_t itemsize = fl_itemsize(a->dtype);
    for (size_t i = n; i < fl_round_up(n); i++)
        label[i] = -1;
    if (fl_is_packed(a))
        return fl_read_labels(a->dtype, (const char *)a->data + start * itemsize, n, n_classes, ignored,
                              label, bad_value);
    for (size_t i = 0, m, most = FL_RAW_BYTES / itemsize; i < n; i += m) {
        m = n - i < most ? n - i : most;
        fl_walk_view(a, start + i, m, raw, 0);
        size_t place = fl_read_labels(a->dtype, raw, m, n_classes, ignored, label + i, bad_value);
        if (place < m)
            return i + place;
    }
    return n;
}

#endif
