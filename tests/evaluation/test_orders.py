"""Areas of sorted rows by fractions, tables of weights by whole numbers, codes of labels."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

import fastloss as fl
from fastloss import _core
from fastloss.evaluation import order
from fastloss.evaluation.groups import factorise
from fastloss.evaluation.tables import Memory

ODD_SCORES = [0.0, -0.0, 5e-324, -5e-324, 1e-45, -1e-45, 2e-38, 3e38, -3e38, 1.0, 1.0 + 2**-23, -1.0, 0.5]


def order_by_scores(scores, labels):
    """The average precision and KS, by fractions."""
    precisions, distances = [], []
    n, positives = len(labels), int(labels.sum())
    for x in set(scores.tolist()):
        above, own = labels[scores >= x], int(labels[scores == x].sum())
        hits, misses = int(above.sum()), int((above == 0).sum())
        precisions.append(Fraction(own * hits, len(above) * positives))
        distances.append(abs(Fraction(hits, positives) - Fraction(misses, n - positives)))
    return float(sum(precisions)), float(max(distances))


def area_by_pairs(scores, labels):
    """The area and DeLong's variance, by fractions."""
    b, a = (scores[labels == k].tolist() for k in range(2))
    won = {(x, y): Fraction(int(x < y) * 2 + int(x == y), 2) for x in set(b) for y in set(a)}
    auc = sum(won[x, y] for x in b for y in a) / (len(a) * len(b))
    spread = sum((sum(won[x, y] for x in b) / len(b) - auc) ** 2 for y in a) / (len(a) * (len(a) - 1))
    spread += sum((sum(won[x, y] for y in a) / len(a) - auc) ** 2 for x in b) / (len(b) * (len(b) - 1))
    return auc, spread


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [4, 31, 33, 200, 1100])
def test_area_of_rows_is_what_pairs_give(n, dtype):
    rng = np.random.default_rng(n)
    with np.errstate(under="ignore"):
        scores = rng.choice([*ODD_SCORES, *rng.normal(size=n)], n).astype(dtype)
    labels = np.arange(n).astype(np.uint8) % 2
    auc, variance = area_by_pairs(scores, labels)
    found = _core.Ranking(scores, labels).summary()
    assert found["weight"] == [(n + 1) // 2, n // 2]
    assert found["auc"] == float(auc)
    assert [found[f"{key}_margin"] for key in ("auc", "precision", "ks")] == [0, 0, 0]
    assert found["auc_variance"] == pytest.approx(float(variance), rel=1e-12)
    assert (found["precision"], found["ks"]) == pytest.approx(order_by_scores(scores, labels), rel=1e-14)
    estimate = fl.evaluate(labels, scores, [fl.measures.ROCAUC(exact=True)])["roc_auc"]
    assert (estimate.value, estimate.half_width) == (float(auc), 0)
    assert estimate.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.001, 0.998, 0.001)])
def test_area_of_rows_that_many_have_one_score(shares, dtype):
    """Groups that go on for longer than what is read at once; pairs by counts."""
    n = 5000
    rng = np.random.default_rng(3)
    scores, labels = (
        rng.choice([-1.0, 0.5, 2.0], n, p=shares).astype(dtype),
        rng.integers(0, 2, n).astype(np.uint8),
    )
    counts = [[int(np.sum((scores == x) & (labels == k))) for x in (-1.0, 0.5, 2.0)] for k in range(2)]
    (b, a), sizes = counts, [sum(some) for some in counts]
    won = [Fraction(2 * sum(b[:i]) + b[i], 2 * sizes[0]) for i in range(3)]
    lost = [Fraction(2 * sum(a[i + 1 :]) + a[i], 2 * sizes[1]) for i in range(3)]
    auc = sum(rows * share for rows, share in zip(a, won, strict=True)) / sizes[1]
    variance = sum(
        sum(rows * (share - auc) ** 2 for rows, share in zip(some, of, strict=True)) / (size * (size - 1))
        for some, of, size in ((b, lost, sizes[0]), (a, won, sizes[1]))
    )
    found = _core.Ranking(scores, labels).summary()
    assert found["auc"] == float(auc)
    assert found["auc_variance"] == pytest.approx(float(variance), rel=1e-13, abs=0)
    assert (found["precision"], found["ks"]) == pytest.approx(order_by_scores(scores, labels), rel=1e-14)


def test_scores_that_are_the_wrong_way_round():
    """The distance between two distributions has no sign."""
    scores, labels = np.array([4.0, 3.0, 2.0, 1.0]), np.array([0, 0, 1, 0], np.uint8)
    for weights in (None, np.array([2.0, 1.0, 1.0, 1.0])):
        found = fl.evaluate(labels, scores, [fl.measures.KS(exact=True)], sample_weight=weights)["ks"]
        assert found.value == (2 / 3 if weights is None else 0.75)


