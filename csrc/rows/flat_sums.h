/* Sums of the rows of a packed matrix: each in lanes of FL_ALONG_LANES classes, the lanes folded onto each
 * other from the widest distance to the nearest. As many rows as a vector has numbers are folded into one;
 * the order of the additions is the same whatever that is. */
#ifndef FL_ROWS_FLAT_SUMS_H
#define FL_ROWS_FLAT_SUMS_H

#include "../blocks/tile.h"
#include "chunk.h"

enum { FL_LANE_VECTORS = FL_ALONG_LANES / (int)FL_REALS };

/* What is added up: the numbers; those that are not the mark of their row. Or the largest is found. */
enum { FL_SUM_ALL, FL_SUM_UNMARKED, FL_LARGEST_OF_ALL };

FL_INLINE fl_real_vector fl_summand(fl_real_vector x, real mark, const int part) {
    return part == FL_SUM_UNMARKED ? (fl_real_vector)((fl_bits_vector)x & (fl_bits_vector)(x != mark)) : x;
}

/* Ones in the lanes of a row's last classes, after whole lanes. */
typedef struct {
    fl_bits_vector in[FL_LANE_VECTORS];
} fl_lane_mask;

static fl_lane_mask fl_mask_of_rest(size_t n_classes) {
    fl_lane_mask mask;
    real_bits bits[FL_ALONG_LANES];
    for (size_t j = 0; j < FL_ALONG_LANES; j++)
        bits[j] = j < n_classes % FL_ALONG_LANES ? ~(real_bits)0 : 0;
    memcpy(&mask, bits, sizeof mask);
    return mask;
}

/* One row's lanes, folded to one vector; reads up to whole lanes. */
FL_INLINE fl_real_vector fl_lanes_of_row(const real *row, size_t n_classes, const fl_lane_mask *rest,
                                         real mark, const int part) {
    const int larger = part == FL_LARGEST_OF_ALL;
    const size_t whole = n_classes & ~(size_t)(FL_ALONG_LANES - 1);
    const fl_bits_vector none = (fl_bits_vector)((fl_real_vector){0} - (larger ? FL_INFINITY : 0));
    fl_real_vector lanes[FL_LANE_VECTORS], x;
#pragma GCC unroll 4
    for (int i = 0; i < FL_LANE_VECTORS; i++) {
        memcpy(&x, row + whole + i * FL_REALS, sizeof x);
        x = (fl_real_vector)(((fl_bits_vector)x & rest->in[i]) | (none & ~rest->in[i]));
        lanes[i] = fl_summand(x, mark, part);
    }
    for (size_t at = 0; at < whole; at += FL_ALONG_LANES)
#pragma GCC unroll 4
        for (int i = 0; i < FL_LANE_VECTORS; i++) {
            memcpy(&x, row + at + i * FL_REALS, sizeof x);
            lanes[i] = fl_join(fl_summand(x, mark, part), lanes[i], larger);
        }
    if (FL_LANE_VECTORS == 4) {
        lanes[0] = fl_join(lanes[0], lanes[2 % FL_LANE_VECTORS], larger);
        lanes[1 % FL_LANE_VECTORS] = fl_join(lanes[1 % FL_LANE_VECTORS], lanes[3 % FL_LANE_VECTORS], larger);
    }
    return FL_LANE_VECTORS > 1 ? fl_join(lanes[0], lanes[1 % FL_LANE_VECTORS], larger) : lanes[0];
}

/* One number of each of n packed rows, and of what follows up to whole vectors of rows. Of `x` there may be
 * read `readable` numbers; marks: NULL where they do not count. */
FL_INLINE void fl_fold_matrix(const real *x, size_t readable, size_t n, size_t n_classes, const real *marks,
                              const int part, real *found) {
    const fl_lane_mask rest = fl_mask_of_rest(n_classes);
    const size_t wide = (n_classes & ~(size_t)(FL_ALONG_LANES - 1)) + FL_ALONG_LANES;
    real copy[FL_MOST_FLAT_CLASSES + FL_ALONG_LANES];
    fl_real_vector lanes[FL_REALS] = {{0}}, folded;
    for (size_t row = 0, at = 0; row < n; row += FL_REALS) {
        for (size_t i = 0; i < FL_REALS && at < readable; i++, at += n_classes) {
            const real *from = x + at;
            if (at + wide > readable) {
                memcpy(copy, from, (readable - at < n_classes ? readable - at : n_classes) * sizeof(real));
                from = copy;
            }
            lanes[i] = fl_lanes_of_row(from, n_classes, &rest, marks ? marks[row + i] : 0, part);
        }
        folded = fl_fold_rows(lanes, part == FL_LARGEST_OF_ALL);
        memcpy(found + row, &folded, sizeof folded);
    }
}

#endif
