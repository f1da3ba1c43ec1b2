"""scipy: rho, rho' and rho'' of squared residuals, and value_and_gradient as what a minimiser calls."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import mpmath
import numpy as np
import pytest
from multiprecision import truth, twin, ulps
from scipy.optimize import least_squares, minimize

import fastloss as fl
from fastloss.adapters.scipy import rho

ROBUST = [
    fl.SquaredError(),
    fl.HalfSquaredError(),
    fl.Huber(delta=0.7),
    fl.SmoothL1(beta=0.3),
    fl.LogCosh(),
    fl.PseudoHuber(delta=1.7),
    fl.Cauchy(c=0.6),
    fl.Welsch(c=1.3),
    fl.Tukey(c=2.5),
]

#: Formulas of losses above, at residuals where neither of both cancels.
FORMULAS = [
    (fl.formula("(z - y)**2/2"), fl.HalfSquaredError()),
    (
        fl.formula("where(abs(z - y) <= d, (y - z)**2/2, d*(abs(z - y) - d/2))", d=0.7),
        fl.Huber(delta=0.7),
    ),
    (fl.formula("d**2*(sqrt(1 + ((z - y)/d)**2) - 1)", d=1.7), fl.PseudoHuber(delta=1.7)),
    (fl.formula("c**2/2*log1p(((z - y)/c)**2)", c=0.6), fl.Cauchy(c=0.6)),
    (fl.formula("c*c/2*(1 - exp(-((z - y)/c)**2))", c=1.3), fl.Welsch(c=1.3)),
    (
        fl.formula("where(abs(z - y) <= c, c**2/6*(1 - (1 - ((z - y)/c)**2)**3), c**2/6)", c=2.5),
        fl.Tukey(c=2.5),
    ),
]


@pytest.mark.parametrize(("written", "own"), FORMULAS, ids=lambda one: one.name)
def test_formulas(written: fl.PointwiseLoss, own: fl.PointwiseLoss) -> None:
    z = np.concatenate([[0.0], np.geomspace(1e-3, 100, 200)])
    np.testing.assert_allclose(rho(written)(z), rho(own)(z), rtol=1e-11, atol=1e-13)
    again = pickle.loads(pickle.dumps(rho(written)))
    np.testing.assert_array_equal(again(z), rho(written)(z))
    x = np.arange(8.0)
    y = 2 * x + np.array([0.1, -0.2, 0, 0.1, 0, -0.1, 0.3, 40])
    fits = [least_squares(lambda w: w[0] * x - y, [1.9], loss=rho(one)).x for one in (written, own)]
    np.testing.assert_allclose(*fits, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("softplus(z) - y*z", "no function of"),
        ("(z - y)**2 + z", "no function of"),
        ("abs(z - y)", "no positive, finite derivative"),
        ("(z - y)**4", "no function of|no positive, finite derivative"),
        ("log_cosh(z - y)", "no function of"),
    ],
)
def test_formulas_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        rho(fl.formula(text))


#: scipy's own losses, with their f_scale where ours has a parameter.
BUILT_IN = [
    ("linear", 1.0, fl.SquaredError()),
    ("linear", 1.0, fl.HalfSquaredError()),
    ("huber", 0.7, fl.Huber(delta=0.7)),
    ("huber", 0.7, fl.SmoothL1(beta=0.7)),
    ("soft_l1", 1.7, fl.PseudoHuber(delta=1.7)),
    ("cauchy", 0.6, fl.Cauchy(c=0.6)),
]


def test_by_hand() -> None:
    np.testing.assert_array_equal(
        rho(fl.Huber(delta=1.0))([0.0, 0.25, 4.0]), [[0, 0.25, 3], [1, 1, 0.5], [0, 0, -1 / 16]]
    )
    np.testing.assert_allclose(
        rho(fl.Cauchy(c=2.0))([0.0, 4.0]), [[0, 4 * np.log(2)], [1, 0.5], [-1 / 4, -1 / 16]], rtol=1e-15
    )
    np.testing.assert_allclose(
        rho(fl.Tukey(c=2.0))([0.0, 9.0]), [[0, 4 / 3], [1, 0], [-1 / 2, 0]], rtol=1e-15
    )


def _formulas(loss: Any) -> list[Any]:
    """rho, rho' and rho'' as functions of z, from the loss's L, L' and L'' by r = sqrt(z)."""
    other = twin(loss)
    zero = np.array([mpmath.mpf(0)], dtype=object)
    curvature = other._hessian(zero, zero)[0]

    def formula(order: int) -> Any:
        def evaluate(y: Any, z: Any) -> Any:
            with mpmath.workdps(800):  # rho'' cancels by as many digits as 1/z has
                r = np.frompyfunc(mpmath.sqrt, 1, 1)(z)
                if order == 0:
                    return 2 * other._value(y, r) / curvature
                slope = other._gradient(y, r) / r
                if order == 1:
                    return slope / curvature
                return (other._hessian(y, r) - slope) / (2 * curvature * z)

        return evaluate

    return [formula(order) for order in range(3)]


@pytest.mark.parametrize("robust", ROBUST, ids=repr)
def test_accuracy(robust: Any, rng: Any) -> None:
    """Within 6 ULP, from denormal squares to huge ones."""
    z = np.concatenate(
        [10.0 ** rng.uniform(-290, -20, 10), 10.0 ** rng.uniform(-20, 8, 60), rng.uniform(0, 4, 30)]
    )
    z = np.append(z, [0.999, 1.0, 1.001, 5e-324])
    found = rho(robust)(z)
    # rho' and rho'' of Welsch carry the error of z times their condition number z/c²; Tukey's have a root.
    condition = np.ones_like(z)
    if isinstance(robust, fl.Welsch):
        condition = np.maximum(1, z / robust.c**2)
    if isinstance(robust, fl.Tukey):
        condition = np.maximum(1, 1 / np.abs(1 - z / robust.c**2))
    for order, formula in enumerate(_formulas(robust)):
        errors = ulps(found[order], truth(formula, np.zeros_like(z), z)) / (condition if order else 1)
        worst = int(errors.argmax())
        assert errors[worst] < 6, (order, z[worst], errors[worst])


