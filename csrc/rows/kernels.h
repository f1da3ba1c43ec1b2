/* The loops over the rows of a tile, instantiated for every kernel, form of target and set of outputs, for the
 * precision FL_PRECISION and the instruction set that this translation unit is compiled for; and the table of them.
 *
 * Across rows, the loop over classes is outside and takes four classes at a time: their terms are added to each other
 * before they go to the row's sums, which live in the tile's state. Along rows, a chunk of classes becomes terms in
 * scratch, which are added up as a binary tree, and the chunks of a row are merged as one: few additions lie between
 * a term and the sum, and their order depends on nothing but the number of classes. */
#ifndef FL_ROWS_KERNELS_H
#define FL_ROWS_KERNELS_H

#include "list.h"

#include "cross_entropy.h"
#include "divergence.h"
#include "euclidean.h"
#include "focal.h"
#include "hinge.h"

enum { FL_ROW_TILE = 512 / sizeof(real), FL_ROW_CHUNK = 4096 / sizeof(real) };

#if defined(__GNUC__) && !defined(__clang__)
#define FL_ROW_LOOP _Pragma("GCC ivdep")
#else
#define FL_ROW_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif

#define FL_STATE_FIELD(type, name) _Alignas(64) type name[FL_ROW_TILE];
typedef struct {
    FL_ROW_FIELDS(FL_STATE_FIELD)
} fl_row_state;

FL_INLINE fl_row fl_row_get(const fl_row_state *s, size_t i) {
    fl_row row;
#define FL_GET_FIELD(type, name) row.name = s->name[i];
    FL_ROW_FIELDS(FL_GET_FIELD)
    return row;
}

FL_INLINE void fl_row_put(fl_row_state *s, size_t i, fl_row row) {
#define FL_PUT_FIELD(type, name) s->name[i] = row.name;
    FL_ROW_FIELDS(FL_PUT_FIELD)
}

FL_INLINE fl_row_setting fl_setting_of(const fl_row_tile *t, int form) {
    return (fl_row_setting){form, (real)t->options->gamma, t->options->gamma, t->options->log_base};
}

FL_INLINE int fl_has_labels(int form) {
    return form == FL_BY_LABEL || form == FL_SMOOTHED;
}

FL_INLINE int fl_has_matrix(int form) {
    return form == FL_DENSE || form == FL_DENSE_WEIGHTED;
}

/* What a row knows before its predictions are read: labels are in range or negative. */
static void fl_row_begin(const fl_row_tile *t, int form) {
    fl_row_state *s = t->state;
    size_t n = t->n_rows, padded = (n + 15) & ~(size_t)15;
    int across = t->n_classes <= FL_ACROSS_LIMIT;
    const real *z = t->prediction.data, *own_weight = t->options->own, *weight = t->weight;
    ptrdiff_t row_step = across ? 1 : t->prediction.stride, class_step = across ? t->prediction.stride : 1;
    const real_int *label = t->label;
    real scale = (real)t->scale;
    for (size_t i = 0; i < padded; i++) {
        s->reference[i] = -FL_INFINITY;
        s->poison[i] = s->a[i] = s->b[i] = s->c[i] = s->d[i] = 0;
        s->first[i] = FL_NOT_FOUND;
        s->class_weight[i] = 1;
        s->own[i] = 0;
        s->label[i] = 0;
    }
    FL_ROW_LOOP
    for (size_t i = 0; i < padded; i++)
        s->weight[i] = weight ? weight[i] * scale : scale;
    if (!fl_has_labels(form))
        return;
    for (size_t i = 0; i < padded; i++)
        s->label[i] = label[i];
    for (size_t i = 0; i < n; i++)
        s->own[i] = z[(ptrdiff_t)i * row_step + (ptrdiff_t)(label[i] < 0 ? 0 : label[i]) * class_step];
    for (size_t i = 0; i < n && own_weight; i++)
        s->class_weight[i] = own_weight[label[i] < 0 ? 0 : label[i]];
}

