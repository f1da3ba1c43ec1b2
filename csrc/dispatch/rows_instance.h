/* The row kernels of one tier and precision: included by rows_f32.c and rows_f64.c alone, which set
 * FL_PRECISION. A translation unit of their own, so that they compile beside the pointwise ones. */
#include "../pass/ops.h"

#include "../rows/instance.h"

extern const fl_row_ops FL_TABLE_NAME(fl_rows_);
const fl_row_ops FL_TABLE_NAME(fl_rows_) = FL_ROW_OPS;
