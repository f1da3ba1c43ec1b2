"""Objectives and metrics for CatBoost.

The scores are raw: start from `baseline`, with ``boost_from_average=False``, and turn raw values into
predictions with `predictions`. CatBoost itself is not imported.

CatBoost maximises: the derivatives are those of minus the loss. It calls with some five hundred rows at a
time, so that a call's own cost counts; losses of C classes cost a Python call a row.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from fastloss._loss import Loss, ParameterLoss, RowLoss
from fastloss._validation import as_array
from fastloss.adapters._boosting import (
    Array,
    FromLoss,
    Objective,
    predictions,
    weights_or_none,
)
from fastloss.adapters._constant import constant_score as baseline
from fastloss.adapters._metric import Metric, checked_metric
from fastloss.adapters._units import typical_row, unit_factor
from fastloss.measures import Measure

if TYPE_CHECKING:
    from fastloss.adapters._catboost_estimators import Classifier as Classifier
    from fastloss.adapters._catboost_estimators import Regressor as Regressor

__all__ = ["Classifier", "Regressor", "baseline", "metric", "objective", "predictions"]


def __getattr__(name: str) -> Any:
    # The estimators are the library's own, which is imported for them alone.
    if name in ("Classifier", "Regressor"):
        return getattr(importlib.import_module("fastloss.adapters._catboost_estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, repr=False)
class _CatBoostObject(FromLoss):
    library: ClassVar[str] = "CatBoost"
    classes_parameter: ClassVar[str] = "classes_count"
    # CatBoost tries to compile the methods of objects that lack this.
    no_jit: ClassVar[bool] = True


@dataclass(frozen=True, repr=False)
class _CatBoostObjective(Objective, _CatBoostObject):
    sees_all_rows: ClassVar[bool] = False
    maker: ClassVar[str] = "objective"
    #: Of all derivatives: a call sees some rows, from which no constant for all can be had.
    scale: float = 1.0

    def in_units_of(self, y: Any, weight: Any) -> _CatBoostObjective:
        """Return the objective with a scale that fits the units of all targets, as in the other libraries."""
        typical = typical_row(self.loss)
        if typical is None:
            return self
        factor = unit_factor(self.loss, self.curvature, typical, as_array(y, "y"), weights_or_none(weight))
        return dataclasses.replace(self, scale=float(factor))


class _RangeObjective(_CatBoostObjective):
    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> Array:
        """Return first and second derivatives of minus the loss, a row for each sample."""
        scores = np.asarray(approxes)
        derivatives = np.empty((scores.shape[0], 2))
        self.derivatives(np.asarray(targets), scores, weights, (derivatives[:, 0], derivatives[:, 1]))
        return np.multiply(derivatives, -self.scale, out=derivatives)

    def calc_ders_multi(self, approxes: Any, target: float, weight: float) -> NoReturn:
        """Say why not: CatBoost asks for it where there are several classes."""
        raise self.explained(TypeError("calc_ders_multi"), [target], np.array(approxes)[None])


class _MultiObjective(_CatBoostObjective):
    def calc_ders_multi(
        self, approxes: Any, target: float, weight: float
    ) -> tuple[list[float], list[list[float]]]:
        """Return the gradient and the diagonal second derivatives of minus one sample's loss."""
        gradient, hessian = self.derivatives([target], np.array(approxes)[None], [weight])
        return (-gradient[0]).tolist(), np.diag(-hessian[0]).tolist()

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> NoReturn:
        """Say what is missing: CatBoost asks for it where there is one score a row."""
        raise self.explained(TypeError("calc_ders_range"), targets, approxes)


