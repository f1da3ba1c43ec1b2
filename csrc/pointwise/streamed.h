/* A segment whose gradient and Hessian go past the caches.
 *
 * Compute and stream take turns on chunks so short that the processor looks ahead into the next chunk's loads
 * while it stores this one: with whole blocks memory would wait while L1 is read again. Sums are folded block
 * by block: they have the bits that they have without streaming. */
#ifndef FL_POINTWISE_STREAMED_H
#define FL_POINTWISE_STREAMED_H

#include "../blocks/stream.h"
#include "../sums/compensated.h"
#include "../sums/fold.h"
#include "kernels.h"

enum { FL_STREAM_CHUNK = 256 };

/* n is a multiple of the lanes, y and z are native. Returns how many samples are done: all, or those before
 * the block in which a target may be outside its domain. */
static size_t fl_compute_streamed(const fl_streamed_call *c, size_t n, const void *y, const void *z,
                                  void *gradient, void *hessian, fl_compensated *total) {
    _Alignas(64) real g[FL_STREAM_CHUNK], h[FL_STREAM_CHUNK];
    double lanes[FL_LANES] = {0};
    size_t start = 0;
    while (start < n) {
        size_t m = n - start < FL_STREAM_CHUNK ? n - start : FL_STREAM_CHUNK;
        if (c->compute(m, (const real *)y + start, (const real *)z + start, c->parameters, c->scale, lanes, g,
                       h))
            return start / FL_BLOCK * FL_BLOCK;
        if (gradient)
            fl_stream((real *)gradient + start, g, m);
        if (hessian)
            fl_stream((real *)hessian + start, h, m);
        start += m;
        if (c->want_value && (start % FL_BLOCK == 0 || start == n)) {
            fl_add(total, fl_fold_lanes(lanes, FL_LANES));
            memset(lanes, 0, sizeof lanes);
        }
    }
    return n;
}

#endif
