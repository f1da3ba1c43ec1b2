"""fastloss.metrics: values worked by hand, labels of every kind, containers, weights, outputs."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pandas as pd
import polars as pl
import pytest
from processes import output

from fastloss import metrics

LOG = math.log

REGRESSION = {
    # y = (0, 1, 3), predictions (1, 1, 1): residuals 1, 0, -2
    "mean_absolute_error": 1.0,
    "mean_squared_error": 5 / 3,
    "root_mean_squared_error": math.sqrt(5 / 3),
    "mean_squared_log_error": 2 * LOG(2) ** 2 / 3,
    "root_mean_squared_log_error": math.sqrt(2 / 3) * LOG(2),
    "mean_absolute_percentage_error": (2.0**52 + 2 / 3) / 3,
    "mean_pinball_loss": 0.5,
    "median_absolute_error": 1.0,
    "max_error": 2.0,
    # deviances from a mean of 1: y log y − y + 1, with 0 log 0 = 0
    "mean_poisson_deviance": 2 * (1 + 0 + 3 * LOG(3) - 2) / 3,
    "mean_tweedie_deviance": 5 / 3,
    "d2_tweedie_score": 1 - 5 / (16 / 9 + 1 / 9 + 25 / 9),
    "d2_absolute_error_score": 0.0,
    "d2_pinball_score": 0.0,
}


def _containers(values: list[Any]) -> list[Any]:
    array = np.array(values)
    strided = np.repeat(array, 3)[::3]
    return [values, tuple(values), array, strided, array[:, None], pd.Series(values), pl.Series(values)]


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_by_hand(name: str) -> None:
    function = getattr(metrics, name)
    for y, z in zip(_containers([0.0, 1.0, 3.0]), reversed(_containers([1.0, 1.0, 1.0])), strict=True):
        assert function(y, z) == pytest.approx(REGRESSION[name], rel=1e-14, abs=1e-15)
    assert function([0, 1, 3], [1, 1, 1]) == pytest.approx(REGRESSION[name], rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", sorted(set(REGRESSION) - {"max_error"}))
def test_a_weight_of_two_is_a_sample_twice(name: str) -> None:
    function = getattr(metrics, name)
    y, z, w = [1.0, 2.0, 4.0, 7.0], [1.5, 1.0, 3.0, 9.0], [1, 2, 0, 3]
    repeated = [np.repeat(a, w) for a in (y, z)]
    assert function(y, z, sample_weight=w) == pytest.approx(function(*repeated), rel=1e-13)


MULTIOUTPUT = [
    "mean_absolute_error",
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_squared_log_error",
    "root_mean_squared_log_error",
    "mean_absolute_percentage_error",
    "mean_pinball_loss",
    "median_absolute_error",
    "d2_pinball_score",
    "d2_absolute_error_score",
]


@pytest.mark.parametrize("name", MULTIOUTPUT)
def test_outputs_are_columns(name: str, rng: np.random.Generator) -> None:
    function = getattr(metrics, name)
    y, z, w = rng.uniform(1, 9, (700, 3)), rng.uniform(1, 9, (700, 3)), rng.uniform(size=700)
    for weights in (None, w):
        columns = [function(y[:, k], z[:, k], sample_weight=weights) for k in range(3)]
        for a in (z, np.asfortranarray(z), pd.DataFrame(z), pl.DataFrame(z)):
            raw = function(y, a, sample_weight=weights, multioutput="raw_values")
            np.testing.assert_allclose(raw, columns, rtol=1e-13)
        assert function(y, z, sample_weight=weights) == pytest.approx(np.mean(columns), rel=1e-13)
        shares = function(y, z, sample_weight=weights, multioutput=[1, 2, 5])
        assert shares == pytest.approx(np.dot(columns, [1, 2, 5]) / 8, rel=1e-13)
    single = function(y.astype(np.float32), z.astype(np.float32), multioutput="raw_values")
    assert single.dtype == np.float32


def test_a_mean_of_the_roots_of_one_output() -> None:
    """Which scikit-learn's function has, though its others refuse shares of one output."""
    theirs = pytest.importorskip("sklearn.metrics")
    for y in (np.zeros(2), np.zeros((2, 1))):
        for function in (metrics.root_mean_squared_error, theirs.root_mean_squared_error):
            assert function(y, y + 3, multioutput=[0.5]) == 3


def test_mixed_precisions_keep_the_wider() -> None:
    y, z = np.array([2.0**30 + 1]), np.array([2.0**30], dtype=np.float32)
    assert metrics.mean_squared_error(y, z) == metrics.mean_squared_error(z, y) == 1


