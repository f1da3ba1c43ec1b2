/* The operations of formulas.
 *
 * Those of one operand, of two (of registers v and constants c in any order) and of three, whose first is a
 * register. */
#ifndef FL_POINTWISE_FORMULA_OPERATIONS_H
#define FL_POINTWISE_FORMULA_OPERATIONS_H

/* clang-format off */
#define FL_OPERATIONS_OF_ONE(X)                                                                     \
    X(neg) X(abs) X(sign) X(sqrt) X(square) X(exp) X(expm1) X(log) X(log1p) X(sinh) X(cosh) X(tanh) \
    X(exp_minus_abs) X(log_cosh) X(erf) X(gauss) X(normal_cdf) X(normal_log_cdf) X(normal_pdf)      \
    X(normal_hazard) X(normal_excess) X(lgamma) X(digamma) X(trigamma) X(tetragamma)

#define FL_OPERATIONS_OF_TWO(X)                                                                     \
    X(add) X(sub) X(mul) X(div) X(minimum) X(maximum) X(less) X(less_equal) X(equal) X(not_equal)   \
    X(xlogy) X(logaddexp) X(nearest_zero) X(softplus_of) X(softplus_minus_of)                           \
    X(sigmoid_of) X(sigmoid_minus_of) X(pow)

/* a·b + c, c − a·b, b where a is not 0 and c elsewhere */
#define FL_OPERATIONS_OF_THREE(X) X(fma) X(fnma) X(where)
/* clang-format on */

enum {
    FL_OPERATION_set,       /* a constant */
    FL_OPERATION_exact_pow, /* a to a constant that is not rounded */
#define FL_NUMBER(name) FL_OPERATION_##name,
#define FL_NUMBER_2(name) FL_OPERATION_##name##_vv, FL_OPERATION_##name##_vc, FL_OPERATION_##name##_cv,
#define FL_NUMBER_3(name)                                                                                    \
    FL_OPERATION_##name##_vv, FL_OPERATION_##name##_vc, FL_OPERATION_##name##_cv, FL_OPERATION_##name##_cc,
    FL_OPERATIONS_OF_ONE(FL_NUMBER) FL_OPERATIONS_OF_TWO(FL_NUMBER_2) FL_OPERATIONS_OF_THREE(FL_NUMBER_3)
#undef FL_NUMBER
#undef FL_NUMBER_2
#undef FL_NUMBER_3
        FL_N_OPERATIONS
};

#endif
