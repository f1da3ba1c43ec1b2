"""Areas under curves, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import math
import warnings
from itertools import combinations
from typing import Any

import numpy as np

from fastloss.metrics._arrays import Array, check_finite, check_lengths
from fastloss.metrics._errors import (
    require_arrays,
    require_arrays_or_none,
    require_choice,
    require_number,
    require_pos_label,
    warn_undefined,
)
from fastloss.metrics._ranking import (
    Ranked,
    averaged,
    indicator_matrix,
    indicators,
    kind_of,
    one_hot,
    positives,
    scores_of,
    trapezoids,
    weights_of_ranked,
)
from fastloss.metrics._targets import Labels, label_array, labels_of, listed_classes, target_type
from fastloss.metrics.curves import NO_POSITIVES, rates

__all__ = ["average_precision_score", "roc_auc_score"]

_AVERAGES = ("macro", "micro", "samples", "weighted")
_NEEDS_ROWS = (
    "`y_score` needs to be of shape `(n_samples, n_classes)`, since `y_true` contains multiple classes. Got"
    " `y_score.shape={}`."
)


def roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    average: Any = "macro",
    sample_weight: Any = None,
    max_fpr: float | None = None,
    multi_class: str = "raise",
    labels: Any = None,
) -> Any:
    r"""Area under the ROC curve: how likely a positive sample scores higher than a negative one, ties half.

    Parameters
    ----------
    y_true : array_like of shape (n,) or (n, C)
        Labels: whole numbers, booleans or strings; of two of them the larger is the positive class. Or
        multilabel indicators.
    y_score : array_like of shape (n,) or (n, C)
        Scores of the positive class, any finite numbers; of several classes probabilities, in the classes'
        sorted order; of indicators scores of each label.
    average : {"macro", "micro", "weighted", "samples"} or None, default "macro"
        Of several classes or labels: the mean of their areas, plain or weighted by their samples; the area of
        all entries taken together; the mean of the areas of the samples of indicators; None for an array of
        the classes' areas.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    max_fpr : float, optional
        Take the area up to this rate of false positives alone, scaled to be 0.5 by chance (McClish).
    multi_class : {"raise", "ovr", "ovo"}, default "raise"
        Of several classes: the area of each against the others, or of each pair (Hand and Till).
    labels : array_like of shape (C,), optional
        The classes, where `y_true` lacks some.

    Returns
    -------
    float or ndarray of shape (C,)
        NaN, with a warning, where there is one class only.

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes and classes that do not fit, NaN, infinity, probabilities
        that do not sum to 1, no samples, what is no array.
    NotImplementedError
        For ``average=None`` with ``multi_class="ovo"``.

    References
    ----------
    D. J. Hand and R. J. Till, "A simple generalisation of the area under the ROC curve for multiple class
    classification problems", Machine Learning 45 (2001); D. K. McClish, "Analyzing a portion of the ROC
    curve", Medical Decision Making 9 (1989); scikit-learn, `sklearn.metrics.roc_auc_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    require_arrays("roc_auc_score", y_true=y_true, y_score=y_score)
    require_choice("roc_auc_score", "average", average, _AVERAGES, or_none=True)
    require_arrays_or_none("roc_auc_score", sample_weight=sample_weight)
    if max_fpr is not None:
        expected = "a float in the range (0.0, 1.0] or None"
        require_number("roc_auc_score", "max_fpr", max_fpr, expected, lambda rate: 0 < rate <= 1)
    require_choice("roc_auc_score", "multi_class", multi_class, ("raise", "ovr", "ovo"), or_none=False)
    require_arrays_or_none("roc_auc_score", labels=labels)
    found = labels_of(y_true)
    kind = target_type(y_true, "y_true") if found is None else kind_of(found)
    score = scores_of(y_score)
    if found is not None and (kind == "multiclass" or (score.ndim == 2 and score.shape[1] > 2)):
        return _multiclass(found, score, labels, multi_class, average, sample_weight, max_fpr)
    w = weights_of_ranked(sample_weight, len(score))

    def area(flags: Array, scores: Array, weights: Array | None) -> float:
        return _area(flags, scores, weights, max_fpr)

    if found is not None:
        is_larger = [rank > 0 for rank in range(len(found.classes))]
        return area(indicators(found, is_larger), score, w)
    y = label_array(y_true)
    if kind != "multilabel-indicator" or len(y) == 0:
        check_finite(y)
        raise ValueError(f"{kind} format is not supported")
    return averaged(area, indicator_matrix(y), score, average, w)


def _area(positive: Array, score: Array, w: Array | None, max_fpr: float | None = None) -> float:
    """Return the area under the curve of two classes, or under its first part, standardised."""
    n_positive = np.count_nonzero(positive)
    if n_positive in (0, len(positive)):
        check_finite(score)
        warn_undefined("Only one class is present in y_true. ROC AUC score is not defined in that case.")
        return math.nan
    ranked = Ranked(positive, score, w)
    is_whole = max_fpr is None or max_fpr == 1
    if is_whole and not ranked.has_negative_weights:
        area = ranked.auc()
        if math.isfinite(area):
            return area
    fpr, tpr, _ = rates(ranked.curve(), drop_intermediate=True)
    if max_fpr is None or is_whole:
        return trapezoids(fpr, tpr)
    stop = int(np.searchsorted(fpr, max_fpr, "right"))
    end = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    part = trapezoids(np.append(fpr[:stop], max_fpr), np.append(tpr[:stop], end))
    least, most = 0.5 * max_fpr**2, max_fpr
    return float(0.5 * (1 + (part - least) / (most - least)))


