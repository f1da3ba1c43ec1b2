/* A fingerprint of every kernel of the C library: a line for each kernel and precision, then one of all of
 * them. Equal fingerprints are equal bits, on whatever machine and from whatever compiler. The arguments are
 * integers scaled by powers of two, and reach the library as they are in all its forms of storage; no
 * function of libm is called here. NaNs count as equal, as which of them an operation gives is the
 * processor's choice.
 * Each instruction-set tier that the machine has is asked in turn; a line is
 *
 *     tier family kernel precision fingerprint
 */
#include "digest.h"
#include "digest_formulas.h"

#include "embeddings/list.h"
#include "pointwise/losses_list.h"
#include "rows/list.h"

/* ---- Pointwise losses and penalties. */

static double parameter(const char *kernel, int i) {
    if (strcmp(kernel, "focal_logits") == 0 || strcmp(kernel, "focal_probabilities") == 0)
        return (const double[]){1.75, 0.25, 0.75}[i];
    if (strcmp(kernel, "bce_logits") == 0 || strcmp(kernel, "bce_probabilities") == 0)
        return (const double[]){1.875, 0.125, 0.875, 0.0625}[i];
    if (strcmp(kernel, "tweedie") == 0 || strcmp(kernel, "tweedie_log_link") == 0)
        return 1.375;
    return i ? 0.4 : 0.3;
}

static void pointwise(int kernel, const char *name, int float32) {
    static const size_t sizes[] = {1, 7, 16, 17, 255, 1000, 1025, 2600};
    const fl_domain *y_domain = fl_pointwise_target_domain(kernel);
    const fl_domain *z_domain = fl_pointwise_prediction_domain(kernel);
    double parameters[FL_MAX_PARAMS] = {0};
    for (int i = 0; i < fl_pointwise_n_parameters(kernel); i++)
        parameters[i] = parameter(name, i);
    begin();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        state = n;
        for (size_t i = 0; i < n; i++)
            made[i] = number(y_domain);
        void *y = as_reals(made, n, float32);
        for (size_t i = 0; i < n; i++)
            if (below(8) || y_domain->low < z_domain->low)
                made[i] = number(z_domain);
        if (z_domain->low < -1 && s % 2)
            poison(made, n);
        void *z = as_reals(made, n, float32);
        for (size_t i = 0; i < n; i++)
            made[i] = uniform() * 2;
        void *w = as_reals(made, n, float32);
        for (int choice = 0; choice < 2 * 3 * 10; choice++) {
            int weighted = choice % 2, reduction = choice / 2 % 3, outputs = choice / 6;
            /* outputs: value; gradient; both; and what stands for the Hessian without and with a value */
            int hessian = outputs >= 3, curvature = outputs < 5 ? 0 : outputs - 5;
            if (!fl_pointwise_has_curvature(kernel, (fl_curvature)curvature))
                continue;
            void *v = new_reals(n, float32), *g = new_reals(n, float32), *h = new_reals(n, float32);
            fl_pointwise_call call = {
                .kernel = kernel,
                .parameters = parameters,
                .float32 = float32,
                .reduction = (fl_reduction)reduction,
                .n_threads = 1,
                .want_value = outputs != 1 && outputs != 3,
                .n = n,
                .target = reals(y, n, float32),
                .prediction = reals(z, n, float32),
                .weight = weighted ? reals(w, n, float32) : absent,
                .value = reduction == FL_REDUCE_NONE ? reals(v, n, float32) : absent,
                .gradient = outputs ? reals(g, n, float32) : absent,
                .hessian = hessian ? reals(h, n, float32) : absent,
                .curvature = (fl_curvature)curvature,
                .kink_width = 0.5,
            };
            accept(fl_pointwise(&call));
            if (call.want_value && reduction != FL_REDUCE_NONE)
                add_double(call.total);
            if (call.want_value && reduction == FL_REDUCE_NONE)
                add_reals(v, n, float32);
            add_reals(g, n, float32);
            add_reals(h, n, float32);
            free(v), free(g), free(h);
        }
        free(y), free(z), free(w);
    }
    finish("pointwise", name, float32 ? "float32" : "float64");
}

