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
    fl_pair v = fl_pair_product(s2, q);
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
    fl_pair e = fl_pair_product(l, p);
    real hi = e.hi + e.lo, lo = e.lo - (hi - e.hi);
    int is_finite = fl_abs(e.hi) <= FL_EXP_RANGE;
    return fl_exp_sum(is_finite ? hi : e.hi, is_finite ? lo : 0);
}

FL_INLINE real fl_round_to_even(real x) {
    return fl_abs(x) < FL_ROUND_MAGIC / 4 ? (x + FL_ROUND_MAGIC) - FL_ROUND_MAGIC : x;
}

/* An exponent, and what follows from it alone: gcc makes no vectors of a loop that asks one number for all. */
typedef struct {
    fl_pair p;
    real_bits turned, undefined; /* of results for negative numbers: the sign bit, the bits of NaN, or none */
    real of_zero;                /* 1 for the exponent 0, or 0; NaN for NaN */
} fl_exponent;

FL_INLINE fl_exponent fl_exponent_of(fl_pair p) {
    real half = (real)0.5 * p.hi, off_even = fl_abs(fl_round_to_even(half) - half);
    real off_whole = fl_abs(fl_round_to_even(p.hi) - p.hi) + fl_abs(p.lo);
    return (fl_exponent){p, off_even > 0 ? FL_SIGN_BIT : 0, off_whole > 0 ? fl_to_bits(FL_NAN) : 0,
                         fl_keep_nan(p.hi, p.hi == 0 ? 1 : 0)};
}

/* x^p, NaN for a negative x and a p that is not whole; NaN of either kept. Max error 1.1 ULP. */
FL_INLINE real fl_power(real x, fl_exponent e) {
    real a = fl_abs(x);
    real at_end = (a - 1) * e.p.hi > 0 ? FL_INFINITY : e.of_zero; /* of 0 and infinity */
    real inside = fl_power_of_magnitude(x, e.p);
    real result = fl_from_bits(((a == 0) | (a > FL_LARGEST)) ? fl_to_bits(at_end) : fl_to_bits(inside));
    result = fl_from_bits(fl_to_bits(result) ^ (fl_to_bits(x) & e.turned));
    real of_negative = fl_from_bits(fl_to_bits(result) | e.undefined);
    return fl_keep_nan(x, x < 0 ? of_negative : result);
}

/* (1/(1 + e^−x))^p = e^(−p·log(1 + e^−x)), for a p ≥ 0. Max error 1.5 ULP. */
FL_INLINE real fl_power_of_sigmoid(real x, fl_pair p) {
    real a = fl_at_most(fl_abs(x), FL_EXP_RANGE);
    fl_pair e = fl_exp_negated_pair_in_range(a, 64);
    e.hi *= (real)0x1p-64;
    e.lo *= (real)0x1p-64;
    real d = 1 + e.hi, d_lo = (e.hi - (d - 1)) + e.lo;
    fl_pair log_d = fl_log_pair(d, 0, d_lo / d);
    fl_pair sum = fl_two_sum(x < 0 ? fl_abs(x) : 0, log_d.hi);
    sum.lo += log_d.lo;
    fl_pair exponent = fl_times_pair(sum.hi, p);
    exponent.lo = fl_fma(p.hi, sum.lo, exponent.lo);
    fl_pair power = fl_exp_negated_sum(exponent.hi, exponent.lo);
    return fl_keep_nan(x, power.hi + power.lo);
}

#endif
