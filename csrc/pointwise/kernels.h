/* The block functions of every pointwise loss, for the precision FL_PRECISION and the instruction set that
 * this translation unit is compiled for, and the table of them, fl_pointwise_blocks_table, in the order of
 * losses_list.h.
 *
 * The loop over a block is written once; which outputs it makes is a constant in each instantiation, so that
 * what only an unwanted output needs disappears. Losses with a long dependency chain run in two passes over
 * chunks that stay in L1: name_prepare() computes the first half (exponentials) into scratch, the loss's
 * function the rest. The processor can only look a few hundred instructions ahead; two short chains overlap
 * with their neighbours, a long one does not. */
#ifndef FL_POINTWISE_KERNELS_H
#define FL_POINTWISE_KERNELS_H

#include "losses_list.h"
#include "losses.h"

#include "../sums/sums.h"

enum { FL_CHUNK = 256, FL_TILE = 16 };

#if defined(__GNUC__) && !defined(__clang__)
#define FL_LANE_LOOP _Pragma("GCC ivdep")
#else
#define FL_LANE_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif

/* The loop of one pass; no iterations are left over after whole vectors. All inputs of a sample are read
 * before its outputs are written, which is what makes writing over z possible. */
#define FL_BLOCK_LOOP(name, n, prepared_i)                                                                   \
    FL_LANE_LOOP                                                                                             \
    for (size_t i = 0; i < (n); i++) {                                                                       \
        fl_terms t = name(y[i], z[i], p, prepared_i);                                                        \
        if (want_value)                                                                                      \
            value[i] = t.value;                                                                              \
        if (want_gradient)                                                                                   \
            gradient[i] = t.gradient * scale;                                                                \
        if (want_hessian)                                                                                    \
            hessian[i] = t.hessian * scale;                                                                  \
    }

#define FL_COMPUTE_ONE_PASS(name) FL_BLOCK_LOOP(name, n, ((fl_prepared){0, 0, 0}))

#define FL_COMPUTE_TWO_PASSES(name)                                                                          \
    do {                                                                                                     \
        real scratch_a[FL_CHUNK], scratch_b[FL_CHUNK], scratch_c[FL_CHUNK];                                  \
        size_t m = (n < FL_CHUNK ? n : FL_CHUNK) & ~(size_t)15;                                              \
        FL_LANE_LOOP                                                                                         \
        for (size_t i = 0; i < m; i++) {                                                                     \
            fl_prepared s = name##_prepare(y[i], z[i], p);                                                   \
            scratch_a[i] = s.a;                                                                              \
            scratch_b[i] = s.b;                                                                              \
            scratch_c[i] = s.c;                                                                              \
        }                                                                                                    \
        FL_BLOCK_LOOP(name, m, ((fl_prepared){scratch_a[i], scratch_b[i], scratch_c[i]}))                    \
        y += m;                                                                                              \
        z += m;                                                                                              \
        value += want_value ? m : 0;                                                                         \
        gradient += want_gradient ? m : 0;                                                                   \
        hessian += want_hessian ? m : 0;                                                                     \
        n -= m;                                                                                              \
    } while (n);

#define FL_DEFINE_OUTPUT_SET(name, set, want_value, want_gradient, want_hessian, result)                     \
    static double fl_##name##_##set(size_t n, const void *y, const void *z, const double *params,            \
                                    double scale, void *value, void *gradient, void *hessian) {              \
        fl_##name##_block(n, y, z, params, (real)scale, value, gradient, hessian, want_value, want_gradient, \
                          want_hessian);                                                                     \
        return result;                                                                                       \
    }

/* Sums of expensive values: a second pass over the block that was just written, which costs next to nothing.
 */
#define FL_DEFINE_SUMS_HEAVY(name, n_params)                                                                 \
    FL_DEFINE_OUTPUT_SET(name, S, 1, 0, 0, fl_sum(value, n))                                                 \
    FL_DEFINE_OUTPUT_SET(name, SG, 1, 1, 0, fl_sum(value, n))                                                \
    FL_DEFINE_OUTPUT_SET(name, SGH, 1, 1, 1, fl_sum(value, n))

