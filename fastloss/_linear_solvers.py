r"""Solvers of linear models: Newton's method, proximal Newton, an interior-point method, L-BFGS.

All minimise :math:`f(w) + \sum_j\lambda_j|w_j|`, with a `LinearObjective` for :math:`f`. Newton's methods
make the Hessian, a matrix of all parameters, in one pass over X.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastloss._linear_input import has_softmax_hessian
from fastloss._loss import PointwiseLoss
from fastloss.linear import LinearObjective

__all__ = ["Solution", "has_kinks", "has_matrix", "interior_point", "lbfgs", "newton", "optimality"]

Array = npt.NDArray[Any]

#: So many parameters at most make a matrix of second derivatives.
_MOST_PARAMETERS = 500
#: Steps are halved so many times.
_HALVINGS = 40


class Solution(NamedTuple):
    """Parameters, after how many iterations, and whether they are optimal to the tolerance."""

    w: Array
    n_iter: int
    converged: bool


def has_kinks(loss: Any) -> bool:
    """Whether a loss is piecewise linear, with one kink."""
    return loss.kink is not None


def has_matrix(objective: LinearObjective) -> bool:
    """Whether the matrix of second derivatives is known, small enough, and tells of all slopes."""
    loss = objective.loss
    tells = isinstance(loss, PointwiseLoss) and (not loss.kinked or has_kinks(loss))
    return objective.size <= _MOST_PARAMETERS and (has_softmax_hessian(loss) or tells)


def _noise(objective: LinearObjective) -> float:
    """Return the relative error of the value, to which no step can be judged."""
    return 1e-6 if objective._X.dtype == np.float32 else 1e-14


def optimality(gradient: Array, w: Array, l1: Array) -> float:
    """Return the largest entry of the least subgradient: 0 at the optimum."""
    at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - l1, 0)
    return float(np.abs(np.where(w != 0, gradient + l1 * np.sign(w), at_zero)).max(initial=0))


# The matrix of second derivatives.


def _hessian(objective: LinearObjective, w: Array, curvature: int | None, every: int = 1) -> Array:
    """Return the Hessian, with a curvature of the loss in place of its second derivative where one is given.

    Of many rows `every` so many make nearly the same matrix, which costs as much less.
    """
    predictor, n_columns = objective._predictor(w), objective._n_columns
    n_outputs = objective._n_outputs or 1
    total = np.zeros((n_outputs, n_columns, n_outputs, n_columns))
    row_weight = None if objective._n_outputs is None else objective._row_weights()
    counted = 0
    for block in objective._blocks:
        rows = slice(block.rows.start, block.rows.stop, every)
        block = _every(block, rows, every)
        counted += block.X.shape[0]
        z = objective._predict(block, predictor, None)
        if row_weight is None:
            h = np.empty_like(z)
            if curvature is None:
                objective._compute_curvature(block, z, predictor, h)
            else:
                loss: Any = objective.loss
                loss._gradient_and_curvature(block.y, z, block.weight, curvature, (np.empty_like(z), h), None)
            total[0, :, 0] += _product(block, h, n_columns)
            continue
        p = np.empty_like(z)
        objective._compute_curvature(block, z, predictor, p)
        s = row_weight[rows]
        for i in range(n_outputs):
            for j in range(i + 1):
                part = _product(block, s * p[:, i] * ((i == j) - p[:, j]), n_columns)
                total[i, :, j] += part
                if i != j:
                    total[j, :, i] += part.T
    matrix: Array = total.reshape(objective.size, objective.size) * (
        objective._scale * objective._n / counted
    )
    matrix[np.diag_indices(objective.size)] += _penalty_curvature(objective, w)
    return matrix


def _every(block: Any, rows: slice, every: int) -> Any:
    """Return every so-manieth row of a block."""
    if every == 1:
        return block
    weight = None if block.weight is None else block.weight[::every]
    X = block.X[::every]
    return block._replace(rows=rows, X=X, transposed=X.T, y=block.y[::every], weight=weight)


def _penalty_curvature(objective: LinearObjective, w: Array) -> Array:
    """Return the second derivatives of the penalty by all parameters."""
    found = np.zeros(objective.size)
    if objective.penalty is not None:
        inside = objective._matrix_of(found)
        inside[..., : objective._n_features] = objective.penalty.hessian(objective._coefficients(w))
    return found


def _product(block: Any, h: Array, n_columns: int) -> Array:
    """Return Xᵀ·diag(h)·X of a block, with the column of ones that the intercept is the coefficient of."""
    X, n_features = block.X, block.X.shape[1]
    result = np.empty((n_columns, n_columns))
    if isinstance(X, np.ndarray):
        if h.min(initial=0) >= 0:
            half = X * np.sqrt(h)[:, None]
            result[:n_features, :n_features] = half.T @ half  # of which one triangle is computed
        else:
            result[:n_features, :n_features] = X.T @ (X * h[:, None])
    else:
        scaled = X.T.multiply(h).tocsr()
        result[:n_features, :n_features] = (scaled @ X).toarray()
    if n_columns > n_features:
        result[:n_features, -1] = result[-1, :n_features] = X.T @ h
        result[-1, -1] = h.sum(dtype=np.float64)
    return result


def _majorizer(loss: Any) -> int | None:
    """Return the curvature of a parabola above the loss, where it has one."""
    if not isinstance(loss, PointwiseLoss):
        return None
    codes, _ = loss._curvatures()
    return 3 if 3 in codes else None


def _solve(matrix: Array, right: Array) -> Array | None:
    """Solve H·x = b, where H says nothing with the x that is nearest to 0; None where H is not positive.

    Parameters are taken in units in which the diagonal of H is 1.
    """
    diagonal = np.diag(matrix)
    if not (diagonal >= 0).all() or not np.isfinite(diagonal).all():
        return None
    unit = np.sqrt(diagonal)
    unit = np.where(unit > 0, unit, 1.0)
    scaled, right = matrix / np.outer(unit, unit), right / unit
    try:
        if np.diag(np.linalg.cholesky(scaled)).min() > 1e-5:
            return np.asarray(np.linalg.solve(scaled, right) / unit)
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(scaled)
    if values[0] < -1e-9 * values[-1]:
        return None
    kept = values > 1e-11 * values[-1]
    return np.asarray(vectors[:, kept] @ ((vectors[:, kept].T @ right) / values[kept]) / unit)


def _enough_rows(objective: LinearObjective) -> int:
    """Return of how many rows one is taken for a Hessian that is near enough."""
    if objective.loss.constant_hessian:
        return 1  # its Hessian is needed once, and then exact
    if not isinstance(objective._X, np.ndarray) and objective._X.format != "csr":
        return 1
    # Its relative error is about the root of parameters over rows: at such a step 7 times less is left.
    few: int = objective._n // max(50 * objective.size, 4096)
    return max(1, few)


def newton(objective: LinearObjective, w: Array, l1: Array, tol: float, max_iter: int) -> Solution:
    """Minimise by Newton's method, with an L1 penalty by proximal steps.

    A Hessian serves for as many steps as it brings near: gradients cost much less. It is that of some of many
    rows, until that is not near enough. Where it is not positive, or the step that it gives has to be cut
    short, the next one is that of a parabola above the loss, which always descends.
    """
    majorizer, curvature, every = _majorizer(objective.loss), None, _enough_rows(objective)
    value, gradient = objective(w)
    value += float(l1 @ np.abs(w))
    left, matrix, slack = optimality(gradient, w, l1), None, _noise(objective) * abs(value)
    for k in range(max_iter):
        if left <= tol:
            return Solution(w, k, True)
        is_new = matrix is None
        if matrix is None:
            matrix = _hessian(objective, w, curvature, every)
        step = _step(matrix, gradient, w, l1)
        if step is None and majorizer is not None and curvature is None:
            matrix, curvature = _hessian(objective, w, majorizer, every), majorizer
            step = _step(matrix, gradient, w, l1)
        if step is None:
            return Solution(w, k, False)
        slope = float(gradient @ step + l1 @ (np.abs(w + step) - np.abs(w)))
        size = 1.0
        for _ in range(_HALVINGS):
            trial = w + size * step
            found, at_trial = objective(trial)
            found += float(l1 @ np.abs(trial))
            if found <= value + 1e-4 * size * slope + slack:
                break
            size /= 2
        before, left_at_trial = left, optimality(at_trial, trial, l1)
        if found > value + slack or (-slope <= slack and left_at_trial >= left):
            if is_new and every == 1 and (curvature is not None or majorizer is None or -slope <= slack):
                return Solution(w, k + 1, -slope <= slack)  # as near as the last digits allow
            matrix, every = None, 1
            curvature = majorizer if is_new and curvature is None else None
            continue
        w, value, gradient, left = trial, found, at_trial, left_at_trial
        slack = _noise(objective) * abs(value)
        if left > (0.1 if every == 1 else 0.3) * before or size < 1:
            if is_new:
                every = 1
            matrix = None
            curvature = majorizer if size < 0.25 and curvature is None else None
    return Solution(w, max_iter, left <= tol)


def _step(matrix: Array, gradient: Array, w: Array, l1: Array) -> Array | None:
    """Return the step to the minimum of g·d + ½dᵀHd + Σλⱼ|wⱼ + dⱼ|, or near it.

    Descent along coordinates finds the zeros and signs; with these the rest is a system of equations, which
    is tried after each few rounds.
    """
    if not l1.any():
        return _solve(matrix, -gradient)
    x, slope, diagonal = w.copy(), gradient.copy(), np.diag(matrix)
    diagonal = np.where(diagonal > 0, diagonal, np.inf)
    enough = 0.01 * optimality(gradient, w, l1)
    for sweep in range(1000):
        if sweep % 5 == 0:
            found = _with_signs(matrix, x, slope, l1)
            if found is not None:
                return found - w
        largest = 0.0
        for j in range(len(x)):
            wanted = x[j] - slope[j] / diagonal[j]
            moved = np.sign(wanted) * max(abs(wanted) - l1[j] / diagonal[j], 0.0)
            change = moved - x[j]
            if change:
                slope += change * matrix[j]
                x[j] = moved
                largest = max(largest, abs(change) * diagonal[j])
        if largest <= enough:
            break
    return x - w


def _with_signs(matrix: Array, x: Array, slope: Array, l1: Array) -> Array | None:
    """Return the minimum if its zeros and signs are those of `x`."""
    signs = np.where(l1 > 0, np.where(x != 0, np.sign(x), -np.sign(slope) * (np.abs(slope) > l1)), 0.0)
    free = (signs != 0) | (l1 == 0)
    change = np.where(free, 0.0, -x)
    rest = slope + matrix @ change
    solved = _solve(matrix[np.ix_(free, free)], -(rest + l1 * signs)[free])
    if solved is None:
        return None
    change[free] += solved
    found, at_found = x + change, slope + matrix @ change
    wrong = (signs * found < 0) | (~free & (np.abs(at_found) > l1 * (1 + 1e-12)))
    return None if wrong.any() else found


# Piecewise linear losses.


def _lines(objective: LinearObjective) -> tuple[Array, Array, Array]:
    """Return where each sample's loss has its kink, and its slopes below and above."""
    loss, y = objective.loss, objective._y.astype(np.float64)
    kinks = {"target": y, "zero": np.zeros(len(y)), "margin": np.where(y > 0, 1.0, -1.0)}[str(loss.kink)]
    far = 1 + np.abs(kinks)
    weight = objective._weight
    below, above = (
        loss.gradient(y, kinks + side, sample_weight=weight, reduction="sum") * objective._scale
        for side in (-far, far)
    )
    return kinks, below, above


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
    penalised = np.flatnonzero(l1)
    low, high = np.append(low, -l1[penalised]), np.append(high, l1[penalised])
    kinks = np.append(kinks, np.zeros(len(penalised)))
    bent = high > low
    X, n_columns = objective._X, objective._n_columns
    block = objective._blocks[0]._replace(rows=slice(0, objective._n), X=X, transposed=X.T)
    quadratic = _penalty_curvature(objective, w)

    def forward(w: Array) -> Array:
        z = objective._predict(block, objective._predictor(w), None)
        return np.append(np.asarray(z, np.float64), w[penalised])

    def back(g: Array) -> Array:
        total = np.zeros(objective.size)
        rows = g[: objective._n].astype(X.dtype)
        total[: objective._n_features] = X.T @ rows
        if objective.fit_intercept:
            total[-1] = g[: objective._n].sum()
        total[penalised] += g[objective._n :]
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
        matrix = _product(block, curvature[: objective._n].astype(X.dtype), n_columns)
        matrix[np.diag_indices(len(matrix))] += quadratic
        matrix[penalised, penalised] += curvature[objective._n :]
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