/* Squared error of predictions of every dtype, native and byte-swapped, packed and not, into every dtype of
 * floating-point numbers. */
static void storage(void) {
    enum { N = 300 };
    static unsigned char bytes[32 * N], out[32 * N];
    static const size_t itemsizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
    signed char y[N];
    begin();
    for (int dtype = 0; dtype <= FL_FLOAT64; dtype++)
        for (int choice = 0; choice < 8; choice++) {
            int swapped = choice & 1, apart = choice & 2 ? 2 : 1;
            fl_dtype output = (fl_dtype)(FL_FLOAT16 + (choice + dtype) % 4);
            size_t itemsize = itemsizes[dtype], outsize = itemsizes[output];
            uint16_t one = 1;
            int big_endian = *(unsigned char *)&one == 0;
            state = (uint64_t)(dtype * 8 + choice);
            for (size_t i = 0; i < N; i++) {
                /* An integer from 0 to 100 in the dtype's own bits; as a float, any bits with a small
                 * exponent. */
                uint64_t bits = (uint64_t)below(dtype == FL_BOOL ? 2 : 100);
                if (dtype == FL_FLOAT16 || dtype == FL_BFLOAT16)
                    bits = 0x3c00 + (uint64_t)below(0x400);
                if (dtype == FL_FLOAT32)
                    bits = 0x3f800000 + (next() >> 40);
                if (dtype == FL_FLOAT64)
                    bits = 0x3ff0000000000000 + (next() >> 12);
                for (size_t b = 0; b < itemsize; b++)
                    bytes[i * itemsize * (size_t)apart + (swapped == big_endian ? b : itemsize - 1 - b)] =
                        (unsigned char)(bits >> 8 * b);
                y[i] = (signed char)(i % 3);
            }
            memset(out, 0, sizeof out);
            fl_pointwise_call call = {
                .kernel = fl_find_pointwise("squared_error"),
                .float32 = choice >= 4,
                .reduction = FL_REDUCE_SUM,
                .n_threads = 1,
                .want_value = 1,
                .n = N,
                .target = vector(y, FL_INT8, N, 1),
                .prediction = vector(bytes, (fl_dtype)dtype, N, itemsize * (size_t)apart),
                .gradient = vector(out, output, N, outsize * (size_t)apart),
            };
            call.prediction.swapped = swapped;
            call.gradient.swapped = swapped;
            accept(fl_pointwise(&call));
            add_double(call.total);
            for (size_t i = 0; i < N; i++) {
                uint64_t bits = 0;
                for (size_t b = 0; b < outsize; b++)
                    bits |=
                        (uint64_t)
                            out[i * outsize * (size_t)apart + (swapped == big_endian ? b : outsize - 1 - b)]
                        << 8 * b;
                add(bits);
            }
        }
    finish("storage", "squared_error", "both");
}

/* ---- Rows. */

static void normalise(double *x, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < columns; j++)
            sum += x[i * columns + j];
        for (size_t j = 0; j < columns; j++)
            x[i * columns + j] /= sum;
    }
}

static const size_t row_shapes[][2] = {{1, 1},   {70, 2},  {33, 3},   {20, 10}, {9, 100},
                                       {7, 129}, {5, 257}, {130, 16}, {3, 1500}};

