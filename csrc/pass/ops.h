/* One table of functions per instruction-set tier and precision: all that a driver needs to know of either.
 *
 * Everything behind the table is static in its translation unit (dispatch/ops_f32.c and so on), which is
 * compiled once per tier, so that the linker can never mix code of different instruction sets. */
#ifndef FL_PASS_OPS_H
#define FL_PASS_OPS_H

#include <float.h>

#include "../blocks/block.h"
#include "../fastloss.h"
#include "../names.h"

#if FLT_EVAL_METHOD != 0
#error "float must be computed as such: -msse2 -mfpmath=sse on i686, -fexcess-precision=fast on s390x"
#endif

/* Of the families' kernel_types.h. */
typedef struct fl_row_ops fl_row_ops;
typedef struct fl_embedding_ops fl_embedding_ops;
typedef struct fl_transport_ops fl_transport_ops;
typedef struct fl_evaluation_ops fl_evaluation_ops;

typedef struct {
    size_t block; /* elements of a block, a multiple of FL_LANES */
    size_t itemsize;
    fl_dtype dtype;
    /* The door of the pointwise driver: what fl_pointwise says, or fl_pointwise_check, of one sample or more. */
    fl_status (*pointwise)(fl_pointwise_call *call, int only_checks);
    const fl_row_ops *rows;
    const fl_embedding_ops *embeddings;
    const fl_transport_ops *transport;   /* NULL in float32, which has none */
    const fl_evaluation_ops *evaluation; /* likewise: they sum doubles, and floats as doubles */
    const void *(*load)(const fl_array *a, size_t start, size_t n, void *scratch, void *raw);
    void (*store)(const fl_array *a, size_t start, size_t n, const void *block, void *raw);
    void (*multiply)(void *block, const void *weights, double scale, size_t n);
    int has_stream;
    void (*stream)(void *destination, const void *block, size_t n);
    void (*triad)(float *to, const float *a, const float *b, size_t n);
    void (*stream_end)(void);
    int (*any_outside)(const void *block, size_t n, const fl_domain *domain);
    int (*weight_kinds)(const void *block, size_t n);
    size_t (*first_outside)(const void *block, size_t n, const fl_domain *domain);
    double (*sum)(const void *block, size_t n);
    double (*dot)(const void *block, const void *weights, size_t n);
} fl_ops;

/* The tables of the tier in use. */
const fl_ops *fl_ops_for(int float32);

/* A tier's name and tables, as each was built: FL_TIER names the tier of a translation unit. */
#ifndef FL_TIER
#define FL_TIER base
#endif
#if FL_PRECISION == 32
#define FL_TABLE_NAME(prefix) FL_PASTE(prefix, FL_TIER, _f32)
#else
#define FL_TABLE_NAME(prefix) FL_PASTE(prefix, FL_TIER, _f64)
#endif

#endif
