"""What the binding does off its fast path: other containers than arrays, overlaps, the words of errors."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._containers import numbers_of
from fastloss.errors import DomainError, RowSumWarning

Array = npt.NDArray[Any]
DomainTuple = tuple[float, float, bool, bool]


def as_array(x: Any, name: str) -> Array:
    """Return `x` as a plain array, without a copy where its memory allows."""
    # NumPy imports its masked arrays when they are first asked for, which takes longer than many a loss.
    if "numpy.ma" in sys.modules and isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array: its mask would be lost; compress or fill it first")
    if hasattr(x, "toarray"):
        raise TypeError(f"{name} is a sparse {type(x).__name__}, expected a dense array")
    try:
        if isinstance(x, np.ndarray):
            array: Array = np.asarray(x)
        elif (numbers := numbers_of(x)) is not None:
            array = numbers
        elif hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
            array = np.from_dlpack(x)
        else:
            array = np.asarray(x)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise type(error)(f"{name} cannot be read as an array: {error}") from error
    if array.ndim == 0 and array.dtype.kind not in "biufcV":
        # NumPy makes one object of what is no sequence: None, a set, an iterator, a string.
        raise TypeError(f"{name} is {shown(x)}, expected an array of numbers")
    # A subclass may redefine what the binding relies on; asarray keeps none but leaves memmap's base.
    return array.view(np.ndarray) if type(array) is not np.ndarray else array


def is_real(dtype: np.dtype[Any]) -> bool:
    """Tell whether a dtype is one of real numbers; bfloat16 is a kind of its own to NumPy."""
    return dtype.kind in "biuf" or dtype.name == "bfloat16"


def precision_of(array: Array) -> type[np.floating[Any]]:
    """Return float32 for an array of it, in whichever byte order, and float64 for any other."""
    return np.float32 if array.dtype.kind == "f" and array.dtype.itemsize == 4 else np.float64


def written(value: Any) -> str:
    """Write a constructor's argument as Python reads it."""
    return f"float('{value}')" if isinstance(value, float) and not math.isfinite(value) else repr(value)


def shown(x: Any) -> str:
    """Say what an argument is that is not what it should be, in a few words."""
    if x is None or isinstance(x, bool | float | complex):
        return repr(x)
    if isinstance(x, int):
        return repr(x) if abs(x) < 10**30 else f"an integer of {x.bit_length()} bits"
    if isinstance(x, str | bytes):
        return repr(x) if len(x) <= 60 else f"{x[:60]!r}..."
    if isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}" if x.ndim else repr(x)
    text = repr(x)
    kind = type(x).__name__
    if len(text) <= 60 and not text.startswith("<"):
        return text
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def one_of(name: str, value: Any, choices: Iterable[str]) -> None:
    """Raise an error that tells which names there are, unless `value` is one of them."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        names = ", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}"
        raise ValueError(f"{name} must be {names}, got {shown(value)}")


def column_hint(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say how a column becomes what was expected, nothing where it is none."""
    return f"; {name}.ravel() is it" if shape == (*expected, 1) else ""


def overlaps(a: Array, b: Array) -> bool:
    """Tell whether two arrays share an element; a question too hard to decide counts as yes."""
    try:
        return np.shares_memory(a, b, max_work=100_000)  # type: ignore[arg-type]  # the stubs know -1 and 0
    except np.exceptions.TooHardError:
        return True


def index_in_order(shape: tuple[int, ...], axes: Sequence[int], position: int) -> int | tuple[int, ...]:
    """Return the index of the element at a position in memory order: the axes, slowest first."""
    unravelled = np.unravel_index(position, tuple(shape[axis] for axis in axes))
    index = [0] * len(shape)
    for axis, i in zip(axes, unravelled, strict=True):
        index[axis] = int(i)
    return index[0] if len(index) == 1 else tuple(index)


def _not_missing(value: Any) -> str:
    """Say in the end of a message that a value is missing, where it is NaN."""
    return ", not a missing value" if value != value else ""


def describe_domain(domain: DomainTuple) -> str:
    """Say in words which values a domain admits."""
    low, high, open_low, integral = domain
    if integral:
        return "0 or 1" if low == 0 else "-1, 0 or 1"
    if np.isfinite(high):
        return f"a number in [{low:g}, {high:g}]"
    if np.isfinite(low):
        return f"{'greater than' if open_low else 'at least'} {low:g}"
    return "a number"


