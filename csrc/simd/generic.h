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

#if FL_PRECISION == 32
#ifndef FL_OWN_CONVERSIONS
FL_INLINE void fl_add_tile(fl_double_vector *sums, const real *tile) {
    typedef real fl_part __attribute__((vector_size(FL_DOUBLES * sizeof(real))));
#pragma GCC unroll 8
    for (int i = 0; i < FL_N_DOUBLE_VECTORS; i++) {
        fl_part x;
        memcpy(&x, tile + i * FL_DOUBLES, sizeof x);
        sums[i] += __builtin_convertvector(x, fl_double_vector);
    }
}

FL_INLINE fl_double_vector fl_wide_part(const real *p) {
    fl_double_vector x;
    for (int k = 0; k < FL_DOUBLES; k++)
        x[k] = (double)p[k];
    return x;
}
#endif

FL_INLINE void fl_add_stored(fl_double_vector *sums, const real *tile) {
    fl_add_tile(sums, tile);
}
#endif

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
