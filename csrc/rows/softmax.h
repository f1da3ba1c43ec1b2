/* The softmax of a row, from which the cross-entropies, the focal loss and the links are made.
 *
 * e^z is 2^k·e^r, and a common power of two is taken out of a row by integers: subtracting the row's maximum
 * from z instead would round, and cost as many ULP as the difference is large. The power is that of the
 * maximum less FL_HEADROOM, so that every probability that is not 0 has a normal term.
 *
 * The largest term (`top`) is kept apart from the sum of the `others`: 1 − p of the largest probability is
 * then others/(others + top) without cancellation, and that of any other is (sum − term)/sum, where term ≤
 * sum/2. */
#ifndef FL_ROWS_SOFTMAX_H
#define FL_ROWS_SOFTMAX_H

#include "row.h"

#define FL_HEADROOM FL_CONST(26.0, 56.0)
/* A logit that far below the maximum has probability zero, −inf among them. */
#define FL_SOFTMAX_RANGE FL_CONST(150.0, 800.0)
/* So far down the exponent field reaches; terms below are zero. */
#define FL_SOFTMAX_DEPTH FL_CONST(126.0, 1022.0)
/* Beyond it k·ln 2 would lose accuracy; the maximum is subtracted first, which is exact for all logits in
 * range. */
#define FL_SOFTMAX_LARGE FL_CONST(65536.0, 1048576.0)

/* x = k·ln 2 + r, and 2^(k − K) for scale = K + FL_ROUND_MAGIC, which must not overflow; `counts`, unless
 * that is below the normal numbers or x is NaN. Where it never is (`moderate`), K is subtracted on the way.
 */
typedef struct {
    real k, rest, r;
    real_bits power;
    int counts;
} fl_scaled_split;

FL_INLINE fl_scaled_split fl_split_scaled(real x, real scale, int moderate) {
    real base = moderate ? FL_ROUND_MAGIC - (scale - FL_ROUND_MAGIC) : FL_ROUND_MAGIC;
    real shifted = fl_fma(x, FL_LOG2_E, base), k = shifted - base;
    real rest = fl_remainder(x, k, FL_LN2_HI);
    real_bits power = FL_EXPONENT(fl_to_bits(shifted) - (moderate ? 0 : fl_to_bits(scale)));
    return (fl_scaled_split){k, rest, fl_fma(k, -FL_LN2_LO, rest), power,
                             moderate || shifted >= scale - FL_SOFTMAX_DEPTH};
}

/* e^x·2^−K. */
FL_INLINE real fl_scaled_exp(real x, real scale, int moderate) {
    fl_scaled_split s = fl_split_scaled(x, scale, moderate);
    return s.counts ? fl_from_bits(fl_to_bits(fl_exp_reduced(s.r)) + s.power) : 0;
}

/* What that is off e^x·2^−K by, apart from the polynomial's error: the rounding errors of its last two sums
 * and of the argument. */
FL_INLINE real fl_scaled_exp_error(real x, real scale, int moderate) {
    fl_scaled_split s = fl_split_scaled(x, scale, moderate);
    real r2 = s.r * s.r, tail = fl_exp_tail(s.r), sum = fl_fma(r2, tail, s.r);
    real error =
        (sum - ((1 + sum) - 1)) + fl_fma(r2, tail, s.r - sum) + fl_fma(s.k, -FL_LN2_LO, s.rest - s.r);
    return s.counts ? error * fl_from_bits(FL_POWER_OF_TWO_BITS(0) + s.power) : 0;
}

/* Whether no term of a chunk is below the normal numbers and nothing has to be subtracted first; and whether
 * the true class has less than an eighth of the row's sum. */
typedef struct {
    int moderate, unlikely;
} fl_chunk_nature;

FL_INLINE fl_chunk_nature fl_softmax_nature(fl_row row, real lowest) {
    const real range = FL_CONST(100.0, 700.0); /* (FL_SOFTMAX_DEPTH + FL_HEADROOM)·ln 2 and less */
    return (fl_chunk_nature){(row.poison == row.poison) & (row.reference - lowest <= range) &
                                 (fl_abs(row.reference) <= FL_SOFTMAX_LARGE),
                             row.reference - row.own >= 2};
}

