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

/* A parameter that residuals are divided by, its inverse in range. */
FL_INLINE double fl_scale_parameter(double c) {
    const double smallest = FL_PRECISION == 32 ? 0x1p-126 : 0x1p-1022;
    return c > smallest ? c : smallest;
}

/* ½c² as half·power, which may both be in range where c² is not; the power is one of two. */
typedef struct {
    real half, power;
} fl_half_square;

FL_INLINE fl_half_square fl_half_square_of(double c) {
    uint64_t exponent, mask = 0x7ff0000000000000;
    double power;
    memcpy(&exponent, &c, sizeof exponent);
    exponent &= mask;
    memcpy(&power, &exponent, sizeof power);
    return (fl_half_square){(real)(0.5 * c * (c / power)), (real)power};
}

/* p = {β}: Huber(β)/β */
FL_LOSS(smooth_l1) {
    double scale = fl_scale_parameter(p[0]);
    real beta = (real)scale, inverse = (real)(1 / scale);
    real r = z - y, a = fl_abs(r);
    int inside = a < beta;
    real c = a >= beta ? beta : a;
    real slope = a >= beta ? 1 : a * inverse;
    return (fl_terms){slope * fl_fma((real)-0.5, c, a), fl_with_sign(slope, r),
                      fl_keep_nan(r, inside ? inverse : 0)};
}

/* log cosh r, tanh r = −M/(2 + M), 1 − tanh² r = 4·q·(1 − q), with M = e^(−2|r|) − 1 and q = e^(−2|r|)/(2 +
 * M). The Hessian falls as e^(−2|r|), where the rounding error of r counts 2|r| times. */
FL_PREPARE(log_cosh) {
    fl_expm1_and_exp e = fl_expm1_negated(2 * fl_abs(z - y));
    return (fl_prepared){.a = e.minus_one, .b = e.scaled};
}

FL_LOSS(log_cosh) {
    fl_pair r = fl_two_difference(z, y);
    real m = prepared.a, q64 = prepared.b / (2 + m);
    real hessian64 = fl_fma(-q64 * (real)0x1p-64, q64, q64);
    real rounding = fl_abs(r.hi) < FL_EXP_RANGE ? fl_flip_sign(r.lo, r.hi) : 0;
    hessian64 = fl_fma(hessian64, -2 * rounding, hessian64);
    return (fl_terms){fl_log_cosh(fl_abs(r.hi), 1 + m), fl_flip_sign(-m / (2 + m), r.hi),
                      hessian64 * (real)0x1p-62};
}

/* |u| beyond which u² + 1 = u² to working precision with a wide margin; a power of two that brings such a u
 * into the range where u² neither over- nor underflows, up to a size, in which 1/u² is 0 by all means. */
#define FL_HUGE FL_CONST(0x1p30, 0x1p60)
#define FL_HUGE_SCALE FL_CONST(0x1p-70, 0x1p-520)
#define FL_HUGE_SCALED FL_CONST(0x1p60, 0x1p500)

/* scale·inverse·(z − y) as a pair; an infinite one, if it can be, has no low half. */
FL_INLINE fl_pair fl_scaled_residual(real y, real z, fl_pair inverse, real scale, int is_finite) {
    fl_pair r = fl_two_difference(z, y);
    fl_pair u = fl_times_pair(r.hi * scale, inverse);
    u.lo = fl_fma(r.lo * scale, inverse.hi, u.lo);
    return (fl_pair){u.hi, is_finite || fl_abs(u.hi) <= FL_LARGEST ? u.lo : 0};
}

/* u² as a pair. */
FL_INLINE fl_pair fl_pair_square(fl_pair u) {
    fl_pair u2 = fl_two_product(u.hi, u.hi);
    u2.lo = fl_fma(2 * u.hi, u.lo, u2.lo);
    return u2;
}

/* 1/(s2·s) for s2 = s², down to the smallest number. */
FL_INLINE real fl_reciprocal_of_cube(real s2, real s) {
    const real scale = FL_CONST(0x1p-30, 0x1p-100);
    return scale / (s2 * (s * scale));
}

/* p = {δ}. With u = r/δ, s = √(1 + u²): the value δ²(s − 1) is r²/(s + 1), the gradient r/s, the Hessian
 * 1/s³. This for any δ: */
FL_INLINE fl_terms fl_pseudo_huber_of_any(real y, real z, double any_delta) {
    double delta = fl_scale_parameter(any_delta);
    fl_pair r = fl_two_difference(z, y);
    fl_pair u = fl_scaled_residual(y, z, fl_constant_reciprocal(delta), 1, 0);
    int is_huge = fl_abs(u.hi) > FL_HUGE;
    real s2 = u.hi * u.hi > FL_LARGEST ? FL_INFINITY : fl_square_plus_one(u);
    real s = fl_sqrt(s2);
    real w = r.hi / (s + 1);
    return (fl_terms){is_huge ? (real)delta * fl_abs(r.hi) : fl_fma(r.hi, w, 2 * r.lo * w),
                      is_huge ? fl_with_sign((real)delta, r.hi) : r.hi / s, fl_reciprocal_of_cube(s2, s)};
}

/* Where δ² and r² do not overflow while 1/s³ is a normal number, the rounding errors made on the way to s are
 * put right by rest = r² − δ²(s² − 1), which is 0 without them: the value is δ²(s − 1) + rest/(s + 1), the
 * Hessian 1/(s(s² + 1.5·rest/δ²)). A difference of bit patterns is near enough to 1/(s + 1) up to s = 2 and
 * to 1/(2s), a Newton step, above: the value takes no division. */
FL_PLAIN(pseudo_huber) {
    return p[0] >= 0x1p-20 && p[0] <= 0x1p20;
}

