/* The functions of formulas: what an operation makes of numbers. */
#ifndef FL_POINTWISE_FORMULA_MATH_H
#define FL_POINTWISE_FORMULA_MATH_H

#include "../blocks/block.h"
#include "../simd/loops.h"
#include "../vecmath/gamma.h"
#include "../vecmath/normal.h"
#include "../vecmath/power.h"
#include "formula_operations.h"

/* So many vectors at once. */
#ifndef FL_UNROLL
#define FL_UNROLL 1
#endif
enum { FL_VECTORS_AT_ONCE = FL_UNROLL };
#if defined(__GNUC__) && !defined(__clang__)
#define FL_VECTOR_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll FL_VECTORS_AT_ONCE")
#else
#define FL_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif
/* clang-format off */
#define FL_STEP_LOOP FL_VECTOR_LOOP for (size_t k = 0; k < n; k++)
/* clang-format on */

FL_INLINE real fl_op_neg(real a) {
    return -a;
}
FL_INLINE real fl_op_abs(real a) {
    return fl_abs(a);
}
FL_INLINE real fl_op_sign(real a) {
    return a > 0 ? 1 : a < 0 ? -1 : a;
}
FL_INLINE real fl_op_sqrt(real a) {
    return fl_sqrt(a);
}
FL_INLINE real fl_op_square(real a) {
    return a * a;
}
#define fl_op_exp fl_exp
#define fl_op_expm1 fl_expm1
#define fl_op_log fl_log
#define fl_op_log1p fl_log1p
#define fl_op_sinh fl_sinh
#define fl_op_cosh fl_cosh
#define fl_op_exp_minus_abs fl_exp_minus_abs
#define fl_op_decay fl_decay
#define fl_op_log1p_of_unit fl_log1p_of_unit
#define fl_op_erf fl_erf
#define fl_op_gauss fl_gauss
#define fl_op_normal_cdf fl_normal_cdf
#define fl_op_normal_log_cdf fl_normal_log_cdf
#define fl_op_normal_pdf fl_normal_pdf
#define fl_op_normal_hazard fl_normal_hazard
#define fl_op_normal_excess fl_normal_excess
#define fl_op_lgamma fl_lgamma
#define fl_op_digamma fl_digamma
#define fl_op_trigamma fl_trigamma
#define fl_op_tetragamma fl_tetragamma

#define FL_OP_2(name, expression)                                                                            \
    FL_INLINE real fl_op_##name(real a, real b) {                                                            \
        return expression;                                                                                   \
    }
FL_OP_2(add, a + b)
FL_OP_2(sub, a - b)
FL_OP_2(mul, a *b)
FL_OP_2(div, a / b)
FL_OP_2(less, a < b ? 1 : 0)
FL_OP_2(less_equal, a <= b ? 1 : 0)
FL_OP_2(equal, a == b ? 1 : 0)
FL_OP_2(not_equal, a != b ? 1 : 0)

/* log(e^a + e^b); of equal infinities themselves */
FL_INLINE real fl_op_logaddexp(real a, real b) {
    real larger = a > b ? a : b, d = a == b ? 0 : fl_abs(a - b);
    real e = fl_exp_negated(d), result = larger + fl_log1p_unit(e, 0);
    return fl_keep_nan(a, fl_abs(larger) > FL_LARGEST ? larger : result);
}

/* The number nearest to 0 between a and b. */
FL_INLINE real fl_op_nearest_zero(real a, real b) {
    real low = a < b ? a : b, high = a < b ? b : a;
    real up = low > 0 ? low : 0;
    return fl_keep_nan(a, fl_keep_nan(b, high < 0 ? high : up));
}

FL_OP_2(keep_nan, fl_keep_nan(a, b))

/* e/(1 + e)², the product of both sigmoids */
FL_INLINE real fl_op_sigmoid_slope(real e) {
    real d = 1 + e;
    return e / (d * d);
}

/* What takes two or three registers. */
#define FL_OP_OF_REGISTERS(name, expression)                                                                 \
    FL_INLINE real fl_op_##name(real a, real b, real c) {                                                    \
        (void)c;                                                                                             \
        return expression;                                                                                   \
    }
FL_OP_OF_REGISTERS(minimum, fl_keep_nan(a, a < b ? a : b))
FL_OP_OF_REGISTERS(maximum, fl_keep_nan(a, a > b ? a : b))
FL_OP_OF_REGISTERS(xlogy, a == 0 ? fl_keep_nan(b, 0) : a * fl_log(b))
FL_OP_OF_REGISTERS(pow, fl_power(a, fl_exponent_of((fl_pair){b, 0})))
FL_OP_OF_REGISTERS(softplus_of, fl_softplus_of(a, b))
FL_OP_OF_REGISTERS(softplus_minus_of, fl_softplus_of(-a, b))
FL_OP_OF_REGISTERS(sigmoid_of, fl_sigmoid_of(a, b))
FL_OP_OF_REGISTERS(sigmoid_minus_of, fl_sigmoid_of(-a, b))
FL_OP_OF_REGISTERS(log_cosh_of, fl_log_cosh(fl_abs(a), 1 + b))
FL_OP_OF_REGISTERS(tanh_of, fl_flip_sign(-b / (2 + b), a))
FL_OP_OF_REGISTERS(parabola, a *fl_fma((real)-0.5, a, b - c))

