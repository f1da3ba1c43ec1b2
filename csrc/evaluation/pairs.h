/* Pairs of rows of the labels 0 and 1 in the order of their scores, the highest first, entry by entry: b and
 * a rows of each label have one score, or one key. */
#ifndef FL_EVALUATION_PAIRS_H
#define FL_EVALUATION_PAIRS_H

#include "../sums/compensated.h"
#include "evaluation.h"

/* With at most 2^32 rows there are at most 2^62 pairs, so that no sum of 64 bits overflows. */
typedef struct {
    uint64_t rows[2];    /* of each label, so far */
    uint64_t twice_wins; /* pairs in the right order, and half of those in one entry, times two */
    uint64_t tied;       /* pairs in one entry */
} fl_pairs;

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

/* The same of weights, b and a, and their squares, as shares of all pairs; `above` are the weights of higher
 * scores. */
static inline void fl_spread_weights(const fl_ranking_summary *s, fl_compensated above[2], double b, double a,
                                     double b_square, double a_square, fl_compensated spread[2]) {
    double lost = (fl_total(above[1]) + a / 2) / s->weight[1] - s->auc;
    double won = (s->weight[0] - fl_total(above[0]) - b / 2) / s->weight[0] - s->auc;
    fl_add(&spread[0], b_square * lost * lost);
    fl_add(&spread[1], a_square * won * won);
    fl_add(&above[0], b);
    fl_add(&above[1], a);
}

/* A ratio's: sum w^2 (v - AUC)^2 / ((sum w)^2 - sum w^2), which is theirs where all weights are 1. */
static inline double fl_weighted_variance(const fl_ranking_summary *s, const fl_compensated spread[2]) {
    double variance = 0;
    for (int label = 0; label < 2; label++)
        variance += fl_total(spread[label]) / (s->weight[label] * s->weight[label] - s->square[label]);
    return variance;
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
