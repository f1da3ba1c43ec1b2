/* What tables of weights say, coarse key by coarse key: the area under the curve, and lists of what has been
 * weighed. */
#include "pairs.h"

enum { FL_FINE = 1 << FL_TO_COARSE };

/* The keys of a coarse key that have weights, the highest first: these by label, and their squares, which are
 * known of all together and shared out by weight. */
typedef struct {
    size_t n;
    uint32_t key[FL_FINE];
    double weight[2][FL_FINE], square[2][FL_FINE];
} fl_weight_entries;

/* Without the branch on the sign bit that compilers make of a conversion. */
static double fl_double_of(uint64_t x) {
    return (double)(int64_t)(x >> 32) * 0x1p32 + (double)(int64_t)(x & 0xffffffff);
}

static double fl_wide_value(fl_wide a) {
    return fl_double_of(a.high) + fl_double_of(a.low) * 0x1p-64;
}

static double fl_wider_value(fl_wider a) {
    return fl_double_of(a.high) + (fl_double_of(a.middle) + fl_double_of(a.low) * 0x1p-64) * 0x1p-64;
}

static int fl_is_nothing(fl_wider a) {
    return !(a.low | a.middle | a.high);
}

static void fl_read_weights(const fl_wide *pairs, const fl_wider *squares, uint32_t coarse,
                            fl_weight_entries *e) {
    uint32_t key = coarse << FL_TO_COARSE;
    /* The places of a coarse key's keys lie together as well. */
    const fl_wide *run = pairs + 2 * (fl_place_of_key(key) / FL_FINE * FL_FINE);
    const fl_wider *square = squares + 2 * coarse;
    double total[2] = {0, 0};
    e->n = 0;
    if (fl_is_nothing(square[0]) && fl_is_nothing(square[1]))
        return; /* a weight of one unit has a square of one */
    for (uint32_t k = FL_FINE; k-- > 0;) {
        const fl_wide *pair = run + 2 * (fl_place_of_key(key + k) % FL_FINE);
        e->key[e->n] = key + k;
        for (int label = 0; label < 2; label++)
            total[label] += e->weight[label][e->n] = fl_wide_value(pair[label]);
        e->n += (pair[0].low | pair[0].high | pair[1].low | pair[1].high) != 0;
    }
    for (int label = 0; label < 2; label++) {
        double share = total[label] > 0 ? fl_wider_value(square[label]) / total[label] : 0;
        for (size_t i = 0; i < e->n; i++)
            e->square[label][i] = e->weight[label][i] * share;
    }
}

void fl_summarise_weights(const fl_wide *pairs, const fl_wider *squares, fl_ranking_summary *to) {
    fl_compensated area = {0, 0}, tied = {0, 0}, above[2] = {{0, 0}, {0, 0}},
                   all_squares[2] = {{0, 0}, {0, 0}};
    fl_weight_entries e;
    memset(to, 0, sizeof *to);
    for (uint32_t coarse = FL_COARSE_KEYS; coarse-- > 0;) {
        fl_read_weights(pairs, squares, coarse, &e);
        for (size_t i = 0; i < e.n; i++) {
            double b = e.weight[0][i], a = e.weight[1][i];
            fl_add(&area, b * (fl_total(above[1]) + a / 2));
            fl_add(&tied, a * b / 2);
            fl_add(&above[0], b);
            fl_add(&above[1], a);
            fl_add(&all_squares[0], e.square[0][i]);
            fl_add(&all_squares[1], e.square[1][i]);
        }
    }
    for (int label = 0; label < 2; label++) {
        to->weight[label] = fl_total(above[label]);
        to->square[label] = fl_total(all_squares[label]);
    }
    double n_pairs = to->weight[0] * to->weight[1];
    if (!(n_pairs > 0))
        return;
    to->auc = fl_total(area) / n_pairs;
    to->auc_margin = fl_total(tied) / n_pairs;
    fl_compensated spread[2] = {{0, 0}, {0, 0}}, so_far[2] = {{0, 0}, {0, 0}};
    for (uint32_t coarse = FL_COARSE_KEYS; coarse-- > 0;) {
        fl_read_weights(pairs, squares, coarse, &e);
        for (size_t i = 0; i < e.n; i++)
            fl_spread_weights(to, so_far, e.weight[0][i], e.weight[1][i], e.square[0][i], e.square[1][i],
                              spread);
    }
    to->auc_variance = fl_weighted_variance(to, spread);
}

size_t fl_list_weights(const fl_wide *pairs, const fl_wider *squares, uint32_t *keys, double *const weight[2],
                       double *const square[2]) {
    size_t n = 0;
    fl_weight_entries e;
    for (uint32_t coarse = FL_COARSE_KEYS; coarse-- > 0;) {
        fl_read_weights(pairs, squares, coarse, &e);
        memcpy(keys + n, e.key, e.n * sizeof *keys);
        for (int label = 0; label < 2; label++) {
            memcpy(weight[label] + n, e.weight[label], e.n * sizeof(double));
            memcpy(square[label] + n, e.square[label], e.n * sizeof(double));
        }
        n += e.n;
    }
    return n;
}
