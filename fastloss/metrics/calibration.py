"""Calibration of probabilities, with the name and results of scikit-learn's function."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss import _core
from fastloss.metrics._arrays import Array, check_lengths, column, dense
from fastloss.metrics._errors import require_arrays, require_choice, require_count, require_pos_label
from fastloss.metrics._ranking import positives
from fastloss.metrics._targets import Labels, label_array, labels_of

__all__ = ["calibration_curve"]


def calibration_curve(
    y_true: Any, y_prob: Any, *, pos_label: Any = None, n_bins: int = 5, strategy: str = "uniform"
) -> tuple[Array, Array]:
    """Share of positive samples beside the mean predicted probability, by bins of the probability.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels of two classes: whole numbers, booleans or strings.
    y_prob : array_like of shape (n,)
        Probabilities of the positive class.
    pos_label : int, float, bool or str, optional
        The positive class, which labels other than {0, 1} and {-1, 1} need.
    n_bins : int, default 5
        How many bins there are.
    strategy : {"uniform", "quantile"}, default "uniform"
        Bins of equal width, or of equally many samples.

    Returns
    -------
    prob_true, prob_pred : ndarray of shape (m,)
        Of the m bins that are not empty.

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, probabilities outside [0, 1], more than
        two classes, what is no array.

    References
    ----------
    A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning", ICML (2005);
    scikit-learn, `sklearn.calibration.calibration_curve`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.calibration_curve([0, 0, 1, 1], [0.125, 0.25, 0.75, 0.75], n_bins=2)
    (array([0., 1.]), array([0.1875, 0.75  ]))
    """
    require_arrays("calibration_curve", y_true=y_true, y_prob=y_prob)
    require_pos_label("calibration_curve", pos_label)
    require_count("calibration_curve", "n_bins", n_bins)
    require_choice("calibration_curve", "strategy", strategy, ("uniform", "quantile"), or_none=False)
    labels, p = _two_classes(y_true), column(dense(y_prob))
    check_lengths(y_true, p)
    flags = positives(labels, pos_label)
    if p.dtype.kind not in "fiub":
        p = p.astype(np.float64)
    if p.min() < 0 or p.max() > 1:
        raise ValueError("y_prob has values outside [0, 1].")
    if len(labels.classes) > 2:
        raise ValueError(f"Only binary classification is supported. Provided labels {labels.classes}.")
    if strategy == "quantile":
        edges = np.percentile(p, np.linspace(0, 1, n_bins + 1) * 100)
    else:
        edges = np.linspace(0.0, 1.0, n_bins + 1)
    bins = _core.find_bins(p, np.ascontiguousarray(edges[1:-1], dtype=np.float64))
    counts = _core.count_pairs(bins, n_bins, flags, 2)
    numbers = p.astype(np.float64) if p.dtype.kind in "iub" else p
    sums = _core.count_pairs(bins, n_bins, flags, 2, numbers).sum(axis=1)
    totals = counts.sum(axis=1)
    kept = totals != 0
    return counts[kept, 1] / totals[kept], sums[kept] / totals[kept]


def _two_classes(y_true: Any) -> Labels:
    """Return the labels, which here may be any numbers."""
    labels = labels_of(y_true)
    if labels is None:
        classes, codes = np.unique(column(label_array(y_true)), return_inverse=True)
        labels = Labels(classes, codes)
    return labels
