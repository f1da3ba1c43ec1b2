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

_TESTS = Path(__file__).parent.parent

WIDE = np.longdouble


def _copy_of(name: str) -> ModuleType:
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", _TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_POINTWISE: Any = _copy_of("pointwise_truth")
_POINTWISE.np_ = np
_ROWS: Any = _copy_of("row_truth")
_ROWS.np_ = np
_ROWS.softmax, _ROWS.log_softmax = reference.rows.softmax, reference.rows.log_softmax
magnitudes = _copy_of("embedding_truth")._magnitudes

OUTPUTS = ("value", "gradient", "hessian")


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


def twin(loss: Any, single: bool) -> Any:
    """The twin of a loss with the epsilon of a precision."""
    found = SquaredLogError() if type(loss).__name__ == "SquaredLogError" else reference.twin(loss)
    found.epsilon = 2.0**-23 if single else 2.0**-52
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
