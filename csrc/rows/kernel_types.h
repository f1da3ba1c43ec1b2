/* What a kernel of the row family is: a tile of rows goes in, its values, gradients and Hessians come out.
 *
 * Few classes: the tile is class-major (all rows of class 0, then of class 1, ...) and vectors run across its
 * rows; or it is flat, row-major without a gap, and vectors do not heed where rows end. Many classes: it is
 * row-major and vectors run along each row. Which of them depends on the loss, the number of classes and the
 * precision alone, so that the memory order of the caller's arrays cannot change a bit of the result. */
#ifndef FL_ROWS_KERNEL_TYPES_H
#define FL_ROWS_KERNEL_TYPES_H

#include "../blocks/real.h"
#include "../pass/scratch.h"
#include "description.h"

/* A class index, as wide as a real. */
typedef fl_signed_bits real_int;

/* A matrix of reals; `stride` counts elements from one vector direction's line to the next: from class to
 * class where vectors run across rows, from row to row where they run along them. */
typedef struct {
    real *data;
    ptrdiff_t stride;
} fl_row_matrix;

/* Tiles of so few classes are class-major, those of so many row-major, but not flat. */
enum { FL_FEWEST_CLASSES = 3, FL_MOST_FLAT_CLASSES = 256 };

/* Vectors run across rows up to so many classes, or tiles are flat. */
enum { FL_ACROSS_LIMIT = FL_PRECISION == 32 ? 128 : 120, FL_FLAT_LIMIT = 200 };

/* The most rows of a tile of few classes, and the classes of a chunk of many. */
enum { FL_ROW_TILE = 1024 / sizeof(real), FL_ROW_CHUNK = 4096 / sizeof(real) };

/* Reals of a row-major line of scratch: no more than its classes where tiles may be flat; otherwise whole
 * cache lines, and an odd number of them, so that the lines of one class's rows are not all in the same few
 * sets of a cache. */
static inline size_t fl_scratch_line(size_t n_classes) {
    const size_t line = 64 / sizeof(real);
    return n_classes <= FL_MOST_FLAT_CLASSES ? n_classes : ((n_classes + line - 1) / line | 1) * line;
}

/* Reals of a flat tile's terms: vectors read beyond the last of them. */
static inline size_t fl_flat_reals(size_t n_rows, size_t n_classes) {
    return fl_times(fl_round_up(n_rows), n_classes) + FL_LANES;
}

/* Reals of a matrix of scratch, rows padded to whole lanes: what drivers allot and what tiles.h fills. */
static inline size_t fl_scratch_matrix(size_t n_rows, size_t n_classes, int across) {
    return fl_times(fl_round_up(n_rows), across ? n_classes : fl_scratch_line(n_classes));
}

/* Whether a class's rows are nearer to each other than a row's classes, by the strides of both. */
static inline int fl_is_by_class(ptrdiff_t row, ptrdiff_t column) {
    return (row < 0 ? -row : row) < (column < 0 ? -column : column);
}

/* Where the next tile's part of a matrix lies: memory to fetch while this tile is computed. Lines as in
 * fl_row_matrix, `step` bytes apart; NULL: none. */
typedef struct {
    const char *data;
    ptrdiff_t step;
} fl_row_ahead;

typedef struct {
    /* n_classes of each: the target of a class index is own[y] at the class y, plus base[k] everywhere; a
     * dense target is own[k]*y + base[k]. NULL in the forms that do not use them. */
    const real *own, *base;
    const real *class_weight; /* before smoothing, or NULL: what a row counts for in a mean */
    double base_sum;          /* of base */
    double gamma, log_base, constant, kink_width;
    int gauss_newton; /* focal: its Hessian without the term that can be negative; NLLs: its expectation */
    int rounds_kinks; /* several quantiles: the curvature of their loss with kinks rounded off */
} fl_row_options;

/* Outputs a kernel makes: value; value and gradient; all three. The gradient's place also holds intermediate
 * results, so it is there whenever a Hessian is wanted. */
enum { FL_ROWS_V, FL_ROWS_VG, FL_ROWS_VGH, FL_N_ROW_OUTPUTS };

