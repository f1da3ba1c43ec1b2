/* Runs of scores, from tables or orders: the pairs of rows that are in the right order. */
#ifndef FL_EVALUATION_SCORE_RUNS_H
#define FL_EVALUATION_SCORE_RUNS_H

#include "kernel_types.h"
#include "vectors.h"

/* Of a table's run each lane goes on through a part of FL_RUN_ROWS keys. */
typedef struct {
    fl_doubles weight[2], twice[2], square[2], tied;
} fl_part_moments;

/* Entries with the weights b and a of the labels 0 and 1, which lose and win so much. */
static inline __attribute__((always_inline)) void fl_add_entries(fl_part_moments *m, const fl_doubles *b,
                                                                 const fl_doubles *a, const fl_doubles *lost,
                                                                 const fl_doubles *won) {
    m->weight[0] += *b;
    m->weight[1] += *a;
    m->twice[0] += *b * *lost;
    m->twice[1] += *a * *won;
    m->square[0] += *b * *lost * *lost;
    m->square[1] += *a * *won * *won;
    m->tied += *a * *b;
}

/* Those that lie below what has been added. */
static inline __attribute__((always_inline)) void fl_add_below(fl_part_moments *m, const fl_doubles *b,
                                                               const fl_doubles *a) {
    fl_doubles lost = m->weight[1] + (m->weight[1] + *a), won = m->weight[0] + (m->weight[0] + *b);
    fl_add_entries(m, b, a, &lost, &won);
}

/* Part after part, the highest scores first. What lies above a part is added to each t of it. */
static inline void fl_join_parts(const fl_part_moments *m, fl_run_moments *to) {
    memset(to, 0, sizeof *to);
    for (int lane = FL_RUN_LANES; lane-- > 0;) {
        const fl_part_moments *part = m + lane / FL_WIDTH;
        int k = lane % FL_WIDTH;
        double above[2] = {2 * to->weight[1], 2 * to->weight[0]};
        for (int label = 0; label < 2; label++) {
            double w = part->weight[label][k], t = part->twice[label][k], far = above[label];
            to->weight[label] += w;
            to->twice[label] += t + far * w;
            to->square[label] += part->square[label][k] + far * (2 * t + far * w);
        }
        to->tied += part->tied[k];
    }
}

/* A whole number below 2^52 in the last bits of 2^52 is their sum. */
static inline __attribute__((always_inline)) void fl_read_counts(const uint32_t *from, fl_doubles *to) {
    fl_bits bits = {0};
    for (int k = 0; k < FL_WIDTH; k++)
        bits[k] = from[k] | (uint64_t)0x433 << 52;
    memcpy(to, &bits, sizeof bits);
    *to -= 0x1p52;
}

static void fl_read_count_bytes(const uint8_t *low, const uint32_t *high, size_t n, uint32_t *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = low[i];
    for (size_t i = 0; high && i < n; i++)
        to[i] += high[i] << 8;
}

/* A bit for each row of a run of counts that has something, in the order of the scores. */
static uint64_t fl_rows_with_counts(const uint32_t *run, uint32_t flip) {
    uint64_t found = 0;
    for (uint32_t row = 0; row < FL_RUN_ROWS; row++) {
        const uint32_t *entries = run + (size_t)2 * FL_RUN_LANES * (row ^ flip);
        uint64_t any = 0, two;
        for (int i = 0; i < 2 * FL_RUN_LANES; i += 2) {
            memcpy(&two, entries + i, sizeof two);
            any |= two;
        }
        found |= (uint64_t)(any != 0) << row;
    }
    return found;
}

static void fl_count_run(const uint32_t *run, uint32_t flip, fl_run_moments *to) {
    fl_part_moments parts[FL_RUN_LANES / FL_WIDTH];
    uint64_t rows = fl_rows_with_counts(run, flip);
    for (int part = 0; part < FL_RUN_LANES / FL_WIDTH; part++) {
        fl_part_moments m = {{{0}}, {{0}}, {{0}}, {0}};
        uint32_t row;
        for (uint64_t left = rows; left; left ^= (uint64_t)1 << row) {
            row = 63 - (uint32_t)__builtin_clzll(left);
            fl_doubles b, a;
            const uint32_t *entries = run + (size_t)2 * FL_RUN_LANES * (row ^ flip) + part * FL_WIDTH;
            fl_read_counts(entries, &b);
            fl_read_counts(entries + FL_RUN_LANES, &a);
            fl_add_below(&m, &b, &a);
        }
        parts[part] = m;
    }
    fl_join_parts(parts, to);
}

static void fl_weigh_run(const double *run, uint32_t flip, fl_run_moments *to) {
    fl_part_moments parts[FL_RUN_LANES / FL_WIDTH];
    for (int part = 0; part < FL_RUN_LANES / FL_WIDTH; part++) {
        fl_part_moments m = {{{0}}, {{0}}, {{0}}, {0}};
        for (uint32_t row = FL_RUN_ROWS; row-- > 0;) {
            fl_doubles b, a;
            const double *entries = run + (size_t)2 * FL_RUN_LANES * (row ^ flip) + part * FL_WIDTH;
            memcpy(&b, entries, sizeof b);
            memcpy(&a, entries + FL_RUN_LANES, sizeof a);
            fl_add_below(&m, &b, &a);
        }
        parts[part] = m;
    }
    fl_join_parts(parts, to);
}

static void fl_count_groups(const uint32_t *ends, const uint32_t *positive, size_t n, fl_run_moments *to) {
    memset(to, 0, sizeof *to);
    for (int part = 0; part < FL_RUN_LANES / FL_WIDTH; part++) {
        fl_part_moments m = {{{0}}, {{0}}, {{0}}, {0}};
        for (size_t i = (size_t)part * FL_WIDTH; i < n; i += FL_RUN_LANES) {
            fl_doubles above_b, above_a, b, a;
            fl_read_counts(ends + i, &above_b);
            fl_read_counts(positive + i, &above_a);
            fl_read_counts(ends + i + 1, &b);
            fl_read_counts(positive + i + 1, &a);
            above_b -= above_a;
            b -= a;
            fl_doubles lost = above_a + a, won = above_b + b;
            a -= above_a;
            b -= above_b;
            fl_add_entries(&m, &b, &a, &lost, &won);
        }
        for (int k = 0; k < FL_WIDTH; k++) {
            for (int label = 0; label < 2; label++) {
                to->weight[label] += m.weight[label][k];
                to->twice[label] += m.twice[label][k];
                to->square[label] += m.square[label][k];
            }
            to->tied += m.tied[k];
        }
    }
}

#endif
