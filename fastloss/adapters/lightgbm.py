"""Objectives and metrics for LightGBM.

The scores are raw: start from `init_score`, add it to what ``predict`` returns, which leaves it out, and turn
the sum into predictions with `predictions`. LightGBM itself is not imported.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fastloss._loss import Loss
from fastloss.adapters._boosting import (
    Array,
    FromLoss,
    Objective,
    arguments,
    predictions,
)
from fastloss.adapters._constant import constant_score as init_score
from fastloss.adapters._metric import Metric, checked_metric
from fastloss.measures import Measure

if TYPE_CHECKING:
    from fastloss.adapters._lightgbm_estimators import Classifier as Classifier
    from fastloss.adapters._lightgbm_estimators import Regressor as Regressor

__all__ = [
    "Classifier",
    "Regressor",
    "init_score",
    "metric",
    "objective",
    "predictions",
    "sklearn_metric",
    "sklearn_objective",
]


def __getattr__(name: str) -> Any:
    # The estimators are the library's own, which is imported for them alone.
    if name in ("Classifier", "Regressor"):
        return getattr(importlib.import_module("fastloss.adapters._lightgbm_estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, repr=False)
class _Library(FromLoss):
    library: ClassVar[str] = "LightGBM"
    classes_parameter: ClassVar[str] = "num_class"


@dataclass(frozen=True, repr=False)
class _Objective(Objective, _Library):
    maker: ClassVar[str] = "objective"
    # LightGBM's own softmax takes K/(K - 1)·p(1 - p).
    of_classes: ClassVar[str] = "gauss-newton"

    # LightGBM counts the parameters of estimators' functions: with two it would drop the weights.
    def __call__(self, y_true: Any, y_pred: Any, weight: Any = None) -> tuple[Array, Array]:
        y, z, w = arguments(y_true, y_pred, weight)
        # Scores are float64, a row's entries far apart; LightGBM reads float32 in the same order. Losses
        # which have powers to take and no residual that could cancel are computed in that too.
        shape = np.shape(z)
        out = np.empty(shape, np.float32, "F"), np.empty(shape, np.float32, "F")
        return self.derivatives(y, z, w, out, self.loss.prefers_float32)


@dataclass(frozen=True, repr=False)
class _Metric(Metric, _Library):
    maker: ClassVar[str] = "metric"

    def __call__(self, y_true: Any, y_pred: Any, weight: Any = None) -> tuple[str, float, bool]:
        return self.name, self.mean(*arguments(y_true, y_pred, weight)), self.greater_is_better


def objective(loss: Loss, curvature: str = "auto", *, n_threads: int | None = 1) -> _Objective:
    r"""Make a loss an objective: ``lightgbm.train({"objective": ...})``, ``LGBMRegressor(objective=...)``.

    Its arguments say which interface calls. `Regressor` and `Classifier` do besides what it cannot.

    Parameters
    ----------
    loss : Loss
        Any loss of raw scores with a gradient: regression, binary, or of C classes (then set ``num_class``).
    curvature : {"auto", "exact", "majorizer", "gauss-newton", "absolute", "unit"}
        What stands for the second derivative: itself, the curvature of a parabola above the loss, Gauss and
        Newton's (or the expected one), its absolute value, or 1. "auto" is the one that trained well in
        ``benchmarks/curvature.py``, of robust losses and of ratios times a constant that fits the units of
        the targets; docs/boosting.md has its table. For `CrossEntropy` it is LightGBM's own,
        :math:`\frac{C}{C - 1}p(1 - p)`.
    n_threads : int, optional
        Threads of each call; None for ``fastloss.get_num_threads()``.

    Returns
    -------
    callable
        ``f(y_pred, train_data) -> (gradient, hessian)`` and ``f(y_true, y_pred, weight)``, weighted; float32
        arrays in the order of `y_pred`. It can be pickled, copied and compared.

    Raises
    ------
    TypeError, ValueError
        If the loss has no gradient or takes probabilities, or has no such curvature.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters import lightgbm as fg
    >>> class Data:  # stands for a lightgbm.Dataset
    ...     def get_label(self): return np.array([0, 3], dtype=np.float32)
    ...     def get_weight(self): return None
    >>> fg.objective(fl.Huber(), "majorizer")(np.array([0.5, 0.0]), Data())[1]
    array([1.        , 0.33333334], dtype=float32)
    """
    return _Objective.of(loss, curvature, n_threads)


def metric(loss: Loss | Measure, *, n_threads: int | None = 1) -> _Metric:
    """Make a loss a metric: ``lightgbm.train(feval=...)``, ``LGBMRegressor().fit(eval_metric=...)``.

    Of a loss smaller is better. Its arguments say which interface calls.

    LightGBM hands raw scores to metrics where the objective is a custom one; beside a built-in objective they
    are predictions, so that a loss of probabilities (``from_logits=False``) fits.

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
        ``f(y_pred, eval_data) -> (name, value, False)`` and ``f(y_true, y_pred, weight)``, the weighted mean.

    Raises
    ------
    TypeError
        If `loss` is no such loss, nor a measure that is one number.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import lightgbm as fg
    >>> fg.metric(fl.AbsoluteError()).__name__
    'absolute_error'
    """
    return _Metric(checked_metric(loss), n_threads)


#: The former names of what was made for the scikit-learn interface alone.
sklearn_objective, sklearn_metric = objective, metric
