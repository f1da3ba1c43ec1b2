/* Exponentials.
 *
 * x = k·ln 2 + r with |r| ≤ ½ ln 2; e^r − 1 by a polynomial; 2^k by building the exponent field. k appears
 * twice: as a real, by adding and subtracting 1.5·2^23 (2^52), and as the low bits of that sum, which is all
 * a shift into the exponent field needs. ln 2 is split so that k·LN2_HI is exact without fma too.
 *
 * The functions called moderate are for arguments up to FL_MODERATE, where no power of two over- or
 * underflows: the same bits for fewer instructions. */
#ifndef FL_VECMATH_EXP_H
#define FL_VECMATH_EXP_H

#include "pair.h"

#define FL_LOG2_E FL_CONST(0x1.715476p0, 0x1.71547652b82fep0)
/* ln 2 = LN2_HI + LN2_LO: 16 bits (40 in double), so that its products with an exponent are exact, and the
 * rest. */
#define FL_LN2_HI FL_CONST(0x1.62e4p-1, 0x1.62e42fefa4p-1)
#define FL_LN2_LO FL_CONST(0x1.7f7d1cp-20, -0x1.8432a1b0e2634p-43)
/* ln 2 rounded, and what that leaves. */
#define FL_LN2 FL_CONST(0x1.62e43p-1, 0x1.62e42fefa39efp-1)
#define FL_LN2_ERROR FL_CONST(-0x1.05c61p-29, 0x1.abc9e3b39803fp-56)
#define FL_ROUND_MAGIC FL_CONST(0x1.8p23, 0x1.8p52)

typedef struct {
    real remainder;      /* r */
    real_bits k_pattern; /* its low bits, all that FL_EXPONENT keeps, are those of k + bias */
} fl_exp_split;

/* The bias must be even: halves are rounded as without it. */
FL_INLINE fl_exp_split fl_split_biased(real x, real bias) {
    real shifted = fl_fma(x, FL_LOG2_E, FL_ROUND_MAGIC + bias);
    real k = shifted - (FL_ROUND_MAGIC + bias);
    real r = fl_fma(k, -FL_LN2_HI, x);
    r = fl_fma(k, -FL_LN2_LO, r);
    return (fl_exp_split){r, fl_to_bits(shifted)};
}

FL_INLINE fl_exp_split fl_split_exponent(real x) {
    return fl_split_biased(x, 0);
}

/* a + b·r + c·r² + d·r³ by steps that do not all wait for each other (Estrin 1960). */
FL_INLINE real fl_cubic(real r, real r2, real a, real b, real c, real d) {
    return fl_fma(fl_fma(d, r, c), r2, fl_fma(b, r, a));
}

/* (e^r − 1 − r)/r² on |r| ≤ ½ ln 2. Relative error of e^r: 2^-28.2 (2^-57.9 in double). */
FL_INLINE real fl_exp_tail(real r) {
    real r2 = r * r;
#if FL_PRECISION == 32
    real high = fl_fma(0x1.694c86p-10f, r2, fl_fma(0x1.12397cp-7f, r, 0x1.555a26p-5f));
    return fl_fma(high, r2, fl_fma(0x1.555492p-3f, r, 0x1.fffffap-2f));
#else
    real middle = fl_cubic(r, r2, 0x1.55555555506cp-5, 0x1.1111111126b37p-7, 0x1.6c16c18475a18p-10,
                           0x1.a01a012fec2f2p-13);
    real high = fl_cubic(r, r2, 0x1.a0199963c9cfap-16, 0x1.71df18fbc7a58p-19, 0x1.28adf7a19dd16p-22,
                         0x1.ad92c7dd27123p-26);
    return fl_fma(fl_fma(high, r2 * r2, middle), r2, fl_fma(0x1.55555555554fep-3, r, 0x1.000000000000ap-1));
#endif
}

/* The same one degree further, for e^r − 1 itself: relative error 2^-30.3 (2^-60.2 in double). */
FL_INLINE real fl_expm1_tail(real r) {
    real r2 = r * r;
#if FL_PRECISION == 32
    real high = fl_cubic(r, r2, 0x1.5554e4p-5f, 0x1.1115b4p-7f, 0x1.6d5142p-10f, 0x1.9a97e2p-13f);
    return fl_fma(high, r2, fl_fma(0x1.555552p-3f, r, 0.5f));
#else
    real r4 = r2 * r2;
    real low = fl_cubic(r, r2, 0.5, 0x1.555555555555cp-3, 0x1.5555555555544p-5, 0x1.111111110ea08p-7);
    real middle = fl_cubic(r, r2, 0x1.6c16c16c1e5bep-10, 0x1.a01a01b43cdcep-13, 0x1.a01a017d475dfp-16,
                           0x1.71ddee8a25282p-19);
    real high = fl_fma(0x1.1eed0116dc3efp-29, r2, fl_fma(0x1.af6e53ea7785ap-26, r, 0x1.27e533a40a292p-22));
    return fl_fma(fl_fma(high, r4, middle), r4, low);
#endif
}

