/* What rows are counted by and what they weigh, in whole numbers.
 *
 * Keys of scores: 20 bits in the order of the scores, the same for ever, so that tables of counts can be
 * added.
 *
 * A key is the sign and the leading bits of |x| + 2^-20 in float32, held between 2^-20 and 2^12: bins grow
 * with the score as a float's last bit does, but for scores near 0, whose bins are 2^-34 wide. */
#ifndef FL_EVALUATION_SCORE_KEYS_H
#define FL_EVALUATION_SCORE_KEYS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "evaluation.h"
#include "vectors.h"

static inline uint32_t fl_score_key(float x) {
    float size = fabsf(x) + 0x1p-20f;
    size = size < 0x1.fffffep11f ? size : 0x1.fffffep11f;
    uint32_t bits;
    memcpy(&bits, &size, sizeof bits);
    bits = (bits - 0x35800000u) >> 9; /* 2^-20 has the bits 0x35800000 */
    return FL_SCORE_KEYS / 2 + (x < 0 ? ~bits : bits);
}

/* Where tables have keys and labels, and the extent. */
static inline __attribute__((always_inline)) void fl_put_place(uint32_t key, uint8_t label, uint32_t *place,
                                                               uint32_t *low, uint32_t *high) {
    *low = key < *low ? key : *low;
    *high = key > *high ? key : *high;
    *place = fl_place_of_key(key, label & 1u);
}

static int fl_float_places(const float *x, const uint8_t *labels, size_t n, uint32_t *places,
                           uint32_t *extent) {
    uint32_t nan = 0, low = extent[0], high = extent[1];
    for (size_t i = 0; i < n; i++) {
        fl_put_place(fl_score_key(x[i]), labels[i], places + i, &low, &high);
        nan |= x[i] != x[i];
    }
    extent[0] = low;
    extent[1] = high;
    return !nan;
}

static int fl_double_places(const double *x, const uint8_t *labels, size_t n, uint32_t *places,
                            uint32_t *extent) {
    uint32_t nan = 0, low = extent[0], high = extent[1];
    for (size_t i = 0; i < n; i++) {
        fl_put_place(fl_score_key((float)x[i]), labels[i], places + i, &low, &high);
        nan |= x[i] != x[i];
    }
    extent[0] = low;
    extent[1] = high;
    return !nan;
}

/* Of a double, not negative, the 53 bits, and the place of the last one above that of 2^-unit. Numbers below the
 * smallest normal one have bits that they should not have, but far below any unit. */
static inline fl_bits fl_split_number(fl_doubles x, uint64_t unit, fl_bits *place) {
    fl_bits bits = (fl_bits)x & INT64_MAX;
    *place = (bits >> 52) - (1075 - unit);
    return (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
}

/* The word of 64 bits from `first` on of bits at a place: what is below the first word is cut off. */
static inline fl_bits fl_word_from(fl_bits bits, fl_bits place, uint64_t first) {
    return fl_moved_up(bits, place - first) | fl_moved_down(bits, first - place);
}

/* Up to a whole vector of numbers, and zeros. */
static inline fl_doubles fl_load_some(const double *from, size_t n) {
    double room[FL_WIDTH] = {0};
    if (n >= FL_WIDTH)
        return fl_load_doubles(from);
    memcpy(room, from, n * sizeof *room);
    return fl_load_doubles(room);
}

static inline void fl_store_some(fl_bits x, uint64_t *to, size_t n) {
    if (n >= FL_WIDTH)
        memcpy(to, &x, sizeof x);
    else
        memcpy(to, &x, n * sizeof *to);
}

static void fl_fix_weights(const double *w, size_t n, uint64_t *high, uint64_t *low) {
    for (size_t i = 0; i < n; i += FL_WIDTH) {
        fl_bits place;
        fl_bits bits = fl_split_number(fl_load_some(w + i, n - i), 64, &place);
        fl_store_some(fl_word_from(bits, place, 64), high + i, n - i);
        fl_store_some(fl_word_from(bits, place, 0), low + i, n - i);
    }
}

static void fl_fix_squares(const double *w, size_t n, uint64_t *high, uint64_t *middle, uint64_t *low) {
    for (size_t i = 0; i < n; i += FL_WIDTH) {
        fl_bits place;
        fl_doubles x = fl_load_some(w + i, n - i);
        fl_bits bits = fl_split_number(x * x, 128, &place);
        fl_store_some(fl_word_from(bits, place, 128), high + i, n - i);
        fl_store_some(fl_word_from(bits, place, 64), middle + i, n - i);
        fl_store_some(fl_word_from(bits, place, 0), low + i, n - i);
    }
}

/* Without the branch on the sign bit that compilers make of a conversion. */
static inline double fl_double_of(uint64_t x) {
    return (double)(int64_t)(x >> 32) * 0x1p32 + (double)(int64_t)(x & 0xffffffff);
}

static void fl_read_wide(const uint64_t *words, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = fl_double_of(words[2 * i + 1]) + fl_double_of(words[2 * i]) * 0x1p-64;
}

static void fl_read_wider(const uint64_t *words, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = fl_double_of(words[3 * i + 2]) +
                (fl_double_of(words[3 * i + 1]) + fl_double_of(words[3 * i]) * 0x1p-64) * 0x1p-64;
}

#endif
