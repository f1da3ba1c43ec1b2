/* Sums of a block, accumulated in double whatever the precision. Thirty-two lanes are added in a fixed
 * order, whatever vectors the machine has: the same bits on every tier, and four 512-bit accumulators hide
 * the latency of an addition. */
#ifndef FL_SUMS_SUMS_H
#define FL_SUMS_SUMS_H

#include "../blocks/real.h"
#include "fold.h"

enum { FL_SUM_LANES = 32 };

/* n is a multiple of FL_LANES. */
static double fl_sum(const void *block, size_t n) {
    const real *x = block;
    double lanes[FL_SUM_LANES] = {0};
    size_t i = 0;
    for (; i + FL_SUM_LANES <= n; i += FL_SUM_LANES)
        for (int k = 0; k < FL_SUM_LANES; k++)
            lanes[k] += (double)x[i + k];
    if (i < n)
        for (int k = 0; k < FL_LANES; k++)
            lanes[k] += (double)x[i + k];
    return fl_fold_lanes(lanes, FL_SUM_LANES);
}

/* The products of float32 are exact in double; those of float64 are rounded once, on every tier. What has the
 * weight 0 is left out, whatever it is. */
#define FL_WEIGHTED(i) ((double)(w[i] != 0 ? x[i] : 0) * (double)w[i])
static double fl_dot(const void *block, const void *weights, size_t n) {
    const real *x = block, *w = weights;
    double lanes[FL_SUM_LANES] = {0};
    size_t i = 0;
    for (; i + FL_SUM_LANES <= n; i += FL_SUM_LANES)
        for (int k = 0; k < FL_SUM_LANES; k++)
            lanes[k] += FL_WEIGHTED(i + k);
    if (i < n)
        for (int k = 0; k < FL_LANES; k++)
            lanes[k] += FL_WEIGHTED(i + k);
    return fl_fold_lanes(lanes, FL_SUM_LANES);
}

#endif
