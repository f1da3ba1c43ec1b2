/* The rule, an index into the table of curvature_blocks.h, that computes a loss's curvature; FL_RULE_none if
 * it has no such curvature. */
#ifndef FL_POINTWISE_CURVATURE_H
#define FL_POINTWISE_CURVATURE_H

#include "../fastloss.h"

int fl_curvature_rule(int kernel, fl_curvature curvature);

#endif
