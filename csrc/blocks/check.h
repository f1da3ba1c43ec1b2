/* check: does a block lie in its domain? Bits or-ed together say whether, vectorised and cheap enough to keep
 * beside the arithmetic of a kernel; only then is the place sought.
 *
 * As unsigned integers the patterns of non-negative numbers are ordered as the numbers are, and those of NaN
 * and of all negative numbers, -0 among them, lie above: whatever is outside [0, high] has a pattern above
 * high's. Outside (-1, inf] lie the patterns from -1's on. Where -0 or a NaN is inside it is taken for
 * something outside at first: fl_first_outside knows. */
#ifndef FL_BLOCKS_CHECK_H
#define FL_BLOCKS_CHECK_H

#include "tile.h"

/* Zero exactly at 0 and 1, for a sign-carrying domain also at -1: x^2 - x of x or |x|. */
FL_INLINE real fl_not_a_label(real x, int has_minus_one) {
    real a = has_minus_one ? fl_abs(x) : x;
    return fl_fma(a, a, -a);
}

/* Bits that stay 0 for numbers inside, once FL_SUSPICIOUS has masked them. */
FL_INLINE real_bits fl_suspicion(real x, const fl_domain *d) {
    real_bits pattern = fl_to_bits(x), minus_one = fl_to_bits(-1);
    if (d->integral)
        return fl_to_bits(fl_not_a_label(x, d->low < 0)); /* +0: zeros of opposite signs, x - x */
    if (d->low < 0)
        return pattern & ~(pattern - minus_one);
    real_bits shifted = pattern - (d->open_low != 0);
    return shifted | (fl_to_bits((real)d->high) - (d->open_low != 0) - shifted);
}
#define FL_SUSPICIOUS(bits, d) ((d)->integral ? (bits) : (bits) & FL_SIGN_BIT)

FL_INLINE int fl_any_suspicious(const real *x, size_t n, const fl_domain *d) {
    fl_bits_vector found[FL_N_BITS_VECTORS] = {{0}};
    for (size_t i = 0; i < n; i += FL_LANES) {
        real_bits tile[FL_LANES];
        for (int k = 0; k < FL_LANES; k++)
            tile[k] = fl_suspicion(x[i + k], d);
        fl_keep_bits(found, tile);
    }
    return FL_SUSPICIOUS(fl_any_bits(found), d) != 0;
}

/* n is a multiple of the lanes. */
static __attribute__((noinline, unused)) int fl_any_outside(const void *block, size_t n, const fl_domain *d) {
    /* Of each a loop of its own, which need not ask for every vector which it is. */
    static const fl_domain label = {-1, 1, 0, 1, 0}, binary = {0, 1, 0, 1, 0}, above_minus_one = {.low = -1};
    const fl_domain from_zero = {.high = d->high, .open_low = d->open_low};
    if (d->integral)
        return d->low < 0 ? fl_any_suspicious(block, n, &label) : fl_any_suspicious(block, n, &binary);
    return d->low < 0 ? fl_any_suspicious(block, n, &above_minus_one)
                      : fl_any_suspicious(block, n, &from_zero);
}

static inline int fl_is_outside(real x, const fl_domain *d) {
    if (d->integral)
        return fl_not_a_label(x, d->low < 0) != 0;
    int inside = (x <= (real)d->high) & (d->open_low ? x > (real)d->low : x >= (real)d->low);
    return !(inside | (d->nan_ok & (x != x)));
}

/* n if there is none. */
static inline size_t fl_first_outside(const void *block, size_t n, const fl_domain *domain) {
    const real *x = block;
    for (size_t i = 0; i < n; i++)
        if (fl_is_outside(x[i], domain))
            return i;
    return n;
}

#endif
