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
#include "../simd/loops.h"

enum { FL_CHUNK = 256, FL_STORED = 2 * FL_CHUNK };

#if defined(__GNUC__) && !defined(__clang__)
/* Long chains: two vectors at once, where there are registers for them. */
enum { FL_AT_ONCE = FL_HAS_FEW_REGISTERS ? 1 : 2 };
#define FL_LANE_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll FL_AT_ONCE")
#else
/* clang would make vectors of several iterations at once, for which it has too few registers; two are as good as any. */
enum { FL_AT_ONCE = FL_VECTOR_BYTES < 64 ? 2 : 1 };
#define FL_LANE_LOOP                                                                                         \
    _Pragma("clang loop vectorize(assume_safety) vectorize_width(FL_REALS) interleave_count(FL_AT_ONCE)")
#endif

/* Asks for the tile that is a page ahead: the processor itself does so too late at the ends of pages. The
 * distance is a measured one. */
enum { FL_AHEAD_OF_TILE = 4096 };
FL_INLINE void fl_fetch_ahead(const real *tile) {
    for (size_t i = 0; i < FL_LANES * sizeof(real); i += 64)
        __builtin_prefetch((const char *)tile + FL_AHEAD_OF_TILE + i);
}

/* What is known when a block's function is compiled: the loss's functions, and which outputs are wanted. */
typedef struct {
    fl_loss_fn loss;
    fl_magnitude_fn magnitude;
    fl_prepare_fn prepare;
    fl_plain_fn is_plain;
    fl_constants_fn constants;
    int in_chunks;
    int prepares_one; /* number, a, and not b */
    int n_params;
    const fl_domain *target; /* NULL: nothing to check */
    int adds, value, gradient, hessian;
} fl_recipe;

typedef struct {
    const real *y, *z;
    const double *p;
    const void *constants;
    real scale;
    real *value, *gradient, *hessian;
} fl_samples;

/* One sample: all its inputs are read before its outputs are written, which is what makes writing over z
 * possible. Returns its value. */
FL_INLINE real fl_compute_one(fl_recipe r, fl_samples s, size_t i, fl_prepared prepared) {
    prepared.constants = s.constants;
    fl_terms t = r.loss(s.y[i], s.z[i], s.p, prepared);
    if (r.value)
        s.value[i] = t.value;
    if (r.gradient)
        s.gradient[i] = t.gradient * s.scale;
    if (r.hessian)
        s.hessian[i] = t.hessian * s.scale;
    return t.value;
}

/* One pass, a tile at a time: targets are checked and values added, while the next tiles are on their way
 * from memory. */
FL_INLINE real_bits fl_compute_tiles(fl_recipe r, fl_samples s, size_t n, fl_prepared prepared,
                                     fl_double_vector *sums) {
    fl_bits_vector found[FL_N_BITS_VECTORS] = {{0}};
    for (size_t i = 0; i < n; i += FL_LANES) {
        _Alignas(64) real values[FL_LANES];
        _Alignas(64) real_bits suspicions[FL_LANES];
        if (!r.gradient && !r.hessian) {
            fl_fetch_ahead(s.y + i);
            fl_fetch_ahead(s.z + i);
        }
        FL_TILE_LOOP
        for (size_t k = 0; k < FL_LANES; k++) {
            if (r.target)
                suspicions[k] = fl_suspicion(s.y[i + k], r.target);
            values[k] = fl_compute_one(r, s, i + k, prepared);
        }
        if (r.target)
            fl_keep_bits(found, suspicions);
        if (r.adds)
            fl_add_tile(sums, values);
    }
    return fl_any_bits(found);
}

/* Bits that tell whether a magnitude is not moderate: patterns of numbers without signs are ordered as the
 * numbers are, and those of NaN lie above. */
FL_INLINE real_bits fl_beyond_moderate(fl_recipe r, fl_samples s, size_t i) {
    return fl_to_bits(FL_MODERATE) - fl_to_bits(fl_abs(r.magnitude(s.y[i], s.z[i], s.p)));
}

