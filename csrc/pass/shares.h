/* The shares of weights of unusual sizes (blocks/weighing.h), for the drivers of the families. */
#ifndef FL_PASS_SHARES_H
#define FL_PASS_SHARES_H

#include <float.h>
#include <math.h>

#include "../blocks/weighing.h"
#include "ops.h"
#include "watch.h"
#include "../sums/compensated.h"

/* Statuses of a pass that is to be made again: never returned to a caller. */
#define FL_AGAIN ((fl_status) - 1)

/* A share is weight * scale * factor, or scale * factor where there are no weights. */
typedef struct {
    const fl_array *weight;
    double scale; /* a power of two */
    double factor;
} fl_shares;

enum { FL_SHARES = 256 };

/* The power of two that brings a positive number near 1, as far as it and its inverse are in range. */
static inline double fl_scale_of(double largest) {
    int exponent;
    frexp(largest, &exponent);
    return ldexp(1, exponent < -1000 ? 1000 : (exponent > 1000 ? -1000 : -exponent));
}

static inline int fl_is_usual(double weight, int float32) {
    return weight == 0 || (weight >= FL_LEAST_USUAL(float32) && weight <= FL_LARGEST_USUAL(float32));
}

/* Weights start .. start + n, at most FL_SHARES, as doubles, in `to`. */
static inline void fl_load_doubles(const fl_array *a, size_t start, size_t n, double *to, void *raw) {
    const double *w = fl_ops_for(0)->load(a, start, n, to, raw);
    if (w != to)
        memcpy(to, w, n * sizeof *to);
}

/* Weights that a block may have as they are stored: FL_OK, FL_AGAIN, or FL_BAD_WEIGHT with the place of the
 * first that is negative, infinite or NaN. */
static inline fl_status fl_look_at_weights(const fl_array *a, size_t start, size_t n, int float32, void *raw,
                                           size_t *place, double *bad) {
    double w[FL_SHARES];
    int usual = 1;
    for (size_t at = 0; at < n; at += FL_SHARES) {
        size_t m = n - at < FL_SHARES ? n - at : FL_SHARES;
        fl_load_doubles(a, start + at, m, w, raw);
        for (size_t i = 0; i < m; i++) {
            usual &= fl_is_usual(w[i], float32);
            if (!(w[i] >= 0 && w[i] <= DBL_MAX)) {
                *place = at + i;
                *bad = w[i];
                return FL_BAD_WEIGHT;
            }
        }
    }
    return usual ? FL_OK : FL_AGAIN;
}

/* The same of a block that has been loaded in the precision of the loss; its kinds are kept. A double that
 * became 0 in float32 is none. */
static inline fl_status fl_check_weights(const fl_array *a, const void *block, size_t start, size_t n,
                                         int float32, void *raw, int *kinds, size_t *place, double *bad) {
    *kinds = fl_ops_for(float32)->weight_kinds(block, fl_round_up(n));
    int rounds = float32 && (a->dtype == FL_FLOAT64 || a->dtype == FL_LONGDOUBLE);
    if (!(*kinds & FL_UNUSUAL_WEIGHTS) && !(rounds && *kinds & FL_ZERO_WEIGHTS))
        return FL_OK;
    *kinds |= FL_ZERO_WEIGHTS; /* -0 */
    return fl_look_at_weights(a, start, n, float32, raw, place, bad);
}

/* The scale of n weights, or FL_BAD_WEIGHT. */
static inline fl_status fl_measure_weights(const fl_array *a, size_t n, fl_watch *watch, double *scale,
                                           size_t *place, double *bad) {
    _Alignas(64) char raw[FL_RAW_BYTES];
    double w[FL_SHARES], largest = 0;
    size_t done = 0;
    for (size_t at = 0; at < n && !fl_stops(watch, &done, FL_SHARES); at += FL_SHARES) {
        size_t m = n - at < FL_SHARES ? n - at : FL_SHARES;
        fl_load_doubles(a, at, m, w, raw);
        for (size_t i = 0; i < m; i++) {
            if (!(w[i] >= 0 && w[i] <= DBL_MAX)) {
                *place = at + i;
                *bad = w[i];
                return FL_BAD_WEIGHT;
            }
            largest = w[i] > largest ? w[i] : largest;
        }
    }
    *scale = fl_scale_of(largest);
    return FL_OK;
}

