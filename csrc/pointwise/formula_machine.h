/* The machine: a formula's program over a block, some samples at a time, so that the registers stay in L1;
 * then results go where they belong and values are added up, as in the losses' own block functions. */
#ifndef FL_POINTWISE_FORMULA_MACHINE_H
#define FL_POINTWISE_FORMULA_MACHINE_H

#include "../blocks/check.h"
#include "formula_steps.h"
#include "kernel_types.h"

/* Where the results of a block go; values are added to `lanes` where there are such. */
typedef struct {
    real scale;
    real *value, *gradient, *hessian;
    double *lanes;
} fl_results;

/* NaN where target or prediction is, otherwise 0. */
static void fl_find_nan(const fl_frame *f, real *nan) {
    const size_t n = f->n;
    const real *y = f->y, *z = f->z;
    FL_STEP_LOOP nan[k] = fl_keep_nan(y[k], fl_keep_nan(z[k], 0));
}

static void fl_deliver(size_t n, real *to, const real *from, const real *nan, real scale) {
    FL_STEP_LOOP to[k] = (from[k] + nan[k]) * scale;
}

static void fl_add_values(size_t n, double *lanes, const real *from, const real *nan) {
    fl_double_vector sums[FL_N_DOUBLE_VECTORS];
    fl_load_sums(sums, lanes);
    for (size_t i = 0; i < n; i += FL_LANES) {
        real tile[FL_LANES];
        FL_VECTOR_LOOP
        for (int k = 0; k < FL_LANES; k++)
            tile[k] = from[i + k] + nan[i + k];
        fl_add_tile(sums, tile);
    }
    fl_store_sums(lanes, sums);
}

/* Which inputs are NaN is found before an output is written over one. */
static void fl_finish_program(const fl_frame *f, const fl_formula_program *p, real *nan,
                              const fl_results *r) {
    fl_find_nan(f, nan);
    if (r->lanes)
        fl_add_values(f->n, r->lanes, fl_register(f, p->of_outputs[0]), nan);
    if (r->value)
        fl_deliver(f->n, r->value, fl_register(f, p->of_outputs[0]), nan, 1);
    if (r->gradient)
        fl_deliver(f->n, r->gradient, fl_register(f, p->of_outputs[1]), nan, r->scale);
    if (r->hessian)
        fl_deliver(f->n, r->hessian, fl_register(f, p->of_outputs[2]), nan, r->scale);
}

static int fl_run_formula(size_t n, const real *y, const real *z, const fl_formula_work *work, int program,
                          fl_results r) {
    const fl_formula *formula = work->formula;
    const fl_formula_program *p = &formula->programs[program];
    const fl_domain *domain = fl_is_everything(&formula->target) ? NULL : &formula->target;
    const size_t at_once = fl_at_once(p, n, sizeof(real));
    real *nan = work->registers, *registers = nan + at_once;
    int suspicious = 0;
    for (size_t m; n; n -= m) {
        m = n < at_once ? n : at_once;
        const fl_frame frame = {m, y, z, registers, at_once, formula->constants};
        suspicious |= domain && fl_any_outside(y, m, domain);
        for (int i = 0; i < p->n_steps; i++)
            fl_steps[p->steps[i].operation](&frame, &p->steps[i]);
        fl_finish_program(&frame, p, nan, &r);
        y += m;
        z += m;
        r.value += r.value ? m : 0;
        r.gradient += r.gradient ? m : 0;
        r.hessian += r.hessian ? m : 0;
    }
    return suspicious;
}

/* The parameters of a block function are the formula and its memory. */
#define FL_DEFINE_FORMULA_SET(set, program, v, g, h)                                                         \
    static int fl_formula_##set(size_t n, const void *y, const void *z, const double *work, double scale,    \
                                void *value, void *gradient, void *hessian) {                                \
        (void)value, (void)gradient, (void)hessian;                                                          \
        return fl_run_formula(n, y, z, (const void *)work, program,                                          \
                              (fl_results){(real)scale, v, g, h, NULL});                                     \
    }
FL_DEFINE_FORMULA_SET(V, FL_PROGRAM_V, value, NULL, NULL)
FL_DEFINE_FORMULA_SET(G, FL_PROGRAM_G, NULL, gradient, NULL)
FL_DEFINE_FORMULA_SET(VG, FL_PROGRAM_VG, value, gradient, NULL)
FL_DEFINE_FORMULA_SET(GH, FL_PROGRAM_GH, NULL, gradient, hessian)
FL_DEFINE_FORMULA_SET(VGH, FL_PROGRAM_VGH, value, gradient, hessian)

#define FL_DEFINE_FORMULA_SUM(set, program, g, h)                                                            \
    static int fl_formula_##set(size_t n, const void *y, const void *z, const double *work, double scale,    \
                                void *lanes, void *gradient, void *hessian) {                                \
        (void)gradient, (void)hessian;                                                                       \
        return fl_run_formula(n, y, z, (const void *)work, program,                                          \
                              (fl_results){(real)scale, NULL, g, h, lanes});                                 \
    }
FL_DEFINE_FORMULA_SUM(S, FL_PROGRAM_V, NULL, NULL)
FL_DEFINE_FORMULA_SUM(SG, FL_PROGRAM_VG, gradient, NULL)
FL_DEFINE_FORMULA_SUM(SGH, FL_PROGRAM_VGH, gradient, hessian)

#define FL_FORMULA_BLOCKS                                                                                    \
    {fl_formula_V,   fl_formula_G, fl_formula_VG, fl_formula_GH,                                             \
     fl_formula_VGH, fl_formula_S, fl_formula_SG, fl_formula_SGH}

#endif
