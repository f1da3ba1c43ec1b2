"""Where the minimum is known, scipy's solvers find it: closed forms, scikit-learn's models on real data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import HuberRegressor, LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import fastloss as fl

#: scipy's methods that take a gradient, with options that make them go on to the end.
SOLVERS = {
    "L-BFGS-B": {"gtol": 1e-9, "ftol": 1e-16, "maxiter": 2_000, "maxls": 50},
    "BFGS": {"gtol": 1e-9, "maxiter": 2_000},
    "CG": {"gtol": 1e-9, "maxiter": 2_000},
    "Newton-CG": {"xtol": 1e-12},
    "trust-ncg": {"gtol": 1e-9},
    "trust-krylov": {"gtol": 1e-9},
    "trust-constr": {"gtol": 1e-10, "xtol": 1e-14},
}
#: These two stop at a curvature of 1e-15, or where a step no longer shows in the value: they get a multiple.
TIMES = {"Newton-CG": 1e4, "trust-krylov": 1e4}
SECOND_ORDER = {"Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"}


# A step that the last digits of the value forbid ends some solvers with a warning, at the optimum.
@pytest.fixture(autouse=True)
def _quiet_and_alone():
    # Several threads of BLAS wait for each other on a busy machine, longer than the products take.
    with np.errstate(all="ignore"), threadpool_limits(1):
        yield


def solve(objective, solver, start=None):
    start = objective.initial() if start is None else start
    times = TIMES.get(solver, 1)

    def multiple(w):
        value, gradient = objective(w)
        return times * value, times * gradient

    def hessp(w, v):
        return times * objective.hessp(w, v)

    fit = minimize(
        multiple if times > 1 else objective,
        start,
        jac=True,
        hessp=hessp if solver in SECOND_ORDER else None,
        method=solver,
        options=SOLVERS[solver],
    )
    return objective.unpack(fit.x)


def standardised(load):
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def assert_six_digits(actual, expected):
    """Each number to six digits of the largest."""
    expected = np.asarray(expected, float)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("solver", SOLVERS)
def test_ridge_in_closed_form(solver, rng):
    X, alpha = rng.normal(0, 1, (60, 4)), 0.37
    y, weight = X @ [1.0, -2.0, 0.5, 0.0] + 3 + rng.normal(0, 1, 60), rng.random(60)
    objective = fl.LinearObjective(fl.HalfSquaredError(), X, y, fl.L2(alpha), sample_weight=weight)
    # (Xᵀ S X/Σs + α·I without the intercept) w = Xᵀ S y/Σs
    A = np.column_stack([X, np.ones(60)])
    S = weight / weight.sum()
    w = np.linalg.solve((A.T * S) @ A + alpha * np.diag([1, 1, 1, 1, 0]), (A.T * S) @ y)
    coef, intercept = solve(objective, solver)
    assert_six_digits([*coef, intercept], w)


def test_lasso_of_one_orthogonal_design():
    # With XᵀX/n = I the lasso shrinks each least-squares coefficient towards 0 by α.
    X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    objective = fl.LinearObjective(fl.HalfSquaredError(), X, X @ [2.0, -1.0], fl.L1(alpha=0.25))
    coef, intercept = solve(objective, "L-BFGS-B", np.array([1.0, -0.5, 0.0]))
    np.testing.assert_allclose([*coef, intercept], [1.75, -0.75, 0], atol=1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
def test_logistic_regression(solver):
    X, y = standardised(load_breast_cancer)
    C = 0.7
    model = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12).fit(X, y)
    objective = fl.LinearObjective(fl.BinaryCrossEntropy(), X, y, fl.L2(1 / (C * len(y))))
    coef, intercept = solve(objective, solver)
    assert_six_digits([*coef, intercept], [*model.coef_[0], *model.intercept_])


@pytest.mark.parametrize(
    "convert", [np.asarray, np.asfortranarray, scipy.sparse.csr_array, scipy.sparse.csc_matrix]
)
def test_multinomial_regression(convert):
    X, y = load_digits(n_class=4, return_X_y=True)
    X, C = X / 16, 0.1
    weight = 1 + y / 3
    model = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12).fit(X, y, weight)
    alpha = 1 / (C * weight.sum())
    objective = fl.LinearObjective(fl.CrossEntropy(), convert(X), y, fl.L2(alpha), sample_weight=weight)
    coef, intercept = solve(objective, "Newton-CG")
    assert_six_digits(coef, model.coef_)
    # The same number added to all intercepts changes nothing.
    assert_six_digits(intercept - intercept.mean(), model.intercept_ - model.intercept_.mean())


@pytest.mark.parametrize("solver", ["L-BFGS-B", "Newton-CG"])
def test_ridge_regression(solver):
    X, y = standardised(load_diabetes)
    model = Ridge(alpha=3.0, solver="cholesky").fit(X, y)
    objective = fl.LinearObjective(fl.HalfSquaredError(), X, y, fl.L2(3.0 / len(y)))
    coef, intercept = solve(objective, solver)
    assert_six_digits([*coef, intercept], [*model.coef_, model.intercept_])


@pytest.mark.parametrize("solver", ["L-BFGS-B", "trust-ncg"])
def test_poisson_regression(solver):
    X, y = standardised(load_diabetes)
    model = PoissonRegressor(alpha=0.01, solver="newton-cholesky", tol=1e-12).fit(X, y)
    objective = fl.LinearObjective(fl.Poisson(), X, y, fl.L2(0.01))
    start = objective.initial()
    start[-1] = np.log(y.mean())
    coef, intercept = solve(objective, solver, start)
    assert_six_digits([*coef, intercept], [*model.coef_, model.intercept_])


@pytest.mark.parametrize("solver", ["L-BFGS-B", "trust-ncg"])
def test_huber_regression_at_its_scale(solver):
    # Its objective is n·σ + Σ H_ε(r/σ)·σ + α·|w|² with H = 2·Huber; σ fixed, that is 2n/σ times ours.
    X, y = standardised(load_diabetes)
    model = HuberRegressor(epsilon=1.35, alpha=5.0, max_iter=1_000, tol=1e-12, warm_start=True)
    # Each fit stops once the value changes by less than 1e-9 of itself: begun again, it goes on.
    for _ in range(20):
        model.fit(X, y)
    sigma = model.scale_
    objective = fl.LinearObjective(fl.Huber(1.35 * sigma), X, y, fl.L2(5.0 * sigma / len(y)))
    start = objective.initial()
    start[-1] = np.median(y)
    coef, intercept = solve(objective, solver, start)
    assert_six_digits(coef, model.coef_)
    assert intercept == pytest.approx(model.intercept_, rel=1e-7)


def test_float32_start_and_data():
    X, y = standardised(load_breast_cancer)
    exact = fl.LinearObjective(fl.BinaryCrossEntropy(), X, y, fl.L2(0.01))
    single = fl.LinearObjective(fl.BinaryCrossEntropy(), X.astype(np.float32), y, fl.L2(0.01))
    coef, intercept = solve(exact, "Newton-CG")
    for solver in ("L-BFGS-B", "trust-ncg", "BFGS"):
        options = {"gtol": 1e-5}
        hessp = single.hessp if solver in SECOND_ORDER else None
        start = single.initial().astype(np.float32)
        fit = minimize(single, start, jac=True, hessp=hessp, method=solver, options=options)
        np.testing.assert_allclose(fit.x, [*coef, intercept], atol=2e-3)
        assert np.abs(exact(fit.x)[1]).max() < 2e-5
