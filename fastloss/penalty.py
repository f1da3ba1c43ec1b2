"""Penalties of the parameters of a model: what structural risk adds to the mean loss."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from fastloss import _core
from fastloss._loss import CallSignature, Immutable, number_in

__all__ = ["L1", "L2", "ElasticNet"]


class Penalty(Immutable, _core.Penalised):
    """A penalty of an array of parameters.

    ``penalty(w)`` is its value, a float; ``gradient``, ``hessian``, ``value_and_gradient``,
    ``gradient_and_hessian`` and ``value_gradient_and_hessian`` compute what their names say in one pass over
    the parameters. They take arrays of any shape, real dtype and strides; `w` sets the precision as the
    predictions do for a loss, and results go into `out` where that is given.
    """

    family = "penalty"
    __signature__: ClassVar[CallSignature] = CallSignature("out")

    def __init__(self, kernel: str, kernel_parameters: tuple[float, ...], **arguments: Any) -> None:
        self._bind(kernel, kernel_parameters)
        self._keep(arguments)


def _strength(alpha: Any) -> float:
    return number_in("alpha", alpha, 0, math.inf, ends="[)")


class L1(Penalty):
    r"""The penalty :math:`\alpha\sum_j|w_j|` of the lasso.

    The gradient is :math:`\alpha\operatorname{sign}(w_j)`, 0 at 0, the Hessian 0: at the kink, where the
    lasso has its zeros, a method for smooth functions finds them only approximately.

    Parameters
    ----------
    alpha : float, default 1.0
        The strength, not negative.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is negative or not finite, or not a number.

    References
    ----------
    R. Tibshirani, "Regression Shrinkage and Selection via the Lasso", Journal of the Royal Statistical
    Society B 58 (1996).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.L1(alpha=0.5)([3.0, 0.0, -4.0])
    3.5
    """

    alpha: float

    def __init__(self, alpha: float = 1.0) -> None:
        alpha = _strength(alpha)
        super().__init__("l1_penalty", (alpha,), alpha=alpha)


class L2(Penalty):
    r"""The penalty :math:`\tfrac\alpha2\sum_j w_j^2` of ridge regression.

    The gradient is :math:`\alpha w_j`, the Hessian :math:`\alpha`.

    Parameters
    ----------
    alpha : float, default 1.0
        The strength, not negative.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is negative or not finite, or not a number.

    References
    ----------
    A. E. Hoerl and R. W. Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems",
    Technometrics 12 (1970).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.L2(alpha=0.5)([3.0, 0.0, -4.0])
    6.25
    """

    alpha: float

    def __init__(self, alpha: float = 1.0) -> None:
        alpha = _strength(alpha)
        super().__init__("l2_penalty", (alpha,), alpha=alpha)


class ElasticNet(Penalty):
    r"""The penalty :math:`\alpha\sum_j\bigl(\rho|w_j| + \tfrac{1-\rho}2 w_j^2\bigr)`.

    Between lasso and ridge. The gradient is :math:`\alpha(\rho\operatorname{sign}(w_j) + (1-\rho)w_j)`, 0 at
    0, the Hessian :math:`\alpha(1-\rho)`. The parameters mean what they do in scikit-learn's ``ElasticNet``.

    Parameters
    ----------
    alpha : float, default 1.0
        The strength, not negative.
    l1_ratio : float, default 0.5
        The share :math:`\rho` of :class:`L1` in [0, 1]; the rest is :class:`L2`.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or not a number.

    References
    ----------
    H. Zou and T. Hastie, "Regularization and Variable Selection via the Elastic Net", Journal of the Royal
    Statistical Society B 67 (2005).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.ElasticNet(alpha=2.0, l1_ratio=0.25)([3.0, 0.0, -4.0])
    22.25
    """

    alpha: float
    l1_ratio: float

    def __init__(self, alpha: float = 1.0, l1_ratio: float = 0.5) -> None:
        alpha = _strength(alpha)
        l1_ratio = number_in("l1_ratio", l1_ratio, 0, 1, ends="[]")
        # An infinite parameter times a coefficient of 0 would be NaN.
        if l1_ratio == 1:
            kernel: tuple[str, tuple[float, ...]] = ("l1_penalty", (alpha,))
        elif l1_ratio == 0:
            kernel = ("l2_penalty", (alpha,))
        else:
            kernel = ("elastic_net_penalty", (alpha * l1_ratio, alpha * (1 - l1_ratio)))
        super().__init__(*kernel, alpha=alpha, l1_ratio=l1_ratio)
