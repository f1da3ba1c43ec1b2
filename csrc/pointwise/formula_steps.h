/* The steps of programs: each operation as a loop over a block, and the table of the loops. */
#ifndef FL_POINTWISE_FORMULA_STEPS_H
#define FL_POINTWISE_FORMULA_STEPS_H

#include "../blocks/tile.h"
#include "formula.h"
#include "formula_math.h"
#include "formula_operations.h"

/* What the steps of a program work on: n samples, a multiple of the lanes. */
typedef struct {
    size_t n;
    const real *y, *z;
    real *registers; /* from register 2 on, `size` apart */
    size_t size;
    const double *constants;
} fl_frame;

/* A step may write over its operands, but those of moderate numbers. */
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

/* The loop of a step whose operands of, say, kinds v and c are a register and a constant. */
#define FL_OPERAND_v(x) const real *x = fl_register(f, s->x);
#define FL_OPERAND_c(x) const real x = fl_number(f, s->x);
#define FL_USE_v(x) x[k]
#define FL_USE_c(x) x

#define FL_STEP(name, operands, result)                                                                      \
    static void fl_step_##name(const fl_frame *f, const fl_formula_step *s) {                                \
        const size_t n = fl_whole(f->n);                                                                     \
        real *to = fl_target_of(f, s);                                                                       \
        operands FL_STEP_LOOP to[k] = result;                                                                \
    }
#define FL_STEP_OF_ONE(name) FL_STEP(name, FL_OPERAND_v(a), fl_op_##name(a[k]))
#define FL_STEP_OF_MODERATE(name)                                                                            \
    FL_LOOP_OF_MODERATE(name)                                                                                \
    static void fl_step_##name(const fl_frame *f, const fl_formula_step *s) {                                \
        fl_loop_##name(f->n, fl_target_of(f, s), fl_register(f, s->a));                                      \
    }
