"""An interior-point method for linear models of piecewise linear losses.

It follows the path to the optimum until the samples at their kinks are known, and solves for these.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastloss._linear_solvers import Solution, penalty_curvature, weighted_product
from fastloss.linear import LinearObjective

__all__ = ["interior_point"]

Array = npt.NDArray[Any]


def _lines(objective: LinearObjective) -> tuple[Array, Array, Array]:
    """Return each sample's loss as lines with a kink, one after the other where it has two kinks.

    Of a line that is where the kink is, and the slopes below and above.
    """
    loss: Any = objective.loss
    y = objective._y.astype(np.float64)
    if loss.kink == "tolerance":
        kinks = [y - loss.epsilon, y + loss.epsilon]
    else:
        kinks = [{"target": y, "zero": np.zeros(len(y)), "margin": np.where(y > 0, 1.0, -1.0)}[loss.kink]]
    between = [a / 2 + b / 2 for a, b in itertools.pairwise(kinks)]
    slopes = [
        loss.gradient(y, z, sample_weight=objective._weight, reduction="sum") * objective._scale
        for z in (kinks[0] - 1 - np.abs(kinks[0]), *between, kinks[-1] + 1 + np.abs(kinks[-1]))
    ]
    below = [slopes[0], *(np.zeros(len(y)) for _ in between)]
    above = [slopes[1], *(b - a for a, b in itertools.pairwise(slopes[1:]))]
    return np.concatenate(kinks), np.concatenate(below), np.concatenate(above)


def interior_point(objective: LinearObjective, w: Array, l1: Array, tol: float, max_iter: int) -> Solution:
    r"""Minimise lines with a kink, :math:`\sum_i\varphi_i(x_i^\top w - t_i)`, and a quadratic penalty.

    The residual is :math:`u - v` with :math:`u, v \ge 0`, the slope :math:`g` lies between those below and
    above, :math:`a \le g \le b`, and at the optimum :math:`u(b - g) = v(g - a) = 0`,
    :math:`\nabla P + X^\top g = 0`. Mehrotra's predictor and corrector follow the path on which the products
    are equal. An L1 penalty is more such lines, one for each coefficient.

    References
    ----------
    R. Koenker and S. Portnoy, "The Gaussian Hare and the Laplacian Tortoise", Statistical Science 12 (1997).
    """
    kinks, low, high = _lines(objective)
    n, n_lines = objective._n, len(kinks)
    penalised = np.flatnonzero(l1)
    low, high = np.append(low, -l1[penalised]), np.append(high, l1[penalised])
    kinks = np.append(kinks, np.zeros(len(penalised)))
    bent = high > low
    X, n_columns = objective._X, objective._n_columns
    block = objective._blocks[0]._replace(rows=slice(0, n), X=X, transposed=X.T)
    quadratic = penalty_curvature(objective, w)

    def forward(w: Array) -> Array:
        z = objective._predict(block, objective._predictor(w), None)
        return np.append(np.tile(np.asarray(z, np.float64), n_lines // n), w[penalised])

    def by_sample(numbers: Array) -> Array:
        return np.asarray(numbers[:n_lines].reshape(-1, n).sum(axis=0))

    def back(g: Array) -> Array:
        total = np.zeros(objective.size)
        rows = by_sample(g)
        total[: objective._n_features] = X.T @ rows.astype(X.dtype)
        if objective.fit_intercept:
            total[-1] = rows.sum()
        total[penalised] += g[n_lines:]
        return total

    residual = forward(w) - kinks
    start = max(float(np.abs(residual).mean()), 1e-8)
    u = np.where(bent, np.maximum(residual, 0) + start, 0.0)
    v = np.where(bent, np.maximum(-residual, 0) + start, 0.0)
    g, least = (low + high) / 2, 0.0
    for k in range(max_iter):
        p, q = np.where(bent, high - g, 1.0), np.where(bent, g - low, 1.0)
        residual = np.where(bent, forward(w) - kinks - u + v, 0.0)
        slope = quadratic * w + back(g)
        gap = float(u @ p + v @ q)
        size = float(np.abs(high * u - low * v).sum() + 0.5 * quadratic @ w**2)
        if gap <= 1e-5 * size or size == 0:
            exact = _at_kinks(objective, kinks, low, high, quadratic, forward, back, w, g)
            if exact is not None:
                return Solution(exact, k, True)
        least = 1e-13 * gap if k == 0 else least
        if gap <= max(1e-9 * size, least) or not np.isfinite(gap):
            return Solution(w, k, bool(np.abs(slope).max() <= max(tol, 1e-6 * np.abs(high).sum())))
        with np.errstate(divide="ignore"):
            curvature = np.where(bent, 1 / np.where(bent, u / p + v / q, 1.0), 0.0)
        matrix = weighted_product(block, by_sample(curvature).astype(X.dtype), n_columns)
        matrix[np.diag_indices(len(matrix))] += quadratic
        matrix[penalised, penalised] += curvature[n_lines:]
        matrix[np.diag_indices(len(matrix))] += 1e-15 * np.trace(matrix) / len(matrix) + 1e-300
        system = _System(np.linalg.inv(matrix), forward, back, residual, slope, curvature, bent)
        dw, dg, du, dv = system.step(u, v, p, q, -u * p, -v * q)
        reach = _reach([(u, du), (v, dv), (p, -dg), (q, dg)], bent)
        after = float((u + reach * du) @ (p - reach * dg) + (v + reach * dv) @ (q + reach * dg))
        target = gap / (2 * int(bent.sum())) * min(1.0, max(after, 0.0) / gap) ** 3
        of_u, of_v = target - u * p + du * dg, target - v * q - dv * dg
        dw, dg, du, dv = system.step(u, v, p, q, of_u, of_v)
        reach = min(1.0, 0.9995 * _reach([(u, du), (v, dv), (p, -dg), (q, dg)], bent, 2.0))
        w, g, u, v = w + reach * dw, g + reach * dg, u + reach * du, v + reach * dv
    return Solution(w, max_iter, False)


class _System(NamedTuple):
    """The equations of a step, with all but the parameters eliminated."""

    inverse: Array
    forward: Callable[[Array], Array]
    back: Callable[[Array], Array]
    residual: Array
    slope: Array
    curvature: Array
    bent: Array

    def step(
        self, u: Array, v: Array, p: Array, q: Array, of_u: Array, of_v: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Return the changes of parameters, slopes and residuals that lead to the products wanted."""
        rest = np.where(self.bent, of_u / p - of_v / q - self.residual, 0.0)
        dw = self.inverse @ (self.back(rest * self.curvature) - self.slope)
        dg = np.where(self.bent, (self.forward(dw) - rest) * self.curvature, 0.0)
        du, dv = (of_u + u * dg) / p, (of_v - v * dg) / q
        return dw, dg, np.where(self.bent, du, 0.0), np.where(self.bent, dv, 0.0)


