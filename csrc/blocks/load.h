/* load: a block of any array as contiguous numbers of this precision. Packed native data is used where it
 * lies; anything else is converted into a scratch block. */
#ifndef FL_BLOCKS_LOAD_H
#define FL_BLOCKS_LOAD_H

#include "half.h"
#include "real.h"
#include "view.h"

#define FL_AS_IS(x) (x)
#define FL_CONVERT_FROM(NAME, TYPE, DECODE)                                                                  \
    static void fl_convert_##NAME(real *to, const char *from, size_t n) {                                    \
        for (size_t i = 0; i < n; i++) {                                                                     \
            TYPE item;                                                                                       \
            memcpy(&item, from + i * sizeof item, sizeof item);                                              \
            to[i] = (real)DECODE(item);                                                                      \
        }                                                                                                    \
    }
FL_CONVERT_FROM(int8, int8_t, FL_AS_IS)
FL_CONVERT_FROM(uint8, uint8_t, FL_AS_IS)
FL_CONVERT_FROM(int16, int16_t, FL_AS_IS)
FL_CONVERT_FROM(uint16, uint16_t, FL_AS_IS)
FL_CONVERT_FROM(int32, int32_t, FL_AS_IS)
FL_CONVERT_FROM(uint32, uint32_t, FL_AS_IS)
FL_CONVERT_FROM(int64, int64_t, FL_AS_IS)
FL_CONVERT_FROM(uint64, uint64_t, FL_AS_IS)
FL_CONVERT_FROM(float16, uint16_t, fl_float_from_float16)
FL_CONVERT_FROM(bfloat16, uint16_t, fl_float_from_bfloat16)
FL_CONVERT_FROM(float32, float, FL_AS_IS)
FL_CONVERT_FROM(float64, double, FL_AS_IS)
FL_CONVERT_FROM(longdouble, long double, FL_AS_IS)

static void (*const fl_converters[FL_N_DTYPES])(real *, const char *, size_t) = {
    fl_convert_uint8,    fl_convert_int8,    fl_convert_uint8,   fl_convert_int16,      fl_convert_uint16,
    fl_convert_int32,    fl_convert_uint32,  fl_convert_int64,   fl_convert_uint64,     fl_convert_float16,
    fl_convert_bfloat16, fl_convert_float32, fl_convert_float64, fl_convert_longdouble,
};

/* `scratch` holds a block of reals, `raw` FL_RAW_BYTES. A tail that does not fill the
 * last lanes is padded with its last element, which is inside the domain if the data is. */
static inline const void *fl_load(const fl_array *a, size_t start, size_t n, void *scratch, void *raw) {
    size_t itemsize = fl_itemsize(a->dtype), padded = fl_round_up(n);
    const char *source = (const char *)a->data + start * itemsize;
    int packed = fl_is_packed(a);
    if (packed && a->dtype == FL_REAL_DTYPE && n == padded && (uintptr_t)source % sizeof(real) == 0)
        return source;
    real *block = scratch;
    if (a->dtype == FL_REAL_DTYPE) {
        if (packed)
            memcpy(block, source, n * sizeof(real));
        else
            fl_walk_view(a, start, n, (char *)block, 0);
    } else if (packed) {
        fl_converters[a->dtype](block, source, n);
    } else {
        for (size_t i = 0, m, most = FL_RAW_BYTES / itemsize; i < n; i += m) {
            m = n - i < most ? n - i : most;
            fl_walk_view(a, start + i, m, raw, 0);
            fl_converters[a->dtype](block + i, raw, m);
        }
    }
    for (size_t i = n; i < padded; i++)
        block[i] = block[n - 1];
    return block;
}

#endif