#define FL_STEP_OF_TWO(name, ka, kb)                                                                         \
    FL_STEP(name##_##ka##kb, FL_OPERAND_##ka(a) FL_OPERAND_##kb(b),                                          \
            fl_op_##name(FL_USE_##ka(a), FL_USE_##kb(b)))
#define FL_STEP_OF_THREE(name, kb, kc)                                                                       \
    FL_STEP(name##_##kb##kc, FL_OPERAND_v(a) FL_OPERAND_##kb(b) FL_OPERAND_##kc(c),                          \
            fl_op_##name(a[k], FL_USE_##kb(b), FL_USE_##kc(c)))
#define FL_STEPS_OF_BOTH(name) FL_STEP_OF_TWO(name, v, v) FL_STEP_OF_TWO(name, c, v)
#define FL_STEPS_OF_TWO(name) FL_STEP_OF_TWO(name, v, v) FL_STEP_OF_TWO(name, v, c) FL_STEP_OF_TWO(name, c, v)
#define FL_STEP_OF_REGISTERS(name)                                                                           \
    FL_STEP(name, FL_OPERAND_v(a) FL_OPERAND_v(b) FL_OPERAND_v(c), fl_op_##name(a[k], b[k], c[k]))
#define FL_STEP_OF_CONSTANT(name)                                                                            \
    FL_STEP(name, FL_OPERAND_v(a) const __auto_type b = fl_exact_##name(f->constants[s->b]);                 \
            , fl_op_##name(a[k], b))
#define FL_STEPS_OF_THREE(name)                                                                              \
    FL_STEP_OF_THREE(name, v, v)                                                                             \
    FL_STEP_OF_THREE(name, v, c) FL_STEP_OF_THREE(name, c, v) FL_STEP_OF_THREE(name, c, c)
#define FL_STEP_OF_CASES(name, ka, kb, kc, kd)                                                               \
    FL_STEP(name##_##ka##kb##_##kc##kd,                                                                      \
            FL_OPERAND_##ka(a) FL_OPERAND_##kb(b) FL_OPERAND_##kc(c) FL_OPERAND_##kd(d),                     \
            fl_op_##name(FL_USE_##ka(a), FL_USE_##kb(b), FL_USE_##kc(c), FL_USE_##kd(d)))
#define FL_STEPS_OF_COMPARED(name, ka, kb)                                                                   \
    FL_STEP_OF_CASES(name, ka, kb, v, v)                                                                     \
    FL_STEP_OF_CASES(name, ka, kb, v, c)                                                                     \
    FL_STEP_OF_CASES(name, ka, kb, c, v) FL_STEP_OF_CASES(name, ka, kb, c, c)
#define FL_STEPS_OF_CASES(name)                                                                              \
    FL_STEPS_OF_COMPARED(name, v, v) FL_STEPS_OF_COMPARED(name, v, c) FL_STEPS_OF_COMPARED(name, c, v)
FL_OPERATIONS_OF_ONE(FL_STEP_OF_ONE)
FL_OPERATIONS_OF_MODERATE(FL_STEP_OF_MODERATE)
FL_OPERATIONS_OF_BOTH(FL_STEPS_OF_BOTH)
FL_OPERATIONS_OF_TWO(FL_STEPS_OF_TWO)
FL_OPERATIONS_OF_REGISTERS(FL_STEP_OF_REGISTERS)
FL_OPERATIONS_OF_CONSTANT(FL_STEP_OF_CONSTANT)
FL_OPERATIONS_OF_THREE(FL_STEPS_OF_THREE)
FL_STEP(set, FL_OPERAND_c(a), a)
FL_STEP_OF_THREE(clip, c, c)
FL_OPERATIONS_OF_CASES(FL_STEPS_OF_CASES)
FL_STEP(clip_difference, FL_OPERAND_v(a) FL_OPERAND_v(b) FL_OPERAND_c(c),
        fl_op_clip_difference(a[k], b[k], c))
FL_STEP(by_order, FL_OPERAND_v(a) FL_OPERAND_v(b) FL_OPERAND_c(c) FL_OPERAND_c(d) FL_OPERAND_c(e),
        fl_op_by_order(a[k], b[k], c, d, e))
FL_STEP(leaky_difference, FL_OPERAND_v(a) FL_OPERAND_v(b) FL_OPERAND_c(c) FL_OPERAND_c(d),
        fl_op_leaky_difference(a[k], b[k], c, d))

#define FL_ENTRY(name) [FL_OPERATION_##name] = fl_step_##name,
#define FL_ENTRIES_BOTH(name)                                                                                \
    [FL_OPERATION_##name##_vv] = fl_step_##name##_vv, [FL_OPERATION_##name##_cv] = fl_step_##name##_cv,
#define FL_ENTRIES_2(name) FL_ENTRIES_BOTH(name)[FL_OPERATION_##name##_vc] = fl_step_##name##_vc,
#define FL_ENTRIES_3(name) FL_ENTRIES_2(name)[FL_OPERATION_##name##_cc] = fl_step_##name##_cc,
#define FL_ENTRIES_CASES(name) FL_ENTRIES_3(name##_vv) FL_ENTRIES_3(name##_vc) FL_ENTRIES_3(name##_cv)
static const fl_step_fn fl_steps[FL_N_OPERATIONS] = {
    FL_ENTRY(set) FL_ENTRY(clip_cc) FL_ENTRY(clip_difference) FL_ENTRY(by_order) FL_ENTRY(leaky_difference)
        FL_OPERATIONS_OF_ONE(FL_ENTRY) FL_OPERATIONS_OF_MODERATE(FL_ENTRY)
            FL_OPERATIONS_OF_BOTH(FL_ENTRIES_BOTH) FL_OPERATIONS_OF_TWO(FL_ENTRIES_2)
                FL_OPERATIONS_OF_REGISTERS(FL_ENTRY) FL_OPERATIONS_OF_CONSTANT(FL_ENTRY)
                    FL_OPERATIONS_OF_THREE(FL_ENTRIES_3) FL_OPERATIONS_OF_CASES(FL_ENTRIES_CASES)};

#endif
