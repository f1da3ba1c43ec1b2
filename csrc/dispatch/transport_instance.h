/* The transport kernels of one tier: included by transport_f64.c alone, which sets FL_PRECISION. They compute
 * in float64 whatever the data: potentials are differences of large numbers. */
#include "ops.h"

#include "../transport/softmin.h"

extern const fl_transport_ops FL_TABLE_NAME(fl_transport_);
const fl_transport_ops FL_TABLE_NAME(fl_transport_) = {
    .softmin = fl_softmin_rows,
    .pull = fl_pull_rows,
    .costs = fl_cost_rows,
};
