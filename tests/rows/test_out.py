"""``out`` of the row losses: streamed, overlapping, refused, and left alone by errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from verbs import REDUCTIONS, ask

import fastloss as fl
from rows import samples as row_samples

CANARY = -12345.0


def _one_or_tuple(slots: list[np.ndarray]) -> Any:
    return slots[0] if len(slots) == 1 else tuple(slots)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_classes", [3, 100, 131, 1000, 4001, 50_003])
@pytest.mark.parametrize("name", ["CrossEntropy", "Focal", "MulticlassHinge", "EuclideanError"])
def test_large_outputs_are_streamed(name: str, n_classes: int, order: str, dtype: Any, rng: Any) -> None:
    """More than the last-level cache, beside lines that belong to somebody else: the bits of its parts."""
    loss = getattr(fl, name)()
    n = (60 << 20) // (2 * np.dtype(dtype).itemsize * n_classes)
    pick = rng.integers(0, 16, n)
    y, z = row_samples.ordinary(loss, row_samples.forms(loss)[0], 16, n_classes, dtype, rng)
    y, z = y[pick], z[pick]
    names = ["gradient", "hessian"] if loss.has_hessian else ["gradient"]
    buffers = [np.full(z.size + 2 * 41, CANARY, dtype) for _ in names]
    slots = [buffer[41:-41].reshape(z.shape, order=order) for buffer in buffers]
    verb = "_and_".join(names)
    parts = [slice(i * n // 9, (i + 1) * n // 9) for i in range(9)]
    expected = [ask(loss, verb, y[part], z[part], reduction="sum") for part in parts]
    z = np.array(z, order=order)
    for n_threads in (1, 2, 3, 8):
        options = {"reduction": "sum", "n_threads": n_threads, "out": _one_or_tuple(slots)}
        ask(loss, verb, y, z, **options)
        for result, buffer, slot in zip(names, buffers, slots, strict=True):
            for part, of_part in zip(parts, expected, strict=True):
                assert np.array_equal(slot[part], of_part[result])
            slot[...] = CANARY
            assert (buffer == CANARY).all()


def test_an_error_leaves_the_predictions_as_they_were(dtype: Any, rng: Any) -> None:
    for n, n_classes in [(5000, 3), (300, 300)]:
        z = rng.normal(size=(n, n_classes)).astype(dtype)
        before, y = z.copy(), rng.integers(0, n_classes, n)
        y[-1] = n_classes
        for reduction in REDUCTIONS:
            with pytest.raises(ValueError, match=rf"y_true\[{n - 1}\]"):
                fl.CrossEntropy().gradient(y, z, out=z, reduction=reduction)
        np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("n_classes", [3, 1000])
@pytest.mark.parametrize("size", [50_000, 60 << 18])
def test_an_error_leaves_rows_that_are_not_computed(size: int, n_classes: int, rng: Any) -> None:
    n = size // n_classes
    z, y = np.zeros((n, n_classes), np.float32), rng.integers(0, n_classes, n)
    y[-1] = n_classes
    out = np.full_like(z, CANARY)
    with pytest.raises(ValueError, match=rf"y_true\[{n - 1}\]"):
        fl.CrossEntropy().gradient(y, z, out=out)
    assert (out[-1] == CANARY).all()


def test_overlaps(rng: Any) -> None:
    buffer = rng.normal(size=(20, 4))
    z, y, w = buffer[:10], rng.integers(0, 4, 10), np.ones(10)
    loss = fl.CrossEntropy()
    with pytest.raises(ValueError, match="out overlaps y_pred"):
        loss.gradient(y, z, out=buffer[1:11])
    with pytest.raises(ValueError, match="out overlaps y_pred"):
        loss.gradient(y, z, out=z[::-1])
    with pytest.raises(ValueError, match=r"out\[0\] overlaps y_pred"):
        loss.value_and_gradient(y, z, reduction="none", out=(z[:, 0], np.empty((10, 4))))
    with pytest.raises(ValueError, match=r"out\[1\] overlaps"):
        loss.gradient_and_hessian(y, z, out=(buffer[10:], buffer[10:]))
    with pytest.raises(ValueError, match=r"out\[1\] overlaps"):
        loss.gradient_and_hessian(y, z, out=(z, z))
    labels, p = np.zeros(10), np.full((10, 4), 0.25)
    with pytest.raises(ValueError, match="out overlaps y_true"):
        loss(labels, z, reduction="none", out=labels)
    with pytest.raises(ValueError, match="out overlaps y_true"):
        loss.gradient(p, z, out=p)
    with pytest.raises(ValueError, match="out overlaps sample_weight"):
        loss(y, z, reduction="none", sample_weight=w, out=w)


@pytest.mark.parametrize(
    ("verb", "reduction", "out", "error"),
    [
        ("__call__", "mean", np.empty(5), ValueError),
        ("__call__", "none", np.empty((5, 3)), ValueError),
        ("__call__", "none", np.empty(4), ValueError),
        ("gradient", "mean", np.empty(5), ValueError),
        ("gradient", "mean", np.empty((3, 5)), ValueError),
        ("gradient", "mean", np.empty((5, 3), int), TypeError),
        ("gradient", "mean", [[0.0] * 3] * 5, TypeError),
        ("gradient", "mean", (np.empty((5, 3)), np.empty((5, 3))), ValueError),
        ("value_and_gradient", "none", np.empty((5, 3)), TypeError),
        ("value_and_gradient", "none", (np.empty((5, 3)), np.empty(5)), ValueError),
        ("gradient_and_hessian", "sum", np.empty((5, 3)), TypeError),
        ("gradient", "mean", np.broadcast_to(0.0, (5, 3)), ValueError),
    ],
)
def test_bad_outputs(verb: str, reduction: str, out: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="out"):
        getattr(fl.CrossEntropy(), verb)([0] * 5, np.zeros((5, 3)), reduction=reduction, out=out)


def test_one_array_or_a_tuple_or_none_in_it(rng: Any) -> None:
    z, y = rng.normal(size=(10, 3)), rng.integers(0, 3, 10)
    out, hessian = np.empty((10, 3)), np.empty((10, 3))
    assert fl.CrossEntropy().gradient(y, z, out=(out,)) is out
    gradient, found = fl.CrossEntropy().gradient_and_hessian(y, z, out=(None, hessian))
    assert found is hessian
    np.testing.assert_array_equal(gradient, out)