/* Shares start .. start + n, at most FL_SHARES and with room for whole lanes. */
static inline void fl_load_shares(const fl_shares *s, size_t start, size_t n, double *to, void *raw) {
    if (s->weight->data)
        fl_load_doubles(s->weight, start, n, to, raw);
    for (size_t i = 0; i < n; i++)
        to[i] = (s->weight->data ? to[i] : 1) * s->scale * s->factor;
}

/* The sum of n weights times the scale: `factor` is 1. */
static inline double fl_sum_of_shares(const fl_shares *s, size_t n, fl_watch *watch) {
    _Alignas(64) char raw[FL_RAW_BYTES];
    double share[FL_SHARES];
    fl_compensated sum = {0, 0};
    size_t done = 0;
    for (size_t at = 0; at < n && !fl_stops(watch, &done, FL_SHARES); at += FL_SHARES) {
        size_t m = n - at < FL_SHARES ? n - at : FL_SHARES;
        fl_load_shares(s, at, m, share, raw);
        for (size_t i = 0; i < m; i++)
            fl_add(&sum, share[i]);
    }
    return fl_total(sum);
}

/* Shares for n weights of unusual sizes, of their mean or themselves, and the sum of the weights; or
 * FL_BAD_WEIGHT. */
static inline fl_status fl_prepare_shares(fl_shares *s, size_t n, int mean, fl_watch *watch,
                                          double *weight_sum, size_t *place, double *bad) {
    fl_status status = fl_measure_weights(s->weight, n, watch, &s->scale, place, bad);
    if (status != FL_OK)
        return status;
    s->factor = 1;
    double sum = fl_sum_of_shares(s, n, watch);
    *weight_sum = sum / s->scale;
    if (mean)
        s->factor = 1 / sum;
    else
        s->scale = 1;
    return fl_is_stopped(watch) ? FL_INTERRUPTED : FL_OK;
}

/* A result times a share: without the sample where that is 0; 0 where the result is, though a share that is
 * the product of two weights may be infinite. */
static inline double fl_share_of(double x, double share) {
    return share == 0 || x == 0 ? 0 : x * share;
}

/* `step` is 1, or 0 for the same share of all. */
static inline void fl_take_shares(void *block, const double *share, size_t step, size_t n, int float32) {
    if (float32)
        for (size_t i = 0; i < n; i++)
            ((float *)block)[i] = (float)fl_share_of((double)((float *)block)[i], share[i * step]);
    else
        for (size_t i = 0; i < n; i++)
            ((double *)block)[i] = fl_share_of(((double *)block)[i], share[i * step]);
}

static inline void fl_add_shares(const void *block, const double *share, size_t n, int float32,
                                 fl_compensated *total) {
    for (size_t i = 0; i < n; i++)
        fl_add(total, fl_share_of(float32 ? (double)((const float *)block)[i] : ((const double *)block)[i],
                                  share[i]));
}

/* Block after block: of the samples start .. start + n, whose results it is. */
static inline void fl_weigh_block(const fl_shares *s, size_t start, size_t n, void *block, int float32,
                                  void *raw) {
    double share[FL_SHARES];
    for (size_t at = 0; at < n; at += FL_SHARES) {
        size_t m = n - at < FL_SHARES ? n - at : FL_SHARES;
        fl_load_shares(s, start + at, m, share, raw);
        fl_take_shares((char *)block + at * fl_ops_for(float32)->itemsize, share, 1, m, float32);
    }
}

static inline void fl_weigh_sum(const fl_shares *s, size_t start, size_t n, const void *block, int float32,
                                void *raw, fl_compensated *total) {
    double share[FL_SHARES];
    for (size_t at = 0; at < n; at += FL_SHARES) {
        size_t m = n - at < FL_SHARES ? n - at : FL_SHARES;
        fl_load_shares(s, start + at, m, share, raw);
        fl_add_shares((const char *)block + at * fl_ops_for(float32)->itemsize, share, m, float32, total);
    }
}

#endif
