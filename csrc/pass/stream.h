/* Streaming stores: whole cache lines written past the caches, so that memory is not read first for data
 * that nobody reads back soon. Worth it only when the footprint exceeds the last-level cache. */
#ifndef FL_PASS_STREAM_H
#define FL_PASS_STREAM_H

#include "../simd/simd.h"
#include "../blocks/real.h"

/* Whole lines; up to the first, as NumPy's arrays often begin 16 bytes into one, and after the last by
 * quarters of lines, which the processor combines with what is stored next to them. The ends are stored as
 * usual. */
static void fl_stream(void *destination, const void *block, size_t n) {
    char *to = destination;
    const char *from = block;
    size_t bytes = n * sizeof(real), i = (16 - (uintptr_t)to % 16) % 16;
    if (i > bytes)
        i = bytes;
    if (i > 0)
        memcpy(to, from, i);
    for (; (uintptr_t)(to + i) % 64 && i + 16 <= bytes; i += 16)
        fl_stream_quarter(to + i, from + i);
    for (; i + 64 <= bytes; i += 64)
        fl_stream_line(to + i, from + i);
    for (; i + 16 <= bytes; i += 16)
        fl_stream_quarter(to + i, from + i);
    if (i < bytes)
        memcpy(to + i, from + i, bytes - i);
}

/* to = a + b, streamed: the memory's own speed, for comparison. `to` lies on a line, n is whole lines. */
static inline void fl_triad(float *to, const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i += 16)
        fl_stream_sum_line(to + i, a + i, b + i);
}

#endif
