/* The words of simd.h that NEON says better than generic.h, on aarch64: conversions, which gcc would make one
 * by one, and fused multiply-add. */
#ifndef FL_SIMD_NEON_H
#define FL_SIMD_NEON_H

#include <arm_neon.h>

#define FL_OWN_FMA

FL_INLINE fl_double_vector fl_vector_fma(fl_double_vector a, fl_double_vector b, fl_double_vector c) {
    return vfmaq_f64(c, a, b);
}

#if FL_PRECISION == 32
#define FL_OWN_CONVERSIONS
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        float32x4_t x = vld1q_f32(tile + 4 * i);
        sums[2 * i] += vcvt_f64_f32(vget_low_f32(x));
        sums[2 * i + 1] += vcvt_high_f64_f32(x);
    }
}

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    fl_add_tile(sums, tile);
}

FL_INLINE fl_double_vector fl_wide_part(const real *p) {
    return vcvt_f64_f32(vld1_f32(p));
}
#endif

#endif
