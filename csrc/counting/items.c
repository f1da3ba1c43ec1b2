/* Codes of items that are told apart by their bytes. */
#include "counting.h"

#include <stdlib.h>
#include <string.h>

enum { FL_FIRST_BITS = 10, FL_BYTES = 256 };

/* Odd: 2^64 divided by the golden ratio (Knuth 1998, section 6.4). */
#define FL_MULTIPLIER 0x9E3779B97F4A7C15u

static uint64_t fl_mixed(uint64_t hash, uint64_t word) {
    return ((hash ^ hash >> 32) ^ word) * FL_MULTIPLIER;
}

static inline uint64_t fl_word_at(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* All bytes of an item of fewer than 8, some of them twice. */
static inline uint64_t fl_short_word(const char *item, size_t itemsize) {
    uint32_t first, last;
    if (itemsize == 0)
        return 0;
    if (itemsize < sizeof first)
        return (uint64_t)(uint8_t)item[0] | (uint64_t)(uint8_t)item[itemsize / 2] << 8 |
               (uint64_t)(uint8_t)item[itemsize - 1] << 16;
    memcpy(&first, item, sizeof first);
    memcpy(&last, item + itemsize - sizeof last, sizeof last);
    return first | (uint64_t)last << 32;
}

/* An item in words of 8 bytes, of which the last one ends with the item. The upper bits are those to use: on them all
 * bits of a product depend, as where numbers of few digits are floats. */
static inline __attribute__((always_inline)) uint64_t fl_hash_item(const char *item, size_t itemsize) {
    uint64_t hash = 0;
    if (itemsize < 8)
        return fl_mixed(hash, fl_short_word(item, itemsize));
    for (size_t at = 0; at + 8 < itemsize; at += 8)
        hash = fl_mixed(hash, fl_word_at(item + at));
    return fl_mixed(hash, fl_word_at(item + itemsize - 8));
}

static inline __attribute__((always_inline)) int fl_are_same(const char *a, const char *b, size_t itemsize) {
    if (itemsize < 8)
        return fl_short_word(a, itemsize) == fl_short_word(b, itemsize);
    for (size_t at = 0; at + 8 < itemsize; at += 8)
        if (fl_word_at(a + at) != fl_word_at(b + at))
            return 0;
    return fl_word_at(a + itemsize - 8) == fl_word_at(b + itemsize - 8);
}

/* Open addresses: a slot has a code, plus one, or nothing; there are 2^n_bits of them. */
typedef struct {
    uint32_t *slots;
    int n_bits;
} fl_item_table;

/* The slot that has the item's code, or is to have it. */
static inline __attribute__((always_inline)) uint32_t *
fl_find_slot(const fl_item_table *t, const char *items, size_t itemsize, size_t i, const size_t *first) {
    const char *item = items + i * itemsize;
    for (size_t at = fl_hash_item(item, itemsize) >> (64 - t->n_bits);; at++) {
        uint32_t *slot = t->slots + (at & (((size_t)1 << t->n_bits) - 1));
        if (!*slot || fl_are_same(items + first[*slot - 1] * itemsize, item, itemsize))
            return slot;
    }
}

/* A table of so many slots with the codes so far; 0 without memory. */
static int fl_enlarge(fl_item_table *t, int n_bits, const char *items, size_t itemsize, size_t n_codes,
                      const size_t *first) {
    free(t->slots);
    t->slots = calloc((size_t)1 << n_bits, sizeof *t->slots);
    t->n_bits = n_bits;
    for (size_t code = 0; t->slots && code < n_codes; code++)
        *fl_find_slot(t, items, itemsize, first[code], first) = (uint32_t)code + 1;
    return t->slots != NULL;
}

/* Many at once, without a branch: where one of them is new, they are gone through again. */
static size_t fl_encode_bytes(const uint8_t *items, size_t n, uint32_t *codes, size_t *first) {
    uint32_t code_of[FL_BYTES];
    size_t n_codes = 0;
    memset(code_of, 0xff, sizeof code_of);
    for (size_t start = 0; start < n; start += FL_BYTES) {
        size_t end = n - start < FL_BYTES ? n : start + FL_BYTES;
        uint32_t any = 0;
        for (size_t i = start; i < end; i++)
            any |= codes[i] = code_of[items[i]];
        for (size_t i = start; any == UINT32_MAX && i < end; i++) {
            uint32_t *code = code_of + items[i];
            if (*code == UINT32_MAX) {
                first[n_codes] = i;
                *code = (uint32_t)n_codes++;
            }
            codes[i] = *code;
        }
    }
    return n_codes;
}

/* 0 without memory. */
static inline __attribute__((always_inline)) int fl_encode_of_size(const char *items, size_t itemsize,
                                                                   size_t n, uint32_t *codes, size_t *first,
                                                                   size_t *n_codes) {
    fl_item_table t = {NULL, 0};
    int fine = fl_enlarge(&t, FL_FIRST_BITS, items, itemsize, 0, first);
    for (size_t i = 0; i < n && fine; i++) {
        uint32_t *slot = fl_find_slot(&t, items, itemsize, i, first);
        if (!*slot) {
            first[*n_codes] = i;
            *slot = (uint32_t)++*n_codes;
        }
        codes[i] = *slot - 1;
        if (*n_codes >> (t.n_bits - 1))
            fine = fl_enlarge(&t, t.n_bits + 1, items, itemsize, *n_codes, first);
    }
    free(t.slots);
    return fine;
}

fl_status fl_encode_items(const char *items, size_t itemsize, size_t n, uint32_t *codes, size_t *first,
                          size_t *n_codes) {
    int fine = 1;
    *n_codes = 0;
    switch (itemsize) {
    case 1:
        *n_codes = fl_encode_bytes((const uint8_t *)items, n, codes, first);
        break;
    case 2:
        fine = fl_encode_of_size(items, 2, n, codes, first, n_codes);
        break;
    case 4:
        fine = fl_encode_of_size(items, 4, n, codes, first, n_codes);
        break;
    case 8:
        fine = fl_encode_of_size(items, 8, n, codes, first, n_codes);
        break;
    default:
        fine = fl_encode_of_size(items, itemsize, n, codes, first, n_codes);
    }
    return fine ? FL_OK : FL_NO_MEMORY;
}
