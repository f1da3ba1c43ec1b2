"""Breaks of the row losses and their driver."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/rows/drive.h",
        ("fl_add_all(&counted, segments[s].counted);", "fl_add(&counted, segments[s].counted.sum);"),
        ("segments[s].has_off_row && !c->has_off_row", "segments[s].has_off_row"),
        ("return 0;\n        written++;", "written += 0;\n        written++;"),
    ),
    *breaks(
        "csrc/rows/options.h",
        ("(weights ? weights[k] : 1) * p->class_scale", "(weights ? weights[0] : 1) * p->class_scale"),
        ("w * s / (double)n);\n        p->options", "w * s);\n        p->options"),
    ),
    *breaks(
        "csrc/rows/weights.h",
        ("s->status != FL_OK && (row > s->bad_row ||", "0 && (row > s->bad_row ||"),
        ("s->n_counted += !(fl_by_label(p) && t->label[i] < 0);", "s->n_counted += 1;"),
        ("share = t->label[i] < 0 ? 0 :", "share ="),
        ("fl_take_shares(line, share + i, 0,", "fl_take_shares(line, share, 0,"),
        ("fl_is_usual(largest, float32) ? 1 :", "fl_is_usual(largest, 0) ? 1 :"),
        tests="weights",
    ),
    *breaks(
        "csrc/rows/clear.h",
        ("of_class == 0 ? 0 :", "0 ? 0 :"),
        ("weight[i] != 0 ? line[i] : 0", "line[i]"),
        tests="weights",
    ),
    *breaks(
        "csrc/rows/labels.inc",
        ("(unsigned)(x < limit)", "(unsigned)(x <= limit)"),
        ("(real_int)(inside ? x : 0)", "(int16_t)(inside ? x : 0)"),
        ("inside &= (unsigned)((WIDE)label == x);", ";"),
    ),
    *breaks(
        "csrc/rows/tiles.h",
        (
            "if (lines == FL_LINES_IN_PLACE)\n        return;",
            "if (lines != FL_LINES_SCATTERED)\n        return;",
        ),
        ("run += (ptrdiff_t)piece * stride", "run += (ptrdiff_t)piece * (stride > 0 ? stride : -stride)"),
        ("memcpy(to + i, from + i, bytes - i);", ""),
    ),
    *breaks(
        "csrc/rows/transpose.h",
        ("to[3 * i + 2] = from[2 * stride", "to[3 * i + 2] = from[1 * stride"),
    ),
    *breaks(
        "csrc/rows/transpose.h",
        ("? k : n_columns - FL_PIECE_REALS);", "? k : k - FL_PIECE_REALS);"),
        tier="v3",
    ),
    *breaks(
        "csrc/rows/along.inc",
        ("t0.c += fl_error_of_sum(t0.a, t1.a, t2.a, t3.a);", ";"),
        ("row.first == FL_NOT_FOUND ? 0 : (real_int)chunk.start", "0"),
        ("rest = (at - whole) / FL_ALONG_LANES", "rest = 0"),
        (
            "fl_put_tail(kept, (size_t)left, g + at);",
            "fl_put_tail(kept, (size_t)(left > 1 ? left - 1 : left), g + at);",
        ),
        ("fl_sum_parts(c, part) : 0;", "fl_sum_parts(c, part & ~(size_t)7) : 0;"),
        ("row = FL_STEP(merge)(fl_take_level(s, level), row, o);", "row = FL_STEP(merge)(row, row, o);"),
        ("size_t at = n - FL_SCAN_STEP;", "size_t at = 0;"),
    ),
    *breaks(
        "csrc/rows/softmax.h",
        ("#define FL_HEADROOM FL_CONST(26.0, 56.0)", "#define FL_HEADROOM FL_CONST(-3.0, -3.0)"),
        ("return term == row.top ? row.others : sum - term;", "return sum - term;"),
        ("row.n_top > 0 ? fl_fma(row.n_top - 1, row.top, but_top) : but_top", "but_top"),
        ("of.reference - to.reference > -FL_SOFTMAX_RANGE ? factor : 0", "factor"),
        ("real k = (of.scale - FL_ROUND_MAGIC) - (to.scale - FL_ROUND_MAGIC);", "real k = 0;"),
        ("return fl_log1p_unit(f, k * FL_LN2_LO)", "return fl_log1p_unit(f, 0)"),
    ),
    *breaks(
        "csrc/rows/cross_entropy.h",
        ("(row.target - t, p, -(t * rest))", "(row.target, p, -t)"),
        (
            "real weight = ignored ? 0 : fl_fma(row.weight, row.class_weight, s.nan);",
            "real weight = fl_fma(row.weight, row.class_weight, s.nan);",
        ),
        (
            "row.class_weight == 0 ? 0 : row.class_weight * (row.reference - row.own)",
            "row.class_weight * (row.reference - row.own)",
        ),
        ("return p < FL_EPSILON ? FL_EPSILON : p;", "return p;"),
    ),
    *breaks(
        "csrc/rows/focal.h",
        ("sum.lo += others.lo + fl_scaled_exp_error(row.own - row.offset, row.scale, 0);", ""),
        ("certain ? r : rl / q", "rl / q"),
        ("o.gauss_newton ? 0 : row.own_bend", "row.own_bend"),
        ("odds * (2 * o.gamma + odds)", "odds * (2 + odds)"),
    ),
    *breaks(
        "csrc/rows/hinge.h",
        ("(fl_abs(d.hi) <= FL_LARGEST ? d.lo : 0)", "0"),
        ("p.poison += q.poison;", ""),
        ("((margin > 0) & !e.is_own) ? 1 : 0", "(margin > 0) ? 1 : 0"),
    ),
    *breaks(
        "csrc/rows/divergence.h",
        ("h = fl_fma(h, u2, (real)(1 / 56.0));", "h = fl_fma(h, u2, (real)(1 / 58.0));"),
        ("u < (real)0.25", "u < (real)0.5"),
        ("-sum.lo / sum.hi", "0"),
        ("((p > 0) & !usual) ? FL_INFINITY : 0", "0"),
    ),
    *breaks(
        "csrc/rows/euclidean.h",
        ("FL_CONST(0x1p50, 0x1p400)", "FL_CONST(0x1p100, 0x1p900)"),
        ("root == 0 ? 0 : row.weight", "row.weight"),
    ),
    *breaks(
        "csrc/rows/flat.h",
        ("#define FL_FLAT_RANGE FL_CONST(32.0, 256.0)", "#define FL_FLAT_RANGE FL_CONST(3200.0, 25600.0)"),
        (
            "            outside |= !(fl_abs(z[i]) <= FL_FLAT_RANGE);\n            terms",
            "            outside |= !(z[i] <= FL_FLAT_RANGE);\n            terms",
        ),
        ("        terms[at] = 0;", ""),
        ("scratch[i] = z[i] * (real)0x1p-60;", "scratch[i] = 0;"),
        ("top + top > sum ? others : sum - top", "sum - top"),
        ("(own[i] == top ? 0 : own[i])", "own[i]"),
    ),
    *breaks(
        "csrc/rows/flat_sums.h",
        ("j < n_classes % FL_ALONG_LANES ?", "j <= n_classes % FL_ALONG_LANES ?"),
        ("| (none & ~rest->in[i])", ""),
        ("at < whole; at += FL_ALONG_LANES", "at + FL_ALONG_LANES < whole; at += FL_ALONG_LANES"),
        ("(readable - at < n_classes ? readable - at : n_classes) * sizeof(real)", "sizeof(real)"),
        ("marks ? marks[row + i] : 0", "marks ? marks[row] : 0"),
    ),
    *breaks(
        "csrc/rows/flat.inc",
        ("at < last; at += width", "at + width < last; at += width"),
        ("last = start + n_classes - width;", "last = start + n_classes - width + (n_classes > width);"),
        ("} else if (start + width <= end) {", "} else if (1) {"),
        ("fl_has_labels(o.form) && row.label >= 0", "fl_has_labels(o.form)"),
        ("own = {.z = own_term[i],", "own = {.z = 0,"),
        ("row.own_term = own_term[i];", "row.own_term = own_term[0];"),
    ),
    *breaks(
        "csrc/rows/fused.inc",
        ("e1.is_own | !three) ? e1.z : e2.z", "1) ? e1.z : e2.z"),
        ("row = three ? FL_LOOP(added)(row, t2, o) : row;", ""),
    ),
    *breaks("csrc/rows/state.h", ("folded[i] += sum[i];", "folded[i] = sum[i];")),
]
