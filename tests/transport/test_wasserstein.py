"""Wasserstein distances of samples: values by hand and by scipy, gradients, batches, bad input."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import wasserstein_distance

import fastloss as fl

nan, inf = float("nan"), float("inf")


def finite_differences(f: Any, x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[i] += h
        below[i] -= h
        slope[i] = (f(above) - f(below)) / (2 * h)
    return slope


@pytest.mark.parametrize(
    ("p", "u", "v", "weights", "expected"),
    [
        (1, [0, 1, 3], [5, 6, 8], (), 5),
        (1, [2], [-1], (), 3),
        (7, [2], [-1], (), 3),
        (1, [0, 1], [0, 0.5, 1], (), Fraction(1, 6)),  # half of the middle third moves 1/2 each way
        (2, [0, 4], [3, 4], (), 4.5**0.5),
        (2, [0, 1], [0, 0.5, 1], (), (1 / 12) ** 0.5),
        (1, [0, 1], [0, 2], ([3, 1], [2, 2]), 0.75),
        (3, [0], [1, 2], ([5], [1, 3]), (25 / 4) ** (1 / 3)),
        (1, [9, 0], [1, 5, 7], ([0, 2], [1, 0, 0]), 1),
        (1, [3, 1, 2], [2, 3, 1], (), 0),
        (2, [0, 0], [3e-310, 4e-310], (), 12.5**0.5 * 1e-310),  # whose largest move has no finite reciprocal
        (1, [1, 1, 2], [1, 2], ([0.1, 0.2, 0.3], [3, 3]), 0),
        (2, [1, 2, 1], [1, 2, 1], ([0.1, 0.3, 0.2], [0.2, 0.3, 0.1]), 0),
    ],
)
def test_values_by_hand(p: float, u: Any, v: Any, weights: Any, expected: Any) -> None:
    loss = fl.Wasserstein(p=p)
    assert loss(u, v, *weights) == pytest.approx(float(expected), abs=1e-15, rel=1e-15)
    assert loss.value_and_gradient(u, v, *weights)[0] == pytest.approx(float(expected), abs=1e-15, rel=1e-15)


@pytest.mark.parametrize(
    ("m", "k"), [(1, 1), (1, 9), (2, 3), (100, 100), (100, 64), (257, 1000), (1023, 1025), (5000, 1024)]
)
def test_is_scipys(m: int, k: int, rng: np.random.Generator) -> None:
    u, v = rng.normal(3, 2, m), rng.standard_cauchy(k)
    a, b = rng.exponential(size=m), rng.exponential(size=k)
    b[rng.random(k) < 0.2] = 0
    b[0] = 1
    loss = fl.Wasserstein()
    assert loss(u, v) == pytest.approx(wasserstein_distance(u, v), rel=1e-12, abs=1e-11)
    assert loss(u, v, a, b) == pytest.approx(wasserstein_distance(u, v, a, b), rel=1e-12, abs=1e-11)
    assert loss(u, v, None, b) == pytest.approx(wasserstein_distance(u, v, None, b), rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("n", [1023, 1024, 1025, 4097])
def test_long_samples_are_matched_in_their_order(n: int, rng: np.random.Generator) -> None:
    """Numbers of both signs, a fifth or most of them multiples of 1/4, whose patterns end in zeros."""
    for round_numbers in (0, n // 5, n - n // 5):
        u, v = rng.normal(0, 3, n), rng.standard_cauchy(n)
        u[:round_numbers] = np.round(4 * u[:round_numbers]) / 4
        moves = np.sort(u) - np.sort(v)
        value, by_v = fl.Wasserstein().value_and_gradient(u, v)
        assert value == pytest.approx(np.abs(moves).mean(), rel=1e-13)
        by_u = fl.Wasserstein().gradient(v, u)
        np.testing.assert_allclose(by_v[np.argsort(v)], -np.sign(moves) / n, rtol=1e-13)
        if not round_numbers:
            np.testing.assert_allclose(by_u[np.argsort(u)], np.sign(moves) / n, rtol=1e-13)


def test_batch_is_scipys(rng: np.random.Generator) -> None:
    u, v = rng.normal(size=(40, 100)), rng.normal(1, 2, size=(40, 100))
    expected = [wasserstein_distance(a, b) for a, b in zip(u, v, strict=True)]
    np.testing.assert_allclose(fl.Wasserstein()(u, v, reduction="none"), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("p", [1, 1.7, 2, 4])
def test_is_the_least_cost_over_plans(p: float, rng: np.random.Generator) -> None:
    m, k = 6, 5
    u, v = rng.normal(size=m), rng.normal(size=k)
    a, b = rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(k))
    costs = np.abs(u[:, None] - v) ** p
    rows, columns = np.kron(np.eye(m), np.ones(k)), np.kron(np.ones(m), np.eye(k))
    plan = linprog(costs.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b]))
    assert fl.Wasserstein(p=p)(u, v, a, b) == pytest.approx(plan.fun ** (1 / p), rel=1e-9)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_is_the_slope(p: float, weighted: bool, rng: np.random.Generator) -> None:
    loss = fl.Wasserstein(p=p)
    u, v = rng.normal(size=7), rng.normal(0.5, 2, size=5)
    weights = (rng.random(7), np.array([0.3, 0, 2, 1, 0.7])) if weighted else ()
    slope = finite_differences(lambda x: loss(u, x, *weights), v)
    np.testing.assert_allclose(loss.gradient(u, v, *weights), slope, rtol=1e-6, atol=1e-8)
    twin = fl.reference.twin(loss)
    np.testing.assert_allclose(loss.gradient(u, v, *weights), twin.gradient(u, v, *weights), rtol=1e-11)
    assert loss(u, v, *weights) == pytest.approx(twin(u, v, *weights), rel=1e-13)


def test_coincident_points_share_their_gradient() -> None:
    loss = fl.Wasserstein()
    np.testing.assert_array_equal(loss.gradient([0, 5], [2, 2]), [0, 0])
    np.testing.assert_allclose(loss.gradient([0, 1, 5, 6], [2, 2, 2, 9]), [1 / 12, 1 / 12, 1 / 12, 0.25])
    np.testing.assert_allclose(loss.gradient([0, 5], [2, 2], [3, 1], [1, 3]), [0.125, 0.375])
    np.testing.assert_array_equal(loss.gradient([3, 1], [1, 3]), [0, 0])
    np.testing.assert_array_equal(fl.Wasserstein(p=2).gradient([3, 1], [1, 3]), [0, 0])


def test_coincident_points_without_mass_have_no_gradient() -> None:
    loss = fl.Wasserstein()
    assert loss.gradient([0.0], [2.0, 2.0, 5.0], None, [0.0, 0.0, 1.0]).tolist() == [0, 0, 1]


@pytest.mark.parametrize("p", [1, 2, 3.5])
def test_invariants(p: float, rng: np.random.Generator) -> None:
    loss = fl.Wasserstein(p=p)
    u, v, a, b = rng.normal(size=30), rng.normal(size=20), rng.random(30), rng.random(20)
    value = loss(u, v, a, b)
    assert loss(v, u, b, a) == pytest.approx(value, rel=1e-13)
    assert loss(u + 8, v + 8, a, b) == pytest.approx(value, rel=1e-12)
    assert loss(-3 * u, -3 * v, a, b) == pytest.approx(3 * value, rel=1e-13)
    assert loss(u, v, 1e200 * a, 1e-200 * b) == pytest.approx(value, rel=1e-13)
    assert loss(1e200 * u, 1e200 * v, a, b) == pytest.approx(1e200 * value, rel=1e-13)
    assert loss(1e-200 * u, 1e-200 * v, a, b) == pytest.approx(1e-200 * value, rel=1e-13)
    order = rng.permutation(30)
    assert loss(u[order], v, a[order], b) == pytest.approx(value, rel=1e-13)
    assert loss(u[order], u, a[order], a) < 1e-15
    assert loss(u, u + 0.5) == pytest.approx(0.5, rel=1e-13)
    # Points of equal weight, given twice, change nothing.
    assert loss(np.repeat(u, 2), v) == pytest.approx(loss(u, v), rel=1e-13)
    # Moving all of v moves the distance by no more than that.
    assert abs(loss.gradient(u, v, a, b).sum()) <= 1 + 1e-12


def test_weights_that_round_differently_leave_no_sliver(rng: np.random.Generator) -> None:
    """A mass of 1e-16 that goes the wrong way by 1 would show in its tenth root, as 0.03."""
    x = np.repeat(np.arange(10.0), 7)
    a = rng.random(70)
    order = np.concatenate([7 * k + rng.permutation(7) for k in range(10)])
    assert fl.Wasserstein(p=10)(x, x, a, a[order] + 0) >= 0
    assert fl.Wasserstein(p=10)(x, x[order], a, a[order]) < 1e-12


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_reductions(reduction: str, weighted: bool, rng: np.random.Generator) -> None:
    loss = fl.Wasserstein(p=2)
    u, v = rng.normal(size=(6, 5)), rng.normal(size=(6, 4))
    w = np.array([1, 0, 2, 0.5, 1, 3]) if weighted else np.ones(6)
    rows = [loss.value_and_gradient(a, b) for a, b in zip(u, v, strict=True)]
    values, slopes = np.array([r[0] for r in rows]) * w, np.array([r[1] for r in rows]) * w[:, None]
    if reduction == "mean":
        values, slopes = values / w.sum(), slopes / w.sum()
    options = {"reduction": reduction, "sample_weight": w if weighted else None}
    value, gradient = loss.value_and_gradient(u, v, **options)
    np.testing.assert_allclose(value, values if reduction == "none" else values.sum(), rtol=1e-14)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-14)
    assert isinstance(value, np.ndarray if reduction == "none" else float)
    np.testing.assert_array_equal(loss(u, v, **options), value)
    np.testing.assert_array_equal(loss.gradient(u, v, **options), gradient)


def test_weights_of_rows_and_for_all_rows(rng: np.random.Generator) -> None:
    loss = fl.Wasserstein()
    u, v, a, b = rng.normal(size=(3, 5)), rng.normal(size=(3, 4)), rng.random((3, 5)), rng.random(4)
    expected = [loss(u[i], v[i], a[i], b) for i in range(3)]
    np.testing.assert_allclose(loss(u, v, a, b, reduction="none"), expected, rtol=1e-14)


def test_no_rows() -> None:
    loss, none = fl.Wasserstein(), np.empty((0, 3))
    assert loss(none, none, reduction="sum") == 0.0
    assert loss(none, none, reduction="none").shape == (0,)
    with pytest.raises(ValueError, match="no rows"):
        loss(none, none)


@pytest.mark.parametrize("form", ["samples", "weighted", "histograms"])
def test_same_bits_for_any_number_of_threads(form: str, rng: np.random.Generator) -> None:
    u, v = rng.normal(size=(700, 80)), rng.normal(size=(700, 80))
    weights = (rng.random((700, 80)), rng.random(80)) if form == "weighted" else ()
    loss = fl.Wasserstein(p=1.5)
    if form == "histograms":
        loss, u, v = fl.Wasserstein(p=1.5, positions=np.arange(80) ** 2), u**2, v**2
    one = loss.value_and_gradient(u, v, *weights, n_threads=1)
    for n_threads in (2, 3, 8):
        value, gradient = loss.value_and_gradient(u, v, *weights, n_threads=n_threads)
        assert value == one[0]
        np.testing.assert_array_equal(gradient, one[1])


def test_out(rng: np.random.Generator) -> None:
    loss, u, v = fl.Wasserstein(), rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
    values, gradient = loss.value_and_gradient(u, v, reduction="none")
    out = (np.empty(4), np.empty((4, 6), np.float32))
    assert loss.value_and_gradient(u, v, reduction="none", out=out)[1] is out[1]
    np.testing.assert_array_equal(out[0], values)
    np.testing.assert_array_equal(out[1], gradient.astype(np.float32))
    # Over its own inputs, also shifted: they are read first.
    copy = v.copy()
    assert loss.gradient(u, copy, reduction="none", out=copy) is copy
    np.testing.assert_array_equal(copy, gradient)
    memory = np.concatenate([u, np.zeros((1, 6))])
    loss.gradient(memory[:-1], v, reduction="none", out=memory[1:])
    np.testing.assert_array_equal(memory[1:], gradient)
    untouched = v.copy()
    untouched[2, 3] = nan
    before = untouched.copy()
    with pytest.raises(ValueError, match=r"v\[2, 3\] = nan"):
        loss.gradient(u, untouched, out=untouched)
    np.testing.assert_array_equal(untouched, before)
    for bad, error in [
        (np.empty((4, 5)), ValueError),
        (np.empty((4, 6), int), TypeError),
        ([0.0], TypeError),
        ((np.empty((4, 6)),) * 2, ValueError),
    ]:
        with pytest.raises(error, match="out"):
            loss.gradient(u, v, out=bad)
    with pytest.raises(ValueError, match="no array to write"):
        loss(u, v, out=np.empty(4))
    memory = np.empty(24)
    with pytest.raises(ValueError, match=r"out\[1\] overlaps out\[0\]"):
        loss.value_and_gradient(u, v, reduction="none", out=(memory[:4], memory.reshape(4, 6)))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.0, nan], [1.0]), {}, r"u\[1\] = nan: expected finite"),
        (([0.0], [1.0, 2.0, -inf]), {}, r"v\[2\] = -inf"),
        (([[0.0], [1.0]], [[1.0], [inf]]), {}, r"v\[1, 0\] = inf"),
        (([0.0, 1.0], [1.0], [1.0, -2.0]), {}, r"u_weights\[1\] = -2.0: masses"),
        (([0.0, 1.0], [1.0], None, [nan]), {}, r"v_weights\[0\] = nan"),
        (([0.0, 1.0], [1.0], [0.0, 0.0]), {}, "u_weights sums to 0"),
        (([[0.0], [1.0]], [[1.0], [2.0]], None, [[1.0], [0.0]]), {}, r"v_weights\[1\] sums to 0"),
        (([[0.0, 1.0]] * 3, [[1.0]] * 3, [1.0, -1.0]), {}, r"u_weights\[1\] = -1"),
        (([0.0, 1.0], [1.0], [1.0]), {}, r"u_weights has shape \(1,\), expected \(2,\)"),
        (([[0.0]], [1.0]), {}, r"u has shape \(1, 1\) and v \(1,\)"),
        (([[0.0]], [[1.0], [2.0]]), {}, "u has shape"),
        ((1.0, 2.0), {}, "u has shape"),
        (([], [1.0]), {}, r"u has shape \(0,\): .* at least one point"),
        (([0.0], [1.0]), {"sample_weight": [1.0]}, "sample_weight .* one pair"),
        (([[0.0]], [[1.0]]), {"sample_weight": [1.0, 2.0]}, r"sample_weight has shape \(2,\)"),
        (([[0.0]] * 2, [[1.0]] * 2), {"sample_weight": [1.0, -2.0]}, r"sample_weight\[1\] = -2"),
        (([[0.0]] * 2, [[1.0]] * 2), {"sample_weight": [0.0, 0.0]}, "weights sum to 0"),
        (([0.0], [1.0]), {"reduction": "max"}, "reduction"),
        (([0.0], [1.0]), {"n_threads": 0}, "n_threads"),
    ],
)
def test_bad_input(arguments: Any, options: Any, message: str) -> None:
    for verb in ("__call__", "gradient", "value_and_gradient"):
        with pytest.raises(ValueError, match=message):
            getattr(fl.Wasserstein(), verb)(*arguments, **options)


def test_first_bad_entry_of_many_threads(rng: np.random.Generator) -> None:
    u = rng.normal(size=(2000, 50))
    u[1999, 0] = u[777, 3] = u[1200, 1] = nan
    with pytest.raises(ValueError, match=r"u\[777, 3\] = nan"):
        fl.Wasserstein()(u, u, n_threads=3)


def test_bad_types() -> None:
    loss = fl.Wasserstein()
    with pytest.raises(TypeError, match="u has dtype"):
        loss(["a"], [1.0])
    with pytest.raises(TypeError, match="v has dtype"):
        loss([1.0], [1j])
    for verb in (loss.gradient_and_hessian, loss.value_gradient_and_hessian):
        with pytest.raises(TypeError, match="Hessian"):
            verb([0.0], [1.0])