@pytest.mark.parametrize("label", [0, 1])
def test_a_row_of_no_weight_at_the_top(label):
    """Of nothing so far no share is of the label 1."""
    measures = [fl.measures.AveragePrecision(exact=True), fl.measures.KS(exact=True)]
    found = fl.evaluate([label, 1, 0], [3.0, 2.0, 1.0], measures, sample_weight=[0.0, 1.0, 2.0])
    assert [estimate.value for estimate in found.values()] == [1, 1]


def test_area_of_rows_of_one_class_or_with_weights():
    scores = np.array([1.0, 2.0])
    assert _core.Ranking(scores, np.ones(2, np.uint8)).summary()["weight"] == [0, 2]
    with pytest.raises(ValueError, match="weights"):
        _core.Ranking(scores, np.ones(2, np.uint8), scores).summary()


@pytest.mark.parametrize("score", [-1.0, 1.0])
def test_weights_of_one_score_are_added_as_they_came(score):
    """The larger one first swallows the others, which it does not after them."""
    weights = np.array([2.0**53, 1.0, 1.0])
    for given, total in ((weights, 2.0**53), (weights[::-1].copy(), 2.0**53 + 2)):
        ranking = _core.Ranking(np.full(3, score, np.float32), np.ones(3, np.uint8), given)
        assert ranking.curve()[1].tolist() == [total]


def test_exact_area_of_many_rows_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200_000)
    for z in (rng.normal(size=200_000) + y, np.round(rng.normal(size=200_000) + y, 1).astype(np.float32)):
        value = fl.evaluate(y, z, [fl.measures.ROCAUC(exact=True)])["roc_auc"].value
        assert value == pytest.approx(metrics.roc_auc_score(y, z), rel=1e-14)


def weights_of_every_size(rng, n):
    w = np.ldexp(rng.uniform(1, 2, n), rng.integers(-90, 30, n))
    w[:8] = [0.0, 2.0**31, 2.0**31 - 2**-22, 2.0**-64, 2.0**-65, 1.0, 5e-324, 1 - 2.0**-53]
    return w


