/* Parts of the loop across rows (across.inc): what becomes of the terms of a few classes, and memory fetched
 * ahead. */
#ifndef FL_ROWS_ACROSS_H
#define FL_ROWS_ACROSS_H

#include "state.h"

/* The entry of class k + j of row i. */
#define FL_ACROSS_ENTRY(j) FL_ENTRY(z[i + (k + j) * z_step], y[i + (k + j) * y_step], k + j)

/* Adds a term to the sums of row i, or the sum of several. */
FL_INLINE void fl_add_term(fl_row_state *s, size_t i, fl_row row, fl_row_term t, const int adds) {
    if (adds & FL_ADDS_A)
        s->a[i] = row.a + t.a;
    if (adds & FL_ADDS_B)
        s->b[i] = row.b + t.b;
    if (adds & FL_ADDS_C)
        s->c[i] = row.c + t.c;
    if (adds & FL_ADDS_D)
        s->d[i] = row.d + t.d;
    s->first[i] = t.first < row.first ? t.first : row.first;
}

/* Fetches n rows of `classes` classes of the next tile. */
FL_INLINE void fl_fetch(fl_row_ahead next, size_t k, size_t classes, size_t n, const int for_writing) {
    for (size_t j = k; j < k + classes && next.data; j++) {
        const char *line = next.data + (ptrdiff_t)j * next.step;
        for (size_t i = 0; i < n * sizeof(real); i += 64) {
            fl_fetch_line(line + i, for_writing);
        }
    }
}

FL_INLINE void fl_fetch_inputs(const fl_row_tile *t, size_t k, size_t classes, const int form) {
    size_t n = t->n_rows & ~(size_t)15;
    fl_fetch(t->next_prediction, k, classes, n, 0);
    if (fl_has_matrix(form))
        fl_fetch(t->next_target, k, classes, n, 0);
}

FL_INLINE void fl_fetch_outputs(const fl_row_tile *t, size_t k, size_t classes, const int want_hessian) {
    size_t n = t->n_rows & ~(size_t)15;
    fl_fetch(t->next_gradient, k, classes, n, 1);
    if (want_hessian)
        fl_fetch(t->next_hessian, k, classes, n, 1);
}

/* Puts the sums so far aside, but those whose errors are kept. */
FL_INLINE void fl_fold_sums(fl_row_state *s, size_t n, const int adds) {
    if (adds & FL_ADDS_A && !(adds & FL_COMPENSATES_A))
        fl_fold_sum(s->a, s->folded_a, n);
    if (adds & FL_ADDS_C)
        fl_fold_sum(s->c, s->folded_c, n);
    if (adds & FL_ADDS_D)
        fl_fold_sum(s->d, s->folded_d, n);
}

FL_INLINE void fl_unfold_sums(fl_row_state *s, size_t n, const int adds) {
    if (adds & FL_ADDS_A && !(adds & FL_COMPENSATES_A))
        fl_unfold_sum(s->a, s->folded_a, n);
    if (adds & FL_ADDS_C)
        fl_unfold_sum(s->c, s->folded_c, n);
    if (adds & FL_ADDS_D)
        fl_unfold_sum(s->d, s->folded_d, n);
}

#endif
