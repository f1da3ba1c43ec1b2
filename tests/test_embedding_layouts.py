"""Losses of embeddings from any memory and into any memory."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pandas as pd
import pytest
from embedding_samples import ALL, ROW_BY_ROW, ask, assert_same, embeddings, ordinary

import fastloss as fl


def _read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def _misaligned(x: np.ndarray) -> np.ndarray:
    memory = np.zeros(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def _stretched(x: np.ndarray) -> np.ndarray:
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    wide[tuple(slice(None, None, 2) for _ in x.shape)] = x
    return wide[tuple(slice(None, None, 2) for _ in x.shape)]


LAYOUTS = {
    "fortran": np.asfortranarray,
    "stretched": _stretched,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "mirrored": lambda x: x[..., ::-1].copy()[..., ::-1],
    "padded rows": lambda x: np.concatenate([x, x], axis=x.ndim - 1)[..., : x.shape[-1]],
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "misaligned": _misaligned,
    "read-only": _read_only,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", ALL, ids=repr)
def test_layouts(case: Any, layout: str, dtype: Any, rng: Any) -> None:
    """The bits are those of plain arrays, of inputs and of outputs."""
    for n, d in [(70, 3), (9, 130), (300, 3), (257, 17)]:
        arguments = ordinary(case, n, d, dtype, rng)
        w = rng.uniform(0.5, 2, n).astype(dtype)
        expected = ask(case, arguments, sample_weight=w, reduction="none")
        placed = tuple(LAYOUTS[layout](x) for x in arguments)
        found = ask(case, placed, sample_weight=LAYOUTS[layout](w), reduction="none")
        assert_same(found, {k: x.astype(found[k].dtype) for k, x in expected.items()})
        if layout == "read-only":
            continue
        out = tuple(LAYOUTS[layout](np.zeros(x.shape, dtype)) for x in expected.values())
        results = case.value_and_gradient(*arguments, sample_weight=w, reduction="none", out=out)
        assert [id(x) for x in (results[0], *results[1])] == [id(x) for x in out]
        for x, name in zip(out, expected, strict=True):
            np.testing.assert_array_equal(x, expected[name])


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


def test_long_double_rows_in_any_order(rng: Any) -> None:
    x = rng.normal(size=(3, 3001))
    expected = fl.Contrastive(9e9).value_and_gradient(x, -x, [1, 0, 1])
    for place in (np.asarray, np.asfortranarray, _stretched):
        wide = place(x.astype(np.longdouble))
        found = fl.Contrastive(9e9).value_and_gradient(wide, -x, [1, 0, 1])
        assert found[0] == expected[0]
        np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("case", ALL, ids=repr)
@pytest.mark.parametrize("narrow", [np.float16, ml_dtypes.bfloat16])
def test_half_precision(case: Any, narrow: Any, rng: Any) -> None:
    """Computed in float32, rounded once."""
    arguments = ordinary(case, 21, 19, np.float32, rng)
    vectors = [x.astype(narrow) for x in embeddings(case, arguments)]
    rest = arguments[len(vectors) :]
    expected = ask(case, (*[x.astype(np.float32) for x in vectors], *rest), reduction="none")
    found = ask(case, (*vectors, *rest), reduction="none")
    for name, x in found.items():
        assert x.dtype == narrow
        np.testing.assert_array_equal(x, expected[name].astype(narrow))


def test_mixed_precision(rng: Any) -> None:
    """One float64 argument makes the call one of float64; each gradient has the dtype of its argument."""
    a, b, y = ordinary(fl.Contrastive(), 30, 5, np.float32, rng)
    value, (by_a, by_b) = fl.Contrastive().value_and_gradient(a, b.astype(float), y, reduction="none")
    expected = fl.Contrastive().value_and_gradient(a.astype(float), b.astype(float), y, reduction="none")
    assert (value.dtype, by_a.dtype, by_b.dtype) == (np.float64, np.float32, np.float64)
    np.testing.assert_array_equal(value, expected[0])
    np.testing.assert_array_equal(by_a, expected[1][0].astype(np.float32))
    value, (by_a, by_b) = fl.NTXent().value_and_gradient(a, b.astype(np.float16), reduction="none")
    assert (value.dtype, by_a.dtype, by_b.dtype) == (np.float32, np.float32, np.float16)
    value = fl.Contrastive()(a.astype(ml_dtypes.bfloat16), b.astype(np.float16), y, reduction="none")
    assert value.dtype == np.float32


def test_integers_and_lists() -> None:
    value, gradients = fl.Triplet().value_and_gradient([[0, 0]], np.array([[3, 4]], np.int8), [[True, False]])
    assert value == 25
    assert [g.dtype for g in gradients] == [np.float64] * 3
    np.testing.assert_array_equal(gradients[0], [[-4, -8]])


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_gradients_over_their_arguments(case: Any, dtype: Any, rng: Any) -> None:
    for n, d in [(70, 3), (9, 130)]:
        arguments = ordinary(case, n, d, dtype, rng)
        expected = case.value_and_gradient(*arguments)
        copies = [x.copy() for x in arguments]
        over = tuple(embeddings(case, copies))
        value, gradients = case.value_and_gradient(*copies, out=over)
        assert value == expected[0]
        for found, given, true in zip(gradients, over, expected[1], strict=True):
            assert found is given
            np.testing.assert_array_equal(found, true)


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
