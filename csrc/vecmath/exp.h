/* Exponentials.
 *
 * x = k·ln 2 + r with |r| ≤ ½ ln 2; e^r − 1 by a polynomial; 2^k by building the exponent field. k appears
 * twice: as a real, by adding and subtracting 1.5·2^23 (2^52), and as the low bits of that sum, which is all
 * a shift into the exponent field needs. ln 2 is split so that k·LN2_HI is exact without fma too. */
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
    real_bits k_pattern; /* k modulo a power of two larger than the exponent field */
} fl_exp_split;

FL_INLINE fl_exp_split fl_split_exponent(real x) {
    real shifted = fl_fma(x, FL_LOG2_E, FL_ROUND_MAGIC);
    real k = shifted - FL_ROUND_MAGIC;
    real r = fl_fma(k, -FL_LN2_HI, x);
    r = fl_fma(k, -FL_LN2_LO, r);
    return (fl_exp_split){r, fl_to_bits(shifted) - fl_to_bits(FL_ROUND_MAGIC)};
}

/* (e^r − 1 − r)/r² on |r| ≤ ½ ln 2. Relative error of e^r: 2^-28.2 (2^-57.9 in double). */
FL_INLINE real fl_exp_tail(real r) {
#if FL_PRECISION == 32
    real q = 0x1.694c86p-10f;
    q = fl_fma(q, r, 0x1.12397cp-7f);
    q = fl_fma(q, r, 0x1.555a26p-5f);
    q = fl_fma(q, r, 0x1.555492p-3f);
    return fl_fma(q, r, 0x1.fffffap-2f);
#else
    real q = 0x1.ad92c7dd27123p-26;
    q = fl_fma(q, r, 0x1.28adf7a19dd16p-22);
    q = fl_fma(q, r, 0x1.71df18fbc7a58p-19);
    q = fl_fma(q, r, 0x1.a0199963c9cfap-16);
    q = fl_fma(q, r, 0x1.a01a012fec2f2p-13);
    q = fl_fma(q, r, 0x1.6c16c18475a18p-10);
    q = fl_fma(q, r, 0x1.1111111126b37p-7);
    q = fl_fma(q, r, 0x1.55555555506cp-5);
    q = fl_fma(q, r, 0x1.55555555554fep-3);
    return fl_fma(q, r, 0x1.000000000000ap-1);
#endif
}

/* The same one degree further, for e^r − 1 itself: relative error 2^-30.3 (2^-60.2 in double). */
FL_INLINE real fl_expm1_tail(real r) {
#if FL_PRECISION == 32
    real q = 0x1.9a97e2p-13f;
    q = fl_fma(q, r, 0x1.6d5142p-10f);
    q = fl_fma(q, r, 0x1.1115b4p-7f);
    q = fl_fma(q, r, 0x1.5554e4p-5f);
    q = fl_fma(q, r, 0x1.555552p-3f);
    return fl_fma(q, r, 0.5f);
#else
    real q = 0x1.1eed0116dc3efp-29;
    q = fl_fma(q, r, 0x1.af6e53ea7785ap-26);
    q = fl_fma(q, r, 0x1.27e533a40a292p-22);
    q = fl_fma(q, r, 0x1.71ddee8a25282p-19);
    q = fl_fma(q, r, 0x1.a01a017d475dfp-16);
    q = fl_fma(q, r, 0x1.a01a01b43cdcep-13);
    q = fl_fma(q, r, 0x1.6c16c16c1e5bep-10);
    q = fl_fma(q, r, 0x1.111111110ea08p-7);
    q = fl_fma(q, r, 0x1.5555555555544p-5);
    q = fl_fma(q, r, 0x1.555555555555cp-3);
    return fl_fma(q, r, 0.5);
#endif
}

/* e^r on |r| ≤ ½ ln 2. */
FL_INLINE real fl_exp_reduced(real r) {
    real r2 = r * r;
    return fl_fma(r2, fl_exp_tail(r), r) + 1;
}

/* Beyond this e^x is infinite or rounds to 0. */
#define FL_EXP_RANGE FL_CONST(110.0, 750.0)

/* mantissa·2^k, where k is that of e^x. The power of two is applied in two steps, 2^(k ± 64) and 2^∓64, of
 * which only the second can overflow or round; the signs come from moving x's sign bit to where it counts 128
 * in an exponent. */
FL_INLINE real fl_scale_by_split(real mantissa, real x, fl_exp_split s) {
    real_bits if_negative = (fl_to_bits(x) & FL_SIGN_BIT) >> (FL_PRECISION == 32 ? 1 : 4);
    real near = fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(-64) + if_negative);
    return mantissa * near * fl_from_bits(FL_POWER_OF_TWO_BITS(64) - if_negative);
}

