"""The exact distance between clouds of points, which another library computes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss import _core, _validation
from fastloss._contrast import near_one
from fastloss._extras import require
from fastloss._loss import TransportLoss
from fastloss.transport import ConvergenceWarning, Cost, checked_cost

__all__ = ["EarthMover"]

Array = npt.NDArray[Any]


class EarthMover(TransportLoss):
    r"""Earth mover's distance, :math:`\min_P \sum_{ij} P_{ij} C_{ij}`, between clouds of points; exact.

    Over plans :math:`P` whose marginals are the weights of `X` (n, d) and `Y` (m, d), 1/n and 1/m where none
    are given, normalised to sum 1. Solved by the network simplex of POT, which the extra `transport` brings.
    The cost matrix and the plan are stored. The gradient by `Y` is that of the cost of the optimal plan,
    :math:`\sum_i P_{ij}\,\partial C_{ij}/\partial y_j`; where several plans are optimal it is one of the
    subgradients. On the line and with the Euclidean cost it is `Wasserstein`, which is much faster.

    Parameters
    ----------
    cost : {"euclidean", "sqeuclidean"}
        :math:`\|x-y\|` or :math:`\|x-y\|^2`.

    Raises
    ------
    ImportError
        By the call: if POT is not installed.
    ValueError
        By the call: as for `Sinkhorn`.

    Warns
    -----
    ConvergenceWarning
        By the call: if POT stopped before the optimum.

    References
    ----------
    N. Bonneel, M. van de Panne, S. Paris, W. Heidrich, "Displacement Interpolation Using Lagrangian Mass
    Transport", ACM Trans. Graph. 30 (2011). R. Flamary et al., "POT: Python Optimal Transport", JMLR 22
    (2021).

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.EarthMover(cost="euclidean")                                      # needs POT to be called
    EarthMover(cost='euclidean')
    """

    aliases = ("emd",)
    cost: Cost

    def __init__(self, cost: Cost = "euclidean") -> None:
        self._keep({"cost": checked_cost(cost)})

    def _evaluate(self, X: Any, Y: Any, x_weights: Any, y_weights: Any) -> tuple[float, Array, Array]:
        """Give the distance, its gradient in float64, and `Y` as an array."""
        ot = require("ot", "transport", "EarthMover", library="POT")
        x, y, given = _points(X, "X"), _points(Y, "Y"), _validation.as_array(Y, "Y")
        if x.shape[1] != y.shape[1]:
            raise ValueError(f"X has points of {x.shape[1]} coordinates, but Y of {y.shape[1]}")
        a, b = _masses(x_weights, x, "x_weights"), _masses(y_weights, y, "y_weights")
        # Not |x|² − 2xy + |y|², which cancels.
        costs = np.zeros((len(x), len(y)))
        for k in range(x.shape[1]):
            costs += np.subtract.outer(x[:, k], y[:, k]) ** 2
        if self.cost == "euclidean":
            np.sqrt(costs, out=costs)
        plan, log = ot.emd(a, b, costs, numItermax=max(100_000, 100 * costs.size), log=True)
        if log["warning"] is not None:
            warnings.warn(f"{self!r}: {log['warning']}", ConvergenceWarning, stacklevel=3)
        i, j = np.nonzero(plan)
        moved = plan[i, j]
        slope = np.where(costs[i, j] > 0, moved / np.where(costs[i, j] > 0, costs[i, j], 1), 0)
        pull = (slope if self.cost == "euclidean" else 2 * moved)[:, None] * (y[j] - x[i])
        gradient = np.zeros_like(y)
        np.add.at(gradient, j, pull)
        return float(moved @ costs[i, j]), gradient.reshape(given.shape), given

    def __call__(self, X: Any, Y: Any, x_weights: Any = None, y_weights: Any = None) -> float:
        """Compute the distance; the arguments are those of `gradient`."""
        return self._evaluate(X, Y, x_weights, y_weights)[0]

    def gradient(
        self, X: Any, Y: Any, x_weights: Any = None, y_weights: Any = None, *, out: Any = None
    ) -> Array:
        """Compute the gradient by the points of `Y`.

        Parameters
        ----------
        X, Y : array_like of shape (n, d) and (m, d), or (n,) and (m,)
            The points; numbers are points on the line.
        x_weights, y_weights : array_like of shape (n,) and (m,), optional
            Their weights, normalised to sum 1.
        out : ndarray, optional
            Of the shape of `Y`; may be one of the inputs.

        Returns
        -------
        ndarray
            Of the shape and precision of `Y`; `out` where that is given.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.EarthMover().gradient([0.0], [3.0])                              # doctest: +SKIP
        array([1.])
        """
        return self.value_and_gradient(X, Y, x_weights, y_weights, out=out)[1]

    def value_and_gradient(
        self, X: Any, Y: Any, x_weights: Any = None, y_weights: Any = None, *, out: Any = None
    ) -> tuple[float, Array]:
        """Compute the distance and its gradient by the points of `Y` together.

        Parameters
        ----------
        X, Y, x_weights, y_weights, out
            As for the gradient.

        Returns
        -------
        tuple
            The distance, a float, and the gradient.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.EarthMover(cost="sqeuclidean").value_and_gradient([0.0], [3.0])  # doctest: +SKIP
        (9.0, array([6.]))
        """
        value, gradient, y = self._evaluate(X, Y, x_weights, y_weights)
        return value, _core.deliver(gradient, y, out)


def _points(points: Any, name: str) -> Array:
    """Points as rows of float64, checked as the kernels check theirs."""
    array = _validation.as_array(points, name)
    if not _validation.is_real(array.dtype):
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (n, d): n points of d coordinates, or (n,)"
        )
    if not (finite := np.isfinite(array)).all():
        i = np.argwhere(~finite)[0]
        raise _validation.bad_point(name, array, int(i[0]), int(i[-1]) * (array.ndim - 1), False)
    rows: Array = array.reshape(len(array), -1).astype(np.float64)
    return rows


def _masses(weights: Any, points: Array, name: str) -> Array:
    """Weights of points, normalised."""
    if weights is None:
        return np.full(len(points), 1 / len(points))
    array = _validation.as_array(weights, name)
    if array.shape != points.shape[:1]:
        raise ValueError(f"{name} has shape {array.shape}, expected {points.shape[:1]}, one for each point")
    w = array.astype(np.float64)
    good = (w >= 0) & np.isfinite(w)
    if not good.all():
        raise _validation.bad_point(name, array, 0, int(np.argmin(good)), True)
    w, _ = near_one(w)
    total = w.sum()
    if total == 0:
        raise ValueError(_validation.bad_mass(name, array, 0, total))
    normalised: Array = w / total
    return normalised
