/* What a C program makes of the public header: one call of each family, and an error. */
#include <stdio.h>

#include "fastloss.h"

static fl_array vector(void *data, fl_dtype dtype, ptrdiff_t n, ptrdiff_t itemsize) {
    fl_array a = {.data = data, .dtype = dtype, .n_dims = 1};
    a.shape[0] = n;
    a.strides[0] = itemsize;
    return a;
}

static fl_array matrix(double *data, ptrdiff_t rows, ptrdiff_t columns) {
    fl_array a = {.data = data, .dtype = FL_FLOAT64, .n_dims = 2};
    a.shape[0] = rows;
    a.shape[1] = columns;
    a.strides[0] = columns * (ptrdiff_t)sizeof(double);
    a.strides[1] = sizeof(double);
    return a;
}

int main(void) {
    double parameters[] = {1.0}, z[] = {0.5, 3.0, -3.0}, gradient[3];
    signed char y[] = {0, 0, 0};
    fl_pointwise_call call = {
        .kernel = fl_find_pointwise("huber"),
        .parameters = parameters,
        .reduction = FL_REDUCE_SUM,
        .n_threads = 1,
        .want_value = 1,
        .n = 3,
        .target = vector(y, FL_INT8, 3, 1),
        .prediction = vector(z, FL_FLOAT64, 3, sizeof(double)),
        .gradient = vector(gradient, FL_FLOAT64, 3, sizeof(double)),
    };
    if (fl_pointwise(&call) != FL_OK)
        return 1;
    printf("huber %.17g: %g %g %g\n", call.total, gradient[0], gradient[1], gradient[2]);

    call.kernel = fl_find_pointwise("hinge");
    y[2] = 7;
    if (fl_pointwise(&call) != FL_BAD_TARGET)
        return 2;
    printf("target[%zu] = %g\n", call.bad_index, call.bad_value);

    double logits[] = {0.0, 0.0, 3.0, 3.0};
    unsigned char labels[] = {0, 1};
    fl_rows_call rows = {
        .kernel = fl_find_rows("cross_entropy"),
        .reduction = FL_REDUCE_MEAN,
        .n_threads = 1,
        .want_value = 1,
        .n_rows = 2,
        .n_classes = 2,
        .prediction = matrix(logits, 2, 2),
        .target = vector(labels, FL_UINT8, 2, 1),
    };
    if (fl_rows(&rows) != FL_OK)
        return 3;
    printf("cross_entropy %.6f\n", rows.total);

    double from[] = {0.0, 0.0, 1.0, 1.0}, to[] = {3.0, 4.0, 1.0, 1.5}, by_from[4], by_to[4];
    unsigned char similar[] = {1, 0};
    fl_embeddings_call pairs = {
        .kernel = fl_find_embeddings("contrastive"),
        .margin = 1,
        .reduction = FL_REDUCE_SUM,
        .n_threads = 1,
        .want_value = 1,
        .n_rows = 2,
        .n_columns = 2,
        .input = {matrix(from, 2, 2), matrix(to, 2, 2)},
        .label = vector(similar, FL_UINT8, 2, 1),
        .gradient = {matrix(by_from, 2, 2), matrix(by_to, 2, 2)},
    };
    if (fl_embeddings(&pairs) != FL_OK)
        return 5;
    printf("contrastive %g: %g %g %g\n", pairs.total, by_from[0], by_from[1], by_to[3]);
    return fl_find_pointwise("no such loss") == -1 ? 0 : 4;
}
