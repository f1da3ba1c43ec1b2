"""Precision, recall and F scores, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import numbers
import warnings
from typing import Any, NamedTuple

import numpy as np

from fastloss.metrics._arrays import Array, check_finite, column
from fastloss.metrics._errors import (
    invalid,
    require_arrays_or_none,
    require_arrays_or_sparse,
    require_choice,
    require_number,
    require_pos_label,
    warn_undefined,
)
from fastloss.metrics._pairs import Indicators, Pairs, Sums, read_targets
from fastloss.metrics._targets import label_array

__all__ = ["f1_score", "fbeta_score", "precision_score", "recall_score"]

_AVERAGES = ("micro", "macro", "samples", "weighted", "binary")


class _Counted(NamedTuple):
    """The weights of hits, predictions and labels, by class, sample or of all, and those to average with."""

    sums: Sums
    weights: Array | None


def precision_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: Any = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Share of the samples predicted as a class that are of it.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k), or sparse matrix of shape (n, k)
        Labels: whole numbers, booleans or strings; or multilabel indicators.
    labels : array_like, optional
        The classes, or columns of indicators, to score; otherwise all, sorted.
    pos_label : int, float, bool, str or None, default 1
        The class that is scored with ``average="binary"``.
    average : {"binary", "micro", "macro", "weighted", "samples"} or None, default "binary"
        The score of `pos_label`; that of the counts of all classes added up; the mean of the classes' scores,
        plain or weighted by their samples; the mean of the scores of the samples of indicators; or None for
        an array of the classes' scores.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    zero_division : {"warn", 0.0, 1.0, nan}, default "warn"
        The score of a class that is never predicted; "warn" stands for 0 with a warning.

    Returns
    -------
    float or ndarray of shape (C,)

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, no samples, labels that are none or of two
        kinds, a `pos_label` that does not occur, ``average="binary"`` with more than two classes, weights
        that are not finite or all zero, what is no array.

    References
    ----------
    scikit-learn, `sklearn.metrics.precision_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.precision_score([0, 1, 1, 1], [1, 1, 1, 1])
    0.75
    """
    function = "precision_score"
    given = _count(function, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)
    scores = _divide("Precision", "predicted", given.sums.hits, given.sums.predicted, average, zero_division)
    return _averaged(scores, given.weights, average)


