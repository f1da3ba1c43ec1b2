/* Divergences between distributions. y is the first argument, z the second. Rows are used as given. */
#ifndef FL_ROWS_DIVERGENCE_H
#define FL_ROWS_DIVERGENCE_H

#include "euclidean.h"
#include "softmax.h"

/* All conditional expressions of this file choose between constants or numbers at hand: compilers move what
 * is needed for one side only into a branch, and then do not vectorise. */

/* A positive number as mantissa·2^exponent, 1 ≤ mantissa < 2. */
typedef struct {
    real mantissa, exponent;
} fl_number_parts;

FL_INLINE fl_number_parts fl_parts_of(real x) {
    const real_bits mantissa = ((real_bits)1 << FL_MANTISSA_BITS) - 1;
    const real_bits integer_base =
        fl_to_bits(FL_CONST(0x1p23, 0x1p52)); /* its low mantissa bits count ones */
    real lift = x < FL_CONST(0x1p-126, 0x1p-1022) ? (real)0x1p64 : 1;
    real_bits bits = fl_to_bits(x * lift);
    real exponent = fl_from_bits((bits >> FL_MANTISSA_BITS) | integer_base);
    exponent -= fl_from_bits((fl_to_bits(lift) >> FL_MANTISSA_BITS) | integer_base);
    return (fl_number_parts){fl_from_bits((bits & mantissa) | FL_POWER_OF_TWO_BITS(0)), exponent};
}

/* log(m·2^scale/n) + tail for positive numbers, subnormal ones included, with relative accuracy near m = n:
 * the quotient's residual, divided by m ≈ quotient·n, goes into the logarithm. */
FL_INLINE fl_pair fl_log_quotient(real m, real n, real scale, real tail) {
    fl_number_parts a = fl_parts_of(m), b = fl_parts_of(n);
    real quotient = a.mantissa / b.mantissa;
    fl_pair back = fl_two_product(quotient, b.mantissa);
    real residual = (a.mantissa - back.hi) - back.lo;
    return fl_log_pair(quotient, a.exponent - b.exponent + scale, residual / a.mantissa + tail);
}

/* p·log(p/q), with 0 at p = 0 and +inf at q = 0 < p. */
FL_INLINE real fl_relative_entropy(real p, real q) {
    int usual = (p > 0) & (q > 0);
    fl_pair l = fl_log_quotient(usual ? p : 1, usual ? q : 1, 0, 0);
    return fl_fma(usual ? p : 0, l.hi + l.lo, ((p > 0) & !usual) ? FL_INFINITY : 0);
}

/* p/(m·n) for m ≤ n, where p/m may be subnormal, and m·n as well, but not both. */
FL_INLINE real fl_quotient_of_two(real p, real m, real n) {
    int is_small = m < FL_CONST(0x1p-60, 0x1p-500);
    return p / (is_small ? m : m * n) / (is_small ? n : 1);
}

#define ROW kl_divergence
#include "plain.inc"

FL_ROW_ADDS(kl_divergence, FL_ADDS_TOTAL | FL_ADDS_MASS)

FL_ROW_TERM(kl_divergence) {
    return (fl_row_term){
        .kept = e.z, .total = fl_relative_entropy(e.y, e.z), .mass = e.z, .first = FL_NOT_FOUND};
}

FL_ROW_FINISH(kl_divergence) {
    row.value = row.total;
    row.slope = row.weight;
    return row;
}

FL_ROW_EMIT(kl_divergence) {
    real z = e.y > 0 ? e.z : 1, slope = e.y / z;
    real curvature = fl_quotient_of_two(e.y, z, z);
    return (fl_row_slopes){-row.slope * slope, row.slope * curvature};
}

/* Σp·log p + Σp·(log Σe^z − z): the cross-entropy less the entropy. */
#define ROW kl_divergence_logits
#include "softmax.inc"

FL_ROW_ADDS(kl_divergence_logits, fl_softmax_adds(o))

FL_ROW_TERM(kl_divergence_logits) {
    fl_row_term t = fl_softmax_term(e, row, o);
    fl_pair l = fl_log_quotient(e.y > 0 ? e.y : 1, 1, 0, 0);
    t.distance += e.y * (l.hi + l.lo);
    return t;
}

FL_ROW_FINISH(kl_divergence_logits) {
    real sum = fl_softmax_sum(row), nan = fl_nan_if(fl_is_dead(row));
    row.value = fl_fma(row.target, fl_softmax_excess(row, sum), row.distance) + nan;
    row.slope = row.weight + nan;
    row.inverse = 1 / sum;
    row.sum = sum;
    return row;
}

FL_ROW_EMIT(kl_divergence_logits) {
    real rest = fl_softmax_rest(row, e.z, row.sum) * row.inverse, p = e.z * row.inverse;
    return (fl_row_slopes){row.slope * fl_fma(row.target - e.y, p, -(e.y * rest)),
                           row.slope * (row.target * p * rest)};
}

/* One class's share of the Jensen-Shannon divergence, ≥ 0: with s = p + q and u = (p − q)/s it is ½·s·h(u),
 * h(u) = ½((1 + u)·log(1 + u) + (1 − u)·log(1 − u)) = Σ u^2n/(2n(2n − 1)). The series is used for |u| < ¼,
 * where the logarithms cancel. */
