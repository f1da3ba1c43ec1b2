"""The reference's formulas in NumPy's longest floating-point type, and the size of the terms that cancel.

The formulas are the reference's own, and the sizes those of the accuracy tests, whose modules are loaded a
second time with NumPy in the place of multi-precision.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fastloss import reference

from .session import FindingError

_TESTS = Path(__file__).parent.parent

WIDE = np.longdouble


def _copy_of(name: str) -> ModuleType:
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", _TESTS / name / "truth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_POINTWISE: Any = _copy_of("pointwise")
_POINTWISE.np_ = np
_ROWS: Any = _copy_of("rows")
_ROWS.np_ = np
_ROWS.softmax, _ROWS.log_softmax = reference.rows.softmax, reference.rows.log_softmax
magnitudes = _copy_of("embeddings")._magnitudes

OUTPUTS = ("value", "gradient", "hessian")


class Weights:
    """The weights of samples, 1 where none are given, as an array of numbers beside each of `shape`."""

    def __init__(
        self, w: np.ndarray | None, shape: tuple[int, ...], single: bool, factor: float = 1.0
    ) -> None:
        given = np.ones(shape) if w is None else w
        found = given.astype(WIDE).reshape(given.shape + (1,) * (len(shape) - given.ndim))
        self.of_all = np.broadcast_to(found, shape)
        self.total = self.of_all.sum()
        self.is_absent = self.of_all == 0
        # Of other ones results are computed without weights, then multiplied.
        least, largest = (2.0**-64, 2.0**32) if single else (2.0**-256, 2.0**256)
        times = self.of_all * np.asarray(factor, WIDE)
        self.usual = bool(((times == 0) | (times >= least) & (times <= largest)).all())

    def times(self, x: np.ndarray) -> np.ndarray:
        """`x` of each sample times its weight: 0 where that is 0, whatever `x` is."""
        by = self.of_all.reshape(self.of_all.shape + (1,) * (x.ndim - self.of_all.ndim))
        with np.errstate(all="ignore"):
            return np.where(by == 0, 0, x.astype(WIDE) * by)


def hold_to_sum(what: str, found: float, terms: np.ndarray, weights: Weights, divisor: Any = 1.0) -> None:
    """A sum or a mean against its terms without weights, each of which was rounded when it was stored."""
    wide = weights.times(terms)
    if terms.dtype.itemsize == 2 or not np.isfinite(wide).all():
        return
    limits = np.finfo(terms.dtype)
    size, tiny = np.abs(wide).sum(), float(limits.tiny)
    slack = 4 * (float(limits.eps) + 2.0**-52) * size + tiny * weights.total
    slack += wide.size * (tiny if weights.usual else 5e-324)
    if not weights.usual:  # a share in units of the largest weight may be a subnormal number
        counted = np.where(weights.of_all == 0, 0, terms.astype(WIDE))
        slack += WIDE(5e-324) * weights.of_all.max(initial=0) * np.abs(counted).sum()
    true = wide.sum() / divisor
    # Beyond that a part of the sum may be infinite, as NumPy's is.
    if size < 1e308 and not np.abs(WIDE(found) - true) <= slack / divisor:
        raise FindingError(f"{what} is {found!r}, but its terms give {true!r}")


def mean_of(first: np.ndarray, plain: np.ndarray, weights: Weights, total: Any) -> tuple[Any, Any]:
    """A mean's derivatives, by those of the sum or by those without weights, and what shares round to.

    They are NaN where a precision did not hold them. A weight that float64 cannot hold in units of the
    largest is 0.
    """
    given = first if weights.usual else plain
    limits = np.finfo(given.dtype)
    size = np.abs(given)
    held = (given == 0) | (size > float(limits.tiny) * 1e12) & (size < float(limits.max) / 1e6)
    lost = weights.of_all < weights.of_all.max(initial=0) * 1e-300
    if given.shape[: lost.ndim] == lost.shape:  # and not, say, a centre's gradient, which has many samples
        held &= ~lost.reshape(lost.shape + (1,) * (given.ndim - lost.ndim))
    found = first.astype(WIDE) if weights.usual else weights.times(plain)
    with np.errstate(invalid="ignore"):
        return np.where(held, found, np.nan) / total, np.abs(given.astype(WIDE)) * (
            0 if weights.usual else 5e-324
        )


class SquaredLogError(reference.SquaredLogError):
    """The difference of two logarithms as one, which even the longest type needs where they are close."""

    def _ratio(self, y: Any, z: Any) -> Any:
        x = (z - y) / (1 + y)
        return np.where(np.abs(x) < 0.5, np.log1p(x), np.log1p(z) - np.log1p(y))

    def _value(self, y: Any, z: Any) -> Any:
        return self._ratio(y, z) ** 2

    def _gradient(self, y: Any, z: Any) -> Any:
        return 2 * self._ratio(y, z) / (1 + z)

    def _hessian(self, y: Any, z: Any) -> Any:
        return 2 * (1 - self._ratio(y, z)) / (1 + z) / (1 + z)


class Tukey(reference.Tukey):
    """1 - (r/c)² as w·(2 - w), w = (c - |r|)/c, of the residual that single or double precision is held to.

    That of single precision is rounded to double; what the longest type drops of the other is a second part.
    """

    def __init__(self, c: float, single: bool) -> None:
        super().__init__(c)
        self.single = single

    def _left(self, y: Any, z: Any) -> Any:
        """1 - (r/c)², at least 0."""
        r = z - y
        if self.single:
            r, dropped = (z.astype(np.float64) - y.astype(np.float64)).astype(WIDE), WIDE(0)
        else:
            back = r - z
            dropped = np.where(np.abs(r) <= 2 * self.c, (z - (r - back)) - (y + back), 0)
        # c less the larger part is exact where |r| is about c.
        w = np.maximum((self.c - np.abs(r)) - np.sign(r) * dropped, 0) / self.c
        return w * (2 - w)

    def _gradient(self, y: Any, z: Any) -> Any:
        left = self._left(y, z)
        return np.where(left > 0, z - y, 0) * left**2

    def _hessian(self, y: Any, z: Any) -> Any:
        return self._left(y, z) * (1 - 5 * self._inside(y, z))


def twin(loss: Any, single: bool) -> Any:
    """The twin of a loss with the epsilon of a precision."""
    name = type(loss).__name__
    if name == "Tukey":
        found: Any = Tukey(loss.c, single)
    else:
        found = SquaredLogError() if name == "SquaredLogError" else reference.twin(loss)
    found.machine_epsilon = 2.0**-23 if single else 2.0**-52
    return found


def _of(table: Any, loss: Any, t: Any, y: Any, z: Any, n_outputs: int) -> list[tuple[Any, Any]]:
    found = []
    with np.errstate(all="ignore"):
        for output in OUTPUTS[:n_outputs]:
            true = getattr(t, f"_{output}")(y, z)
            scale = table.get((type(loss).__name__, output))
            found.append((true, 0.0 if scale is None else np.abs(scale(t, y, z))))
    return found


def pointwise(loss: Any, t: Any, y: Any, z: Any, n_outputs: int) -> list[tuple[Any, Any]]:
    """Value, gradient and Hessian, each with the size of its terms."""
    return _of(_POINTWISE.CROSSES_ZERO, loss, t, y, z, n_outputs)


def rows(loss: Any, t: Any, y: Any, z: Any, n_outputs: int) -> list[tuple[Any, Any]]:
    """Value, gradient and Hessian of rows, each with the size of its terms."""
    return _of(_ROWS.CROSSES_ZERO, loss, t, y, z, n_outputs)
