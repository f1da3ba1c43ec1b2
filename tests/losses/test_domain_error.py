"""What an error about a number says as data, and the curvature that any loss of predictions gives."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss.errors import RowSumWarning


def refused(call: Any, *arguments: Any, **options: Any) -> fl.DomainError:
    with pytest.raises(fl.DomainError) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("call", "arguments", "argument", "index", "value", "expected"),
    [
        (fl.Hinge(), ([1, 0, 7], [0.0] * 3), "y_true", 2, 7, "-1, 0 or 1"),
        (fl.BinaryFocal(), ([[0, 3]], [[0.0, 0.0]]), "y_true", (0, 1), 3, "0 or 1"),
        (fl.SquaredLogError(), ([0.0, 0.0], [0.0, -2.0]), "y_pred", 1, -2.0, "greater than -1"),
        (fl.CrossEntropy(), ([0, 5], [[0.0, 1.0]] * 2), "y_true", 1, 5, "0 to 1"),
        (fl.KLDivergence(), ([[0.5, 0.5]], [[-1.0, 2.0]]), "y_pred", (0, 0), -1.0, "a probability"),
        (fl.CenterLoss(), ([[1.0]], [[1.0]], [3]), "labels", 0, 3, "0 to 0"),
        (fl.Wasserstein(), ([0.0, np.inf], [1.0]), "u", 1, np.inf, "finite numbers"),
    ],
    ids=lambda x: repr(x)[:20],
)
def test_fields(call: Any, arguments: Any, argument: str, index: Any, value: Any, expected: str) -> None:
    error = refused(call, *arguments)
    assert (error.argument, error.index, error.value, error.expected) == (argument, index, value, expected)
    assert isinstance(error, ValueError)
    assert str(error).endswith(expected)


def test_weights() -> None:
    error = refused(fl.Huber(), [1.0, 2.0], [1.0, 2.0], sample_weight=[1.0, -1.0])
    assert (error.argument, error.index, error.expected) == ("sample_weight", 1, "finite and not negative")


def test_shifted() -> None:
    error = refused(fl.BinaryFocal(), [[0, 3]], [[0.0, 0.0]])
    moved = error.shifted(10, "file.csv: ", " (the model 'a')")
    assert moved.index == (10, 1)
    assert str(moved).startswith("file.csv: y_true[10, 1] = 3 is outside the domain of BinaryFocal: expected")
    assert str(moved).endswith("0 or 1 (the model 'a')")
    assert error.shifted(lambda row: 7 - row).index == (7, 1)
    assert error.index == (0, 1)


def test_copies() -> None:
    error = refused(fl.Hinge(), [7], [0.0]).shifted(3, "a: ")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is fl.DomainError
        assert (str(other), other.index) == (str(error), 3)
    warning = RowSumWarning("KLDivergence", 2, "0.5").shifted(10, "a: ")
    assert str(pickle.loads(pickle.dumps(warning))) == str(warning)
    assert "a: y_pred[12] sums to 0.5" in str(warning)


def test_evaluations_and_linear_models_name_the_row_in_all() -> None:
    y = np.zeros(200_000)
    y[150_001] = 2
    error = refused(fl.evaluate, y, np.zeros(len(y)), ["bce"])
    assert (error.argument, error.index) == ("y_true", 150_001)
    X = np.ones((100_000, 8))
    objective = fl.LinearObjective(fl.BinaryCrossEntropy(from_logits=False), X, np.zeros(len(X)))
    X[70_001, 3] = np.nan
    error = refused(objective, objective.initial())
    assert (error.argument, error.index) == ("y_pred", 70_001)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("of", "curvature"), [(fl.Huber(), "majorizer"), (fl.Poisson(), "unit"), (fl.Cauchy(), "absolute")]
)
def test_gradient_and_curvature(of: Any, curvature: str, weighted: bool, rng: Any) -> None:
    y, z = np.abs(rng.normal(0, 2, (2, 500)))
    w = rng.integers(0, 5, 500).astype(float) if weighted else None
    gradient, hessian = of.gradient_and_hessian(y, z, sample_weight=w, reduction="sum")
    found, bent = of.gradient_and_curvature(y, z, curvature=curvature, sample_weight=w)
    np.testing.assert_array_equal(found, gradient)
    slope = of.gradient(y, z, reduction="sum")
    each = {"unit": 1.0, "absolute": np.abs(hessian), "majorizer": slope / (z - y)}[curvature]
    expected = each if curvature == "absolute" or w is None else w * each
    np.testing.assert_allclose(bent, expected, rtol=1e-14)
    twice = of.gradient_and_curvature(y, z, curvature=curvature, sample_weight=w, scale=2.0)
    np.testing.assert_array_equal(twice, [2 * found, 2 * bent])


def test_gradient_and_curvature_of_rows_and_mistakes() -> None:
    y, z = [0, 2], [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]]
    found = fl.CrossEntropy().gradient_and_curvature(y, z, curvature="exact", scale=0.5)
    expected = fl.CrossEntropy().gradient_and_hessian(y, z, reduction="sum")
    np.testing.assert_array_equal(found, np.multiply(expected, 0.5))
    with pytest.raises(ValueError, match="curvature must be one of 'auto', 'exact'"):
        fl.WassersteinCritic().gradient_and_curvature([1], [0.0], curvature="majorizer")
    with pytest.raises(ValueError, match="scale"):
        fl.Huber().gradient_and_curvature([1.0], [0.0], scale=0.0)
