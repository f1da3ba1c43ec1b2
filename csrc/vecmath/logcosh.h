/* log cosh and its parts.
 *
 * tanh and its complement come from e^(−2a) and M = e^(−2a) − 1, a = |x|; M keeps relative accuracy near 0.
 */
#ifndef FL_VECMATH_LOGCOSH_H
#define FL_VECMATH_LOGCOSH_H

#include "log.h"

typedef struct {
    real minus_one; /* e^-a − 1 */
    real scaled;    /* 2^64·e^-a, normal for every a whose e^-a matters */
} fl_expm1_and_exp;

/* For a ≥ 0; NaN kept. Max error 0.91 (1.18) ULP of e^-a − 1, 0.99 ULP of e^-a. */
FL_INLINE fl_expm1_and_exp fl_expm1_negated(real a) {
    fl_exp_split s = fl_split_exponent(-fl_at_most(a, FL_EXP_RANGE));
    real r = s.remainder;
    real m = fl_fma(r * r, fl_expm1_tail(r), r);
    real power = fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(64)), scale = (real)0x1p-64;
    return (fl_expm1_and_exp){fl_fma(power * scale, m, fl_fma(power, scale, -1)), fl_fma(power, m, power)};
}

/* log cosh a for a ≥ 0, given e = e^(−2a); NaN kept. Below 0.7 a²·P(a²), relative error 2^-28.7 (2^-61);
 * above a − ln 2 + log1p(e). Max error 2.2 ULP. */
FL_INLINE real fl_log_cosh(real a, real e) {
    real a2 = a * a;
#if FL_PRECISION == 32
    real q = -0x1.e4c302p-12f;
    q = fl_fma(q, a2, 0x1.0d1eeep-9f);
    q = fl_fma(q, a2, -0x1.b813bp-8f);
    q = fl_fma(q, a2, 0x1.6c094ep-6f);
    q = fl_fma(q, a2, -0x1.555538p-4f);
    q = fl_fma(q, a2, 0.5f);
#else
    real q = 0x1.b005b6b4dfaa7p-23;
    q = fl_fma(q, a2, -0x1.3c40b89f34e25p-20);
    q = fl_fma(q, a2, 0x1.1153fa7f62fcap-18);
    q = fl_fma(q, a2, -0x1.8bbbcf1e4144dp-17);
    q = fl_fma(q, a2, 0x1.1283082202746p-15);
    q = fl_fma(q, a2, -0x1.7d9590f9f2dfp-14);
    q = fl_fma(q, a2, 0x1.0d0ac43906312p-12);
    q = fl_fma(q, a2, -0x1.833d94cc7a4e9p-11);
    q = fl_fma(q, a2, 0x1.1ea5d379e4c79p-9);
    q = fl_fma(q, a2, -0x1.ba1ba1b96c605p-8);
    q = fl_fma(q, a2, 0x1.6c16c16c15dedp-6);
    q = fl_fma(q, a2, -0x1.555555555554fp-4);
    q = fl_fma(q, a2, 0.5);
#endif
    real far = (a - FL_LN2) + fl_log1p_unit(e, -FL_LN2_ERROR);
    return a < (real)0.6995 ? a2 * q : far;
}

#endif
