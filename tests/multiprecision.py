"""The true results: the reference's own formulas, evaluated in mpmath instead of NumPy's float64.

The modules of ``fastloss.reference`` are loaded a second time with their ``np`` replaced by `Functions`,
whose elementary functions take arrays of mpmath numbers. So a formula is written once, and what is said of it
in test_reference.py and test_literals.py holds for both arithmetics.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import mpmath
import numpy as np
from mpmath import mp

from fastloss import reference

#: The digits kept after any cancellation, and the most that float64's exponents can ask for.
DIGITS, MOST_DIGITS = 50, 800


def _logaddexp(a: Any, b: Any) -> Any:
    return max(a, b) + mp.log1p(mp.exp(-abs(mp.mpf(a) - b)))


class Functions:
    """NumPy, with its elementary functions in multi-precision."""

    exp, log, sqrt, sinh, tanh, hypot, log1p, expm1, logaddexp = (
        np.frompyfunc(f, n, 1)
        for f, n in [
            (mp.exp, 1),
            (mp.log, 1),
            (mp.sqrt, 1),
            (mp.sinh, 1),
            (mp.tanh, 1),
            (mp.hypot, 2),
            (mp.log1p, 1),
            (mp.expm1, 1),
            (_logaddexp, 2),
        ]
    )

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _copy_of(module: ModuleType) -> ModuleType:
    name = f"multiprecision_{Path(module.__file__).stem}"
    spec = importlib.util.spec_from_file_location(name, module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    copy.np = Functions()
    return copy


_MODULES = [_copy_of(reference.regression), _copy_of(reference.binary)]

exact = np.frompyfunc(mp.mpf, 1, 1)


def twin(loss: Any, epsilon: float = 2.0**-52) -> reference.Loss:
    """The multi-precision twin of a loss, whose parameters are the exact values of the loss's floats."""
    name = type(loss).__name__
    cls = next(getattr(m, name) for m in _MODULES if hasattr(m, name))
    parameters = {k: mp.mpf(v) if isinstance(v, float) else v for k, v in loss.parameters.items()}
    found = cls(**parameters)
    found.epsilon = mp.mpf(epsilon)
    return found


class Truth(NamedTuple):
    """True numbers (high + low)·2^exponent, with ½ ≤ |high| < 1 and low below the last bit of high."""

    high: np.ndarray
    low: np.ndarray
    exponent: np.ndarray


#: Stands for the exponents of 0 and of what no floating-point number can hold.
BEYOND = 100_000


def _split(x: Any) -> tuple[float, float, int]:
    if x == 0:
        return 0.0, 0.0, -BEYOND
    mantissa, exponent = mp.frexp(x)
    high = float(mantissa)
    return high, float(mantissa - high), max(-BEYOND, min(int(exponent), BEYOND))


def truth(formula: Any, y: np.ndarray, z: np.ndarray) -> Truth:
    """The values of `formula` at float arrays `y` and `z`; groups of like |z| share a working precision."""
    # The formulas cancel by at most as many digits as e^-2|z| has zeros.
    digits = DIGITS + 0.9 * np.minimum(np.abs(z.astype(np.float64)), (MOST_DIGITS - DIGITS) / 0.9)
    digits = (np.ceil(digits / 150) * 150).astype(int)
    parts = np.empty((3, z.size), dtype=object)
    for d in np.unique(digits):
        (at,) = np.nonzero(digits == d)
        with mpmath.workdps(int(d)):
            result = formula(exact(y[at].astype(object)), exact(z[at].astype(object)))
            for i, x in zip(at, np.broadcast_to(result, at.shape), strict=True):
                parts[:, i] = _split(mp.mpf(x))
    return Truth(parts[0].astype(float), parts[1].astype(float), parts[2].astype(int))


def ulps(result: np.ndarray, true: Truth, scale: Truth | None = None) -> np.ndarray:
    """Error of `result` in units in the last place of the true number, or of `scale` where that is larger.

    Where truth is beyond the largest number, infinity is right. Where truth is below the smallest normal
    number, any result that is below it too is right.
    """
    info = np.finfo(result.dtype)
    exponent = true.exponent if scale is None else np.maximum(true.exponent, scale.exponent)
    # A product by 2^-exponent in two steps stays within float64's range for numbers near the truth.
    half = -exponent // 2
    with np.errstate(all="ignore"):
        scaled = np.ldexp(np.ldexp(result.astype(np.float64), half), -exponent - half)
        shift = np.clip(true.exponent - exponent, -2000, 0)
        error = np.abs((scaled - np.ldexp(true.high, shift)) - np.ldexp(true.low, shift))
        error *= 2.0 ** (info.nmant + 1)
        overflows = (true.exponent > info.maxexp) & np.isinf(result) & (np.sign(result) == np.sign(true.high))
        tiny = (true.exponent <= info.minexp) & (np.abs(result) <= info.tiny)
    return np.where(overflows | tiny, 0.0, np.where(np.isnan(error), np.inf, error))
