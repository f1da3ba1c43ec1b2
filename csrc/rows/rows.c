/* The row losses: what there is to know of each without running it, and the way to the driver (drive.h). */
#include <string.h>

#include "../pass/scratch.h"
#include "list.h"

static const fl_row_description fl_descriptions[] = {FL_ROW_DESCRIPTIONS};

const fl_row_description *fl_describe_rows(int kernel) {
    return &fl_descriptions[kernel];
}

int fl_find_rows(const char *name) {
    for (int i = 0; i < FL_N_ROW_KERNELS; i++)
        if (strcmp(fl_descriptions[i].name, name) == 0)
            return i;
    return -1;
}

int fl_rows_takes_labels(int kernel) {
    return fl_descriptions[kernel].forms >> FL_BY_LABEL & 1;
}
int fl_rows_takes_dense(int kernel) {
    return (fl_descriptions[kernel].forms & (1 << FL_DENSE | 1 << FL_DENSE_WEIGHTED)) != 0;
}
int fl_rows_has_hessian(int kernel) {
    return fl_descriptions[kernel].has_hessian;
}

static int fl_is_nll(int kernel) {
    return kernel == FL_ROWS_gaussian_nll || kernel == FL_ROWS_laplace_nll || kernel == FL_ROWS_student_t_nll;
}

int fl_scales_hessian(int kernel) {
    return !fl_is_nll(kernel) && kernel != FL_ROWS_multi_quantile;
}

int fl_rows_has_curvature(int kernel, fl_curvature curvature) {
    int convex = kernel == FL_ROWS_cross_entropy || kernel == FL_ROWS_kl_divergence_logits;
    if (!fl_rows_has_hessian(kernel))
        return 0;
    if (curvature == FL_CURVATURE_MAJORIZER)
        return convex || kernel == FL_ROWS_multi_quantile;
    if (curvature == FL_CURVATURE_GAUSS_NEWTON)
        return convex || fl_is_nll(kernel) || kernel == FL_ROWS_focal ||
               kernel == FL_ROWS_generalized_cross_entropy;
    return 1;
}

static fl_status fl_start(fl_rows_call *c, int only_checks) {
    c->total = c->weight_sum = 0;
    c->has_off_row = 0;
    if (c->n_rows == 0 || c->n_classes == 0)
        return c->reduction == FL_REDUCE_MEAN && !only_checks ? FL_EMPTY : FL_OK;
    if (fl_times(c->n_rows, c->n_classes) > FL_MOST_ELEMENTS)
        return FL_TOO_LARGE;
    return (c->float32 ? fl_drive_rows_f32 : fl_drive_rows_f64)(c, only_checks);
}

fl_status fl_rows(fl_rows_call *c) {
    return fl_start(c, 0);
}

fl_status fl_rows_check(fl_rows_call *c) {
    return fl_start(c, 1);
}
