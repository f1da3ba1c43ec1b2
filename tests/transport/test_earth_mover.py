"""Earth mover's distance: handed to POT; by hand, against linear programming, and on the line."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from transport.test_sinkhorn import COSTS, clouds, costs_between, least_cost
from transport.test_wasserstein import finite_differences

# Importing POT imports the other array libraries that are there, and theirs warn.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:ot")


@pytest.mark.parametrize(("cost", "power"), [("euclidean", 1), ("sqeuclidean", 2)])
def test_by_hand(cost: Any, power: int) -> None:
    loss = fl.EarthMover(cost=cost)
    value, gradient = loss.value_and_gradient([[0.0, 0.0], [0.0, 10.0]], [[3.0, 14.0], [6.0, 8.0]])
    # The first goes to (6, 8), 10 away, the second to (3, 14), 5 away.
    assert value == pytest.approx((10**power + 5**power) / 2)
    unit = np.array([[3.0, 4.0], [6.0, 8.0]])
    slope = unit / [[5.0], [10.0]] if power == 1 else 2 * unit
    np.testing.assert_allclose(gradient, slope / 2, rtol=1e-14)


@pytest.mark.parametrize("cost", COSTS)
def test_is_the_linear_program(cost: Any, rng: np.random.Generator) -> None:
    x, y, a, b = clouds(rng)
    exact = least_cost(costs_between(x, y, cost), a / a.sum(), b / b.sum())
    loss = fl.EarthMover(cost=cost)
    assert loss(x, y, a, b) == pytest.approx(exact, rel=1e-9)
    assert loss(x, x, a, a) == pytest.approx(0, abs=1e-15)
    slope = finite_differences(lambda z: loss(x, z, a, b), y)
    np.testing.assert_allclose(loss.gradient(x, y, a, b), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("cost", COSTS)
def test_twin(cost: Any, rng: np.random.Generator) -> None:
    """By augmenting paths: the linear program's cost, and the gradient of the same plan."""
    x, y, a, b = clouds(rng)
    twin = fl.reference.twin(fl.EarthMover(cost=cost))
    value, gradient = twin.value_and_gradient(x, y, a, b)
    exact = least_cost(costs_between(x, y, cost), a / a.sum(), b / b.sum())
    assert value == pytest.approx(exact, rel=1e-9)
    np.testing.assert_allclose(gradient, fl.EarthMover(cost=cost).gradient(x, y, a, b), rtol=1e-9, atol=1e-12)


def test_on_the_line_it_is_wasserstein(rng: np.random.Generator) -> None:
    u, v = rng.normal(size=50), rng.normal(1, 2, size=50)
    for cost, line in (("euclidean", fl.Wasserstein()), ("sqeuclidean", fl.Wasserstein(p=2))):
        power = 1 if cost == "euclidean" else 2
        value, gradient = fl.EarthMover(cost=cost).value_and_gradient(u, v)
        expected, slope = line.value_and_gradient(u, v)
        assert value == pytest.approx(expected**power, rel=1e-12)
        np.testing.assert_allclose(gradient, power * expected ** (power - 1) * slope, rtol=1e-9, atol=1e-12)


def test_is_below_every_sinkhorn_cost(rng: np.random.Generator) -> None:
    x, y, a, b = clouds(rng)
    loss = fl.Sinkhorn(reg=0.1, debiased=False)
    assert fl.EarthMover(cost="sqeuclidean")(x, y, a, b) < loss(x, y, a, b)


@pytest.mark.parametrize("cost", COSTS)
def test_sinkhorn_is_pots(cost: Any, rng: np.random.Generator) -> None:
    """POT's plan at the same regularisation has the cost and the divergence from the weights' product."""
    from ot.bregman import sinkhorn_log

    x, y, a, b = clouds(rng, 40, 30)
    a, b, costs = a / a.sum(), b / b.sum(), costs_between(x, y, cost)
    plan = sinkhorn_log(a, b, costs, 0.3, stopThr=1e-13, numItermax=100_000)
    expected = np.sum(plan * costs) + 0.3 * np.sum(plan * np.log(plan / np.outer(a, b)))
    loss = fl.Sinkhorn(reg=0.3, cost=cost, debiased=False, tol=1e-12)
    assert loss(x, y, a, b) == pytest.approx(expected, rel=1e-11)


def test_dtype_and_out(rng: np.random.Generator) -> None:
    x, y, _, _ = clouds(rng)
    loss = fl.EarthMover()
    gradient = loss.gradient(x, y)
    single = loss.gradient(x, y.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, gradient, rtol=1e-4, atol=1e-6)
    out = y.copy()
    assert loss.gradient(x, out, out=out) is out
    np.testing.assert_array_equal(out, gradient)
    with pytest.raises(ValueError, match="out has shape"):
        loss.gradient(x, y, out=np.empty(3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[0.0, float("nan")]], [[1.0, 2.0]]), ValueError, r"X\[0, 1\] = nan"),
        (([0.0], [1.0, float("inf")]), ValueError, r"Y\[1\] = inf"),
        (([[0.0]], [[1.0, 2.0]]), ValueError, "X has points of 1 coordinates, but Y of 2"),
        (([], [1.0]), ValueError, "X has shape"),
        (([0.0, 1.0], [1.0], [1.0]), ValueError, "x_weights has shape"),
        (([0.0, 1.0], [1.0], [1.0, -1.0]), ValueError, r"x_weights\[1\] = -1"),
        (([0.0, 1.0], [1.0], [0.0, 0.0]), ValueError, "x_weights sums to 0"),
        ((["a"], [1.0]), TypeError, "X has dtype"),
    ],
)
def test_bad_input(arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        fl.EarthMover()(*arguments)
    with pytest.raises(ValueError, match="cost"):
        fl.EarthMover(cost="cosine")


def test_without_pot_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match=r"fastloss\[transport\]"):
        fl.EarthMover()([0.0], [1.0])
