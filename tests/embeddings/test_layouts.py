"""Losses of embeddings from any memory and into any memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastloss as fl
from embeddings.samples import ALL, ROW_BY_ROW, embeddings, ordinary


@pytest.mark.parametrize("case", ALL, ids=repr)
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("place", [np.int32, np.float16, ">f8", "mixed", pd.DataFrame])
def test_few_columns_of_any_dtype(case: Any, d: int, place: Any, rng: Any) -> None:
    """A line of scratch is longer than such a row: the numbers are those of plain rows."""
    arguments = ordinary(case, 300, d, np.float64, rng)
    vectors = [np.round(4 * x) for x in embeddings(case, arguments)]
    rest = arguments[len(vectors) :]
    if place is pd.DataFrame:
        given = [pd.DataFrame(dict(enumerate(x.T))) for x in vectors]
    elif place == "mixed":
        given = [vectors[0].astype(np.float32), *(np.asfortranarray(x) for x in vectors[1:])]
    else:
        given = [x.astype(place) for x in vectors]
    if place is np.float16:
        vectors = [x.astype(np.float32) for x in vectors]
    value, gradients = case.value_and_gradient(*given, *rest)
    expected, slopes = case.value_and_gradient(*vectors, *rest)
    assert value == expected
    for found, true in zip(gradients, slopes, strict=True):
        np.testing.assert_array_equal(found, true.astype(found.dtype))


def test_integers_and_lists() -> None:
    value, gradients = fl.Triplet().value_and_gradient([[0, 0]], np.array([[3, 4]], np.int8), [[True, False]])
    assert value == 25
    assert [g.dtype for g in gradients] == [np.float64] * 3
    np.testing.assert_array_equal(gradients[0], [[-4, -8]])


@pytest.mark.parametrize("case", ROW_BY_ROW, ids=repr)
def test_an_error_leaves_the_outputs_alone(case: Any, rng: Any) -> None:
    arguments = ordinary(case, 500, 30, np.float32, rng)
    over = embeddings(case, arguments)
    before = [x.copy() for x in over]
    w = np.ones(500)
    w[499] = -1
    with pytest.raises(ValueError, match=r"sample_weight\[499\] = -1"):
        case.gradient(*arguments, sample_weight=w, out=over)
    for x, y in zip(over, before, strict=True):
        np.testing.assert_array_equal(x, y)


def test_some_outputs_given(rng: Any) -> None:
    a, b, y = ordinary(fl.Contrastive(), 8, 3, np.float64, rng)
    mine = np.empty_like(b)
    by_a, by_b = fl.Contrastive().gradient(a, b, y, out=(None, mine))
    assert by_b is mine
    np.testing.assert_array_equal(by_a, -by_b)
    values = np.empty(8, np.float32)
    assert fl.Contrastive()(a, b, y, reduction="none", out=values) is values


def test_large_outputs_are_streamed(dtype: Any, rng: Any) -> None:
    """More than the last-level cache: the same bits as of a part of it."""
    n = 100_000 if dtype == np.float64 else 200_000
    a, b = (rng.normal(size=(n, 32)).astype(dtype) for _ in range(2))
    y = rng.integers(0, 2, n)
    gradients = fl.Contrastive(9.0).gradient(a, b, y, reduction="sum")
    parts = fl.Contrastive(9.0).gradient(a[n // 2 :], b[n // 2 :], y[n // 2 :], reduction="sum")
    for whole, part in zip(gradients, parts, strict=True):
        np.testing.assert_array_equal(whole[n // 2 :], part)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_values_of_another_byte_order_keep_their_precision(case: Any, dtype: str, rng: Any) -> None:
    arguments = ordinary(case, 9, 3, dtype, rng)
    swapped = [x.astype(">" + dtype) for x in embeddings(case, arguments)]
    for vectors in (swapped, [swapped[0], *arguments[1 : len(swapped)]]):
        values = case(*vectors, *arguments[len(swapped) :], reduction="none")
        assert values.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(values, case(*arguments, reduction="none"))
