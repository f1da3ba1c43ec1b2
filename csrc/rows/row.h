/* A row while it is being computed, and the interface between a loss and the loops over its rows.
 *
 * A row is read twice at most. For each kernel `name` there are inline functions of scalars, each vectorised
 * by the loop around it, across rows or along them:
 *
 *   name_scan(entry, row)     what the row's reference is the maximum of, and the poison, NaN for a NaN
 *   name_prepare(row)         what the terms need, from the reference
 *   name_adds(o)              which sums there are
 *   name_term(entry, row, o)  what to add up along the row, and what to keep in place of z
 *   name_close(row, o)        turns the sums of a chunk into what can be merged
 *   name_merge(p, q, o)       two chunks of a row
 *   name_finish(row, o)       the row's value, and what its slopes need
 *   name_emit(entry, row, o)  gradient and Hessian of one class
 *
 * Kernels of one kind share what they can: plain.inc and softmax.inc give them all but their sums, term,
 * finish and emit. */
#ifndef FL_ROWS_ROW_H
#define FL_ROWS_ROW_H

#include "../blocks/real.h"
#include "../names.h"
#include "../vecmath/log.h"
#include "kernel_types.h"

#define FL_ROW_FIELDS(X)                                                                                     \
    X(real, weight)       /* multiplies gradient and Hessian */                                              \
    X(real, class_weight) /* of the true class */                                                            \
    X(real, own)          /* the prediction of the true class */                                             \
    X(real, reference)    /* the maximum of what was scanned */                                              \
    X(real, poison)       /* NaN if an input was */                                                          \
    X(real, offset)                                                                                          \
    X(real, scale)                                                                                           \
    X(real, top)                                                                                             \
    X(real, others)                                                                                          \
    X(real, a) /* sums of terms */                                                                           \
    X(real, b)                                                                                               \
    X(real, c)                                                                                               \
    X(real, d)                                                                                               \
    X(real, p) /* from finish to emit */                                                                     \
    X(real, q)                                                                                               \
    X(real, r)                                                                                               \
    X(real, s)                                                                                               \
    X(real, value)                                                                                           \
    X(real_int, label) /* the true class, -1 in an ignored row */                                            \
    X(real_int, first) /* the least class of those that a kernel looks for */

/* The sums of a row's terms, which the loops know by letters and the losses by what they are:
 *
 *   but_own   the terms of all classes but the true one, where targets are class indices
 *   rest      otherwise those of all but the largest one
 *   n_top     how often the largest one occurs
 *   own_term  the true class's; lost: what the sum of the others is off by
 *   distance  Σt·(reference − z) for targets t; target: their sum
 *   but_top   the terms of all but the largest one, where targets are class indices
 *   total     what the value is made of; n_positive: how many terms of it are positive
 *   mass      the sum of a row of probabilities
 *
 * Behind them, what finish puts into the place of sums that are no longer needed, for emit. */
#define FL_ROW_SUMS                                                                                          \
    union {                                                                                                  \
        real a, but_own, rest, total, residual, own_bend, own_part;                                          \
    };                                                                                                       \
    union {                                                                                                  \
        real b, n_top, n_positive, bend, inverse_others;                                                     \
    };                                                                                                       \
    union {                                                                                                  \
        real c, own_term, lost, distance, log_scale;                                                         \
    };                                                                                                       \
    union {                                                                                                  \
        real d, but_top, target, mass, steepness, inverse_sum;                                               \
    };

typedef struct {
    real weight, class_weight, own, reference, poison, offset, scale, top, others;
    FL_ROW_SUMS
    /* From finish to emit. Mostly: the slope of a term, or of a probability; that of the true class; what
     * makes a term a probability; the sum of all terms. */
    union {
        real p, slope, by_location, excess;
    };
    union {
        real q, own_slope, by_scale, curvature, half_unit, half_scale, nan;
    };
    union {
        real r, inverse, bend_of_location;
    };
    union {
        real s, sum, bend_of_scale;
    };
    real value;
    real_int label, first;
} fl_row;

/* The fields that a chunk of a row has of its own before close, and after it. */
#define FL_PART_FIELDS(X)                                                                                    \
    X(real, reference)                                                                                       \
    X(real, poison)                                                                                          \
    X(real, a)                                                                                               \
    X(real, b)                                                                                               \
    X(real, c)                                                                                               \
    X(real, d)                                                                                               \
    X(real_int, first)
#define FL_LEVEL_FIELDS(X)                                                                                   \
    FL_PART_FIELDS(X)                                                                                        \
    X(real, offset)                                                                                          \
    X(real, scale)                                                                                           \
    X(real, top)                                                                                             \
    X(real, others)

typedef struct {
    real candidate, poison;
} fl_row_scan;

typedef struct {
    real kept;
    FL_ROW_SUMS
    real_int first;
} fl_row_term;

typedef struct {
    real gradient, hessian;
} fl_row_slopes;

/* One class of one row: prediction (or what was kept in its place), dense target, the class's entries of
 * fl_row_options.own and base, its index, and whether it is the true class. */
typedef struct {
    real z, y, own_weight, base_weight;
    real_int k;
    int is_own;
} fl_row_entry;

