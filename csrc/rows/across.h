/* Steps of the loops across rows: the scan and the terms of a few classes of all rows of a tile, and memory
 * fetched ahead. The macros are parts of the functions in kernels.h, and use their variables. */
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

/* Adds the terms of four classes from k on to the rows' sums, then those of one. Without inner loops, which
 * would keep the loop over rows from being vectorised. */
#define FL_ACROSS_TERMS_4(name)                                                                              \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = fl_row_get(s, i);                                                                       \
        fl_row_term t0 = name##_term(FL_ACROSS_ENTRY(0), row, o),                                            \
                    t1 = name##_term(FL_ACROSS_ENTRY(1), row, o);                                            \
        fl_row_term t2 = name##_term(FL_ACROSS_ENTRY(2), row, o),                                            \
                    t3 = name##_term(FL_ACROSS_ENTRY(3), row, o);                                            \
        FL_ACROSS_KEEP(0, t0)                                                                                \
        FL_ACROSS_KEEP(1, t1)                                                                                \
        FL_ACROSS_KEEP(2, t2)                                                                                \
        FL_ACROSS_KEEP(3, t3)                                                                                \
        FL_ACROSS_COMPENSATE_4                                                                               \
        FL_ACROSS_ADD_4(A, a)                                                                                \
        FL_ACROSS_ADD_4(B, b)                                                                                \
        FL_ACROSS_ADD_4(C, c)                                                                                \
        FL_ACROSS_ADD_4(D, d)                                                                                \
        s->first[i] = row.first;                                                                             \
    }

#define FL_ACROSS_TERMS_1(name)                                                                              \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = fl_row_get(s, i);                                                                       \
        fl_row_term t0 = name##_term(FL_ACROSS_ENTRY(0), row, o);                                            \
        FL_ACROSS_KEEP(0, t0)                                                                                \
        FL_ACROSS_COMPENSATE_1                                                                               \
        FL_ACROSS_ADD_1(A, a)                                                                                \
        FL_ACROSS_ADD_1(B, b)                                                                                \
        FL_ACROSS_ADD_1(C, c)                                                                                \
        FL_ACROSS_ADD_1(D, d)                                                                                \
        s->first[i] = row.first;                                                                             \
    }

#define FL_ACROSS_SCAN_STEP(name, j)                                                                         \
    scan = name##_scan(FL_ACROSS_ENTRY(j), row);                                                             \
    row.reference = scan.candidate > row.reference ? scan.candidate : row.reference;                         \
    row.poison = scan.poison;

#define FL_ACROSS_SCAN(name, steps)                                                                          \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = fl_row_get(s, i);                                                                       \
        fl_row_scan scan;                                                                                    \
        steps s->reference[i] = row.reference;                                                               \
        s->poison[i] = row.poison;                                                                           \
    }
#define FL_ACROSS_SCAN_4(name)                                                                               \
    FL_ACROSS_SCAN(name, FL_ACROSS_SCAN_STEP(name, 0) FL_ACROSS_SCAN_STEP(name, 1)                           \
                             FL_ACROSS_SCAN_STEP(name, 2) FL_ACROSS_SCAN_STEP(name, 3))
#define FL_ACROSS_SCAN_1(name) FL_ACROSS_SCAN(name, FL_ACROSS_SCAN_STEP(name, 0))

#define FL_ACROSS_FOLDS(step)                                                                                \
    if (adds & FL_ADDS_A && !(adds & FL_COMPENSATES_A))                                                      \
        step(s->a, s->folded_a, n);                                                                          \
    if (adds & FL_ADDS_C)                                                                                    \
        step(s->c, s->folded_c, n);                                                                          \
    if (adds & FL_ADDS_D)                                                                                    \
        step(s->d, s->folded_d, n);

#endif
