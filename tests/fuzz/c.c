/* A libFuzzer harness of the C library: bytes become calls on awkward arrays.
 *
 * Every array lies in a block of its own that ends where its last element does, so that AddressSanitizer sees
 * the first byte read or written beyond. What is between the elements of an output must stay as it was, and a
 * call on the same numbers in plain arrays must say the same, to the last bit.
 *
 * python -m tests.fuzz.c builds and runs it. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks/view.h"
#include "pointwise/losses_list.h"
#include "rows/list.h"

typedef struct {
    const uint8_t *at, *end;
    uint64_t state; /* of the numbers that fill arrays */
} source;

static unsigned take(source *s) {
    return s->at < s->end ? *s->at++ : 0;
}

static unsigned below(source *s, unsigned n) {
    return take(s) % n;
}

static uint64_t next(source *s) {
    s->state ^= s->state << 13;
    s->state ^= s->state >> 7;
    s->state ^= s->state << 17;
    return s->state;
}

static double uniform(source *s) {
    return (double)(next(s) >> 11) * 0x1p-53;
}

static void fail(const char *what) {
    fprintf(stderr, "fuzz_c: %s\n", what);
    abort();
}

/* Sizes at and around every internal boundary: lanes, tiles, blocks, chunks. */
static size_t some_size(source *s) {
    static const size_t around[] = {16, 32, 64, 128, 256, 300, 512, 1024, 2048, 4096};
    unsigned kind = take(s);
    if (kind < 160)
        return kind % 20;
    return around[kind % 10] + below(s, 5) - 2;
}

/* Columns that go with so many rows; neither the calls nor what they need grow too long. */
static size_t some_columns(source *s, size_t rows) {
    size_t columns = some_size(s), most = 6000 / (rows + 1) + 1;
    return columns == 0 ? 1 : columns < most ? columns : most;
}

/* An array, the block that it lies in, and what the block was before the call. */
typedef struct {
    fl_array view;
    unsigned char *block, *before;
    size_t size, rows, columns;
} owned;

static uint16_t half_of(double x) {
    int exponent;
    double mantissa = frexp(fabs(x), &exponent);
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    if (isnan(x))
        return 0x7e00;
    if (isinf(x) || exponent > 16)
        return sign | 0x7c00;
    if (x == 0 || exponent < -13)
        return sign;
    return sign | (uint16_t)((exponent + 14) << 10 | ((int)(mantissa * 2048) & 1023));
}

static void write_number(fl_dtype dtype, double x, unsigned char *to) {
    double whole = isnan(x) ? 0 : fmax(-9e15, fmin(9e15, x)), magnitude = fabs(whole);
    int64_t i = (int64_t)whole;
    uint64_t u = (uint64_t)magnitude;
    float f = (float)x;
    uint16_t half = half_of(x);
    uint32_t bits;
    long double wide = x;
    memcpy(&bits, &f, 4);
    uint16_t brain = (uint16_t)(bits >> 16);
    uint8_t truth = x != 0;
    static const char kinds[FL_N_DTYPES] = "biuiuiuiuhBfdg";
    const void *from = kinds[dtype] == 'b'   ? (const void *)&truth
                       : kinds[dtype] == 'i' ? (const void *)&i
                       : kinds[dtype] == 'u' ? (const void *)&u
                       : kinds[dtype] == 'h' ? (const void *)&half
                       : kinds[dtype] == 'B' ? (const void *)&brain
                       : kinds[dtype] == 'f' ? (const void *)&f
                       : kinds[dtype] == 'd' ? (const void *)&x
                                             : (const void *)&wide;
    memcpy(to, from, fl_itemsize(dtype)); /* of little-endian machines, as integers are cut short here */
}

static unsigned char *item_at(const fl_array *a, size_t i, size_t j) {
    ptrdiff_t offset = (ptrdiff_t)i * a->strides[0] + (a->n_dims == 2 ? (ptrdiff_t)j * a->strides[1] : 0);
    return (unsigned char *)a->data + offset;
}

