"""Breaks of what all families share: blocks, checks, sums, vector mathematics."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/blocks/load.h",
        ("(block + i, raw, m);", "(block, raw, m);"),
    ),
    *breaks(
        "csrc/blocks/view.h",
        ("if (!scatter && a->swapped)", "if (!scatter && a->swapped && itemsize > 2)"),
        ("if (scatter && a->swapped)", "if (scatter && a->swapped && itemsize > 4)"),
        ("start += run;", "start += run + (run > 1 && left > run);"),
    ),
    *breaks(
        "csrc/blocks/half.h",
        ("((bits >> 16) & 1)", "1"),
        ("a >= 0x477ff000u", "a >= 0x48000000u"),
        ("0xfff + ((a >> 13) & 1)", "0x1000"),
        tests="dtypes",
    ),
    *breaks(
        "csrc/pass/stream.h",
        ("if (i < bytes)", "if (i + 8 < bytes)"),
        ("if (i > 0)", "if (i > 4)"),
        tests="sizes out threads",
    ),
    *breaks(
        "csrc/simd/avx2.h",
        ("_mm256_permute2x128_si256(a[0], a[1], 0x31)", "_mm256_permute2x128_si256(a[0], a[1], 0x30)"),
        ("r[0], r[4], 0x20, 0x31", "r[0], r[4], 0x20, 0x20"),
        tier="v3",
    ),
    *breaks(
        "csrc/blocks/check.h",
        ("return fl_not_a_label(x, d->low < 0) != 0;", "return 0;"),
        ("if (d->low < 0)\n        return pattern", "if (0)\n        return pattern"),
        ("d->open_low ? x > (real)d->low : x >= (real)d->low", "x >= (real)d->low"),
        ("inside | (d->nan_ok & (x != x))", "inside | (x != x)"),
        tests="bad_input",
    ),
    *breaks(
        "csrc/sums/compensated.h",
        ("isfinite(sum) ? error : 0", "0"),
        ("isfinite(sum) ? error : 0", "error"),
        ("fl_add(a, b.error);", ""),
    ),
    *breaks(
        "csrc/sums/sums.h",
        ("(double)(w[i] != 0 ? x[i] : 0)", "(double)x[i]"),
        tests="weights",
    ),
    *breaks("csrc/pass/plan.h", ("s == p->n_segments ? p->n :", "s == p->n_segments ? p->n - 1 :")),
    *breaks(
        "csrc/pass/shares.h",
        ("share == 0 || x == 0 ? 0 : x * share", "x == 0 ? 0 : x * share"),
        ("share == 0 || x == 0 ? 0 : x * share;\n}", "share == 0 ? 0 : x * share;\n}"),
        ("if (mean)\n        s->factor", "if (0)\n        s->factor"),
        ("*scale = fl_scale_of(largest);", "*scale = 1;"),
        ("rounds && *kinds & FL_ZERO_WEIGHTS", "0 && *kinds & FL_ZERO_WEIGHTS"),
        tests="weights",
    ),
    *breaks(
        "csrc/blocks/weights.h",
        ("(range - above_least)) & ~before) | pattern;", "(range - above_least)) & ~before);"),
        ("zeros[k] = before & ~pattern;", "zeros[k] = 0;"),
        tests="weights",
    ),
    *breaks("csrc/blocks/store.h", ("w[i] != 0 ? a[i] : 0", "a[i]"), tests="weights"),
    *breaks("csrc/sums/fold.h", ("    FL_FOLD(16);\n", "")),
    *breaks(
        "csrc/vecmath/exp.h",
        ("0x1.694c86p-10f", "0x1.c94c86p-10f"),
        ("0x1.71df18fbc7a58p-19", "0x1.71df28fbc7a58p-19"),
        ("FL_CONST(110.0, 750.0)", "FL_CONST(90.0, 710.0)"),
    ),
    *breaks(
        "csrc/vecmath/log.h",
        ("q = fl_fma(q, s2, 0x1.1eb4bap-2f);", "q = fl_fma(q, s2, 0x1.3eb4bap-2f);"),
        ("0x1.249249208a547p-2", "0x1.249259208a547p-2"),
        ("0x1.995ed6p-2f", "0x1.9a5ed6p-2f"),
    ),
    *breaks("csrc/vecmath/logcosh.h", ("0x1.6c094ep-6f", "0x1.6d094ep-6f")),
]
