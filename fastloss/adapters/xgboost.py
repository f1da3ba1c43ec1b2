"""Objectives and metrics for XGBoost.

The scores are raw: train without a built-in ``objective``, start from `base_score`, and turn what ``predict``
returns into predictions with `predictions`. XGBoost itself is not imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from fastloss._loss import Loss
from fastloss.adapters._boosting import (
    Array,
    FromLoss,
    Metric,
    Objective,
    checked_metric_loss,
    predictions,
)
from fastloss.adapters._constant import constant_score as base_score

__all__ = ["base_score", "metric", "objective", "predictions", "sklearn_metric", "sklearn_objective"]


@dataclass(frozen=True, repr=False)
class _Library(FromLoss):
    library: ClassVar[str] = "XGBoost"
    classes_parameter: ClassVar[str] = "num_class"


@dataclass(frozen=True, repr=False)
class _XGBoostObjective(Objective, _Library):
    # XGBoost's own softmax takes 2p(1 - p).
    of_classes: ClassVar[str] = "majorizer"


@dataclass(frozen=True, repr=False)
class _NativeObjective(_XGBoostObjective):
    maker: ClassVar[str] = "objective"
    counterpart: ClassVar[str] = "sklearn_objective"

    def __call__(self, y_pred: Array, dtrain: Any) -> tuple[Array, Array]:
        label, weight = self.of_data(dtrain)
        return self.derivatives(label, y_pred, weight)


@dataclass(frozen=True, repr=False)
class _SklearnObjective(_XGBoostObjective):
    maker: ClassVar[str] = "sklearn_objective"
    counterpart: ClassVar[str] = "objective"

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Any = None) -> tuple[Array, Array]:
        return self.derivatives(y_true, y_pred, sample_weight)


@dataclass(frozen=True, repr=False)
class _NativeMetric(Metric, _Library):
    maker: ClassVar[str] = "metric"
    counterpart: ClassVar[str] = "sklearn_metric"

    def __call__(self, y_pred: Array, dtrain: Any) -> tuple[str, float]:
        label, weight = self.of_data(dtrain)
        return self.name, self.mean(label, y_pred, weight)


@dataclass(frozen=True, repr=False)
class _SklearnMetric(Metric, _Library):
    maker: ClassVar[str] = "sklearn_metric"
    counterpart: ClassVar[str] = "metric"

    def __call__(self, y_true: Array, y_pred: Array, sample_weight: Any = None) -> float:
        return self.mean(y_true, y_pred, sample_weight)


def objective(loss: Loss, curvature: str = "auto", *, n_threads: int | None = 1) -> _NativeObjective:
    r"""Make a loss an objective for ``xgboost.train(obj=...)``.

    Parameters
    ----------
    loss : Loss
        Any loss of raw scores with a gradient: regression, binary, or of C classes (then set ``num_class``).
    curvature : {"auto", "exact", "majorizer", "gauss-newton", "absolute", "unit"}
        What stands for the second derivative: itself, the curvature of a parabola above the loss, Gauss and
        Newton's (or the expected one), its absolute value, or 1. "auto" is the one that trained well in
        ``benchmarks/curvature.py``, of robust losses and of ratios times a constant that fits the units of
        the targets; docs/boosting.md has its table. For `CrossEntropy` it is XGBoost's own,
        :math:`2p(1 - p)`.
    n_threads : int, optional
        Threads of each call; None for ``fastloss.get_num_threads()``. More than one waits for XGBoost's
        own threads, which still hold the cores, unless the environment has ``OMP_WAIT_POLICY=passive``.

    Returns
    -------
    callable
        ``f(y_pred, dtrain) -> (gradient, hessian)``, weighted with the DMatrix's weights; float32 arrays in
        the order of `y_pred`. It can be pickled, copied and compared.

    Raises
    ------
    TypeError, ValueError
        If the loss has no gradient or takes probabilities, or has no such curvature.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters import xgboost as fx
    >>> class Matrix:  # stands for an xgboost.DMatrix
    ...     def get_label(self): return np.array([0, 3], dtype=np.float32)
    ...     def get_weight(self): return np.array([], dtype=np.float32)
    >>> fx.objective(fl.Huber(), "majorizer")(np.array([0.5, 0.0], dtype=np.float32), Matrix())[1]
    array([1.        , 0.33333334], dtype=float32)
    """
    return _NativeObjective.of(loss, curvature, n_threads)


def sklearn_objective(loss: Loss, curvature: str = "auto", *, n_threads: int | None = 1) -> _SklearnObjective:
    """Make a loss the ``objective`` of XGBoost's scikit-learn estimators.

    Parameters and errors are those of :func:`objective`.

    Returns
    -------
    callable
        ``f(y_true, y_pred, sample_weight=None) -> (gradient, hessian)``.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import xgboost as fx
    >>> fx.sklearn_objective(fl.SquaredError())([0.0], [1.0])
    (array([2.]), array([2.]))
    """
    return _SklearnObjective.of(loss, curvature, n_threads)


def metric(loss: Loss, *, n_threads: int | None = 1) -> _NativeMetric:
    """Make a loss a metric for ``xgboost.train(custom_metric=...)``; smaller is better.

    XGBoost hands raw scores to metrics where the objective is a custom one; beside a built-in objective they
    are predictions, so that a loss of probabilities (``from_logits=False``) fits. It keeps six decimals, and
    averages over workers without their weights when it runs distributed.

    Parameters
    ----------
    loss : Loss
        Any loss of a prediction and a target for each sample.
    n_threads : int, optional
        As for :func:`objective`.

    Returns
    -------
    callable
        ``f(y_pred, dtrain) -> (name, value)``, the mean weighted with the DMatrix's weights.

    Raises
    ------
    TypeError
        If `loss` is not such a loss.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import xgboost as fx
    >>> fx.metric(fl.AbsoluteError()).__name__
    'absolute_error'
    """
    return _NativeMetric(checked_metric_loss(loss), n_threads)


def sklearn_metric(loss: Loss, *, n_threads: int | None = 1) -> _SklearnMetric:
    """Make a loss the ``eval_metric`` of XGBoost's scikit-learn estimators.

    Parameters, errors and what the scores are: as for :func:`metric`.

    Returns
    -------
    callable
        ``f(y_true, y_pred, sample_weight=None) -> value``.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import xgboost as fx
    >>> fx.sklearn_metric(fl.AbsoluteError())([0.0], [1.5])
    1.5
    """
    return _SklearnMetric(checked_metric_loss(loss), n_threads)
