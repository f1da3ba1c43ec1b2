/* The steps of programs: each operation as a loop over a block, and the table of the loops. */
#ifndef FL_POINTWISE_FORMULA_STEPS_H
#define FL_POINTWISE_FORMULA_STEPS_H

#include "../blocks/tile.h"
#include "../vecmath/gamma.h"
#include "../vecmath/normal.h"
#include "../vecmath/power.h"
#include "formula.h"
#include "formula_operations.h"

#if defined(__GNUC__) && !defined(__clang__)
#define FL_VECTOR_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#else
#define FL_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif
/* clang-format off */
#define FL_STEP_LOOP FL_VECTOR_LOOP for (size_t k = 0; k < n; k++)
/* clang-format on */

/* What the steps of a program work on: n samples, a multiple of the lanes. */
typedef struct {
    size_t n;
    const real *y, *z;
    real *registers; /* from register 2 on, `size` apart */
    size_t size;
    const double *constants;
} fl_frame;

/* A step may write over its operands. */
typedef void (*fl_step_fn)(const fl_frame *f, const fl_formula_step *s);

FL_INLINE const real *fl_register(const fl_frame *f, int i) {
    return i == 0 ? f->y : i == 1 ? f->z : f->registers + (size_t)(i - 2) * f->size;
}

FL_INLINE real *fl_target_of(const fl_frame *f, const fl_formula_step *s) {
    return f->registers + (size_t)(s->to - 2) * f->size;
}

FL_INLINE real fl_number(const fl_frame *f, int i) {
    return (real)f->constants[i];
}

FL_INLINE real fl_op_neg(real a) {
    return -a;
}
FL_INLINE real fl_op_abs(real a) {
    return fl_abs(a);
}
FL_INLINE real fl_op_sign(real a) {
    return a > 0 ? 1 : a < 0 ? -1 : a;
}
FL_INLINE real fl_op_sqrt(real a) {
    return fl_sqrt(a);
}
FL_INLINE real fl_op_square(real a) {
    return a * a;
}
#define fl_op_exp fl_exp
#define fl_op_expm1 fl_expm1
#define fl_op_log fl_log
#define fl_op_log1p fl_log1p
#define fl_op_sinh fl_sinh
#define fl_op_cosh fl_cosh
#define fl_op_tanh fl_tanh
#define fl_op_exp_minus_abs fl_exp_minus_abs
#define fl_op_log_cosh fl_log_cosh_any
#define fl_op_erf fl_erf
#define fl_op_gauss fl_gauss
#define fl_op_normal_cdf fl_normal_cdf
#define fl_op_normal_log_cdf fl_normal_log_cdf
#define fl_op_normal_pdf fl_normal_pdf
#define fl_op_normal_hazard fl_normal_hazard
#define fl_op_normal_excess fl_normal_excess
#define fl_op_lgamma fl_lgamma
#define fl_op_digamma fl_digamma
#define fl_op_trigamma fl_trigamma
#define fl_op_tetragamma fl_tetragamma

#define FL_OP_2(name, expression)                                                                            \
    FL_INLINE real fl_op_##name(real a, real b) {                                                            \
        return expression;                                                                                   \
    }
FL_OP_2(add, a + b)
FL_OP_2(sub, a - b)
FL_OP_2(mul, a *b)
FL_OP_2(div, a / b)
FL_OP_2(minimum, fl_keep_nan(a, a < b ? a : b))
FL_OP_2(maximum, fl_keep_nan(a, a > b ? a : b))
FL_OP_2(less, a < b ? 1 : 0)
FL_OP_2(less_equal, a <= b ? 1 : 0)
FL_OP_2(equal, a == b ? 1 : 0)
FL_OP_2(not_equal, a != b ? 1 : 0)
FL_OP_2(xlogy, a == 0 ? fl_keep_nan(b, 0) : a * fl_log(b))
FL_OP_2(softplus_of, fl_softplus_of(a, b))
FL_OP_2(softplus_minus_of, fl_softplus_of(-a, b))
FL_OP_2(sigmoid_of, fl_sigmoid_of(a, b))
FL_OP_2(sigmoid_minus_of, fl_sigmoid_of(-a, b))

/* log(e^a + e^b); of equal infinities themselves */
FL_INLINE real fl_op_logaddexp(real a, real b) {
    real larger = a > b ? a : b, d = a == b ? 0 : fl_abs(a - b);
    real e = fl_exp_negated(d), result = larger + fl_log1p_unit(e, 0);
    return fl_keep_nan(a, fl_abs(larger) > FL_LARGEST ? larger : result);
}

/* The number nearest to 0 between a and b. */
FL_INLINE real fl_op_nearest_zero(real a, real b) {
    real low = a < b ? a : b, high = a < b ? b : a;
    real up = low > 0 ? low : 0;
    return fl_keep_nan(a, fl_keep_nan(b, high < 0 ? high : up));
}

