"""Losses of r/c at the ends of the range: sizes of c whose inverse or square, or r/c itself, is no number."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastloss as fl

#: c, r, and Cauchy's value c²·log(r/c), gradient c²/r and Hessian −c²/r², for r far beyond c.
FAR = [
    (np.float32, 0.007, 3e38),
    (np.float32, 1e-20, 1e30),
    (np.float32, 1e-30, 1e15),
    (np.float64, 1e-30, 1.7e308),
    (np.float64, 1e-150, 1.7e308),
    (np.float64, 1e-200, 1e-180),
]


@pytest.mark.parametrize(("dtype", "c", "r"), FAR)
def test_cauchy_far_beyond_its_scale(dtype: type, c: float, r: float) -> None:
    info = np.finfo(dtype)
    r = float(dtype(r))
    expected = [c * (c * (math.log(r) - math.log(c))), c * (c / r), -((c / r) ** 2)]
    found = fl.Cauchy(c=c).value_gradient_and_hessian([0.0] * 20, np.full(20, r, dtype), reduction="none")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            a.astype(float), b, rtol=4 * info.eps, atol=4 * float(info.smallest_subnormal)
        )


@pytest.mark.parametrize("name", ["Cauchy", "Welsch"])
@pytest.mark.parametrize(("dtype", "c", "r"), [(np.float32, 1e20, 1e19), (np.float64, 1e160, 1e152)])
def test_square_of_the_scale_is_no_number(name: str, dtype: type, c: float, r: float) -> None:
    # With x = (r/c)² ½c²·log(1 + x) is ½r²·(1 − x/2 + x²/3 …), and ½c²(1 − e^−x) is ½r²·(1 − x/2 + x²/6 …).
    r = float(dtype(r))
    x = (r / c) ** 2
    expected = 0.5 * r * r * (1 - x / 2 + x * x / (3 if name == "Cauchy" else 6))
    found = getattr(fl, name)(c=c)(np.zeros(20, dtype), np.full(20, r, dtype), reduction="none")
    np.testing.assert_allclose(found.astype(float), expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-40])
@pytest.mark.parametrize(
    ("name", "parameter"),
    [("Cauchy", "c"), ("Welsch", "c"), ("Tukey", "c"), ("PseudoHuber", "delta"), ("SmoothL1", "beta")],
)
def test_scales_below_the_smallest_normal_number(
    name: str, parameter: str, scale: float, dtype: type
) -> None:
    loss = getattr(fl, name)(**{parameter: scale})
    z = np.array([0.0, -0.0, 0.5, -3.0] * 10, dtype)
    value, gradient, hessian = loss.value_gradient_and_hessian(np.zeros(40, dtype), z, reduction="none")
    slopes = np.sign(z) if name == "SmoothL1" else np.zeros(40)
    np.testing.assert_allclose(value, np.abs(z) * np.abs(slopes), atol=1e-30)
    np.testing.assert_allclose(gradient, slopes, atol=1e-30)
    assert np.all(np.abs(hessian[2:4]) < 1e-30)
    assert not np.isnan(hessian).any()


def test_hessian_of_pseudo_huber_is_of_the_exact_square_of_its_scale() -> None:
    """The square of this delta lies between two numbers of float32: either would be a whole unit off."""
    delta = np.sqrt(1 + 2.0**-24)
    r = np.linspace(3, 100, 4001, dtype=np.float32)
    _, found = fl.PseudoHuber(delta=delta).gradient_and_hessian(np.zeros_like(r), r, reduction="none")
    expected = (1 + (r.astype(np.float64) / delta) ** 2) ** -1.5
    error = (found - expected) / np.spacing(expected.astype(np.float32))
    assert abs(error.mean()) < 0.1
    assert abs(error).max() < 3


def test_zero_one_decides_by_the_exact_difference(dtype: type) -> None:
    """Rounded, all of these differences are the threshold itself."""
    y, z = np.array([2.0**-60, -(2.0**-60), 0], dtype), np.ones(3, dtype)
    for of_z in (z, -z):
        found = fl.ZeroOne(threshold=1.0)(y * of_z, of_z, reduction="none")
        np.testing.assert_array_equal(found, [0, 1, 1])
