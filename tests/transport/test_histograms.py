"""Wasserstein distances of histograms on common positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss import reference
from transport.test_wasserstein import finite_differences


@pytest.mark.parametrize(
    ("p", "x", "first", "second", "expected"),
    [
        (1, [0, 1, 3], [1, 1, 0], [0, 1, 1], 1.5),
        (2, [0, 1, 3], [1, 0, 0], [0, 0, 5], 3),
        (1, [0, 1, 2, 3], [2, 0, 0, 2], [0, 3, 3, 0], 1),
        (2, [0, 1, 3], [1, 1, 0], [0, 1, 1], ((1 + 4) / 2) ** 0.5),
        (1, [5], [3], [0.1], 0),
        (3, [-1, 1], [1, 3], [3, 1], (0.5 * 8) ** (1 / 3)),
    ],
)
def test_values_by_hand(p: float, x: Any, first: Any, second: Any, expected: float) -> None:
    loss = fl.Wasserstein(p=p, positions=x)
    assert loss(first, second) == pytest.approx(expected, rel=1e-15)
    assert loss(second, first) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_is_the_distance_of_weighted_samples(p: float, rng: np.random.Generator) -> None:
    x = np.sort(rng.normal(size=40))
    first, second = rng.random((2, 5, 40)) * (rng.random((2, 5, 40)) < 0.6)
    loss = fl.Wasserstein(p=p, positions=x)
    samples = [fl.Wasserstein(p=p)(x, x, a, b) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(loss(first, second, reduction="none"), samples, rtol=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 6])
def test_gradient_is_the_slope_by_the_masses(p: float, rng: np.random.Generator) -> None:
    x = np.sort(rng.normal(size=9))
    loss = fl.Wasserstein(p=p, positions=x)
    first, second = 7 * rng.random(9), 0.3 * rng.random(9) + 0.05
    first[[0, 4]] = 0
    gradient = loss.gradient(first, second)
    slope = finite_differences(lambda q: loss(first, q), second)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-7)
    # The row is normalised: scaling it changes nothing.
    assert gradient @ second == pytest.approx(0, abs=1e-13)
    twin = fl.reference.twin(loss)
    np.testing.assert_allclose(gradient, twin.gradient(first, second), rtol=1e-9, atol=1e-12)
    assert loss(first, second) == pytest.approx(twin(first, second), rel=1e-13)


@pytest.mark.parametrize("p", [1, 2])
def test_a_position_without_mass_has_the_slope_of_what_it_gains(p: float, rng: np.random.Generator) -> None:
    loss = fl.Wasserstein(p=p, positions=np.sort(rng.normal(size=8)))
    first, second = rng.random(8), rng.random(8)
    second[3] = 0
    more = second.copy()
    more[3] = 1e-7
    gained = (loss(first, more) - loss(first, second)) / 1e-7
    assert loss.gradient(first, second)[3] == pytest.approx(gained, abs=1e-5)


def test_gradient_is_the_integrated_sign_of_the_difference_by_hand() -> None:
    loss = fl.Wasserstein(positions=[0.0, 1.0, 3.0])
    # G - F is -1/2 on both steps: potentials -3, -2, 0, and -1 in the mean under Q/2.
    np.testing.assert_allclose(loss.gradient([1, 1, 0], [0, 1, 1]), [-1, -0.5, 0.5], rtol=1e-15)
    # Where the cumulative distributions meet the sign is 0: potentials 2, 1, 1, 0, 3/2 in the mean.
    loss = fl.Wasserstein(positions=[0.0, 1.0, 5.0, 6.0])
    np.testing.assert_allclose(loss.gradient([0, 1, 0, 1], [1, 0, 1, 0]), [0.25, -0.25, -0.25, -0.75])


def test_where_the_quantile_jumps_the_gradient_is_the_mean_of_both_sides() -> None:
    # Mass moved from 0 to 1 costs 1 a unit, moved back 3: -1 in the mean. From 1 to 2 it saves 1. So W^2 has
    # the potentials 0, -1, -2, whose mean under Q is -1/2, and W = 1/sqrt(2).
    loss = fl.Wasserstein(p=2, positions=[0.0, 1.0, 2.0])
    expected = np.array([0.5, -0.5, -1.5]) / 2**0.5
    np.testing.assert_allclose(loss.gradient([0.5, 0, 0.5], [0.5, 0.5, 0]), expected, rtol=1e-15)


@pytest.mark.parametrize("p", [1, 2])
def test_equal_histograms_have_no_gradient(p: float) -> None:
    loss = fl.Wasserstein(p=p, positions=range(4))
    value, gradient = loss.value_and_gradient([0.1, 0.2, 0.3, 0], [0.3, 0.6, 0.9, 0])
    assert value == pytest.approx(0, abs=1e-15)
    np.testing.assert_array_equal(gradient, np.zeros(4))


def test_batches(rng: np.random.Generator) -> None:
    loss = fl.Wasserstein(p=2, positions=np.arange(6))
    first, second, w = rng.random((4, 6)), rng.random((4, 6)).astype(np.float32), rng.random(4)
    rows = [loss.value_and_gradient(a, b.astype(float)) for a, b in zip(first, second, strict=True)]
    value, gradient = loss.value_and_gradient(first, second, sample_weight=w)
    assert value == pytest.approx(w @ [r[0] for r in rows] / w.sum(), rel=1e-14)
    expected = np.array([r[1] for r in rows]) * (w / w.sum())[:, None]
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)
    assert gradient.dtype == np.float32


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1, -1e-9, 0], [1, 1, 1], r"u\[1\] = -1e-09: masses"),
        ([1, 1, 1], [1, float("nan"), 0], r"v\[1\] = nan: masses"),
        ([1, 1, 1], [1, 1, -1e-9], r"v\[2\] = -1e-09: masses"),
        ([0, 0, 0], [1, 1, 1], "u sums to 0"),
        ([[1, 1, 1]] * 2, [[1, 1, 1], [0, 0, 0]], r"v\[1\] sums to 0"),
        ([1, 1], [1, 1], r"u has shape \(2,\), expected a mass for each of 3 positions"),
    ],
)
def test_bad_masses(first: Any, second: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fl.Wasserstein(positions=[0, 1, 2]).gradient(first, second)


def test_masses_have_no_weights() -> None:
    with pytest.raises(TypeError, match="u_weights"):
        fl.Wasserstein(positions=[0, 1])([1, 1], [1, 1], [1, 1])


def test_parameters() -> None:
    loss = fl.Wasserstein(positions=np.array([0, 1, 4]))
    assert loss.positions == (0.0, 1.0, 4.0)
    assert repr(loss) == "Wasserstein(p=1.0, positions=(0.0, 1.0, 4.0))"
    for p in (0.99, 0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="p must be in"):
            fl.Wasserstein(p=p)
    for positions in ([0, 0], [1, 0], [0, float("nan")], [0, float("inf")], [], [[0, 1]], 3, ["a"]):
        with pytest.raises(ValueError, match="positions"):
            fl.Wasserstein(positions=positions)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
def test_the_reference_of_equal_histograms(p: float) -> None:
    """The distance is 0, and so is the gradient."""
    masses = np.full(10, 0.1)
    value, gradient = reference.Wasserstein(p=p, positions=range(10)).value_and_gradient(masses, masses)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_the_reference_where_masses_sum_to_less_than_1_by_rounding() -> None:
    first = np.round(np.random.default_rng(28).random(53), 1) + 0.1
    assert np.cumsum(first / first.sum())[-1] < 1 - 1e-15
    value, _ = reference.Wasserstein(p=2, positions=range(53)).value_and_gradient(first, np.ones(53))
    assert value == pytest.approx(fl.Wasserstein(p=2, positions=range(53))(first, np.ones(53)), rel=1e-12)
