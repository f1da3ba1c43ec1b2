"""Breaks of the exact sums, and of the counts of scores."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/evaluation/exact.h",
        ("(a->limb[i] - low) / ((int64_t)1 << 32)", "a->limb[i] / ((int64_t)1 << 32)"),
        ("*place = exponent ? exponent - 1 : 0;", "*place = exponent;"),
        ("const int at[] = {0, 32, 32, 64};", "const int at[] = {0, 32, 32, 63};"),
        ("a->below += b->below;", "a->below += b->above;"),
    ),
    *breaks(
        "csrc/evaluation/sum_blocks.h",
        ("return rest == 0; /* not where", "return rest < 1e-9; /* not where"),
        ("FL_HEADROOM = 9,", "FL_HEADROOM = 5,"),
        ("enum { FL_FLOAT_SPAN = 18 };", "enum { FL_FLOAT_SPAN = 30 };"),
        ("2 * (top - 126)", "2 * (top - 140)"),
        ("(w[i] != 0 ? x[i] : 0) * w[i]", "x[i] * w[i]"),
        ("fabs(x) >= 0x1p-480 && fabs(x) <= 0x1p480", "fabs(x) <= 0x1p480"),
    ),
    *breaks(
        "csrc/evaluation/moments.c",
        ("counted ? NULL : by_weight + k;", "NULL;"),
        ("m->floats || m->weights", "m->floats"),
        ("fl_add_doubles(ops, a, NULL, low, n);", ""),
    ),
    *breaks(
        "csrc/evaluation/tables.c",
        ("(2 * (c->rows[0] - c->above[0]) - b)", "(2 * (c->rows[0] - c->above[0]))"),
        ("c->tied += a * b;", ""),
        ("double lost = above[1] + a / 2", "double lost = above[1]"),
        ("n * (n - 1)", "n * n"),
        ("n += (pair[0] | pair[1]) != 0;", "n += pair[0] != 0;"),
    ),
    *breaks(
        "csrc/evaluation/scores.c",
        ("a->high += (uint64_t)whole + (a->low < low);", "a->high += (uint64_t)whole;"),
        ("w * w);", "w);"),
        ("order[starts[codes[i]]++]", "order[starts[codes[n - 1 - i]]++]"),
    ),
    *breaks(
        "csrc/evaluation/score_keys.h",
        ("x < 0 ? FL_SCORE_KEYS / 2 - 1 - bits", "x < 0 ? FL_SCORE_KEYS / 2 - bits"),
        ("fabsf(x) + 0x1p-20f", "fabsf(x)"),
    ),
    *breaks(
        "csrc/evaluation/ranking.c",
        ("a * b / 2);\n        ks", "0);\n        ks"),
        ("(negatives - B - b / 2)", "(negatives - B)"),
        ("- s->square[k]);", ");"),
    ),
]