/* The part of a target that differs from row to row: across rows the rest is added by finish, summed once. */
FL_INLINE real fl_varying_target(fl_row_entry e, int form) {
    return form == FL_SMOOTHED ? 0 : (form == FL_DENSE_WEIGHTED ? e.y * e.own_weight : e.y);
}

FL_INLINE int fl_is_dead(fl_row row) {
    return (row.poison != row.poison) | !(fl_abs(row.reference) <= FL_LARGEST);
}

FL_INLINE int fl_spreads_target(int form) {
    return form == FL_SMOOTHED || form == FL_DENSE || form == FL_DENSE_WEIGHTED;
}

/* The sum of z would overflow; scaled down it is NaN only if some z is, or if there are infinities of both
 * signs. */
FL_ROW_SCAN(fl_softmax) {
    return (fl_row_scan){e.z, fl_fma(e.z, (real)0x1p-60, row.poison)};
}

/* In a row that has no softmax (NaN, +inf, nothing but −inf) all terms are zero, so that only what finish
 * makes NaN is. */
FL_ROW_PREPARE(fl_softmax) {
    int dead = fl_is_dead(row), empty = row.reference < -FL_LARGEST;
    real m = dead ? 0 : row.reference;
    row.offset = fl_abs(m) > FL_SOFTMAX_LARGE ? m : 0;
    m -= row.offset;
    row.offset = (dead & !empty) ? FL_INFINITY : row.offset;
    row.scale = fl_fma(m, FL_LOG2_E, FL_ROUND_MAGIC) - FL_HEADROOM;
    row.top = fl_scaled_exp(m, row.scale, 0);
    return row;
}

/* With class indices the true class's term is apart, where o.own_term says so; what is known of the largest
 * one is for a Hessian. */
FL_ROW_TERM(fl_softmax) {
    int is_top = e.z == row.reference;
    real x = o.moderate ? e.z : e.z - row.offset;
    real term = fl_scaled_exp(x, row.scale, o.moderate), but_top = is_top ? 0 : term;
    fl_row_term t = {.kept = term, .rest = but_top, .n_top = is_top ? 1 : 0, .first = FL_NOT_FOUND};
    if (o.form == FL_BY_LABEL) {
        t.but_own = e.is_own ? 0 : term;
        t.own_term = e.is_own ? term : 0;
        t.but_top = but_top;
    }
    if (fl_spreads_target(o.form)) {
        e.is_own = 0; /* the true class is added by finish */
        real target = fl_row_target(e, o.form);
        real distance = is_top ? 0 : row.reference - e.z;
        t.distance = target == 0 ? 0 : target * distance;
        t.target = o.across ? fl_varying_target(e, o.form) : target;
    }
    return t;
}

FL_INLINE int fl_softmax_adds(fl_row_setting o) {
    if (o.form == FL_BY_LABEL)
        return FL_ADDS_BUT_OWN | (o.own_term ? FL_ADDS_OWN_TERM : 0) |
               (o.hessian ? FL_ADDS_N_TOP | FL_ADDS_BUT_TOP : 0);
    return fl_spreads_target(o.form) ? FL_ADDS_ALL : FL_ADDS_REST | FL_ADDS_N_TOP;
}

/* A row's largest term may be in another chunk. */
FL_ROW_CLOSE(fl_softmax) {
    real but_top = o.form == FL_BY_LABEL ? row.but_top : row.rest;
    row.top = row.n_top > 0 ? row.top : 0;
    row.others = row.n_top > 0 ? fl_fma(row.n_top - 1, row.top, but_top) : but_top;
    return row;
}

/* What multiplies the terms of one chunk that they have another's power of two. A power of two itself, unless
 * logits are so large that the maximum was subtracted. */