@pytest.mark.parametrize("robust", ROBUST, ids=repr)
def test_normalised_at_the_origin(robust: Any) -> None:
    with np.errstate(all="raise"):
        value, first, second = rho(robust)(np.array([0.0, 1e-200]))
    np.testing.assert_array_equal(first, 1)
    np.testing.assert_allclose(value, [0, 1e-200], rtol=1e-15)
    assert np.isfinite(second).all()
    assert (second <= 0).all()


def test_what_least_squares_expects() -> None:
    z = np.array([0.5, 2.0])
    z.flags.writeable = False
    function = rho(fl.PseudoHuber(delta=2.0))
    first, second = function(z), function(z)
    assert first.shape == (3, 2)
    assert first.dtype == np.float64
    assert first is not second
    assert not np.shares_memory(first, second)
    assert first.flags.writeable
    assert function(np.array([], dtype=float)).shape == (3, 0)
    np.testing.assert_array_equal(function(z.astype(np.float32)), first)


def _curve(w: Any, x: Any) -> Any:
    return w[0] + w[1] * np.exp(-w[2] * x)


@pytest.fixture
def measurements(rng: Any) -> tuple[Any, Any]:
    x = np.linspace(0, 8, 60)
    y = _curve([0.5, 2.0, 0.7], x) + 0.03 * rng.normal(size=x.size)
    y[::11] += 8 * rng.uniform(1, 2, y[::11].size)
    return x, y


@pytest.mark.parametrize(("name", "scale", "robust"), BUILT_IN, ids=repr)
@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_fits_as_the_built_in_loss(
    name: str, scale: float, robust: Any, method: str, measurements: Any
) -> None:
    x, y = measurements
    settings = {"x0": [1.0, 1.0, 1.0], "method": method, "xtol": 1e-12, "ftol": 1e-12, "gtol": 1e-12}
    theirs = least_squares(lambda w: _curve(w, x) - y, loss=name, f_scale=scale, **settings)
    ours = least_squares(lambda w: _curve(w, x) - y, loss=rho(robust), **settings)
    np.testing.assert_allclose(ours.cost, theirs.cost, rtol=1e-10)
    # At a minimum, costs that agree to 1e-10 leave their parameters free by the root of that.
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5)


@pytest.mark.parametrize(
    "robust",
    [fl.Huber(delta=0.1), fl.LogCosh(), fl.Welsch(c=0.5), fl.Tukey(c=1.0), fl.Cauchy(c=0.1)],
    ids=repr,
)
def test_outliers_count_less(robust: Any, measurements: Any) -> None:
    """The cost is the loss summed, and the curve comes closer to the true one than by plain squares."""
    x, y = measurements
    true = _curve([0.5, 2.0, 0.7], x)

    def fit(**options: Any) -> Any:
        return least_squares(lambda w: _curve(w, x) - y, x0=[0.6, 1.8, 0.8], **options)

    ours, plain = fit(loss=rho(robust)), fit()
    assert ours.success
    np.testing.assert_allclose(ours.cost, robust(y, _curve(ours.x, x), reduction="sum"), rtol=1e-12)
    error = np.abs(_curve(ours.x, x) - true).max()
    assert error < 0.5 * np.abs(_curve(plain.x, x) - true).max()


@pytest.mark.parametrize(
    "robust", [fl.AbsoluteError(), fl.Quantile(q=0.9), fl.BinaryCrossEntropy(), fl.EuclideanError()]
)
def test_other_losses_are_refused(robust: Any) -> None:
    with pytest.raises(TypeError, match=f"smooth function of the squared residual.*{type(robust).__name__}"):
        rho(robust)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match=r"SmoothL1\(beta=0.0\) has a kink"):
        rho(fl.SmoothL1(beta=0.0))
    with pytest.raises(TypeError, match="'huber'"):
        rho("huber")
    with pytest.raises(ValueError, match=r"z\[1\] = -1.0 is negative"):
        rho(fl.Huber())([1.0, -1.0])
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        rho(fl.Huber())([[1.0], [1.0]])


@pytest.mark.parametrize("robust", ROBUST, ids=repr)
def test_copies(robust: Any) -> None:
    function = rho(robust)
    z = np.array([0.0, 0.5, 9.0])
    for other in (pickle.loads(pickle.dumps(function)), copy.deepcopy(function)):
        np.testing.assert_array_equal(other(z), function(z))
        assert repr(other) == repr(function) == f"rho({robust!r})"


@pytest.mark.parametrize("method", ["BFGS", "CG", "L-BFGS-B", "TNC", "SLSQP", "trust-constr"])
def test_value_and_gradient_for_minimize(method: str, rng: Any) -> None:
    """A linear model by every kind of solver: at the solution the gradient by the weights vanishes."""
    features = rng.normal(size=(80, 3))
    y = features @ [1.0, -2.0, 0.5] + rng.standard_t(2, 80)
    loss = fl.LogCosh()

    def objective(w: Any) -> tuple[float, Any]:
        value, gradient = loss.value_and_gradient(y, features @ w)
        return value, features.T @ gradient

    fit = minimize(objective, np.zeros(3), jac=True, method=method)
    assert np.abs(objective(fit.x)[1]).max() < 1e-4
