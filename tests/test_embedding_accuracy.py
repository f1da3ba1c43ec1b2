"""Errors of the losses of embeddings in units in the last place, against the formulas in multi-precision.

Where terms cancel no relative bound is possible: there the unit is that of the sum of their magnitudes.
"""

from __future__ import annotations

from typing import Any

import mpmath
import multiprecision
import numpy as np
import pytest
from embedding_samples import ALL, embeddings, ordinary
from mpmath import mp
from multiprecision import DIGITS, Truth, exact, ulps

import fastloss as fl
from fastloss import reference

_MODULE = multiprecision._copy_of(reference.embedding)
SHAPES = [(40, 1), (20, 3), (12, 16), (6, 37), (2, 1500)]


def _truth(numbers: Any) -> Truth:
    parts = np.array([multiprecision._split(mp.mpf(x)) for x in np.ravel(numbers)], dtype=object)
    high, low, exponent = parts.T.reshape(3, *np.shape(numbers))
    return Truth(high.astype(float), low.astype(float), exponent.astype(int))


def _twin(loss: Any) -> Any:
    parameters = {k: mp.mpf(v) if isinstance(v, float) else v for k, v in loss.parameters.items()}
    return getattr(_MODULE, type(loss).__name__)(**parameters)


def _magnitudes(loss: Any, arguments: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """Of the terms of the values, and of the gradients: (n,) and (n, d) each."""
    x = [np.asarray(a, float) for a in arguments]
    zeros = [np.zeros_like(a) for a in x]
    if isinstance(loss, fl.CenterLoss):
        by_centers = np.zeros_like(x[1])
        np.add.at(by_centers, arguments[2], np.abs(x[0] - x[1][arguments[2]]))
        return np.zeros(len(x[0])), [zeros[0], by_centers]
    first = np.linalg.norm(x[0] - x[1], axis=1)
    if isinstance(loss, fl.Triplet):
        second = np.linalg.norm(x[0] - x[2], axis=1)
        if loss.squared:
            return first**2 + second**2 + loss.margin, zeros
        unit = [np.abs(x[0] - x[1]) / first[:, None], np.abs(x[0] - x[2]) / second[:, None]]
        return first + second + loss.margin, [unit[0] + unit[1], zeros[0], zeros[0]]
    if isinstance(loss, fl.Contrastive):
        apart = (arguments[2] == 0) & (first < loss.margin)
        short_of, both = np.maximum(loss.margin - first, 0), loss.margin + first
        slope = np.where(apart, 2 * both / first, 0)[:, None] * np.abs(x[0] - x[1])
        return np.where(apart, both * short_of, 0), [slope, slope]
    length = [np.linalg.norm(a, axis=1, keepdims=True) for a in x[:2]]
    both = np.abs(x[0]) / length[0] + np.abs(x[1]) / length[1]
    return np.full(len(x[0]), 1 + abs(loss.margin)), [both / length[0], both / length[1]]


def _worst(result: np.ndarray, true: Any, magnitude: Any) -> float:
    return float(ulps(np.asarray(result), _truth(true), _truth(magnitude)).max())


@pytest.mark.parametrize("case", [c for c in ALL if not isinstance(c, fl.NTXent)], ids=repr)
def test_error(case: Any, dtype: Any, rng: Any) -> None:
    for n, d in SHAPES:
        arguments = ordinary(case, n, d, dtype, rng)
        vectors = embeddings(case, arguments)
        value, gradients = case.value_and_gradient(*arguments, reduction="none")
        with mpmath.workdps(DIGITS):
            inputs = [exact(a.astype(object)) for a in vectors] + [*arguments[len(vectors) :]]
            values = _twin(case)._values(*inputs)
            slopes = _twin(case)._gradients(exact(np.ones(n, object)), *inputs)
            magnitudes = _magnitudes(case, arguments)
            assert _worst(value, values, magnitudes[0]) <= 4, (n, d)
            for gradient, slope, magnitude in zip(gradients, slopes, magnitudes[1], strict=True):
                assert _worst(gradient, slope, magnitude) <= 4, (n, d)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_error_of_a_batch(temperature: float, dtype: Any, rng: Any) -> None:
    """Inner products err by their last bit, logarithms by that over the temperature."""
    loss = fl.NTXent(temperature)
    a, b = ordinary(loss, 9, 20, dtype, rng)
    value, gradients = loss.value_and_gradient(a, b, reduction="none")
    with mpmath.workdps(DIGITS):
        inputs = [exact(x.astype(object)) for x in (a, b)]
        values = _twin(loss)._values(*inputs).astype(float)
        slopes = [x.astype(float) for x in _twin(loss)._gradients(exact(np.ones(9, object)), *inputs)]
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