/* The sum of n numbers as a binary tree, which destroys them. */
static real fl_tree_sum(real *x, size_t n) {
    size_t width = 1;
    while (width * 2 < n)
        width *= 2;
    for (; n > 1; n = width, width /= 2) {
        FL_ROW_LOOP
        for (size_t i = 0; i < n - width; i++)
            x[i] += x[i + width];
    }
    return n ? x[0] : 0;
}

#define FL_ENTRY(zi, yi, ki)                                                                                 \
    ((fl_row_entry){zi, fl_has_matrix(form) ? (yi) : 0, form == FL_DENSE_WEIGHTED || form == FL_SMOOTHED ? own[ki] : 0,  \
                    form == FL_DENSE_WEIGHTED || form == FL_SMOOTHED ? base[ki] : 0, (real_int)(ki),         \
                    fl_has_labels(form) && (real_int)(ki) == row.label})

/* The entry of class k + j of row i. */
#define FL_ACROSS_ENTRY(j) FL_ENTRY(z[i + (k + j) * z_step], y[i + (k + j) * y_step], k + j)

#define FL_ACROSS_KEEP(j, t)                                                                                 \
    if (want_gradient && keeps)                                                                              \
        g[i + (k + j) * g_step] = t.kept;                                                                    \
    row.first = t.first < row.first ? t.first : row.first;

/* Adds the terms of four classes from k on to the rows' sums, then those of one. Without inner loops, which would keep
 * the loop over rows from being vectorised. */
#define FL_ACROSS_TERMS_4(name)                                                                              \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = fl_row_get(s, i);                                                                       \
        fl_row_term t0 = name##_term(FL_ACROSS_ENTRY(0), row, o), t1 = name##_term(FL_ACROSS_ENTRY(1), row, o); \
        fl_row_term t2 = name##_term(FL_ACROSS_ENTRY(2), row, o), t3 = name##_term(FL_ACROSS_ENTRY(3), row, o); \
        FL_ACROSS_KEEP(0, t0)                                                                                \
        FL_ACROSS_KEEP(1, t1)                                                                                \
        FL_ACROSS_KEEP(2, t2)                                                                                \
        FL_ACROSS_KEEP(3, t3)                                                                                \
        s->a[i] = row.a + ((t0.a + t1.a) + (t2.a + t3.a));                                                   \
        s->b[i] = row.b + ((t0.b + t1.b) + (t2.b + t3.b));                                                   \
        s->c[i] = row.c + ((t0.c + t1.c) + (t2.c + t3.c));                                                   \
        s->d[i] = row.d + ((t0.d + t1.d) + (t2.d + t3.d));                                                   \
        s->first[i] = row.first;                                                                             \
    }

#define FL_ACROSS_TERMS_1(name)                                                                              \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = fl_row_get(s, i);                                                                       \
        fl_row_term t0 = name##_term(FL_ACROSS_ENTRY(0), row, o);                                            \
        FL_ACROSS_KEEP(0, t0)                                                                                \
        s->a[i] = row.a + t0.a;                                                                              \
        s->b[i] = row.b + t0.b;                                                                              \
        s->c[i] = row.c + t0.c;                                                                              \
        s->d[i] = row.d + t0.d;                                                                              \
        s->first[i] = row.first;                                                                             \
    }

#define FL_ACROSS_SCAN_STEP(name, j)                                                                         \
    scan = name##_scan(FL_ACROSS_ENTRY(j), row);                                                             \
    row.reference = scan.candidate > row.reference ? scan.candidate : row.reference;                         \
    row.poison += scan.poison;

#define FL_ACROSS_SCAN(name, steps)                                                                          \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = fl_row_get(s, i);                                                                       \
        fl_row_scan scan;                                                                                    \
        steps s->reference[i] = row.reference;                                                               \
        s->poison[i] = row.poison;                                                                           \
    }
