"""Breaks of the pointwise losses, their driver, and the penalties."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/pointwise/drive.h",
        ("fl_add_all(&all->weight, segments[s].weight);", "fl_add(&all->weight, segments[s].weight.sum);"),
        ("start + i < s->bad_index", "start + i > s->bad_index"),
        ("memset((char *)v + n * sizeof(real), 0, (padded - n) * sizeof(real));", ""),
        ("c->total /= c->weight_sum;", "c->total /= (double)c->n;"),
        ("is_mean && !shares ? 1 / c->weight_sum", "is_mean && !shares ? 1 / (double)c->n"),
        ("int checks = in_place &&", "int checks = 0 &&"),
    ),
    *breaks(
        "csrc/pointwise/drive.h",
        ("if (suspicious && fl_first_outside(y, m, p->target) < m)", "if (0)"),
        ("fl_stream(hessian + start, h, m);", "fl_stream(hessian + start, g, m);"),
        (
            "fl_any_outside(z, m, p->prediction) &&",
            "fl_any_outside(z, 16, p->prediction) &&",
        ),
    ),
    *breaks(
        "csrc/pointwise/kernels.h",
        ("fl_add_stored(sums, kept + i);", "fl_add_stored(sums, kept + (i == 16 ? 0 : i));"),
        ("        beyond |= fl_beyond_moderate(r, s, i);\n    return", "    return"),
    ),
    *breaks(
        "csrc/pointwise/losses_regression.h",
        ("real w = r > 0 ? above : below;", "real w = r > 0 ? below : above;"),
        ("fl_two_difference(z, y).lo, fl_fma(-delta2.lo", "0, fl_fma(-delta2.lo"),
        ("(y == 0) | (e > FL_LARGEST)", "(e > FL_LARGEST)"),
        ("k == 0 ? r.lo * scale : top.lo - bottom.lo", "top.lo - bottom.lo"),
        ("hessian64 = fl_fma(hessian64, -2 * rounding, hessian64);", ""),
        ("int inside = a < beta;", "int inside = a <= beta;"),
        ("size > 0x1p-10 && size < 0x1p30 ?", "size ?"),
        ("k->flat_beyond = alpha == 1 ? FL_HUGE : FL_INFINITY;", "k->flat_beyond = FL_INFINITY;"),
        ("k->inverse_c_if_huge.hi *= c < 1 ? k->down : 1;", "k->inverse_c_if_huge.hi *= k->down;"),
        ("> 0x1p-28 * p[0]", ">= 0"),
        ("w = a > c || inside < 0 ? 0 : inside;", "w = a > c ? 0 : inside;"),
        ("fl_fma(2 * FL_LN2, k, fl_fma(2, prepared.a, 1))", "fl_fma(2 * FL_LN2, k, 1)"),
        (".b = m.lo + u2.lo};", ".b = m.lo};"),
    ),
    *breaks(
        "csrc/vecmath/exp.h",
        ("fl_fma(fraction, FL_LN2, (-2 * FL_LN2) * u.hi * u.lo)", "fraction * FL_LN2"),
    ),
    *breaks(
        "csrc/pointwise/losses_binary.h",
        ("!prepared.moderate && against == 0 ? l : value", "value"),
        ("real kept = m >= 0 ? 0 : m;", "real kept = m > 1 ? 0 : m;"),
        ("kept, t > 0 ? -s : kept, fl_keep_nan(t, 0)", "kept, t >= 0 ? -s : kept, fl_keep_nan(t, 0)"),
        ("(fl_flip_sign(r.lo, r.hi) - threshold_error)", "(0 - threshold_error)"),
    ),
    *breaks(
        "csrc/pointwise/curvature_blocks.h",
        ("return (r == 0) | is_near ? h : g / r;", "return h;"),
        ("(r == 0) | is_near ? h", "r == 0 ? h"),
        ("real kept = distance > width ? distance : width;", "real kept = distance;"),
    ),
    *breaks(
        "csrc/pointwise/curvature_list.h",
        ("X(gamma,                     at_least_one,", "X(gamma,                     exact,"),
    ),
    *breaks(
        "csrc/penalties/penalties.h", ("fl_fma((real)(p[1] / 2), a, alpha)", "fl_fma((real)p[1], a, alpha)")
    ),
]
