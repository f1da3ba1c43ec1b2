/* A mean that outliers do not move: the number with the smallest Huber loss, by gradient descent. */
#include <stdio.h>

#include "fastloss.h"

enum { N = 4 };

int main(void) {
    double y[N] = {0, 1, 2, 100}, delta = 1, mean = 0, gradient[N];
    fl_pointwise_call call = {
        .kernel = fl_find_pointwise("huber"),
        .parameters = &delta,
        .reduction = FL_REDUCE_SUM,
        .n_threads = 1,
        .n = N,
        .target = {.data = y, .dtype = FL_FLOAT64, .n_dims = 1, .shape = {N}, .strides = {sizeof *y}},
        /* one number, for all targets: its stride is 0 */
        .prediction = {.data = &mean, .dtype = FL_FLOAT64, .n_dims = 1, .shape = {N}, .strides = {0}},
        .gradient =
            {.data = gradient, .dtype = FL_FLOAT64, .n_dims = 1, .shape = {N}, .strides = {sizeof *gradient}},
    };
    for (int step = 0; step < 100; step++) {
        fl_status status = fl_pointwise(&call);
        if (status != FL_OK) {
            fprintf(stderr, "status %d at element %zu: %g\n", (int)status, call.bad_index, call.bad_value);
            return 1;
        }
        for (int i = 0; i < N; i++)
            mean -= 0.25 * gradient[i];
    }
    printf("fastloss %s, tier %s: the robust mean of 0, 1, 2 and 100 is %.6f\n", fl_version(), fl_isa(),
           mean);
    return 0;
}
