"""Curves over the thresholds of a score, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fastloss.metrics._arrays import Array, check_lengths
from fastloss.metrics._errors import (
    require_arrays,
    require_arrays_or_none,
    require_flag,
    require_pos_label,
    warn_undefined,
)
from fastloss.metrics._ranking import (
    Curve,
    Ranked,
    binary_labels,
    positives,
    scores_of,
    shares,
    weights_of_ranked,
)

__all__ = ["precision_recall_curve", "roc_curve"]

NO_POSITIVES = "No positive class found in y_true, recall is set to one for all thresholds."


def roc_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = True,
) -> tuple[Array, Array, Array]:
    """Rates of false and of true positives at each threshold: the receiver operating characteristic.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels of two classes: whole numbers, booleans or strings.
    y_score : array_like of shape (n,)
        Scores, larger ones for the positive class: any finite numbers.
    pos_label : int, float, bool or str, optional
        The positive class, which labels other than {0, 1} and {-1, 1} need.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    drop_intermediate : bool, default True
        Leave out points on the line between their neighbours.

    Returns
    -------
    fpr, tpr, thresholds : ndarray of shape (m,)
        From the threshold infinity on, which no sample reaches.

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, NaN, infinity, labels of more than two
        classes without `pos_label`, what is no array.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006); scikit-learn,
    `sklearn.metrics.roc_curve`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> fpr, tpr, thresholds = metrics.roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr
    array([0. , 0. , 0.5, 0.5, 1. ])
    >>> tpr
    array([0. , 0.5, 0.5, 1. , 1. ])
    >>> thresholds
    array([ inf, 0.8 , 0.4 , 0.35, 0.1 ])
    """
    _, curve = _curve("roc_curve", y_true, y_score, pos_label, sample_weight, drop_intermediate)
    return rates(curve, drop_intermediate=bool(drop_intermediate))


def _curve(
    function: str, y_true: Any, y_score: Any, pos_label: Any, sample_weight: Any, drop_intermediate: Any
) -> tuple[Ranked, Curve]:
    require_arrays(function, y_true=y_true, y_score=y_score)
    require_pos_label(function, pos_label)
    require_arrays_or_none(function, sample_weight=sample_weight)
    require_flag(function, "drop_intermediate", drop_intermediate)
    labels, _ = binary_labels(y_true, pos_label)
    flags = positives(labels, pos_label)
    check_lengths(y_true, y_score, sample_weight)
    ranked = Ranked(flags, scores_of(y_score), weights_of_ranked(sample_weight, len(flags)))
    return ranked, ranked.curve()


def rates(curve: Curve, *, drop_intermediate: bool) -> tuple[Array, Array, Array]:
    """Return the ROC curve of counts, with warnings where a class has no weight."""
    false, true, thresholds = curve
    if drop_intermediate and len(false) > 2:
        corners = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        kept = np.concatenate([[0], np.flatnonzero(corners) + 1, [len(false) - 1]])
        false, true, thresholds = false[kept], true[kept], thresholds[kept]
    false, true = np.concatenate([[0.0], false]), np.concatenate([[0.0], true])
    thresholds = np.concatenate([[np.inf], thresholds.astype(np.float64, copy=False)])
    for rate, counts, which in (("false", false, "negative"), ("true", true, "positive")):
        if counts[-1] <= 0:
            warn_undefined(f"No {which} samples in y_true, {rate} positive value should be meaningless")
    return shares(false), shares(true), thresholds


def precision_recall_curve(
    y_true: Any,
    y_score: Any,
    *,
    pos_label: Any = None,
    sample_weight: Any = None,
    drop_intermediate: bool = False,
) -> tuple[Array, Array, Array]:
    """Precision and recall at each threshold.

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight
        As for :func:`roc_curve`.
    drop_intermediate : bool, default False
        Leave out points between two of the same recall.

    Returns
    -------
    precision, recall : ndarray of shape (m + 1,)
        At the thresholds, and 1 and 0 at the end.
    thresholds : ndarray of shape (m,)
        Increasing.

    Raises
    ------
    ValueError, TypeError
        As for :func:`roc_curve`.

    References
    ----------
    scikit-learn, `sklearn.metrics.precision_recall_curve`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> precision, recall, thresholds = metrics.precision_recall_curve([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    >>> recall
    array([1. , 1. , 0.5, 0. ])
    >>> thresholds
    array([0.1, 0.4, 0.8])
    """
    _, (false, true, thresholds) = _curve(
        "precision_recall_curve", y_true, y_score, pos_label, sample_weight, drop_intermediate
    )
    if drop_intermediate and len(false) > 2:
        steps = np.diff(true) != 0
        kept = np.concatenate([[0], np.flatnonzero(steps[:-1] | steps[1:]) + 1, [len(false) - 1]])
        false, true, thresholds = false[kept], true[kept], thresholds[kept]
    sums = true + false
    precision = np.divide(true, sums, out=np.zeros_like(sums), where=sums != 0)
    if true[-1] == 0:
        warnings.warn(NO_POSITIVES, UserWarning, stacklevel=2)
        recall = np.ones_like(true)
    else:
        recall = true / true[-1]
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), thresholds[::-1].copy()
