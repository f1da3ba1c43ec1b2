"""Rankings within each sample, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss import _core
from fastloss.metrics._arrays import (
    Array,
    blocks,
    check_finite,
    check_lengths,
    check_size,
    column,
    total_weight,
    weights_of_average,
)
from fastloss.metrics._errors import (
    require_arrays,
    require_arrays_or_none,
    require_count,
    require_flag,
    warn_undefined,
)
from fastloss.metrics._ranking import kind_of, scores_of
from fastloss.metrics._targets import Labels, label_array, labels_of, listed_classes, pick, target_type

__all__ = ["ndcg_score", "top_k_accuracy_score"]

_TARGETS = ("multilabel-indicator", "continuous-multioutput", "multiclass-multioutput")


def top_k_accuracy_score(
    y_true: Any,
    y_score: Any,
    *,
    k: int = 2,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
) -> float:
    """Share, or weight, of the samples whose class has one of the k largest scores.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels: whole numbers, booleans or strings.
    y_score : array_like of shape (n,) or (n, C)
        Scores of the larger one of two classes, or of each of several in their sorted order: any finite
        numbers. Of equal scores that of the later class counts as the larger.
    k : int, default 2
        How many classes are taken.
    normalize : bool, default True
        False gives the sum of the weights of the samples instead of their share.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    labels : array_like of shape (C,), optional
        The classes, where `y_true` lacks some.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes and classes that do not fit, NaN, infinity, no samples,
        what is no array.

    References
    ----------
    scikit-learn, `sklearn.metrics.top_k_accuracy_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> scores = [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]]
    >>> metrics.top_k_accuracy_score([0, 1, 2, 2], scores)
    0.75
    """
    require_arrays("top_k_accuracy_score", y_true=y_true, y_score=y_score)
    require_count("top_k_accuracy_score", "k", k)
    require_flag("top_k_accuracy_score", "normalize", normalize)
    require_arrays_or_none("top_k_accuracy_score", sample_weight=sample_weight, labels=labels)
    found = labels_of(y_true)
    if found is None:
        y = label_array(y_true)
        check_size(y)
        check_finite(y)
        column(y)
        kind = target_type(y_true, "y_true")
        raise ValueError(f"y type must be 'binary' or 'multiclass', got '{kind}' instead.")
    is_binary = kind_of(found) == "binary" and (labels is None or len(labels) <= 2)
    score = scores_of(y_score)
    check_finite(score)
    if is_binary and score.ndim == 2 and score.shape[1] != 1:
        raise ValueError(
            f"`y_true` is binary while y_score is 2d with {score.shape[1]} classes. If `y_true` does not"
            " contain all the labels, `labels` must be provided."
        )
    if is_binary:
        score = column(score)
    elif score.ndim != 2:
        raise ValueError(
            "`y_score` needs to be of shape `(n_samples, n_classes)`, since `y_true` contains multiple"
            f" classes. Got `y_score.shape={score.shape}`."
        )
    check_lengths(y_true, y_score, sample_weight)
    classes = _classes(found, labels, score.shape[1] if score.ndim == 2 else 2)
    if k >= len(classes):
        warn_undefined(
            f"'k' ({k}) greater than or equal to 'n_classes' ({len(classes)}) will result in a perfect score"
            " and is therefore meaningless."
        )
    w = weights_of_average(sample_weight)
    ranks = np.searchsorted(classes, found.classes)
    hits = _binary_hits(found, ranks, score, k) if is_binary else _hits(pick(ranks, found.codes), score, k)
    weight = float(np.count_nonzero(hits) if w is None else np.dot(w.astype(np.float64), hits))
    if not normalize:
        return weight
    return weight / (len(hits) if w is None else total_weight(w))


def _classes(found: Labels, labels: Any, n_columns: int) -> Array:
    """Return the classes, which are as many as the scores are of."""
    if labels is None:
        n = len(found.classes)
        if n != n_columns:
            raise ValueError(
                f"Number of classes in 'y_true' ({n}) not equal to the number of classes in 'y_score'"
                f" ({n_columns}).You can provide a list of all known classes by assigning it to the `labels`"
                " parameter."
            )
        return found.classes
    miscounted = "Number of given labels ({}) not equal to the number of classes in 'y_score' ({})."
    return listed_classes(found, labels, n_columns, miscounted, ".")


def _binary_hits(found: Labels, ranks: Array, score: Array, k: int) -> Array:
    if k > 1:
        return np.ones(len(score), dtype=bool)
    threshold = 0.5 if score.min() >= 0 and score.max() <= 1 else 0
    return np.asarray((score > threshold) == pick(ranks.astype(bool), found.codes))


def _comparable(score: Array) -> Array:
    """Return numbers in one piece and a dtype that the kernels compare, in the order that they had."""
    dtype = score.dtype
    if dtype == np.uint64:
        return np.ascontiguousarray(score.astype(np.uint64) ^ np.uint64(1 << 63)).view(np.int64)
    wanted: Any = np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64
    if dtype.kind in "ium":
        wanted = np.int64
    return np.require(score, wanted, ["C", "A"])


def _hits(own: Array, score: Array, k: int) -> Array:
    """Tell for each row whether its own column's score is among the k largest."""
    hits = np.empty(len(score), dtype=bool)
    for rows in blocks(*score.shape):
        hits[rows] = _core.is_among_top(_comparable(score[rows]), own[rows].astype(np.int64), k)
    return hits


def ndcg_score(
    y_true: Any, y_score: Any, *, k: int | None = None, sample_weight: Any = None, ignore_ties: bool = False
) -> float:
    r"""Normalised discounted cumulative gain: :math:`\sum_r g_r / \log_2(1 + r)` as a share of the best.

    Parameters
    ----------
    y_true : array_like of shape (n, C)
        The gains of each sample's C documents, 0 or more.
    y_score : array_like of shape (n, C)
        Their scores, by which they are ranked: any finite numbers.
    k : int, optional
        Count the first k ranks alone.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    ignore_ties : bool, default False
        Rank documents of equal scores in some order, where otherwise they share the mean of their gains.

    Returns
    -------
    float
        A sample without gains counts 0.

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, a single document, negative gains, NaN,
        infinity, no samples, what is no array.

    References
    ----------
    K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM Transactions on
    Information Systems 20 (2002); F. McSherry and M. Najork, "Computing information retrieval performance
    measures efficiently in the presence of tied scores", ECIR (2008); scikit-learn,
    `sklearn.metrics.ndcg_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.ndcg_score([[10, 0, 0, 1, 5]], [[0.9, 0.2, 0.1, 0.3, 0.8]])
    1.0
    """
    require_arrays("ndcg_score", y_true=y_true, y_score=y_score)
    require_count("ndcg_score", "k", k, or_none=True)
    require_arrays_or_none("ndcg_score", sample_weight=sample_weight)
    require_flag("ndcg_score", "ignore_ties", ignore_ties)
    gains, score = scores_of(y_true), scores_of(y_score)
    check_finite(gains)
    check_finite(score)
    check_lengths(y_true, y_score, sample_weight)
    if gains.min() < 0:
        raise ValueError("ndcg_score should not be used on negative y_true values.")
    if gains.ndim > 1 and gains.shape[1] <= 1:
        raise ValueError(
            f"Computing NDCG is only meaningful when there is more than 1 document. Got"
            f" {gains.shape[1]} instead."
        )
    if gains.ndim == 1:
        raise ValueError(
            f"Only {_TARGETS} formats are supported. Got {target_type(y_true, 'y_true')} instead"
        )
    if gains.shape != score.shape:
        raise ValueError(f"y_true has shape {gains.shape}, but y_score {score.shape}")
    w = weights_of_average(sample_weight)
    discount = 1 / np.log2(np.arange(gains.shape[1]) + 2)
    if k is not None:
        discount[k:] = 0
    shares = [
        _shares_of_best(gains[rows].astype(np.float64, order="C"), score[rows], discount, bool(ignore_ties))
        for rows in blocks(*gains.shape)
    ]
    if w is not None:
        total_weight(w)
    return float(np.average(np.concatenate(shares), weights=w))


def _shares_of_best(gains: Array, score: Array, discount: Array, ignore_ties: bool) -> Array:
    best = _core.discounted_gains(gains, gains, discount, True)
    found = _core.discounted_gains(gains, _comparable(score), discount, ignore_ties)
    return np.divide(found, best, out=np.zeros_like(found), where=best != 0)
