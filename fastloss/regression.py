"""Losses of a number predicted for a number; ``r = y_pred - y_true`` throughout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import PointwiseLoss, RowLoss, number_in
from fastloss._traits import of_parameters
from fastloss.robust import Cauchy, Fair, GeneralRobust, Huber, LogCosh, PseudoHuber, SmoothL1, Tukey, Welsch

__all__ = [
    "SquaredError",
    "HalfSquaredError",
    "AbsoluteError",
    "Huber",
    "SmoothL1",
    "LogCosh",
    "PseudoHuber",
    "Quantile",
    "Expectile",
    "EpsilonInsensitive",
    "SquaredEpsilonInsensitive",
    "Linex",
    "Fair",
    "GeneralRobust",
    "Cauchy",
    "Welsch",
    "Tukey",
    "Poisson",
    "Gamma",
    "Tweedie",
    "SquaredLogError",
    "AbsolutePercentageError",
    "SymmetricAbsolutePercentageError",
    "EuclideanError",
]

Array = npt.NDArray[Any]


class SquaredError(PointwiseLoss):
    r"""Squared error, :math:`r^2`; its mean is the MSE.

    The gradient is :math:`2r`, the Hessian 2. Any real targets and predictions.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredError()([1.0, 2.0], [1.5, 2.0])
    0.125
    """

    aliases = ("mse",)
    family = "regression"
    predicts = "mean"
    of_residual = symmetric = convex = positive_hessian = constant_hessian = True
    homogeneous = 2.0

    def __init__(self) -> None:
        super().__init__("squared_error")

    def _second_by_square(self, z: Array) -> Array:
        return np.zeros_like(z)


class HalfSquaredError(PointwiseLoss):
    r"""Half the squared error, :math:`\frac12 r^2`.

    The gradient is :math:`r`, the Hessian 1. It is the negative log-likelihood of a Gaussian of variance 1
    without its constant :math:`\frac12\log 2\pi`. Any real targets and predictions.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.HalfSquaredError()([1.0, 2.0], [1.5, 2.0])
    0.0625
    """

    aliases = ("half_mse",)
    family = "regression"
    predicts = "mean"
    of_residual = symmetric = convex = positive_hessian = constant_hessian = True
    homogeneous = 2.0
    canonical = True

    def __init__(self) -> None:
        super().__init__("half_squared_error")

    def _second_by_square(self, z: Array) -> Array:
        return np.zeros_like(z)


class AbsoluteError(PointwiseLoss):
    r"""Absolute error, :math:`|r|`; with ``reduction="sum"`` the L1 distance.

    The gradient is :math:`\operatorname{sign} r`, 0 at :math:`r = 0`; the Hessian is 0. It is the negative
    log-likelihood of a Laplace distribution of scale 1 without its constant :math:`\log 2`. Any real targets
    and predictions.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.AbsoluteError()([1.0, 2.0], [1.5, 2.0])
    0.25
    """

    aliases = ("mae", "l1", "manhattan")
    family = "regression"
    predicts = "median"
    of_residual = symmetric = convex = kinked = True
    homogeneous = slope_bound = 1.0
    kink = "target"
    curvature_units = "residual"

    def __init__(self) -> None:
        super().__init__("absolute_error")


class Quantile(PointwiseLoss):
    r"""Quantile (pinball) loss, :math:`q[y - z]_+ + (1 - q)[z - y]_+`.

    Its mean is smallest at the `q`-quantile of the targets. The gradient is :math:`-q` below the target,
    :math:`1 - q` above it and 0 at it; the Hessian is 0. Any real targets and predictions.

    Parameters
    ----------
    q : float, default 0.5
        The quantile, between 0 and 1.

    Raises
    ------
    ValueError
        If `q` is not strictly between 0 and 1.

    References
    ----------
    R. Koenker and G. Bassett, "Regression Quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Quantile(q=0.75)([2.0, 2.0], [0.0, 4.0], reduction="none")
    array([1.5, 0.5])
    """

    aliases = ("pinball",)
    family = "regression"
    predicts = "quantile"
    of_residual = convex = kinked = True
    homogeneous = 1.0
    kink = "target"
    curvature_units = "residual"
    symmetric = of_parameters(lambda loss: loss.q == 0.5)
    slope_bound = of_parameters(lambda loss: max(loss.q, 1 - loss.q))
    q: float

    def __init__(self, q: float = 0.5) -> None:
        q = number_in("q", q, 0, 1)
        super().__init__("quantile", (q,), q=q)


class Expectile(PointwiseLoss):
    r"""Expectile loss, :math:`|q - 1\{y < z\}|\, r^2`.

    The asymmetric squared error whose mean is smallest at the `q`-expectile. With the weight
    :math:`a = |q - 1\{y < z\}|` the gradient is :math:`2ar`, the Hessian :math:`2a`. Any real targets and
    predictions.

    Parameters
    ----------
    q : float, default 0.5
        The expectile, between 0 and 1.

    Raises
    ------
    ValueError
        If `q` is not strictly between 0 and 1.

    References
    ----------
    W. K. Newey and J. L. Powell, "Asymmetric Least Squares Estimation and Testing", Econometrica 55 (1987).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Expectile(q=0.75)([2.0, 2.0], [0.0, 4.0], reduction="none")
    array([3., 1.])
    """

    family = "regression"
    predicts = "expectile"
    of_residual = convex = positive_hessian = True
    homogeneous = 2.0
    symmetric = of_parameters(lambda loss: loss.q == 0.5)
    q: float

    def __init__(self, q: float = 0.5) -> None:
        q = number_in("q", q, 0, 1)
        super().__init__("expectile", (q,), q=q)


class EpsilonInsensitive(PointwiseLoss):
    r"""Absolute error of what exceeds a tolerance, :math:`[|r| - \epsilon]_+`.

    The loss of support vector regression. The gradient is :math:`\operatorname{sign} r` outside the tolerance
    and 0 within, the Hessian is 0. Any real targets and predictions.

    Parameters
    ----------
    epsilon : float, default 0.1
        The tolerance, in the units of the target; 0 makes it the absolute error.

    Raises
    ------
    ValueError
        If `epsilon` is negative or not finite.

    References
    ----------
    V. Vapnik, "The Nature of Statistical Learning Theory", Springer (1995).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.EpsilonInsensitive(epsilon=0.5)([0.0, 0.0], [0.25, -2.5], reduction="none")
    array([0., 2.])
    """

    aliases = ("svr",)
    family = "regression"
    of_residual = symmetric = convex = kinked = True
    slope_bound = 1.0
    scale_parameter = "epsilon"
    curvature_units = "residual"
    predicts = of_parameters(lambda loss: "median" if loss.epsilon == 0 else "center")
    homogeneous = of_parameters(lambda loss: 1.0 if loss.epsilon == 0 else None)
    kink = of_parameters(lambda loss: "target" if loss.epsilon == 0 else "tolerance")
    epsilon: float

    def __init__(self, epsilon: float = 0.1) -> None:
        epsilon = number_in("epsilon", epsilon, 0, math.inf, ends="[)")
        super().__init__("epsilon_insensitive", (epsilon,), epsilon=epsilon)


class SquaredEpsilonInsensitive(PointwiseLoss):
    r"""Squared error of what exceeds a tolerance, :math:`[|r| - \epsilon]_+^2`.

    Errors up to `epsilon` count nothing: the loss of support vector regression, smooth. The gradient is
    :math:`2\operatorname{sign}(r)[|r| - \epsilon]_+`, the Hessian 2 outside the tolerance and 0 within. Any
    real targets and predictions.

    Parameters
    ----------
    epsilon : float, default 0.1
        The tolerance, in the units of the target; 0 makes it the squared error.

    Raises
    ------
    ValueError
        If `epsilon` is negative or not finite.

    References
    ----------
    C.-H. Ho and C.-J. Lin, "Large-scale Linear Support Vector Regression", JMLR 13 (2012).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredEpsilonInsensitive(epsilon=0.5)([0.0, 0.0], [0.25, -2.5], reduction="none")
    array([0., 4.])
    """

    aliases = ("squared_svr",)
    family = "regression"
    of_residual = symmetric = convex = True
    scale_parameter = "epsilon"
    homogeneous = of_parameters(lambda loss: 2.0 if loss.epsilon == 0 else None)
    epsilon: float

    def __init__(self, epsilon: float = 0.1) -> None:
        epsilon = number_in("epsilon", epsilon, 0, math.inf, ends="[)")
        super().__init__("squared_epsilon_insensitive", (epsilon,), epsilon=epsilon)


class Linex(PointwiseLoss):
    r"""Linear-exponential loss, :math:`e^{ar} - ar - 1`: exponential on one side, nearly linear on the other.

    Like :math:`\frac12 a^2r^2` near zero. With :math:`a > 0` predictions that are too large cost more. The
    gradient is :math:`a(e^{ar} - 1)`, the Hessian :math:`a^2e^{ar}`. Any real targets and predictions.

    Parameters
    ----------
    a : float, default 1.0
        How steep it is, in the inverse of the targets' units; negative for the other side.

    Raises
    ------
    ValueError
        If `a` is 0 or not finite.

    References
    ----------
    A. Zellner, "Bayesian Estimation and Prediction Using Asymmetric Loss Functions", JASA 81 (1986).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Linex(a=2.0).gradient([1.0], [1.0])
    array([0.])
    """

    family = "regression"
    of_residual = convex = positive_hessian = True
    a: float

    def __init__(self, a: float = 1.0) -> None:
        a = number_in("a", a, -math.inf, math.inf)
        if a == 0:
            raise ValueError("a must not be 0, got 0.0")
        super().__init__("linex", (a,), a=a)


class Poisson(PointwiseLoss):
    r"""Poisson loss with the log link, :math:`e^z - y z`.

    The prediction :math:`z` is the logarithm of the expected count. The gradient is :math:`e^z - y`, the
    Hessian :math:`e^z`. It is the negative log-likelihood without its constant :math:`\log y!`. Targets are
    at least 0, predictions any real numbers.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Poisson()([3.0], [0.0])
    1.0
    """

    aliases = ("poisson",)
    family = "regression"
    canonical = True
    link = "log"
    predicts = "mean"
    inputs = "logarithms"
    convex = positive_hessian = True

    def __init__(self) -> None:
        super().__init__("poisson")


class Gamma(PointwiseLoss):
    r"""Gamma loss with the log link, :math:`z + y e^{-z}`.

    The prediction :math:`z` is the logarithm of the expected target. The gradient is :math:`1 - y e^{-z}`,
    the Hessian :math:`y e^{-z}`. It is the negative log-likelihood of shape 1 without its constants. Targets
    are greater than 0, predictions any real numbers.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Gamma()([3.0], [0.0])
    3.0
    """

    aliases = ("gamma",)
    family = "regression"
    link = "log"
    predicts = "mean"
    inputs = "logarithms"
    convex = positive_hessian = True

    def __init__(self) -> None:
        super().__init__("gamma")


class Tweedie(PointwiseLoss):
    r"""Tweedie loss with the log link, :math:`\frac{e^{(2-p)z}}{2-p} - \frac{y e^{(1-p)z}}{1-p}`.

    The prediction :math:`z` is the logarithm of the expected target. The gradient is
    :math:`e^{(2-p)z} - y e^{(1-p)z}`, the Hessian :math:`(2-p)e^{(2-p)z} - (1-p)y e^{(1-p)z}`. It is half the
    deviance without the terms that the prediction does not touch. Targets are at least 0 (greater than 0
    for ``power=2``), predictions any real numbers.

    Parameters
    ----------
    power : float, default 1.5
        The power :math:`p` of the variance. Between 1 and 2 it is a compound Poisson-gamma distribution; 1 is
        the Poisson and 2 the gamma loss, each less a constant.

    Raises
    ------
    ValueError
        If `power` is not between 1 and 2.

    References
    ----------
    B. Jørgensen, "Exponential dispersion models", J. R. Statist. Soc. B 49 (1987).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Tweedie(power=1.5)([2.0], [0.0])
    6.0
    """

    aliases = ("tweedie",)
    family = "regression"
    link = "log"
    predicts = "mean"
    inputs = "logarithms"
    convex = positive_hessian = True
    power: float

    def __init__(self, power: float = 1.5) -> None:
        power = number_in("power", power, 1, 2, ends="[]")
        if power == 1:
            super().__init__("poisson", power=power)
        elif power == 2:
            super().__init__("gamma", power=power)
        else:
            super().__init__("tweedie", (power,), power=power)


class SquaredLogError(PointwiseLoss):
    r"""Squared logarithmic error, :math:`(\log(1+z) - \log(1+y))^2`; its mean is the MSLE.

    With :math:`d = \log(1+z) - \log(1+y)` the gradient is :math:`2d/(1+z)`, the Hessian
    :math:`2(1-d)/(1+z)^2`. Targets and predictions are greater than -1.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SquaredLogError()([3.0], [3.0])
    0.0
    """

    aliases = ("msle",)
    family = "regression"
    predicts = "geometric mean"
    curvature_units = "target"

    def __init__(self) -> None:
        super().__init__("squared_log_error")


class AbsolutePercentageError(PointwiseLoss):
    r"""Absolute error relative to the target, :math:`|r| / \max(|y|, \epsilon)`; its mean is the MAPE.

    :math:`\epsilon = 2^{-52}`, as in scikit-learn, in both precisions. The gradient is
    :math:`\operatorname{sign} r / \max(|y|, \epsilon)`, 0 at :math:`r = 0`; the Hessian is 0. Any real
    targets and predictions; a share, not per cent.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.AbsolutePercentageError()([4.0], [5.0])
    0.25
    """

    aliases = ("mape",)
    family = "regression"
    predicts = "weighted median"
    symmetric = convex = kinked = True
    slope_bound = 2.0**52
    kink = "target"
    curvature_units = "target"

    def __init__(self) -> None:
        super().__init__("absolute_percentage_error")


class SymmetricAbsolutePercentageError(PointwiseLoss):
    r"""Absolute error relative to both magnitudes, :math:`2|r| / (|y| + |z|)`; its mean is the SMAPE.

    Between 0 and 2, and 0 where target and prediction both are 0; a share, not per cent. With
    :math:`d = |y| + |z|` the gradient is :math:`\operatorname{sign}(r)\,4y/d^2` and the Hessian
    :math:`-\operatorname{sign}(r)\,8y/d^3` for a positive target and prediction, alike for negative ones;
    where their signs differ the loss is 2, whatever the prediction is, and both are 0. At :math:`r = 0` the
    gradient is 0, at :math:`z = 0` the mean of both sides. It is not convex. Any real targets and
    predictions.

    References
    ----------
    S. Makridakis, "Accuracy measures: theoretical and practical concerns", Int. J. Forecasting 9 (1993).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SymmetricAbsolutePercentageError()([3.0, 3.0], [5.0, -1.0], reduction="none")
    array([0.5, 2. ])
    """

    aliases = ("smape",)
    family = "regression"
    kinked = True
    curvature_units = "target"

    def __init__(self) -> None:
        super().__init__("symmetric_absolute_percentage_error")


class EuclideanError(RowLoss):
    r"""Euclidean distance of each row from its target, :math:`\|z_i - y_i\|_2`.

    The gradient is :math:`r_i/\|r_i\|`, 0 where the distance is 0. Targets and predictions are (n, C); no
    intermediate square overflows or underflows. Its Hessian is not diagonal: asking for it is a
    ``TypeError``.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.EuclideanError()([[0.0, 0.0]], [[3.0, 4.0]])
    5.0
    """

    aliases = ("l2", "euclidean")
    family = "regression"
    predicts = "geometric median"
    of_residual = symmetric = convex = kinked = True
    homogeneous = slope_bound = 1.0
    has_hessian = False

    def __init__(self) -> None:
        self._bind("euclidean_error")
