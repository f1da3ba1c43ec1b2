"""Differences of whole numbers that float64 does not hold, such as times in nanoseconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss.metrics._arrays import Array

#: Every whole number up to this one is a float64.
_LARGEST = 1 << 53


def is_beyond_floats(array: Array) -> bool:
    """Tell whether an array has whole numbers that float64 may not hold."""
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8:
        return False
    # Taken without their sign negative numbers are large: one pass answers for small positive ones.
    if array.dtype.isnative and array.view(np.uint64).max() <= _LARGEST:
        return False
    return int(array.max()) > _LARGEST or int(array.min()) < -_LARGEST


def distances(a: Array, b: Array) -> Array:
    """Return |a - b| of integers as uint64, without rounding or overflow."""
    if a.dtype.kind == b.dtype.kind:
        a, b = (x.astype(f"{x.dtype.kind}8", copy=False) for x in (a, b))
        larger = np.asarray(np.maximum(a, b)).view(np.uint64)
        # The difference modulo 2^64, within which it fits.
        return np.subtract(larger, np.asarray(np.minimum(a, b)).view(np.uint64), out=larger)
    forward = a.astype(np.uint64) - b.astype(np.uint64)
    return np.where(_is_less(a, b), np.negative(forward), forward)


def differences(a: Array, b: Array) -> Array:
    """Return a - b of integers, each rounded once to float64."""
    signs = np.where(_is_less(a, b), -1.0, 1.0)
    return np.asarray(signs * distances(a, b))


def _is_less(a: Array, b: Array) -> Array:
    """Tell where a < b; of integers with and without sign, NumPy 1 compares floats."""
    if a.dtype.kind == b.dtype.kind:
        return np.asarray(a < b)
    if a.dtype.kind == "u":
        return np.asarray((b >= 0) & (a < b.astype(np.uint64)))
    return np.asarray((a < 0) | (a.astype(np.uint64) < b))


def absolute_errors(y: Array, z: Array, dtype: Any) -> Array:
    """Return |z - y|: of floats in that dtype, of integers, times and Python's numbers without rounding."""
    kinds = y.dtype.kind, z.dtype.kind
    if kinds[0] in "iu" and kinds[1] in "iu":
        return distances(y, z)
    if kinds[0] in "ObmM" or kinds[1] in "ObmM":
        difference = np.subtract(z, y)
        return np.asarray(np.abs(difference.view(np.int64) if difference.dtype.kind == "m" else difference))
    return np.asarray(np.abs(np.subtract(z, y, dtype=dtype)))