static double some_number(source *s, unsigned kind, size_t n_classes) {
    static const double hard[] = {
        0,     -0.0,  1,      -1,   INFINITY, -INFINITY, NAN,     1e300,        -1e300, 1e-310, 3.4e38, 1e39,
        1e-40, 709.9, -745.2, 88.8, -103.98,  0x1p1023,  0x1p-52, 4294967296.0, 9e15,   127.5,  2,      0.5};
    switch (kind) {
    case 0:
        return (double)(next(s) % 2);
    case 1:
        return (double)(next(s) % (n_classes ? n_classes : 1));
    case 2:
        return uniform(s);
    case 3:
        return hard[next(s) % (sizeof hard / sizeof hard[0])];
    default:
        return (uniform(s) - 0.5) * 12;
    }
}

/* An array of rows by columns, columns 0 for one axis. Elements of outputs lie apart; `kind` of numbers, with
 * a hard one among them now and then. */
static owned some_array(source *s, size_t rows, size_t columns, int is_output, unsigned kind,
                        size_t n_classes) {
    owned a = {.rows = rows, .columns = columns};
    fl_array *v = &a.view;
    unsigned shape = take(s), dtype = take(s), first = shape % 5, turned = shape / 5 % 2;
    v->dtype = is_output ? FL_FLOAT16 + dtype % 4 : dtype % FL_N_DTYPES;
    v->n_dims = columns ? 2 : 1;
    v->swapped = dtype / 16 % 4 == 0;
    ptrdiff_t item = (ptrdiff_t)fl_itemsize(v->dtype), step = item, low = 0, high = item;
    if (first == 1)
        step = 2 * item;
    else if (first == 2)
        step = item + 1 + (ptrdiff_t)(shape / 10 % 7);
    else if (first == 3 && !is_output)
        step = 0;
    ptrdiff_t n[2] = {(ptrdiff_t)rows, columns ? (ptrdiff_t)columns : 1};
    int inner = columns && !turned ? 1 : 0, outer = 1 - inner;
    v->shape[0] = n[0];
    v->shape[1] = n[1];
    v->strides[inner] = shape / 70 % 2 ? -step : step;
    ptrdiff_t pitch = (step ? step : item) * n[inner] + (first == 4 ? item * (ptrdiff_t)(dtype % 5) : 0);
    v->strides[outer] = dtype > 200 ? -pitch : pitch;
    for (int d = 0; d < v->n_dims; d++) {
        ptrdiff_t reach = n[d] ? (n[d] - 1) * v->strides[d] : 0;
        low += reach < 0 ? reach : 0;
        high += reach > 0 ? reach : 0;
    }
    size_t shift = take(s) % 4 ? 0 : take(s) % 8;
    a.size = rows ? (size_t)(high - low) + shift : shift;
    a.block = malloc(a.size ? a.size : 1);
    a.before = malloc(a.size ? a.size : 1);
    memset(a.block, 0xa5, a.size);
    v->data = a.block + shift - (rows ? low : 0);
    for (size_t i = 0; i < rows && !is_output; i++)
        for (size_t j = 0; j < (columns ? columns : 1); j++) {
            unsigned char number[16];
            unsigned this_kind = kind < 8 || next(s) % 64 ? kind % 8 : 3;
            write_number(v->dtype, some_number(s, this_kind, n_classes), number);
            if (v->swapped)
                fl_reverse_bytes(number, (size_t)item);
            memcpy(item_at(v, i, j), number, (size_t)item);
        }
    memcpy(a.before, a.block, a.size);
    return a;
}

static owned no_array(void) {
    return (owned){.block = NULL};
}

static void release(owned *a) {
    free(a->block);
    free(a->before);
}

static void check_input(const owned *a) {
    if (a->block && memcmp(a->block, a->before, a->size) != 0)
        fail("an input was written to");
}

