/* The list of pointwise losses: one line each drives the table of descriptions, the block functions of both
 * precisions and every instruction set, and so the tests and the benchmarks.
 *
 * X(name, target's domain, prediction's domain, cost, number of parameters, passes)
 *
 * The cost is one of fl_cost; beside the slopes of WHOLE, values are next to nothing; of VALUES the slopes are seldom
 * asked for. The passes say what runs over a block, as kernels.h tells: ONE_PASS; PLAIN, where plain parameters let it
 * take a shorter way; CHUNKS, whose sums are taken chunk by chunk; MODERATE, where a chunk of moderate magnitudes does
 * so; PREPARED, whose first half is name_prepare(); TWO_PASSES, which are both; ONE_NUMBER, both as well, of which the
 * first leaves one number a sample; CONSTANTS, of whose parameters name_constants() makes what is the same for all
 * samples.
 *
 * The mathematics of a loss is in losses_regression.h or losses_binary.h, with its parameters. */
#ifndef FL_POINTWISE_LOSSES_LIST_H
#define FL_POINTWISE_LOSSES_LIST_H

#include "../penalties/list.h"
#include "kernel_types.h"

/* clang-format off */
#define FL_POINTWISE_LOSSES(X)                                                            \
    X(squared_error,             ANY,             ANY,             CHEAP,  0, ONE_PASS)    \
    X(half_squared_error,        ANY,             ANY,             CHEAP,  0, ONE_PASS)    \
    X(absolute_error,            ANY,             ANY,             CHEAP,  0, ONE_PASS)    \
    X(huber,                     ANY,             ANY,             CHEAP,  1, ONE_PASS)    \
    X(smooth_l1,                 ANY,             ANY,             CHEAP,  1, ONE_PASS)    \
    X(log_cosh,                  ANY,             ANY,             HEAVY,  0, PREPARED)    \
    X(pseudo_huber,              ANY,             ANY,             MEDIUM, 1, PLAIN)       \
    X(quantile,                  ANY,             ANY,             CHEAP,  1, ONE_PASS)    \
    X(expectile,                 ANY,             ANY,             CHEAP,  1, ONE_PASS)    \
    X(epsilon_insensitive,       ANY,             ANY,             CHEAP,  1, ONE_PASS)    \
    X(squared_epsilon_insensitive, ANY,           ANY,             CHEAP,  1, ONE_PASS)    \
    X(linex,                     ANY,             ANY,             HEAVY,  1, MODERATE)    \
    X(fair,                      ANY,             ANY,             HEAVY,  1, PREPARED)    \
    X(general_robust,            ANY,             ANY,             WHOLE,  2, CONSTANTS)   \
    X(cauchy,                    ANY,             ANY,             HEAVY,  1, TWO_PASSES)  \
    X(welsch,                    ANY,             ANY,             HEAVY,  1, TWO_PASSES)  \
    X(tukey,                     ANY,             ANY,             CHEAP,  1, PLAIN)       \
    X(poisson,                   NON_NEGATIVE,    ANY,             MEDIUM, 0, MODERATE)    \
    X(gamma,                     POSITIVE,        ANY,             MEDIUM, 0, MODERATE)    \
    X(tweedie,                   NON_NEGATIVE,    ANY,             HEAVY,  1, MODERATE)    \
    X(tweedie_log_link,          ANY,             ANY,             HEAVY,  1, MODERATE)    \
    X(half_poisson_deviance,     ANY,             ANY,             VALUES, 0, CHUNKS)      \
    X(half_gamma_deviance,       ANY,             ANY,             VALUES, 0, CHUNKS)      \
    X(half_tweedie_deviance,     ANY,             ANY,             VALUES, 1, CHUNKS)      \
    X(squared_log_error,         ABOVE_MINUS_ONE, ABOVE_MINUS_ONE, HEAVY,  0, PREPARED)    \
    X(absolute_percentage_error, ANY,             ANY,             CHEAP,  0, ONE_PASS)    \
    X(symmetric_absolute_percentage_error, ANY,   ANY,             MEDIUM, 0, ONE_PASS)    \
    X(zero_one,                  ANY,             ANY,             CHEAP,  0, ONE_PASS)    \
    X(zero_one_threshold,        ANY,             ANY,             CHEAP,  1, ONE_PASS)    \
    X(zero_one_logits,           LABEL,           ANY,             CHEAP,  1, ONE_PASS)    \
    X(perceptron,                LABEL,           ANY,             CHEAP,  0, ONE_PASS)    \
    X(hinge,                     LABEL,           ANY,             CHEAP,  0, ONE_PASS)    \
    X(squared_hinge,             LABEL,           ANY,             CHEAP,  0, ONE_PASS)    \
    X(modified_huber,            LABEL,           ANY,             CHEAP,  0, ONE_PASS)    \
    X(smoothed_hinge,            LABEL,           ANY,             CHEAP,  1, ONE_PASS)    \
    X(exponential,               LABEL,           ANY,             MEDIUM, 0, MODERATE)    \
    X(bce_logits,                FRACTION,        ANY,             MEDIUM, 4, TWO_PASSES)  \
    X(bce_logits_plain,          FRACTION,        ANY,             MEDIUM, 0, ONE_NUMBER)  \
    X(sigmoid,                   ANY,             ANY,             VALUES, 0, ONE_NUMBER)  \
    X(log_sigmoid,               ANY,             ANY,             VALUES, 0, ONE_NUMBER)  \
    X(brier_logits,              FRACTION,        ANY,             HEAVY,  0, TWO_PASSES)  \
    X(brier_probabilities,       FRACTION,        FRACTION,        CHEAP,  0, ONE_PASS)    \
    X(bce_probabilities,         FRACTION,        FRACTION,        HEAVY,  4, CHUNKS)      \
    X(focal_logits,              BINARY,          ANY,             HEAVY,  3, PREPARED)    \
    X(focal2_logits,             BINARY,          ANY,             HEAVY,  2, TWO_PASSES)  \
    X(focal_probabilities,       BINARY,          FRACTION,        HEAVY,  3, CHUNKS)      \
    X(asymmetric_loss,           BINARY,          ANY,             WHOLE,  3, PREPARED)    \
    X(wasserstein_critic,        LABEL,           ANY,             CHEAP,  0, ONE_PASS)    \
    FL_PENALTIES(X)

