/* check: does a block lie in its domain? One vectorised pass says whether; only then is the place sought. */
#ifndef FL_BLOCKS_CHECK_H
#define FL_BLOCKS_CHECK_H

#include "real.h"

/* Zero exactly at 0 and 1, for a sign-carrying domain also at -1: x^2 - x of x or |x|. Only bits that a
 * nonzero result or NaN has remain; the sign of a zero is shifted out. */
static inline real_bits fl_not_a_label(real x, int has_minus_one) {
    real a = has_minus_one ? fl_abs(x) : x;
    return fl_to_bits(fl_fma(a, a, -a)) << 1;
}

static inline int fl_is_outside(real x, const fl_domain *d) {
    if (d->integral)
        return fl_not_a_label(x, d->low < 0) != 0;
    int inside = (x <= (real)d->high) & (d->open_low ? x > (real)d->low : x >= (real)d->low);
    return !(inside | (d->nan_ok & (x != x)));
}

static inline int fl_any_not_label(const real *x, size_t n, int has_minus_one) {
    real_bits found[FL_LANES] = {0}, any = 0;
    for (size_t i = 0; i < n; i += FL_LANES)
        for (int k = 0; k < FL_LANES; k++)
            found[k] |= fl_not_a_label(x[i + k], has_minus_one);
    for (int k = 0; k < FL_LANES; k++)
        any |= found[k];
    return any != 0;
}

/* The sign bit tells: of (x - low) + 0 for a closed end (a negative zero becomes positive), of the complement
 * of low - x for an open one. NaN has either sign and may be taken for a number outside. */
static inline real_bits fl_beyond(real x, real low, real high, int open_low, int has_high) {
    real_bits below = open_low ? ~fl_to_bits(low - x) : fl_to_bits((x - low) + 0);
    return has_high ? below | fl_to_bits(high - x) : below;
}

static inline int fl_any_beyond(const real *x, size_t n, const fl_domain *d, int open_low, int has_high) {
    const real low = (real)d->low, high = (real)d->high;
    real_bits found[FL_LANES] = {0}, poison[FL_LANES] = {0}, any = 0;
    for (size_t i = 0; i < n; i += FL_LANES)
        for (int k = 0; k < FL_LANES; k++) {
            found[k] |= fl_beyond(x[i + k], low, high, open_low, has_high);
            /* 0*x is a zero, or NaN, whose exponent remains when the sign is shifted out. */
            poison[k] |= fl_to_bits(x[i + k] * 0) << 1;
        }
    for (int k = 0; k < FL_LANES; k++)
        any |= (found[k] & FL_SIGN_BIT) | (d->nan_ok ? 0 : poison[k]);
    return any != 0;
}

/* n is a multiple of the lanes. Where NaN is admitted it may be reported all the same: fl_first_outside
 * knows. */
static int fl_any_outside(const void *block, size_t n, const fl_domain *d) {
    if (d->integral)
        return d->low < 0 ? fl_any_not_label(block, n, 1) : fl_any_not_label(block, n, 0);
    if (d->high < FL_INFINITY)
        return d->open_low ? fl_any_beyond(block, n, d, 1, 1) : fl_any_beyond(block, n, d, 0, 1);
    return d->open_low ? fl_any_beyond(block, n, d, 1, 0) : fl_any_beyond(block, n, d, 0, 0);
}

/* n if there is none. */
static size_t fl_first_outside(const void *block, size_t n, const fl_domain *domain) {
    const real *x = block;
    for (size_t i = 0; i < n; i++)
        if (fl_is_outside(x[i], domain))
            return i;
    return n;
}

#endif
