"""Scores made of the confusion matrix, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np

from fastloss.metrics._arrays import Array, column
from fastloss.metrics._errors import (
    invalid,
    require_arrays,
    require_arrays_or_none,
    require_choice,
    require_flag,
    warn_undefined,
)
from fastloss.metrics._pairs import Pairs, read_targets
from fastloss.metrics._targets import label_array

__all__ = ["balanced_accuracy_score", "cohen_kappa_score", "confusion_matrix", "matthews_corrcoef"]

_NO_LABEL = "At least one label specified must be in y_true"
_ONE_LABEL = (
    "A single label was found in 'y_true' and 'y_pred'. For the confusion matrix to have the correct shape,"
    " use the 'labels' parameter to pass all known labels."
)


def confusion_matrix(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None, normalize: Any = None
) -> Array:
    """Count the samples of each class, the rows, by the class predicted for them, the columns.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)
        Labels: whole numbers, booleans or strings.
    labels : array_like of shape (C,), optional
        The classes in the order wanted, or some of them; otherwise all, sorted.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    normalize : {"true", "pred", "all"}, optional
        Divide by the sum of the row, of the column, or of all.

    Returns
    -------
    ndarray of shape (C, C)
        Of int64 where there are no weights or whole ones, otherwise of float64.

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, no samples, labels that are none or of two
        kinds, `labels` of which none occurs, weights that are not finite or all zero, what is no array.

    References
    ----------
    scikit-learn, `sklearn.metrics.confusion_matrix`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.confusion_matrix([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2])
    array([[2, 0, 0],
           [0, 0, 1],
           [1, 0, 2]])
    """
    require_arrays("confusion_matrix", y_true=y_true, y_pred=y_pred)
    require_arrays_or_none("confusion_matrix", labels=labels, sample_weight=sample_weight)
    require_choice("confusion_matrix", "normalize", normalize, ("true", "pred", "all"), or_none=True)
    table = _confusion(y_true, y_pred, labels, sample_weight)
    if normalize is not None:
        sums = {"true": table.sum(axis=1, keepdims=True), "pred": table.sum(axis=0, keepdims=True)}
        with np.errstate(all="ignore"):
            table = np.nan_to_num(table / sums.get(normalize, table.sum()))
    if table.shape == (1, 1):
        warnings.warn(_ONE_LABEL, UserWarning, stacklevel=2)
    return table


def _confusion(y_true: Any, y_pred: Any, labels: Any, sample_weight: Any) -> Array:
    given = _pairs(y_true, y_pred, sample_weight)
    if labels is None:
        return given.table()
    wanted = column(label_array(labels))
    if wanted.size == 0:
        raise ValueError("'labels' should contain at least one label.")
    if not set(wanted.tolist()) & set(given.true.classes.tolist()):
        raise ValueError(_NO_LABEL)
    return given.table(wanted)


def _pairs(y_true: Any, y_pred: Any, sample_weight: Any) -> Pairs:
    given = read_targets(y_true, y_pred, sample_weight)
    if not isinstance(given, Pairs):
        raise ValueError(f"{given.kind} is not supported")
    return given


def balanced_accuracy_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, adjusted: bool = False
) -> float:
    """Mean over the classes of the share of their samples that are predicted as such.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As for :func:`confusion_matrix`.
    adjusted : bool, default False
        Whether chance, :math:`1/C`, is to score 0; perfect prediction scores 1 in any case.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As for :func:`confusion_matrix`.

    References
    ----------
    K. H. Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR (2010);
    scikit-learn, `sklearn.metrics.balanced_accuracy_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.balanced_accuracy_score([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1])
    0.625
    """
    require_arrays("balanced_accuracy_score", y_true=y_true, y_pred=y_pred)
    require_arrays_or_none("balanced_accuracy_score", sample_weight=sample_weight)
    require_flag("balanced_accuracy_score", "adjusted", adjusted)
    table = _confusion(y_true, y_pred, None, sample_weight)
    if table.shape == (1, 1):
        warnings.warn(_ONE_LABEL, UserWarning, stacklevel=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.diagonal(table) / table.sum(axis=1)
        if np.isnan(shares).any():
            warnings.warn("y_pred contains classes not in y_true", stacklevel=2)
            shares = shares[~np.isnan(shares)]
        score = np.mean(shares)
        if adjusted:
            chance = 1 / len(shares)
            score = np.divide(score - chance, 1 - chance)
    return float(score)


def matthews_corrcoef(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Matthews' correlation coefficient of true and predicted classes, from -1 to 1; of several, Gorodkin's.

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As for :func:`confusion_matrix`.

    Returns
    -------
    float
        0 where one of the two has a single class.

    Raises
    ------
    ValueError, TypeError
        As for :func:`confusion_matrix`.

    References
    ----------
    J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", Computational
    Biology and Chemistry 28 (2004); scikit-learn, `sklearn.metrics.matthews_corrcoef`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.matthews_corrcoef([0, 0, 1, 1], [0, 0, 1, 1])
    1.0
    """
    require_arrays("matthews_corrcoef", y_true=y_true, y_pred=y_pred)
    require_arrays_or_none("matthews_corrcoef", sample_weight=sample_weight)
    table = _confusion(y_true, y_pred, None, sample_weight)
    if table.shape == (1, 1):
        warnings.warn(_ONE_LABEL, UserWarning, stacklevel=2)
    true, predicted = table.sum(axis=1, dtype=np.float64), table.sum(axis=0, dtype=np.float64)
    total = predicted.sum()
    hits = np.trace(table, dtype=np.float64)
    variances = (total**2 - predicted @ predicted) * (total**2 - true @ true)
    if variances == 0:
        return 0.0
    return float((hits * total - true @ predicted) / np.sqrt(variances))


def cohen_kappa_score(
    y1: Any,
    y2: Any,
    *,
    labels: Any = None,
    weights: Any = None,
    sample_weight: Any = None,
    replace_undefined_by: float = math.nan,
) -> float:
    r"""Cohen's kappa, :math:`(p_o - p_e)/(1 - p_e)`: agreement of two raters beyond that by chance.

    Parameters
    ----------
    y1, y2, labels, sample_weight
        As `y_true`, `y_pred`, `labels` and `sample_weight` of :func:`confusion_matrix`.
    weights : {"linear", "quadratic"}, optional
        Count a disagreement by the distance of the classes' ranks, or by its square.
    replace_undefined_by : float, default NaN
        The result, with a warning, where kappa is not defined: a number from -1 to 1, or NaN.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As for :func:`confusion_matrix`.

    References
    ----------
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
    (1960); scikit-learn, `sklearn.metrics.cohen_kappa_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.cohen_kappa_score([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    require_arrays("cohen_kappa_score", y1=y1, y2=y2)
    require_arrays_or_none("cohen_kappa_score", labels=labels)
    require_choice("cohen_kappa_score", "weights", weights, ("linear", "quadratic"), or_none=True)
    require_arrays_or_none("cohen_kappa_score", sample_weight=sample_weight)
    value = replace_undefined_by
    if not (isinstance(value, numbers.Real) and (math.isnan(value) or -1 <= value <= 1)):
        raise invalid(
            "cohen_kappa_score", "replace_undefined_by", "a float in the range [-1.0, 1.0] or nan", value
        )
    try:
        table = _confusion(y1, y2, labels, sample_weight).astype(np.float64)
    except ValueError as error:
        if str(error) != _NO_LABEL:
            raise
        raise ValueError(
            "At least one label in `labels` must be present in `y1` (even though `cohen_kappa_score` is"
            " otherwise agnostic to the order of `y1` and `y2`)."
        ) from error
    if table.shape == (1, 1):
        warnings.warn(_ONE_LABEL, UserWarning, stacklevel=2)
    set_to = (
        "`cohen_kappa_score` is undefined and set to the value defined by the `replace_undefined_by` param,"
        f" which is set to {value}."
    )
    of_columns, of_rows = table.sum(axis=0), table.sum(axis=1)
    if of_columns.sum() == 0:
        warn_undefined(f"`y2` contains no labels that are present in both `y1` and `labels`.{set_to}")
        return value
    expected = np.outer(of_columns, of_rows) / of_columns.sum()
    rank = np.arange(len(table), dtype=np.float64)
    distance = np.abs(rank[:, None] - rank)
    cost = distance != 0 if weights is None else distance if weights == "linear" else distance**2
    by_chance = np.sum(cost * expected)
    if by_chance == 0:
        warn_undefined(f"`y1`, `y2` and `labels` have only one label in common. {set_to}")
        return value
    return float(1 - np.sum(cost * table) / by_chance)
