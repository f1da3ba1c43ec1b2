"""What the functions of formulas are, by mpmath."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf


def ulps(results: Any, truths: Any) -> np.ndarray:
    """Errors in units in the last place of the truth, of which the smallest number is one."""
    results = np.asarray(results)
    info = np.finfo(results.dtype)
    return np.array([_ulp(float(r), t, info) for r, t in zip(results, truths, strict=True)])


def _ulp(result: float, truth: Any, info: Any) -> float:
    if isinstance(truth, mp.mpc) or mp.isnan(truth):
        return 0.0 if np.isnan(result) else np.inf
    if abs(truth) > mpf(float(info.max)):
        return 0.0 if np.isinf(result) and (result > 0) == (truth > 0) else np.inf
    if not np.isfinite(result):
        return np.inf
    exponent = info.minexp if truth == 0 else max(int(mp.frexp(truth)[1]) - 1, info.minexp)
    return float(abs(mpf(result) - truth) / mpf(2) ** (exponent - info.nmant))


def normal_cdf(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def normal_pdf(x: Any) -> Any:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def normal_log_cdf(x: Any) -> Any:
    return mp.log(normal_cdf(x)) if x < 0 else mp.log1p(-normal_cdf(-x))


def log_cosh(x: Any) -> Any:
    return mp.log1p(2 * mp.sinh(x / 2) ** 2)


#: name: the function, and the interval of float32 and of float64 in which it is neither 0 nor infinite.
FUNCTIONS = {
    "erf": (mp.erf, (-6, 6)),
    "normal_cdf": (normal_cdf, (-13, 10)),
    "normal_log_cdf": (normal_log_cdf, (-1e4, 13)),
    "lgamma": (mp.loggamma, (0, 1e4)),
    "digamma": (mp.digamma, (0, 1e4)),
    "sinh": (mp.sinh, (-89, 89)),
    "cosh": (mp.cosh, (-89, 89)),
    "exp": (mp.exp, (-87, 88)),
    "expm1": (mp.expm1, (-100, 88)),
    "log": (mp.log, (0, 1e30)),
    "log1p": (mp.log1p, (-1, 1e30)),
    "sqrt": (mp.sqrt, (0, 1e30)),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), (-87, 100)),
    "log_sigmoid": (lambda x: -mp.log1p(mp.exp(-x)), (-100, 87)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), (-87, 40)),
    "tanh": (mp.tanh, (-20, 20)),
    "log_cosh": (log_cosh, (-100, 100)),
}
#: 2 ULP, but for what the losses have had before formulas.
BOUNDS = {"tanh": 3.0, "log_cosh": 3.0}


def truths(name: str, x: np.ndarray) -> list[Any]:
    function = FUNCTIONS[name][0]
    with mpmath.workdps(60):
        return [function(mpf(float(a))) for a in x]
