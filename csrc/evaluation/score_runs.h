/* Runs of scores, from tables or orders: the pairs of rows that are in the right order. */
#ifndef FL_EVALUATION_SCORE_RUNS_H
#define FL_EVALUATION_SCORE_RUNS_H

#include <string.h>

#include "kernel_types.h"

/* Entries side by side. Of a table's run each of them goes on through a part of FL_RUN_ROWS keys. */
typedef double fl_run_row __attribute__((vector_size(FL_RUN_LANES * sizeof(double))));
typedef uint64_t fl_bits_row __attribute__((vector_size(FL_RUN_LANES * sizeof(uint64_t))));
typedef uint32_t fl_count_row __attribute__((vector_size(FL_RUN_LANES * sizeof(uint32_t))));

typedef struct {
    fl_run_row weight[2], twice[2], square[2], tied;
} fl_part_moments;

/* Entries with the weights b and a of the labels 0 and 1, which lose and win so much. */
static inline __attribute__((always_inline)) void fl_add_entries(fl_part_moments *m, const fl_run_row *b,
                                                                 const fl_run_row *a, const fl_run_row *lost,
                                                                 const fl_run_row *won) {
    m->weight[0] += *b;
    m->weight[1] += *a;
    m->twice[0] += *b * *lost;
    m->twice[1] += *a * *won;
    m->square[0] += *b * *lost * *lost;
    m->square[1] += *a * *won * *won;
    m->tied += *a * *b;
}

/* Those that lie below what has been added. */
static inline __attribute__((always_inline)) void fl_add_below(fl_part_moments *m, const fl_run_row *b,
                                                               const fl_run_row *a) {
    fl_run_row lost = m->weight[1] + (m->weight[1] + *a), won = m->weight[0] + (m->weight[0] + *b);
    fl_add_entries(m, b, a, &lost, &won);
}

/* Part after part, the highest scores first. What lies above a part is added to each t of it. */
static inline void fl_join_parts(const fl_part_moments *m, fl_run_moments *to) {
    memset(to, 0, sizeof *to);
    for (int k = FL_RUN_LANES; k-- > 0;) {
        double above[2] = {2 * to->weight[1], 2 * to->weight[0]};
        for (int label = 0; label < 2; label++) {
            double w = m->weight[label][k], t = m->twice[label][k], far = above[label];
            to->weight[label] += w;
            to->twice[label] += t + far * w;
            to->square[label] += m->square[label][k] + far * (2 * t + far * w);
        }
        to->tied += m->tied[k];
    }
}

/* A whole number below 2^52 in the last bits of 2^52 is their sum. */
static inline __attribute__((always_inline)) void fl_read_counts(const uint32_t *from, fl_run_row *to) {
    fl_count_row x;
    memcpy(&x, from, sizeof x);
    fl_bits_row bits = __builtin_convertvector(x, fl_bits_row) | (uint64_t)0x433 << 52;
    memcpy(to, &bits, sizeof bits);
    *to -= 0x1p52;
}

static void fl_count_run(const uint32_t *run, uint32_t flip, fl_run_moments *to) {
    fl_part_moments m = {{{0}}, {{0}}, {{0}}, {0}};
    for (uint32_t row = FL_RUN_ROWS; row-- > 0;) {
        fl_run_row b, a;
        const uint32_t *entries = run + (size_t)2 * FL_RUN_LANES * (row ^ flip);
        fl_read_counts(entries, &b);
        fl_read_counts(entries + FL_RUN_LANES, &a);
        fl_add_below(&m, &b, &a);
    }
    fl_join_parts(&m, to);
}

static void fl_weigh_run(const double *run, uint32_t flip, fl_run_moments *to) {
    fl_part_moments m = {{{0}}, {{0}}, {{0}}, {0}};
    for (uint32_t row = FL_RUN_ROWS; row-- > 0;) {
        fl_run_row b, a;
        const double *entries = run + (size_t)2 * FL_RUN_LANES * (row ^ flip);
        memcpy(&b, entries, sizeof b);
        memcpy(&a, entries + FL_RUN_LANES, sizeof a);
        fl_add_below(&m, &b, &a);
    }
    fl_join_parts(&m, to);
}

static void fl_count_groups(const uint32_t *ends, const uint32_t *positive, size_t n, fl_run_moments *to) {
    fl_part_moments m = {{{0}}, {{0}}, {{0}}, {0}};
    for (size_t i = 0; i < n; i += FL_RUN_LANES) {
        fl_run_row above_b, above_a, b, a;
        fl_read_counts(ends + i, &above_b);
        fl_read_counts(positive + i, &above_a);
        fl_read_counts(ends + i + 1, &b);
        fl_read_counts(positive + i + 1, &a);
        above_b -= above_a;
        b -= a;
        fl_run_row lost = above_a + a, won = above_b + b;
        a -= above_a;
        b -= above_b;
        fl_add_entries(&m, &b, &a, &lost, &won);
    }
    memset(to, 0, sizeof *to);
    for (int k = 0; k < FL_RUN_LANES; k++) {
        for (int label = 0; label < 2; label++) {
            to->weight[label] += m.weight[label][k];
            to->twice[label] += m.twice[label][k];
            to->square[label] += m.square[label][k];
        }
        to->tied += m.tied[k];
    }
}

#endif
