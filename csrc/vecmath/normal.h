/* The normal distribution.
 *
 * Of a ≥ 0, with φ the density and M(a) = Φ(−a)/φ(a) Mills' ratio: (a + 1)·M(a) lies between 1 and 1.26 and
 * is a polynomial in t = (a − 5)/(a + 5) (Shepherd and Laframboise 1981), and so is (a + 1)·(1/M(a) − a).
 * e^(−a²/2) is that of a pair. */
#ifndef FL_VECMATH_NORMAL_H
#define FL_VECMATH_NORMAL_H

#include "elementary.h"

/* 2^64·e^(−factor·a²) as a pair, for a factor of 1 or ½. */
FL_INLINE fl_pair fl_exp_minus_square(real a, real factor) {
    real clipped = fl_at_most(a, FL_CONST(16.0, 45.0));
    fl_pair a2 = fl_two_product(clipped, clipped);
    fl_pair e = fl_exp_negated_pair_in_range(fl_at_most(factor * a2.hi, FL_EXP_RANGE), 64);
    return (fl_pair){e.hi, fl_fma(-e.hi, factor * a2.lo, e.lo)};
}

/* a·b·2^-64 as a pair. */
FL_INLINE fl_pair fl_scaled_product(fl_pair a, fl_pair b) {
    const real scale = (real)0x1p-64;
    fl_pair p = fl_pair_product(a, b);
    p = fl_fast_two_sum(p.hi, p.lo);
    return (fl_pair){p.hi * scale, p.lo * scale};
}

FL_INLINE real fl_mills_argument(real a) {
    return a > FL_CONST(0x1p30, 0x1p60) ? 1 : (a - 5) / (a + 5);
}

/* (a + 1)·M(a)/√(2π) as c + rest·t. Relative error 2^-28 (2^-57). */
FL_INLINE fl_pair fl_mills(real a) {
    real t = fl_mills_argument(a);
#if FL_PRECISION == 32
    real q = 0x1.79b7bp-18f;
    q = fl_fma(q, t, -0x1.3d6b76p-17f);
    q = fl_fma(q, t, -0x1.9de9ccp-15f);
    q = fl_fma(q, t, 0x1.7c9742p-13f);
    q = fl_fma(q, t, 0x1.50f2a4p-18f);
    q = fl_fma(q, t, -0x1.b7333ep-10f);
    q = fl_fma(q, t, 0x1.ab7cdcp-8f);
    q = fl_fma(q, t, -0x1.f11cb6p-7f);
    q = fl_fma(q, t, 0x1.9202d6p-6f);
    q = fl_fma(q, t, -0x1.b08dd4p-6f);
    q = fl_fma(q, t, 0x1.47c1e4p-7f);
    q = fl_fma(q, t, 0x1.fc66cap-6f);
    q = fl_fma(q, t, -0x1.76ff86p-4f);
#else
    real q = 0x1.5dc0fe8225b5ep-39;
    q = fl_fma(q, t, 0x1.2f6fc2392119p-34);
    q = fl_fma(q, t, 0x1.39ee4f5805cdfp-37);
    q = fl_fma(q, t, -0x1.bed5fb3836dc8p-31);
    q = fl_fma(q, t, -0x1.a8a7cabe8d353p-32);
    q = fl_fma(q, t, 0x1.7fef28f858063p-28);
    q = fl_fma(q, t, 0x1.0f11c65bf32c3p-28);
    q = fl_fma(q, t, -0x1.1a14b70284824p-25);
    q = fl_fma(q, t, -0x1.cc621e4f06178p-26);
    q = fl_fma(q, t, 0x1.a9a0ab653bfe1p-23);
    q = fl_fma(q, t, 0x1.13b543cdfcaf9p-23);
    q = fl_fma(q, t, -0x1.5f50e9c0e482bp-20);
    q = fl_fma(q, t, -0x1.2f8c983cc42e1p-24);
    q = fl_fma(q, t, 0x1.3004777c6cdfap-17);
    q = fl_fma(q, t, -0x1.4c0d9ee3b9427p-17);
    q = fl_fma(q, t, -0x1.c1b1cdb552546p-15);
    q = fl_fma(q, t, 0x1.7e61e0a41d56p-13);
    q = fl_fma(q, t, 0x1.0571a2a932a4fp-17);
    q = fl_fma(q, t, -0x1.b75f4f8063bbep-10);
    q = fl_fma(q, t, 0x1.ab6d038d6b34ap-8);
    q = fl_fma(q, t, -0x1.f11aab030863cp-7);
    q = fl_fma(q, t, 0x1.92037bab46572p-6);
    q = fl_fma(q, t, -0x1.b08e0007b4e03p-6);
    q = fl_fma(q, t, 0x1.47c1d030549a5p-7);
    q = fl_fma(q, t, 0x1.fc66cc64a13e6p-6);
    q = fl_fma(q, t, -0x1.76ff86859eb14p-4);
#endif
    return fl_fast_two_sum(FL_CONST(0x1.d8979cp-2, 0x1.d8979b0f2b39dp-2),
                           fl_fma(t, q, FL_CONST(-0x1.e1a98cp-27, 0x1.ca35efd80cdaep-56)));
}

