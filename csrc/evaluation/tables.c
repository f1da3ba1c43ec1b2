/* What tables of scores say: the AUC of counts in whole numbers, and lists of what has been counted. */
#include "pairs.h"

/* Keys that differ in these bits alone lie together, in another order. */
enum { FL_RUN = 1 << FL_PLACE_SHIFT };

static const uint32_t *fl_run_of_key(const uint32_t *pairs, uint32_t key) {
    return pairs + 2 * (fl_place_of_key(key) / FL_RUN * FL_RUN);
}

static int fl_is_empty(const uint32_t *run) {
    uint32_t any = 0;
    for (size_t i = 0; i < 2 * FL_RUN; i++)
        any |= run[i];
    return !any;
}

void fl_summarise_counts(const uint32_t *pairs, fl_ranking_summary *to) {
    fl_pairs c = {{0, 0}, 0, 0};
    uint8_t is_empty[FL_SCORE_KEYS / FL_RUN];
    for (uint32_t key = FL_SCORE_KEYS; key > 0;) {
        key -= FL_RUN;
        const uint32_t *run = fl_run_of_key(pairs, key);
        is_empty[key / FL_RUN] = (uint8_t)fl_is_empty(run);
        if (is_empty[key / FL_RUN])
            continue;
        fl_pairs here = c;
        for (uint32_t k = FL_RUN; k-- > 0;) {
            const uint32_t *pair = run + 2 * (fl_place_of_key(key + k) % FL_RUN);
            fl_count_entry(&here, pair[0], pair[1]);
        }
        c = here;
    }
    fl_spread spread = fl_summarise_pairs(&c, to);
    if (!c.rows[0] || !c.rows[1])
        return;
    for (uint32_t key = FL_SCORE_KEYS; key > 0;) {
        key -= FL_RUN;
        if (is_empty[key / FL_RUN])
            continue;
        const uint32_t *run = fl_run_of_key(pairs, key);
        fl_spread here = spread;
        for (uint32_t k = FL_RUN; k-- > 0;) {
            const uint32_t *pair = run + 2 * (fl_place_of_key(key + k) % FL_RUN);
            fl_spread_entry(&here, pair[0], pair[1]);
        }
        spread = here;
    }
    to->auc_variance = fl_spread_variance(&spread);
}

size_t fl_list_counts(const uint32_t *pairs, uint32_t *keys, double *negative, double *positive) {
    size_t n = 0;
    for (uint32_t key = FL_SCORE_KEYS; key > 0;) {
        key -= FL_RUN;
        const uint32_t *run = fl_run_of_key(pairs, key);
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
