"""Every value, gradient and Hessian of the row losses against multi-precision arithmetic, in ULPs."""

from __future__ import annotations

from typing import Any

import multiprecision
import numpy as np
import pytest
import row_samples
import row_truth

import fastloss as fl

#: The contract of the row family.
BOUND = 8

#: Classes: fewest, around lanes and tiles, and with vectors along the rows.
DEFAULTS_AT = [2, 3, 5, 10, 16, 17, 31, 33, 64, 100, 257, 1000]
SETTINGS_AT = [2, 10, 129, 256]

np_ = multiprecision.Functions()


def _sum(x: Any) -> Any:
    return np.sum(x, axis=1)


def _entropy_terms(t: Any, y: Any, z: Any) -> Any:
    """|p·log p| + p·|log q| of Σp·log p - Σp·log q."""
    some = y > 0
    own = np.abs(t._relative(y, np.ones_like(y)))
    return _sum(own - np.where(some, y * np.where(some, row_truth.log_softmax(z), 0.0), 0.0))


def _soft_gradient(t: Any, y: Any, z: Any) -> Any:
    """T·p_k + t_k, whose difference is the gradient; all relative accuracy is kept for one-hot rows."""
    target = t._spread(y, z) if hasattr(t, "_spread") else y
    total = np.sum(target, axis=1, keepdims=True)
    hot = np.max(target, axis=1, keepdims=True) == total
    return np.where(hot, 0.0, total * row_truth.softmax(z) + target)


def _focal_hessian(t: Any, y: Any, z: Any) -> Any:
    alpha, r, q, L, p, true = t._terms(y, z)
    g = t.gamma
    if not t.from_logits:
        second = q**g / r**2 + 2 * g * q ** (g - 1) / r + g * np.abs(g - 1) * q ** (g - 2) * L
        return np.where(true, alpha * second, 0.0)
    u = np.where(true, -1.0, p / np.where(q > 0, q, 1.0))
    return t._slope(y, z) * p * (1 - p) + alpha * g * q**g * r * ((g * r + 1) * L + 2 * q) * u**2


def _distance_hessian(t: Any, y: Any, z: Any) -> Any:
    value, gradient, hessian = t._plain(y, z)
    root = np_.sqrt(np.where(value > 0, value, 1.0))[:, None]
    return np.where(value[:, None] > 0, hessian / root / 2 + gradient**2 / root**3 / 4, 0.0)


# Where a result crosses zero, no bound relative to it is possible; the error is then held to ULPs of the sum
# of the magnitudes of its terms. These are all the results with such a root; t is the multi-precision twin.
CROSSES_ZERO = {
    # A soft target's gradient is 0 where the prediction equals it; with class indices alone it is not soft.
    ("CrossEntropy", "gradient"): lambda t, y, z: (
        _soft_gradient(t, y, z)
        if t.from_logits and (y.ndim == 2 or t.label_smoothing > 0)
        else np.zeros(z.shape)
    ),
    ("KLDivergence", "gradient"): lambda t, y, z: (
        _soft_gradient(t, y, z) if t.from_logits else np.zeros(z.shape)
    ),
    # A divergence is 0 at p = q, its terms are not.
    ("KLDivergence", "value"): lambda t, y, z: (
        _entropy_terms(t, y, z) if t.from_logits else _sum(np.abs(t._relative(y, z)))
    ),
    # The focal loss is concave where badly wrong.
    ("Focal", "hessian"): _focal_hessian,
    # The square root of a convex function.
    ("JSDivergence", "hessian"): lambda t, y, z: (
        _distance_hessian(t, y, z) if t.distance else np.zeros(z.shape)
    ),
}

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
    n = 40
    y, z = rng.integers(0, n_classes, n), rng.normal(-12, 3, (n, n_classes)).astype(dtype)
    z[np.arange(n), (y + 1 + rng.integers(0, n_classes - 1, n)) % n_classes] = 0
    z[np.arange(n), y] = -2 - rng.uniform(-0.3, 0.3, n).astype(dtype)
    _assert_within_bound(fl.Focal(gamma=gamma), y, z, f"Focal(gamma={gamma}) barely unlikely", worst)


def _assert_within_bound(loss: Any, y: Any, z: Any, name: str, worst: Any) -> None:
    """Value, gradient and Hessian within the bound; the worst of them goes into the report."""
    n_classes, dtype = z.shape[1], z.dtype
    results = dict(zip(("value", "gradient"), loss.value_and_gradient(y, z, reduction="none"), strict=True))
    if loss.has_hessian:
        results["hessian"] = loss.value_gradient_and_hessian(y, z, reduction="none")[2]
    twin = row_truth.twin(loss, epsilon=float(np.finfo(dtype).eps))
    counted = ~twin._ignored(y)
    y, z = y[counted], z[counted]
    scales = {
        o: CROSSES_ZERO[type(loss).__name__, o] for o in results if (type(loss).__name__, o) in CROSSES_ZERO
    }
    truths = row_truth.evaluate(
        lambda y, z: [
            *(getattr(twin, f"_{o}")(y, z) for o in results),
            *(scale(twin, y, z) for scale in scales.values()),
        ],
        y,
        z,
    )
    for (output, result), true in zip(results.items(), truths, strict=False):
        scale = truths[len(results) + list(scales).index(output)] if output in scales else None
        error = multiprecision.ulps(result[counted], true, scale)
        i = np.unravel_index(np.argmax(error), error.shape)
        found = worst.setdefault((name, dtype.name), {})
        found[output] = max(found.get(output, (0.0, 0.0, 0.0)), (float(error[i]), float(n_classes), 0.0))
        assert error[i] <= BOUND, (
            f"{output}{[int(k) for k in i]} is {result[counted][i]!r}, not {row_truth.as_float(true)[i]!r}:"
            f" {error[i]:.3g} ULP at y={y[i[0]]!r}, z={z[i[0]]!r}"
        )


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
