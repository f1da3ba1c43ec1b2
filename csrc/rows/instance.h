/* The row family's table of one tier and precision: included by dispatch/rows_instance.h. */
#ifndef FL_ROWS_INSTANCE_H
#define FL_ROWS_INSTANCE_H

#include "clear.h"
#include "curvature.h"
#include "kernels.h"
#include "labels.h"
#include "tiles.h"

#define FL_ROW_OPS                                                                                           \
    {                                                                                                        \
        .kernels = fl_row_kernels,                                                                           \
        .state_bytes = sizeof(fl_row_state),                                                                 \
        .partial_bytes = sizeof(fl_row_part),                                                                \
        .begin = fl_row_begin,                                                                               \
        .load = fl_load_tile,                                                                                \
        .store = fl_store_tile,                                                                              \
        .outside = fl_is_tile_outside,                                                                       \
        .labels = fl_load_labels,                                                                            \
        .clear = fl_clear_rows,                                                                              \
        .curve = fl_curve_tile,                                                                              \
    }

#endif