@pytest.mark.parametrize("power", [-1.5, 0, 1, 1.0001, 1.5, 1.9, 2, 2.5, 3, 7])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_deviances_to_50_digits(power: float, kind: Any) -> None:
    """Also where the terms of the formula cancel to their last digit: y and the mean next to each other."""
    rng = np.random.default_rng(1)
    y = np.exp(rng.uniform(-3, 3, 200)).astype(kind)
    mean = (y * np.exp(rng.choice([1e-5, 1e-3, 0.1, 1.0, 3.0], 200) * rng.normal(size=200))).astype(kind)
    if 0 <= power < 2:
        y[:20] = 0
    if power <= 0:
        y[20:40] *= -1
    p, epsilon = mpmath.mpf(power), float(np.finfo(kind).eps)
    with mpmath.workdps(50):
        total = mpmath.mpf(0)
        for a, b in zip(map(mpmath.mpf, y.tolist()), map(mpmath.mpf, mean.tolist()), strict=True):
            if power == 0:
                deviance = (a - b) ** 2
            elif power == 1:
                deviance = 2 * ((a * mpmath.log(a / b) if a else 0) - a + b)
            elif power == 2:
                deviance = 2 * (mpmath.log(b / a) + a / b - 1)
            else:
                least = max(a, mpmath.mpf(0)) ** (2 - p) / ((1 - p) * (2 - p))
                deviance = 2 * (least - a * b ** (1 - p) / (1 - p) + b ** (2 - p) / (2 - p))
            total += deviance
            own = metrics.mean_tweedie_deviance(kind([a]), kind([b]), power=power)
            # relative to the deviance and to the two terms of the order of y − mean that cancel to give it
            assert abs(own - deviance) <= 20 * epsilon * (deviance + abs(a - b) * b ** (1 - p))
        expected = float(total / len(y))
    assert metrics.mean_tweedie_deviance(y, mean, power=power) == pytest.approx(expected, rel=20 * epsilon)


BINARY = [
    [0, 1, 1, 0],
    [-1, 1, 1, -1],
    [3, 8, 8, 3],
    [False, True, True, False],
    [0.0, 1.0, 1.0, 0.0],
    ["ham", "spam", "spam", "ham"],
    [10**15, 10**15 + 1, 10**15 + 1, 10**15],
    [-(2**62), 2**62, 2**62, -(2**62)],
]


def _label_containers(labels: list[Any]) -> list[Any]:
    made = [*_containers(labels), np.array(labels, dtype=object) if isinstance(labels[0], str) else labels]
    return [*made, pd.Series(labels).astype("category")]


@pytest.mark.parametrize("labels", BINARY, ids=str)
def test_two_classes_by_hand(labels: list[Any]) -> None:
    p, positive = [0.25, 0.5, 1.0, 0.75], labels[1]
    columns = np.column_stack([np.subtract(1, p), p])
    for y in _label_containers(labels):
        for probabilities in (p, columns, np.asfortranarray(columns), columns[:, 1], columns[:, 1:]):
            loss = metrics.log_loss(y, probabilities)
            assert loss == pytest.approx(-(LOG(0.75) + LOG(0.5) + LOG(0.25)) / 4, rel=1e-14)
        squares = (1 / 16 + 1 / 4 + 0 + 9 / 16) / 4
        assert metrics.brier_score_loss(y, p, pos_label=positive) == squares
        assert metrics.brier_score_loss(y, p, pos_label=labels[0]) == (9 / 16 + 1 / 4 + 1 + 1 / 16) / 4
        assert metrics.brier_score_loss(y, columns) == squares
        assert metrics.brier_score_loss(y, columns, scale_by_half=False) == 2 * squares
        assert metrics.hinge_loss(y, [-2.0, 0.5, 3.0, 0.25]) == (0 + 0.5 + 0 + 1.25) / 4
        assert metrics.d2_log_loss_score(y, [0.5] * 4) == 0
    wrong = [labels[0]] * 4
    assert metrics.zero_one_loss(labels, wrong) == 0.5
    assert metrics.zero_one_loss(labels, wrong, sample_weight=[1, 2, 3, 4]) == 0.5
    assert metrics.zero_one_loss(labels, wrong, normalize=False, sample_weight=[1, 2, 3, 4]) == 5


MANY = [f"class {i:03}" for i in range(40)]


@pytest.mark.parametrize(
    "labels", [["a", "b", "c"], [5, 70000, 9000000], [2, 4, 7], [-1.0, 0.0, 9.0]], ids=str
)
def test_three_classes_by_hand(labels: list[Any]) -> None:
    y = [labels[2], labels[0], labels[1], labels[2]]
    p = np.array([[0.25, 0.25, 0.5], [0.125, 0.75, 0.125], [0, 1, 0], [0.5, 0.5, 0]])
    expected = (LOG(2) + LOG(8) + 0 + 52 * LOG(2)) / 4
    for a in _label_containers(y):
        for b in (p, np.asfortranarray(p), pd.DataFrame(p), pl.DataFrame(p)):
            assert metrics.log_loss(a, b) == pytest.approx(expected, rel=1e-14)
            brier = (3 / 8 + (49 + 36 + 1) / 64 + 0 + 3 / 2) / 4
            assert metrics.brier_score_loss(a, b) == pytest.approx(brier, rel=1e-15)
        assert metrics.hinge_loss(a, 4 * p) == (0 + 3.5 + 0 + 3) / 4
        assert metrics.log_loss(a, p, normalize=False, sample_weight=[1, 1, 5, 0]) == pytest.approx(LOG(16))
    assert metrics.zero_one_loss(y, y[::-1]) == 0.5


