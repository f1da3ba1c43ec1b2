"""Sinkhorn divergences: closed forms, linear programming, invariants, gradients, convergence, bad input."""

from __future__ import annotations

import math
import signal
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.optimize import linprog

import fastloss as fl
from transport.test_wasserstein import finite_differences

COSTS = ["sqeuclidean", "euclidean"]


def clouds(rng: np.random.Generator, n: int = 12, m: int = 9, d: int = 2) -> Any:
    return (
        rng.normal(size=(n, d)),
        rng.normal(0.4, 1.3, size=(m, d)),
        rng.random(n) + 0.1,
        rng.random(m) + 0.1,
    )


def least_cost(costs: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    m, k = costs.shape
    rows, columns = np.kron(np.eye(m), np.ones(k)), np.kron(np.ones(m), np.eye(k))
    return linprog(costs.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b])).fun


def costs_between(x: np.ndarray, y: np.ndarray, cost: str) -> np.ndarray:
    squares = ((x[:, None] - y) ** 2).sum(axis=2)
    return squares if cost == "sqeuclidean" else np.sqrt(squares)


@pytest.mark.parametrize(("cost", "expected"), [("sqeuclidean", 25.0), ("euclidean", 5.0)])
@pytest.mark.parametrize("debiased", [True, False])
def test_one_point_each(cost: Any, expected: float, debiased: bool) -> None:
    loss = fl.Sinkhorn(reg=0.3, cost=cost, debiased=debiased)
    value, gradient = loss.value_and_gradient([[0.0, 0.0]], [[3.0, -4.0]])
    assert value == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(gradient, np.array([[3.0, -4.0]]) * (2 if cost == "sqeuclidean" else 0.2))


@pytest.mark.parametrize("reg", [0.02, 0.5, 10.0])
def test_two_points_in_closed_form(reg: float) -> None:
    """By symmetry the plan is (q, 1 - q; 1 - q, q)/2 with q = 1/(1 + e^(-1/reg))."""
    q = 1 / (1 + math.exp(-1 / reg))
    entropy = sum(x * math.log(2 * x) for x in (q, 1 - q) if x > 0)
    expected = (1 - q) + reg * entropy
    loss = fl.Sinkhorn(reg=reg, debiased=False, tol=1e-13)
    assert loss([[0.0], [1.0]], [[0.0], [1.0]]) == pytest.approx(expected, rel=1e-14)
    assert fl.Sinkhorn(reg=reg)([0.0, 1.0], [1.0, 0.0]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("cost", COSTS)
def test_is_the_optimum_of_the_dual_to_thirty_digits(cost: Any) -> None:
    """The potentials of 3 x 2 points as the root of the marginals' equations, in multi-precision."""
    x, y = np.array([[0.0, 1.0], [2.0, 0.5], [-1.0, 0.0]]), np.array([[0.5, 0.5], [1.5, -1.0]])
    a, b, reg = [0.5, 0.125, 0.375], [0.25, 0.75], 0.25
    c = costs_between(x, y, cost)
    with mpmath.workdps(30):
        eps = mpmath.mpf(reg)

        def plan(f: Any, g: Any, i: int, j: int) -> Any:
            return a[i] * b[j] * mpmath.exp((f[i] + g[j] - mpmath.mpf(float(c[i, j]))) / eps)

        def equations(*z: Any) -> Any:
            f, g = z[:3], [*z[3:], mpmath.mpf(0)]
            rows = [sum(plan(f, g, i, j) for j in range(2)) / a[i] - 1 for i in range(3)]
            return [*rows, sum(plan(f, g, i, 0) for i in range(3)) / b[0] - 1]

        root = list(mpmath.findroot(equations, [1.0, 1.0, 1.0, 0.1], tol=1e-25, maxsteps=100))
        expected = float(sum(w * z for w, z in zip([*a, b[0]], root, strict=True)))
    loss = fl.Sinkhorn(reg=reg, cost=cost, debiased=False, tol=1e-12)
    assert loss(x, y, a, b) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("debiased", [True, False])
def test_is_the_twin(cost: Any, debiased: bool, rng: np.random.Generator) -> None:
    x, y, a, b = clouds(rng)
    loss = fl.Sinkhorn(reg=0.5, cost=cost, debiased=debiased, tol=1e-12)
    value, gradient = loss.value_and_gradient(x, y, a, b)
    twin = fl.reference.twin(loss)
    assert twin.parameters == loss.parameters
    # Plain iterations need many more than accelerated ones.
    twin.max_iter = 100_000
    expected = twin.value_and_gradient(x, y, a, b)
    assert value == pytest.approx(expected[0], rel=1e-11)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-11)
    assert loss(x, y, a, b) == value
    np.testing.assert_array_equal(loss.gradient(x, y, a, b), gradient)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("d", [1, 3, 14])
