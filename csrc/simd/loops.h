/* What compilers are asked for of loops. */
#ifndef FL_SIMD_LOOPS_H
#define FL_SIMD_LOOPS_H

/* Iterations do not depend on each other, though one array may lie over another in place. */
#if defined(__GNUC__) && !defined(__clang__)
#define FL_INDEPENDENT_LOOP _Pragma("GCC ivdep")
#else
#define FL_INDEPENDENT_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif

/* The lanes of a tile, each by itself: vectors, all of them next to each other. clang would unroll such a loop before
 * it looks for vectors. */
#if defined(__GNUC__) && !defined(__clang__)
#define FL_TILE_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 8")
#else
#define FL_TILE_LOOP _Pragma("clang loop vectorize(assume_safety) vectorize_width(FL_REALS) unroll(disable)")
#endif

/* Unrolled before it is vectorised, a loop over lanes would stay scalar. */
#if defined(__GNUC__) && !defined(__clang__)
#define FL_ROLLED_LOOP _Pragma("GCC unroll 1")
#else
#define FL_ROLLED_LOOP _Pragma("clang loop unroll(disable)")
#endif

#endif
