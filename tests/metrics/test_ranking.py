"""Areas, curves and rankings against counts of pairs, in rational numbers."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss import metrics

RNG = np.random.default_rng(20240229)
TINY, HUGE = 5e-324, 1.7e308
#: Scores that are close, far apart, equal but for their sign of zero, and at the ends of the range.
POOLS = {
    "few": [0.0, -0.0, 0.5, 1.0],
    "extreme": [HUGE, -HUGE, TINY, -TINY, 0.0, -0.0, 1.0, -1.0],
    "neighbours": [1.0, np.nextafter(1.0, 2), np.nextafter(1.0, 0), 1 + 2**-30],
    "plenty": RNG.normal(size=300).tolist(),
}


def area(y: Any, score: Any, w: Any) -> float:
    """The share of pairs that are in order, ties half, by the weights' products."""
    pairs = [
        (Fraction(float(v)) * Fraction(float(u)), (a > b) + Fraction(int(a == b), 2))
        for yes, a, v in zip(y, score, w, strict=True)
        if yes
        for no, b, u in zip(y, score, w, strict=True)
        if not no
    ]
    return float(sum(v * s for v, s in pairs) / sum(v for v, _ in pairs))


def counted(y: Any, score: Any, w: Any) -> list[tuple[float, Fraction, Fraction]]:
    """For each threshold of a sample that counts, the weight of false and of true positives."""
    samples = [(s, bool(yes), Fraction(float(v))) for yes, s, v in zip(y, score, w, strict=True) if v != 0]
    return [
        (
            limit,
            sum((v for s, yes, v in samples if s >= limit and not yes), Fraction(0)),
            sum((v for s, yes, v in samples if s >= limit and yes), Fraction(0)),
        )
        for limit in sorted({s for s, _, _ in samples}, reverse=True)
    ]


def average_precision(y: Any, score: Any, w: Any) -> float:
    curve = counted(y, score, w)
    before, total = Fraction(0), Fraction(0)
    for _, false, true in curve:
        total += (true - before) * (true / (true + false))
        before = true
    return float(total / before)


def samples(pool: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y = rng.integers(0, 2, n)
    y[:2] = [0, 1]
    w = rng.choice([0.0, 0.5, 1.0, 3.0], n)
    w[:2] = 1
    return y, rng.choice(POOLS[pool], n), w


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("n", [2, 3, 33, 150])
def test_areas_and_precision(pool: str, n: int) -> None:
    for seed in range(5):
        y, score, w = samples(pool, n, np.random.default_rng(seed))
        ones = np.ones(n)
        assert metrics.roc_auc_score(y, score) == pytest.approx(area(y, score, ones), abs=3e-16)
        assert metrics.roc_auc_score(y, score, sample_weight=w) == pytest.approx(area(y, score, w), abs=3e-16)
        for weights in (ones, w):
            expected = pytest.approx(average_precision(y, score, weights), rel=4e-16)
            assert metrics.average_precision_score(y, score, sample_weight=weights) == expected


@pytest.mark.parametrize("pool", POOLS)
def test_curves_have_every_threshold(pool: str) -> None:
    y, score, w = samples(pool, 120, np.random.default_rng(1))
    for weights in (None, w):
        expected = counted(y, score, np.ones(120) if weights is None else weights)
        n_false, n_true = expected[-1][1:]
        fpr, tpr, limits = metrics.roc_curve(y, score, sample_weight=weights, drop_intermediate=False)
        assert limits.tolist() == [math.inf, *(limit for limit, _, _ in expected)]
        assert fpr.tolist() == [0, *(float(false / n_false) for _, false, _ in expected)]
        assert tpr.tolist() == [0, *(float(true / n_true) for _, _, true in expected)]
        precision, recall, limits = metrics.precision_recall_curve(y, score, sample_weight=weights)
        assert limits.tolist() == [limit for limit, _, _ in expected][::-1]
        assert precision.tolist() == [*[float(true / (true + false)) for _, false, true in expected][::-1], 1]
        assert recall.tolist() == [*[float(true / n_true) for _, _, true in expected][::-1], 0]


def test_points_between_are_dropped() -> None:
    fpr, tpr, limits = metrics.roc_curve([1, 1, 1, 0, 0, 0], [6.0, 5, 4, 3, 2, 1])
    assert (fpr.tolist(), tpr.tolist()) == ([0, 0, 0, 1], [0, 1 / 3, 1, 1])
    assert limits.tolist() == [math.inf, 6, 4, 1]
    precision, recall, limits = metrics.precision_recall_curve(
        [0, 0, 0, 1], [1.0, 2, 3, 4], drop_intermediate=True
    )
    assert limits.tolist() == [1, 4]
    assert (precision.tolist(), recall.tolist()) == ([0.25, 1, 1], [1, 1, 0])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "i1", "u2", "i4", "i8", "u8", ">f8", ">i8", "?"])
