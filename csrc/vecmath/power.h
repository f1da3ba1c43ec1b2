/* x^p for any x and p.
 *
 * e^(p·log x) magnifies the relative error of the logarithm by the exponent, up to 2^7 (2^10): the logarithm
 * is a pair with its series in pairs up to the term whose rounding no longer counts. */
#ifndef FL_VECMATH_POWER_H
#define FL_VECMATH_POWER_H

#include "elementary.h"

/* (2·atanh(s) − 2s − ⅔s³)/s⁵ for s² ≤ 0.0295, relative error of 2·atanh(s) 2^-37 (2^-66). */
FL_INLINE real fl_atanh_rest(real s2) {
#if FL_PRECISION == 32
    real q = 0x1.87b1eep-3f;
    q = fl_fma(q, s2, 0x1.c6bfe2p-3f);
    q = fl_fma(q, s2, 0x1.24929p-2f);
    q = fl_fma(q, s2, 0x1.99999ap-2f);
#else
    real q = 0x1.e07719ad477cbp-4;
    q = fl_fma(q, s2, 0x1.df75d12b0b692p-4);
    q = fl_fma(q, s2, 0x1.1118e94a2303dp-3);
    q = fl_fma(q, s2, 0x1.3b139534786e2p-3);
    q = fl_fma(q, s2, 0x1.745d177c10ba8p-3);
    q = fl_fma(q, s2, 0x1.c71c71c6e8f42p-3);
    q = fl_fma(q, s2, 0x1.2492492492527p-2);
    q = fl_fma(q, s2, 0x1.999999999999ap-2);
#endif
    return q;
}

/* log(m·2^scale) for a positive, normal m, relative error 2^-34 (2^-63). With s = f/(2 + f) as a pair, log(1
 * + f) = s·(2 + s²·(⅔ + s²·rest)). */
FL_INLINE fl_pair fl_log_accurate(real m, real scale) {
    const fl_pair two_thirds = {FL_CONST(0x1.555556p-1, 0x1.5555555555555p-1),
                                FL_CONST(-0x1.555556p-26, 0x1.5555555555555p-55)};
    fl_log_split split = fl_split_for_log(m);
    real k = split.k + scale, f = split.f;
    fl_pair d = fl_fast_two_sum(2, f);
    real s = f / d.hi, s_lo = (fl_remainder(f, s, d.hi) - s * d.lo) / d.hi;
    fl_pair s2 = fl_two_product(s, s);
    s2.lo = fl_fma(2 * s, s_lo, s2.lo);
    fl_pair q = fl_fast_two_sum(two_thirds.hi, s2.hi * fl_atanh_rest(s2.hi));
    q.lo += two_thirds.lo;
    fl_pair v = fl_two_product(s2.hi, q.hi);
    v.lo = fl_fma(s2.hi, q.lo, fl_fma(s2.lo, q.hi, v.lo));
    fl_pair sum = fl_fast_two_sum(2, v.hi), l = fl_two_product(s, sum.hi);
    l.lo = fl_fma(s, sum.lo + v.lo, fl_fma(s_lo, sum.hi, l.lo));
    fl_pair all = fl_two_sum(k * FL_LN2_HI, l.hi);
    return fl_fast_two_sum(all.hi, all.lo + fl_fma(k, FL_LN2_LO, l.lo));
}

/* |x|^p for x not 0 and finite. */
FL_INLINE real fl_power_of_magnitude(real x, fl_pair p) {
    real a = fl_abs(x);
    int is_small = a < FL_SMALLEST_NORMAL;
    fl_pair l = fl_log_accurate(is_small ? a * FL_UP : a, is_small ? -FL_UP_LOG2 : 0);
    fl_pair e = fl_two_product(l.hi, p.hi);
    e.lo = fl_fma(l.hi, p.lo, fl_fma(l.lo, p.hi, e.lo));
    real hi = e.hi + e.lo, lo = e.lo - (hi - e.hi);
    int is_finite = fl_abs(e.hi) <= FL_EXP_RANGE;
    return fl_exp_sum(is_finite ? hi : e.hi, is_finite ? lo : 0);
}

FL_INLINE real fl_round_to_even(real x) {
    return fl_abs(x) < FL_ROUND_MAGIC / 4 ? (x + FL_ROUND_MAGIC) - FL_ROUND_MAGIC : x;
}

/* x^p, NaN for a negative x and a p that is not whole. Max error 1.1 ULP. */
FL_INLINE real fl_power(real x, fl_pair p) {
    real a = fl_abs(x), at_end = p.hi > 0 ? x : 1 / x; /* 0 or infinite */
    real result = fl_power_of_magnitude(x, p);
    int is_whole = (fl_round_to_even(p.hi) == p.hi) & (p.lo == 0);
    int is_odd = is_whole & (fl_round_to_even((real)0.5 * p.hi) != (real)0.5 * p.hi);
    int ends = (a == 0) | (a > FL_LARGEST);
    result = ends ? fl_abs(at_end) : result;
    result = x >= 0 ? result : (is_whole ? (is_odd ? -result : result) : FL_NAN);
    return p.hi == 0 ? 1 : fl_keep_nan(x, fl_keep_nan(p.hi, result));
}

#endif
