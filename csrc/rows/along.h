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

/* The partial sum number i of each kind. Arrays of their own: of those that nobody adds up nothing is left. */
FL_INLINE void fl_put_sums(real *a, real *b, real *c, real *d, size_t i, fl_row_term t, const int adds) {
    if (adds & FL_ADDS_A)
        a[i] = t.a;
    if (adds & FL_ADDS_B)
        b[i] = t.b;
    if (adds & FL_ADDS_C)
        c[i] = t.c;
    if (adds & FL_ADDS_D)
        d[i] = t.d;
}

#define FL_TARGETS_AT(at) (fl_has_matrix(form) ? y + (at) : NULL)

#endif
