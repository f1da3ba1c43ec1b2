"""Rows and classes around every lane, tile and chunk: none is left out, counted twice or mixed up.

The expectation is the same rows computed one at a time, or by a formula that needs no exponentials.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from verbs import ask, assert_same

import fastloss as fl
from fastloss import reference
from rows import samples as row_samples

FEW = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40]
MANY = [63, 64, 65, 100, 120, 121, 128, 129, 192, 193, 255, 256, 257, 999, 1000, 1023, 1024, 1025]


def _three(loss: Any, y: Any, z: Any, **options: Any) -> dict[str, Any]:
    verb = "value_gradient_and_hessian" if loss.has_hessian else "value_and_gradient"
    return ask(loss, verb, y, z, **options)


def _rows_alone(loss: Any, form: str, n: int, n_classes: int, dtype: Any, rng: Any) -> None:
    y, z = row_samples.ordinary(loss, form, n, n_classes, dtype, rng)
    found = _three(loss, y, z, reduction="none")
    alone = [_three(loss, y[i : i + 1], z[i : i + 1], reduction="none") for i in range(n)]
    assert_same(found, {name: np.concatenate([a[name] for a in alone]) for name in found})
    total = loss(y, z, reduction="sum")
    np.testing.assert_allclose(total, found["value"].astype(np.float64).sum(), rtol=1e-6, atol=1e-6)


DEFAULTS = [
    pytest.param(case, form, id=f"{row_samples.case_name(case)}-{form}")
    for case in row_samples.CASES
    for form in row_samples.forms(row_samples.make(case, 2))
    if not case[1]
]


@pytest.mark.parametrize(("case", "form"), DEFAULTS)
def test_rows_do_not_know_of_each_other(case: Any, form: str, dtype: Any, rng: Any) -> None:
    for n in (1, 15, 16, 17, 33, 67, 130):
        for n_classes in (1, 2, 3, 10, 31):
            _rows_alone(row_samples.make(case, n_classes), form, n, n_classes, dtype, rng)
    for n_classes in (127, 129, 256, 257, 1025):
        for n in (1, 17, 35):
            _rows_alone(row_samples.make(case, n_classes), form, n, n_classes, dtype, rng)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 4, 5, 15, 16, 17, 100, 200, 201])
@pytest.mark.parametrize(
    "softmax_loss", [fl.CrossEntropy(), fl.CrossEntropy(ignore_index=0), fl.Focal()], ids=str
)
def test_rows_do_not_know_how_large_others_are(
    softmax_loss: Any, n_classes: int, dtype: Any, rng: Any
) -> None:
    """Logits out of the range in which no row's maximum is looked for, infinite ones and NaN among them."""
    y, z = row_samples.ordinary(softmax_loss, "labels", 40, n_classes, dtype, rng)
    found = _three(softmax_loss, y, z, reduction="none")
    others = np.arange(40) % 8 != 3
    for large in (33.0, 1e4, -np.inf, np.inf, np.nan):
        mixed = z.copy()
        mixed[3::8, n_classes // 2] = large
        again = _three(softmax_loss, y, mixed, reduction="none")
        assert_same({k: v[others] for k, v in again.items()}, {k: v[others] for k, v in found.items()})
    probabilities = fl.CrossEntropy().probabilities(z)
    mixed = z.copy()
    mixed[3::8, 0] = 1e4
    assert_same({"p": fl.CrossEntropy().probabilities(mixed)[others]}, {"p": probabilities[others]})


def test_every_number_of_rows_and_classes(dtype: Any, rng: Any) -> None:
    """The distance of rows of whole numbers and the hinge's gradient are known exactly."""
    for n in range(1, 68):
        for n_classes in range(1, 41):
            z = rng.integers(-9, 10, (n, n_classes)).astype(dtype)
            y = rng.integers(0, n_classes, n)
            squares = (z.astype(np.float64) ** 2).sum(axis=1)
            distance = fl.EuclideanError()(np.zeros_like(z), z, reduction="none")
            np.testing.assert_allclose(distance, np.sqrt(squares), rtol=4 * np.finfo(dtype).eps)
            loss = fl.MulticlassHinge(kind="weston-watkins")
            value, gradient = loss.value_and_gradient(y, z, reduction="none")
            margins = 1 + z - np.take_along_axis(z, y[:, None], 1)
            np.put_along_axis(margins, y[:, None], 0, 1)
            np.testing.assert_array_equal(value, np.maximum(margins, 0).sum(axis=1))
            expected = (margins > 0).astype(dtype)
            np.put_along_axis(expected, y[:, None], -expected.sum(axis=1, keepdims=True), 1)
            np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("n_classes", [*FEW, *MANY, 2047, 4097, 32_000])
def test_softmax_of_every_number_of_classes(n_classes: int, dtype: Any, rng: Any) -> None:
    eps = float(np.finfo(dtype).eps)
    for n in (1, 2, 16, 21) if n_classes < 5000 else (1, 3):
        z, y = rng.normal(0, 3, (n, n_classes)).astype(dtype), rng.integers(0, n_classes, n)
        found = _three(fl.CrossEntropy(), y, z, reduction="none")
        expected = _three(reference.CrossEntropy(), y, z.astype(np.float64), reduction="none")
        for name, x in found.items():
            # The plain formulas lose 1e-15 of 1 - p.
            np.testing.assert_allclose(x, expected[name], rtol=8 * eps + 1e-12, atol=1e-15)
        p = fl.CrossEntropy().probabilities(z)
        np.testing.assert_allclose(p.astype(np.float64).sum(axis=1), 1, rtol=4 * eps)


@pytest.mark.parametrize("place", [0, 1, 63, 64, 511, 512, 1023, 1024, 2047, 2999])
def test_each_place_in_a_long_row(place: int, dtype: Any) -> None:
    """One class among zeros: -log p is known, wherever it is."""
    n_classes = 3000
    z = np.zeros((2, n_classes), dtype)
    z[:, place] = 8
    others = (n_classes - 1) * np.exp(-8.0)
    value, gradient = fl.CrossEntropy().value_and_gradient(
        [place, (place + 1) % n_classes], z, reduction="none"
    )
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(value, [np.log1p(others), 8 + np.log1p(others)], rtol=8 * eps)
    np.testing.assert_allclose(gradient[0, place], -others / (1 + others), rtol=8 * eps)
    value, gradient = fl.MulticlassHinge().value_and_gradient(
        [(place + 1) % n_classes] * 2, z, reduction="none"
    )
    np.testing.assert_array_equal(value, 9)
    np.testing.assert_array_equal(np.flatnonzero(gradient[0]), sorted([place, (place + 1) % n_classes]))
    value, gradient = fl.EuclideanError().value_and_gradient(np.zeros_like(z), z, reduction="none")
    np.testing.assert_array_equal(value, 8)
    assert gradient[1, place] == 1


@pytest.mark.parametrize("kind", ["u2", "i4", "u4", "i8", "u8", ">i4", "f4", "f8", ">f8", "g"])
def test_class_indices_of_16_bits_and_more(kind: str, dtype: Any) -> None:
    """One class ahead of all others: the loss is known where the label is its own, and where it is none's."""
    n_classes = 70_000
    y = np.array([255, 32_767, 32_768, 40_000, 65_535, 65_536, 69_999])[: 5 if kind == "u2" else 7]
    z = np.zeros((y.size, n_classes), dtype)
    z[np.arange(y.size), y] = 8
    others = (n_classes - 1) * np.exp(-8.0)
    for order in "CF":
        loss = fl.CrossEntropy()
        value, gradient = loss.value_and_gradient(y.astype(kind), np.array(z, order=order), reduction="none")
        np.testing.assert_allclose(value, np.log1p(others), rtol=1e-6)
        np.testing.assert_array_equal(np.argmin(gradient, axis=1), y)
        np.testing.assert_array_equal(fl.MulticlassHinge()(y.astype(kind), z, reduction="none"), 0)
        off = loss((y - 1).astype(kind), np.array(z, order=order), reduction="none")
        np.testing.assert_allclose(off, 8 + np.log1p(others), rtol=1e-6)
    centers = np.arange(n_classes, dtype=dtype)[:, None]
    values = fl.CenterLoss()(np.zeros((y.size, 1), dtype), centers, y.astype(kind), reduction="none")
    np.testing.assert_allclose(values, y.astype(float) ** 2 / 2, rtol=1e-6)


@pytest.mark.parametrize("n_classes", [121, 127, 128, 160, 193, 200, 207, 255, 256, 257, 300, 319])
def test_each_class_of_rows_of_every_length(n_classes: int, dtype: Any) -> None:
    """One class ahead of equal ones, in each place: the probabilities are known wherever it is."""
    z, places = np.full((n_classes, n_classes), -1, dtype), np.arange(n_classes)
    np.fill_diagonal(z, 7)
    others, eps = (n_classes - 1) * np.exp(-8.0), float(np.finfo(dtype).eps)
    sure, rest = 1 / (1 + others), np.exp(-8.0) / (1 + others)
    for off, own in [(0, sure), (1, rest), (n_classes - 5, rest)]:
        y = (places + off) % n_classes
        value, gradient, hessian = fl.CrossEntropy().value_gradient_and_hessian(y, z, reduction="none")
        p = np.full(z.shape, rest)
        np.fill_diagonal(p, sure)
        np.testing.assert_allclose(hessian, p * (1 - p), rtol=16 * eps)
        np.testing.assert_allclose(value, 8 * (off > 0) + np.log1p(others), rtol=8 * eps)
        p[places, y] = -rest * (n_classes - 1) if off == 0 else own - 1
        np.testing.assert_allclose(gradient, p, rtol=8 * eps)
        np.testing.assert_array_equal(fl.CrossEntropy()(y, z, reduction="none"), value)
        np.testing.assert_array_equal(
            fl.CrossEntropy().value_and_gradient(y, z, reduction="none")[1], gradient
        )


def test_first_of_equal_maxima_in_long_rows(dtype: Any) -> None:
    for first, second in [(5, 700), (1023, 1024), (1500, 2999), (0, 2999)]:
        z = np.zeros((1, 3000), dtype)
        z[0, [first, second]] = 4
        gradient = fl.MulticlassHinge().gradient([2], z, reduction="none")
        np.testing.assert_array_equal(np.flatnonzero(gradient), sorted([first, 2]))


def test_sums_of_many_rows_are_in_float64() -> None:
    n = 3_000_000
    z = np.zeros((n, 2), np.float32)
    y = np.zeros(n, np.int8)
    each = float(fl.CrossEntropy()(y[:1], z[:1], reduction="none")[0])
    np.testing.assert_allclose(fl.CrossEntropy()(y, z, reduction="sum"), n * each, rtol=1e-15)
    np.testing.assert_allclose(fl.CrossEntropy()(y, z), each, rtol=1e-15)


def test_no_rows(dtype: Any) -> None:
    z = np.zeros((0, 3), dtype)
    for loss, y in [(fl.CrossEntropy(), np.zeros(0, int)), (fl.KLDivergence(), z), (fl.EuclideanError(), z)]:
        assert loss(y, z, reduction="sum") == 0.0
        assert loss(y, z, reduction="none").shape == (0,)
        assert loss.gradient(y, z, reduction="sum").shape == (0, 3)
        with pytest.raises(ValueError, match="empty"):
            loss(y, z)


@pytest.mark.parametrize("case", [fl.MulticlassHinge(), fl.CrossEntropy(), fl.Focal()], ids=repr)
@pytest.mark.parametrize("n_classes", [5, 200, 5000, 20000])
def test_nan_anywhere_in_a_row(n_classes: int, case: Any, dtype: Any) -> None:
    places = [1, n_classes // 3, n_classes - 1]
    z = np.zeros((len(places), n_classes), dtype)
    z[range(len(places)), places] = np.nan
    assert np.isnan(case([0] * len(places), z, reduction="none")).all()
