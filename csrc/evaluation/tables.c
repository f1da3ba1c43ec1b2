/* What tables of scores say: the AUC of counts in whole numbers, and lists of what has been counted. */
#include "evaluation.h"

/* Keys that differ in these bits alone lie together, in another order. */
enum { FL_RUN = 1 << FL_PLACE_SHIFT };

static int fl_is_empty(const uint32_t *run) {
    uint32_t any = 0;
    for (size_t i = 0; i < 2 * FL_RUN; i++)
        any |= run[i];
    return !any;
}

/* What an order says of counts above a row: twice the wins of positive rows less half their ties, and so on.
 * With at most 2^32 rows there are at most 2^62 pairs, so that no sum of 64 bits overflows. */
typedef struct {
    uint64_t rows[2];    /* of each label */
    uint64_t above[2];   /* of each label, among higher scores */
    uint64_t twice_wins; /* pairs in the right order, and half of those in one entry, times two */
    uint64_t tied;       /* pairs in one entry */
} fl_pairs;

static void fl_count_pairs(const uint32_t *run, uint32_t key, fl_pairs *c) {
    for (uint32_t k = FL_RUN; k-- > 0;) {
        const uint32_t *pair = run + 2 * (fl_place_of_key(key + k) % FL_RUN);
        uint64_t b = pair[0], a = pair[1];
        c->twice_wins += a * (2 * (c->rows[0] - c->above[0]) - b);
        c->tied += a * b;
        c->above[0] += b;
        c->above[1] += a;
    }
}

/* DeLong, DeLong and Clarke-Pearson (1988): squares of how far a row's share of pairs won is from the mean,
 * summed over the rows of each label. */
static void fl_count_spread(const uint32_t *run, uint32_t key, double auc, fl_pairs *c, double spread[2]) {
    double negatives = (double)c->rows[0], positives = (double)c->rows[1];
    double above[2] = {(double)c->above[0], (double)c->above[1]}, sums[2] = {spread[0], spread[1]};
    for (uint32_t k = FL_RUN; k-- > 0;) {
        const uint32_t *pair = run + 2 * (fl_place_of_key(key + k) % FL_RUN);
        double b = pair[0], a = pair[1];
        double lost = above[1] + a / 2 - auc * positives;
        double won = negatives - above[0] - b / 2 - auc * negatives;
        sums[0] += b * (lost * lost);
        sums[1] += a * (won * won);
        above[0] += b;
        above[1] += a;
    }
    for (int label = 0; label < 2; label++) {
        spread[label] = sums[label];
        c->above[label] = (uint64_t)above[label];
    }
}

void fl_summarise_counts(const uint32_t *pairs, fl_ranking_summary *to) {
    fl_pairs c = {{0, 0}, {0, 0}, 0, 0};
    for (size_t i = 0; i < FL_SCORE_KEYS; i++)
        for (int label = 0; label < 2; label++)
            c.rows[label] += pairs[2 * i + label];
    memset(to, 0, sizeof *to);
    for (int label = 0; label < 2; label++)
        to->weight[label] = to->square[label] = (double)c.rows[label];
    if (!c.rows[0] || !c.rows[1])
        return;
    for (uint32_t key = FL_SCORE_KEYS; key > 0;) {
        key -= FL_RUN;
        const uint32_t *run = pairs + 2 * (fl_place_of_key(key) / FL_RUN * FL_RUN);
        if (!fl_is_empty(run))
            fl_count_pairs(run, key, &c);
    }
    double n_pairs = (double)(c.rows[0] * c.rows[1]), spread[2] = {0, 0};
    to->auc = (double)c.twice_wins / (2 * n_pairs);
    to->auc_margin = (double)c.tied / 2 / n_pairs;
    c.above[0] = c.above[1] = 0;
    for (uint32_t key = FL_SCORE_KEYS; key > 0;) {
        key -= FL_RUN;
        const uint32_t *run = pairs + 2 * (fl_place_of_key(key) / FL_RUN * FL_RUN);
        if (!fl_is_empty(run))
            fl_count_spread(run, key, to->auc, &c, spread);
    }
    for (int label = 0; label < 2; label++) {
        double n = to->weight[label], others = to->weight[!label];
        to->auc_variance += spread[label] / others / others / (n * (n - 1));
    }
}

size_t fl_list_counts(const uint32_t *pairs, uint32_t *keys, double *negative, double *positive) {
    size_t n = 0;
    for (uint32_t key = FL_SCORE_KEYS; key > 0;) {
        key -= FL_RUN;
        const uint32_t *run = pairs + 2 * (fl_place_of_key(key) / FL_RUN * FL_RUN);
        if (fl_is_empty(run))
            continue;
        for (uint32_t k = FL_RUN; k-- > 0;) {
            const uint32_t *pair = run + 2 * (fl_place_of_key(key + k) % FL_RUN);
            keys[n] = key + k;
            negative[n] = pair[0];
            positive[n] = pair[1];
            n += (pair[0] | pair[1]) != 0;
        }
    }
    return n;
}
