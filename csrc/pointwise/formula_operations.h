/* The operations of formulas, by what their operands may be: registers v and constants c.
 *
 * A constant of those that do not care about the order of their operands comes first. */
#ifndef FL_POINTWISE_FORMULA_OPERATIONS_H
#define FL_POINTWISE_FORMULA_OPERATIONS_H

/* clang-format off */
#define FL_OPERATIONS_OF_ONE(X)                                                                     \
    X(neg) X(abs) X(sign) X(sqrt) X(square) X(log) X(log1p) X(sinh) X(cosh) X(sigmoid_slope)        \
    X(log1p_of_unit) X(decay) X(erf) X(gauss) X(normal_cdf) X(normal_log_cdf) X(normal_pdf)                  \
    X(normal_hazard) X(normal_excess) X(lgamma) X(digamma) X(trigamma) X(tetragamma)

/* Of one, by a shorter way where all numbers of a block are moderate: these are not written over. */
#define FL_OPERATIONS_OF_MODERATE(X) X(exp) X(expm1) X(exp_minus_abs)

/* In any order. */
#define FL_OPERATIONS_OF_BOTH(X)                                                                    \
    X(add) X(mul) X(equal) X(not_equal) X(logaddexp) X(nearest_zero)

#define FL_OPERATIONS_OF_TWO(X) X(sub) X(div) X(less) X(less_equal) X(keep_nan)

/* Registers alone, of which an operation uses two or three. */
#define FL_OPERATIONS_OF_REGISTERS(X)                                                               \
    X(minimum) X(maximum) X(xlogy) X(pow) X(softplus_of) X(softplus_minus_of) X(sigmoid_of) X(sigmoid_minus_of) X(log_cosh_of)     \
    X(tanh_of) X(cross_entropy_of) X(cross_entropy_slope_of) X(parabola)   \
    X(expm1_of_gauss)

/* A register and a constant. */
#define FL_OPERATIONS_OF_CONSTANT(X) X(at_most) X(at_least) X(power) X(power_of_sigmoid)

/* a·b + c, c − a·b, b where a is not 0 and c elsewhere: a is a register. */
#define FL_OPERATIONS_OF_THREE(X) X(fma) X(fnma) X(where)

/* c where a is less than b (or equal) and d elsewhere; not both a and b are constants. */
#define FL_OPERATIONS_OF_CASES(X) X(where_less) X(where_less_equal)
/* clang-format on */

enum {
    FL_OPERATION_set,              /* a constant */
    FL_OPERATION_clip_cc,          /* a, but no less than b and no more than c */
    FL_OPERATION_clip_difference,  /* a − b, but between −c and c, a constant */
    FL_OPERATION_by_order,         /* c, d or e, which are constants, for a less than, equal to or above b */
    FL_OPERATION_leaky_difference, /* a − b times c where that is above 0 and times d below, constants */
#define FL_NUMBER(name) FL_OPERATION_##name,
#define FL_NUMBER_BOTH(name) FL_OPERATION_##name##_vv, FL_OPERATION_##name##_cv,
#define FL_NUMBER_2(name) FL_OPERATION_##name##_vv, FL_OPERATION_##name##_vc, FL_OPERATION_##name##_cv,
#define FL_NUMBER_CASES(name) FL_NUMBER_3(name##_vv) FL_NUMBER_3(name##_vc) FL_NUMBER_3(name##_cv)
#define FL_NUMBER_3(name)                                                                                    \
    FL_OPERATION_##name##_vv, FL_OPERATION_##name##_vc, FL_OPERATION_##name##_cv, FL_OPERATION_##name##_cc,
    FL_OPERATIONS_OF_ONE(FL_NUMBER) FL_OPERATIONS_OF_MODERATE(FL_NUMBER) FL_OPERATIONS_OF_BOTH(FL_NUMBER_BOTH)
        FL_OPERATIONS_OF_TWO(FL_NUMBER_2) FL_OPERATIONS_OF_REGISTERS(FL_NUMBER)
            FL_OPERATIONS_OF_CONSTANT(FL_NUMBER) FL_OPERATIONS_OF_THREE(FL_NUMBER_3)
                FL_OPERATIONS_OF_CASES(FL_NUMBER_CASES)
#undef FL_NUMBER
#undef FL_NUMBER_BOTH
#undef FL_NUMBER_2
#undef FL_NUMBER_3
#undef FL_NUMBER_CASES
                    FL_N_OPERATIONS
};

#endif
