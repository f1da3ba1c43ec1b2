"""Means, sums and weights: what is returned, how exactly it is added up, and its derivative."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from verbs import ask, verbs_of

import fastloss as fl
from pointwise import samples


def test_weighted_mean_is_divided_by_the_sum_of_weights() -> None:
    loss = fl.SquaredError()
    y, z, w = [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [1.0, 2.0, 1.0]
    assert loss(y, z) == pytest.approx(14 / 3)
    assert loss(y, z, sample_weight=w) == (1 + 8 + 9) / 4
    assert loss(y, z, sample_weight=w, reduction="sum") == 18
    np.testing.assert_array_equal(loss(y, z, sample_weight=w, reduction="none"), [1, 8, 9])
    np.testing.assert_array_equal(loss.gradient(y, z, sample_weight=w), [0.5, 2, 1.5])
    np.testing.assert_array_equal(loss.gradient(y, z, sample_weight=w, reduction="sum"), [2, 8, 6])
    np.testing.assert_array_equal(loss.gradient_and_hessian(y, z, sample_weight=w)[1], [0.5, 1, 0.5])
    np.testing.assert_array_equal(loss.gradient(y, z, sample_weight=w, reduction="none"), [2, 8, 6])


def test_scalars_are_python_floats(default_loss: Any, dtype: Any, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, 7, dtype, rng)
    assert type(default_loss(y, z)) is float
    assert type(default_loss(y, z, reduction="sum")) is float
    none = default_loss(y, z, reduction="none")
    assert type(none) is np.ndarray
    assert none.dtype == dtype


def test_float32_is_added_up_in_float64() -> None:
    """Twenty million times 0.1 in float32: added in float32, it would stop at 2 097 152."""
    n = 20_000_000
    tenth = np.broadcast_to(np.float32(0.1), n)
    zero = np.broadcast_to(np.float32(0), n)
    loss = fl.AbsoluteError()
    assert loss(zero, tenth, reduction="sum") == pytest.approx(n * float(np.float32(0.1)), rel=1e-14)
    assert loss(zero, tenth) == pytest.approx(float(np.float32(0.1)), rel=1e-14)
    weighted = loss(zero, tenth, sample_weight=tenth, reduction="sum")
    assert weighted == pytest.approx(n * float(np.float32(0.1)) ** 2, rel=1e-14)


def test_one_large_value_does_not_swallow_the_small_ones() -> None:
    """Beside 2⁷⁰ every block's sum of ones is below half a unit, but together they are four."""
    n = 1_000_001
    z = np.ones(n)
    z[0] = 2.0**70
    unit = 2.0 ** (70 - 52)
    assert fl.AbsoluteError()(np.zeros(n), z, reduction="sum") - 2.0**70 == pytest.approx(n - 1, abs=unit)


def test_sum_is_exact_where_doubles_are(rng: Any) -> None:
    for n in (10, 1000, 70_001):
        z = rng.integers(-(2**20), 2**20, n).astype(np.float64)
        assert fl.HalfSquaredError()(np.zeros(n), z, reduction="sum") == float(np.sum(z.astype(int) ** 2)) / 2


def test_sum_of_ill_sorted_magnitudes(dtype: Any, rng: Any) -> None:
    z = (10.0 ** rng.uniform(-6, 6, 300_007)).astype(dtype)
    expected = math.fsum(z.astype(np.float64))
    assert fl.AbsoluteError()(np.zeros_like(z), z, reduction="sum") == pytest.approx(expected, rel=1e-14)


def test_nan_stays_with_its_sample_and_in_the_sum(default_loss: Any, dtype: Any, rng: Any) -> None:
    checked = np.isfinite(default_loss.prediction_domain.high)
    if checked:
        pytest.skip("a NaN probability is an error")
    for n in (1, 5, 16, 100, 5000):
        y, z = samples.ordinary(default_loss, n, dtype, rng)
        place = int(rng.integers(n))
        clean = default_loss(y, z, reduction="none")
        z[place] = np.nan
        for verb in verbs_of(default_loss):
            values = ask(default_loss, verb, y, z, reduction="none")
            if "value" in values:
                assert np.isnan(values["value"][place])
                np.testing.assert_array_equal(np.delete(values["value"], place), np.delete(clean, place))
                assert math.isnan(ask(default_loss, verb, y, z)["value"])
                assert math.isnan(ask(default_loss, verb, y, z, reduction="sum")["value"])


#: Derivatives that do not depend on the prediction, and so need not know that it is missing.
CONSTANT = {
    "SquaredError": {"hessian"},
    "HalfSquaredError": {"hessian"},
    "AbsoluteError": {"hessian"},
    "Quantile": {"hessian"},
    "AbsolutePercentageError": {"hessian"},
    "Perceptron": {"hessian"},
    "Hinge": {"hessian"},
    "WassersteinCritic": {"gradient", "hessian"},
}


