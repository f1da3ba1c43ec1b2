/* What a pointwise kernel is: its description, and its block functions. */
#ifndef FL_POINTWISE_KERNEL_TYPES_H
#define FL_POINTWISE_KERNEL_TYPES_H

#include <stddef.h>

#include "../blocks/domain.h"

/* Computes n samples: the unscaled values, and gradient and Hessian times scale. All arrays hold the
 * precision of the table the function comes from; those of outputs that the function does not make are not
 * touched.
 *
 *   n                         a multiple of FL_LANES
 *   y, z                      targets and predictions, contiguous, aligned to an element
 *   params                    as many numbers as the description says
 *   value, gradient, hessian  may be z itself; no other overlap. For a function that sums, `value` is an
 *                             array of FL_LANES doubles: lane k has the values of samples k, k + FL_LANES...
 *                             added
 *
 * Returns whether a target may be outside its domain: not 0 if one is, and now and then if none is. */
typedef int (*fl_block_fn)(size_t n, const void *y, const void *z, const double *params, double scale,
                           void *value, void *gradient, void *hessian);

/* Turns a block's Hessians into another curvature, in place: n a multiple of 16, parameters as above, the
 * width that a kink is rounded off to. All unscaled and unweighted. */
typedef void (*fl_curvature_fn)(size_t n, const void *y, const void *z, const void *gradient, void *hessian,
                                const double *params, double kink_width);

/* The combinations of outputs there are functions for; S stands for values that are summed instead of kept.
 */
enum { FL_V, FL_G, FL_VG, FL_GH, FL_VGH, FL_S, FL_SG, FL_SGH, FL_N_OUTPUT_SETS };

/* One loss in one precision on one instruction set, by combination of outputs. */
typedef fl_block_fn fl_pointwise_blocks[FL_N_OUTPUT_SETS];

/* Bound by memory alone, by both, by arithmetic. Streaming stores pay for large outputs of the first two,
 * threads for smaller inputs of the last two. */
typedef enum {
    FL_COST_CHEAP,
    FL_COST_MEDIUM,
    FL_COST_HEAVY,
    FL_COST_WHOLE = FL_COST_HEAVY,
    FL_COST_VALUES = FL_COST_HEAVY
} fl_cost;

typedef struct {
    const char *name;
    fl_domain y_domain, z_domain;
    fl_cost cost;
    int n_params;
} fl_pointwise_kernel;

const fl_pointwise_kernel *fl_describe_pointwise(int kernel);

#endif
