"""The functions of formulas: within 2 ULP wherever a search looks, and right at their ends."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import fastloss as fl
from formulas import truth as formula_truth
from formulas.truth import BOUNDS, FUNCTIONS, truths, ulps

DTYPES = [np.float32, np.float64]


def apply(name: str, x: np.ndarray) -> np.ndarray:
    return fl.formula(f"{name}(z)")(np.zeros_like(x), x, reduction="none")


def inside(name: str, x: np.ndarray) -> np.ndarray:
    low, high = FUNCTIONS[name][1]
    return x[(x > low) & (x < high)]


def searched(name: str, dtype: type, rng: np.random.Generator, rounds: int) -> tuple[float, float]:
    """The largest error near the arguments that had large ones, and where it is."""
    low, high = FUNCTIONS[name][1]
    magnitudes = np.exp(rng.uniform(-12, np.log(max(-low, high)), 300)) * rng.choice([-1, 1], 300)
    x = np.concatenate([magnitudes, rng.uniform(max(low, -3), 3, 300), rng.uniform(max(low, -12), 12, 200)])
    worst = (0.0, 0.0)
    for _ in range(rounds):
        x = inside(name, x.astype(dtype))
        errors = ulps(apply(name, x), truths(name, x))
        best = np.argsort(errors)[-30:]
        worst = max(worst, (float(errors[best[-1]]), float(x[best[-1]])))
        near = x[best].astype(np.float64)
        scales = np.repeat(10.0 ** -np.arange(1, 8, 0.5), 30)
        x = np.tile(near, 14) * (1 + rng.normal(size=scales.size) * scales)
    return worst


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_search_finds_more_than_two_ulp(name: str, dtype: type) -> None:
    error, where = searched(name, dtype, np.random.default_rng(len(name)), 3)
    assert error <= BOUNDS.get(name, 2.0), (error, where)


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers(dtype: type) -> None:
    rng = np.random.default_rng(1)
    x = np.exp(rng.normal(0, 3, 600))
    x[::3] = 1 + rng.normal(0, 0.1, 200)
    x = np.abs(x).astype(dtype)
    range_of_exponents = 80 if dtype == np.float32 else 700
    p = (rng.uniform(-1, 1, 600) * range_of_exponents / np.log(x.astype(np.float64))).astype(dtype)
    found = fl.formula("z**y")(p, x, reduction="none")
    with mpmath.workdps(60):
        true = [mpmath.mpf(float(a)) ** mpmath.mpf(float(b)) for a, b in zip(x, p, strict=True)]
    assert ulps(found, true).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("power", [0.3, 1.3, 7.5])
def test_powers_of_sigmoids(power: float, dtype: type) -> None:
    rng = np.random.default_rng(2)
    lowest = (-80 if dtype == np.float32 else -700) / power
    x = np.concatenate([rng.normal(0, 3, 500), rng.uniform(lowest, 40, 500)]).astype(dtype)
    for text, sign in (("sigmoid(z)**p", 1), ("sigmoid(-z)**p", -1)):
        found = fl.formula(text, p=power)(np.zeros_like(x), sign * x, reduction="none")
        with mpmath.workdps(60):
            true = [(1 / (1 + mpmath.exp(-mpmath.mpf(float(a))))) ** mpmath.mpf(power) for a in x]
        assert ulps(found, true).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_exponent_is_not_rounded(dtype: type) -> None:
    x = np.array([1e-30, 0.3, 7.0, 1e30], dtype)
    found = fl.formula("z**p", p=1.1)(np.zeros_like(x), x, reduction="none")
    with mpmath.workdps(60):
        true = [mpmath.mpf(float(a)) ** mpmath.mpf(1.1) for a in x]
    assert ulps(found, true).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_zero_infinity_and_negative_numbers(dtype: type) -> None:
    x = np.array([0, 0, -2, -2, -2, np.inf, np.inf, -0.0, 5], dtype)
    p = np.array([2.5, -2, 3, 2, 0.5, 2, -1, 3, 0], dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(fl.formula("z**y")(p, x, reduction="none"), x**p)


@pytest.mark.parametrize("dtype", DTYPES)
def test_ends(dtype: type) -> None:
    x = np.array([-np.inf, -1.0, 0.0, np.inf], dtype)
    nan, inf = np.nan, np.inf
    expected = {
        "erf": [-1, -0.8427008, 0, 1],
        "normal_cdf": [0, 0.1586553, 0.5, 1],
        "normal_log_cdf": [-inf, -1.8410216, -0.6931472, 0],
        "lgamma": [nan, nan, inf, inf],
        "digamma": [nan, nan, -inf, inf],
        "sinh": [-inf, -1.1752012, 0, inf],
        "cosh": [inf, 1.5430806, 1, inf],
        "expm1": [-1, -0.6321206, 0, inf],
        "log": [nan, nan, -inf, inf],
        "log1p": [nan, -inf, 0, inf],
        "sqrt": [nan, nan, 0, inf],
        "softplus": [0, 0.3132617, 0.6931472, inf],
        "sigmoid": [0, 0.2689414, 0.5, 1],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(apply(name, x), values, rtol=1e-6, err_msg=name)
        assert np.isnan(apply(name, np.array([nan], dtype))).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_sum_and_xlogy(dtype: type) -> None:
    inf = np.inf
    y = np.array([0, 1000, -inf, inf, -inf, 0.5], dtype)
    z = np.array([0, 1000, -inf, 0, 3, -80], dtype)
    with np.errstate(all="ignore"):
        expected = np.logaddexp(y.astype(np.float64), z.astype(np.float64))
    np.testing.assert_allclose(fl.formula("logaddexp(y, z)")(y, z, reduction="none"), expected, rtol=1e-6)
    assert fl.formula("xlogy(y, z)")([0.0], [0.0]) == 0
    assert fl.formula("xlogy(y, z)")([2.0], [3.0]) == pytest.approx(2 * np.log(3))
    assert fl.formula("y*xlogy(3, z)")([2.0], [3.0]) == pytest.approx(6 * np.log(3))
    assert fl.formula("z*xlogy(y, 3)")([2.0], [3.0]) == pytest.approx(6 * np.log(3))
    assert fl.formula("z*xlogy(y, 3)")([0.0], [3.0]) == fl.formula("z*xlogy(y, 0)")([0.0], [3.0]) == 0


def test_truth_is_of_the_functions_named() -> None:
    assert set(FUNCTIONS) <= set(fl.functions.__all__)
    assert float(formula_truth.normal_log_cdf(mpmath.mpf(0))) == pytest.approx(-np.log(2))