def test_thresholds_keep_their_dtype(dtype: str) -> None:
    score = np.array([1, 0, 1, 0, 1], dtype)
    _, _, limits = metrics.precision_recall_curve([1, 0, 0, 1, 1], score)
    assert limits.dtype == score.dtype
    assert limits.tolist() == [0, 1]


def test_integers_that_float64_does_not_hold() -> None:
    top = 2**63
    for score in (
        np.array([top - 1, top - 2, top - 3, -top], np.int64),
        np.array([2 * top - 1, 2 * top - 2, top, 0], np.uint64),
    ):
        assert metrics.roc_auc_score([1, 1, 0, 0], score) == 1
        assert metrics.roc_auc_score([0, 1, 0, 1], score) == 0.25
        _, _, limits = metrics.precision_recall_curve([0, 1, 0, 1], score)
        assert limits.tolist() == score.tolist()[::-1]
        rows = np.stack([score, score[::-1]])
        assert metrics.top_k_accuracy_score([0, 3], rows, k=1, labels=[0, 1, 2, 3]) == 1
        assert metrics.top_k_accuracy_score([1, 2], rows, k=1, labels=[0, 1, 2, 3]) == 0
    wide = np.array([1, 1 + np.finfo(np.longdouble).eps, 1 - np.finfo(np.longdouble).eps], np.longdouble)
    assert metrics.roc_auc_score([0, 1, 0], wide) == 1


def test_sorting_of_scores_that_agree_in_their_upper_bits() -> None:
    """What is sorted first is the upper bits, in which these are equal."""
    for step in (2**-52, 2**-40, 2**-31):
        rank = np.random.default_rng(3).permutation(5000)
        score = 1 + rank * step
        y = (rank >= 1000).astype(int)
        assert metrics.roc_auc_score(y, score) == 1
        flipped = y.copy()
        flipped[rank == 999] = 1
        flipped[rank == 1000] = 0
        assert metrics.roc_auc_score(flipped, score) == 1 - 1 / (1000 * 4000)
        assert metrics.roc_auc_score(flipped, score, sample_weight=np.full(5000, 0.5)) == 1 - 1 / (
            1000 * 4000
        )
        assert metrics.roc_auc_score(flipped, -score) == pytest.approx(1 / (1000 * 4000), rel=1e-10)


def test_a_large_sample_is_that_of_numpy() -> None:
    rng = np.random.default_rng(5)
    for score in (
        rng.normal(size=50_000),
        rng.normal(size=50_000).astype(np.float32),
        rng.integers(-99, 99, 50_000),
    ):
        y = rng.integers(0, 2, 50_000)
        _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
        rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
        positive = y == 1
        n = positive.sum()
        expected = (rank[positive].sum() - n * (n + 1) / 2) / (n * (len(y) - n))
        assert metrics.roc_auc_score(y, score) == pytest.approx(expected, rel=1e-14)
        assert len(count) == len(metrics.precision_recall_curve(y, score)[2])


def test_part_of_the_area() -> None:
    # Above the first false positive: tpr 1/2 up to fpr 1/2. McClish: (1 + (1/4 - 1/8) / (1/2 - 1/8)) / 2.
    assert metrics.roc_auc_score([1, 0, 1, 0], [4.0, 3, 2, 1], max_fpr=0.5) == pytest.approx(2 / 3)
    assert metrics.roc_auc_score([1, 0, 1, 0], [4.0, 3, 2, 1], max_fpr=1) == 0.75


