/* The exact sum of doubles, and of products of two doubles: a wide integer in pieces (Neal, "Fast exact
 * summation using small and large superaccumulators", 2015). Whatever the order of additions and mergers, the
 * same integer. */
#ifndef FL_EVALUATION_EXACT_H
#define FL_EVALUATION_EXACT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    /* The integer counts units of 2^-2148: the product of the two smallest doubles. */
    FL_EXACT_UNIT = 2148,
    /* 32 bits each, the last one with a sign: up to 2^63 products of the two largest doubles. */
    FL_EXACT_LIMBS = 136,
    /* Additions of pieces of less than 2^32 until a limb of 64 bits could overflow. */
    FL_EXACT_CARRY_AFTER = 1 << 30
};

typedef struct {
    int64_t limb[FL_EXACT_LIMBS]; /* of the power 2^(32 i - 2148) */
    uint64_t above, below, nans;  /* how many were infinity, -infinity, NaN */
    uint64_t additions;           /* of pieces since carries were passed on; 0 where nothing has been added */
} fl_exact;

/* Every limb but the last one between 0 and 2^32 - 1: one form for each integer. */
static inline void fl_exact_carry(fl_exact *a) {
    for (int i = 0; i + 1 < FL_EXACT_LIMBS; i++) {
        int64_t low = a->limb[i] & 0xffffffff;
        a->limb[i + 1] += (a->limb[i] - low) / ((int64_t)1 << 32);
        a->limb[i] = low;
    }
    a->additions = a->additions > 0; /* what is there is like one piece */
}

/* Adds m 2^(place - 2148), or takes it away. */
static inline void fl_exact_add_bits(fl_exact *a, uint64_t m, int place, int negative) {
    int64_t *limb = a->limb + place / 32, sign = negative ? -1 : 1;
    unsigned shift = (unsigned)place % 32;
    uint64_t low = m << shift, high = shift ? m >> (64 - shift) : 0;
    limb[0] += sign * (int64_t)(low & 0xffffffff);
    limb[1] += sign * (int64_t)(low >> 32);
    limb[2] += sign * (int64_t)high;
    if (++a->additions >= FL_EXACT_CARRY_AFTER)
        fl_exact_carry(a);
}

/* A finite double is m 2^(place - 1074); 0 has m = 0. */
static inline uint64_t fl_exact_split(double x, int *place, int *negative) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) & 0x7ff;
    *negative = (int)(bits >> 63);
    *place = exponent ? exponent - 1 : 0;
    return (bits & 0xfffffffffffff) | (exponent ? (uint64_t)1 << 52 : 0);
}

static inline void fl_exact_add_special(fl_exact *a, double x) {
    a->nans += isnan(x) != 0;
    a->above += x == INFINITY;
    a->below += x == -INFINITY;
}

static inline void fl_exact_add(fl_exact *a, double x) {
    int place, negative;
    if (!isfinite(x)) {
        fl_exact_add_special(a, x);
        return;
    }
    uint64_t m = fl_exact_split(x, &place, &negative);
    if (m)
        fl_exact_add_bits(a, m, place + FL_EXACT_UNIT - 1074, negative);
}

/* x y without rounding. */
static inline void fl_exact_add_product(fl_exact *a, double x, double y) {
    int place_x, place_y, negative_x, negative_y;
    if (!isfinite(x) || !isfinite(y)) {
        fl_exact_add_special(a, x * y);
        return;
    }
    uint64_t m = fl_exact_split(x, &place_x, &negative_x), k = fl_exact_split(y, &place_y, &negative_y);
    int place = place_x + place_y, negative = negative_x != negative_y;
    uint64_t k_low = k & 0xffffffff, k_high = k >> 32, m_low = m & 0xffffffff, m_high = m >> 32;
    /* Four products of 32 bits: the longest has 64. */
    const uint64_t piece[] = {m_low * k_low, m_low * k_high, m_high * k_low, m_high * k_high};
    const int at[] = {0, 32, 32, 64};
    for (int i = 0; i < 4; i++)
        if (piece[i])
            fl_exact_add_bits(a, piece[i], place + at[i], negative);
}

static inline void fl_exact_merge(fl_exact *a, fl_exact *b) {
    if (a->additions + b->additions >= FL_EXACT_CARRY_AFTER) {
        fl_exact_carry(a);
        fl_exact_carry(b);
    }
    if (b->additions)
        for (int i = 0; i < FL_EXACT_LIMBS; i++)
            a->limb[i] += b->limb[i];
    a->additions += b->additions;
    a->above += b->above;
    a->below += b->below;
    a->nans += b->nans;
}

#endif
