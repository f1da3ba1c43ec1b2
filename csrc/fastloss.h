/* fastloss: loss functions, their gradients and the diagonals of their Hessians, on a CPU.
 *
 * The public interface of the C library, which knows nothing of Python. Fill an fl_pointwise_call, then
 * call fl_pointwise: it makes one pass over the data and writes the outputs asked for. All functions are
 * safe to call from several threads at once.
 */
#ifndef FASTLOSS_H
#define FASTLOSS_H

#include <stddef.h>
#include <stdint.h>

#include "blocks/domain.h"

/* Of this header, and below of the library that is linked. */
#define FL_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    FL_BOOL,
    FL_INT8,
    FL_UINT8,
    FL_INT16,
    FL_UINT16,
    FL_INT32,
    FL_UINT32,
    FL_INT64,
    FL_UINT64,
    FL_FLOAT16,
    FL_BFLOAT16,
    FL_FLOAT32,
    FL_FLOAT64,
    FL_LONGDOUBLE,
    FL_N_DTYPES
} fl_dtype;

enum { FL_MAX_DIMS = 64 };

/* An n-dimensional view on somebody's memory: strides in bytes, of any sign or zero; `swapped` says that
 * the bytes are not in this machine's order. Elements need not be aligned. */
typedef struct {
    void *data; /* NULL: absent */
    fl_dtype dtype;
    int swapped;
    int n_dims;
    ptrdiff_t shape[FL_MAX_DIMS];
    ptrdiff_t strides[FL_MAX_DIMS];
} fl_array;

typedef enum { FL_REDUCE_NONE, FL_REDUCE_SUM, FL_REDUCE_MEAN } fl_reduction;

/* What is written in place of the Hessian for a solver that needs a curvature > 0: itself; its absolute
 * value; 1; that of a parabola above the loss; that of Gauss and Newton, or the expected Hessian. */
typedef enum {
    FL_CURVATURE_EXACT,
    FL_CURVATURE_ABSOLUTE,
    FL_CURVATURE_UNIT,
    FL_CURVATURE_MAJORIZER,
    FL_CURVATURE_GAUSS_NEWTON
} fl_curvature;

typedef enum {
    FL_OK,
    FL_BAD_TARGET,     /* target[bad_index] = bad_value lies outside the loss's domain */
    FL_BAD_PREDICTION, /* likewise */
    FL_BAD_WEIGHT,     /* negative, infinite or NaN */
    FL_BAD_WEIGHT_SUM, /* the weights of a mean sum to zero */
    FL_EMPTY,          /* the mean of nothing */
    FL_NO_MEMORY,      /* scratch for rows of very many classes could not be had */
    FL_BAD_ENTRY, /* transport: call->bad_argument[bad_row, bad_column] is not finite, or a negative mass */
    FL_BAD_MASS,  /* transport: the masses of call->bad_argument[bad_row] sum to 0, or to infinity */
    FL_OUT_OF_RANGE, /* transport: costs too large beside the regularisation */
    FL_INTERRUPTED,  /* by what the caller gave to be asked: outputs may have been written in part */
    FL_TOO_LARGE     /* some array has more than FL_MOST_ELEMENTS */
} fl_status;

/* So many elements can be counted exactly in float64, and no size of memory made from their number runs over.
 */
#define FL_MOST_ELEMENTS ((size_t)(PTRDIFF_MAX >> 4 < 1LL << 53 ? PTRDIFF_MAX >> 4 : 1LL << 53))

/* Asked now and then during a call of many elements, from the thread that it was made from: 0 stops the call
 * with FL_INTERRUPTED. */
typedef int (*fl_go_on)(void *context);

typedef struct {
    /* in */
    int kernel;               /* from fl_find_pointwise */
    const double *parameters; /* as many as fl_pointwise_n_parameters says */
    int float32;              /* compute in float32, otherwise in float64 */
    fl_reduction reduction;
    int n_threads; /* at most so many; 1 makes no parallel region */
    int want_value;
    size_t n; /* elements of every array below */
    fl_array target, prediction;
    fl_array weight; /* optional */
    /* out: value is written with FL_REDUCE_NONE only. An output may be the very same view as prediction,
     * which is then checked as a whole before the first result is written; any other overlap is the caller's
     * mistake. Floating-point dtypes only. */
    fl_array value, gradient, hessian;
    fl_curvature curvature; /* of `hessian`, which it then needs `gradient` for; not over prediction */
    double kink_width;      /* for curvatures that need it: residuals below it count as it */
    fl_go_on go_on;         /* optional */
    void *context;          /* of go_on */
    /* results */
    double total;      /* the sum of weight * loss, or its mean */
    double weight_sum; /* the number of samples where there are no weights */
    size_t bad_index;
    double bad_value;
} fl_pointwise_call;

/* The index of the pointwise loss of that name, -1 if there is none. */
int fl_find_pointwise(const char *name);
int fl_pointwise_n_parameters(int kernel);
const fl_domain *fl_pointwise_target_domain(int kernel);
const fl_domain *fl_pointwise_prediction_domain(int kernel);

/* Whether a loss has a curvature, the one to train with, and whether kink_width has to be given: the mean of
 * the loss, or a tenth of it, is a good one. */
int fl_pointwise_has_curvature(int kernel, fl_curvature curvature);
fl_curvature fl_pointwise_automatic_curvature(int kernel);
int fl_pointwise_needs_kink_width(int kernel, fl_curvature curvature);

/* One pass over the data. On FL_BAD_* the outputs are undefined and nothing outside them was touched. */
fl_status fl_pointwise(fl_pointwise_call *call);
/* Only the checks that fl_pointwise makes: writes no output. */
fl_status fl_pointwise_check(fl_pointwise_call *call);

#include "rows/rows.h"
#include "transport/transport.h"

#include "embeddings/embeddings.h"

/* Merges dimensions that lie behind one another in memory, so that contiguous data becomes 1-D. */
void fl_array_coalesce(fl_array *array);

const char *fl_version(void);

/* The instruction-set tiers that were built and that this machine can run, slowest first, NULL at the end. */
const char *const *fl_isa_available(void);
/* The tier in use: the last of these, unless another one was taken. */
const char *fl_isa(void);
/* Takes a tier by its name; 0 if it is not available. */
int fl_isa_select(const char *name);

/* Threads: the calling thread's own limit where set (0 takes it away), else the process's default; at most
 * OpenMP's number where that was lowered. A child of fork() computes serially: it has none of them. */
int fl_threads(void);
void fl_threads_set_default(int n);
int fl_threads_local(void);
void fl_threads_set_local(int n);
int fl_has_openmp(void);

/* out = a + b over float32 arrays with streaming stores: what the memory lets through, for benchmarks. */
void fl_stream_triad(const float *a, const float *b, float *out, size_t n, int n_threads);

#ifdef __cplusplus
}
#endif
#endif
