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

/* a·b, a·(b − c), or a·((b − c) − ½a). */
FL_INLINE real fl_product(int kind, real a, const real *b, const real *c, size_t k) {
    if (kind == FL_OF_PRODUCT)
        return a * b[k];
    real r = b[k] - c[k];
    return a * (kind == FL_OF_PARABOLA ? fl_fma((real)-0.5, a, r) : r);
}

static void fl_deliver(const fl_frame *f, fl_formula_output o, real *to, real scale) {
    const size_t n = fl_whole(f->n);
    const real *a = fl_register(f, o.a);
    if (o.kind == FL_OF_PRODUCT) {
        const real *b = fl_register(f, o.b), c = fl_number(f, o.c);
        FL_STEP_LOOP to[k] = c * fl_product(FL_OF_PRODUCT, a[k], b, NULL, k) * scale;
    } else if (o.kind == FL_OF_DIFFERENCE) {
        const real *b = fl_register(f, o.b), *c = fl_register(f, o.c);
        FL_STEP_LOOP to[k] = fl_product(FL_OF_DIFFERENCE, a[k], b, c, k) * scale;
    } else if (o.kind == FL_OF_PARABOLA) {
        const real *b = fl_register(f, o.b), *c = fl_register(f, o.c);
        FL_STEP_LOOP to[k] = fl_product(FL_OF_PARABOLA, a[k], b, c, k) * scale;
    } else {
        const real c = o.kind == FL_OF_MULTIPLE ? fl_number(f, o.b) : 1;
        FL_STEP_LOOP to[k] = c * a[k] * scale;
    }
}

/* Adds up values; and makes slopes d·scale·a where there are to be such. The term a that both have is in its register,
 * or what this step makes of the inputs. */
FL_INLINE void fl_add_values(const fl_frame *f, fl_formula_output v, int kind, const fl_formula_step *step,
                             double *lanes, real d, real scale, real *slopes) {
    const int product = kind == FL_OF_PRODUCT, multiple = kind == FL_OF_MULTIPLE;
    const real *a = fl_register(f, v.a), *b = multiple ? NULL : fl_register(f, v.b);
    const real *c = multiple || product ? NULL : fl_register(f, v.c);
    const real factor = product ? fl_number(f, v.c) : v.kind == FL_OF_MULTIPLE ? fl_number(f, v.b) : 1;
    const real above = step ? fl_number(f, step->c) : 0, below = step ? fl_number(f, step->d) : 0;
    fl_double_vector sums[FL_N_DOUBLE_VECTORS];
    fl_load_sums(sums, lanes);
    for (size_t i = 0; i < f->n; i += FL_LANES) {
        _Alignas(64) real tile[FL_LANES];
        FL_TILE_LOOP
        for (size_t k = 0; k < FL_LANES; k++) {
            real term;
            if (!step)
                term = a[i + k];
            else if (kind == FL_OF_PARABOLA)
                term = fl_op_clip_difference(b[i + k], c[i + k], above);
            else
                term = fl_op_leaky_difference(b[i + k], c[i + k], above, below);
            real value = multiple ? term : fl_product(kind, term, b, c, i + k);
            tile[k] = multiple || product ? factor * value : value;
            if (slopes)
                slopes[i + k] = d * term * scale;
        }
        fl_add_tile(sums, tile);
    }
    fl_store_sums(lanes, sums);
}

/* Whether the values, and the gradient, are of a term that both have. */
static int fl_have_one_term(const fl_formula_program *p, const fl_results *r) {
    fl_formula_output v = p->outputs[0], g = p->outputs[1];
    return r->gradient && v.kind != FL_OF_REGISTER && v.kind != FL_OF_MULTIPLE && g.a == v.a &&
           (g.kind == FL_OF_REGISTER || g.kind == FL_OF_MULTIPLE);
}

/* Whether values are added up, and slopes made, of what the only step makes of two inputs: then its result need not go
 * through memory. */
static int fl_is_one_loop(const fl_formula_program *p, const fl_results *r) {
    const fl_formula_step *s = p->steps;
    fl_formula_output v = p->outputs[0];
    if (p->n_steps != 1 || !r->lanes || r->hessian || v.a != s->to || v.b != s->a || v.c != s->b)
        return 0;
    int of_difference = s->operation == FL_OPERATION_clip_difference
                            ? v.kind == FL_OF_PARABOLA
                            : s->operation == FL_OPERATION_leaky_difference && v.kind == FL_OF_DIFFERENCE;
    return of_difference && (!r->gradient || fl_have_one_term(p, r));
}