def test_nan_in_derivatives(smooth_loss: Any, dtype: Any, rng: Any) -> None:
    y, z = samples.ordinary(smooth_loss, 50, dtype, rng)
    z[7] = np.nan
    results = ask(smooth_loss, "gradient_and_hessian", y, z, reduction="none")
    for name, x in results.items():
        if name not in CONSTANT.get(type(smooth_loss).__name__, ()):
            assert np.isnan(x[7]), name
        assert not np.isnan(np.delete(x, 7)).any()


def test_nan_targets_of_regressions(default_loss: Any, dtype: Any, rng: Any) -> None:
    if default_loss.family != "regression":
        pytest.skip("a NaN label is an error")
    y, z = samples.ordinary(default_loss, 50, dtype, rng)
    y[7] = np.nan
    value = default_loss(y, z, reduction="none")
    assert np.isnan(value[7])
    assert not np.isnan(np.delete(value, 7)).any()


def test_empty(default_loss: Any, dtype: Any) -> None:
    empty = np.empty(0, dtype)
    for shape in [(0,), (0, 3), (3, 0)]:
        x = empty.reshape(shape)
        for weights in (None, x):
            assert default_loss(x, x, sample_weight=weights, reduction="sum") == 0.0
            none = default_loss(x, x, sample_weight=weights, reduction="none")
            assert none.shape == shape
            assert none.dtype == dtype
            with pytest.raises(ValueError, match="empty"):
                default_loss(x, x, sample_weight=weights)
    if default_loss.has_gradient:
        assert default_loss.gradient(empty, empty, reduction="sum").shape == (0,)
        with pytest.raises(ValueError, match="empty"):
            default_loss.gradient(empty, empty)


def test_weight_of_zero_drops_a_sample(default_loss: Any, dtype: Any, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, 1000, dtype, rng)
    w = rng.integers(0, 2, 1000)
    kept = w == 1
    actual = default_loss(y, z, sample_weight=w)
    assert actual == pytest.approx(default_loss(y[kept], z[kept]), rel=1e-12)


def test_weights_of_one_change_nothing(default_loss: Any, dtype: Any, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, 3001, dtype, rng)
    for verb in verbs_of(default_loss):
        for reduction in ("sum", "none"):
            plain = ask(default_loss, verb, y, z, reduction=reduction)
            weighted = ask(default_loss, verb, y, z, reduction=reduction, sample_weight=np.ones(3001, dtype))
            for name, x in plain.items():
                if isinstance(x, float):
                    assert weighted[name] == pytest.approx(x, rel=1e-13, abs=1e-12)
                else:
                    np.testing.assert_array_equal(weighted[name], x)


@pytest.mark.parametrize("exponent", [-1000, -400, 400, 1000])
def test_the_mean_does_not_depend_on_the_scale_of_weights(exponent: int, rng: Any) -> None:
    y, z, w = rng.normal(size=1000), rng.normal(size=1000), rng.integers(1, 128, 1000).astype(float)
    loss = fl.SquaredError()
    expected, gradient = loss.value_and_gradient(y, z, sample_weight=w)
    actual, found = loss.value_and_gradient(y, z, sample_weight=w * 2.0**exponent)
    assert actual == pytest.approx(expected, rel=1e-12)
    assert loss(y, z, sample_weight=w * 2.0**exponent) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(found, gradient, rtol=1e-12)


def test_a_sum_of_weights_beyond_the_largest_number_gives_no_wrong_number(rng: Any) -> None:
    y, z, w = rng.normal(size=100), rng.normal(size=100), np.full(100, 1e307)
    try:
        value, gradient = fl.SquaredError().value_and_gradient(y, z, sample_weight=w)
    except ValueError:
        return
    assert value == pytest.approx(fl.SquaredError()(y, z), rel=1e-12)
    np.testing.assert_allclose(gradient, fl.SquaredError().gradient(y, z), rtol=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gradient_is_that_of_the_returned_value(smooth_loss: Any, reduction: str, rng: Any) -> None:
    """A central difference of the float that is returned, one prediction at a time."""
    y, z = samples.ordinary(smooth_loss, 12, np.float64, rng)
    z = np.where(np.abs(z - y) < 0.05, z + 0.13, z)
    w = rng.uniform(0.5, 2, 12)
    gradient, hessian = smooth_loss.gradient_and_hessian(y, z, sample_weight=w, reduction=reduction)
    step = 1e-5
    for i in range(12):
        up, down = z.copy(), z.copy()
        up[i] += step
        down[i] -= step
        options = {"sample_weight": w, "reduction": reduction}
        slope = (smooth_loss(y, up, **options) - smooth_loss(y, down, **options)) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-7)
        rise = smooth_loss.gradient(y, up, **options)[i] - smooth_loss.gradient(y, down, **options)[i]
        assert hessian[i] == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-6)
