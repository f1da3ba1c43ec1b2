/* Cross-entropy of logits and of probabilities, and the links. */
#ifndef FL_ROWS_CROSS_ENTROPY_H
#define FL_ROWS_CROSS_ENTROPY_H

#include "softmax.h"

#define ROW cross_entropy
#include "softmax.inc"

FL_ROW_ADDS(cross_entropy, fl_softmax_adds(o))

FL_ROW_TERM(cross_entropy) {
    return fl_softmax_term(e, row, o);
}

/* With a class index y: w·(−log p_y); slopes w·p_k, of the true class −w·Σ_{j≠y} p_j. bend: w over the sum
 * of all terms, for the Hessian w·p_k·(1 − p_k).
 * Otherwise, for targets t with sum T: Σt_k·(log Σe^z − z_k), all of whose terms are ≥ 0. */
FL_ROW_FINISH(cross_entropy) {
    int ignored = row.label < 0;
    if (o.form == FL_BY_LABEL) {
        fl_softmax_row s = fl_softmax_of_own(row, o);
        real weight = ignored ? 0 : fl_fma(row.weight, row.class_weight, s.nan);
        row.value = ignored ? 0 : fl_fma(row.class_weight, s.loss, s.nan);
        row.slope = weight * s.inverse;
        row.own_slope = -s.others * row.slope;
        row.sum = fl_softmax_sum(row);
        row.inverse = (o.hessian | !o.across) ? 1 / row.sum : 0;
        row.bend = (o.hessian | !o.across) ? weight * fl_softmax_exact_inverse(row) : 0;
        return row;
    }
    row.target += o.across && o.form != FL_DENSE ? o.base_sum : 0;
    if (o.form == FL_SMOOTHED) {
        real distance = row.class_weight == 0 ? 0 : row.class_weight * (row.reference - row.own);
        row.distance += distance;
        row.target += row.class_weight;
    } else {
        ignored = 0;
    }
    real sum = fl_softmax_sum(row), nan = fl_nan_if(fl_is_dead(row));
    row.value = ignored ? 0 : fl_fma(row.target, fl_softmax_excess(row, sum), row.distance) + nan;
    row.slope = ignored ? 0 : row.weight + nan;
    row.inverse = 1 / sum;
    row.sum = sum;
    return row;
}

/* T·p − t as (T − t)·p − t·(1 − p): exact where all the target is in one class. */
FL_ROW_EMIT(cross_entropy) {
    real rest = fl_softmax_rest(row, e.z, row.sum) * row.inverse;
    if (o.form == FL_BY_LABEL)
        return (fl_row_slopes){e.is_own ? row.own_slope : e.z * row.slope, e.z * row.bend * rest};
    real t = fl_row_target(e, o.form), p = e.z * row.inverse;
    return (fl_row_slopes){row.slope * fl_fma(row.target - t, p, -(t * rest)),
                           row.slope * (row.target * p * rest)};
}

/* Poly-1 (Leng et al. 2022): with r the probability of the true class, q = 1 − r, F = 1 + ε·r, value −log r +
 * ε·q; gradient (p_k − [k = y])·F; Hessian p·(1 − p)·(F − ε·(1 − p)) of the true class, p·(F·(1 − p) − ε·r·p)
 * of others. ε is the parameter γ of the call; F is a sum of what is positive for a negative one, too. */
#define ROW poly1_cross_entropy
#include "softmax.inc"

FL_ROW_ADDS(poly1_cross_entropy, fl_softmax_adds(o))

FL_ROW_TERM(poly1_cross_entropy) {
    return fl_softmax_term(e, row, o);
}

FL_ROW_FINISH(poly1_cross_entropy) {
    const real more = (real)(1 + o.gamma_exact);
    fl_softmax_row s = fl_softmax_of_own(row, o);
    int ignored = row.label < 0;
    real r = s.own * s.inverse, q = s.others * s.inverse, weight = ignored ? 0 : row.weight + s.nan;
    row.value = ignored ? 0 : fl_fma(o.gamma, q, s.loss) + s.nan;
    row.steepness = o.gamma < 0 ? fl_fma(-o.gamma, q, more) : fl_fma(o.gamma, r, 1);
    row.slope = weight * s.inverse * row.steepness;
    row.own_slope = -s.others * row.slope;
    row.own_part = o.gamma * r;
    row.sum = fl_softmax_sum(row);
    row.inverse = (o.hessian | !o.across) ? 1 / row.sum : 0;
    row.bend = (o.hessian | !o.across) ? weight * fl_softmax_exact_inverse(row) : 0;
    return row;
}