def _at_kinks(
    objective: LinearObjective,
    kinks: Array,
    low: Array,
    high: Array,
    quadratic: Array,
    forward: Callable[[Array], Array],
    back: Callable[[Array], Array],
    w: Array,
    g: Array,
) -> Array | None:
    """Return the optimum, if it has the same samples at their kinks: they are where slopes are between."""
    margin = 1e-3 * (high - low)
    inside = np.flatnonzero((g > low + margin) & (g < high - margin))
    size = objective.size
    if len(inside) > 4 * size + 50:
        return None
    rows = np.empty((len(inside), size))
    for column in range(size):
        rows[:, column] = forward(np.eye(1, size, column)[0])[inside]
    outside = np.where(g - low < high - g, low, high)
    outside[inside] = 0
    system = np.block([[np.diag(quadratic), rows.T], [rows, np.zeros((len(inside), len(inside)))]])
    # Slopes are nearly known: of more kinks than parameters many would do.
    known = np.concatenate([-back(outside) - rows.T @ g[inside], kinks[inside]])
    solution = np.linalg.lstsq(system, known, rcond=None)[0]
    if np.abs(system @ solution - known).max(initial=0) > 1e-10 * (1 + np.abs(known).max()):
        return None
    found, slopes = solution[:size], g[inside] + solution[size:]
    residual = forward(found) - kinks
    scale = 1e-9 * (1 + np.abs(kinks))
    right = np.where(outside == high, residual >= -scale, residual <= scale)
    right[inside] = (slopes >= low[inside] - 1e-12) & (slopes <= high[inside] + 1e-12)
    return np.asarray(found) if right[high > low].all() else None


def _reach(pairs: list[tuple[Array, Array]], among: Array, cap: float = 1.0) -> float:
    """Return how far numbers can go along their steps before one of them is negative."""
    reach = cap
    for x, change in pairs:
        falling = among & (change < 0)
        if falling.any():
            reach = min(reach, float((-x[falling] / change[falling]).min()))
    return reach
