/* Predictions of a distribution: negative log likelihoods of a target by a location μ, the class 0, and the
 * logarithm s of a scale σ, the class 1; and several quantiles at once. The target is the same number along a
 * row. Instead of the Hessian's diagonal the NLLs give its expectation, Fisher's information, where Gauss and
 * Newton's curvature is asked for: it is positive everywhere.
 *
 * With e = e^−s and u = (μ − y)·e the exponential comes in factors, so that nothing over- or underflows that
 * does not in the end. */
#ifndef FL_ROWS_LOCATION_SCALE_H
#define FL_ROWS_LOCATION_SCALE_H

#include "row.h"

/* The value, the slopes by μ and s, and what is bent by each, of a row with the sums μ − y and s. NaN where
 * one of these is. */
FL_INLINE fl_row fl_row_of_slopes(fl_row row, real value, real by_location, real by_scale,
                                  real bend_of_location, real bend_of_scale) {
    real nan = row.residual + row.log_scale, weight = nan != nan ? nan : row.weight;
    row.value = nan != nan ? nan : value;
    row.by_location = weight * by_location;
    row.by_scale = weight * by_scale;
    row.bend_of_location = weight * bend_of_location;
    row.bend_of_scale = weight * bend_of_scale;
    return row;
}

/* value s + u²/2 + constant; gradient u·e and 1 − u²; Hessian e² and 2u², of which e² and 2 are expected */
#define ROW gaussian_nll
#include "location_scale.inc"

FL_ROW_FINISH(gaussian_nll) {
    fl_exp_factors e = fl_exp_in_factors(-row.log_scale, 0, 0);
    real u = fl_times_factors(row.residual, 1, e), inverse = fl_times_factors(1, 1, e);
    real half = (real)0.5 * u * u;
    return fl_row_of_slopes(row, (row.log_scale + (real)o.constant) + half, fl_times_factors(u, 1, e),
                            fl_fma(-u, u, 1), inverse * inverse, o.gauss_newton ? 2 : 4 * half);
}

/* value s + |u| + constant; gradient ±e and 1 − |u|; Hessian 0 and |u|, of which e² and 1 are expected */
#define ROW laplace_nll
#include "location_scale.inc"

FL_ROW_FINISH(laplace_nll) {
    fl_exp_factors e = fl_exp_in_factors(-row.log_scale, 0, 0);
    real u = fl_abs(fl_times_factors(row.residual, 1, e)), inverse = fl_times_factors(1, 1, e);
    real slope = row.residual == 0 ? 0 : fl_flip_sign(inverse, row.residual);
    return fl_row_of_slopes(row, (row.log_scale + (real)o.constant) + u, slope, 1 - u,
                            o.gauss_newton ? inverse * inverse : 0, o.gauss_newton ? 1 : u);
}

/* With ν degrees of freedom and n = ν + u²: value s + (ν + 1)/2·log(1 + u²/ν) + constant; gradient (ν +
 * 1)/n·u·e and ν(1 − u²)/n; Hessian (ν + 1)/n·(ν − u²)/n·e² and 2ν(ν + 1)/n·u²/n, of which (ν + 1)/(ν + 3)·e²
 * and 2ν/(ν + 3) are expected. Where the 1 and ν are next to nothing, they are dropped, and e is where u is
 * divided by r. */
#define ROW student_t_nll
#include "location_scale.inc"

FL_ROW_FINISH(student_t_nll) {
    const real far = FL_CONST(0x1p40, 0x1p100); /* beyond, u² is more than 2^24 (2^53) times ν */
    double df = o.gamma_exact;
    real nu = (real)df, nu_1 = (real)(df + 1);
    fl_exp_factors e = fl_exp_in_factors(-row.log_scale, 0, 0);
    real u = fl_times_factors(row.residual, 1, e), size = fl_abs(u), inverse = fl_times_factors(1, 1, e);
    int is_far = size > far, is_beyond = !(size <= FL_LARGEST);
    real near = is_far ? 0 : u, u2 = near * near, n = nu + u2;
    fl_pair m = fl_two_sum(1, u2 * (real)(1 / df));
    real of_log = is_beyond ? fl_abs(row.residual) : (is_far ? size : m.hi);
    of_log = of_log <= FL_LARGEST ? of_log : FL_LARGEST;
    fl_pair log_m = fl_log_pair(of_log, 0, is_far ? 0 : m.lo / m.hi);
    real log_nu = fl_log_pair(nu, 0, 0).hi;
    real log = is_far ? 2 * (log_m.hi - (is_beyond ? row.log_scale : 0)) - log_nu : log_m.hi;
    real share = nu_1 / n, bent = share * ((nu - u2) / n);
    real by_residual = nu_1 / row.residual, slope = fl_times_factors(share * near, 1, e);
    real curvature = fl_times_factors(fl_times_factors(bent, 1, e), 1, e);
    real of_scale = is_far ? 2 * nu * nu_1 / size / size : 2 * nu * u2 / n * share;
    return fl_row_of_slopes(row, fl_fma((real)(0.5 * (df + 1)), log, row.log_scale + (real)o.constant),
                            is_far ? by_residual : slope, is_far ? -nu : nu * ((1 - u2) / n),
                            o.gauss_newton ? (real)((df + 1) / (df + 3)) * (inverse * inverse)
                                           : (is_far ? -(by_residual / row.residual) : curvature),
                            o.gauss_newton ? (real)(2 * df / (df + 3)) : of_scale);
}

/* The pinball losses of all levels, class by class: own is the level, base 1 less it. Of a majorizer, as that
 * of one quantile: ½/|r|, residuals below the width of the kink counting as that. */
#define ROW multi_quantile
#include "plain.inc"

FL_ROW_ADDS(multi_quantile, FL_ADDS_TOTAL)

FL_ROW_TERM(multi_quantile) {
    real r = e.z - e.y;
    return (fl_row_term){
        .kept = e.z, .total = r * (r > 0 ? e.base_weight : -e.own_weight), .first = FL_NOT_FOUND};
}

FL_ROW_FINISH(multi_quantile) {
    row.value = row.total;
    row.slope = fl_keep_nan(row.total, row.weight);
    return row;
}

FL_ROW_EMIT(multi_quantile) {
    const real smallest = FL_CONST(0x1p-100, 0x1p-900); /* all predictions are perfect */
    real r = e.z - e.y, width = (real)o.kink_width, kept = fl_abs(r) > width ? fl_abs(r) : width;
    real slope = r > 0 ? e.base_weight : (r < 0 ? -e.own_weight : r);
    real curvature = (real)0.5 / (kept < smallest ? smallest : kept);
    return (fl_row_slopes){row.slope * slope, row.slope * (o.rounds_kinks ? curvature : fl_keep_nan(r, 0))};
}

#endif
