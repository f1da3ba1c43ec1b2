"""The penalties of parameters, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastloss.reference._base import Array, Out, Twin, _result_dtype, _store

__all__ = ["Penalty", "L1", "L2", "ElasticNet"]


class Penalty(Twin):
    """Base of the twins: a subclass gives ``_value``, ``_gradient`` and ``_hessian`` for every parameter."""

    family = "penalty"

    def _value(self, w: Array) -> Array:
        raise NotImplementedError

    def _gradient(self, w: Array) -> Array:
        raise NotImplementedError

    def _hessian(self, w: Array) -> Array:
        raise NotImplementedError

    def __call__(self, w: ArrayLike, *, n_threads: int | None = None) -> float:
        """Give the penalty, a float."""
        return float(self._value(np.asarray(w).astype(np.float64)).sum())

    def gradient(self, w: ArrayLike, *, out: Out = None, n_threads: int | None = None) -> Any:
        """Give the gradient by the parameters."""
        return self._arrays("g", w, out)[0]

    def hessian(self, w: ArrayLike, *, out: Out = None, n_threads: int | None = None) -> Any:
        """Give the Hessian's diagonal."""
        return self._arrays("h", w, out)[0]

    def value_and_gradient(self, w: ArrayLike, *, out: Out = None, n_threads: int | None = None) -> Any:
        """Give the pair of value and gradient."""
        return self(w), *self._arrays("g", w, out)

    def gradient_and_hessian(self, w: ArrayLike, *, out: Out = None, n_threads: int | None = None) -> Any:
        """Give the pair of gradient and Hessian diagonal."""
        return tuple(self._arrays("gh", w, out))

    def value_gradient_and_hessian(
        self, w: ArrayLike, *, out: Out = None, n_threads: int | None = None
    ) -> Any:
        """Give the triple of value, gradient and Hessian diagonal."""
        return self(w), *self._arrays("gh", w, out)

    def _arrays(self, outputs: str, w: ArrayLike, out: Out) -> list[Any]:
        """Compute in float64 what the letters of `outputs` name; arrays get the dtype of `w`."""
        given = np.asarray(w)
        dtype = _result_dtype(given)
        x = given.astype(np.float64)
        formulas = {"g": self._gradient, "h": self._hessian}
        return _store([np.where(np.isnan(x), x, formulas[o](x)).astype(dtype) for o in outputs], out)


class L1(Penalty):
    """α·|w|."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _value(self, w: Array) -> Array:
        return self.alpha * np.abs(w)

    def _gradient(self, w: Array) -> Array:
        return self.alpha * np.sign(w)

    def _hessian(self, w: Array) -> Array:
        return 0 * w


class L2(Penalty):
    """α/2·w²."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _value(self, w: Array) -> Array:
        return self.alpha * w**2 / 2

    def _gradient(self, w: Array) -> Array:
        return self.alpha * w

    def _hessian(self, w: Array) -> Array:
        return self.alpha + 0 * w


class ElasticNet(Penalty):
    """α·(ρ·|w| + (1 − ρ)/2·w²)."""

    def __init__(self, alpha: float = 1.0, l1_ratio: float = 0.5) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio

    def _value(self, w: Array) -> Array:
        return self.alpha * (self.l1_ratio * np.abs(w) + (1 - self.l1_ratio) * w**2 / 2)

    def _gradient(self, w: Array) -> Array:
        return self.alpha * (self.l1_ratio * np.sign(w) + (1 - self.l1_ratio) * w)

    def _hessian(self, w: Array) -> Array:
        return self.alpha * (1 - self.l1_ratio) + 0 * w
