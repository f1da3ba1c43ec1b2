/* The weights of rows: loaded and checked, added up, and what they do to results. Included by drive.h
 * alone.
 */
#ifndef FL_ROWS_WEIGHTS_H
#define FL_ROWS_WEIGHTS_H

#include <math.h>
#include <string.h>

#include "../pass/shares.h"
#include "pass.h"

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
    const real *w = p->ops->load(&c->weight, start, n, scratch->weight, scratch->raw);
    size_t place = n; /* after everything else that is wrong in the tile */
    double bad = 0;
    fl_status status =
        fl_check_weights(&c->weight, w, start, n, c->float32, scratch->raw, &kinds, &place, &bad);
    if (status != FL_OK)
        fl_report(s, status, start + place, 0, bad);
    scratch->has_zero_weight |= (kinds & FL_ZERO_WEIGHTS) != 0;
    if (w != scratch->weight)
        memcpy(scratch->weight, w, n * sizeof *w);
    for (size_t i = n; i < fl_round_up(n); i++)
        scratch->weight[i] = 0;
    t->weight = scratch->weight;
}

/* What the first n rows of a tile count for in a mean, times their weights. */
static void fl_counted_weights(const fl_row_pass *p, const fl_row_tile *t, size_t n, double *counted) {
    const real *class_weight = t->options->class_weight, *y = t->target.data;
    const ptrdiff_t row = p->across ? 1 : t->target.stride, column = p->across ? t->target.stride : 1;
    for (size_t i = 0; i < n; i++) {
        double share = 1;
        if (fl_by_label(p)) {
            share = t->label[i] < 0 ? 0 : (class_weight ? (double)class_weight[t->label[i]] : 1);
        } else if (class_weight) {
            share = 0;
            for (size_t k = 0; k < t->n_classes; k++)
                share += (double)class_weight[k] * (double)y[(ptrdiff_t)i * row + (ptrdiff_t)k * column];
        }
        counted[i] = t->weight ? share * (double)t->weight[i] : share;
    }
}

static void fl_count_rows(const fl_row_pass *p, const fl_row_tile *t, size_t start, size_t n,
                          fl_row_scratch *scratch, fl_row_segment *s) {
    if (!p->options.class_weight && !p->call->has_ignore_index && !p->shares) {
        fl_add(&s->counted, t->weight ? p->ops->sum(t->weight, fl_round_up(n)) : (double)n);
        s->n_counted += n;
        return;
    }
    double sum = 0, share[FL_SHARES];
    fl_counted_weights(p, t, n, scratch->counted);
    if (p->shares)
        fl_load_shares(p->shares, start, n, share, scratch->raw);
    for (size_t i = 0; i < n; i++) {
        sum += p->shares ? scratch->counted[i] * share[i] : scratch->counted[i];
        s->n_counted += !(fl_by_label(p) && t->label[i] < 0);
    }
    fl_add(&s->counted, sum);
}

/* `share` is NULL, or a number a row like the weights, which are then not loaded. */
static void fl_note_sums(const fl_row_tile *t, size_t start, size_t n, const double *share,
                         fl_row_segment *s) {
    double tolerance = sqrt((double)FL_EPSILON);
    for (size_t i = 0; i < n && !s->has_off_row; i++) {
        double sum = (double)t->row_sum[i];
        int counts = share ? share[i] != 0 : !t->weight || t->weight[i] != 0;
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
        real *line = matrices[m]->data;
        size_t n_lines = p->across ? t->n_classes : n;
        for (size_t i = 0; i < n_lines && line; i++, line += matrices[m]->stride) {
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
        fl_note_sums(t, start, n, p->shares ? share : NULL, s);
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
            scratch->value[i] = 0;
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
