"""The constant that takes the targets' units out of gradient and curvature.

A leaf steps by −Σg/(Σh + λ), and is split while Σh is large enough: λ and the least Σh are plain numbers that
fit a row whose h is about 1. That of a robust loss is 1/|r| far from the target, that of a ratio 1/y²: both
tend to 0 as the targets grow. One constant times g and h of all rows leaves the minimum, and the steps
without λ, where they are. The constant is 1/h of a row that is typical of the training targets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import ParameterLoss
from fastloss.regression import AbsoluteError

Array = npt.NDArray[Any]
#: Of targets and weights, target and score of the typical row.
Typical = Callable[[Array, Any], tuple[float, float]]

#: A spread below this share of the mean is the rounding error of equal targets.
_LEAST_SPREAD = 1e-6


def a_spread_off(y: Array, weight: Any) -> tuple[float, float]:
    """Return a score that misses its target by the mean absolute deviation of the targets."""
    mean = _mean(y, weight)
    spread = _mean_distance(y, mean, weight)
    return 0.0, spread if spread > _LEAST_SPREAD * abs(mean) else 0.0


def twice_the_target(y: Array, weight: Any) -> tuple[float, float]:
    """Return the mean absolute target, and a score twice that."""
    size = _mean_distance(y, 0.0, weight)
    return size, 2 * size


def typical_row(loss: Any) -> Typical | None:
    """Return how to find the typical row, for losses whose curvature has the targets' units."""
    return {"residual": a_spread_off, "target": twice_the_target, None: None}[loss.curvature_units]


def unit_factor(loss: Any, curvature: int, typical: Typical, y: Array, weight: Any) -> Any:
    """Return 1/h of the typical row: one number, or one for each output of targets of shape (n, k).

    It is 1 where there is no such row, as the targets are all equal or none.
    """
    if y.ndim > 1:
        shared = weight is None or np.ndim(weight) == 1
        columns = [(y[:, k], weight if shared else weight[:, k]) for k in range(y.shape[1])]
        return np.array([unit_factor(loss, curvature, typical, *column) for column in columns])
    # In float64, as the factor of float32 targets and weights has other last bits.
    y = np.ascontiguousarray(y, np.float64)
    if weight is not None:
        weight = np.ascontiguousarray(weight, np.float64)
    if y.size == 0 or (weight is not None and not np.max(weight) > 0):
        return 1.0
    if weight is not None and not np.all(weight):
        present = weight != 0
        y, weight = y[present], weight[present]
    target, score = typical(y, weight)
    if not 0 < abs(score - target) < np.inf:
        return 1.0
    if isinstance(loss, ParameterLoss):
        return _of_columns(loss, curvature, abs(score - target))
    (h,) = loss._gradient_and_curvature([target], [score], None, curvature, None, 1)[1]
    return 1.0 / float(h)


def _of_columns(loss: ParameterLoss, curvature: int, spread: float) -> Array:
    """Return 1/h of each column where targets are a spread off; that of a logarithm has no unit."""
    h = loss._gradient_and_curvature([0.0], [loss._row_off(spread)], None, curvature, None, 1)[1][0]
    return np.where(h > 0, 1 / np.where(h > 0, h, 1.0), 1.0)


def _mean(y: Array, weight: Any) -> float:
    if weight is None:
        return float(np.mean(y))
    return float(np.average(y, weights=weight))


def _mean_distance(y: Array, center: float, weight: Any) -> float:
    """Return the weighted mean of |y − center|."""
    at = np.full(y.shape, center)
    return float(AbsoluteError()(y, at, sample_weight=weight, n_threads=1))
