/* The mathematics of the pointwise losses, each written once for both precisions: a branch-free function of
 * target y, prediction z and the parameters p that computes value, gradient by z and Hessian of one sample.
 * The outputs that a caller does not want are dead code in its loop; parameters are constants of the loop,
 * computed in double and rounded once. To add a loss, write its function in losses_regression.h or
 * losses_binary.h and its line in losses_list.h.
 *
 * NaN in y or z gives NaN in all outputs, infinities give the limit where that costs nothing, a kink has the
 * subgradient 0. */
#ifndef FL_POINTWISE_LOSSES_H
#define FL_POINTWISE_LOSSES_H

#include "../vecmath/power.h"

typedef struct {
    /* Larger than what comes back in registers, or clang on x86 makes vectors of two floats of it. */
    _Alignas(32) real value;
    real gradient, hessian;
} fl_terms;

/* What is known of a sample beforehand: whether name_magnitude() is at most FL_MODERATE in a whole chunk, or
 * name_is_plain() of the parameters, what the first of two passes hands to the second, and what name_constants() has
 * made. */
typedef struct {
    int moderate;
    real a, b;
    const void *constants;
} fl_prepared;

enum { FL_MAX_CONSTANTS = 48 };

typedef fl_terms (*fl_loss_fn)(real y, real z, const double *p, fl_prepared prepared);
typedef fl_prepared (*fl_prepare_fn)(real y, real z, const double *p, int moderate);
typedef real (*fl_magnitude_fn)(real y, real z, const double *p);
typedef int (*fl_plain_fn)(const double *p);
typedef void (*fl_constants_fn)(const double *p, void *constants);

/* A loss alone would be called like gamma() of macOS's math.h. */
#define FL_LOSS(name)                                                                                        \
    FL_INLINE fl_terms name##_terms(real y __attribute__((unused)), real z __attribute__((unused)),          \
                                    const double *p __attribute__((unused)),                                 \
                                    fl_prepared prepared __attribute__((unused)))
#define FL_PREPARE(name)                                                                                     \
    FL_INLINE fl_prepared name##_prepare(real y __attribute__((unused)), real z __attribute__((unused)),     \
                                         const double *p __attribute__((unused)),                            \
                                         int moderate __attribute__((unused)))

/* What must be moderate, and is not where anything is infinite or NaN, for a loss to take its shorter way. */
#define FL_MAGNITUDE(name)                                                                                   \
    FL_INLINE real name##_magnitude(real y __attribute__((unused)), real z __attribute__((unused)),          \
                                    const double *p __attribute__((unused)))

/* Whether parameters allow a loss to take its shorter way. */
#define FL_PLAIN(name) FL_INLINE int name##_is_plain(const double *p)

/* What of the parameters is the same for all samples, a struct of reals: a condition on parameters within the loop would
 * keep compilers from making vectors of it. */
#define FL_CONSTANTS(name, type)                                                                             \
    _Static_assert(sizeof(type) <= FL_MAX_CONSTANTS * sizeof(real), "room for the constants of " #name);     \
    FL_INLINE void name##_fill(const double *p, type *k);                                                    \
    FL_INLINE void name##_constants(const double *p, void *constants) {                                      \
        name##_fill(p, constants);                                                                           \
    }                                                                                                        \
    FL_INLINE void name##_fill(const double *p, type *k)

#include "losses_regression.h"

#include "losses_binary.h"

#include "../penalties/penalties.h"

#endif