/* Adds up the values; returns whether the gradient, of the same term, was made with them. */
static int fl_finish_values(const fl_frame *f, const fl_formula_program *p, const fl_results *r,
                            int one_loop) {
    fl_formula_output v = p->outputs[0], g = p->outputs[1];
    const int both = fl_have_one_term(p, r);
    const real d = g.kind == FL_OF_MULTIPLE ? fl_number(f, g.b) : 1;
    real *slopes = both ? r->gradient : NULL;
    if (v.kind == FL_OF_DIFFERENCE && one_loop)
        fl_add_values(f, v, FL_OF_DIFFERENCE, p->steps, r->lanes, d, r->scale, slopes);
    else if (v.kind == FL_OF_DIFFERENCE)
        fl_add_values(f, v, FL_OF_DIFFERENCE, NULL, r->lanes, d, r->scale, slopes);
    else if (v.kind == FL_OF_PARABOLA && one_loop)
        fl_add_values(f, v, FL_OF_PARABOLA, p->steps, r->lanes, d, r->scale, slopes);
    else if (v.kind == FL_OF_PARABOLA)
        fl_add_values(f, v, FL_OF_PARABOLA, NULL, r->lanes, d, r->scale, slopes);
    else if (v.kind == FL_OF_PRODUCT)
        fl_add_values(f, v, FL_OF_PRODUCT, NULL, r->lanes, d, r->scale, slopes);
    else
        fl_add_values(f, v, FL_OF_MULTIPLE, NULL, r->lanes, 0, 0, NULL);
    return both;
}

static void fl_finish_program(const fl_frame *f, const fl_formula_program *p, const fl_results *r,
                              int one_loop) {
    int has_gradient = r->lanes && fl_finish_values(f, p, r, one_loop);
    if (r->value)
        fl_deliver(f, p->outputs[0], r->value, 1);
    if (r->gradient && !has_gradient)
        fl_deliver(f, p->outputs[1], r->gradient, r->scale);
    if (r->hessian)
        fl_deliver(f, p->outputs[2], r->hessian, r->scale);
}

/* Lines of the inputs that come next are asked for between the steps: otherwise memory stands idle while steps
 * compute, and steps while it is read. */
static void fl_ask_for(const fl_frame *f, int i, int n_steps) {
    const size_t bytes = f->n * sizeof(real);
    const size_t from = (bytes * (size_t)i / (size_t)n_steps) & ~(size_t)63;
    const size_t to = (bytes * (size_t)(i + 1) / (size_t)n_steps) & ~(size_t)63;
    for (size_t at = bytes + from; at < bytes + to; at += 64) {
        __builtin_prefetch((const char *)f->y + at);
        __builtin_prefetch((const char *)f->z + at);
    }
}

static int fl_run_formula(size_t n, const real *y, const real *z, const fl_formula_work *work, int program,
                          fl_results r) {
    const fl_formula *formula = work->formula;
    const fl_formula_program *p = &formula->programs[program];
    const fl_domain *domain = fl_is_everything(&formula->target) ? NULL : &formula->target;
    const fl_formula_fn *compiled = formula->compiled[FL_PRECISION == 64];
    if (compiled)
        return compiled[program](n, y, z, formula->constants, r.scale, r.value, r.lanes, r.gradient,
                                 r.hessian);
    const size_t at_once = fl_at_once(p, n, sizeof(real));
    const int one_loop = fl_is_one_loop(p, &r);
    int suspicious = 0;
    for (size_t m; n; n -= m) {
        m = n < at_once ? n : at_once;
        const fl_frame frame = {m, y, z, work->registers, at_once, formula->constants};
        suspicious |= domain && fl_any_outside(y, m, domain);
        for (int i = one_loop; i < p->n_steps; i++) {
            if (p->n_steps > 2)
                fl_ask_for(&frame, i, p->n_steps);
            fl_steps[p->steps[i].operation](&frame, &p->steps[i]);
        }
        fl_finish_program(&frame, p, &r, one_loop);
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
