/* Steps of the loops along rows: the sum, the scan and the terms of a chunk of classes, and memory fetched
 * ahead. The macros are parts of the functions in kernels.h, and use their variables. */
#ifndef FL_ROWS_ALONG_H
#define FL_ROWS_ALONG_H

#include "state.h"

/* The sum of n numbers as a binary tree, which destroys them. */
static real fl_tree_sum(real *x, size_t n) {
    size_t width = 1;
    while (width * 2 < n)
        width *= 2;
    for (; n > 16; n = width, width /= 2) {
        FL_ROW_LOOP
        for (size_t i = 0; i < n - width; i++)
            x[i] += x[i + width];
    }
    for (size_t i = n; i < 16; i++)
        x[i] = 0;
    for (int i = 0; i < 8; i++)
        x[i] += x[i + 8];
    for (int i = 0; i < 4; i++)
        x[i] += x[i + 4];
    return (x[0] + x[2]) + (x[1] + x[3]);
}

/* So many numbers are scanned at a time, in vectors that do not wait for each other. */
enum { FL_SCAN_LANES = 256 / sizeof(real) };

FL_INLINE void fl_fold_scan(real *best, real *poison, int width) {
    for (int i = 0; i < width; i++) {
        best[i] = best[i + width] > best[i] ? best[i + width] : best[i];
        poison[i] += poison[i + width];
    }
}

#define FL_ALONG_SCAN_STEP(name, at)                                                                         \
    fl_row lane = row;                                                                                       \
    lane.poison = poison[j];                                                                                 \
    fl_row_scan found = name##_scan(FL_ENTRY(z[at], y[at], at), lane);                                       \
    best[j] = found.candidate > best[j] ? found.candidate : best[j];                                         \
    poison[j] = found.poison;

/* The maximum and the poison of n classes. */
#define FL_ALONG_SCAN(name)                                                                                  \
    real best[FL_SCAN_LANES], poison[FL_SCAN_LANES];                                                         \
    for (int j = 0; j < FL_SCAN_LANES; j++) {                                                                \
        best[j] = -FL_INFINITY;                                                                              \
        poison[j] = 0;                                                                                       \
    }                                                                                                        \
    size_t scanned = 0;                                                                                      \
    for (; scanned + FL_SCAN_LANES <= n; scanned += FL_SCAN_LANES)                                           \
        for (int j = 0; j < FL_SCAN_LANES; j++) {                                                            \
            FL_ALONG_SCAN_STEP(name, scanned + (size_t)j)                                                    \
        }                                                                                                    \
    FL_ROW_LOOP                                                                                              \
    for (size_t j = 0; j < n - scanned; j++) {                                                               \
        FL_ALONG_SCAN_STEP(name, scanned + j)                                                                \
    }                                                                                                        \
    for (int width = FL_SCAN_LANES / 2; width > 8; width /= 2)                                               \
        fl_fold_scan(best, poison, width);                                                                   \
    fl_fold_scan(best, poison, 8);                                                                           \
    fl_fold_scan(best, poison, 4);                                                                           \
    fl_fold_scan(best, poison, 2);                                                                           \
    fl_fold_scan(best, poison, 1);                                                                           \
    row.reference = best[0];                                                                                 \
    row.poison = poison[0];

/* Along rows, the chunk ahead is fetched in pieces of 4 * FL_FETCH_BLOCK classes. */
enum { FL_FETCH_BLOCK = 256 / sizeof(real) };
FL_INLINE void fl_fetch_chunk(const real *from, const int for_writing) {
    for (size_t i = 0; i < 4 * FL_FETCH_BLOCK * sizeof(real); i += 64) {
        if (for_writing)
            __builtin_prefetch((const char *)from + i, 1);
        else
            __builtin_prefetch((const char *)from + i, 0, 2);
    }
}

/* The term of a class of a chunk. */
#define FL_ALONG_TERM(name, j, at)                                                                           \
    fl_row_term t##j = name##_term(FL_ENTRY(z[at], y[at], at), row, o);                                      \
    if (want_gradient && keeps)                                                                              \
        g[at] = t##j.kept;                                                                                   \
    first = t##j.first < first ? t##j.first : first;

/* It once more: where it is kept z may be overwritten. */
#define FL_ALONG_KEPT(name, at) (want_gradient ? g[at] : name##_term(FL_ENTRY(z[at], y[at], at), row, o).kept)

#endif
