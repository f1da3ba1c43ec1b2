"""A line search may leave a bounded domain of predictions: infinite there, the gradient leads back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

import fastloss as fl

BOUNDED = [
    (fl.SquaredLogError(), [0.5, 2.0, 0.0], -1.0, math.inf),
    (fl.BinaryCrossEntropy(from_logits=False), [0, 1, 1], 0.0, 1.0),
    (fl.BinaryFocal(from_logits=False), [0, 1, 1], 0.0, 1.0),
    (fl.CrossEntropy(from_logits=False), [0, 1, 1], 0.0, 1.0),
    (fl.Focal(from_logits=False), [0, 1, 1], 0.0, 1.0),
    (fl.KLDivergence(), [[0.5, 0.5]] * 3, 0.0, math.inf),
    (fl.JSDivergence(), [[0.5, 0.5]] * 3, 0.0, math.inf),
]
X = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])


def outside(loss, y, _low, _high, **options):
    """Return an objective and parameters whose predictions are partly outside the domain."""
    objective = fl.LinearObjective(loss, X, y, fl.L2(), **options)
    w = np.linspace(0.125, 0.25, objective.size)
    w[0] = -3.0
    return objective, w


@pytest.mark.parametrize(("of", "y", "low", "high"), BOUNDED, ids=lambda x: str(x))
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 3.0]], ids=str)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_infinite_with_the_gradient_of_the_distance(of, y, low, high, weight, sparse):
    objective, w = outside(of, y, low, high, sample_weight=weight)
    if sparse:
        from scipy.sparse import csr_array

        objective = fl.LinearObjective(of, csr_array(X), y, fl.L2(), sample_weight=weight)
    shares = np.ones(3) / 3 if weight is None else np.array(weight) / 6

    def distance(w):
        matrix = w.reshape(-1, 3)
        z = X @ matrix[:, :2].T + matrix[:, 2]
        return float(shares @ (np.maximum(low - z, 0) + np.maximum(z - high, 0)).sum(axis=1))

    assert distance(w) > 0
    value, gradient = objective(w)
    assert value == math.inf
    step = 1e-6
    expected = [(distance(w + d) - distance(w - d)) / (2 * step) for d in step * np.eye(objective.size)]
    np.testing.assert_allclose(gradient, expected, atol=1e-8)
    assert gradient.dtype == np.float64


def fit(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3)) * rng.choice([1, 3, 10])
    return fl.LinearObjective(fl.SquaredLogError(), X, np.exp(1.5 * rng.normal(size=60)))


@pytest.mark.parametrize(
    "method", ["BFGS", "CG", "Newton-CG", "TNC", "SLSQP", "trust-ncg", "trust-krylov", "trust-constr"]
)
@pytest.mark.filterwarnings("ignore")  # scipy subtracts infinities from each other
def test_optimisers_come_back(method):
    left = 0
    for seed in range(12):
        objective = fit(seed)
        values = []

        def counted(w, objective=objective, values=values):
            value, gradient = objective(w)
            values.append(value)
            return value, gradient

        newton = {"hessp": objective.hessp} if method.startswith(("Newton", "trust")) else {}
        found = minimize(counted, objective.initial(), jac=True, method=method, **newton)
        left += math.inf in values
        newton = {"hessp": objective.hessp, "options": {"gtol": 1e-8}}
        best = minimize(objective, objective.initial(), jac=True, method="trust-ncg", **newton).fun
        assert found.fun <= best * (1 + 1e-3)
    assert left > 0 or method.startswith(("Newton", "trust"))


def test_lbfgsb_as_in_the_documentation():
    for seed in range(12):
        objective = fit(seed)
        start = objective(objective.initial())[0]

        def finite(w, objective=objective, start=start):
            value, gradient = objective(w)
            return min(value, 10 * start), gradient

        found = minimize(finite, objective.initial(), jac=True, method="L-BFGS-B")
        newton = {"hessp": objective.hessp, "options": {"gtol": 1e-8}}
        best = minimize(objective, objective.initial(), jac=True, method="trust-ncg", **newton).fun
        assert found.fun <= best * (1 + 1e-3)


def test_bad_data_stay_an_error():
    with pytest.raises(ValueError, match=r"y_true\[1\] = -2.0"):
        fl.LinearObjective(fl.SquaredLogError(), X, [1.0, -2.0, 1.0])
    y = np.array([1.0, 2.0, 3.0])
    objective = fl.LinearObjective(fl.SquaredLogError(), X, y)
    y[1] = -2.0
    with pytest.raises(ValueError, match=r"y_true\[1\] = -2.0"):
        objective(np.zeros(3))
    with pytest.raises(ValueError, match=r"y_true\[1\] = -2.0"):
        objective(np.array([-3.0, 0.0, 0.5]))


def test_nan_stays_an_error_and_the_hessian_too():
    objective, w = outside(*BOUNDED[1])
    with pytest.raises(ValueError, match=r"y_pred\[0\] = nan"):
        objective(np.array([np.nan, 0.0, 0.5]))
    with pytest.raises(ValueError, match=r"y_pred\[0\] = -2.75 is outside the domain"):
        objective.hessp(w, w)


def test_inside_nothing_changes():
    objective, _ = outside(*BOUNDED[0])
    assert math.isfinite(objective(np.array([0.1, 0.1, 0.1]))[0])
