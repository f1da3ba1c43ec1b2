/* The loops over the rows of a tile, instantiated for every kernel, form of target and set of outputs, for
 * the precision FL_PRECISION and the instruction set that this translation unit is compiled for; and the
 * table of them.
 *
 * Across rows, the loop over classes is outside and takes four classes at a time: their terms are added to
 * each other before they go to the row's sums, which live in the tile's state. Along rows, a chunk of classes
 * becomes terms in scratch, which are added up as a binary tree, and the chunks of a row are merged as one:
 * few additions lie between a term and the sum, and their order depends on nothing but the number of classes.
 */
#ifndef FL_ROWS_KERNELS_H
#define FL_ROWS_KERNELS_H

#include "list.h"

#include "across.h"
#include "along.h"
#include "cross_entropy.h"
#include "divergence.h"
#include "euclidean.h"
#include "focal.h"
#include "hinge.h"
#include "state.h"
#include "two_classes.h"

#define FL_ENTRY(zi, yi, ki)                                                                                 \
    ((fl_row_entry){zi, fl_has_matrix(form) ? (yi) : 0,                                                      \
                    form == FL_DENSE_WEIGHTED || form == FL_SMOOTHED ? own[ki] : 0,                          \
                    form == FL_DENSE_WEIGHTED || form == FL_SMOOTHED ? base[ki] : 0, (real_int)(ki),         \
                    fl_has_labels(form) && (real_int)(ki) == row.label})

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
        const int scans = FL_SCANS_##kind, checks = checks_sum, adds = name##_adds(o);                       \
        const real_int *label = tile->label;                                                                 \
        real *sums = tile->row_sum;                                                                          \
        const int fuses = keeps && form == FL_BY_LABEL; /* elsewhere it would not pay for its code */        \
        if (fuses && n_classes <= 3) {                                                                       \
            FL_FETCH_INPUTS(0, n_classes)                                                                    \
            FL_FETCH_OUTPUTS(0, n_classes)                                                                   \
            if (FL_ROWS_##name == FL_ROWS_cross_entropy && n_classes == 2) {                                 \
                fl_cross_entropy_of_two(tile, want_gradient, want_hessian);                                  \
                return;                                                                                      \
            }                                                                                                \
            fl_begin_weights(tile);                                                                          \
            fl_begin_class_weights(tile, form);                                                              \
        }                                                                                                    \
        if (fuses && n_classes == 2) {                                                                       \
            o.own_term = 1;                                                                                  \
            FL_ACROSS_FUSED(name, FL_WITHOUT)                                                                \
            return;                                                                                          \
        }                                                                                                    \
        if (fuses && n_classes == 3) {                                                                       \
            o.own_term = 1;                                                                                  \
            FL_ACROSS_FUSED(name, FL_WITH)                                                                   \
            return;                                                                                          \
        }                                                                                                    \
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
    FL_INLINE void fl_##name##_gather(const fl_row_tile *tile, size_t r, size_t chunk, const int form,       \
                                      const int want_gradient, const int want_hessian) {                     \
        const int keeps = FL_KEEPS_##kind;                                                                   \
        size_t start = chunk * FL_ROW_CHUNK, n_classes = tile->n_classes;                                    \
        size_t n = n_classes - start < FL_ROW_CHUNK ? n_classes - start : FL_ROW_CHUNK;                      \
        size_t n_chunks = (n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;                                     \
        const real *z =                                                                                      \
            (const real *)tile->prediction.data + (ptrdiff_t)r * tile->prediction.stride + start;            \
        const real *y = NULL, *own = NULL, *base = NULL;                                                     \
        if (fl_has_matrix(form))                                                                             \
            y = (const real *)tile->target.data + (ptrdiff_t)r * tile->target.stride + start;                \
        if (form == FL_SMOOTHED || form == FL_DENSE_WEIGHTED) {                                              \
            own = (const real *)tile->options->own + start;                                                  \
            base = (const real *)tile->options->base + start;                                                \
        }                                                                                                    \
        real *g = NULL;                                                                                      \
        if (want_gradient && keeps)                                                                          \
            g = (real *)tile->gradient.data + (ptrdiff_t)r * tile->gradient.stride + start;                  \
        const fl_row_setting o = fl_setting_of(tile, form, 0, want_hessian);                                 \
        fl_row row = fl_row_get(tile->state, r);                                                             \
        row.label -= (real_int)start; /* classes are counted from the chunk's start */                       \
        if (FL_SCANS_##kind) {                                                                               \
            FL_ALONG_SCAN(name)                                                                              \
        }                                                                                                    \
        row = name##_prepare(row);                                                                           \
        const int adds = name##_adds(o);                                                                     \
        /* The true class is left out of the loop, and its slopes and its sum are put right afterwards. */   \
        const real_int label = row.label;                                                                    \
        const int patches = keeps && form == FL_BY_LABEL;                                                    \
        row.label = patches ? -1 : label;                                                                    \
        _Alignas(64) real a[FL_ROW_CHUNK], c[FL_ROW_CHUNK], d[FL_ROW_CHUNK];                                 \
        real count = 0;                                                                                      \
        real_int first = FL_NOT_FOUND;                                                                       \
        size_t quarter = n / 4 & ~(size_t)15, whole = 4 * quarter, n_sums = n - 3 * quarter;                 \
        for (size_t block = 0; block < quarter; block += FL_FETCH_BLOCK) {                                   \
            size_t block_end = quarter - block < FL_FETCH_BLOCK ? quarter : block + FL_FETCH_BLOCK;          \
            fl_fetch_chunk(z + FL_ROW_CHUNK + 4 * block, 0);                                                 \
            if (fl_has_matrix(form))                                                                         \
                fl_fetch_chunk(y + FL_ROW_CHUNK + 4 * block, 0);                                             \
            if (want_gradient && keeps)                                                                      \
                fl_fetch_chunk(g + FL_ROW_CHUNK + 4 * block, 1);                                             \
            _Pragma("omp simd reduction(+ : count) reduction(min : first)") for (size_t i = block;           \
                                                                                 i < block_end; i++) {       \
                FL_ALONG_TERM(name, 0, i)                                                                    \
                FL_ALONG_TERM(name, 1, i + quarter)                                                          \
                FL_ALONG_TERM(name, 2, i + 2 * quarter)                                                      \
                FL_ALONG_TERM(name, 3, i + 3 * quarter)                                                      \
                if (adds & FL_ADDS_B)                                                                        \
                    count += (t0.b + t1.b) + (t2.b + t3.b);                                                  \
                a[i] = (t0.a + t1.a) + (t2.a + t3.a);                                                        \
                c[i] = (t0.c + t1.c) + (t2.c + t3.c);                                                        \
                d[i] = (t0.d + t1.d) + (t2.d + t3.d);                                                        \
            }                                                                                                \
        }                                                                                                    \
        _Pragma("omp simd reduction(+ : count) reduction(min : first)") for (size_t i = quarter; i < n_sums; \
                                                                             i++) {                          \
            FL_ALONG_TERM(name, 0, i + whole - quarter)                                                      \
            if (adds & FL_ADDS_B)                                                                            \
                count += t0.b;                                                                               \
            a[i] = t0.a;                                                                                     \
            c[i] = t0.c;                                                                                     \
            d[i] = t0.d;                                                                                     \
        }                                                                                                    \
        if (patches && label >= 0 && (size_t)label < n) {                                                    \
            size_t at = (size_t)label, from = at < whole ? at % quarter : at - whole + quarter;              \
            real kept[4] = {0};                                                                              \
            for (size_t j = 0; j < 4 && at < whole; j++)                                                     \
                if (from + j * quarter != at)                                                                \
                    kept[j] = FL_ALONG_KEPT(name, from + j * quarter);                                       \
            a[from] = (kept[0] + kept[1]) + (kept[2] + kept[3]);                                             \
        }                                                                                                    \
        row.label = label;                                                                                   \
        row.a = adds & FL_ADDS_A ? fl_tree_sum(a, n_sums) : 0;                                               \
        row.b = count;                                                                                       \
        row.c = adds & FL_ADDS_C ? fl_tree_sum(c, n_sums) : 0;                                               \
        row.d = adds & FL_ADDS_D ? fl_tree_sum(d, n_sums) : 0;                                               \
        row.first = first == FL_NOT_FOUND ? first : first + (real_int)start;                                 \
        row.label += (real_int)start;                                                                        \
        ((fl_row *)tile->partial)[r * n_chunks + chunk] = name##_close(row, o);                              \
    }                                                                                                        \
    FL_INLINE void fl_##name##_combine(const fl_row_tile *tile, const int form) {                            \
        size_t n = tile->n_rows, n_chunks = (tile->n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;             \
        fl_row_state *s = tile->state;                                                                       \
        const fl_row_setting o = fl_setting_of(tile, form, 0, 0);                                            \
        for (size_t r = 0; r < n; r++) {                                                                     \
            const fl_row *partial = (const fl_row *)tile->partial + r * n_chunks;                            \
            fl_row level[48], row = partial[0];                                                              \
            for (size_t i = 0; i < n_chunks; i++) {                                                          \
                int depth = 0;                                                                               \
                row = partial[i];                                                                            \
                for (; i >> depth & 1; depth++)                                                              \
                    row = name##_merge(level[depth], row, o);                                                \
                level[depth] = row;                                                                          \
            }                                                                                                \
            for (int depth = 0, have = 0; n_chunks >> depth; depth++)                                        \
                if (n_chunks >> depth & 1) {                                                                 \
                    row = have ? name##_merge(level[depth], row, o) : level[depth];                          \
                    have = 1;                                                                                \
                }                                                                                            \
            fl_row_put(s, r, row);                                                                           \
        }                                                                                                    \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < 16; i++)                                                                      \
            fl_row_put(s, i, name##_finish(fl_row_get(s, i), o));                                            \
        memcpy(tile->value, s->value, n * sizeof(real));                                                     \
        if (checks_sum)                                                                                      \
            memcpy(tile->row_sum, s->d, n * sizeof(real));                                                   \
    }                                                                                                        \
    FL_INLINE void fl_##name##_emit_chunk(const fl_row_tile *tile, size_t r, size_t chunk, const int form,   \
                                          const int want_hessian) {                                          \
        const int keeps = FL_KEEPS_##kind;                                                                   \
        size_t start = chunk * FL_ROW_CHUNK, n_classes = tile->n_classes;                                    \
        size_t n = n_classes - start < FL_ROW_CHUNK ? n_classes - start : FL_ROW_CHUNK;                      \
        size_t n_chunks = (n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;                                     \
        const real *y = NULL, *own = NULL, *base = NULL;                                                     \
        if (fl_has_matrix(form))                                                                             \
            y = (const real *)tile->target.data + (ptrdiff_t)r * tile->target.stride + start;                \
        if (form == FL_SMOOTHED || form == FL_DENSE_WEIGHTED) {                                              \
            own = (const real *)tile->options->own + start;                                                  \
            base = (const real *)tile->options->base + start;                                                \
        }                                                                                                    \
        real *g = (real *)tile->gradient.data + (ptrdiff_t)r * tile->gradient.stride + start, *h = NULL;     \
        if (want_hessian)                                                                                    \
            h = (real *)tile->hessian.data + (ptrdiff_t)r * tile->hessian.stride + start;                    \
        const real *x =                                                                                      \
            keeps ? g                                                                                        \
                  : (const real *)tile->prediction.data + (ptrdiff_t)r * tile->prediction.stride + start;    \
        const fl_row_setting o = fl_setting_of(tile, form, 0, want_hessian);                                 \
        fl_row row = fl_row_get(tile->state, r);                                                             \
        if (fl_has_labels(form) && row.label < 0) {                                                          \
            memset(g, 0, n * sizeof(real));                                                                  \
            if (want_hessian)                                                                                \
                memset(h, 0, n * sizeof(real));                                                              \
            return;                                                                                          \
        }                                                                                                    \
        row.label -= (real_int)start;                                                                        \
        row.first -= (real_int)start;                                                                        \
        const real_int label = row.label;                                                                    \
        const int patches = keeps && form == FL_BY_LABEL, has_own = patches && (size_t)label < n;            \
        row.label = patches ? -1 : label;                                                                    \
        real own_x = has_own ? x[label] : 0;                                                                 \
        real factor =                                                                                        \
            keeps ? fl_softmax_factor(((const fl_row *)tile->partial)[r * n_chunks + chunk], row) : 1;       \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                                     \
            real xi = keeps ? x[i] * factor : x[i];                                                          \
            fl_row_slopes slopes = name##_emit(FL_ENTRY(xi, y[i], i), row, o);                               \
            g[i] = slopes.gradient;                                                                          \
            if (want_hessian)                                                                                \
                h[i] = slopes.hessian;                                                                       \
        }                                                                                                    \
        if (has_own) {                                                                                       \
            row.label = label;                                                                               \
            fl_row_slopes slopes = name##_emit(FL_ENTRY(own_x * factor, y[label], label), row, o);           \
            g[label] = slopes.gradient;                                                                      \
            if (want_hessian)                                                                                \
                h[label] = slopes.hessian;                                                                   \
        }                                                                                                    \
    }                                                                                                        \
    FL_ROW_FORMS_##forms(FL_DEFINE_ROW_FORM, name, kind, has_hessian)