/* Finished slopes on their way to memory: whole cache lines, `to` begins one. They are sent off a few at a
 * time between the terms of later rows, so that memory is read and written all the time. */
typedef struct {
    const char *from;
    char *to;
    size_t lines;
} fl_row_queue;

enum { FL_ROW_QUEUES = 2 };

typedef struct {
    const fl_row_options *options;
    size_t n_rows; /* a multiple of 16 across rows, at most 16 along them, any number in a flat tile */
    size_t n_classes;
    fl_row_matrix prediction, target; /* target: dense forms */
    const real_int *label;            /* negative: ignored */
    const real *weight; /* a number a row, or NULL for 1: with scale what multiplies the slopes */
    double scale;
    real *value, *row_sum; /* a number a row each, before weights, 16 of padding allowed */
    fl_row_matrix gradient, hessian;
    fl_row_ahead next_prediction, next_target, next_gradient, next_hessian;
    size_t block_row; /* along: where the tile begins among the 2^block_shift rows that are turned at once, if
                         the next ones are to be fetched meanwhile */
    int block_shift;
    fl_row_queue *queues;       /* along: of the rows before, one each for gradient and Hessian, or NULL */
    struct fl_row_state *state; /* fl_row_ops.state_bytes of scratch, aligned to 64 */
    void *partial; /* along: fl_row_ops.partial_bytes for each chunk of each row; flat: fl_flat_reals */
} fl_row_tile;

typedef void (*fl_chunks_fn)(const fl_row_tile *tile, size_t from, size_t to);

typedef struct {
    void (*few)(const fl_row_tile *tile); /* across rows, or flat */
    /* Along rows the work comes in chunks of classes, counted row by row, which different threads may do:
     * gather over all of them, then combine over the rows, then emit over all chunks. */
    fl_chunks_fn gather;
    void (*combine)(const fl_row_tile *tile);
    fl_chunks_fn emit;
} fl_row_functions;

/* One kernel in one precision on one instruction set. */
typedef const fl_row_functions *fl_row_kernel[FL_N_ROW_FORMS]; /* by outputs */

/* Rows along which vectors run, of a matrix in which a class's rows are next to each other, are turned so
 * many cache lines of each class at once, at most. */
enum { FL_TURNED_LINES = 8 };

/* What the driver of a precision needs of a tier. */
typedef struct fl_row_ops {
    const fl_row_kernel *kernels;
    size_t state_bytes;   /* of a tile's state */
    size_t partial_bytes; /* of one chunk's result */
    void (*begin)(const fl_row_tile *tile, int form);
    /* Rows start .. start + n of a matrix with one line's worth of classes or rows contiguous; in place if
     * possible. Of the `whole` classes of a row the array may have a part. */
    fl_row_matrix (*load)(const fl_array *a, size_t start, size_t n, int across, size_t whole, real *scratch,
                          char *raw);
    /* And back. `streams`: past the caches, packed rows, or along rows a class's rows next to each other. */
    void (*store)(const fl_array *a, size_t start, size_t n, int across, size_t whole, real *scratch,
                  char *raw, int streams);
    /* Whether an entry of the first n rows is outside the domain, and which is the first in C order. */
    int (*outside)(fl_row_matrix m, size_t n, size_t n_classes, int across, const fl_domain *domain,
                   size_t *row, size_t *column, double *bad_value);
    /* Class indices start .. start + n, checked and padded to a multiple of 16; the place of the first that
     * is outside, n if none is. Those equal to *ignored become -1. */
    size_t (*labels)(const fl_array *a, size_t start, size_t n, size_t n_classes, const long long *ignored,
                     real_int *labels, char *raw, double *bad_value);
    /* Turns a tile's Hessians into another curvature: |h|, the row's weight, or factor times h. */
    void (*curve)(const fl_row_tile *tile, int across, int by_label, int curvature, double factor);
    /* Makes the results of rows of weight 0 0; with `by_class` of those whose true class weighs 0, too. */
    void (*clear)(const fl_row_tile *tile, int across, int by_class);
} fl_row_ops;

#endif
