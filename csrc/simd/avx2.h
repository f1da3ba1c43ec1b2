/* The vocabulary of simd.h by AVX2 and FMA. */
#ifndef FL_SIMD_AVX2_H
#define FL_SIMD_AVX2_H

#include <immintrin.h>

enum { FL_HAS_STREAM = 1, FL_HAS_FEW_REGISTERS = 0 };

FL_INLINE fl_double_vector fl_vector_fma(fl_double_vector a, fl_double_vector b, fl_double_vector c) {
    return _mm256_fmadd_pd(a, b, c);
}

FL_INLINE double fl_fold_vector(fl_double_vector x) {
    __m128d half = _mm256_castpd256_pd128(x) + _mm256_extractf128_pd(x, 1);
    return half[0] + half[1];
}

FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm256_sllv_epi64((__m256i)x, (__m256i)places);
}

FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm256_srlv_epi64((__m256i)x, (__m256i)places);
}

FL_INLINE void fl_pad_tail(const real *p, size_t n, real *tail) {
    for (size_t k = 0; k < FL_LANES; k++)
        tail[k] = k < n ? p[k] : 0;
}

/* Halves folded onto halves, as shuffles find them. */
#define FL_FOLD_BY(shuffle, a, b, low, high) fl_join(shuffle(a, b, low), shuffle(a, b, high), larger)

#if FL_PRECISION == 32
#define FL_OWN_CONVERSIONS
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
    __m256 x = _mm256_loadu_ps(tile), y = _mm256_loadu_ps(tile + 8);
    sums[0] += _mm256_cvtps_pd(_mm256_castps256_ps128(x));
    sums[1] += _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
    sums[2] += _mm256_cvtps_pd(_mm256_castps256_ps128(y));
    sums[3] += _mm256_cvtps_pd(_mm256_extractf128_ps(y, 1));
}

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    for (int i = 0; i < 4; i++)
        sums[i] += _mm256_cvtps_pd(_mm_loadu_ps(tile + 4 * i));
}

FL_INLINE fl_double_vector fl_wide_part(const real *p) {
    return _mm256_cvtps_pd(_mm_loadu_ps(p));
}

FL_INLINE fl_real_vector fl_larger_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm256_max_ps(a, b);
}

FL_INLINE fl_real_vector fl_smaller_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm256_min_ps(a, b);
}

/* Distance 4. */
FL_INLINE fl_real_vector fl_fold_two(const fl_real_vector *r, const int larger) {
    return FL_FOLD_BY(_mm256_permute2f128_ps, r[0], r[4], 0x20, 0x31);
}

FL_INLINE fl_real_vector fl_fold_rows(const fl_real_vector *r, const int larger) {
    fl_real_vector ab =
        FL_FOLD_BY(_mm256_shuffle_ps, fl_fold_two(r, larger), fl_fold_two(r + 1, larger), 0x44, 0xee);
    fl_real_vector cd =
        FL_FOLD_BY(_mm256_shuffle_ps, fl_fold_two(r + 2, larger), fl_fold_two(r + 3, larger), 0x44, 0xee);
    return FL_FOLD_BY(_mm256_shuffle_ps, ab, cd, 0x88, 0xdd);
}
#else
FL_INLINE fl_real_vector fl_larger_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm256_max_pd(a, b);
}

FL_INLINE fl_real_vector fl_smaller_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm256_min_pd(a, b);
}

FL_INLINE fl_real_vector fl_fold_rows(const fl_real_vector *r, const int larger) {
    fl_real_vector even = FL_FOLD_BY(_mm256_permute2f128_pd, r[0], r[2], 0x20, 0x31);
    fl_real_vector odd = FL_FOLD_BY(_mm256_permute2f128_pd, r[1], r[3], 0x20, 0x31);
    return FL_FOLD_BY(_mm256_shuffle_pd, even, odd, 0, 0xf);
}
#endif
#undef FL_FOLD_BY

static inline void fl_stream_quarter(char *to, const char *from) {
    _mm_stream_si128((__m128i *)(void *)to, _mm_loadu_si128((const __m128i *)(const void *)from));
}

static inline void fl_stream_line(char *to, const char *from) {
    for (int i = 0; i < 64; i += 32)
        _mm256_stream_si256((__m256i *)(void *)(to + i),
                            _mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
}

static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    for (int i = 0; i < 16; i += 8)
        _mm256_stream_ps(to + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
}

static inline void fl_stream_end(void) {
    _mm_sfence();
}

FL_INLINE fl_pieces fl_load_pieces(const real *p, ptrdiff_t step) {
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + step));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

FL_INLINE void fl_store_pieces(real *p, ptrdiff_t step, fl_pieces x) {
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_castsi256_si128(x));
    _mm_storeu_si128((__m128i *)(void *)(p + step), _mm256_extracti128_si256(x, 1));
}

FL_INLINE fl_pieces fl_load_whole(const real *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

FL_INLINE void fl_store_whole(real *p, fl_pieces x) {
    _mm256_storeu_si256((__m256i *)(void *)p, x);
}

FL_INLINE void fl_turn_pieces(fl_pieces *a) {
    fl_pieces t = _mm256_permute2x128_si256(a[0], a[1], 0x20);
    a[1] = _mm256_permute2x128_si256(a[0], a[1], 0x31);
    a[0] = t;
}

FL_INLINE fl_pieces fl_low32(fl_pieces a, fl_pieces b) {
    return _mm256_unpacklo_epi32(a, b);
}

FL_INLINE fl_pieces fl_high32(fl_pieces a, fl_pieces b) {
    return _mm256_unpackhi_epi32(a, b);
}

FL_INLINE fl_pieces fl_low64(fl_pieces a, fl_pieces b) {
    return _mm256_unpacklo_epi64(a, b);
}

FL_INLINE fl_pieces fl_high64(fl_pieces a, fl_pieces b) {
    return _mm256_unpackhi_epi64(a, b);
}

#endif