/* Where nothing is kept for the slopes, gathering for the value alone is the same; where there is no Hessian,
 * the functions for all outputs are those for value and gradient. */
#define FL_DEFINE_ROW_FORM(name, form, kind, has_hessian)                                                    \
    static void fl_##name##_##form##_across_v(const fl_row_tile *t) {                                        \
        fl_##name##_across(t, form, 0, 0);                                                                   \
    }                                                                                                        \
    static void fl_##name##_##form##_across_g(const fl_row_tile *t) {                                        \
        fl_##name##_across(t, form, 1, 0);                                                                   \
    }                                                                                                        \
    static void fl_##name##_##form##_gather_g(const fl_row_tile *t, size_t r, size_t c) {                    \
        if (FL_KEEPS_##kind && form == FL_BY_LABEL && t->hessian.data)                                       \
            fl_##name##_gather(t, r, c, form, 1, 1);                                                         \
        else                                                                                                 \
            fl_##name##_gather(t, r, c, form, 1, 0);                                                         \
    }                                                                                                        \
    static void fl_##name##_##form##_combine(const fl_row_tile *t) {                                         \
        fl_##name##_combine(t, form);                                                                        \
    }                                                                                                        \
    static void fl_##name##_##form##_emit_g(const fl_row_tile *t, size_t r, size_t c) {                      \
        fl_##name##_emit_chunk(t, r, c, form, 0);                                                            \
    }                                                                                                        \
    FL_DEFINE_GATHER_V_##kind(name, form) FL_DEFINE_HESSIAN_##has_hessian(name, form)

