/* Binary classification losses. Included by losses.h. */

/* The class of a margin loss's label: +1, or −1 for both 0 and −1. */
FL_INLINE real fl_class(real y) {
    return y > 0 ? 1 : -1;
}

/* 1 where y ≠ z */
FL_LOSS(zero_one) {
    real wrong = fl_keep_nan(y, fl_keep_nan(z, y == z ? 0 : 1));
    return (fl_terms){wrong, 0, 0};
}

/* p = {T}: 1 where |y − z| ≥ T, decided without rounding the difference. */
FL_LOSS(zero_one_threshold) {
    real threshold = (real)p[0], threshold_error = (real)(p[0] - (double)threshold);
    fl_pair r = fl_two_sum(z, -y);
    real excess = (fl_abs(r.hi) - threshold) + (fl_flip_sign(r.lo, r.hi) - threshold_error);
    real wrong = fl_abs(r.hi) <= FL_LARGEST ? (excess >= 0 ? 1 : 0) : 1;
    return (fl_terms){fl_keep_nan(r.hi, wrong), 0, 0};
}

/* max(0, −m), m = ±z */
FL_LOSS(perceptron) {
    real s = fl_class(y), m = s * z;
    real kept = m >= 0 ? 0 : m;
    return (fl_terms){0 - kept, m < 0 ? -s : kept, fl_keep_nan(m, 0)};
}

/* max(0, 1 − m) */
FL_LOSS(hinge) {
    real s = fl_class(y), t = 1 - s * z;
    real kept = t <= 0 ? 0 : t;
    return (fl_terms){kept, t > 0 ? -s : kept, fl_keep_nan(t, 0)};
}

/* max(0, 1 − m)² */
FL_LOSS(squared_hinge) {
    real s = fl_class(y), t = 1 - s * z;
    real kept = t <= 0 ? 0 : t;
    return (fl_terms){kept * kept, -2 * s * kept, t > 0 ? 2 : kept};
}

/* e^−m */
FL_LOSS(exponential) {
    real s = fl_class(y), e = fl_exp(-s * z);
    return (fl_terms){e, -s * e, e};
}

/* p = {a1, a0, b1, b0}: the weights P = a1·y + a0 of the positive class and N = b1·(1 − y) + b0 of the
 * negative one. With e = e^−|z|, l = log(1 + e), w the weight of the class that z speaks against and o the
 * other's, the value P·softplus(−z) + N·softplus(z) is (P + N)·l + w·|z|, the gradient ±(w − o·e)/(1 + e),
 * and σ(z)σ(−z) is e/(1 + e)². */
FL_PREPARE(bce_logits) {
    return (fl_prepared){fl_exp_negated(fl_abs(z)), 0, 0};
}

FL_LOSS(bce_logits) {
    real e = prepared.a;
    real positive = fl_fma((real)p[0], y, (real)p[1]), negative = fl_fma((real)p[2], 1 - y, (real)p[3]);
    real against = z > 0 ? negative : positive, other = z > 0 ? positive : negative;
    real inverse = 1 / (1 + e);
    real magnitude = fl_fma(-other, e, against) * inverse;
    real linear = against * fl_abs(z);
    linear = against == 0 ? fl_keep_nan(z, 0) : linear;
    return (fl_terms){fl_fma(positive + negative, fl_log1p_unit(e), linear),
                      fl_keep_nan(z, fl_flip_sign(magnitude, z)),
                      fl_keep_nan(z, ((positive + negative) * e * inverse) * inverse)};
}

/* The probability z away from 0 and 1 by the machine epsilon, log z, 1 − z and log(1 − z). */
typedef struct {
    real positive, negative, log_positive, log_negative;
    fl_pair log_positive_pair, log_negative_pair;
} fl_probability;

FL_INLINE fl_probability fl_clip_probability(real z) {
    real q = z < FL_EPSILON ? FL_EPSILON : z;
    q = q > 1 - FL_EPSILON ? 1 - FL_EPSILON : q;
    fl_pair rest = fl_fast_two_sum(1, -q);
    fl_pair a = fl_log_pair(q, 0), b = fl_log_of_pair(rest.hi, rest.lo);
    return (fl_probability){q, rest.hi, a.hi + a.lo, b.hi + b.lo, a, b};
}

/* p as in bce_logits; z is a probability. */
FL_LOSS(bce_probabilities) {
    fl_probability q = fl_clip_probability(z);
    real positive = fl_fma((real)p[0], y, (real)p[1]), negative = fl_fma((real)p[2], 1 - y, (real)p[3]);
    real a = positive / q.positive, b = negative / q.negative;
    return (fl_terms){-fl_fma(positive, q.log_positive, negative * q.log_negative), b - a,
                      a / q.positive + b / q.negative};
}

/* Focal loss on logits: t = ±z for the label, q = σ(−t) the probability of the wrong class, r = σ(t) of the
 * right one, L = −log r = softplus(−t). Value α·q^γ·L, gradient by t −α·q^γ·(γ·r·L + q), Hessian
 * α·q^γ·r·[γL(γr − q) + (2γ + 1)q]. q enters by powers, so e^−|t| and q are pairs. */
