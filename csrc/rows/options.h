/* In which form the targets come, and the numbers of the classes in the kernel's precision. Included by
 * drive.h alone. */
#ifndef FL_ROWS_OPTIONS_H
#define FL_ROWS_OPTIONS_H

#include <stdlib.h>

#include "list.h"
#include "weights.h"

static int fl_form_of(const fl_rows_call *c, const fl_row_description *kernel) {
    if (kernel->forms >> FL_NO_TARGET & 1)
        return FL_NO_TARGET;
    int spreads = kernel->forms >> FL_SMOOTHED & 1;
    if (kernel->forms == FL_FORMS_LEVELS)
        return FL_DENSE_WEIGHTED;
    if (!c->dense)
        return spreads && c->label_smoothing != 0 ? FL_SMOOTHED : FL_BY_LABEL;
    return spreads && (c->label_smoothing != 0 || c->class_weight) ? FL_DENSE_WEIGHTED : FL_DENSE;
}

/* The weights of the classes: one allocation of three rows; 0 if there is no memory. */
static int fl_prepare_options(fl_row_pass *p, real **allocated) {
    const fl_rows_call *c = p->call;
    int focal = c->kernel == FL_ROWS_focal || c->kernel == FL_ROWS_focal_probabilities;
    int levels = p->kernel->forms == FL_FORMS_LEVELS;
    const double *weights = focal ? c->alpha : (levels ? NULL : c->class_weight);
    int spreads = p->form == FL_SMOOTHED || p->form == FL_DENSE_WEIGHTED;
    size_t n = c->n_classes;
    p->options = (fl_row_options){.gamma = c->gamma,
                                  .log_base = c->log_base == 0 ? 1 : c->log_base,
                                  .constant = c->constant,
                                  .kink_width = c->kink_width,
                                  .gauss_newton = c->curvature == FL_CURVATURE_GAUSS_NEWTON,
                                  .rounds_kinks = levels && c->curvature == FL_CURVATURE_MAJORIZER};
    p->class_scale = fl_class_scale(weights, n, c->float32);
    *allocated = NULL;
    if (!spreads && !weights)
        return 1;
    real *own = *allocated = malloc(fl_times(n, 3 * sizeof *own));
    if (!own)
        return 0;
    real *base = own + n, *plain = base + n;
    double s = spreads ? c->label_smoothing : 0;
    for (size_t k = 0; k < n; k++) {
        double w = (weights ? weights[k] : 1) * p->class_scale;
        p->has_zero_class |= w == 0;
        own[k] = (real)(w * (1 - s));
        base[k] = (real)(w * s / (double)n);
        p->options.base_sum += w * s / (double)n;
        plain[k] = (real)w;
        if (levels) {
            double level = c->alpha ? c->alpha[k] : 0.5;
            own[k] = (real)level;
            base[k] = (real)(1 - level);
        }
    }
    p->options.own = own;
    p->options.base = base;
    p->options.class_weight = weights && !focal ? plain : NULL;
    return 1;
}

#endif
