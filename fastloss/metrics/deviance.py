"""Mean Tweedie deviances, and the shares of deviance explained, as scikit-learn's metrics define them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastloss._loss import PointwiseLoss, number
from fastloss.metrics._arrays import Array, reduce
from fastloss.metrics._errors import invalid, warn_undefined
from fastloss.metrics._outputs import Outputs, mean_by_output, outputs
from fastloss.metrics._percentile import weighted_quantile
from fastloss.metrics.regression import pinball

__all__ = [
    "d2_absolute_error_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "mean_gamma_deviance",
    "mean_poisson_deviance",
    "mean_tweedie_deviance",
]

_TOO_FEW = "D^2 score is not well-defined with less than two samples."


class HalfDeviance(PointwiseLoss):
    """Half the unit deviance of a mean; its gradient is by the mean."""

    family = "regression"
    power: float

    def __init__(self, power: float) -> None:
        named = {0.0: "half_squared_error", 1.0: "half_poisson_deviance", 2.0: "half_gamma_deviance"}
        kernel = named.get(power, "half_tweedie_deviance")
        super().__init__(kernel, () if power in named else (power,), power=power)


def _power(function: str, power: Any) -> float:
    try:
        p = number("power", power)
    except TypeError:
        p = 0.5
    if -math.inf < p <= 0 or 1 <= p < math.inf:
        return p
    expected = "a float in the range (-inf, 0.0] or a float in the range [1.0, inf)"
    raise invalid(function, "power", expected, power)


def _single_output(function: str, y_true: Any, y_pred: Any, sample_weight: Any) -> Outputs:
    given = outputs(function, y_true, y_pred, sample_weight)
    if given.n_outputs > 1:
        given.check_values()
        raise ValueError(f"Multioutput not supported in {function}")
    return given


def _mean_deviance(given: Outputs, power: float) -> float:
    """Twice the mean of the half deviances, whose domains are checked first."""
    least_target, least_mean = float(given.y_true.min()), float(given.y_pred.min())
    if not math.isfinite(least_target + least_mean + float(given.y_true.max()) + float(given.y_pred.max())):
        given.check_values()
    message = f"Mean Tweedie deviance error with power={power:g} can only be used on "
    if power < 0 and least_mean <= 0:
        raise ValueError(message + "strictly positive y_pred.")
    if 1 <= power < 2 and (least_target < 0 or least_mean <= 0):
        raise ValueError(message + "non-negative y and strictly positive y_pred.")
    if power >= 2 and (least_target <= 0 or least_mean <= 0):
        raise ValueError(message + "strictly positive y and y_pred.")
    if power == 0:
        given = given.residuals()
    return 2 * reduce(HalfDeviance(power), given.y_true, given.y_pred, given.sample_weight)


def mean_tweedie_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0) -> float:
    r"""Mean Tweedie deviance of targets :math:`y` from means :math:`\mu`.

    The unit deviance is :math:`2\left(\frac{\max(y,0)^{2-p}}{(1-p)(2-p)} - \frac{y\mu^{1-p}}{1-p} +
    \frac{\mu^{2-p}}{2-p}\right)`; for :math:`p = 0` it is :math:`(y-\mu)^2`, for 1
    :math:`2(y\log(y/\mu) - y + \mu)`, for 2 :math:`2(\log(\mu/y) + y/\mu - 1)`.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Targets: any numbers for ``power <= 0``, at least 0 for ``1 <= power < 2``, greater than 0 beyond.
    y_pred : array_like of shape (n,)
        Means, greater than 0 unless `power` is 0.
    sample_weight : array_like of shape (n,), optional
        Weights, not all zero.
    power : float, default 0
        :math:`p`, at most 0 or at least 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As for :func:`mean_absolute_error`; for several outputs, for numbers outside the domains above, and
        for a `power` between 0 and 1.

    References
    ----------
    B. Jørgensen, "Exponential dispersion models", J. R. Statist. Soc. B 49 (1987); scikit-learn,
    `sklearn.metrics.mean_tweedie_deviance`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.mean_tweedie_deviance([2.0, 0.0], [1.0, 1.0], power=0)
    1.0
    """
    p = _power("mean_tweedie_deviance", power)
    return _mean_deviance(_single_output("mean_tweedie_deviance", y_true, y_pred, sample_weight), p)


def mean_poisson_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Mean Poisson deviance, the mean of :math:`2(y\log(y/\mu) - y + \mu)`.

    Parameters, result and errors are those of :func:`mean_tweedie_deviance` with ``power=1``.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_poisson_deviance`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.mean_poisson_deviance([0.0, 1.0], [0.5, 1.0])
    0.5
    """
    return _mean_deviance(_single_output("mean_poisson_deviance", y_true, y_pred, sample_weight), 1)


