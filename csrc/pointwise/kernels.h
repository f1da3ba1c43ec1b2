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

#include "../blocks/check.h"

enum { FL_CHUNK = 256, FL_TILE = FL_LANES };

#if defined(__GNUC__) && !defined(__clang__)
#define FL_LANE_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#else
#define FL_LANE_LOOP _Pragma("clang loop vectorize(assume_safety)")
#endif

/* The loop of one pass, a tile at a time: what is to be summed is added, and targets are checked, while the
 * next tiles are on their way from memory. All inputs of a sample are read before its outputs are written,
 * which is what makes writing over z possible. */
#define FL_BLOCK_LOOP(name, n, prepared_i)                                                                   \
    for (size_t i = 0; i < (n); i += FL_TILE) {                                                              \
        real values[FL_TILE];                                                                                \
        real_bits suspicions[FL_TILE];                                                                       \
        FL_LANE_LOOP                                                                                         \
        for (int k = 0; k < FL_TILE; k++) {                                                                  \
            fl_terms t = name(y[i + k], z[i + k], p, prepared_i);                                            \
            if (checks)                                                                                      \
                suspicions[k] = fl_suspicion(y[i + k], domain);                                              \
            if (adds)                                                                                        \
                values[k] = t.value;                                                                         \
            if (want_value)                                                                                  \
                value[i + k] = t.value;                                                                      \
            if (want_gradient)                                                                               \
                gradient[i + k] = t.gradient * scale;                                                        \
            if (want_hessian)                                                                                \
                hessian[i + k] = t.hessian * scale;                                                          \
        }                                                                                                    \
        if (checks)                                                                                          \
            fl_keep_bits(found, suspicions);                                                                 \
        if (adds)                                                                                            \
            fl_add_tile(sums, values);                                                                       \
    }

#define FL_COMPUTE_ONE_PASS(name) FL_BLOCK_LOOP(name, n, ((fl_prepared){0, 0, 0}))

#define FL_COMPUTE_TWO_PASSES(name)                                                                          \
    for (size_t left = n; left;) {                                                                           \
        real scratch_a[FL_CHUNK], scratch_b[FL_CHUNK], scratch_c[FL_CHUNK];                                  \
        size_t m = (left < FL_CHUNK ? left : FL_CHUNK) & ~(size_t)(FL_TILE - 1);                             \
        FL_LANE_LOOP                                                                                         \
        for (size_t i = 0; i < m; i++) {                                                                     \
            fl_prepared s = name##_prepare(y[i], z[i], p);                                                   \
            scratch_a[i] = s.a;                                                                              \
            scratch_b[i] = s.b;                                                                              \
            scratch_c[i] = s.c;                                                                              \
        }                                                                                                    \
        FL_BLOCK_LOOP(name, m, ((fl_prepared){scratch_a[i + k], scratch_b[i + k], scratch_c[i + k]}))        \
        y += m;                                                                                              \
        z += m;                                                                                              \
        value += want_value ? m : 0;                                                                         \
        gradient += want_gradient ? m : 0;                                                                   \
        hessian += want_hessian ? m : 0;                                                                     \
        left -= m;                                                                                           \
    }

#define FL_DEFINE_OUTPUT_SET(name, set, adds, want_value, want_gradient, want_hessian)                       \
    static int fl_##name##_##set(size_t n, const void *y, const void *z, const double *params, double scale, \
                                 void *value, void *gradient, void *hessian) {                               \
        return fl_##name##_block(n, y, z, params, (real)scale, value, gradient, hessian, adds, want_value,   \
                                 want_gradient, want_hessian);                                               \
    }

#define FL_DEFINE_BLOCKS(name, y_domain, z_domain, cost, n_params, passes)                                   \
    FL_INLINE int fl_##name##_block(size_t n, const real *y, const real *z, const double *params,            \
                                    real scale, void *value_or_sums, real *gradient, real *hessian,          \
                                    int adds, int want_value, int want_gradient, int want_hessian) {         \
        const fl_domain target_domain = FL_DOMAIN_##y_domain, *domain = &target_domain;                      \
        const int checks = !fl_is_everything(domain);                                                        \
        double p[FL_MAX_PARAMS]; /* a copy that no output can alias */                                       \
        for (int i = 0; i < n_params; i++)                                                                   \
            p[i] = params[i];                                                                                \
        real *value = value_or_sums;                                                                         \
        fl_double_vector sums[FL_N_DOUBLE_VECTORS];                                                          \
        fl_bits_vector found[FL_N_BITS_VECTORS] = {{0}};                                                     \
        if (adds)                                                                                            \
            memcpy(sums, value_or_sums, sizeof sums);                                                        \
        n &= ~(size_t)(FL_TILE - 1); /* tells the compiler that whole vectors are all there is */            \
        FL_COMPUTE_##passes(name) if (adds) memcpy(value_or_sums, sums, sizeof sums);                        \
        return checks && FL_SUSPICIOUS(fl_any_bits(found), domain);                                          \
    }                                                                                                        \
    FL_DEFINE_OUTPUT_SET(name, V, 0, 1, 0, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, G, 0, 0, 1, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, VG, 0, 1, 1, 0)                                                               \
    FL_DEFINE_OUTPUT_SET(name, GH, 0, 0, 1, 1)                                                               \
    FL_DEFINE_OUTPUT_SET(name, VGH, 0, 1, 1, 1)                                                              \
    FL_DEFINE_OUTPUT_SET(name, S, 1, 0, 0, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, SG, 1, 0, 1, 0)                                                               \
    FL_DEFINE_OUTPUT_SET(name, SGH, 1, 0, 1, 1)
FL_POINTWISE_LOSSES(FL_DEFINE_BLOCKS)

#define FL_LIST_BLOCKS(name, y_domain, z_domain, cost, n_params, passes)                                     \
    {fl_##name##_V,   fl_##name##_G, fl_##name##_VG, fl_##name##_GH,                                         \
     fl_##name##_VGH, fl_##name##_S, fl_##name##_SG, fl_##name##_SGH},
static const fl_pointwise_blocks fl_pointwise_blocks_table[FL_N_POINTWISE] = {
    FL_POINTWISE_LOSSES(FL_LIST_BLOCKS)};

#endif
