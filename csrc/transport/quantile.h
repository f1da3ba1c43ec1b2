/* The optimal coupling of two distributions on the line: the quantile coupling, which moves the mass at each
 * level t of one to the level t of the other, for every cost |x - y|^p with p >= 1. */
#ifndef FL_TRANSPORT_QUANTILE_H
#define FL_TRANSPORT_QUANTILE_H

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "../pass/watch.h"
#include "kernel_types.h"

enum { FL_COUPLED = 1024 /* atoms between two looks at the watch */ };

/* Atoms in increasing order, those of no mass left out. upto[i] is the mass of the atoms 0 to i, of 1. */
typedef struct {
    size_t n;
    double *x, *upto;
    ptrdiff_t *order; /* which atom of the input it is; unset where nobody asks */
} fl_atoms;

/* Mass that moves to atom to[k] of v, from an atom of u that lies `difference` below. */
typedef struct {
    double *mass, *difference;
    ptrdiff_t *to;
} fl_moves;

/* Levels that differ by less than the rounding of a cumulative sum are one level: a sliver of mass between
 * them would move a wrong way, which its 1/p-th power makes visible. */
#define FL_SAME_LEVEL (4 * DBL_EPSILON)

/* At most u->n + v->n - 1 moves, with room for one more; returns how many. Without branches: which atom ends
 * first is as good as random. */
static size_t fl_couple(const fl_atoms *u, const fl_atoms *v, fl_moves moves, fl_watch *watch) {
    size_t i = 0, j = 0, n = 0, done = 0;
    double level = 0;
    while (i < u->n && j < v->n && !fl_stops(watch, &done, FL_COUPLED)) {
        for (int step = 0; step < FL_COUPLED && i < u->n && j < v->n; step++) {
            double a = u->upto[i], b = v->upto[j], next = a < b ? a : b;
            moves.mass[n] = next - level;
            moves.difference[n] = v->x[j] - u->x[i];
            moves.to[n] = (ptrdiff_t)j;
            n += next > level;
            level = next > level ? next : level;
            i += a <= b + FL_SAME_LEVEL;
            j += b <= a + FL_SAME_LEVEL;
        }
    }
    return n;
}

/* |x|^p without a call for the usual p. */
static inline double fl_power(double x, double p) {
    double a = fabs(x);
    return p == 1 ? a : p == 2 ? a * a : p == 0 ? 1 : pow(a, p);
}

/* The distance is scale * mean^(1/p), mean being that of |difference / scale|^p: the longest move has length
 * 1, so that no power overflows. */
typedef struct {
    double scale, mean;
} fl_coupling_cost;

static fl_coupling_cost fl_cost_of(fl_moves moves, size_t n, double p, fl_watch *watch) {
    fl_coupling_cost cost = {1, 0};
    if (p != 1) {
        cost.scale = 0;
        for (size_t k = 0; k < n; k++)
            cost.scale = fmax(cost.scale, fabs(moves.difference[k]));
        if (cost.scale == 0)
            return cost;
    }
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t k = at; k < end; k++)
            cost.mean += moves.mass[k] * fl_power(moves.difference[k] / cost.scale, p);
    return cost;
}

static inline double fl_distance(fl_coupling_cost cost, double p) {
    return p == 1 ? cost.scale * cost.mean : cost.scale * pow(cost.mean, 1 / p);
}

/* The derivative of the distance by `mean` is scale/p times this; 0 at distance 0, where there is none. */
static inline double fl_outer_slope(fl_coupling_cost cost, double p) {
    return cost.mean == 0 ? 0 : p == 1 ? 1 : pow(cost.mean, 1 / p - 1);
}

/* Both samples of one size and without weights: atom k of one moves to atom k of the other. */
static fl_coupling_cost fl_matched_cost(const fl_transport_ops *ops, const double *u, const double *v,
                                        size_t n, double p, fl_watch *watch) {
    fl_coupling_cost cost = {1, 0};
    if (p == 1) {
        cost.mean = ops->sum_magnitudes(u, v, n) / (double)n;
        return cost;
    }
    cost.scale = ops->largest_difference(u, v, n);
    if (cost.scale == 0)
        return cost;
    if (p == 2 && 1 / cost.scale <= DBL_MAX) {
        cost.mean = ops->sum_squares(u, v, n, 1 / cost.scale);
    } else {
        for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
            for (size_t k = at; k < end; k++)
                cost.mean += fl_power((v[k] - u[k]) / cost.scale, p);
    }
    cost.mean /= (double)n;
    return cost;
}

/* mass * |difference/scale|^(p-1) * sign(difference), 0 where nothing moves. */
static inline double fl_pull_of(double mass, double difference, double scale, double p) {
    return difference == 0 ? 0 : copysign(mass * fl_power(difference / scale, p - 1), difference);
}

/* slope[j] of the atoms of v, from the moves. */
static void fl_slopes(const fl_atoms *v, fl_moves moves, size_t n, double scale, double p, double *slope,
                      fl_watch *watch) {
    for (size_t j = 0; j < v->n; j++)
        slope[j] = 0;
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t k = at; k < end; k++)
            slope[moves.to[k]] += fl_pull_of(moves.mass[k], moves.difference[k], scale, p);
}

static void fl_matched_slopes(const double *u, const double *v, size_t n, double scale, double p,
                              double *slope, fl_watch *watch) {
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t k = at; k < end; k++)
            slope[k] = fl_pull_of(1 / (double)n, v[k] - u[k], scale, p);
}

/* From slopes of the sorted atoms to the gradient by each input atom, times `factor`. Atoms that lie on one
 * another move as one and share their derivative by mass (alike, if `upto` is not set): which of them the
 * coupling took first is chance. */
static void fl_position_gradient(const fl_atoms *v, int weighted, const double *slope, double outer,
                                 double factor, double *gradient, fl_watch *watch) {
    size_t done = 0;
    for (size_t first = 0, end; first < v->n && !fl_stops(watch, &done, 1); first = end) {
        end = first + 1;
        if (end == v->n || v->x[end] != v->x[first]) {
            gradient[v->order[first]] = factor * (outer * slope[first]);
            continue;
        }
        double total = slope[first], below = first && weighted ? v->upto[first - 1] : 0;
        for (; end < v->n && v->x[end] == v->x[first]; end++)
            total += slope[end];
        for (size_t j = first; j < end; j++) {
            double own = weighted ? v->upto[j] - (j ? v->upto[j - 1] : 0) : 1;
            double mass = weighted ? v->upto[end - 1] - below : (double)(end - first);
            gradient[v->order[j]] = factor * (outer * total * (own / mass));
        }
    }
}

#endif