FL_INLINE real fl_softmax_factor(fl_row of, fl_row to) {
    real k = (of.scale - FL_ROUND_MAGIC) - (to.scale - FL_ROUND_MAGIC);
    real factor = fl_scaled_exp(of.offset - to.offset, FL_ROUND_MAGIC - k, 0);
    return of.reference - to.reference > -FL_SOFTMAX_RANGE ? factor : 0;
}

FL_ROW_MERGE(fl_softmax) {
    fl_row large = p.reference >= q.reference ? p : q, small = p.reference >= q.reference ? q : p;
    large.poison += small.poison;
    real factor = fl_softmax_factor(small, large);
    large.others = fl_fma(factor, small.others + small.top, large.others);
    if (o.form == FL_BY_LABEL) {
        fl_pair sum = fl_two_sum(large.but_own, factor * small.but_own);
        large.but_own = sum.hi;
        large.own_term = fl_fma(factor, small.own_term, large.own_term) + sum.lo;
        return large;
    }
    real moved = small.target == 0 ? 0 : small.target * (large.reference - small.reference);
    large.distance += small.distance + moved;
    large.target += small.target;
    return large;
}

/* −log of the probability of a class with logit z, term e and sum of the other terms o, where sum = e + o:
 * log1p(o/e), or else K·ln 2 − z + log(sum), both from one logarithm of 1 + f with f in [0, 1]. */
FL_INLINE real fl_minus_log_share(fl_row row, real z, real e, real o, real sum) {
    const real_bits mantissa = ((real_bits)1 << FL_MANTISSA_BITS) - 1;
    const real integer_base = FL_CONST(0x1p23, 0x1p52);
    int likely = o <= e;
    real_bits bits = fl_to_bits(sum);
    real f = likely ? o / e : fl_from_bits((bits & mantissa) | FL_POWER_OF_TWO_BITS(0)) - 1;
    real k = fl_from_bits((bits >> FL_MANTISSA_BITS) | fl_to_bits(integer_base)) - (integer_base + FL_BIAS);
    k = likely ? 0 : k + (row.scale - FL_ROUND_MAGIC);
    real x = likely ? 0 : z - row.offset;
    return fl_log1p_unit(f, k * FL_LN2_LO) - fl_remainder(x, k, FL_LN2_HI);
}

/* 1/(sum of all terms), row.inverse being that of the rounded sum; the largest term's error and the sum's
 * are taken out. */
FL_INLINE real fl_softmax_exact_inverse(fl_row row) {
    fl_pair sum = fl_two_sum(row.top, row.others);
    real error = sum.lo + fl_scaled_exp_error(row.reference - row.offset, row.scale, 0);
    return fl_is_dead(row) ? row.inverse : fl_fma(-error * row.inverse, row.inverse, row.inverse);
}

/* The true class's term, the sum of the others, and −log p of it. */
typedef struct {
    real sum, inverse, own, others, loss, nan;
} fl_softmax_row;

FL_INLINE real fl_nan_if(int dead) {
    return dead ? FL_INFINITY - FL_INFINITY : 0;
}

/* Positive also in a row that has no softmax. */
FL_INLINE real fl_softmax_sum(fl_row row) {
    real sum = row.others + row.top;
    return sum > 0 ? sum : 1;
}

FL_INLINE fl_softmax_row fl_softmax_of_own(fl_row row, fl_row_setting o) {
    real own = o.own_term ? row.own_term : fl_scaled_exp(row.own - row.offset, row.scale, 0);
    real sum = own + row.but_own;
    sum = sum > 0 ? sum : 1;
    return (fl_softmax_row){sum,
                            1 / sum,
                            own,
                            row.but_own,
                            fl_minus_log_share(row, row.own, own, row.but_own, sum),
                            fl_nan_if(fl_is_dead(row))};
}

/* log Σe^z − reference */
FL_INLINE real fl_softmax_excess(fl_row row, real sum) {
    return fl_minus_log_share(row, row.reference, row.top, row.others, sum);
}

/* The numerator of 1 − p for a term. */
FL_INLINE real fl_softmax_rest(fl_row row, real term, real sum) {
    return term == row.top ? row.others : sum - term;
}

#endif
