r"""Solvers of linear models: Newton's method, proximal Newton, L-BFGS.

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

__all__ = [
    "Solution",
    "has_kinks",
    "has_matrix",
    "lbfgs",
    "newton",
    "optimality",
    "penalty_curvature",
    "weighted_product",
]

Array = npt.NDArray[Any]

#: So many parameters at most make a matrix of second derivatives.
_MOST_PARAMETERS = 500
#: Rounds of descent along coordinates before each look whether the signs are right.
_SWEEPS = 5
#: Steps are halved so many times.
_HALVINGS = 40


class Solution(NamedTuple):
    """Parameters, after how many iterations, and whether they are optimal to the tolerance."""

    w: Array
    n_iter: int
    converged: bool


def has_kinks(loss: Any) -> bool:
    """Whether a loss is piecewise linear, with known kinks."""
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
            total[0, :, 0] += weighted_product(block, h, n_columns)
            continue
        p = np.empty_like(z)
        objective._compute_curvature(block, z, predictor, p)
        s = row_weight[rows]
        for i in range(n_outputs):
            for j in range(i + 1):
                part = weighted_product(block, s * p[:, i] * ((i == j) - p[:, j]), n_columns)
                total[i, :, j] += part
                if i != j:
                    total[j, :, i] += part.T
    matrix: Array = total.reshape(objective.size, objective.size) * (
        objective._scale * objective._n / counted
    )
    matrix[np.diag_indices(objective.size)] += penalty_curvature(objective, w)
    return matrix


def _every(block: Any, rows: slice, every: int) -> Any:
    """Return every so-manieth row of a block."""
    if every == 1:
        return block
    weight = None if block.weight is None else block.weight[::every]
    X = block.X[::every]
    return block._replace(rows=rows, X=X, transposed=X.T, y=block.y[::every], weight=weight)


def penalty_curvature(objective: LinearObjective, w: Array) -> Array:
    """Return the second derivatives of the penalty by all parameters."""
    found = np.zeros(objective.size)
    if objective.penalty is not None:
        inside = objective._matrix_of(found)
        inside[..., : objective._n_features] = objective.penalty.hessian(objective._coefficients(w))
    return found


def weighted_product(block: Any, h: Array, n_columns: int) -> Array:
    """Return Xᵀ·diag(h)·X of a block, with the column of ones that the intercept is the coefficient of."""
    X, n_features = block.X, block.X.shape[1]
    result = np.empty((n_columns, n_columns))
    if isinstance(X, np.ndarray):
        least = h.min(initial=np.inf)
        if least >= 0:
            # Of the product of a matrix with itself BLAS computes one triangle.
            are_alike = least == h.max(initial=0)
            half = X if are_alike else X * np.sqrt(h)[:, None]
            result[:n_features, :n_features] = half.T @ half * (least if are_alike else 1)
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
    """Solve H·x = b, where H says nothing with the x that is nearest to 0; None where H is not positive."""
    solver = _solver_of(matrix)
    return None if solver is None else solver(right)


def _solver_of(matrix: Array) -> Callable[[Array], Array] | None:
    """Return what solves H·x = b for any b, or None.

    Parameters are taken in units in which the diagonal of H is 1.
    """
    diagonal = np.diag(matrix)
    if not (diagonal >= 0).all() or not np.isfinite(diagonal).all():
        return None
    unit = np.sqrt(diagonal)
    unit = np.where(unit > 0, unit, 1.0)
    scaled = matrix / np.outer(unit, unit)
    try:
        factor = np.linalg.cholesky(scaled)
        if np.diag(factor).min() > 1e-5:
            left = np.linalg.inv(factor) / unit
            return lambda right: np.asarray(left.T @ (left @ right))
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(scaled)
    if values[0] < -1e-9 * values[-1]:
        return None
    kept = values > 1e-11 * values[-1]
    kept_vectors = vectors[:, kept] / unit[:, None]
    return lambda right: np.asarray(kept_vectors @ ((kept_vectors.T @ right) / values[kept]))


def _enough_rows(objective: LinearObjective) -> int:
    """Return of how many rows one is taken for a Hessian that is near enough."""
    if objective.loss.constant_hessian:
        return 1  # its Hessian is needed once, and then exact
    if not isinstance(objective._X, np.ndarray) and objective._X.format != "csr":
        return 1
    # Its relative error is about the root of parameters over rows: at such a step 7 times less is left.
    few: int = objective._n // max(50 * objective.size, 2048)
    return max(1, few)


def newton(objective: LinearObjective, w: Array, l1: Array, tol: float, max_iter: int) -> Solution:
    """Minimise by Newton's method, with an L1 penalty by proximal steps.

    A Hessian serves for as many steps as it brings near: gradients cost much less. It is that of some of many
    rows, and of more where these are too few. Where it is not positive, or the step that it gives has to be
    cut short, the next one is that of a parabola above the loss, which always descends.
    """
    majorizer, curvature, every = _majorizer(objective.loss), None, _enough_rows(objective)
    value, gradient = objective(w)
    value += float(l1 @ np.abs(w))
    left, step_of, slack = optimality(gradient, w, l1), None, _noise(objective) * abs(value)
    for k in range(max_iter):
        if left <= tol:
            return Solution(w, k, True)
        is_new = step_of is None
        if step_of is None:
            step_of = _steps(_hessian(objective, w, curvature, every), l1)
        step = step_of(gradient, w)
        if step is None and majorizer is not None and curvature is None:
            step_of, curvature = _steps(_hessian(objective, w, majorizer, every), l1), majorizer
            step = step_of(gradient, w)
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
            step_of, every = None, 1
            curvature = majorizer if is_new and curvature is None else None
            continue
        w, value, gradient, left = trial, found, at_trial, left_at_trial
        slack = _noise(objective) * abs(value)
        if left > (0.1 if every == 1 else 0.3) * before or size < 1:
            if is_new:
                every = max(1, every // 4)
            step_of = None
            curvature = majorizer if size < 0.25 and curvature is None else None
    return Solution(w, max_iter, left <= tol)


def _steps(matrix: Array, l1: Array) -> Callable[[Array, Array], Array | None]:
    """Return what makes the step from gradient and parameters with a matrix of second derivatives."""
    if l1.any():
        return lambda gradient, w: _step(matrix, gradient, w, l1)
    solver = _solver_of(matrix)
    return lambda gradient, _: None if solver is None else solver(-gradient)


def _step(matrix: Array, gradient: Array, w: Array, l1: Array) -> Array | None:
    """Return the step to the minimum of g·d + ½dᵀHd + Σλⱼ|wⱼ + dⱼ|, or near it.

    Descent along coordinates finds the zeros and signs; with these the rest is a system of equations, which
    is tried after each few rounds.
    """
    x, slope, diagonal = w.copy(), gradient.copy(), np.diag(matrix)
    diagonal = np.where(diagonal > 0, diagonal, np.inf)
    enough = 0.01 * optimality(gradient, w, l1)
    for sweep in range(1000):
        if sweep % _SWEEPS == 0:
            found = _with_signs(matrix, x, slope, l1)
            if found is None and sweep == 2 * _SWEEPS:
                found = _by_signs(matrix, x, slope, l1, enough)
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


def _by_signs(matrix: Array, x: Array, slope: Array, l1: Array, enough: float) -> Array | None:
    """Return the minimum by the search over signs, where descent along coordinates is slow.

    With given signs and zeros the rest is a system of equations. On the way to its solution signs may change:
    the best such place, or the solution, comes next; of zeros the one with the largest slope is let free.

    References
    ----------
    H. Lee, A. Battle, R. Raina and A. Y. Ng, "Efficient sparse coding algorithms", NIPS 2006.
    """
    x, slope = x.copy(), slope.copy()
    for _ in range(20 * len(x) + 100):
        free = (x != 0) | (l1 == 0)
        signs = np.sign(x)
        if np.abs(slope + l1 * signs)[free].max(initial=0) <= enough:
            beyond = np.where(free, 0.0, np.abs(slope) - l1)
            j = int(beyond.argmax())
            if beyond[j] <= enough:
                return x
            free[j], signs[j] = True, -np.sign(slope[j])
        solved = _solve(matrix[np.ix_(free, free)], -(slope + l1 * signs)[free])
        if solved is None:
            return None
        change = np.zeros_like(x)
        change[free] = solved
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings = np.where((x != 0) & (l1 > 0), -x / change, 2.0)
        crossings[~((crossings > 0) & (crossings < 1))] = 2.0
        curved = matrix @ change
        best, least = 1.0, np.inf
        for t in np.append(np.unique(crossings[crossings < 1]), 1.0):
            value = t * (slope @ change) + 0.5 * t * t * (curved @ change) + l1 @ np.abs(x + t * change)
            if value < least:
                best, least = float(t), float(value)
        x = np.where(crossings == best, 0.0, x + best * change)
        slope = slope + best * curved
    return None


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
