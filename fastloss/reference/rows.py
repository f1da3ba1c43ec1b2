"""Losses of a row of predictions: what they share, and the Euclidean distance."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastloss.reference._base import (
    Array,
    Domain,
    Loss,
    Out,
    _check_reduction,
    _result_dtype,
    _store,
    _weights,
)

__all__ = ["RowLoss", "EuclideanError"]


def log_softmax(z: Array) -> Array:
    """Logarithm of the softmax: z - log(sum of e^z) along each row."""
    z = z - np.max(z, axis=1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))


def softmax(z: Array) -> Array:
    """e^z/(sum of e^z), along each row."""
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def total(x: Array) -> Array:
    """Sum of each row, as a column."""
    return np.sum(x, axis=1, keepdims=True)


def one_hot(y: Array, z: Array) -> Array:
    """1 at the class of each row, else 0."""
    return np.where(np.arange(z.shape[1]) == y[:, None], 1.0, 0.0)


class RowLoss(Loss):
    """Base of the twins that take predictions (n, C).

    Of targets, (n,) class indices or (n, C) numbers, a subclass makes a value for every row, and a gradient
    and a Hessian diagonal (n, C).
    """

    _takes_labels: ClassVar[bool] = False
    _takes_rows: ClassVar[bool] = False

    def _ignored(self, y: Array) -> Array:
        """Tell which rows do not count."""
        return np.zeros(len(y), bool)

    def _weightless(self, y: Array, z: Array) -> Array:
        """Tell which rows are of a class of weight 0."""
        return np.zeros(len(y), bool)

    def _counts(self, y: Array, z: Array) -> Array:
        """Give what each row counts for in a mean, before sample weights."""
        return np.ones(len(y))

    def _evaluate(
        self,
        outputs: str,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None,
        reduction: str,
        out: Out,
    ) -> Any:
        _check_reduction(reduction)
        dtype = _result_dtype(np.asarray(y_pred))
        y = np.asarray(y_true).astype(np.float64)
        z = np.asarray(y_pred).astype(np.float64)
        self._check_rows(y, z)
        w = _weights(sample_weight, z.shape[:1])
        ignored = self._ignored(y)
        absent = (w == 0) | self._weightless(y, z)
        missing = np.isnan(z).any(axis=1) | np.isnan(y.reshape(len(y), -1)).any(axis=1)

        # A 16-bit prediction is computed in float32, so its epsilon is that of float32.
        self = copy.copy(self)
        self.machine_epsilon = float(np.finfo(np.float64 if dtype == np.float64 else np.float32).eps)
        divisor = 1.0
        if reduction == "mean":
            divisor = float((w * np.where(ignored, 0.0, self._counts(y, z))).sum())
            if len(y) and ignored.all():
                divisor = 1.0
            elif not divisor > 0:
                raise ValueError("the mean needs at least one row of positive weight")
        formulas = {"v": self._value, "g": self._gradient, "h": self._hessian}
        results: list[Any] = []
        for letter in outputs:
            with np.errstate(all="ignore"):
                x = formulas[letter](y, z)
                columns = (-1,) + (1,) * (x.ndim - 1)
                x = np.where(missing.reshape(columns), np.nan, x)
                weighted = w.reshape(columns) * np.where(ignored.reshape(columns), 0.0, x)
                # A row of weight 0, or whose class is, is as if it were not there.
                weighted = np.where(absent.reshape(columns), 0.0, weighted)
                if letter == "v" and reduction != "none":
                    results.append(float(weighted.sum() / divisor))
                elif letter == "v":
                    results.append(weighted.astype(dtype))
                else:
                    results.append((weighted / divisor).astype(dtype))
        results = _store(results, out)
        return results[0] if len(results) == 1 else tuple(results)

    def _check_rows(self, y: NDArray[Any], z: NDArray[Any]) -> None:
        """Raise for shapes that do not fit, and for the first number outside its domain."""
        if z.ndim != 2 or z.shape[1] == 0:
            raise ValueError(f"y_pred has shape {z.shape}, not (n, C)")
        if self._takes_labels and y.shape == z.shape[:1]:
            inside = self._ignored(y) | ((y >= 0) & (y < z.shape[1]) & (y == np.floor(y)))
            if not inside.all():
                first = int(np.flatnonzero(~inside)[0])
                raise ValueError(f"y_true[{first}] is {y[first]}, not one of {z.shape[1]} classes")
        elif self._takes_rows and y.shape == z.shape:
            self._check("y_true", y, self.target_domain)
        else:
            raise ValueError(f"y_true has shape {y.shape}, which does not fit y_pred's {z.shape}")
        self._check("y_pred", z, self.prediction_domain)


class EuclideanError(RowLoss):
    """‖z - y‖₂ of each row. Its Hessian is not diagonal, so it has none."""

    has_hessian = False
    _takes_rows = True

    def _value(self, y: Array, z: Array) -> Array:
        # Divided by the largest difference, no square overflows or vanishes.
        r = np.abs(z - y)
        largest = np.max(r, axis=1)
        scale = np.where(largest > 0, largest, 1.0)
        return scale * np.sqrt(np.sum((r / scale[:, None]) ** 2, axis=1))

    def _gradient(self, y: Array, z: Array) -> Array:
        norm = self._value(y, z)[:, None]
        return (z - y) / np.where(norm > 0, norm, 1.0)

    def _hessian(self, y: Array, z: Array) -> Array:
        raise TypeError("the Hessian of EuclideanError is not diagonal: it is not given")


NOT_NEGATIVE = Domain(low=0.0, high=float(np.finfo(np.float64).max))
PROBABILITY = Domain(low=0.0, high=1.0)
