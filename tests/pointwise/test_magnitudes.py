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


@pytest.mark.parametrize("exponent", [-30, -11, -9, 29, 31, 120])
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
