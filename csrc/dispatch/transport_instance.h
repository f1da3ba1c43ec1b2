/* The transport kernels of one tier: included by transport_f64.c alone, which sets FL_PRECISION. They compute
 * in float64 whatever the data: potentials are differences of large numbers. */
#include "../pass/ops.h"

#include "../transport/line.h"
#include "../transport/softmin.h"

extern const fl_transport_ops FL_TABLE_NAME(fl_transport_);
const fl_transport_ops FL_TABLE_NAME(fl_transport_) = {
    .softmin = fl_softmin_rows,
    .pull = fl_pull_rows,
    .costs = fl_cost_rows,
    .logarithms = fl_logarithms,
    .any_bad = fl_any_bad,
    .sum_magnitudes = fl_sum_magnitudes,
    .largest_difference = fl_largest_difference,
    .sum_squares = fl_sum_squares,
};
