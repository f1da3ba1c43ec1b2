"""Distances between distributions that move mass: on the line, and between clouds of points."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastloss import _core, _validation
from fastloss._loss import TransportLoss, flag, number_in, positive, whole_number

__all__ = ["Wasserstein", "Sinkhorn"]

Array = npt.NDArray[Any]
Cost = Literal["sqeuclidean", "euclidean"]


class ConvergenceWarning(UserWarning):
    """An iteration stopped before it reached its tolerance."""


def checked_cost(cost: Any) -> Cost:
    """Return the name of a cost, or raise an error that tells which there are."""
    _validation.one_of("cost", cost, ("sqeuclidean", "euclidean"))
    return cost  # type: ignore[no-any-return]


def _checked_positions(positions: Any) -> tuple[float, ...]:
    grid = _validation.as_array(positions, "positions")
    if grid.dtype.kind not in "fiu" or grid.ndim != 1 or grid.size == 0:
        raise ValueError(
            f"positions must be a sequence of numbers, got an array of shape {grid.shape}, dtype {grid.dtype}"
        )
    grid = grid.astype(np.float64)
    rising = np.isfinite(grid)
    rising[1:] &= grid[1:] > grid[:-1]
    if not rising.all():
        i = int(np.argmin(rising))
        raise ValueError(f"positions[{i}] = {grid[i]}: positions must be finite and increasing")
    return tuple(grid.tolist())


class Wasserstein(TransportLoss):
    r"""Wasserstein distance on the line, :math:`\left(\int_0^1 |F^{-1}(t) - G^{-1}(t)|^p dt\right)^{1/p}`.

    Exact. :math:`F^{-1}` and :math:`G^{-1}` are the quantile functions of two samples `u` and `v`, of as
    many points each as you like. Samples of shapes (m,) and (k,) give one number; rows of samples, (n, m)
    and (n, k), a batch of n, which `sample_weight` and `reduction` then treat as n samples of a loss.
    Everything is computed in float64; `v` sets the dtype of arrays returned.

    With `positions`, `u` and `v` are histograms instead: masses of the shape (k,) or (n, k) on common
    positions. Each row is normalised to sum 1.

    The gradient is by `v`. For a sample it is by its points,

    .. math:: \frac{\partial W}{\partial v_j} = W^{1-p} \int_{G^{-1}(t) = v_j}
              |d|^{p-1} \operatorname{sign}(d) \,dt, \quad d = G^{-1}(t) - F^{-1}(t),

    points that coincide sharing theirs by mass, and 0 at W = 0. For a histogram it is by the masses
    :math:`v_j` as they are given, before the row is divided by its sum :math:`s`: with the Kantorovich
    potential :math:`\psi`,

    .. math:: \frac{\partial W}{\partial v_j} = \frac1s \Big(\psi_j - \sum_k \frac{v_k}{s} \psi_k\Big),
              \quad \psi_j = \sum_{k \ge j} \operatorname{sign}(G_k - F_k) (x_{k+1} - x_k) \text{ for } p = 1,

    so that its product with the row is 0. Where both cumulative distributions meet, a convention picks one
    of the subgradients: the sign of 0 is 0, and for p > 1 the mean of both sides is taken.

    Parameters
    ----------
    p : float, default 1
        The order, at least 1 and finite.
    positions : array_like of shape (k,), optional
        Increasing positions of the masses.

    Raises
    ------
    ValueError
        If `p` is below 1 or `positions` do not increase; by the call, if shapes do not fit, a point is not
        finite, or a weight or mass is negative, not finite, or 0 all over a row.

    References
    ----------
    C. Villani, "Topics in Optimal Transportation", AMS (2003), section 2.2.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.Wasserstein()
    >>> loss([0.0, 1.0, 3.0], [5.0, 6.0, 8.0])
    5.0
    >>> loss([0.0, 1.0], [0.0, 2.0], u_weights=[3.0, 1.0], v_weights=[2.0, 2.0])
    0.75
    >>> loss.value_and_gradient([[0.0, 1.0], [4.0, 5.0]], [[2.0, 1.0], [4.0, 2.0]], reduction="sum")
    (2.5, array([[ 0.5,  0.5],
           [-0.5, -0.5]]))
    >>> fl.Wasserstein(positions=[0.0, 1.0, 3.0])([1, 1, 0], [0, 1, 1])
    1.5
    """

    aliases = ("wasserstein_distance",)
    __slots__ = ("_grid",)
    p: float
    positions: tuple[float, ...] | None
    _grid: Array | None

    def __init__(self, p: float = 1.0, positions: Any = None) -> None:
        p = number_in("p", p, 1, math.inf, ends="[)")
        if positions is not None:
            positions = _checked_positions(positions)
        self._keep({"p": p, "positions": positions})
        object.__setattr__(self, "_grid", None if positions is None else np.array(positions))

    def __call__(
        self,
        u: Any,
        v: Any,
        u_weights: Any = None,
        v_weights: Any = None,
        *,
        sample_weight: Any = None,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Any:
        """Compute the reduced distance; the arguments are those of `gradient`."""
        return _core.wasserstein(
            u,
            v,
            u_weights,
            v_weights,
            self.p,
            self._grid,
            sample_weight=sample_weight,
            reduction=reduction,
            out=out,
            n_threads=n_threads,
            want_value=True,
            want_gradient=False,
        )

    def gradient(
        self,
        u: Any,
        v: Any,
        u_weights: Any = None,
        v_weights: Any = None,
        *,
        sample_weight: Any = None,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> Array:
        """Compute the gradient by `v` of the reduced distance.

        Parameters
        ----------
        u, v : array_like of shape (m,) and (k,), or (n, m) and (n, k)
            Points, or with `positions` masses.
        u_weights, v_weights : array_like, optional
            Weights of the points, of the shape of `u` and `v` or the same for each row, normalised to sum 1.
        sample_weight : array_like of shape (n,), optional
            Weights of the rows.
        reduction : {"mean", "sum", "none"}
            Over rows; one pair of samples gives a float whatever it is.
        out : ndarray, optional
            Of the shape of `v`; may be one of the inputs.
        n_threads : int, optional
            At most so many threads, a row being the work of one.

        Returns
        -------
        ndarray
            Of the shape and precision of `v`; `out` where that is given.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.Wasserstein(p=2).gradient([0.0, 0.0], [3.0, 4.0])
        array([0.42426407, 0.56568542])
        """
        gradient: Array = _core.wasserstein(
            u,
            v,
            u_weights,
            v_weights,
            self.p,
            self._grid,
            sample_weight=sample_weight,
            reduction=reduction,
            out=out,
            n_threads=n_threads,
            want_value=False,
            want_gradient=True,
        )
        return gradient

    def value_and_gradient(
        self,
        u: Any,
        v: Any,
        u_weights: Any = None,
        v_weights: Any = None,
        *,
        sample_weight: Any = None,
        reduction: str = "mean",
        out: Any = None,
        n_threads: int | None = None,
    ) -> tuple[Any, Array]:
        """Compute the reduced distance and its gradient by `v` together.

        Parameters
        ----------
        u, v, u_weights, v_weights, sample_weight, reduction, out, n_threads
            As for the gradient. With rows and ``reduction="none"``, `out` is a tuple of two arrays, for
            distances and gradient.

        Returns
        -------
        tuple
            The distance, a float (an array for rows with ``reduction="none"``), and the gradient.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.Wasserstein().value_and_gradient([0.0, 4.0], [1.0, 2.0])
        (1.5, array([ 0.5, -0.5]))
        """
        both: tuple[Any, Array] = _core.wasserstein(
            u,
            v,
            u_weights,
            v_weights,
            self.p,
            self._grid,
            sample_weight=sample_weight,
            reduction=reduction,
            out=out,
            n_threads=n_threads,
            want_value=True,
            want_gradient=True,
        )
        return both


class Sinkhorn(TransportLoss):
    r"""Sinkhorn divergence, :math:`OT_\epsilon(X,Y) - \frac12 OT_\epsilon(X,X) - \frac12 OT_\epsilon(Y,Y)`.

    Between clouds of points `X` (n, d) and `Y` (m, d) with weights :math:`a` and :math:`b`, 1/n and 1/m where
    none are given, normalised to sum 1. With the regularisation :math:`\epsilon` = `reg`,

    .. math:: OT_\epsilon(X, Y) = \min_P \sum_{ij} P_{ij} C_{ij} + \epsilon \sum_{ij} P_{ij}
              \log \frac{P_{ij}}{a_i b_j}

    over plans :math:`P` with marginals :math:`a` and :math:`b`. Debiased it is never negative, and 0 for
    equal distributions. It is smooth in `Y`; the gradient by `Y` comes from the dual potentials
    (envelope theorem): :math:`\sum_i P_{ij}\,\partial C_{ij}/\partial y_j`, less the same of :math:`OT(Y,Y)`.

    Computed in float64 by log-domain iterations, stable for a `reg` down to a thousandth of the median cost
    and below. No matrix is stored, but for small problems of many coordinates.

    Parameters
    ----------
    reg : float, default 0.05
        The regularisation, positive, in the units of the cost.
    cost : {"sqeuclidean", "euclidean"}
        :math:`\|x-y\|^2` or :math:`\|x-y\|`.
    debiased : bool, default True
        Whether to take the divergence, or :math:`OT_\epsilon(X,Y)` alone.
    tol : float, default 1e-6
        The iteration stops when the magnitudes by which the plan's marginals are off sum to this.
    max_iter : int, default 1000
        At most so many iterations, each an update of both potentials.

    Raises
    ------
    ValueError
        If a parameter is out of range; by the call, if shapes do not fit, a coordinate is not finite, or a
        weight is negative or not finite, or all are 0.

    Warns
    -----
    ConvergenceWarning
        By the call: if `max_iter` iterations did not reach `tol`.

    References
    ----------
    J. Feydy, T. Séjourné, F.-X. Vialard, S. Amari, A. Trouvé, G. Peyré, "Interpolating between Optimal
    Transport and MMD using Sinkhorn Divergences", AISTATS 2019.

    Examples
    --------
    >>> import fastloss as fl
    >>> loss = fl.Sinkhorn(reg=0.01)
    >>> round(loss([[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]), 6)
    1.0
    >>> loss.gradient([[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]).round(6) + 0.0
    array([[0., 1.],
           [0., 1.]])
    """

    reg: float
    cost: Cost
    debiased: bool
    tol: float
    max_iter: int

    def __init__(
        self,
        reg: float = 0.05,
        cost: Cost = "sqeuclidean",
        debiased: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        max_iter = whole_number("max_iter", max_iter)
        if not 1 <= max_iter < 2**31:
            raise ValueError(f"max_iter must be between 1 and {2**31 - 1}, got {max_iter}")
        self._keep(
            {
                "reg": positive("reg", reg),
                "cost": checked_cost(cost),
                "debiased": flag("debiased", debiased),
                "tol": positive("tol", tol),
                "max_iter": max_iter,
            }
        )

    def _evaluate(self, X: Any, Y: Any, a: Any, b: Any, out: Any, n_threads: Any, gradient: bool) -> Any:
        value, result, iterations, violation = _core.sinkhorn(
            X,
            Y,
            a,
            b,
            self.reg,
            self.cost == "euclidean",
            self.debiased,
            self.tol,
            self.max_iter,
            out=out,
            n_threads=n_threads,
            want_gradient=gradient,
        )
        if not violation <= self.tol:
            warnings.warn(
                f"{self!r} stopped after {iterations} iterations with marginals off by {violation:.2g}:"
                " raise max_iter, tol or reg",
                ConvergenceWarning,
                stacklevel=3,
            )
        return value, result

    def __call__(
        self, X: Any, Y: Any, x_weights: Any = None, y_weights: Any = None, *, n_threads: int | None = None
    ) -> float:
        """Compute the divergence; the arguments are those of `gradient`."""
        value: float = self._evaluate(X, Y, x_weights, y_weights, None, n_threads, False)[0]
        return value

    def gradient(
        self,
        X: Any,
        Y: Any,
        x_weights: Any = None,
        y_weights: Any = None,
        *,
        out: Any = None,
        n_threads: int | None = None,
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
        n_threads : int, optional
            At most so many threads.

        Returns
        -------
        ndarray
            Of the shape and precision of `Y`; `out` where that is given.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.Sinkhorn(debiased=False).gradient([0.0], [3.0])
        array([6.])
        """
        gradient: Array = self._evaluate(X, Y, x_weights, y_weights, out, n_threads, True)[1]
        return gradient

    def value_and_gradient(
        self,
        X: Any,
        Y: Any,
        x_weights: Any = None,
        y_weights: Any = None,
        *,
        out: Any = None,
        n_threads: int | None = None,
    ) -> tuple[float, Array]:
        """Compute the divergence and its gradient by the points of `Y` together.

        Parameters
        ----------
        X, Y, x_weights, y_weights, out, n_threads
            As for the gradient.

        Returns
        -------
        tuple
            The divergence, a float, and the gradient.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.Sinkhorn(debiased=False).value_and_gradient([0.0], [3.0])
        (9.0, array([6.]))
        """
        both: tuple[float, Array] = self._evaluate(X, Y, x_weights, y_weights, out, n_threads, True)
        return both
