/* store: a block of results to where the caller wants them. */
#ifndef FL_BLOCKS_STORE_H
#define FL_BLOCKS_STORE_H

#include "half.h"
#include "real.h"
#include "view.h"

#define FL_TO_FLOAT16(x) fl_float16_from_float((float)(x))
#define FL_TO_BFLOAT16(x) fl_bfloat16_from_float((float)(x))
#define FL_CONVERT_TO(NAME, TYPE, ENCODE)                                                                    \
    static void fl_encode_##NAME(char *to, const real *from, size_t n) {                                     \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE item = (TYPE)ENCODE(from[i]);                                                               \
            memcpy(to + i * sizeof item, &item, sizeof item);                                                \
        }                                                                                                    \
    }
#define FL_IDENTITY(x) (x)
FL_CONVERT_TO(float16, uint16_t, FL_TO_FLOAT16)
FL_CONVERT_TO(bfloat16, uint16_t, FL_TO_BFLOAT16)
FL_CONVERT_TO(float32, float, FL_IDENTITY)
FL_CONVERT_TO(float64, double, FL_IDENTITY)

static void fl_encode(fl_dtype dtype, char *to, const real *block, size_t n) {
    switch (dtype) {
    case FL_FLOAT16:
        fl_encode_float16(to, block, n);
        break;
    case FL_BFLOAT16:
        fl_encode_bfloat16(to, block, n);
        break;
    case FL_FLOAT32:
        fl_encode_float32(to, block, n);
        break;
    default:
        fl_encode_float64(to, block, n);
    }
}

/* `raw` is FL_RAW_BYTES of scratch. */
static void fl_store(const fl_array *a, size_t start, size_t n, const void *block, void *raw) {
    size_t itemsize = fl_itemsize(a->dtype);
    if (fl_is_packed(a)) {
        fl_encode(a->dtype, (char *)a->data + start * itemsize, block, n);
        return;
    }
    for (size_t i = 0, m, most = FL_RAW_BYTES / itemsize; i < n; i += m) {
        m = n - i < most ? n - i : most;
        fl_encode(a->dtype, raw, (const real *)block + i, m);
        fl_walk_view(a, start + i, m, raw, 1);
    }
}

/* block *= weights·scale, in place; 0 where the weight is, whatever it multiplies. A mean's share is within
 * the precision's range where a small entry times 1/Σw, or a large one times the weight, is not. */
static inline void fl_multiply(void *block, const void *weights, double scale, size_t n) {
    real *a = block, factor = (real)scale;
    const real *w = weights;
    n &= ~(size_t)(FL_LANES - 1);
    for (size_t i = 0; i < n; i++)
        a[i] = (w[i] != 0 ? a[i] : 0) * (w[i] * factor);
}

#endif
