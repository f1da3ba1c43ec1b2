/* The loops over the rows of a tile, instantiated for every kernel, form of target and set of outputs, for
 * the precision FL_PRECISION and the instruction set that this translation unit is compiled for; and the
 * table of them.
 *
 * Across rows, the loop over classes is outside and takes four classes at a time: their terms are added to
 * each other before they go to the row's sums, which live in the tile's state. Along rows: along.h; flat:
 * flat_kernel.h. */
#ifndef FL_ROWS_KERNELS_H
#define FL_ROWS_KERNELS_H

#include "list.h"

#include "across.h"
#include "along.h"
#include "cross_entropy.h"
#include "divergence.h"
#include "euclidean.h"
#include "flat.h"
#include "focal.h"
#include "generalized.h"
#include "hinge.h"
#include "location_scale.h"
#include "state.h"
#include "two_classes.h"

#define FL_FLAT_NAME cross_entropy
#define FL_FLAT_OF_TWO fl_cross_entropy_of_two
#include "flat_kernel.h"
#define FL_FLAT_NAME focal
#define FL_FLAT_OF_FEW
#include "flat_kernel.h"
#define FL_FLAT_NAME softmax
#include "flat_kernel.h"

#define FL_DEFINE_ROWS(name, kind, forms, y_domain, z_domain, has_hessian, checks_sum)                       \
    FL_INLINE void fl_##name##_across(const fl_row_tile *tile, const int form, const int want_gradient,      \
                                      const int want_hessian) {                                              \
        const int keeps = FL_KEEPS_##kind;                                                                   \
        size_t n = tile->n_rows & ~(size_t)15, n_classes = tile->n_classes;                                  \
        const real *z = tile->prediction.data, *y = tile->target.data;                                       \
        size_t z_step = (size_t)tile->prediction.stride, y_step = (size_t)tile->target.stride;               \
        const real *own = tile->options->own, *base = tile->options->base;                                   \
        real *g = tile->gradient.data, *h = tile->hessian.data, *value = tile->value;                        \
        size_t g_step = (size_t)tile->gradient.stride, h_step = (size_t)tile->hessian.stride;                \
        fl_row_state *s = tile->state;                                                                       \
        fl_row_setting o = fl_setting_of(tile, form, 1, want_hessian);                                       \
        const int scans = FL_SCANS_##kind, adds = name##_adds(o);                                            \
        fl_row_begin(tile, form);                                                                            \
        size_t k = 0;                                                                                        \
        if (scans) {                                                                                         \
            for (; k + 4 <= n_classes; k += 4)                                                               \
                FL_ACROSS_SCAN_4(name)                                                                       \
            for (; k < n_classes; k++)                                                                       \
                FL_ACROSS_SCAN_1(name)                                                                       \
        }                                                                                                    \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < n; i++)                                                                       \
            fl_row_put_prepared(s, i, name##_prepare(fl_row_get(s, i)));                                     \
        for (k = 0; k + 4 <= n_classes; k += 4) {                                                            \
            if (k && k % FL_FOLD == 0) {                                                                     \
                FL_ACROSS_FOLDS(fl_fold_sum)                                                                 \
            }                                                                                                \
            FL_FETCH_INPUTS(k, 4)                                                                            \
            FL_ACROSS_TERMS_4(name)                                                                          \
        }                                                                                                    \
        for (; k < n_classes; k++) {                                                                         \
            FL_FETCH_INPUTS(k, 1)                                                                            \
            FL_ACROSS_TERMS_1(name)                                                                          \
        }                                                                                                    \
        if (n_classes > FL_FOLD) {                                                                           \
            FL_ACROSS_FOLDS(fl_unfold_sum)                                                                   \
        }                                                                                                    \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < n; i++)                                                                       \
            fl_row_put_finished(s, i, name##_finish(name##_close(fl_row_get(s, i), o), o));                  \
        memcpy(value, s->value, n * sizeof(real));                                                           \
        if (checks_sum)                                                                                      \
            memcpy(tile->row_sum, s->d, n * sizeof(real));                                                   \
        if (!want_gradient)                                                                                  \
            return;                                                                                          \
        const real *x = keeps ? g : z;                                                                       \
        size_t x_step = keeps ? g_step : z_step;                                                             \
        for (k = 0; k < n_classes; k++) {                                                                    \
            FL_FETCH_OUTPUTS(k, 1)                                                                           \
            FL_ROW_LOOP                                                                                      \
            for (size_t i = 0; i < n; i++) {                                                                 \
                fl_row row = fl_row_get(s, i);                                                               \
                fl_row_slopes slopes =                                                                       \
                    name##_emit(FL_ENTRY(x[i + k * x_step], y[i + k * y_step], k), row, o);                  \
                g[i + k * g_step] = slopes.gradient;                                                         \
                if (want_hessian)                                                                            \
                    h[i + k * h_step] = slopes.hessian;                                                      \
            }                                                                                                \
        }                                                                                                    \
    }                                                                                                        \
    FL_DEFINE_MERGED(name)                                                                                   \
    FL_DEFINE_ALONG(name, kind, checks_sum)                                                                  \
    FL_ROW_FORMS_##forms(FL_DEFINE_ROW_FORM, name, kind, has_hessian)

