"""Losses of predicted class probabilities, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any, NamedTuple

import numpy as np

from fastloss.binary import BinaryCrossEntropy
from fastloss.metrics._arrays import (
    Array,
    blocks,
    check_finite,
    check_lengths,
    column,
    n_samples,
    numeric,
    reduce,
    total_weight,
    weights_of_labels,
)
from fastloss.metrics._errors import (
    invalid,
    is_flag,
    require_arrays,
    require_arrays_or_none,
    require_flag,
    warn_undefined,
)
from fastloss.metrics._targets import (
    Labels,
    NoLabels,
    encode,
    is_indicator,
    label_array,
    pick,
    recode,
    target_type,
)
from fastloss.multiclass import CrossEntropy
from fastloss.regression import SquaredError

__all__ = ["brier_score_loss", "d2_log_loss_score", "log_loss"]

_NOT_GIVEN = "deprecated"


class _RowsOfProbabilities(CrossEntropy):
    """Cross-entropy of probabilities; rows that do not sum to 1 are warned of in scikit-learn's words."""

    def _warn_off_row(self, row: int, total: float) -> None:
        _warn_not_probabilities()


class _RowsOfHalves(CrossEntropy):
    """Cross-entropy of probabilities in half precision, whose rows were looked at with its own tolerance."""

    def _warn_off_row(self, row: int, total: float) -> None:
        pass


class _Targets(NamedTuple):
    """Ranks of the samples' classes, or an indicator of them; and the classes in their order."""

    y: Array
    classes: Array


def log_loss(
    y_true: Any,
    y_proba: Any = None,
    *,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = _NOT_GIVEN,
) -> float:
    r"""Logistic loss, or cross-entropy: the mean of :math:`-\log p_{i,y_i}`.

    Parameters
    ----------
    y_true : array_like of shape (n,) or (n, C)
        Labels: whole numbers, booleans or strings; or an indicator of several.
    y_proba : array_like of shape (n,) or (n, C)
        Probabilities of the larger of two labels, or of each class in their sorted order. They are clipped to
        :math:`[\epsilon, 1 - \epsilon]`, :math:`\epsilon` the machine epsilon of their precision.
    normalize : bool, default True
        False gives the weighted sum instead of the mean.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    labels : array_like, optional
        The classes, where `y_true` lacks some.
    y_pred : array_like
        The former name of `y_proba`.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes and classes that do not fit, what is no probability, labels
        that are none, no samples, weights that are not finite or all zero, what is no array.

    Warns
    -----
    UserWarning
        Rows do not sum to 1; `labels` are not sorted.

    See Also
    --------
    fastloss.BinaryCrossEntropy, fastloss.CrossEntropy : the losses, with their gradients.

    References
    ----------
    scikit-learn, `sklearn.metrics.log_loss`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> round(metrics.log_loss(["ham", "spam"], [0.25, 0.5]), 6)
    0.490415
    >>> round(metrics.log_loss([0, 2], [[0.5, 0.25, 0.25], [0, 0.5, 0.5]], labels=[0, 1, 2]), 6)
    0.693147
    """
    y_proba = _renamed(y_proba, y_pred)
    require_arrays("log_loss", y_true=y_true, y_proba=y_proba)
    require_flag("log_loss", "normalize", normalize)
    require_arrays_or_none("log_loss", sample_weight=sample_weight, labels=labels)
    p = _probabilities(y_proba)
    w = None
    try:
        check_lengths(p, y_true, sample_weight)
        w = weights_of_labels(sample_weight, len(p))
        targets = _targets(y_true, labels, p)
        return _mean_log_loss(targets, p, w, "mean" if normalize else "sum")
    except ValueError:
        _check_probabilities(p, w)
        raise


def _renamed(y_proba: Any, y_pred: Any) -> Any:
    """Return the probabilities, under whichever name they were given."""
    if isinstance(y_pred, str) and y_pred == _NOT_GIVEN:
        return y_proba
    if y_proba is not None:
        raise ValueError(
            "Cannot use both `y_pred` and `y_proba`. `y_pred` is deprecated, use `y_proba` instead."
        )
    warnings.warn(
        "`y_pred` was renamed to `y_proba` in version 1.9 and will be removed in 1.11. Use `y_proba`"
        " instead.",
        FutureWarning,
        stacklevel=3,
    )
    return y_pred