FL_INLINE int fl_is_moderate(fl_recipe r, fl_samples s, size_t n) {
    real_bits beyond = 0;
    FL_LANE_LOOP
    for (size_t i = 0; i < n; i++)
        beyond |= fl_beyond_moderate(r, s, i);
    return !(beyond & FL_SIGN_BIT);
}

/* The first of two passes; whether all magnitudes are moderate, or else what it left is of no use if it took
 * that for granted. */
FL_INLINE int fl_prepare_chunk(fl_recipe r, fl_samples s, size_t n, int moderate, real *a, real *b) {
    real_bits beyond = 0;
    FL_LANE_LOOP
    for (size_t i = 0; i < n; i++) {
        fl_prepared prepared = r.prepare(s.y[i], s.z[i], s.p, moderate);
        a[i] = prepared.a;
        if (!r.prepares_one)
            b[i] = prepared.b;
        if (r.magnitude)
            beyond |= fl_beyond_moderate(r, s, i);
    }
    return !(beyond & FL_SIGN_BIT);
}

/* Returns bits of targets that may be outside. */
FL_INLINE real_bits fl_compute_chunk(fl_recipe r, fl_samples s, size_t n, int moderate, const real *a,
                                     const real *b, real *kept) {
    real_bits found = 0;
    FL_LANE_LOOP
    for (size_t i = 0; i < n; i++) {
        fl_prepared prepared = {moderate, r.prepare ? a[i] : 0, r.prepare && !r.prepares_one ? b[i] : 0,
                                NULL};
        if (r.target)
            found |= fl_suspicion(s.y[i], r.target);
        real value = fl_compute_one(r, s, i, prepared);
        if (r.adds)
            kept[i] = value;
    }
    return found;
}

FL_INLINE real_bits fl_compute_chunks(fl_recipe r, fl_samples s, size_t n, fl_double_vector *sums) {
    real_bits found = 0;
    for (size_t left = n; left;) {
        _Alignas(64) real a[FL_CHUNK], b[FL_CHUNK], kept[FL_CHUNK];
        size_t m = (left < FL_CHUNK ? left : FL_CHUNK) & ~(size_t)(FL_LANES - 1);
        int moderate =
            r.magnitude && (r.prepare ? fl_prepare_chunk(r, s, m, 1, a, b) : fl_is_moderate(r, s, m));
        if (r.prepare && !moderate)
            fl_prepare_chunk(r, s, m, 0, a, b);
        found |=
            moderate ? fl_compute_chunk(r, s, m, 1, a, b, kept) : fl_compute_chunk(r, s, m, 0, a, b, kept);
        if (r.adds)
            for (size_t i = 0; i < m; i += FL_LANES)
                fl_add_stored(sums, kept + i);
        s.y += m;
        s.z += m;
        s.value += r.value ? m : 0;
        s.gradient += r.gradient ? m : 0;
        s.hessian += r.hessian ? m : 0;
        left -= m;
    }
    return found;
}

/* A block: what fl_block_fn says. */
FL_INLINE int fl_compute_block(fl_recipe r, size_t n, const real *y, const real *z, const double *params,
                               real scale, void *value_or_sums, real *gradient, real *hessian) {
    double p[FL_MAX_PARAMS]; /* a copy that no output can alias */
    real constants[FL_MAX_CONSTANTS];
    for (int i = 0; i < r.n_params; i++)
        p[i] = params[i];
    if (r.constants)
        r.constants(p, constants);
    fl_samples s = {y, z, p, constants, scale, value_or_sums, gradient, hessian};
    fl_double_vector sums[FL_N_DOUBLE_VECTORS];
    real_bits found;
    if (r.adds)
        fl_load_sums(sums, value_or_sums);
    n &= ~(size_t)(FL_LANES - 1); /* tells the compiler that whole vectors are all there is */
    if (r.in_chunks)
        found = fl_compute_chunks(r, s, n, sums);
    else if (r.is_plain && r.is_plain(p))
        found = fl_compute_tiles(r, s, n, (fl_prepared){.moderate = 1}, sums);
    else
        found = fl_compute_tiles(r, s, n, (fl_prepared){0}, sums);
    if (r.adds)
        fl_store_sums(value_or_sums, sums);
    return r.target && FL_SUSPICIOUS(found, r.target);
}

