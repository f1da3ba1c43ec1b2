/* What varies by instruction set: one vocabulary, declared here, and a file for each instruction set that
 * says it. All that is written with it has the same bits on every machine with fused multiply-add.
 *
 *   avx512.h      vectors of 64 bytes: x86-64-v4
 *   avx2.h        of 32 bytes: x86-64-v3
 *   generic.h     of 16 bytes, by the vector types of gcc and clang: any machine
 *   sse2.h neon.h before it, the words for which these have better instructions than compilers find
 *
 * Vectors carry sums, and traces of bad targets, from tile to tile by name, since they must stay in
 * registers: arrays that live through a loop end up in memory, or are taken apart into scalars. */
#ifndef FL_SIMD_SIMD_H
#define FL_SIMD_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../lanes.h"
#include "../vecmath/real.h"

#if defined(__AVX512F__)
#define FL_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define FL_VECTOR_BYTES 32
#else
#define FL_VECTOR_BYTES 16
#endif

typedef double fl_double_vector __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef real_bits fl_bits_vector __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef real fl_real_vector __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef uint64_t fl_words64 __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef long long fl_pieces __attribute__((vector_size(FL_VECTOR_BYTES)));

/* Numbers of a vector, and vectors of the lanes. */
enum {
    FL_DOUBLES = FL_VECTOR_BYTES / sizeof(double),
    FL_N_DOUBLE_VECTORS = FL_LANES / FL_DOUBLES,
    FL_REALS = FL_VECTOR_BYTES / sizeof(real),
    FL_PATTERNS = FL_VECTOR_BYTES / sizeof(real_bits),
    FL_N_BITS_VECTORS = FL_LANES / FL_PATTERNS,
    FL_PIECES = FL_VECTOR_BYTES / 16
};

/* sums[k] += tile[k], for a tile of floats that has just been computed by whole vectors taken into halves:
 * gcc would convert them four by four. fl_add_stored is for one in memory, where halves cost nothing. */
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile);
FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile);

/* The larger and the smaller of each lane; of a NaN and a number the number, if it is the second one. */
FL_INLINE fl_real_vector fl_larger_lanes(fl_real_vector a, fl_real_vector b);
FL_INLINE fl_real_vector fl_smaller_lanes(fl_real_vector a, fl_real_vector b);

/* a·b + c as fl_fma has it; as many reals as a vector has doubles, as doubles; halves folded onto halves. */
FL_INLINE fl_double_vector fl_vector_fma(fl_double_vector a, fl_double_vector b, fl_double_vector c);
FL_INLINE fl_double_vector fl_wide_part(const real *p);
FL_INLINE double fl_fold_vector(fl_double_vector x);

/* Bits of 64 moved by so many places, lane by lane, and none left where these are not from 0 to 63: as
 * instructions have it, but not C. */
FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places);
FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places);

/* The last n < FL_LANES numbers of a row, and zeros. */
FL_INLINE void fl_pad_tail(const real *p, size_t n, real *tail);

/* Each of FL_REALS vectors folded to one number, halves onto halves, by additions or, `larger`, to the
 * largest lane. */
FL_INLINE fl_real_vector fl_fold_rows(const fl_real_vector *r, const int larger);

/* A quarter of a cache line, and a line, past the caches, if FL_HAS_STREAM; the sums of two lines of floats.
 * Such stores are weakly ordered: other threads may see them only after fl_stream_end. */
static inline void fl_stream_quarter(char *to, const char *from);
static inline void fl_stream_line(char *to, const char *from);
static inline void fl_stream_sum_line(float *to, const float *a, const float *b);
static inline void fl_stream_end(void);

/* Vectors of more than 16 bytes as FL_PIECES pieces of 16, for transpositions (rows/transpose.h): a piece
 * every `step` reals; all of them in one place; interleaved in pairs of 32 or 64 bits within each piece, from
 * the low or the high halves; FL_PIECES vectors' pieces transposed, which is its own inverse. */
#if FL_VECTOR_BYTES > 16
FL_INLINE fl_pieces fl_load_pieces(const real *p, ptrdiff_t step);
FL_INLINE void fl_store_pieces(real *p, ptrdiff_t step, fl_pieces x);
FL_INLINE fl_pieces fl_load_whole(const real *p);
FL_INLINE void fl_store_whole(real *p, fl_pieces x);
FL_INLINE fl_pieces fl_low32(fl_pieces a, fl_pieces b);
FL_INLINE fl_pieces fl_high32(fl_pieces a, fl_pieces b);
FL_INLINE fl_pieces fl_low64(fl_pieces a, fl_pieces b);
FL_INLINE fl_pieces fl_high64(fl_pieces a, fl_pieces b);
FL_INLINE void fl_turn_pieces(fl_pieces *a);
#endif

/* As fl_fma, of doubles in either precision. */
FL_INLINE double fl_wide_fma(double a, double b, double c) {
#if FL_HAS_FMA
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/* Lane by lane the sum, or the larger one. */
FL_INLINE fl_real_vector fl_join(fl_real_vector a, fl_real_vector b, const int larger) {
    return larger ? fl_larger_lanes(a, b) : a + b;
}

#if FL_VECTOR_BYTES == 64
#include "avx512.h"
#elif FL_VECTOR_BYTES == 32
#include "avx2.h"
#else
#if defined(__SSE2__)
#include "sse2.h"
#elif defined(__aarch64__)
#include "neon.h"
#endif
#include "generic.h"
#endif

#ifndef FL_OWN_CONVERSIONS
/* Doubles, of which a conversion makes nothing else, and floats of other machines. */
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
    typedef real fl_part __attribute__((vector_size(FL_DOUBLES * sizeof(real))));
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++) {
        fl_part x;
        memcpy(&x, tile + i * FL_DOUBLES, sizeof x);
        sums[i] += __builtin_convertvector(x, fl_double_vector);
    }
}

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    fl_add_tile(sums, tile);
}

FL_INLINE fl_double_vector fl_wide_part(const real *p) {
    fl_double_vector x;
    for (int k = 0; k < FL_DOUBLES; k++)
        x[k] = (double)p[k];
    return x;
}
#endif

#endif
