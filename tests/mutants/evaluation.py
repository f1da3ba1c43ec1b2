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
        ("if (a->additions + b->additions >= FL_EXACT_CARRY_AFTER) {", "if (0) {"),
        ("a->additions += b->additions;", ""),
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
    ),
    *breaks(
        "csrc/evaluation/count_runs.h",
        ("(int64_t)(2 * c.rows[1] + a);", "(int64_t)(2 * c.rows[1]);"),
        ("(int64_t)(2 * c.rows[0] + b);", "(int64_t)(2 * c.rows[0]);"),
        ("(i ^ (flip & (FL_RUN_PART - 1u)))", "i"),
        ("(start ^ (flip & ~(FL_RUN_PART - 1u)))", "start"),
        ("total[k % 2] += lanes[k];", "total[k % 2] = lanes[k];"),
    ),
    *breaks(
        "csrc/evaluation/tables.c",
        ("n += (pair[0] | pair[1]) != 0;", "n += pair[0] != 0;"),
        ("sum - off * off / n", "sum"),
        ("(2 * pairs - wins) / (double)c.rows[1]", "wins / (double)c.rows[1]"),
        ("if (total[r][0] | total[r][1])", "if (total[r][0])"),
    ),
    *breaks(
        "csrc/evaluation/weights.c",
        ("if (fl_is_nothing(squares[0]) && fl_is_nothing(squares[1]))", "if (fl_is_nothing(squares[0]))"),
        ("weight[label][i] * share;", "share;"),
        ("value + 2 * (k ^ flip)", "value + 2 * k"),
    ),
    *breaks(
        "csrc/evaluation/scores.c",
        ("a->high += high + (a->low < low);", "a->high += high;"),
        ("carry = a->middle < carry;", "carry = 0;"),
    ),
    *breaks(
        "csrc/evaluation/order.c",
        ("next[codes[start + i]]++;", "next[codes[start]]++;"),
        ("from + i * itemsize, itemsize);", "from + i * itemsize, 1);"),
        ("arrays[k].from + start * itemsize", "arrays[k].from"),
    ),
    *breaks(
        "csrc/counting/items.c",
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
        ("fl_double_of(words[2 * i]) * 0x1p-64", "0"),
        ("2 * (key >> FL_TO_COARSE) + (label & 1u)", "2 * (key >> FL_TO_COARSE)"),
    ),
    *breaks(
        "csrc/evaluation/ranking.c",
        ("before + (sum + weight[i] / 2)", "before + sum"),
        ("sums[1] += a[i] * b[i];", ""),
        ("* s->weight[label] - s->square[label]);", "* s->weight[label]);"),
        ("fl_add(&total[label], sum);", "total[label].sum += sum / 2;"),
    ),
]