FL_INLINE void fl_add_block(double *lanes, const real *block, size_t n) {
    fl_double_vector sums[FL_N_DOUBLE_VECTORS];
    fl_load_sums(sums, lanes);
    for (size_t i = 0; i < n; i += FL_LANES)
        fl_add_stored(sums, block + i);
    fl_store_sums(lanes, sums);
}

/* Some outputs of a block function that makes more of them: values are added where lanes are given for them,
 * and what is not wanted (NULL) goes to scratch. */
static __attribute__((noinline)) int fl_make_some(fl_block_fn compute, size_t n, const real *y, const real *z,
                                                  const double *params, double scale, double *lanes,
                                                  real *value, real *gradient, real *hessian) {
    _Alignas(64) real unwanted[3][FL_STORED];
    int suspicious = 0;
    for (size_t start = 0; start < n; start += FL_STORED) {
        size_t m = n - start < FL_STORED ? n - start : FL_STORED;
        suspicious |=
            compute(m, y + start, z + start, params, scale, value ? value + start : unwanted[0],
                    gradient ? gradient + start : unwanted[1], hessian ? hessian + start : unwanted[2]);
        if (lanes)
            fl_add_block(lanes, unwanted[0], m);
    }
    return suspicious;
}

/* How the passes of losses_list.h are run. */
#define FL_PASSES_ONE_PASS(name) .in_chunks = 0
#define FL_PASSES_PLAIN(name) .is_plain = name##_is_plain
#define FL_PASSES_CHUNKS(name) .in_chunks = 1
#define FL_PASSES_MODERATE(name) .in_chunks = 1, .magnitude = name##_magnitude
#define FL_PASSES_CONSTANTS(name) .in_chunks = 1, .constants = name##_constants
#define FL_PASSES_PREPARED(name) .in_chunks = 1, .prepare = name##_prepare
#define FL_PASSES_TWO_PASSES(name) FL_PASSES_MODERATE(name), .prepare = name##_prepare
#define FL_PASSES_ONE_NUMBER(name) FL_PASSES_TWO_PASSES(name), .prepares_one = 1

/* What is known of a loss from its line in the list. */
#define FL_DEFINE_RECIPE(name, y_domain, z_domain, cost, n_parameters, passes)                               \
    static const fl_domain fl_##name##_target = FL_DOMAIN_##y_domain;                                        \
    FL_INLINE fl_recipe fl_##name##_recipe(void) {                                                           \
        return (fl_recipe){.loss = name##_terms,                                                             \
                           .n_params = n_parameters,                                                         \
                           .target = fl_is_everything(&fl_##name##_target) ? NULL : &fl_##name##_target,     \
                           FL_PASSES_##passes(name)};                                                        \
    }
FL_POINTWISE_LOSSES(FL_DEFINE_RECIPE)

#define FL_DEFINE_OUTPUT_SET(name, set, sums, want_value, want_gradient, want_hessian)                       \
    static int fl_##name##_##set(size_t n, const void *y, const void *z, const double *params, double scale, \
                                 void *value, void *gradient, void *hessian) {                               \
        fl_recipe r = fl_##name##_recipe();                                                                  \
        r.adds = sums, r.value = want_value, r.gradient = want_gradient, r.hessian = want_hessian;           \
        return fl_compute_block(r, n, y, z, params, (real)scale, value, gradient, hessian);                  \
    }

#define FL_DEFINE_SOME(name, set, of, want_value, want_gradient, want_hessian)                               \
    static int fl_##name##_##set(size_t n, const void *y, const void *z, const double *params, double scale, \
                                 void *value, void *gradient, void *hessian) {                               \
        return fl_make_some(fl_##name##_##of, n, y, z, params, scale, NULL, want_value ? value : NULL,       \
                            want_gradient ? gradient : NULL, want_hessian ? hessian : NULL);                 \
    }
