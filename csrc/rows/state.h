/* The rows of a tile while they are computed: an array for each field of a row, so that vectors run over
 * rows. */
#ifndef FL_ROWS_STATE_H
#define FL_ROWS_STATE_H

#include "../simd/loops.h"
#include "row.h"

FL_INLINE void fl_fetch_line(const void *line, const int for_writing) {
    if (for_writing)
        __builtin_prefetch(line, 1);
    else
        __builtin_prefetch(line);
}

/* An entry from its numbers, the place of its class in the tables of classes, and the class. */
#define FL_ENTRY_AT(zi, yi, at, ki)                                                                          \
    ((fl_row_entry){zi, fl_has_matrix(form) ? (yi) : 0,                                                      \
                    form == FL_DENSE_WEIGHTED || form == FL_SMOOTHED ? own[at] : 0,                          \
                    form == FL_DENSE_WEIGHTED || form == FL_SMOOTHED ? base[at] : 0, (real_int)(ki),         \
                    fl_has_labels(form) && (real_int)(ki) == row.label})
#define FL_ENTRY(zi, yi, ki) FL_ENTRY_AT(zi, yi, ki, ki)

/* So few that comparing the label with each class is faster than a load from memory for each row. */
enum { FL_FEW_CLASSES = 8 };

/* The sums of so many classes are put aside. */
enum { FL_FOLD = 32 };

#define FL_STATE_FIELD(type, name) _Alignas(64) type name[FL_ROW_TILE];
typedef struct fl_row_state {
    FL_ROW_FIELDS(FL_STATE_FIELD)
    /* a, c and d of earlier classes */
    FL_STATE_FIELD(real, folded_a)
    FL_STATE_FIELD(real, folded_c)
    FL_STATE_FIELD(real, folded_d)
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

/* What prepare, close and finish change. */
FL_INLINE void fl_row_put_prepared(fl_row_state *s, size_t i, fl_row row) {
    s->offset[i] = row.offset;
    s->scale[i] = row.scale;
    s->top[i] = row.top;
}

FL_INLINE void fl_row_put_finished(fl_row_state *s, size_t i, fl_row row) {
    s->top[i] = row.top;
    s->others[i] = row.others;
    s->a[i] = row.a;
    s->b[i] = row.b;
    s->d[i] = row.d;
    s->p[i] = row.p;
    s->q[i] = row.q;
    s->r[i] = row.r;
    s->s[i] = row.s;
    s->value[i] = row.value;
}

FL_INLINE fl_row_setting fl_setting_of(const fl_row_tile *t, int form, int across, int hessian) {
    return (fl_row_setting){form,
                            across,
                            hessian,
                            0,
                            0,
                            0,
                            (real)t->options->gamma,
                            (real)t->options->base_sum,
                            t->options->gamma,
                            t->options->log_base,
                            t->options->constant,
                            t->options->kink_width,
                            t->options->gauss_newton,
                            t->options->rounds_kinks};
}

FL_INLINE int fl_has_labels(int form) {
    return form == FL_BY_LABEL || form == FL_SMOOTHED;
}

FL_INLINE int fl_has_matrix(int form) {
    return form == FL_DENSE || form == FL_DENSE_WEIGHTED;
}

static void fl_begin_weights(const fl_row_tile *t) {
    fl_row_state *s = t->state;
    size_t padded = fl_round_up(t->n_rows);
    const real *weight = t->weight;
    real scale = (real)t->scale;
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < padded; i++)
        s->weight[i] = weight ? weight[i] * scale : scale;
}

static void fl_begin_class_weights(const fl_row_tile *t, int form) {
    fl_row_state *s = t->state;
    const real *own_weight = t->options->own;
    const real_int *label = t->label;
    for (size_t i = 0; i < fl_round_up(t->n_rows); i++)
        s->class_weight[i] = 1;
    for (size_t i = 0; i < t->n_rows && own_weight && fl_has_labels(form); i++)
        s->class_weight[i] = own_weight[label[i] < 0 ? 0 : label[i]];
}

/* What a row knows before its predictions are read: labels are in range or negative. */
static void fl_row_begin(const fl_row_tile *t, int form) {
    fl_row_state *s = t->state;
    size_t n = t->n_rows, padded = fl_round_up(n);
    const real *z = t->prediction.data;
    const real_int *label = t->label;
    for (size_t i = 0; i < padded; i++) {
        s->reference[i] = -FL_INFINITY;
        s->poison[i] = s->a[i] = s->b[i] = s->c[i] = s->d[i] = 0;
        s->folded_a[i] = s->folded_c[i] = s->folded_d[i] = 0;
        s->first[i] = FL_NOT_FOUND;
        s->own[i] = 0;
        s->label[i] = 0;
    }
    fl_begin_weights(t);
    fl_begin_class_weights(t, form);
    if (!fl_has_labels(form))
        return;
    for (size_t i = 0; i < padded; i++)
        s->label[i] = label[i];
    if (t->n_classes > FL_ACROSS_LIMIT) {
        /* Of rows of one chunk the scan fetches them, for which it does not wait as this would: 2-8 % of the
         * time. In longer ones the terms of a chunk may be written over its predictions before the next chunk
         * is scanned. */
        for (size_t i = 0; i < n && t->n_classes > FL_ROW_CHUNK; i++)
            s->own[i] = z[(ptrdiff_t)i * t->prediction.stride + (label[i] < 0 ? 0 : label[i])];
        return;
    }
    for (size_t i = 0; i < n && t->n_classes > FL_FEW_CLASSES; i++)
        s->own[i] = z[(ptrdiff_t)(label[i] < 0 ? 0 : label[i]) * t->prediction.stride + (ptrdiff_t)i];
    for (size_t k = 0; k < t->n_classes && t->n_classes <= FL_FEW_CLASSES; k++) {
        const real *z_k = z + (ptrdiff_t)k * t->prediction.stride;
        FL_INDEPENDENT_LOOP
        for (size_t i = 0; i < padded; i++)
            s->own[i] = label[i] == (real_int)k ? z_k[i] : s->own[i];
    }
}

/* Puts a sum so far aside, so that none is of more than a few dozen numbers. */
static void fl_fold_sum(real *sum, real *folded, size_t n) {
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < n; i++) {
        folded[i] += sum[i];
        sum[i] = 0;
    }
}

static void fl_unfold_sum(real *sum, const real *folded, size_t n) {
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < n; i++)
        sum[i] += folded[i];
}

#endif
