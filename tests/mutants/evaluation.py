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
        ("return any << 1 ? FL_SOME_LEFT", "return any >> 40 ? FL_SOME_LEFT"),
        ("if (totals[0] != totals[0])", "if (0)"),
        ("FL_HEADROOM = 9,", "FL_HEADROOM = 5,"),
        ("FL_NARROW_SPAN = 18", "FL_NARROW_SPAN = 21"),
        ("FL_WIDE_SPAN = 40", "FL_WIDE_SPAN = 43"),
        ("fl_split_floats(x, n, top - 126, 2,", "fl_split_floats(x, n, top - 133, 2,"),
        ("return any << 1 == 0;", "return 1;"),
        ("low[0]++;", ""),
        ("(w[i] != 0 ? x[i] : 0) * w[i]", "x[i] * w[i]"),
        ("fabs(x) >= 0x1p-480 && fabs(x) <= 0x1p480", "fabs(x) <= 0x1p480"),
    ),
    *breaks(
        "csrc/evaluation/moments.c",
        ("counted ? NULL : by_weight + k;", "NULL;"),
        ("m->floats || m->weights", "m->floats"),
        ("fl_add_doubles(ops, a, NULL, low, n);", ""),
        ("f.smallest >= 0x1p-480", "f.smallest >= 0"),
        ("            x = rest;", "            break;"),
    ),
    *breaks(
        "csrc/evaluation/pairs.h",
        ("b * (2 * c->rows[1] + a);", "b * (2 * c->rows[1]);"),
        ("c->tied += a * b;", ""),
        ("double lost = s->above[1] + a / 2", "double lost = s->above[1]"),
        ("n * (n - 1)", "n * n"),
        ("- s->square[label]);", ");"),
        ("double lost = (fl_total(above[1]) + a / 2)", "double lost = fl_total(above[1])"),
    ),
    *breaks("csrc/evaluation/tables.c", ("n += (pair[0] | pair[1]) != 0;", "n += pair[0] != 0;")),
    *breaks(
        "csrc/evaluation/weights.c",
        ("if (fl_is_nothing(square[0]) && fl_is_nothing(square[1]))", "if (fl_is_nothing(square[0]))"),
        ("b * (fl_total(above[1]) + a / 2)", "b * fl_total(above[1])"),
        ("fl_add(&tied, a * b / 2);", ""),
        ("e->weight[label][i] * share;", "share;"),
    ),
    *breaks(
        "csrc/evaluation/scores.c",
        ("a->high += high + (a->low < low);", "a->high += high;"),
        ("carry = a->middle < carry;", "carry = 0;"),
    ),
    *breaks(
        "csrc/evaluation/order.c",
        ("order[starts[codes[i]]++]", "order[starts[codes[n - 1 - i]]++]"),
        ("from + order[i] * itemsize, itemsize);", "from + order[i] * itemsize, 1);"),
    ),
    *breaks(
        "csrc/counting/items.c",
        ("memcpy(&word, item, itemsize);\n    hash", "hash"),
        ("memcmp(items + first[*slot - 1] * itemsize, item, itemsize) == 0", "1"),
        ("*slot = (uint32_t)++*n_codes;", "*slot = (uint32_t)(*n_codes)++;"),
    ),
    *breaks(
        "csrc/ranking/ranking.c",
        ("g.negative[k] - spread.above[0]", "g.negative[k]"),
    ),
    *breaks(
        "csrc/evaluation/score_keys.h",
        ("x < 0 ? FL_SCORE_KEYS / 2 - 1 - bits", "x < 0 ? FL_SCORE_KEYS / 2 - bits"),
        ("fabsf(x) + 0x1p-20f", "fabsf(x)"),
        ("(*x - (double)whole) * 0x1p32", "*x * 0x1p32"),
        ("double x = w[i] * w[i];", "double x = w[i];"),
    ),
    *breaks(
        "csrc/evaluation/ranking.c",
        ("a * b / 2);\n        ks", "0);\n        ks"),
        ("(negatives - B - b / 2)", "(negatives - B)"),
    ),
]