/* Where nothing is kept for the slopes, gathering for the value alone is the same; where there is no Hessian,
 * the functions for all outputs are those for value and gradient. */
#define FL_DEFINE_ROW_FORM(name, form, kind, has_hessian)                                                    \
    static void fl_##name##_##form##_few_v(const fl_row_tile *t) {                                           \
        FL_FEW_##kind(name, form, 0, 0);                                                                     \
    }                                                                                                        \
    static void fl_##name##_##form##_few_g(const fl_row_tile *t) {                                           \
        FL_FEW_##kind(name, form, 1, 0);                                                                     \
    }                                                                                                        \
    static void fl_##name##_##form##_gather_g(const fl_row_tile *t, size_t from, size_t to) {                \
        if (FL_KEEPS_##kind && form == FL_BY_LABEL && t->hessian.data)                                       \
            fl_##name##_gather(t, from, to, form, 1, 1);                                                     \
        else                                                                                                 \
            fl_##name##_gather(t, from, to, form, 1, 0);                                                     \
    }                                                                                                        \
    static void fl_##name##_##form##_combine(const fl_row_tile *t) {                                         \
        fl_##name##_combine(t, form);                                                                        \
    }                                                                                                        \
    static void fl_##name##_##form##_emit_g(const fl_row_tile *t, size_t from, size_t to) {                  \
        fl_##name##_emit_chunks(t, from, to, form, 0);                                                       \
    }                                                                                                        \
    FL_DEFINE_GATHER_V_##kind(name, form) FL_DEFINE_HESSIAN_##has_hessian(name, form, kind)

#define FL_FEW_PLAIN(name, form, gradient, hessian) fl_##name##_across(t, form, gradient, hessian)
#define FL_FEW_SCANNED FL_FEW_PLAIN
#define FL_FEW_SOFTMAX FL_FEW_PLAIN
#define FL_FEW_FLAT(name, form, gradient, hessian)                                                           \
    if (fl_spreads_target(form))                                                                             \
        fl_##name##_across(t, form, gradient, hessian);                                                      \
    else                                                                                                     \
        fl_##name##_flat(t, form, gradient, hessian)

#define FL_FEW_FUSED(name, form, gradient, hessian)                                                          \
    if (t->n_classes == 2 || t->n_classes == 3)                                                              \
        fl_##name##_flat_two_or_three(t, form, gradient, hessian);                                           \
    else                                                                                                     \
        fl_##name##_across(t, form, gradient, hessian)

