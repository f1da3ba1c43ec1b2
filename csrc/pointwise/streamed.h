/* A segment of a cheap loss whose gradient and Hessian go past the caches.
 *
 * Check, compute, sum and stream take turns on chunks so short that the processor looks ahead into the next
 * chunk's loads while it stores this one: with whole blocks memory would wait for each of the passes that
 * only touch L1. Sums are folded block by block: they have the bits that they have without streaming. */
#ifndef FL_POINTWISE_STREAMED_H
#define FL_POINTWISE_STREAMED_H

#include "../blocks/check.h"
#include "../blocks/stream.h"
#include "../sums/compensated.h"
#include "kernels.h"

enum { FL_STREAM_CHUNK = 256 };

static void fl_add_to_lanes(const real *v, size_t n, double *lanes) {
    double sums[FL_TILE];
    memcpy(sums, lanes, sizeof sums);
    for (size_t i = 0; i < n; i += FL_TILE)
        for (int k = 0; k < FL_TILE; k++)
            sums[k] += (double)v[i + k];
    memcpy(lanes, sums, sizeof sums);
}

/* n is a multiple of the lanes, y and z are native. Returns how many samples are done: all, or those before
 * the chunk in which a target is outside its domain. */
static size_t fl_compute_streamed(const fl_streamed_call *c, size_t n, const void *y, const void *z,
                                  void *gradient, void *hessian, fl_compensated *total) {
    _Alignas(64) real v[FL_STREAM_CHUNK], g[FL_STREAM_CHUNK], h[FL_STREAM_CHUNK];
    double lanes[FL_TILE] = {0};
    size_t start = 0;
    while (start < n) {
        const real *targets = (const real *)y + start;
        size_t m = n - start < FL_STREAM_CHUNK ? n - start : FL_STREAM_CHUNK;
        if (c->target && fl_any_outside(targets, m, c->target))
            break;
        c->compute(m, targets, (const real *)z + start, c->parameters, c->scale, v, g, h);
        if (c->want_value)
            fl_add_to_lanes(v, m, lanes);
        if (gradient)
            fl_stream((real *)gradient + start, g, m);
        if (hessian)
            fl_stream((real *)hessian + start, h, m);
        start += m;
        if (c->want_value && (start % FL_BLOCK == 0 || start == n)) {
            fl_add(total, fl_fold_lanes(lanes, FL_TILE));
            memset(lanes, 0, sizeof lanes);
        }
    }
    return start;
}

#endif
