/* A segment of arrays that are used where they lie, with nothing to convert or to weight: block after block
 * without a stop in between.
 *
 * Past the caches compute and stream take turns on chunks so short that the processor looks ahead into the
 * next chunk's loads while it stores this one: with whole blocks memory would wait while L1 is read again. */
#ifndef FL_POINTWISE_NATIVE_H
#define FL_POINTWISE_NATIVE_H

#include "../blocks/stream.h"
#include "../sums/compensated.h"
#include "../sums/fold.h"
#include "kernels.h"

enum { FL_STREAM_CHUNK = 256 };

/* What fl_block_fn says, its gradient and Hessian streamed. */
static int fl_stream_block(const fl_native_call *c, size_t n, const real *y, const real *z, double *lanes,
                           real *gradient, real *hessian) {
    _Alignas(64) real g[FL_STREAM_CHUNK], h[FL_STREAM_CHUNK];
    int suspicious = 0;
    for (size_t start = 0; start < n; start += FL_STREAM_CHUNK) {
        size_t m = n - start < FL_STREAM_CHUNK ? n - start : FL_STREAM_CHUNK;
        suspicious |= c->compute(m, y + start, z + start, c->parameters, c->scale, lanes, g, h);
        if (gradient)
            fl_stream(gradient + start, g, m);
        if (hessian)
            fl_stream(hessian + start, h, m);
    }
    return suspicious;
}

/* n is a multiple of the lanes; a Hessian comes with a gradient. Returns how many samples are done: all, or
 * those before the block in which something is outside its domain. */
static size_t fl_compute_native(const fl_native_call *c, size_t n, const void *y, const void *z,
                                void *gradient, void *hessian, fl_compensated *total) {
    for (size_t start = 0; start < n; start += FL_BLOCK) {
        size_t m = n - start < FL_BLOCK ? n - start : FL_BLOCK;
        const real *targets = (const real *)y + start, *predictions = (const real *)z + start;
        real *g = gradient ? (real *)gradient + start : NULL, *h = hessian ? (real *)hessian + start : NULL;
        _Alignas(64) double lanes[FL_LANES];
        fl_clear_sums(lanes);
        if (c->prediction && fl_any_outside(predictions, m, c->prediction) &&
            fl_first_outside(predictions, m, c->prediction) < m)
            return start;
        int suspicious = c->streams
                             ? fl_stream_block(c, m, targets, predictions, lanes, g, h)
                             : c->compute(m, targets, predictions, c->parameters, c->scale, lanes, g, h);
        if (suspicious && fl_first_outside(targets, m, c->target) < m)
            return start;
        if (c->want_value)
            fl_add(total, fl_fold_lanes(lanes, FL_LANES));
    }
    return n;
}

#endif
