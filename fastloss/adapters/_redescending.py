r"""The constant of least loss by a redescending loss, which can have a local minimum at every target.

Branch and bound over the targets in order. With :math:`\rho` growing with the distance, the mean loss
:math:`f = L + R` is the part :math:`L(x)` of the targets below :math:`x`, which grows with :math:`x`, and the
part :math:`R(x)` of those above, which falls. So within an interval [a, b]

.. math::

    f \ge L(a) + R(b), \qquad f \ge f(m) - |f'(m)|\,d - \tfrac\kappa2 d^2,

with the middle :math:`m`, half of the width :math:`d`, and :math:`-\kappa` the least second derivative of
:math:`\rho`. Intervals that cannot hold a value below the least one met are dropped, the others halved, until
they are small against the scale of the loss; then a root of the slope is sought in each that is left.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Intervals are halved to this share of the scale.
_FINEST = 1 / 64
#: A root is found when steps are of this share of it.
_LEAST = 2.0**-44
#: So many targets are looked at first.
_SOME = 9
#: With so many targets within reach of a constant, a call for it alone is worth its time.
_MANY = 1000
#: Differences between targets and constants that exist at a time, otherwise.
_BATCH = 1 << 20


class _Mean:
    """The mean loss of constants, and its slope, over targets in order."""

    def __init__(self, loss: Any, y: Array, weight: Array | None) -> None:
        order = np.argsort(y, kind="stable")
        self.y = y[order]
        self.weight = np.ones(len(y)) if weight is None else weight[order].astype(np.float64)
        self.weight /= self.weight.max()
        self.weight /= self.weight.sum()
        self._loss, self._reach = loss, loss.constant_beyond
        # Beyond the reach all losses are one number.
        self._far = 0.0 if math.isinf(self._reach) else float(loss([0.0], [self._reach]))
        self._total = np.concatenate([[0.0], np.cumsum(self.weight)])

    def parts(self, x: Array) -> Array:
        """Return the mean losses of the targets below and above each x, and slope and curvature of all."""
        first = np.searchsorted(self.y, x - self._reach)
        last = np.searchsorted(self.y, x + self._reach, side="right")
        ends = np.cumsum(last - first)
        if ends[-1] > _MANY * len(x):
            middle = np.searchsorted(self.y, x)
            rows = zip(x, first, middle, last, strict=True)
            result = np.array([self._apart(*row) for row in rows]).T
        else:
            cuts = np.unique(np.searchsorted(ends, np.arange(_BATCH, ends[-1], _BATCH)))
            batches = zip(*(np.split(a, cuts) for a in (x, first, last)), strict=True)
            result = np.concatenate([self._together(*batch) for batch in batches], axis=1)
        result[0] += self._far * self._total[first]
        result[1] += self._far * (self._total[-1] - self._total[last])
        return result

    def _apart(self, x: float, first: int, middle: int, last: int) -> tuple[float, ...]:
        """Compute the parts of one constant, a call for each side."""
        values, slope, curvature = [], 0.0, 0.0
        for side in (slice(first, middle), slice(middle, last)):
            y = self.y[side]
            z, weight = np.broadcast_to(x, y.shape), self.weight[side]
            value, slopes, curvatures = self._loss.value_gradient_and_hessian(
                y, z, sample_weight=weight, reduction="sum"
            )
            values.append(value)
            slope += float(slopes.sum())
            curvature += float(curvatures.sum())
        return *values, slope, curvature

    def _together(self, x: Array, first: Any, last: Any) -> Array:
        """Compute the parts of many constants, which have few targets each, in one call."""
        near = last - first
        of = np.repeat(np.arange(len(x)), near)
        at = np.arange(len(of)) + np.repeat(first - (np.cumsum(near) - near), near)
        y, z, weight = self.y[at], x[of], self.weight[at]
        value, slope, curvature = self._loss.value_gradient_and_hessian(
            y, z, sample_weight=weight, reduction="none"
        )
        sums = np.where(y < z, value, 0), np.where(y < z, 0, value), slope, curvature
        return np.array([np.bincount(of, each, len(x)) for each in sums], dtype=np.float64)


def least_constant(loss: Any, y: Array, weight: Array | None) -> float:
    """Return the constant whose mean loss over finite targets is smallest."""
    mean = _Mean(loss, y, weight)
    curvature, scale = -loss.least_hessian, getattr(loss, loss.scale_parameter)
    low, high = mean.y[:1], mean.y[-1:]
    left, right = mean.parts(low)[0], mean.parts(high)[1]
    # Where targets are far apart, only at targets is the loss less than far from all.
    some = mean.y[np.linspace(0, len(y) - 1, _SOME).astype(np.intp)]
    least = float(mean.parts(some)[:2].sum(axis=0).min())
    done: list[tuple[Array, Array]] = []
    while len(low):
        middle = low / 2 + high / 2
        below, above, slope, _ = mean.parts(middle)
        value = below + above
        least = min(least, float(value.min()))
        half = np.maximum(high - middle, middle - low)
        with np.errstate(over="ignore"):
            near = value - np.abs(slope) * half - curvature / 2 * half * half
        kept = np.maximum(left + right, near) <= least * (1 + 1e-12)
        wide = (high - low > _FINEST * scale) & (low < middle) & (middle < high)
        done.append((low[kept & ~wide], high[kept & ~wide]))
        kept &= wide
        low, high, left, right, middle = low[kept], high[kept], left[kept], right[kept], middle[kept]
        # Each with the other half beside it: in order.
        low, high = np.stack([low, middle], 1).ravel(), np.stack([middle, high], 1).ravel()
        left = np.stack([left, below[kept]], 1).ravel()
        right = np.stack([above[kept], right], 1).ravel()
    low, high = (np.concatenate(ends) for ends in zip(*done, strict=True))
    found = _roots(mean, low, high, scale)
    # A target may be as good to the last bit, and is exact.
    found = np.concatenate([found, mean.y[np.searchsorted(mean.y, found).clip(max=len(y) - 1)]])
    found = np.concatenate([found, mean.y[(np.searchsorted(mean.y, found) - 1).clip(min=0)]])
    below, above, _, _ = mean.parts(found)
    value = below + above
    best = found[value <= value.min() * (1 + 1e-15)]
    return float(best[np.argmin(np.abs(best))])


def _roots(mean: _Mean, low: Array, high: Array, scale: float) -> Array:
    """Find a root of the slope in or beside each of several short intervals at once.

    Newton's step is taken where it stays within the bracket, otherwise the bracket is halved.
    """
    low, high = low - (high - low), high + (high - low)
    x = low / 2 + high / 2
    while True:
        _, _, slope, curvature = mean.parts(x)
        low, high = np.where(slope <= 0, x, low), np.where(slope >= 0, x, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = x - slope / curvature
        new = np.where((low <= new) & (new <= high), new, low / 2 + high / 2)
        moved = np.abs(new - x) > _LEAST * scale
        if not (moved & (new != x)).any():
            return new
        x = new
