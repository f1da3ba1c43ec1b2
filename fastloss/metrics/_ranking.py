"""Two classes in the order of their scores; averages over classes and samples."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.metrics._arrays import (
    Array,
    check_finite,
    check_lengths,
    checked_weights,
    column,
    numeric,
    numeric_as_given,
)
from fastloss.metrics._targets import Labels, labels_of, pick, target_type

#: A score of two classes: indicators of the positive one, scores, weights.
Metric = Callable[[Array, Array, "Array | None"], float]


class Curve(NamedTuple):
    """False and true positives at each threshold, and the thresholds, from the largest on."""

    false: Array
    true: Array
    thresholds: Array


class Ranked:
    """Samples of two classes in descending order of their scores."""

    def __init__(self, positive: Array, score: Array, sample_weight: Array | None) -> None:
        check_lengths(positive, score, sample_weight)
        self._dtype = score.dtype
        score, self._values = _sortable(column(score))
        try:
            self._core = _core.Ranking(score, positive, sample_weight)
        except ValueError:
            check_finite(score)
            if sample_weight is not None:
                check_finite(sample_weight, "sample_weight")
            raise
        self.has_negative_weights: bool = self._core.has_negative_weights

    def auc(self) -> float:
        """Return the area under the ROC curve, NaN where a class has no weight."""
        area: float = self._core.auc()
        return area

    def average_precision(self) -> float:
        """Return the average precision, 0 where no sample is positive."""
        precision: float = self._core.average_precision()
        return precision

    def curve(self) -> Curve:
        """Return what is counted at each threshold."""
        false, true, thresholds = self._core.curve()
        if self._values is not None:
            thresholds = self._values[thresholds]
        return Curve(false, true, thresholds.astype(self._dtype, copy=False))


def _sortable(score: Array) -> tuple[Array, Array | None]:
    """Return numbers that the kernels sort exactly, and what they stand for where they are ranks."""
    if score.dtype.kind in "mM":
        return score.view(np.int64), None
    if score.dtype == object and not all(isinstance(x, numbers.Real) for x in score.tolist()):
        raise TypeError("y_score holds objects, expected real numbers")
    if score.dtype == object or (score.dtype.kind == "f" and score.dtype.itemsize > 8):
        check_finite(score)
        values, ranks = np.unique(score, return_inverse=True)
        return ranks.astype(np.int64), values
    return score, None


def scores_of(y_score: Any) -> Array:
    """Return scores as an array of numbers of at most two dimensions."""
    return numeric_as_given(y_score)


def weights_of_ranked(sample_weight: Any, n: int) -> Array | None:
    """Return weights as an array of n numbers, not all zero; a column of them will do."""
    if sample_weight is None:
        return None
    return checked_weights(column(numeric(sample_weight)), n)


def binary_labels(y_true: Any, pos_label: Any) -> tuple[Labels, str]:
    """Return the labels of two classes, or of several where one is named, and what they are."""
    labels = labels_of(y_true)
    kind = target_type(y_true, "y_true") if labels is None else kind_of(labels)
    if labels is None or not (kind == "binary" or (kind == "multiclass" and pos_label is not None)):
        raise ValueError(f"{kind} format is not supported")
    return labels, kind


def kind_of(labels: Labels) -> str:
    """Return what scikit-learn calls targets of these labels."""
    return "multiclass" if len(labels.classes) > 2 else "binary"


def positives(labels: Labels, pos_label: Any) -> Array:
    """Return 1 for samples of the positive class, which is 1 among {0, 1} and {-1, 1}, and 0 for others."""
    classes = labels.classes
    if pos_label is None:
        if classes.dtype.kind in "OU" or classes.tolist() not in ([0, 1], [-1, 1], [0], [-1], [1]):
            listed = ", ".join(map(repr, classes.tolist()))
            raise ValueError(
                f"y_true takes value in {{{listed}}} and pos_label is not specified: either make y_true take"
                " value in {0, 1} or {-1, 1} or pass pos_label explicitly."
            )
        pos_label = 1
    return indicators(labels, [label == pos_label for label in classes.tolist()])


def indicators(labels: Labels, is_wanted: list[bool]) -> Array:
    """Return 1 for samples of the classes wanted and 0 for others, as bytes in one piece."""
    if is_wanted == [False, True]:
        return np.ascontiguousarray(labels.codes).astype(np.uint8)
    return np.ascontiguousarray(pick(np.array(is_wanted, np.uint8), labels.codes))


def one_hot(labels: Labels, classes: Array) -> Array:
    """Return the indicators of classes, among which are all labels, as columns."""
    matrix = np.zeros((len(labels.codes), len(classes)), np.uint8, order="F")
    for rank, label in enumerate(labels.classes.tolist()):
        at = int(np.searchsorted(classes, np.asarray(label, classes.dtype)))
        np.equal(labels.codes, rank, out=matrix[:, at].view(bool))
    return matrix


def indicator_matrix(y_true: Array) -> Array:
    """Return multilabel indicators as zeros and ones, column by column."""
    columns = [positives(_encoded(y_true[:, k]), None) for k in range(y_true.shape[1])]
    return np.asfortranarray(np.column_stack(columns))


def _encoded(y: Array) -> Labels:
    labels = labels_of(y)
    if labels is None:
        raise ValueError("unknown format is not supported")
    return labels


def averaged(metric: Metric, y: Array, score: Array, average: Any, w: Array | None) -> Any:
    """Return a score of each column, or of each row, of indicators, or the mean of these; or that of all."""
    if score.ndim == 1:
        raise ValueError(f"Expected 2D array, got 1D array instead:\narray={score}.")
    check_lengths(y, score, w)
    check_finite(score)
    if average == "micro":
        weights = None if w is None else np.repeat(w, y.shape[1])
        return metric(np.ravel(y), np.ravel(score), weights)
    weights_of_scores, axis = None, 1
    if average == "weighted":
        weights_of_scores = y.sum(axis=0) if w is None else np.asarray(w, np.float64) @ y
        if np.isclose(weights_of_scores.sum(), 0):
            return 0
    elif average == "samples":
        weights_of_scores, w, axis = w, None, 0
    if score.shape[axis] > y.shape[axis]:
        raise ValueError(f"y_true has {y.shape[axis]} columns, and y_score {score.shape[axis]}")
    if axis == 1:
        y, score = y.T, score.T
    scores = np.array([metric(np.ascontiguousarray(y[k]), score[k], w) for k in range(len(score))])
    if average is None:
        return scores
    if weights_of_scores is not None:
        scores[np.asarray(weights_of_scores) == 0] = 0
    return float(np.average(scores, weights=weights_of_scores))


def trapezoids(x: Array, y: Array) -> float:
    """Return the area under a curve that goes to the right or to the left."""
    steps = np.diff(x)
    direction = 1
    if (steps < 0).any():
        if not (steps <= 0).all():
            raise ValueError(f"x is neither increasing nor decreasing : {x}.")
        direction = -1
    return direction * float(np.sum(steps * (y[1:] + y[:-1]) / 2))


def shares(counts: Array) -> Array:
    """Return counts that grow as shares of the last, NaN where that is not positive."""
    return counts / counts[-1] if counts[-1] > 0 else np.full(counts.shape, math.nan)
