"""Breaks of the machine of formulas and of the functions that it alone has."""

from __future__ import annotations

from .breaks import breaks

TESTS = "formulas/loss formulas/functions formulas/composition formulas/derivatives"
BREAKS = [
    *breaks(
        "csrc/pointwise/formula_machine.h",
        ("multiple || product ? factor * value", "product ? factor * value"),
        ("multiple || product ? factor * value", "multiple ? factor * value"),
        ("to[k] = c * fl_product(FL_OF_PRODUCT", "to[k] = fl_product(FL_OF_PRODUCT"),
        ("slopes[i + k] = d * term * scale;", "slopes[i + k] = term * scale;"),
        ("v.kind != FL_OF_MULTIPLE && g.a == v.a &&", "v.kind != FL_OF_MULTIPLE &&"),
        ("fl_fma((real)-0.5, a, r)", "fl_fma((real)-0.5, a, b[k])"),
        ("suspicious |= domain &&", "suspicious |= 0 &&"),
        tests=TESTS,
    ),
    *breaks(
        "csrc/pointwise/formula_math.h",
        ("if (beyond & FL_SIGN_BIT)", "if (0)"),
        ("a > 0 ? 1 - c : -c", "1 - c"),
        ("return a == b ? same : other;", "return other;"),
        ("square < FL_CONST(0.34, 0.34)", "square < FL_CONST(0.034, 0.034)"),
        ("square < FL_CONST(0.34, 0.34)", "square < FL_CONST(3.4, 3.4)"),
        ("fl_op_clip(a - b, -c, c)", "fl_op_clip(a - b, 0, c)"),
        ("r * (r > 0 ? above : below)", "r * (r > 0 ? below : above)"),
        tests=TESTS,
    ),
    *breaks(
        "csrc/vecmath/power.h",
        ("x < 0 ? of_negative : result", "result"),
        ("fl_two_sum(x < 0 ? fl_abs(x) : 0, log_d.hi)", "fl_two_sum(x < 0 ? a : 0, log_d.hi)"),
        ("(fl_to_bits(x) & e.turned)", "0"),
        tests=TESTS,
    ),
]
