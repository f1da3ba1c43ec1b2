"""Sums that only compensated addition gets right: ones beside 2^53, in each place where sums are added up.

Segments have sums of their own, of blocks or tiles, and are added up in their order. The large number comes
first; ones follow in other tiles of the first segment, and in others. Without compensation each is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastloss as fl

LARGE = 2.0**53
#: At least a block or a tile, and a few of them in the first of 256 segments.
APART = 1024
N = 256 * 4 * APART + 5
ONES = [APART, 2 * APART, 3 * APART - 1, N // 2, N // 2 + 2 * APART, N - 1]
SUM = LARGE + len(ONES)


def _terms() -> np.ndarray:
    terms = np.zeros(N)
    terms[0], terms[ONES] = LARGE, 1
    return terms


def _rows(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows at these distances from 0."""
    return np.broadcast_to(0.0, (N, 1)), terms[:, None]


def _hinge(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two scores each, of which the wrong one is ahead by one less."""
    return np.zeros(N, np.int8), np.stack([np.zeros(N), terms - 1], axis=1)


def _samples(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.broadcast_to(0.0, (N, 1)), terms[:, None]


def _pairs(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.broadcast_to(0.0, (N, 1)), np.sqrt(terms)[:, None], np.ones(N, np.int8)


def _centres(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Half of the square of sqrt(2) is not 1: two coordinates.
    x = np.where(terms[:, None] == LARGE, [2.0**27, 0], np.sqrt(terms)[:, None])
    return x, np.zeros((1, 2)), np.zeros(N, np.int8)


def _triplets(terms: np.ndarray) -> tuple[np.ndarray, ...]:
    zero = np.broadcast_to(0.0, (N, 1))
    return zero, terms[:, None], zero


#: A loss of these values, and what makes its arguments of them.
CASES: list[tuple[Any, Callable[[np.ndarray], tuple[np.ndarray, ...]]]] = [
    (fl.AbsoluteError(), lambda terms: (np.zeros(N), terms)),
    (fl.AbsoluteError(), lambda terms: (np.broadcast_to(0.0, N), np.repeat(terms, 2)[::2])),
    (fl.EuclideanError(), _rows),
    (fl.MulticlassHinge(), _hinge),
    (fl.Wasserstein(), _samples),
    (fl.Triplet(margin=0.0, squared=False), _triplets),
]
#: Those of squares: the large number is a square, too, or half of one.
SQUARES = [(fl.Contrastive(), _pairs), (fl.CenterLoss(), _centres)]
IDS = ["pointwise", "pointwise with strides", "rows", "labels", "transport", "triplets"]


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("function", "make"), CASES, ids=IDS)
def test_values(function: Any, make: Any, n_threads: int) -> None:
    arguments = make(_terms())
    assert function(*arguments, reduction="sum", n_threads=n_threads) == SUM
    assert function.value_and_gradient(*arguments, reduction="sum", n_threads=n_threads)[0] == SUM
    ones = np.ones(N)
    assert function(*arguments, sample_weight=ones, reduction="sum", n_threads=n_threads) == SUM
    assert function(*arguments, n_threads=n_threads) == SUM / N
    # The weights bring the magnitudes, the values are all alike.
    arguments = make(ones)
    found = function(*arguments, sample_weight=_terms(), reduction="sum", n_threads=n_threads)
    assert found == SUM
    # The mean of ones is one, whatever their weights are.
    assert function(*arguments, sample_weight=_terms(), n_threads=n_threads) == 1


@pytest.mark.parametrize(("function", "make"), SQUARES, ids=["pairs", "centres"])
def test_values_of_squares(function: Any, make: Any) -> None:
    terms = _terms()
    terms[0] = large = 2.0**54 if function == fl.Contrastive() else 2.0**53
    arguments = make(terms)
    exact = large + len(ONES)
    assert function(*arguments, reduction="sum") == exact
    assert function.value_and_gradient(*arguments, reduction="sum")[0] == exact


@pytest.mark.parametrize(
    ("function", "make"), [case for case in CASES if hasattr(case[0], "weight_sum")][:4], ids=IDS[:4]
)
def test_weights(function: Any, make: Any) -> None:
    w = _terms()
    ones = make(np.ones(N))
    assert function.weight_sum(*ones, sample_weight=w) == SUM


def test_weights_of_classes() -> None:
    """What a row counts for is its own weight times that of its class."""
    y, z = np.zeros(N, np.int8), np.broadcast_to(0.0, (N, 2))
    assert fl.CrossEntropy(class_weight=[1.0, 2.0]).weight_sum(y, z, sample_weight=_terms()) == SUM
    assert fl.CrossEntropy(ignore_index=7).weight_sum(y, z, sample_weight=_terms()) == SUM


def test_gradients_by_centres() -> None:
    """A centre's gradient is the sum over its rows, in segments of their own or not."""
    for n_centers in (1, 3):
        x = -_terms()[:, None]
        centers = np.zeros((n_centers, 1))
        by_centers = fl.CenterLoss().gradient(x, centers, np.zeros(N, np.int8), reduction="sum")[1]
        assert by_centers[0, 0] == SUM
    few = 100
    x = np.zeros((few, 1))
    x[0], x[[5, 50, 70, 99]] = -LARGE, -1
    by_centers = fl.CenterLoss().gradient(x, np.zeros((1, 1)), np.zeros(few, int), reduction="sum")[1]
    assert by_centers[0, 0] == LARGE + 4


def test_penalties() -> None:
    assert fl.L1()(_terms()) == SUM
    assert fl.L1().value_and_gradient(np.repeat(_terms(), 2)[::2])[0] == SUM


def test_lines_of_embeddings() -> None:
    """A squared distance is compensated along a long row, too."""
    d = 40_000
    a = np.zeros((1, d))
    b = a.copy()
    b[0, 0], b[0, [3000, 9000, 20_000, 39_999]] = 2.0**27, 1
    assert fl.Contrastive()(a, b, [1]) == 2.0**54 + 4


def test_masses() -> None:
    """Small masses beside a large one: each moves to it, by its own distance."""
    k = 100
    masses, heap = np.ones(k + 1), np.zeros(k + 1)
    masses[0], heap[0] = LARGE, 1
    expected = k * (k + 1) / 2 / (LARGE + k)
    positions = np.arange(k + 1.0)
    assert fl.Wasserstein(positions=positions)(heap, masses) == pytest.approx(expected, rel=0.02)
    weighted = fl.Wasserstein()(np.zeros(1), positions, None, masses)
    assert weighted == pytest.approx(expected, rel=0.02)