def test_several_classes() -> None:
    rng = np.random.default_rng(2)
    y = np.array([0, 1, 2, *rng.integers(0, 3, 30)])
    p = rng.dirichlet(np.ones(3), len(y))
    ones = np.ones(len(y))
    each = [area(y == c, p[:, c], ones) for c in range(3)]
    assert metrics.roc_auc_score(y, p, multi_class="ovr", average=None).tolist() == pytest.approx(
        each, abs=3e-16
    )
    assert metrics.roc_auc_score(y, p, multi_class="ovr") == pytest.approx(np.mean(each))
    shares = np.bincount(y)
    weighted = pytest.approx(np.average(each, weights=shares))
    assert metrics.roc_auc_score(y, p, multi_class="ovr", average="weighted") == weighted
    flat = area((y[:, None] == np.arange(3)).ravel(), p.ravel(), np.ones(p.size))
    assert metrics.roc_auc_score(y, p, multi_class="ovr", average="micro") == pytest.approx(flat, abs=3e-16)
    pairs, sizes = [], []
    for a, b in combinations(range(3), 2):
        of = (y == a) | (y == b)
        n = np.ones(of.sum())
        pairs.append((area(y[of] == a, p[of, a], n) + area(y[of] == b, p[of, b], n)) / 2)
        sizes.append(of.sum())
    assert metrics.roc_auc_score(y, p, multi_class="ovo") == pytest.approx(np.mean(pairs))
    weighted = pytest.approx(np.average(pairs, weights=sizes))
    assert metrics.roc_auc_score(y, p, multi_class="ovo", average="weighted") == weighted
    words = np.array(["ant", "bee", "cat"])
    assert metrics.roc_auc_score(words[y], p, multi_class="ovo") == metrics.roc_auc_score(
        y, p, multi_class="ovo"
    )
    precisions = [average_precision(y == c, p[:, c], ones) for c in range(3)]
    assert metrics.average_precision_score(y, p, average=None).tolist() == pytest.approx(
        precisions, rel=4e-16
    )


def gain(gains: Any, score: Any, k: int) -> float:
    """Discounted gains; documents of one score share the mean of theirs."""
    order = sorted(set(score), reverse=True)
    total, place = 0.0, 0
    for s in order:
        tied = [float(g) for g, t in zip(gains, score, strict=True) if t == s]
        mean = math.fsum(tied) / len(tied)
        total += math.fsum(mean / math.log2(2 + r) for r in range(place, place + len(tied)) if r < k)
        place += len(tied)
    return total


@pytest.mark.parametrize("columns", [2, 7, 90])
def test_discounted_gains(columns: int) -> None:
    rng = np.random.default_rng(columns)
    gains, score = rng.integers(0, 5, (20, columns)), rng.choice([-1.5, -0.0, 0.0, 0.25, 2.0], (20, columns))
    gains[0] = 0
    score[1] = np.arange(columns)
    for k in (1, 3, columns):
        best = [gain(g, g, k) for g in gains]
        shares = [gain(g, s, k) / b if b else 0 for g, s, b in zip(gains, score, best, strict=True)]
        assert metrics.ndcg_score(gains, score, k=k) == pytest.approx(np.mean(shares), rel=1e-14)
        w = rng.uniform(1, 2, 20)
        weighted = pytest.approx(np.average(shares, weights=w), rel=1e-14)
        assert metrics.ndcg_score(gains, score.astype(np.float32), k=k, sample_weight=w) == weighted
    distinct = rng.permuted(np.tile(np.arange(columns), (20, 1)), axis=1)
    shares = [gain(g, s, columns) / (gain(g, g, columns) or 1) for g, s in zip(gains, distinct, strict=True)]
    for ignore in (False, True):
        assert metrics.ndcg_score(gains, distinct, ignore_ties=ignore) == pytest.approx(
            np.mean(shares), rel=1e-14
        )


