"""What a linear objective makes of its arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._contrast import near_one
from fastloss._loss import Loss, ParameterLoss, PointwiseLoss
from fastloss._validation import as_array, is_real, precision_of, shown

Array = npt.NDArray[Any]

#: Not so many classes are taken from the largest index: it will be a mistake.
MOST_CLASSES = 1 << 24
MOST_NUMBERS = 1 << 53
COPIED_NUMBERS = 1 << 20


def matrix_of(X: Any) -> Any:
    """Return X as a matrix that BLAS or scipy's products take as it is; anything else is converted."""
    if hasattr(X, "tocsr"):
        if len(X.shape) != 2:
            raise ValueError(f"X has shape {X.shape}, expected (n, features)")
        X = X if X.format in ("csr", "csc") else X.tocsr()
        dtype = precision_of(X)
        return X if X.dtype == dtype else X.astype(dtype)
    X = as_array(X, "X")
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape}, expected (n, features)")
    if not is_real(X.dtype):
        raise TypeError(f"X has dtype {X.dtype}, expected real numbers")
    dtype = precision_of(X)
    in_rows = X.strides[1] == X.itemsize and X.strides[0] >= X.itemsize * X.shape[1]
    in_columns = X.strides[0] == X.itemsize and X.strides[1] >= X.itemsize * X.shape[0]
    on_items = X.strides[0] % X.itemsize == X.strides[1] % X.itemsize == 0
    if X.dtype == dtype and (in_rows or in_columns) and on_items and X.flags.aligned:
        return X
    return _copied(X, dtype)


def _copied(X: Array, dtype: Any) -> Array:
    """Return a copy, in the order of X if that is of another dtype.

    It is made a few rows at a time: Ctrl-C is answered between them.
    """
    copy: Array = np.empty_like(X, dtype, order="C" if X.dtype == dtype else "K", subok=False)
    n_rows = max(1, COPIED_NUMBERS // max(1, X.shape[1]))
    for start in range(0, len(X), n_rows):
        copy[start : start + n_rows] = X[start : start + n_rows]
    return copy


def without_rows(X: Any, absent: Array) -> Any:
    """Return X with 0 for what is not finite in rows of weight 0, which are as if they were not there."""
    if isinstance(X, np.ndarray):
        bad = absent.copy()
        bad[absent] = ~np.isfinite(X[absent]).all(axis=1)
        if bad.any():
            X = X.copy(order="K")
            X[bad] = 0
        return X
    rows = X.indices if X.format == "csc" else np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    entries = absent[rows] & ~np.isfinite(X.data)
    if entries.any():
        X = X.copy()
        X.data[entries] = 0
    return X


def count_outputs(loss: Loss, y: Array, n: int, n_classes: int | None) -> int | None:
    """Return the number C of predictions a row, None for the one number of a pointwise loss."""
    if isinstance(loss, PointwiseLoss):
        if n_classes is not None:
            raise ValueError(f"n_classes is given, but {loss!r} is a loss of one prediction")
        return None
    if isinstance(loss, ParameterLoss) and n_classes is None:
        return len(loss.columns)
    if n_classes is not None:
        if isinstance(n_classes, bool) or not isinstance(n_classes, int | np.integer) or n_classes < 1:
            raise ValueError(f"n_classes must be a positive integer, got {shown(n_classes)}")
        if n_classes > MOST_NUMBERS:
            raise ValueError(f"n_classes is more than memory holds: {shown(int(n_classes))}")
        return int(n_classes)
    if y.ndim == 2:
        return int(y.shape[1])
    named = 0
    for name in ("class_weight", "alpha"):
        if isinstance(numbers := getattr(loss, name, None), tuple):
            return len(numbers)
        if isinstance(numbers, dict):
            named = max(numbers, default=0)
    # Labels that are none are left for the loss to refuse.
    counted = y[y != ignored] if (ignored := getattr(loss, "ignore_index", None)) is not None else y
    largest = counted.max() if counted.size and counted.dtype.kind in "biuf" else 0
    if not np.isfinite(largest):
        return 2
    if largest >= MOST_CLASSES:
        raise ValueError(
            f"y[{int(np.argmax(y == largest))}] = {largest} would make {int(largest) + 1} classes; if it"
            " is the index of a class, give n_classes"
        )
    return max(2, named + 1, int(largest) + 1)


def has_softmax_hessian(loss: Any) -> bool:
    """Whether the Hessian of a row is s·(diag(p) − p·pᵀ), with softmax probabilities p."""
    return bool(loss.link == "softmax" and loss.canonical)


def prediction_bounds(loss: Any) -> tuple[float, float, bool]:
    """Return the least and largest prediction that a loss takes, and whether the least is excluded."""
    if isinstance(loss, PointwiseLoss):
        domain = loss.prediction_domain
        return domain.low, domain.high, domain.open_low
    return (0.0, 1.0, False) if loss.family == "multiclass" else (0.0, math.inf, False)


def near_weights(loss: Any, y: Array, somewhere: Array, weight: Array | None) -> tuple[Array | None, float]:
    """Return the weights, brought near 1 where they are unusually small or large, and their sum.

    A factor of all weights changes no mean, but sums in the precision of X have a range.
    """
    total = float(loss.weight_sum(y, somewhere, sample_weight=weight))
    if weight is not None:
        near, scale = near_one(weight.astype(np.float64))
        if scale != 1:
            weight, total = near, loss.weight_sum(y, somewhere, sample_weight=near)
    _, scale = near_one(np.array([total / len(y)]))
    if scale != 1:
        # The weights of the classes are what is unusual.
        weight = np.full(len(y), scale) if weight is None else weight * scale
        total = loss.weight_sum(y, somewhere, sample_weight=weight)
    return weight, total