#define FL_ACROSS_SCAN_4(name)                                                                               \
    FL_ACROSS_SCAN(name, FL_ACROSS_SCAN_STEP(name, 0) FL_ACROSS_SCAN_STEP(name, 1) FL_ACROSS_SCAN_STEP(name, 2) \
                             FL_ACROSS_SCAN_STEP(name, 3))
#define FL_ACROSS_SCAN_1(name) FL_ACROSS_SCAN(name, FL_ACROSS_SCAN_STEP(name, 0))

/* The term of a class of a chunk. */
#define FL_ALONG_TERM(name, j, at)                                                                           \
    fl_row_term t##j = name##_term(FL_ENTRY(z[at], y[at], at), row, o);                                      \
    if (want_gradient && keeps)                                                                              \
        g[at] = t##j.kept;                                                                                   \
    first = t##j.first < first ? t##j.first : first;

#define FL_DEFINE_ROWS(name, kind, forms, y_domain, z_domain, has_hessian, checks_sum)                                 \
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
        const fl_row_setting o = fl_setting_of(tile, form);                                                  \
        fl_row_begin(tile, form);                                                                            \
        size_t k = 0;                                                                                        \
        if (FL_SCANS_##kind) {                                                                               \
            for (; k + 4 <= n_classes; k += 4)                                                               \
                FL_ACROSS_SCAN_4(name)                                                                       \
            for (; k < n_classes; k++)                                                                       \
                FL_ACROSS_SCAN_1(name)                                                                       \
        }                                                                                                    \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < n; i++)                                                                       \
            fl_row_put(s, i, name##_prepare(fl_row_get(s, i)));                                              \
        for (k = 0; k + 4 <= n_classes; k += 4)                                                              \
            FL_ACROSS_TERMS_4(name)                                                                          \
        for (; k < n_classes; k++)                                                                           \
            FL_ACROSS_TERMS_1(name)                                                                          \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < n; i++)                                                                       \
            fl_row_put(s, i, name##_finish(name##_close(fl_row_get(s, i)), o));                              \
        memcpy(value, s->value, n * sizeof(real));                                                           \
        if (checks_sum)                                                                                            \
            memcpy(tile->row_sum, s->d, n * sizeof(real));                                                   \
        if (!want_gradient)                                                                                  \
            return;                                                                                          \
        const real *x = keeps ? g : z;                                                                       \
        size_t x_step = keeps ? g_step : z_step;                                                             \
        for (k = 0; k < n_classes; k++) {                                                                    \
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
                                      const int want_gradient) {                                             \
        const int keeps = FL_KEEPS_##kind;                                                                   \
        size_t start = chunk * FL_ROW_CHUNK, n_classes = tile->n_classes;                                    \
        size_t n = n_classes - start < FL_ROW_CHUNK ? n_classes - start : FL_ROW_CHUNK;                      \
        size_t n_chunks = (n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;                                     \
        const real *z = (const real *)tile->prediction.data + (ptrdiff_t)r * tile->prediction.stride + start; \
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
        const fl_row_setting o = fl_setting_of(tile, form);                                                  \
        fl_row row = fl_row_get(tile->state, r);                                                             \
        row.label -= (real_int)start; /* classes are counted from the chunk's start */                       \
        real reference = -FL_INFINITY, poison = 0;                                                           \
        if (FL_SCANS_##kind) {                                                                               \
            _Pragma("omp simd reduction(max : reference) reduction(+ : poison)")                             \
            for (size_t i = 0; i < n; i++) {                                                                 \
                fl_row_scan c = name##_scan(FL_ENTRY(z[i], y[i], i), row);                                   \
                reference = c.candidate > reference ? c.candidate : reference;                               \
                poison += c.poison;                                                                          \
            }                                                                                                \
        }                                                                                                    \
        row.reference = reference;                                                                           \
        row.poison = poison;                                                                                 \
        row = name##_prepare(row);                                                                           \
        const int adds = name##_adds(form);                                                                  \
        _Alignas(64) real a[FL_ROW_CHUNK], c[FL_ROW_CHUNK], d[FL_ROW_CHUNK];                                 \
        real count = 0;                                                                                      \
        real_int first = FL_NOT_FOUND;                                                                       \
        size_t quarter = n / 4 & ~(size_t)15, whole = 4 * quarter, n_sums = n - 3 * quarter;                 \
        _Pragma("omp simd reduction(+ : count) reduction(min : first)")                                      \
        for (size_t i = 0; i < quarter; i++) {                                                               \
            FL_ALONG_TERM(name, 0, i)                                                                        \
            FL_ALONG_TERM(name, 1, i + quarter)                                                              \
            FL_ALONG_TERM(name, 2, i + 2 * quarter)                                                          \
            FL_ALONG_TERM(name, 3, i + 3 * quarter)                                                          \
            count += (t0.b + t1.b) + (t2.b + t3.b);                                                          \
            a[i] = (t0.a + t1.a) + (t2.a + t3.a);                                                            \
            c[i] = (t0.c + t1.c) + (t2.c + t3.c);                                                            \
            d[i] = (t0.d + t1.d) + (t2.d + t3.d);                                                            \
        }                                                                                                    \
        _Pragma("omp simd reduction(+ : count) reduction(min : first)")                                      \
        for (size_t i = quarter; i < n_sums; i++) {                                                          \
            FL_ALONG_TERM(name, 0, i + whole - quarter)                                                      \
            count += t0.b;                                                                                   \
            a[i] = t0.a;                                                                                     \
            c[i] = t0.c;                                                                                     \
            d[i] = t0.d;                                                                                     \
        }                                                                                                    \
        row.a = adds & FL_ADDS_A ? fl_tree_sum(a, n_sums) : 0;                                               \
        row.b = count;                                                                                       \
        row.c = adds & FL_ADDS_C ? fl_tree_sum(c, n_sums) : 0;                                               \
        row.d = adds & FL_ADDS_D ? fl_tree_sum(d, n_sums) : 0;                                               \
        row.first = first == FL_NOT_FOUND ? first : first + (real_int)start;                                 \
        row.label += (real_int)start;                                                                        \
        ((fl_row *)tile->partial)[r * n_chunks + chunk] = name##_close(row);                                 \
    }                                                                                                        \
    FL_INLINE void fl_##name##_combine(const fl_row_tile *tile, const int form) {                            \
        size_t n = tile->n_rows, n_chunks = (tile->n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;             \
        fl_row_state *s = tile->state;                                                                       \
        const fl_row_setting o = fl_setting_of(tile, form);                                                  \
        for (size_t r = 0; r < n; r++) {                                                                     \
            const fl_row *partial = (const fl_row *)tile->partial + r * n_chunks;                            \
            fl_row level[48], row = partial[0];                                                              \
            for (size_t i = 0; i < n_chunks; i++) {                                                          \
                int depth = 0;                                                                               \
                row = partial[i];                                                                            \
                for (; i >> depth & 1; depth++)                                                              \
                    row = name##_merge(level[depth], row);                                                   \
                level[depth] = row;                                                                          \
            }                                                                                                \
            for (int depth = 0, have = 0; n_chunks >> depth; depth++)                                        \
                if (n_chunks >> depth & 1) {                                                                 \
                    row = have ? name##_merge(level[depth], row) : level[depth];                             \
                    have = 1;                                                                                \
                }                                                                                            \
            fl_row_put(s, r, row);                                                                           \
        }                                                                                                    \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < 16; i++)                                                                      \
            fl_row_put(s, i, name##_finish(fl_row_get(s, i), o));                                            \
        memcpy(tile->value, s->value, n * sizeof(real));                                                     \
        if (checks_sum)                                                                                            \
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
        const real *x = keeps ? g : (const real *)tile->prediction.data + (ptrdiff_t)r * tile->prediction.stride + start; \
        const fl_row_setting o = fl_setting_of(tile, form);                                                  \
        fl_row row = fl_row_get(tile->state, r);                                                             \
        if (fl_has_labels(form) && row.label < 0) {                                                          \
            memset(g, 0, n * sizeof(real));                                                                  \
            if (want_hessian)                                                                                \
                memset(h, 0, n * sizeof(real));                                                              \
            return;                                                                                          \
        }                                                                                                    \
        row.label -= (real_int)start;                                                                        \
        row.first -= (real_int)start;                                                                        \
        real factor = keeps ? fl_softmax_factor(((const fl_row *)tile->partial)[r * n_chunks + chunk], row) : 1; \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                                     \
            real xi = keeps ? x[i] * factor : x[i];                                                          \
            fl_row_slopes slopes = name##_emit(FL_ENTRY(xi, y[i], i), row, o);                               \
            g[i] = slopes.gradient;                                                                          \
            if (want_hessian)                                                                                \
                h[i] = slopes.hessian;                                                                       \
        }                                                                                                    \
    }                                                                                                        \
    FL_ROW_FORMS_##forms(FL_DEFINE_ROW_FORM, name)

#define FL_DEFINE_ROW_FORM(name, form)                                                                       \
    static void fl_##name##_##form##_across_v(const fl_row_tile *t) { fl_##name##_across(t, form, 0, 0); }   \
    static void fl_##name##_##form##_across_g(const fl_row_tile *t) { fl_##name##_across(t, form, 1, 0); }   \
    static void fl_##name##_##form##_across_h(const fl_row_tile *t) { fl_##name##_across(t, form, 1, 1); }   \
    static void fl_##name##_##form##_gather_v(const fl_row_tile *t, size_t r, size_t c) {                    \
        fl_##name##_gather(t, r, c, form, 0);                                                                \
    }                                                                                                        \
    static void fl_##name##_##form##_gather_g(const fl_row_tile *t, size_t r, size_t c) {                    \
        fl_##name##_gather(t, r, c, form, 1);                                                                \
    }                                                                                                        \
    static void fl_##name##_##form##_combine(const fl_row_tile *t) { fl_##name##_combine(t, form); }         \
    static void fl_##name##_##form##_emit_g(const fl_row_tile *t, size_t r, size_t c) {                      \
        fl_##name##_emit_chunk(t, r, c, form, 0);                                                            \
    }                                                                                                        \
    static void fl_##name##_##form##_emit_h(const fl_row_tile *t, size_t r, size_t c) {                      \
        fl_##name##_emit_chunk(t, r, c, form, 1);                                                            \
    }