def _multiclass(
    found: Labels, score: Array, labels: Any, multi_class: str, average: Any, sample_weight: Any, max_fpr: Any
) -> Any:
    if max_fpr is not None and max_fpr != 1.0:
        raise ValueError(
            "Partial AUC computation not available in multiclass setting, 'max_fpr' must be set to `None`,"
            f" received `max_fpr={max_fpr}` instead"
        )
    if multi_class == "raise":
        raise ValueError("multi_class must be in ('ovo', 'ovr')")
    check_finite(score)
    if score.ndim != 2:
        raise ValueError(_NEEDS_ROWS.format(score.shape))
    if not np.allclose(1, score.sum(axis=1)):
        raise ValueError(
            "Target scores need to be probabilities for multiclass roc_auc, i.e. they should sum up to 1.0"
            " over classes"
        )
    options = (*(("micro",) if multi_class == "ovr" else ()), "macro", "weighted", None)
    if average not in options:
        raise ValueError(f"average must be one of {options} for multiclass problems")
    if average is None and multi_class == "ovo":
        raise NotImplementedError("average=None is not implemented for multi_class='ovo'.")
    classes = _classes(found, labels, score.shape[1])
    if multi_class == "ovr":
        w = weights_of_ranked(sample_weight, len(score))
        return averaged(_area, one_hot(found, classes), score, average, w)
    if sample_weight is not None:
        raise ValueError(
            "sample_weight is not supported for multiclass one-vs-one ROC AUC, 'sample_weight' must be None"
            " in this case."
        )
    check_lengths(found.codes, score)
    return _one_vs_one(found, np.searchsorted(classes, found.classes), score, average)


def _classes(found: Labels, labels: Any, n_columns: int) -> Array:
    """Return the classes, which are as many as the scores have columns."""
    if labels is None:
        if len(found.classes) != n_columns:
            raise ValueError("Number of classes in y_true not equal to the number of columns in 'y_score'")
        return found.classes
    miscounted = "Number of given labels, {}, not equal to the number of columns in 'y_score', {}"
    return listed_classes(found, labels, n_columns, miscounted, "")


def _one_vs_one(found: Labels, columns: Array, score: Array, average: Any) -> float:
    """Return the mean over pairs of classes of the areas by either's score."""
    order = np.argsort(found.codes, kind="stable")
    ends = np.cumsum(np.bincount(found.codes, minlength=len(columns)))
    of_class = np.split(score[order], ends[:-1])
    areas, sizes = [], []
    for a, b in combinations(range(len(columns)), 2):
        n_a, n_b = len(of_class[a]), len(of_class[b])
        is_a = np.repeat(np.array([1, 0], np.uint8), [n_a, n_b])
        pair = [
            Ranked(flags, np.concatenate([of_class[k][:, columns[by]] for k in (a, b)]), None).auc()
            for by, flags in ((a, is_a), (b, 1 - is_a))
        ]
        areas.append(sum(pair) / 2)
        sizes.append((n_a + n_b) / len(order))
    return float(np.average(areas, weights=sizes if average == "weighted" else None))


def average_precision_score(
    y_true: Any, y_score: Any, *, average: Any = "macro", pos_label: Any = 1, sample_weight: Any = None
) -> Any:
    r"""Average precision, :math:`\sum_n (R_n - R_{n-1}) P_n` over the thresholds.

    Parameters
    ----------
    y_true, y_score, average, sample_weight
        As for :func:`roc_auc_score`; of several classes each is scored against the others, by any scores.
    pos_label : int, float, bool or str, default 1
        The positive class of two.

    Returns
    -------
    float or ndarray of shape (C,)
        0, with a warning, where no sample is positive.

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, NaN, infinity, a `pos_label` that does not
        occur, no samples, what is no array.

    References
    ----------
    M. Zhu, "Recall, precision and average precision", University of Waterloo (2004); scikit-learn,
    `sklearn.metrics.average_precision_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> round(metrics.average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 6)
    0.833333
    """
    require_arrays("average_precision_score", y_true=y_true, y_score=y_score)
    require_choice("average_precision_score", "average", average, _AVERAGES, or_none=True)
    require_pos_label("average_precision_score", pos_label, or_none=False)
    require_arrays_or_none("average_precision_score", sample_weight=sample_weight)
    found = labels_of(y_true)
    kind = target_type(y_true, "y_true") if found is None else kind_of(found)
    if found is None and kind != "multilabel-indicator":
        raise ValueError(f"{kind} format is not supported")
    if kind == "binary" and found is not None:
        if len(found.classes) == 2 and pos_label not in found.classes.tolist():
            raise ValueError(
                f"pos_label={pos_label} is not a valid label. It should be one of {found.classes}"
            )
    elif pos_label != 1:
        raise ValueError(
            f"Parameter pos_label is fixed to 1 for {kind} y_true. Do not set pos_label or set pos_label to"
            " 1."
        )
    score = scores_of(y_score)
    w = weights_of_ranked(sample_weight, len(score))
    if found is None:
        return averaged(_precision, indicator_matrix(label_array(y_true)), score, average, w)
    if kind == "binary":
        return _precision(positives(found, pos_label), score, w)
    if score.shape != (len(found.codes), len(found.classes)):
        raise ValueError(_NEEDS_ROWS.format(score.shape))
    return averaged(_precision, one_hot(found, found.classes), score, average, w)


def _precision(positive: Array, score: Array, w: Array | None) -> float:
    ranked = Ranked(positive, score, w)
    precision = ranked.average_precision()
    if precision == 0 and ranked.curve().true[-1] == 0:
        warnings.warn(NO_POSITIVES, UserWarning, stacklevel=3)
    return max(0.0, precision)
