/* A loss that is a formula: programs for its value and derivatives, which a machine runs over blocks.
 *
 * A step computes one operation for every sample of a block. Register 0 holds the targets, register 1 the
 * predictions, the others what steps leave in them. */
#ifndef FL_POINTWISE_FORMULA_H
#define FL_POINTWISE_FORMULA_H

#include <stdint.h>

#include "../blocks/domain.h"

/* `to` = operation(a, b, c): numbers of registers, or of constants where the operation's name says so. */
typedef struct {
    uint16_t operation, to, a, b, c;
} fl_formula_step;

typedef struct {
    const fl_formula_step *steps;
    int n_steps;
    int n_registers;   /* of those from 2 on */
    int of_outputs[3]; /* the registers of value, gradient and Hessian, as far as they are wanted */
} fl_formula_program;

/* What a program makes: value, gradient, Hessian. */
enum { FL_PROGRAM_V, FL_PROGRAM_G, FL_PROGRAM_VG, FL_PROGRAM_GH, FL_PROGRAM_VGH, FL_N_PROGRAMS };
/* So many registers a program may have. */
enum { FL_MOST_REGISTERS = 128 };

typedef struct {
    fl_domain target, prediction; /* of the kinds that losses have */
    int is_cheap;                 /* bound by memory rather than by arithmetic */
    const double *constants;
    fl_formula_program programs[FL_N_PROGRAMS];
} fl_formula;

/* The kernel of formulas: the parameters of a call are the formula. */
int fl_formula_kernel(void);

/* The names of the operations in the order of their numbers, NULL at the end. In a name _c follows an operand
 * that is a constant: sub_vc is a register minus a constant. */
const char *const *fl_formula_operations(void);

#endif