static void rows_of(int kernel, const char *name, int float32, size_t n, size_t c) {
    int probabilities =
        strstr(name, "probabilities") || strncmp(name, "js", 2) == 0 || strcmp(name, "kl_divergence") == 0;
    int is_link = strstr(name, "softmax") != NULL;
    const size_t size = n * c;
    int64_t labels[256];
    double numbers[1500];
    state = size;
    for (size_t i = 0; i < size; i++)
        made[i] = probabilities ? uniform() + 0x1p-12
                  : below(40)   ? uniform() * 16 - 8
                                : wide(10, 8) * (below(2) ? 1 : -1);
    if (probabilities)
        normalise(made, n, c);
    void *z = as_reals(made, size, float32);
    for (size_t i = 0; i < size; i++)
        made[i] = below(4) ? uniform() + 0x1p-12 : i % c ? 0 : 1;
    normalise(made, n, c);
    void *y = as_reals(made, size, float32);
    for (size_t i = 0; i < n; i++) {
        labels[i] = below((int)c);
        made[i] = uniform() + 0.5;
    }
    void *w = as_reals(made, n, float32);
    for (size_t k = 0; k < c; k++)
        numbers[k] = 1 + (double)(k % 5) / 4;
    for (int choice = 0; choice < 2 * 2 * 2 * 2 * 3 * 6; choice++) {
        int dense = choice % 2, weighted = choice / 2 % 2, fortran = choice / 4 % 2, options = choice / 8 % 2;
        int reduction = choice / 16 % 3, outputs = choice / 48, hessian = outputs >= 3;
        int curvature = outputs < 4 ? 0 : outputs - 1; /* majorizer, Gauss-Newton */
        if (is_link ? choice != 48 && choice != 52
                    : !(dense ? fl_rows_takes_dense(kernel) : fl_rows_takes_labels(kernel)))
            continue;
        if (hessian && !fl_rows_has_curvature(kernel, (fl_curvature)curvature))
            continue;
        if (curvature && reduction == FL_REDUCE_MEAN)
            continue;
        void *v = new_reals(n, float32), *g = new_reals(size, float32), *h = new_reals(size, float32);
        fl_rows_call call = {
            .kernel = kernel,
            .float32 = float32,
            .reduction = (fl_reduction)reduction,
            .n_threads = 1,
            .want_value = outputs != 1,
            .n_rows = n,
            .n_classes = c,
            .dense = dense,
            .prediction = matrix(z, n, c, float32, fortran),
            .target = is_link ? absent
                      : dense ? matrix(y, n, c, float32, fortran)
                              : vector(labels, FL_INT64, n, 8),
            .weight = weighted ? reals(w, n, float32) : absent,
            .value = reduction == FL_REDUCE_NONE && !is_link ? reals(v, n, float32) : absent,
            .gradient = outputs ? matrix(g, n, c, float32, fortran) : absent,
            .hessian = hessian ? matrix(h, n, c, float32, fortran) : absent,
            .curvature = (fl_curvature)curvature,
            .gamma = options ? 0.75 : 2,
            .has_ignore_index = options && !dense,
            .ignore_index = 1,
        };
        if (strncmp(name, "cross_entropy", 13) == 0 && options) {
            call.class_weight = numbers;
            call.label_smoothing = 0.125;
        }
        if (strncmp(name, "focal", 5) == 0 && options)
            call.alpha = numbers;
        if (strncmp(name, "js", 2) == 0 && options)
            call.log_base = 0.6875;
        accept(fl_rows(&call));
        add_double(call.want_value && reduction != FL_REDUCE_NONE ? call.total : 0);
        if (reduction == FL_REDUCE_NONE && call.want_value)
            add_reals(v, n, float32);
        add_reals(g, size, float32);
        add_reals(h, size, float32);
        free(v), free(g), free(h);
    }
    free(y), free(z), free(w);
}

static void rows(int kernel, const char *name, int float32) {
    begin();
    for (size_t s = 0; s < sizeof row_shapes / sizeof *row_shapes; s++)
        rows_of(kernel, name, float32, row_shapes[s][0], row_shapes[s][1]);
    finish("rows", name, float32 ? "float32" : "float64");
}

/* ---- Embeddings. */

