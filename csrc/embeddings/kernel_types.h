/* What a kernel of the embedding family is: a tile of rows goes in, their values and gradients come out. */
#ifndef FL_EMBEDDINGS_KERNEL_TYPES_H
#define FL_EMBEDDINGS_KERNEL_TYPES_H

#include "../fastloss.h"
#include "../rows/kernel_types.h"

typedef struct {
    size_t n_rows, n_columns;
    fl_row_matrix input[FL_MAX_INPUTS];
    fl_row_matrix gradient[FL_MAX_INPUTS];
    const void *label;   /* reals, a number a row */
    const double *slope; /* what multiplies the gradients, a number a row, or NULL for scale */
    double margin, scale;
    void *value; /* a real a row, before weights */
} fl_embedding_tile;

/* Value, or value and gradients. */
enum { FL_EMBEDDINGS_V, FL_EMBEDDINGS_VG, FL_N_EMBEDDING_OUTPUTS };

/* The list of embedding kernels that go tile by tile: X(name, inputs, label's domain). */
#define FL_EMBEDDING_KERNELS(X)                                                                              \
    X(contrastive, 2, ZERO_ONE)                                                                              \
    X(cosine_embedding, 2, SIGN)                                                                             \
    X(triplet, 3, NONE)                                                                                      \
    X(triplet_squared, 3, NONE)

enum {
#define FL_ENUMERATE(name, n_inputs, label) FL_EMBEDDINGS_##name,
    FL_EMBEDDING_KERNELS(FL_ENUMERATE)
#undef FL_ENUMERATE
        FL_N_EMBEDDING_TILE_KERNELS,
    FL_EMBEDDINGS_center = FL_N_EMBEDDING_TILE_KERNELS /* has a driver of its own */
};

/* What the drivers need of a tier and precision. */
typedef struct {
    void (*tile[FL_N_EMBEDDING_TILE_KERNELS][FL_N_EMBEDDING_OUTPUTS])(const fl_embedding_tile *tile);
    /* Half of the squared distance of a row x from its centre c. With `gradient` slope * (x - c) goes there,
     * and weight * (x - c) is added to the sums of a centre, sum + error. */
    double (*center)(const void *x, const void *c, size_t n, double slope, double weight, void *gradient,
                     double *sum, double *error);
    /* to = factor * (sum + error) */
    void (*finish_center)(void *to, const double *sum, const double *error, size_t n, double factor);
    void (*gather)(const fl_similarity_block *block, size_t row, double *largest, double *sum,
                   double *positive);
    void (*slopes)(const fl_similarity_block *block, size_t row, const void *level, const void *missed,
                   const void *share);
} fl_embedding_ops;

#endif