/* e^(−a²) − 1, given b = e^(−a²), of which 1 is only taken where that loses nothing. */
FL_INLINE real fl_op_expm1_of_gauss(real a, real b, real c) {
    const real square = a * a;
    const int is_near = square < FL_CONST(0.34, 0.34);
    const real x = is_near ? -square : 0;
    (void)c;
    return is_near ? fl_fma(x * x, fl_expm1_tail(x), x) : b - 1;
}

/* (1 − c)·softplus(a) + c·softplus(−a) and its slope by a, given b = e^−|a|: of both there is one logarithm, one
 * quotient. */
FL_OP_OF_REGISTERS(cross_entropy_of, fl_fma(a, a > 0 ? 1 - c : -c, fl_log1p_of_unit(b)))
FL_OP_OF_REGISTERS(cross_entropy_slope_of, (a > 0 ? fl_fma(-c, b, 1 - c) : fl_fma(1 - c, b, -c)) / (1 + b))

#define FL_OP_3(name, expression)                                                                            \
    FL_INLINE real fl_op_##name(real a, real b, real c) {                                                    \
        return expression;                                                                                   \
    }
FL_OP_3(fma, fl_fma(a, b, c))
FL_OP_3(fnma, fl_fma(-a, b, c))
FL_OP_3(where, a != 0 ? b : c)
#define fl_op_where_less(a, b, c, d) ((a) < (b) ? (c) : (d))
#define fl_op_where_less_equal(a, b, c, d) ((a) <= (b) ? (c) : (d))
FL_INLINE real fl_op_by_order(real a, real b, real below, real same, real above) {
    real from_below = a < b ? below : a + b; /* NaN where it stays */
    real other = a > b ? above : from_below;
    return a == b ? same : other;
}
FL_INLINE real fl_op_leaky_difference(real a, real b, real above, real below) {
    real r = a - b;
    return r * (r > 0 ? above : below);
}

/* Functions of a constant, NaN kept, and what they take it as: exponents are not rounded. */
FL_OP_2(at_most, b < a ? b : a)
FL_OP_2(at_least, b > a ? b : a)
FL_INLINE real fl_op_clip(real a, real low, real high) {
    return fl_op_at_most(fl_op_at_least(a, low), high);
}
FL_INLINE real fl_op_clip_difference(real a, real b, real c) {
    return fl_op_clip(a - b, -c, c);
}
FL_INLINE real fl_exact_at_most(double c) {
    return (real)c;
}
#define fl_exact_at_least fl_exact_at_most
FL_INLINE fl_exponent fl_exact_power(double exponent) {
    return fl_exponent_of(fl_constant(exponent));
}
#define fl_op_power fl_power
#define fl_exact_power_of_sigmoid fl_constant
#define fl_op_power_of_sigmoid fl_power_of_sigmoid

/* The same of moderate numbers, and up to where numbers are. */
#define FL_MODERATE_exp FL_MODERATE
#define FL_MODERATE_exp_minus_abs FL_MODERATE
#define FL_MODERATE_expm1 FL_EXPM1_CLIP
#define fl_moderate_exp fl_exp_moderate
FL_INLINE real fl_moderate_exp_minus_abs(real x) {
    return fl_exp_moderate(-fl_abs(x));
}
#define fl_moderate_expm1 fl_expm1_in_range

/* n, which is whole lanes: so that compilers know. */
FL_INLINE size_t fl_whole(size_t n) {
    return n & ~(size_t)(FL_LANES - 1);
}

/* to = name(a) for n numbers: for moderate ones by the shorter way, which has the same bits. */
#define FL_LOOP_OF_MODERATE(name)                                                                            \
    static __attribute__((unused)) void fl_loop_##name(size_t n, real *to, const real *a) {                  \
        n = fl_whole(n);                                                                                     \
        real_bits beyond = 0;                                                                                \
        FL_STEP_LOOP {                                                                                       \
            to[k] = fl_moderate_##name(a[k]);                                                                \
            beyond |= fl_to_bits(FL_MODERATE_##name) - fl_to_bits(fl_abs(a[k]));                             \
        }                                                                                                    \
        if (beyond & FL_SIGN_BIT)                                                                            \
            FL_STEP_LOOP to[k] = fl_op_##name(a[k]);                                                         \
    }

#endif
