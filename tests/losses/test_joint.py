"""Sums of losses of rows and of embeddings: values by hand, gradients by differences, errors."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fastloss as fl

LOSS = fl.CrossEntropy() + 0.25 * fl.CenterLoss()


def inputs(rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    return rng.integers(0, 3, 20), [rng.normal(size=shape) for shape in ((20, 3), (20, 5), (3, 5))]


def by_hand(y: np.ndarray, logits: np.ndarray, x: np.ndarray, centers: np.ndarray) -> np.ndarray:
    entropy = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]
    return entropy + 0.25 * ((x - centers[y]) ** 2).sum(axis=1) / 2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_values(reduction: Any, weighted: bool, rng: np.random.Generator) -> None:
    y, arrays = inputs(rng)
    w = rng.uniform(0, 2, 20) if weighted else None
    each = by_hand(y, *arrays) * (1 if w is None else w)
    expected = {"none": each, "sum": each.sum(), "mean": each.sum() / (20 if w is None else w.sum())}[
        reduction
    ]
    for value in (
        LOSS(y, *arrays, sample_weight=w, reduction=reduction),
        LOSS.value_and_gradient(y, *arrays, sample_weight=w, reduction=reduction)[0],
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-13)


def test_gradients_are_differences(rng: np.random.Generator) -> None:
    y, arrays = inputs(rng)
    gradients = LOSS.gradient(y, *arrays)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]
    for k, gradient in enumerate(gradients):
        direction = rng.normal(size=gradient.shape)
        moved = [[a + t * direction if i == k else a for i, a in enumerate(arrays)] for t in (-1e-6, 1e-6)]
        slope = (by_hand(y, *moved[1]).mean() - by_hand(y, *moved[0]).mean()) / 2e-6
        assert np.vdot(gradient, direction) == pytest.approx(slope, rel=1e-6)


def test_losses_of_the_same_rows(rng: np.random.Generator) -> None:
    y, (logits, *_) = inputs(rng)
    both = 2 * fl.CrossEntropy() + -0.5 * fl.Focal()
    value, (gradient,) = both.value_and_gradient(y, logits)
    assert value == pytest.approx(2 * fl.CrossEntropy()(y, logits) - 0.5 * fl.Focal()(y, logits), rel=1e-14)
    expected = 2 * fl.CrossEntropy().gradient(y, logits) - 0.5 * fl.Focal().gradient(y, logits)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-16)


def test_embeddings_without_labels(rng: np.random.Generator) -> None:
    """The targets are those of the rows alone."""
    y, (logits, *_) = inputs(rng)
    a, p, n = rng.normal(size=(3, 20, 4))
    loss = fl.CrossEntropy() + 3 * fl.Triplet()
    by_logits, *by_embeddings = loss.gradient(y, logits, a, p, n)
    np.testing.assert_array_equal(by_logits, fl.CrossEntropy().gradient(y, logits))
    for one, whole in zip(fl.Triplet().gradient(a, p, n), by_embeddings, strict=True):
        np.testing.assert_allclose(whole, 3 * one, rtol=1e-15)


def test_float32_stays(rng: np.random.Generator) -> None:
    y, arrays = inputs(rng)
    gradients = LOSS.gradient(y, *(a.astype(np.float32) for a in arrays))
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}


def test_it_is_an_object_like_others() -> None:
    names = {"CrossEntropy": fl.CrossEntropy, "CenterLoss": fl.CenterLoss}
    assert eval(repr(LOSS), names) == LOSS
    assert pickle.loads(pickle.dumps(LOSS)) == LOSS
    assert copy.deepcopy(LOSS) is LOSS
    assert hash(2 * (fl.CrossEntropy() + fl.CenterLoss())) == hash(
        2 * fl.CrossEntropy() + 2 * fl.CenterLoss()
    )
    assert (fl.CrossEntropy() + fl.CenterLoss()).parts == ((1.0, fl.CrossEntropy()), (1.0, fl.CenterLoss()))
    with pytest.raises(AttributeError, match="cannot be changed"):
        LOSS.parts = ()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fl.CrossEntropy() + fl.Contrastive(), TypeError, "has labels of pairs"),
        (lambda: fl.Triplet() + fl.CenterLoss(), TypeError, "cannot be told apart"),
        (lambda: fl.CrossEntropy() + fl.Huber(), TypeError, "unsupported operand"),
        (lambda: fl.Huber() + fl.CrossEntropy(), TypeError, "unsupported operand"),
        (lambda: fl.CrossEntropy() + 1, TypeError, "unsupported operand"),
        (lambda: float("nan") * fl.CrossEntropy(), ValueError, "must be in"),
        (lambda: LOSS([0], [[1.0, 2.0]]), TypeError, r"takes y_true and 3 arrays, got 1"),
        (lambda: LOSS([0, 1], [[1.0, 2.0]] * 2, [[1.0]] * 2, [[0.0]]), ValueError, "no class for CenterLoss"),
        (lambda: LOSS([0, 1], [[1.0, 2.0]] * 2, [[1.0]] * 3, [[0.0]] * 2), ValueError, "labels has"),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_embeddings_come_together() -> None:
    """The network of the example is as right with the centre loss, and its classes lie closer."""
    pytest.importorskip("sklearn")
    from project.test_examples import ROOT

    program: dict[str, Any] = {"__name__": "example"}
    exec((ROOT / "examples/center_loss.py").read_text(), program)
    (accuracy, spread), (accuracy_of_both, spread_of_both) = program["main"]()
    assert accuracy_of_both > accuracy - 0.02 > 0.9
    assert spread_of_both < 0.8 * spread
