/* The machine of formulas of one tier and precision: included by formulas_f32.c and formulas_f64.c alone,
 * which set FL_PRECISION. */
#include "../pass/ops.h"

#include "../pointwise/formula_machine.h"

extern const fl_pointwise_blocks FL_TABLE_NAME(fl_formulas_);
const fl_pointwise_blocks FL_TABLE_NAME(fl_formulas_) = FL_FORMULA_BLOCKS;
