/* Of what sizes the weights of a block are. */
#ifndef FL_BLOCKS_WEIGHTS_H
#define FL_BLOCKS_WEIGHTS_H

#include "tile.h"
#include "weighing.h"

/* Bits of fl_weight_kind. As unsigned integers the patterns of positive numbers are ordered as the numbers
 * are, and those of NaN and of all negative numbers lie above; 0 minus anything does, too. n is a multiple of
 * the lanes. */
static int fl_weight_kinds(const void *block, size_t n) {
    const real_bits least = fl_to_bits((real)FL_LEAST_USUAL(FL_PRECISION == 32)),
                    range = fl_to_bits((real)FL_LARGEST_USUAL(FL_PRECISION == 32)) - least;
    const real *w = block;
    fl_bits_vector outside[FL_N_BITS_VECTORS] = {{0}}, zero[FL_N_BITS_VECTORS] = {{0}},
                   other[FL_N_BITS_VECTORS] = {{0}};
    for (size_t i = 0; i < n; i += FL_LANES) {
        real_bits tile[FL_LANES];
        for (int k = 0; k < FL_LANES; k++) {
            real_bits above_least = fl_to_bits(w[i + k]) - least;
            tile[k] = above_least | (range - above_least);
        }
        fl_keep_bits(outside, tile);
    }
    if (!(fl_any_bits(outside) & FL_SIGN_BIT))
        return 0;
    for (size_t i = 0; i < n; i += FL_LANES) {
        real_bits zeros[FL_LANES], others[FL_LANES];
        for (int k = 0; k < FL_LANES; k++) {
            real_bits pattern = fl_to_bits(w[i + k]), above_least = pattern - least, before = pattern - 1;
            zeros[k] = before & ~pattern;
            others[k] = ((above_least | (range - above_least)) & ~before) | pattern;
        }
        fl_keep_bits(zero, zeros);
        fl_keep_bits(other, others);
    }
    return (fl_any_bits(zero) & FL_SIGN_BIT ? FL_ZERO_WEIGHTS : 0) |
           (fl_any_bits(other) & FL_SIGN_BIT ? FL_UNUSUAL_WEIGHTS : 0);
}

#endif
