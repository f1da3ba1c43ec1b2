"""The reference of the row losses: its gradients are derivatives; and invariants of library and reference."""

from __future__ import annotations

from typing import Any

import mpmath
import multiprecision
import numpy as np
import pytest
from mpmath import mp

import fastloss as fl
from fastloss import reference
from rows import samples as row_samples
from rows import truth as row_truth

CASES = [
    pytest.param(case, form, id=f"{row_samples.case_name(case)}-{form}")
    for case in row_samples.CASES
    for form in row_samples.forms(row_samples.make(case, 2))
]


def _points(case: Any, form: str, n_classes: int, rng: Any) -> tuple[Any, Any, Any]:
    loss = row_samples.make(case, n_classes)
    y, z = row_samples.ordinary(loss, form, 5, n_classes, np.float64, rng)
    return row_truth.twin(loss), row_truth._object(y), row_truth._object(z)


@pytest.mark.parametrize(("case", "form"), CASES)
def test_gradient_is_the_derivative(case: Any, form: str, rng: Any) -> None:
    for n_classes in (2, 5):
        with mpmath.workdps(80):
            twin, y, z = _points(case, form, n_classes, rng)
            gradient, step = twin._gradient(y, z), mp.mpf(10) ** -25
            ignored = twin._ignored(y)
            for k in range(n_classes):
                move = np.where(np.arange(n_classes) == k, step, mp.mpf(0))
                slope = (twin._value(y, z + move) - twin._value(y, z - move)) / (2 * step)
                error = np.abs(gradient[:, k] - slope) / (1 + np.abs(slope))
                assert max(np.where(ignored, 0, error)) < 1e-40


@pytest.mark.parametrize(("case", "form"), CASES)
def test_hessian_is_the_derivative_of_the_gradient(case: Any, form: str, rng: Any) -> None:
    for n_classes in (2, 5):
        with mpmath.workdps(80):
            twin, y, z = _points(case, form, n_classes, rng)
            if not twin.has_hessian:
                pytest.skip("its Hessian is not diagonal")
            hessian, step = twin._hessian(y, z), mp.mpf(10) ** -25
            for k in range(n_classes):
                move = np.where(np.arange(n_classes) == k, step, mp.mpf(0))
                slope = (twin._gradient(y, z + move) - twin._gradient(y, z - move))[:, k] / (2 * step)
                assert max(np.abs(hessian[:, k] - slope) / (1 + np.abs(slope))) < 1e-38


