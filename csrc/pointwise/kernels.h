/* The block functions of every pointwise loss, for the precision FL_PRECISION and the instruction set that
 * this translation unit is compiled for, and the table of them, fl_pointwise_blocks_table, in the order of
 * losses_list.h.
 *
 * The loop over a block is written once; which outputs it makes is a constant in each instantiation, so that
 * what only an unwanted output needs disappears.
 *
 * Losses bound by arithmetic go through a block in chunks that stay in L1. The processor can only look a few
 * hundred instructions ahead; short dependency chains overlap with their neighbours, long ones do not. So
 * values are summed after the chunk, from L1; the longest chains are cut in two, where name_prepare()
 * computes the first half (exponentials) into scratch and the loss's function the rest; and most exponentials
 * need no care for over- and underflow, which is worth a look at a chunk's magnitudes. */
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

/* Asks for the tile that is so many bytes ahead: the processor itself does so too late at the ends of pages,
 * and where a chunk is computed on for long. The distances are measured ones. */
enum { FL_AHEAD_OF_TILE = 4096, FL_AHEAD_OF_CHUNK = FL_PRECISION == 32 ? 3072 : 2048 };
FL_INLINE void fl_fetch_ahead(const real *tile, int bytes) {
    for (size_t i = 0; i < FL_TILE * sizeof(real); i += 64)
        __builtin_prefetch((const char *)tile + bytes + i);
}

/* The loop of one pass, a tile at a time: targets are checked, and with `fused` what is to be summed is
 * added, while the next tiles are on their way from memory; otherwise it goes to `kept`. All inputs of a
 * sample are read before its outputs are written, which is what makes writing over z possible. */
#define FL_TILE_LOOP(name, n, prepared_i, fused, kept)                                                       \
    for (size_t i = 0; i < (n); i += FL_TILE) {                                                              \
        real values[FL_TILE];                                                                                \
        real_bits suspicions[FL_TILE];                                                                       \
        if (fused && !want_gradient && !want_hessian) {                                                      \
            fl_fetch_ahead(y + i, FL_AHEAD_OF_TILE);                                                         \
            fl_fetch_ahead(z + i, FL_AHEAD_OF_TILE);                                                         \
        }                                                                                                    \
        FL_LANE_LOOP                                                                                         \
        for (int k = 0; k < FL_TILE; k++) {                                                                  \
            fl_terms t = name(y[i + k], z[i + k], p, prepared_i);                                            \
            if (checks)                                                                                      \
                suspicions[k] = fl_suspicion(y[i + k], domain);                                              \
            if (adds && fused)                                                                               \
                values[k] = t.value;                                                                         \
            if (adds && !fused)                                                                              \
                kept[i + k] = t.value;                                                                       \
            if (want_value)                                                                                  \
                value[i + k] = t.value;                                                                      \
            if (want_gradient)                                                                               \
                gradient[i + k] = t.gradient * scale;                                                        \
            if (want_hessian)                                                                                \
                hessian[i + k] = t.hessian * scale;                                                          \
        }                                                                                                    \
        if (checks)                                                                                          \
            fl_keep_bits(found, suspicions);                                                                 \
        if (adds && fused)                                                                                   \
            fl_add_tile(sums, values);                                                                       \
    }

#define FL_COMPUTE_ONE_PASS(name) FL_TILE_LOOP(name, n, ((fl_prepared){0}), 1, value)

/* A loop over m samples at a time, and the sums. */
#define FL_COMPUTE_IN_CHUNKS(...)                                                                            \
    for (size_t left = n; left;) {                                                                           \
        real kept[FL_CHUNK];                                                                                 \
        size_t m = (left < FL_CHUNK ? left : FL_CHUNK) & ~(size_t)(FL_TILE - 1);                             \
        __VA_ARGS__                                                                                          \
        if (adds)                                                                                            \
            for (size_t i = 0; i < m; i += FL_TILE)                                                          \
                fl_add_stored(sums, kept + i);                                                               \
        y += m;                                                                                              \
        z += m;                                                                                              \
        value += want_value ? m : 0;                                                                         \
        gradient += want_gradient ? m : 0;                                                                   \
        hessian += want_hessian ? m : 0;                                                                     \
        left -= m;                                                                                           \
    }

