/* The vocabulary of simd.h for vectors of 16 bytes, by the vector types of gcc and clang: all words that the
 * machine's own file does not say. */
#ifndef FL_SIMD_GENERIC_H
#define FL_SIMD_GENERIC_H

#ifndef FL_OWN_FMA
FL_INLINE fl_double_vector fl_vector_fma(fl_double_vector a, fl_double_vector b, fl_double_vector c) {
    for (int k = 0; k < FL_DOUBLES; k++)
        c[k] = fl_wide_fma(a[k], b[k], c[k]);
    return c;
}
#endif

FL_INLINE double fl_fold_vector(fl_double_vector x) {
    return x[0] + x[1];
}

FL_INLINE void fl_pad_tail(const real *p, size_t n, real *tail) {
    for (size_t k = 0; k < FL_LANES; k++)
        tail[k] = k < n ? p[k] : 0;
}

FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places) {
    for (int k = 0; k < 2; k++)
        x[k] = places[k] < 64 ? x[k] << places[k] : 0;
    return x;
}

FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places) {
    for (int k = 0; k < 2; k++)
        x[k] = places[k] < 64 ? x[k] >> places[k] : 0;
    return x;
}

FL_INLINE fl_real_vector fl_larger_lanes(fl_real_vector a, fl_real_vector b) {
    for (int i = 0; i < FL_REALS; i++)
        b[i] = a[i] > b[i] ? a[i] : b[i];
    return b;
}

FL_INLINE fl_real_vector fl_smaller_lanes(fl_real_vector a, fl_real_vector b) {
    for (int i = 0; i < FL_REALS; i++)
        b[i] = a[i] < b[i] ? a[i] : b[i];
    return b;
}

FL_INLINE real fl_join_two(real a, real b, const int larger) {
    return larger ? (a > b ? a : b) : a + b;
}

FL_INLINE fl_real_vector fl_fold_rows(const fl_real_vector *r, const int larger) {
    enum { TWO = 2 % FL_REALS, THREE = 3 % FL_REALS };
    fl_real_vector sums;
#pragma GCC unroll 4
    for (int i = 0; i < (int)FL_REALS; i++) {
        real a = FL_REALS > 2 ? fl_join_two(r[i][0], r[i][TWO], larger) : r[i][0];
        real b = FL_REALS > 2 ? fl_join_two(r[i][1], r[i][THREE], larger) : r[i][1];
        sums[i] = fl_join_two(a, b, larger);
    }
    return sums;
}

#ifndef FL_OWN_STREAMS
enum { FL_HAS_STREAM = 0, FL_HAS_FEW_REGISTERS = 0 };

static inline void fl_stream_quarter(char *to, const char *from) {
    memcpy(to, from, 16);
}

static inline void fl_stream_line(char *to, const char *from) {
    memcpy(to, from, 64);
}

static inline void fl_stream_sum_line(float *to, const float *a, const float *b) {
    for (int i = 0; i < 16; i++)
        to[i] = a[i] + b[i];
}

static inline void fl_stream_end(void) {}
#endif

#endif
