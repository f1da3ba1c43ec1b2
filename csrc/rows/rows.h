/* The row family: losses of a row of C classes, of the parameters of a distribution (gaussian_nll,
 * laplace_nll and student_t_nll: location and logarithm of the scale, multi_quantile: a quantile for each
 * level), whose target is dense and the same number along each row, by a stride of 0; and the links softmax
 * and log-softmax. Included by fastloss.h.
 *
 * Fill an fl_rows_call, then call fl_rows: it makes one pass over the data and writes the outputs asked for.
 */
#ifndef FL_ROWS_ROWS_H
#define FL_ROWS_ROWS_H

typedef struct {
    /* in */
    int kernel;  /* from fl_find_rows */
    int float32; /* compute in float32, otherwise in float64 */
    fl_reduction reduction;
    int n_threads; /* at most so many; 1 makes no parallel region */
    int want_value;
    size_t n_rows, n_classes;
    int dense;           /* target is (n_rows, n_classes), otherwise (n_rows,) class indices */
    fl_array prediction; /* (n_rows, n_classes) */
    fl_array target;     /* indices of any dtype, whole numbers in [0, n_classes); none for the links */
    fl_array weight;     /* (n_rows,), optional */
    /* out: (n_rows,), written with FL_REDUCE_NONE only; and two of (n_rows, n_classes). The links write to
     * gradient. An output may be the very same view as prediction; any other overlap is the caller's mistake.
     * Floating-point dtypes only. */
    fl_array value, gradient, hessian;
    fl_curvature curvature; /* of `hessian`; without reduction by the mean */
    /* options; all zero is the default of each loss */
    const double *class_weight; /* cross-entropy: n_classes numbers, or NULL */
    double label_smoothing;     /* cross-entropy */
    int has_ignore_index;       /* losses of class indices: such rows give 0 and a zero gradient */
    long long ignore_index;
    double gamma;        /* focal; q of the generalised cross-entropy, ε of Poly-1, ν of Student's t */
    const double *alpha; /* focal: n_classes numbers, or NULL for 1; several quantiles: levels */
    double log_base;     /* Jensen-Shannon: the natural logarithm of the base; 0 counts as 1 */
    double constant;     /* NLLs: what their values have besides */
    double kink_width;   /* several quantiles, for their majorizer: residuals below it count as it */
    fl_go_on go_on;      /* optional */
    void *context;       /* of go_on */
    /* results */
    double total;      /* the sum of weight * loss, or its mean */
    double weight_sum; /* what the mean divides by */
    size_t bad_row, bad_column;
    double bad_value;
    int has_off_row; /* kernels of probabilities: some row's sum is off 1 by more than the root of epsilon, */
    size_t off_row;  /* the first of them */
    double off_sum;
} fl_rows_call;

/* The index of the row kernel of that name, -1 if there is none. */
int fl_find_rows(const char *name);
/* Whether the kernel takes class indices, dense targets, and has a Hessian. */
int fl_rows_takes_labels(int kernel);
int fl_rows_takes_dense(int kernel);
int fl_rows_has_hessian(int kernel);
/* Every kernel with a Hessian has |h| and 1. Those of logits have the Hessian's bound by Gershgorin's
 * circles, 2·T·p(1 − p), as majorizer, and as Gauss-Newton K/(K − 1)·T·p(1 − p): the curvature along moving
 * one of K scores while their sum stays (Friedman 2001); for NLLs Fisher's information. Several quantiles
 * have the majorizer of their kinks, which needs kink_width. */
int fl_rows_has_curvature(int kernel, fl_curvature curvature);

/* One pass over the data. On any status but FL_OK the outputs are undefined; nothing outside them was
 * touched. The mean over rows that are all ignored is 0. */
fl_status fl_rows(fl_rows_call *call);
/* Only the checks of targets, predictions and weights: writes no output. */
fl_status fl_rows_check(fl_rows_call *call);

#endif
