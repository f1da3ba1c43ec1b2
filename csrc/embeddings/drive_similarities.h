/* The driver of the blocks of similarities: their rows, shared among the threads. Included by drive.h alone. */
#ifndef FL_EMBEDDINGS_DRIVE_SIMILARITIES_H
#define FL_EMBEDDINGS_DRIVE_SIMILARITIES_H

#include "../pass/ops.h"
#include "../pass/threads.h"
#include "kernel_types.h"

enum { FL_PARALLEL_SIMILARITIES = 1 << 16 };

static int fl_threads_for(const fl_similarity_block *b) {
    int allowed = fl_threads_allowed(b->n_threads, b->n_rows * b->n_columns, FL_PARALLEL_SIMILARITIES);
    return fl_threads_needed(allowed, b->n_rows);
}

void FL_OF_PRECISION(fl_drive_gather)(const fl_similarity_block *b, double *largest, double *sum,
                                      double *positive) {
    const fl_embedding_ops *ops = fl_ops_for(FL_PRECISION == 32)->embeddings;
    int threads = fl_threads_for(b);
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (parallel : threads > 1)
    for (size_t row = 0; row < b->n_rows; row++)
        ops->gather(b, row, largest, sum, positive);
}

void FL_OF_PRECISION(fl_drive_slopes)(const fl_similarity_block *b, const void *level, const void *missed,
                                      const void *share) {
    const fl_embedding_ops *ops = fl_ops_for(FL_PRECISION == 32)->embeddings;
    int threads = fl_threads_for(b);
    (void)threads;
#pragma omp parallel for schedule(static) num_threads(threads) if (parallel : threads > 1)
    for (size_t row = 0; row < b->n_rows; row++)
        ops->slopes(b, row, level, missed, share);
}

#endif
