"""Wrong input to a row loss: an error that says what, where and what was expected; never a crash."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss import reference
from rows import samples as row_samples

LABEL_LOSSES = [
    fl.CrossEntropy(),
    fl.CrossEntropy(label_smoothing=0.1),
    fl.CrossEntropy(ignore_index=-100),
    fl.CrossEntropy(from_logits=False),
    fl.Focal(),
    fl.Focal(from_logits=False),
    fl.MulticlassHinge(),
    fl.MulticlassHinge(kind="weston-watkins"),
]
DENSE_LOSSES = [
    fl.CrossEntropy(),
    fl.CrossEntropy(label_smoothing=0.1),
    fl.KLDivergence(),
    fl.KLDivergence(from_logits=True),
    fl.JSDivergence(),
    fl.JSDivergence(distance=True),
]


@pytest.mark.parametrize("row_loss", LABEL_LOSSES, ids=repr)
@pytest.mark.parametrize("n_classes", [2, 3, 130, 300])
@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("i1", -1),
        ("i1", -128),
        ("u1", "C"),
        ("i2", "C"),
        ("u2", 65535),
        ("i4", -(2**31)),
        ("u4", 2**32 - 1),
        ("i8", 2**32),  # 0 if its upper half is lost
        ("i8", -(2**63)),
        ("u8", 2**64 - 1),  # -1 if it is taken for signed
        ("u8", 2**63),
        ("f4", 0.5),
        ("f8", -0.5),
        ("f8", "C"),
        ("f8", 2.0**33),
        ("f8", np.nan),
        ("f8", np.inf),
        ("f8", -np.inf),
        ("f2", np.nan),
        (">i4", -1),
        (">f8", 1.5),
    ],
)
def test_labels(row_loss: Any, n_classes: int, kind: str, bad: Any) -> None:
    bad = n_classes if bad == "C" else bad
    if kind == "u1" and n_classes > 255:
        pytest.skip("every number of that dtype is a class")
    z = np.full((40, n_classes), 1 / n_classes)
    for place in (0, 17, 39):
        y = np.zeros(40, kind)
        y[place] = bad
        y[39] = bad
        wanted = re.escape(f"y_true[{place}] = {y[place]} is no class") + f".*0 to {n_classes - 1}"
        for dtype in (np.float32, np.float64):
            for verb in ("__call__", "gradient"):
                for reduction in ("mean", "none"):
                    with pytest.raises(ValueError, match=wanted):
                        getattr(row_loss, verb)(y, z.astype(dtype), reduction=reduction)


def test_labels_of_the_reference_are_checked_too() -> None:
    for bad in (-1, 3, 0.5, np.nan):
        with pytest.raises(ValueError, match=r"y_true\[1\]"):
            reference.CrossEntropy()([0, bad], np.zeros((2, 3)))


def test_only_the_ignored_index_is_let_through() -> None:
    z = np.zeros((3, 2))
    for ignored, bad in [(-100, -1), (-1, -100), (7, 2), (2, 7)]:
        loss = fl.CrossEntropy(ignore_index=ignored)
        assert loss([0, ignored, 1], z) > 0
        with pytest.raises(ValueError, match=r"y_true\[2\]"):
            loss([0, ignored, bad], z)
    with pytest.raises(ValueError, match=r"y_true\[0\]"):
        # 2⁶⁴ - 1 is not -1.
        fl.CrossEntropy(ignore_index=-1)(np.array([2**64 - 1], np.uint64), z[:1])


@pytest.mark.parametrize("row_loss", DENSE_LOSSES, ids=repr)
@pytest.mark.parametrize("bad", [-0.1, -1e-30, np.nan, np.inf, -np.inf])
def test_dense_targets(row_loss: Any, bad: float, dtype: Any) -> None:
    for n, n_classes in [(40, 3), (5, 130), (5, 300)]:
        z = np.full((n, n_classes), 1 / n_classes, dtype)
        for i, k in [(0, 0), (2, n_classes - 1), (n - 1, 1)]:
            y = z.copy()
            y[i, k] = y[n - 1, n_classes - 1] = bad
            for order in "CF":
                with pytest.raises(ValueError, match=rf"y_true\[{i}, {k}\] = {y[i, k]}"):
                    row_loss(np.array(y, order=order), z)


@pytest.mark.parametrize(
    "row_loss", [fl.CrossEntropy(from_logits=False), fl.Focal(from_logits=False)], ids=repr
)
@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan, np.inf])
def test_probabilities(row_loss: Any, bad: float, dtype: Any) -> None:
    for n, n_classes in [(40, 3), (5, 130), (5, 300)]:
        y, z = np.zeros(n, int), np.full((n, n_classes), 1 / n_classes, dtype)
        z[3, n_classes - 1] = z[4, 0] = bad
        with pytest.raises(ValueError, match=rf"y_pred\[3, {n_classes - 1}\] = {z[4, 0]}"):
            row_loss(y, z)


@pytest.mark.parametrize("row_loss", [fl.KLDivergence(), fl.JSDivergence()], ids=repr)
@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
def test_predicted_distributions(row_loss: Any, bad: float, dtype: Any) -> None:
    p = np.full((5, 4), 0.25, dtype)
    q = p.copy()
    q[2, 1] = bad
    with pytest.raises(ValueError, match=rf"y_pred\[2, 1\] = {q[2, 1]}"):
        row_loss.gradient(p, q)
    # More than 1 is a number like any other: rows are used as given.
    q[2, 1] = 3
    with pytest.warns(UserWarning, match=r"y_pred\[2\] sums to 3\.75 instead of 1"):
        assert np.isfinite(row_loss(p, q))


@pytest.mark.parametrize(
    "row_loss", [fl.CrossEntropy(from_logits=False), fl.Focal(from_logits=False)], ids=repr
)
def test_rows_that_do_not_sum_to_one_warn(row_loss: Any, dtype: Any) -> None:
    tolerance = float(np.sqrt(np.finfo(dtype).eps))
    for n, n_classes in [(40, 4), (6, 128), (6, 512)]:
        y, z = np.zeros(n, int), np.full((n, n_classes), 1 / n_classes, dtype)
        z[:, 1] -= dtype(2.0**-50)  # no number of float32's, whose rows may be off by its tolerance
        z[3:5, 0] += dtype(3 * tolerance)
        with pytest.warns(UserWarning, match=rf"y_pred\[3\] sums to {float(z[3].sum()):.4g}"):
            value = row_loss(y, z)
        assert np.isfinite(value)
        z[3:5, 0] = 1 / n_classes + 0.3 * tolerance
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            row_loss(y, z)


@pytest.mark.parametrize("shape", [(), (3,), (0,), (3, 2, 1), (3, 0), (0, 0)])
def test_predictions_are_rows(shape: tuple[int, ...]) -> None:
    for cls in row_samples.ROWS:
        with pytest.raises(ValueError, match="y_pred has shape") as caught:
            cls()([0, 0, 0], np.zeros(shape))
        assert str(shape) in str(caught.value)
    with pytest.raises(ValueError, match="y_pred has shape"):
        fl.CrossEntropy().probabilities(np.zeros(shape))


@pytest.mark.parametrize("shape", [(), (4,), (6,), (5, 1), (5, 2), (3, 5), (5, 3, 1), (1, 5), (0,)])
def test_targets_fit_the_predictions(shape: tuple[int, ...]) -> None:
    for cls in row_samples.ROWS:
        with pytest.raises(ValueError, match="y_true has shape") as caught:
            cls()(np.zeros(shape), np.full((5, 3), 1 / 3))
        assert str(shape) in str(caught.value)


def test_forms_that_a_loss_does_not_take() -> None:
    z, y, p = np.zeros((5, 3)), np.zeros(5), np.full((5, 3), 1 / 3)
    for loss in (fl.Focal(), fl.MulticlassHinge()):
        with pytest.raises(ValueError, match=r"y_true has shape \(5, 3\)"):
            loss(p, z)
    for loss in (fl.KLDivergence(), fl.JSDivergence(), fl.EuclideanError()):
        with pytest.raises(ValueError, match=r"y_true has shape \(5,\)"):
            loss(y, p)
    with pytest.raises(ValueError, match="ignore_index"):
        fl.CrossEntropy(ignore_index=0)(p, z)


@pytest.mark.parametrize("shape", [(), (4,), (6,), (5, 1), (5, 3), (3,), (0,)])
def test_weights_are_one_for_each_row(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sample_weight has shape"):
        fl.CrossEntropy()(np.zeros(5, int), np.zeros((5, 3)), sample_weight=np.ones(shape))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, -np.inf])
def test_weights(bad: float, dtype: Any) -> None:
    w = np.ones(300, dtype)
    w[[251, 299]] = bad
    for n_classes in (3, 300):
        for verb in ("__call__", "gradient"):
            for reduction in ("mean", "sum", "none"):
                with pytest.raises(ValueError, match=r"sample_weight\[251\]"):
                    getattr(fl.CrossEntropy(), verb)(
                        np.zeros(300, int),
                        np.zeros((300, n_classes), dtype),
                        sample_weight=w,
                        reduction=reduction,
                    )


def test_weights_that_are_all_zero() -> None:
    y, z = np.zeros(3, int), np.zeros((3, 2))
    for options in ({"sample_weight": np.zeros(3)},):
        assert fl.CrossEntropy()(y, z, reduction="sum", **options) == 0
        for verb in ("__call__", "gradient"):
            with pytest.raises(ValueError, match="weights sum to 0"):
                getattr(fl.CrossEntropy(), verb)(y, z, **options)
    # No class that occurs has a weight, and it is not that all rows are ignored.
    with pytest.raises(ValueError, match="weights sum to 0"):
        fl.CrossEntropy(class_weight=[0.0, 1.0])(y, z)


@pytest.mark.parametrize("bad", ["a", object(), 1j, None, np.datetime64("2000-01-01")])
def test_no_real_numbers(bad: Any) -> None:
    z = np.zeros((2, 2))
    rows = np.full((2, 2), bad)
    for call, name in [
        (lambda: fl.CrossEntropy()([0, 1], rows), "y_pred"),
        (lambda: fl.CrossEntropy()(rows, z), "y_true"),
        (lambda: fl.CrossEntropy()(rows[0], z), "y_true"),
        (lambda: fl.CrossEntropy()([0, 1], z, sample_weight=rows[0]), "sample_weight"),
        (lambda: fl.CrossEntropy().probabilities(rows), "y_pred"),
    ]:
        with pytest.raises(TypeError, match=name):
            call()


def test_numbers_for_each_class_fit() -> None:
    for loss, name in [
        (fl.CrossEntropy(class_weight=[1.0, 2.0]), "class_weight"),
        (fl.Focal(alpha=[1.0, 2.0]), "alpha"),
    ]:
        with pytest.raises(ValueError, match=rf"{name} has 2 numbers, but y_pred has 3"):
            loss([0], np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("cls", "parameters", "error"),
    [
        (fl.CrossEntropy, {"class_weight": 2.0}, TypeError),
        (fl.CrossEntropy, {"class_weight": [1.0, -1.0]}, ValueError),
        (fl.CrossEntropy, {"class_weight": [1.0, np.nan]}, ValueError),
        (fl.CrossEntropy, {"class_weight": [1.0, np.inf]}, ValueError),
        (fl.CrossEntropy, {"class_weight": ["a"]}, TypeError),
        (fl.CrossEntropy, {"label_smoothing": 1.5}, ValueError),
        (fl.CrossEntropy, {"label_smoothing": -0.1}, ValueError),
        (fl.CrossEntropy, {"label_smoothing": np.nan}, ValueError),
        (fl.CrossEntropy, {"label_smoothing": "a"}, TypeError),
        (fl.CrossEntropy, {"ignore_index": 0.5}, TypeError),
        (fl.CrossEntropy, {"from_logits": 1}, TypeError),
        (fl.Focal, {"gamma": -1.0}, ValueError),
        (fl.Focal, {"gamma": np.inf}, ValueError),
        (fl.Focal, {"gamma": np.nan}, ValueError),
        (fl.Focal, {"alpha": -1.0}, ValueError),
        (fl.Focal, {"alpha": [0.5, np.nan]}, ValueError),
        (fl.MulticlassHinge, {"kind": "vapnik"}, ValueError),
        (fl.KLDivergence, {"from_logits": "no"}, TypeError),
        (fl.JSDivergence, {"base": 1.0}, ValueError),
        (fl.JSDivergence, {"base": 0.5}, ValueError),
        (fl.JSDivergence, {"base": np.inf}, ValueError),
        (fl.JSDivergence, {"distance": 1}, TypeError),
    ],
)
def test_parameters(cls: type, parameters: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(parameters))):
        cls(**parameters)


def test_an_index_too_large_to_ignore() -> None:
    for bad in (2**63, -(2**63) - 1):
        with pytest.raises((ValueError, OverflowError)):
            fl.CrossEntropy(ignore_index=bad)


def test_no_link_of_probabilities() -> None:
    for loss in (fl.CrossEntropy(from_logits=False), fl.Focal(from_logits=False)):
        for link in (loss.probabilities, loss.log_probabilities):
            with pytest.raises(TypeError, match="takes probabilities"):
                link(np.zeros((2, 2)))