def test_the_first_k() -> None:
    rng = np.random.default_rng(4)
    for dtype in ("f4", "f8", "i1", "u8", "f2", ">f4"):
        score = rng.integers(0, 4, (60, 5)).astype(dtype)
        y = np.array([*range(5), *rng.integers(0, 5, 55)])
        w = rng.uniform(1, 2, 60)
        for k in (1, 2, 4):
            # Of equal scores the later class comes first.
            hits = [
                c in sorted(range(5), key=lambda j: (s[j], j))[-k:] for s, c in zip(score, y, strict=True)
            ]
            assert metrics.top_k_accuracy_score(y, score, k=k) == np.mean(hits)
            expected = pytest.approx(np.average(hits, weights=w))
            assert metrics.top_k_accuracy_score(y, score, k=k, sample_weight=w) == expected
            assert metrics.top_k_accuracy_score(y, score, k=k, normalize=False) == sum(hits)


def test_bins_of_probabilities() -> None:
    p = np.array([0.0, 0.1, 0.2, 0.2000001, 0.6, 1.0, 0.95])
    y = np.array([0, 1, 0, 1, 1, 1, 0])
    true, mean = metrics.calibration_curve(y, p, n_bins=5)
    # Each bin has its upper edge; the third is (0.4, 0.6000000000000001].
    assert true.tolist() == [1 / 3, 1, 1, 0.5]
    assert mean.tolist() == pytest.approx([0.1, 0.2000001, 0.6, 0.975], rel=1e-15)
    true, mean = metrics.calibration_curve(y, p, n_bins=40)
    assert true.tolist() == [0, 1, 0, 1, 1, 0, 1]
    assert mean.tolist() == sorted(p)
    true, mean = metrics.calibration_curve(y, p.astype(np.float32), n_bins=2, strategy="quantile")
    assert (true.tolist(), len(mean)) == ([0.5, 2 / 3], 2)


def test_one_class_alone() -> None:
    with pytest.warns(UserWarning, match="Only one class is present in y_true"):
        assert math.isnan(metrics.roc_auc_score([1, 1], [0.5, 0.25]))
    with pytest.warns(UserWarning, match="No positive class found in y_true"):
        assert metrics.average_precision_score([0, 0], [0.5, 0.25]) == 0
    with pytest.warns(UserWarning, match="No negative samples"):
        fpr, tpr, _ = metrics.roc_curve([1, 0], [0.5, 0.25], sample_weight=[1.0, 0.0])
    assert np.isnan(fpr).all()
    assert tpr.tolist() == [0, 1]
    with pytest.warns(UserWarning, match="No negative samples"):
        assert math.isnan(metrics.roc_auc_score([1, 0], [0.5, 0.25], sample_weight=[1.0, 0.0]))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_same_bits_for_any_number_of_threads(threads: int) -> None:
    rng = np.random.default_rng(8)
    y, score, w = rng.integers(0, 2, 70_000), rng.normal(size=70_000), rng.uniform(size=70_000)
    p = 1 / (1 + np.exp(-score))

    def everything() -> list[Any]:
        return [
            metrics.roc_auc_score(y, score, sample_weight=w),
            metrics.average_precision_score(y, score, sample_weight=w),
            metrics.confusion_matrix(y, score > 0, sample_weight=w).tolist(),
            metrics.calibration_curve(y, p)[1].tolist(),
            metrics.r2_score(score, p, sample_weight=w),
        ]

    expected = everything()
    with fl.num_threads(threads):
        assert everything() == expected


def test_weights_below_zero_take_the_curve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # fpr runs 0, 0, -1, 1: it turns back.
        with pytest.raises(ValueError, match="x is neither increasing nor decreasing"):
            metrics.roc_auc_score([1, 0, 0], [3.0, 2, 1], sample_weight=[1.0, -1, 2])
        # tpr 0, 3, 2 over 2 = 0, 1.5, 1 at fpr 0, 0, 1.
        expected = (1.5 + 1) / 2
        assert metrics.roc_auc_score([1, 1, 0], [3.0, 2, 2], sample_weight=[3.0, -1, 1]) == expected
