/* Steps of the loops across rows: the scan and the terms of a few classes of all rows of a tile, rows of two
 * or three classes as a whole, and memory fetched ahead. The macros are parts of the functions in kernels.h,
 * and use their variables. */
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

/* Rows of two or three classes in one loop, whose sums stay in registers: WITH_3 is its argument or nothing.
 */
#define FL_ACROSS_FUSED(name, WITH_3)                                                                        \
    FL_ROW_LOOP                                                                                              \
    for (size_t i = 0; i < n; i++) {                                                                         \
        fl_row row = {.reference = -FL_INFINITY, .first = FL_NOT_FOUND, .class_weight = 1};                  \
        const size_t k = 0;                                                                                  \
        row.weight = s->weight[i];                                                                           \
        if (fl_has_labels(form)) {                                                                           \
            row.label = label[i];                                                                            \
            row.class_weight = s->class_weight[i];                                                           \
        }                                                                                                    \
        fl_row_entry e0 = FL_ACROSS_ENTRY(0), e1 = FL_ACROSS_ENTRY(1);                                       \
        WITH_3(fl_row_entry e2 = FL_ACROSS_ENTRY(2);)                                                        \
        row.own = e0.is_own ? e0.z : (e1.is_own ? e1.z : 0);                                                 \
        WITH_3(row.own = e2.is_own ? e2.z : row.own;)                                                        \
        if (scans) {                                                                                         \
            fl_row_scan scan;                                                                                \
            FL_ACROSS_SCAN_STEP(name, 0)                                                                     \
            FL_ACROSS_SCAN_STEP(name, 1)                                                                     \
            WITH_3(FL_ACROSS_SCAN_STEP(name, 2))                                                             \
        }                                                                                                    \
        row = name##_prepare(row);                                                                           \
        fl_row_term t0 = name##_term(e0, row, o), t1 = name##_term(e1, row, o);                              \
        row.a = t0.a + t1.a;                                                                                 \
        row.b = t0.b + t1.b;                                                                                 \
        row.c = t0.c + t1.c;                                                                                 \
        row.d = t0.d + t1.d;                                                                                 \
        if (adds & FL_COMPENSATES_A)                                                                         \
            row.c += fl_two_sum(t0.a, t1.a).lo;                                                              \
        row.first = t0.first < t1.first ? t0.first : t1.first;                                               \
        WITH_3(fl_row_term t2 = name##_term(e2, row, o);                                                     \
               if (adds & FL_COMPENSATES_A) row.c += fl_two_sum(row.a, t2.a).lo; row.a += t2.a;              \
               row.b += t2.b; row.c += t2.c; row.d += t2.d;                                                  \
               row.first = t2.first < row.first ? t2.first : row.first;)                                     \
        row = name##_finish(name##_close(row, o), o);                                                        \
        value[i] = row.value;                                                                                \
        if (checks)                                                                                          \
            sums[i] = row.d;                                                                                 \
        if (want_gradient) {                                                                                 \
            e0.z = t0.kept;                                                                                  \
            e1.z = t1.kept;                                                                                  \
            fl_row_slopes g0 = name##_emit(e0, row, o), g1 = name##_emit(e1, row, o);                        \
            g[i] = g0.gradient;                                                                              \
            g[i + g_step] = g1.gradient;                                                                     \
            WITH_3(e2.z = t2.kept; fl_row_slopes g2 = name##_emit(e2, row, o);                               \
                   g[i + 2 * g_step] = g2.gradient;)                                                         \
            if (want_hessian) {                                                                              \
                h[i] = g0.hessian;                                                                           \
                h[i + h_step] = g1.hessian;                                                                  \
                WITH_3(h[i + 2 * h_step] = g2.hessian;)                                                      \
            }                                                                                                \
        }                                                                                                    \
    }
#define FL_ACROSS_FOLDS(step)                                                                                \
    if (adds & FL_ADDS_A && !(adds & FL_COMPENSATES_A))                                                      \
        step(s->a, s->folded_a, n);                                                                          \
    if (adds & FL_ADDS_C)                                                                                    \
        step(s->c, s->folded_c, n);                                                                          \
    if (adds & FL_ADDS_D)                                                                                    \
        step(s->d, s->folded_d, n);

#define FL_WITHOUT(...)
#define FL_WITH(...) __VA_ARGS__

#endif