/* Φ(−a)/(e^(−a²/2)) as a pair. */
FL_INLINE fl_pair fl_mills_ratio(real a) {
    fl_pair m = fl_mills(a), d = fl_two_sum(a, 1);
    real q = m.hi / d.hi;
    return (fl_pair){q, (fl_remainder(m.hi, q, d.hi) + (m.lo - q * d.lo)) / d.hi};
}

/* Φ(−a), a ≥ 0. */
FL_INLINE fl_pair fl_normal_tail(real a) {
    fl_pair m = fl_mills_ratio(fl_at_most(a, FL_CONST(16.0, 45.0)));
    return fl_scaled_product(fl_exp_minus_square(a, (real)0.5), m);
}

/* 1/√(2π) */
FL_INLINE fl_pair fl_root_of_normal(void) {
    return (fl_pair){FL_CONST(0x1.988454p-2, 0x1.9884533d43651p-2),
                     FL_CONST(-0x1.857936p-27, -0x1.cbc0d30ebfd15p-56)};
}

/* e^(−x²). Max error 0.6 ULP. */
FL_INLINE real fl_gauss(real x) {
    real large = FL_CONST(16.0, 45.0);
    fl_pair e = fl_exp_minus_square(fl_abs(x), 1);
    return fl_abs(x) < large ? (e.hi + e.lo) * (real)0x1p-64 : fl_keep_nan(x, 0);
}

/* φ(x). Max error 1.1 ULP. */
FL_INLINE real fl_normal_pdf(real x) {
    return fl_scaled_product(fl_exp_minus_square(fl_abs(x), (real)0.5), fl_root_of_normal()).hi;
}

/* Φ(x). Max error 1.1 ULP. */
FL_INLINE real fl_normal_cdf(real x) {
    fl_pair tail = fl_normal_tail(fl_abs(x));
    return x > 0 ? 1 - tail.hi : tail.hi;
}

/* log Φ(x): beside −a²/2 the logarithm of Mills' ratio, or log(1 − Φ(−a)). Max error 1.6 ULP. */
FL_INLINE real fl_normal_log_cdf(real x) {
    real a = fl_abs(x), huge = FL_CONST(0x1p30, 0x1p60);
    fl_pair m = fl_mills_ratio(fl_at_most(a, huge)), a2 = fl_two_product(a, a), tail = fl_normal_tail(a);
    fl_pair rest = fl_two_sum(1, -tail.hi);
    real argument = x > 0 ? rest.hi : m.hi;
    fl_pair l = fl_log_pair(argument, 0, (x > 0 ? rest.lo - tail.lo : m.lo) / argument);
    fl_pair sum = fl_two_sum((real)-0.5 * a2.hi, l.hi);
    real below = a > huge ? (real)-0.5 * a * a : sum.hi + (sum.lo + (l.lo - (real)0.5 * a2.lo));
    return x > 0 ? (rest.hi == 1 ? -tail.hi : l.hi + l.lo) : fl_keep_nan(x, below);
}

