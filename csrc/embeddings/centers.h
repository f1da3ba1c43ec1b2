/* A row against the centre of its class. */
#ifndef FL_EMBEDDINGS_CENTERS_H
#define FL_EMBEDDINGS_CENTERS_H

#include "distance.h"

/* What x - c adds to a centre's sums. Those of float32 have bits to spare; of float64 the error of each
 * addition is kept (Knuth 1969). */
FL_INLINE void fl_add_to_center(double term, double *sum, double *error) {
#if FL_PRECISION == 64
    double s = *sum + term, part = s - *sum;
    *error += (*sum - (s - part)) + (term - part);
    *sum = s;
#else
    (void)error;
    *sum += term;
#endif
}

static double fl_center_row(const void *row, const void *center, size_t n, double slope, double weight,
                            void *gradient, double *sum, double *error) {
    const real *x = row, *c = center;
    real *to = gradient;
    double square;
    fl_distance_sum(x, c, NULL, n, 1, 0, &square);
    double poison = square != square ? square : 1;
#if FL_PRECISION == 64
    square = fl_distance_of(square, x, c, n).square;
#endif
    if (!to)
        return square / 2;
    slope *= poison;
    weight *= poison;
    FL_COLUMN_LOOP
    for (size_t i = 0; i < n; i++) {
        double d = (double)x[i] - (double)c[i];
        fl_add_to_center(d * weight, &sum[i], &error[i]);
        to[i] = (real)(d * slope);
    }
    return square / 2;
}

/* An infinite sum has no error to add. */
static void fl_finish_center(void *gradient, const double *sum, const double *error, size_t n,
                             double factor) {
    real *to = gradient;
    FL_COLUMN_LOOP
    for (size_t i = 0; i < n; i++) {
        double with_error = sum[i] + error[i];
        to[i] = (real)(factor * (with_error == with_error ? with_error : sum[i]) + 0); /* no -0 */
    }
}

#endif