/* Sums of cheap values: a second pass would take a third of the time that memory takes, and memory would wait
 * for it. They are added sixteen at a time while the next ones are on their way. */
#define FL_DEFINE_SUMS_CHEAP(name, n_params)                                                                 \
    FL_INLINE double fl_##name##_sums(size_t n, const real *y, const real *z, const double *params,          \
                                      real scale, real *gradient, real *hessian, int want_gradient,          \
                                      int want_hessian) {                                                    \
        double p[FL_MAX_PARAMS], lanes[FL_TILE] = {0};                                                       \
        for (int i = 0; i < n_params; i++)                                                                   \
            p[i] = params[i];                                                                                \
        for (size_t start = 0; start < n; start += FL_TILE) {                                                \
            real tile[FL_TILE];                                                                              \
            FL_LANE_LOOP                                                                                     \
            for (size_t k = 0; k < FL_TILE; k++) {                                                           \
                fl_terms t = name(y[start + k], z[start + k], p, (fl_prepared){0, 0, 0});                    \
                tile[k] = t.value;                                                                           \
                if (want_gradient)                                                                           \
                    gradient[start + k] = t.gradient * scale;                                                \
                if (want_hessian)                                                                            \
                    hessian[start + k] = t.hessian * scale;                                                  \
            }                                                                                                \
            for (size_t k = 0; k < FL_TILE; k++)                                                             \
                lanes[k] += (double)tile[k];                                                                 \
        }                                                                                                    \
        return fl_fold_lanes(lanes, FL_TILE);                                                                \
    }                                                                                                        \
    FL_DEFINE_SUM_SET(name, S, 0, 0)                                                                         \
    FL_DEFINE_SUM_SET(name, SG, 1, 0)                                                                        \
    FL_DEFINE_SUM_SET(name, SGH, 1, 1)

#define FL_DEFINE_SUM_SET(name, set, want_gradient, want_hessian)                                            \
    static double fl_##name##_##set(size_t n, const void *y, const void *z, const double *params,            \
                                    double scale, void *value, void *gradient, void *hessian) {              \
        (void)value;                                                                                         \
        return fl_##name##_sums(n, y, z, params, (real)scale, gradient, hessian, want_gradient,              \
                                want_hessian);                                                               \
    }

#define FL_DEFINE_BLOCKS(name, y_domain, z_domain, cost, n_params, passes)                                   \
    FL_INLINE void fl_##name##_block(size_t n, const real *y, const real *z, const double *params,           \
                                     real scale, real *value, real *gradient, real *hessian, int want_value, \
                                     int want_gradient, int want_hessian) {                                  \
        double p[FL_MAX_PARAMS]; /* a copy that no output can alias */                                       \
        for (int i = 0; i < n_params; i++)                                                                   \
            p[i] = params[i];                                                                                \
        n &= ~(size_t)15; /* tells the compiler that whole vectors are all there is */                       \
        if (n == 0)                                                                                          \
            return;                                                                                          \
        FL_COMPUTE_##passes(name)                                                                            \
    }                                                                                                        \
    FL_DEFINE_OUTPUT_SET(name, V, 1, 0, 0, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, G, 0, 1, 0, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, VG, 1, 1, 0, 0)                                                               \
    FL_DEFINE_OUTPUT_SET(name, GH, 0, 1, 1, 0)                                                               \
    FL_DEFINE_OUTPUT_SET(name, VGH, 1, 1, 1, 0)                                                              \
    FL_DEFINE_SUMS_##cost(name, n_params)
FL_POINTWISE_LOSSES(FL_DEFINE_BLOCKS)

#define FL_LIST_BLOCKS(name, y_domain, z_domain, cost, n_params, passes)                                     \
    {fl_##name##_V,   fl_##name##_G, fl_##name##_VG, fl_##name##_GH,                                         \
     fl_##name##_VGH, fl_##name##_S, fl_##name##_SG, fl_##name##_SGH},
static const fl_pointwise_blocks fl_pointwise_blocks_table[FL_N_POINTWISE] = {
    FL_POINTWISE_LOSSES(FL_LIST_BLOCKS)};

#endif