#define FL_COMPUTE_CHUNKS(name) FL_COMPUTE_IN_CHUNKS(FL_TILE_LOOP(name, m, ((fl_prepared){0}), 0, kept))

/* Whether all magnitudes of a chunk are moderate: the patterns of numbers without signs are ordered as the
 * numbers are, and those of NaN lie above. */
#define FL_ASK_WHETHER_MODERATE(name)                                                                        \
    fl_bits_vector above[FL_N_BITS_VECTORS] = {{0}};                                                         \
    for (size_t i = 0; i < m; i += FL_TILE) {                                                                \
        real_bits differences[FL_TILE];                                                                      \
        FL_LANE_LOOP                                                                                         \
        for (int k = 0; k < FL_TILE; k++) {                                                                  \
            real magnitude = fl_abs(name##_magnitude(y[i + k], z[i + k], p));                                \
            differences[k] = fl_to_bits(FL_MODERATE) - fl_to_bits(magnitude);                                \
        }                                                                                                    \
        fl_fetch_ahead(y + i, FL_AHEAD_OF_CHUNK);                                                            \
        fl_fetch_ahead(z + i, FL_AHEAD_OF_CHUNK);                                                            \
        fl_keep_bits(above, differences);                                                                    \
    }                                                                                                        \
    const int moderate = !(fl_any_bits(above) & FL_SIGN_BIT);

/* clang-format off */
#define FL_COMPUTE_PLAIN(name)                                                                               \
    if (name##_is_plain(p))                                                                                  \
        FL_TILE_LOOP(name, n, ((fl_prepared){.moderate = 1}), 1, value)                                      \
    else                                                                                                     \
        FL_TILE_LOOP(name, n, ((fl_prepared){0}), 1, value)

#define FL_COMPUTE_MODERATE(name)                                                                            \
    FL_COMPUTE_IN_CHUNKS(                                                                                    \
        FL_ASK_WHETHER_MODERATE(name)                                                                        \
        if (moderate)                                                                                        \
            FL_TILE_LOOP(name, m, ((fl_prepared){.moderate = 1}), 0, kept)                                   \
        else                                                                                                 \
            FL_TILE_LOOP(name, m, ((fl_prepared){0}), 0, kept))

#define FL_PREPARE_LOOP(name, is_moderate)                                                                   \
    FL_LANE_LOOP                                                                                             \
    for (size_t i = 0; i < m; i++) {                                                                         \
        fl_prepared s = name##_prepare(y[i], z[i], p, is_moderate);                                          \
        scratch_a[i] = s.a;                                                                                  \
        scratch_b[i] = s.b;                                                                                  \
    }

#define FL_COMPUTE_TWO_PASSES(name)                                                                          \
    FL_COMPUTE_IN_CHUNKS(                                                                                    \
        real scratch_a[FL_CHUNK], scratch_b[FL_CHUNK];                                                       \
        FL_ASK_WHETHER_MODERATE(name)                                                                        \
        if (moderate) {                                                                                      \
            FL_PREPARE_LOOP(name, 1)                                                                         \
        } else {                                                                                             \
            FL_PREPARE_LOOP(name, 0)                                                                         \
        }                                                                                                    \
        FL_TILE_LOOP(name, m, ((fl_prepared){0, scratch_a[i + k], scratch_b[i + k]}), 0, kept))
/* clang-format on */

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
            fl_load_sums(sums, value_or_sums);                                                               \
        n &= ~(size_t)(FL_TILE - 1); /* tells the compiler that whole vectors are all there is */            \
        FL_COMPUTE_##passes(name) if (adds) fl_store_sums(value_or_sums, sums);                              \
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
