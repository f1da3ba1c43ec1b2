"""Errors of numbers predicted for numbers, with the names and results of scikit-learn's metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss._loss import PointwiseLoss, number
from fastloss.metrics._arrays import blocks, numeric_as_given
from fastloss.metrics._errors import invalid
from fastloss.metrics._integers import absolute_errors
from fastloss.metrics._outputs import Outputs, float_of, mean_by_output, mean_loss, outputs
from fastloss.metrics._percentile import weighted_quantile
from fastloss.regression import AbsoluteError, AbsolutePercentageError, SquaredError, SquaredLogError

__all__ = [
    "max_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_pinball_loss",
    "mean_squared_error",
    "mean_squared_log_error",
    "median_absolute_error",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
]


def mean_absolute_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    r"""Mean absolute error, :math:`\frac{1}{\sum w}\sum_i w_i |y_i - \hat y_i|`.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, k)
        Targets and predictions, any finite numbers.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    multioutput : {"raw_values", "uniform_average"} or array_like of shape (k,), default "uniform_average"
        The errors of the k outputs as an array, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (k,)

    Raises
    ------
    ValueError, TypeError
        With the words of scikit-learn: for shapes that do not fit, NaN, infinity, no samples, weights that
        are all zero, what is no array.

    See Also
    --------
    fastloss.AbsoluteError : the loss, with its gradient.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_absolute_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.mean_absolute_error([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0])
    0.5
    """
    given = outputs("mean_absolute_error", y_true, y_pred, sample_weight, multioutput)
    return mean_loss(AbsoluteError(), given.residuals())


def mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    r"""Mean squared error, :math:`\frac{1}{\sum w}\sum_i w_i (y_i - \hat y_i)^2`.

    Parameters, result and errors are those of :func:`mean_absolute_error`.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_squared_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> y_true, y_pred = [[0.0, 1.0], [2.0, 3.0]], [[0.0, 2.0], [2.0, 6.0]]
    >>> metrics.mean_squared_error(y_true, y_pred, multioutput="raw_values")
    array([0., 5.])
    """
    given = outputs("mean_squared_error", y_true, y_pred, sample_weight, multioutput)
    return mean_loss(SquaredError(), given.residuals())


def root_mean_squared_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Square root of the mean squared error; of several outputs, the average of their roots.

    Parameters, result and errors are those of :func:`mean_absolute_error`.

    References
    ----------
    scikit-learn, `sklearn.metrics.root_mean_squared_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.root_mean_squared_error([0.0, 0.0], [3.0, 3.0])
    3.0
    """
    given = outputs("root_mean_squared_error", y_true, y_pred, sample_weight, multioutput)
    return _root_of_mean(SquaredError(), given.residuals())


def mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    r"""Mean squared logarithmic error, the mean of :math:`(\log(1 + \hat y) - \log(1 + y))^2`.

    Parameters, result and errors are those of :func:`mean_absolute_error`; targets and predictions are
    greater than -1.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_squared_log_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.mean_squared_log_error([0.0, 1.0], [0.0, 1.0])
    0.0
    """
    given = outputs("mean_squared_log_error", y_true, y_pred, sample_weight, multioutput)
    try:
        return mean_loss(SquaredLogError(), given)
    except ValueError:
        given.check_values()
        _check_above_minus_one("Mean", given)
        raise


