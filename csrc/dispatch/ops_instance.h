/* The functions of one tier and precision, and the table that exports them: included by ops_f32.c and
 * ops_f64.c alone, which set FL_PRECISION. */
#include "ops.h"

#include "../blocks/check.h"
#include "../blocks/load.h"
#include "../blocks/store.h"
#include "../blocks/stream.h"
#include "../pointwise/kernels.h"
#include "../rows/instance.h"
#include "../sums/sums.h"

#if FL_PRECISION == 32
#define FL_OPS_NAME FL_PASTE(fl_ops_, FL_TIER, _f32)
#else
#define FL_OPS_NAME FL_PASTE(fl_ops_, FL_TIER, _f64)
#endif

extern const fl_ops FL_OPS_NAME;
const fl_ops FL_OPS_NAME = {
    .block = FL_BLOCK,
    .itemsize = sizeof(real),
    .dtype = FL_REAL_DTYPE,
    .pointwise = fl_pointwise_blocks_table,
    .rows = &fl_row_table,
    .load = fl_load,
    .store = fl_store,
    .multiply = fl_multiply,
    .has_stream = FL_HAS_STREAM,
    .stream = fl_stream,
    .triad = fl_triad,
    .stream_end = fl_stream_end,
    .any_outside = fl_any_outside,
    .first_outside = fl_first_outside,
    .sum = fl_sum,
    .dot = fl_dot,
};
