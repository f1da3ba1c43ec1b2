"""Every value, gradient and Hessian of the row losses against multi-precision arithmetic, in ULPs."""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
import pytest

import fastloss as fl
from rows import samples as row_samples
from rows import truth as row_truth

#: The contract of the row family.
BOUND = 8

#: Classes: fewest, around lanes and tiles, and with vectors along the rows.
DEFAULTS_AT = [2, 3, 5, 10, 16, 17, 31, 33, 64, 100, 257, 1000]
SETTINGS_AT = [2, 10, 129, 256]

PARAMETERS = [
    pytest.param(case, form, n_classes, id=f"{row_samples.case_name(case)}-{form}-{n_classes}")
    for case in row_samples.CASES
    for form in row_samples.forms(row_samples.make(case, 2))
    for n_classes in (SETTINGS_AT if case[1] else DEFAULTS_AT)
]


@pytest.mark.parametrize(("case", "form", "n_classes"), PARAMETERS)
def test_within_8_ulp(case: Any, form: str, n_classes: int, dtype: Any, rng: Any, worst: Any) -> None:
    loss = row_samples.make(case, n_classes)
    n = int(np.clip(600 // n_classes, 10, 60))
    y, z = row_samples.hard(loss, form, n, n_classes, dtype, rng)
    _assert_within_bound(loss, y, z, f"{row_samples.case_name(case)} {form}", worst)


@pytest.mark.parametrize(
    ("case", "form"), [(c, f) for c in row_samples.CASES for f in row_samples.forms(row_samples.make(c, 2))],
    ids=lambda x: x if isinstance(x, str) else row_samples.case_name(x),
)  # fmt: skip
def test_mpfr_and_mpmath_find_the_same_errors(case: Any, form: str, dtype: Any, rng: Any) -> None:
    loss = row_samples.make(case, 3)
    y, z = row_samples.hard(loss, form, 20, 3, dtype, rng)
    results = row_truth.results(loss, y, z)
    with multiprecision.by_mpfr():
        by_mpfr, _, _ = row_truth.errors(loss, y, z, results)
    by_mpmath, _, _ = row_truth.errors(loss, y, z, results)
    for output in results:
        np.testing.assert_allclose(by_mpfr[output], by_mpmath[output], rtol=0, atol=1e-9, err_msg=output)


@pytest.mark.parametrize("gamma", [2.0, 5.0])
@pytest.mark.parametrize("n_classes", [2, 3, 10, 31, 150, 260, 1100])
def test_focal_of_likely_classes(n_classes: int, gamma: float, dtype: Any, rng: Any, worst: Any) -> None:
    """The power multiplies the error of 1 - p by gamma where p is near 1, whatever the sum over the row."""
    n = int(np.clip(3000 // n_classes, 4, 150))
    y, z = rng.integers(0, n_classes, n), rng.normal(0, 3, (n, n_classes)).astype(dtype)
    z[np.arange(n), y] += rng.uniform(0, 12, n).astype(dtype) + dtype(np.log(n_classes))
    _assert_within_bound(fl.Focal(gamma=gamma), y, z, f"Focal(gamma={gamma}) likely", worst)


@pytest.mark.parametrize("gamma", [2.0, 5.0])
@pytest.mark.parametrize("n_classes", [150, 260, 1100])
def test_focal_of_barely_unlikely_classes(
    n_classes: int, gamma: float, dtype: Any, rng: Any, worst: Any
) -> None:
    """Long rows leave rounding errors out where the true class is two below the highest logit, or lower."""
    n = int(np.clip(6000 // n_classes, 10, 40))
    y, z = rng.integers(0, n_classes, n), rng.normal(-12, 3, (n, n_classes)).astype(dtype)
    z[np.arange(n), (y + 1 + rng.integers(0, n_classes - 1, n)) % n_classes] = 0
    z[np.arange(n), y] = -2 - rng.uniform(-0.3, 0.3, n).astype(dtype)
    _assert_within_bound(fl.Focal(gamma=gamma), y, z, f"Focal(gamma={gamma}) barely unlikely", worst)


def _assert_within_bound(loss: Any, y: Any, z: Any, name: str, worst: Any) -> None:
    """Value, gradient and Hessian within the bound; the worst of them goes into the report."""
    n_classes, dtype = z.shape[1], z.dtype
    results = row_truth.results(loss, y, z)
    with multiprecision.by_mpfr():
        errors, truths, counted = row_truth.errors(loss, y, z, results)
    y, z = y[counted], z[counted]
    for output, result in results.items():
        error, true = errors[output], truths[output]
        i = np.unravel_index(np.argmax(error), error.shape)
        found = worst.setdefault((name, dtype.name), {})
        found[output] = max(found.get(output, (0.0, 0.0, 0.0)), (float(error[i]), float(n_classes), 0.0))
        assert error[i] <= BOUND, (
            f"{output}{[int(k) for k in i]} is {result[counted][i]!r}, not {row_truth.as_float(true)[i]!r}:"
            f" {error[i]:.3g} ULP at y={y[i[0]]!r}, z={z[i[0]]!r}"
        )


@pytest.mark.parametrize(
    ("found", "precision", "y", "z"),
    [
        (
            fl.CrossEntropy(),
            np.float32,
            3,
            [
                5.550555229187012,
                -2.8985848426818848,
                1.4012764692306519,
                -4.92924690246582,
                -3.538093090057373,
            ],
        ),
        (
            fl.CrossEntropy(from_logits=False),
            np.float32,
            [1.0, 1.401298464324817e-45],
            [0.9997467, 0.00025326074683107436],
        ),
    ],
    ids=str,
)
def test_found_by_the_search(found: Any, precision: Any, y: Any, z: Any, worst: Any) -> None:
    y = np.array([y], int if isinstance(y, int) else precision)
    _assert_within_bound(found, y, np.array([z], precision), f"{found!r} found", worst)


@pytest.mark.parametrize("n_classes", DEFAULTS_AT)
def test_links_within_8_ulp(n_classes: int, dtype: Any, rng: Any, worst: Any) -> None:
    n = int(np.clip(600 // n_classes, 10, 60))
    z = row_samples._logits(n, n_classes, dtype, rng)
    loss = fl.CrossEntropy()
    true_p, true_log_p = row_truth.evaluate(
        lambda _, z: [row_truth.softmax(z), _finite(row_truth.log_softmax(z))], None, z
    )
    log_p = loss.log_probabilities(z)
    np.testing.assert_array_equal(np.isneginf(log_p), np.isneginf(z))
    for name, result, true in [
        ("probabilities", loss.probabilities(z), true_p),
        ("log_probabilities", np.where(np.isneginf(z), dtype(0), log_p), true_log_p),
    ]:
        error = multiprecision.ulps(result, true)
        found = worst.setdefault((name, np.dtype(dtype).name), {})
        found["value"] = max(found.get("value", (0.0, 0.0, 0.0)), (float(error.max()), float(n_classes), 0.0))
        i = np.unravel_index(np.argmax(error), error.shape)
        assert error.max() <= BOUND, f"{name}{i}: {error.max():.3g} ULP: {result[i]!r} at z={z[i[0]]!r}"


def _finite(x: Any) -> Any:
    """0 in place of the infinities, which were compared already."""
    return np.where(x == -np.inf, 0.0, x)