/* form, across, hessian (whether one is made), own_term (whether terms put the true class's into c), moderate
 * (whether no term is below the normal numbers) and unlikely (whether the true class has a small part of
 * the row's sum) are compile-time constants. */
typedef struct {
    int form, across, hessian, own_term, moderate, unlikely;
    real gamma, base_sum;
    double gamma_exact, log_base, constant, kink_width;
    int gauss_newton, rounds_kinks;
} fl_row_setting;

#define FL_ROW_UNUSED __attribute__((unused))
#define FL_ROW_SCAN(name)                                                                                    \
    FL_INLINE fl_row_scan FL_PASTE(name, _, scan)(fl_row_entry e FL_ROW_UNUSED, fl_row row FL_ROW_UNUSED)
#define FL_ROW_PREPARE(name) FL_INLINE fl_row FL_PASTE(name, _, prepare)(fl_row row)
#define FL_ROW_TERM(name)                                                                                    \
    FL_INLINE fl_row_term FL_PASTE(name, _, term)(fl_row_entry e FL_ROW_UNUSED, fl_row row FL_ROW_UNUSED,    \
                                                  fl_row_setting o FL_ROW_UNUSED)
#define FL_ROW_CLOSE(name)                                                                                   \
    FL_INLINE fl_row FL_PASTE(name, _, close)(fl_row row, fl_row_setting o FL_ROW_UNUSED)
#define FL_ROW_MERGE(name)                                                                                   \
    FL_INLINE fl_row FL_PASTE(name, _, merge)(fl_row p, fl_row q, fl_row_setting o FL_ROW_UNUSED)
#define FL_ROW_FINISH(name)                                                                                  \
    FL_INLINE fl_row FL_PASTE(name, _, finish)(fl_row row, fl_row_setting o FL_ROW_UNUSED)
#define FL_ROW_EMIT(name)                                                                                    \
    FL_INLINE fl_row_slopes FL_PASTE(name, _, emit)(fl_row_entry e FL_ROW_UNUSED, fl_row row FL_ROW_UNUSED,  \
                                                    fl_row_setting o FL_ROW_UNUSED)

enum { FL_NOT_FOUND = INT32_MAX };

/* The target of one class, where targets are spread over the classes. */
FL_INLINE real fl_row_target(fl_row_entry e, int form) {
    if (form == FL_DENSE)
        return e.y;
    if (form == FL_DENSE_WEIGHTED)
        return fl_fma(e.y, e.own_weight, e.base_weight);
    return e.base_weight + (e.is_own ? e.own_weight : 0);
}

/* Which sums a kernel adds up, whether c also takes the rounding errors of a's sum, and whether it looks for
 * the least class of some. */
enum {
    FL_ADDS_A = 1,
    FL_ADDS_B = 2,
    FL_ADDS_C = 4,
    FL_ADDS_D = 8,
    FL_ADDS_ALL = 15,
    FL_ADDS_BUT_OWN = FL_ADDS_A,
    FL_ADDS_REST = FL_ADDS_A,
    FL_ADDS_TOTAL = FL_ADDS_A,
    FL_ADDS_RESIDUAL = FL_ADDS_A,
    FL_ADDS_N_TOP = FL_ADDS_B,
    FL_ADDS_N_POSITIVE = FL_ADDS_B,
    FL_ADDS_OWN_TERM = FL_ADDS_C,
    FL_ADDS_LOST = FL_ADDS_C,
    FL_ADDS_LOG_SCALE = FL_ADDS_C,
    FL_ADDS_BUT_TOP = FL_ADDS_D,
    FL_ADDS_MASS = FL_ADDS_D,
    FL_COMPENSATES_A = 16,
    FL_FINDS_FIRST = 32
};
#define FL_ROW_ADDS(name, sums)                                                                              \
    FL_INLINE int FL_PASTE(name, _, adds)(fl_row_setting o FL_ROW_UNUSED) {                                  \
        return sums;                                                                                         \
    }

/* What (p + q) + (r + s) is off by. */
FL_INLINE real fl_error_of_sum(real p, real q, real r, real s) {
    fl_pair a = fl_two_sum(p, q), b = fl_two_sum(r, s);
    return (a.lo + b.lo) + fl_two_sum(a.hi, b.hi).lo;
}

FL_INLINE real_int fl_first_of(real_int a, real_int b) {
    return b < a ? b : a;
}

/* The sums of four classes' terms. */
FL_INLINE fl_row_term fl_sum_of_terms(fl_row_term p, fl_row_term q, fl_row_term r, fl_row_term s) {
    p.a = (p.a + q.a) + (r.a + s.a);
    p.b = (p.b + q.b) + (r.b + s.b);
    p.c = (p.c + q.c) + (r.c + s.c);
    p.d = (p.d + q.d) + (r.d + s.d);
    p.first = fl_first_of(fl_first_of(p.first, q.first), fl_first_of(r.first, s.first));
    return p;
}

FL_INLINE fl_row fl_row_add(fl_row p, fl_row q) {
    p.poison += q.poison;
    p.a += q.a;
    p.b += q.b;
    p.c += q.c;
    p.d += q.d;
    return p;
}

#endif
