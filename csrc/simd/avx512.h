/* The vocabulary of simd.h by AVX-512. */
#ifndef FL_SIMD_AVX512_H
#define FL_SIMD_AVX512_H

#include <immintrin.h>

enum { FL_HAS_STREAM = 1, FL_HAS_FEW_REGISTERS = 0 };

FL_INLINE fl_double_vector fl_vector_fma(fl_double_vector a, fl_double_vector b, fl_double_vector c) {
    return _mm512_fmadd_pd(a, b, c);
}

FL_INLINE double fl_fold_vector(fl_double_vector x) {
    __m256d half = _mm512_castpd512_pd256(x) + _mm512_extractf64x4_pd(x, 1);
    __m128d quarter = _mm256_castpd256_pd128(half) + _mm256_extractf128_pd(half, 1);
    return quarter[0] + quarter[1];
}

FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm512_sllv_epi64((__m512i)x, (__m512i)places);
}

FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm512_srlv_epi64((__m512i)x, (__m512i)places);
}

/* Halves folded onto halves, as shuffles find them. */
#define FL_FOLD_BY(shuffle, a, b, low, high) fl_join(shuffle(a, b, low), shuffle(a, b, high), larger)

#if FL_PRECISION == 32
#define FL_OWN_CONVERSIONS
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
    __m512d x = _mm512_castps_pd(_mm512_loadu_ps(tile));
    sums[0] += _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_castpd512_pd256(x)));
    sums[1] += _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(x, 1)));
}

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    sums[0] += _mm512_cvtps_pd(_mm256_loadu_ps(tile));
    sums[1] += _mm512_cvtps_pd(_mm256_loadu_ps(tile + 8));
}

FL_INLINE fl_double_vector fl_wide_part(const real *p) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}

FL_INLINE fl_real_vector fl_larger_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm512_max_ps(a, b);
}

FL_INLINE fl_real_vector fl_smaller_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm512_min_ps(a, b);
}

FL_INLINE void fl_pad_tail(const real *p, size_t n, real *tail) {
    _mm512_storeu_ps(tail, _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p));
}

/* Distances 8 and 4: quarters of four rows. */
FL_INLINE fl_real_vector fl_fold_four(const fl_real_vector *r, const int larger) {
    fl_real_vector ab = FL_FOLD_BY(_mm512_shuffle_f32x4, r[0], r[4], 0x44, 0xee);
    fl_real_vector cd = FL_FOLD_BY(_mm512_shuffle_f32x4, r[8], r[12], 0x44, 0xee);
    return FL_FOLD_BY(_mm512_shuffle_f32x4, ab, cd, 0x88, 0xdd);
}

FL_INLINE fl_real_vector fl_fold_rows(const fl_real_vector *r, const int larger) {
    fl_real_vector ab =
        FL_FOLD_BY(_mm512_shuffle_ps, fl_fold_four(r, larger), fl_fold_four(r + 1, larger), 0x44, 0xee);
    fl_real_vector cd =
        FL_FOLD_BY(_mm512_shuffle_ps, fl_fold_four(r + 2, larger), fl_fold_four(r + 3, larger), 0x44, 0xee);
    return FL_FOLD_BY(_mm512_shuffle_ps, ab, cd, 0x88, 0xdd);
}
#else
FL_INLINE fl_real_vector fl_larger_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm512_max_pd(a, b);
}

FL_INLINE fl_real_vector fl_smaller_lanes(fl_real_vector a, fl_real_vector b) {
    return _mm512_min_pd(a, b);
}

FL_INLINE void fl_pad_tail(const real *p, size_t n, real *tail) {
    unsigned mask = (1u << n) - 1;
    _mm512_storeu_pd(tail, _mm512_maskz_loadu_pd((__mmask8)mask, p));
    _mm512_storeu_pd(tail + 8, _mm512_maskz_loadu_pd((__mmask8)(mask >> 8), p + 8));
}

