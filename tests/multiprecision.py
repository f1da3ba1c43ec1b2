"""The true results: the reference's own formulas, evaluated in multi-precision instead of NumPy's float64.

The modules of ``fastloss.reference`` are loaded a second time with their ``np`` replaced by `Functions`,
whose elementary functions take arrays of multi-precision numbers. So a formula is written once, and what is
said of it in pointwise/test_reference.py and test_literals.py holds for all arithmetics.

Truth is mpmath's. MPFR's numbers (gmpy2) are up to an order of magnitude quicker: ``with by_mpfr():`` is for
searches, whose finds mpmath confirms, and for tests beside one that sees mpmath say the same.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import gmpy2
import mpmath
import numpy as np
from mpmath import mp

from fastloss import reference

#: The digits kept after any cancellation, and the most that float64's exponents can ask for.
DIGITS, MOST_DIGITS = 50, 800


class _Arithmetic(NamedTuple):
    """A kind of numbers: of floats and ints, with so many digits, and functions of them."""

    number: Callable[[Any], Any]
    precision: Callable[[int], Any]
    frexp: Callable[[Any], tuple[Any, int]]
    functions: dict[str, Callable[..., Any]]


def _log_sum(functions: Any) -> Callable[[Any, Any], Any]:
    return lambda a, b: max(a, b) + functions.log1p(functions.exp(-abs(a - b)))


def _mpfr_frexp(x: Any) -> tuple[Any, int]:
    exponent = gmpy2.get_exp(x) if gmpy2.is_regular(x) else 0
    return gmpy2.mul_2exp(x, -exponent) if exponent < 0 else gmpy2.div_2exp(x, exponent), exponent


_MPFR_EXPONENTS = {"emin": gmpy2.get_emin_min(), "emax": gmpy2.get_emax_max()}
_NAMES = ("exp", "log", "sqrt", "sinh", "tanh", "hypot", "log1p", "expm1")
_MPMATH = _Arithmetic(
    mp.mpf, mpmath.workdps, mp.frexp, {"logaddexp": _log_sum(mp)} | {n: getattr(mp, n) for n in _NAMES}
)
_MPFR = _Arithmetic(
    gmpy2.mpfr,
    lambda digits: gmpy2.context(precision=int(3.33 * digits) + 2, **_MPFR_EXPONENTS),
    _mpfr_frexp,
    {"logaddexp": _log_sum(gmpy2)} | {n: getattr(gmpy2, n) for n in _NAMES},
)
_arithmetic = _MPMATH


@contextlib.contextmanager
def by_mpfr() -> Iterator[None]:
    """Computes by MPFR: numbers and twins made inside serve inside."""
    global _arithmetic
    _arithmetic = _MPFR
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _arithmetic = _MPMATH


def precision(digits: int) -> Any:
    """The context in which so many digits are computed with."""
    return _arithmetic.precision(digits)


def _function(name: str) -> Any:
    count = 2 if name in ("hypot", "logaddexp") else 1
    return np.frompyfunc(lambda *x: _arithmetic.functions[name](*x), count, 1)


class Functions:
    """NumPy, with its elementary functions in multi-precision."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


for _name in (*_NAMES, "logaddexp"):
    setattr(Functions, _name, staticmethod(_function(_name)))


def _copy_of(module: ModuleType) -> ModuleType:
    name = f"multiprecision_{Path(module.__file__).stem}"
    spec = importlib.util.spec_from_file_location(name, module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    copy.np = Functions()
    return copy


_MODULES = [_copy_of(reference.regression), _copy_of(reference.binary)]


def exact(x: Any) -> Any:
    """An array of floats, or of objects, as one of multi-precision numbers."""
    return np.frompyfunc(_arithmetic.number, 1, 1)(x)


def exact_parameters(loss: Any) -> dict[str, Any]:
    """The exact values of the loss's floats, and the other parameters."""
    return {k: _arithmetic.number(v) if isinstance(v, float) else v for k, v in loss.parameters.items()}


def twin(loss: Any, epsilon: float = 2.0**-52) -> reference.Loss:
    """The multi-precision twin of a loss."""
    name = type(loss).__name__
    cls = next(getattr(m, name) for m in _MODULES if hasattr(m, name))
    found = cls(**exact_parameters(loss))
    found.machine_epsilon = _arithmetic.number(epsilon)
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
    if abs(x) == np.inf:  # MPFR's exponents end at 2^62
        return float(np.sign(x)) / 2, 0.0, BEYOND
    mantissa, exponent = _arithmetic.frexp(_arithmetic.number(x))
    high = float(mantissa)
    low = float(mantissa - high)
    if abs(high) == 1 and low == 0:  # what is next to a power of two, which one arithmetic rounds to it
        high, exponent = high / 2, exponent + 1
    return high, low, max(-BEYOND, min(int(exponent), BEYOND))


def truth(formula: Any, y: np.ndarray, z: np.ndarray) -> Truth:
    """The values of `formula` at float arrays `y` and `z`; groups of like |z| share a working precision."""
    # The formulas cancel by at most as many digits as e^-2|z| has zeros.
    digits = DIGITS + 0.9 * np.minimum(np.abs(z.astype(np.float64)), (MOST_DIGITS - DIGITS) / 0.9)
    digits = (np.ceil(digits / 150) * 150).astype(int)
    parts = np.empty((3, z.size), dtype=object)
    for d in np.unique(digits):
        (at,) = np.nonzero(digits == d)
        with precision(int(d)):
            result = formula(exact(y[at].astype(object)), exact(z[at].astype(object)))
            for i, x in zip(at, np.broadcast_to(result, at.shape), strict=True):
                parts[:, i] = _split(x)
    return Truth(parts[0].astype(float), parts[1].astype(float), parts[2].astype(int))


def ulps(result: np.ndarray, true: Truth, scale: Truth | None = None, gradual: bool = True) -> np.ndarray:
    """Error of `result` in units in the last place of the true number, or of `scale` where that is larger.

    Where truth is beyond the largest number, infinity is right. Below the smallest normal number the unit is
    the smallest positive one, or if not `gradual` any number as small is right.
    """
    info = np.finfo(result.dtype)
    exponent = true.exponent if scale is None else np.maximum(true.exponent, scale.exponent)
    exponent = np.maximum(exponent, info.minexp + 1)
    # A product by 2^-exponent in two steps stays within float64's range for numbers near the truth.
    half = -exponent // 2
    with np.errstate(all="ignore"):
        scaled = np.ldexp(np.ldexp(result.astype(np.float64), half), -exponent - half)
        shift = np.clip(true.exponent - exponent, -2000, 0)
        error = np.abs((scaled - np.ldexp(true.high, shift)) - np.ldexp(true.low, shift))
        error *= 2.0 ** (info.nmant + 1)
        overflows = (true.exponent > info.maxexp) & np.isinf(result) & (np.sign(result) == np.sign(true.high))
        tiny = (true.exponent <= info.minexp) & (np.abs(result) <= info.tiny) & (not gradual)
    return np.where(overflows | tiny, 0.0, np.where(np.isnan(error), np.inf, error))
