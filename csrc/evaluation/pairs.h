/* Pairs of rows of the labels 0 and 1 in the order of their scores, the highest first, run by run; the average
 * precision and KS of that order. */
#ifndef FL_EVALUATION_PAIRS_H
#define FL_EVALUATION_PAIRS_H

#include <math.h>
#include <string.h>

#include "../sums/compensated.h"
#include "evaluation.h"

/* Weights of numbers, their mean, and the squares about it. */
typedef struct {
    double weight, mean, squares;
} fl_spread;

/* Those of others (Chan, Golub and LeVeque 1983): about any other number than the means squares would cancel. */
static inline void fl_add_spread(fl_spread *s, double weight, double mean, double squares) {
    double all = s->weight + weight, apart = mean - s->mean;
    s->squares += squares + apart * apart * (s->weight * weight / all);
    s->mean += apart * (weight / all);
    s->weight = all;
}

/* A run below what is above: of each row of a label twice the weight that it wins, or loses, of the other's, which
 * counts for `share` of its weight. */
static inline void fl_add_run(fl_spread *s, const fl_run_moments *m, int label, double above, double share) {
    double w = m->weight[label], mean = w > 0 ? m->twice[label] / w : 0;
    double within = m->square[label] - m->twice[label] * mean;
    if (w > 0 && share > 0)
        fl_add_spread(s, share * w, 2 * above + mean, share * fmax(0, within));
}

/* DeLong, DeLong and Clarke-Pearson (1988), of a ratio: sum w^2 (v - m)^2 / ((sum w)^2 - sum w^2) over the rows of
 * each label, where v is the share of the others that a row wins, or loses, and m the mean of v: `twice` is that
 * of all pairs, times two. */
static inline double fl_pairs_variance(const fl_spread *spread, const double *twice,
                                       const fl_ranking_summary *s) {
    double variance = 0;
    for (int label = 0; label < 2; label++) {
        double w = s->weight[label], others = s->weight[!label];
        double off = spread[label].mean - twice[label] / w;
        double squares = spread[label].squares + spread[label].weight * (off * off);
        variance += squares / 4 / others / others / (w * w - s->square[label]);
    }
    return variance;
}

/* Of rows of weight 1 so far, in whole numbers. With at most 2^32 there are at most 2^62 pairs, so that no sum of
 * 64 bits overflows. */
typedef struct {
    uint64_t rows[2];    /* of each label */
    uint64_t twice_wins; /* pairs in the right order, and half of those of one score, times two */
    uint64_t tied;       /* pairs of one score */
    fl_spread spread[2];
} fl_pairs;

static inline void fl_count_pairs_of(fl_pairs *c, const fl_run_moments *m) {
    uint64_t b = (uint64_t)m->weight[0], a = (uint64_t)m->weight[1];
    for (int label = 0; label < 2; label++)
        fl_add_run(&c->spread[label], m, label, (double)c->rows[!label], 1);
    c->twice_wins += 2 * b * c->rows[1] + (uint64_t)m->twice[0];
    c->tied += (uint64_t)m->tied;
    c->rows[0] += b;
    c->rows[1] += a;
}

/* What they say; 0 of one label alone. */
static inline void fl_summarise_pairs(const fl_pairs *c, fl_ranking_summary *to) {
    memset(to, 0, sizeof *to);
    for (int label = 0; label < 2; label++)
        to->weight[label] = to->square[label] = (double)c->rows[label];
    uint64_t n = c->rows[0] * c->rows[1];
    if (!n)
        return;
    double twice[] = {(double)c->twice_wins, (double)(2 * n - c->twice_wins)};
    to->auc = twice[0] / (2 * (double)n);
    to->auc_margin = (double)c->tied / 2 / (double)n;
    to->auc_variance = fl_pairs_variance(c->spread, twice, to);
}

/* What runs say of an order, of rows of at least the weight `step`, which weigh `all` of each label. */
typedef struct {
    const double *all;
    double step, apart, most_apart;
    fl_compensated above[2], precision, least, most;
} fl_order;

static inline fl_order fl_no_order(const double *all, double step) {
    return (fl_order){all, step, 0, 0, {{0, 0}, {0, 0}}, {0, 0}, {0, 0}, {0, 0}};
}

static inline void fl_add_order(fl_order *o, const fl_order_moments *m) {
    for (int label = 0; label < 2; label++)
        fl_add(&o->above[label], m->weight[label]);
    fl_add(&o->precision, m->precision);
    fl_add(&o->least, m->least);
    fl_add(&o->most, m->most);
    o->apart = fmax(o->apart, m->apart);
    o->most_apart = fmax(o->most_apart, m->most_apart);
}

/* What they say, of rows of both labels. */
static inline void fl_summarise_order(const fl_order *o, fl_ranking_summary *to) {
    double positives = o->all[1], sum = fl_total(o->precision), pairs = o->all[0] * o->all[1];
    to->precision = sum / positives;
    to->precision_margin = fmax(fl_total(o->most) - sum, sum - fl_total(o->least)) / positives;
    to->ks = o->apart / pairs;
    to->ks_margin = fmax(0, o->most_apart - o->apart) / pairs;
}

#endif