FL_LOSS(pseudo_huber) {
    if (!prepared.moderate)
        return fl_pseudo_huber_of_any(y, z, p[0]);
    real delta = (real)p[0], r = z - y;
    fl_pair delta2 = fl_constant_square(p[0]);
    real u = r * (real)(1 / p[0]);
    int is_huge = fl_abs(u) > FL_CONST(0x1p43, 0x1p400); /* the Hessian is next to 0 */
    real s2 = fl_fma(u, u, 1), s = fl_sqrt(s2), s_error = fl_remainder(s2, s, s), u2 = s2 - 1;
    real product = delta2.hi * u2;
    real rest = fl_fma(delta2.hi, s_error, -fl_remainder(product, r, r));
    real reciprocal = fl_from_bits(FL_POWER_OF_TWO_BITS(0) + FL_POWER_OF_TWO_BITS(-1) - fl_to_bits(s));
    real u2_error = (s2 - u2) - 1; /* beyond 2^24 (2^53) */
    real product_rest = fl_fma(-delta2.hi, u2_error, fl_remainder(product, delta2.hi, u2));
    real rest_of_exact =
        fl_fma(2 * r, fl_two_difference(z, y).lo, fl_fma(-delta2.lo, u2, rest + product_rest));
    real more = fl_fma(rest_of_exact, (real)(1.5 / (p[0] * p[0])), -s_error);
    return (fl_terms){is_huge ? delta * fl_abs(r) : fl_fma(delta2.hi, s - 1, rest * reciprocal),
                      is_huge ? fl_with_sign(delta, r) : r / s,
                      fl_reciprocal_of_cube(s2 + (is_huge ? 0 : more), s)};
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

/* |r| − ε, of the exact residual, and of ε as it was given: a square would show twice what cancels. */
typedef struct {
    real r, beyond;
} fl_tolerated;

FL_INLINE fl_tolerated fl_beyond_tolerance(real y, real z, double tolerance) {
    real epsilon = (real)tolerance, epsilon_error = (real)(tolerance - (double)epsilon);
    fl_pair r = fl_two_difference(z, y);
    real size = fl_abs(r.hi);
    real t = (size - epsilon) + (fl_flip_sign(r.lo, r.hi) - epsilon_error);
    return (fl_tolerated){r.hi, size <= FL_LARGEST ? t : size};
}

/* p = {ε}: [|r| − ε]_+ */
FL_LOSS(epsilon_insensitive) {
    fl_tolerated t = fl_beyond_tolerance(y, z, p[0]);
    real kept = t.beyond <= 0 ? 0 : t.beyond;
    return (fl_terms){kept, fl_with_sign(t.beyond > 0 ? 1 : kept, t.r), fl_keep_nan(kept, 0)};
}

/* p = {ε} */
FL_LOSS(squared_epsilon_insensitive) {
    fl_tolerated t = fl_beyond_tolerance(y, z, p[0]);
    real kept = t.beyond <= 0 ? 0 : t.beyond;
    return (fl_terms){kept * kept, 2 * fl_with_sign(kept, t.r), t.beyond > 0 ? 2 : kept};
}

/* p = {a}. With x = a·r: e^x − 1 − x, a·(e^x − 1), a²·e^x. Up to |x| = 4·0.35 the value is doubled up from
 * x/4: with m = e^h − 1 and t = m − h those of 2h are m·(m + 2) and m² + 2t, in which nothing cancels. */
FL_MAGNITUDE(linex) {
    /* Where a² is extreme, products with it take all factors of e^x. */
    const double size = __builtin_fabs(p[0]);
    const real a = size > 0x1p-10 && size < 0x1p30 ? (real)p[0] : FL_INFINITY;
    return (z - y) * a;
}

FL_LOSS(linex) {
    const real largest = FL_CONST(40.0, 80.0); /* there and beyond, e^x − 1 − x is e^x or −x − 1 */
    const fl_pair a = fl_constant(p[0]);
    fl_pair r = fl_two_difference(z, y), x = fl_times_pair(r.hi, a);
    x.lo = fl_abs(x.hi) <= FL_CONST(1e4, 1e4) ? fl_fma(a.hi, r.lo, x.lo) : 0;
    fl_exp_factors e = fl_exp_in_factors(x.hi, x.lo, prepared.moderate);
    int is_near = fl_abs(x.hi)<FL_CONST(1.38, 1.38), is_large = x.hi> largest;
    /* Squares of few bits are doubled once. */
    int is_tiny = fl_abs(x.hi) < FL_CONST(0x1p-26, 0x1p-55);
    real h = is_near ? (real)0.25 * x.hi : 0, t = h * h * fl_expm1_tail(h), m = h + t;
    t = fl_fma(m, m, 2 * t);
    m = 2 * h + t;
    t = fl_fma(m, m, 2 * t);
    real minus_one = is_large ? fl_times_factors(1, 1, e) : fl_factors_minus_one(e);
    real far = is_large ? minus_one : (minus_one - x.hi) - x.lo;
    real half = (real)0.5 * x.hi, tiny = fl_fma(half, x.hi, x.hi * x.lo);
    real value = is_tiny ? tiny : is_near ? fl_fma(x.lo, minus_one, t) : far;
    real gradient = is_large ? fl_times_factors(a.hi, 1, e) : a.hi * minus_one;
    return (fl_terms){fl_keep_nan(r.hi, value), fl_keep_nan(r.hi, gradient),
                      fl_keep_nan(r.hi, fl_times_factors(a.hi, a.hi, e))};
}

/* p = {c}. With u = |r|/c: c²·(u − log(1 + u)), r/(1 + u), 1/(1 + u)². Up to 1 + u = √2 the value is r²·w·(1
 * − s·w·Q) with w = 1/(2 + u), s = u·w and the series Q of log(1 + u) = 2s + s³·Q, as u − 2s = u·s; and w is (1 −
 * s)/2. From FL_HUGE on the value is c·|r|. */
FL_INLINE int fl_is_huge_for_fair(real r, double c) {
    return fl_abs(r * fl_constant_reciprocal(c).hi) > FL_HUGE;
}

/* 1 + u as a pair. */
FL_PREPARE(fair) {
    const double c = fl_scale_parameter(p[0]);
    int is_huge = fl_is_huge_for_fair(z - y, c);
    fl_pair u = fl_scaled_residual(y, z, fl_constant_reciprocal(c), 1, 0);
    fl_pair m = fl_two_sum(1, is_huge ? 1 : fl_abs(u.hi));
    return (fl_prepared){.a = m.hi, .b = m.lo + (is_huge ? 0 : fl_flip_sign(u.lo, u.hi))};
}

FL_LOSS(fair) {
    const double c = fl_scale_parameter(p[0]);
    const fl_half_square half_c2 = fl_half_square_of(c);
    fl_pair r = fl_two_difference(z, y), m = {prepared.a, prepared.b}, reciprocal = fl_reciprocal(m);
    fl_log_split split = fl_split_for_log(m.hi);
    real s = fl_log_ratio(split), series = fl_atanh_series(s * s);
    fl_pair log = fl_log_of_split(split, s, series, m.lo * reciprocal.hi);
    int is_huge = fl_is_huge_for_fair(r.hi, c), is_near = m.hi < FL_CONST(1.41, 1.41);
    real w = fl_fma((real)-0.5, s, (real)0.5), share = w * fl_fma(-s * w, series, 1);
    real near = fl_fma(r.hi * r.hi, share, 2 * r.hi * r.lo * share);
    real far = half_c2.half * (2 * (((m.hi - 1) - log.hi) + (m.lo - log.lo))) * half_c2.power;
    /* (c/|r|)², with what the quotient is off by. */
    const fl_pair exact_c = fl_constant(c);
    real size = fl_abs(r.hi), ratio = exact_c.hi / size;
    real off = fl_remainder(exact_c.hi, ratio, size) + exact_c.lo;
    off = size > FL_LARGEST ? 0 : (off - ratio * fl_flip_sign(r.lo, r.hi)) / size;
    real inverse = reciprocal.hi + reciprocal.lo;
    return (fl_terms){is_near   ? near
                      : is_huge ? (real)c * size
                                : far,
                      is_huge ? fl_with_sign((real)c, r.hi) : r.hi * inverse,
                      fl_keep_nan(r.hi, is_huge ? ratio * fl_fma(2, off, ratio) : inverse * inverse)};
}

/* What Barron's loss is made of besides x = r/c: b = |α − 2|, or 1 at α = 2, where any b serves, and what is
 * divided by it. From |α| = 2^75 on, x²/b is next to 0 wherever anything can be told from its limit. A large c
 * has 1/c so small that it is taken as a part of unit·c; an extreme one has 1/c² in exponents. */
typedef struct {
    fl_pair b, inverse_b, half_b, log_b, alpha_by_b, less_one_by_b; /* α/b and (α − 1)/b */
    real two_minus_alpha, alpha_less_one, b_by_alpha, sign;         /* of α − 2 */
    fl_pair inverse_c, inverse_c_if_huge;
    real unit, unit_if_huge, down, up_log2; /* huge |x| are computed as `down` times as large */
    real folded_beyond, flat_beyond; /* for which |x| exponents take 1/c² in, and the Hessian that of α = 1 */
    real by_c, rounding, two_log_c, log_c_rest;
    real at_infinity, slope_at_infinity, hessian_at_infinity;
} fl_shape;

FL_CONSTANTS(general_robust, fl_shape) {
    const double given = p[0], alpha = given > 0x1p75 ? 0x1p75 : given < -0x1p75 ? -0x1p75 : given;
    const double minus_two = alpha - 2, taken = minus_two - alpha, c = fl_scale_parameter(p[1]);
    fl_pair d = fl_constant(minus_two), less_one = fl_two_sum(1, d.hi), exact_c = fl_constant(c);
    d.lo += (real)((alpha - (minus_two - taken)) - (2 + taken)); /* what rounding has lost */
    less_one.lo += d.lo;
    k->b = minus_two == 0 ? (fl_pair){1, 0} : (fl_pair){fl_abs(d.hi), fl_flip_sign(d.lo, d.hi)};
    k->inverse_b = fl_reciprocal(k->b);
    k->half_b = (fl_pair){(real)0.5 * k->b.hi, (real)0.5 * k->b.lo};
    k->log_b = fl_log_accurate(k->b.hi, 0);
    k->log_b.lo += k->b.lo * k->inverse_b.hi;
    k->alpha_by_b = fl_quotient(fl_constant(alpha), k->b, k->inverse_b.hi);
    k->less_one_by_b = fl_quotient(less_one, k->b, k->inverse_b.hi);
    k->two_minus_alpha = (real)-minus_two;
    k->alpha_less_one = (real)(alpha - 1);
    k->b_by_alpha = (real)((minus_two == 0 ? 1 : __builtin_fabs(minus_two)) / alpha);
    k->sign = fl_sign((real)minus_two);

    const int is_extreme = c > FL_CONST(0x1p30, 0x1p250) || c < FL_CONST(0x1p-30, 0x1p-250);
    const int is_tiny = c < FL_CONST(0x1p-60, 0x1p-500);
    k->unit = c > FL_CONST(0x1p96, 0x1p960) ? FL_CONST(0x1p-64, 0x1p-512) : 1;
    k->down = is_tiny ? FL_SMALLEST_NORMAL : FL_HUGE_SCALE;
    k->up_log2 = is_tiny ? FL_CONST(126.0, 1022.0) : FL_CONST(70.0, 520.0);
    k->unit_if_huge = c >= 1 ? k->down * k->unit : k->unit;
    k->inverse_c = k->inverse_c_if_huge = fl_constant_reciprocal(c * k->unit);
    k->inverse_c_if_huge.hi *= c < 1 ? k->down : 1;
    k->inverse_c_if_huge.lo *= c < 1 ? k->down : 1;
    k->folded_beyond = is_extreme ? -1 : FL_HUGE;
    k->flat_beyond = alpha == 1 ? FL_HUGE : FL_INFINITY;
    fl_pair log_c = fl_log_accurate(exact_c.hi, 0);
    k->by_c = k->inverse_c.hi;
    k->rounding = k->inverse_c.lo * exact_c.hi; /* by how much of itself 1/c is larger than rounded */
    k->two_log_c = 2 * log_c.hi;
    k->log_c_rest = -2 * (log_c.lo + exact_c.lo * (real)(1 / c));

    const real slope = (real)(1 / c);
    k->at_infinity = alpha >= 0 ? FL_INFINITY : -k->b_by_alpha;
    k->slope_at_infinity = alpha > 1 ? FL_INFINITY : alpha == 1 ? slope : 0;
    k->hessian_at_infinity = minus_two > 0 ? FL_INFINITY : minus_two < 0 ? 0 : slope * slope;
}

/* p = {α, c}. With q = x²/b, T = ½b·log(1 + q) and E = T·α/b the value (b/α)·((1 + q)^(α/2) − 1) is T·(e^E −
 * 1)/E, the gradient x/c·e^(±T) with the sign of α − 2, the Hessian e^(±T)/c²·(1 + (α − 1)·q)/(1 + q). For
 * small q, T = ½x²·(log(1 + q)/q), where with s = q/(2 + q) the quotient is (1 − s)·(1 + ½s²·Q), Q the series
 * of log(1 + q) = 2s + s³·Q. For huge |x|, of which u is a part, log(1 + q) = 2·log |x| − log b. */
FL_LOSS(general_robust) {
    const fl_shape *k = prepared.constants;
    real r = z - y, size = fl_abs(r * k->unit * k->inverse_c.hi);
    int is_huge = size > FL_HUGE, is_folded = size > k->folded_beyond;
    fl_pair inverse_c = {is_huge ? k->inverse_c_if_huge.hi : k->inverse_c.hi,
                         is_huge ? k->inverse_c_if_huge.lo : k->inverse_c.lo};
    fl_pair u = fl_scaled_residual(y, z, inverse_c, is_huge ? k->unit_if_huge : k->unit, 0);
    fl_pair x2 = fl_pair_square(u), q = fl_pair_product(x2, k->inverse_b), m = fl_two_sum(1, q.hi);
    m.lo += q.lo;
    real of_log = is_huge ? fl_abs(u.hi) : m.hi, by_x = k->down / of_log;
    real tail = (is_huge ? fl_flip_sign(u.lo, u.hi) : m.lo) / of_log;
    fl_pair log = fl_log_accurate(of_log, is_huge ? k->up_log2 : 0);
    log.lo += tail;
    fl_pair log_q = fl_two_difference(2 * log.hi, k->log_b.hi);
    log_q.lo += 2 * log.lo - k->log_b.lo;
    log_q.hi = log_q.hi < 1 ? 1 : log_q.hi; /* below, e^(±T) is 0 or infinite */
    log.hi = is_huge ? log_q.hi : log.hi;
    log.lo = is_huge ? log_q.lo : log.lo;

    real small_q = is_huge ? 1 : q.hi;
    int is_near = small_q < (real)0x1p-8;
    real s = is_near ? q.hi / (2 + q.hi) : 0;
    real psi_minus_one = fl_fma((real)0.5 * s * s * (1 - s), fl_atanh_series(s * s), -s);
    fl_pair near = fl_fast_two_sum((real)0.5 * x2.hi, (real)0.5 * x2.hi * psi_minus_one);
    fl_pair t = fl_pair_product(log, k->half_b);
    t.hi = is_near ? near.hi : t.hi;
    t.lo = is_near ? fl_fma((real)0.5, x2.lo, near.lo) : t.lo;

    fl_pair e = fl_pair_product(t, k->alpha_by_b);
    fl_exp_factors power = fl_exp_in_factors(e.hi, e.lo, 0);
    int is_large = e.hi > FL_CONST(40.0, 80.0), is_tiny = fl_abs(e.hi) < FL_CONST(0x1p-13, 0x1p-27);
    real value =
        is_large ? fl_times_factors(1, k->b_by_alpha, power) : fl_factors_minus_one(power) * k->b_by_alpha;
    value = is_tiny ? t.hi + fl_fma((real)0.5 * t.hi, e.hi, t.lo) : value;

    fl_pair exponent = fl_two_difference(k->sign * t.hi, is_folded ? k->two_log_c : 0);
    exponent.lo += k->sign * t.lo + (is_folded ? k->log_c_rest : k->rounding);
    fl_exp_factors falling = fl_exp_in_factors(exponent.hi, exponent.lo, 0);
    real by_c = is_folded ? 1 : k->by_c;
    real gradient = fl_times_factors(is_folded ? r : u.hi, by_c, falling);

    fl_pair bend = fl_pair_product(x2, k->less_one_by_b), one_plus = fl_two_sum(1, bend.hi);
    real w = (one_plus.hi + (one_plus.lo + bend.lo)) / m.hi;
    w = fl_fma(w, (is_folded ? 0 : k->rounding) - tail, w) * by_c;
    real w_huge = fl_fma(k->two_minus_alpha * by_x, k->b.hi * by_x, k->alpha_less_one);
    real hessian = fl_times_factors(is_huge ? w_huge : w, by_c, falling);
    hessian = size > k->flat_beyond ? gradient * by_x * by_x / r : hessian;

    return (fl_terms){fl_if_finite(r, value, k->at_infinity),
                      fl_if_finite(r, gradient, fl_with_sign(k->slope_at_infinity, r)),
                      fl_if_finite(r, hessian, k->hessian_at_infinity)};
}

/* p = {c}. ½c²·log(1 + u²), u = r/c, the gradient r/(1 + u²), the Hessian (1 − u²)/(1 + u²)². For huge |u|,
 * where the 1 is dropped, they are c²·(log |r| − log c), c²/r and −1/u². */
FL_MAGNITUDE(cauchy) {
    return (z - y) * (real)(1 / p[0]);
}

FL_INLINE int fl_is_huge_for_cauchy(real r, double c, int moderate) {
    return !moderate && fl_abs(r * (real)(1 / c)) > FL_HUGE;
}

/* 1 + u², or FL_HUGE_SCALE²·u², as a pair. */
FL_PREPARE(cauchy) {
    const double c = fl_scale_parameter(p[0]);
    fl_pair inverse_c = fl_constant_reciprocal(c);
    int is_huge = fl_is_huge_for_cauchy(z - y, c, moderate);
    real scale = is_huge ? FL_HUGE_SCALE : 1;
    real of_r = c >= 1 ? scale : 1, of_inverse = c >= 1 ? 1 : scale; /* whichever is larger */
    fl_pair u = fl_scaled_residual(y, z, (fl_pair){inverse_c.hi * of_inverse, inverse_c.lo * of_inverse},
                                   of_r, moderate);
    if (!moderate) {
        int is_small = fl_abs(u.hi) < FL_HUGE_SCALED;
        u = (fl_pair){is_small ? u.hi : FL_HUGE_SCALED, is_small ? u.lo : 0};
    }
    fl_pair u2 = fl_pair_square(u), m = fl_two_sum(is_huge ? 0 : 1, u2.hi);
    return (fl_prepared){.a = m.hi, .b = m.lo + u2.lo};
}

FL_LOSS(cauchy) {
    const double c = fl_scale_parameter(p[0]);
    const fl_half_square half_c2 = fl_half_square_of(c);
    real r = z - y;
    int is_huge = fl_is_huge_for_cauchy(r, c, prepared.moderate);
    real scale = is_huge ? FL_HUGE_SCALE : 1;
    fl_pair m = {prepared.a, prepared.b}, inverse = fl_reciprocal(m);
    fl_pair log_m = fl_log_pair(is_huge ? fl_abs(r) : m.hi, 0, is_huge ? 0 : m.lo * inverse.hi);
    fl_pair log_c = fl_log_pair((real)c, 0, 0);
    real log = is_huge ? 2 * ((log_m.hi - log_c.hi) + (log_m.lo - log_c.lo)) : log_m.hi;
    real value = half_c2.half * log * half_c2.power;
    int is_tiny = fl_abs(r * (real)(1 / c)) < FL_CONST(0x1p-20, 0x1p-40); /* u² may underflow */
    value = is_tiny ? (real)0.5 * r * r : value;
    real root = ((is_huge ? 0 : 2) - m.hi) - m.lo; /* 1 − u² */
    real twice_corrected = fl_fma(2, inverse.lo, inverse.hi);
    real gradient = is_huge ? 2 * half_c2.half / r * half_c2.power : r * (inverse.hi + inverse.lo);
    real hessian = ((root * inverse.hi) * scale) * (twice_corrected * scale);
    if (prepared.moderate)
        return (fl_terms){value, gradient, hessian};
    return (fl_terms){fl_if_finite(r, value, FL_INFINITY), fl_if_finite(r, gradient, 0),
                      fl_if_finite(r, hessian, 0)};
}

/* p = {c}. ½c²(1 − e^(−r²/c²)) = ½c²(1 − 2^(−u²)), where u = r·√(log2 e)/c; r²/c² is ln 2·u². An ULP of u²
 * would be an error of u² ULP: u is a pair. |r/c| is moderate up to the root of FL_MODERATE, m = √m·√m. */
FL_MAGNITUDE(welsch) {
    return (z - y) * (real)(FL_CONST(8.0, 22.627416997969520) / p[0]);
}

/* −u², split for its power of two. */
FL_PREPARE(welsch) {
    const real far = FL_CONST(20.0, 60.0); /* 2^(−u²) is 0 whatever it is multiplied by */
    fl_pair u = fl_scaled_residual(y, z, fl_binary_scale(fl_scale_parameter(p[0])), 1, 1);
    if (!moderate) { /* an infinite one, too */
        u.lo = fl_abs(u.hi) < far ? u.lo : 0;
        u.hi = fl_abs(u.hi) < far ? u.hi : far;
    }
    fl_exp_split split = fl_split_minus_square(u);
    return (fl_prepared){.a = split.remainder, .b = fl_from_bits(split.k_pattern)};
}

FL_LOSS(welsch) {
    const double c = fl_scale_parameter(p[0]);
    const fl_half_square half_c2 = fl_half_square_of(c);
    real r = z - y;
    fl_exp_factors e = fl_factors_of((fl_exp_split){prepared.a, fl_to_bits(prepared.b)}, prepared.moderate);
    real value = -half_c2.half * fl_factors_minus_one(e) * half_c2.power;
    int is_tiny = fl_abs(r * (real)(1 / c)) < FL_CONST(0x1p-20, 0x1p-40); /* u² may underflow */
    value = is_tiny ? (real)0.5 * r * r : value;
    real k = prepared.b - FL_ROUND_MAGIC, root = fl_fma(2 * FL_LN2, k, fl_fma(2, prepared.a, 1));
    if (prepared.moderate)
        return (fl_terms){value, fl_times_factors(r, 1, e), fl_times_factors(root, 1, e)};
    real finite_r = fl_if_finite(r, r, 0);
    return (fl_terms){fl_keep_nan(r, value), fl_keep_nan(r, fl_times_factors(finite_r, 1, e)),
                      fl_keep_nan(r, fl_times_factors(root, 1, e))};
}

/* p = {c}. With w = 1 − |r|/c and t = 1 − (r/c)² = 2w − w² the value c²/6·(1 − t³) is r²·(1 + t + t²)/6, the
 * gradient r·t², the Hessian t·(1 − 5(r/c)²) = t·(5t − 4). Near the edge all depends on c − |r|, whose digits
 * are lost where r = z − y is rounded: double's arithmetic keeps what is lost. Float32's is done in double, which rounds
 * r only where y or z is tiny beside the other, a float32 number: only a c next to one needs what is lost there. */
FL_PLAIN(tukey) {
    return FL_PRECISION == 64 || __builtin_fabs(p[0] - (double)(real)p[0]) > 0x1p-28 * p[0];
}

#if FL_PRECISION == 32
FL_LOSS(tukey) {
    const double sixth = 1.0 / 6, c = fl_scale_parameter(p[0]);
    double r = (double)z - (double)y, a = __builtin_fabs(r), kept = a > c ? c : a, w = c - kept;
    if (!prepared.moderate) {
        double y_part = r - (double)z, lost = ((double)z - (r - y_part)) - ((double)y + y_part);
        double inside = w - (r < 0 ? -lost : lost);
        w = a > c || inside < 0 ? 0 : inside;
    }
    w *= 1 / c;
    double t = w * (2 - w), value = kept * kept * (sixth + t * (sixth + t * sixth));
    return (fl_terms){(real)value, (real)(__builtin_copysign(kept, r) * (t * t)), (real)(t * (5 * t - 4))};
}
#else
FL_LOSS(tukey) {
    const real sixth = 1.0 / 6, c = fl_scale_parameter(p[0]);
    fl_pair r = fl_two_difference(z, y), inverse = fl_constant_reciprocal(c);
    real a = fl_abs(r.hi), lo = a <= c ? fl_flip_sign(r.lo, r.hi) : 0, kept = a > c ? c : a;
    fl_pair d = fl_fast_two_sum(c, -kept);
    real w = d.hi * inverse.hi;
    real w_lo = fl_fma(d.hi, inverse.lo, (d.lo - lo) * inverse.hi) - fl_remainder(w, d.hi, inverse.hi);
    real square = w * w, t = 2 * w - square;
    real t_lo = ((2 * w - t) - square) + fl_fma(2 * w_lo, 1 - w, fl_remainder(square, w, w));
    real inside = t + t_lo < 0 ? 0 : 1, rounded = inside * (t + t_lo),
         rest = inside * ((t - (t + t_lo)) + t_lo);
    real t2 = fl_fma(rounded, rounded, 2 * rounded * rest), u = 1 - w;
    real share = kept * fl_fma(fl_fma(rounded, sixth, sixth), rounded, sixth);
    real root = rounded > (real)0.5 ? fl_fma(-5 * u, u, 1) : fl_fma(5, rounded, -4);
    return (fl_terms){fl_fma(kept, share, 2 * lo * share), fl_flip_sign(fl_fma(lo, t2, kept * t2), r.hi),
                      rounded * root};
}
#endif

/* e^z − y·z */
FL_MAGNITUDE(poisson) {
    return z;
}

FL_LOSS(poisson) {
    real e = prepared.moderate ? fl_exp_moderate(z) : fl_exp(z);
    int is_e = !prepared.moderate && (y == 0) | (e > FL_LARGEST); /* neither 0·∞ nor ∞ − ∞ */
    return (fl_terms){is_e ? e : fl_fma(-y, z, e), e - y, fl_keep_nan(y, e)};
}

/* z + y·e^−z */
FL_MAGNITUDE(gamma) {
    return z;
}

FL_LOSS(gamma) {
    real e = fl_times_factors(y, 1, fl_exp_in_factors(-z, 0, prepared.moderate));
    return (fl_terms){!prepared.moderate && e > FL_LARGEST ? e : z + e, 1 - e, e};
}

/* p = {power}, between 1 and 2. The factors of both terms are multiplied in before the powers of two, so that
 * nothing overflows that is finite in the end. */
FL_MAGNITUDE(tweedie) {
    return z;
}

FL_INLINE fl_exp_factors fl_power_of_mean(double exponent, real z, int moderate) {
    fl_pair x = fl_times_pair(z, fl_constant(exponent));
    return fl_exp_in_factors(x.hi, x.lo, moderate);
}

FL_LOSS(tweedie) {
    double a = 2 - p[0], b = p[0] - 1; /* exact */
    real finite_z = prepared.moderate ? z : fl_with_sign(fl_at_most(fl_abs(z), FL_LARGEST), z);
    fl_exp_factors mean = fl_power_of_mean(a, finite_z, prepared.moderate);
    fl_exp_factors target = fl_power_of_mean(-b, finite_z, prepared.moderate);
    real value = fl_times_factors(1, (real)(1 / a), mean) + fl_times_factors(y, (real)(1 / b), target);
    real gradient = fl_times_factors(1, 1, mean) - fl_times_factors(y, 1, target);
    real hessian = fl_times_factors(1, (real)a, mean) + fl_times_factors(y, (real)b, target);
    return (fl_terms){value, gradient, hessian};
}

/* The same for every power but 1 and 2 and every target: what scikit-learn's loss of that name admits. */
FL_MAGNITUDE(tweedie_log_link) {
    return z * (real)((p[0] > 0 ? p[0] : -p[0]) + 2);
}

FL_LOSS(tweedie_log_link) {
    return tweedie_terms(y, z, p, prepared);
}

/* Half the unit deviances of a mean z > 0, for scikit-learn's metrics and losses; no class has them. Any
 * other mean gives NaN. */
FL_INLINE real fl_positive(real x) {
    return x > 0 ? x : (real)__builtin_nan("");
}

FL_INLINE fl_pair fl_log_positive(real x) {
    int is_subnormal = x < FL_CONST(0x1p-126, 0x1p-1022);
    return fl_log_pair(is_subnormal ? x * FL_CONST(0x1p64, 0x1p64) : x, is_subnormal ? -64 : 0, 0);
}

/* log(a/b) from the logarithms of both; where these are close, log(1 + (a − b)/b), which keeps its digits. */
FL_INLINE fl_pair fl_log_quotient(real a, real b, fl_pair log_a, fl_pair log_b) {
    real d = a - b; /* exact where it is used */
    int is_near = fl_abs(d) < (real)0.5 * b;
    real r = is_near ? d / b : 0, r_lo = is_near ? fl_remainder(d, r, b) / b : 0;
    fl_pair m = fl_fast_two_sum(1, r);
    fl_pair near = fl_log_pair(m.hi, 0, (m.lo + r_lo) / m.hi);
    fl_pair far = fl_two_difference(log_a.hi, log_b.hi);
    far.lo += log_a.lo - log_b.lo;
    return (fl_pair){is_near ? near.hi : far.hi, is_near ? near.lo : far.lo};
}

/* y·log(y/z) + z − y */
FL_LOSS(half_poisson_deviance) {
    real mean = fl_positive(z);
    real target = y > 0 ? y : 1;
    fl_pair d = fl_log_quotient(target, mean, fl_log_positive(target), fl_log_positive(mean));
    real value = y > 0 ? fl_fma(y, d.hi, mean - y) + y * d.lo : y == 0 ? mean : fl_positive(y);
    return (fl_terms){fl_keep_nan(y, fl_keep_nan(mean, value)), (mean - y) / mean, y / mean / mean};
}

/* log(z/y) + y/z − 1 */
FL_LOSS(half_gamma_deviance) {
    real mean = fl_positive(z);
    fl_pair d = fl_log_quotient(mean, y, fl_log_positive(mean), fl_log_positive(fl_positive(y)));
    real relative = (y - mean) / mean, inverse = 1 / mean;
    return (fl_terms){fl_keep_nan(fl_positive(y), fl_keep_nan(mean, relative + d.hi + d.lo)),
                      -relative * inverse, fl_fma(2, relative, 1) * inverse * inverse};
}

/* The logarithm of x^exponent from that of x, and the power, times a weight. */
FL_INLINE fl_pair fl_times_exponent(fl_pair log_x, double exponent) {
    fl_pair constant = fl_constant(exponent);
    fl_pair product = fl_times_pair(log_x.hi, constant);
    product.lo = fl_fma(constant.hi, log_x.lo, product.lo);
    return product;
}

FL_INLINE real fl_times_power(real weight, fl_pair log_x, double exponent) {
    fl_pair product = fl_times_exponent(log_x, exponent);
    return fl_times_factors(1, weight, fl_exp_in_factors(product.hi, product.lo, 0));
}

/* p = {power}, not 0, 1 or 2; a = 2 − p, b = 1 − p: z^a/a − y·z^b/b + y^a/(a·b), the last for y > 0. These
 * cancel near y and for powers near 1 and 2; with u = log(z/y) they are y^a·(expm1(a·u)/a − expm1(b·u)/b). */
FL_LOSS(half_tweedie_deviance) {
    const real range = FL_CONST(80.0, 700.0); /* of the exponential function */
    double a = 2 - p[0], b = 1 - p[0];
    real mean = fl_positive(z), target = y > 0 ? y : 1, inverse_a = (real)(1 / a), inverse_b = (real)(1 / b);
    fl_pair log_z = fl_log_positive(mean), log_y = fl_log_positive(target);
    fl_pair u = fl_log_quotient(mean, target, log_z, log_y);
    fl_pair u_a = fl_times_exponent(u, a), u_b = fl_times_exponent(u, b);
    real size_a = fl_abs(u_a.hi), size_b = fl_abs(u_b.hi);
    int by_quotient = (y > 0) & (size_a < range) & (size_b < range);
    real relative = fl_factors_minus_one(fl_exp_in_factors(u_a.hi, u_a.lo, 0)) * inverse_a -
                    fl_factors_minus_one(fl_exp_in_factors(u_b.hi, u_b.lo, 0)) * inverse_b;
    real terms = fl_times_power(inverse_a, log_z, a) - y * fl_times_power(inverse_b, log_z, b);
    real power = fl_times_power(by_quotient ? relative : (real)(1 / (a * b)), log_y, a);
    real value = by_quotient ? power : y > 0 ? terms + power : terms;
    real inverse = fl_times_power(1, log_z, -p[0]);
    return (fl_terms){fl_keep_nan(y, fl_keep_nan(mean, value)), inverse * (mean - y),
                      inverse * fl_fma((real)p[0], y / mean, (real)b)};
}

/* 1 + x = m·2^k as a pair m in [2, 4), for x > −1; `scale` is 2^-k; k here has an offset, the same
 * for every x. */
typedef struct {
    fl_pair m;
    real scale, k;
} fl_one_plus;

FL_INLINE fl_one_plus fl_split_one_plus(real x) {
    fl_pair sum = fl_two_sum(1, x);
    real_bits exponent = fl_to_bits(sum.hi) & fl_to_bits(FL_INFINITY);
    real scale = fl_from_bits(fl_to_bits(FL_INFINITY) - exponent);
    return (fl_one_plus){{sum.hi * scale, sum.lo * scale}, scale, fl_above_base(exponent)};
}

/* d = log1p z − log1p y = k·ln 2 + 2·atanh((a − b)/(a + b)), where (1 + z)/(1 + y) = 2^k·a/b, √½ ≤ a/b ≤ √2.
 * With k = 0 the difference a − b is that of z and y, which keeps its digits. The series as in fl_log_pair.
 */
FL_INLINE real fl_log1p_difference(real y, real z) {
    const real sqrt_half = (real)0.70710678118654752;
    fl_one_plus a = fl_split_one_plus(z), b = fl_split_one_plus(y);
    int a_is_large = a.m.hi * sqrt_half > b.m.hi, b_is_large = b.m.hi * sqrt_half > a.m.hi;
    real halve_a = a_is_large ? (real)0.5 : 1, halve_b = b_is_large ? (real)0.5 : 1;
    real k = (a.k - b.k) + (2 * halve_b - 2 * halve_a); /* 1 for each halving */
    real scale = a.scale * halve_a;
    fl_pair top = {a.m.hi * halve_a, a.m.lo * halve_a}, bottom = {b.m.hi * halve_b, b.m.lo * halve_b};
    fl_pair r = fl_two_difference(z, y), sum = fl_two_sum(top.hi, bottom.hi);
    sum.lo += top.lo + bottom.lo;
    fl_pair difference = {k == 0 ? r.hi * scale : top.hi - bottom.hi,
                          k == 0 ? r.lo * scale : top.lo - bottom.lo};
    real inverse = 1 / sum.hi, s = difference.hi * inverse;
    real s_lo = (fl_remainder(difference.hi, s, sum.hi) + fl_fma(-s, sum.lo, difference.lo)) * inverse;
    real s2 = s * s;
    real tail = fl_fma(k, FL_LN2_LO, fl_fma(s * s2, fl_atanh_series(s2), 2 * s_lo));
    fl_pair d = fl_fast_two_sum(k * FL_LN2_HI, 2 * s);
    return d.hi + (d.lo + tail);
}

/* d² */
FL_PREPARE(squared_log_error) {
    return (fl_prepared){.a = fl_log1p_difference(y, z)};
}

FL_LOSS(squared_log_error) {
    real d = prepared.a, size_y = fl_abs(y), size_z = fl_abs(z);
    int finite = (size_z <= FL_LARGEST) & (size_y <= FL_LARGEST);
    d = finite ? d : fl_keep_nan(y, fl_keep_nan(z, z > y ? FL_INFINITY : -FL_INFINITY));
    fl_pair reciprocal = fl_reciprocal(fl_two_sum(1, z));
    real inverse = reciprocal.hi + reciprocal.lo;
    real gradient = 2 * d * inverse, hessian = 2 * (1 - d) * inverse * inverse;
    return (fl_terms){d * d, fl_if_finite(z, gradient, 0), fl_if_finite(z, hessian, 0)};
}

/* |r|/max(|y|, ε), ε = 2^-52 in both precisions */
FL_LOSS(absolute_percentage_error) {
    const real smallest = (real)0x1p-52;
    real r = z - y, a = fl_abs(y);
    real inverse = 1 / (a > smallest ? a : smallest);
    return (fl_terms){fl_abs(r) / (a > smallest ? a : smallest), fl_sign(r) * inverse, fl_keep_nan(r, 0)};
}

/* 2|r|/(|y| + |z|): with d = |y| + |z| and z on y's side of 0 the gradient is ±4|y|/d², the Hessian ∓8|y|/d³;
 * on the other side the loss is 2, and at 0 the gradient is the mean of both sides. d is halved where it may
 * overflow; elsewhere |y| is lifted, so that |y|/d is a normal number; and in the Hessian |y|/d² once more,
 * where d is large enough for that. */
FL_LOSS(symmetric_absolute_percentage_error) {
    const real lift = FL_CONST(0x1p24, 0x1p54), near_one = FL_CONST(0x1p-11, 0x1p-25);
    real a = fl_abs(y), b = fl_abs(z), larger = a > b ? a : b;
    int is_large = larger > 1, differs = fl_is_negative(y) != fl_is_negative(z);
    real half = is_large ? (real)0.5 : 1;
    fl_pair sum = fl_two_sum(a * half, b * half);
    int is_empty = sum.hi == 0, is_far = sum.hi > FL_LARGEST;
    real d = is_empty ? 1 : sum.hi;
    real value = 2 * half * fl_abs(b - a) / d;
    value = ((differs | is_far) & !is_empty) ? 2 : value;
    real share = a * (is_large ? (real)0.5 : lift) / d;
    real divisor = d * (is_large ? (real)0.5 : (real)0.25 * lift);
    real small = is_large ? 0 : d, again = small > near_one ? lift : 1,
         down = small > near_one ? 1 / lift : 1;
    real side = fl_sign(b - a);
    real slope = side * (share / divisor);
    /* d was rounded three times */
    real exact_share = fl_fma(share, -3 * (is_far ? 0 : sum.lo) / d, share);
    real bend = side * (exact_share * again / divisor * (2 * half) / d * down);
    slope = b == 0 ? fl_flip_sign((real)0.5 * slope, y) : (differs ? 0 : fl_flip_sign(slope, z));
    return (fl_terms){fl_keep_nan(d, value), fl_keep_nan(d, slope),
                      fl_keep_nan(d, (differs | (b == 0)) ? 0 : -bend)};
}
