"""Shares of the variance explained, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastloss.metrics._arrays import Array
from fastloss.metrics._errors import require_flag, warn_undefined
from fastloss.metrics._outputs import Outputs, mean_by_output, outputs
from fastloss.regression import SquaredError

__all__ = ["explained_variance_score", "r2_score"]

_AVERAGES = ("raw_values", "uniform_average", "variance_weighted")


def r2_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    r"""Coefficient of determination, :math:`1 - \sum w(y - \hat y)^2 / \sum w(y - \bar y)^2`.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k)
        Targets and predictions, any finite numbers.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    multioutput : {"raw_values", "uniform_average", "variance_weighted"}, array_like of shape (k,) or None
        The scores of the k outputs as an array, their mean, or their mean weighted by the outputs' variances
        or with these weights; None is "uniform_average", the default.
    force_finite : bool, default True
        Of constant targets: score 1 where they are predicted perfectly, otherwise 0; False gives NaN and
        minus infinity.

    Returns
    -------
    float or ndarray of shape (k,)
        At most 1; 0 for a model that predicts the mean. NaN, with a warning, for a single sample.

    Raises
    ------
    ValueError, TypeError
        As for :func:`mean_squared_error`.

    References
    ----------
    scikit-learn, `sklearn.metrics.r2_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    how = "uniform_average" if multioutput is None else multioutput
    require_flag("r2_score", "force_finite", force_finite)
    given = outputs("r2_score", y_true, y_pred, sample_weight, how, averages=_AVERAGES)
    if len(given.y_pred) < 2:
        given.check_values()
        warn_undefined("R^2 score is not well-defined with less than two samples.")
        return math.nan
    errors = mean_by_output(SquaredError(), given.residuals())
    return _explained(given, errors, _variances(given, given.shifted_targets()), force_finite)


def explained_variance_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    multioutput: Any = "uniform_average",
    force_finite: bool = True,
) -> Any:
    r"""Share of the variance explained, :math:`1 - \mathrm{Var}(y - \hat y)/\mathrm{Var}(y)`.

    Parameters, result and errors are those of :func:`r2_score`; an error that is the same for all samples
    costs nothing here, and a single sample scores as many do.

    References
    ----------
    scikit-learn, `sklearn.metrics.explained_variance_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.explained_variance_score([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    1.0
    """
    require_flag("explained_variance_score", "force_finite", force_finite)
    given = outputs(
        "explained_variance_score", y_true, y_pred, sample_weight, multioutput, averages=_AVERAGES
    )
    exact = given.residuals()
    residuals = np.subtract(exact.y_true, exact.y_pred, dtype=np.float64, order="C")
    errors = _variances(given, residuals)
    return _explained(given, errors, _variances(given, given.shifted_targets()), force_finite)


def _variances(given: Outputs, values: Array) -> Array:
    """Return the weighted variance of each output, 0 of constants whatever their mean's rounding."""
    values = values.astype(np.float64, order="C", copy=False)
    w = None if given.sample_weight is None else given.sample_weight.astype(np.float64, copy=False)
    with np.errstate(invalid="ignore", over="ignore"):
        means = np.asarray(np.average(values, axis=0, weights=w))
    if not np.isfinite(means).all():
        given.check_values()
    centres = np.broadcast_to(means, values.shape)
    variances = mean_by_output(SquaredError(), given._replace(y_true=values, y_pred=centres))
    doubtful = variances <= 1e-28 * np.square(means)
    if doubtful.any():
        variances[doubtful & (values == values[0]).all(axis=0)] = 0
    return variances


def _explained(given: Outputs, errors: Array, variances: Array, force_finite: bool) -> Any:
    """Return 1 - errors/variances, averaged as wanted."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = 1 - errors / variances
    if force_finite:
        scores = np.where(errors == 0, 1.0, np.where(variances == 0, 0.0, scores))
    if given.how == "variance_weighted":
        weights = variances if variances.any() else None
        return float(np.average(scores, weights=weights))
    return given.averaged(scores)
