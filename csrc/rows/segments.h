/* How the rows of a pass are divided: into segments, which have their own sums, and tiles. Included by
 * drive.h alone. */
#ifndef FL_ROWS_SEGMENTS_H
#define FL_ROWS_SEGMENTS_H

#include "../pass/plan.h"
#include "pass.h"

typedef struct {
    fl_plan plan;
    fl_row_segment *segments;
    size_t n_pieces, pieces_at_once; /* what threads take: segments or blocks */
} fl_row_work;

/* The first segment of a thread's piece of work: a segment, or those that begin within a block. */
static size_t fl_first_segment(const fl_row_pass *p, const fl_row_work *w, size_t piece) {
    size_t s = 0;
    if (p->block_rows <= p->tile_rows)
        return piece;
    while (s < w->plan.n_segments && fl_segment_start(&w->plan, s) < piece * p->block_rows)
        s++;
    return s;
}

/* The rows of the tile that starts there, in segment *s or one after it. */
static size_t fl_tile_at(const fl_row_pass *p, const fl_row_work *w, size_t start, size_t *s) {
    while (start >= fl_segment_start(&w->plan, *s + 1))
        ++*s;
    size_t left = fl_segment_start(&w->plan, *s + 1) - start, n = left < p->tile_rows ? left : p->tile_rows;
    return p->across && n > 15 ? n & ~(size_t)15 : n;
}

#endif
