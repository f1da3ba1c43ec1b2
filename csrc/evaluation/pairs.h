/* Pairs of rows of the labels 0 and 1 in the order of their scores, the highest first, entry by entry: b and
 * a rows of each label have one score, or one key. */
#ifndef FL_EVALUATION_PAIRS_H
#define FL_EVALUATION_PAIRS_H

#include "../sums/compensated.h"
#include "evaluation.h"

static inline void fl_count_entry(fl_pairs *c, uint64_t b, uint64_t a) {
    c->twice_wins += b * (2 * c->rows[1] + a);
    c->tied += a * b;
    c->rows[0] += b;
    c->rows[1] += a;
}

/* DeLong, DeLong and Clarke-Pearson (1988): squares of how far a row's share of pairs won is from the mean,
 * times the rows of the other label, summed over the rows of each. */
typedef struct {
    double rows[2], auc;
    double above[2], sums[2];
} fl_spread;

static inline void fl_spread_entry(fl_spread *s, double b, double a) {
    double lost = s->above[1] + a / 2 - s->auc * s->rows[1];
    double won = s->rows[0] - s->above[0] - b / 2 - s->auc * s->rows[0];
    s->sums[0] += b * (lost * lost);
    s->sums[1] += a * (won * won);
    s->above[0] += b;
    s->above[1] += a;
}

/* What pairs say, 0 of one label alone; returns where to begin to look for the spread. */
static inline fl_spread fl_summarise_pairs(const fl_pairs *c, fl_ranking_summary *to) {
    memset(to, 0, sizeof *to);
    for (int label = 0; label < 2; label++)
        to->weight[label] = to->square[label] = (double)c->rows[label];
    double n_pairs = (double)(c->rows[0] * c->rows[1]);
    if (n_pairs > 0) {
        to->auc = (double)c->twice_wins / (2 * n_pairs);
        to->auc_margin = (double)c->tied / 2 / n_pairs;
    }
    return (fl_spread){{to->weight[0], to->weight[1]}, to->auc, {0, 0}, {0, 0}};
}

static inline double fl_spread_variance(const fl_spread *s) {
    double variance = 0;
    for (int label = 0; label < 2; label++) {
        double n = s->rows[label], others = s->rows[!label];
        variance += s->sums[label] / others / others / (n * (n - 1));
    }
    return variance;
}

#endif
