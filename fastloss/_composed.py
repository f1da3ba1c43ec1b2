"""Losses of arrays of one shape that are put together from what kernels of other losses compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fastloss import _core
from fastloss._contrast import near_one, sum_of, weights_of_rows
from fastloss._loss import EmbeddingLoss

Array = npt.NDArray[Any]
Reduction = Literal["mean", "sum", "none"]

#: So many numbers of an array are gone over at a time: in a cache, and without new pages of memory.
_NUMBERS_AT_ONCE = 1 << 13


class Call(NamedTuple):
    """What a call has to compute: of rows with weights the values and the slopes by all arrays.

    Weights are brought near 1 where they are not: results are to be divided by `scale`, and by `divisor`,
    that of the mean.
    """

    arrays: Sequence[Array]
    weights: Array
    divisor: float
    scale: float
    want_value: bool
    #: Where each row's value goes; None: their sum is wanted.
    values: Array | None
    #: Where the slopes go, where they are wanted.
    slopes: Sequence[Array]
    n_threads: int

    def shares(self) -> Array:
        """Return what each row counts for: its weight, over that of all where the mean is wanted."""
        return self.weights / self.divisor / self.scale

    def deliver(self, values: Array) -> float:
        """Write all rows' values to their place, or reduce them."""
        weighted = np.where(self.weights == 0, 0, self.weights * values / self.scale)
        if self.values is None:
            return sum_of(weighted) / self.divisor
        self.write(weighted, self.values)
        return 0.0

    def write(self, numbers: Array, place: Array) -> None:
        """Write numbers as kernels do: in the precision of the arrays, into 16 bits by way of float32."""
        numbers = numbers.astype(_core.precision_of(list(self.arrays)), copy=False)
        place[...] = numbers.astype(np.float32, copy=False) if place.itemsize == 2 else numbers


class Composed(EmbeddingLoss):
    """A loss of arrays (n, d) of one shape."""

    _names: tuple[str, ...]

    def _compute(self, call: Call) -> float:
        """Do what a call wants; return the reduced value where that is wanted."""
        raise NotImplementedError

    def _compose(
        self,
        inputs: tuple[Any, ...],
        sample_weight: Any,
        reduction: Reduction,
        out: Any,
        n_threads: int | None,
        want_value: bool,
        want_gradient: bool,
    ) -> Any:
        names = self._names
        arrays = _core.embedding_arguments(inputs, names)
        given, weights = weights_of_rows(sample_weight, arrays[0], names[0])
        threads = _core.checked_threads(n_threads)
        outputs, is_stored = _core.embedding_outputs(
            arrays, names, given, reduction, out, want_value, want_gradient
        )
        if len(weights) == 0 and reduction == "mean":
            raise ValueError(f"{names[0]} is empty: the mean of no samples is undefined")
        weights, scale = near_one(weights)
        divisor = float(weights.sum()) if reduction == "mean" else 1.0
        if divisor == 0:
            raise ValueError("the weights sum to 0.0: the mean is undefined")
        if reduction == "mean":
            scale = 1.0
        values = outputs[0] if is_stored else None
        slopes = outputs[is_stored:]
        with np.errstate(all="ignore"):
            value: Any = self._compute(
                Call(arrays, weights, divisor, scale, want_value, values, slopes, threads)
            )
        if values is not None:
            value = values
        if not want_gradient:
            return value
        gradient = tuple(slopes) if len(slopes) > 1 else slopes[0]
        return (value, gradient) if want_value else gradient


def row_by_row(call: Call, rows_of: Any) -> float:
    """Do what a call wants of a function of some rows, in float64: their values, and slopes by all arrays."""
    height = max(1, _NUMBERS_AT_ONCE // call.arrays[0].shape[1])
    values, shares = np.empty(len(call.weights)), call.weights / call.divisor
    for start in range(0, len(values), height):
        rows = slice(start, start + height)
        values[rows], found = rows_of(*(np.ascontiguousarray(a[rows], np.float64) for a in call.arrays))
        share = shares[rows, None]
        for slope, by_array in zip(call.slopes, found, strict=False):
            call.write(np.where(share == 0, 0, share * by_array / call.scale), slope[rows])
    return call.deliver(values)
