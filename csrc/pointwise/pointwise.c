/* The pointwise losses: what there is to know of each without running it, and the way to the driver in the tier
 * in use (drive.h). */
#include <string.h>

#include "../pass/ops.h"
#include "losses_list.h"

static const fl_pointwise_kernel fl_kernels[] = {FL_POINTWISE_DESCRIPTIONS};

const fl_pointwise_kernel *fl_describe_pointwise(int kernel) {
    return &fl_kernels[kernel];
}

fl_status fl_pointwise(fl_pointwise_call *c) {
    if (c->n == 0) {
        c->total = c->weight_sum = 0;
        return c->reduction == FL_REDUCE_MEAN ? FL_EMPTY : FL_OK;
    }
    return c->n > FL_MOST_ELEMENTS ? FL_TOO_LARGE : fl_ops_for(c->float32)->pointwise(c, 0);
}

fl_status fl_pointwise_check(fl_pointwise_call *c) {
    if (c->n == 0)
        return FL_OK;
    return c->n > FL_MOST_ELEMENTS ? FL_TOO_LARGE : fl_ops_for(c->float32)->pointwise(c, 1);
}

int fl_find_pointwise(const char *name) {
    for (int i = 0; i < FL_N_POINTWISE; i++)
        if (strcmp(fl_kernels[i].name, name) == 0)
            return i;
    return -1;
}

int fl_pointwise_n_parameters(int kernel) {
    return fl_kernels[kernel].n_params;
}
const fl_domain *fl_pointwise_target_domain(int kernel) {
    return &fl_kernels[kernel].y_domain;
}
const fl_domain *fl_pointwise_prediction_domain(int kernel) {
    return &fl_kernels[kernel].z_domain;
}