#define FL_DEFINE_GATHER_V_PLAIN(name, form)
#define FL_DEFINE_GATHER_V_SCANNED(name, form)
#define FL_DEFINE_GATHER_V_SOFTMAX(name, form)                                                               \
    static void fl_##name##_##form##_gather_v(const fl_row_tile *t, size_t from, size_t to) {                \
        fl_##name##_gather(t, from, to, form, 0, 0);                                                         \
    }
#define FL_DEFINE_GATHER_V_FLAT FL_DEFINE_GATHER_V_SOFTMAX
#define FL_DEFINE_GATHER_V_FUSED FL_DEFINE_GATHER_V_SOFTMAX
#define FL_DEFINE_HESSIAN_0(name, form, kind)
#define FL_DEFINE_HESSIAN_1(name, form, kind)                                                                \
    static void fl_##name##_##form##_few_h(const fl_row_tile *t) {                                           \
        FL_FEW_##kind(name, form, 1, 1);                                                                     \
    }                                                                                                        \
    static void fl_##name##_##form##_emit_h(const fl_row_tile *t, size_t from, size_t to) {                  \
        fl_##name##_emit_chunks(t, from, to, form, 1);                                                       \
    }
#define FL_GATHER_V_PLAIN(name, form) fl_##name##_##form##_gather_g
#define FL_GATHER_V_SCANNED(name, form) fl_##name##_##form##_gather_g
#define FL_GATHER_V_SOFTMAX(name, form) fl_##name##_##form##_gather_v
#define FL_GATHER_V_FLAT FL_GATHER_V_SOFTMAX
#define FL_GATHER_V_FUSED FL_GATHER_V_SOFTMAX
#define FL_FEW_H_0(name, form) fl_##name##_##form##_few_g
#define FL_FEW_H_1(name, form) fl_##name##_##form##_few_h
#define FL_EMIT_H_0(name, form) fl_##name##_##form##_emit_g
#define FL_EMIT_H_1(name, form) fl_##name##_##form##_emit_h

#define FL_ROW_FORMS_LABELS(X, name, kind, has_hessian) X(name, FL_BY_LABEL, kind, has_hessian)
#define FL_ROW_FORMS_DENSE(X, name, kind, has_hessian) X(name, FL_DENSE, kind, has_hessian)
#define FL_ROW_FORMS_LEVELS(X, name, kind, has_hessian) X(name, FL_DENSE_WEIGHTED, kind, has_hessian)
#define FL_ROW_FORMS_LINK(X, name, kind, has_hessian) X(name, FL_NO_TARGET, kind, has_hessian)
#define FL_ROW_FORMS_ALL(X, name, kind, has_hessian)                                                         \
    X(name, FL_BY_LABEL, kind, has_hessian)                                                                  \
    X(name, FL_SMOOTHED, kind, has_hessian)                                                                  \
    X(name, FL_DENSE, kind, has_hessian) X(name, FL_DENSE_WEIGHTED, kind, has_hessian)

FL_ROW_KERNELS(FL_DEFINE_ROWS)

#define FL_LIST_ROW_FORM(name, form, kind, has_hessian)                                                      \
    [form] = {                                                                                               \
        {fl_##name##_##form##_few_v, FL_GATHER_V_##kind(name, form), fl_##name##_##form##_combine, NULL},    \
        {fl_##name##_##form##_few_g, fl_##name##_##form##_gather_g, fl_##name##_##form##_combine,            \
         fl_##name##_##form##_emit_g},                                                                       \
        {FL_FEW_H_##has_hessian(name, form), fl_##name##_##form##_gather_g, fl_##name##_##form##_combine,    \
         FL_EMIT_H_##has_hessian(name, form)}},
#define FL_LIST_ROWS(name, kind, forms, y, z, has_hessian, checks_sum)                                       \
    {FL_ROW_FORMS_##forms(FL_LIST_ROW_FORM, name, kind, has_hessian)},

static const fl_row_kernel fl_row_kernels[FL_N_ROW_KERNELS] = {FL_ROW_KERNELS(FL_LIST_ROWS)};

#endif
