"""The order of the row losses' results, and what is written over predictions that are needed later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import row_samples

import fastloss as fl

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
