/* The words of simd.h that SSE2 says better than generic.h: conversions, which gcc would make one by one, and
 * stores past the caches. */
#ifndef FL_SIMD_SSE2_H
#define FL_SIMD_SSE2_H

#include <emmintrin.h>

#define FL_OWN_STREAMS

enum { FL_HAS_STREAM = 1, FL_HAS_FEW_REGISTERS = 1 };

#if FL_PRECISION == 32
#define FL_OWN_CONVERSIONS
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __m128 x = _mm_loadu_ps(tile + 4 * i);
        sums[2 * i] += _mm_cvtps_pd(x);
        sums[2 * i + 1] += _mm_cvtps_pd(_mm_movehl_ps(x, x));
    }
}

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    fl_add_tile(sums, tile);
}

FL_INLINE fl_double_vector fl_wide_part(const real *p) {
    double two; /* floats may begin where no double does */
    memcpy(&two, p, sizeof two);
    return _mm_cvtps_pd(_mm_castpd_ps(_mm_set_sd(two)));
}
#endif

static inline void fl_stream_quarter(char *to, const char *from) {
    _mm_stream_si128((__m128i *)(void *)to, _mm_loadu_si128((const __m128i *)(const void *)from));
}

static inline void fl_stream_line(char *to, const char *from) {
    for (int i = 0; i < 64; i += 16)
        fl_stream_quarter(to + i, from + i);
}

static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    for (int i = 0; i < 16; i += 4)
        _mm_stream_ps(to + i, _mm_add_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i)));
}

static inline void fl_stream_end(void) {
    _mm_sfence();
}

#endif
