/* Adding block sums: the rounding error of each addition is kept (Neumaier 1974), so that the error of a
 * sum does not grow with the number of blocks. */
#ifndef FL_SUMS_COMPENSATED_H
#define FL_SUMS_COMPENSATED_H

#include <math.h>

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

/* All of another sum. */
static inline void fl_add_all(fl_compensated *a, fl_compensated b) {
    fl_add(a, b.sum);
    fl_add(a, b.error);
}

static inline double fl_total(fl_compensated a) {
    return a.sum + a.error;
}

#endif
