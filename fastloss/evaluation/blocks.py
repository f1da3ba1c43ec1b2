"""Rows in blocks: what the measures of one evaluation add, a block at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss import _core
from fastloss._validation import bad_weight
from fastloss.errors import DomainError

Array = npt.NDArray[Any]

#: Rows of a block: its arrays stay in the last cache, and calls are few.
BLOCK_ROWS = 1 << 18
#: With groups, whose rows are brought together first.
GROUPED_ROWS = 1 << 17


class Scratch:
    """Arrays that one block after the other writes to: fresh memory costs more than what is done in it."""

    def __init__(self) -> None:
        self._kept: dict[Any, Array] = {}

    def array(self, use: Any, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an array; whatever was had before for the same use is written over."""
        dtype = np.dtype(dtype)
        size = dtype.itemsize * math.prod(shape)
        kept = self._kept.get(use)
        if kept is None or len(kept) < size:
            kept = self._kept[use] = np.empty(size, dtype=np.uint8)
        found: Array = kept[:size].view(dtype).reshape(shape)
        return found


class Block:
    """Some rows, those of one group together.

    Parameters
    ----------
    y : ndarray
        The targets.
    predictions : sequence of ndarray
        The predictions of each model.
    weights : ndarray or None
        A weight for each row.
    starts, groups : ndarray
        The first row of each run, and the end of the last; the group of each run.
    scratch : Scratch
        Where to compute.
    is_own : bool
        Whether the arrays are neither the caller's nor scratch: a store may keep them.
    """

    def __init__(
        self, y: Array, predictions: Sequence[Array], weights: Array | None, starts: Array, groups: Array,
        scratch: Scratch, is_own: bool = False,
    ) -> None:  # fmt: skip
        self.y = y
        self.predictions = predictions
        self.weights = weights
        self.starts = starts
        self.groups = groups
        self.scratch = scratch
        self.is_own = is_own

    def __len__(self) -> int:
        return len(self.y)

    @cached_property
    def double_weights(self) -> Array | None:
        """The weights in float64."""
        return None if self.weights is None else np.ascontiguousarray(self.weights, dtype=np.float64)

    @cached_property
    def double_y(self) -> Array:
        """The targets in float64, in a scratch array."""
        y = self.scratch.array("y", self.y.shape, np.float64)
        np.copyto(y, self.y, casting="unsafe")
        return y

    @cached_property
    def labels(self) -> npt.NDArray[np.uint8]:
        """The targets as labels of two classes: 1, and 0 for 0 and -1.

        Raises
        ------
        ValueError
            One of them is another number.
        """
        y = self.y
        if y.ndim != 1:
            raise ValueError(f"y_true has shape (n, {y.shape[1]}), expected one label a row")
        if y.dtype == np.bool_:
            return np.ascontiguousarray(y).view(np.uint8)
        if y.dtype == np.uint8 and (not len(y) or y.max() <= 1):
            return np.ascontiguousarray(y)
        labels = np.ascontiguousarray(y == 1).view(np.uint8)
        bad = ~((y == 1) | (y == 0) | (y == -1))
        if bad.any():
            row = int(bad.argmax())
            raise DomainError("y_true", row, y[row], "0 or 1", " is no label: expected 0 or 1")
        return labels

    def scores(self, model: int) -> Array:
        """Return the predictions of a model, one score a row, in float32 or float64.

        Raises
        ------
        ValueError
            There are several a row, or one is NaN.
        """
        z = self.predictions[model]
        if z.ndim != 1:
            raise ValueError(f"y_pred has shape (n, {z.shape[1]}), expected one score a row")
        kept = z if z.dtype in (np.float32, np.float64) else z.astype(precision(z))
        kept = np.ascontiguousarray(kept)
        return self._placed(kept) if np.isnan(kept.min(initial=np.inf)) else kept

    def rows_of_scores(self, model: int) -> Array:
        """Return the predictions of a model, several scores a row.

        Raises
        ------
        ValueError
            One of them is NaN.
        """
        z = self.predictions[model]
        return self._placed(z) if z.dtype.kind == "f" and np.isnan(z).any() else z

    def _placed(self, z: Array) -> Array:
        """Return scores with 0 for NaN in rows of weight 0, which are as if they were not there.

        Raises
        ------
        ValueError
            There is NaN in another row.
        """
        missing = np.isnan(z)
        counts = missing if self.weights is None else (missing.T & (self.weights != 0)).T
        if counts.any():
            index = tuple(int(i) for i in np.argwhere(counts)[0])
            raise without_place(index if z.ndim > 1 else index[0], z[index])
        return np.where(missing, z.dtype.type(0), z)

    def found(self, model: int, cutoff: float) -> npt.NDArray[np.bool_]:
        """Return whether the score of each row is above a cutoff, in a scratch array."""
        scores = self.scores(model)
        return np.greater(scores, cutoff, out=self.scratch.array("found", scores.shape, np.bool_))

    def repeated(self, times: int) -> Block:
        """Return runs and weights of rows that are so many samples each."""
        weights = None if self.double_weights is None else np.repeat(self.double_weights, times)
        return Block(
            np.empty(len(self) * times, dtype=np.uint8), (), weights, self.starts * times, self.groups,
            self.scratch,
        )  # fmt: skip

    def split_by(self, codes: Array, n_codes: int, arrays: list[Array]) -> tuple[list[Array], Array, Array]:
        """Order arrays by group and code (uint32): scratch arrays, starts of runs, group * n_codes + code."""
        lengths = np.diff(self.starts)
        if len(lengths) > 1:
            codes = codes + np.repeat(np.arange(len(lengths), dtype=np.uint32) * np.uint32(n_codes), lengths)
        room = [self.scratch.array(("split", i), x.shape, x.dtype) for i, x in enumerate(arrays)]
        found, starts = _core.bring_together(codes, len(lengths) * n_codes, arrays, room)
        cells = (self.groups[:, None] * n_codes + np.arange(n_codes)).ravel()
        return found, starts, cells


def precision(z: Array) -> type[np.floating[Any]]:
    """Return the precision in which predictions are computed."""
    if z.dtype == np.float64:
        return np.float64
    name = z.dtype.name
    return np.float32 if name in ("float32", "float16", "bfloat16") else np.float64


def check_weights(weights: Array) -> None:
    """Raise an error about the first weight that is negative or not finite."""
    if weights.min() >= 0 and weights.max() < np.inf:  # neither is so where one is NaN
        return
    bad = ~((weights >= 0) & (weights < np.inf))
    raise bad_weight(weights, int(bad.argmax()))


def without_place(index: int | tuple[int, ...], value: Any) -> DomainError:
    """Make the error of a score that is not a number."""
    return DomainError("y_pred", index, value, "a number", " has no place in an order: expected a number")
