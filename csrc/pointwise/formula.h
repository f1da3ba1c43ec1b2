/* A loss that is a formula: programs for its value and derivatives, which a machine runs over blocks.
 *
 * A step computes one operation for every sample of a block. Register 0 holds the targets, register 1 the
 * predictions, the others what steps leave in them. */
#ifndef FL_POINTWISE_FORMULA_H
#define FL_POINTWISE_FORMULA_H

#include <stddef.h>
#include <stdint.h>

#include "../blocks/block.h"
#include "../blocks/domain.h"
#include "kernel_types.h"

/* `to` = operation(a, b, ...): numbers of registers, or of constants where the operation's name says so. */
typedef struct {
    uint16_t operation, to, a, b, c, d, e;
} fl_formula_step;

/* What a program makes: a register, a product a·(b − c) or a·((b − c) − ½a), or, times a constant, a·b (c) or a (b).
 * Values are added up, slopes scaled as such. */
enum { FL_OF_REGISTER, FL_OF_PRODUCT, FL_OF_DIFFERENCE, FL_OF_PARABOLA, FL_OF_MULTIPLE };
typedef struct {
    int kind, a, b, c; /* a: a register that is none of the inputs */
} fl_formula_output;

typedef struct {
    const fl_formula_step *steps;
    int n_steps;
    int n_registers;              /* of those from 2 on */
    fl_formula_output outputs[3]; /* value, gradient and Hessian, as far as they are wanted */
} fl_formula_program;

/* A program compiled on the user's machine: n samples, whole lanes, of one precision. Values go where `value` is, or
 * are added up in `lanes`. Any output may be z itself. Returns what block functions do. */
typedef int (*fl_formula_fn)(size_t n, const void *y, const void *z, const double *constants, double scale,
                             void *value, double *lanes, void *gradient, void *hessian);

/* What a program makes: value, gradient, Hessian. */
enum { FL_PROGRAM_V, FL_PROGRAM_G, FL_PROGRAM_VG, FL_PROGRAM_GH, FL_PROGRAM_VGH, FL_N_PROGRAMS };
/* So many registers a program may have. */
enum { FL_MOST_REGISTERS = 128 };

typedef struct {
    fl_domain target, prediction; /* of the kinds that losses have */
    fl_cost cost;
    const double *constants;
    fl_formula_program programs[FL_N_PROGRAMS];
    const fl_formula_fn *compiled[2]; /* of float32 and float64, in the order of the programs; NULL: none */
} fl_formula;

/* What block functions take for their parameters: the formula, and a thread's memory for registers. */
typedef struct {
    const fl_formula *formula;
    void *registers;
} fl_formula_work;

/* Registers stay in L1: even all of them have room for whole lanes, few for as much as gains something. */
enum { FL_WORKSPACE = FL_MOST_REGISTERS * FL_LANES * sizeof(double), FL_MOST_AT_ONCE = 2048 };

/* How many samples a program takes at a time, of so many. */
static inline size_t fl_at_once(const fl_formula_program *p, size_t n, size_t itemsize) {
    size_t room = FL_WORKSPACE / (size_t)(p->n_registers ? p->n_registers : 1);
    size_t most = (room < FL_MOST_AT_ONCE ? room : FL_MOST_AT_ONCE) / itemsize & ~(size_t)(FL_LANES - 1);
    return n < most ? n : most;
}

/* The bytes of registers that n samples need, whichever outputs are wanted. */
static inline size_t fl_workspace(const fl_formula *formula, size_t n, size_t itemsize) {
    size_t most = 0;
    for (int i = 0; i < FL_N_PROGRAMS; i++) {
        const fl_formula_program *p = &formula->programs[i];
        size_t bytes = (size_t)p->n_registers * fl_at_once(p, n, itemsize) * itemsize;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* The kernel of formulas: the parameters of a call are the formula. */
int fl_formula_kernel(void);

/* The names of the operations in the order of their numbers, NULL at the end. In a name _c follows an operand
 * that is a constant: sub_vc is a register minus a constant. */
const char *const *fl_formula_operations(void);

#endif
