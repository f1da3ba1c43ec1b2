"""A sample's value and derivatives do not depend on its neighbours, however large these are.

A kernel may take another way through samples that lie near one far outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl
from pointwise import samples

N = 5000
EVERY = 61  # chunks of all kernels have some


@pytest.mark.parametrize("outlier", [1e4, -1e30, np.inf, np.nan])
@pytest.mark.parametrize("spread", [3, "widest"])
def test_neighbours_do_not_matter(loss: Any, dtype: type, outlier: float, spread: Any, rng: Any) -> None:
    y, z = samples.ordinary(loss, N, dtype, rng)
    if np.isfinite(loss.prediction_domain.low):
        pytest.skip("predictions have bounds")
    if spread == "widest":
        z = rng.uniform(-1, 1, N).astype(dtype) * dtype(60 if dtype is np.float32 else 500)
    disturbed = z.copy()
    disturbed[::EVERY] = outlier
    others = np.arange(N) % EVERY != 0
    names = ["__call__", *(["value_gradient_and_hessian"] if loss.has_gradient else [])]
    for name in names:
        alone = getattr(loss, name)(y, z, reduction="none")
        beside = getattr(loss, name)(y, disturbed, reduction="none")
        for a, b in zip(np.atleast_2d(alone), np.atleast_2d(beside), strict=True):
            np.testing.assert_array_equal(a[others], b[others])


@pytest.mark.parametrize("exponent", [-30, -11, -9, 29, 31, 70, 600])
def test_neighbours_of_a_linex_of_extreme_parameters(exponent: int, dtype: type, rng: Any) -> None:
    loss = fl.Linex(-(2.0**exponent))
    y = np.zeros(N, dtype)
    z = (rng.uniform(-1, 1, N) * (60 if dtype is np.float32 else 500) / loss.a).astype(dtype)
    disturbed = z.copy()
    disturbed[::EVERY] = np.inf
    others = np.arange(N) % EVERY != 0
    alone = loss.value_gradient_and_hessian(y, z, reduction="none")
    beside = loss.value_gradient_and_hessian(y, disturbed, reduction="none")
    for a, b in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(a[others], b[others])


@pytest.mark.parametrize("alpha", [1.0, 0.5, -2.0])
@pytest.mark.parametrize("share", [-1.0, -0.64, 0.64, 1.0])
def test_a_general_robust_loss_of_any_scale(alpha: float, share: float, dtype: type) -> None:
    """In units of c it is the same loss: its slopes are as many times smaller."""
    c = 2.0 ** int(share * (50 if dtype is np.float32 else 400))
    u = np.linspace(-30, 30, 301).astype(dtype)
    y = np.zeros_like(u)
    expected = fl.GeneralRobust(alpha, 1.0).value_gradient_and_hessian(y, u, reduction="none")
    found = fl.GeneralRobust(alpha, c).value_gradient_and_hessian(y, (u * dtype(c)), reduction="none")
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(a.astype(np.float64) * c**k, b, rtol=8 * np.finfo(dtype).eps, atol=1e-300)


@pytest.mark.parametrize("log_c", [-0.6, -0.3, 0.0])
def test_a_general_robust_loss_of_slope_one_far_out(log_c: float, dtype: type) -> None:
    """sqrt(1 + x²) - 1 of x = r/c has the second derivative (1 + x²)^(-3/2)/c², which is c/|r|³ far out."""
    top = 120 if dtype is np.float32 else 1000
    c = 2.0 ** int(log_c * top)
    with np.errstate(under="ignore", over="ignore"):
        r = np.float64(c) * 2.0 ** np.linspace(1, top, 100)
        r = r[np.isfinite(r.astype(dtype))].astype(dtype)
        x = r.astype(np.float64) / c
        expected = (1 / x / r / r * (1 + (1 / x) ** 2) ** -1.5).astype(dtype)
    found = fl.GeneralRobust(1.0, c).value_gradient_and_hessian(np.zeros_like(r), r, reduction="none")[2]
    np.testing.assert_allclose(found, expected, rtol=8 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).tiny)
    assert (expected > np.finfo(dtype).tiny).sum() > 20


def test_poisson_at_infinite_logarithms(dtype: Any) -> None:
    """Of no events a mean of 0 is the best there is; 0·∞ is not part of the loss."""
    y, z = np.array([0, 1, 0, 1], dtype), np.array([-np.inf, -np.inf, np.inf, np.inf], dtype)
    np.testing.assert_array_equal(fl.Poisson()(y, z, reduction="none"), [0, np.inf, np.inf, np.inf])


@pytest.mark.parametrize("of", [{}, {"pos_weight": 3.0}], ids=repr)
def test_binary_cross_entropy_at_infinite_logits(of: Any, dtype: Any) -> None:
    """Certainty costs nothing where it is right, and everything where it is wrong."""
    y, z = np.array([1, 0, 0, 1], dtype), np.array([np.inf, -np.inf, np.inf, -np.inf], dtype)
    loss = fl.BinaryCrossEntropy(**of)
    np.testing.assert_array_equal(loss(y, z, reduction="none"), [0, 0, np.inf, np.inf])
    assert loss(y[:2], z[:2]) == 0
