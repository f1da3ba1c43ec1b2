/* check: does a block lie in its domain? One vectorised pass says whether; only then is the place sought. */
#ifndef FL_BLOCKS_CHECK_H
#define FL_BLOCKS_CHECK_H

#include "real.h"

static inline int fl_is_outside(real x, real low, real high, int open_low, int integral, int nan_ok) {
    if (integral) {
        /* -1, 0 and 1, or 0 and 1: zero or one after the sign, where that is admitted, is gone. */
        real magnitude = low < 0 ? (x < 0 ? -x : x) : x;
        return (magnitude != 0) & (magnitude != 1);
    }
    int inside = (x <= high) & (open_low ? x > low : x >= low);
    return !(nan_ok ? inside | (x != x) : inside);
}

/* n is a multiple of the lanes. The cases are constants, so that each loop is branch-free. */
static int fl_any_outside(const void *block, size_t n, const fl_domain *domain) {
    const real *x = block, high = (real)domain->high;
    real low = (real)domain->low;
    unsigned outside = 0;
    n &= ~(size_t)(FL_LANES - 1);
#define FL_SCAN(OPEN_LOW, INTEGRAL, NAN_OK)                                                                  \
    for (size_t i = 0; i < n; i++)                                                                           \
    outside |= (unsigned)fl_is_outside(x[i], low, high, OPEN_LOW, INTEGRAL, NAN_OK)
    if (domain->integral && domain->low < 0) {
        low = -1;
        FL_SCAN(0, 1, 0);
    } else if (domain->integral) {
        low = 0;
        FL_SCAN(0, 1, 0);
    } else if (domain->open_low && domain->nan_ok)
        FL_SCAN(1, 0, 1);
    else if (domain->open_low)
        FL_SCAN(1, 0, 0);
    else if (domain->nan_ok)
        FL_SCAN(0, 0, 1);
    else
        FL_SCAN(0, 0, 0);
#undef FL_SCAN
    return outside != 0;
}

static size_t fl_first_outside(const void *block, size_t n, const fl_domain *domain) {
    const real *x = block, low = (real)domain->low, high = (real)domain->high;
    for (size_t i = 0; i < n; i++)
        if (fl_is_outside(x[i], low, high, domain->open_low, domain->integral, domain->nan_ok))
            return i;
    return n;
}

#endif