static void embeddings_of(int kernel, int is_center, int float32, size_t n, size_t d) {
    enum { CENTERS = 7 };
    signed char labels[512];
    void *inputs[FL_MAX_INPUTS], *gradients[FL_MAX_INPUTS];
    size_t counts[FL_MAX_INPUTS];
    state = n * d;
    for (int k = 0; k < fl_embeddings_n_inputs(kernel); k++) {
        counts[k] = is_center && k ? CENTERS : n;
        for (size_t i = 0; i < counts[k] * d; i++)
            made[i] = (uniform() - 0.5) * (d > 20 ? 0.25 : 1);
        inputs[k] = as_reals(made, counts[k] * d, float32);
    }
    for (size_t i = 0; i < n; i++) {
        labels[i] = (signed char)below(is_center ? CENTERS : 2);
        made[i] = uniform() + 0.5;
    }
    void *w = as_reals(made, n, float32);
    for (int choice = 0; choice < 2 * 3 * 2; choice++) {
        int weighted = choice % 2, reduction = choice / 2 % 3, want_gradients = choice / 6;
        void *v = new_reals(n, float32);
        fl_embeddings_call call = {
            .kernel = kernel,
            .margin = 0.4375,
            .float32 = float32,
            .reduction = (fl_reduction)reduction,
            .n_threads = 1,
            .want_value = 1,
            .n_rows = n,
            .n_columns = d,
            .n_centers = is_center ? CENTERS : 0,
            .label = fl_embeddings_has_label(kernel) ? vector(labels, FL_INT8, n, 1) : absent,
            .weight = weighted ? reals(w, n, float32) : absent,
            .value = reduction == FL_REDUCE_NONE ? reals(v, n, float32) : absent,
        };
        for (int k = 0; k < fl_embeddings_n_inputs(kernel); k++) {
            gradients[k] = new_reals(counts[k] * d, float32);
            call.input[k] = matrix(inputs[k], counts[k], d, float32, 0);
            call.gradient[k] = want_gradients ? matrix(gradients[k], counts[k], d, float32, 0) : absent;
        }
        accept(fl_embeddings(&call));
        add_double(reduction == FL_REDUCE_NONE ? 0 : call.total);
        add_reals(v, n, float32);
        for (int k = 0; k < fl_embeddings_n_inputs(kernel); k++) {
            add_reals(gradients[k], counts[k] * d, float32);
            free(gradients[k]);
        }
        free(v);
    }
    for (int k = 0; k < fl_embeddings_n_inputs(kernel); k++)
        free(inputs[k]);
    free(w);
}

static void embeddings(const char *name, int float32) {
    static const size_t shapes[][2] = {{5, 1}, {9, 3}, {300, 3}, {70, 16}, {33, 31}, {20, 128}, {3, 2500}};
    int kernel = fl_find_embeddings(name);
    begin();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        embeddings_of(kernel, strcmp(name, "center") == 0, float32, shapes[s][0], shapes[s][1]);
    finish("embeddings", name, float32 ? "float32" : "float64");
}

/* The steps of a contrast against a whole batch. */
static void similarities(int float32) {
    enum { N = 70 };
    double largest[N], sum[N], positive[N];
    state = N;
    for (int i = 0; i < N * N; i++)
        made[i] = uniform() * 2 - 1;
    void *block = as_reals(made, N * N, float32), *again = as_reals(made, N * N, float32);
    void *level = as_reals(made, N, float32), *missed = as_reals(made + N, N, float32);
    void *share = as_reals(made + 2 * N, N, float32);
    for (int i = 0; i < N; i++) {
        largest[i] = -__builtin_inf();
        sum[i] = positive[i] = 0;
    }
    fl_similarity_block similarity = {
        .float32 = float32,
        .n_threads = 1,
        .similarity = block,
        .n_rows = N,
        .n_columns = N,
        .n_vectors = N,
        .inverse_temperature = 3,
    };
    begin();
    fl_similarity_gather(&similarity, largest, sum, positive);
    add_reals(largest, N, 0);
    add_reals(sum, N, 0);
    add_reals(positive, N, 0);
    similarity.similarity = again;
    fl_similarity_slopes(&similarity, level, missed, share);
    add_reals(again, N * N, float32);
    finish("embeddings", "similarities", float32 ? "float32" : "float64");
    free(block), free(again), free(level), free(missed), free(share);
}

/* ---- Transport, which calls libm's exp, log and pow: equal bits need an equal libm. */

