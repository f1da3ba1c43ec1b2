/* Counts of rows by score and label, from which AUC, average precision and KS come. */
#include "evaluation.h"

#include "../dispatch/ops.h"

enum { FL_KEYS_AT_ONCE = 512, FL_TO_COARSE = 8 };

static int fl_find_keys(const void *scores, int floats, size_t start, size_t n, uint32_t *keys) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    return floats ? ops->float_keys((const float *)scores + start, n, keys)
                  : ops->double_keys((const double *)scores + start, n, keys);
}

int fl_count_scores(uint32_t *pairs, const void *scores, int floats, const uint8_t *labels, size_t n) {
    uint32_t keys[FL_KEYS_AT_ONCE], places[FL_KEYS_AT_ONCE];
    int fine = 1;
    for (size_t start = 0; start < n; start += FL_KEYS_AT_ONCE) {
        size_t length = n - start < FL_KEYS_AT_ONCE ? n - start : FL_KEYS_AT_ONCE;
        fine &= fl_find_keys(scores, floats, start, length, keys);
        for (size_t i = 0; i < length; i++)
            places[i] = 2 * fl_place_of_key(keys[i]) + (labels[start + i] & 1u);
        for (size_t i = 0; i < length; i++)
            pairs[places[i]]++;
    }
    return fine;
}

/* x from 0 to 2^62 in units of 2^-64 (or, with more bits, 2^-128): what is below is left off. */
static void fl_add_wide(fl_wide *a, double x) {
    double whole = floor(x);
    uint64_t low = (uint64_t)((x - whole) * 0x1p64);
    a->low += low;
    a->high += (uint64_t)whole + (a->low < low);
}

static void fl_add_wider(fl_wider *a, double x) {
    double whole = floor(x), rest = (x - whole) * 0x1p64, middle = floor(rest);
    uint64_t low = (uint64_t)((rest - middle) * 0x1p64), carry;
    a->low += low;
    carry = a->low < low;
    a->middle += carry;
    carry = a->middle < carry;
    a->middle += (uint64_t)middle;
    a->high += (uint64_t)whole + carry + (a->middle < (uint64_t)middle);
}

int fl_weigh_scores(fl_wide *pairs, fl_wider *squares, const void *scores, int floats, const uint8_t *labels,
                    const double *weights, size_t n) {
    uint32_t keys[FL_KEYS_AT_ONCE];
    int fine = 1;
    for (size_t start = 0; start < n; start += FL_KEYS_AT_ONCE) {
        size_t length = n - start < FL_KEYS_AT_ONCE ? n - start : FL_KEYS_AT_ONCE;
        fine &= fl_find_keys(scores, floats, start, length, keys);
        for (size_t i = 0; i < length; i++) {
            double w = weights[start + i];
            int label = labels[start + i] & 1;
            fl_add_wide(&pairs[2 * fl_place_of_key(keys[i]) + label], w);
            fl_add_wider(&squares[2 * (keys[i] >> FL_TO_COARSE) + label], w * w);
        }
    }
    return fine;
}

void fl_order_by_code(const uint32_t *codes, size_t n, size_t n_codes, ptrdiff_t *starts, ptrdiff_t *order) {
    memset(starts, 0, (n_codes + 1) * sizeof *starts);
    for (size_t i = 0; i < n; i++)
        starts[codes[i] + 1]++;
    for (size_t c = 0; c < n_codes; c++)
        starts[c + 1] += starts[c];
    for (size_t i = 0; i < n; i++)
        order[starts[codes[i]]++] = (ptrdiff_t)i;
    memmove(starts + 1, starts, n_codes * sizeof *starts); /* they have moved to the ends */
    starts[0] = 0;
}