#define FL_DEFINE_GATHER_V_PLAIN(name, form)
#define FL_DEFINE_GATHER_V_SCANNED(name, form)
#define FL_DEFINE_GATHER_V_SOFTMAX(name, form)                                                               \
    static void fl_##name##_##form##_gather_v(const fl_row_tile *t, size_t r, size_t c) {                    \
        fl_##name##_gather(t, r, c, form, 0, 0);                                                             \
    }
#define FL_DEFINE_HESSIAN_0(name, form)
#define FL_DEFINE_HESSIAN_1(name, form)                                                                      \
    static void fl_##name##_##form##_across_h(const fl_row_tile *t) {                                        \
        fl_##name##_across(t, form, 1, 1);                                                                   \
    }                                                                                                        \
    static void fl_##name##_##form##_emit_h(const fl_row_tile *t, size_t r, size_t c) {                      \
        fl_##name##_emit_chunk(t, r, c, form, 1);                                                            \
    }
#define FL_GATHER_V_PLAIN(name, form) fl_##name##_##form##_gather_g
#define FL_GATHER_V_SCANNED(name, form) fl_##name##_##form##_gather_g
#define FL_GATHER_V_SOFTMAX(name, form) fl_##name##_##form##_gather_v
#define FL_ACROSS_H_0(name, form) fl_##name##_##form##_across_g
#define FL_ACROSS_H_1(name, form) fl_##name##_##form##_across_h
#define FL_EMIT_H_0(name, form) fl_##name##_##form##_emit_g
#define FL_EMIT_H_1(name, form) fl_##name##_##form##_emit_h

