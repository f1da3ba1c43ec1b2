"""The score to start from: the constant whose loss is smallest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import Loss, ParameterLoss, RowLoss
from fastloss._validation import as_array
from fastloss.adapters._boosting import raw_score_loss, weights_or_none
from fastloss.adapters._redescending import least_constant

Array = npt.NDArray[Any]

#: Raw scores of classifiers are sought between minus and plus this.
_LARGEST_SCORE = 20.0
_BISECTIONS = 100
_DOUBLINGS = 60
_SWEEPS = 200


class NoConstantError(ValueError):
    """No constant score has the smallest loss."""


def constant_score(
    loss: Loss, y_true: Any, sample_weight: Any = None, n_classes: int | None = None
) -> float | Array:
    """Return the constant raw score whose weighted mean loss is smallest.

    Boosting starts there: the library adds its trees to this score.

    Parameters
    ----------
    loss : Loss
        The objective's loss.
    y_true : array_like of shape (n,)
        Targets of the training set.
    sample_weight : array_like of shape (n,), optional
        Their weights.
    n_classes : int, optional
        The number of classes C, for losses of class indices; default: one more than the largest index.

    Returns
    -------
    float, or ndarray of shape (C,) for losses of classes, of columns for those of parameters
        A raw score: a logit or a logarithm where the loss takes such. Binary scores are kept within ±20,
        and classes that do not occur get the logarithm of 1e-15.

    Raises
    ------
    TypeError, ValueError
        If the loss cannot be an objective, has no smallest value, or `y_true` is empty, outside the domain,
        or not finite where its weight is not 0.

    Notes
    -----
    The mean of a redescending loss (`Cauchy`, `Welsch`, `Tukey`) can have many minima: theirs is the lowest.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters.xgboost import base_score
    >>> round(base_score(fl.SquaredError(), [1.0, 2.0, 6.0]), 12)
    3.0
    >>> round(base_score(fl.Poisson(), [1.0, 2.0, 6.0]), 6)  # log 3
    1.098612
    """
    raw_score_loss(loss)
    y = as_array(y_true, "y_true")
    weight = weights_or_none(sample_weight)
    if weight is not None:
        weight = as_array(weight, "sample_weight")
    if y.size == 0:
        raise ValueError("y_true is empty: no constant is the best")
    if loss.family == "regression" and weight is not None and weight.shape == y.shape:
        counts = weight != 0  # targets without weight may be what they like
        if counts.any():
            check_finite(y, counts)
            y, weight = y[counts], weight[counts]
    check_finite(y)
    if isinstance(loss, ParameterLoss):
        found: Array = loss._constant_row(y, weight)
        return found
    if isinstance(loss, RowLoss):
        return _row_scores(loss, y, weight, n_classes)
    return _score(loss, y, weight)


def check_finite(y: Array, among: Any = True) -> None:
    """Raise an error that names the first target that is not finite, of those that count."""
    if y.dtype.kind in "biu":
        return
    bad = ~np.isfinite(y) & among
    if bad.any():
        index = np.unravel_index(int(bad.argmax()), y.shape)
        place = ", ".join(str(int(i)) for i in index)
        raise ValueError(
            f"y_true[{place}] = {y[index]}: no constant is the best for targets that are not finite"
        )


def _score(loss: Any, y: Array, weight: Any) -> float:
    """Bracket the smallest of a few candidates, then bisect the sign of the slope between its neighbours."""

    def at(score: float) -> Array:
        return np.broadcast_to(np.float64(score), y.shape)

    def value(score: float) -> float:
        return float(loss(y, at(score), sample_weight=weight))

    def slope(score: float) -> float:
        return float(np.sum(loss.gradient(y, at(score), sample_weight=weight)))

    if loss.of_residual and not loss.convex:
        value(0.0)  # checks the weights
        if weight is not None:
            trailing = (1,) * (y.ndim - weight.ndim)
            weight = np.broadcast_to(weight.reshape(weight.shape + trailing), y.shape).ravel()
        return least_constant(loss, y.ravel().astype(np.float64), weight)
    if loss.canonical and loss.link == "logit":
        value(0.0)  # checks targets and weights
        score: float = loss._best_logit(_mean(y, weight))
        return max(-_LARGEST_SCORE, min(score, _LARGEST_SCORE))
    if loss.family == "binary":
        y, weight = _counted(y, weight)
    elif loss.predicts == "mean":
        value(0.0)  # checks targets and weights
        mean = _mean(y, weight)
        if loss.link == "identity":
            return mean
        if mean > 0:
            return math.log(mean)
    candidates = _candidates(loss, y)
    best = min(range(len(candidates)), key=lambda i: (value(candidates[i]), abs(candidates[i])))
    low, high = candidates[max(best - 1, 0)], candidates[min(best + 1, len(candidates) - 1)]
    if best in (0, len(candidates) - 1) and abs(slope(candidates[best])) > 1e-3 and loss.family == "binary":
        raise NoConstantError(f"{loss!r} has no constant score of smallest loss")
    if loss.family == "regression" and loss.link == "none":
        low, high = _widened(loss, slope, low, high)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        s = slope(middle)
        if s == 0:
            # A flat piece, as between the middle two targets of a median, is as good everywhere.
            return middle
        low, high = (middle, high) if s < 0 else (low, middle)
    return min((low, high), key=value)


def _widened(loss: Loss, slope: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return ends between which the slope changes its sign: scores may be in other units than targets."""
    step = max(1.0, high - low)
    for _ in range(_DOUBLINGS):
        below, above = slope(low), slope(high)
        if below <= 0 <= above:
            return low, high
        low, high, step = (low - step if below > 0 else low), (high + step if above < 0 else high), 2 * step
    raise NoConstantError(f"{loss!r} has no constant score of smallest loss")


