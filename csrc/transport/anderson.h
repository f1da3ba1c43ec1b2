/* Anderson's acceleration of a fixed-point iteration f <- F(f) (D. G. Anderson, "Iterative Procedures for
 * Nonlinear Integral Equations", J. ACM 12, 1965): of the last iterates the affine combination whose
 * residuals F(f) - f, combined alike, are least, is where the next one begins. */
#ifndef FL_TRANSPORT_ANDERSON_H
#define FL_TRANSPORT_ANDERSON_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../pass/watch.h"

/* Of 5 to 20 iterates, 10 needed the fewest iterations over clouds of several shapes and regularisations. */
enum { FL_HISTORY = 10 };

/* Keeps the least-squares problem regular where residuals are nearly parallel, as they come to be. */
#define FL_RIDGE 1e-12

typedef struct {
    size_t n;
    int count, newest;
    double *image, *residual; /* rings of FL_HISTORY rows */
} fl_history;

static int fl_new_history(fl_history *h, size_t n) {
    *h = (fl_history){.n = n, .newest = FL_HISTORY - 1, .image = malloc(2 * FL_HISTORY * n * sizeof(double))};
    h->residual = h->image + FL_HISTORY * n;
    return h->image != NULL;
}

/* x of a x = b for a positive definite a, in place of b; 0 if it is not. */
static int fl_solve_positive(double a[FL_HISTORY][FL_HISTORY], double *b, int n) {
    for (int k = 0; k < n; k++) {
        for (int j = 0; j < k; j++) {
            for (int i = 0; i < j; i++)
                a[k][j] -= a[k][i] * a[j][i];
            a[k][j] /= a[j][j];
            a[k][k] -= a[k][j] * a[k][j];
            b[k] -= a[k][j] * b[j];
        }
        if (!(a[k][k] > 0))
            return 0;
        a[k][k] = sqrt(a[k][k]);
        b[k] /= a[k][k];
    }
    for (int k = n; k-- > 0;) {
        for (int j = k + 1; j < n; j++)
            b[k] -= a[j][k] * b[j];
        b[k] /= a[k][k];
    }
    return 1;
}

/* From f to the next iterate, in place, given F(f); `weight` weighs the residuals. */
static void fl_accelerate(fl_history *h, const double *image, const double *weight, double *f,
                          fl_watch *watch) {
    size_t n = h->n;
    h->newest = (h->newest + 1) % FL_HISTORY;
    h->count += h->count < FL_HISTORY;
    double *newest_image = h->image + (size_t)h->newest * n, *newest = h->residual + (size_t)h->newest * n;
    for (size_t i = 0; i < n; i++) {
        newest_image[i] = image[i];
        newest[i] = image[i] - f[i];
    }
    memcpy(f, image, n * sizeof(double));

    /* Least squares for the combination newest - sum_k b_k (newest - older_k). */
    int others = h->count - 1;
    double a[FL_HISTORY][FL_HISTORY], b[FL_HISTORY], trace = 0;
    const double *older[FL_HISTORY];
    for (int k = 0; k < others; k++)
        older[k] = h->residual + (size_t)((h->newest + FL_HISTORY - 1 - k) % FL_HISTORY) * n;
    for (int k = 0; k < others; k++) {
        if (n > FL_WATCHED_STRETCH && fl_ask(watch))
            return;
        b[k] = 0;
        for (size_t i = 0; i < n; i++)
            b[k] += weight[i] * (newest[i] - older[k][i]) * newest[i];
        for (int j = 0; j <= k; j++) {
            a[k][j] = 0;
            for (size_t i = 0; i < n; i++)
                a[k][j] += weight[i] * (newest[i] - older[k][i]) * (newest[i] - older[j][i]);
        }
        trace += a[k][k];
    }
    for (int k = 0; k < others; k++)
        a[k][k] += FL_RIDGE * trace;
    if (!fl_solve_positive(a, b, others))
        return;
    for (int k = 0; k < others; k++) {
        const double *older_image = older[k] - h->residual + h->image;
        for (size_t i = 0; i < n; i++)
            f[i] -= b[k] * (image[i] - older_image[i]);
    }
}

/* Forgets all but goes back to the newest image, from where a plain iteration starts anew. */
static void fl_restart(fl_history *h, double *f) {
    memcpy(f, h->image + (size_t)h->newest * h->n, h->n * sizeof(double));
    h->count = 0;
}

#endif
