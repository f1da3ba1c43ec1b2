"""A search for the arguments with the largest error, by a population that climbs over bit patterns.

Each member of the population is one sample: a row in each of its arrays of numbers and labels. Its children
differ from it by units in the last place, by relative steps of any size, by flipped bits, by shifts that keep
differences, by steps towards other members; the best child takes its place. Members that stay behind are
replaced by copies of the best.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Arrays = tuple[np.ndarray, ...]

MEMBERS, CHILDREN = 32, 12


class Found(NamedTuple):
    """The worst error in ULPs, its arguments (one row each), the loss, and how many were tried."""

    error: float
    arguments: Arrays
    loss: Any
    tried: int


def _bits(x: np.ndarray) -> np.ndarray:
    return x.view(np.int32 if x.dtype == np.float32 else np.int64)


def _mutated(x: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every row of `x` changed in one way: one entry of it, or each."""
    n = len(x)
    column = (n,) + (1,) * (x.ndim - 1)
    digits = np.finfo(x.dtype).nmant
    kind = rng.integers(0, 7, n).reshape(column)
    size = x.dtype.type(2) ** -rng.integers(0, digits + 2, n).reshape(column)
    normal = rng.normal(0, 1, x.shape)
    steps = np.where(rng.random(column) < 0.5, 3, 100) * normal
    flipped = _bits(x.copy()) ^ (1 << rng.integers(0, digits, x.shape)).astype(_bits(x).dtype)
    with np.errstate(all="ignore"):
        choices = [
            (_bits(x.copy()) + np.round(steps).astype(_bits(x).dtype)).view(x.dtype),
            x * (1 + size * normal),
            flipped.view(x.dtype),
            x + size * normal,
            x + normal * (others - x),
            np.where(rng.random(column) < 0.5, -x, x * 2.0 ** rng.integers(-3, 4, column)),
            others,
        ]
        changed = np.choose(kind, choices).astype(x.dtype)
    if x.ndim == 2:
        one = np.arange(x.shape[1]) == rng.integers(0, x.shape[1], column)
        changed = np.where(one | (rng.random(column) < 0.3), changed, x)
    return np.where(np.isfinite(changed), changed, x)


def _children(arrays: Arrays, rng: np.random.Generator) -> Arrays:
    """As many children as there are rows; at least one of a row's arguments changes."""
    n = len(arrays[0])
    partners = rng.integers(0, n, n)
    numbers = [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]
    first = rng.choice(numbers, n)
    both = rng.random(n) < 0.3
    found = list(arrays)
    for k, a in enumerate(arrays):
        column = (n,) + (1,) * (a.ndim - 1)
        if k in numbers:
            changes = (first == k) | both
            found[k] = np.where(changes.reshape(column), _mutated(a, a[partners], rng), a)
        else:
            found[k] = np.where((rng.random(n) < 0.1).reshape(column), a[partners], a)
    if len(numbers) > 1 and all(arrays[k].shape == arrays[0].shape for k in numbers):
        # Shifts that keep differences: both arguments moved by as much.
        shifted = (rng.random(n) < 0.1).reshape((n,) + (1,) * (arrays[0].ndim - 1))
        with np.errstate(all="ignore"):
            step = (rng.normal(0, 1, arrays[0].shape) * np.abs(arrays[numbers[0]])).astype(
                arrays[numbers[0]].dtype
            )
            for k in numbers:
                moved = arrays[k] + step
                found[k] = np.where(shifted & np.isfinite(moved), moved, found[k])
    return tuple(found)


def climb(
    loss: Any,
    start: Arrays,
    errors: Callable[[Any, Arrays], np.ndarray],
    inside: Callable[[Arrays], np.ndarray],
    vary: Callable[[Any, np.random.Generator], Any] | None,
    rng: np.random.Generator,
    seconds: float,
    steps: int,
) -> Found:
    """Climbs from the worst of `start`; `inside` tells which arguments are in the loss's domain.

    With `vary`, which changes a loss's parameters, these are searched as well.
    """
    end = time.monotonic() + seconds
    error = errors(loss, start)
    tried = len(error)
    best = np.resize(np.argsort(-error)[:MEMBERS], MEMBERS)
    members, height = tuple(a[best] for a in start), error[best]
    for step in range(steps):
        if time.monotonic() > end:
            break
        repeated = tuple(np.repeat(a, CHILDREN, axis=0) for a in members)
        children = _children(repeated, rng)
        allowed = inside(children).reshape((-1,))
        children = tuple(
            np.where(allowed.reshape((-1,) + (1,) * (c.ndim - 1)), c, r)
            for c, r in zip(children, repeated, strict=True)
        )
        error = errors(loss, children).reshape(MEMBERS, CHILDREN)
        tried += error.size
        k = np.argmax(error, axis=1)
        at = np.arange(MEMBERS) * CHILDREN + k
        better = error[np.arange(MEMBERS), k] >= height
        members = tuple(
            np.where(better.reshape((-1,) + (1,) * (m.ndim - 1)), c[at], m)
            for m, c in zip(members, children, strict=True)
        )
        height = np.where(better, error[np.arange(MEMBERS), k], height)
        if step % 5 == 4:
            order = np.argsort(-height)
            order[-MEMBERS // 4 :] = order[: MEMBERS // 4]
            members, height = tuple(m[order] for m in members), height[order]
        if vary is not None and step % 3 == 2:
            other = vary(loss, rng)
            error = errors(other, members)
            tried += len(error)
            if error.max() > height.max():
                loss, height = other, error
    i = int(np.argmax(height))
    return Found(float(height[i]), tuple(m[i : i + 1] for m in members), loss, tried)
