/* The scalar type of a translation unit and its bit tricks.
 *
 * Vector mathematics of fastloss, files in the order in which they build on each other:
 *   real.h     this file: `real`, its bit patterns, fused multiply-add, NaN-keeping selects
 *   pair.h     unevaluated sums hi + lo: exact sums and products
 *   exp.h      e^x, expm1, y·e^x
 *   log.h      log, log1p
 *   logcosh.h  log cosh and tanh
 *
 * A translation unit defines FL_PRECISION to 32 or 64 before it includes any of them; each function is then
 * written once for both precisions, and FL_CONST(float_literal, double_literal) picks constants.
 *
 * Everything is a branch-free static inline function of scalars, made so that a loop around it vectorises on
 * any compiler: + - * /, comparisons that become selects, logical shifts and integer additions on bit
 * patterns, and integers turned into floats by or-ing them into the mantissa of 2^23 or 2^52. Multiply-adds
 * are written out, as the compiler must not contract anything by itself: that is what makes the bits equal on
 * all tiers with hardware fma, whatever their vector width. The errors in the comments are the worst, in ULP,
 * that a million sampled points showed on any tier; float first, double in parentheses where it differs. */
#ifndef FL_VECMATH_REAL_H
#define FL_VECMATH_REAL_H

#include <stdint.h>
#include <string.h>

#if FL_PRECISION != 32 && FL_PRECISION != 64
#error "FL_PRECISION must be 32 or 64"
#endif

#define FL_INLINE static inline __attribute__((always_inline, unused))

#if FL_PRECISION == 32
typedef float real;
typedef uint32_t real_bits;
typedef int32_t fl_signed_bits;
#define FL_CONST(as_float, as_double) (as_float##f)
#define FL_MANTISSA_BITS 23
#define FL_BIAS 127
#else
typedef double real;
typedef uint64_t real_bits;
typedef int64_t fl_signed_bits;
#define FL_CONST(as_float, as_double) (as_double)
#define FL_MANTISSA_BITS 52
#define FL_BIAS 1023
#endif

#define FL_EPSILON FL_CONST(0x1p-23, 0x1p-52)
#define FL_LARGEST FL_CONST(0x1.fffffep127, 0x1.fffffffffffffp1023)
#define FL_INFINITY ((real)__builtin_inf())

#define FL_SIGN_BIT ((real_bits)1 << (FL_PRECISION - 1))
/* The bit pattern of 2^n, also as what is added to a pattern in order to multiply by 2^n (with FL_EXPONENT).
 */
#define FL_EXPONENT(n) ((real_bits)(n) << FL_MANTISSA_BITS)
#define FL_POWER_OF_TWO_BITS(n) FL_EXPONENT((n) + FL_BIAS)

FL_INLINE real_bits fl_to_bits(real x) {
    real_bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

FL_INLINE real fl_from_bits(real_bits b) {
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* a·b + c: one rounding where the target has the instruction, two elsewhere. Code that needs the exact error
 * of a product asks fl_two_product (pair.h), which does not depend on it. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || (defined(__FP_FAST_FMA) && defined(__FP_FAST_FMAF))
#define FL_HAS_FMA 1
#if FL_PRECISION == 32
#define fl_fma __builtin_fmaf
#else
#define fl_fma __builtin_fma
#endif
#else
#define FL_HAS_FMA 0
FL_INLINE real fl_fma(real a, real b, real c) {
    return a * b + c;
}
#endif

#if FL_PRECISION == 32
#define fl_sqrt __builtin_sqrtf
#else
#define fl_sqrt __builtin_sqrt
#endif

FL_INLINE real fl_abs(real x) {
    return fl_from_bits(fl_to_bits(x) & ~FL_SIGN_BIT);
}

/* |magnitude| with the sign of `sign`; magnitude must not be negative. */
FL_INLINE real fl_with_sign(real magnitude, real sign) {
    return fl_from_bits(fl_to_bits(magnitude) | (fl_to_bits(sign) & FL_SIGN_BIT));
}

/* x·sign(s), by the sign bits; s = +0 counts as positive, −0 as negative. */
FL_INLINE real fl_flip_sign(real x, real s) {
    return fl_from_bits(fl_to_bits(x) ^ (fl_to_bits(s) & FL_SIGN_BIT));
}

/* By the sign bit: zeros and NaN have one. Selections by it need no comparison. */
FL_INLINE int fl_is_negative(real x) {
    return (fl_signed_bits)fl_to_bits(x) < 0;
}

/* result, or x where x is NaN. */
FL_INLINE real fl_keep_nan(real x, real result) {
    return x != x ? x : result;
}

/* result, or `limit` where x is infinite, or NaN where it is NaN. */
FL_INLINE real fl_if_finite(real x, real result, real limit) {
    return fl_abs(x) <= FL_LARGEST ? result : fl_keep_nan(x, limit);
}

/* The smaller of a ≥ 0 and a limit ≥ 0; NaN kept. Compilers make of the conditional a minimum instruction,
 * but for AVX-512 a comparison into a mask and a blend, which take longer than a minimum of integers:
 * patterns of non-negative numbers are ordered as integers, and moving them up by what lies above infinity
 * turns NaNs into the smallest ones. */
FL_INLINE real fl_at_most(real a, real limit) {
#ifdef __AVX512F__
    const real_bits above_infinity = ~FL_SIGN_BIT - fl_to_bits(FL_INFINITY);
    fl_signed_bits b = (fl_signed_bits)(fl_to_bits(a) + above_infinity);
    fl_signed_bits l = (fl_signed_bits)(fl_to_bits(limit) + above_infinity);
    return fl_from_bits((real_bits)(b < l ? b : l) - above_infinity);
#else
    return limit < a ? limit : a;
#endif
}

#endif
