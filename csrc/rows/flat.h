/* Rows of few classes one after the other as they lie in memory: what their kernels have in common
 * (flat.inc).
 *
 * Vectors take the terms of several rows at once, whose ends they do not see, and leave them in scratch in
 * L1. Then the terms of the true classes are taken out, the rest of each row is added up, and whatever
 * follows is done for as many rows at once as a vector has numbers. Terms are relative to 2^0 where all
 * logits of a tile allow it, so that nobody looks for a row's maximum first; otherwise to a power of two by
 * row. The bits are the same either way, unless numbers below the normal ones are among them. */
#ifndef FL_ROWS_FLAT_H
#define FL_ROWS_FLAT_H

#include "across.h"
#include "flat_sums.h"
#include "softmax.h"
#include "state.h"

/* Up to this magnitude of the logits neither terms nor their products with weights leave the range of normal
 * numbers. */
#define FL_FLAT_RANGE FL_CONST(32.0, 256.0)

/* Whether all logits of a class-major tile are within it. */
static int fl_are_lines_flat(const fl_row_tile *t) {
    real_bits outside = 0;
    for (size_t k = 0; k < t->n_classes; k++) {
        const real *z = t->prediction.data + (ptrdiff_t)k * t->prediction.stride;
        FL_INDEPENDENT_LOOP
        for (size_t i = 0; i < (t->n_rows & ~(size_t)15); i++)
            outside |= !(fl_abs(z[i]) <= FL_FLAT_RANGE);
    }
    return !outside;
}

/* Asks for the next tile's part of a matrix from one of its numbers on. */
FL_INLINE void fl_flat_fetch(fl_row_ahead next, size_t from, size_t n, const int for_writing) {
    for (size_t i = 0; i < n && next.data; i += 64 / sizeof(real))
        fl_fetch_line(next.data + (from + i) * sizeof(real), for_writing);
}

/* Terms relative to 2^0; whether all logits are in range, as they must be. The next tile is fetched
 * meanwhile. */
FL_INLINE int fl_flat_terms(const fl_row_tile *t, real *terms) {
    enum { FL_PIECE_TERMS = 1024 / sizeof(real) };
    const real *z = t->prediction.data;
    const size_t end = t->n_rows * t->n_classes;
    real_bits outside = 0;
    for (size_t at = 0, n; at < end; at += n) {
        n = end - at < FL_PIECE_TERMS ? end - at : FL_PIECE_TERMS;
        fl_flat_fetch(t->next_prediction, at, n, 0);
        fl_flat_fetch(t->next_gradient, at, n, 1);
        fl_flat_fetch(t->next_hessian, at, n, 1);
        FL_INDEPENDENT_LOOP
        for (size_t i = at; i < at + n; i++) {
            outside |= !(fl_abs(z[i]) <= FL_FLAT_RANGE);
            terms[i] = fl_exp_moderate(z[i]);
        }
    }
    return !outside;
}

/* The same relative to a power of two by row. */
static void fl_flat_terms_by_row(const fl_row_tile *t, real *terms) {
    const fl_row_state *s = t->state;
    const size_t n_classes = t->n_classes;
    for (size_t i = 0; i < t->n_rows; i++) {
        const real *z = t->prediction.data + i * n_classes;
        const real offset = s->offset[i], scale = s->scale[i];
        FL_INDEPENDENT_LOOP
        for (size_t k = 0; k < n_classes; k++)
            terms[i * n_classes + k] = fl_scaled_exp(z[k] - offset, scale, 0);
    }
}

/* The highest logit of each row, and unless all are in range whether there are NaNs: as in fl_softmax_scan.
 */
static void fl_flat_references(const fl_row_tile *t, real *scratch, int flat) {
    const real *z = t->prediction.data;
    const size_t n = t->n_rows, n_classes = t->n_classes;
    fl_row_state *s = t->state;
    fl_fold_matrix(z, n * n_classes, n, n_classes, NULL, FL_LARGEST_OF_ALL, s->reference);
    if (flat)
        return;
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < n * n_classes; i++)
        scratch[i] = z[i] * (real)0x1p-60;
    fl_fold_matrix(scratch, n * n_classes, n, n_classes, NULL, FL_SUM_ALL, s->poison);
}

/* Takes the true class's term out of each row, to own[]: the others are added up. */
static void fl_flat_take_own(const fl_row_tile *t, real *terms, real *own) {
    const real_int *label = t->label;
    const real *z = t->prediction.data;
    fl_row_state *s = t->state;
    for (size_t i = 0; i < t->n_rows; i++) {
        size_t at = i * t->n_classes + (size_t)(label[i] < 0 ? 0 : label[i]);
        s->own[i] = z[at];
        own[i] = terms[at];
        terms[at] = 0;
    }
}

/* For a Hessian: the sum of all terms but the largest one, which counts where that is more than all others;
 * elsewhere nothing cancels. */
static void fl_flat_others(const fl_row_tile *t, const real *terms, const real *own) {
    const size_t padded = fl_round_up(t->n_rows);
    fl_row_state *s = t->state;
    fl_fold_matrix(terms, fl_flat_reals(padded, t->n_classes), padded, t->n_classes, s->top, FL_SUM_UNMARKED,
                   s->others);
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < padded; i++) {
        real top = s->top[i], sum = own[i] + s->a[i], others = s->others[i] + (own[i] == top ? 0 : own[i]);
        s->others[i] = top + top > sum ? others : sum - top;
    }
}

#endif
