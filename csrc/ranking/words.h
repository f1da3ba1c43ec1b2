/* Scores as words whose order is that of the scores, the largest first; below them one bit for the label.
 *
 * An unsigned integer that grows with the score is made of its bits, and inverted. Its highest bit tells in
 * which of two parts the sample belongs, the second one coming after the first, and gives its place to the
 * label: a float32 and its label are 32 bits, a float64, int64 or uint64 and its label 64. */
#ifndef FL_RANKING_WORDS_H
#define FL_RANKING_WORDS_H

#include <stdint.h>
#include <string.h>

#define FL_TOP32 ((uint32_t)1 << 31)
#define FL_TOP64 ((uint64_t)1 << 63)

/* -0 becomes 0, its equal. */
static inline uint32_t fl_key_of_float(float x) {
    x += 0.0f;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return ~(bits & FL_TOP32 ? ~bits : bits | FL_TOP32);
}

static inline float fl_float_of_key(uint32_t key) {
    uint32_t bits = ~key;
    bits = bits & FL_TOP32 ? bits & ~FL_TOP32 : ~bits;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t fl_key_of_double(double x) {
    x += 0.0;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return ~(bits & FL_TOP64 ? ~bits : bits | FL_TOP64);
}

static inline double fl_double_of_key(uint64_t key) {
    uint64_t bits = ~key;
    bits = bits & FL_TOP64 ? bits & ~FL_TOP64 : ~bits;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t fl_key_of_int64(uint64_t bits) {
    return ~(bits ^ FL_TOP64);
}

#endif