def _probabilities(y_proba: Any) -> Array:
    """Return probabilities as an array of floats."""
    p = numeric(y_proba)
    if p.dtype.kind != "f" or p.dtype.itemsize > 8:
        p = p.astype(np.float64)
    return p


def _check_probabilities(p: Array, w: Array | None, lower: str = "lower") -> None:
    """Raise the error of what is no probability, or of a weight that is not finite."""
    check_finite(p)
    if p.max() > 1:
        raise ValueError(f"y_prob contains values greater than 1: {p.max()}")
    if p.min() < 0:
        raise ValueError(f"y_prob contains values {lower} than 0: {p.min()}")
    if w is not None:
        check_finite(w, "sample_weight")


def _warn_not_probabilities() -> None:
    message = "The y_prob values do not sum to one. Make sure to pass probabilities."
    warnings.warn(message, UserWarning, stacklevel=2)


def _targets(y_true: Any, labels: Any, p: Array) -> _Targets:
    """Return the classes, and each sample's rank among them; as many as the probabilities have columns."""
    y = label_array(y_true)
    if is_indicator(y):
        targets = _Targets(y, np.arange(y.shape[1]))
    else:
        found = _encoded(y, y_true)
        targets = _Targets(found.codes, found.classes) if labels is None else _among(found, labels, y_true)
    n_classes, n_columns = len(targets.classes), p.shape[1] if p.shape[1:] not in ((), (1,)) else 2
    if n_classes == 1:
        if labels is None:
            raise ValueError(
                f"y_true contains only one label ({targets.classes[0]}). Please provide the list of all"
                " expected class labels explicitly through the labels argument."
            )
        raise ValueError(f"The labels array needs to contain at least two labels, got {targets.classes}.")
    if n_classes != n_columns:
        if labels is None:
            raise ValueError(
                f"y_true and y_prob contain different number of classes: {n_classes} vs {n_columns}. Please"
                " provide the true labels explicitly through the labels argument. Classes found in y_true:"
                f" {targets.classes}"
            )
        raise ValueError(
            "The number of classes in labels is different from that in y_prob. Classes found in labels:"
            f" {targets.classes}"
        )
    return targets


def _encoded(y: Array, y_true: Any) -> Labels:
    try:
        if y.ndim == 1 or y.shape[1] == 1:
            return encode(column(y))
    except NoLabels:
        pass
    if "multioutput" in target_type(y, "y"):
        raise ValueError("Multioutput target data is not supported with label binarization")
    raise ValueError(f"Unknown label type: {(y_true,)!r}")


def _among(found: Labels, labels: Any, y_true: Any) -> _Targets:
    """Return the ranks among the classes that are given."""
    given = label_array(labels)
    if given.size == 0:
        raise ValueError(f"y has 0 samples: {labels!r}")
    classes = _encoded(given, labels).classes
    if len(classes) != len(given):
        raise ValueError(f"labels has a class more than once: {labels}")
    if not np.array_equal(classes, given):
        warnings.warn(
            f"Labels passed were {labels}. But this function assumes labels are ordered lexicographically."
            f" Pass the ordered labels={classes.tolist()} and ensure that the columns of y_prob correspond"
            " to this ordering.",
            UserWarning,
            stacklevel=4,
        )
    codes = recode(found, classes)
    if codes is None:
        undeclared = set(y_true) - set(labels)
        raise ValueError(f"y_true contains values {undeclared} not belonging to the passed labels {labels}.")
    return _Targets(codes, classes)


def _mean_log_loss(targets: _Targets, p: Array, w: Array | None, reduction: str) -> float:
    is_half = p.dtype.kind == "f" and p.dtype.itemsize == 2
    if is_half and p.shape[1:] not in ((), (1,)):
        _check_rows(p)
    if is_half:  # computed in single precision, but clipped by their own epsilon
        _check_probabilities(p, w)
        p = np.clip(p, np.finfo(p.dtype).eps, 1 - np.finfo(p.dtype).eps)
    if p.shape[1:] in ((), (1,)):
        p = column(p)
        if targets.y.ndim == 1:
            return reduce(BinaryCrossEntropy(from_logits=False), targets.y, p, w, reduction)
        p = np.column_stack([1 - p, p])
    loss = (_RowsOfHalves if is_half else _RowsOfProbabilities)(from_logits=False)
    return reduce(loss, targets.y, p, w, reduction)


