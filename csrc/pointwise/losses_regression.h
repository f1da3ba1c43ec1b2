/* Regression losses of the residual r = z − y or of a log-linked mean e^z. Included by losses.h. */

/* r² */
FL_LOSS(squared_error) {
    real r = z - y;
    return (fl_terms){r * r, 2 * r, fl_keep_nan(r, 2)};
}

/* r²/2 */
FL_LOSS(half_squared_error) {
    real r = z - y;
    return (fl_terms){(real)0.5 * r * r, r, fl_keep_nan(r, 1)};
}

/* sign(r), 0 at 0, NaN at NaN */
FL_INLINE real fl_sign(real r) {
    return r > 0 ? 1 : r < 0 ? -1 : r;
}

/* |r| */
FL_LOSS(absolute_error) {
    real r = z - y;
    return (fl_terms){fl_abs(r), fl_sign(r), fl_keep_nan(r, 0)};
}

/* p = {δ}. With c = min(|r|, δ) both branches are c·(|r| − c/2). */
FL_LOSS(huber) {
    real delta = (real)p[0];
    real r = z - y, a = fl_abs(r);
    real c = a > delta ? delta : a;
    return (fl_terms){c * fl_fma((real)-0.5, c, a), fl_with_sign(c, r), fl_keep_nan(r, a <= delta ? 1 : 0)};
}

/* p = {β}: Huber(β)/β */
FL_LOSS(smooth_l1) {
    real beta = (real)p[0], inverse = (real)(1 / p[0]);
    real r = z - y, a = fl_abs(r);
    int inside = a < beta;
    real c = a >= beta ? beta : a;
    real slope = a >= beta ? 1 : a * inverse;
    return (fl_terms){slope * fl_fma((real)-0.5, c, a), fl_with_sign(slope, r),
                      fl_keep_nan(r, inside ? inverse : 0)};
}

/* log cosh r, tanh r, 1 − tanh² r, from M = e^(−2|r|) − 1. */
FL_PREPARE(log_cosh) {
    return (fl_prepared){fl_expm1_negated(2 * fl_abs(z - y)), fl_exp_negated(2 * fl_abs(z - y)), 0};
}

FL_LOSS(log_cosh) {
    real r = z - y, m = prepared.a, e = prepared.b;
    real inverse = 1 / (2 + m);
    return (fl_terms){fl_log_cosh(fl_abs(r), 1 + m), fl_keep_nan(r, fl_with_sign(-m / (2 + m), r)),
                      fl_keep_nan(r, 4 * e * inverse * inverse)};
}

/* (z − y)/scale as a pair; the low half is 0 where the difference is infinite. */
FL_INLINE fl_pair fl_scaled_residual(real y, real z, double scale) {
    fl_pair r = fl_two_sum(z, -y);
    fl_pair u = fl_times_constant(r.hi, 1 / scale);
    u.lo = fl_fma(r.lo, (real)(1 / scale), u.lo);
    return (fl_pair){u.hi, fl_abs(u.hi) <= FL_LARGEST ? u.lo : 0};
}

/* |u| beyond which u² + 1 = u² to working precision with a wide margin, and a power of two that brings any
 * such u into the range where u² neither over- nor underflows. */
#define FL_HUGE FL_CONST(0x1p30, 0x1p60)
#define FL_HUGE_SCALE FL_CONST(0x1p-70, 0x1p-520)
#define FL_HUGE_SCALE_LOG2 FL_CONST(70.0, 520.0)

/* p = {δ}. With u = r/δ, s = √(1 + u²): the value δ²(s − 1) is r²/(s + 1), the gradient r/s, the Hessian
 * 1/s³. */
FL_LOSS(pseudo_huber) {
    real delta = (real)p[0];
    real r = z - y, a = fl_abs(r);
    fl_pair u = fl_scaled_residual(y, z, p[0]);
    real t = fl_fma(u.hi, u.hi, 1);
    t = fl_fma(2 * u.hi, u.lo, t);
    int is_huge = fl_abs(u.hi) > FL_HUGE;
    real s = is_huge ? fl_abs(u.hi) : fl_sqrt(t);
    return (fl_terms){is_huge ? delta * a : a * (a / (s + 1)), is_huge ? fl_with_sign(delta, r) : r / s,
                      1 / (t * s)};
}