@pytest.mark.parametrize(("case", "form"), CASES)
def test_float64_agrees_with_multiprecision(case: Any, form: str, rng: Any) -> None:
    """The shim computes what NumPy computes."""
    loss = row_samples.make(case, 7)
    y, z = row_samples.ordinary(loss, form, 20, 7, np.float64, rng)
    plain, exact = reference.twin(loss), row_truth.twin(loss)
    names = ["_value", "_gradient", "_hessian"][: 3 if loss.has_hessian else 2]
    truths = row_truth.evaluate(lambda y, z: [getattr(exact, n)(y, z) for n in names], y, z)
    for name, true in zip(names, truths, strict=True):
        expected = row_truth.as_float(true)
        np.testing.assert_allclose(getattr(plain, name)(y, z), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("case", row_samples.CASES, ids=row_samples.case_name)
def test_every_row_loss_has_a_twin(case: Any) -> None:
    loss = row_samples.make(case, 3)
    twin = reference.twin(loss)
    assert isinstance(twin, reference.RowLoss)
    assert repr(twin) == repr(loss)
    for name in ("parameters", "family", "has_gradient", "has_hessian"):
        assert getattr(twin, name) == getattr(loss, name)


@pytest.mark.parametrize(("case", "form"), CASES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_library_agrees_with_reference(
    case: Any, form: str, reduction: str, weighted: bool, dtype: Any, rng: Any
) -> None:
    for n, n_classes in [(40, 2), (23, 7), (9, 130), (3, 1100)]:
        loss = row_samples.make(case, n_classes)
        y, z = row_samples.ordinary(loss, form, n, n_classes, dtype, rng)
        w = rng.uniform(0.5, 2, n).astype(dtype) if weighted else None
        options = {"sample_weight": w, "reduction": reduction}
        verb = "value_gradient_and_hessian" if loss.has_hessian else "value_and_gradient"
        found = getattr(loss, verb)(y, z, **options)
        expected = getattr(reference.twin(loss), verb)(y, z, **options)
        assert type(found[0]) is type(expected[0])
        tolerance = 100 * float(np.finfo(dtype).eps)
        if isinstance(loss, fl.JSDivergence):
            tolerance = max(tolerance, 1e-10)  # the plain formula cancels where p and q are close
        for x, true in zip(found, expected, strict=True):
            scale = float(np.abs(true).max())
            np.testing.assert_allclose(x, true, rtol=tolerance, atol=tolerance * scale)
        for single, x in [("__call__", found[0]), ("gradient", found[1])]:
            np.testing.assert_array_equal(getattr(loss, single)(y, z, **options), x)


# Invariants


@pytest.fixture(params=[fl, reference], ids=["fastloss", "reference"])
def kit(request: pytest.FixtureRequest) -> Any:
    return request.param


def _all_three(loss: Any, y: Any, z: Any) -> list[np.ndarray]:
    return list(loss.value_gradient_and_hessian(y, z, reduction="none"))


def _assert_close(found: Any, expected: Any, rtol: float = 1e-12, atol: float = 1e-14) -> None:
    for x, true in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, true, rtol=rtol, atol=atol)


def _distributions(rng: Any, n: int = 50, n_classes: int = 6) -> np.ndarray:
    return rng.dirichlet(np.ones(n_classes), n)


@pytest.mark.parametrize("from_logits", [False, True])
def test_entropy_and_divergence_make_cross_entropy(kit: Any, from_logits: bool, rng: Any) -> None:
    p, q = _distributions(rng), _distributions(rng)
    z = np.log(q) if from_logits else q
    entropy = -(p * np.log(p)).sum(axis=1)
    cross = kit.CrossEntropy(from_logits=from_logits)(p, z, reduction="none")
    divergence = kit.KLDivergence(from_logits=from_logits)(p, z, reduction="none")
    np.testing.assert_allclose(entropy + divergence, cross, rtol=1e-13)


def test_divergences_are_not_negative_and_bounded(kit: Any, rng: Any, dtype: Any) -> None:
    p, q = _distributions(rng, 400).astype(dtype), _distributions(rng, 400).astype(dtype)
    p[::3] *= p[::3] > 0.1
    eps = float(np.finfo(dtype).eps)
    p = (p / p.sum(axis=1, keepdims=True)).astype(dtype)
    for base in (np.e, 2.0, 10.0):
        js = kit.JSDivergence(base=base)(p, q, reduction="none")
        assert (js >= 0).all()
        assert (js <= np.log(2) / np.log(base) * (1 + 4 * eps)).all()
        turned = kit.JSDivergence(base=base)(q, p, reduction="none")
        np.testing.assert_allclose(js, turned, rtol=0, atol=4 * eps)
        distance = kit.JSDivergence(base=base, distance=True)(p, q, reduction="none")
        np.testing.assert_allclose(distance**2, js, rtol=8 * eps)
    assert (kit.KLDivergence()(p, q, reduction="none") > 0).all()
    disjoint = kit.JSDivergence()(np.eye(2, dtype=dtype), np.eye(2, dtype=dtype)[::-1], reduction="none")
    np.testing.assert_allclose(disjoint, np.log(2), rtol=eps)


def test_library_is_exactly_symmetric(dtype: Any, rng: Any) -> None:
    p, q = _distributions(rng, 200).astype(dtype), _distributions(rng, 200).astype(dtype)
    np.testing.assert_array_equal(
        fl.JSDivergence()(p, q, reduction="none"), fl.JSDivergence()(q, p, reduction="none")
    )


@pytest.mark.filterwarnings("ignore:.*rows are used as given")
def test_jensen_shannon_of_proportional_rows(dtype: Any) -> None:
    """Rows that differ by a rounding: p·log(p/m) would sum to less than zero, and its root to NaN."""
    for n_classes in (2, 3, 10, 100, 1000):
        p = np.random.default_rng(n_classes).random((50, n_classes)).astype(dtype)
        q = (p * dtype(3) / dtype(3) * (1 + np.finfo(dtype).eps)).astype(dtype)
        divergence = fl.JSDivergence()(p, q, reduction="none")
        distance, gradient = fl.JSDivergence(distance=True).value_and_gradient(p, q, reduction="none")
        assert (divergence >= 0).all()
        assert np.isfinite(distance).all()
        assert np.isfinite(gradient).all()
        assert (divergence < np.finfo(dtype).eps * n_classes).all()


def test_two_classes_are_the_binary_cross_entropy_of_the_difference(kit: Any, rng: Any) -> None:
    z, y = rng.normal(0, 10, (200, 2)), rng.integers(0, 2, 200)
    value, gradient, hessian = _all_three(kit.CrossEntropy(), y, z)
    expected = _all_three(kit.BinaryCrossEntropy(), y, z[:, 1] - z[:, 0])
    _assert_close([value, gradient[:, 1], hessian[:, 1]], expected, 1e-12, 1e-15)
    focal = _all_three(kit.Focal(gamma=1.5), y, z)
    expected = _all_three(kit.BinaryFocal(gamma=1.5), y, z[:, 1] - z[:, 0])
    _assert_close([focal[0], focal[1][:, 1], focal[2][:, 1]], expected, 1e-11, 1e-15)


def test_one_hot_rows_are_class_indices(kit: Any, rng: Any) -> None:
    z, y = rng.normal(0, 5, (100, 7)), rng.integers(0, 7, 100)
    for settings in ({}, {"label_smoothing": 0.2}, {"class_weight": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}):
        loss = kit.CrossEntropy(**settings)
        _assert_close(_all_three(loss, np.eye(7)[y], z), _all_three(loss, y, z))
        np.testing.assert_allclose(loss(np.eye(7)[y], z), loss(y, z), rtol=1e-13)


def test_smoothing_mixes_with_the_uniform_distribution(kit: Any, rng: Any) -> None:
    z, y = rng.normal(0, 5, (100, 7)), rng.integers(0, 7, 100)
    plain = _all_three(kit.CrossEntropy(), y, z)
    uniform = _all_three(kit.CrossEntropy(), np.full((100, 7), 1 / 7), z)
    mixed = [0.8 * a + 0.2 * b for a, b in zip(plain, uniform, strict=True)]
    _assert_close(_all_three(kit.CrossEntropy(label_smoothing=0.2), y, z), mixed)
    _assert_close(_all_three(kit.CrossEntropy(label_smoothing=1.0), y, z), uniform)


def test_a_shift_changes_nothing(kit: Any, rng: Any) -> None:
    # Whole numbers over 64, which a shift by whole numbers does not round.
    z, y = np.round(rng.normal(0, 5, (100, 7)) * 64) / 64, rng.integers(0, 7, 100)
    for loss in (
        kit.CrossEntropy(),
        kit.Focal(),
        kit.MulticlassHinge(),
        kit.MulticlassHinge(kind="weston-watkins"),
    ):
        for shift in (-1000.0, 1.0, 2.0**40):
            _assert_close(_all_three(loss, y, z + shift), _all_three(loss, y, z), 1e-13, 1e-15)


@pytest.mark.parametrize("n_classes", [2, 7, 40, 150])
def test_gradients_by_logits_sum_to_zero(kit: Any, n_classes: int, rng: Any) -> None:
    z, y = rng.normal(0, 5, (100, n_classes)), rng.integers(0, n_classes, 100)
    for loss in (
        kit.CrossEntropy(),
        kit.Focal(),
        kit.MulticlassHinge(),
        kit.MulticlassHinge(kind="weston-watkins"),
    ):
        np.testing.assert_allclose(loss.gradient(y, z, reduction="none").sum(axis=1), 0, atol=1e-13)


@pytest.mark.parametrize("n_classes", [2, 7, 40, 150])
def test_order_of_the_classes_does_not_matter(n_classes: int, rng: Any) -> None:
    z, y = rng.normal(0, 5, (100, n_classes)), rng.integers(0, n_classes, 100)
    order = rng.permutation(n_classes)
    where = np.argsort(order)
    for loss in (fl.CrossEntropy(), fl.Focal(), fl.MulticlassHinge(), fl.CrossEntropy(label_smoothing=0.1)):
        value, gradient, hessian = _all_three(loss, y, z)
        turned = _all_three(loss, where[y], z[:, order])
        _assert_close(turned, [value, gradient[:, order], hessian[:, order]])


@pytest.mark.filterwarnings("ignore:.*rows are used as given")
def test_divergence_is_infinite_where_it_should_be_and_never_nan(dtype: Any, rng: Any) -> None:
    for n_classes in (2, 3, 17, 130, 300):
        p = np.where(rng.random((200, n_classes)) < 0.4, 0, rng.random((200, n_classes))).astype(dtype)
        q = np.where(rng.random((200, n_classes)) < 0.4, 0, rng.random((200, n_classes))).astype(dtype)
        beyond = ((q == 0) & (p > 0)).any(axis=1)
        value, gradient = fl.KLDivergence().value_and_gradient(p, q, reduction="none")
        np.testing.assert_array_equal(np.isposinf(value), beyond)
        assert not np.isnan(value).any()
        assert not np.isnan(gradient).any()
        with np.errstate(divide="ignore"):
            z = np.where(q > 0, np.log(np.maximum(q, np.finfo(dtype).tiny)), -np.inf).astype(dtype)
        some = (q > 0).any(axis=1)
        value, gradient = fl.KLDivergence(from_logits=True).value_and_gradient(p, z, reduction="none")
        np.testing.assert_array_equal(np.isposinf(value)[some], beyond[some])
        assert not np.isnan(value[some]).any()
        assert np.isfinite(gradient[some]).all()


def test_perfect_predictions() -> None:
    for loss in (fl.KLDivergence(), fl.JSDivergence(), fl.JSDivergence(distance=True), fl.EuclideanError()):
        p = np.random.default_rng(0).dirichlet(np.ones(9), 40)
        np.testing.assert_array_equal(loss(p, p, reduction="none"), 0)


def test_working_precision_suffices(rng: Any) -> None:
    """The truth of the accuracy tests does not change with many more digits."""
    for dtype in (np.float32, np.float64):
        z = row_samples._logits(40, 3, dtype, rng)
        usual = row_truth.evaluate(lambda _, z: [row_truth.softmax(z)], None, z)[0]
        with mpmath.workdps(2500):
            parts = row_truth._split_all(row_truth.softmax(row_truth._object(z)))
        high, exponent = parts[0].astype(float), parts[2].astype(int)
        seen = np.maximum(usual.exponent, exponent) > -1080
        error = np.ldexp(usual.high, np.clip(usual.exponent - exponent, -2000, 2000)) - high
        assert np.abs(error[seen]).max() < 1e-15
        assert multiprecision.DIGITS >= 50
