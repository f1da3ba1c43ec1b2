/* Logarithms.
 *
 * With s = f/(2 + f), log(1 + f) = 2·atanh(s) = 2s + s³·Q(s²), and 2s = f − s·f; so log(1 + f) = f − s·(f −
 * s²·Q(s²)), whose leading term f is exact and whose correction is small: one division, no table. */
#ifndef FL_VECMATH_LOG_H
#define FL_VECMATH_LOG_H

#include "exp.h"

/* log(1 + e) as e − hi·lo for 0 ≤ e ≤ 1. Q on s² ≤ 1/9, relative error of the logarithm 2^-27.7 (2^-59.4). */
FL_INLINE fl_pair fl_log1p_factors(real e) {
    real s = e / (2 + e);
    real s2 = s * s;
#if FL_PRECISION == 32
    real q = 0x1.1efe5p-2f;
    q = fl_fma(q, s2, 0x1.1eb4bap-2f);
    q = fl_fma(q, s2, 0x1.99d294p-2f);
    q = fl_fma(q, s2, 0x1.5555p-1f);
#else
    real s4 = s2 * s2, s8 = s4 * s4;
    real low = fl_cubic(s2, s4, 0x1.5555555555535p-1, 0x1.99999999a077fp-2, 0x1.249249208a547p-2,
                        0x1.c71c741d86871p-3);
    real middle = fl_cubic(s2, s4, 0x1.745cb3da3b549p-3, 0x1.3b1dde70fe6fep-3, 0x1.1067a0e463437p-3,
                           0x1.efda4da7266f8p-4);
    real high = fl_fma(0x1.5c7f0192ef065p-3, s2, 0x1.55a95c6de8a5cp-4);
    real q = fl_fma(fl_fma(high, s8, middle), s8, low);
#endif
    return (fl_pair){s, fl_fma(-s2, q, e)};
}

/* log(1 + e) for 0 ≤ e ≤ 1. Max error 1.0 ULP. */
FL_INLINE real fl_log1p_of_unit(real e) {
    fl_pair f = fl_log1p_factors(e);
    return fl_fma(-f.hi, f.lo, e);
}

/* log(1 + e) + tail. Max error 1.24 (1.27) ULP. */
FL_INLINE real fl_log1p_unit(real e, real tail) {
    fl_pair f = fl_log1p_factors(e);
    return e + fl_fma(-f.hi, f.lo, tail);
}

/* 2·(atanh(s) − s)/s³ for s² ≤ 0.0295, where log((1 + s)/(1 − s)) = 2·atanh(s) has relative error 2^-30.2
 * (2^-59.5). */
FL_INLINE real fl_atanh_series(real s2) {
#if FL_PRECISION == 32
    real q = 0x1.31e08p-2f;
    q = fl_fma(q, s2, 0x1.995ed6p-2f);
    return fl_fma(q, s2, 0x1.55557ap-1f);
#else
    real s4 = s2 * s2;
    real low = fl_fma(0x1.999999997ff27p-2, s2, 0x1.5555555555592p-1);
    real high = fl_cubic(s2, s4, 0x1.c71c5215423a3p-3, 0x1.74663cba3ab84p-3, 0x1.39a1edfb13d68p-3,
                         0x1.2f038624c2ddcp-3);
    return fl_fma(fl_fma(high, s2, 0x1.24924941e048bp-2), s4, low);
#endif
}

/* A number whose low mantissa bits count ones, and the exponent field of a positive number's pattern, as a
 * real, on top of it. */
#define FL_INTEGER_BASE FL_CONST(0x1p23, 0x1p52)
FL_INLINE real fl_above_base(real_bits pattern) {
    return fl_from_bits((pattern >> FL_MANTISSA_BITS) | fl_to_bits(FL_INTEGER_BASE));
}

/* m = 2^k·(1 + f), √½ ≤ 1 + f < √2, for a positive, normal m. */
typedef struct {
    real k, f;
} fl_log_split;

FL_INLINE fl_log_split fl_split_for_log(real m) {
    const real_bits sqrt_half = fl_to_bits(FL_CONST(0x1.6a09e6p-1, 0x1.6a09e667f3bcdp-1));
    const real_bits mantissa_mask = ((real_bits)1 << FL_MANTISSA_BITS) - 1;
    real_bits t = fl_to_bits(m) + (FL_POWER_OF_TWO_BITS(0) - sqrt_half);
    return (fl_log_split){fl_above_base(t) - (FL_INTEGER_BASE + FL_BIAS),
                          fl_from_bits((t & mantissa_mask) + sqrt_half) - 1};
}

/* The s of the series. */
FL_INLINE real fl_log_ratio(fl_log_split split) {
    return split.f / (2 + split.f);
}

/* The logarithm + tail from a split, its s and the series of s² as a pair. */
FL_INLINE fl_pair fl_log_of_split(fl_log_split split, real s, real series, real tail) {
    real correction = fl_fma(-s, fl_fma(-s * s, series, split.f), tail);
    fl_pair sum = fl_fast_two_sum(split.k * FL_LN2_HI, split.f);
    return fl_fast_two_sum(sum.hi, sum.lo + fl_fma(split.k, FL_LN2_LO, correction));
}

/* log(m·2^scale) + tail as a pair, for a positive, normal m and an integer scale; for m = NaN or ±inf the
 * result is meaningless. With tail = δ/m this is log(m + δ), which keeps relative accuracy near 1. Beside the
 * series' error there is the rounding of the pair's lower half, 2^-26 (2^-55). Max error of the upper half
 * alone 0.90 (0.92) ULP. */
FL_INLINE fl_pair fl_log_pair(real m, real scale, real tail) {
    fl_log_split split = fl_split_for_log(m);
    split.k += scale;
    real s = fl_log_ratio(split);
    return fl_log_of_split(split, s, fl_atanh_series(s * s), tail);
}

#endif