/* e^x for every x: infinite exactly where it must be, gradual underflow, NaN kept. Max error 0.99 ULP. */
FL_INLINE real fl_exp(real x) {
    fl_exp_split s = fl_split_exponent(fl_with_sign(fl_at_most(fl_abs(x), FL_EXP_RANGE), x));
    return fl_scale_by_split(fl_exp_reduced(s.remainder), x, s);
}

/* e^(x + x_lo), |x_lo| ≤ ULP(x), every x. Max error 0.96 ULP. */
FL_INLINE real fl_exp_sum(real x, real x_lo) {
    real magnitude = fl_at_most(fl_abs(x), FL_EXP_RANGE);
    fl_exp_split s = fl_split_exponent(fl_with_sign(magnitude, x));
    fl_pair r = fl_fast_two_sum(s.remainder, magnitude < FL_EXP_RANGE ? x_lo : 0);
    fl_pair p = fl_fast_two_sum(1, fl_fma(r.hi * r.hi, fl_exp_tail(r.hi), r.hi));
    return fl_scale_by_split(p.hi + fl_fma(p.hi, r.lo, p.lo), x, s);
}

/* e^-a for a ≥ 0, gradual underflow included; NaN kept. Max error 0.99 ULP. */
FL_INLINE real fl_exp_negated(real a) {
    fl_exp_split s = fl_split_exponent(-fl_at_most(a, FL_EXP_RANGE));
    real p = fl_exp_reduced(s.remainder) * (real)0x1p-64;
    return p * fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(64));
}

/* 2^64·e^-a for a ≥ 0 as a pair, max error 0.53 ULP of e^-a: no subnormal number loses bits in
 * between. */
FL_INLINE fl_pair fl_exp_negated_pair(real a) {
    fl_exp_split s = fl_split_exponent(-fl_at_most(a, FL_EXP_RANGE));
    real r = s.remainder;
    fl_pair p = fl_fast_two_sum(1, fl_fma(r * r, fl_exp_tail(r), r));
    real scale = fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(64));
    return (fl_pair){p.hi * scale, p.lo * scale};
}

/* 2^k in four factors quarter·quarter·quarter·rest, so that y·2^k neither overflows nor underflows before its
 * time; |k| may be four times the exponent's range. */
typedef struct {
    real mantissa_m1; /* e^r − 1 */
    real quarter, rest;
} fl_exp_factors;

#define FL_EXP_FACTORS_RANGE FL_CONST(340.0, 1500.0)

/* e^(x + x_lo) in factors; NaN kept in the mantissa. */
FL_INLINE fl_exp_factors fl_exp_in_factors(real x, real x_lo) {
    real magnitude = fl_at_most(fl_abs(x), FL_EXP_FACTORS_RANGE);
    fl_exp_split s = fl_split_exponent(fl_with_sign(magnitude, x));
    s.remainder += magnitude < FL_EXP_FACTORS_RANGE ? x_lo : 0;
    /* k/4 towards zero. The offset makes k positive: only logical shifts vectorise everywhere. */
    const real_bits offset = 4096;
    real_bits k_quarter = ((s.k_pattern + (s.k_pattern >> (FL_PRECISION - 2)) + offset) >> 2) - offset / 4;
    real r = s.remainder;
    return (fl_exp_factors){fl_fma(r * r, fl_expm1_tail(r), r),
                            fl_from_bits(FL_EXPONENT(k_quarter) + FL_POWER_OF_TWO_BITS(0)),
                            fl_from_bits(FL_EXPONENT(s.k_pattern - 3 * k_quarter) + FL_POWER_OF_TWO_BITS(0))};
}

/* y·weight times the factored exponential; the weight comes in half-way, where over- and underflow are
 * furthest. */
FL_INLINE real fl_times_factors(real y, real weight, fl_exp_factors e) {
    return ((((y * e.quarter) * e.quarter) * (weight * (1 + e.mantissa_m1))) * e.quarter) * e.rest;
}

/* The factored exponential − 1, accurate near 0, for an argument ≤ 0. */
FL_INLINE real fl_factors_minus_one(fl_exp_factors e) {
    real power = ((e.quarter * e.quarter) * e.quarter) * e.rest;
    return fl_fma(power, e.mantissa_m1, power - 1);
}

/* y·e^(x + x_lo), finite wherever the product is, but for |y| within a factor of two of overflow; NaN kept.
 * Max error 1.78 ULP. */
FL_INLINE real fl_times_exp(real y, real x, real x_lo) {
    return fl_times_factors(y, 1, fl_exp_in_factors(x, x_lo));
}

#endif