/* p = {q} */
FL_LOSS(quantile) {
    real above = (real)(1 - p[0]), below = (real)-p[0];
    real r = z - y;
    real slope = r > 0 ? above : below;
    return (fl_terms){slope * r, r > 0 ? above : r < 0 ? below : r, fl_keep_nan(r, 0)};
}

/* p = {q} */
FL_LOSS(expectile) {
    real above = (real)(1 - p[0]), below = (real)p[0];
    real r = z - y;
    real w = r > 0 ? above : below;
    return (fl_terms){w * r * r, 2 * w * r, fl_keep_nan(r, 2 * w)};
}

/* p = {c}. ½c²·log(1 + u²), u = r/c; for huge |u|, u is scaled by a power of two, whose logarithm comes back
 * at the end, and the 1 is dropped. */
FL_LOSS(cauchy) {
    real half_c2 = (real)(0.5 * p[0] * p[0]), inverse = (real)(1 / p[0]);
    real r = z - y;
    fl_pair u = fl_scaled_residual(y, z, p[0]);
    int is_huge = fl_abs(u.hi) > FL_HUGE;
    real scale = is_huge ? FL_HUGE_SCALE : 1, one = is_huge ? 0 : 1;
    real offset = is_huge ? 2 * FL_HUGE_SCALE_LOG2 * FL_CONST(0x1.62e43p-1, 0x1.62e42fefa39efp-1) : 0;
    real v = is_huge ? (r * scale) * inverse : u.hi, v_lo = is_huge ? 0 : u.lo;
    fl_pair v2 = fl_two_product(v, v);
    v2.lo = fl_fma(2 * v, v_lo, v2.lo);
    fl_pair m = fl_two_sum(one, v2.hi);
    m.lo += v2.lo;
    real inverse_m = 1 / m.hi;
    fl_pair log_m = fl_log_pair(m.hi, m.lo * inverse_m);
    real value = half_c2 * (log_m.hi + (log_m.lo + offset));
    value = fl_abs(u.hi) < FL_CONST(0x1p-20, 0x1p-40) ? (real)0.5 * r * r : value;
    value = fl_abs(r) <= FL_LARGEST ? value : fl_abs(r);
    real root = (one - v2.hi) - v2.lo;
    return (fl_terms){value, ((r * scale) * inverse_m) * scale,
                      ((root * inverse_m) * scale) * (inverse_m * scale)};
}

/* p = {c}. ½c²(1 − e^(−u²)), u = r/c. An ULP of u² would be an error of u² ULP: u² is a pair. */
FL_LOSS(welsch) {
    const real far = FL_CONST(18.0, 53.0); /* e^(−u²) is 0 whatever it is multiplied by */
    real minus_half_c2 = (real)(-0.5 * p[0] * p[0]);
    real r = z - y;
    fl_pair u = fl_scaled_residual(y, z, p[0]);
    u.lo = fl_abs(u.hi) < far ? u.lo : 0;
    u.hi = fl_abs(u.hi) < far ? u.hi : far;
    fl_pair u2 = fl_two_product(u.hi, u.hi);
    u2.lo = fl_fma(2 * u.hi, u.lo, u2.lo);
    fl_exp_factors e = fl_exp_in_factors(-u2.hi, -u2.lo);
    real value = minus_half_c2 * fl_factors_minus_one(e);
    value = u2.hi < FL_CONST(0x1p-40, 0x1p-80) ? (real)0.5 * r * r : value;
    real root = fl_fma(-2, u2.hi, 1);
    root = fl_fma(-2, u2.lo, root);
    real r_or_zero = fl_abs(r) <= FL_LARGEST ? r : 0;
    return (fl_terms){fl_keep_nan(r, value), fl_keep_nan(r, fl_times_factors(r_or_zero, e)),
                      fl_keep_nan(r, fl_times_factors(root, e))};
}

/* p = {c}. With u = r/c and t = 1 − u² the value c²/6·(1 − t³) is r²/6·(3 + u²(u² − 3)), the gradient r·t²,
 * the Hessian t·(1 − 5u²). */
