"""Losses of what is predicted of a target's distribution: a location and a scale, or several quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastloss._loss import ParameterLoss, flag, number_in, sequence_of_numbers
from fastloss._traits import of_parameters

__all__ = ["GaussianNLL", "LaplaceNLL", "StudentTNLL", "MultiQuantile"]

Array = npt.NDArray[np.float64]

#: A scale below this share of the targets' size is the rounding error of equal targets.
_LEAST_SCALE = 1e-12
_SWEEPS = 1000
#: ½·log 2π
_HALF_LOG_2_PI = 0.9189385332046727418


def _log_scale(scale: float, y: Array) -> float:
    """Return the logarithm of the scale of targets, which may all be equal."""
    size = max(float(np.max(np.abs(y))), float(np.finfo(np.float64).tiny) / _LEAST_SCALE)
    return math.log(max(float(scale), _LEAST_SCALE * size))


def _quantile(y: Array, w: Array, level: float) -> float:
    """Return the middle of the weighted quantiles of targets in order."""
    share = np.cumsum(w)
    at, last = level * share[-1], len(y) - 1
    low = np.searchsorted(share, at * (1 - 1e-12))
    high = np.searchsorted(share, at * (1 + 1e-12), side="right")
    return float(y[min(low, last)] / 2 + y[min(high, last)] / 2)


class _LocationScale(ParameterLoss):
    """A negative log likelihood of a location and the logarithm of a scale."""

    family = "regression"
    predicts = "distribution"
    curvature_units = "residual"

    @property
    def columns(self) -> tuple[str, ...]:
        """What each column of predictions is."""
        return "a location", "the logarithm of a scale"

    def _row_off(self, spread: float) -> list[float]:
        return [0.0, math.log(spread)]


class GaussianNLL(_LocationScale):
    r"""Negative log likelihood of a normal distribution whose mean and standard deviation are predicted.

    Predictions are (n, 2): the mean :math:`\mu` and :math:`s = \log\sigma`; targets are (n,) real numbers.
    With :math:`u = (\mu - y)e^{-s}` the value is :math:`s + \frac12 u^2`, the gradient :math:`u e^{-s}` by
    :math:`\mu` and :math:`1 - u^2` by :math:`s`, the Hessian's diagonal :math:`e^{-2s}` and :math:`2u^2`. Its
    expectation, Fisher's information, is :math:`e^{-2s}` and 2: boosting takes that, which makes steps those
    of the natural gradient.

    Parameters
    ----------
    full : bool, default False
        Whether to add the constant :math:`\frac12\log 2\pi`, to compare with other distributions.

    References
    ----------
    D. Nix and A. Weigend, "Estimating the mean and variance of the target probability distribution", ICNN
    1994; T. Duan et al., "NGBoost: Natural Gradient Boosting for Probabilistic Prediction", ICML 2020.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.GaussianNLL()([1.0], [[3.0, 0.0]])
    2.0
    """

    aliases = ("normal_nll",)
    full: bool

    def __init__(self, full: bool = False) -> None:
        full = flag("full", full)
        self._bind("gaussian_nll", constant=_HALF_LOG_2_PI if full else 0.0, columns=self.columns)
        self._keep({"full": full})

    def _best_constant(self, y: Array, w: Array) -> Array:
        mean = np.average(y, weights=w)
        return np.array([mean, _log_scale(np.sqrt(np.average((y - mean) ** 2, weights=w)), y)])


class LaplaceNLL(_LocationScale):
    r"""Negative log likelihood of a Laplace distribution whose median and scale are predicted.

    Predictions are (n, 2): the median :math:`\mu` and :math:`s = \log b`; targets are (n,) real numbers. With
    :math:`u = (\mu - y)e^{-s}` the value is :math:`s + |u|`, the gradient
    :math:`\operatorname{sign}(u)\,e^{-s}` by :math:`\mu`, 0 at :math:`u = 0`, and :math:`1 - |u|` by
    :math:`s`, the Hessian's diagonal 0 and :math:`|u|`. Fisher's information, which boosting takes, is
    :math:`e^{-2s}` and 1.

    Parameters
    ----------
    full : bool, default False
        Whether to add the constant :math:`\log 2`.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.LaplaceNLL()([1.0], [[3.0, 0.0]])
    2.0
    """

    full: bool

    def __init__(self, full: bool = False) -> None:
        full = flag("full", full)
        self._bind("laplace_nll", constant=math.log(2) if full else 0.0, columns=self.columns)
        self._keep({"full": full})

    def _best_constant(self, y: Array, w: Array) -> Array:
        median = _quantile(y, w, 0.5)
        return np.array([median, _log_scale(np.average(np.abs(y - median), weights=w), y)])


def _log_gamma_step(x: float) -> float:
    """Return log Γ(x + ½) − log Γ(x)."""
    if x < 20:
        return math.lgamma(x + 0.5) - math.lgamma(x)
    # The asymptotic series; the next term is below 1e-13/x of the first.
    t = 1 / (x * x)
    return 0.5 * math.log(x) - (1 / 8 - t * (1 / 192 - t * (1 / 640 - t * 17 / 14336))) / x


class StudentTNLL(_LocationScale):
    r"""Negative log likelihood of Student's t distribution whose location and scale are predicted.

    Outliers count by the logarithm of their size: a robust loss that learns its own scale. Predictions are
    (n, 2): the location :math:`\mu` and :math:`s = \log\sigma`; targets are (n,) real numbers. With
    :math:`u = (\mu - y)e^{-s}` and :math:`n = \nu + u^2` the value is
    :math:`s + \frac{\nu + 1}2\log(1 + u^2/\nu)`, the gradient :math:`\frac{\nu + 1}n u e^{-s}` by :math:`\mu`
    and :math:`\nu(1 - u^2)/n` by :math:`s`, the Hessian's diagonal
    :math:`\frac{(\nu + 1)(\nu - u^2)}{n^2}e^{-2s}`, negative for outliers, and
    :math:`2\nu(\nu + 1)u^2/n^2`. Fisher's information, which boosting takes, is
    :math:`\frac{\nu + 1}{\nu + 3}e^{-2s}` and :math:`\frac{2\nu}{\nu + 3}`.

    Parameters
    ----------
    df : float, default 4.0
        The degrees of freedom :math:`\nu`, from 0.001 to a million; 1 is the Cauchy distribution, many are
        the normal one.
    full : bool, default False
        Whether to add the constant :math:`\log\Gamma(\frac\nu2) - \log\Gamma(\frac{\nu + 1}2) +
        \frac12\log\pi\nu`.

    Raises
    ------
    ValueError
        If `df` is not in its range.

    References
    ----------
    K. L. Lange, R. J. A. Little and J. M. G. Taylor, "Robust Statistical Modeling Using the t Distribution",
    JASA 84 (1989).

    Examples
    --------
    >>> import fastloss as fl
    >>> round(fl.StudentTNLL(df=4.0)([1.0], [[3.0, 0.0]]), 6)  # 5/2·log 2
    1.732868
    """

    aliases = ("t_nll",)
    name = "student_t_nll"
    df: float
    full: bool

    def __init__(self, df: float = 4.0, full: bool = False) -> None:
        df = number_in("df", df, 0.001, 1e6, ends="[]")
        full = flag("full", full)
        constant = 0.5 * math.log(math.pi * df) - _log_gamma_step(df / 2) if full else 0.0
        self._bind("student_t_nll", gamma=df, constant=constant, columns=self.columns)
        self._keep({"df": df, "full": full})

    def _best_constant(self, y: Array, w: Array) -> Array:
        # Rows weighted by (ν + 1)/(ν + u²) until nothing changes, from Laplace's start; the scale steps as in
        # the parameter-expanded algorithm, which divides by the sum of those weights.
        location, log_scale = LaplaceNLL()._best_constant(y, w)
        scale = math.exp(log_scale)
        for _ in range(_SWEEPS):
            by = w * (self.df + 1) / (self.df + ((y - location) / scale) ** 2)
            new = float(by @ y / by.sum())
            size = math.exp(_log_scale(np.sqrt(by @ (y - new) ** 2 / by.sum()), y))
            moved = abs(new - location) + abs(size - scale)
            location, scale = new, size
            if moved <= 1e-13 * scale:
                break
        return np.array([location, math.log(scale)])


class MultiQuantile(ParameterLoss):
    r"""Several quantiles at once: the sum of the pinball losses of a prediction for each level.

    Predictions are (n, k), a column for each level, targets (n,) real numbers. Each column has the value and
    the gradient of :class:`Quantile` of its level: :math:`\sum_j \max(q_j(y - z_j), (q_j - 1)(y - z_j))`. The
    Hessian is 0. Nothing keeps the columns in order.

    Parameters
    ----------
    levels : sequence of floats, default (0.1, 0.5, 0.9)
        The levels, between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        If there are none, or one is not strictly between 0 and 1.

    References
    ----------
    R. Koenker and G. Bassett, "Regression Quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.MultiQuantile(levels=[0.25, 0.75])([2.0], [[0.0, 4.0]])
    1.0
    """

    family = "regression"
    predicts = "quantile"
    of_residual = convex = kinked = True
    homogeneous = 1.0
    kink = "target"
    curvature_units = "residual"
    slope_bound = of_parameters(lambda loss: max(max(q, 1 - q) for q in loss.levels))
    levels: tuple[float, ...]

    def __init__(self, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> None:
        levels = sequence_of_numbers("levels", levels, 0, 1)
        if not levels:
            raise ValueError("levels must have at least one number")
        for i, level in enumerate(levels):
            number_in(f"levels[{i}]", level, 0, 1)
        self._keep({"levels": levels})
        self._bind("multi_quantile", alpha=levels, columns=self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """What each column of predictions is."""
        return tuple(f"the quantile {level:g}" for level in self.levels)

    def _row_off(self, spread: float) -> list[float]:
        return [spread] * len(self.levels)

    def _best_constant(self, y: Array, w: Array) -> Array:
        return np.array([_quantile(y, w, level) for level in self.levels])