def _mean(y: Array, weight: Any) -> float:
    """Return the weighted mean of all targets; the weight of a row is that of each of its targets."""
    if weight is not None:
        weight = np.broadcast_to(weight.reshape(weight.shape + (1,) * (y.ndim - weight.ndim)), y.shape)
        weight = np.ascontiguousarray(weight, np.float64)
    return float(np.average(np.ascontiguousarray(y, np.float64), weights=weight))


def _counted(y: Array, weight: Any) -> tuple[Array, Any]:
    """Return labels that are 0 and 1 once each, with the weight of all: their losses are the same."""
    positive = y == 1
    if y.ndim != 1 or np.ndim(weight) > 1 or not np.all(positive | (y == 0)):
        return y, weight
    if weight is not None and (np.shape(weight) != y.shape or not np.min(weight) >= 0):
        return y, weight  # which the loss refuses
    total = float(len(y) if weight is None else np.sum(weight, dtype=np.float64))
    of_one = float(np.sum(positive if weight is None else np.where(positive, weight, 0), dtype=np.float64))
    return np.array([0.0, 1.0]), np.array([total - of_one, of_one])


def _candidates(loss: Loss, y: Array) -> list[float]:
    if loss.family == "binary":
        return list(np.linspace(-_LARGEST_SCORE, _LARGEST_SCORE, 41))
    targets = np.asarray(y, dtype=np.float64)
    scores = np.quantile(targets, np.linspace(0, 1, 33))
    if loss.link == "log":
        scores = np.log(np.maximum(scores, max(float(np.mean(targets)), 1e-15) * 1e-6))
        scores = np.append(scores, np.log(max(float(np.max(targets)), 1e-15)))
    return sorted(set(scores.tolist()))


def _row_scores(loss: Any, y: Array, weight: Any, n_classes: int | None) -> Array:
    """Log-shares of the classes, then Newton steps with Gauss and Newton's curvature, halved as needed."""
    if y.ndim != 1:
        raise ValueError(f"y_true has shape {y.shape}, expected (n,) class indices")
    labels = y.astype(np.int64)
    ignored = getattr(loss, "ignore_index", None)
    kept = np.ones(y.shape, dtype=bool) if ignored is None else labels != ignored
    counts_of = np.ones(y.shape) if weight is None else np.asarray(weight, dtype=np.float64)
    n = int(labels[kept].max()) + 1 if n_classes is None else n_classes
    if labels[kept].min(initial=0) < 0 or labels[kept].max(initial=0) >= n or np.any(labels[kept] != y[kept]):
        raise ValueError(f"y_true must hold class indices from 0 to {n - 1}")
    counts = np.bincount(labels[kept], weights=counts_of[kept], minlength=n)
    share_of = counts / counts.sum()
    if hasattr(loss, "_best_scores") and (found := loss._best_scores(share_of)) is not None:
        return np.asarray(found)
    # The loss of a constant depends on the classes' counts alone: a row for each class says it all.
    classes = np.arange(n)

    def value(scores: Array) -> float:
        rows = np.broadcast_to(scores, (n, n))
        return float(loss(classes, rows, sample_weight=counts))

    scores = np.log(np.maximum(share_of, 1e-15))
    best = value(scores)
    occurs = counts > 0
    for _ in range(_SWEEPS):
        rows = np.broadcast_to(scores, (n, n))
        gradient = loss.gradient(classes, rows, sample_weight=counts).sum(axis=0)
        share = np.exp(scores - scores.max())
        share /= share.sum()
        step = np.where(occurs, -gradient / np.maximum(share * (1 - share), 1e-12), 0)
        size = 1.0
        while size > 1e-10 and not value(scores + size * step) < best:
            size /= 2
        if size <= 1e-10:
            break
        scores = scores + size * step
        best = value(scores)
    return np.asarray(scores)
