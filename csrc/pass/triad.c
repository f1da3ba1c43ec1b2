/* The memory's own speed: three arrays, one addition, no mathematics to hide behind. */
#include <stdint.h>

#include "ops.h"
#include "threads.h"

enum { FL_TRIAD_BLOCK = 16 * 1024 };

void fl_stream_triad(const float *a, const float *b, float *out, size_t n, int n_threads) {
    const fl_ops *ops = fl_ops_for(1);
    size_t start = 0;
    for (; start < n && (uintptr_t)(out + start) % 64; start++)
        out[start] = a[start] + b[start];
    size_t n_blocks = (n - start) / FL_TRIAD_BLOCK;
    int threads = fl_may_run_parallel() ? fl_threads_needed(n_threads, n_blocks) : 1;
    (void)threads;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1)
    {
#pragma omp for schedule(static)
        for (size_t i = 0; i < n_blocks; i++) {
            size_t at = start + i * FL_TRIAD_BLOCK;
            ops->triad(out + at, a + at, b + at, FL_TRIAD_BLOCK);
        }
        ops->stream_end();
    }
    for (size_t i = start + n_blocks * FL_TRIAD_BLOCK; i < n; i++)
        out[i] = a[i] + b[i];
}
