/* Bins of probabilities, of one width. */
#ifndef FL_EVALUATION_PROBABILITY_BINS_H
#define FL_EVALUATION_PROBABILITY_BINS_H

#include <stddef.h>
#include <stdint.h>

/* Twice the bin, 1 being in the last one, and the label. What is no probability is in one as well, but seen. */
static inline __attribute__((always_inline)) uint32_t fl_bin_code(double p, uint8_t label, double n_bins,
                                                                  uint32_t *bad) {
    double bin = p * n_bins, last = n_bins - 1;
    *bad |= !(p >= 0) | !(p <= 1);
    bin = bin > 0 ? bin : 0;
    bin = bin < last ? bin : last;
    return 2 * (uint32_t)(int32_t)bin + (label & 1u);
}

static int fl_float_bins(const float *p, const uint8_t *labels, size_t n, uint32_t n_bins, uint32_t *codes) {
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        codes[i] = fl_bin_code((double)p[i], labels[i], n_bins, &bad);
    return !bad;
}

static int fl_double_bins(const double *p, const uint8_t *labels, size_t n, uint32_t n_bins,
                          uint32_t *codes) {
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        codes[i] = fl_bin_code(p[i], labels[i], n_bins, &bad);
    return !bad;
}

#endif