def recall_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: Any = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Share of the samples of a class that are predicted as such.

    Parameters, result and errors are those of :func:`precision_score`; `zero_division` is the score of a
    class without samples.

    References
    ----------
    scikit-learn, `sklearn.metrics.recall_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.recall_score([1, 1, 1, 1], [0, 1, 1, 1])
    0.75
    """
    function = "recall_score"
    given = _count(function, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)
    scores = _divide("Recall", "true", given.sums.hits, given.sums.true, average, zero_division)
    return _averaged(scores, given.weights, average)


def f1_score(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    pos_label: Any = 1,
    average: Any = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    """Harmonic mean of precision and recall.

    Parameters, result and errors are those of :func:`precision_score`; `zero_division` is the score of a
    class that is neither predicted nor has samples.

    References
    ----------
    scikit-learn, `sklearn.metrics.f1_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.f1_score([0, 1, 1, 1], [0, 0, 1, 1])
    0.8
    """
    given = _count("f1_score", y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)
    return _f_score(given, 1.0, average, zero_division)


def fbeta_score(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float,
    labels: Any = None,
    pos_label: Any = 1,
    average: Any = "binary",
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:
    r"""Weighted harmonic mean of precision and recall, :math:`(1 + \beta^2) p r / (\beta^2 p + r)`.

    Parameters
    ----------
    y_true, y_pred, labels, pos_label, average, sample_weight, zero_division
        As for :func:`f1_score`, which is that of `beta` 1.
    beta : float
        The weight of recall beside precision, 0 or more; infinity gives recall.

    Returns
    -------
    float or ndarray of shape (C,)

    Raises
    ------
    ValueError, TypeError
        As for :func:`precision_score`, and for a negative `beta`.

    References
    ----------
    C. J. van Rijsbergen, "Information Retrieval" (1979); scikit-learn, `sklearn.metrics.fbeta_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.fbeta_score([0, 1, 1, 1], [0, 0, 1, 1], beta=0.5)
    0.9090909090909091
    """
    _require_sets("fbeta_score", y_true, y_pred)
    require_number("fbeta_score", "beta", beta, "a float in the range [0.0, inf]", lambda b: b >= 0)
    given = _count("fbeta_score", y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)
    return _f_score(given, float(beta), average, zero_division)


def _require_sets(function: str, y_true: Any, y_pred: Any) -> None:
    require_arrays_or_sparse(function, y_true=y_true, y_pred=y_pred)


def _f_score(given: _Counted, beta: float, average: Any, zero_division: Any) -> Any:
    hits, predicted, true = given.sums
    if beta == 0:
        scores = _divide("", "predicted", hits, predicted, average, zero_division)
    elif np.isposinf(beta):
        scores = _divide("", "true", hits, true, average, zero_division)
    else:
        square = beta**2
        below = square * true.astype(np.float64) + predicted.astype(np.float64)
        above = (1 + square) * hits.astype(np.float64)
        scores = _divide("F-score", "true nor predicted", above, below, average, zero_division)
    return _averaged(scores, given.weights, average)


def _count(
    function: str,
    y_true: Any,
    y_pred: Any,
    labels: Any,
    pos_label: Any,
    average: Any,
    sample_weight: Any,
    zero_division: Any,
) -> _Counted:
    """Check all arguments, and count what the scores are made of."""
    _require_sets(function, y_true, y_pred)
    require_arrays_or_none(function, labels=labels)
    require_pos_label(function, pos_label)
    require_choice(function, "average", average, _AVERAGES, or_none=True)
    require_arrays_or_none(function, sample_weight=sample_weight)
    _require_zero_division(function, zero_division)
    given = read_targets(y_true, y_pred, sample_weight)
    if average == "binary":
        labels = _binary_label(given, pos_label)
    elif pos_label not in (None, 1):
        warnings.warn(
            f"Note that pos_label (set to {pos_label!r}) is ignored when average != 'binary' (got"
            f" {average!r}). You may use labels=[pos_label] to specify a single positive class.",
            UserWarning,
            stacklevel=3,
        )
    if average != "binary" and labels is not None and isinstance(given, Pairs):
        _check_kind(column(label_array(labels)).tolist(), given.classes.tolist())
    sums = _sums_of(given, labels, average == "samples")
    if average == "micro":
        sums = Sums(*(np.sum(part).reshape(1) for part in sums))
    weights = sums.true if average == "weighted" else given.weight if average == "samples" else None
    return _Counted(sums, weights)


def _require_zero_division(function: str, value: Any) -> None:
    is_word = isinstance(value, str) and value == "warn"
    is_number = isinstance(value, numbers.Real) and (value in (0, 1) or value != value)
    if not (is_word or is_number):
        expected = "a float among {0.0, 1.0}, nan or a str among {'warn'}"
        raise invalid(function, "zero_division", expected, value)


def _binary_label(given: Pairs | Indicators, pos_label: Any) -> list[Any]:
    if given.kind != "binary":
        # What else there is does not depend on the target but for the samples of indicators.
        options = [None, "micro", "macro", "weighted"] + ["samples"] * isinstance(given, Indicators)
        raise ValueError(
            f"Target is {given.kind} but average='binary'. Please choose another average setting, one of"
            f" {options!r}."
        )
    assert isinstance(given, Pairs)
    if pos_label not in given.classes.tolist() and len(given.classes) == 2:
        raise ValueError(f"pos_label={pos_label} is not a valid label. It should be one of {given.classes}")
    return [pos_label]


def _check_kind(labels: list[Any], classes: list[Any]) -> None:
    """Raise the error of strings beside numbers."""
    if len({isinstance(label, str) for label in [*labels, *classes]}) > 1:
        raise ValueError(f"y contains previously unseen labels: {classes}")


def _sums_of(given: Pairs | Indicators, labels: Any, by_sample: bool) -> Sums:
    if isinstance(given, Indicators):
        return _sums_of_indicators(given, labels, by_sample)
    if by_sample:
        if given.weight is not None:
            check_finite(given.weight, "sample_weight")
        raise ValueError("Samplewise metrics are not available outside of multilabel classification.")
    sums = given.sums()
    if labels is None:
        return sums
    wanted = column(label_array(labels)).tolist()
    rank = {label: i for i, label in enumerate(given.classes.tolist())}
    ranks = np.array([rank.get(label, -1) for label in wanted], dtype=np.intp)
    # A class that does not occur has no samples.
    return Sums(*(np.where(ranks >= 0, part[ranks], 0) for part in sums))


def _sums_of_indicators(given: Indicators, labels: Any, by_sample: bool) -> Sums:
    if labels is not None:
        columns, k = column(label_array(labels)), given.true.shape[1]
        for value, is_off, sign in (
            (columns.max(), columns.max() >= k, ">"),
            (columns.min(), columns.min() < 0, "<"),
        ):
            if is_off:
                limit = k - 1 if sign == ">" else 0
                raise ValueError(
                    f"All labels must be in [0, n labels) for multilabel targets. Got {value} {sign} {limit}"
                )
        given = given.of_columns(columns)
    return given.sums(1 if by_sample else 0)


def _divide(name: str, which: str, above: Array, below: Array, average: Any, zero_division: Any) -> Array:
    """Return the quotients; where nothing is below, what is wanted there, or 0 with a warning."""
    is_zero = below == 0
    dtype = np.result_type(above, below) if above.dtype.kind == "f" else np.float64
    scores: Array = above.astype(dtype) / np.where(is_zero, 1, below).astype(dtype)
    if not is_zero.any():
        return scores
    scores[is_zero] = 0.0 if isinstance(zero_division, str) else zero_division
    if isinstance(zero_division, str) and name:
        who, where = ("label", "sample") if average == "samples" else ("sample", "label")
        how = "due to" if len(scores) == 1 else f"in {where}s with"
        warn_undefined(
            f"{name} is ill-defined and being set to 0.0 {how} no {which} {who}s. Use `zero_division`"
            " parameter to control this behavior."
        )
    return scores


def _averaged(scores: Array, weights: Array | None, average: Any) -> Any:
    """Return the scores, or the mean of those that are numbers."""
    if average is None:
        return scores
    is_number = ~np.isnan(scores)
    if not is_number.any():
        return float("nan")
    scores = scores[is_number]
    if weights is None or not np.sum(weights[is_number]):
        return float(np.mean(scores))
    return float(np.average(scores, weights=weights[is_number]))
