/* Logarithms.
 *
 * With s = f/(2 + f), log(1 + f) = 2·atanh(s) = 2s + s³·Q(s²), and 2s = f − s·f; so log(1 + f) = f − s·(f −
 * s²·Q(s²)), whose leading term f is exact and whose correction is small: one division, no table. */
#ifndef FL_VECMATH_LOG_H
#define FL_VECMATH_LOG_H

#include "exp.h"

/* log(1 + e) + tail for 0 ≤ e ≤ 1. Q on s² ≤ 1/9, relative error of the logarithm 2^-26 (2^-57.5). */
FL_INLINE real fl_log1p_unit(real e, real tail) {
    real s = e / (2 + e);
    real s2 = s * s;
#if FL_PRECISION == 32
    real q = 0x1.134bc6p-2f;
    q = fl_fma(q, s2, 0x1.211636p-2f);
    q = fl_fma(q, s2, 0x1.99ae06p-2f);
    q = fl_fma(q, s2, 0x1.55554cp-1f);
#else
    real q = 0x1.4afd63d023eecp-3;
    q = fl_fma(q, s2, 0x1.688edd079bdfcp-4);
    q = fl_fma(q, s2, 0x1.eb8a175c6489p-4);
    q = fl_fma(q, s2, 0x1.10acf61876368p-3);
    q = fl_fma(q, s2, 0x1.3b18a6cd11a39p-3);
    q = fl_fma(q, s2, 0x1.745cf154e858p-3);
    q = fl_fma(q, s2, 0x1.c71c726c171afp-3);
    q = fl_fma(q, s2, 0x1.24924923df843p-2);
    q = fl_fma(q, s2, 0x1.999999999a27cp-2);
    q = fl_fma(q, s2, 0x1.5555555555555p-1);
#endif
    return e + fl_fma(-s, fl_fma(-s2, q, e), tail);
}

/* log(m·2^scale) + tail as a pair, for a positive, normal m and an integer scale; for m = NaN or ±inf the
 * result is meaningless. With tail = δ/m this is log(m + δ), which keeps relative accuracy near 1. m = 2^k·(1
 * + f), √½ ≤ 1 + f < √2; Q on s² ≤ 0.0295, absolute error 2^-30 (2^-59) plus the rounding of the pair's lower
 * half, 2^-28 (2^-57).
 */
FL_INLINE fl_pair fl_log_pair(real m, real scale, real tail) {
    const real_bits sqrt_half = fl_to_bits(FL_CONST(0x1.6a09e6p-1, 0x1.6a09e667f3bcdp-1));
    const real_bits mantissa_mask = ((real_bits)1 << FL_MANTISSA_BITS) - 1;
    const real integer_base = FL_CONST(0x1p23, 0x1p52); /* its low mantissa bits count ones */
    real_bits t = fl_to_bits(m) + (FL_POWER_OF_TWO_BITS(0) - sqrt_half);
    real k =
        fl_from_bits((t >> FL_MANTISSA_BITS) | fl_to_bits(integer_base)) - (integer_base + FL_BIAS) + scale;
    real f = fl_from_bits((t & mantissa_mask) + sqrt_half) - 1;
    real s = f / (2 + f);
    real s2 = s * s;
#if FL_PRECISION == 32
    real q = 0x1.2ef7bcp-2f;
    q = fl_fma(q, s2, 0x1.997b94p-2f);
    q = fl_fma(q, s2, 0x1.55555cp-1f);
#else
    real q = 0x1.2b5c824e9f1a9p-3;
    q = fl_fma(q, s2, 0x1.39fe05dd83127p-3);
    q = fl_fma(q, s2, 0x1.7462b76fd5dcdp-3);
    q = fl_fma(q, s2, 0x1.c71c62dc17c4ap-3);
    q = fl_fma(q, s2, 0x1.2492492df75b2p-2);
    q = fl_fma(q, s2, 0x1.99999999952d9p-2);
    q = fl_fma(q, s2, 0x1.5555555555558p-1);
#endif
    real correction = fl_fma(-s, fl_fma(-s2, q, f), tail);
    fl_pair sum = fl_fast_two_sum(k * FL_LN2_HI, f);
    return fl_fast_two_sum(sum.hi, sum.lo + fl_fma(k, FL_LN2_LO, correction));
}

#endif