static void wasserstein(void) {
    enum { ROWS = 5, U = 33, V = 20 };
    static const double powers[] = {1, 2, 2.5};
    double u[ROWS * U], v[ROWS * U], w[ROWS * V], positions[U], values[ROWS], gradient[ROWS * U];
    begin();
    for (int choice = 0; choice < 3 * 3; choice++) {
        int histograms = choice / 3 == 2, weighted = choice / 3 == 1;
        size_t n_v = histograms ? U : V;
        state = (uint64_t)choice;
        for (int i = 0; i < ROWS * U; i++) {
            u[i] = histograms ? uniform() : uniform() * 4 - 2;
            v[i] = histograms ? uniform() : uniform() * 4 - 1;
        }
        for (int i = 0; i < ROWS * V; i++)
            w[i] = uniform() + 0.25;
        for (int i = 0; i < U; i++)
            positions[i] = i + uniform() / 2;
        fl_wasserstein_call call = {
            .p = powers[choice % 3],
            .n_threads = 1,
            .n_rows = ROWS,
            .n_u = U,
            .n_v = n_v,
            .u = matrix(u, ROWS, U, 0, 0),
            .v = matrix(v, ROWS, n_v, 0, 0),
            .positions = histograms ? positions : NULL,
            .v_weight = weighted ? matrix(w, ROWS, V, 0, 0) : absent,
            .value = reals(values, ROWS, 0),
            .gradient = matrix(gradient, ROWS, n_v, 0, 0),
        };
        accept(fl_wasserstein(&call));
        add_reals(values, ROWS, 0);
        add_reals(gradient, ROWS * n_v, 0);
    }
    finish("transport", "wasserstein", "float64");
}

static void sinkhorn(void) {
    static const size_t shapes[][3] = {{1, 3, 1}, {40, 33, 2}, {30, 300, 5}, {50, 31, 18}};
    static double x[1500], y[1500], gradient[1500], w[300];
    begin();
    for (int choice = 0; choice < 4 * 2 * 2; choice++) {
        size_t n = shapes[choice % 4][0], m = shapes[choice % 4][1], d = shapes[choice % 4][2];
        state = (uint64_t)choice;
        for (size_t i = 0; i < n * d; i++)
            x[i] = uniform() * 2 - 1;
        for (size_t i = 0; i < m * d; i++)
            y[i] = uniform() * 2 - 0.75;
        for (size_t i = 0; i < m; i++)
            w[i] = uniform() + 0.25;
        fl_sinkhorn_call call = {
            .n = n,
            .m = m,
            .dims = d,
            .x = matrix(x, n, d, 0, 0),
            .y = matrix(y, m, d, 0, 0),
            .y_weight = reals(w, m, 0),
            .reg = 0.25 * (double)d,
            .tol = 1e-9,
            .euclidean = choice / 4 % 2,
            .debiased = choice / 8,
            .max_iter = 1000,
            .n_threads = 1,
            .gradient = matrix(gradient, m, d, 0, 0),
        };
        accept(fl_sinkhorn(&call));
        add_double(call.value);
        add_reals(gradient, m * d, 0);
    }
    finish("transport", "sinkhorn", "float64");
}

static void every_kernel(int float32) {
#define POINTWISE(name, ...) pointwise(FL_POINTWISE_##name, #name, float32);
    FL_POINTWISE_LOSSES(POINTWISE)
    operations(float32);
#define ROWS(name, ...) rows(FL_ROWS_##name, #name, float32);
    FL_ROW_KERNELS(ROWS)
#define EMBEDDINGS(name, ...) embeddings(#name, float32);
    FL_EMBEDDING_KERNELS(EMBEDDINGS)
    embeddings("center", float32);
    similarities(float32);
}

int main(void) {
    for (const char *const *tier = fl_isa_available(); *tier; tier++) {
        fl_isa_select(*tier);
        every_kernel(1);
        every_kernel(0);
        storage();
        wasserstein();
        sinkhorn();
    }
    return 0;
}