def mean_gamma_deviance(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    r"""Mean gamma deviance, the mean of :math:`2(\log(\mu/y) + y/\mu - 1)`.

    Parameters, result and errors are those of :func:`mean_tweedie_deviance` with ``power=2``.

    References
    ----------
    scikit-learn, `sklearn.metrics.mean_gamma_deviance`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> round(metrics.mean_gamma_deviance([1.0, 1.0], [1.0, 2.0]), 6)
    0.193147
    """
    return _mean_deviance(_single_output("mean_gamma_deviance", y_true, y_pred, sample_weight), 2)


def d2_tweedie_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None, power: float = 0) -> float:
    """Share of the Tweedie deviance explained: 1 - deviance / deviance of the weighted mean of the targets.

    Parameters and errors are those of :func:`mean_tweedie_deviance`; a single sample gives NaN, with a
    warning.

    Returns
    -------
    float
        At most 1; 0 for a model that predicts the mean.

    References
    ----------
    T. Hastie, R. Tibshirani and M. Wainwright, "Statistical Learning with Sparsity" (2015), eq. 3.11;
    scikit-learn, `sklearn.metrics.d2_tweedie_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.d2_tweedie_score([1.0, 3.0], [1.0, 2.0])
    0.5
    """
    p = _power("d2_tweedie_score", power)
    given = _single_output("d2_tweedie_score", y_true, y_pred, sample_weight)
    if len(given.y_pred) < 2:
        given.check_values()
        warn_undefined(_TOO_FEW)
        return math.nan
    deviance = _mean_deviance(given, p)
    targets = given.shifted_targets() if p == 0 else given.y_true
    mean = np.average(targets, weights=given.sample_weight)
    constant = np.broadcast_to(np.float64(mean), targets.shape)
    return 1 - deviance / (2 * reduce(HalfDeviance(p), targets, constant, given.sample_weight))


def d2_pinball_score(
    y_true: Any,
    y_pred: Any,
    *,
    sample_weight: Any = None,
    alpha: float = 0.5,
    multioutput: Any = "uniform_average",
) -> Any:
    r"""Share of the pinball loss explained: 1 - loss / loss of the targets' :math:`\alpha`-quantile.

    An output whose targets are constant scores 1 where it is predicted perfectly, otherwise 0.

    Parameters
    ----------
    y_true, y_pred, sample_weight, alpha, multioutput
        As for :func:`mean_pinball_loss`.

    Returns
    -------
    float or ndarray of shape (k,)
        At most 1; NaN, with a warning, for a single sample.

    Raises
    ------
    ValueError, TypeError
        As for :func:`mean_pinball_loss`.

    References
    ----------
    R. Koenker and J. A. F. Machado, "Goodness of Fit and Related Inference Processes for Quantile
    Regression", JASA 94 (1999), eq. 7; scikit-learn, `sklearn.metrics.d2_pinball_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.d2_pinball_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    return _d2_pinball("d2_pinball_score", y_true, y_pred, sample_weight, alpha, multioutput)


def d2_absolute_error_score(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, multioutput: Any = "uniform_average"
) -> Any:
    """Share of the absolute error explained: 1 - error / error of the targets' median.

    Parameters, result and errors are those of :func:`d2_pinball_score` with ``alpha=0.5``.

    References
    ----------
    scikit-learn, `sklearn.metrics.d2_absolute_error_score`.

    Examples
    --------
    >>> from fastloss import metrics
    >>> metrics.d2_absolute_error_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    return _d2_pinball("d2_absolute_error_score", y_true, y_pred, sample_weight, 0.5, multioutput)


def _d2_pinball(
    function: str, y_true: Any, y_pred: Any, sample_weight: Any, alpha: float, multioutput: Any
) -> Any:
    loss = pinball(function, alpha)
    given = outputs(function, y_true, y_pred, sample_weight, multioutput)
    given.check_values()
    if len(given.y_pred) < 2:
        warn_undefined(_TOO_FEW)
        return math.nan
    targets = given.shifted_targets().reshape(len(given.y_true), -1)
    quantiles = weighted_quantile(targets, given.sample_weight, float(alpha))
    null = given._replace(y_pred=np.broadcast_to(quantiles.astype(np.float64), targets.shape), y_true=targets)
    return given.averaged(_explained(mean_by_output(loss, given.residuals()), mean_by_output(loss, null)))


def _explained(loss: Array, null: Array) -> Array:
    """1 - loss/null, where a null loss of 0 gives 1 for a loss of 0 and 0 otherwise."""
    scores = np.where(loss != 0, 0.0, 1.0)
    np.subtract(
        1, np.divide(loss, null, out=np.ones_like(loss), where=null != 0), out=scores, where=null != 0
    )
    return scores
