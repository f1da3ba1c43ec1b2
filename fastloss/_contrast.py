"""The loss of each vector against a whole batch, in blocks of the matrix of similarities.

The batch is 2n unit vectors u, first all a, then all b. The matrix s = u uᵀ is never whole: a first pass over
its blocks makes each anchor's sum of exponentials, a second one makes the blocks again and turns them into
the slopes of the loss by the inner products, A, whose product A u is the gradient by u. A is symmetric, so
that the second pass makes half of its blocks. BLAS multiplies, the C library does what is elementwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss import _core, _validation

Array = npt.NDArray[Any]

#: Rows and columns of a block: large enough for the threads of BLAS to be worth their meeting at its end.
BLOCK = 1024


class Batch:
    """The unit vectors of a batch of pairs, and the loss of each as an anchor.

    Parameters
    ----------
    a, b : ndarray of shape (n, d)
        Any real dtype.
    dtype : dtype
        float32 or float64: what to compute in.
    temperature : float
        What similarities are divided by.
    n_threads : int
        For what BLAS does not do.
    """

    def __init__(self, a: Array, b: Array, dtype: Any, temperature: float, n_threads: int) -> None:
        self.size = 2 * len(a)
        self.temperature = temperature
        self.n_threads = n_threads
        self.unit = np.empty((self.size, a.shape[1]), dtype)
        self.unit[: len(a)] = a
        self.unit[len(a) :] = b
        self.largest = np.empty(self.size, dtype)
        self.norm = np.empty(self.size, dtype)
        self._normalise()
        # Zeros: where it should overwrite, a BLAS for aarch64 adds 0 times what was there, which may be NaN.
        self._buffer = np.zeros(BLOCK * BLOCK, dtype)
        self.loss, self.level = self._losses()

    def _blocks(self) -> Iterator[slice]:
        for start in range(0, self.size, BLOCK):
            yield slice(start, min(start + BLOCK, self.size))

    def _normalise(self) -> None:
        """Divide by the largest entry first, so that no square over- or underflows; a zero vector stays."""
        for block in self._blocks():
            x = self.unit[block]
            largest = np.maximum(x.max(axis=1), -x.min(axis=1))
            self.largest[block] = np.where((largest > 0) & (largest < np.inf), largest, 1)
            x /= self.largest[block, None]
            self.norm[block] = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
            x /= np.where(self.norm[block] == 0, 1, self.norm[block])[:, None]

    def _similarities(self, rows: slice, columns: slice) -> Array:
        shape = rows.stop - rows.start, columns.stop - columns.start
        out = self._buffer[: shape[0] * shape[1]].reshape(shape)
        return np.matmul(self.unit[rows], self.unit[columns].T, out=out)

    def _losses(self) -> tuple[Array, Array]:
        """Each anchor's loss, and the logarithm of its sum of exponentials over all candidates."""
        largest, total, positive = np.full(self.size, -np.inf), np.zeros(self.size), np.empty(self.size)
        for rows in self._blocks():
            for columns in self._blocks():
                _core.similarity_gather(
                    self._similarities(rows, columns),
                    rows.start,
                    columns.start,
                    self.size,
                    self.temperature,
                    largest[rows],
                    total[rows],
                    positive[rows],
                    self.n_threads,
                )
        # log(1 + others/positive): nothing cancels where the partner is by far the nearest.
        others = (largest - positive) / self.temperature + np.log(total)
        loss = np.logaddexp(0, others)
        return loss, positive / self.temperature + loss

    def gradient(self, share: Array) -> Array:
        """Return the gradient by all vectors of the sum of the anchors' losses, each times its share."""
        dtype = self.unit.dtype
        level, missed = self.level.astype(dtype), (-np.expm1(-self.loss)).astype(dtype)
        slope = (share / self.temperature).astype(dtype)
        gradient = np.zeros_like(self.unit)
        product = np.empty((BLOCK, self.unit.shape[1]), dtype)
        for rows in self._blocks():
            for columns in self._blocks():
                if columns.start < rows.start:
                    continue
                slopes = self._similarities(rows, columns)
                _core.similarity_slopes(
                    slopes, rows.start, columns.start, self.temperature, level, missed, slope, self.n_threads
                )
                gradient[rows] += np.matmul(slopes, self.unit[columns], out=product[: len(slopes)])
                if columns.start > rows.start:
                    gradient[columns] += np.matmul(slopes.T, self.unit[rows], out=product[: slopes.shape[1]])
        for block in self._blocks():
            self._through_norm(gradient[block], block)
        return gradient

    def _through_norm(self, g: Array, block: slice) -> None:
        """From the gradient by a unit vector to that by the vector: its orthogonal part over the length."""
        u, norm = self.unit[block], self.norm[block]
        g -= u * np.einsum("ij,ij->i", g, u)[:, None]
        g *= np.where(norm == 0, 0, 1 / np.where(norm == 0, 1, norm))[:, None]
        g /= self.largest[block, None]


def near_one(weights: Array) -> tuple[Array, float]:
    """Return weights, where they are far from 1 times a power of two that brings them near it, and that."""
    largest = float(weights.max(initial=0))
    if largest == 0 or 2.0**-64 <= largest <= 2.0**32:
        return weights, 1.0
    exponent = 1000 if largest == math.inf else math.frexp(largest)[1]
    scale = 2.0 ** -min(max(exponent, -1000), 1000)
    return weights * scale, scale


def sum_of(values: Sequence[float] | Array) -> float:
    """Return the sum of floats, exactly where it can be had."""
    try:
        return math.fsum(values.tolist() if isinstance(values, np.ndarray) else values)
    except (OverflowError, ValueError):  # what floats overflow to, or infinities of both signs
        return float(sum(values))


def weights_of_rows(sample_weight: Any, a: Array, name: str) -> tuple[Array | None, Array]:
    """Return the weights as an array as they came, and as float64, checked; ones where there are none."""
    if sample_weight is None:
        return None, np.ones(len(a))
    given = _core.row_numbers(sample_weight, "sample_weight", a, name)
    weights = given.astype(np.float64)
    bad = ~((weights >= 0) & (weights < np.inf))
    if bad.any():
        raise _validation.bad_weight(given, int(np.argmax(bad)))
    return given, weights