# Where no matrix can be had.


def lbfgs(objective: LinearObjective, w: Array, l1: Array, tol: float, max_iter: int) -> Solution:
    """Minimise by L-BFGS; with an L1 penalty over the positive and negative parts of parameters."""
    from scipy.optimize import minimize

    ceiling = 10 * abs(objective(w)[0]) + 1

    def finite(w: Array) -> tuple[float, Array]:
        # The method computes with the value, also where the loss has none.
        value, gradient = objective(w)
        return min(value, ceiling), gradient

    options = {"maxiter": max_iter, "gtol": tol, "ftol": 64 * np.finfo(float).eps, "maxls": 50, "maxcor": 20}
    if not l1.any():
        fit = minimize(finite, w, jac=True, method="L-BFGS-B", options=options)
        return Solution(fit.x, int(fit.nit), bool(fit.success))

    def of_parts(parts: Array) -> tuple[float, Array]:
        plus, minus = parts.reshape(2, -1)
        value, gradient = finite(plus - minus)
        return value + float(l1 @ (plus + minus)), np.concatenate([gradient + l1, l1 - gradient])

    bounds = [(0.0, None) if x else (None, None) for x in l1] + [(0.0, None) if x else (0.0, 0.0) for x in l1]
    begin = np.where(l1 > 0, [np.maximum(w, 0), np.maximum(-w, 0)], [w, np.zeros_like(w)]).ravel()
    fit = minimize(of_parts, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    plus, minus = fit.x.reshape(2, -1)
    return Solution(plus - minus, int(fit.nit), bool(fit.success))
