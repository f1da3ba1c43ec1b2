/* What tables of scores say: the AUC of counts in whole numbers, and lists of what has been counted. */
#include <math.h>

#include "../dispatch/ops.h"
#include "pairs.h"

enum { FL_N_RUNS = FL_SCORE_KEYS / FL_RUN };

/* The run of the r-th FL_RUN keys, and what of a key's place in it differs from the key. */
static const uint32_t *fl_run_at(const uint32_t *pairs, uint32_t r, uint32_t *flip) {
    uint32_t place = fl_place_of_key(r * FL_RUN);
    *flip = place % FL_RUN;
    return pairs + 2 * (place - *flip);
}

/* What twice the pairs won, or lost, by a row of each label are about: from the runs as entries of their own.
 * A whole number, so that few rows have exact squares. */
static void fl_find_centre(const uint32_t total[][2], double centre[2]) {
    fl_pairs c = {{0, 0}, 0, 0};
    for (uint32_t r = FL_N_RUNS; r-- > 0;)
        fl_count_entry(&c, total[r][0], total[r][1]);
    double wins = (double)c.twice_wins, pairs = (double)(c.rows[0] * c.rows[1]);
    centre[0] = c.rows[0] ? rint(wins / (double)c.rows[0]) : 0;
    centre[1] = c.rows[1] ? rint((2 * pairs - wins) / (double)c.rows[1]) : 0;
}

/* From the squares around a centre those around the mean, which `twice` in all, over n rows, has. */
static double fl_squares_about_mean(const fl_squares *s, int label, double twice, double n) {
    double sum = 0, off = twice - n * s->centre[label];
    for (int k = 0; k < FL_SQUARE_LANES; k++)
        sum += s->lanes[label][k];
    return fmax(0, sum - off * off / n) / 4;
}

void fl_summarise_counts(const uint32_t *pairs, fl_ranking_summary *to) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    uint32_t total[FL_N_RUNS][2], flip;
    fl_pairs c = {{0, 0}, 0, 0};
    fl_squares squares = {{0, 0}, {{0}}};
    for (uint32_t r = 0; r < FL_N_RUNS; r++)
        ops->total_run(fl_run_at(pairs, r, &flip), total[r]);
    fl_find_centre(total, squares.centre);
    for (uint32_t r = FL_N_RUNS; r-- > 0;) {
        const uint32_t *run = fl_run_at(pairs, r, &flip);
        if (total[r][0] | total[r][1])
            ops->count_run(run, flip ^ (FL_RUN - 1), &c, &squares);
    }
    fl_spread spread = fl_summarise_pairs(&c, to);
    if (!c.rows[0] || !c.rows[1])
        return;
    double wins = (double)c.twice_wins, losses = 2 * spread.rows[0] * spread.rows[1] - wins;
    spread.sums[0] = fl_squares_about_mean(&squares, 0, wins, spread.rows[0]);
    spread.sums[1] = fl_squares_about_mean(&squares, 1, losses, spread.rows[1]);
    to->auc_variance = fl_spread_variance(&spread);
}

size_t fl_list_counts(const uint32_t *pairs, uint32_t *keys, double *negative, double *positive) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    size_t n = 0;
    for (uint32_t r = FL_N_RUNS; r > 0;) {
        uint32_t flip, total[2];
        const uint32_t *run = fl_run_at(pairs, --r, &flip);
        ops->total_run(run, total);
        if (!(total[0] | total[1]))
            continue;
        for (uint32_t k = FL_RUN; k-- > 0;) {
            const uint32_t *pair = run + 2 * (k ^ flip);
            keys[n] = r * FL_RUN + k;
            negative[n] = pair[0];
            positive[n] = pair[1];
            n += (pair[0] | pair[1]) != 0;
        }
    }
    return n;
}
