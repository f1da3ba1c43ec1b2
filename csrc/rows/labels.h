/* Class indices of any dtype, checked as they are read. */
#ifndef FL_ROWS_LABELS_H
#define FL_ROWS_LABELS_H

#include "../blocks/half.h"
#include "../blocks/view.h"
#include "row.h"

/* One function a dtype: writes n labels, and returns the place of the first that is neither a class nor
 * ignored. Unsigned 64-bit numbers beyond the signed ones are far outside either way. */
#define FL_LABELS_FROM(NAME, TYPE, WIDE, DECODE, IS_WHOLE, CAN_BE_NEGATIVE)                                  \
    static size_t fl_labels_##NAME(const char *from, size_t n, size_t n_classes, const long long *ignored,   \
                                   real_int *labels, double *bad_value) {                                    \
        const WIDE limit = (WIDE)n_classes, skipped = ignored ? (WIDE) * ignored : (WIDE) - 1;               \
        const unsigned has_skipped = ignored && (CAN_BE_NEGATIVE || *ignored >= 0);                          \
        unsigned outside = 0;                                                                                \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE item;                                                                                       \
            memcpy(&item, from + i * sizeof item, sizeof item);                                              \
            WIDE x = (WIDE)DECODE(item);                                                                     \
            unsigned skip = has_skipped & (unsigned)(x == skipped);                                          \
            unsigned inside = (unsigned)(x >= 0) & (unsigned)(x < limit);                                    \
            real_int label = (real_int)(inside ? x : 0);                                                     \
            inside &= IS_WHOLE((WIDE)label == x);                                                            \
            outside |= !(inside | skip);                                                                     \
            labels[i] = (skip | !inside) ? -1 : label;                                                       \
        }                                                                                                    \
        if (!outside)                                                                                        \
            return n;                                                                                        \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE item;                                                                                       \
            memcpy(&item, from + i * sizeof item, sizeof item);                                              \
            *bad_value = (double)DECODE(item);                                                               \
            if (labels[i] < 0 && !(has_skipped && (WIDE)DECODE(item) == skipped))                            \
                return i;                                                                                    \
        }                                                                                                    \
        return n;                                                                                            \
    }

#define FL_LABEL_ITEM(x) (x)
#define FL_ALWAYS_WHOLE(condition) 1u
#define FL_WHOLE_IF(condition) (unsigned)(condition)
FL_LABELS_FROM(int8, int8_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 1)
FL_LABELS_FROM(uint8, uint8_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 0)
FL_LABELS_FROM(int16, int16_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 1)
FL_LABELS_FROM(uint16, uint16_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 0)
FL_LABELS_FROM(int32, int32_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 1)
FL_LABELS_FROM(uint32, uint32_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 0)
FL_LABELS_FROM(int64, int64_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 1)
FL_LABELS_FROM(uint64, uint64_t, int64_t, FL_LABEL_ITEM, FL_ALWAYS_WHOLE, 0)
FL_LABELS_FROM(float16, uint16_t, double, fl_float_from_float16, FL_WHOLE_IF, 1)
FL_LABELS_FROM(bfloat16, uint16_t, double, fl_float_from_bfloat16, FL_WHOLE_IF, 1)
FL_LABELS_FROM(float32, float, double, FL_LABEL_ITEM, FL_WHOLE_IF, 1)
FL_LABELS_FROM(float64, double, double, FL_LABEL_ITEM, FL_WHOLE_IF, 1)
FL_LABELS_FROM(longdouble, long double, double, FL_LABEL_ITEM, FL_WHOLE_IF, 1)

static size_t (*const fl_label_readers[FL_N_DTYPES])(const char *, size_t, size_t, const long long *,
                                                     real_int *, double *) = {
    fl_labels_uint8,    fl_labels_int8,    fl_labels_uint8,   fl_labels_int16,      fl_labels_uint16,
    fl_labels_int32,    fl_labels_uint32,  fl_labels_int64,   fl_labels_uint64,     fl_labels_float16,
    fl_labels_bfloat16, fl_labels_float32, fl_labels_float64, fl_labels_longdouble,
};

static size_t fl_load_labels(const fl_array *a, size_t start, size_t n, size_t n_classes,
                             const long long *ignored, void *labels, void *raw, double *bad_value) {
    size_t itemsize = fl_itemsize(a->dtype);
    real_int *label = labels;
    for (size_t i = n; i < fl_round_up(n); i++)
        label[i] = -1;
    if (fl_is_packed(a))
        return fl_label_readers[a->dtype]((const char *)a->data + start * itemsize, n, n_classes, ignored,
                                          label, bad_value);
    for (size_t i = 0, m, most = FL_RAW_BYTES / itemsize; i < n; i += m) {
        m = n - i < most ? n - i : most;
        fl_walk_view(a, start + i, m, raw, 0);
        size_t place = fl_label_readers[a->dtype](raw, m, n_classes, ignored, label + i, bad_value);
        if (place < m)
            return i + place;
    }
    return n;
}

/* What the first n rows of a tile count for in a mean, times their weights. */
static void fl_counted_weights(const fl_row_tile *tile, size_t n, int form, int across, double *counted) {
    const real *class_weight = tile->options->class_weight, *weight = tile->weight;
    const real_int *label = tile->label;
    const real *y = tile->target.data;
    for (size_t i = 0; i < n; i++) {
        double share = 1;
        if (form == FL_BY_LABEL || form == FL_SMOOTHED) {
            share = label[i] < 0 ? 0 : (class_weight ? (double)class_weight[label[i]] : 1);
        } else if (class_weight) {
            share = 0;
            for (size_t k = 0; k < tile->n_classes; k++)
                share += (double)class_weight[k] *
                         (double)(across ? y[(ptrdiff_t)k * tile->target.stride + (ptrdiff_t)i]
                                         : y[(ptrdiff_t)i * tile->target.stride + (ptrdiff_t)k]);
        }
        counted[i] = weight ? share * (double)weight[i] : share;
    }
}

#endif
