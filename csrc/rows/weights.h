/* The weights of rows: loaded and checked, added up, and what they do to results. Included by evaluate.c
 * alone.
 */
#ifndef FL_ROWS_WEIGHTS_H
#define FL_ROWS_WEIGHTS_H

#include <float.h>
#include <math.h>
#include <string.h>

#include "../pass/shares.h"
#include "pass.h"

static double fl_real_at(const fl_row_pass *p, const void *block, size_t i) {
    return p->call->float32 ? (double)((const float *)block)[i] : ((const double *)block)[i];
}

static void fl_set_real(const fl_row_pass *p, void *block, size_t i, double x) {
    if (p->call->float32)
        ((float *)block)[i] = (float)x;
    else
        ((double *)block)[i] = x;
}

static void fl_report(fl_row_segment *s, fl_status status, size_t row, size_t column, double value) {
    if (s->status != FL_OK && (row > s->bad_row || (row == s->bad_row && column >= s->bad_column)))
        return;
    s->status = status;
    s->bad_row = row;
    s->bad_column = column;
    s->bad_value = value;
}

/* Usual weights go to the tile. */
static void fl_load_row_weights(const fl_row_pass *p, size_t start, size_t n, fl_row_scratch *scratch,
                                fl_row_segment *s, fl_row_tile *t) {
    const fl_rows_call *c = p->call;
    int kinds = 0;
    scratch->has_zero_weight = p->has_zero_class;
    if (p->shares || !c->weight.data)
        return;
    const void *w = p->ops->load(&c->weight, start, n, scratch->weight, scratch->raw);
    size_t place = n; /* after everything else that is wrong in the tile */
    double bad = 0;
    fl_status status =
        fl_check_weights(&c->weight, w, start, n, c->float32, scratch->raw, &kinds, &place, &bad);
    if (status != FL_OK)
        fl_report(s, status, start + place, 0, bad);
    scratch->has_zero_weight |= (kinds & FL_ZERO_WEIGHTS) != 0;
    if (w != scratch->weight)
        memcpy(scratch->weight, w, n * p->ops->itemsize);
    for (size_t i = n; i < fl_round_up(n); i++)
        fl_set_real(p, scratch->weight, i, 0);
    t->weight = scratch->weight;
}

static void fl_count_rows(const fl_row_pass *p, const fl_row_tile *t, size_t start, size_t n,
                          fl_row_scratch *scratch, fl_row_segment *s) {
    if (!p->options.class_weight && !p->call->has_ignore_index && !p->shares) {
        fl_add(&s->counted, t->weight ? p->ops->sum(t->weight, fl_round_up(n)) : (double)n);
        s->n_counted += n;
        return;
    }
    double sum = 0, share[FL_SHARES];
    p->rows->counted(t, n, p->form, p->across, scratch->counted);
    if (p->shares)
        fl_load_shares(p->shares, start, n, share, scratch->raw);
    for (size_t i = 0; i < n; i++) {
        int ignored = fl_by_label(p) && (p->call->float32 ? ((const int32_t *)t->label)[i] < 0
                                                          : ((const int64_t *)t->label)[i] < 0);
        sum += p->shares ? scratch->counted[i] * share[i] : scratch->counted[i];
        s->n_counted += !ignored;
    }
    fl_add(&s->counted, sum);
}

/* `share` is NULL, or a number a row like the weights, which are then not loaded. */
static void fl_note_sums(const fl_row_pass *p, const fl_row_tile *t, size_t start, size_t n,
                         const double *share, fl_row_segment *s) {
    double tolerance = sqrt(p->call->float32 ? FLT_EPSILON : DBL_EPSILON);
    for (size_t i = 0; i < n && !s->has_off_row; i++) {
        double sum = fl_real_at(p, t->row_sum, i);
        int counts = share ? share[i] != 0 : !t->weight || fl_real_at(p, t->weight, i) != 0;
        if (counts && !(fabs(sum - 1) <= tolerance)) {
            s->has_off_row = 1;
            s->off_row = start + i;
            s->off_sum = sum;
        }
    }
}

/* The slopes of a tile of n rows times the rows' shares. */
static void fl_weigh_slopes(const fl_row_pass *p, const fl_row_tile *t, size_t n, const double *share) {
    int float32 = p->call->float32;
    const fl_row_matrix *matrices[] = {&t->gradient, &t->hessian};
    for (int m = 0; m < 2; m++) {
        char *line = matrices[m]->data;
        ptrdiff_t step = matrices[m]->stride * (ptrdiff_t)p->ops->itemsize;
        size_t n_lines = p->across ? t->n_classes : n;
        for (size_t i = 0; i < n_lines && line; i++, line += step) {
            if (p->across)
                fl_take_shares(line, share, 1, n, float32);
            else
                fl_take_shares(line, share + i, 0, t->n_classes, float32);
        }
    }
}

/* After the mathematics: what weights do to the results, and the values to their place. */
static void fl_weigh_rows(const fl_row_pass *p, const fl_row_tile *t, size_t start, size_t n,
                          fl_row_scratch *scratch, fl_row_segment *s) {
    const fl_rows_call *c = p->call;
    double share[FL_SHARES];
    if (p->shares)
        fl_load_shares(p->shares, start, n, share, scratch->raw);
    if (p->kernel->checks_sum)
        fl_note_sums(p, t, start, n, p->shares ? share : NULL, s);
    if (scratch->has_zero_weight)
        p->rows->clear(t, p->across, p->form == FL_BY_LABEL);
    if (p->shares)
        fl_weigh_slopes(p, t, n, share);
    if (c->value.data) {
        if (p->shares)
            fl_take_shares(scratch->value, share, 1, n, c->float32);
        else if (t->weight)
            p->ops->multiply(scratch->value, scratch->weight, 1, fl_round_up(n));
        p->ops->store(&c->value, start, n, scratch->value, scratch->raw);
    } else if (c->want_value && p->shares) {
        fl_add_shares(scratch->value, share, n, c->float32, &s->total);
    } else if (c->want_value) {
        for (size_t i = n; i < fl_round_up(n); i++)
            fl_set_real(p, scratch->value, i, 0);
        fl_add(&s->total, t->weight ? p->ops->dot(scratch->value, scratch->weight, fl_round_up(n))
                                    : p->ops->sum(scratch->value, fl_round_up(n)));
    }
}

/* Class weights that are all 0 or usual need no scale. */
static double fl_class_scale(const double *weights, size_t n, int float32) {
    double largest = 0;
    for (size_t k = 0; weights && k < n; k++)
        largest = weights[k] > largest ? weights[k] : largest;
    return largest == 0 || fl_is_usual(largest, float32) ? 1 : fl_scale_of(largest);
}

#endif
