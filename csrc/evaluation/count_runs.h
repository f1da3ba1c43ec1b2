/* Tables of counts by score and label, run by run: the pairs of rows that are in the right order. */
#ifndef FL_EVALUATION_COUNT_RUNS_H
#define FL_EVALUATION_COUNT_RUNS_H

#include "pairs.h"

/* Entries at a time. Those of a part stay together when the bits of their places flip. */
enum { FL_RUN_PART = 64 };

static void fl_total_run(const uint32_t *run, uint32_t total[2]) {
    uint32_t lanes[2 * FL_SQUARE_LANES] = {0};
    for (size_t i = 0; i < 2 * FL_RUN; i += 2 * FL_SQUARE_LANES)
        for (size_t k = 0; k < 2 * FL_SQUARE_LANES; k++)
            lanes[k] += run[i + k];
    total[0] = total[1] = 0;
    for (size_t k = 0; k < 2 * FL_SQUARE_LANES; k++)
        total[k % 2] += lanes[k];
}

/* Adds rows (x - centre)^2 of each entry. */
static void fl_add_squares(const int64_t *rows, const int64_t *x, double centre, double *lanes) {
    for (size_t i = 0; i < FL_RUN_PART; i += FL_SQUARE_LANES)
        for (size_t k = 0; k < FL_SQUARE_LANES; k++) {
            double far = (double)x[i + k] - centre;
            lanes[k] += (double)rows[i + k] * (far * far);
        }
}

static void fl_count_run(const uint32_t *run, uint32_t flip, fl_pairs *pairs, fl_squares *squares) {
    int64_t rows[2][FL_RUN_PART], twice[2][FL_RUN_PART];
    fl_pairs c = *pairs;
    for (uint32_t start = 0; start < FL_RUN; start += FL_RUN_PART) {
        const uint32_t *part = run + 2 * (start ^ (flip & ~(FL_RUN_PART - 1u)));
        for (uint32_t i = 0; i < FL_RUN_PART; i++) {
            const uint32_t *entry = part + 2 * (i ^ (flip & (FL_RUN_PART - 1u)));
            uint64_t b = entry[0], a = entry[1];
            rows[0][i] = (int64_t)b;
            rows[1][i] = (int64_t)a;
            twice[0][i] = (int64_t)(2 * c.rows[1] + a);
            twice[1][i] = (int64_t)(2 * c.rows[0] + b);
            fl_count_entry(&c, b, a);
        }
        for (int label = 0; label < 2; label++)
            fl_add_squares(rows[label], twice[label], squares->centre[label], squares->lanes[label]);
    }
    *pairs = c;
}

#endif
