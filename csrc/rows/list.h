/* The list of row kernels: one line each drives the table of descriptions, the functions of both precisions
 * and every instruction set, and so the tests and the benchmarks.
 *
 * X(name, kind, forms, target's domain, prediction's domain, Hessian, checks the row sums)
 *   kind    PLAIN: sums over the row; SCANNED: a maximum of the row comes first; SOFTMAX: and the terms that
 *           a row is made of are kept for the slopes; FLAT: such a one, whose tiles of few classes are flat
 *           unless targets are spread over the classes; FUSED: one that has a loop for two and three
 *           classes, since what its terms are off by costs more there than looking for the maximum
 *   forms   LABELS: class indices; LABELS_SMOOTHED: also with a smoothed target; DENSE: dense targets; ALL:
 *           everything; LEVELS: dense, with a number for each class; LINK: no targets
 * The mathematics of a kernel is in the files that kernels.h includes. */
#ifndef FL_ROWS_LIST_H
#define FL_ROWS_LIST_H

#include "description.h"

/* clang-format off */
#define FL_ROW_KERNELS(X)                                                         \
    X(cross_entropy,               FLAT,    ALL,    NON_NEGATIVE, ANY,          1, 0)      \
    X(cross_entropy_probabilities, PLAIN,   ALL,    NON_NEGATIVE, FRACTION,     1, 1)      \
    X(focal,                       FUSED,   LABELS, NON_NEGATIVE, ANY,          1, 0)      \
    X(poly1_cross_entropy,         SOFTMAX, LABELS, NON_NEGATIVE, ANY,          1, 0)      \
    X(focal_probabilities,         PLAIN,   LABELS, NON_NEGATIVE, FRACTION,     1, 1)      \
    X(generalized_cross_entropy,   SOFTMAX, LABELS, NON_NEGATIVE, ANY,          1, 0)      \
    X(crammer_singer,              SCANNED, LABELS, NON_NEGATIVE, ANY,          1, 0)      \
    X(weston_watkins,              PLAIN,   LABELS, NON_NEGATIVE, ANY,          1, 0)      \
    X(kl_divergence,               PLAIN,   DENSE,  NON_NEGATIVE, NON_NEGATIVE, 1, 1)      \
    X(kl_divergence_logits,        SOFTMAX, DENSE,  NON_NEGATIVE, ANY,          1, 0)      \
    X(js_divergence,               PLAIN,   DENSE,  NON_NEGATIVE, NON_NEGATIVE, 1, 1)      \
    X(js_distance,                 PLAIN,   DENSE,  NON_NEGATIVE, NON_NEGATIVE, 1, 1)      \
    X(gaussian_nll,                PLAIN,   DENSE,  ANY,          ANY,          1, 0)      \
    X(laplace_nll,                 PLAIN,   DENSE,  ANY,          ANY,          1, 0)      \
    X(student_t_nll,               PLAIN,   DENSE,  ANY,          ANY,          1, 0)      \
    X(multi_quantile,              PLAIN,   LEVELS, ANY,          ANY,          1, 0)      \
    X(euclidean_error,             SCANNED, DENSE,  ANY,          ANY,          0, 0)      \
    X(softmax,                     FLAT,    LINK,   ANY,          ANY,          0, 0)      \
    X(log_softmax,                 SCANNED, LINK,   ANY,          ANY,          0, 0)

/*                                    low                 high                 open integral nan_ok */
#define FL_ROW_DOMAIN_ANY             {-__builtin_inf(),  __builtin_inf(),     0,   0,       1}
#define FL_ROW_DOMAIN_NON_NEGATIVE    {0,                 __DBL_MAX__,         0,   0,       0}
#define FL_ROW_DOMAIN_FRACTION        {0,                 1,                   0,   0,       0}
/* clang-format on */

enum {
    FL_SCANS_PLAIN = 0,
    FL_SCANS_SCANNED = 1,
    FL_SCANS_SOFTMAX = 1,
    FL_SCANS_FLAT = 1,
    FL_SCANS_FUSED = 1,
    FL_KEEPS_PLAIN = 0,
    FL_KEEPS_SCANNED = 0,
    FL_KEEPS_SOFTMAX = 1,
    FL_KEEPS_FLAT = 1,
    FL_KEEPS_FUSED = 1,
    FL_IS_FLAT_PLAIN = 0,
    FL_IS_FLAT_SCANNED = 0,
    FL_IS_FLAT_SOFTMAX = 0,
    FL_IS_FLAT_FLAT = 1,
    FL_IS_FLAT_FUSED = 0
};

enum {
    FL_FORMS_LABELS = 1 << FL_BY_LABEL,
    FL_FORMS_DENSE = 1 << FL_DENSE,
    FL_FORMS_ALL = 1 << FL_BY_LABEL | 1 << FL_SMOOTHED | 1 << FL_DENSE | 1 << FL_DENSE_WEIGHTED,
    FL_FORMS_LEVELS = 1 << FL_DENSE_WEIGHTED,
    FL_FORMS_LINK = 1 << FL_NO_TARGET
};

enum {
#define FL_ENUMERATE(name, kind, forms, y, z, has_hessian, checks_sum) FL_ROWS_##name,
    FL_ROW_KERNELS(FL_ENUMERATE)
#undef FL_ENUMERATE
        FL_N_ROW_KERNELS
};

/* What the loops of a kernel turn on. */
enum {
#define FL_ENUMERATE(name, kind, forms, y, z, has_hessian, checks_sum)                                       \
    FL_SCANS_##name = FL_SCANS_##kind, FL_KEEPS_##name = FL_KEEPS_##kind,                                    \
    FL_HAS_HESSIAN_##name = has_hessian, FL_CHECKS_SUM_##name = checks_sum,
    FL_ROW_KERNELS(FL_ENUMERATE)
#undef FL_ENUMERATE
};

#define FL_DESCRIBE_ROWS(name, kind, forms, y, z, has_hessian, checks_sum)                                   \
    {#name,       FL_FORMS_##forms, FL_ROW_DOMAIN_##y, FL_ROW_DOMAIN_##z,                                    \
     has_hessian, checks_sum,       FL_IS_FLAT_##kind},
#define FL_ROW_DESCRIPTIONS FL_ROW_KERNELS(FL_DESCRIBE_ROWS)

#endif
