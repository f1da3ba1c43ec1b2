/* The passes over a row of the Wasserstein distances that vectors speed up. Sums are in lanes that no vector
 * width changes. */
#ifndef FL_TRANSPORT_LINE_H
#define FL_TRANSPORT_LINE_H

#include <float.h>
#include <math.h>

#include "../sums/fold.h"
#include "../vecmath/real.h"

enum { FL_LINE_LANES = 16 };

/* Whether a number is below `low`, infinite or NaN. */
static int fl_any_bad(const double *x, size_t n, double low) {
    double bad = 0;
#pragma omp simd reduction(max : bad)
    for (size_t i = 0; i < n; i++) {
        double outside = ((x[i] >= low) & (x[i] <= DBL_MAX)) ? 0 : 1;
        bad = bad > outside ? bad : outside;
    }
    return bad > 0;
}

/* Of the differences times `scale`. */
static double fl_sum_squares(const double *u, const double *v, size_t n, double scale) {
    double lanes[FL_LINE_LANES] = {0};
    size_t i = 0;
    for (; i + FL_LINE_LANES <= n; i += FL_LINE_LANES)
        for (int k = 0; k < FL_LINE_LANES; k++) {
            double d = (v[i + k] - u[i + k]) * scale;
            lanes[k] += d * d;
        }
    for (int k = 0; i + k < n; k++) {
        double d = (v[i + k] - u[i + k]) * scale;
        lanes[k] += d * d;
    }
    return fl_fold_lanes(lanes, FL_LINE_LANES);
}

static double fl_sum_magnitudes(const double *u, const double *v, size_t n) {
    double lanes[FL_LINE_LANES] = {0};
    size_t i = 0;
    for (; i + FL_LINE_LANES <= n; i += FL_LINE_LANES)
        for (int k = 0; k < FL_LINE_LANES; k++)
            lanes[k] += fl_abs(v[i + k] - u[i + k]);
    for (int k = 0; i + k < n; k++)
        lanes[k] += fl_abs(v[i + k] - u[i + k]);
    return fl_fold_lanes(lanes, FL_LINE_LANES);
}

static double fl_largest_difference(const double *u, const double *v, size_t n) {
    double largest = 0;
#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < n; i++) {
        double d = fl_abs(v[i] - u[i]);
        largest = largest > d ? largest : d;
    }
    return largest;
}

#endif
