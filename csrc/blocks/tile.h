/* What a kernel carries from tile to tile: sums, and traces of bad targets, one of each for every lane.
 *
 * The lanes are vectors of the machine's width by name, since they must stay in registers: arrays that live
 * through a loop end up in memory, or are taken apart into scalars. */
#ifndef FL_BLOCKS_TILE_H
#define FL_BLOCKS_TILE_H

#include "real.h"

#if defined(__AVX__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
enum { FL_VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { FL_VECTOR_BYTES = 32 };
#else
enum { FL_VECTOR_BYTES = 16 };
#endif

typedef double fl_double_vector __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef real_bits fl_bits_vector __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef real fl_real_vector __attribute__((vector_size(FL_VECTOR_BYTES)));

enum {
    FL_DOUBLES = FL_VECTOR_BYTES / sizeof(double),
    FL_N_DOUBLE_VECTORS = FL_LANES / FL_DOUBLES,
    FL_REALS = FL_VECTOR_BYTES / sizeof(real),
    FL_PATTERNS = FL_VECTOR_BYTES / sizeof(real_bits),
    FL_N_BITS_VECTORS = FL_LANES / FL_PATTERNS
};

/* Vector by vector, as vectors: what gcc makes of an array's copies are halves of vectors that wait for each
 * other in memory, and of its zeros `rep stos`, which waits for all stores before. */
typedef double fl_doubles_anywhere __attribute__((vector_size(FL_VECTOR_BYTES), aligned(8), may_alias));

FL_INLINE void fl_clear_sums(double *lanes) {
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++)
        *(fl_doubles_anywhere *)(lanes + i * FL_DOUBLES) = (fl_doubles_anywhere){0};
}

FL_INLINE void fl_load_sums(fl_double_vector *sums, const double *lanes) {
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++)
        sums[i] = *(const fl_doubles_anywhere *)(lanes + i * FL_DOUBLES);
}

FL_INLINE void fl_store_sums(double *lanes, const fl_double_vector *sums) {
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++)
        *(fl_doubles_anywhere *)(lanes + i * FL_DOUBLES) = sums[i];
}

/* sums[k] += tile[k], for a tile of floats that has just been computed by whole vectors taken into halves:
 * gcc would convert them four by four. fl_add_stored is for one in memory, where halves cost nothing. */
#if FL_PRECISION == 32 && defined(__AVX512F__)
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
    __m512d x = _mm512_castps_pd(_mm512_loadu_ps(tile));
    sums[0] += _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_castpd512_pd256(x)));
    sums[1] += _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(x, 1)));
}

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    sums[0] += _mm512_cvtps_pd(_mm256_loadu_ps(tile));
    sums[1] += _mm512_cvtps_pd(_mm256_loadu_ps(tile + 8));
}
#elif FL_PRECISION == 32 && defined(__AVX__)
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
#elif FL_PRECISION == 32 && defined(__SSE2__)
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __m128 x = _mm_loadu_ps(tile + 4 * i);
        sums[2 * i] += _mm_cvtps_pd(x);
        sums[2 * i + 1] += _mm_cvtps_pd(_mm_movehl_ps(x, x));
    }
}
#define fl_add_stored fl_add_tile
#elif FL_PRECISION == 32 && defined(__aarch64__)
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        float32x4_t x = vld1q_f32(tile + 4 * i);
        sums[2 * i] += vcvt_f64_f32(vget_low_f32(x));
        sums[2 * i + 1] += vcvt_high_f64_f32(x);
    }
}
#define fl_add_stored fl_add_tile
#else
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
    typedef real fl_part __attribute__((vector_size(FL_DOUBLES * sizeof(real))));
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++) {
        fl_part x;
        memcpy(&x, tile + i * FL_DOUBLES, sizeof x);
        sums[i] += __builtin_convertvector(x, fl_double_vector);
    }
}
#define fl_add_stored fl_add_tile
#endif

/* The larger and the smaller of each lane; of a NaN and a number the number, if it is the second one. */
#if defined(__AVX512F__) && FL_PRECISION == 32
#define FL_OF_VECTORS(which, a, b) (fl_real_vector) _mm512_##which##_ps((__m512)(a), (__m512)(b))
#elif defined(__AVX512F__)
#define FL_OF_VECTORS(which, a, b) (fl_real_vector) _mm512_##which##_pd((__m512d)(a), (__m512d)(b))
#elif defined(__AVX__) && FL_PRECISION == 32
#define FL_OF_VECTORS(which, a, b) (fl_real_vector) _mm256_##which##_ps((__m256)(a), (__m256)(b))
#elif defined(__AVX__)
#define FL_OF_VECTORS(which, a, b) (fl_real_vector) _mm256_##which##_pd((__m256d)(a), (__m256d)(b))
#endif

#ifdef FL_OF_VECTORS
#define FL_DEFINE_OF_LANES(name, which, precedes)                                                            \
    FL_INLINE fl_real_vector name(fl_real_vector a, fl_real_vector b) {                                      \
        return FL_OF_VECTORS(which, a, b);                                                                   \
    }
#else
#define FL_DEFINE_OF_LANES(name, which, precedes)                                                            \
    FL_INLINE fl_real_vector name(fl_real_vector a, fl_real_vector b) {                                      \
        for (int i = 0; i < FL_REALS; i++)                                                                   \
            b[i] = a[i] precedes b[i] ? a[i] : b[i];                                                         \
        return b;                                                                                            \
    }
#endif
FL_DEFINE_OF_LANES(fl_larger_lanes, max, >)
FL_DEFINE_OF_LANES(fl_smaller_lanes, min, <)

/* found[k] |= tile[k] */
FL_INLINE void fl_keep_bits(fl_bits_vector *found, const real_bits *tile) {
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_BITS_VECTORS; i++) {
        fl_bits_vector part;
        memcpy(&part, tile + i * FL_PATTERNS, sizeof part);
        found[i] |= part;
    }
}

/* All of them or-ed together: vectors, their quarters, halves of these. */
FL_INLINE real_bits fl_any_bits(const fl_bits_vector *found) {
    typedef uint64_t fl_quarter __attribute__((vector_size(16)));
    fl_bits_vector all = found[0];
    for (int i = 1; i < FL_N_BITS_VECTORS; i++)
        all |= found[i];
    fl_quarter parts[FL_VECTOR_BYTES / sizeof(fl_quarter)];
    memcpy(parts, &all, sizeof all);
    for (size_t i = 1; i < FL_VECTOR_BYTES / sizeof(fl_quarter); i++)
        parts[0] |= parts[i];
    uint64_t any = parts[0][0] | parts[0][1];
    return (real_bits)(FL_PRECISION == 32 ? any | any >> 32 : any);
}

#endif