def _check_rows(p: Array) -> None:
    """Warn where a row does not sum to 1."""
    if any(_has_off_row(p[rows]) for rows in blocks(len(p), p.shape[1])):
        _warn_not_probabilities()


def _has_off_row(p: Array) -> bool:
    """Tell whether a row does not sum to 1 within the root of the machine epsilon."""
    sums = p @ np.ones(p.shape[1], p.dtype)
    return not (np.abs(sums - 1) <= math.sqrt(np.finfo(p.dtype).eps)).all()


def brier_score_loss(
    y_true: Any,
    y_proba: Any,
    *,
    sample_weight: Any = None,
    pos_label: Any = None,
    labels: Any = None,
    scale_by_half: Any = "auto",
) -> float:
    r"""Brier score: the mean of :math:`\sum_k (1\{y_i = k\} - p_{ik})^2`, for two classes half of it.

    Parameters
    ----------
    y_true : array_like of shape (n,) or (n, C)
        Labels: whole numbers, booleans or strings; or an indicator of several.
    y_proba : array_like of shape (n,) or (n, C)
        Probabilities of the positive class, or of each class in their sorted order.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    pos_label : int, float, bool or str, optional
        The positive class of probabilities of shape (n,). It is 1 where the labels are {0, 1} or {-1, 1},
        otherwise the larger number; strings need it.
    labels : array_like, optional
        The classes of probabilities of shape (n, C), where `y_true` lacks some.
    scale_by_half : bool or "auto", default "auto"
        Whether to take half of the sum, for values from 0 to 1; "auto" does for two classes.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As for :func:`log_loss`; for labels that are not binary and strings without a `pos_label`.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78
    (1950); scikit-learn, `sklearn.metrics.brier_score_loss`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.brier_score_loss([0, 1, 1, 0], [0.0, 1.0, 0.5, 0.5])
    0.125
    """
    require_arrays("brier_score_loss", y_true=y_true, y_proba=y_proba)
    require_arrays_or_none("brier_score_loss", sample_weight=sample_weight)
    if not (pos_label is None or isinstance(pos_label, (numbers.Real, str, np.bool_))):
        expected = (
            "an instance of 'float', an instance of 'str', an instance of 'bool' or an instance of"
            " 'numpy.bool' or None"
        )
        raise invalid("brier_score_loss", "pos_label", expected, pos_label)
    require_arrays_or_none("brier_score_loss", labels=labels)
    if not (is_flag(scale_by_half) or (isinstance(scale_by_half, str) and scale_by_half == "auto")):
        expected = "an instance of 'bool' or an instance of 'numpy.bool' or a str among {'auto'}"
        raise invalid("brier_score_loss", "scale_by_half", expected, scale_by_half)
    p = _probabilities(y_proba)
    is_binary = p.ndim == 1 or p.shape[1] == 1
    w = None
    try:
        check_lengths(p, y_true, sample_weight)
        w = weights_of_labels(sample_weight, len(p))
        if is_binary:
            score = 2 * _binary_squares(y_true, column(p), w, pos_label)
        else:
            score = _row_squares(_targets(y_true, labels, p), p, w)
    except ValueError:
        _check_probabilities(p, w, "less" if is_binary else "lower")
        raise
    halves = is_binary or p.shape[1] < 3 if isinstance(scale_by_half, str) else bool(scale_by_half)
    return score / 2 if halves else score


def _binary_squares(y_true: Any, p: Array, w: Array | None, pos_label: Any) -> float:
    _check_range(p)
    y = column(label_array(y_true))
    try:
        found = encode(y)
        kind = "multiclass" if len(found.classes) > 2 else "binary"
    except NoLabels:
        check_finite(y)
        kind = target_type(y, "y_true")
    if kind != "binary":
        raise ValueError(
            f"The type of the target inferred from y_true is {kind} but should be binary according to the"
            " shape of y_prob."
        )
    return reduce(SquaredError(), _is_positive(found, pos_label), p, w)


