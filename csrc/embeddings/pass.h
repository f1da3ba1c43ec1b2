/* One call while it is being computed: what the drivers of tiles and of centres share. */
#ifndef FL_EMBEDDINGS_PASS_H
#define FL_EMBEDDINGS_PASS_H

#include <string.h>

#include "../pass/shares.h"
#include "../pass/watch.h"
#include "../rows/parts.h"
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
    real *value, *weight, *input[FL_MAX_INPUTS], *gradient[FL_MAX_INPUTS];
    union {
        real *label;
        real_int *class; /* of the centre loss */
    };
    char *raw;
    size_t done; /* numbers since the last look at the watch */
    void *allocated;
} fl_embedding_scratch;

static void fl_lay_out(const fl_embedding_pass *p, fl_embedding_scratch *s, fl_layout *l) {
    const fl_embeddings_call *c = p->call;
    size_t rows = fl_round_up(p->tile_rows), matrix = fl_scratch_matrix(p->tile_rows, c->n_columns, 0);
    s->slope = fl_take(l, rows * sizeof *s->slope);
    s->value = fl_take_reals(l, rows);
    s->label = fl_take_reals(l, rows);
    s->weight = fl_take_reals(l, rows);
    s->raw = fl_take(l, FL_RAW_BYTES);
    for (int m = 0; m < p->n_inputs; m++) {
        s->input[m] = fl_take_reals(l, fl_copy_reals(&c->input[m], p->tile_rows, 0));
        s->gradient[m] =
            fl_take_reals(l, p->streams ? matrix : fl_copy_reals(&c->gradient[m], p->tile_rows, 0));
    }
}

/* 0 if there is no memory. */
static int fl_allocate(const fl_embedding_pass *p, fl_embedding_scratch *s) {
    fl_layout l = {.memory = NULL};
    *s = (fl_embedding_scratch){.allocated = NULL};
    fl_lay_out(p, s, &l);
    s->allocated = fl_get_counted(&l);
    if (s->allocated)
        fl_lay_out(p, s, &l);
    return s->allocated != NULL;
}

/* What multiplies the gradients of these rows, NULL where there are no weights; loads the weights. */
static const double *fl_load_weights(const fl_embedding_pass *p, size_t start, size_t n,
                                     const fl_embedding_scratch *s) {
    const fl_array *weight = &p->call->weight;
    if (!weight->data)
        return NULL;
    if (p->shares) {
        fl_load_shares(p->shares, start, n, s->slope, s->raw);
        return s->slope;
    }
    const real *w = p->ops->load(weight, start, n, s->weight, s->raw);
    if (w != s->weight)
        memcpy(s->weight, w, n * sizeof *w);
    for (size_t i = 0; i < n; i++)
        s->slope[i] = p->scale * (double)s->weight[i];
    return s->slope;
}

/* Adds the values of these rows, whose weights are loaded, to the total, or stores them. */
static void fl_close_values(const fl_embedding_pass *p, size_t start, size_t n, const fl_embedding_scratch *s,
                            fl_compensated *total) {
    const fl_embeddings_call *c = p->call;
    size_t whole = fl_round_up(n), rest = (whole - n) * sizeof(real);
    int weighted = c->weight.data && !p->shares;
    if (!c->want_value)
        return;
    memset(s->value + n, 0, rest);
    if (weighted)
        memset(s->weight + n, 0, rest);
    if (c->value.data) {
        if (p->shares)
            fl_take_shares(s->value, s->slope, 1, n, c->float32);
        else if (weighted)
            p->ops->multiply(s->value, s->weight, 1, whole);
        p->ops->store(&c->value, start, n, s->value, s->raw);
    } else if (p->shares) {
        fl_add_shares(s->value, s->slope, n, c->float32, total);
    } else {
        fl_add(total, weighted ? p->ops->dot(s->value, s->weight, whole) : p->ops->sum(s->value, whole));
    }
}

#endif
