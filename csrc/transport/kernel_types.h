/* What the transport kernels take, and the table of them that each tier has. */
#ifndef FL_TRANSPORT_KERNEL_TYPES_H
#define FL_TRANSPORT_KERNEL_TYPES_H

#include <stddef.h>

/* Columns are padded to a multiple of so many; a padded column has the height -infinity. */
enum { FL_COLUMN_LANES = 16 };

/* A matrix of costs between points x, the rows, and y, the columns, and a height h of each column: what a
 * softmin runs over. Costs are computed from the points, or read where they are stored. */
typedef struct {
    size_t dims, n_columns; /* the padded number of columns, a row of each array below */
    const double *x;        /* (rows, dims) */
    const double *y_by_dim; /* (dims, n_columns) */
    const double *stored;   /* (rows, n_columns), or NULL */
    int euclidean;          /* the cost is |x - y|, otherwise |x - y|^2 */
    double inverse_reg;
    const double *height;
} fl_softmin;

typedef struct fl_transport_ops {
    /* log_sum[i] = log sum_j exp(height[j] - cost_ij / reg). `guess` has what is likely to be found, or
     * anything: it sets the scale of the exponentials. */
    void (*softmin)(const fl_softmin *s, size_t first, size_t end, const double *guess, double *log_sum);
    /* The same, and pull[i] = the mean, with these exponentials for weights, of the derivative of the cost
     * by x_i: (rows, dims). */
    void (*pull)(const fl_softmin *s, size_t first, size_t end, const double *guess, double *log_sum,
                 double *pull);
    /* The costs themselves. */
    void (*costs)(const fl_softmin *s, size_t first, size_t end, double *to);
    void (*logarithms)(const double *x, size_t n, double *to);
    /* On the line: whether a number is below `low` or not finite; and of v - u, both sorted, the sum of the
     * magnitudes, the largest of them, and the sum of the squares of the differences times `scale`. */
    int (*any_bad)(const double *x, size_t n, double low);
    double (*sum_magnitudes)(const double *u, const double *v, size_t n);
    double (*largest_difference)(const double *u, const double *v, size_t n);
    double (*sum_squares)(const double *u, const double *v, size_t n, double scale);
} fl_transport_ops;

#endif