def _is_positive(found: Labels, pos_label: Any) -> Array:
    """Return 1 where a label is the positive class and 0 elsewhere."""
    classes = found.classes
    if pos_label is None:
        if classes.dtype.kind in "OU":
            listed = ", ".join(map(repr, classes.tolist()))
            raise ValueError(
                f"y_true takes value in {{{listed}}} and pos_label is not specified: either make y_true take"
                " value in {0, 1} or {-1, 1} or pass pos_label explicitly."
            )
        alone = classes.tolist() in ([0], [-1])
        positive = np.array([not alone] if len(classes) == 1 else [False, True])
    else:
        positive = np.asarray(classes == pos_label).reshape(-1)
        if len(positive) != len(classes):  # NumPy compares strings with a number as wholes
            positive = np.zeros(len(classes), dtype=bool)
    if positive.tolist() == [False, True]:
        return found.codes
    return pick(positive.astype(np.uint8), found.codes)


def _check_range(p: Array) -> None:
    """Raise an error unless all are probabilities."""
    # As integers the bits of positive floats are in the order of the floats, negative ones and NaN above 1.
    bits = np.dtype(f"u{p.dtype.itemsize}")
    if p.dtype.isnative and p.view(bits).max() <= np.ones((), p.dtype).view(bits):
        return
    if not (p.min() >= 0 and p.max() <= 1):
        raise ValueError("y_prob is outside [0, 1]")


def _row_squares(targets: _Targets, p: Array, w: Array | None) -> float:
    """Compute the mean over rows of the squared distances from the classes' indicators."""
    loss, total, is_off = SquaredError(), 0.0, False
    indicators = np.eye(p.shape[1], dtype=bool)
    for rows in blocks(len(p), p.shape[1]):
        y, part = targets.y[rows], p[rows]
        _check_range(part)
        is_off = is_off or _has_off_row(part)
        indicator = y if y.ndim == 2 else pick(indicators, y)
        total += reduce(loss, indicator, part, None if w is None else w[rows], "sum")
    if is_off:
        _warn_not_probabilities()
    return total / (len(p) if w is None else total_weight(w))


def d2_log_loss_score(
    y_true: Any,
    y_proba: Any = None,
    *,
    sample_weight: Any = None,
    labels: Any = None,
    y_pred: Any = _NOT_GIVEN,
) -> float:
    """Share of the log loss explained: 1 - log loss / log loss of the classes' weighted shares.

    Parameters and errors are those of :func:`log_loss`; a single sample gives NaN, with a warning.

    Returns
    -------
    float
        At most 1; 0 for a model that predicts the shares of the classes.

    References
    ----------
    scikit-learn, `sklearn.metrics.d2_log_loss_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.d2_log_loss_score([0, 1, 1, 1], [[0.25, 0.75]] * 4)
    0.0
    """
    y_proba = _renamed(y_proba, y_pred)
    require_arrays("d2_log_loss_score", y_true=y_true, y_proba=y_proba)
    require_arrays_or_none("d2_log_loss_score", sample_weight=sample_weight, labels=labels)
    check_lengths(y_proba, y_true, sample_weight)
    if n_samples(y_proba) < 2:
        warn_undefined("D^2 score is not well-defined with less than two samples.")
        return math.nan
    p = _probabilities(y_proba)
    w = None
    try:
        w = weights_of_labels(sample_weight, len(p))
        targets = _targets(y_true, labels, p)
        loss = _mean_log_loss(targets, p, w, "sum")
    except ValueError:
        _check_probabilities(p, w)
        raise
    return 1 - loss / _null_log_loss(targets, w)


def _null_log_loss(targets: _Targets, w: Array | None) -> float:
    """Compute the log loss of a model that gives every sample the classes' weighted shares."""
    if targets.y.ndim == 2:
        sums = targets.y.sum(axis=0) if w is None else w @ targets.y
    else:
        # bincount casts what fits into float64, which long doubles do not.
        counted = None if w is None else w.astype(np.float64, copy=False)
        sums = np.bincount(targets.y, weights=counted, minlength=len(targets.classes))
    total = len(targets.y) if w is None else total_weight(w)
    epsilon = np.finfo(np.float64).eps
    return -float(np.dot(sums, np.log(np.clip(sums / total, epsilon, 1 - epsilon))))