FL_LOSS(tukey) {
    real outside = (real)(p[0] * p[0] / 6);
    real r = z - y;
    fl_pair u = fl_scaled_residual(y, z, p[0]);
    real u2 = u.hi * u.hi;
    real t = fl_fma(-2 * u.hi, u.lo, (1 - u.hi) * (1 + u.hi));
    int inside = fl_abs(u.hi) <= 1;
    real value = (r * r) * (fl_fma(u2, u2 - 3, 3) * (real)(1.0 / 6));
    return (fl_terms){fl_keep_nan(r, inside ? value : outside), fl_keep_nan(r, inside ? r * (t * t) : 0),
                      fl_keep_nan(r, inside ? t * fl_fma(-5, u2, 1) : 0)};
}

/* e^z − y·z */
FL_LOSS(poisson) {
    real e = fl_exp(z);
    return (fl_terms){fl_fma(-y, z, e), e - y, fl_keep_nan(y, e)};
}

/* z + y·e^−z */
FL_LOSS(gamma) {
    real e = fl_times_exp(y, -z, 0);
    return (fl_terms){z + e, 1 - e, e};
}

/* p = {power}, between 1 and 2. */
FL_LOSS(tweedie) {
    const double power = p[0];
    real finite_z = fl_with_sign(fl_at_most(fl_abs(z), FL_LARGEST), z);
    fl_pair mean_exponent = fl_times_constant(finite_z, 2 - power);
    fl_pair target_exponent = fl_times_constant(finite_z, 1 - power);
    real mean = fl_exp_sum(mean_exponent.hi, mean_exponent.lo);
    real target = fl_times_exp(y, target_exponent.hi, target_exponent.lo);
    real value = fl_fma(mean, (real)(1 / (2 - power)), target * (real)(1 / (power - 1)));
    real hessian = fl_fma(mean, (real)(2 - power), target * (real)(power - 1));
    return (fl_terms){fl_keep_nan(z, value), fl_keep_nan(z, mean - target), fl_keep_nan(z, hessian)};
}

/* d = log1p z − log1p y = ±log1p(q), q = |z − y|/(1 + min(y, z)), which does not cancel. Where q would
 * overflow, its numerator is scaled and the 1 dropped. */
FL_LOSS(squared_log_error) {
    const real scale_log2 = FL_CONST(64.0, 512.0);
    const real up = FL_CONST(0x1p64, 0x1p512), down = FL_CONST(0x1p-64, 0x1p-512);
    real smaller = y < z ? y : z;
    fl_pair numerator = fl_two_sum(z > y ? z : y, -smaller);
    fl_pair denominator = fl_two_sum(1, smaller);
    int is_large = numerator.hi > up;
    real scale = is_large ? down : 1;
    real n = numerator.hi * scale;
    real q = n / denominator.hi;
    fl_pair back = fl_two_product(q, denominator.hi);
    real rest = ((n - back.hi) - back.lo) + fl_fma(numerator.lo, scale, -q * denominator.lo);
    real q_lo = rest / denominator.hi;
    real unscaled = is_large ? q * up : q;
    int is_huge = unscaled > FL_LARGEST;
    fl_pair m = fl_two_sum(is_huge ? 0 : 1, is_huge ? q : unscaled);
    m.lo += is_huge ? q_lo : is_large ? q_lo * up : q_lo;
    fl_pair log_m = fl_log_of_pair(m.hi, m.lo);
    real offset = is_huge ? scale_log2 * FL_CONST(0x1.62e43p-1, 0x1.62e42fefa39efp-1) : 0;
    real magnitude = log_m.hi + (log_m.lo + offset);
    magnitude = numerator.hi <= FL_LARGEST ? magnitude : fl_keep_nan(y, fl_keep_nan(z, FL_INFINITY));
    real d = z > y ? magnitude : -magnitude;
    real z1 = 1 + z;
    return (fl_terms){d * d, 2 * d / z1, 2 * (1 - d) / z1 / z1};
}

/* |r|/max(|y|, ε), ε = 2^-52 in both precisions */
FL_LOSS(absolute_percentage_error) {
    const real smallest = (real)0x1p-52;
    real r = z - y, a = fl_abs(y);
    real inverse = 1 / (a > smallest ? a : smallest);
    return (fl_terms){fl_abs(r) / (a > smallest ? a : smallest), fl_sign(r) * inverse, fl_keep_nan(r, 0)};
}
