r"""Robust losses for :func:`scipy.optimize.least_squares`.

least_squares minimises :math:`\frac12\sum_i C^2\rho(f_i^2/C^2)` over residuals :math:`f_i`, with
:math:`\rho(z)\approx z` for small :math:`z` and :math:`C` its argument ``f_scale``. A loss :math:`L(r)` that
is even and has the curvature :math:`\kappa = L''(0)` becomes, by :math:`r = \sqrt z`,

.. math::

    \rho(z) = \frac{2L(r)}{\kappa}, \qquad \rho'(z) = \frac{L'(r)}{\kappa r}, \qquad
    \rho''(z) = \frac{L''(r) - L'(r)/r}{2\kappa r^2},

so that :math:`\rho(0) = 0` and :math:`\rho'(0) = 1`, and with :math:`C = 1` the cost is
:math:`\sum_i L(f_i)/\kappa`. The difference in :math:`\rho''` cancels for small :math:`r`; each loss's is
therefore written out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss._loss import Loss
from fastloss._validation import as_array

__all__ = ["RobustLoss", "rho"]

Array = npt.NDArray[np.float64]


def rho(loss: Loss) -> RobustLoss:
    r"""Make the ``loss=`` argument of :func:`scipy.optimize.least_squares` from a robust loss.

    The methods "trf" and "dogbox" take it. A loss's own parameter (``delta``, ``beta``, ``c``) says where
    residuals begin to count less, so leave ``f_scale`` at 1. Huber with ``delta=1``, PseudoHuber with
    ``delta=1`` and Cauchy with ``c=1`` are scipy's "huber", "soft_l1" and "cauchy".

    Parameters
    ----------
    loss : Loss
        SquaredError, HalfSquaredError, Huber, SmoothL1 (``beta > 0``), LogCosh, PseudoHuber, Cauchy,
        Welsch or Tukey.

    Returns
    -------
    RobustLoss
        A function of the squared residuals; it can be pickled and copied.

    Raises
    ------
    TypeError
        If `loss` is none of these: it is no function of the squared residual, or like AbsoluteError has a
        kink at 0, where :math:`\rho'` would be infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import least_squares
    >>> import fastloss as fl
    >>> from fastloss.adapters.scipy import rho
    >>> x, y = np.arange(6.0), np.array([0.0, 1.0, 2.0, 3.0, 4.0, 50.0])
    >>> fit = least_squares(lambda w: w[0] * x - y, [0.0], loss=rho(fl.Tukey(c=5.0)))
    >>> print(f"{fit.x[0]:.4f}")
    1.0000
    """
    return RobustLoss(loss)


class RobustLoss:
    """A robust loss as a function of squared residuals; :func:`rho` makes one.

    Attributes
    ----------
    loss : Loss
        The loss.
    """

    def __init__(self, loss: Loss) -> None:
        if type(loss) not in _SECOND_DERIVATIVES:
            allowed = ", ".join(cls.__name__ for cls in _SECOND_DERIVATIVES)
            raise TypeError(
                f"loss must be a smooth function of the squared residual ({allowed}), got {loss!r}"
            )
        curvature = float(loss.gradient_and_hessian([0.0], [0.0], reduction="sum")[1][0])
        if curvature == 0:
            raise TypeError(
                f"{loss!r} has a kink at residual 0, where the derivative by its square is infinite"
            )
        self.loss = loss
        self._curvature = curvature

    def __call__(self, z: Any) -> Array:
        """Compute the loss and its derivatives by the squared residual.

        Parameters
        ----------
        z : array_like of shape (m,)
            Squared residuals, not negative.

        Returns
        -------
        ndarray of shape (3, m), float64
            The rows are rho, rho' and rho''; a new array at every call, since least_squares writes into it.

        Raises
        ------
        ValueError
            If `z` is not 1-dimensional or has a negative entry.

        Examples
        --------
        >>> import fastloss as fl
        >>> from fastloss.adapters.scipy import rho
        >>> print(rho(fl.Huber(delta=1.0))([0.0, 4.0]))
        [[ 0.      3.    ]
         [ 1.      0.5   ]
         [ 0.     -0.0625]]
        """
        z = np.asarray(as_array(z, "z"), dtype=np.float64, order="C")
        if z.ndim != 1:
            raise ValueError(f"z has shape {z.shape}, expected one dimension")
        negative = z < 0
        if negative.any():
            i = int(negative.argmax())
            raise ValueError(f"z[{i}] = {z[i]} is negative: expected squared residuals")
        r = np.sqrt(z)
        result = np.empty((3, z.size))
        self.loss.value_and_gradient(np.zeros_like(r), r, reduction="none", out=(result[0], result[1]))
        with np.errstate(all="ignore"):  # 0/0 at the origin; powers of tiny and large residuals
            result[0] *= 2 / self._curvature
            r *= self._curvature
            result[1] /= r
            result[1, r == 0] = 1
            result[2] = _SECOND_DERIVATIVES[type(self.loss)](z, *self.loss.parameters.values())
        return result

    @property
    def __name__(self) -> str:
        return self.loss.name

    def __repr__(self) -> str:
        return f"rho({self.loss!r})"


# rho'' of each loss, from the squared residuals z and the loss's parameter.


def _quadratic(z: Array) -> Array:
    return np.zeros_like(z)


def _huber(z: Array, delta: float) -> Array:
    """-delta/(2 z^1.5) beyond z = delta**2."""
    r = np.sqrt(z)
    return np.where(r <= delta, 0, -0.5 * delta / r / z)


def _log_cosh(z: Array) -> Array:
    """(sech² r - tanh(r)/r)/(2 r²) = -2 S(2r)/cosh² r, where S(x) = (sinh x - x)/x³ = Σ x^2k/(2k+3)!."""
    r = np.sqrt(z)
    tanh = np.tanh(r)
    far = ((1 - tanh) * (1 + tanh) - tanh / r) / (2 * z)
    near = np.minimum(z, 1)
    terms = [1 / math.factorial(2 * k + 3) for k in range(12)]
    series = np.polynomial.polynomial.polyval(4 * near, terms)
    result: Array = np.where(z < 1, -2 * series / np.cosh(np.sqrt(near)) ** 2, far)
    return result


def _pseudo_huber(z: Array, delta: float) -> Array:
    """-(1 + u)^-1.5/(2 delta²), u = z/delta²."""
    u = z / delta**2
    return -0.5 / delta**2 / ((1 + u) * np.sqrt(1 + u))


def _cauchy(z: Array, c: float) -> Array:
    """-1/(c (1 + u))², u = z/c²."""
    return -((c * (1 + z / c**2)) ** -2)


def _welsch(z: Array, c: float) -> Array:
    """-e^-u/c², u = z/c²."""
    return -np.exp(-z / c**2) / c**2


def _tukey(z: Array, c: float) -> Array:
    """-2 (1 - u)/c² within u = z/c² = 1."""
    return -2 * np.maximum(1 - z / c**2, 0) / c**2


_SECOND_DERIVATIVES: dict[type[Loss], Callable[..., Array]] = {
    fl.SquaredError: _quadratic,
    fl.HalfSquaredError: _quadratic,
    fl.Huber: _huber,
    fl.SmoothL1: _huber,
    fl.LogCosh: _log_cosh,
    fl.PseudoHuber: _pseudo_huber,
    fl.Cauchy: _cauchy,
    fl.Welsch: _welsch,
    fl.Tukey: _tukey,
}
