/* What tables of scores say, run by run: areas and their variances, lists of what they have. */
#include <math.h>

#include "../pass/ops.h"
#include "pairs.h"

/* The runs that may have something. */
typedef struct {
    uint32_t first, end;
} fl_extent;

static fl_extent fl_runs_of(const uint32_t *keys) {
    if (keys[0] > keys[1])
        return (fl_extent){0, 0};
    return (fl_extent){keys[0] / FL_RUN, keys[1] / FL_RUN + 1};
}

static size_t fl_start_of(uint32_t run) {
    return (size_t)2 * FL_RUN * run;
}

static double fl_wide_as_double(fl_wide x) {
    double value;
    fl_ops_for(0)->evaluation->read_wide(&x.low, 1, &value);
    return value;
}

static int fl_is_nothing(const fl_wider *squares) {
    return !(squares[0].low | squares[0].middle | squares[0].high | squares[1].low | squares[1].middle |
             squares[1].high);
}

/* A run of weights, or of counts, as doubles. */
static void fl_add_run_order(fl_order *o, const double *run, uint32_t r) {
    double above[] = {fl_total(o->above[0]), fl_total(o->above[1])};
    fl_order_moments m;
    fl_ops_for(0)->evaluation->order_run(run, fl_run_flip(r), above, o->all, o->step, &m);
    fl_add_order(o, &m);
}

static void fl_order_counts(const fl_counts *table, fl_extent within, fl_ranking_summary *to) {
    fl_order o = fl_no_order(to->weight, 1);
    for (uint32_t r = within.end; r-- > within.first;) {
        uint32_t counts[2 * FL_RUN];
        double run[2 * FL_RUN];
        fl_read_run(table, r, counts);
        fl_ops_for(0)->evaluation->widen_counts(counts, 2 * FL_RUN, run);
        fl_add_run_order(&o, run, r);
    }
    fl_summarise_order(&o, to);
}

void fl_summarise_counts(const fl_counts *table, const uint32_t *extent, int with_order,
                         fl_ranking_summary *to) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    fl_extent within = fl_runs_of(extent);
    fl_pairs c = {{0, 0}, 0, 0, {{0, 0, 0}, {0, 0, 0}}};
    for (uint32_t r = within.end; r-- > within.first;) {
        uint32_t counts[2 * FL_RUN];
        fl_run_moments m;
        fl_read_run(table, r, counts);
        ops->count_run(counts, fl_run_flip(r), &m);
        fl_count_pairs_of(&c, &m);
    }
    fl_summarise_pairs(&c, to);
    if (with_order && to->weight[0] > 0 && to->weight[1] > 0)
        fl_order_counts(table, within, to);
}

static void fl_order_weights(const fl_wide *table, const fl_wider *squares, fl_extent within,
                             fl_ranking_summary *to) {
    fl_order o = fl_no_order(to->weight, 0);
    for (uint32_t r = within.end; r-- > within.first;) {
        double weights[2 * FL_RUN];
        if (fl_is_nothing(squares + 2 * r))
            continue;
        fl_ops_for(0)->evaluation->read_wide((const uint64_t *)(table + fl_start_of(r)), 2 * FL_RUN, weights);
        fl_add_run_order(&o, weights, r);
    }
    fl_summarise_order(&o, to);
}

void fl_summarise_weights(const fl_wide *table, const fl_wider *squares, const uint32_t *extent,
                          int with_order, fl_ranking_summary *to) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    fl_extent within = fl_runs_of(extent);
    fl_compensated total[2] = {{0, 0}, {0, 0}}, square[2] = {{0, 0}, {0, 0}}, twice[2] = {{0, 0}, {0, 0}};
    fl_compensated tied = {0, 0};
    fl_spread spread[2] = {{0, 0, 0}, {0, 0, 0}};
    for (uint32_t r = within.end; r-- > within.first;) {
        double weights[2 * FL_RUN], squares_here[2], above[2];
        fl_run_moments m;
        if (fl_is_nothing(squares + 2 * r))
            continue; /* a weight of one unit has a square of one */
        ops->read_wide((const uint64_t *)(table + fl_start_of(r)), 2 * FL_RUN, weights);
        ops->read_wider((const uint64_t *)(squares + 2 * r), 2, squares_here);
        ops->weigh_run(weights, fl_run_flip(r), &m);
        for (int label = 0; label < 2; label++)
            above[label] = fl_total(total[label]);
        for (int label = 0; label < 2; label++) {
            double w = m.weight[label];
            fl_add_run(&spread[label], &m, label, above[!label], w > 0 ? squares_here[label] / w : 0);
            fl_add(&twice[label], m.twice[label]);
            fl_add(&twice[label], 2 * w * above[!label]);
            fl_add(&square[label], squares_here[label]);
            fl_add(&total[label], w);
        }
        fl_add(&tied, m.tied);
    }
    memset(to, 0, sizeof *to);
    for (int label = 0; label < 2; label++) {
        to->weight[label] = fl_total(total[label]);
        to->square[label] = fl_total(square[label]);
    }
    double pairs = to->weight[0] * to->weight[1];
    if (!(pairs > 0))
        return;
    double both[] = {fl_total(twice[0]), fl_total(twice[1])};
    to->auc = both[0] / (2 * pairs);
    to->auc_margin = fl_total(tied) / 2 / pairs;
    to->auc_variance = fl_pairs_variance(spread, both, to);
    if (with_order)
        fl_order_weights(table, squares, within, to);
}

size_t fl_list_counts(const fl_counts *table, const uint32_t *extent, uint32_t *keys,
                      double *const weight[2]) {
    fl_extent within = fl_runs_of(extent);
    size_t n = 0;
    for (uint32_t r = within.end; r-- > within.first;) {
        uint32_t counts[2 * FL_RUN];
        fl_read_run(table, r, counts);
        for (uint32_t key = (r + 1) * FL_RUN; key-- > r * FL_RUN;) {
            uint32_t b = counts[fl_place_of_key(key, 0) - fl_start_of(r)];
            uint32_t a = counts[fl_place_of_key(key, 1) - fl_start_of(r)];
            keys[n] = key;
            weight[0][n] = b;
            weight[1][n] = a;
            n += (b | a) != 0;
        }
    }
    return n;
}

size_t fl_list_weights(const fl_wide *table, const fl_wider *squares, const uint32_t *extent, uint32_t *keys,
                       double *const weight[2], double *const square[2]) {
    fl_extent within = fl_runs_of(extent);
    size_t n = 0;
    for (uint32_t r = within.end; r-- > within.first;) {
        size_t first = n;
        double total[2] = {0, 0}, all[2];
        if (fl_is_nothing(squares + 2 * r))
            continue;
        for (uint32_t key = (r + 1) * FL_RUN; key-- > r * FL_RUN;) {
            keys[n] = key;
            for (uint32_t label = 0; label < 2; label++) {
                weight[label][n] = fl_wide_as_double(table[fl_place_of_key(key, label)]);
                total[label] += weight[label][n];
            }
            n += (weight[0][n] != 0) | (weight[1][n] != 0);
        }
        fl_ops_for(0)->evaluation->read_wider((const uint64_t *)(squares + 2 * r), 2, all);
        for (int label = 0; label < 2; label++) {
            double share = total[label] > 0 ? all[label] / total[label] : 0;
            for (size_t i = first; i < n; i++)
                square[label][i] = weight[label][i] * share;
        }
    }
    return n;
}
