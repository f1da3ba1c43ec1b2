/* What a kernel of the embedding family is: a tile of rows goes in, their values and gradients come out. */
#ifndef FL_EMBEDDINGS_KERNEL_TYPES_H
#define FL_EMBEDDINGS_KERNEL_TYPES_H

#include "../pass/watch.h"
#include "../rows/kernel_types.h"
#include "list.h"

enum { FL_EMBEDDING_TILE_ROWS = 256 };

typedef struct {
    size_t n_rows, n_columns; /* at most FL_EMBEDDING_TILE_ROWS rows */
    fl_row_matrix input[FL_MAX_INPUTS];
    fl_row_matrix gradient[FL_MAX_INPUTS];
    const real *label;   /* a number a row */
    const double *slope; /* what multiplies the gradients, a number a row, or NULL for scale */
    double margin, scale;
    real *value; /* a number a row, before weights */
    int streams; /* a bit for each gradient that goes past the caches, all in the same quarters of lines */
    fl_watch *watch; /* looked at within rows that take long */
} fl_embedding_tile;

/* Value, or value and gradients. */
enum { FL_EMBEDDINGS_V, FL_EMBEDDINGS_VG, FL_N_EMBEDDING_OUTPUTS };

/* A row x and its centre: half of the squared distance, of a row of slope 0 none, goes to `value`. With
 * `gradient` slope * (x - center) goes there, and weight * (x - center) is added to the centre's sums: of
 * float64 n_columns of them and as many errors, of float32 the sums alone. */
enum {
    FL_CENTER_SUMS = FL_PRECISION / 32,
    FL_CENTER_COLUMNS = 1024 /* of a centre's gradient at once */
};

typedef struct {
    const real *x, *center;
    real *gradient, *value;
    double *sum;
    double slope, weight;
} fl_center_task;

/* What the driver of a precision needs of a tier. */
typedef struct fl_embedding_ops {
    void (*tile[FL_N_EMBEDDING_TILE_KERNELS][FL_N_EMBEDDING_OUTPUTS])(const fl_embedding_tile *tile);
    void (*center)(const fl_center_task *tasks, size_t n_rows, size_t n_columns, int streams,
                   fl_watch *watch);
    /* to = factor * the sum of n_parts of a centre's sums, which lie `apart`: of n columns from `part` on, at
     * most FL_CENTER_COLUMNS. */
    void (*finish_center)(real *to, const double *part, size_t apart, size_t n_parts, size_t n_columns,
                          size_t n, double factor);
    void (*gather)(const fl_similarity_block *block, size_t row, double *largest, double *sum,
                   double *positive);
    void (*slopes)(const fl_similarity_block *block, size_t row, const real *level, const real *missed,
                   const real *share);
} fl_embedding_ops;

#endif
