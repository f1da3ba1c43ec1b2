/* The block functions of formulas, whose parameters are the formula, in the tier in use. */
#ifndef FL_DISPATCH_FORMULAS_H
#define FL_DISPATCH_FORMULAS_H

#include "ops.h"

const fl_block_fn *fl_formulas_for(int float32);

#endif
