/* Which curvatures the pointwise losses have besides |h| and 1: one line a loss.
 *
 * X(loss, majorizer, gauss_newton, automatic)
 *   the first two name rules of curvature_blocks.h, or none; `automatic` is what benchmarks/curvature.py
 * found to train well. A loss without a line has only what every loss has. */
#ifndef FL_POINTWISE_CURVATURE_LIST_H
#define FL_POINTWISE_CURVATURE_LIST_H

/* clang-format off */
#define FL_POINTWISE_CURVATURES(X)                                                        \
    X(squared_error,             exact,                   exact,            EXACT)        \
    X(half_squared_error,        exact,                   exact,            EXACT)        \
    X(absolute_error,            kink_of_two,             none,             MAJORIZER)    \
    X(huber,                     secant,                  none,             MAJORIZER)    \
    X(smooth_l1,                 secant,                  none,             MAJORIZER)    \
    X(log_cosh,                  secant,                  none,             MAJORIZER)    \
    X(pseudo_huber,              secant,                  none,             MAJORIZER)    \
    X(quantile,                  kink_of_one,             none,             MAJORIZER)    \
    X(expectile,                 steeper_side,            exact,            MAJORIZER)    \
    X(epsilon_insensitive,       tolerance_kinks,         none,             MAJORIZER)    \
    X(squared_epsilon_insensitive, two,                   none,             MAJORIZER)    \
    X(fair,                      secant,                  none,             MAJORIZER)    \
    X(general_robust,            secant,                  none,             MAJORIZER)    \
    X(cauchy,                    secant,                  none,             MAJORIZER)    \
    X(welsch,                    secant,                  none,             MAJORIZER)    \
    X(tukey,                     secant,                  none,             MAJORIZER)    \
    X(poisson,                   poisson_ends,            exact,            MAJORIZER)    \
    X(gamma,                     at_least_one,            unit,             MAJORIZER)    \
    X(tweedie,                   tweedie_ends,            tweedie_expected, MAJORIZER)    \
    X(squared_log_error,         log_error_ends,          log_error_slope,  MAJORIZER)    \
    X(absolute_percentage_error, relative_kink,           none,             MAJORIZER)    \
    X(symmetric_absolute_percentage_error, symmetric_relative_kink, none,   MAJORIZER)    \
    X(squared_hinge,             two,                     none,             MAJORIZER)    \
    X(modified_huber,            two,                     none,             MAJORIZER)    \
    X(smoothed_hinge,            inverse_parameter,       none,             MAJORIZER)    \
    X(exponential,               at_least_one,            exact,            MAJORIZER)    \
    X(bce_logits,                weighted_logistic_bound, exact,            EXACT)        \
    X(bce_logits_plain,          logistic_bound,          exact,            EXACT)        \
    X(focal_logits,              focal_bound,             focal_slope,      MAJORIZER)    \
    X(focal2_logits,             focal2_bound,            focal_slope,      MAJORIZER)    \
    X(asymmetric_loss,           none,                    focal_slope,      GAUSS_NEWTON)

#define FL_CURVATURE_RULES(X)                                                             \
    X(exact, 0) X(absolute, 0) X(unit, 0) X(secant, 0) X(two, 0) X(steeper_side, 1)       \
    X(inverse_parameter, 1)                                                               \
    X(kink_of_two, 0) X(kink_of_one, 0) X(relative_kink, 0) X(tolerance_kinks, 1)         \
    X(symmetric_relative_kink, 0)                                                         \
    X(poisson_ends, 0) X(at_least_one, 0) X(tweedie_ends, 1) X(tweedie_expected, 1)       \
    X(log_error_ends, 0) X(log_error_slope, 0)                                            \
    X(logistic_bound, 0) X(weighted_logistic_bound, 4)                                    \
    X(focal_slope, 0) X(focal_bound, 1) X(focal2_bound, 0)
/* clang-format on */

/* Rules and how many of the loss's parameters they read. exact is the first: nothing to do. */
enum {
#define FL_ENUMERATE(name, n_params) FL_RULE_##name,
    FL_CURVATURE_RULES(FL_ENUMERATE)
#undef FL_ENUMERATE
        FL_N_RULES,
    FL_RULE_none = -1
};

#endif
