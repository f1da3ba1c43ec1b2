/* Unevaluated sums hi + lo with |lo| of the order of an ULP of hi: about twice the precision of `real`, where
 * a single rounding would be amplified (an exponent, the logarithm of a quotient, a square near a root). */
#ifndef FL_VECMATH_PAIR_H
#define FL_VECMATH_PAIR_H

#include "real.h"

typedef struct {
    real hi, lo;
} fl_pair;

/* a + b exactly, any magnitudes (Knuth 1969). Overflow gives lo = NaN. */
FL_INLINE fl_pair fl_two_sum(real a, real b) {
    real s = a + b;
    real b_part = s - a;
    return (fl_pair){s, (a - (s - b_part)) + (b - b_part)};
}

/* a − b likewise. */
FL_INLINE fl_pair fl_two_difference(real a, real b) {
    real d = a - b;
    real b_part = d - a;
    return (fl_pair){d, (a - (d - b_part)) - (b + b_part)};
}

/* a + b exactly for |a| ≥ |b| or a = 0 (Dekker 1971). */
FL_INLINE fl_pair fl_fast_two_sum(real a, real b) {
    real s = a + b;
    return (fl_pair){s, b - (s - a)};
}

/* a·b exactly where nothing under- or overflows. Without fma by splitting the factors at half of the
 * mantissa; masking the low bits, unlike Veltkamp's split, cannot overflow (and leaves an error of 2^-105 in
 * double). */
FL_INLINE fl_pair fl_two_product(real a, real b) {
    real p = a * b;
#if FL_HAS_FMA
    return (fl_pair){p, fl_fma(a, b, -p)};
#else
    const real_bits upper = ~(((real_bits)1 << ((FL_MANTISSA_BITS + 2) / 2)) - 1);
    real a_hi = fl_from_bits(fl_to_bits(a) & upper), a_lo = a - a_hi;
    real b_hi = fl_from_bits(fl_to_bits(b) & upper), b_lo = b - b_hi;
    return (fl_pair){p, (((a_hi * b_hi - p) + a_hi * b_lo) + a_lo * b_hi) + a_lo * b_lo};
#endif
}

/* c − a·b, exact where a·b is c to working precision. */
FL_INLINE real fl_remainder(real c, real a, real b) {
#if FL_HAS_FMA
    return fl_fma(-a, b, c);
#else
    fl_pair p = fl_two_product(a, b);
    return (c - p.hi) - p.lo;
#endif
}

/* x·(c + c_lo) for a pair of constants. */
FL_INLINE fl_pair fl_times_pair(real x, fl_pair c) {
    fl_pair p = fl_two_product(x, c.hi);
    p.lo = fl_fma(x, c.lo, p.lo);
    return p;
}

/* a·b for pairs. */
FL_INLINE fl_pair fl_pair_product(fl_pair a, fl_pair b) {
    fl_pair p = fl_two_product(a.hi, b.hi);
    p.lo = fl_fma(a.hi, b.lo, fl_fma(a.lo, b.hi, p.lo));
    return p;
}

/* a/b, whose first part is rounded once, where `inverse` is 1/b to within a few ULP. */
FL_INLINE fl_pair fl_quotient(fl_pair a, fl_pair b, real inverse) {
    real x = a.hi * inverse;
    real rest = (fl_remainder(a.hi, x, b.hi) + fl_fma(-x, b.lo, a.lo)) * inverse;
    return fl_fast_two_sum(x, rest);
}

/* 1/(m + m_lo) as a pair. */
FL_INLINE fl_pair fl_reciprocal(fl_pair m) {
    real d = 1 / m.hi;
    return (fl_pair){d, d * fl_fma(-m.lo, d, fl_remainder(1, m.hi, d))};
}

/* u² + 1, rounded about once. */
FL_INLINE real fl_square_plus_one(fl_pair u) {
#if FL_HAS_FMA
    return fl_fma(u.hi, u.hi, fl_fma(2 * u.hi, u.lo, 1));
#else
    fl_pair u2 = fl_two_product(u.hi, u.hi), sum = fl_two_sum(1, u2.hi);
    return sum.hi + (sum.lo + (u2.lo + 2 * u.hi * u.lo));
#endif
}

/* A double parameter, in float with its rounding error. */
FL_INLINE fl_pair fl_constant(double c) {
    return (fl_pair){(real)c, (real)(c - (double)(real)c)};
}

/* 1/c for a double parameter. */
FL_INLINE fl_pair fl_constant_reciprocal(double c) {
#if FL_PRECISION == 32
    return fl_constant(1 / c);
#else
    return fl_reciprocal((fl_pair){c, 0});
#endif
}

/* c² for a double parameter. */
FL_INLINE fl_pair fl_constant_square(double c) {
#if FL_PRECISION == 32
    return fl_constant(c * c);
#else
    return fl_two_product(c, c);
#endif
}

#endif
