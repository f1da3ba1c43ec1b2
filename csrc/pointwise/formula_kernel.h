/* The number of the kernel that is a formula: after the losses of the list. */
#ifndef FL_POINTWISE_FORMULA_KERNEL_H
#define FL_POINTWISE_FORMULA_KERNEL_H

#include "formula.h"
#include "losses_list.h"

enum { FL_FORMULA = FL_N_POINTWISE };

#endif
