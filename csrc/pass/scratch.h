/* Scratch of one thread: memory that is got once a call, and the pieces that it is cut into.
 *
 * What a driver allots and what it hands out come of one function that lays the pieces out, run once to count
 * and once over the memory. Sizes stop at the largest there is instead of running over, so that what cannot
 * be had is refused. Built with sanitizers, whatever lies between two pieces must not be touched. */
#ifndef FL_PASS_SCRATCH_H
#define FL_PASS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { FL_SCRATCH_GAP = 64 };
#define FL_FORBID(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes)
#else
enum { FL_SCRATCH_GAP = 0 };
#define FL_FORBID(memory, bytes) ((void)(memory), (void)(bytes))
#endif

/* Conditions that hold, checked in builds with sanitizers. */
#ifdef FL_ASSERTIONS
#define FL_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define FL_ASSERT(condition) ((void)0)
#endif

static inline size_t fl_plus(size_t a, size_t b) {
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) || sum > PTRDIFF_MAX ? PTRDIFF_MAX : sum;
}

static inline size_t fl_times(size_t a, size_t b) {
    size_t product;
    return __builtin_mul_overflow(a, b, &product) || product > PTRDIFF_MAX ? PTRDIFF_MAX : product;
}

/* The pieces so far; `memory` is NULL while they are counted. */
typedef struct {
    char *memory;
    size_t bytes, counted;
} fl_layout;

/* The next piece: it begins a cache line. */
static inline void *fl_take(fl_layout *l, size_t bytes) {
    size_t start = l->bytes, end = fl_plus(start, bytes);
    l->bytes = fl_plus(end, 63 + FL_SCRATCH_GAP) & ~(size_t)63;
    if (!l->memory)
        return NULL;
    FL_ASSERT(l->bytes <= l->counted);
    FL_FORBID(l->memory + end, l->bytes - end);
    return l->memory + start;
}

/* Memory that begins a cache line, NULL if there is none, and back. */
void *fl_get_scratch(size_t bytes);
void fl_give_scratch(void *memory);

/* Memory for what was counted, from which the same pieces are taken next; NULL if there is none. */
static inline void *fl_get_counted(fl_layout *l) {
    *l = (fl_layout){fl_get_scratch(l->bytes), 0, l->bytes};
    return l->memory;
}

#endif
