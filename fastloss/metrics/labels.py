"""Losses of class labels and of decision values, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from fastloss.binary import Hinge
from fastloss.metrics._arrays import (
    Array,
    blocks,
    check_finite,
    check_lengths,
    column,
    numeric_as_given,
    reduce,
    total_weight,
    weights_of_average,
    weights_of_labels,
)
from fastloss.metrics._errors import (
    is_sparse,
    require_arrays,
    require_arrays_or_none,
    require_arrays_or_sparse,
    require_flag,
)
from fastloss.metrics._pairs import check_target_types, differing_widths, sparse_indicators
from fastloss.metrics._strings import different_strings
from fastloss.metrics._targets import (
    Labels,
    NoLabels,
    are_strings,
    encode,
    label_array,
    recode,
    target_type,
    whole_numbers,
)
from fastloss.multiclass import MulticlassHinge

__all__ = ["accuracy_score", "hinge_loss", "zero_one_loss"]


def zero_one_loss(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """Share, or weight, of the samples whose predicted label is wrong.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k), or sparse matrix of shape (n, k)
        Labels: whole numbers, booleans or strings; or multilabel indicators, of which a row is wrong if one
        of its labels is.
    normalize : bool, default True
        False gives the sum of the weights of the wrong samples instead of their share.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, no samples, labels that are none or of two
        kinds, weights that are not finite or all zero, what is no array.

    See Also
    --------
    fastloss.ZeroOne : the loss of numbers.

    References
    ----------
    scikit-learn, `sklearn.metrics.zero_one_loss`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.zero_one_loss(["cat", "dog", "dog", "cat"], ["cat", "dog", "cat", "cat"])
    0.25
    """
    return _share("zero_one_loss", y_true, y_pred, sample_weight, normalize, of_hits=False)


def accuracy_score(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """Share, or weight, of the samples whose predicted label is right.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k), or sparse matrix of shape (n, k)
        Labels: whole numbers, booleans or strings; or multilabel indicators, of which a row is right if all
        of its labels are.
    normalize : bool, default True
        False gives the sum of the weights of the right samples instead of their share.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As for :func:`zero_one_loss`.

    References
    ----------
    scikit-learn, `sklearn.metrics.accuracy_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.accuracy_score(["cat", "dog", "dog", "cat"], ["cat", "dog", "cat", "cat"])
    0.75
    """
    return _share("accuracy_score", y_true, y_pred, sample_weight, normalize, of_hits=True)


def _share(
    function: str, y_true: Any, y_pred: Any, sample_weight: Any, normalize: bool, *, of_hits: bool
) -> float:
    """Return the share, or the weight, of the samples that are right, or of those that are wrong."""
    require_arrays_or_sparse(function, y_true=y_true, y_pred=y_pred)
    require_flag(function, "normalize", normalize)
    require_arrays_or_none(function, sample_weight=sample_weight)
    check_lengths(y_true, y_pred, sample_weight)
    if is_sparse(y_true) or is_sparse(y_pred):
        wrong = _different_sparse_rows(y_true, y_pred)
        return _weight_of(wrong != of_hits, weights_of_labels(sample_weight, len(wrong)), normalize)
    different = None if type(y_true) is np.ndarray else _different_pandas_strings(y_true, y_pred)
    if different is not None:
        return _weight_of(different != of_hits, weights_of_labels(sample_weight, len(different)), normalize)
    y, z = label_array(y_true), label_array(y_pred)
    if len(y) == 0:
        raise ValueError(
            "Found empty input array (e.g., `y_true` or `y_pred`) while a minimum of 1 sample is required."
        )
    if not _are_comparable(y, z):
        check_target_types(y_true, y_pred)
    if y.ndim == 2 and y.shape[1] > 1:
        if y.shape != z.shape:
            raise differing_widths()
        wrong = (y != z).any(axis=1)
        return _weight_of(wrong != of_hits, weights_of_labels(sample_weight, len(y)), normalize)
    y, z, w = column(y), column(z), weights_of_labels(sample_weight, len(y))
    total = float(len(y)) if w is None else total_weight(w)
    weight = sum(_weight_of_block(y[rows], z[rows], w, rows, of_hits) for rows in blocks(len(y)))
    return weight / total if normalize else float(weight)


def _are_comparable(y: Array, z: Array) -> bool:
    """Tell whether both are one column of labels of one kind, which may be compared without more ado."""
    for a in (y, z):
        if not (a.ndim == 1 or a.shape[1] == 1):
            return False
        if a.dtype.kind == "f" and whole_numbers(a.reshape(-1)) is None:
            return False
    if y.dtype.kind in "iubf" and z.dtype.kind in "iubf":
        return True
    return are_strings(y) and are_strings(z)


def _different_pandas_strings(y_true: Any, y_pred: Any) -> Array | None:
    """Tell which of pandas' own strings differ, without making Python's of them; None of anything else."""
    arrays: list[Any] = [getattr(y, "array", None) for y in (y_true, y_pred)]
    if not all(
        hasattr(getattr(array, "dtype", None), "storage") and array.dtype.type is str for array in arrays
    ):
        return None
    y, z = arrays
    if y.dtype != z.dtype or len(y) == 0 or y.isna().any() or z.isna().any():
        return None
    return np.asarray(y != z, dtype=bool)


def _weight_of_block(y: Array, z: Array, w: Array | None, rows: slice, of_hits: bool) -> float:
    are_strings = y.dtype.kind == z.dtype.kind == "U" and y.dtype.byteorder == z.dtype.byteorder
    wrong = different_strings(y, z) if are_strings else y != z
    if w is None:
        n = np.count_nonzero(wrong)
        return float(len(y) - n if of_hits else n)
    return float(np.dot(w[rows].astype(np.float64), wrong != of_hits))


def _weight_of(counted: Array, w: Array | None, normalize: bool) -> float:
    total = float(len(counted)) if w is None else total_weight(w)
    weight = float(np.count_nonzero(counted) if w is None else np.dot(w.astype(np.float64), counted))
    return weight / total if normalize else weight


def _different_sparse_rows(y_true: Any, y_pred: Any) -> Array:
    """Tell which rows of two indicators differ, of which at least one is a sparse matrix."""
    a, b = sparse_indicators(y_true, y_pred)
    difference = a - b
    difference.eliminate_zeros()
    return np.asarray(np.diff(difference.indptr) > 0)


def hinge_loss(y_true: Any, pred_decision: Any, *, labels: Any = None, sample_weight: Any = None) -> float:
    r"""Mean hinge loss, of two classes :math:`[1 - m]_+` with the margin :math:`m = \pm z`, or of several.

    Of several classes it is Crammer and Singer's :math:`[1 + \max_{j\ne y} z_j - z_y]_+`. The larger of two
    labels is the positive class.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels: whole numbers, booleans or strings.
    pred_decision : array_like of shape (n,) or (n, C)
        Decision values; the columns are the classes in their sorted order.
    labels : array_like, optional
        The C classes, where `y_true` lacks some.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes and classes that do not fit, NaN, infinity, no samples,
        what is no array.

    See Also
    --------
    fastloss.Hinge, fastloss.MulticlassHinge : the losses, with their gradients.

    References
    ----------
    K. Crammer and Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector machines",
    JMLR 2 (2001); scikit-learn, `sklearn.metrics.hinge_loss`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.hinge_loss([-1, 1, 1], [-2.0, 0.25, 3.0])
    0.25
    """
    require_arrays("hinge_loss", y_true=y_true, pred_decision=pred_decision)
    require_arrays_or_none("hinge_loss", labels=labels, sample_weight=sample_weight)
    check_lengths(y_true, pred_decision, sample_weight)
    z, y = _decisions(pred_decision), column(label_array(y_true))
    w = weights_of_average(sample_weight)
    try:
        found = encode(y)
    except NoLabels:
        check_finite(z)
        target_type(y, "y")
        raise ValueError(f"Unknown label type: ({y!r},)") from None
    classes = found.classes if labels is None else np.unique(np.asarray(labels))
    if w is not None:
        total_weight(w)
    try:
        return _hinge(found, classes, z, w, labels is not None)
    except ValueError:
        check_finite(z)
        raise


def _decisions(pred_decision: Any) -> Array:
    """Return decision values as an array of numbers."""
    z = numeric_as_given(pred_decision)
    if z.dtype == object:
        check_finite(z)
    are_numbers = z.dtype != object or all(isinstance(decision, numbers.Number) for decision in z.flat)
    if z.dtype.kind in "mM" or not are_numbers:
        raise TypeError("pred_decision should be an array of floats.")
    return z.astype(np.float64) if z.dtype == object else z


def _hinge(found: Labels, classes: Array, z: Array, w: Array | None, are_given: bool) -> float:
    # A margin of plus infinity has no loss: the result does not show it.
    if len(classes) <= 2:
        check_finite(z)
        # Two classes are told by the labels themselves, whatever `labels` says; a single one is negative,
        # and of more than `labels` has the first is positive.
        n_found = len(found.classes)
        codes = found.codes if n_found == 2 else (found.codes == 0) & (n_found > 2)
        return reduce(Hinge(), codes, column(z), w)
    shape = f"(n_samples, n_classes), that is ({len(z)}, {len(classes)}). Got: {z.shape}"
    if z.ndim == 1:
        raise ValueError(
            "The shape of pred_decision cannot be 1d arraywith a multiclass target. pred_decision shape must"
            f" be {shape}"
        )
    if z.shape[1] != len(classes):
        if not are_given:
            raise ValueError("Please include all labels in y_true or pass labels as third argument")
        raise ValueError(
            "The shape of pred_decision is not consistent with the number of classes. With a multiclass"
            f" target, pred_decision shape must be {shape}"
        )
    codes = recode(found, classes)
    if codes is None:
        known = set(classes.tolist())
        unseen = [label for label in found.classes if label not in known]
        raise ValueError(f"y contains previously unseen labels: {unseen}")
    loss, total = MulticlassHinge(), 0.0
    for rows in blocks(len(z), len(classes)):
        check_finite(z[rows])
        total += reduce(loss, codes[rows], z[rows], None if w is None else w[rows], "sum")
    return total / (len(z) if w is None else total_weight(w))