@pytest.mark.parametrize("n", [9, 511, 512, 513, 1700])
def test_tables_of_weights_are_sums_of_whole_numbers(n):
    rng = np.random.default_rng(n)
    scores = rng.choice(rng.normal(size=9), n).astype(np.float32)
    labels = rng.integers(0, 2, n).astype(np.uint8)
    weights = weights_of_every_size(rng, n)
    pairs, squares = np.zeros((2 * _core.SCORE_KEYS, 2), np.uint64), np.zeros((_core.RUNS, 2, 3), np.uint64)
    counts = Memory(weighted=False)
    extent, its_extent = counts.extent, np.array([_core.SCORE_KEYS, 0], np.uint32)
    half = n // 2
    more = np.zeros_like(pairs), np.zeros_like(squares), its_extent
    for part, to in ((slice(0, half), (pairs, squares, extent)), (slice(half, n), more)):
        assert _core.weigh_scores(*to, scores[part], labels[part], weights[part])
    _core.merge_weights(pairs, squares, *more)
    _core.count_scores(*counts.arrays, extent, scores, labels)
    keys = _core.list_counts(*counts.arrays, extent)[0]
    assert extent.tolist() == [keys[-1], keys[0]]
    listed, b, a, b_squares, a_squares = _core.list_weights(pairs, squares, extent)
    assert set(listed.tolist()) <= set(keys.tolist())
    assert (np.diff(listed.astype(np.int64)) < 0).all()
    key_of = dict(zip(np.unique(scores)[::-1].tolist(), keys.tolist(), strict=True))
    sums, square_sums = Counter(), Counter()
    for score, label, w in zip(scores.tolist(), labels.tolist(), weights.tolist(), strict=True):
        key = key_of[score]
        sums[key, label] += math.floor(Fraction(w) * 2**64)
        square_sums[key // _core.RUN_KEYS, label] += math.floor(Fraction(w * w) * 2**128)
    for (key, label), total in sums.items():
        low, high = (int(x) for x in pairs[_core.places_of_keys(np.array([key], np.uint32))[0, label]])
        assert high << 64 | low == total
    for (coarse, label), total in square_sums.items():
        low, middle, high = (int(x) for x in squares[coarse, label])
        assert high << 128 | middle << 64 | low == total
    for label, (w, s) in enumerate(((b, b_squares), (a, a_squares))):
        for key, x in zip(listed.tolist(), w.tolist(), strict=True):
            assert x == pytest.approx(sums[key, label] / 2**64, rel=1e-15)
        for coarse in {key // _core.RUN_KEYS for key in listed.tolist() if sums[key, label]}:
            total = math.fsum(s[listed // _core.RUN_KEYS == coarse])
            assert total == pytest.approx(square_sums[coarse, label] / 2**128, rel=1e-12)


def test_a_unit_is_carried_through_all_words_of_a_square():
    """Of 2^-k three times each the squares add up to 1 less the last one, which comes once more."""
    weights = np.array([2.0**-k for k in range(1, 65) for _ in range(3)] + [2.0**-64])
    pairs, squares = np.zeros((2 * _core.SCORE_KEYS, 2), np.uint64), np.zeros((_core.RUNS, 2, 3), np.uint64)
    n, extent = len(weights), np.array([_core.SCORE_KEYS, 0], np.uint32)
    assert _core.weigh_scores(pairs, squares, extent, np.zeros(n, np.float32), np.ones(n, np.uint8), weights)
    assert squares[_core.RUNS // 2, 1].tolist() == [0, 0, 1]


@pytest.mark.parametrize("kept", [100, 10**6])
@pytest.mark.parametrize("exact", [False, True])
def test_variance_of_an_area_whose_weights_go_with_the_scores(monkeypatch, exact, kept):
    """DeLong's, row by row: the mean share of the others by weights, squares about it by their squares."""
    monkeypatch.setattr(order, "KEPT_ROWS", kept)
    rng = np.random.default_rng(0)
    z = rng.choice(np.linspace(-3, 3, 9), 600)
    y = (rng.random(600) < 1 / (1 + np.exp(-z))).astype(np.uint8)
    w = np.exp(z + 0.3 * rng.normal(size=600))
    variance = 0.0
    for label, sign in ((1, 1), (0, -1)):
        own, others = y == label, y != label
        apart = sign * (z[own][:, None] - z[others])
        share = (np.heaviside(apart, 0.5) * w[others]).sum(axis=1) / w[others].sum()
        u = w[own]
        about = share - (share * u).sum() / u.sum()
        variance += (u**2 * about**2).sum() / (u.sum() ** 2 - (u**2).sum())
    found = fl.evaluate(y, z.astype(np.float32), [fl.measures.ROCAUC(exact=exact)], sample_weight=w)[
        "roc_auc"
    ]
    assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-13)


@pytest.mark.parametrize("size", [1e-17, 1e-9, 1.0, 1e9])
def test_certificate_holds_for_weights_of_every_size(monkeypatch, size):
    metrics = pytest.importorskip("sklearn.metrics")
    monkeypatch.setattr(order, "KEPT_ROWS", 100)
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 3000)
    z, w = (rng.normal(size=3000) + y).astype(np.float32), size * rng.uniform(size=3000)
    estimate = fl.evaluate(y, z, ["roc_auc"], sample_weight=w)["roc_auc"]
    true = metrics.roc_auc_score(y, z, sample_weight=w)
    assert abs(estimate.value - true) <= estimate.half_width + 1e-12
    assert (estimate.half_width < 0.002) == (size > 1e-12)


@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "i8", "S2", "S3", "S5", "S7", "S8", "U5", "S16", "S17"])
@pytest.mark.parametrize(("n", "values"), [(0, 1), (1, 1), (900, 3), (1300, 511), (3000, 1024), (9000, 5000)])
def test_codes_are_in_the_order_that_items_come(kind, n, values):
    rng = np.random.default_rng(n)
    given = rng.integers(0, values, n) * 7919 % 30_011
    items = given.astype(kind) if kind[0] in "SU" else given.astype(np.int64).astype(kind)
    codes, first = _core.encode_items(items[::1])
    seen = {}
    wanted = [seen.setdefault(item, len(seen)) for item in items.tolist()]
    assert codes.tolist() == wanted
    assert items[first].tolist() == list(seen)
    again, _ = _core.encode_items(np.repeat(items, 2)[::2])
    assert again.tolist() == wanted
    with pytest.raises(TypeError):
        _core.encode_items(np.array(["a", None], dtype=object))


@pytest.mark.parametrize(
    ("column", "labels"),
    [
        ([0.0, -0.0, math.nan, -math.nan, 1e300, 1e300], [0.0, math.nan, 1e300]),
        (np.array([0.0, -0.0, math.nan, 1.5], np.float16), [0.0, math.nan, 1.5]),
        (np.array([1, 2, 1], np.longdouble), [np.longdouble(1), np.longdouble(2)]),
        (np.array([-5, 250, -5], np.int16), [-5, 250]),
        (np.array([-5, 251, -5], np.int16), [-5, 251]),
        (np.array([2**64 - 1, 2**64 - 200], np.uint64), [2**64 - 1, 2**64 - 200]),
        (np.array([-(2**63), 2**63 - 1], np.int64), [-(2**63), 2**63 - 1]),
        (np.array([True, False, True]), [True, False]),
        (np.array(["a", None, "b", "a"], object), ["a", None, "b"]),
        (np.array([1, True, 1.0, "1", None, math.nan], object), [1, True, 1.0, "1", None]),
        (np.array(["ab", "a", "ab"]), ["ab", "a"]),
        (np.array([], np.int32), []),
    ],
)
def test_labels_are_told_apart_as_values_are(column, labels):
    codes, found = factorise(np.asarray(column))
    assert list(map(repr, found)) == list(map(repr, labels))
    for code, label in zip(codes.tolist(), np.asarray(column).tolist(), strict=True):
        missing = label is None or label != label
        assert found[code] == label or (missing and (found[code] is None or found[code] != found[code]))
