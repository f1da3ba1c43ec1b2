/* How the work of a call is divided, for drivers: into at most FL_SEGMENTS segments, whose bounds depend on
 * the sizes of the data alone. A segment is one thread's piece of work and has its own sums, which are added
 * in their order after the parallel region: so the result has the same bits for any number of threads. */
#ifndef FL_PASS_PLAN_H
#define FL_PASS_PLAN_H

#include <stddef.h>

enum { FL_SEGMENTS = 256 };

/* Of n elements or rows; bounds are multiples of a unit of them, but for the end. */
typedef struct {
    size_t n, unit, n_units, n_segments;
} fl_plan;

static inline fl_plan fl_plan_of(size_t n, size_t unit) {
    size_t n_units = (n + unit - 1) / unit;
    return (fl_plan){n, unit, n_units, n_units < FL_SEGMENTS ? n_units : FL_SEGMENTS};
}

/* Where segment s begins, and the one before it ends. */
static inline size_t fl_segment_start(const fl_plan *p, size_t s) {
    return s == p->n_segments ? p->n : s * p->n_units / p->n_segments * p->unit;
}

#endif