/* Forgets the elements of an output, and looks for changes in what is left. */
static void check_gaps(const owned *a) {
    if (!a->block)
        return;
    unsigned char *seen = malloc(a->size ? a->size : 1);
    memcpy(seen, a->block, a->size);
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = 0; j < (a->columns ? a->columns : 1); j++)
            memset(seen + (item_at(&a->view, i, j) - a->block), 0xa5, fl_itemsize(a->view.dtype));
    if (memcmp(seen, a->before, a->size) != 0)
        fail("something between the elements of an output was written to");
    free(seen);
}

/* The same numbers of the same dtype, one after the other, of this machine's byte order. */
static owned plain_copy(const owned *a) {
    owned b = {.rows = a->rows, .columns = a->columns};
    if (!a->block)
        return b;
    size_t item = fl_itemsize(a->view.dtype), columns = a->columns ? a->columns : 1;
    b.size = a->rows * columns * item;
    b.block = malloc(b.size ? b.size : 1);
    b.view = (fl_array){.data = b.block, .dtype = a->view.dtype, .n_dims = a->view.n_dims};
    b.view.shape[0] = (ptrdiff_t)a->rows;
    b.view.shape[1] = (ptrdiff_t)columns;
    b.view.strides[0] = (ptrdiff_t)(a->columns ? columns * item : item);
    b.view.strides[1] = (ptrdiff_t)item;
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = 0; j < columns; j++) {
            memcpy(item_at(&b.view, i, j), item_at(&a->view, i, j), item);
            if (a->view.swapped)
                fl_reverse_bytes(item_at(&b.view, i, j), item);
        }
    return b;
}

