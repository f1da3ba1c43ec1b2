"""Tables of the rows of a group by score and label, of which an order of the scores is read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.evaluation.blocks import Array

#: Weights in a table are multiples of 2^-64 up to this.
LARGEST_WEIGHT = 2.0**31
MOST_COUNTS = 2**32 - 1
#: Rows of a run, each of the counts of the label 0, then those of the label 1.
_RUN_ROWS = 64
#: So many tables stay in memory when nobody has them any more, of counts and of weights: fresh memory would
#: cost more than what is done in it.
_MOST_SPARE = (4, 1)
_SPARE: tuple[list[Any], list[Any]] = ([], [])
#: The binding, whose functions take a table's arrays one after the other.
_tables: Any = _core


class Ranked(NamedTuple):
    """Weights of the labels 0 and 1, and their squares, by score, the highest first."""

    score: Array
    negative: Array
    positive: Array
    negative_squares: Array
    positive_squares: Array


class Memory:
    """Arrays of a table, of zeros beyond an extent of keys; they are handed on when nobody has them any more.

    Parameters
    ----------
    weighted : bool
        Whether they are of weights, whole numbers of 128 bits, and of their squares by run; or of counts: the
        last byte of each, the rest, and which runs have a rest.
    """

    def __init__(self, weighted: bool) -> None:
        self.weighted = weighted
        #: The lowest key and the highest.
        self.extent = np.array([_core.SCORE_KEYS, 0], dtype=np.uint32)
        self.arrays: Any = ()
        try:
            self.arrays = _SPARE[weighted].pop()
        except IndexError:
            n = 2 * _core.SCORE_KEYS
            if weighted:
                self.arrays = np.zeros((n, 2), np.uint64), np.zeros((_core.RUNS, 2, 3), np.uint64)
            else:
                self.arrays = np.zeros(n, np.uint8), np.zeros(n, np.uint32), np.zeros(_core.RUNS, np.uint8)

    def runs(self) -> slice:
        """Return the runs that may have something."""
        low, high = self.extent.tolist()
        return slice(low // _core.RUN_KEYS, high // _core.RUN_KEYS + 1) if low <= high else slice(0, 0)

    def widen(self, extent: Array) -> None:
        """Have other keys as well."""
        self.extent[:] = min(self.extent[0], extent[0]), max(self.extent[1], extent[1])

    def add(self, other: Memory) -> None:
        """Add what another of the same kind has."""
        self.widen(other.extent)
        add = _tables.merge_weights if self.weighted else _tables.merge_counts
        add(*self.arrays, *other.arrays, other.extent)

    def copy(self) -> Memory:
        """Return arrays of the same numbers."""
        other = Memory(self.weighted)
        other.add(self)
        return other

    def __del__(self, spare: Any = _SPARE, most: tuple[int, int] = _MOST_SPARE) -> None:
        kept = spare[self.weighted]
        if self.arrays and len(kept) < most[self.weighted]:
            runs = self.runs()
            for array in self.arrays:
                by_run = array.reshape(_core.RUNS, -1)
                if array.dtype == np.uint32:  # memory that is mostly never touched
                    by_run[self.arrays[-1].view(np.bool_)] = 0
                else:
                    by_run[runs] = 0
            kept.append(self.arrays)


class Table:
    """Counts of a group's rows by score and label, for one model; weights once there are some."""

    def __init__(self, weighted: bool = False) -> None:
        self.memory = Memory(weighted)
        self.rows = 0
        #: Whether another table has the same memory.
        self.is_shared = False

    @property
    def weighted(self) -> bool:
        """Whether it has weights."""
        return self.memory.weighted

    @property
    def extent(self) -> Array:
        """The lowest key that it has, and the highest."""
        return self.memory.extent

    def shared(self) -> Table:
        """Return a table with the same memory; whichever is added to first copies it."""
        self.is_shared = True
        other = Table.__new__(Table)
        other.__dict__.update(self.__dict__)
        return other

    def _own(self) -> None:
        if self.is_shared:
            self.memory = self.memory.copy()
            self.is_shared = False

    def add(self, scores: Array, labels: Array, weights: Array | None) -> None:
        """Add rows, with weights up to `LARGEST_WEIGHT`."""
        self._own()
        self.rows += len(labels)
        if weights is None and not self.weighted and self.rows <= MOST_COUNTS:
            _tables.count_scores(*self.memory.arrays, self.extent, scores, labels)
            return
        self._widen()
        ones = np.ones(len(labels)) if weights is None else weights
        _tables.weigh_scores(*self.memory.arrays, self.extent, scores, labels, ones)

    def _widen(self) -> None:
        """Turn counts into weights of 1."""
        if self.weighted:
            return
        counted, self.memory = self.memory, Memory(weighted=True)
        self.memory.widen(counted.extent)
        counts, runs = _tables.read_counts(*counted.arrays, counted.extent), counted.runs()
        wide, squares = self.memory.arrays
        wide.reshape(_core.RUNS, -1, 2)[runs, :, 1] = counts
        by_label = counts.reshape(len(counts), _RUN_ROWS, 2, -1).astype(np.uint64)
        squares[runs, :, 2] = by_label.sum(axis=(1, 3))
        self.is_shared = False

    def merge(self, other: Table) -> None:
        """Add another table."""
        self._own()
        self.rows += other.rows
        if self.weighted or other.weighted or self.rows > MOST_COUNTS:
            self._widen()
            if not other.weighted:
                other = other.shared()
                other._widen()
        self.memory.add(other.memory)

    def listed(self) -> tuple[Array, ...]:
        """Return the keys that it has, the highest first, what they have by label, and squares of weights."""
        listed = _tables.list_weights if self.weighted else _tables.list_counts
        found: tuple[Array, ...] = listed(*self.memory.arrays, self.extent)
        return found

    def ranked(self) -> Ranked:
        """Return what is in it, by score."""
        keys, b, a, *squares = self.listed()
        b_squares, a_squares = squares or (b, a)
        return Ranked(_scores_of_keys(keys), b, a, b_squares, a_squares)

    def summary(self, with_order: bool = True) -> dict[str, Any]:
        """Return what is in it of the area under the curve; `with_order` of the other measures as well."""
        summarise = _tables.summarise_weights if self.weighted else _tables.summarise_counts
        found: dict[str, Any] = summarise(*self.memory.arrays, self.extent, with_order)
        return found


def _scores_of_keys(keys: Array) -> Array:
    """Return the lowest score of each key."""
    half = _core.SCORE_KEYS // 2
    key = keys.astype(np.int64)
    size = np.where(key >= half, key - half, half - 1 - key + 1).astype(np.uint32)
    bits = (size << np.uint32(9)) + np.uint32(0x35800000)
    score = bits.view(np.float32).astype(np.float64) - 2.0**-20
    return np.where(key >= half, score, -score)
