/* Numbers of one vector register: wider vectors the compiler would take apart number by number, and of loops over
 * lanes gcc makes shuffles. What is computed in them is exact, so that it does not depend on how many lanes there
 * are. */
#ifndef FL_EVALUATION_VECTORS_H
#define FL_EVALUATION_VECTORS_H

#include "../simd/simd.h"

enum { FL_WIDTH = FL_DOUBLES };

typedef fl_double_vector fl_doubles;
typedef fl_words64 fl_bits;
typedef int64_t fl_words __attribute__((vector_size(FL_VECTOR_BYTES)));
typedef int32_t fl_half_words __attribute__((vector_size(FL_VECTOR_BYTES)));

static inline fl_doubles fl_all_of(double x) {
    return (fl_doubles){0} + x;
}

static inline fl_doubles fl_load_doubles(const double *from) {
    fl_doubles x;
    memcpy(&x, from, sizeof x);
    return x;
}

static inline fl_doubles fl_load_floats(const float *from) {
    fl_doubles x = {0};
    for (int k = 0; k < FL_WIDTH; k++)
        x[k] = (double)from[k];
    return x;
}

static inline void fl_store_doubles(double *to, fl_doubles x) {
    memcpy(to, &x, sizeof x);
}

/* Lane by lane a where a comparison has found all bits, b where none. */
static inline fl_words fl_pick(fl_words found, fl_words a, fl_words b) {
    return (a & found) | (b & ~found);
}

static inline fl_half_words fl_pick_halves(fl_half_words found, fl_half_words a, fl_half_words b) {
    return (a & found) | (b & ~found);
}

static inline fl_doubles fl_pick_doubles(fl_words found, fl_doubles a, fl_doubles b) {
    return (fl_doubles)fl_pick(found, (fl_words)a, (fl_words)b);
}

static inline uint64_t fl_any_bits(fl_bits x) {
    uint64_t any = 0;
    for (int k = 0; k < FL_WIDTH; k++)
        any |= x[k];
    return any;
}

#endif
