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

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import Loss
from fastloss._validation import as_array
from fastloss.formulas.loss import Formula
from fastloss.formulas.squares import by_square
from fastloss.registry import list_losses

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
        Welsch or Tukey; or a formula of ``(z - y)**2`` and ``abs(z - y)``, smooth where they are 0.

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
        self._formula: Formula | None = None
        if isinstance(loss, Formula):
            self._keep_formula(loss)
            return
        if not hasattr(loss, "_second_by_square"):
            allowed = ", ".join(
                info.cls.__name__ for info in list_losses() if hasattr(info.cls, "_second_by_square")
            )
            raise TypeError(
                f"loss must be a smooth function of the squared residual ({allowed}), got {loss!r}"
            )
        curvature = float(loss.gradient_and_hessian([0.0], [0.0], reduction="sum")[1][0])
        if curvature == 0:
            raise TypeError(
                f"{loss!r} has a kink at residual 0, where the derivative by its square is infinite"
            )
        self.loss: Any = loss
        self._curvature = curvature

    def _keep_formula(self, loss: Formula) -> None:
        """Keep a formula and what it is of the squared residual, or raise an error."""
        try:
            self._formula = by_square(loss)
        except ValueError as error:
            raise TypeError(f"loss must be a smooth function of (z - y)**2, got {loss!r}: {error}") from None
        slope = float(self._formula.gradient([0.0], [0.0], reduction="sum")[0])
        if not 0 < slope < float("inf"):
            raise TypeError(
                f"{loss!r} has no positive, finite derivative by the squared residual at 0: it is {slope}"
            )
        self.loss = loss
        self._curvature = 2 * slope

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
        result = np.empty((3, z.size))
        if self._formula is not None:
            self._formula.value_gradient_and_hessian(
                np.zeros_like(z), z, reduction="none", out=(result[0], result[1], result[2])
            )
            result *= 2 / self._curvature
            return result
        r = np.sqrt(z)
        self.loss.value_and_gradient(np.zeros_like(r), r, reduction="none", out=(result[0], result[1]))
        with np.errstate(all="ignore"):  # 0/0 at the origin; powers of tiny and large residuals
            result[0] *= 2 / self._curvature
            r *= self._curvature
            result[1] /= r
            result[1, r == 0] = 1
            result[2] = self.loss._second_by_square(z)
        return result

    @property
    def __name__(self) -> str:
        return str(self.loss.name)

    def __repr__(self) -> str:
        return f"rho({self.loss!r})"
