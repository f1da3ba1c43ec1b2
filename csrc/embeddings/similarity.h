/* The rows of a block of similarities, for the loss of each anchor against all candidates of a batch. */
#ifndef FL_EMBEDDINGS_SIMILARITY_H
#define FL_EMBEDDINGS_SIMILARITY_H

#include "../vecmath/exp.h"
#include "kernel_types.h"
#include "wide.h"

/* The place of a vector among the block's columns, NULL where it has none. */
FL_INLINE real *fl_similarity_at(const fl_similarity_block *b, real *s, size_t vector) {
    return vector - b->first_column < b->n_columns ? s + (vector - b->first_column) : NULL;
}

FL_INLINE size_t fl_partner_of(const fl_similarity_block *b, size_t vector) {
    size_t half = b->n_vectors / 2;
    return vector < half ? vector + half : vector - half;
}

static real fl_largest(const real *s, size_t n) {
    real lanes[FL_WIDE_LANES], largest = -FL_INFINITY;
    size_t i = 0;
    for (int k = 0; k < FL_WIDE_LANES; k++)
        lanes[k] = -FL_INFINITY;
    for (; i + FL_WIDE_LANES <= n; i += FL_WIDE_LANES)
        for (int k = 0; k < FL_WIDE_LANES; k++)
            lanes[k] = s[i + k] > lanes[k] ? s[i + k] : lanes[k];
    for (; i < n; i++)
        largest = s[i] > largest ? s[i] : largest;
    for (int k = 0; k < FL_WIDE_LANES; k++)
        largest = lanes[k] > largest ? lanes[k] : largest;
    return largest;
}

/* The running maximum keeps every power at most 1. Without any candidate yet, or with nothing but NaN, there
 * is none, and 0 stands for it. */
static void fl_gather_row(const fl_similarity_block *b, size_t row, double *largest, double *sum,
                          double *positive) {
    real *s = (real *)b->similarity + row * b->n_columns;
    size_t anchor = b->first_row + row;
    real *own = fl_similarity_at(b, s, anchor), *partner = fl_similarity_at(b, s, fl_partner_of(b, anchor));
    if (own)
        *own = -FL_INFINITY;
    if (partner) {
        positive[row] = (double)*partner;
        *partner = -FL_INFINITY;
    }
    double found = (double)fl_largest(s, b->n_columns), before = largest[row];
    double now = found > before ? found : before;
    const real reference = now > -FL_INFINITY ? (real)now : 0;
    const real inverse = (real)b->inverse_temperature;
    double lanes[FL_WIDE_LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + FL_WIDE_LANES <= b->n_columns; i += FL_WIDE_LANES)
        for (int k = 0; k < FL_WIDE_LANES; k++)
            lanes[k] += (double)fl_exp((s[i + k] - reference) * inverse);
    for (; i < b->n_columns; i++)
        rest += (double)fl_exp((s[i] - reference) * inverse);
    double kept = before > -FL_INFINITY ? sum[row] * exp((before - now) * b->inverse_temperature) : sum[row];
    sum[row] = kept + (fl_fold_lanes(lanes, FL_WIDE_LANES) + rest);
    largest[row] = now;
}

static void fl_slopes_row(const fl_similarity_block *b, size_t row, const real *level, const real *missed,
                          const real *share) {
    real *s = (real *)b->similarity + row * b->n_columns;
    size_t anchor = b->first_row + row, other = fl_partner_of(b, anchor);
    const real *levels = level + b->first_column, *their_shares = share + b->first_column;
    const real my_level = level[anchor], my_share = share[anchor];
    const real inverse = (real)b->inverse_temperature;
    FL_INDEPENDENT_LOOP
    for (size_t j = 0; j < b->n_columns; j++) {
        real here = fl_exp(fl_fma(s[j], inverse, -my_level)),
             there = fl_exp(fl_fma(s[j], inverse, -levels[j]));
        s[j] = fl_fma(my_share, here, their_shares[j] * there);
    }
    real *own = fl_similarity_at(b, s, anchor), *partner = fl_similarity_at(b, s, other);
    if (own)
        *own = 0;
    if (partner)
        *partner = -fl_fma(my_share, missed[anchor], share[other] * missed[other]);
}

#endif
