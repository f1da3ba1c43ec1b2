"""Losses of embeddings: gradients are derivatives, weights and reductions, every size, invariants."""

from __future__ import annotations

from typing import Any

import mpmath
import multiprecision
import numpy as np
import pytest
from mpmath import mp
from multiprecision import exact

import fastloss as fl
from embeddings.samples import ALL, ROW_BY_ROW, ask, embeddings, ordinary
from embeddings.truth import _twin
from fastloss import _contrast, reference

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_derivatives(case: Any, rng: Any) -> None:
    """The reference's gradients, of a weighted sum, by finite differences along a direction."""
    arguments = ordinary(case, 7, 4, np.float64, rng)
    vectors = embeddings(case, arguments)
    twin, rest = _twin(case), arguments[len(vectors) :]
    with mpmath.workdps(80):
        step = mp.mpf(10) ** -25
        points = [exact(x.astype(object)) for x in vectors]
        w = exact(rng.uniform(0.5, 2, 7).astype(object))
        gradients = twin._gradients(w, *points, *rest)
        for i, gradient in enumerate(gradients):
            direction = exact(rng.normal(size=points[i].shape).astype(object))

            def at(t: Any, i: int = i, direction: Any = direction) -> Any:
                moved = [p + t * direction if k == i else p for k, p in enumerate(points)]
                return np.sum(w * twin._values(*moved, *rest))

            near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
            slope = (8 * near - far) / (12 * step)
            assert abs(np.sum(gradient * direction) - slope) < 1e-40 * (1 + abs(slope))


@pytest.mark.parametrize("case", ALL, ids=repr)
@pytest.mark.parametrize(
    "d", [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 97, 1023, 1024, 1025, 2500]
)
def test_every_width(case: Any, d: int, dtype: Any, rng: Any) -> None:
    _agrees(case, ordinary(case, 5, d, dtype, rng), None, "none", dtype)


@pytest.mark.parametrize("case", ALL, ids=repr)
@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 31, 64, 127, 129, 255, 257, 513])
def test_every_number_of_rows(case: Any, n: int, dtype: Any, rng: Any) -> None:
    if n > 129 and isinstance(case, fl.NTXent):
        pytest.skip("its blocks are tested below")
    arguments = ordinary(case, n, 6, dtype, rng)
    weights = rng.uniform(0.5, 2, n)
    for w in (None, weights):
        for reduction in ("mean", "sum", "none"):
            _agrees(case, arguments, w, reduction, dtype)


def _agrees(case: Any, arguments: Any, w: Any, reduction: str, dtype: Any) -> None:
    found = ask(case, arguments, sample_weight=w, reduction=reduction)
    exact_w = None if w is None else w.astype(dtype)
    value, gradients = reference.twin(case).value_and_gradient(
        *[np.asarray(x, float if x.dtype.kind == "f" else int) for x in arguments],
        sample_weight=exact_w,
        reduction=reduction,
    )
    expected = {"value": value} | {f"gradient {i}": g for i, g in enumerate(gradients)}
    for name, x in found.items():
        scale = np.abs(expected[name]).max(initial=1e-3)
        if isinstance(case, (fl.CosineEmbedding, fl.NTXent)) and arguments[0].shape[1] == 1:
            # There is only one direction: the gradient is 0, the difference of terms of this size.
            scale = max(scale, *(1 / np.abs(x).min() for x in arguments[:2]))
        np.testing.assert_allclose(
            x, expected[name], rtol=0, atol=20 * TOLERANCE[dtype] * scale, err_msg=name
        )
        assert x.dtype == (float if name == "value" and reduction != "none" else dtype)


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_weights_and_reductions(case: Any, rng: Any) -> None:
    """A row of weight 2 is a row that comes twice, one of weight 0 none; the mean divides by all weights."""
    arguments = ordinary(case, 40, 9, np.float64, rng)
    w = rng.integers(0, 3, 40).astype(float)
    each = case(*arguments, reduction="none")
    total = case(*arguments, sample_weight=w, reduction="sum")
    assert total == pytest.approx(w @ each, rel=1e-13)
    assert case(*arguments, sample_weight=w) == pytest.approx(total / w.sum(), rel=1e-13)
    np.testing.assert_allclose(case(*arguments, sample_weight=w, reduction="none"), w * each, rtol=1e-14)
    sums = case.gradient(*arguments, sample_weight=w, reduction="sum")
    means = case.gradient(*arguments, sample_weight=w)
    for one, other, none in zip(
        sums, means, case.gradient(*arguments, sample_weight=w, reduction="none"), strict=True
    ):
        np.testing.assert_array_equal(none, one)
        np.testing.assert_allclose(other, one / w.sum(), rtol=1e-13, atol=1e-16)
    if isinstance(case, fl.NTXent):
        return
    repeated = np.repeat(np.arange(40), w.astype(int))
    by_row = [
        x if isinstance(case, fl.CenterLoss) and i == 1 else x[repeated] for i, x in enumerate(arguments)
    ]
    assert case(*by_row, reduction="sum") == pytest.approx(total, rel=1e-13)
    if isinstance(case, fl.CenterLoss):
        by_centers = case.gradient(*by_row, reduction="sum")[1]
        np.testing.assert_allclose(by_centers, sums[1], rtol=1e-12, atol=1e-13)


