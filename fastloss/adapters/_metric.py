"""A loss or a measure as what a boosting library evaluates after each round, and stops by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._loss import Loss, PointwiseLoss, RowLoss
from fastloss.adapters._boosting import FromLoss, predictions, weights_or_none
from fastloss.measures import Measure, list_measures


@dataclass(frozen=True, repr=False)
class Metric(FromLoss):
    """A loss as a metric, the weighted mean; or a measure."""

    n_threads: int | None
    #: The loss that was trained, where its predictions are measured and not the scores.
    of_predictions: Any = None

    def __repr__(self) -> str:
        return self._repr(n_threads=(self.n_threads, 1), of_predictions=(self.of_predictions, None))

    @property
    def greater_is_better(self) -> bool:
        """Whether more is better."""
        return isinstance(self.loss, Measure) and bool(self.loss.greater_is_better)

    def mean(self, y_true: Any, y_pred: Any, weight: Any, reduction: str = "mean") -> float:
        """Return the weighted mean loss, or the sum; or the measure, or its product with the weights."""
        weight = weights_or_none(weight)
        if self.of_predictions is not None:
            y_pred = predictions(self.of_predictions, y_pred)
        if isinstance(self.loss, Measure):
            found = fl.evaluate(y_true, y_pred, [self.loss], sample_weight=weight)[self.loss.name].value
            total = np.sum(weight, dtype=np.float64) if weight is not None else np.shape(y_true)[0]
            return float(found * total) if reduction == "sum" else float(found)
        try:
            value = self.loss(
                y_true, y_pred, sample_weight=weight, reduction=reduction, n_threads=self.n_threads
            )
        except (TypeError, ValueError) as error:
            raise self.explained(error, y_true, y_pred) from None
        return float(value)


def checked_metric(loss: Any) -> Loss | Measure:
    """Return a loss that compares a prediction with a target for each sample, or a measure of them."""
    if isinstance(loss, Measure):
        if loss.greater_is_better is not None:
            return loss
        classes = [info.cls for info in list_measures()]
        known = ", ".join(cls.__name__ for cls in classes if cls.greater_is_better is not None)
        raise TypeError(f"{loss!r} is not one number that says which model is better; {known} are")
    if not isinstance(loss, (PointwiseLoss, RowLoss)):
        raise TypeError(
            f"loss must be a fastloss loss of predictions and targets, or a measure, got {loss!r}"
        )
    return loss