FL_ROW_EMIT(poly1_cross_entropy) {
    real p = e.z * row.inverse, rest = fl_softmax_rest(row, e.z, row.sum) * row.inverse;
    real bent = e.is_own ? rest * fl_fma(-o.gamma, rest, row.steepness)
                         : fl_fma(row.steepness, rest, -row.own_part * p);
    return (fl_row_slopes){e.is_own ? row.own_slope : e.z * row.slope, e.z * row.bend * bent};
}

#define ROW cross_entropy_probabilities
#include "plain.inc"

FL_ROW_ADDS(cross_entropy_probabilities, FL_ADDS_TOTAL | FL_ADDS_MASS)

FL_INLINE real fl_clip_row_probability(real p) {
    return p < FL_EPSILON ? FL_EPSILON : p;
}

FL_INLINE real fl_log_of_probability(real p) {
    fl_pair l = fl_log_pair(p, 0, 0);
    return l.hi + l.lo;
}

FL_ROW_TERM(cross_entropy_probabilities) {
    fl_row_term t = {.kept = e.z, .mass = e.z, .first = FL_NOT_FOUND};
    if (o.form != FL_BY_LABEL) {
        real target = fl_row_target(e, o.form);
        t.total = target == 0 ? 0 : -target * fl_log_of_probability(fl_clip_row_probability(e.z));
    }
    return t;
}

FL_ROW_FINISH(cross_entropy_probabilities) {
    int by_index = o.form == FL_BY_LABEL || o.form == FL_SMOOTHED;
    int ignored = by_index && row.label < 0;
    if (o.form == FL_BY_LABEL)
        row.total = -row.class_weight * fl_log_of_probability(fl_clip_row_probability(row.own));
    row.value = ignored ? 0 : row.total;
    row.slope = ignored ? 0 : row.weight;
    row.own_slope = -row.slope * row.class_weight / fl_clip_row_probability(row.own);
    return row;
}

FL_ROW_EMIT(cross_entropy_probabilities) {
    real p = fl_clip_row_probability(e.z);
    if (o.form == FL_BY_LABEL)
        return (fl_row_slopes){e.is_own ? row.own_slope : 0, e.is_own ? -row.own_slope / p : 0};
    real target = row.slope * fl_row_target(e, o.form), inverse = 1 / p; /* target/p may be subnormal */
    return (fl_row_slopes){-target / p, target * (inverse * inverse)};
}

#define ROW softmax
#include "softmax.inc"

FL_ROW_ADDS(softmax, fl_softmax_adds(o))

FL_ROW_TERM(softmax) {
    return fl_softmax_term(e, row, o);
}
FL_ROW_FINISH(softmax) {
    row.slope = 1 / fl_softmax_sum(row) + fl_nan_if(fl_is_dead(row));
    row.value = 0;
    return row;
}
FL_ROW_EMIT(softmax) {
    return (fl_row_slopes){e.z * row.slope, 0};
}

/* z − log Σe^z as (z − reference) − (log Σe^z − reference), both of one sign. */
#define ROW log_softmax
#include "softmax.inc"

FL_ROW_ADDS(log_softmax, fl_softmax_adds(o))

FL_ROW_TERM(log_softmax) {
    fl_row_term t = fl_softmax_term(e, row, o);
    t.kept = e.z;
    return t;
}
FL_ROW_FINISH(log_softmax) {
    row.excess = fl_softmax_excess(row, fl_softmax_sum(row)) + fl_nan_if(fl_is_dead(row));
    row.value = 0;
    return row;
}
FL_ROW_EMIT(log_softmax) {
    return (fl_row_slopes){(e.z - row.reference) - row.excess, 0};
}

#endif
