/* Focal loss of many classes (Lin et al. 2017): with r the probability of the true class, q = 1 − r, L = −log
 * r, value α·q^γ·L. q enters by a power, so its logarithm is a pair. */
#ifndef FL_ROWS_FOCAL_H
#define FL_ROWS_FOCAL_H

#include "softmax.h"

/* (m/n)^γ for positive, normal m ≤ n, pairs; γ may be negative. The same bits for m·2^k and n·2^k: logarithms
 * are relative to n's power of two. */
FL_INLINE real fl_power_of_quotient(fl_pair m, fl_pair n, double gamma) {
    real down = (FL_INTEGER_BASE + FL_BIAS) - fl_above_base(fl_to_bits(n.hi));
    fl_pair a = fl_log_pair(m.hi, down, m.lo / m.hi), b = fl_log_pair(n.hi, down, n.lo / n.hi);
    fl_pair log_q = fl_two_sum(a.hi, -b.hi);
    log_q.lo += a.lo - b.lo;
    fl_pair exponent = fl_times_pair(log_q.hi, fl_constant(gamma));
    exponent.lo = fl_fma((real)gamma, log_q.lo, exponent.lo);
    return fl_exp_sum(exponent.hi, exponent.lo);
}

#define ROW focal
#include "softmax.inc"

FL_ROW_ADDS(focal, fl_softmax_adds(o) | (o.unlikely ? 0 : FL_ADDS_LOST | FL_COMPENSATES_A))

/* Lost are the rounding errors of the other classes' terms, and of their sum. Of an unlikely class q is near
 * 1, whatever they are. */
FL_ROW_TERM(focal) {
    o.own_term = 0;
    fl_row_term t = fl_softmax_term(e, row, o);
    if (o.unlikely)
        return t;
    real x = o.moderate ? e.z : e.z - row.offset;
    t.lost = e.is_own ? 0 : fl_scaled_exp_error(x, row.scale, o.moderate);
    return t;
}

/* Slopes by the logits, with u = (p_k − [k = y])/q: gradient F·p_k and −F·q, F = α·q^γ·(γ·r·L/q + 1); Hessian
 * α·q^γ·γ·r·((γ·r − 1)·L + 2q)·u² + F·p_k·(1 − p_k). L/q is 1 in the limit q = 0. As a function ψ of L the
 * loss has F = ψ'(L): Gauss-Newton, which bends L and not ψ, leaves the first term out. */
FL_ROW_FINISH(focal) {
    const real smallest = FL_CONST(0x1p-126, 0x1p-1022);
    o.own_term = 0;
    fl_pair others = fl_fast_two_sum(row.but_own, row.lost);
    row.but_own = others.hi;
    fl_softmax_row s = fl_softmax_of_own(row, o);
    int ignored = row.label < 0, alone = s.others < smallest;
    fl_pair sum = fl_two_sum(s.own, s.others);
    sum.lo += others.lo + fl_scaled_exp_error(row.own - row.offset, row.scale, 0);
    sum.hi = sum.hi > 0 ? sum.hi : 1;
    others = (fl_pair){alone ? 1 : others.hi, alone ? 0 : others.lo};
    real r = s.own * s.inverse, q = s.others * s.inverse;
    int certain = q < smallest;
    real power = fl_power_of_quotient(others, sum, o.gamma_exact);
    power = alone ? (o.gamma == 0 ? 1 : 0) : power;
    power *= row.class_weight;
    real rl = r == 0 ? 0 : r * s.loss, rl_over_q = certain ? r : rl / q;
    real weight = ignored ? 0 : row.weight + s.nan;
    real slope = power * fl_fma(o.gamma, rl_over_q, 1);
    row.value = ignored ? 0 : fl_fma(power, s.loss, s.nan);
    row.value = ((power == 0) & !ignored) ? s.nan : row.value;
    row.slope = weight * slope;
    row.own_slope = -row.slope * q;
    row.inverse = s.inverse;
    row.sum = fl_softmax_sum(row);
    row.inverse_sum = (o.hessian | !o.across) ? 1 / row.sum : 0;
    row.own_bend = weight * power * o.gamma * (fl_fma(o.gamma * r - 1, rl, 2 * (r * q)));
    row.own_bend = o.gauss_newton ? 0 : row.own_bend;
    row.inverse_others = alone ? 0 : 1 / s.others;
    return row;
}

FL_ROW_EMIT(focal) {
    real u = e.is_own ? 1 : e.z * row.inverse_others, p = e.z * row.inverse;
    real rest = fl_softmax_rest(row, e.z, row.sum) * row.inverse_sum;
    return (fl_row_slopes){e.is_own ? row.own_slope : p * row.slope,
                           fl_fma(row.own_bend * u, u, row.slope * p * rest)};
}

#define ROW focal_probabilities
#include "plain.inc"

FL_ROW_ADDS(focal_probabilities, FL_ADDS_MASS)

FL_ROW_TERM(focal_probabilities) {
    return (fl_row_term){.kept = e.z, .mass = e.z, .first = FL_NOT_FOUND};
}

/* By r, which is kept away from 0 and 1, with w = α·q^(γ−2): gradient −w·q·(γL + q/r), Hessian
 * w·(γ(γ − 1)L + 2γ·q/r + (q/r)²). */
FL_ROW_FINISH(focal_probabilities) {
    int ignored = row.label < 0;
    real r = row.own < FL_EPSILON ? FL_EPSILON : row.own;
    r = r > 1 - FL_EPSILON ? 1 - FL_EPSILON : r;
    fl_pair q = fl_fast_two_sum(1, -r), l = fl_log_pair(r, 0, 0);
    real loss = -(l.hi + l.lo), odds = q.hi / r;
    real power = row.class_weight * fl_power_of_quotient(q, (fl_pair){1, 0}, o.gamma_exact - 2);
    real weight = ignored ? 0 : row.weight;
    row.value = ignored ? 0 : power * (q.hi * q.hi) * loss;
    row.slope = -weight * power * q.hi * fl_fma(o.gamma, loss, odds);
    row.curvature = weight * power * fl_fma(o.gamma * (o.gamma - 1), loss, odds * (2 * o.gamma + odds));
    return row;
}

FL_ROW_EMIT(focal_probabilities) {
    return (fl_row_slopes){e.is_own ? row.slope : 0, e.is_own ? row.curvature : 0};
}

#endif