/* e^r on |r| ≤ ½ ln 2. */
FL_INLINE real fl_exp_reduced(real r) {
    real r2 = r * r;
    return fl_fma(r2, fl_exp_tail(r), r) + 1;
}

/* The same for r + r_lo, where r_lo is a rounding error, as a pair. */
FL_INLINE fl_pair fl_exp_reduced_pair(real r, real r_lo) {
    fl_pair sum = fl_fast_two_sum(r, r_lo);
    fl_pair p = fl_fast_two_sum(1, fl_fma(sum.hi * sum.hi, fl_exp_tail(sum.hi), sum.hi));
    return (fl_pair){p.hi, fl_fma(p.hi, sum.lo, p.lo)};
}

FL_INLINE real fl_exp_reduced_sum(real r, real r_lo) {
    fl_pair p = fl_exp_reduced_pair(r, r_lo);
    return p.hi + p.lo;
}

/* Beyond this e^x is infinite or rounds to 0. */
#define FL_EXP_RANGE FL_CONST(110.0, 750.0)

/* The bias that makes of k_pattern the exponent field of 2^(k − 63). */
#define FL_SCALE_BIAS ((real)(FL_BIAS - 63))

/* mantissa·2^k, where k is that of e^x, split with FL_SCALE_BIAS. The power of two is applied in two steps,
 * 2^(k − 63) and 2^63 or 2^(k + 65) and 2^-65, of which only the second can overflow or round; which it is
 * comes from moving x's sign bit to where it counts 128 in an exponent. */
FL_INLINE real fl_scale_by_split(real mantissa, real x, fl_exp_split s) {
    real_bits if_negative = (fl_to_bits(x) & FL_SIGN_BIT) >> (FL_PRECISION == 32 ? 1 : 4);
    real near = fl_from_bits(FL_EXPONENT(s.k_pattern) + if_negative);
    return mantissa * near * fl_from_bits(FL_POWER_OF_TWO_BITS(63) - if_negative);
}

/* e^x for every x: infinite exactly where it must be, gradual underflow, NaN kept. Max error 1.02 ULP. */
FL_INLINE real fl_exp(real x) {
    real clipped = fl_with_sign(fl_at_most(fl_abs(x), FL_EXP_RANGE), x);
    fl_exp_split s = fl_split_biased(clipped, FL_SCALE_BIAS);
    return fl_scale_by_split(fl_exp_reduced(s.remainder), x, s);
}

/* The magnitude up to which arguments are moderate. */
#define FL_MODERATE FL_CONST(64.0, 512.0)

/* e^x for a moderate x: the bits of fl_exp. */
FL_INLINE real fl_exp_moderate(real x) {
    fl_exp_split s = fl_split_exponent(x);
    return fl_from_bits(fl_to_bits(fl_exp_reduced(s.remainder)) + FL_EXPONENT(s.k_pattern));
}

/* e^(x + x_lo), |x_lo| ≤ ULP(x), every x. Max error 0.99 ULP. */
FL_INLINE real fl_exp_sum(real x, real x_lo) {
    real magnitude = fl_at_most(fl_abs(x), FL_EXP_RANGE);
    fl_exp_split s = fl_split_biased(fl_with_sign(magnitude, x), FL_SCALE_BIAS);
    return fl_scale_by_split(fl_exp_reduced_sum(s.remainder, magnitude < FL_EXP_RANGE ? x_lo : 0), x, s);
}

/* e^-a for a ≥ 0, gradual underflow included; NaN kept. Max error 1.02 ULP. */
FL_INLINE real fl_exp_negated(real a) {
    fl_exp_split s = fl_split_exponent(-fl_at_most(a, FL_EXP_RANGE));
    real p = fl_exp_reduced(s.remainder) * (real)0x1p-64;
    return p * fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(64));
}

/* e^-(a + a_lo) for a ≥ 0, |a_lo| ≤ ULP(a), as a pair of error 0.6 ULP; NaN kept. */
FL_INLINE fl_pair fl_exp_negated_sum(real a, real a_lo) {
    real clipped = fl_at_most(a, FL_EXP_RANGE);
    fl_exp_split s = fl_split_exponent(-clipped);
    fl_pair p = fl_exp_reduced_pair(s.remainder, clipped < FL_EXP_RANGE ? -a_lo : 0);
    real power = fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(64));
    return (fl_pair){p.hi * (real)0x1p-64 * power, p.lo * (real)0x1p-64 * power};
}