FL_INLINE real fl_jensen_shannon(real p, real q) {
    /* The larger scaled to about 1 by a power of two, whose inverse is finite as well. */
    const real_bits top = 2 * FL_BIAS;
    real_bits exponent = fl_to_bits(p > q ? p : q) >> FL_MANTISSA_BITS;
    real scale = fl_from_bits(FL_EXPONENT(top - (exponent < top - 1 ? exponent : top - 1)));
    real down = 1 / scale;
    p *= scale;
    q *= scale;
    real sum = p + q, u = fl_abs(p - q) / (sum > 0 ? sum : 1), u2 = u * u;
#if FL_PRECISION == 32
    real h = (real)(1 / 132.0);
#else
    real h = 1 / 812.0;
    h = fl_fma(h, u2, 1 / 756.0);
    h = fl_fma(h, u2, 1 / 650.0);
    h = fl_fma(h, u2, 1 / 552.0);
    h = fl_fma(h, u2, 1 / 462.0);
    h = fl_fma(h, u2, 1 / 380.0);
    h = fl_fma(h, u2, 1 / 306.0);
    h = fl_fma(h, u2, 1 / 240.0);
    h = fl_fma(h, u2, 1 / 182.0);
    h = fl_fma(h, u2, 1 / 132.0);
#endif
    h = fl_fma(h, u2, (real)(1 / 90.0));
    h = fl_fma(h, u2, (real)(1 / 56.0));
    h = fl_fma(h, u2, (real)(1 / 30.0));
    h = fl_fma(h, u2, (real)(1 / 12.0));
    h = fl_fma(h, u2, (real)0.5);
    real near = sum * u2 * h;
    real large = p > q ? p : q, small = p > q ? q : p;
    real mean = sum > 0 ? (real)0.5 * sum : 1;
    fl_pair a = fl_log_quotient(sum > 0 ? large : 1, mean, 0, 0);
    fl_pair b = fl_log_quotient(small > 0 ? small : 1, mean, 0, 0);
    fl_pair with_a = fl_two_product(large, a.hi), with_b = fl_two_product(small, b.hi);
    /* The rounding error of the sum changes both logarithms by the same amount. */
    real rest =
        fl_fma(large, a.lo, with_a.lo) + fl_fma(small, b.lo, with_b.lo) - fl_fast_two_sum(large, small).lo;
    real far = (with_a.hi + with_b.hi) + rest;
    real is_near = u < (real)0.25 ? 1 : 0;
    return (real)0.5 * down * fl_fma(is_near, near, (1 - is_near) * far);
}

/* log(q/m) with m = ½(p + q), whose rounding error is made good; p + q > 0. */
FL_INLINE real fl_log_to_mean(real p, real q) {
    fl_pair sum = fl_two_sum(p, q);
    fl_pair l = fl_log_quotient(q > 0 ? q : 1, sum.hi, 1, -sum.lo / sum.hi);
    return (l.hi + l.lo) + (q > 0 ? 0 : -FL_INFINITY);
}

FL_INLINE fl_row_term fl_jensen_shannon_term(fl_row_entry e) {
    return (fl_row_term){
        .kept = e.z, .total = fl_jensen_shannon(e.y, e.z), .mass = e.z, .first = FL_NOT_FOUND};
}

/* Gradient ½·log(q/m), Hessian ½·p/(q·(p + q)). */
#define ROW js_divergence
#include "plain.inc"

FL_ROW_ADDS(js_divergence, FL_ADDS_TOTAL | FL_ADDS_MASS)

FL_ROW_TERM(js_divergence) {
    return fl_jensen_shannon_term(e);
}

FL_ROW_FINISH(js_divergence) {
    real inverse_base = (real)(1 / o.log_base);
    row.value = row.total * inverse_base;
    row.slope = (real)0.5 * row.weight * inverse_base;
    return row;
}

FL_INLINE fl_row_slopes fl_jensen_shannon_slopes(real p, real q) {
    int has_gradient = (p + q > 0) & (p != q), has_hessian = p > 0;
    real gradient = fl_log_to_mean(has_gradient ? p : 1, has_gradient ? q : 1);
    real hessian = fl_quotient_of_two(p, has_hessian ? q : 1, has_hessian ? p + q : 1);
    return (fl_row_slopes){gradient, hessian};
}

FL_ROW_EMIT(js_divergence) {
    fl_row_slopes s = fl_jensen_shannon_slopes(e.y, e.z);
    return (fl_row_slopes){row.slope * s.gradient, row.slope * s.hessian};
}

/* The square root J^½, of slopes J'/(2·J^½) and J''/(2·J^½) − J'²/(4·J^(3/2)); 0 where the distance is. */
#define ROW js_distance
#include "plain.inc"

FL_ROW_ADDS(js_distance, FL_ADDS_TOTAL | FL_ADDS_MASS)

FL_ROW_TERM(js_distance) {
    return fl_jensen_shannon_term(e);
}

FL_ROW_FINISH(js_distance) {
    row.half_unit = (real)(0.5 / o.log_base);
    row.value = fl_square_root(row.total * (real)(1 / o.log_base));
    row.inverse = row.value > 0 ? (real)0.5 / row.value : 0;
    row.slope = row.weight;
    return row;
}

FL_ROW_EMIT(js_distance) {
    fl_row_slopes s = fl_jensen_shannon_slopes(e.y, e.z);
    real first = row.half_unit * s.gradient * row.inverse;
    real gradient = row.inverse == 0 ? 0 : row.slope * first;
    real hessian =
        row.slope * fl_fma(-2 * first * row.inverse, first, row.half_unit * s.hessian * row.inverse);
    return (fl_row_slopes){gradient, row.inverse == 0 ? 0 : hessian};
}

#endif