#define FL_ROW_FORMS_LABELS(X, name) X(name, FL_BY_LABEL)
#define FL_ROW_FORMS_DENSE(X, name) X(name, FL_DENSE)
#define FL_ROW_FORMS_LINK(X, name) X(name, FL_NO_TARGET)
#define FL_ROW_FORMS_ALL(X, name)                                                                            \
    X(name, FL_BY_LABEL) X(name, FL_SMOOTHED) X(name, FL_DENSE) X(name, FL_DENSE_WEIGHTED)

FL_ROW_KERNELS(FL_DEFINE_ROWS)

#define FL_LIST_ROW_FORM(name, form)                                                                         \
    [form] = {{fl_##name##_##form##_across_v, fl_##name##_##form##_gather_v, fl_##name##_##form##_combine, NULL},  \
              {fl_##name##_##form##_across_g, fl_##name##_##form##_gather_g, fl_##name##_##form##_combine,   \
               fl_##name##_##form##_emit_g},                                                                 \
              {fl_##name##_##form##_across_h, fl_##name##_##form##_gather_g, fl_##name##_##form##_combine,   \
               fl_##name##_##form##_emit_h}},
#define FL_LIST_ROWS(name, kind, forms, y, z, has_hessian, checks_sum) {FL_ROW_FORMS_##forms(FL_LIST_ROW_FORM, name)},

static const fl_row_kernel fl_row_kernels[FL_N_ROW_KERNELS] = {FL_ROW_KERNELS(FL_LIST_ROWS)};

#endif
