"""The order of the row losses' results, and what is written over predictions that are needed later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl
from rows import samples as row_samples

CASES = [
    pytest.param(case, form, id=f"{row_samples.case_name(case)}-{form}")
    for case in row_samples.CASES
    for form in row_samples.forms(row_samples.make(case, 2))
    if not case[1] or case[0] is fl.CrossEntropy or case[1].get("from_logits")
]


@pytest.mark.parametrize(("case", "form"), CASES)
def test_results_have_the_order_of_the_predictions(case: Any, form: str, dtype: Any, rng: Any) -> None:
    loss = row_samples.make(case, 5)
    y, z = row_samples.ordinary(loss, form, 40, 5, dtype, rng)
    assert loss.gradient(y, z).flags.c_contiguous
    assert loss.gradient(y, np.asfortranarray(z)).flags.f_contiguous
    assert loss(y, np.asfortranarray(z), reduction="none").flags.c_contiguous


@pytest.mark.parametrize("kind", ["native", "swapped", "of float16", "reversed"])
def test_rows_that_are_turned_in_parts(kind: str, dtype: Any, rng: Any) -> None:
    """Class by class in memory, of so many that a signal is answered between some of them."""
    shape = (2**17 + 5, 21)
    z = np.round(rng.normal(size=shape), 2).astype(np.float16).astype(dtype)
    if kind == "swapped":
        z = z.astype(z.dtype.newbyteorder())
    elif kind == "of float16":
        z = z.astype(np.float16)
    elif kind == "reversed":
        z = z[::-1]
    y, out = np.arange(21) * 6000, np.zeros(shape, z.dtype).T
    plain = np.ascontiguousarray(z.T.astype(np.float32 if kind == "of float16" else dtype))
    value, gradient = fl.CrossEntropy().value_and_gradient(y, plain, reduction="none")
    found = fl.CrossEntropy().value_and_gradient(y, z.T, reduction="none", out=(None, out))
    np.testing.assert_array_equal(found[0], value.astype(z.dtype))
    np.testing.assert_array_equal(out, gradient.astype(z.dtype))


def test_lists_are_float64() -> None:
    gradient = fl.CrossEntropy().gradient([0, 1], [[1, 2], [3, 4]])
    assert gradient.dtype == np.float64
    assert fl.CrossEntropy()([0, 1], [[1, 2], [3, 4]], reduction="none").shape == (2,)


@pytest.mark.parametrize(
    "case",
    [case for case in row_samples.CASES if row_samples.takes_labels(row_samples.make(case, 2))],
    ids=row_samples.case_name,
)
def test_true_classes_anywhere_in_long_rows(case: Any, dtype: Any, rng: Any) -> None:
    """Whatever is written over predictions needed later: in place, or scratch in Fortran order."""
    loss = row_samples.make(case, 2100)
    y = np.arange(0, 2100, 60)
    _, z = row_samples.ordinary(loss, "labels", y.size, 2100, dtype, rng)
    if not row_samples.of_probabilities(loss):
        z[np.arange(y.size), y] += rng.uniform(0, 12, y.size).astype(dtype)
    expected = loss.gradient(y, z, reduction="sum")
    for order in "CF":
        np.testing.assert_array_equal(loss.gradient(y, np.array(z, order=order), reduction="sum"), expected)
        over = np.array(z, order=order)
        np.testing.assert_array_equal(loss.gradient(y, over, reduction="sum", out=over), expected)


@pytest.mark.parametrize("name", ["CrossEntropy", "Focal"])
def test_true_classes_of_rows_that_threads_share(name: str, dtype: Any, rng: Any) -> None:
    loss = getattr(fl, name)()
    z = rng.normal(size=(1, 300_000)).astype(dtype)
    for label in (0, 1500, 150_000, 299_999):
        predictions = z.copy()
        predictions[0, label] += 12
        expected = loss.gradient([label], predictions, n_threads=1)
        for n_threads in (1, 2, 3, 8):
            over = predictions.copy()
            found = loss.gradient([label], over, out=over, n_threads=n_threads)
            np.testing.assert_array_equal(found, expected)
