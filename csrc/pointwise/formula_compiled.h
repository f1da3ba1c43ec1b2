/* What a formula's own kernel is made of: C that fastloss/formulas/printing.py prints after this file, with all that
 * it includes, for a compiler on the user's machine. */
#ifndef FL_POINTWISE_FORMULA_COMPILED_H
#define FL_POINTWISE_FORMULA_COMPILED_H

#define FL_UNROLL 2
#include "../blocks/domain.h"

#include "../blocks/check.h"
#include "formula_math.h"

/* So many samples go through all loops before the next ones do; where there is but one, it adds values up itself. */
enum { FL_MADE_AT_ONCE = 256 };

FL_OPERATIONS_OF_MODERATE(FL_LOOP_OF_MODERATE)

#endif
