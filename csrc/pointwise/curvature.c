/* Which rule computes a loss's curvature. */
#include "curvature.h"

#include "../fastloss.h"
#include "curvature_list.h"
#include "formula_kernel.h"

typedef struct {
    int has_own; /* a line in the list */
    int majorizer, gauss_newton, automatic;
} fl_curvature_line;

#define FL_DESCRIBE_CURVATURE(name, majorizer, gauss_newton, automatic)                                      \
    [FL_POINTWISE_##name] = {1, FL_RULE_##majorizer, FL_RULE_##gauss_newton, FL_CURVATURE_##automatic},
/* Formulas have none. */
static const fl_curvature_line fl_lines[FL_FORMULA + 1] = {FL_POINTWISE_CURVATURES(FL_DESCRIBE_CURVATURE)};

int fl_curvature_rule(int kernel, fl_curvature curvature) {
    const fl_curvature_line *line = &fl_lines[kernel];
    switch (curvature) {
    case FL_CURVATURE_EXACT:
        return FL_RULE_exact;
    case FL_CURVATURE_ABSOLUTE:
        return FL_RULE_absolute;
    case FL_CURVATURE_UNIT:
        return FL_RULE_unit;
    case FL_CURVATURE_MAJORIZER:
        return line->has_own ? line->majorizer : FL_RULE_none;
    case FL_CURVATURE_GAUSS_NEWTON:
        return line->has_own ? line->gauss_newton : FL_RULE_none;
    }
    return FL_RULE_none;
}

int fl_pointwise_has_curvature(int kernel, fl_curvature curvature) {
    return fl_curvature_rule(kernel, curvature) != FL_RULE_none;
}

fl_curvature fl_pointwise_automatic_curvature(int kernel) {
    return fl_lines[kernel].has_own ? (fl_curvature)fl_lines[kernel].automatic : FL_CURVATURE_UNIT;
}

int fl_pointwise_needs_kink_width(int kernel, fl_curvature curvature) {
    int rule = fl_curvature_rule(kernel, curvature);
    return rule == FL_RULE_kink_of_two || rule == FL_RULE_kink_of_one || rule == FL_RULE_relative_kink ||
           rule == FL_RULE_tolerance_kinks || rule == FL_RULE_symmetric_relative_kink;
}
