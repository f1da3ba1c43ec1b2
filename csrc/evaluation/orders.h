/* Average precision and KS of entries in the order of their scores.
 *
 * Of rows in order the precision after a row of the label 1 is the share of that label among the rows so far. With A
 * and B rows of the labels 1 and 0 above an entry that has a and b, it is f(t) = (A + t) / (A + t + B + b) after t
 * of its rows of the label 1 if all the b come before them: a concave function, so that the sum of f(1) .. f(a) is no
 * less than a (f(1) + f(a)) / 2. The most is that of a rows that have one score, before all others: a (A + a) / (A +
 * a + B). */
#ifndef FL_EVALUATION_ORDERS_H
#define FL_EVALUATION_ORDERS_H

#include "kernel_types.h"
#include "score_runs.h"
#include "vectors.h"

/* Each lane goes on through a part. `share` is that of the label 1 so far; the sums of f have a factor of 2. */
typedef struct {
    fl_doubles above[2], share, precision, least, most, apart, most_apart;
} fl_part_order;

/* a / (a + b), 0 where both are 0: weights are multiples of 2^-64. */
static inline __attribute__((always_inline)) fl_doubles fl_share(fl_doubles a, fl_doubles b) {
    return a / (a + b + 0x1p-1000);
}

/* The larger of a number and the distance of two others. */
static inline __attribute__((always_inline)) fl_doubles fl_farther(fl_doubles far, fl_doubles x,
                                                                   fl_doubles y) {
    fl_doubles apart = (fl_doubles)((fl_bits)(x - y) & INT64_MAX);
    return fl_pick_doubles(apart > far, apart, far);
}

static inline __attribute__((always_inline)) void
fl_add_ordered(fl_part_order *m, const fl_doubles *b, const fl_doubles *a, const double *all, double step) {
    fl_doubles B = m->above[0], A = m->above[1], B_with = B + *b, A_with = A + *a;
    fl_doubles first = fl_share(A + step, B_with), after = fl_share(A_with, B_with);
    /* Rows of both labels that are mixed begin with the share so far; at the top they have one share throughout. */
    fl_doubles start = fl_pick_doubles(A + B > 0, m->share, after);
    m->precision += *a * (fl_pick_doubles(start > first, start, first) + after);
    m->least += *a * (first + after);
    m->most += *a * fl_share(A_with, B);
    m->apart = fl_farther(m->apart, A_with * all[0], B_with * all[1]);
    m->most_apart = fl_farther(m->most_apart, A_with * all[0], B * all[1]);
    m->most_apart = fl_farther(m->most_apart, A * all[0], B_with * all[1]);
    m->above[0] = B_with;
    m->above[1] = A_with;
    m->share = after;
}

static inline double fl_larger(double a, double b) {
    return a > b ? a : b;
}

static inline void fl_join_orders(const fl_part_order *m, fl_order_moments *to) {
    for (int lane = FL_RUN_LANES; lane-- > 0;) {
        const fl_part_order *part = m + lane / FL_WIDTH;
        int k = lane % FL_WIDTH;
        to->precision += part->precision[k] / 2;
        to->least += part->least[k] / 2;
        to->most += part->most[k];
        to->apart = fl_larger(to->apart, part->apart[k]);
        to->most_apart = fl_larger(to->most_apart, part->most_apart[k]);
    }
}

static const double *fl_row_of_run(const double *run, uint32_t row, uint32_t flip, int part) {
    return run + (size_t)2 * FL_RUN_LANES * (row ^ flip) + part * FL_WIDTH;
}

/* What lies above each lane's part of a run: the lanes are in the order of the scores, the highest last. */
static void fl_find_above(const double *run, const double *above, double start[2][FL_RUN_LANES],
                          fl_order_moments *to) {
    double lane_total[2 * FL_RUN_LANES] = {0};
    for (uint32_t row = 0; row < FL_RUN_ROWS; row++)
        for (int i = 0; i < 2 * FL_RUN_LANES; i++)
            lane_total[i] += run[(size_t)2 * FL_RUN_LANES * row + i];
    for (int label = 0; label < 2; label++)
        for (int lane = FL_RUN_LANES; lane-- > 0;) {
            start[label][lane] = above[label] + to->weight[label];
            to->weight[label] += lane_total[label * FL_RUN_LANES + lane];
        }
}

static void fl_order_run(const double *run, uint32_t flip, const double *above, const double *all,
                         double step, fl_order_moments *to) {
    fl_part_order parts[FL_RUN_LANES / FL_WIDTH];
    double start[2][FL_RUN_LANES];
    memset(to, 0, sizeof *to);
    fl_find_above(run, above, start, to);
    if (to->weight[0] + to->weight[1] == 0)
        return;
    for (int part = 0; part < FL_RUN_LANES / FL_WIDTH; part++) {
        fl_part_order m = {{{0}}, {0}, {0}, {0}, {0}, {0}, {0}};
        for (int label = 0; label < 2; label++)
            m.above[label] = fl_load_doubles(start[label] + part * FL_WIDTH);
        m.share = fl_share(m.above[1], m.above[0]);
        for (uint32_t row = FL_RUN_ROWS; row-- > 0;) {
            const double *entries = fl_row_of_run(run, row, flip, part);
            fl_doubles b = fl_load_doubles(entries), a = fl_load_doubles(entries + FL_RUN_LANES);
            fl_add_ordered(&m, &b, &a, all, step);
        }
        parts[part] = m;
    }
    fl_join_orders(parts, to);
}

static void fl_order_groups(const uint32_t *ends, const uint32_t *positive, size_t n, const double *above,
                            const double *all, fl_order_moments *to) {
    fl_part_order parts[FL_RUN_LANES / FL_WIDTH];
    memset(to, 0, sizeof *to);
    to->weight[1] = positive[n];
    to->weight[0] = (double)ends[n] - to->weight[1];
    for (int part = 0; part < FL_RUN_LANES / FL_WIDTH; part++) {
        fl_part_order m = {{{0}}, {0}, {0}, {0}, {0}, {0}, {0}};
        for (size_t i = (size_t)part * FL_WIDTH; i < n; i += FL_RUN_LANES) {
            fl_doubles before, a, rows;
            fl_read_counts(positive + i, &before);
            fl_read_counts(positive + i + 1, &a);
            fl_read_counts(ends + i + 1, &rows);
            fl_doubles A = above[1] + a, B = above[0] + (rows - a);
            m.precision += (a - before) * (2 * A / (A + B));
            m.apart = fl_farther(m.apart, A * all[0], B * all[1]);
        }
        parts[part] = m;
    }
    fl_join_orders(parts, to);
}

static void fl_widen_counts(const uint32_t *counts, size_t n, double *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = counts[i];
}

#endif