FL_PREPARE(focal_logits) {
    fl_pair e = fl_exp_negated_pair(fl_abs(z));
    return (fl_prepared){e.hi, e.lo, 0};
}

/* p = {γ, α of label 1, α of label 0} */
FL_LOSS(focal_logits) {
    real gamma = (real)p[0], alpha = y > 0 ? (real)p[1] : (real)p[2];
    real t = y > 0 ? z : -z;
    fl_pair d = fl_fast_two_sum(1, prepared.a);
    real inverse = 1 / d.hi;
    fl_pair l = fl_log_pair(d.hi, (d.lo + prepared.b) * inverse); /* log(1 + e) */
    real small = prepared.a * inverse;
    real q = t > 0 ? small : inverse, right = t > 0 ? inverse : small;
    fl_pair log_q = fl_two_sum(t > 0 ? t : 0, l.hi); /* −log q */
    log_q.lo += l.lo;
    real loss = (t > 0 ? 0 : -t) + (l.hi + l.lo);
    real finite = fl_at_most(log_q.hi, FL_EXP_RANGE);
    fl_pair exponent = fl_times_constant(finite, -p[0]);
    exponent.lo = fl_fma(-gamma, log_q.lo, exponent.lo);
    real power = alpha * fl_exp_sum(exponent.hi, exponent.lo);
    real gradient = power * fl_fma(gamma * right, loss, q);
    real bracket = fl_fma(gamma * loss, fl_fma(gamma, right, -q), (real)(2 * p[0] + 1) * q);
    return (fl_terms){fl_keep_nan(z, power * loss), fl_keep_nan(z, y > 0 ? -gradient : gradient),
                      fl_keep_nan(z, power * right * bracket)};
}

FL_PREPARE(focal2_logits) {
    return focal_logits_prepare(y, z, p);
}

/* γ = 2, p = {α of label 1, α of label 0}. With e/(1 + e) = q + c, q² is q·(q + 2c). */
FL_LOSS(focal2_logits) {
    real alpha = y > 0 ? (real)p[0] : (real)p[1];
    real t = y > 0 ? z : -z, e = prepared.a;
    fl_pair d = fl_fast_two_sum(1, e);
    real inverse = 1 / d.hi;
    real top = t > 0 ? e : 1, top_lo = t > 0 ? prepared.b : 0;
    real q = top / d.hi;
    fl_pair back = fl_two_product(q, d.hi);
    real c = (((top - back.hi) - back.lo) + fl_fma(-q, d.lo + prepared.b, top_lo)) * inverse;
    real square = alpha * (q * fl_fma(2, c, q));
    real right = t > 0 ? inverse : e * inverse;
    real loss = (t > 0 ? 0 : -t) + fl_log1p_unit(e);
    real gradient = square * fl_fma(2 * right, loss, q);
    real bracket = fl_fma(2 * loss, fl_fma(2, right, -q), 5 * q);
    return (fl_terms){fl_keep_nan(z, square * loss), fl_keep_nan(z, y > 0 ? -gradient : gradient),
                      fl_keep_nan(z, square * right * bracket)};
}

/* p = {γ, α of label 1, α of label 0}; z is a probability. With r the probability of the right class, q = 1 −
 * r, L = −log r and w = α·q^(γ−2): value w·q²·L, gradient by r −w·q·(γL + q/r), Hessian w·(γ(γ − 1)L + 2γ·q/r
 * + (q/r)²). */
FL_LOSS(focal_probabilities) {
    real gamma = (real)p[0], alpha = y > 0 ? (real)p[1] : (real)p[2];
    fl_probability b = fl_clip_probability(z);
    real right = y > 0 ? b.positive : b.negative, q = y > 0 ? b.negative : b.positive;
    real loss = y > 0 ? -b.log_positive : -b.log_negative;
    real log_q = y > 0 ? b.log_negative_pair.hi : b.log_positive_pair.hi;
    real log_q_lo = y > 0 ? b.log_negative_pair.lo : b.log_positive_pair.lo;
    fl_pair exponent = fl_times_constant(log_q, p[0] - 2);
    exponent.lo = fl_fma((real)(p[0] - 2), log_q_lo, exponent.lo);
    real power = alpha * fl_exp_sum(exponent.hi, exponent.lo);
    real odds = q / right;
    real gradient = power * q * fl_fma(gamma, loss, odds);
    real bracket = fl_fma((real)(p[0] * (p[0] - 1)), loss, odds * (2 * gamma + odds));
    return (fl_terms){power * (q * q) * loss, y > 0 ? -gradient : gradient, power * bracket};
}

/* −y·z */
FL_LOSS(wasserstein_critic) {
    real s = fl_class(y);
    return (fl_terms){-s * z, fl_keep_nan(z, -s), fl_keep_nan(z, 0)};
}
