/* Lanes of a sum folded onto each other, in an order that no vector width changes. */
#ifndef FL_SUMS_FOLD_H
#define FL_SUMS_FOLD_H

/* Halves folded onto halves. The widths are constants where it is inlined: a few vector additions. */
static inline __attribute__((always_inline)) double fl_fold_lanes(double *lanes, int n_lanes) {
#define FL_FOLD(width)                                                                                       \
    if (n_lanes >= 2 * (width))                                                                              \
        for (int i = 0; i < (width); i++)                                                                    \
    lanes[i] += lanes[i + (width)]
    FL_FOLD(16);
    FL_FOLD(8);
    FL_FOLD(4);
    FL_FOLD(2);
#undef FL_FOLD
    return lanes[0] + lanes[1];
}

#endif
