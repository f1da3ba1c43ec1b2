/* Steps of the loops across rows: the scan and the terms of a few classes of all rows of a tile, and memory
 * fetched ahead. The macros are parts of across.inc, and use its variables. */
#ifndef FL_ROWS_ACROSS_H
#define FL_ROWS_ACROSS_H

#include "state.h"

/* The entry of class k + j of row i. */
#define FL_ACROSS_ENTRY(j) FL_ENTRY(z[i + (k + j) * z_step], y[i + (k + j) * y_step], k + j)

#define FL_ACROSS_KEEP(j, t)                                                                                 \
    if (want_gradient && keeps)                                                                              \
        g[i + (k + j) * g_step] = t.kept;                                                                    \
    row.first = t.first < row.first ? t.first : row.first;

#define FL_ACROSS_ADD_4(NAME, sum)                                                                           \
    if (adds & FL_ADDS_##NAME)                                                                               \
        s->sum[i] = row.sum + ((t0.sum + t1.sum) + (t2.sum + t3.sum));
/* Before c is added up. */
#define FL_ACROSS_COMPENSATE_4                                                                               \
    if (adds & FL_COMPENSATES_A) {                                                                           \
        real sum = (t0.a + t1.a) + (t2.a + t3.a);                                                            \
        t0.c += fl_error_of_sum(t0.a, t1.a, t2.a, t3.a) + fl_two_sum(row.a, sum).lo;                         \
    }
#define FL_ACROSS_COMPENSATE_1                                                                               \
    if (adds & FL_COMPENSATES_A)                                                                             \
        t0.c += fl_two_sum(row.a, t0.a).lo;
#define FL_ACROSS_ADD_1(NAME, sum)                                                                           \
    if (adds & FL_ADDS_##NAME)                                                                               \
        s->sum[i] = row.sum + t0.sum;

/* Fetches n rows of `classes` classes of the next tile. */
FL_INLINE void fl_fetch(fl_row_ahead next, size_t k, size_t classes, size_t n, const int for_writing) {
    for (size_t j = k; j < k + classes && next.data; j++) {
        const char *line = next.data + (ptrdiff_t)j * next.step;
        for (size_t i = 0; i < n * sizeof(real); i += 64) {
            fl_fetch_line(line + i, for_writing);
        }
    }
}

#define FL_FETCH_INPUTS(k, classes)                                                                          \
    fl_fetch(tile->next_prediction, k, classes, n, 0);                                                       \
    if (fl_has_matrix(form))                                                                                 \
        fl_fetch(tile->next_target, k, classes, n, 0);
#define FL_FETCH_OUTPUTS(k, classes)                                                                         \
    if (want_gradient)                                                                                       \
        fl_fetch(tile->next_gradient, k, classes, n, 1);                                                     \
    if (want_hessian)                                                                                        \
        fl_fetch(tile->next_hessian, k, classes, n, 1);

#define FL_ACROSS_SCAN_STEP(j)                                                                               \
    scan = FL_STEP(scan)(FL_ACROSS_ENTRY(j), row);                                                           \
    row.reference = scan.candidate > row.reference ? scan.candidate : row.reference;                         \
    row.poison = scan.poison;

#define FL_ACROSS_FOLDS(step)                                                                                \
    if (adds & FL_ADDS_A && !(adds & FL_COMPENSATES_A))                                                      \
        step(s->a, s->folded_a, n);                                                                          \
    if (adds & FL_ADDS_C)                                                                                    \
        step(s->c, s->folded_c, n);                                                                          \
    if (adds & FL_ADDS_D)                                                                                    \
        step(s->d, s->folded_d, n);

#endif
