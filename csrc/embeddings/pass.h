/* One call while it is being computed: what the drivers of the family share. */
#ifndef FL_EMBEDDINGS_PASS_H
#define FL_EMBEDDINGS_PASS_H

#include "../pass/watch.h"
#include "../pass/shares.h"
#include "kernel_types.h"

enum {
    FL_STRAIGHT_ROW_BYTES = 256,
    FL_EMBEDDING_TILE_BYTES = 8 << 10, /* of each matrix: a tile and its gradients stay in L1 and L2 */
    FL_PARALLEL_EMBEDDINGS = 1 << 18   /* numbers of a matrix */
};

typedef struct {
    const fl_embeddings_call *call;
    const fl_ops *ops;
    double scale;
    const fl_shares *shares; /* of unusual weights, which are not loaded otherwise; NULL: usual ones */
    int n_inputs, has_label, has_gradient, threads;
    size_t tile_rows, row_bytes;   /* which fix the order of the sums, too */
    int streams, streams_straight; /* past the caches; a bit for each gradient that needs no scratch for it */
    int copies_input[FL_MAX_INPUTS], copies_gradient[FL_MAX_INPUTS]; /* through scratch */
    fl_watch *watch;
} fl_embedding_pass;

/* Scratch of one thread, pieces of one allocation; a matrix that is used in place has none. */
typedef struct {
    double *slope;
    char *value, *label, *weight, *raw, *input[FL_MAX_INPUTS], *gradient[FL_MAX_INPUTS];
    size_t done; /* numbers since the last look at the watch */
    void *allocated;
} fl_embedding_scratch;

static inline double fl_number_at(const fl_ops *ops, const void *block, size_t i) {
    return ops->itemsize == sizeof(float) ? (double)((const float *)block)[i] : ((const double *)block)[i];
}

/* 0 if there is no memory. */
int fl_allocate_embeddings(const fl_embedding_pass *p, fl_embedding_scratch *scratch);

/* What multiplies the gradients of these rows, NULL where there are no weights; loads the weights. */
const double *fl_load_weights(const fl_embedding_pass *p, size_t start, size_t n,
                              const fl_embedding_scratch *scratch);
/* Adds the values of these rows, whose weights are loaded, to the total, or stores them. */
void fl_close_values(const fl_embedding_pass *p, size_t start, size_t n, const fl_embedding_scratch *scratch,
                     fl_compensated *total);

/* The centre loss, whose call has been checked; leaves its sum in `total`, or what is wrong with a label that
 * has been changed since. */
fl_status fl_run_centers(const fl_embedding_pass *p, fl_embeddings_call *c, double *total);

#endif
