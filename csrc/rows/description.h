/* What there is to know of a row kernel without running it, and the doors of the drivers that run it. */
#ifndef FL_ROWS_DESCRIPTION_H
#define FL_ROWS_DESCRIPTION_H

#include "../fastloss.h"

/* How the targets come: class indices; class indices smoothed over all classes; dense; dense with class
 * weights or smoothing; none at all. */
enum { FL_BY_LABEL, FL_SMOOTHED, FL_DENSE, FL_DENSE_WEIGHTED, FL_NO_TARGET, FL_N_ROW_FORMS };

typedef struct {
    const char *name;
    int forms; /* a bit for each form there are functions for */
    fl_domain target_domain, prediction_domain;
    int has_hessian;
    int checks_sum; /* probabilities whose rows should add up to 1 */
    int is_flat;    /* few classes, unless targets are spread over them */
} fl_row_description;

const fl_row_description *fl_describe_rows(int kernel);
/* Whether other curvatures are multiples of the Hessian. */
int fl_scales_hessian(int kernel);

/* What fl_rows says, or fl_rows_check, of one entry or more (drive.h). */
fl_status fl_drive_rows_f32(fl_rows_call *call, int only_checks);
fl_status fl_drive_rows_f64(fl_rows_call *call, int only_checks);

#endif
