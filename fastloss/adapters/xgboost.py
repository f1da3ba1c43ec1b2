"""Objectives and metrics for XGBoost.

The scores are raw: train without a built-in ``objective``, start from `base_score`, and turn what ``predict``
returns into predictions with `predictions`. XGBoost itself is not imported.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from fastloss._loss import Loss
from fastloss.adapters._boosting import (
    Array,
    FromLoss,
    Objective,
    arguments,
    predictions,
)
from fastloss.adapters._constant import constant_score as base_score
from fastloss.adapters._metric import Metric, checked_metric
from fastloss.measures import Measure

if TYPE_CHECKING:
    from fastloss.adapters._xgboost_estimators import Classifier as Classifier
    from fastloss.adapters._xgboost_estimators import Regressor as Regressor

__all__ = [
    "Classifier",
    "Regressor",
    "base_score",
    "metric",
    "objective",
    "predictions",
    "sklearn_metric",
    "sklearn_objective",
]


def __getattr__(name: str) -> Any:
    # The estimators are the library's own, which is imported for them alone.
    if name in ("Classifier", "Regressor"):
        return getattr(importlib.import_module("fastloss.adapters._xgboost_estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, repr=False)
class _Library(FromLoss):
    library: ClassVar[str] = "XGBoost"
    classes_parameter: ClassVar[str] = "num_class"


@dataclass(frozen=True, repr=False)
class _Objective(Objective, _Library):
    maker: ClassVar[str] = "objective"
    # XGBoost's own softmax takes 2p(1 - p).
    of_classes: ClassVar[str] = "majorizer"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Array, Array]:
        return self.derivatives(*arguments(y_true, y_pred, sample_weight))


@dataclass(frozen=True, repr=False)
class _Metric(Metric, _Library):
    maker: ClassVar[str] = "metric"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[str, float] | float:
        value = self.mean(*arguments(y_true, y_pred, sample_weight))
        # The native interface wants the name besides.
        return (self.name, value) if hasattr(y_pred, "get_label") else value


def objective(loss: Loss, curvature: str = "auto", *, n_threads: int | None = 1) -> _Objective:
    r"""Make a loss an objective: ``xgboost.train(obj=...)``, ``XGBRegressor(objective=...)``.

    Its arguments say which interface calls. `Regressor` and `Classifier` do besides what it cannot.

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
        ``f(y_pred, dtrain) -> (gradient, hessian)`` and ``f(y_true, y_pred, sample_weight=None)``, weighted;
        float32 arrays in the order of `y_pred`. It can be pickled, copied and compared.

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
    return _Objective.of(loss, curvature, n_threads)


def metric(loss: Loss | Measure, *, n_threads: int | None = 1) -> _Metric:
    """Make a loss a metric: ``xgboost.train(custom_metric=...)``, ``XGBRegressor(eval_metric=...)``.

    Of a loss smaller is better. Its arguments say which interface calls.

    XGBoost hands raw scores to metrics where the objective is a custom one; beside a built-in objective they
    are predictions, so that a loss of probabilities (``from_logits=False``) fits. It keeps six decimals, and
    averages over workers without their weights when it runs distributed.

    Parameters
    ----------
    loss : Loss or Measure
        Any loss of a prediction and a target for each sample; or a measure, such as
        ``fl.measures.ROCAUC()``, of which more may be better.
    n_threads : int, optional
        As for :func:`objective`.

    Returns
    -------
    callable
        ``f(y_pred, dtrain) -> (name, value)`` and ``f(y_true, y_pred, sample_weight=None) -> value``, the
        weighted mean.

    Raises
    ------
    TypeError
        If `loss` is no such loss, nor a measure that is one number.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import xgboost as fx
    >>> fx.metric(fl.AbsoluteError()).__name__
    'absolute_error'
    """
    return _Metric(checked_metric(loss), n_threads)


#: The former names of what was made for the scikit-learn interface alone.
sklearn_objective, sklearn_metric = objective, metric
