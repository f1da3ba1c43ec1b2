/* What tables of weights have, coarse key by coarse key. */
#include "evaluation.h"

#include "../dispatch/ops.h"

enum { FL_FINE = 1 << FL_TO_COARSE };

static int fl_is_nothing(fl_wider a) {
    return !(a.low | a.middle | a.high);
}

/* The keys of a coarse key that have weights, the highest first: these by label, and their squares, which are
 * known of all together and shared out by weight. Returns how many they are. */
static size_t fl_read_weights(const fl_wide *pairs, const fl_wider *squares, uint32_t coarse, uint32_t *keys,
                              double *const weight[2], double *const square[2]) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    uint32_t first = coarse << FL_TO_COARSE, place = fl_place_of_key(first);
    uint32_t flip = (place ^ first) % FL_FINE;
    double value[2 * FL_FINE], total[2] = {0, 0}, all[2];
    size_t n = 0;
    squares += 2 * coarse;
    if (fl_is_nothing(squares[0]) && fl_is_nothing(squares[1]))
        return 0; /* a weight of one unit has a square of one */
    /* The places of a coarse key's keys lie together as well. */
    ops->read_wide((const uint64_t *)(pairs + 2 * (place - flip)), 2 * FL_FINE, value);
    for (uint32_t k = FL_FINE; k-- > 0;) {
        const double *pair = value + 2 * (k ^ flip);
        keys[n] = first + k;
        total[0] += weight[0][n] = pair[0];
        total[1] += weight[1][n] = pair[1];
        n += (pair[0] != 0) | (pair[1] != 0);
    }
    ops->read_wider((const uint64_t *)squares, 2, all);
    for (int label = 0; label < 2; label++) {
        double share = total[label] > 0 ? all[label] / total[label] : 0;
        for (size_t i = 0; i < n; i++)
            square[label][i] = weight[label][i] * share;
    }
    return n;
}

size_t fl_list_weights(const fl_wide *pairs, const fl_wider *squares, uint32_t *keys, double *const weight[2],
                       double *const square[2]) {
    size_t n = 0;
    for (uint32_t coarse = FL_COARSE_KEYS; coarse-- > 0;) {
        double *const weight_at[2] = {weight[0] + n, weight[1] + n};
        double *const square_at[2] = {square[0] + n, square[1] + n};
        n += fl_read_weights(pairs, squares, coarse, keys + n, weight_at, square_at);
    }
    return n;
}
