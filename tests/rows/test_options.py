"""Class weights, smoothing, ignored rows, and what a mean divides by; beside PyTorch where it agrees."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from verbs import REDUCTIONS, ask

import fastloss as fl
from fastloss import reference

#: Vectors across rows and along them.
SHAPES = [(40, 2), (33, 3), (65, 10), (20, 129), (6, 300)]

OPTIONS = list(itertools.product([False, True], [0.0, 0.1, 1.0], [None, -100, 1], [False, True]))


def _settings(weighted: bool, smoothing: float, ignored: int | None, n_classes: int) -> dict[str, Any]:
    weights = [0.0, *np.linspace(0.5, 3, n_classes - 1).tolist()] if weighted else None
    return {"class_weight": weights, "label_smoothing": smoothing, "ignore_index": ignored}


def _labels(n: int, n_classes: int, ignored: int | None, rng: Any) -> np.ndarray:
    y = rng.integers(0, n_classes, n)
    if ignored is not None:
        y[::3] = ignored
    y[1] = n_classes - 1 if ignored != n_classes - 1 else 0
    return y


@pytest.mark.parametrize(("weighted", "smoothing", "ignored", "from_logits"), OPTIONS)
def test_every_combination(
    weighted: bool, smoothing: float, ignored: int | None, from_logits: bool, dtype: Any, rng: Any
) -> None:
    tolerance = 100 * float(np.finfo(dtype).eps)
    for n, n_classes in SHAPES:
        settings = {"from_logits": from_logits, **_settings(weighted, smoothing, ignored, n_classes)}
        y = _labels(n, n_classes, ignored, rng)
        z = rng.normal(0, 2, (n, n_classes)).astype(dtype)
        if not from_logits:
            z = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        if n_classes == 2 and ignored == 1:
            settings["class_weight"] = None  # else nothing would count
        w = rng.uniform(0.5, 2, n).astype(dtype)
        loss, twin = fl.CrossEntropy(**settings), reference.CrossEntropy(**settings)
        for reduction in REDUCTIONS:
            options = {"sample_weight": w, "reduction": reduction}
            found = ask(loss, "value_gradient_and_hessian", y, z, **options)
            expected = ask(twin, "value_gradient_and_hessian", y, z, **options)
            for name, x in expected.items():
                scale = float(np.abs(x).max())
                np.testing.assert_allclose(
                    found[name], x, rtol=tolerance, atol=tolerance * scale, err_msg=name
                )
        skipped = y == (ignored if ignored is not None else -1)
        assert not found["gradient"][skipped].any()
        assert not found["hessian"][skipped].any()
        assert not found["value"][skipped].any()


@pytest.mark.parametrize(("weighted", "smoothing"), list(itertools.product([False, True], [0.0, 0.1])))
def test_all_rows_ignored(weighted: bool, smoothing: float, dtype: Any) -> None:
    for n, n_classes in SHAPES:
        loss = fl.CrossEntropy(**_settings(weighted, smoothing, -100, n_classes))
        z = np.full((n, n_classes), np.nan, dtype)
        for reduction in REDUCTIONS:
            for w in (None, np.ones(n), np.zeros(n)):
                value, gradient, hessian = loss.value_gradient_and_hessian(
                    np.full(n, -100), z, reduction=reduction, sample_weight=w
                )
                np.testing.assert_array_equal(value, 0)
                assert type(value) is (np.ndarray if reduction == "none" else float)
                np.testing.assert_array_equal(gradient, np.zeros_like(z))
                np.testing.assert_array_equal(hessian, np.zeros_like(z))


def test_ignored_rows_are_as_if_they_were_not_there(dtype: Any, rng: Any) -> None:
    for n, n_classes in SHAPES:
        for ignored in (-100, 0, 2**40):
            loss = fl.CrossEntropy(ignore_index=ignored)
            y = _labels(n, n_classes, ignored, rng)
            y[2] = n_classes - 1
            z = rng.normal(0, 2, (n, n_classes)).astype(dtype)
            z[y == ignored] = rng.choice([np.nan, np.inf, -np.inf], ((y == ignored).sum(), n_classes))
            kept = y != ignored
            for reduction in ("mean", "sum"):
                value, gradient = loss.value_and_gradient(y, z, reduction=reduction)
                expected, slopes = fl.CrossEntropy().value_and_gradient(y[kept], z[kept], reduction=reduction)
                np.testing.assert_allclose(value, expected, rtol=1e-15 if dtype == np.float64 else 1e-7)
                np.testing.assert_array_equal(gradient[kept], slopes)


def test_an_ignored_class_that_is_one_for_small_dtypes() -> None:
    """255 as uint8 is not -1, and -100 as int8 is."""
    z = np.zeros((2, 300))
    with pytest.raises(ValueError, match=r"y_true\[1\]"):
        fl.CrossEntropy(ignore_index=-1)(np.array([3, 255], np.uint8), z[:, :200])
    assert fl.CrossEntropy(ignore_index=-1)(np.array([3, 255], np.uint8), z, reduction="none")[1] > 0
    assert fl.CrossEntropy(ignore_index=-100)(np.array([3, -100], np.int8), z, reduction="none")[1] == 0
    assert fl.CrossEntropy(ignore_index=255)(np.array([3, 255], np.uint8), z, reduction="none")[1] == 0


def test_dense_mean_divides_by_the_weights_of_the_targets(dtype: Any, rng: Any) -> None:
    for n, n_classes in SHAPES:
        p = rng.dirichlet(np.ones(n_classes), n).astype(dtype)
        z = rng.normal(0, 2, (n, n_classes)).astype(dtype)
        weights, w = np.linspace(0.5, 3, n_classes), rng.uniform(0.5, 2, n)
        loss = fl.CrossEntropy(class_weight=weights)
        value, gradient = loss.value_and_gradient(p, z, sample_weight=w)
        total, slopes = loss.value_and_gradient(p, z, sample_weight=w, reduction="sum")
        counted = (w * (p.astype(np.float64) @ weights)).sum()
        eps = float(np.finfo(dtype).eps)
        np.testing.assert_allclose(value, total / counted, rtol=8 * eps)
        np.testing.assert_allclose(gradient, slopes / counted, rtol=8 * eps, atol=eps * 1e-2)


def test_alpha(rng: Any) -> None:
    z, y = rng.normal(0, 2, (50, 4)), rng.integers(0, 4, 50)
    alphas = [0.1, 0.7, 2.0, 0.0]
    plain = fl.Focal(gamma=1.5)(y, z, reduction="none")
    np.testing.assert_allclose(
        fl.Focal(gamma=1.5, alpha=alphas)(y, z, reduction="none"), plain * np.take(alphas, y), rtol=1e-14
    )
    np.testing.assert_allclose(fl.Focal(gamma=1.5, alpha=0.25)(y, z, reduction="none"), plain / 4, rtol=1e-14)
    # alpha is part of the loss, no weight: the mean divides by the number of rows.
    np.testing.assert_allclose(fl.Focal(gamma=1.5, alpha=0.25)(y, z), plain.mean() / 4, rtol=1e-14)


def test_focal_without_focus_is_cross_entropy(dtype: Any, rng: Any) -> None:
    eps = float(np.finfo(dtype).eps)
    for n, n_classes in SHAPES:
        z, y = rng.normal(0, 20, (n, n_classes)).astype(dtype), rng.integers(0, n_classes, n)
        found = fl.Focal(gamma=0.0).value_gradient_and_hessian(y, z, reduction="none")
        expected = fl.CrossEntropy().value_gradient_and_hessian(y, z, reduction="none")
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=8 * eps, atol=float(np.finfo(dtype).tiny))


# PyTorch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


def _of_torch(torch: Any, y: np.ndarray, z: np.ndarray, reduction: str, **options: Any) -> tuple[Any, Any]:
    logits = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    target = torch.tensor(y, dtype=torch.long if y.ndim == 1 else torch.float64)
    value = torch.nn.functional.cross_entropy(logits, target, reduction=reduction, **options)
    value.sum().backward()
    return value.detach().numpy(), logits.grad.numpy()


@pytest.mark.parametrize(("weighted", "smoothing"), list(itertools.product([False, True], [0.0, 0.1, 1.0])))
@pytest.mark.parametrize("ignored", [None, -100, 1])
def test_class_indices_as_torch(torch: Any, weighted: bool, smoothing: float, ignored: Any, rng: Any) -> None:
    for n, n_classes in SHAPES[1:]:
        settings = _settings(weighted, smoothing, ignored, n_classes)
        y, z = _labels(n, n_classes, ignored, rng), rng.normal(0, 5, (n, n_classes))
        options = {"label_smoothing": smoothing, "ignore_index": -100 if ignored is None else ignored}
        if weighted:
            options["weight"] = torch.tensor(settings["class_weight"], dtype=torch.float64)
        for reduction in REDUCTIONS:
            value, gradient = _of_torch(torch, y, z, reduction, **options)
            found, slopes = fl.CrossEntropy(**settings).value_and_gradient(y, z, reduction=reduction)
            np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(slopes, gradient, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(("weighted", "smoothing"), list(itertools.product([False, True], [0.0, 0.1])))
def test_soft_labels_as_torch(torch: Any, weighted: bool, smoothing: float, rng: Any) -> None:
    for n, n_classes in SHAPES:
        settings = {**_settings(weighted, smoothing, None, n_classes)}
        y, z = rng.dirichlet(np.ones(n_classes), n), rng.normal(0, 5, (n, n_classes))
        options = {"label_smoothing": smoothing}
        if weighted:
            options["weight"] = torch.tensor(settings["class_weight"], dtype=torch.float64)
        # Its mean over soft labels divides by their number, not by their weights, unless there are none.
        for reduction in REDUCTIONS[1 if weighted else 0 :]:
            value, gradient = _of_torch(torch, y, z, reduction, **options)
            found, slopes = fl.CrossEntropy(**settings).value_and_gradient(y, z, reduction=reduction)
            np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(slopes, gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("from_logits", [False, True])
def test_divergence_as_torch(torch: Any, from_logits: bool, rng: Any) -> None:
    for n, n_classes in SHAPES:
        p, q = rng.dirichlet(np.ones(n_classes), n), rng.dirichlet(np.ones(n_classes), n)
        value = torch.nn.functional.kl_div(torch.tensor(q).log(), torch.tensor(p), reduction="batchmean")
        found = fl.KLDivergence(from_logits=from_logits)(p, np.log(q) if from_logits else q)
        np.testing.assert_allclose(found, float(value), rtol=1e-12)


def test_multi_margin_as_torch(torch: Any, rng: Any) -> None:
    for n, n_classes in SHAPES:
        y, z = rng.integers(0, n_classes, n), rng.normal(0, 2, (n, n_classes))
        value = torch.nn.functional.multi_margin_loss(torch.tensor(z), torch.tensor(y)) * n_classes
        np.testing.assert_allclose(fl.MulticlassHinge(kind="weston-watkins")(y, z), float(value), rtol=1e-12)


def test_links_as_scipy(dtype: Any, rng: Any) -> None:
    special = pytest.importorskip("scipy.special")
    eps = float(np.finfo(dtype).eps)
    for n, n_classes in SHAPES:
        z = rng.normal(0, 3, (n, n_classes)).astype(dtype)
        wide = z.astype(np.float64)
        for loss in (fl.CrossEntropy(), fl.Focal()):
            p, log_p = loss.probabilities(z), loss.log_probabilities(z)
            assert p.dtype == log_p.dtype == dtype
            np.testing.assert_allclose(p, special.softmax(wide, axis=1), rtol=8 * eps + 1e-14)
            np.testing.assert_allclose(
                log_p, special.log_softmax(wide, axis=1), rtol=8 * eps + 1e-14, atol=1e-15
            )
            np.testing.assert_array_equal(np.argmax(p, axis=1), np.argmax(z, axis=1))


def test_links_of_rows_without_a_softmax(dtype: Any) -> None:
    z = np.array([[np.nan, 0], [np.inf, 0], [-np.inf, -np.inf], [0, 0]], dtype)
    for link in (fl.CrossEntropy().probabilities, fl.CrossEntropy().log_probabilities):
        found = link(z)
        assert np.isnan(found[:3]).all()
        assert np.isfinite(found[3]).all()


def test_links_of_16_bits_and_whole_numbers(rng: Any) -> None:
    z = rng.normal(0, 3, (40, 7)).astype(np.float16)
    found = fl.CrossEntropy().probabilities(z)
    assert found.dtype == np.float16
    expected = fl.CrossEntropy().probabilities(z.astype(np.float32)).astype(np.float16)
    np.testing.assert_array_equal(found, expected)
    whole = fl.CrossEntropy().log_probabilities([[1, 2], [3, 5]])
    np.testing.assert_array_equal(whole, fl.CrossEntropy().log_probabilities([[1.0, 2.0], [3.0, 5.0]]))
    assert fl.CrossEntropy().probabilities(np.zeros((0, 3))).shape == (0, 3)


def test_scipy_entropies(rng: Any) -> None:
    special = pytest.importorskip("scipy.special")
    distance = pytest.importorskip("scipy.spatial.distance")
    for n, n_classes in SHAPES:
        p, q = rng.dirichlet(np.ones(n_classes), n), rng.dirichlet(np.ones(n_classes), n)
        p[:, 0], q[: n // 2, 1] = 0, 0
        p /= p.sum(axis=1, keepdims=True)
        q /= q.sum(axis=1, keepdims=True)
        found = fl.KLDivergence()(p, q, reduction="none")
        np.testing.assert_allclose(found, special.rel_entr(p, q).sum(axis=1), rtol=1e-12)
        found = fl.JSDivergence(base=2.0, distance=True)(p, q, reduction="none")
        np.testing.assert_allclose(found, distance.jensenshannon(p, q, base=2, axis=1), rtol=1e-10)


@pytest.mark.parametrize("exponent", [-1, 1])
def test_distances_that_would_over_or_underflow(exponent: int, dtype: Any, rng: Any) -> None:
    """Scaling by a power of two changes no bit, however large or small the squares."""
    power = exponent * (900 if dtype == np.float64 else 100)
    for n, n_classes in SHAPES:
        y, z = rng.normal(size=(n, n_classes)).astype(dtype), rng.normal(size=(n, n_classes)).astype(dtype)
        value, gradient = fl.EuclideanError().value_and_gradient(y, z, reduction="none")
        scaled, slopes = fl.EuclideanError().value_and_gradient(
            np.ldexp(y, power), np.ldexp(z, power), reduction="none"
        )
        np.testing.assert_array_equal(np.ldexp(scaled, -power), value)
        np.testing.assert_array_equal(slopes, gradient)
    largest = float(np.finfo(dtype).max)
    distance, gradient = fl.EuclideanError().value_and_gradient(
        np.zeros((1, 1), dtype), np.full((1, 1), largest, dtype)
    )
    assert distance == largest
    assert gradient[0, 0] == 1
