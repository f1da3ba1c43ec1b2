/* The evaluation kernels of one tier: included by evaluation_f64.c alone, which sets FL_PRECISION. */
#include "ops.h"

#include "../evaluation/score_keys.h"
#include "../evaluation/sum_blocks.h"

extern const fl_evaluation_ops FL_TABLE_NAME(fl_evaluation_);
const fl_evaluation_ops FL_TABLE_NAME(fl_evaluation_) = {
    .sum = fl_sum_doubles,
    .sum_floats = fl_sum_floats,
    .range = fl_range,
    .sum_products = fl_sum_products,
    .widen = fl_widen,
    .weigh = fl_weigh,
    .multiply = fl_multiply_exactly,
    .split_products = fl_split_products,
    .float_keys = fl_float_keys,
    .double_keys = fl_double_keys,
    .fix_weights = fl_fix_weights,
    .fix_squares = fl_fix_squares,
};
