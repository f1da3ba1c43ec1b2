/* The optimal coupling of two distributions on the line: the quantile coupling, which moves the mass at each
 * level t of one to the level t of the other, for every cost |x - y|^p with p >= 1. */
#ifndef FL_TRANSPORT_QUANTILE_H
#define FL_TRANSPORT_QUANTILE_H

#include <float.h>
#include <math.h>
#include <stddef.h>

/* Atoms in increasing order, those of no mass left out. upto[i] is the mass of the atoms 0 to i, of 1. */
typedef struct {
    size_t n;
    double *x, *upto;
    ptrdiff_t *order; /* which atom of the input it is; unset where nobody asks */
} fl_atoms;

/* Mass that moves from atom i of u to atom j of v = u[i] + difference. */
typedef struct {
    double mass, difference;
    size_t i, j;
} fl_move;

/* Levels that differ by less than the rounding of a cumulative sum are one level: a sliver of mass between
 * them would move a wrong way, which its 1/p-th power makes visible. */
#define FL_SAME_LEVEL (4 * DBL_EPSILON)

/* At most u->n + v->n - 1 moves; returns how many. */
static size_t fl_couple(const fl_atoms *u, const fl_atoms *v, fl_move *moves) {
    size_t i = 0, j = 0, n = 0;
    double level = 0;
    while (i < u->n && j < v->n) {
        double a = u->upto[i], b = v->upto[j], next = a < b ? a : b;
        if (next > level) {
            moves[n++] = (fl_move){next - level, v->x[j] - u->x[i], i, j};
            level = next;
        }
        i += a <= b + FL_SAME_LEVEL;
        j += b <= a + FL_SAME_LEVEL;
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

static fl_coupling_cost fl_cost_of(const fl_move *moves, size_t n, double p) {
    fl_coupling_cost cost = {1, 0};
    if (p != 1) {
        cost.scale = 0;
        for (size_t k = 0; k < n; k++)
            cost.scale = fmax(cost.scale, fabs(moves[k].difference));
        if (cost.scale == 0)
            return cost;
    }
    for (size_t k = 0; k < n; k++)
        cost.mean += moves[k].mass * fl_power(moves[k].difference / cost.scale, p);
    return cost;
}

static inline double fl_distance(fl_coupling_cost cost, double p) {
    return p == 1 ? cost.scale * cost.mean : cost.scale * pow(cost.mean, 1 / p);
}

/* The derivative of the distance by `mean` is scale/p times this; 0 at distance 0, where there is none. */
static inline double fl_outer_slope(fl_coupling_cost cost, double p) {
    return cost.mean == 0 ? 0 : p == 1 ? 1 : pow(cost.mean, 1 / p - 1);
}

/* Both samples of one size without weights: atom k of one moves to atom k of the other. Eight lanes, which
 * vectorise without changing the order of the sum. */
static double fl_matched_distance(const double *u, const double *v, size_t n) {
    double lanes[8] = {0}, total = 0;
    size_t k = 0;
    for (; k + 8 <= n; k += 8)
        for (int lane = 0; lane < 8; lane++)
            lanes[lane] += fabs(v[k + lane] - u[k + lane]);
    for (; k < n; k++)
        lanes[k % 8] += fabs(v[k] - u[k]);
    for (int lane = 0; lane < 8; lane++)
        total += lanes[lane];
    return total / (double)n;
}

/* gradient[j], by the position of each input atom j, times `factor`. Atoms that lie on one another move as
 * one and share their derivative by mass: which of them the coupling took first is chance. */
static void fl_position_gradient(const fl_atoms *v, const fl_move *moves, size_t n, fl_coupling_cost cost,
                                 double p, double factor, double *slope, double *gradient) {
    for (size_t j = 0; j < v->n; j++)
        slope[j] = 0;
    for (size_t k = 0; k < n; k++) {
        double d = moves[k].difference;
        if (d != 0)
            slope[moves[k].j] += copysign(moves[k].mass * fl_power(d / cost.scale, p - 1), d);
    }
    factor *= fl_outer_slope(cost, p);
    for (size_t first = 0, end; first < v->n; first = end) {
        double total = slope[first], below = first ? v->upto[first - 1] : 0;
        for (end = first + 1; end < v->n && v->x[end] == v->x[first]; end++)
            total += slope[end];
        double mass = v->upto[end - 1] - below;
        for (size_t j = first; j < end; j++) {
            double own = v->upto[j] - (j ? v->upto[j - 1] : 0);
            gradient[v->order[j]] = factor * total * (end == first + 1 ? 1 : own / mass);
        }
    }
}

#endif
