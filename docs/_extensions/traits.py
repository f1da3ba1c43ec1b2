"""What a loss is as a function of the prediction, found by computing it: convex, kinked, steep, symmetric."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastloss as fl
from fastloss._curves import axis_of

_PAIRS = 20_000


def _numbers(domain: fl.Domain, rng: np.random.Generator, n: int) -> Any:
    """Draw numbers of a domain."""
    if domain.high == 1:
        return rng.integers(0, 2, n).astype(float) if domain.integral else rng.uniform(0.001, 0.999, n)
    if np.isfinite(domain.low) and domain.low > -1e300:
        return domain.low + 0.01 + rng.exponential(4, n)
    return rng.normal(0, 4, n)


def _convex(loss: Any) -> bool:
    """Say whether between two predictions the value is nowhere above the chord."""
    rng = np.random.default_rng(0)
    if isinstance(loss, fl.RowLoss):
        scores = getattr(loss, "from_logits", loss.family == "multiclass")
        real = scores or loss.family == "regression"
        rows = [rng.normal(0, 4, (_PAIRS, 3)) if real else rng.dirichlet(np.ones(3), _PAIRS) for _ in "yab"]
        y, a, b = rows
        y = rng.integers(0, 3, _PAIRS) if loss.family == "multiclass" else y
    else:
        y = _numbers(loss.target_domain, rng, _PAIRS)
        a, b = (_numbers(loss.prediction_domain, rng, _PAIRS) for _ in range(2))
    at_a, at_b, between = (loss(y, z, reduction="none") for z in (a, b, (a + b) / 2))
    return bool(np.all(between <= (at_a + at_b) / 2 + 1e-9 * (1 + abs(at_a) + abs(at_b))))


def _kinked(loss: Any) -> bool:
    """Say whether the gradient jumps: by as much however near two predictions are."""
    axis = axis_of(loss, 1.0)
    low, high = axis.low - 0.0123, axis.high
    low = max(low, axis.least + 1e-3)
    for _ in range(7):
        z = np.linspace(low, high, 101)
        steps = abs(np.diff(loss.gradient(np.full_like(z, axis.target), z, reduction="none")))
        widest = int(steps.argmax())
        low, high = z[widest], z[widest + 1]
    return bool(steps.max() > 1e-6)


def _steepest(loss: Any, reach: float) -> float:
    """Find the largest slope of predictions up to a reach, or as near as that to the edge of the domain."""
    domain = loss.prediction_domain
    low = domain.low + 1 / reach if domain.low > -1e300 else -reach
    high = domain.high - 1 / reach if domain.high < 1e300 else reach
    z = np.concatenate([np.linspace(low, high, 10_001), low + np.geomspace(1e-9, high - low, 1001)])
    y = np.full_like(z, axis_of(loss, 1.0).target)
    with np.errstate(all="ignore"):
        return float(np.max(abs(loss.gradient(y, np.clip(z, low, high), reduction="none"))))


def traits_of(loss: Any) -> dict[str, bool]:
    """Look at a loss of single predictions or of rows that has a gradient; of others nothing is said."""
    found: dict[str, bool] = {}
    if isinstance(loss, (fl.PointwiseLoss, fl.RowLoss)) and loss.has_gradient:
        found["convex"] = _convex(loss)
    if isinstance(loss, fl.PointwiseLoss) and loss.has_gradient:
        found["kinked"] = _kinked(loss)
        found["bounded slope"] = _steepest(loss, 600.0) <= 1.01 * _steepest(loss, 100.0)
        if axis_of(loss, 1.0).target == 0:
            r = np.random.default_rng(1).normal(0, 3, 1000)
            above, below = (loss(np.zeros_like(r), z, reduction="none") for z in (r, -r))
            found["symmetric"] = bool(np.array_equal(above, below))
    return found
