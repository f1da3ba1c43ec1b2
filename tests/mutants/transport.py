"""Breaks of the Wasserstein distances and the Sinkhorn divergences."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/transport/wasserstein.c",
        ("atoms->n += s->masses[from] > 0;", "atoms->n++;"),
        ("mine.row < first.row", "mine.row > first.row"),
        (
            "= fl_share_of(distances[i], weights[i]);\n            fl_add(&total, distances[i]);",
            "= distances[i];\n            fl_add(&total, fl_share_of(distances[i], weights[i]));",
        ),
        (
            "fl_is_row_bad(q, n, 0, FL_SECOND, row, complaint)",
            "fl_is_row_bad(q, n, -DBL_MAX, FL_SECOND, row, complaint)",
        ),
        ("(c, i, scale * weights[i],", "(c, i, scale,"),
    ),
    *breaks(
        "csrc/transport/quantile.h",
        ("#define FL_SAME_LEVEL (4 * DBL_EPSILON)", "#define FL_SAME_LEVEL 0"),
        ("pow(cost.mean, 1 / p - 1)", "pow(cost.mean, 1 / p)"),
        ("total += slope[end];", ""),
        ("cost.mean /= (double)n;", ""),
        ("if (p == 2 && 1 / cost.scale <= DBL_MAX)", "if (p == 2)"),
    ),
    *breaks(
        "csrc/transport/digits.h",
        ("return b >> 63 ? ~b : b | (uint64_t)1 << 63;", "return b;"),
        ("if (largest == n)", "if (largest > n / 2)"),
        ("from.order[i] = (ptrdiff_t)i;", "from.order[i] = 0;"),
    ),
    *breaks(
        "csrc/transport/histogram.h",
        ("copysign(step, more)", "step"),
        ("(potential[j] - mean)", "potential[j]"),
        ("size_t above = i + (i + 1 < u->n && u->upto[i] <= level + FL_SAME_LEVEL);", "size_t above = i;"),
    ),
    *breaks(
        "csrc/transport/line.h",
        ("(x[i] >= low) & (x[i] <= DBL_MAX)", "(x[i] >= low)"),
        ("for (int k = 0; i + k < n; k++)\n        lanes[k] += fl_abs(v[i + k] - u[i + k]);", ""),
    ),
    *breaks(
        "csrc/transport/softmin.h",
        ("if (!(sum[i] >= FL_SUM_SMALLEST && sum[i] <= FL_SUM_LARGEST))", "if (0)"),
        ("fl_add_dims(x, y, stride, 3, 1, n, c);", "fl_add_dims(x, y, stride, 2, 1, n, c);"),
        ("for (; k < d; k += 4)", "for (; k + 4 < d; k += 4)"),
        ("(c[j] > 0 ? weight[j] / c[j] : 0)", "(weight[j] / c[j])"),
        ("weight[j] = s->euclidean", "weight[j] = !s->stored && s->euclidean"),
    ),
    *breaks(
        "csrc/transport/sinkhorn.c",
        (
            "i == c->max_iter || (at_reg && violation <= c->tol)",
            "i == c->max_iter || (at_reg && violation <= 1e3 * c->tol)",
        ),
        ("if (side->rows->weight[i] > 0)\n                sum +=", "sum +="),
        ("c->debiased ? pull[i] - own_pull[i] : pull[i]", "pull[i]"),
        ("fl_stops(watch, &done, fl_times(x->n, y->n)) || fl_is_stopped(watch)", "0"),
        ("fl_stops(watch, &done, fl_times(x->n, x->n)) || fl_is_stopped(watch)", "fl_is_stopped(watch)"),
        tests="interrupts",
    ),
]
