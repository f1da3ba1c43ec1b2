/* What there is to know of each row kernel without running it. */
#include <string.h>

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
    return fl_descriptions[kernel].forms >> FL_DENSE & 1;
}
int fl_rows_has_hessian(int kernel) {
    return fl_descriptions[kernel].has_hessian;
}

int fl_rows_has_curvature(int kernel, fl_curvature curvature) {
    int convex = kernel == FL_ROWS_cross_entropy || kernel == FL_ROWS_kl_divergence_logits;
    if (!fl_rows_has_hessian(kernel))
        return 0;
    if (curvature == FL_CURVATURE_MAJORIZER)
        return convex;
    if (curvature == FL_CURVATURE_GAUSS_NEWTON)
        return convex || kernel == FL_ROWS_focal || kernel == FL_ROWS_generalized_cross_entropy;
    return 1;
}
