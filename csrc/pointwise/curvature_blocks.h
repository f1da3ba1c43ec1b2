/* Curvatures that a Newton step may use instead of the second derivative, each a rule that turns a sample's
 * target, prediction, gradient and Hessian into a number ≥ 0, and which losses they fit.
 *
 * A majorizer is the curvature of a parabola through the loss at z, with its slope, that stays above the loss
 * at least all the way from z to the sample's own minimum: a step to the parabola's minimum cannot raise the
 * loss. Sources are given with the rules. */
#ifndef FL_POINTWISE_CURVATURE_BLOCKS_H
#define FL_POINTWISE_CURVATURE_BLOCKS_H

#include "curvature_list.h"
#include "kernels.h"

#define FL_RULE(name)                                                                                        \
    FL_INLINE real name##_curvature(real y FL_MAYBE_UNUSED, real z FL_MAYBE_UNUSED, real g FL_MAYBE_UNUSED,  \
                                    real h FL_MAYBE_UNUSED, const double *p FL_MAYBE_UNUSED,                 \
                                    real width FL_MAYBE_UNUSED)
#define FL_MAYBE_UNUSED __attribute__((unused))

FL_RULE(exact) {
    return h;
}

FL_RULE(absolute) {
    return fl_abs(h);
}

FL_RULE(unit) {
    return 1;
}

/* ρ'(r)/r, the sharpest majorizer of an even loss that is concave in r² (de Leeuw and Lange 2009); ρ''(0) at
 * r = 0 and where a slope next to it is subnormal, and so has few digits. */
FL_RULE(secant) {
    real r = z - y, size = fl_abs(r), slope = fl_abs(g);
    int is_near = (size < FL_CONST(0x1p-102, 0x1p-969)) & (slope < FL_SMALLEST_NORMAL) & (h != 0);
    return (r == 0) | is_near ? h : g / r;
}

/* The slope jumps by J at r = 0: J/(2|r|) majorizes (Hunter and Lange 2000). Residuals below the width count
 * as the width, which is the majorizer of the loss with its kink rounded off to a parabola so wide. */
FL_INLINE real fl_kink(real jump, real distance, real width) {
    const real smallest = FL_CONST(0x1p-100, 0x1p-900); /* all predictions are perfect */
    real kept = distance > width ? distance : width;
    return (real)0.5 * jump / (kept < smallest ? smallest : kept);
}

FL_RULE(kink_of_two) {
    return fl_kink(2, fl_abs(z - y), width);
}

FL_RULE(kink_of_one) {
    return fl_kink(1, fl_abs(z - y), width);
}

/* The width is relative to the target, as the loss is: |g| is 1/|y|. */
FL_RULE(relative_kink) {
    const real smallest = (real)0x1p-52;
    real a = fl_abs(y), inverse = 1 / (a > smallest ? a : smallest);
    return fl_kink(2, fl_abs(z - y) * inverse, width) * inverse * inverse;
}

/* p = {ε}: the parabola above |r| − ε, where that is nowhere below 0, and otherwise the one that touches 0.
 */
FL_RULE(tolerance_kinks) {
    real size = fl_abs(z - y), twice = 2 * (size - (real)p[0]);
    return fl_kink(2, twice < size ? twice : size, width);
}

/* On the far side of y the loss is concave in |r| and |g|/|r| leads to y; between 0 and y it is bent most at
 * z; on the near side of 0 it is flat. */
FL_RULE(symmetric_relative_kink) {
    const real smallest = FL_CONST(0x1p-100, 0x1p-900);
    real distance = fl_abs(z - y), least = width * fl_abs(y);
    real kept = distance > least ? distance : least;
    real secant = fl_abs(g) / (kept < smallest ? smallest : kept);
    return h > secant ? h : secant;
}

/* p = {q}: the steeper of the two parabolas. */
FL_RULE(steeper_side) {
    return (real)(2 * (p[0] > 0.5 ? p[0] : 1 - p[0]));
}

FL_RULE(two) {
    return 2;
}

FL_RULE(inverse_parameter) {
    return (real)(1 / fl_scale_parameter(p[0]));
}

/* Between z and its minimum at log y, a sum of exponentials is bent most at one of the two ends: at z by h,
 * at log y by y^(2 − power). */
FL_INLINE real fl_larger(real a, real b) {
    return a > b ? a : b;
}

FL_RULE(poisson_ends) {
    return fl_larger(h, y);
}

