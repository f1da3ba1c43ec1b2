/* The memory's own speed: three arrays, one addition, no mathematics to hide behind. */
#include "ops.h"
#include "threads.h"

void fl_stream_triad(const float *a, const float *b, float *out, size_t n, int n_threads) {
    const fl_ops *ops = fl_ops_for(1);
    size_t block = ops->block, n_blocks = n / block;
    int threads = fl_may_run_parallel() ? n_threads : 1;
    (void)threads;
#pragma omp parallel num_threads(threads) if (parallel : threads > 1)
    {
#pragma omp for schedule(static)
        for (size_t i = 0; i < n_blocks; i++)
            ops->triad(out + i * block, a + i * block, b + i * block, block);
        ops->stream_end();
    }
    for (size_t i = n_blocks * block; i < n; i++)
        out[i] = a[i] + b[i];
}
