"""Operations on numbers alone, in float64; what leaves its range is an error."""

from __future__ import annotations

import math
from collections.abc import Callable


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return (1.0 if x >= 0 else e) / (1 + e)


def _pow(x: float, p: float) -> float:
    return math.pow(x, p)


#: digamma and the functions of the normal distribution are left to the kernels.
FOLD: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": _pow,
    "minimum": min,
    "maximum": max,
    "logaddexp": lambda a, b: max(a, b) + math.log1p(math.exp(-abs(a - b))),
    "xlogy": lambda a, b: 0.0 if a == 0 else a * math.log(b),
    "neg": lambda a: -a,
    "abs": abs,
    "sign": lambda a: float((a > 0) - (a < 0)),
    "sqrt": math.sqrt,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log_cosh": lambda a: abs(a) + math.log1p(math.exp(-2 * abs(a))) - math.log(2),
    "erf": math.erf,
    "lgamma": math.lgamma,
    "less": lambda a, b: float(a < b),
    "less_equal": lambda a, b: float(a <= b),
    "equal": lambda a, b: float(a == b),
    "not_equal": lambda a, b: float(a != b),
    "where": lambda c, a, b: a if c else b,
    "nearest_zero": lambda a, b: max(min(a, b), min(max(a, b), 0.0)),
}
