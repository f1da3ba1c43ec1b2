/* The interval that an input must lie in, checked block by block in the pass that computes. */
#ifndef FL_BLOCKS_DOMAIN_H
#define FL_BLOCKS_DOMAIN_H

typedef struct {
    double low, high; /* closed interval, infinite ends for "unbounded" */
    int open_low;     /* low itself is outside */
    int integral;     /* only whole numbers are inside; the interval is then [-1, 1] or [0, 1] */
    int nan_ok;       /* NaN passes and propagates; otherwise it is outside */
} fl_domain;

/* Whether nothing lies outside. */
static inline int fl_is_everything(const fl_domain *d) {
    return !d->integral && d->low < -1;
}

#endif
