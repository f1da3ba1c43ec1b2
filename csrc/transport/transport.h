/* The transport family: distances between distributions that move mass. Included by fastloss.h.
 *
 * Fill a call, then call the function of the same name: it writes the outputs asked for. Everything is
 * computed in float64, whatever the dtypes of the arrays. On any status but FL_OK the outputs are undefined;
 * nothing outside them was touched. */
#ifndef FL_TRANSPORT_TRANSPORT_H
#define FL_TRANSPORT_TRANSPORT_H

/* The array that FL_BAD_ENTRY and FL_BAD_MASS complain of. */
typedef enum { FL_FIRST, FL_SECOND, FL_FIRST_WEIGHT, FL_SECOND_WEIGHT } fl_transport_argument;

/* Wasserstein distances on the line, a pair of samples or of histograms a row. */
typedef struct {
    /* in */
    double p; /* at least 1 */
    fl_reduction reduction;
    int n_threads; /* at most so many; 1 makes no parallel region */
    size_t n_rows, n_u, n_v;
    /* (n_rows, n_u) and (n_rows, n_v): positions of samples, or, where `positions` are given, masses on
     * these: n_u = n_v of them, increasing. */
    fl_array u, v;
    const double *positions;
    fl_array u_weight, v_weight; /* of the samples, optional: of the shapes of u and v */
    fl_array weight;             /* of the rows, optional: (n_rows,) */
    /* Sorts n numbers, and finds the order that sorts them, beginning with the order that it is given; both
     * return 0, and the last argument is NULL. NumPy's functions have these types. NULL: qsort. */
    int (*sort)(void *x, ptrdiff_t n, void *unused);
    int (*argsort)(void *x, ptrdiff_t *order, ptrdiff_t n, void *unused);
    /* out: (n_rows,), written with FL_REDUCE_NONE only; and (n_rows, n_v), by v, optional. Floating-point
     * dtypes. May share no memory with what is read. */
    fl_array value, gradient;
    fl_go_on go_on; /* optional */
    void *context;  /* of go_on */
    /* results */
    double total;      /* the sum of weight * distance, or its mean */
    double weight_sum; /* what the mean divides by */
    fl_transport_argument bad_argument;
    size_t bad_row, bad_column;
    double bad_sum; /* of the row, with FL_BAD_MASS */
} fl_wasserstein_call;

fl_status fl_wasserstein(fl_wasserstein_call *call);

/* Entropic optimal transport between two clouds of points, by Sinkhorn's iteration in the log domain. With
 * weights a and b, normalised to sum 1, and OT = min over plans P of <P, C> + reg KL(P | a b'), the value is
 * OT(x, y), debiased OT(x, y) - OT(x, x)/2 - OT(y, y)/2. */
typedef struct {
    /* in */
    size_t n, m, dims;
    fl_array x, y;               /* (n, dims), (m, dims) */
    fl_array x_weight, y_weight; /* (n,), (m,), optional */
    double reg, tol;             /* tol: how far the plan's marginals may be off, in the sum of magnitudes */
    int euclidean;               /* the cost is |x - y|, otherwise |x - y|^2 */
    int debiased, max_iter, n_threads;
    fl_go_on go_on;    /* optional */
    void *context;     /* of go_on */
    fl_array gradient; /* out: (m, dims), by y, optional; may share no memory with what is read */
    /* results */
    double value;
    int iterations;   /* of the slowest problem */
    double violation; /* its marginals' distance from the weights; not more than tol if all converged */
    fl_transport_argument bad_argument;
    size_t bad_row, bad_column;
    double bad_sum;      /* with FL_BAD_MASS */
    double largest_cost; /* a bound; FL_OUT_OF_RANGE: more than 10^13 times reg, or infinite */
} fl_sinkhorn_call;

fl_status fl_sinkhorn(fl_sinkhorn_call *call);

#endif
