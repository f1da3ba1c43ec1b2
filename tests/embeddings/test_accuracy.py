"""Errors of the losses of embeddings in units in the last place, against the formulas in multi-precision."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from multiprecision import DIGITS, exact

import fastloss as fl
from embeddings import truth as embedding_truth
from embeddings.samples import ALL, ordinary

SHAPES = [(40, 1), (20, 3), (12, 16), (6, 37), (2, 1500)]


@pytest.mark.parametrize("case", [c for c in ALL if not isinstance(c, fl.NTXent)], ids=repr)
def test_error(case: Any, dtype: Any, rng: Any) -> None:
    for n, d in SHAPES:
        arguments = ordinary(case, n, d, dtype, rng)
        value, gradients = case.value_and_gradient(*arguments, reduction="none")
        for error in embedding_truth.errors(case, arguments, [value, *gradients]):
            assert error.max() <= 4, (n, d)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_error_of_a_batch(temperature: float, dtype: Any, rng: Any) -> None:
    """Inner products err by their last bit, logarithms by that over the temperature."""
    loss = fl.NTXent(temperature)
    a, b = ordinary(loss, 9, 20, dtype, rng)
    value, gradients = loss.value_and_gradient(a, b, reduction="none")
    with mpmath.workdps(DIGITS):
        inputs = [exact(x.astype(object)) for x in (a, b)]
        twin = embedding_truth._twin(loss)
        values = twin._values(*inputs).astype(float)
        slopes = [x.astype(float) for x in twin._gradients(exact(np.ones(9, object)), *inputs)]
    unit = np.finfo(dtype).eps / temperature
    np.testing.assert_allclose(value, values, rtol=0, atol=4 * unit)
    for gradient, slope in zip(gradients, slopes, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=0, atol=10 * unit * np.abs(slope).max())


def test_a_confident_batch_keeps_its_small_loss() -> None:
    """log(1 + x) of a tiny x: the quotient's logarithm would be 0."""
    a = np.eye(6, 8)
    value = fl.NTXent(temperature=0.02)(a, a)
    assert value == pytest.approx(10 * np.exp(-50), rel=1e-12)
    (by_a, _) = fl.NTXent(temperature=0.02).gradient(a, a)
    assert np.abs(by_a).max() == pytest.approx(2 * np.exp(-50) / 0.02 * 2 / 12 * 2, rel=1e-9)


def test_sums_of_many_rows_of_a_centre(rng: Any) -> None:
    """A million float32 differences of one class: their sum is rounded once."""
    x = rng.normal(0.1, 1, (250_000, 4)).astype(np.float32)
    gradient = fl.CenterLoss().gradient(
        x, np.zeros((1, 4), np.float32), np.zeros(len(x), int), reduction="sum"
    )[1]
    np.testing.assert_allclose(gradient[0], -x.sum(axis=0, dtype=float), rtol=1.2e-7)
    y = x.astype(float) * 1e8 + rng.normal(size=x.shape)
    gradient = fl.CenterLoss().gradient(y, np.zeros((1, 4)), np.zeros(len(y), int), reduction="sum")[1]
    exact_sums = [-np.sum(column.astype(np.longdouble)) for column in y.T]
    np.testing.assert_allclose(gradient[0], np.array(exact_sums, float), rtol=4e-16)


def test_similar_vectors_have_no_negative_loss(dtype: Any, rng: Any) -> None:
    a = rng.normal(size=(2000, 7)).astype(dtype)
    b = (a * rng.uniform(0.5, 2, (2000, 1)).astype(dtype)).astype(dtype)
    values = fl.CosineEmbedding()(a, b, np.ones(2000), reduction="none")
    assert values.min() >= 0
    assert values.max() <= 8 * np.finfo(dtype).eps ** (2 if dtype == np.float32 else 1)