/* 2^scale·e^-a for 0 ≤ a ≤ FL_EXP_RANGE as a pair, max error 0.55 ULP of e^-a: with 64 no subnormal number
 * loses bits in between, with 0 none does for a moderate a. */
FL_INLINE fl_pair fl_exp_negated_pair_in_range(real a, int scale) {
    fl_exp_split s = fl_split_exponent(-a);
    real r = s.remainder;
    fl_pair p = fl_fast_two_sum(1, fl_fma(r * r, fl_exp_tail(r), r));
    real power = fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(scale));
    return (fl_pair){p.hi * power, p.lo * power};
}

/* 2^k in four factors quarter·quarter·quarter·rest, so that y·2^k neither overflows nor underflows before its
 * time; |k| may be four times the exponent's range. */
typedef struct {
    real mantissa_m1; /* e^r − 1 */
    real quarter, rest;
} fl_exp_factors;

#define FL_EXP_FACTORS_RANGE FL_CONST(340.0, 1500.0)

/* e^r·2^k in factors. With `moderate` one factor is enough: products have the same bits, unless they are
 * subnormal. */
FL_INLINE fl_exp_factors fl_factors_of(fl_exp_split s, int moderate) {
    real r = s.remainder, mantissa_m1 = fl_fma(r * r, fl_expm1_tail(r), r);
    real_bits one = FL_POWER_OF_TWO_BITS(0);
    if (moderate)
        return (fl_exp_factors){mantissa_m1, 1, fl_from_bits(FL_EXPONENT(s.k_pattern) + one)};
    /* k/4 towards zero. The offset makes k positive: only logical shifts vectorise everywhere. */
    const real_bits offset = 4096;
    real_bits k = s.k_pattern - fl_to_bits(FL_ROUND_MAGIC);
    real_bits k_quarter = ((k + (k >> (FL_PRECISION - 2)) + offset) >> 2) - offset / 4;
    return (fl_exp_factors){mantissa_m1, fl_from_bits(FL_EXPONENT(k_quarter) + one),
                            fl_from_bits(FL_EXPONENT(k - 3 * k_quarter) + one)};
}

/* e^(x + x_lo) in factors; NaN kept in the mantissa. `moderate` says that x is so. */
FL_INLINE fl_exp_factors fl_exp_in_factors(real x, real x_lo, int moderate) {
    real magnitude = fl_at_most(fl_abs(x), FL_EXP_FACTORS_RANGE);
    fl_exp_split s = fl_split_exponent(moderate ? x : fl_with_sign(magnitude, x));
    s.remainder += moderate || magnitude < FL_EXP_FACTORS_RANGE ? x_lo : 0;
    return fl_factors_of(s, moderate);
}

/* √(log2 e)/c as a pair: e^(−(x/c)²) is 2^(−u²), where u is so many times x. */
FL_INLINE fl_pair fl_binary_scale(double c) {
#if FL_PRECISION == 32
    return fl_constant(1 / (c * 0x1.aa4499161cd48p-1));
#else
    return fl_reciprocal(fl_times_pair(c, (fl_pair){0x1.aa4499161cd48p-1, -0x1.8b74b178039d8p-55}));
#endif
}

/* −u² for 2^(−u²), of a pair u, |u| ≤ 22 (63). No part of u² needs to be known but what is left of it beyond the
 * integer next to it, and of that the product with ln 2. */
FL_INLINE fl_exp_split fl_split_minus_square(fl_pair u) {
    real shifted = fl_fma(-u.hi, u.hi, FL_ROUND_MAGIC), k = shifted - FL_ROUND_MAGIC;
    real fraction = fl_remainder(-k, u.hi, u.hi);
    real remainder = fl_fma(fraction, FL_LN2, (-2 * FL_LN2) * u.hi * u.lo);
    return (fl_exp_split){remainder, fl_to_bits(shifted)};
}

/* y·weight times the factored exponential, finite wherever the product is, but for |y| within a factor of two
 * of overflow; NaN kept. The weight comes in half-way, where over- and underflow are furthest. Max error 1.78
 * ULP with weight 1. */
FL_INLINE real fl_times_factors(real y, real weight, fl_exp_factors e) {
    return ((((y * e.quarter) * e.quarter) * (weight * (1 + e.mantissa_m1))) * e.quarter) * e.rest;
}

/* The factored exponential − 1, accurate near 0, for an argument ≤ 0. */
FL_INLINE real fl_factors_minus_one(fl_exp_factors e) {
    real power = ((e.quarter * e.quarter) * e.quarter) * e.rest;
    return fl_fma(power, e.mantissa_m1, power - 1);
}

#endif
