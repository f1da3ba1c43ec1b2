/* The functions of one tier and precision, and the table that exports them: included by ops_f32.c and
 * ops_f64.c alone, which set FL_PRECISION. */
#include "../pass/ops.h"

#include "../blocks/check.h"
#include "../blocks/load.h"
#include "../blocks/store.h"
#include "../pass/stream.h"
#include "../blocks/weights.h"
#include "../pointwise/drive.h"
#include "../sums/sums.h"

extern const fl_row_ops FL_TABLE_NAME(fl_rows_);
extern const fl_embedding_ops FL_TABLE_NAME(fl_embeddings_);
#if FL_PRECISION == 64
extern const fl_transport_ops FL_TABLE_NAME(fl_transport_);
extern const fl_evaluation_ops FL_TABLE_NAME(fl_evaluation_);
#endif

extern const fl_ops FL_TABLE_NAME(fl_ops_);
const fl_ops FL_TABLE_NAME(fl_ops_) = {
    .block = FL_BLOCK,
    .itemsize = sizeof(real),
    .dtype = FL_REAL_DTYPE,
    .pointwise = fl_drive_pointwise,
    .rows = &FL_TABLE_NAME(fl_rows_),
    .embeddings = &FL_TABLE_NAME(fl_embeddings_),
#if FL_PRECISION == 64
    .transport = &FL_TABLE_NAME(fl_transport_),
    .evaluation = &FL_TABLE_NAME(fl_evaluation_),
#endif
    .load = fl_load,
    .store = fl_store,
    .multiply = fl_multiply,
    .has_stream = FL_HAS_STREAM,
    .stream = fl_stream,
    .triad = fl_triad,
    .stream_end = fl_stream_end,
    .any_outside = fl_any_outside,
    .first_outside = fl_first_outside,
    .weight_kinds = fl_weight_kinds,
    .sum = fl_sum,
    .dot = fl_dot,
};