/*                                low                 high             open_low integral nan_ok */
#define FL_DOMAIN_ANY             {-__builtin_inf(),  __builtin_inf(), 0,       0,       1}
#define FL_DOMAIN_NON_NEGATIVE    {0,                 __builtin_inf(), 0,       0,       1}
#define FL_DOMAIN_POSITIVE        {0,                 __builtin_inf(), 1,       0,       1}
#define FL_DOMAIN_ABOVE_MINUS_ONE {-1,                __builtin_inf(), 1,       0,       1}
#define FL_DOMAIN_LABEL           {-1,                1,               0,       1,       0}
#define FL_DOMAIN_BINARY          {0,                 1,               0,       1,       0}
#define FL_DOMAIN_FRACTION        {0,                 1,               0,       0,       0}
/* clang-format on */

enum {
#define FL_ENUMERATE(name, y, z, cost, n_params, passes) FL_POINTWISE_##name,
    FL_POINTWISE_LOSSES(FL_ENUMERATE)
#undef FL_ENUMERATE
        FL_N_POINTWISE
};

/* Initialisers of the descriptions, in the order of the block tables:
 *     static const fl_pointwise_kernel kernels[] = {FL_POINTWISE_DESCRIPTIONS}; */
#define FL_DESCRIBE(name, y, z, cost, n_params, passes)                                                      \
    {#name, FL_DOMAIN_##y, FL_DOMAIN_##z, FL_COST_##cost, n_params},
#define FL_POINTWISE_DESCRIPTIONS FL_POINTWISE_LOSSES(FL_DESCRIBE)

enum { FL_MAX_PARAMS = 4 };

#endif
