/* Distributions as masses on common, increasing positions. */
#ifndef FL_TRANSPORT_HISTOGRAM_H
#define FL_TRANSPORT_HISTOGRAM_H

#include "quantile.h"

/* For p = 1 the distance is the integral of the CDFs' difference. `upto` are the cumulative masses at every
 * position, of 1. */
static double fl_cdf_distance(const double *x, const double *u_upto, const double *v_upto, size_t n) {
    double total = 0;
    for (size_t k = 0; k + 1 < n; k++)
        total += fabs(v_upto[k] - u_upto[k]) * (x[k + 1] - x[k]);
    return total;
}

/* The derivatives by the normalised masses of v, up to a constant: potential[j]. For p = 1 the sign of the
 * CDFs' difference integrated from the position to the end. */
static void fl_cdf_potential(const double *x, const double *u_upto, const double *v_upto, size_t n,
                             double *potential) {
    potential[n - 1] = 0;
    for (size_t j = n - 1; j-- > 0;) {
        double more = v_upto[j] - u_upto[j], step = x[j + 1] - x[j];
        potential[j] = potential[j + 1] + (fabs(more) <= FL_SAME_LEVEL ? 0 : copysign(step, more));
    }
}

/* For any p: mass moved from position j to j+1 is at v's level upto[j], which is coupled with u's quantile y
 * there, and its cost changes by |x[j+1] - y|^p - |x[j] - y|^p. Where the level is a step of u the quantile
 * jumps: the mean of both sides is taken. Costs are relative to scale^p. */
static void fl_quantile_potential(const double *x, const fl_atoms *u, const double *v_upto, size_t n,
                                  double scale, double p, double *potential, fl_watch *watch) {
    double total = 0;
    size_t done = 0;
    size_t i = 0;
    potential[0] = 0;
    for (size_t j = 0; j + 1 < n && !fl_stops(watch, &done, 1); j++) {
        double level = v_upto[j];
        while (i + 1 < u->n && u->upto[i] < level - FL_SAME_LEVEL)
            i++;
        size_t above = i + (i + 1 < u->n && u->upto[i] <= level + FL_SAME_LEVEL);
        for (size_t side = 0; side < 2; side++) {
            double y = u->x[side ? above : i];
            total += 0.5 * (fl_power((x[j + 1] - y) / scale, p) - fl_power((x[j] - y) / scale, p));
        }
        potential[j + 1] = total;
    }
}

/* From potentials by normalised masses to the gradient by the masses themselves, q[j] of sum `sum`: scaling
 * all of them changes nothing, so their mean potential goes away. */
static void fl_mass_gradient(const double *potential, const double *q, double sum, size_t n, double slope,
                             double factor, double *gradient) {
    double mean = 0;
    for (size_t j = 0; j < n; j++)
        mean += q[j] / sum * potential[j];
    for (size_t j = 0; j < n; j++)
        gradient[j] = factor * (slope / sum * (potential[j] - mean));
}

#endif
