"""Losses of a number predicted for a number; ``r = y_pred - y_true`` throughout."""

from __future__ import annotations

import math

from fastloss._loss import PointwiseLoss, RowLoss, number_in, positive

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
    "SquaredEpsilonInsensitive",
    "Cauchy",
    "Welsch",
    "Tukey",
    "Poisson",
    "Gamma",
    "Tweedie",
    "SquaredLogError",
    "AbsolutePercentageError",
    "EuclideanError",
]


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

    def __init__(self) -> None:
        super().__init__("squared_error")


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

    def __init__(self) -> None:
        super().__init__("half_squared_error")


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

    def __init__(self) -> None:
        super().__init__("absolute_error")


class Huber(PointwiseLoss):
    r"""Huber's loss: squared near zero, linear beyond.

    :math:`\frac12 r^2` where :math:`|r| \le \delta`, else :math:`\delta(|r| - \frac12\delta)`. The gradient
    is :math:`r` clipped to :math:`[-\delta, \delta]`, the Hessian 1 inside and 0 outside. Any real targets
    and predictions.

    Parameters
    ----------
    delta : float, default 1.0
        Where the loss turns linear, in the units of the target.

    Raises
    ------
    ValueError
        If `delta` is not positive and finite.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Statist. 35 (1964).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Huber(delta=1.0)([0.0, 0.0], [0.5, 3.0], reduction="none")
    array([0.125, 2.5  ])
    """

    aliases = ("huber", "smooth_mae")
    family = "regression"
    delta: float

    def __init__(self, delta: float = 1.0) -> None:
        delta = positive("delta", delta)
        super().__init__("huber", (delta,), delta=delta)


class SmoothL1(PointwiseLoss):
    r"""Smooth L1: Huber's loss with slope 1, :math:`\mathrm{Huber}(\beta)/\beta`.

    :math:`\frac12 r^2/\beta` where :math:`|r| < \beta`, else :math:`|r| - \frac12\beta`. The gradient is
    :math:`r/\beta` clipped to [-1, 1], the Hessian :math:`1/\beta` inside and 0 outside. Any real targets and
    predictions.

    Parameters
    ----------
    beta : float, default 1.0
        Where the loss turns linear, in the units of the target; 0 makes it the absolute error.

    Raises
    ------
    ValueError
        If `beta` is negative or not finite.

    References
    ----------
    R. Girshick, "Fast R-CNN", ICCV 2015.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.SmoothL1(beta=0.5)([0.0, 0.0], [0.25, 3.0], reduction="none")
    array([0.0625, 2.75  ])
    """

    aliases = ("smooth_l1",)
    family = "regression"
    beta: float

    def __init__(self, beta: float = 1.0) -> None:
        beta = number_in("beta", beta, 0, math.inf, ends="[)")
        if beta == 0:
            super().__init__("absolute_error", beta=beta)
        else:
            super().__init__("smooth_l1", (beta,), beta=beta)


class LogCosh(PointwiseLoss):
    r"""Logarithm of the hyperbolic cosine, :math:`\log\cosh r`.

    Like :math:`\frac12 r^2` near zero and :math:`|r| - \log 2` far away; the gradient is :math:`\tanh r`, the
    Hessian :math:`1 - \tanh^2 r`. Finite for every finite :math:`r`, with full relative accuracy for tiny
    ones. Any real targets and predictions.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.LogCosh()([0.0], [1e-8]) < 1e-16
    True
    """

    aliases = ("log_cosh", "logcosh")
    family = "regression"

    def __init__(self) -> None:
        super().__init__("log_cosh")


