/* What a kernel carries from tile to tile: sums, and traces of bad targets, one of each for every lane, in
 * the vectors of the machine (simd/simd.h). */
#ifndef FL_BLOCKS_TILE_H
#define FL_BLOCKS_TILE_H

#include "../simd/simd.h"
#include "real.h"

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
