/* The embedding family: losses of rows that are vectors, pair by pair, triplet by triplet, or against the
 * centres of classes; and the steps of a contrast against a whole batch. Included by fastloss.h.
 *
 * Fill an fl_embeddings_call, then call fl_embeddings: it makes one pass over the rows and writes the outputs
 * asked for.
 */
#ifndef FL_EMBEDDINGS_EMBEDDINGS_H
#define FL_EMBEDDINGS_EMBEDDINGS_H

enum { FL_MAX_INPUTS = 3 };

typedef struct {
    /* in */
    int kernel; /* from fl_find_embeddings */
    double margin;
    int float32; /* compute in float32, otherwise in float64 */
    fl_reduction reduction;
    int n_threads; /* at most so many; 1 makes no parallel region */
    int want_value;
    size_t n_rows, n_columns;
    size_t n_centers; /* of the centre loss */
    /* As many as fl_embeddings_n_inputs says, (n_rows, n_columns) each; of the centre loss the second one is
     * (n_centers, n_columns). */
    fl_array input[FL_MAX_INPUTS];
    fl_array label;  /* (n_rows,); classes of the centre loss: whole numbers in [0, n_centers) */
    fl_array weight; /* (n_rows,), optional */
    /* out: (n_rows,), written with FL_REDUCE_NONE only; and all of the gradients by the inputs, or none. A
     * gradient may be the very same view as its input; any other overlap is the caller's mistake.
     * Floating-point dtypes only. */
    fl_array value, gradient[FL_MAX_INPUTS];
    fl_go_on go_on; /* optional */
    void *context;  /* of go_on */
    /* results */
    double total;      /* the sum of weight * loss, or its mean */
    double weight_sum; /* the number of rows where there are no weights */
    size_t bad_row;
    double bad_value;
} fl_embeddings_call;

/* The index of the embedding kernel of that name, -1 if there is none. */
int fl_find_embeddings(const char *name);
int fl_embeddings_n_inputs(int kernel);
int fl_embeddings_has_label(int kernel);

/* One pass over the rows, after one over labels and weights, whose errors leave the outputs untouched. */
fl_status fl_embeddings(fl_embeddings_call *call);

/* A block of similarities s = similarity[i][j] between n_rows anchors, from first_row on, and n_columns
 * candidates, from first_column on, of n_vectors in all; the first half of them and the second are pairs in
 * order. Packed rows of the precision's reals. */
typedef struct {
    int float32, n_threads;
    void *similarity;
    size_t n_rows, n_columns, first_row, first_column, n_vectors;
    double inverse_temperature;
} fl_similarity_block;

/* Adds the candidates of this block, but for an anchor itself and its partner, to each anchor's sum of
 * e^((s - largest) * inverse_temperature); a partner's similarity goes to `positive`. All three are of
 * n_rows; `largest` begins at -infinity, `sum` at 0. Destroys the block. */
void fl_similarity_gather(const fl_similarity_block *block, double *largest, double *sum, double *positive);
/* Turns the block into the slopes of the loss by the inner products, both ways:
 * share_i (p_ij - [j is i's partner]) + share_j (p_ji - ...), with p_ij = e^(s * inverse_temperature -
 * level_i), and `missed` = 1 - p of the partner. All three are n_vectors reals. */
void fl_similarity_slopes(const fl_similarity_block *block, const void *level, const void *missed,
                          const void *share);

#endif