def test_empty(dtype: Any) -> None:
    for case in ALL:
        arguments = ordinary(case, 0, 3, dtype, np.random.default_rng(0))
        assert case(*arguments, reduction="sum") == 0.0
        value, gradients = case.value_and_gradient(*arguments, reduction="none")
        assert value.shape == (0,)
        assert [g.shape for g in gradients] == [x.shape for x in embeddings(case, arguments)]
        assert all((g == 0).all() for g in gradients)
        with pytest.raises(ValueError, match="empty"):
            case(*arguments)


def test_gradients_sum_to_zero(rng: Any) -> None:
    """Nothing changes when all points move together."""
    for case in ROW_BY_ROW:
        if isinstance(case, fl.CosineEmbedding):
            continue
        gradients = case.gradient(*ordinary(case, 50, 12, np.float64, rng))
        total = sum(g.sum(axis=0) for g in gradients)
        np.testing.assert_allclose(total, np.zeros(12), atol=1e-15)


def test_cosines_have_no_scale(rng: Any) -> None:
    """Powers of two change nothing but the gradient's, inversely."""
    for case in (fl.CosineEmbedding(), fl.NTXent()):
        a, b, *y = ordinary(case, 30, 8, np.float64, rng)
        value, (by_a, by_b) = case.value_and_gradient(a, b, *y)
        scaled, (by_4a, by_half_b) = case.value_and_gradient(4 * a, b / 2, *y)
        assert scaled == value
        np.testing.assert_array_equal(by_4a * 4, by_a)
        np.testing.assert_array_equal(by_half_b / 2, by_b)


@pytest.mark.parametrize("block", [1, 7, 64, 80, 1000])
def test_blocks_of_similarities(block: int, monkeypatch: Any, dtype: Any, rng: Any) -> None:
    """Their size changes nothing but roundings: 2·41 vectors in one block, in many, in uneven ones."""
    a, b = ordinary(fl.NTXent(), 41, 5, dtype, rng)
    w = rng.uniform(0, 2, 41)
    expected = reference.NTXent().value_and_gradient(a.astype(float), b.astype(float), sample_weight=w)
    monkeypatch.setattr(_contrast, "BLOCK", block)
    value, gradients = fl.NTXent().value_and_gradient(a, b, sample_weight=w)
    assert value == pytest.approx(expected[0], rel=1e-6 if dtype == np.float32 else 1e-14)
    for actual, true in zip(gradients, expected[1], strict=True):
        np.testing.assert_allclose(actual, true, atol=TOLERANCE[dtype] * 5 * np.abs(true).max())


def test_a_batch_of_equals() -> None:
    """All candidates alike: log(2n - 1), whatever the temperature."""
    a = np.tile([1.0, 2, 3], (5, 1))
    for temperature in (1e-6, 0.1, 1e6):
        value, gradients = fl.NTXent(temperature).value_and_gradient(a, 2 * a)
        assert value == pytest.approx(np.log(9), rel=1e-9)
        np.testing.assert_allclose(gradients, np.zeros((2, 5, 3)), atol=1e-15 / temperature)


def test_multiprecision_is_the_reference(rng: Any) -> None:
    for case in ALL:
        arguments = ordinary(case, 6, 3, np.float64, rng)
        vectors = embeddings(case, arguments)
        inputs = [*(exact(x.astype(object)) for x in vectors), *arguments[len(vectors) :]]
        plain, true = reference.twin(case), multiprecision._copy_of(reference.embedding)
        shim = getattr(true, type(case).__name__)(**case.parameters)
        np.testing.assert_allclose(plain._values(*arguments), shim._values(*inputs).astype(float), atol=1e-13)