#define FL_ROW_FORMS_LABELS(X, name, kind, has_hessian) X(name, FL_BY_LABEL, kind, has_hessian)
#define FL_ROW_FORMS_DENSE(X, name, kind, has_hessian) X(name, FL_DENSE, kind, has_hessian)
#define FL_ROW_FORMS_LINK(X, name, kind, has_hessian) X(name, FL_NO_TARGET, kind, has_hessian)
#define FL_ROW_FORMS_ALL(X, name, kind, has_hessian)                                                         \
    X(name, FL_BY_LABEL, kind, has_hessian)                                                                  \
    X(name, FL_SMOOTHED, kind, has_hessian)                                                                  \
    X(name, FL_DENSE, kind, has_hessian) X(name, FL_DENSE_WEIGHTED, kind, has_hessian)

FL_ROW_KERNELS(FL_DEFINE_ROWS)

#define FL_LIST_ROW_FORM(name, form, kind, has_hessian)                                                      \
    [form] = {                                                                                               \
        {fl_##name##_##form##_across_v, FL_GATHER_V_##kind(name, form), fl_##name##_##form##_combine, NULL}, \
        {fl_##name##_##form##_across_g, fl_##name##_##form##_gather_g, fl_##name##_##form##_combine,         \
         fl_##name##_##form##_emit_g},                                                                       \
        {FL_ACROSS_H_##has_hessian(name, form), fl_##name##_##form##_gather_g, fl_##name##_##form##_combine, \
         FL_EMIT_H_##has_hessian(name, form)}},
#define FL_LIST_ROWS(name, kind, forms, y, z, has_hessian, checks_sum)                                       \
    {FL_ROW_FORMS_##forms(FL_LIST_ROW_FORM, name, kind, has_hessian)},

static const fl_row_kernel fl_row_kernels[FL_N_ROW_KERNELS] = {FL_ROW_KERNELS(FL_LIST_ROWS)};

#endif