/* φ(x)/Φ(x), which is 1/√(2π) over Φ(−a)/e^(−a²/2) below 0. Max error 1.6 ULP. */
FL_INLINE real fl_normal_hazard(real x) {
    real a = fl_abs(x), huge = FL_CONST(0x1p30, 0x1p60);
    fl_pair m = fl_mills_ratio(fl_at_most(a, huge)), tail = fl_normal_tail(a);
    fl_pair density = fl_scaled_product(fl_exp_minus_square(a, (real)0.5), fl_root_of_normal());
    fl_pair rest = fl_two_sum(1, -tail.hi);
    rest.lo -= tail.lo;
    fl_pair root = fl_root_of_normal(), above = {x > 0 ? density.hi : root.hi, x > 0 ? density.lo : root.lo};
    fl_pair below = {x > 0 ? rest.hi : m.hi, x > 0 ? rest.lo : m.lo};
    return fl_keep_nan(x, x < -huge ? a : fl_quotient(above, below, 1 / below.hi).hi);
}

/* φ(x)/Φ(x) + x, which for x < 0 is the small difference of nearly equal numbers. Relative error 2^-27
 * (2^-55). Max error 2.5 ULP. */
FL_INLINE real fl_normal_excess(real x) {
    real a = fl_abs(x), t = fl_mills_argument(a);
#if FL_PRECISION == 32
    real q = -0x1.7326fep-13f;
    q = fl_fma(q, t, -0x1.79d612p-13f);
    q = fl_fma(q, t, 0x1.7d579ep-10f);
    q = fl_fma(q, t, 0x1.a11fbcp-16f);
    q = fl_fma(q, t, -0x1.5a58bcp-8f);
    q = fl_fma(q, t, 0x1.63cd84p-8f);
    q = fl_fma(q, t, 0x1.eb3352p-8f);
    q = fl_fma(q, t, -0x1.9ed2f6p-6f);
    q = fl_fma(q, t, 0x1.55e506p-6f);
    q = fl_fma(q, t, 0x1.1179f8p-5f);
    q = fl_fma(q, t, -0x1.01972ap-3f);
    q = fl_fma(q, t, 0x1.79c922p-3f);
    q = fl_fma(q, t, -0x1.e60894p-4f);
    q = fl_fma(q, t, -0x1.8c45d2p-4f);
#else
    real q = -0x1.e6d03bdf74b8cp-28;
    q = fl_fma(q, t, 0x1.31265ca7afb1p-25);
    q = fl_fma(q, t, 0x1.5d22569534243p-26);
    q = fl_fma(q, t, -0x1.600b9c54e4bd2p-22);
    q = fl_fma(q, t, 0x1.218157209ddf6p-22);
    q = fl_fma(q, t, 0x1.4c8b0d52688ap-20);
    q = fl_fma(q, t, -0x1.4b4d1f6197b79p-19);
    q = fl_fma(q, t, -0x1.5fcb7924d08b4p-20);
    q = fl_fma(q, t, 0x1.45f4465d5fb0dp-17);
    q = fl_fma(q, t, -0x1.4066ee852dab3p-17);
    q = fl_fma(q, t, -0x1.1e36f01dca0fep-16);
    q = fl_fma(q, t, 0x1.debb791b66014p-15);
    q = fl_fma(q, t, -0x1.eeaf23d0eda49p-16);
    q = fl_fma(q, t, -0x1.2cd221f1d1ee5p-13);
    q = fl_fma(q, t, 0x1.3c94304aa1bp-12);
    q = fl_fma(q, t, 0x1.8b3db546bdda4p-16);
    q = fl_fma(q, t, -0x1.f96eb94981a6bp-11);
    q = fl_fma(q, t, 0x1.5139f08ba47bep-10);
    q = fl_fma(q, t, 0x1.0bf675e128c75p-10);
    q = fl_fma(q, t, -0x1.54aebb93eaae5p-8);
    q = fl_fma(q, t, 0x1.362b5b9f67956p-8);
    q = fl_fma(q, t, 0x1.e975273469d1cp-8);
    q = fl_fma(q, t, -0x1.9a669e0d191e6p-6);
    q = fl_fma(q, t, 0x1.55f82e44ff266p-6);
    q = fl_fma(q, t, 0x1.1106e6393b1c7p-5);
    q = fl_fma(q, t, -0x1.01975cc4b517ap-3);
    q = fl_fma(q, t, 0x1.79cbc00d107eep-3);
    q = fl_fma(q, t, -0x1.e608919b5e10dp-4);
    q = fl_fma(q, t, -0x1.8c45f58c7cb65p-4);
#endif
    const fl_pair first = {FL_CONST(0x1.1e7858p0, 0x1.1e78580c474c3p0),
                           FL_CONST(0x1.88e986p-29, -0x1.5b9ec18e9eca1p-54)};
    q = first.hi + fl_fma(t, q, first.lo);
    return x > 0 ? x + fl_normal_hazard(x) : q / (a + 1);
}

