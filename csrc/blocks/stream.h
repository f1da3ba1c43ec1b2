/* Streaming stores: whole cache lines written past the caches, so that memory is not read first for data
 * that nobody reads back soon. Worth it only when the footprint exceeds the last-level cache. */
#ifndef FL_BLOCKS_STREAM_H
#define FL_BLOCKS_STREAM_H

#include "real.h"

#if defined(__AVX512F__)
#include <immintrin.h>
enum { FL_HAS_STREAM = 1 };
static inline void fl_stream_line(char *to, const char *from) {
    _mm512_stream_si512((void *)to, _mm512_loadu_si512((const void *)from));
}
#elif defined(__AVX__)
#include <immintrin.h>
enum { FL_HAS_STREAM = 1 };
static inline void fl_stream_line(char *to, const char *from) {
    for (int i = 0; i < 64; i += 32)
        _mm256_stream_si256((__m256i *)(void *)(to + i),
                            _mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
}
#elif defined(__SSE2__)
#include <emmintrin.h>
enum { FL_HAS_STREAM = 1 };
static inline void fl_stream_line(char *to, const char *from) {
    for (int i = 0; i < 64; i += 16)
        _mm_stream_si128((__m128i *)(void *)(to + i),
                         _mm_loadu_si128((const __m128i *)(const void *)(from + i)));
}
#else
enum { FL_HAS_STREAM = 0 };
static inline void fl_stream_line(char *to, const char *from) {
    memcpy(to, from, 64);
}
#endif

/* A block to its destination. The ends that do not fill a line are stored as usual. */
static void fl_stream(void *destination, const void *block, size_t n) {
    char *to = destination;
    const char *from = block;
    size_t bytes = n * sizeof(real), head = (64 - (uintptr_t)to % 64) % 64;
    if (head > bytes)
        head = bytes;
    memcpy(to, from, head);
    size_t i = head;
    for (; i + 64 <= bytes; i += 64)
        fl_stream_line(to + i, from + i);
    memcpy(to + i, from + i, bytes - i);
}

/* to = a + b, streamed: the memory's own speed, for comparison. */
static void fl_triad(void *to, const void *a, const void *b, size_t n) {
    const real *x = a, *y = b;
    _Alignas(64) real block[FL_BLOCK];
    n &= ~(size_t)(FL_LANES - 1);
    for (size_t i = 0; i < n; i++)
        block[i] = x[i] + y[i];
    fl_stream(to, block, n);
}

/* Streaming stores are weakly ordered: other threads may see them only after a fence. */
static void fl_stream_end(void) {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

#endif
