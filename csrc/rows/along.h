/* The loops along rows, for rows of many classes.
 *
 * A chunk of classes becomes terms, which are added up in vectors of FL_ALONG_LANES classes: four of them,
 * then a few of those sums, then the lanes; and the chunks of a row are merged as a binary tree. So few
 * additions lie between a term and the sum, and their order depends on nothing but the number of classes.
 * What is left of a row after whole groups is copied to vectors of its own, filled up with its last class,
 * whose terms are not counted.
 *
 * The next chunk is scanned before the terms of this one are computed, so that neither waits for the other;
 * what the processor cannot forward from a store to a load (a number to a vector that holds it) is kept out
 * of the way for the same reason. */
#ifndef FL_ROWS_ALONG_H
#define FL_ROWS_ALONG_H

#include "chunk.h"

/* The term of a class, kept in place of it if it is needed again. */
#define FL_ALONG_TERM(t, i)                                                                                  \
    fl_row_term t = FL_STEP(term)(FL_ENTRY(z[i], y[i], i), row, o);                                          \
    if (stores)                                                                                              \
        g[i] = t.kept;                                                                                       \
    if (adds & FL_FINDS_FIRST)                                                                               \
        first[j] = t.first < first[j] ? t.first : first[j];

#define FL_ALONG_PUT(value_of)                                                                               \
    if (adds & FL_ADDS_A)                                                                                    \
        a[part * FL_ALONG_LANES + j] = value_of(a);                                                          \
    if (adds & FL_ADDS_B)                                                                                    \
        b[part * FL_ALONG_LANES + j] = value_of(b);                                                          \
    if (adds & FL_ADDS_C)                                                                                    \
        c[part * FL_ALONG_LANES + j] = value_of(c);                                                          \
    if (adds & FL_ADDS_D)                                                                                    \
        d[part * FL_ALONG_LANES + j] = value_of(d);
#define FL_ALONG_OF_GROUP(sum) ((t0.sum + t1.sum) + (t2.sum + t3.sum))
#define FL_ALONG_OF_REST(sum) ((real_int)j < left ? t0.sum : 0)
#define FL_ALONG_ZERO(sum) 0

#define FL_TARGETS_AT(at) (fl_has_matrix(form) ? y + (at) : NULL)

#endif
