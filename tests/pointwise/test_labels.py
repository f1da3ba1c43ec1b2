"""Several labels at once, each with weights of its own: (n, C) targets and predictions."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from verbs import VERBS

import fastloss as fl

WEIGHTS = [3.0, 0.25, 1.0]
ALPHAS = [0.25, 0.9, 0.5]
LOSSES = [
    (fl.BinaryCrossEntropy(pos_weight=WEIGHTS), [fl.BinaryCrossEntropy(pos_weight=a) for a in WEIGHTS]),
    (
        fl.BinaryCrossEntropy(pos_weight=WEIGHTS, label_smoothing=0.1, from_logits=False),
        [fl.BinaryCrossEntropy(pos_weight=a, label_smoothing=0.1, from_logits=False) for a in WEIGHTS],
    ),
    (fl.BinaryFocal(alpha=ALPHAS), [fl.BinaryFocal(alpha=a) for a in ALPHAS]),
    (fl.BinaryFocal(gamma=0.5, alpha=ALPHAS), [fl.BinaryFocal(gamma=0.5, alpha=a) for a in ALPHAS]),
]


def data(of: Any, n: int, dtype: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    y = rng.integers(0, 2, (n, 3))
    z = rng.normal(0, 2, (n, 3)) if of.from_logits else rng.uniform(0.01, 0.99, (n, 3))
    return y, z.astype(dtype)


@pytest.mark.parametrize(("of", "columns"), LOSSES, ids=lambda x: repr(x)[:60])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", ["", "rows", "all"])
def test_columns_are_those_of_their_own_losses(of, columns, reduction, weighted, dtype, rng):
    for n in (1, 40, 30_000):
        y, z = data(of, n, dtype, rng)
        w = {"": None, "rows": rng.random(n), "all": rng.random((n, 3))}[weighted]
        each = w if weighted == "all" else None if w is None else np.repeat(w[:, None], 3, axis=1)
        share = [1.0] * 3
        if reduction == "mean":
            sums = [float(n)] * 3 if each is None else each.sum(axis=0)
            share = [s / np.sum(sums) for s in sums]
        for verb, kinds in VERBS.items():
            found = getattr(of, verb)(y, z, sample_weight=w, reduction=reduction)
            found = found if len(kinds) > 1 else (found,)
            parts = [
                getattr(one, verb)(
                    y[:, k], z[:, k], sample_weight=None if each is None else each[:, k], reduction=reduction
                )
                for k, one in enumerate(columns)
            ]
            parts = parts if len(kinds) > 1 else [(p,) for p in parts]
            for i, kind in enumerate(kinds):
                if kind == "value" and reduction != "none":
                    expected = sum(s * p[i] for s, p in zip(share, parts, strict=True))
                    assert found[i] == pytest.approx(expected, rel=1e-6 if dtype == np.float32 else 1e-13)
                else:
                    expected = np.stack([s * p[i] for s, p in zip(share, parts, strict=True)], axis=1)
                    assert found[i].dtype == dtype
                    np.testing.assert_allclose(
                        found[i], expected, rtol=4e-7 if dtype == np.float32 else 2e-14
                    )


def test_torchs_weights(rng):
    torch = pytest.importorskip("torch")
    y, z = rng.integers(0, 2, (50, 3)).astype(float), rng.normal(0, 3, (50, 3))
    t = torch.tensor(z, requires_grad=True)
    value = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(WEIGHTS, dtype=torch.float64))(
        t, torch.tensor(y)
    )
    value.backward()
    found, gradient = fl.BinaryCrossEntropy(pos_weight=WEIGHTS).value_and_gradient(y, z)
    assert found == pytest.approx(value.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, t.grad.numpy(), rtol=1e-10, atol=1e-16)


CLASS_WEIGHTS = [0.5, 2.0, 4.0]


@pytest.mark.parametrize("weighted", ["", "rows", "all"])
def test_weights_of_labels(weighted, rng, dtype):
    """By the formula: σ(z) − y of each label times its weight, with the sum of all weights for divisor."""
    y, z = data(fl.BinaryCrossEntropy(), 500, dtype, rng)
    w = {"": None, "rows": rng.random(500), "all": rng.random((500, 3)).astype(np.float32)}[weighted]
    each = np.ones((500, 3)) if w is None else np.broadcast_to(w.reshape(500, -1), (500, 3))
    all_weights = each * CLASS_WEIGHTS
    wide = z.astype(float)
    p = 1 / (1 + np.exp(-wide))
    value = np.logaddexp(0, wide) - y * wide
    rel = {"rtol": 1e-6 if dtype == np.float32 else 1e-12, "atol": 1e-7 if dtype == np.float32 else 1e-15}
    of = fl.BinaryCrossEntropy(class_weight=CLASS_WEIGHTS)
    assert of.weight_sum(y, z, sample_weight=w) == pytest.approx(all_weights.sum(), rel=1e-6)
    for reduction, divisor in (("mean", all_weights.sum()), ("sum", 1.0), ("none", 1.0)):
        found = of.value_gradient_and_hessian(y, z, sample_weight=w, reduction=reduction)
        values = all_weights * value
        np.testing.assert_allclose(found[0], values if reduction == "none" else values.sum() / divisor, **rel)
        np.testing.assert_allclose(found[1], all_weights * (p - y) / divisor, **rel)
        np.testing.assert_allclose(found[2], all_weights * p * (1 - p) / divisor, **rel)


def test_weights_of_labels_beside_other_parameters(rng):
    y, z = data(fl.BinaryFocal(), 200, np.float64, rng)
    for of, plain in [
        (fl.BinaryFocal(alpha=ALPHAS, class_weight=CLASS_WEIGHTS), fl.BinaryFocal(alpha=ALPHAS)),
        (fl.BinaryFocal(gamma=0.5, class_weight=CLASS_WEIGHTS), fl.BinaryFocal(gamma=0.5)),
        (
            fl.BinaryCrossEntropy(pos_weight=WEIGHTS, class_weight=np.array(CLASS_WEIGHTS)),
            fl.BinaryCrossEntropy(pos_weight=WEIGHTS),
        ),
        (
            fl.BinaryCrossEntropy(pos_weight=3.0, class_weight=CLASS_WEIGHTS),
            fl.BinaryCrossEntropy(pos_weight=3.0),
        ),
    ]:
        expected = plain(y, z, reduction="none") * CLASS_WEIGHTS
        np.testing.assert_allclose(of(y, z, reduction="none"), expected, rtol=4e-16)
        assert of(y, z) == pytest.approx(expected.sum() / (200 * sum(CLASS_WEIGHTS)), rel=1e-13)
        assert of.slope_bound == plain.slope_bound * 4
        assert np.abs(of.gradient(y, 50 * z, reduction="none")).max() <= of.slope_bound
        assert pickle.loads(pickle.dumps(of)) == of != plain
        assert of._counterpart() is None


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_twin_agrees(from_logits, reduction, rng):
    for of in (
        fl.BinaryCrossEntropy(from_logits, WEIGHTS, 0.1, CLASS_WEIGHTS),
        fl.BinaryFocal(2.5, ALPHAS, from_logits, CLASS_WEIGHTS),
        fl.BinaryFocal(2.0, None, from_logits, CLASS_WEIGHTS),
    ):
        y, z = data(of, 40, np.float64, rng)
        twin, w = fl.reference.twin(of), rng.random(40)
        assert twin.parameters == of.parameters
        for verb, kinds in VERBS.items():
            found = getattr(of, verb)(y, z, sample_weight=w, reduction=reduction)
            expected = getattr(twin, verb)(y, z, sample_weight=w, reduction=reduction)
            pairs = zip(found, expected, strict=True) if len(kinds) > 1 else [(found, expected)]
            for a, b in pairs:
                np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-15)


def test_torchs_weights_of_labels(rng):
    torch = pytest.importorskip("torch")
    y, z = rng.integers(0, 2, (50, 3)).astype(float), rng.normal(0, 3, (50, 3))
    t = torch.tensor(z, requires_grad=True)
    weight = torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)
    value = torch.nn.BCEWithLogitsLoss(weight=weight, reduction="sum")(t, torch.tensor(y))
    value.backward()
    of = fl.BinaryCrossEntropy(class_weight=CLASS_WEIGHTS)
    found, gradient = of.value_and_gradient(y, z, reduction="sum")
    assert found == pytest.approx(value.item(), rel=1e-13)
    np.testing.assert_allclose(gradient, t.grad.numpy(), rtol=1e-10, atol=1e-16)


def test_a_label_of_weight_0_is_as_if_it_were_not_there():
    of = fl.BinaryCrossEntropy(class_weight=[1.0, 0.0])
    value, gradient = of.value_and_gradient([[1, 1]], [[0.0, np.nan]])
    assert value == pytest.approx(np.log(2), rel=4e-16)
    assert gradient.tolist() == [[-0.5, 0.0]]
    with pytest.raises(ValueError, match="the weights sum to 0"):
        fl.BinaryFocal(class_weight=[0, 0])([[1, 0]], [[0.0, 0.0]])


def test_layouts_threads_and_outputs_change_no_bit(rng, dtype):
    of = fl.BinaryCrossEntropy(pos_weight=WEIGHTS, class_weight=CLASS_WEIGHTS)
    y, z = data(of, 20_001, dtype, rng)
    first = of.value_gradient_and_hessian(y, z)
    out = (np.empty_like(z, order="F"), np.empty_like(z))
    others = [
        of.value_gradient_and_hessian(np.asfortranarray(y), np.asfortranarray(z), n_threads=3),
        of.value_gradient_and_hessian(y.astype(np.int8)[::-1][::-1], z[:, ::-1][:, ::-1], n_threads=1),
        of.value_gradient_and_hessian(y, z, out=out),
    ]
    assert others[2][1] is out[0]
    for other in others:
        for a, b in zip(first, other, strict=True):
            np.testing.assert_array_equal(a, b)
    gradient = of.gradient(y, z)
    assert of.gradient(y, z, out=z) is z
    np.testing.assert_array_equal(z, gradient)


def test_objects():
    of = fl.BinaryCrossEntropy(pos_weight=np.array(WEIGHTS))
    assert of.pos_weight == tuple(WEIGHTS)
    assert of == fl.BinaryCrossEntropy(pos_weight=WEIGHTS) != fl.BinaryCrossEntropy(pos_weight=3.0)
    assert hash(of) == hash(fl.BinaryCrossEntropy(pos_weight=WEIGHTS))
    again = pickle.loads(pickle.dumps(of))
    assert again == of
    assert again([[1, 1, 1]], [[0.0] * 3]) == of([[1, 1, 1]], [[0.0] * 3])
    assert fl.BinaryCrossEntropy(pos_weight=[2.0])([[1]], [[0.0]]) == fl.BinaryCrossEntropy(pos_weight=2.0)(
        [1], [0.0]
    )
    assert of.slope_bound == 3.0


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: fl.BinaryCrossEntropy(pos_weight=[]), ValueError, "pos_weight must have at least one"),
        (lambda: fl.BinaryCrossEntropy(pos_weight=[1.0, 0.0]), ValueError, r"pos_weight\[1\]"),
        (lambda: fl.BinaryCrossEntropy(pos_weight="3"), TypeError, "pos_weight must be a number"),
        (
            lambda: fl.BinaryCrossEntropy(pos_weight=[1.0, "a"]),
            TypeError,
            r"pos_weight\[1\] must be a number",
        ),
        (lambda: fl.BinaryCrossEntropy(pos_weight=np.ones((2, 2))), TypeError, "pos_weight must be a number"),
        (lambda: fl.BinaryFocal(alpha=[0.5, 1.5]), ValueError, r"alpha\[1\]"),
        (lambda: fl.BinaryFocal(class_weight=[1, -1]), ValueError, r"class_weight\[1\]"),
        (lambda: fl.BinaryFocal(class_weight=[]), ValueError, "class_weight must have at least one"),
        (
            lambda: fl.BinaryCrossEntropy(class_weight=2.0),
            TypeError,
            "class_weight must be a sequence of one",
        ),
        (lambda: fl.BinaryCrossEntropy(class_weight={0: 1}), TypeError, "class_weight must be a sequence"),
        (
            lambda: fl.BinaryCrossEntropy(pos_weight=[1.0, 2.0], class_weight=[1, 2, 3]),
            ValueError,
            "pos_weight has 2 numbers, but class_weight has 3",
        ),
    ],
)
def test_bad_parameters(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_bad_input():
    of = fl.BinaryCrossEntropy(pos_weight=WEIGHTS)
    y, z = np.zeros((4, 3)), np.zeros((4, 3))
    for bad in (z[:, :2], z[0], z[None]):
        with pytest.raises(
            ValueError, match=r"y_pred has shape .*, expected \(n, 3\): a column for each label"
        ):
            of(np.zeros(bad.shape), bad)
    with pytest.raises(ValueError, match="y_true and y_pred must have one shape"):
        of(y[:, 0], z)
    y[2, 1] = 2
    with pytest.raises(ValueError, match=r"y_true\[2, 1\] = 2.* is outside the domain of BinaryCrossEntropy"):
        of(y, z)
    y[2, 1] = 0
    with pytest.raises(ValueError, match=r"sample_weight\[3\] = -1"):
        of(y, z, sample_weight=[1, 1, 1, -1])
    with pytest.raises(ValueError, match="sample_weight sums to 0"):
        of(y, z, sample_weight=np.zeros(4))
    with pytest.raises(ValueError, match="empty"):
        of(y[:0], z[:0])
    assert of(y[:0], z[:0], reduction="sum") == 0
    assert of.weight_sum(y, z, sample_weight=[1, 2, 3, 4]) == 30
    with pytest.raises(ValueError, match="reduction must be"):
        of(y, z, reduction="median")