class _RangeMetric(Metric, _CatBoostObject):
    """A metric; its class has the name of the loss, which is what CatBoost logs it by."""

    maker: ClassVar[str] = "metric"

    def __reduce__(self) -> tuple[Any, ...]:
        return make_metric, (self.loss, self.n_threads, self.of_predictions)

    def is_max_optimal(self) -> bool:
        """Tell CatBoost whether more is better."""
        return self.greater_is_better

    def evaluate(self, approxes: Sequence[Any], target: Any, weight: Any) -> tuple[float, float]:
        """Return the weighted sum of the loss and the sum of the weights."""
        scores = np.asarray(approxes[0] if len(approxes) == 1 else approxes)
        weight = None if weight is None else np.asarray(weight)
        total = self.mean(np.asarray(target), scores.T, weight, "sum")
        return total, float(scores.shape[-1] if weight is None else weight.sum(dtype=np.float64))

    def get_final_error(self, error: float, weight: float) -> float:
        """Return the mean from the two sums."""
        return error / weight if weight > 0 else 0.0


@functools.cache
def _metric_class(name: str) -> type[_RangeMetric]:
    return type(name, (_RangeMetric,), {"__doc__": _RangeMetric.__doc__})


def make_metric(
    loss: Loss | Measure, n_threads: int | None = 1, of_predictions: Loss | None = None
) -> _RangeMetric:
    """Return the metric; its predictions are those of the loss that was trained, where that is given."""
    return _metric_class(loss.name)(loss, n_threads, of_predictions)


def objective(
    loss: Loss, curvature: str = "auto", *, n_threads: int | None = 1
) -> _RangeObjective | _MultiObjective:
    """Make a loss the ``loss_function`` of CatBoost's estimators.

    Parameters
    ----------
    loss : Loss
        Any loss of raw scores with a gradient: regression, binary, or of C classes, for which CatBoost wants
        a matrix a row: theirs is diagonal.
    curvature : {"auto", "exact", "majorizer", "gauss-newton", "absolute", "unit"}
        What stands for the second derivative: itself, the curvature of a parabola above the loss, Gauss and
        Newton's (or the expected one), its absolute value, or 1. "auto" is the one that trained well in
        ``benchmarks/curvature.py``; docs/boosting.md has its table. It is not scaled as it is for the other
        libraries: a call sees a block of the rows, and their targets would give each block its own constant.
    n_threads : int, optional
        Threads of each call; None for ``fastloss.get_num_threads()``.

    Returns
    -------
    object
        With the method ``calc_ders_range(approxes, targets, weights)``, which returns an array of shape
        (n, 2), or ``calc_ders_multi`` for losses of C classes; derivatives of minus the loss times the
        weights. It can be pickled, copied and compared.

    Raises
    ------
    TypeError, ValueError
        If the loss has no gradient or takes probabilities, or has no such curvature.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import catboost as fc
    >>> fc.objective(fl.SquaredError()).calc_ders_range([1.0, 2.0], [0.0, 3.0], None)
    array([[-2., -2.],
           [ 2., -2.]])
    """
    if isinstance(loss, ParameterLoss):
        raise TypeError(f"{loss!r} takes {len(loss.columns)} scores a row, but CatBoost has one")
    made = _MultiObjective if isinstance(loss, RowLoss) else _RangeObjective
    return made.of(loss, curvature, n_threads)


def metric(loss: Loss | Measure, *, n_threads: int | None = 1) -> _RangeMetric:
    """Make a loss the ``eval_metric`` of CatBoost's estimators.

    CatBoost hands raw scores to it.

    Parameters
    ----------
    loss : Loss or Measure
        Any loss of a prediction and a target for each sample; or a measure, such as
        ``fl.measures.ROCAUC()``, of which more may be better.
    n_threads : int, optional
        As for :func:`objective`.

    Returns
    -------
    object
        With the methods ``evaluate``, ``get_final_error`` and ``is_max_optimal``: the mean weighted with the
        Pool's weights.

    Raises
    ------
    TypeError
        If `loss` is no such loss, nor a measure that is one number.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.adapters import catboost as fc
    >>> fc.metric(fl.AbsoluteError()).evaluate([[1.0, 4.0]], [0.0, 2.0], None)
    (3.0, 2.0)
    """
    return make_metric(checked_metric(loss), n_threads)
