/* Elementary functions of any number, for formulas: what the losses' own functions leave out because they
 * know their arguments. Infinities give their limits, what is not defined NaN. */
#ifndef FL_VECMATH_ELEMENTARY_H
#define FL_VECMATH_ELEMENTARY_H

#include "logcosh.h"

#define FL_SMALLEST_NORMAL FL_CONST(0x1p-126, 0x1p-1022)
#define FL_NAN ((real)__builtin_nan(""))
/* What subnormal numbers are multiplied by to become normal, and its logarithm to base 2. */
#define FL_UP FL_CONST(0x1p24, 0x1p53)
#define FL_UP_LOG2 FL_CONST(24.0, 53.0)

/* result, the logarithm of x where x is positive and finite, for any x. */
FL_INLINE real fl_logarithm_of(real x, real result) {
    real of_zero = x == 0 ? -FL_INFINITY : FL_NAN;
    real any = x > 0 ? result : of_zero;
    return x > FL_LARGEST ? x : any;
}

/* Max error 0.90 (0.92) ULP. */
FL_INLINE real fl_log(real x) {
    int is_small = x < FL_SMALLEST_NORMAL;
    real m = is_small ? x * FL_UP : x;
    return fl_logarithm_of(x, fl_log_pair(m, is_small ? -FL_UP_LOG2 : 0, 0).hi);
}

/* log(1 + x). Max error 0.91 ULP. */
FL_INLINE real fl_log1p(real x) {
    fl_pair u = fl_two_sum(1, x);
    real result = fl_logarithm_of(u.hi, fl_log_pair(u.hi, 0, u.lo / u.hi).hi);
    return x == 0 ? x : result;
}

/* e^x − 1 up to the clip, beyond which it is −1, or e^x to working precision. */
#define FL_EXPM1_CLIP FL_CONST(30.0, 60.0)
FL_INLINE real fl_expm1_in_range(real x) {
    return x == 0 ? x : fl_factors_minus_one(fl_exp_in_factors(x, 0, 1));
}

/* e^x − 1. Max error 1.2 ULP. */
FL_INLINE real fl_expm1(real x) {
    real near = fl_expm1_in_range(fl_with_sign(fl_at_most(fl_abs(x), FL_EXPM1_CLIP), x));
    return x > FL_EXPM1_CLIP ? fl_exp(x) : near;
}

/* ½·e^a for a ≥ 0: infinite where that is, not where e^a is. */
FL_INLINE real fl_half_exp(real a) {
    fl_pair shifted = fl_two_difference(fl_at_most(a, FL_EXP_RANGE), FL_LN2);
    return fl_exp_sum(shifted.hi, shifted.lo - FL_LN2_ERROR);
}

/* Max error 1.6 ULP. */
FL_INLINE real fl_cosh(real x) {
    real h = fl_half_exp(fl_abs(x));
    return h + (real)0.25 / h;
}

/* Up to 1 x + x³·S(x²), relative error of sinh 2^-28 (2^-58). Max error 1.9 ULP. */
FL_INLINE real fl_sinh(real x) {
    real a = fl_abs(x), x2 = x * x, h = fl_half_exp(a);
#if FL_PRECISION == 32
    real q = 0x1.78a70ep-19f;
    q = fl_fma(q, x2, 0x1.a009p-13f);
    q = fl_fma(q, x2, 0x1.11111ep-7f);
    q = fl_fma(q, x2, 0x1.555556p-3f);
#else
    real q = 0x1.b41232cf9950fp-41;
    q = fl_fma(q, x2, 0x1.611cb330c1fe8p-33);
    q = fl_fma(q, x2, 0x1.ae6460fae3728p-26);
    q = fl_fma(q, x2, 0x1.71de3a4e14f4p-19);
    q = fl_fma(q, x2, 0x1.a01a01a01ee7p-13);
    q = fl_fma(q, x2, 0x1.11111111110fdp-7);
    q = fl_fma(q, x2, 0x1.5555555555555p-3);
#endif
    real far = fl_with_sign(h - (real)0.25 / h, x);
    return a < 1 ? fl_fma(x * x2, q, x) : fl_keep_nan(x, far);
}

/* log(1 + e^x) and 1/(1 + e^−x), given e = e^−|x|. Max errors 1.3 and 1.9 ULP. */
FL_INLINE real fl_softplus_of(real x, real e) {
    return fl_log1p_unit(e, x > 0 ? x : 0);
}

FL_INLINE real fl_sigmoid_of(real x, real e) {
    return (x < 0 ? e : 1) / (1 + e);
}

FL_INLINE real fl_exp_minus_abs(real x) {
    return fl_exp_negated(fl_abs(x));
}

/* e^(−2|x|) − 1: of M, tanh x is −M/(2 + M) with the sign of x, and log cosh x takes 1 + M. */
FL_INLINE real fl_decay(real x) {
    return fl_expm1_negated(2 * fl_abs(x)).minus_one;
}

#endif