/* Gamma loss: 1 is its curvature at log y. Exponential loss: h itself is a majorizer, but so small for
 * samples that are classified well that their leaves would take steps of rounding errors. */
FL_RULE(at_least_one) {
    return fl_larger(h, 1);
}

FL_RULE(tweedie_ends) {
    return fl_larger(h, fl_power(y, fl_exponent_of(fl_constant(2 - p[0]))));
}

/* Fisher information, the expected Hessian: e^((2 − power)z). */
FL_RULE(tweedie_expected) {
    fl_pair exponent = fl_times_pair(z, fl_constant(2 - p[0]));
    return fl_exp_sum(exponent.hi, exponent.lo);
}

/* The same ends for (log1p z − log1p y)², and its Gauss-Newton curvature. */
FL_RULE(log_error_ends) {
    real inverse = 1 / (1 + y);
    return fl_larger(h, 2 * inverse * inverse);
}

FL_RULE(log_error_slope) {
    real inverse = 1 / (1 + z);
    return 2 * inverse * inverse;
}

/* tanh(z/2)/(2z) times the weight of both classes: the sharpest parabola above softplus (Jaakkola and Jordan
 * 2000). */
FL_INLINE real fl_logistic_bound(real z, real weight) {
    real a = fl_abs(z), m = fl_expm1_negated(a).minus_one; /* tanh(a/2) = −m/(2 + m) */
    real bound = a < FL_CONST(0x1p-12, 0x1p-27) ? (real)0.25 : (real)0.5 * (-m / (2 + m)) / a;
    return weight * bound;
}

FL_RULE(logistic_bound) {
    return fl_logistic_bound(z, 1);
}

/* p = {a1, a0, b1, b0} as in bce_logits. */
FL_RULE(weighted_logistic_bound) {
    real positive = fl_fma((real)p[0], y, (real)p[1]), negative = fl_fma((real)p[2], 1 - y, (real)p[3]);
    return fl_logistic_bound(z, positive + negative);
}

/* Of the right class's probability r the focal loss is ψ(L), L = −log r. Gauss-Newton bends L and not ψ:
 * ψ'(L)·r(1 − r) = |g|·r. */
FL_INLINE real fl_right_probability(real y, real z) {
    real e = fl_exp_negated(fl_abs(z));
    int is_right = (y > 0) == (z > 0);
    return (is_right ? 1 : e) / (1 + e);
}

FL_RULE(focal_slope) {
    return fl_abs(g) * fl_right_probability(y, z);
}

/* (γ + 1)·|g|·max(r, ½) is above all curvatures between z and the minimum, and equal to the Hessian where r
 * tends to 1. With m the margin for the right class, r = σ(m) is at most ½ + m/4. */
FL_INLINE real fl_focal_bound(real y, real z, real g, double gamma) {
    real m = y > 0 ? z : -z, r = fl_fma((real)0.25, m > 0 ? m : 0, (real)0.5);
    return (real)(gamma + 1) * fl_abs(g) * (r < 1 ? r : 1);
}

FL_RULE(focal_bound) {
    return fl_focal_bound(y, z, g, p[0]);
}

FL_RULE(focal2_bound) {
    return fl_focal_bound(y, z, g, 2);
}

typedef real (*fl_rule_fn)(real y, real z, real g, real h, const double *p, real width);

/* A block: what fl_curvature_fn says, by a rule that reads so many parameters. */
FL_INLINE void fl_curve_block(fl_rule_fn rule, int n_params, size_t n, const real *y, const real *z,
                              const real *g, real *h, const double *params, real width) {
    double p[FL_MAX_PARAMS];
    for (int i = 0; i < n_params; i++)
        p[i] = params[i];
    FL_LANE_LOOP
    for (size_t i = 0; i < (n & ~(size_t)15); i++)
        h[i] = rule(y[i], z[i], g[i], h[i], p, width);
}

#define FL_DEFINE_CURVATURE(name, n_params)                                                                  \
    static void fl_curve_##name(size_t n, const void *y, const void *z, const void *gradient, void *hessian, \
                                const double *params, double width) {                                        \
        fl_curve_block(name##_curvature, n_params, n, y, z, gradient, hessian, params, (real)width);         \
    }
FL_CURVATURE_RULES(FL_DEFINE_CURVATURE)

#define FL_LIST_CURVATURE(name, n_params) fl_curve_##name,
static const fl_curvature_fn fl_curvature_table[] = {FL_CURVATURE_RULES(FL_LIST_CURVATURE)};

#endif
