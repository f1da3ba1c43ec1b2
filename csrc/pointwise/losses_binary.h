/* Binary classification losses. Included by losses.h. */

/* The class of a margin loss's label: +1, or −1 for both 0 and −1. */
FL_INLINE real fl_class(real y) {
    return y > 0 ? 1 : -1;
}

/* −class·x for a label y: the sign bit is flipped where y is 1, whose pattern, unlike those of −1 and of
 * zeros, has its third bit set and its first not. Shorter than a comparison and a selection. */
FL_INLINE real fl_times_minus_class(real x, real y) {
    real_bits b = fl_to_bits(y);
    return fl_from_bits(fl_to_bits(x) ^ ((b << 2) & ~b & FL_SIGN_BIT));
}

/* 1 where y ≠ z */
FL_LOSS(zero_one) {
    real wrong = fl_keep_nan(y, fl_keep_nan(z, y == z ? 0 : 1));
    return (fl_terms){wrong, 0, 0};
}

/* p = {T}: 1 where |y − z| ≥ T, decided without rounding the difference. */
FL_LOSS(zero_one_threshold) {
    real threshold = (real)p[0], threshold_error = (real)(p[0] - (double)threshold);
    fl_pair r = fl_two_difference(z, y);
    real excess = (fl_abs(r.hi) - threshold) + (fl_flip_sign(r.lo, r.hi) - threshold_error);
    real wrong = fl_abs(r.hi) <= FL_LARGEST ? (excess >= 0 ? 1 : 0) : 1;
    return (fl_terms){fl_keep_nan(r.hi, wrong), 0, 0};
}

