/* The evaluation kernels of one tier: included by evaluation_f64.c alone, which sets FL_PRECISION. */
#include "../pass/ops.h"

#include "../evaluation/orders.h"
#include "../evaluation/probability_bins.h"
#include "../evaluation/score_keys.h"
#include "../evaluation/score_runs.h"
#include "../evaluation/sum_blocks.h"

extern const fl_evaluation_ops FL_TABLE_NAME(fl_evaluation_);
const fl_evaluation_ops FL_TABLE_NAME(fl_evaluation_) = {
    .sum = fl_sum_doubles,
    .sum_floats = fl_sum_floats,
    .range = fl_range,
    .sum_products = fl_sum_products,
    .widen = fl_widen,
    .weigh = fl_weigh,
    .sum_known = fl_sum_known,
    .split_products = fl_split_products,
    .float_places = fl_float_places,
    .double_places = fl_double_places,
    .float_bins = fl_float_bins,
    .double_bins = fl_double_bins,
    .count_run = fl_count_run,
    .weigh_run = fl_weigh_run,
    .count_groups = fl_count_groups,
    .order_run = fl_order_run,
    .order_groups = fl_order_groups,
    .read_counts = fl_read_count_bytes,
    .widen_counts = fl_widen_counts,
    .fix_weights = fl_fix_weights,
    .fix_squares = fl_fix_squares,
    .read_wide = fl_read_wide,
    .read_wider = fl_read_wider,
};