def test_gradient_is_the_slope(cost: Any, debiased: bool, d: int, rng: np.random.Generator) -> None:
    x, y, a, b = clouds(rng, 7, 5, d)
    b[1] = 0
    loss = fl.Sinkhorn(reg=0.2 * d, cost=cost, debiased=debiased, tol=1e-11)
    slope = finite_differences(lambda z: loss(x, z, a, b), y, 1e-5)
    np.testing.assert_allclose(loss.gradient(x, y, a, b), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("share", [1e-3, 1e-2])
def test_small_regularisation_is_the_linear_program(
    cost: Any, share: float, rng: np.random.Generator
) -> None:
    """OT <= OT_reg <= OT + reg·log(1/min weight), down to a thousandth of the median cost."""
    x, y, _, _ = clouds(rng, 30, 30)
    c = costs_between(x, y, cost)
    reg, w = share * float(np.median(c)), np.full(30, 1 / 30)
    value = fl.Sinkhorn(reg=reg, cost=cost, debiased=False, max_iter=20_000)(x, y)
    exact = least_cost(c, w, w)
    assert exact - 1e-6 <= value <= exact + reg * math.log(30)


@pytest.mark.parametrize("debiased", [True, False])
def test_moving_a_cloud(debiased: bool, rng: np.random.Generator) -> None:
    """With squared distances a shift by t adds |t|^2 + 2 t·(mean y - mean x)."""
    x, y, a, b = clouds(rng)
    a, b = a / a.sum(), b / b.sum()
    loss = fl.Sinkhorn(reg=0.05, debiased=debiased, max_iter=10_000)
    value = loss(x, y, a, b)
    for t in (np.array([100.0, -30.0]), np.array([1e4, 0.0])):
        expected = value + t @ t + 2 * t @ (b @ y - a @ x)
        shifted, gradient = loss.value_and_gradient(x, y + t, a, b)
        assert shifted == pytest.approx(expected, rel=1e-9)
        np.testing.assert_allclose(gradient.sum(axis=0), 2 * (b @ y + t - a @ x), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("cost", COSTS)
def test_invariants(cost: Any, rng: np.random.Generator) -> None:
    x, y, a, b = clouds(rng)
    loss = fl.Sinkhorn(reg=0.1, cost=cost, tol=1e-9)
    value = loss(x, y, a, b)
    assert value > 0
    assert loss(y, x, b, a) == pytest.approx(value, abs=1e-9)
    assert loss(x, x, a, a) == pytest.approx(0, abs=1e-12)
    assert loss(x, x[::-1], a, a[::-1]) == pytest.approx(0, abs=1e-9)
    assert loss(x, y, 7 * a, b / 3) == pytest.approx(value, abs=1e-9)
    # Points of no weight change nothing, nor does the same point twice at half the weight.
    far = np.vstack([x, [[50.0, 50.0]]])
    assert loss(far, y, np.append(a, 0), b) == pytest.approx(value, abs=1e-8)
    assert loss(np.vstack([x, x]), y, np.tile(a, 2), b) == pytest.approx(value, abs=1e-8)
    # The units of length: costs scale, and reg with them.
    power = 2 if cost == "sqeuclidean" else 1
    scaled = fl.Sinkhorn(reg=0.1 * 8.0**power, cost=cost, tol=1e-9)(8 * x, 8 * y, a, b)
    assert scaled == pytest.approx(8.0**power * value, rel=1e-8)
    # Coordinates that all points share change nothing, though many are computed by another path.
    wide = fl.Sinkhorn(reg=0.1, cost=cost, tol=1e-9)
    assert wide(np.pad(x, ((0, 0), (0, 13))), np.pad(y, ((0, 0), (0, 13))), a, b) == pytest.approx(
        value, abs=1e-9
    )


@pytest.mark.parametrize("cost", COSTS)
def test_gradient_vanishes_on_equal_clouds(cost: Any, rng: np.random.Generator) -> None:
    x = np.repeat(rng.normal(size=(8, 2)), 2, axis=0)
    gradient = fl.Sinkhorn(reg=0.3, cost=cost, tol=1e-10).gradient(x, x)
    np.testing.assert_allclose(gradient, 0, atol=1e-8)


def test_warns_when_it_has_not_converged(rng: np.random.Generator) -> None:
    x, y, _, _ = clouds(rng)
    for max_iter in (1, 3, 30):
        loss = fl.Sinkhorn(reg=1e-3, max_iter=max_iter, debiased=False)
        with pytest.warns(
            fl.ConvergenceWarning, match=rf"max_iter={max_iter}\) stopped after {max_iter} iter"
        ) as w:
            loss(x, y)
        assert w[0].filename == __file__
    assert issubclass(fl.ConvergenceWarning, UserWarning)
    fl.Sinkhorn(reg=1e-3, max_iter=5, tol=100)(x, x + 0.01)


def test_a_far_point_without_mass_does_not_hide_that_it_has_not_converged() -> None:
    x, y = np.array([[0.0], [1.0], [100.0]]), np.array([[0.0], [1.5]])
    with pytest.warns(fl.ConvergenceWarning, match="stopped after 2 iter"):
        assert fl.Sinkhorn(reg=0.01, max_iter=2, debiased=False)(x, y, [1, 1, 0], [2, 1]) > 0


@pytest.mark.parametrize(("n", "m", "d"), [(400, 300, 2), (200, 400, 20)])
def test_same_bits_for_any_number_of_threads(n: int, m: int, d: int, rng: np.random.Generator) -> None:
    x, y, a, b = clouds(rng, n, m, d)
    loss = fl.Sinkhorn(reg=2.0 * d)
    one = loss.value_and_gradient(x, y, a, b, n_threads=1)
    for n_threads in (2, 3, 8):
        value, gradient = loss.value_and_gradient(x, y, a, b, n_threads=n_threads)
        assert value == one[0]
        np.testing.assert_array_equal(gradient, one[1])


@pytest.mark.parametrize("size", [1, 2, 3, 15, 16, 17, 255, 256, 257])
def test_sizes_around_lanes_and_tiles(size: int, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(size, 2)), rng.normal(size=(7, 2))
    loss = fl.Sinkhorn(reg=1.0, debiased=False, tol=1e-10)
    twin = fl.reference.twin(loss)
    for first, second in ((x, y), (y, x)):
        value, gradient = loss.value_and_gradient(first, second)
        expected = twin.value_and_gradient(first, second)
        assert value == pytest.approx(expected[0], rel=1e-10)
        np.testing.assert_allclose(gradient, expected[1], rtol=1e-7, atol=1e-10)


def test_dtypes_layouts_and_out(rng: np.random.Generator) -> None:
    x, y, _, _ = clouds(rng, 20, 10)
    x, y = x.astype(np.float32), y.astype(np.float32)
    loss = fl.Sinkhorn(reg=0.5)
    value, gradient = loss.value_and_gradient(x.astype(float), y.astype(float))
    y.flags.writeable = False
    single = loss.value_and_gradient(np.asfortranarray(x), np.repeat(y, 2, axis=1)[:, ::2])
    assert single[0] == value
    assert single[1].dtype == np.float32
    np.testing.assert_array_equal(single[1], gradient.astype(np.float32))
    assert loss(x.tolist(), y.astype(">f8")) == value
    out = y.astype(float)
    assert loss.gradient(x, out, out=out) is out
    np.testing.assert_array_equal(out, gradient)
    line = loss.gradient(x[:, 0], y[:, 0])
    assert line.shape == (10,)
    np.testing.assert_array_equal(line, loss.gradient(x[:, :1], y[:, :1])[:, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, float("nan")]], [[1.0, 2.0]]), r"X\[0, 1\] = nan: expected finite"),
        (([[0.0]], [[1.0], [float("inf")]]), r"Y\[1, 0\] = inf"),
        (([0.0], [1.0, 2.0, float("inf")]), r"Y\[2\] = inf"),
        (([[0.0]], [[1.0, 2.0]]), "X has points of 1 coordinates, but Y of 2"),
        (([], [1.0]), r"X has shape \(0,\)"),
        ((np.zeros((2, 0)), np.zeros((2, 0))), r"X has shape \(2, 0\)"),
        ((np.zeros((2, 2, 2)), [[1.0]]), r"X has shape \(2, 2, 2\)"),
        (([0.0, 1.0], [1.0], [1.0]), r"x_weights has shape \(1,\), expected \(2,\)"),
        (([0.0, 1.0], [1.0], [1.0, -1.0]), r"x_weights\[1\] = -1.0: masses"),
        (([0.0, 1.0], [1.0], None, [float("nan")]), r"y_weights\[0\] = nan"),
        (([0.0, 1.0], [1.0], [0.0, 0.0]), "x_weights sums to 0"),
        (([0.0], [1e300]), "costs up to inf"),
        (([0.0], [1e7]), r"costs up to 1e\+14 are beyond what reg=0.05"),
    ],
)
def test_bad_input(arguments: Any, message: str) -> None:
    for verb in ("__call__", "gradient", "value_and_gradient"):
        with pytest.raises(ValueError, match=message):
            getattr(fl.Sinkhorn(), verb)(*arguments)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"reg": 0}, ValueError, "reg"),
        ({"reg": float("inf")}, ValueError, "reg"),
        ({"tol": -1e-3}, ValueError, "tol"),
        ({"cost": "cityblock"}, ValueError, "cost .*'cityblock'"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"max_iter": 2**40}, ValueError, "max_iter"),
        ({"max_iter": 1.5}, TypeError, "max_iter"),
        ({"debiased": 1}, TypeError, "debiased"),
    ],
)
def test_bad_parameters(parameters: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        fl.Sinkhorn(**parameters)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_can_be_interrupted(rng: np.random.Generator) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    x, y, _, _ = clouds(rng, 300, 300)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            fl.Sinkhorn(reg=1e-3, tol=1e-300, max_iter=10**9)(x, y)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