/* p = {c}: 1 where m ≤ −c, m = ±z: where σ(z) misses the label by at least σ(c). c is not rounded. */
FL_LOSS(zero_one_logits) {
    real limit = (real)-p[0], limit_error = (real)(-p[0] - (double)limit);
    real m = fl_class(y) * z;
    return (fl_terms){fl_keep_nan(m, m - limit <= limit_error ? 1 : 0), 0, 0};
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

/* [1 − m]_+² down to m = −1, −4m below */
FL_LOSS(modified_huber) {
    real s = fl_class(y), m = s * z, t = 1 - m;
    real kept = t <= 0 ? 0 : t, c = kept > 2 ? 2 : kept;
    return (fl_terms){m < -1 ? -4 * m : kept * kept, -2 * s * c, fl_keep_nan(t, m < 1 && m >= -1 ? 2 : 0)};
}

/* p = {γ}: of t = 1 − m, t²/(2γ) up to γ, t − γ/2 above, as smooth_l1 of |r|. Of which the Hessian is
 * decided without rounding t. */
FL_LOSS(smoothed_hinge) {
    double scale = fl_scale_parameter(p[0]);
    real gamma = (real)scale, inverse = (real)(1 / scale), gamma_error = (real)(scale - (double)gamma);
    real s = fl_class(y);
    fl_pair exact = fl_two_sum(1, -s * z);
    real t = exact.hi, kept = t <= 0 ? 0 : t;
    int is_linear = kept >= gamma;
    real c = is_linear ? gamma : kept, slope = is_linear ? 1 : kept * inverse;
    real missing = (gamma - t) - (exact.lo - gamma_error);
    return (fl_terms){slope * fl_fma((real)-0.5, c, kept), -s * slope,
                      fl_keep_nan(t, t > 0 && missing > 0 ? inverse : 0)};
}

/* e^−m */
FL_MAGNITUDE(exponential) {
    return z;
}

FL_LOSS(exponential) {
    real minus_m = fl_times_minus_class(z, y);
    real e = prepared.moderate ? fl_exp_moderate(minus_m) : fl_exp(minus_m);
    return (fl_terms){e, fl_times_minus_class(e, y), e};
}

/* (p − y)² */
FL_LOSS(brier_probabilities) {
    return squared_error_terms(y, z, p, prepared);
}

/* Cross-entropy on logits, from the weights of the positive and the negative class and their sum. With e =
 * e^−|z|, l = log(1 + e), q = e/(1 + e) = σ(−|z|) and w the weight of the class that z speaks against, the
 * value positive·softplus(−z) + negative·softplus(z) is sum·l + w·|z|, the gradient ±(w − sum·q), and the
 * Hessian sum·q·(1 − q). The error of the quotient is taken out with the remainder of the division. Where the
 * weights are y and 1 − y their sum is 1; elsewhere they are rounded, and e is a pair to make up for it. */
FL_INLINE fl_terms fl_cross_entropy(real positive, real negative, int is_plain, real z,
                                    fl_prepared prepared) {
    real e = prepared.a, e_lo = prepared.b, size = fl_abs(z);
    real against = fl_is_negative(z) ? positive : negative;
    fl_pair sum = fl_two_sum(positive, negative), d = fl_fast_two_sum(1, e);
    real quotient = e / d.hi;
    real rest = fl_remainder(e, quotient, d.hi) - quotient * d.lo;
    real q = fl_fma(is_plain ? rest : rest + e_lo, 1 - quotient, quotient);
    real bent = fl_fma(-q, q, q);
    fl_pair f = fl_log1p_factors(e);
    real l;
    if (is_plain) {
        l = fl_fma(-f.hi, f.lo, e);
    } else {
        real slope = fl_fma((real)-0.5, e, 1); /* of the logarithm, near enough */
        fl_pair log_d = fl_fast_two_sum(e, fl_fma(-f.hi, f.lo, e_lo * slope));
        l = fl_fma(sum.hi, log_d.hi, fl_fma(sum.hi, log_d.lo, sum.lo * log_d.hi));
        bent = fl_fma(sum.hi, bent, sum.lo * bent);
    }
    real value = fl_fma(against, size, l);
    value = !prepared.moderate && against == 0 ? l : value; /* 0·∞ is 0 */
    real gradient = is_plain ? against - quotient : fl_fma(-sum.hi, q, against);
    return (fl_terms){value, fl_flip_sign(gradient, z), bent};
}

/* p = {a1, a0, b1, b0}: the weights are a1·y + a0 and b1·(1 − y) + b0. */
FL_MAGNITUDE(bce_logits) {
    return z;
}

FL_PREPARE(bce_logits) {
    real a = fl_abs(z), unit = moderate ? 1 : (real)0x1p-64;
    fl_pair e = moderate ? fl_exp_negated_pair_in_range(a, 0)
                         : fl_exp_negated_pair_in_range(fl_at_most(a, FL_EXP_RANGE), 64);
    return (fl_prepared){.a = e.hi * unit, .b = e.lo * unit};
}

FL_LOSS(bce_logits) {
    real positive = fl_fma((real)p[0], y, (real)p[1]), negative = fl_fma((real)p[2], 1 - y, (real)p[3]);
    return fl_cross_entropy(positive, negative, 0, z, prepared);
}

/* The same with weights y and 1 − y. */
FL_MAGNITUDE(bce_logits_plain) {
    return z;
}

FL_PREPARE(bce_logits_plain) {
    real a = fl_abs(z);
    return (fl_prepared){.a = moderate ? fl_exp_moderate(-a) : fl_exp_negated(a)};
}

FL_LOSS(bce_logits_plain) {
    return fl_cross_entropy(y, 1 - y, 1, z, prepared);
}

/* The links: values alone. σ(z) and log σ(z) = −softplus(−z), both from e^−|z|. */
FL_MAGNITUDE(sigmoid) {
    return z;
}

FL_PREPARE(sigmoid) {
    return bce_logits_plain_prepare(y, z, p, moderate);
}

FL_LOSS(sigmoid) {
    real e = prepared.a;
    return (fl_terms){(z < 0 ? e : 1) / (1 + e), 0, 0};
}

FL_MAGNITUDE(log_sigmoid) {
    return z;
}

FL_PREPARE(log_sigmoid) {
    return bce_logits_plain_prepare(y, z, p, moderate);
}

FL_LOSS(log_sigmoid) {
    return (fl_terms){(z < 0 ? z : 0) - fl_log1p_of_unit(prepared.a), 0, 0};
}

/* The probability z away from 0 and 1 by the machine epsilon, 1 − z, its relative rounding error, and both
 * logarithms. */
typedef struct {
    real positive, negative, negative_error;
    fl_pair log_positive, log_negative;
} fl_probability;

FL_INLINE fl_probability fl_clip_probability(real z) {
    real q = z < FL_EPSILON ? FL_EPSILON : z;
    q = q > 1 - FL_EPSILON ? 1 - FL_EPSILON : q;
    fl_pair rest = fl_fast_two_sum(1, -q);
    real error = rest.lo / rest.hi;
    return (fl_probability){q, rest.hi, error, fl_log_pair(q, 0, 0), fl_log_pair(rest.hi, 0, error)};
}

/* p as in bce_logits; z is a probability. */
FL_LOSS(bce_probabilities) {
    fl_probability q = fl_clip_probability(z);
    real positive = fl_fma((real)p[0], y, (real)p[1]), negative = fl_fma((real)p[2], 1 - y, (real)p[3]);
    real a = positive / q.positive, b = negative / q.negative, bent = b / q.negative;
    return (fl_terms){-fl_fma(positive, q.log_positive.hi, negative * q.log_negative.hi), b - a,
                      a / q.positive + fl_fma(-2 * q.negative_error, bent, bent)};
}

/* Focal loss on logits: u = ±z speaks for the wrong class, q = σ(u) is its probability and r = σ(−u) that of
 * the right one, L = −log r = softplus(u). Value α·q^γ·L, gradient by u α·q^γ·(γ·r·L + q), Hessian
 * α·q^γ·r·[γL(γr − q) + (2γ + 1)q]. q enters by powers, so e = e^−|u| and q are pairs; and where e may be
 * subnormal it is kept as 2^64·e, since the Hessian is a normal number for a while yet. */
FL_PREPARE(focal_logits) {
    real a = fl_abs(z);
    fl_pair e = moderate ? fl_exp_negated_pair_in_range(a, 0)
                         : fl_exp_negated_pair_in_range(fl_at_most(a, FL_EXP_RANGE), 64);
    return (fl_prepared){.a = e.hi, .b = e.lo};
}

/* (σ(z) − y)². With d = σ(z) − y and s = σ(z)·σ(−z) the gradient is 2ds, the Hessian 2s·(s + d·(σ(−z) −
 * σ(z))). The smaller of the two sigmoids, q, has its errors taken out, as in fl_cross_entropy; d is q − y or
 * (1 − y) − q. */
FL_MAGNITUDE(brier_logits) {
    return z;
}

FL_PREPARE(brier_logits) {
    return focal_logits_prepare(y, z, p, moderate);
}

FL_LOSS(brier_logits) {
    real unit = prepared.moderate ? 1 : (real)0x1p-64, e = prepared.a * unit, e_lo = prepared.b * unit;
    fl_pair sum = fl_fast_two_sum(1, e);
    real quotient = e / sum.hi;
    real rest = fl_remainder(e, quotient, sum.hi) - quotient * sum.lo + e_lo;
    fl_pair q = fl_fast_two_sum(quotient, rest * (1 - quotient)), unlike = fl_fast_two_sum(1, -y);
    int below = fl_is_negative(z);
    real d = below ? q.hi - (y - q.lo) : unlike.hi - (q.hi + (q.lo - unlike.lo));
    real more = fl_fma(-2, q.hi, 1), other = 1 - q.hi;
    real s = fl_fma(q.hi, other, fl_fma(q.hi, (1 - other) - q.hi, q.lo * more));
    return (fl_terms){fl_keep_nan(z, d * d), fl_keep_nan(z, 2 * d * s),
                      fl_keep_nan(z, 2 * s * fl_fma(d, below ? more : -more, s))};
}

/* x for label 0, −x for 1, whose pattern has its third bit set. */
FL_INLINE real fl_flip_for_one(real x, real y) {
    return fl_flip_sign(x, fl_from_bits(fl_to_bits(y) << 2));
}

typedef struct {
    real u, inverse, unit;  /* 1/(1 + e); what e and, where u > 0, right are to be multiplied by */
    fl_pair e, d, q, right; /* d is 1 + e */
} fl_focal_parts;

FL_INLINE fl_focal_parts fl_split_focal(real y, real z, fl_prepared prepared) {
    real unit = prepared.moderate ? 1 : (real)0x1p-64, u = fl_flip_for_one(z, y);
    int is_right = fl_is_negative(u);
    fl_pair e = {prepared.a * unit, prepared.b * unit}, top = {prepared.a, prepared.b};
    real d_hi = fl_fma(prepared.a, unit, 1); /* does not wait for e */
    fl_pair d = {d_hi, (e.hi - (d_hi - 1)) + e.lo};
    real inverse = 1 / d.hi;
    fl_pair wrong = {is_right ? top.hi : 1, is_right ? top.lo : 0};
    fl_pair right = {is_right ? 1 : top.hi, is_right ? 0 : top.lo};
    fl_pair q = fl_quotient(wrong, d, inverse);
    if (!prepared.moderate) {
        q.hi *= is_right ? unit : 1;
        q.lo *= is_right ? unit : 1;
    }
    return (fl_focal_parts){u, inverse, unit, e, d, q, fl_quotient(right, d, inverse)};
}

/* c·x + y, with what rounding c to float has dropped; in double it has dropped nothing. */
FL_INLINE real fl_constant_fma(fl_pair c, real x, real y) {
    return fl_fma(c.hi, x, FL_PRECISION == 32 ? fl_fma(c.lo, x, y) : y);
}

/* x·(a + a_lo), rounded once. */
FL_INLINE real fl_times_sum(real x, fl_pair a) {
    return fl_fma(x, a.hi, x * a.lo);
}

/* p = {γ, α of label 1, α of label 0}. One of L and −log q is log(1 + e), the other |u| more. */
FL_LOSS(focal_logits) {
    fl_pair gamma = fl_constant(p[0]);
    fl_pair alpha = y > 0 ? fl_constant(p[1]) : fl_constant(p[2]);
    fl_focal_parts parts = fl_split_focal(y, z, prepared);
    fl_pair log_d = fl_log_pair(parts.d.hi, 0, parts.d.lo * parts.inverse);
    real size = fl_abs(parts.u), limited = fl_at_most(size, FL_EXP_RANGE); /* beyond, q^γ and r are 0 */
    fl_pair sum = fl_two_sum(limited, log_d.hi);
    sum.lo += log_d.lo;
    int is_wrong = parts.u > 0;
    fl_pair loss = {is_wrong ? sum.hi : log_d.hi, is_wrong ? sum.lo : log_d.lo};
    fl_pair minus_log_q = {is_wrong ? log_d.hi : sum.hi, is_wrong ? log_d.lo : sum.lo};
    fl_pair exponent = fl_times_pair(minus_log_q.hi, gamma);
    exponent.lo = fl_fma(gamma.hi, minus_log_q.lo, exponent.lo);
    fl_pair root = fl_exp_negated_sum(exponent.hi, exponent.lo), power = fl_times_pair(root.hi, alpha);
    power.lo = fl_fma(root.lo, alpha.hi, power.lo);
    real steep = fl_fma(gamma.hi, loss.hi, fl_fma(gamma.hi, loss.lo, gamma.lo * loss.hi));
    steep = loss.hi < FL_EXP_RANGE ? steep : 0; /* beyond, r is 0 */
    real q = parts.q.hi, unit = fl_is_negative(parts.u) ? 1 : parts.unit, right = parts.right.hi * unit;
    fl_pair twice = {2 * gamma.hi, 2 * gamma.lo};
    real slope = fl_fma(steep, right, q);
    real bracket = fl_fma(steep, fl_constant_fma(gamma, right, -q), fl_constant_fma(twice, q, q));
    real beyond = is_wrong ? size : loss.hi, value = limited < size ? beyond : loss.hi;
    return (fl_terms){fl_times_sum(value, power), fl_flip_for_one(fl_times_sum(slope, power), y),
                      fl_times_sum(bracket, power) * parts.right.hi * unit};
}

FL_MAGNITUDE(focal2_logits) {
    return z;
}

FL_PREPARE(focal2_logits) {
    return focal_logits_prepare(y, z, p, moderate);
}

/* γ = 2, p = {α of label 1, α of label 0}. With the pair q + c, q² is q·q + 2cq. */
FL_LOSS(focal2_logits) {
    real alpha = y > 0 ? (real)p[0] : (real)p[1];
    fl_focal_parts parts = fl_split_focal(y, z, prepared);
    real q = parts.q.hi, power = alpha * fl_fma(q, q, 2 * parts.q.lo * q);
    real loss = (parts.u > 0 ? parts.u : 0) + fl_log1p_unit(parts.e.hi, parts.e.lo * parts.inverse);
    real twice_loss = loss < FL_EXP_RANGE ? 2 * loss : 0; /* beyond, r is 0 */
    real unit = fl_is_negative(parts.u) ? 1 : parts.unit, right = parts.right.hi * unit;
    real bracket = fl_fma(twice_loss, fl_fma(2, right, -q), 5 * q);
    real gradient = power * fl_fma(twice_loss, right, q);
    return (fl_terms){power * loss, fl_flip_for_one(gradient, y), power * bracket * parts.right.hi * unit};
}

/* p = {γ, α of label 1, α of label 0}; z is a probability. With r the probability of the right class, q = 1 −
 * r, L = −log r and w = α·q^(γ−2): value w·q²·L, gradient by r −w·q·(γL + q/r), Hessian w·(γ(γ − 1)L + 2γ·q/r
 * + (q/r)²). The rounding error of q goes into the exponent. */
FL_LOSS(focal_probabilities) {
    real gamma = (real)p[0], alpha = y > 0 ? (real)p[1] : (real)p[2];
    fl_probability b = fl_clip_probability(z);
    real right = y > 0 ? b.positive : b.negative, q = y > 0 ? b.negative : b.positive;
    real loss = y > 0 ? -b.log_positive.hi : -b.log_negative.hi;
    fl_pair log_q = {y > 0 ? b.log_negative.hi : b.log_positive.hi,
                     y > 0 ? b.log_negative.lo : b.log_positive.lo};
    fl_pair gamma_2 = fl_two_sum((real)p[0], -2);
    gamma_2.lo += fl_constant(p[0]).lo;
    fl_pair exponent = fl_times_pair(log_q.hi, gamma_2);
    exponent.lo = fl_fma(gamma_2.hi, log_q.lo, exponent.lo) + (y > 0 ? b.negative_error : 0);
    real power = alpha * fl_exp_sum(exponent.hi, exponent.lo);
    real odds = q / right, odds_lo = fl_remainder(q, odds, right) / right;
    real gradient = power * (q * fl_fma(gamma, loss, odds));
    real squares = fl_fma(odds, fl_fma(2, gamma, odds), 2 * odds_lo * (odds + gamma));
    real bracket = fl_fma((real)(p[0] * (p[0] - 1)), loss, squares);
    return (fl_terms){power * ((q * q) * loss), y > 0 ? -gradient : gradient, power * bracket};
}

/* Asymmetric loss (Ridnik et al. 2021): u, q and r as in the focal loss, but of label 0 the probability q is
 * lowered by c, and the sample is dropped where nothing remains. With m = q − c, R = r + c = 1 − m, M = −log
 * R, σ = q/m and ρ = r/R: value m^γ·M, gradient by u m^γ·r·(γσM + q/R), Hessian m^γ·r·[γσM·(((γ − 1)σ + 1)·r
 * − q) + (2γσ + 1)·q·ρ − q·(q/R)·(1 − ρ)]. */
FL_PREPARE(asymmetric_loss) {
    return focal_logits_prepare(y, z, p, moderate);
}

/* p = {γ of label 1, γ of label 0, c} */
FL_LOSS(asymmetric_loss) {
    const real least = FL_CONST(0x1p-60, 0x1p-500); /* a smaller c is none */
    fl_pair gamma = y > 0 ? fl_constant(p[0]) : fl_constant(p[1]), clip = fl_constant(p[2]);
    int clips = !(y > 0) & (clip.hi >= least);
    fl_focal_parts parts = fl_split_focal(y, z, prepared);
    real u = parts.u, unit = fl_is_negative(u) ? 1 : parts.unit, right = parts.right.hi * unit,
         q = parts.q.hi;
    fl_pair m = fl_two_sum(q, -clip.hi);
    m = fl_two_sum(m.hi, m.lo + (parts.q.lo - clip.lo));
    int dropped = clips & (m.hi <= 0), lowered = clips & (m.hi > 0);
    m = (fl_pair){lowered ? m.hi : (real)0.5, lowered ? m.lo : 0};
    fl_pair rest = fl_fast_two_sum(1, -m.hi),
            of_loss = {clips ? rest.hi : parts.d.hi, clips ? rest.lo - m.lo : parts.d.lo};
    fl_pair log_m = fl_log_pair(m.hi, 0, m.lo / m.hi);
    fl_pair log_d = fl_log_pair(of_loss.hi, 0, of_loss.lo / of_loss.hi);
    real loss = clips ? -log_d.hi : (u > 0 ? u : 0) + log_d.hi;
    real from_u = u > 0 ? 0 : fl_at_most(fl_abs(u), FL_EXP_RANGE);
    fl_pair minus_log_q = fl_two_sum(from_u, log_d.hi);
    minus_log_q =
        (fl_pair){clips ? -log_m.hi : minus_log_q.hi, clips ? -log_m.lo : minus_log_q.lo + log_d.lo};
    fl_pair exponent = fl_times_pair(minus_log_q.hi, gamma);
    exponent.lo = fl_fma(gamma.hi, minus_log_q.lo, exponent.lo);
    fl_pair remaining = fl_exp_negated_sum(exponent.hi, exponent.lo);
    real power = dropped ? 0 : remaining.hi + remaining.lo;
    fl_pair inverse = fl_reciprocal((fl_pair){rest.hi, rest.lo - m.lo});
    real share = fl_fma(q, inverse.lo, q * inverse.hi);
    real sigma = lowered ? q / m.hi : 1, rho = clips ? right * inverse.hi : 1;
    real finite_loss = loss < FL_EXP_RANGE ? loss : 0; /* beyond, r is 0 */
    real steep = fl_constant_fma(gamma, finite_loss * sigma, 0),
         of_q = fl_fma(2 * gamma.hi, sigma, 1) * q * rho;
    of_q = clips ? fl_fma(-q * share, 1 - rho, of_q) : of_q;
    real bracket = fl_fma(steep, fl_fma(fl_fma(gamma.hi - 1, sigma, 1), right, -q), of_q);
    real gradient = clips ? power * (steep + share) * parts.right.hi * unit : power * fl_fma(steep, right, q);
    return (fl_terms){fl_keep_nan(z, power * loss), fl_keep_nan(z, fl_flip_for_one(gradient, y)),
                      fl_keep_nan(z, power * bracket * parts.right.hi * unit)};
}

/* −y·z */
FL_LOSS(wasserstein_critic) {
    real s = fl_class(y);
    return (fl_terms){-s * z, fl_keep_nan(z, -s), fl_keep_nan(z, 0)};
}
