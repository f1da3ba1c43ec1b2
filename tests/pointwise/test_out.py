"""``out``: in place, in a tuple, and so large that stores may go past the caches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

CANARY = -12345.0


def test_in_place_through_another_object(dtype: Any, rng: Any) -> None:
    y, z = rng.normal(size=100).astype(dtype), rng.normal(size=100).astype(dtype)
    expected = fl.SquaredError().gradient(y, z)
    view = z[:]
    assert fl.SquaredError().gradient(y, z, out=view) is view
    np.testing.assert_array_equal(z, expected)


def test_in_place_in_two_dimensions(dtype: Any, rng: Any) -> None:
    for order in "CF":
        y = rng.normal(size=(31, 17)).astype(dtype)
        z = np.array(rng.normal(size=(31, 17)), dtype, order=order)
        expected = 2 * (z - y)
        fl.SquaredError().gradient(y, z, reduction="sum", out=z)
        np.testing.assert_array_equal(z, expected)


def test_large_outputs_are_written_whole(dtype: Any, rng: Any) -> None:
    """Larger than any last-level cache, where stores may go past it."""
    n = 12_000_017
    y = np.resize(rng.normal(size=1009), n).astype(dtype)
    z = np.resize(rng.normal(size=1013), n).astype(dtype)
    buffer = np.full(n + 32, CANARY, dtype)
    for offset in (0, 1, 16):
        gradient = buffer[offset : offset + n]
        fl.HalfSquaredError().gradient(y, z, reduction="sum", out=gradient)
        np.subtract(gradient, z, out=gradient)
        np.add(gradient, y, out=gradient)
        eps = float(np.finfo(dtype).eps)
        assert float(np.abs(gradient).max()) < 16 * eps
        assert (buffer[offset + n :] == CANARY).all()
        buffer[:] = CANARY
    # Twice |q - [y < z]|, which no gradient is.
    hessian = np.empty_like(z)
    fl.Expectile(q=0.25).gradient_and_hessian(y, z, reduction="sum", out=(buffer[:n], hessian))
    above = z > y
    assert (hessian[above] == 1.5).all()
    assert (hessian[~above] == 0.5).all()


def test_one_array_may_stand_alone_or_in_a_tuple(rng: Any) -> None:
    y, z = rng.normal(size=10), rng.normal(size=10)
    out = np.empty(10)
    assert fl.SquaredError().gradient(y, z, out=(out,)) is out
    assert fl.SquaredError()(y, z, reduction="none", out=(out,)) is out


def test_none_in_a_tuple_is_allocated(rng: Any) -> None:
    y, z = rng.normal(size=10), rng.normal(size=10)
    hessian = np.empty(10)
    gradient, found = fl.SquaredError().gradient_and_hessian(y, z, out=(None, hessian))
    assert found is hessian
    np.testing.assert_array_equal(gradient, fl.SquaredError().gradient(y, z))


@pytest.mark.parametrize("wrong", ["y_true", "y_pred", "sample_weight"])
def test_an_error_leaves_the_predictions_as_they_were(wrong: str, dtype: Any, rng: Any) -> None:
    """A call that writes over its input checks all of it first."""
    n = 50_000
    loss = fl.BrierScore(from_logits=False)  # whose targets and predictions are both probabilities
    for reduction in ("mean", "sum", "none"):
        data = {name: rng.random(n).astype(dtype) for name in ("y_true", "y_pred", "sample_weight")}
        data[wrong][-1] = -1
        z, before = data["y_pred"], data["y_pred"].copy()
        weight = data["sample_weight"] if wrong == "sample_weight" else None
        with pytest.raises(ValueError, match=rf"{wrong}\[{n - 1}\]"):
            loss.gradient(data["y_true"], z, sample_weight=weight, out=z, reduction=reduction)
        np.testing.assert_array_equal(z, before)