static int same_number(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Of a floating-point dtype of two, four or eight bytes. */
static int is_nan_of(fl_dtype dtype, const unsigned char *x) {
    uint16_t half = 0;
    float f = 0;
    double d = 0;
    memcpy(dtype == FL_FLOAT64   ? (void *)&d
           : dtype == FL_FLOAT32 ? (void *)&f
                                 : (void *)&half,
           x, fl_itemsize(dtype));
    return isnan(d) || isnan(f) || (half & 0x7fff) > (dtype == FL_FLOAT16 ? 0x7c00 : 0x7f80);
}

static void check_same(const owned *awkward, const owned *plain) {
    owned copy = plain_copy(awkward);
    size_t item = fl_itemsize(copy.view.dtype);
    for (size_t at = 0; awkward->block && at < copy.size; at += item)
        if (memcmp(copy.block + at, plain->block + at, item) != 0 &&
            !(is_nan_of(copy.view.dtype, copy.block + at) && is_nan_of(copy.view.dtype, plain->block + at)))
            fail("an output differs from that of plain arrays");
    free(copy.block);
}

static void check_call(fl_status status, double total, fl_status plain_status, double plain_total) {
    if (status != plain_status)
        fail("the status differs from that of plain arrays");
    if (status == FL_OK && !same_number(total, plain_total))
        fail("the total differs from that of plain arrays");
}

enum { MOST_ARRAYS = 9 };

/* Runs a call on awkward arrays and on plain ones. `arrays` first hold the inputs, then the outputs; `views`
 * are their places in the call. */
#define RUN_BOTH(function, call, total_of, arrays, views, n_inputs, n_arrays)                                \
    do {                                                                                                     \
        for (int k = 0; k < (n_arrays); k++)                                                                 \
            *(views)[k] = (arrays)[k].view;                                                                  \
        fl_status status = function(&(call));                                                                \
        double total = (total_of);                                                                           \
        owned plain[MOST_ARRAYS];                                                                            \
        for (int k = 0; k < (n_arrays); k++) {                                                               \
            plain[k] = plain_copy(&(arrays)[k]);                                                             \
            *(views)[k] = plain[k].view;                                                                     \
        }                                                                                                    \
        fl_status plain_status = function(&(call));                                                          \
        check_call(status, total, plain_status, (total_of));                                                 \
        for (int k = 0; k < (n_arrays); k++) {                                                               \
            if (k < (n_inputs))                                                                              \
                check_input(&(arrays)[k]);                                                                   \
            else                                                                                             \
                check_gaps(&(arrays)[k]);                                                                    \
            if (k >= (n_inputs) && status == FL_OK)                                                          \
                check_same(&(arrays)[k], &plain[k]);                                                         \
            free(plain[k].block);                                                                            \
            release(&(arrays)[k]);                                                                           \
        }                                                                                                    \
    } while (0)

static double some_parameter(source *s) {
    static const double those[] = {0.5, 1, 2, 1.5, 0.25, 3, 1e-3, 40, 1e-30, 1e20, 0.999, 0};
    return those[below(s, 12)];
}

static unsigned some_kind(source *s, unsigned usual) {
    unsigned kind = take(s);
    return (kind < 200 ? usual : kind % 5) + (kind % 8 == 0 ? 8 : 0);
}

static void fuzz_pointwise(source *s) {
#define NAME(name, ...) #name,
    static const char *const names[] = {FL_POINTWISE_LOSSES(NAME)};
    int kernel = fl_find_pointwise(names[below(s, sizeof names / sizeof names[0])]);
    double parameters[8];
    for (int i = 0; i < 8; i++)
        parameters[i] = some_parameter(s);
    unsigned what = take(s);
    size_t rows = some_size(s), columns = what % 2 ? some_columns(s, rows) : 0;
    fl_pointwise_call call = {.kernel = kernel,
                              .parameters = parameters,
                              .float32 = what / 2 % 2,
                              .reduction = (fl_reduction)(what / 4 % 3),
                              .n_threads = 1,
                              .want_value = what / 12 % 2,
                              .n = rows * (columns ? columns : 1),
                              .kink_width = 0.1};
    unsigned curvature = below(s, 12);
    if (curvature < 5 && call.reduction != FL_REDUCE_MEAN &&
        fl_pointwise_has_curvature(kernel, (fl_curvature)curvature))
        call.curvature = (fl_curvature)curvature;
    int want_gradient = what / 24 % 2 || call.curvature, want_hessian = want_gradient && what / 48 % 2;
    if (call.curvature)
        want_hessian = 1;
    const fl_domain *y = fl_pointwise_target_domain(kernel), *z = fl_pointwise_prediction_domain(kernel);
    unsigned target = some_kind(s, y->integral ? 0 : 2), prediction = some_kind(s, isfinite(z->high) ? 2 : 4);
    int stores_value = call.want_value && call.reduction == FL_REDUCE_NONE;
    owned arrays[] = {
        some_array(s, rows, columns, 0, target, 2),
        some_array(s, rows, columns, 0, prediction, 2),
        what > 150 ? some_array(s, rows, columns, 0, some_kind(s, 2), 2) : no_array(),
        stores_value ? some_array(s, rows, columns, 1, 0, 0) : no_array(),
        want_gradient ? some_array(s, rows, columns, 1, 0, 0) : no_array(),
        want_hessian ? some_array(s, rows, columns, 1, 0, 0) : no_array(),
    };
    fl_array *views[] = {&call.target, &call.prediction, &call.weight,
                         &call.value,  &call.gradient,   &call.hessian};
    RUN_BOTH(fl_pointwise, call, call.total, arrays, views, 3, 6);
}

static void fuzz_rows(source *s) {
    static const char *const names[] = {FL_ROW_KERNELS(NAME)};
    const char *name = names[below(s, sizeof names / sizeof names[0])];
    int is_cross_entropy = strncmp(name, "cross_entropy", 13) == 0, is_focal = strncmp(name, "focal", 5) == 0;
    int kernel = fl_find_rows(name);
    int labels = fl_rows_takes_labels(kernel), dense = fl_rows_takes_dense(kernel), link = !labels && !dense;
    unsigned what = take(s), options = take(s);
    size_t rows = some_size(s), columns = some_columns(s, rows);
    double *weights = malloc(columns * sizeof *weights);
    for (size_t k = 0; k < columns; k++)
        weights[k] = uniform(s) * 2;
    fl_rows_call call = {.kernel = kernel,
                         .float32 = what % 2,
                         .reduction = link ? FL_REDUCE_NONE : (fl_reduction)(what / 2 % 3),
                         .n_threads = 1,
                         .want_value = !link && what / 6 % 2,
                         .n_rows = rows,
                         .n_classes = columns,
                         .dense = dense && (!labels || what / 12 % 2),
                         .class_weight = is_cross_entropy && options % 4 == 1 ? weights : NULL,
                         .label_smoothing = is_cross_entropy && options / 4 % 4 == 1 ? uniform(s) : 0,
                         .gamma = some_parameter(s),
                         .alpha = is_focal && options / 16 % 4 == 1 ? weights : NULL,
                         .log_base = options / 64 == 1 ? 0.7 : 0};
    call.has_ignore_index = !call.dense && labels && options % 3 == 0;
    call.ignore_index = (long long)below(s, 4) - 1;
    unsigned curvature = below(s, 12);
    if (curvature < 5 && call.reduction != FL_REDUCE_MEAN &&
        fl_rows_has_curvature(kernel, (fl_curvature)curvature))
        call.curvature = (fl_curvature)curvature;
    int want_gradient = link || what / 24 % 2 || call.curvature;
    int want_hessian = call.curvature || (want_gradient && what / 48 % 2 && fl_rows_has_hessian(kernel));
    int stores_value = call.want_value && call.reduction == FL_REDUCE_NONE;
    unsigned target = some_kind(s, call.dense ? 2 : 1), prediction = some_kind(s, options % 2 ? 2 : 4);
    owned arrays[] = {
        link ? no_array() : some_array(s, rows, call.dense ? columns : 0, 0, target, columns),
        some_array(s, rows, columns, 0, prediction, columns),
        what > 150 ? some_array(s, rows, 0, 0, some_kind(s, 2), 2) : no_array(),
        stores_value ? some_array(s, rows, 0, 1, 0, 0) : no_array(),
        want_gradient ? some_array(s, rows, columns, 1, 0, 0) : no_array(),
        want_hessian ? some_array(s, rows, columns, 1, 0, 0) : no_array(),
    };
    fl_array *views[] = {&call.target, &call.prediction, &call.weight,
                         &call.value,  &call.gradient,   &call.hessian};
    RUN_BOTH(fl_rows, call, call.total, arrays, views, 3, 6);
    free(weights);
}

static void fuzz_embeddings(source *s) {
    static const char *const names[] = {"contrastive", "cosine_embedding", "triplet", "triplet_squared",
                                        "center"};
    unsigned name = below(s, 5), what = take(s);
    int kernel = fl_find_embeddings(names[name]), n_inputs = fl_embeddings_n_inputs(kernel);
    size_t rows = some_size(s), columns = some_columns(s, rows),
           centers = name == 4 ? 1 + below(s, 20) : rows;
    fl_embeddings_call call = {.kernel = kernel,
                               .margin = some_parameter(s),
                               .float32 = what % 2,
                               .reduction = (fl_reduction)(what / 2 % 3),
                               .n_threads = 1,
                               .want_value = what / 6 % 2,
                               .n_rows = rows,
                               .n_columns = columns,
                               .n_centers = centers};
    int want_gradient = what / 12 % 2, stores_value = call.want_value && call.reduction == FL_REDUCE_NONE;
    owned arrays[MOST_ARRAYS];
    fl_array *views[MOST_ARRAYS] = {&call.input[0],    &call.input[1],    &call.input[2],
                                    &call.label,       &call.weight,      &call.value,
                                    &call.gradient[0], &call.gradient[1], &call.gradient[2]};
    for (int i = 0; i < 3; i++) {
        size_t n = i == 1 ? centers : rows;
        arrays[i] = i < n_inputs ? some_array(s, n, columns, 0, some_kind(s, 4), 0) : no_array();
        arrays[6 + i] = i < n_inputs && want_gradient ? some_array(s, n, columns, 1, 0, 0) : no_array();
    }
    unsigned label = some_kind(s, name == 4 ? 1 : 0);
    arrays[3] = fl_embeddings_has_label(kernel) ? some_array(s, rows, 0, 0, label, centers) : no_array();
    arrays[4] = what > 150 ? some_array(s, rows, 0, 0, some_kind(s, 2), 0) : no_array();
    arrays[5] = stores_value ? some_array(s, rows, 0, 1, 0, 0) : no_array();
    RUN_BOTH(fl_embeddings, call, call.total, arrays, views, 5, 9);
}

static void fuzz_wasserstein(source *s) {
    unsigned what = take(s);
    size_t rows = some_size(s) % 40, n_u = some_columns(s, rows), n_v = some_columns(s, rows);
    int is_histogram = what % 2;
    if (is_histogram)
        n_v = n_u;
    double *positions = malloc(n_u * sizeof *positions);
    for (size_t k = 0; k < n_u; k++)
        positions[k] = (double)k + uniform(s) / 2;
    fl_wasserstein_call call = {.p = 1 + some_parameter(s) * (what / 2 % 2),
                                .reduction = (fl_reduction)(what / 4 % 3),
                                .n_threads = 1,
                                .n_rows = rows,
                                .n_u = n_u,
                                .n_v = n_v,
                                .positions = is_histogram ? positions : NULL};
    int weighted = !is_histogram && what / 12 % 2, want_gradient = what / 24 % 2;
    unsigned kind = is_histogram ? 2 : 4;
    owned arrays[] = {
        some_array(s, rows, n_u, 0, some_kind(s, kind), 0),
        some_array(s, rows, n_v, 0, some_kind(s, kind), 0),
        weighted ? some_array(s, rows, n_u, 0, some_kind(s, 2), 0) : no_array(),
        weighted && what / 48 % 2 ? some_array(s, rows, n_v, 0, some_kind(s, 2), 0) : no_array(),
        what > 150 ? some_array(s, rows, 0, 0, some_kind(s, 2), 0) : no_array(),
        call.reduction == FL_REDUCE_NONE ? some_array(s, rows, 0, 1, 0, 0) : no_array(),
        want_gradient ? some_array(s, rows, n_v, 1, 0, 0) : no_array(),
    };
    fl_array *views[] = {&call.u,      &call.v,     &call.u_weight, &call.v_weight,
                         &call.weight, &call.value, &call.gradient};
    RUN_BOTH(fl_wasserstein, call, call.total, arrays, views, 5, 7);
    free(positions);
}

static void fuzz_sinkhorn(source *s) {
    unsigned what = take(s);
    size_t n = 1 + some_size(s) % 70, m = 1 + some_size(s) % 70,
           dims = 1 + below(s, 5) + what / 128 * below(s, 60);
    fl_sinkhorn_call call = {.n = n,
                             .m = m,
                             .dims = dims,
                             .reg = fmax(some_parameter(s), 1e-3),
                             .tol = 1e-3,
                             .euclidean = what % 2,
                             .debiased = what / 2 % 2,
                             .max_iter = 1 + (int)below(s, 6),
                             .n_threads = 1};
    owned arrays[] = {
        some_array(s, n, dims, 0, some_kind(s, 2), 0),
        some_array(s, m, dims, 0, some_kind(s, 2), 0),
        what / 4 % 2 ? some_array(s, n, 0, 0, some_kind(s, 2), 0) : no_array(),
        what / 8 % 2 ? some_array(s, m, 0, 0, some_kind(s, 2), 0) : no_array(),
        what / 16 % 2 ? some_array(s, m, dims, 1, 0, 0) : no_array(),
    };
    fl_array *views[] = {&call.x, &call.y, &call.x_weight, &call.y_weight, &call.gradient};
    RUN_BOTH(fl_sinkhorn, call, call.value, arrays, views, 4, 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const families[])(source *) = {fuzz_pointwise,  fuzz_rows,        fuzz_rows,
                                                 fuzz_embeddings, fuzz_wasserstein, fuzz_sinkhorn};
    source s = {data, data + size, 0x9e3779b97f4a7c15u};
    unsigned family = below(&s, 6);
    s.state ^= take(&s) + 1;
    families[family](&s);
    return 0;
}