def test_missing_classes_are_named_by_labels() -> None:
    p = [[0.25, 0.25, 0.5], [0.25, 0.5, 0.25]]
    for names in (["a", "b", "c"], np.array(["a", "b", "c"]), pd.Series(["a", "b", "c"])):
        assert metrics.log_loss(["c", "a"], p, labels=names) == pytest.approx(LOG(8) / 2)
        assert metrics.hinge_loss(["c", "a"], p, labels=names) == (0.75 + 1.25) / 2
        assert metrics.brier_score_loss(["c", "a"], p, labels=names) == pytest.approx((6 / 16 + 14 / 16) / 2)
    assert metrics.log_loss([1, 1], [0.5, 0.25], labels=[0, 1]) == pytest.approx(LOG(8) / 2)


@pytest.mark.parametrize("n_classes", [2, 31, 40, 300])
def test_strings_are_ranked_like_their_numbers(n_classes: int, rng: np.random.Generator) -> None:
    ranks = rng.integers(0, n_classes, 70_000)
    ranks[:n_classes] = np.arange(n_classes)
    p = rng.dirichlet(np.ones(n_classes), 70_000)
    names = np.array([f"class {i:03}" for i in range(n_classes)])
    expected = metrics.log_loss(ranks, p)
    assert expected == pytest.approx(-np.mean(np.log(p[np.arange(len(p)), ranks])), rel=1e-12)
    for y in (names[ranks], names.astype(object)[ranks], ranks * 70_001 - 5, ranks.astype(np.uint16)):
        assert metrics.log_loss(y, p) == expected
    assert metrics.zero_one_loss(names[ranks], names[ranks[::-1]]) == np.mean(ranks != ranks[::-1])


def test_indicators_of_several_labels() -> None:
    y, z = np.array([[1, 0, 1], [0, 0, 1]]), np.array([[1, 0, 1], [0, 1, 1]])
    assert metrics.zero_one_loss(y, z) == 0.5
    assert metrics.zero_one_loss(y, z, sample_weight=[3, 1]) == 0.25
    p = [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]
    assert metrics.log_loss(y, p) == pytest.approx((LOG(2) + LOG(4) + LOG(2)) / 2)


def test_sparse_indicators() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    y, z = np.array([[1, 0, 1], [0, 0, 1]]), np.array([[1, 0, 1], [0, 1, 1]])
    for a in (y, sparse.csr_array(y), sparse.csc_matrix(y)):
        for b in (sparse.csr_array(z), sparse.coo_array(z)):
            assert metrics.zero_one_loss(a, b) == metrics.zero_one_loss(b, a) == 0.5


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_certain_and_wrong_is_clipped_by_the_precision(kind: Any) -> None:
    certain = np.array([0, 1], dtype=kind)
    epsilon = float(np.finfo(kind).eps)
    expected = -LOG(epsilon)
    assert metrics.log_loss([1, 0], certain) == pytest.approx(expected, rel=1e-3)
    assert metrics.log_loss([1, 0], np.column_stack([1 - certain, certain])) == pytest.approx(
        expected, rel=1e-3
    )
    assert metrics.log_loss([0, 1], certain) == pytest.approx(0, abs=2 * epsilon)


def test_negative_weights() -> None:
    # Σ w·l / Σ w with w = (2, −1): (2·1 − 4)/1
    assert metrics.mean_squared_error([0.0, 0.0], [1.0, 2.0], sample_weight=[2, -1]) == -2
    assert metrics.hinge_loss([0, 1], [0.0, 0.5], sample_weight=[2, -1]) == 1.5
    with pytest.raises(ZeroDivisionError):
        metrics.mean_squared_error([0.0, 0.0], [1.0, 2.0], sample_weight=[1, -1])


def test_needs_no_scikit_learn() -> None:
    """Neither scikit-learn nor SciPy is imported, and the errors are fastloss's own classes."""
    code = """
import sys
sys.modules["sklearn"] = sys.modules["scipy"] = None
from fastloss import metrics
assert metrics.log_loss(["a", "b"], [0.5, 0.5]) == metrics.log_loss([0, 1], [0.5, 0.5])
try:
    metrics.mean_squared_error([1.0], [1.0], multioutput="x")
except metrics.InvalidParameterError as error:
    print(error)
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    metrics.d2_pinball_score([1.0], [1.0])
assert caught[0].category is metrics.UndefinedMetricWarning
"""
    expected = "The 'multioutput' parameter of mean_squared_error must be a str among"
    assert output(code).startswith(expected)
