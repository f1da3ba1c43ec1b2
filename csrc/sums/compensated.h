/* Lanes folded into the sum of a block, and the sums of blocks added: the rounding error of each addition is
 * kept (Neumaier 1974), so that the error of a sum does not grow with the number of blocks. */
#ifndef FL_SUMS_COMPENSATED_H
#define FL_SUMS_COMPENSATED_H

#include <math.h>

/* Halves folded onto halves. The widths are constants where it is inlined: a few vector additions. */
static inline __attribute__((always_inline)) double fl_fold_lanes(double *lanes, int n_lanes) {
#define FL_FOLD(width)                                                                                       \
    if (n_lanes >= 2 * (width))                                                                              \
        for (int i = 0; i < (width); i++)                                                                    \
    lanes[i] += lanes[i + (width)]
    FL_FOLD(16);
    FL_FOLD(8);
    FL_FOLD(4);
    FL_FOLD(2);
#undef FL_FOLD
    return lanes[0] + lanes[1];
}

typedef struct {
    double sum, error;
} fl_compensated;

/* An infinite or NaN sum has no error to keep. */
static inline void fl_add(fl_compensated *a, double x) {
    double sum = a->sum + x;
    double error = fabs(a->sum) >= fabs(x) ? (a->sum - sum) + x : (x - sum) + a->sum;
    a->error += isfinite(sum) ? error : 0;
    a->sum = sum;
}

static inline double fl_total(fl_compensated a) {
    return a.sum + a.error;
}

#endif
