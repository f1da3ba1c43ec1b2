/* Counts of rows by score and label, from which AUC, average precision and KS come. */
#include "evaluation.h"

#include "../pass/ops.h"

enum {
    FL_PLACES_AT_ONCE = 512,
    FL_AHEAD = 32 /* rows whose weights are on their way from memory */
};

static int fl_find_places(const void *scores, int floats, const uint8_t *labels, size_t start, size_t n,
                          uint32_t *places, uint32_t *extent) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    labels += start;
    return floats ? ops->float_places((const float *)scores + start, labels, n, places, extent)
                  : ops->double_places((const double *)scores + start, labels, n, places, extent);
}

/* After 255 comes 256. */
static void fl_carry(const fl_counts *table, uint32_t place) {
    table->high[place]++;
    table->is_high[place / (2 * FL_RUN)] = 1;
}

int fl_count_scores(const fl_counts *table, uint32_t *extent, const void *scores, int floats,
                    const uint8_t *labels, size_t n) {
    uint32_t places[FL_PLACES_AT_ONCE];
    int fine = 1;
    for (size_t start = 0; start < n; start += FL_PLACES_AT_ONCE) {
        size_t length = n - start < FL_PLACES_AT_ONCE ? n - start : FL_PLACES_AT_ONCE;
        fine &= fl_find_places(scores, floats, labels, start, length, places, extent);
        for (size_t i = 0; i < length; i++)
            if (++table->low[places[i]] == 0)
                fl_carry(table, places[i]);
    }
    return fine;
}

void fl_read_run(const fl_counts *table, size_t run, uint32_t *to) {
    size_t start = 2 * FL_RUN * run;
    fl_ops_for(0)->evaluation->read_counts(table->low + start,
                                           table->is_high[run] ? table->high + start : NULL, 2 * FL_RUN, to);
}

void fl_merge_counts(const fl_counts *table, const fl_counts *more, const uint32_t *extent) {
    for (size_t run = extent[0] / FL_RUN; run <= extent[1] / FL_RUN; run++) {
        uint32_t counts[2 * FL_RUN], added[2 * FL_RUN], any = 0;
        size_t start = 2 * FL_RUN * run;
        fl_read_run(table, run, counts);
        fl_read_run(more, run, added);
        for (size_t i = 0; i < 2 * FL_RUN; i++) {
            any |= counts[i] += added[i];
            table->low[start + i] = (uint8_t)counts[i];
        }
        for (size_t i = 0; any > UINT8_MAX && i < 2 * FL_RUN; i++)
            table->high[start + i] = counts[i] >> 8;
        table->is_high[run] |= any > UINT8_MAX;
    }
}

int fl_find_probability_bins(const void *p, int floats, const uint8_t *labels, size_t n, uint32_t n_bins,
                             uint32_t *codes) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    return floats ? ops->float_bins(p, labels, n, n_bins, codes)
                  : ops->double_bins(p, labels, n, n_bins, codes);
}

/* The run of a place, and the label, as squares lie. */
static uint32_t fl_square_of_place(uint32_t place) {
    return place / (2 * FL_RUN) * 2 + place / FL_RUN_LANES % 2;
}

static void fl_add_wide(fl_wide *a, uint64_t high, uint64_t low) {
    a->low += low;
    a->high += high + (a->low < low);
}

static void fl_add_wider(fl_wider *a, uint64_t high, uint64_t middle, uint64_t low) {
    a->low += low;
    uint64_t carry = a->low < low;
    a->middle += carry;
    carry = a->middle < carry;
    a->middle += middle;
    a->high += high + carry + (a->middle < middle);
}

int fl_weigh_scores(fl_wide *table, fl_wider *squares, uint32_t *extent, const void *scores, int floats,
                    const uint8_t *labels, const double *weights, size_t n) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    uint32_t places[FL_PLACES_AT_ONCE];
    uint64_t high[FL_PLACES_AT_ONCE], middle[FL_PLACES_AT_ONCE], low[FL_PLACES_AT_ONCE];
    int fine = 1;
    for (size_t start = 0; start < n; start += FL_PLACES_AT_ONCE) {
        size_t length = n - start < FL_PLACES_AT_ONCE ? n - start : FL_PLACES_AT_ONCE;
        fine &= fl_find_places(scores, floats, labels, start, length, places, extent);
        ops->fix_weights(weights + start, length, high, low);
        for (size_t i = 0; i < length; i++) {
            __builtin_prefetch(&table[places[i + FL_AHEAD < length ? i + FL_AHEAD : i]], 1);
            fl_add_wide(&table[places[i]], high[i], low[i]);
        }
        ops->fix_squares(weights + start, length, high, middle, low);
        for (size_t i = 0; i < length; i++)
            fl_add_wider(&squares[fl_square_of_place(places[i])], high[i], middle[i], low[i]);
    }
    return fine;
}

void fl_merge_weights(fl_wide *table, fl_wider *squares, const fl_wide *more, const fl_wider *more_squares,
                      const uint32_t *extent) {
    if (extent[0] > extent[1])
        return;
    size_t first = extent[0] / FL_RUN, end = extent[1] / FL_RUN + 1;
    for (size_t i = 2 * FL_RUN * first; i < 2 * FL_RUN * end; i++)
        fl_add_wide(&table[i], more[i].high, more[i].low);
    for (size_t i = 2 * first; i < 2 * end; i++)
        fl_add_wider(&squares[i], more_squares[i].high, more_squares[i].middle, more_squares[i].low);
}
