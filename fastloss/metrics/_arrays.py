"""Arguments as arrays, checked as scikit-learn checks them, and means of losses over them.

What can only be seen by reading all values, NaN and infinity above all, is not looked for in advance: the
result shows it, and only then is the cause searched and the error raised.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import Loss
from fastloss.metrics._errors import is_sparse

Array = npt.NDArray[Any]

#: Elements worked on at a time where NumPy computes: a block and its temporaries stay in cache.
BLOCK = 1 << 16


def blocks(n: int, width: int = 1) -> Iterator[slice]:
    """Cut n rows of so many elements into slices of about a block."""
    step = max(1, BLOCK // width)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def n_samples(x: Any) -> int:
    """Return the number of samples that a container holds."""
    shape = getattr(x, "shape", None)
    if shape is not None:
        if len(shape) == 0:
            raise TypeError(
                f"Input should have at least 1 dimension i.e. satisfy `len(x.shape) > 0`, got scalar `{x!r}`"
                " instead."
            )
        if isinstance(shape[0], numbers.Integral):
            return int(shape[0])
    if hasattr(x, "__len__"):
        return len(x)
    array = np.asarray(x)
    return n_samples(array)


def check_lengths(*arrays: Any) -> None:
    """Raise an error unless all that are given hold equally many samples."""
    lengths = [n_samples(array) for array in arrays if array is not None]
    if len(set(lengths)) > 1:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {lengths}")


def dense(x: Any) -> Array:
    """Return what a container holds as an array of at most two dimensions, of any dtype."""
    if type(x) is np.ndarray:
        array: Array = x
    elif isinstance(x, np.matrix):
        raise TypeError(
            "np.matrix is not supported. Please convert to a numpy array with np.asarray. For more"
            " information see: https://numpy.org/doc/stable/reference/generated/numpy.matrix.html"
        )
    elif is_sparse(x):
        raise TypeError(
            "Sparse data was passed, but dense data is required. Use '.toarray()' to convert to a dense numpy"
            " array."
        )
    elif not hasattr(x, "__array__") and hasattr(x, "__dlpack__"):
        array = np.from_dlpack(x)
    else:
        array = np.asarray(x)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    if array.ndim > 2:
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= 2 is required.")
    return array


def check_size(array: Array) -> None:
    """Raise an error unless there is a sample, and a column in it."""
    for axis, thing in enumerate(("sample", "feature")[: array.ndim]):
        if array.shape[axis] == 0:
            raise ValueError(
                f"Found array with 0 {thing}(s) (shape={array.shape}) while a minimum of 1 is required."
            )


def numeric(x: Any) -> Array:
    """Return numbers as an array; strings and objects that hold numbers are converted."""
    array = dense(x)
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        array = np.asarray(x, dtype=np.float64)
    check_size(array)
    return array


def check_finite(array: Array, name: str = "") -> None:
    """Raise an error for NaN or infinity."""
    if array.dtype.kind in "iub":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()) or np.isfinite(array).all():
            return
    kind = "NaN" if np.isnan(array).any() else f"infinity or a value too large for {array.dtype!r}"
    raise ValueError(f"Input {name + ' ' if name else ''}contains {kind}.")


def column(array: Array) -> Array:
    """Return a single column as one dimension."""
    if array.ndim == 1:
        return array
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    raise ValueError(f"y should be a 1d array, got an array of shape {array.shape} instead.")


def weights(sample_weight: Any, n: int) -> Array | None:
    """Return weights as an array of n numbers, not all zero."""
    if sample_weight is None:
        return None
    array = numeric(sample_weight)
    if array.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {array.ndim}D array. Expected either a scalar"
            f" value or a 1D array of length {n}."
        )
    if not array.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return array


def total_weight(w: Array) -> float:
    """Return the sum of the weights, checked."""
    total = float(np.sum(w, dtype=np.float64))
    if not np.isfinite(total):
        check_finite(w, "sample_weight")
    if total == 0:
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    return total


def reduce(loss: Loss, y: Array, z: Array, w: Array | None, reduction: Any = "mean") -> float:
    """Compute a loss's weighted mean or sum; unlike the loss itself, with negative weights as well."""
    try:
        value: float = loss(y, z, sample_weight=w, reduction=reduction)
        return value
    except ValueError:
        if w is None:
            raise
        check_finite(w, "sample_weight")
        if w.min() >= 0:
            raise
    positive = loss(y, z, sample_weight=np.maximum(w, 0), reduction="sum")
    total: float = positive - loss(y, z, sample_weight=np.maximum(-w, 0), reduction="sum")
    return total / total_weight(w) if reduction == "mean" else total
