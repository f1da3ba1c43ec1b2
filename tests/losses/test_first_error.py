"""Of several things that are wrong the first in order is reported, whichever argument it is in.

In one place it is the prediction of a pointwise loss, but the target or the label of a row. Places lie in one
block or tile, in two, and in two segments.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from embeddings.samples import ordinary
from verbs import REDUCTIONS

import fastloss as fl

#: Two places: in one vector, one block, two blocks, two segments.
PLACES = [
    (3, 5),
    (5, 3),
    (0, 15),
    (15, 0),
    (16, 17),
    (33, 20),
    (511, 512),
    (512, 511),
    (1000, 4000),
    (4999, 1),
]
N = 5000
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": np.array,
    "spaced": lambda x: np.repeat(x, 2, axis=0)[::2],
    "swapped": lambda x: x.astype(x.dtype.newbyteorder()),
}


def _reported(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """What the error of a call begins with: an argument and a place."""
    with pytest.raises(ValueError, match=r"\[.*\]") as caught:
        call(*arguments, **options)
    return str(caught.value).split(" = ")[0]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bad", [np.nan, -7.0, np.inf])
def test_targets_and_predictions(bad: float, layout: str, dtype: Any) -> None:
    loss, place = fl.BinaryCrossEntropy(from_logits=False), LAYOUTS[layout]
    for at_y, at_z in [*PLACES, (7, 7), (513, 513)]:
        for n in (N, max(at_y, at_z) + 1):
            y, z = np.ones(n, dtype), np.full(n, 0.5, dtype)
            y[at_y], z[at_z] = bad, bad
            expected = f"y_true[{at_y}]" if at_y < at_z else f"y_pred[{at_z}]"
            for reduction in REDUCTIONS:
                for verb in (loss, loss.gradient, loss.value_gradient_and_hessian):
                    assert _reported(verb, place(y), place(z), reduction=reduction) == expected
            assert _reported(loss.weight_sum, place(y), place(z)) == expected


def test_targets_and_weights_of_a_sum(dtype: Any) -> None:
    loss = fl.Poisson()
    for at_y, at_w in PLACES:
        y, z, w = np.ones(N, dtype), np.zeros(N, dtype), np.ones(N, dtype)
        y[at_y], w[at_w] = -1, -1
        expected = f"y_true[{at_y}]" if at_y < at_w else f"sample_weight[{at_w}]"
        for verb in (loss, loss.gradient, loss.value_gradient_and_hessian):
            assert _reported(verb, y, z, sample_weight=w, reduction="sum") == expected


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_the_first_of_several_segments(n_threads: int) -> None:
    n = (1 << 20) + 77
    y, z = np.ones(n, np.float32), np.full(n, 0.5, np.float32)
    loss = fl.BinaryCrossEntropy(from_logits=False)
    for at_y, at_z in [(n - 1, 700_000), (300_000, 300_001), (n - 1, n - 2)]:
        y[at_y], z[at_z] = 2, 2
        expected = f"y_true[{at_y}]" if at_y < at_z else f"y_pred[{at_z}]"
        assert _reported(loss, y, z, n_threads=n_threads) == expected
        assert _reported(loss.gradient, y, z, n_threads=n_threads) == expected
        y[at_y], z[at_z] = 1, 0.5


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_classes", [3, 40, 200, 1500])
def test_rows_of_labels(n_classes: int, order: str, dtype: Any) -> None:
    loss = fl.CrossEntropy(from_logits=False)
    places = [(a, b) for a, b in PLACES if max(a, b) < 600 or n_classes == 3]
    for at_y, at_z in [*places, (7, 7)]:
        n = max(at_y, at_z) + 3
        y, z = np.zeros(n, int), np.full((n, n_classes), 1 / n_classes, dtype, order)
        y[at_y], z[at_z, n_classes - 1] = n_classes, -1
        expected = f"y_true[{at_y}]" if at_y <= at_z else f"y_pred[{at_z}, {n_classes - 1}]"
        for reduction in REDUCTIONS:
            assert _reported(loss, y, z, reduction=reduction) == expected
            assert _reported(loss.gradient, y, z, reduction=reduction) == expected
        z[at_z, 0] = np.nan  # an earlier class of the same row
        if at_z < at_y:
            assert _reported(loss.gradient, y, z) == f"y_pred[{at_z}, 0]"


@pytest.mark.parametrize("n_classes", [3, 40, 200])
def test_rows_of_targets(n_classes: int, dtype: Any) -> None:
    loss = fl.JSDivergence()
    for (at_y, at_z), (of_y, of_z) in zip(PLACES[:6] * 2, [(1, 2), (2, 0), (0, 0)] * 4, strict=True):
        for at in ((at_y, at_z), (at_y, at_y)):
            y, z = (np.full((600, n_classes), 1 / n_classes, dtype) for _ in range(2))
            y[at[0], of_y], z[at[1], of_z] = -1, np.inf
            first = (at[0], of_y) <= (at[1], of_z)
            expected = f"y_true[{at[0]}, {of_y}]" if first else f"y_pred[{at[1]}, {of_z}]"
            for reduction in REDUCTIONS:
                assert _reported(loss, y, z, reduction=reduction) == expected
                assert _reported(loss.gradient, y, z, reduction=reduction) == expected


def test_labels_and_weights_of_rows(dtype: Any) -> None:
    for n_classes in (3, 200):
        z = np.zeros((600, n_classes), dtype)
        for at_y, at_w in [p for p in PLACES if max(p) < 600]:
            y, w = np.zeros(600, int), np.ones(600, dtype)
            y[at_y], w[at_w] = -1, -1
            expected = f"y_true[{at_y}]" if at_y < at_w else f"sample_weight[{at_w}]"
            for reduction in REDUCTIONS:
                options = {"sample_weight": w, "reduction": reduction}
                assert _reported(fl.CrossEntropy(), y, z, **options) == expected
                assert _reported(fl.CrossEntropy().gradient, y, z, **options) == expected


LABELLED = [fl.Contrastive(), fl.CosineEmbedding(), fl.CenterLoss()]


@pytest.mark.parametrize("case", LABELLED, ids=repr)
def test_labels_of_embeddings_beside_weights(case: Any, dtype: Any, rng: Any) -> None:
    for place in (0, 1, 15, 16, 255, 256, 511, 512, 1100):
        a, b, y = ordinary(case, place + 2, 3, dtype, rng)
        w = rng.uniform(0.5, 2, place + 2).astype(dtype)
        for bad in (9, -3):
            y[place] = bad
            for kind in (np.int64, np.int8, np.float64, ">f4"):
                for reduction in REDUCTIONS:
                    for verb in (case, case.gradient, case.value_and_gradient):
                        options = {"sample_weight": w, "reduction": reduction}
                        found = _reported(verb, a, b, y.astype(kind), **options)
                        assert found == f"{case._names[2]}[{place}]"


def test_rows_that_sum_to_no_one_are_named_by_the_first(dtype: Any) -> None:
    """Of one tile, of several, and of segments that several threads compute."""
    losses = [fl.CrossEntropy(from_logits=False), fl.Focal(from_logits=False)]
    for n, n_classes in [(N, 4), (600, 200), (100_000, 8)]:
        y = np.zeros(n, int)
        for first, second in [(0, n - 1), (n // 2, n // 2 + 1), (70, n - 70), (n - 2, n - 1)]:
            z = np.full((n, n_classes), 1 / n_classes, dtype)
            z[first] /= 2
            z[second] /= 4
            for loss in losses:
                for n_threads in (1, 3):
                    with warnings.catch_warnings(record=True) as caught:
                        warnings.simplefilter("always")
                        loss(y, z, n_threads=n_threads)
                    assert len(caught) == 1
                    assert re.search(rf"y_pred\[{first}\] sums to 0.5 ", str(caught[0].message))