#define FL_DEFINE_SUMS(name, set, of, want_gradient, want_hessian)                                           \
    static int fl_##name##_##set(size_t n, const void *y, const void *z, const double *params, double scale, \
                                 void *lanes, void *gradient, void *hessian) {                               \
        return fl_make_some(fl_##name##_##of, n, y, z, params, scale, lanes, NULL,                           \
                            want_gradient ? gradient : NULL, want_hessian ? hessian : NULL);                 \
    }

/* Which sets of outputs have code of their own: all of them; but for sums, which cost next to nothing beside
 * the rest; but for slopes without values, which cost as little; values, since nobody asks for the slopes of a link. */
#define FL_DEFINE_SLOPES(name)                                                                               \
    FL_DEFINE_OUTPUT_SET(name, G, 0, 0, 1, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, VG, 0, 1, 1, 0)                                                               \
    FL_DEFINE_OUTPUT_SET(name, GH, 0, 0, 1, 1)
#define FL_SETS_CHEAP(name)                                                                                  \
    FL_DEFINE_OUTPUT_SET(name, S, 1, 0, 0, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, SG, 1, 0, 1, 0)                                                               \
    FL_DEFINE_OUTPUT_SET(name, SGH, 1, 0, 1, 1)                                                              \
    FL_DEFINE_SLOPES(name)
#define FL_SETS_MEDIUM FL_SETS_CHEAP
#define FL_SETS_HEAVY(name)                                                                                  \
    FL_DEFINE_SLOPES(name)                                                                                   \
    FL_DEFINE_SUMS(name, S, V, 0, 0)                                                                         \
    FL_DEFINE_SUMS(name, SG, VG, 1, 0)                                                                       \
    FL_DEFINE_SUMS(name, SGH, VGH, 1, 1)
#define FL_SETS_WHOLE(name)                                                                                  \
    FL_DEFINE_OUTPUT_SET(name, VG, 0, 1, 1, 0)                                                               \
    FL_DEFINE_SOME(name, G, VG, 0, 1, 0)                                                                     \
    FL_DEFINE_SOME(name, GH, VGH, 0, 1, 1)                                                                   \
    FL_DEFINE_SUMS(name, S, V, 0, 0)                                                                         \
    FL_DEFINE_SUMS(name, SG, VG, 1, 0)                                                                       \
    FL_DEFINE_SUMS(name, SGH, VGH, 1, 1)
#define FL_SETS_VALUES(name)                                                                                 \
    FL_DEFINE_SOME(name, G, VGH, 0, 1, 0)                                                                    \
    FL_DEFINE_SOME(name, VG, VGH, 1, 1, 0)                                                                   \
    FL_DEFINE_SOME(name, GH, VGH, 0, 1, 1)                                                                   \
    FL_DEFINE_SUMS(name, S, V, 0, 0)                                                                         \
    FL_DEFINE_SUMS(name, SG, VGH, 1, 0)                                                                      \
    FL_DEFINE_SUMS(name, SGH, VGH, 1, 1)

#define FL_DEFINE_BLOCKS(name, y_domain, z_domain, cost, n_params, passes)                                   \
    FL_DEFINE_OUTPUT_SET(name, V, 0, 1, 0, 0)                                                                \
    FL_DEFINE_OUTPUT_SET(name, VGH, 0, 1, 1, 1)                                                              \
    FL_SETS_##cost(name)
FL_POINTWISE_LOSSES(FL_DEFINE_BLOCKS)

#define FL_LIST_BLOCKS(name, y_domain, z_domain, cost, n_params, passes)                                     \
    {fl_##name##_V,   fl_##name##_G, fl_##name##_VG, fl_##name##_GH,                                         \
     fl_##name##_VGH, fl_##name##_S, fl_##name##_SG, fl_##name##_SGH},
static const fl_pointwise_blocks fl_pointwise_blocks_table[FL_N_POINTWISE] = {
    FL_POINTWISE_LOSSES(FL_LIST_BLOCKS)};

#endif
