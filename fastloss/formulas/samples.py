"""Where an audit looks: hard targets and predictions of the domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import Domain

Array = npt.NDArray[Any]

#: Magnitudes that are no extremes of anything: what is bounded or not is judged by larger ones.
ORDINARY = 8.0


def ordinary(targets: Domain, predictions: Domain, n: int = 33) -> tuple[Array, Array]:
    """Return all pairs of some targets and predictions of ordinary size."""
    y, z = _points(targets, 9), _points(predictions, n)
    return np.repeat(y, len(z)), np.tile(z, len(y))


def _points(domain: Domain, n: int) -> Array:
    if domain.integral:
        return np.array([-1.0, 1.0] if domain.low < 0 else [0.0, 1.0])
    if domain.high < np.inf:
        return np.linspace(domain.low, domain.high, n)
    if domain.low > -np.inf:
        return np.asarray(domain.low + np.geomspace(1e-2, 1e1, n))
    return np.linspace(-ORDINARY, ORDINARY, n)


def hard(
    targets: Domain, predictions: Domain, dtype: Any, rng: np.random.Generator, n: int
) -> tuple[Array, Array]:
    """Return n pairs: of all magnitudes, predictions near their targets, near 0, and ordinary ones."""
    y, z = _drawn(targets, rng, n), _drawn(predictions, rng, n)
    near = rng.random(n) < 0.3
    if not targets.integral:
        z = np.where(near, y * (1 + rng.normal(size=n) * 10.0 ** -rng.uniform(0, 7, n)), z)
    return clipped(targets, y.astype(dtype)), clipped(predictions, z.astype(dtype))


def _drawn(domain: Domain, rng: np.random.Generator, n: int) -> Array:
    if domain.integral:
        return rng.integers(-1 if domain.low < 0 else 0, 2, n).astype(np.float64)
    if domain.high < np.inf:
        x = rng.uniform(domain.low, domain.high, n)
        ends = 10.0 ** -rng.uniform(0, 12, n)
        return np.where(rng.random(n) < 0.4, np.where(rng.random(n) < 0.5, ends, 1 - ends), x)
    magnitude = np.exp(rng.uniform(np.log(1e-8), np.log(1e3), n))
    magnitude = np.where(rng.random(n) < 0.5, rng.uniform(0, 10, n), magnitude)
    if domain.low > -np.inf:
        return np.asarray(domain.low + magnitude)
    return np.asarray(magnitude * rng.choice([-1.0, 1.0], n))


def clipped(domain: Domain, x: Array) -> Array:
    """Return what lies inside the domain, near x."""
    low = np.nextafter(x.dtype.type(domain.low), x.dtype.type(np.inf)) if domain.open_low else domain.low
    x = np.clip(x, low, domain.high)
    return np.round(x) if domain.integral else x


def varied(
    targets: Domain, predictions: Domain, y: Array, z: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return pairs near these, by much and by little."""
    scale = 10.0 ** -rng.uniform(0.3, 7, len(z))
    new_z = z * (1 + rng.normal(size=len(z)) * scale)
    moves = rng.random(len(y)) < 0.5
    new_y = np.where(moves & (not targets.integral), y * (1 + rng.normal(size=len(y)) * scale), y)
    return clipped(targets, new_y.astype(y.dtype)), clipped(predictions, new_z.astype(z.dtype))