FL_INLINE fl_real_vector fl_fold_four(const fl_real_vector *r, const int larger) {
    fl_real_vector ab = FL_FOLD_BY(_mm512_shuffle_f64x2, r[0], r[2], 0x44, 0xee);
    fl_real_vector cd = FL_FOLD_BY(_mm512_shuffle_f64x2, r[4], r[6], 0x44, 0xee);
    return FL_FOLD_BY(_mm512_shuffle_f64x2, ab, cd, 0x88, 0xdd);
}

FL_INLINE fl_real_vector fl_fold_rows(const fl_real_vector *r, const int larger) {
    return FL_FOLD_BY(_mm512_shuffle_pd, fl_fold_four(r, larger), fl_fold_four(r + 1, larger), 0, 0xff);
}
#endif
#undef FL_FOLD_BY

static inline void fl_stream_quarter(char *to, const char *from) {
    _mm_stream_si128((__m128i *)(void *)to, _mm_loadu_si128((const __m128i *)(const void *)from));
}

static inline void fl_stream_line(char *to, const char *from) {
    _mm512_stream_si512((void *)to, _mm512_loadu_si512((const void *)from));
}

static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    _mm512_stream_ps(to, _mm512_add_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}

static inline void fl_stream_end(void) {
    _mm_sfence();
}

#define FL_PIECE(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
FL_INLINE fl_pieces fl_load_pieces(const real *p, ptrdiff_t step) {
    __m512i x = _mm512_castsi128_si512(FL_PIECE(p));
    x = _mm512_inserti32x4(x, FL_PIECE(p + step), 1);
    x = _mm512_inserti32x4(x, FL_PIECE(p + 2 * step), 2);
    return _mm512_inserti32x4(x, FL_PIECE(p + 3 * step), 3);
}
#undef FL_PIECE

FL_INLINE void fl_store_pieces(real *p, ptrdiff_t step, fl_pieces x) {
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_castsi512_si128(x));
    _mm_storeu_si128((__m128i *)(void *)(p + step), _mm512_extracti32x4_epi32(x, 1));
    _mm_storeu_si128((__m128i *)(void *)(p + 2 * step), _mm512_extracti32x4_epi32(x, 2));
    _mm_storeu_si128((__m128i *)(void *)(p + 3 * step), _mm512_extracti32x4_epi32(x, 3));
}

FL_INLINE fl_pieces fl_load_whole(const real *p) {
    return _mm512_loadu_si512((const void *)p);
}

FL_INLINE void fl_store_whole(real *p, fl_pieces x) {
    _mm512_storeu_si512((void *)p, x);
}

FL_INLINE void fl_turn_pieces(fl_pieces *a) {
    fl_pieces t0 = _mm512_shuffle_i32x4(a[0], a[1], 0x88), t1 = _mm512_shuffle_i32x4(a[2], a[3], 0x88);
    fl_pieces t2 = _mm512_shuffle_i32x4(a[0], a[1], 0xdd), t3 = _mm512_shuffle_i32x4(a[2], a[3], 0xdd);
    a[0] = _mm512_shuffle_i32x4(t0, t1, 0x88);
    a[1] = _mm512_shuffle_i32x4(t2, t3, 0x88);
    a[2] = _mm512_shuffle_i32x4(t0, t1, 0xdd);
    a[3] = _mm512_shuffle_i32x4(t2, t3, 0xdd);
}

FL_INLINE fl_pieces fl_low32(fl_pieces a, fl_pieces b) {
    return _mm512_unpacklo_epi32(a, b);
}

FL_INLINE fl_pieces fl_high32(fl_pieces a, fl_pieces b) {
    return _mm512_unpackhi_epi32(a, b);
}

FL_INLINE fl_pieces fl_low64(fl_pieces a, fl_pieces b) {
    return _mm512_unpacklo_epi64(a, b);
}

FL_INLINE fl_pieces fl_high64(fl_pieces a, fl_pieces b) {
    return _mm512_unpackhi_epi64(a, b);
}

#endif