FL_OP_2(pow, fl_power(a, (fl_pair){b, 0}))

#define FL_OP_3(name, expression)                                                                            \
    FL_INLINE real fl_op_##name(real a, real b, real c) {                                                    \
        return expression;                                                                                   \
    }
FL_OP_3(fma, fl_fma(a, b, c))
FL_OP_3(fnma, fl_fma(-a, b, c))
FL_OP_3(where, a != 0 ? b : c)

/* The loop of a step whose operands of, say, kinds v and c are a register and a constant. */
#define FL_OPERAND_v(x) const real *x = fl_register(f, s->x);
#define FL_OPERAND_c(x) const real x = fl_number(f, s->x);
#define FL_USE_v(x) x[k]
#define FL_USE_c(x) x

#define FL_STEP_OF_ONE(name)                                                                                 \
    static void fl_step_##name(const fl_frame *f, const fl_formula_step *s) {                                \
        const size_t n = f->n;                                                                               \
        real *to = fl_target_of(f, s);                                                                       \
        FL_OPERAND_v(a) FL_STEP_LOOP to[k] = fl_op_##name(a[k]);                                             \
    }
#define FL_STEP_OF_TWO(name, ka, kb)                                                                         \
    static void fl_step_##name##_##ka##kb(const fl_frame *f, const fl_formula_step *s) {                     \
        const size_t n = f->n;                                                                               \
        real *to = fl_target_of(f, s);                                                                       \
        FL_OPERAND_##ka(a) FL_OPERAND_##kb(b) FL_STEP_LOOP to[k] =                                           \
            fl_op_##name(FL_USE_##ka(a), FL_USE_##kb(b));                                                    \
    }
#define FL_STEP_OF_THREE(name, kb, kc)                                                                       \
    static void fl_step_##name##_##kb##kc(const fl_frame *f, const fl_formula_step *s) {                     \
        const size_t n = f->n;                                                                               \
        real *to = fl_target_of(f, s);                                                                       \
        FL_OPERAND_v(a) FL_OPERAND_##kb(b) FL_OPERAND_##kc(c) FL_STEP_LOOP to[k] =                           \
            fl_op_##name(a[k], FL_USE_##kb(b), FL_USE_##kc(c));                                              \
    }
#define FL_STEPS_OF_TWO(name) FL_STEP_OF_TWO(name, v, v) FL_STEP_OF_TWO(name, v, c) FL_STEP_OF_TWO(name, c, v)
#define FL_STEPS_OF_THREE(name)                                                                              \
    FL_STEP_OF_THREE(name, v, v)                                                                             \
    FL_STEP_OF_THREE(name, v, c) FL_STEP_OF_THREE(name, c, v) FL_STEP_OF_THREE(name, c, c)
FL_OPERATIONS_OF_ONE(FL_STEP_OF_ONE)
FL_OPERATIONS_OF_TWO(FL_STEPS_OF_TWO)
FL_OPERATIONS_OF_THREE(FL_STEPS_OF_THREE)

static void fl_step_set(const fl_frame *f, const fl_formula_step *s) {
    const size_t n = f->n;
    const real a = fl_number(f, s->a);
    real *to = fl_target_of(f, s);
    FL_STEP_LOOP to[k] = a;
}

/* A constant exponent is not rounded. */
static void fl_step_exact_pow(const fl_frame *f, const fl_formula_step *s) {
    const size_t n = f->n;
    const real *a = fl_register(f, s->a);
    const fl_pair p = fl_constant(f->constants[s->b]);
    real *to = fl_target_of(f, s);
    FL_STEP_LOOP to[k] = fl_power(a[k], p);
}

#define FL_ENTRY(name) [FL_OPERATION_##name] = fl_step_##name,
#define FL_ENTRIES_2(name)                                                                                   \
    [FL_OPERATION_##name##_vv] = fl_step_##name##_vv, [FL_OPERATION_##name##_vc] = fl_step_##name##_vc,      \
    [FL_OPERATION_##name##_cv] = fl_step_##name##_cv,
#define FL_ENTRIES_3(name) FL_ENTRIES_2(name)[FL_OPERATION_##name##_cc] = fl_step_##name##_cc,
static const fl_step_fn fl_steps[FL_N_OPERATIONS] = {
    [FL_OPERATION_set] = fl_step_set,
    [FL_OPERATION_exact_pow] = fl_step_exact_pow,
    FL_OPERATIONS_OF_ONE(FL_ENTRY) FL_OPERATIONS_OF_TWO(FL_ENTRIES_2) FL_OPERATIONS_OF_THREE(FL_ENTRIES_3)};

#endif