def root_mean_squared_log_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Square root of the mean squared logarithmic error; of several outputs, the average of their roots.

    Parameters, result and errors are those of :func:`mean_absolute_error`; targets and predictions are
    greater than -1.

    References
    ----------
    scikit-learn, `sklearn.metrics.root_mean_squared_log_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.root_mean_squared_log_error([0.0, 1.0], [0.0, 1.0])
    0.0
    """
    given = outputs("root_mean_squared_log_error", y_true, y_pred, sample_weight, multioutput)
    try:
        return _root_of_mean(SquaredLogError(), given)
    except ValueError:
        given.check_values()
        _check_above_minus_one("Root Mean", given)
        raise


def _root_of_mean(loss: PointwiseLoss, given: Outputs) -> Any:
    return given.averaged(np.sqrt(mean_by_output(loss, given)))


def _check_above_minus_one(mean: str, given: Outputs) -> None:
    if min(given.y_true.min(), given.y_pred.min()) <= -1:
        raise ValueError(
            f"{mean} Squared Logarithmic Error cannot be used when targets contain values less than or equal"
            " to -1."
        ) from None


def mean_absolute_percentage_error(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    r"""Mean absolute percentage error, the mean of :math:`|y - \hat y| / \max(|y|, \epsilon)`: a share.

    :math:`\epsilon = 2^{-52}`. Parameters, result and errors are those of :func:`mean_absolute_error`.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_absolute_percentage_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.mean_absolute_percentage_error([4.0, 2.0], [5.0, 2.0])
    0.125
    """
    given = outputs("mean_absolute_percentage_error", y_true, y_pred, sample_weight, multioutput)
    exact = given.residuals()
    if exact is given:
        return mean_loss(AbsolutePercentageError(), given)
    shares = exact.y_pred / np.maximum(np.abs(given.y_true.astype(np.float64)), np.finfo(np.float64).eps)
    return mean_loss(AbsoluteError(), exact._replace(y_pred=shares))


def pinball(function: str, alpha: Any) -> PointwiseLoss:
    """Make the pinball loss of a quantile level, whose ends 0 and 1 are admitted here."""
    try:
        level = number("alpha", alpha)
    except TypeError:
        level = -1.0
    if not 0 <= level <= 1:
        raise invalid(function, "alpha", "a float in the range [0.0, 1.0]", alpha)
    return PointwiseLoss("quantile", (level,))


def mean_pinball_loss(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    r"""Mean pinball loss, the mean of :math:`\alpha[y - \hat y]_+ + (1 - \alpha)[\hat y - y]_+`.

    Parameters
    ----------
    y_true, y_pred, sample_weight, multioutput
        As for :func:`mean_absolute_error`.
    alpha : float, default 0.5
        The quantile level, between 0 and 1.

    Returns
    -------
    float or ndarray of shape (k,)

    Raises
    ------
    ValueError, TypeError
        As for :func:`mean_absolute_error`, and if `alpha` is not in [0, 1].

    See Also
    --------
    fastloss.Quantile : the loss, with its gradient.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_pinball_loss`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.mean_pinball_loss([2.0, 2.0], [0.0, 4.0], alpha=0.75)
    1.0
    """
    loss = pinball("mean_pinball_loss", alpha)
    given = outputs("mean_pinball_loss", y_true, y_pred, sample_weight, multioutput)
    return mean_loss(loss, given.residuals())


def median_absolute_error(
    y_true: Any, y_pred: Any, *, multioutput: Any = "uniform_average", sample_weight: Any = None
) -> Any:
    """Median of the absolute errors, weighted where there are weights.

    Parameters, result and errors are those of :func:`mean_absolute_error`.

    References
    ----------
    scikit-learn, `sklearn.metrics.median_absolute_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.median_absolute_error([0.0, 0.0, 0.0], [1.0, -2.0, 90.0])
    2.0
    """
    given = outputs(
        "median_absolute_error", y_true, y_pred, sample_weight, multioutput, read=numeric_as_given
    )
    given.check_values()
    dtype = float_of(given.y_true, given.y_pred)
    distances = absolute_errors(given.y_true, given.y_pred, dtype).astype(dtype, copy=False)
    distances = distances.reshape(len(distances), -1)
    if given.sample_weight is None:
        return given.averaged(np.median(distances, axis=0))
    return given.averaged(weighted_quantile(distances, given.sample_weight, 0.5))


def max_error(y_true: Any, y_pred: Any) -> float:
    """Largest absolute error.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)
        Targets and predictions, any finite numbers.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As for :func:`mean_absolute_error`, and for several outputs.

    References
    ----------
    scikit-learn, `sklearn.metrics.max_error`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.max_error([3.0, 2.0, 7.0, 1.0], [4.0, 2.0, 7.0, 1.0])
    1.0
    """
    given = outputs("max_error", y_true, y_pred, None, read=numeric_as_given)
    if given.n_outputs > 1:
        given.check_values()
        raise ValueError("Multioutput not supported in max_error")
    y, z, dtype = given.y_true, given.y_pred, float_of(given.y_true, given.y_pred)
    if object in (y.dtype, z.dtype):
        given.check_values()  # of NaN and a number either may be the larger
    largest = [absolute_errors(y[rows], z[rows], dtype).max() for rows in blocks(len(y))]
    result = float(np.max(largest))
    if not np.isfinite(result):
        given.check_values()
    return result
