"""Losses of the residual ``r = y_pred - y_true`` that count large ones for less than their square."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import CURVATURES, PointwiseLoss, number_in, positive
from fastloss._traits import of_parameters

__all__ = [
    "Huber",
    "SmoothL1",
    "LogCosh",
    "PseudoHuber",
    "Fair",
    "GeneralRobust",
    "Cauchy",
    "Welsch",
    "Tukey",
]

Array = npt.NDArray[Any]


class _Robust(PointwiseLoss):
    r"""A loss of the square of the residual, in which it is concave.

    `_second_by_square` is the second derivative by it, over the first one at 0, which is half the Hessian
    there: with :math:`\rho(r^2) = L(r)` it is :math:`(L''(r) - L'(r)/r)/(2r^2L''(0))`, written out, as the
    difference cancels.
    """

    family = "regression"
    of_residual = symmetric = True


def _of_slope(z: Array, delta: float) -> Array:
    """-delta/(2 z^1.5) beyond z = delta**2."""
    r = np.sqrt(z)
    return np.where(r <= delta, 0, -0.5 * delta / r / z)


class Huber(_Robust):
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
    convex = True
    scale_parameter = "delta"
    curvature_units = "residual"
    slope_bound = of_parameters(lambda loss: loss.delta)
    delta: float

    def __init__(self, delta: float = 1.0) -> None:
        delta = positive("delta", delta)
        super().__init__("huber", (delta,), delta=delta)

    def _second_by_square(self, z: Array) -> Array:
        return _of_slope(z, self.delta)


class SmoothL1(_Robust):
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
    convex = True
    slope_bound = 1.0
    scale_parameter = "beta"
    curvature_units = "residual"
    predicts = of_parameters(lambda loss: "median" if loss.beta == 0 else "center")
    homogeneous = of_parameters(lambda loss: 1.0 if loss.beta == 0 else None)
    kinked = of_parameters(lambda loss: loss.beta == 0)
    kink = of_parameters(lambda loss: "target" if loss.kinked else None)
    beta: float

    def __init__(self, beta: float = 1.0) -> None:
        beta = number_in("beta", beta, 0, math.inf, ends="[)")
        if beta == 0:
            super().__init__("absolute_error", beta=beta)
        else:
            super().__init__("smooth_l1", (beta,), beta=beta)

    def _second_by_square(self, z: Array) -> Array:
        return _of_slope(z, self.beta)


class LogCosh(_Robust):
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
    convex = positive_hessian = True
    slope_bound = 1.0
    curvature_units = "residual"

    def __init__(self) -> None:
        super().__init__("log_cosh")

    def _second_by_square(self, z: Array) -> Array:
        """(sech² r - tanh(r)/r)/(2 r²) = -2 S(2r)/cosh² r, where S(x) = (sinh x - x)/x³ = Σ x^2k/(2k+3)!."""
        r = np.sqrt(z)
        tanh = np.tanh(r)
        far = ((1 - tanh) * (1 + tanh) - tanh / r) / (2 * z)
        near = np.minimum(z, 1)
        terms = [1 / math.factorial(2 * k + 3) for k in range(12)]
        series = np.polynomial.polynomial.polyval(4 * near, terms)
        result: Array = np.where(z < 1, -2 * series / np.cosh(np.sqrt(near)) ** 2, far)
        return result


class PseudoHuber(_Robust):
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
    convex = positive_hessian = True
    scale_parameter = "delta"
    curvature_units = "residual"
    slope_bound = of_parameters(lambda loss: loss.delta)
    delta: float

    def __init__(self, delta: float = 1.0) -> None:
        delta = positive("delta", delta)
        super().__init__("pseudo_huber", (delta,), delta=delta)

    def _second_by_square(self, z: Array) -> Array:
        """-(1 + u)^-1.5/(2 delta²), u = z/delta²."""
        u = z / self.delta**2
        return -0.5 / self.delta**2 / ((1 + u) * np.sqrt(1 + u))


class Fair(_Robust):
    r"""Fair's loss, :math:`c^2(|r|/c - \log(1 + |r|/c))`.

    Like :math:`\frac12 r^2` near zero and :math:`c|r|` far away, with a continuous Hessian. The gradient
    is :math:`r/(1 + |r|/c)`, the Hessian :math:`1/(1 + |r|/c)^2`. Any real targets and predictions.

    Parameters
    ----------
    c : float, default 1.3998
        The scale beyond which a residual counts as an outlier, in the units of the target. The default is
        95 % efficient for Gaussian residuals of variance 1.

    Raises
    ------
    ValueError
        If `c` is not positive and finite.

    References
    ----------
    R. C. Fair, "On the Robust Estimation of Econometric Models", Ann. Econ. Soc. Meas. 3 (1974).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.Fair(c=2.0).gradient([0.0], [2.0])
    array([1.])
    """

    convex = positive_hessian = True
    scale_parameter = "c"
    curvature_units = "residual"
    slope_bound = of_parameters(lambda loss: loss.c)
    c: float

    def __init__(self, c: float = 1.3998) -> None:
        c = positive("c", c)
        super().__init__("fair", (c,), c=c)


class GeneralRobust(_Robust):
    r"""Barron's loss, which many robust losses are cases of.

    .. math:: \frac b\alpha\left(v^{\alpha/2} - 1\right),
        \quad v = 1 + \frac{(r/c)^2}b, \quad b = |\alpha - 2|

    At :math:`\alpha = 2` it is :math:`\frac12(r/c)^2`, at 1 the pseudo-Huber loss, at 0 Cauchy's,
    :math:`\log(1 + \frac12(r/c)^2)`, at -2 that of Geman and McClure, at :math:`-\infty` Welsch's,
    :math:`1 - e^{-(r/c)^2/2}`, and at :math:`\infty` it is :math:`e^{(r/c)^2/2} - 1`. The gradient is
    :math:`r v^{\alpha/2 - 1}/c^2`, the Hessian :math:`v^{\alpha/2 - 2}(1 + (\alpha - 1)(v - 1))/c^2`, which
    below :math:`\alpha = 1` is negative for large :math:`r`. Any real targets and predictions.

    Parameters
    ----------
    alpha : float, default 1.0
        The shape: the smaller it is, the less outliers count; any number, or infinity of either sign.
    c : float, default 1.0
        The scale beyond which a residual counts as an outlier, in the units of the target.

    Raises
    ------
    ValueError
        If `alpha` is NaN, or `c` is not positive and finite.

    References
    ----------
    J. T. Barron, "A General and Adaptive Robust Loss Function", CVPR 2019.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.GeneralRobust(alpha=-2.0)([0.0], [2.0])
    1.0
    """

    aliases = ("barron",)
    scale_parameter = "c"
    convex = positive_hessian = of_parameters(lambda loss: loss.alpha >= 1)
    predicts = of_parameters(lambda loss: "mean" if loss.alpha == 2 else "center")
    homogeneous = of_parameters(lambda loss: 2.0 if loss.alpha == 2 else None)
    curvature_units = of_parameters(lambda loss: "residual" if 1 <= loss.alpha < 2 else None)
    constant_beyond = of_parameters(lambda loss: 8.7 * loss.c if loss.alpha == -math.inf else math.inf)
    least_hessian = of_parameters(lambda loss: loss._least_hessian())
    slope_bound = of_parameters(lambda loss: loss._slope_bound())
    alpha: float
    c: float

    def __init__(self, alpha: float = 1.0, c: float = 1.0) -> None:
        alpha = number_in("alpha", alpha, -math.inf, math.inf, ends="[]")
        c = positive("c", c)
        # 2^75 is as good as infinity, and float32 holds it.
        shape = math.copysign(2.0**75, alpha) if math.isinf(alpha) else alpha
        super().__init__("general_robust", (shape, c), alpha=alpha, c=c)

    def _least_hessian(self) -> float:
        """Return -2·v^(alpha/2 - 2)/c², the Hessian where (v - 1)·(1 - alpha) is 3."""
        if self.convex:
            return 0.0
        power = -1.5 if self.alpha == -math.inf else (self.alpha / 2 - 2) * math.log1p(3 / (1 - self.alpha))
        return -2 * math.exp(power) / self.c / self.c

    def _slope_bound(self) -> float:
        """Return the slope where the Hessian is 0; at alpha = 1 that of the far ends."""
        if self.alpha >= 1:
            return 1 / self.c if self.alpha == 1 else math.inf
        power = -0.5 if self.alpha == -math.inf else (self.alpha - 1) / 2 * math.log1p(1 / (1 - self.alpha))
        return math.exp(power) / self.c

    def _curvatures(self) -> tuple[list[int], int]:
        """Without a majorizer where slopes grow faster than residuals."""
        codes, preferred = super()._curvatures()
        exact, majorizer = map(CURVATURES.index, ("exact", "majorizer"))
        return ([c for c in codes if c != majorizer], exact) if self.alpha > 2 else (codes, preferred)

    def _second_by_square(self, z: Array) -> Array:
        """∓v^(alpha/2 - 2)/(2c²) by the sign of alpha - 2, v = 1 + z/(c²·|alpha - 2|)."""
        bend, x2 = abs(self.alpha - 2) or 1.0, z / self.c / self.c
        power = (self.alpha / 2 - 2) * np.log1p(x2 / bend)
        if math.isinf(bend):
            power = math.copysign(0.5, self.alpha) * x2
        steepness: Array = np.exp(power) * (np.sign(self.alpha - 2) / (2 * self.c * self.c))
        return steepness


class Cauchy(_Robust):
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
    least_hessian = -1 / 8
    scale_parameter = "c"
    slope_bound = of_parameters(lambda loss: loss.c / 2)
    c: float

    def __init__(self, c: float = 1.0) -> None:
        c = positive("c", c)
        super().__init__("cauchy", (c,), c=c)

    def _second_by_square(self, z: Array) -> Array:
        """-1/(c (1 + u))², u = z/c²."""
        return -((self.c * (1 + z / self.c**2)) ** -2)


class Welsch(_Robust):
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
    least_hessian = -2 * math.exp(-1.5)
    scale_parameter = "c"
    slope_bound = of_parameters(lambda loss: math.sqrt(0.5 / math.e) * loss.c)
    constant_beyond = of_parameters(lambda loss: 6.1 * loss.c)
    c: float

    def __init__(self, c: float = 1.0) -> None:
        c = positive("c", c)
        super().__init__("welsch", (c,), c=c)

    def _second_by_square(self, z: Array) -> Array:
        """-e^-u/c², u = z/c²."""
        return -np.exp(-z / self.c**2) / self.c**2


class Tukey(_Robust):
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
    least_hessian = -4 / 5
    scale_parameter = "c"
    slope_bound = of_parameters(lambda loss: 16 / 25 / math.sqrt(5) * loss.c)
    constant_beyond = of_parameters(lambda loss: loss.c)
    c: float

    def __init__(self, c: float = 4.685) -> None:
        c = positive("c", c)
        super().__init__("tukey", (c,), c=c)

    def _second_by_square(self, z: Array) -> Array:
        """-2 (1 - u)/c² within u = z/c² = 1."""
        return -2 * np.maximum(1 - z / self.c**2, 0) / self.c**2
