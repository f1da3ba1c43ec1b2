/* Adding block sums: the rounding error of each addition is kept (Neumaier 1974), so that the error of a
 * sum does not grow with the number of blocks. */
#ifndef FL_SUMS_COMPENSATED_H
#define FL_SUMS_COMPENSATED_H

#include <math.h>

typedef struct {
    double sum, error;
} fl_compensated;

static inline void fl_add(fl_compensated *a, double x) {
    double sum = a->sum + x;
    a->error += fabs(a->sum) >= fabs(x) ? (a->sum - sum) + x : (x - sum) + a->sum;
    a->sum = sum;
}

/* An infinite or NaN sum makes the error term NaN; the sum alone is the answer then. */
static inline double fl_total(fl_compensated a) {
    return isfinite(a.sum) ? a.sum + a.error : a.sum;
}

#endif
