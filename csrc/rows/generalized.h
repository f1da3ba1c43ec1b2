/* Generalised cross-entropy (Zhang and Sabuncu 2018): with r the probability of the true class and L = −log
 * r, the value (1 − r^q)/q. */
#ifndef FL_ROWS_GENERALIZED_H
#define FL_ROWS_GENERALIZED_H

#include "softmax.h"

#define ROW generalized_cross_entropy
#include "softmax.inc"

FL_ROW_ADDS(generalized_cross_entropy, fl_softmax_adds(o))

FL_ROW_TERM(generalized_cross_entropy) {
    return fl_softmax_term(e, row, o);
}

/* By the logits, with E = r^q = e^(−qL): gradient E·p_k and −E·(1 − r), Hessian E·p_k·(1 − p_k − q·p_k) and
 * E·(1 − r)·(r − q·(1 − r)). As a function of L the loss has the slope E: Gauss-Newton, which bends L alone,
 * leaves the terms with q out. In the exponent an unlikely class's L is a pair. */
FL_ROW_FINISH(generalized_cross_entropy) {
    int ignored = row.label < 0;
    fl_softmax_row s = fl_softmax_of_own(row, o);
    int likely = s.others <= s.own;
    fl_pair sum = fl_two_sum(s.own, s.others);
    sum.hi = sum.hi > 0 ? sum.hi : 1;
    real top = fl_scaled_exp(row.reference - row.offset, row.scale, 0); /* of the largest logit */
    fl_pair log_sum = fl_log_pair(sum.hi, 0, sum.lo / sum.hi), log_top = fl_log_pair(top > 0 ? top : 1, 0, 0);
    fl_pair excess = fl_two_difference(log_sum.hi, log_top.hi),
            below = fl_two_difference(row.reference, row.own);
    fl_pair unlikely = fl_two_sum(below.hi, excess.hi);
    real rest_of_it = (log_sum.lo - log_top.lo) + (excess.lo + below.lo) + unlikely.lo;
    unlikely = fl_fast_two_sum(unlikely.hi, unlikely.hi <= FL_LARGEST ? rest_of_it : 0);
    fl_pair l = {likely ? s.loss : unlikely.hi, likely ? 0 : unlikely.lo};
    fl_pair x = fl_times_pair(-l.hi, fl_constant(o.gamma_exact));
    fl_exp_factors power = fl_exp_in_factors(x.hi, fl_fma(-o.gamma, l.lo, x.lo), 0);
    real weight = ignored ? 0 : row.weight + s.nan, r = s.own * s.inverse, rest = s.others * s.inverse;
    /* Near r = 1 without the product with q, which may be below the normal numbers. */
    real near = fl_fma(l.hi * x.hi, fl_expm1_tail(x.hi), l.hi);
    real far = -fl_factors_minus_one(power) * (real)(1 / o.gamma_exact);
    row.value = ignored ? 0 : (fl_abs(x.hi) < (real)0.34 ? near : far) + s.nan;
    row.slope = fl_times_factors(weight, 1, power);
    row.own_slope = -row.slope * rest;
    row.inverse = s.inverse;
    row.sum = fl_softmax_sum(row);
    row.inverse_sum = 1 / row.sum;
    row.bend = o.gauss_newton ? 0 : o.gamma;
    row.own_bend = row.slope * rest * fl_fma(-row.bend, rest, r);
    return row;
}

FL_ROW_EMIT(generalized_cross_entropy) {
    real p = e.z * row.inverse, rest = fl_softmax_rest(row, e.z, row.sum) * row.inverse_sum;
    return (fl_row_slopes){e.is_own ? row.own_slope : row.slope * p,
                           e.is_own ? row.own_bend : row.slope * p * fl_fma(-row.bend, p, rest)};
}

#endif
