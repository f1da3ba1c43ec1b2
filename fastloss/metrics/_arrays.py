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

from fastloss._containers import numbers_of
from fastloss._loss import Loss
from fastloss.metrics._errors import is_sparse

Array = npt.NDArray[Any]

#: Elements worked on at a time where NumPy computes: a block and its temporaries stay in cache.
BLOCK = 1 << 16

_SCALAR = "Input should have at least 1 dimension i.e. satisfy `len(x.shape) > 0`, got scalar `{!r}` instead."


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
            raise TypeError(_SCALAR.format(x))
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
    elif (numbers := numbers_of(x)) is not None:
        array = numbers
    elif not hasattr(x, "__array__") and hasattr(x, "__dlpack__"):
        array = np.from_dlpack(x)
    else:
        array = np.asarray(x)
        if array.dtype == object and hasattr(x, "to_numpy"):
            array = _nullable_numbers(x, array)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    if array.ndim == 0:
        raise TypeError(_SCALAR.format(x))
    if array.ndim > 2:
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= 2 is required.")
    return array


def _nullable_numbers(x: Any, objects: Array) -> Array:
    """Return what nullable columns of pandas hold as floats, with NaN for what is missing; or the objects."""
    dtypes = [x.dtype] if hasattr(x, "dtype") else list(x.dtypes)
    if all(getattr(dtype, "kind", "") in ("b", "i", "u", "f") for dtype in dtypes):
        return np.asarray(x.astype("float64") if x.ndim == 1 else x.to_numpy(np.float64, na_value=np.nan))
    return objects


def check_size(array: Array) -> None:
    """Raise an error unless there is a sample, and a column in it."""
    for axis, thing in enumerate(("sample", "feature")[: array.ndim]):
        if array.shape[axis] == 0:
            raise ValueError(
                f"Found array with 0 {thing}(s) (shape={array.shape}) while a minimum of 1 is required."
            )


def numeric(x: Any) -> Array:
    """Return numbers as an array; strings and objects that hold numbers are converted, times are counted."""
    array = dense(x)
    if array.dtype.kind in "mM":
        array = array.view(np.int64)
    elif array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        array = np.asarray(x, dtype=np.float64)
    check_size(array)
    return array


def numeric_as_given(x: Any) -> Array:
    """Return numbers as an array; not of strings. What NumPy makes objects of a list remain objects."""
    array = dense(x)
    if array.dtype.kind in "USV" and array.dtype.name != "bfloat16":
        raise ValueError(
            "dtype='numeric' is not compatible with arrays of bytes/strings.Convert your data to numeric"
            " values explicitly instead."
        )
    dtype = getattr(x, "dtype", None)
    is_nullable_boolean = array.dtype.kind == "b" and hasattr(dtype, "na_value")
    if is_nullable_boolean or (array.dtype == object and getattr(dtype, "kind", "") == "O"):
        array = array.astype(np.float64)
    check_size(array)
    return array


def check_finite(array: Array, name: str = "") -> None:
    """Raise an error for NaN or infinity."""
    if array.dtype.kind in "iubmMUSV" and array.dtype.name != "bfloat16":
        return
    if array.dtype == object:
        if np.asarray(array != array).astype(bool).any():
            raise ValueError("Input contains NaN")
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
    """Return weights as an array of n numbers, not all zero; strings that hold numbers are converted."""
    if sample_weight is None:
        return None
    return checked_weights(numeric(sample_weight), n)


def weights_of_labels(sample_weight: Any, n: int) -> Array | None:
    """Return weights as an array of n numbers, not all zero; beside labels, nothing but numbers passes."""
    if sample_weight is None:
        return None
    array = dense(sample_weight)
    is_odd = array.dtype.kind in "USVmM" and array.dtype.name != "bfloat16"
    if is_odd or (array.dtype == object and not all(isinstance(w, numbers.Number) for w in array.flat)):
        raise TypeError(f"sample_weight holds {array.dtype}, expected real numbers")
    return checked_weights(numeric(array), n)


def weights_of_average(sample_weight: Any) -> Array | None:
    """Return weights of one dimension, which scikit-learn hands to `np.average` as they are."""
    if sample_weight is not None and np.ndim(sample_weight) != 1:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    return weights_of_labels(sample_weight, 0)


def checked_weights(array: Array, n: int) -> Array:
    """Return weights, of one dimension and not all zero."""
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
    w = w.astype(np.float64)  # the least integer of a dtype has no opposite in it
    positive = loss(y, z, sample_weight=np.maximum(w, 0), reduction="sum")
    total: float = positive - loss(y, z, sample_weight=np.maximum(-w, 0), reduction="sum")
    return total / total_weight(w) if reduction == "mean" else total