/* Up to 0.75 x·P(x²), relative error 2^-28 (2^-58); beyond it 1 − 2·Φ(−√2·|x|). Max error 1.6 ULP. */
FL_INLINE real fl_erf(real x) {
    const real root2 = FL_CONST(0x1.6a09e6p0, 0x1.6a09e667f3bcdp0);
    real a = fl_abs(x), x2 = x * x, clipped = fl_at_most(a, FL_CONST(16.0, 45.0));
    fl_pair m = fl_mills_ratio(root2 * clipped);
    real far = fl_fma(-2, fl_scaled_product(fl_exp_minus_square(clipped, 1), m).hi, 1);
#if FL_PRECISION == 32
    real q = 0x1.6ee91cp-14f;
    q = fl_fma(q, x2, -0x1.af4f22p-11f);
    q = fl_fma(q, x2, 0x1.554f6cp-8f);
    q = fl_fma(q, x2, -0x1.b81b8cp-6f);
    q = fl_fma(q, x2, 0x1.ce2e98p-4f);
    q = fl_fma(q, x2, -0x1.812746p-2f);
#else
    real q = -0x1.dfd0ef174bd44p-31;
    q = fl_fma(q, x2, 0x1.e618b8d923539p-27);
    q = fl_fma(q, x2, -0x1.5de6283cd6044p-23);
    q = fl_fma(q, x2, 0x1.b9c3bd0a439abp-20);
    q = fl_fma(q, x2, -0x1.f4d04f0f9b56dp-17);
    q = fl_fma(q, x2, 0x1.f9a312654ef74p-14);
    q = fl_fma(q, x2, -0x1.c02db3780b3ffp-11);
    q = fl_fma(q, x2, 0x1.565bcd0c2df47p-8);
    q = fl_fma(q, x2, -0x1.b82ce3127d9bbp-6);
    q = fl_fma(q, x2, 0x1.ce2f21a042a1ap-4);
    q = fl_fma(q, x2, -0x1.812746b0379e5p-2);
#endif
    const fl_pair first = {FL_CONST(0x1.20dd76p0, 0x1.20dd750429b6dp0),
                           FL_CONST(-0x1.f7ac92p-25, 0x1.161cfef7b4164p-56)};
    real near = fl_fma(x, first.hi, x * fl_fma(x2, q, first.lo));
    return a < (real)0.866 ? near : fl_with_sign(far, x);
}

#endif