def outside_domain(
    loss: str, name: str, array: Array, index: int | tuple[int, ...], domain: DomainTuple
) -> DomainError:
    """Make the error of a target or prediction outside its domain."""
    value = array[index]
    expected = describe_domain(domain) + _not_missing(value)
    return DomainError(name, index, value, expected, f" is outside the domain of {loss}: expected {expected}")


def bad_weight(weights: Array, index: int | tuple[int, ...]) -> DomainError:
    """Make the error of a weight; weights may have fewer axes than the predictions."""
    place = index if isinstance(index, int) or weights.ndim > 1 else index[0]
    expected = "finite and not negative"
    return DomainError("sample_weight", place, weights[place], expected, f": weights must be {expected}")


def bad_label(loss: str, labels: Array, row: int, n_classes: int, name: str = "y_true") -> DomainError:
    """Make the error of a class index that is none."""
    expected = f"0 to {n_classes - 1}{_not_missing(labels[row])}"
    return DomainError(name, row, labels[row], expected, f" is no class for {loss}: expected {expected}")


def bad_pair_label(loss: str, labels: Array, row: int, name: str, expected: str) -> DomainError:
    """Make the error of a label that says neither that a pair is alike nor that it is not."""
    expected += _not_missing(labels[row])
    return DomainError(name, row, labels[row], expected, f" is no label for {loss}: expected {expected}")


def bad_entry(loss: str, name: str, array: Array, index: tuple[int, int], float32: bool) -> DomainError:
    """Make the error of an entry of a matrix that is no probability."""
    value = array[index]
    if float32 and np.isfinite(value) and value > np.finfo(np.float32).max:
        saying = " is beyond float32, the precision that y_pred sets"
        return DomainError(name, index, value, "a number of float32", saying)
    expected = "a probability"
    return DomainError(name, index, value, expected, f" is outside the domain of {loss}: expected {expected}")


def bad_point(name: str, array: Array, row: int, column: int, is_mass: bool) -> DomainError:
    """Make the error of a position that is not finite, or of a mass that is not or is negative."""
    # Of one axis are weights, the same in every row, and numbers that are either one row or one column.
    index = (row, column) if array.ndim == 2 else column if is_mass else row + column
    expected = "finite and not negative" if is_mass else "finite numbers"
    saying = f": masses must be {expected}" if is_mass else f": expected {expected}"
    return DomainError(name, index, array[index], expected, saying)


def bad_mass(name: str, array: Array, row: int, total: float) -> str:
    """Word the error of masses that cannot be normalised."""
    return f"{f'{name}[{row}]' if array.ndim == 2 else name} sums to {total:g}: there is no mass to move"


def first_off_row(rows: Array, weights: Array | None, row: int, total: float) -> tuple[int | None, float]:
    """Return the first row that does not sum to 1, and its sum, from one on that is suspected.

    Numbers that are all float32's come from a softmax in float32, whose rounding they keep.
    """
    tolerance, of_float32 = (float(np.sqrt(np.finfo(t).eps)) for t in (np.float64, np.float32))
    if rows.dtype.itemsize <= 4 and rows.dtype.kind not in "biu":
        tolerance = of_float32
    height = max(1, (1 << 16) // rows.shape[1])
    for start in range(row, len(rows), height):
        block = rows[start : start + height].astype(np.float64)
        sums = block.sum(axis=1)
        off = ~(np.abs(sums - 1) <= tolerance)
        if weights is not None:
            off &= weights[start : start + height] != 0
        for i in np.flatnonzero(off):
            if not (abs(sums[i] - 1) <= of_float32 and (block[i] == block[i].astype(np.float32)).all()):
                return start + int(i), float(sums[i])
    return None, total


def warn_off_row(loss: str, row: int, total: float, stacklevel: int = 3) -> None:
    """Warn of a row of probabilities that do not sum to one."""
    shown = f"{total:.6g}"
    if shown == "1":
        shown = f"1 {'-' if total < 1 else '+'} {abs(total - 1):.2g}"
    warnings.warn(RowSumWarning(loss, row, shown), stacklevel=stacklevel)
