/* The row family's table of one tier and precision: included by dispatch/rows_instance.h. */
#ifndef FL_ROWS_INSTANCE_H
#define FL_ROWS_INSTANCE_H

/* Vectors run across rows up to so many classes, or tiles are flat. */
#if FL_PRECISION == 32
#define FL_ACROSS_LIMIT 128
#define FL_FLAT_LIMIT 200
#else
#define FL_ACROSS_LIMIT 120
#define FL_FLAT_LIMIT 200
#endif

#include "clear.h"
#include "curvature.h"
#include "kernels.h"
#include "labels.h"
#include "tiles.h"

#define FL_ROW_OPS                                                                                           \
    {                                                                                                        \
        .kernels = fl_row_kernels,                                                                           \
        .across_limit = FL_ACROSS_LIMIT,                                                                     \
        .flat_limit = FL_FLAT_LIMIT,                                                                         \
        .tile_rows = FL_ROW_TILE,                                                                            \
        .chunk = FL_ROW_CHUNK,                                                                               \
        .state_bytes = sizeof(fl_row_state),                                                                 \
        .partial_bytes = sizeof(fl_row_part),                                                                \
        .begin = fl_row_begin,                                                                               \
        .load = fl_load_tile,                                                                                \
        .place = fl_place_tile,                                                                              \
        .scratch_matrices = fl_scratch_matrices,                                                             \
        .ahead = fl_next_tile,                                                                               \
        .store = fl_store_tile,                                                                              \
        .outside = fl_is_tile_outside,                                                                       \
        .labels = fl_load_labels,                                                                            \
        .counted = fl_counted_weights,                                                                       \
        .clear = fl_clear_rows,                                                                              \
        .curve = fl_curve_tile,                                                                              \
    }

#endif
