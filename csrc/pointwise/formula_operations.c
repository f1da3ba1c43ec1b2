/* The names of the operations. */
#include "formula_operations.h"

#include <stddef.h>

#include "formula_kernel.h"

#define FL_NAME(name) #name,
#define FL_NAMES_BOTH(name) #name "_vv", #name "_cv",
#define FL_NAMES_2(name) #name "_vv", #name "_vc", #name "_cv",
#define FL_NAMES_CASES(name) FL_NAMES_3(name##_vv) FL_NAMES_3(name##_vc) FL_NAMES_3(name##_cv)
#define FL_NAMES_3(name) #name "_vv", #name "_vc", #name "_cv", #name "_cc",
static const char *const fl_names[FL_N_OPERATIONS + 1] = {
    "set",
    "clip_cc",
    "clip_difference",
    "by_order",
    "leaky_difference",
    FL_OPERATIONS_OF_ONE(FL_NAME) FL_OPERATIONS_OF_MODERATE(FL_NAME) FL_OPERATIONS_OF_BOTH(FL_NAMES_BOTH)
        FL_OPERATIONS_OF_TWO(FL_NAMES_2) FL_OPERATIONS_OF_REGISTERS(FL_NAME)
            FL_OPERATIONS_OF_CONSTANT(FL_NAME) FL_OPERATIONS_OF_THREE(FL_NAMES_3)
                FL_OPERATIONS_OF_CASES(FL_NAMES_CASES) NULL};

const char *const *fl_formula_operations(void) {
    return fl_names;
}

int fl_formula_kernel(void) {
    return FL_FORMULA;
}