class PseudoHuber(PointwiseLoss):
    r"""Pseudo-Huber loss, :math:`\delta^2(\sqrt{1 + (r/\delta)^2} - 1)`.

    A smooth Huber loss: the gradient is :math:`r/\sqrt{1 + (r/\delta)^2}`, the Hessian
    :math:`(1 + (r/\delta)^2)^{-3/2}`. Any real targets and predictions.

    Parameters
    ----------
    delta : float, default 1.0
        Where the loss turns linear, in the units of the target.

    Raises
    ------
    ValueError
        If `delta` is not positive and finite.

    References
    ----------
    P. Charbonnier et al., "Deterministic edge-preserving regularization in computed imaging", IEEE Trans.
    Image Process. 6 (1997).

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.PseudoHuber(delta=3.0)([0.0], [4.0]), 12)
    6.0
    """

    aliases = ("pseudo_huber", "charbonnier")
    family = "regression"
    delta: float

    def __init__(self, delta: float = 1.0) -> None:
        delta = positive("delta", delta)
        super().__init__("pseudo_huber", (delta,), delta=delta)


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
    q: float

    def __init__(self, q: float = 0.5) -> None:
        q = number_in("q", q, 0, 1)
        super().__init__("expectile", (q,), q=q)


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
    epsilon: float

    def __init__(self, epsilon: float = 0.1) -> None:
        epsilon = number_in("epsilon", epsilon, 0, math.inf, ends="[)")
        super().__init__("squared_epsilon_insensitive", (epsilon,), epsilon=epsilon)


class Cauchy(PointwiseLoss):
    r"""Cauchy (Lorentzian) loss, :math:`\frac12 c^2 \log(1 + (r/c)^2)`.

    The gradient :math:`r/(1 + (r/c)^2)` falls again for large :math:`r`, and the Hessian
    :math:`(1 - (r/c)^2)/(1 + (r/c)^2)^2` is negative beyond :math:`c`. Any real targets and predictions.

    Parameters
    ----------
    c : float, default 1.0
        The scale beyond which a residual counts as an outlier, in the units of the target.

    Raises
    ------
    ValueError
        If `c` is not positive and finite.

    References
    ----------
    M. J. Black and P. Anandan, "The robust estimation of multiple motions", CVIU 63 (1996).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Cauchy(c=2.0).gradient([0.0], [2.0])
    array([1.])
    """

    aliases = ("lorentzian",)
    family = "regression"
    c: float

    def __init__(self, c: float = 1.0) -> None:
        c = positive("c", c)
        super().__init__("cauchy", (c,), c=c)


class Welsch(PointwiseLoss):
    r"""Welsch (Leclerc) loss, :math:`\frac12 c^2 (1 - e^{-(r/c)^2})`.

    The gradient is :math:`r e^{-(r/c)^2}`, the Hessian :math:`(1 - 2(r/c)^2) e^{-(r/c)^2}`, negative beyond
    :math:`c/\sqrt2`. Any real targets and predictions.

    Parameters
    ----------
    c : float, default 1.0
        The scale beyond which a residual counts as an outlier, in the units of the target.

    Raises
    ------
    ValueError
        If `c` is not positive and finite.

    References
    ----------
    J. E. Dennis and R. E. Welsch, "Techniques for nonlinear least squares and robust regression", Comm.
    Statist. Simulation Comput. 7 (1978).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Welsch(c=2.0)([0.0], [1e9])
    2.0
    """

    aliases = ("leclerc",)
    family = "regression"
    c: float

    def __init__(self, c: float = 1.0) -> None:
        c = positive("c", c)
        super().__init__("welsch", (c,), c=c)


class Tukey(PointwiseLoss):
    r"""Tukey's biweight, :math:`\frac16 c^2 (1 - (1 - (r/c)^2)^3)` inside :math:`c`, constant outside.

    The gradient is :math:`r(1 - (r/c)^2)^2`, the Hessian :math:`(1 - (r/c)^2)(1 - 5(r/c)^2)`; both are 0
    outside. Any real targets and predictions.

    Parameters
    ----------
    c : float, default 4.685
        Residuals beyond it have no influence, in the units of the target. The default is 95 % efficient for
        Gaussian residuals of variance 1.

    Raises
    ------
    ValueError
        If `c` is not positive and finite.

    References
    ----------
    A. E. Beaton and J. W. Tukey, "The fitting of power series", Technometrics 16 (1974).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Tukey(c=3.0)([0.0, 0.0], [3.0, 99.0], reduction="none")
    array([1.5, 1.5])
    """

    aliases = ("biweight",)
    family = "regression"
    c: float

    def __init__(self, c: float = 4.685) -> None:
        c = positive("c", c)
        super().__init__("tukey", (c,), c=c)


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

    def __init__(self) -> None:
        super().__init__("absolute_percentage_error")


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
    has_hessian = False

    def __init__(self) -> None:
        self._bind("euclidean_error")
