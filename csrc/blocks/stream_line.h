/* One cache line past the caches, by this tier's widest stores. */
#ifndef FL_BLOCKS_STREAM_LINE_H
#define FL_BLOCKS_STREAM_LINE_H

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
static inline void fl_stream_quarter(char *to, const char *from) {
    _mm_stream_si128((__m128i *)(void *)to, _mm_loadu_si128((const __m128i *)(const void *)from));
}
#endif

#if defined(__AVX512F__)
#include <immintrin.h>
enum { FL_HAS_STREAM = 1 };
static inline void fl_stream_line(char *to, const char *from) {
    _mm512_stream_si512((void *)to, _mm512_loadu_si512((const void *)from));
}
static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    _mm512_stream_ps(to, _mm512_add_ps(_mm512_loadu_ps(a), _mm512_loadu_ps(b)));
}
#elif defined(__AVX__)
#include <immintrin.h>
enum { FL_HAS_STREAM = 1 };
static inline void fl_stream_line(char *to, const char *from) {
    for (int i = 0; i < 64; i += 32)
        _mm256_stream_si256((__m256i *)(void *)(to + i),
                            _mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
}
static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    for (int i = 0; i < 16; i += 8)
        _mm256_stream_ps(to + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
}
#elif defined(__SSE2__)
enum { FL_HAS_STREAM = 1 };
static inline void fl_stream_line(char *to, const char *from) {
    for (int i = 0; i < 64; i += 16)
        fl_stream_quarter(to + i, from + i);
}
static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    for (int i = 0; i < 16; i += 4)
        _mm_stream_ps(to + i, _mm_add_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i)));
}
#else
enum { FL_HAS_STREAM = 0 };
static inline void fl_stream_quarter(char *to, const char *from) {
    memcpy(to, from, 16);
}
static inline void fl_stream_line(char *to, const char *from) {
    memcpy(to, from, 64);
}
static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    for (int i = 0; i < 16; i++)
        to[i] = a[i] + b[i];
}
#endif

#endif
