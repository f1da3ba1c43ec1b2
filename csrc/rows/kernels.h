/* The loops over the rows of a tile, for every kernel, form of target and set of outputs, for the precision
 * FL_PRECISION and the instruction set that this translation unit is compiled for; and the table of them.
 *
 * Across rows, across.inc; along them, along.inc; over flat tiles, flat.inc; two and three classes, fused.inc.
 */
#ifndef FL_ROWS_KERNELS_H
#define FL_ROWS_KERNELS_H

#include "list.h"

#include "across.h"
#include "along.h"
#include "cross_entropy.h"
#include "divergence.h"
#include "euclidean.h"
#include "flat.h"
#include "focal.h"
#include "generalized.h"
#include "hinge.h"
#include "location_scale.h"
#include "names.h"
#include "state.h"
#include "two_classes.h"

#define ROW cross_entropy
#define ROW_IS_FLAT
#define ROW_OF_TWO fl_cross_entropy_of_two
#define FORMS_ALL
#include "kernel.inc"

#define ROW cross_entropy_probabilities
#define FORMS_ALL
#include "kernel.inc"

#define ROW focal
#define ROW_IS_FUSED
#define FORMS_LABELS
#include "kernel.inc"

#define ROW poly1_cross_entropy
#define FORMS_LABELS
#include "kernel.inc"

#define ROW focal_probabilities
#define FORMS_LABELS
#include "kernel.inc"

#define ROW generalized_cross_entropy
#define FORMS_LABELS
#include "kernel.inc"

#define ROW crammer_singer
#define FORMS_LABELS
#include "kernel.inc"

#define ROW weston_watkins
#define FORMS_LABELS
#include "kernel.inc"

#define ROW kl_divergence
#define FORMS_DENSE
#include "kernel.inc"

#define ROW kl_divergence_logits
#define FORMS_DENSE
#include "kernel.inc"

#define ROW js_divergence
#define FORMS_DENSE
#include "kernel.inc"

#define ROW js_distance
#define FORMS_DENSE
#include "kernel.inc"

#define ROW gaussian_nll
#define FORMS_DENSE
#include "kernel.inc"

#define ROW laplace_nll
#define FORMS_DENSE
#include "kernel.inc"

#define ROW student_t_nll
#define FORMS_DENSE
#include "kernel.inc"

#define ROW multi_quantile
#define FORMS_LEVELS
#include "kernel.inc"

#define ROW euclidean_error
#define FORMS_DENSE
#include "kernel.inc"

#define ROW softmax
#define ROW_IS_FLAT
#define FORMS_LINK
#include "kernel.inc"

#define ROW log_softmax
#define FORMS_LINK
#include "kernel.inc"

/* What list.h says and what is there must agree: a form without functions does not compile, and functions
 * that nobody lists are warned of. */
#define FL_LIST_FORM(name, form) [form] = fl_##name##_##form##_functions,
#define FL_LIST_LABELS(name) FL_LIST_FORM(name, FL_BY_LABEL)
#define FL_LIST_DENSE(name) FL_LIST_FORM(name, FL_DENSE)
#define FL_LIST_LEVELS(name) FL_LIST_FORM(name, FL_DENSE_WEIGHTED)
#define FL_LIST_LINK(name) FL_LIST_FORM(name, FL_NO_TARGET)
#define FL_LIST_ALL(name)                                                                                    \
    FL_LIST_LABELS(name)                                                                                     \
    FL_LIST_FORM(name, FL_SMOOTHED) FL_LIST_DENSE(name) FL_LIST_FORM(name, FL_DENSE_WEIGHTED)
#define FL_LIST_ROWS(name, kind, forms, y, z, has_hessian, checks_sum) {FL_LIST_##forms(name)},

static const fl_row_kernel fl_row_kernels[FL_N_ROW_KERNELS] = {FL_ROW_KERNELS(FL_LIST_ROWS)};

#endif
