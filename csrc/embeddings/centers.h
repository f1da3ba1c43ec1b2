/* Rows against the centres of their classes. */
#ifndef FL_EMBEDDINGS_CENTERS_H
#define FL_EMBEDDINGS_CENTERS_H

#include "distance.h"

/* Adds weight (x - c) to a centre's sums. Those of float32 have bits to spare; of float64 the error of each
 * addition is kept (Knuth 1969). */
FL_INLINE void fl_add_to_center(const real *x, const real *c, double weight, double *sum, double *error,
                                size_t from, size_t end) {
    FL_INDEPENDENT_LOOP
    for (size_t i = from; i < end; i++) {
        double term = ((double)x[i] - (double)c[i]) * weight;
#if FL_PRECISION == 64
        double s = sum[i] + term, part = s - sum[i];
        error[i] += (sum[i] - (s - part)) + (term - part);
        sum[i] = s;
#else
        sum[i] += term;
        (void)error;
#endif
    }
}

/* A row with NaN is one all over. */
FL_INLINE double fl_center_row(const fl_center_task *task, size_t n, int streams, fl_watch *watch) {
    const real *x = task->x, *c = task->center;
    double square;
    fl_sum_row(FL_OF_DISTANCE, (fl_wide_rows){x, c, c, 1, 1}, n, watch, &square);
    const double poison = square != square ? square : 1;
    if (!fl_is_in_range(square))
        square = fl_scaled_distance(x, c, n, watch).square;
    if (!task->gradient)
        return square;
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        fl_add_to_center(x, c, task->weight * poison, task->sum, task->sum + (FL_CENTER_SUMS - 1) * n, at,
                         end);
    const fl_put p = {{x, c, c}, {task->gradient}, n, streams, watch};
    fl_put_difference(1, &p, square, 1, task->slope * poison);
    return square;
}

static void fl_center_rows(const fl_center_task *tasks, size_t n_rows, size_t n, int streams,
                           fl_watch *watch) {
    for (size_t i = 0; i < n_rows; i++) {
        double square = 0;
        if (tasks[i].slope != 0)
            square = fl_center_row(&tasks[i], n, streams, watch);
        else if (tasks[i].gradient)
            fl_put_zeros(tasks[i].gradient, n, streams, watch);
        *tasks[i].value = (real)(square / 2);
    }
}

/* Adds the parts up, with what rounding loses (Neumaier 1974). An infinite sum has no error. */
static void fl_finish_center(real *to, const double *part, size_t apart, size_t n_parts, size_t n_columns,
                             size_t n, double factor) {
    double sum[FL_CENTER_COLUMNS] = {0}, error[FL_CENTER_COLUMNS] = {0};
    for (size_t k = 0; k < n_parts; k++, part += apart) {
        FL_INDEPENDENT_LOOP
        for (size_t i = 0; i < n; i++) {
            double x = part[i], of_x = FL_CENTER_SUMS > 1 ? part[n_columns + i] : 0, s = sum[i] + x;
            double lost = fabs(sum[i]) >= fabs(x) ? (sum[i] - s) + x : (x - s) + sum[i];
            error[i] = error[i] + of_x + (fabs(s) <= DBL_MAX ? lost : 0);
            sum[i] = s;
        }
    }
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < n; i++) {
        double with_error = sum[i] + error[i];
        to[i] = (real)(factor * (with_error == with_error ? with_error : sum[i]) + 0); /* no -0 */
    }
}

#endif
