"""Measures against scikit-learn, and against sums over pairs in fractions; certificates always hold."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import fastloss as fl
from fastloss import _core
from fastloss.evaluation import order
from fastloss.evaluation.tables import Memory

metrics = pytest.importorskip("sklearn.metrics")
ORDER = {"roc_auc": metrics.roc_auc_score, "average_precision": metrics.average_precision_score}


def drawn(n, kind, seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    z = rng.normal(size=n) + y
    if kind == "tied":
        z = np.round(z * 2) / 2
    if kind == "tiny":
        z = z * 1e-9
    if kind == "huge":
        z = z * 10.0 ** rng.integers(-30, 30, n)
    if kind == "probabilities":
        z = 1 / (1 + np.exp(-z))
    if kind == "one":
        z = np.full(n, 0.25)
    return y, z.astype(dtype)


def ks(y, z, sample_weight=None):
    fpr, tpr, _ = metrics.roc_curve(y, z, sample_weight=sample_weight, drop_intermediate=False)
    return np.max(np.abs(tpr - fpr))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["plain", "tied", "tiny", "huge", "probabilities", "one"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_order_is_exact_of_few_rows_and_certified_of_many(kind, weighted, dtype, monkeypatch):
    y, z = drawn(4000, kind, dtype=dtype)
    w = np.random.default_rng(1).uniform(0, 2, 4000) if weighted else None
    wanted = {name: f(y, z, sample_weight=w) for name, f in {**ORDER, "ks": ks}.items()}
    kept = fl.evaluate(y, z, list(wanted), sample_weight=w)
    monkeypatch.setattr(order, "KEPT_ROWS", 100)
    counted = fl.evaluate(y, z, list(wanted), sample_weight=w)
    forced = fl.evaluate(y, z, ["roc_auc:exact=true"], sample_weight=w)
    for name, value in wanted.items():
        assert kept[name].half_width == 0
        assert kept[name].value == pytest.approx(value, abs=1e-12)
        assert counted[name].half_width > 0
        assert abs(counted[name].value - value) <= counted[name].half_width + 1e-14
    assert forced["roc_auc"] == kept["roc_auc"]
    assert counted["roc_auc"].standard_error == pytest.approx(
        kept["roc_auc"].standard_error, rel=0.02, abs=1e-3
    )


def test_certificate_is_narrow_where_scores_are_logits():
    y, z = drawn(300_000, "plain")
    e = fl.evaluate(y, z, ["roc_auc"])["roc_auc"]
    assert e.half_width < 5e-6
    assert abs(e.value - metrics.roc_auc_score(y, z)) < e.half_width / 10


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_its_error_by_pairs(seed):
    """Every pair in fractions, and DeLong's two variances of the rows' shares."""
    rng = np.random.default_rng(seed)
    y, z, w = rng.integers(0, 2, 40), rng.integers(0, 9, 40) / 4, rng.integers(1, 5, 40)
    positive, negative = np.flatnonzero(y == 1), np.flatnonzero(y == 0)

    def won(i, j):
        return Fraction(1) if z[i] > z[j] else Fraction(1, 2) if z[i] == z[j] else Fraction(0)

    for weights in (np.ones(40, int), w):
        P, N = (int(weights[k].sum()) for k in (positive, negative))
        of_positive = [sum(won(i, j) * int(weights[j]) for j in negative) / N for i in positive]
        of_negative = [sum(won(i, j) * int(weights[i]) for i in positive) / P for j in negative]
        auc = sum(v * int(weights[i]) for v, i in zip(of_positive, positive, strict=True)) / P
        variance = 0.0
        for shares, which, total in ((of_positive, positive, P), (of_negative, negative, N)):
            spread = sum(int(weights[i]) ** 2 * (v - auc) ** 2 for v, i in zip(shares, which, strict=True))
            variance += float(spread) / (total**2 - int((weights[which] ** 2).sum()))
        given = None if (weights == 1).all() else weights
        e = fl.evaluate(y, z, ["roc_auc"], sample_weight=given)["roc_auc"]
        assert e.value == pytest.approx(float(auc), rel=1e-14)
        assert e.standard_error == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_error_of_a_difference_of_aucs_by_resampling():
    rng = np.random.default_rng(2)
    y, a = drawn(2000, "plain", seed=3, dtype=np.float64)
    b = a + 0.5 * rng.normal(size=2000)
    e = fl.evaluate(y, {"a": a, "b": b}, ["roc_auc"]).differences["b", "a"]["roc_auc"]
    found = []
    for _ in range(80):
        i = rng.integers(0, 2000, 2000)
        found.append(metrics.roc_auc_score(y[i], b[i]) - metrics.roc_auc_score(y[i], a[i]))
    assert e.standard_error == pytest.approx(np.std(found), rel=0.35)


def key_of(x):
    memory = Memory(weighted=False)
    _core.count_scores(*memory.arrays, memory.extent, x, np.ones(1, np.uint8))
    assert memory.arrays[0][_core.places_of_keys(memory.extent)].tolist() == [[0, 1], [0, 1]]
    return int(memory.extent[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keys_are_in_the_order_of_the_scores(dtype):
    sizes = [0.0, 5e-324, 1e-30, 2.0**-34, 1e-9, 1e-7, 1e-6, 0.3, 1.0, 1.5, 100.0, 4095.9, 4096.1, np.inf]
    z = np.array([*(-x for x in reversed(sizes)), *sizes], dtype)
    keys = [key_of(z[i : i + 1]) for i in range(len(z))]
    assert keys == sorted(keys)
    assert keys[len(sizes) - 1] == keys[len(sizes)]  # -0 and 0
    assert (keys[0], keys[-1]) == (0, _core.SCORE_KEYS - 1)
    apart = key_of(np.array([0.7000], dtype)), key_of(np.array([0.7001], dtype))
    assert apart[0] < apart[1]
    places = _core.places_of_keys(np.arange(_core.SCORE_KEYS, dtype=np.uint32))
    np.testing.assert_array_equal(np.sort(places.ravel()), np.arange(2 * _core.SCORE_KEYS))


def test_labels_of_minus_one_are_zero():
    y, z = drawn(500, "plain")
    for labels in (y, 2 * y - 1, y.astype(bool), y.astype(float), y.astype(np.int8)):
        assert fl.evaluate(labels, z, ["roc_auc"])["roc_auc"] == fl.evaluate(y, z, ["auc"])["auc"]


def test_curves_are_those_of_scikit_learn():
    y, z = drawn(500, "tied")
    result = fl.evaluate(y, z, ["roc_auc"])
    fpr, tpr, thresholds = metrics.roc_curve(y, z, drop_intermediate=False)
    curve = result.curve("roc")
    np.testing.assert_allclose(curve.x, fpr)
    np.testing.assert_allclose(curve.y, tpr)
    np.testing.assert_array_equal(curve.threshold, thresholds)
    precision, recall, _ = metrics.precision_recall_curve(y, z)
    curve = result.curve("pr")
    np.testing.assert_allclose(curve.y, precision[::-1])
    np.testing.assert_allclose(curve.x, recall[::-1])


@pytest.mark.parametrize("weighted", [False, True])
def test_confusion_of_two_classes(weighted):
    y, z = drawn(1000, "plain")
    w = np.random.default_rng(1).uniform(0, 2, 1000) if weighted else None
    found = fl.evaluate(y, z, ["confusion:threshold=0.25"], sample_weight=w)["confusion"]
    d = (z > 0.25).astype(int)
    np.testing.assert_allclose(found.tables["matrix"], metrics.confusion_matrix(y, d, sample_weight=w))
    wanted = {
        "precision": metrics.precision_score(y, d, sample_weight=w),
        "recall": metrics.recall_score(y, d, sample_weight=w),
        "specificity": metrics.recall_score(y, d, pos_label=0, sample_weight=w),
        "f1": metrics.f1_score(y, d, sample_weight=w),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, d, sample_weight=w),
        "mcc": metrics.matthews_corrcoef(y, d, sample_weight=w),
    }
    assert {name: e.value for name, e in found.items()} == pytest.approx(wanted)


@pytest.mark.parametrize("weighted", [False, True])
def test_confusion_of_many_classes(weighted):
    rng = np.random.default_rng(5)
    y, z = rng.integers(0, 4, 1000), rng.normal(size=(1000, 4))
    z[np.arange(1000), y] += 1
    w = rng.uniform(0, 2, 1000) if weighted else None
    result = fl.evaluate(y, z, ["confusion", "accuracy", "accuracy:top_k=2"], sample_weight=w)
    d, found = z.argmax(axis=1), result["confusion"]
    p, r, f, _ = metrics.precision_recall_fscore_support(y, d, sample_weight=w)
    for k in range(4):
        got = [found[f"{name}[{k}]"].value for name in ("precision", "recall", "f1")]
        assert got == pytest.approx([p[k], r[k], f[k]])
    assert [found[name].value for name in ("precision", "recall", "f1")] == pytest.approx(
        [p.mean(), r.mean(), f.mean()]
    )
    assert found["mcc"].value == pytest.approx(metrics.matthews_corrcoef(y, d, sample_weight=w))
    assert found["balanced_accuracy"].value == pytest.approx(
        metrics.balanced_accuracy_score(y, d, sample_weight=w)
    )
    assert result["accuracy"].value == pytest.approx(metrics.accuracy_score(y, d, sample_weight=w))
    assert result["accuracy:top_k=2"].value == pytest.approx(
        metrics.top_k_accuracy_score(y, z, k=2, sample_weight=w)
    )


def test_errors_of_what_is_computed_by_the_delta_method_by_resampling():
    rng = np.random.default_rng(6)
    y, z = drawn(3000, "plain")
    w = rng.uniform(0, 2, 3000)
    names = ["confusion", "r2", "calibration:n_bins=4", "accuracy"]
    whole = fl.evaluate(y, z, names, sample_weight=w)
    found = []
    for _ in range(80):
        i = rng.integers(0, 3000, 3000)
        records = fl.evaluate(y[i], z[i], names, sample_weight=w[i]).records()
        found.append([r["value"] for r in records])
    for r, spread in zip(whole.records(), np.std(found, axis=0), strict=True):
        if r["standard_error"] == r["standard_error"]:
            assert r["standard_error"] == pytest.approx(spread, rel=0.4), r["measure"]


def test_calibration_by_hand():
    y = np.array([0, 1, 1, 1, 0, 1])
    p = np.array([0.25, 0.0, 0.5, 0.75, 0.75, 1.0])
    w = np.array([1.0, 1, 2, 1, 1, 2])
    result = fl.evaluate(y, p, ["calibration:n_bins=2,from_logits=false"], sample_weight=w)
    found, table = result["calibration"], result.reliability()
    assert table["weight"].tolist() == [2, 6]
    assert table["probability"].tolist() == [0.125, 4.5 / 6]
    assert table["share"].tolist() == [0.5, 5 / 6]
    assert found["ece"].value == pytest.approx((2 * 0.375 + 6 * (5 / 6 - 4.5 / 6)) / 8)
    assert found["mce"].value == 0.375
    base = 6 / 8
    assert found["uncertainty"].value == base * (1 - base)
    assert found["resolution"].value == pytest.approx((2 * 0.25**2 + 6 * (5 / 6 - base) ** 2) / 8)
    assert found["reliability"].value == pytest.approx((2 * 0.375**2 + 6 * (0.5 / 6) ** 2) / 8)
    parts = found["reliability"].value - found["resolution"].value + found["uncertainty"].value
    means = table["probability"][[0, 0, 1, 1, 1, 1]]
    assert parts == pytest.approx(float(np.sum(w * (means - y) ** 2)) / 8)


def test_calibration_of_scores_and_rows():
    rng = np.random.default_rng(7)
    y, z = drawn(500, "plain", dtype=np.float64)
    p = 1 / (1 + np.exp(-z))
    raw = fl.evaluate(y, z, ["calibration"])["calibration"]
    assert raw["ece"].value == pytest.approx(
        fl.evaluate(y, p, ["calibration:from_logits=false"])["calibration"]["ece"].value
    )
    classes, scores = rng.integers(0, 3, 500), rng.normal(size=(500, 3))
    e = np.exp(scores)
    shares = e / e.sum(axis=1, keepdims=True)
    top = shares.argmax(axis=1)
    binary = fl.evaluate((top == classes).astype(int), shares.max(axis=1), ["calibration:from_logits=false"])
    assert fl.evaluate(classes, scores, ["calibration"])["calibration"]["ece"].value == pytest.approx(
        binary["calibration"]["ece"].value
    )
    with pytest.raises(ValueError, match=r"y_pred\[1\] = 1.5 is no probability"):
        fl.evaluate([0, 1], [0.5, 1.5], ["calibration:from_logits=false"])


@pytest.mark.parametrize("weighted", [False, True])
def test_regression(weighted):
    rng = np.random.default_rng(8)
    y, z = rng.normal(size=400), rng.normal(size=400)
    w = rng.uniform(0, 2, 400) * (rng.random(400) < 0.9) if weighted else None
    result = fl.evaluate(y, z, ["r2", "bias", "max_error"], sample_weight=w)
    assert result["r2"].value == pytest.approx(metrics.r2_score(y, z, sample_weight=w), rel=1e-12)
    assert result["bias"].value == pytest.approx(np.average(z - y, weights=w), rel=1e-12)
    kept = np.ones(400, bool) if w is None else w > 0
    assert result["max_error"].value == np.max(np.abs(y - z)[kept])


@pytest.mark.parametrize("signed", ["int64", "uint64"])
def test_errors_of_whole_numbers_beyond_floats(signed):
    """Times in nanoseconds: float64 has every 256th of them."""
    y = np.array([2**60, 2**60 + 300, 5], signed)
    z = np.array([2**60 + 100, 2**60 + 300, 2], np.int64)
    result = fl.evaluate(y, z, ["max_error", "bias"])
    assert result["max_error"].value == 100
    assert result["bias"].value == pytest.approx(97 / 3, rel=1e-15)


def test_r2_of_targets_far_from_zero():
    """Exact sums of squares: the mean is 10^8 spreads away, and scikit-learn centres first."""
    rng = np.random.default_rng(9)
    y = 1e8 + rng.normal(size=300)
    z = y + 0.1 * rng.normal(size=300)
    assert fl.evaluate(y, z, ["r2"])["r2"].value == pytest.approx(metrics.r2_score(y, z), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_bins", [1, 10, 15, 1000])
def test_bins_of_probabilities(n_bins, dtype):
    """Edges, both ends, and what lies just below an edge."""
    edges = np.arange(n_bins + 1) / n_bins
    p = np.concatenate([edges, np.nextafter(edges[1:], 0), [-0.0, 5e-324]]).astype(dtype)
    labels = (np.arange(len(p)) % 3 == 0).astype(np.uint8)
    codes = np.empty(len(p), np.uint32)
    assert _core.find_probability_bins(p, labels, n_bins, codes)
    wanted = [2 * min(int(np.float64(x) * n_bins), n_bins - 1) for x in p]
    assert (codes - labels).tolist() == wanted
    for bad in (-1e-9, -3.0, 1.0000001, np.nan, np.inf, -np.inf):
        for row in (0, len(p) - 1):
            other = p.copy()
            other[row] = bad
            assert not _core.find_probability_bins(other, labels, n_bins, codes)
            assert codes.max() < 2 * n_bins


def test_threshold_is_that_of_probabilities_or_of_scores():
    y, p = [0, 1, 1], [0.2, 0.4, 0.6]
    for name in ("accuracy", "confusion"):
        found = fl.evaluate(y, p, [f"{name}:from_logits=false", name])
        assert list(found) == [f"{name}:from_logits=false", name]
    assert fl.evaluate(y, p, ["accuracy:from_logits=false"])["accuracy"].value == 2 / 3
    assert fl.evaluate(y, p, ["accuracy"])["accuracy"].value == 2 / 3
    assert fl.evaluate(y, p, ["accuracy:threshold=0.3"])["accuracy"].value == 1.0
    for threshold, value in ((0.3, 1.0), (0.0, 2 / 3), (0.5, 2 / 3), (0.1, 2 / 3)):
        measure = fl.measures.Accuracy(threshold=threshold, from_logits=False)
        assert fl.evaluate(y, p, [measure])["accuracy"].value == value
    assert fl.measures.Accuracy() == fl.measures.Accuracy(threshold=0.0)
    assert fl.measures.Confusion().threshold == 0.0
    for wrong in (-0.1, 1.0, None):
        with pytest.raises((TypeError, ValueError), match="threshold"):
            fl.measures.Confusion(threshold=wrong, from_logits=False)


def test_list_of_measures_and_their_parameters():
    infos = fl.measures.list_measures()
    assert [info.cls for info in infos] == [getattr(fl.measures, info.cls.__name__) for info in infos]
    for info in infos:
        made = info.cls()
        assert made == info.cls(**made.parameters)
        assert hash(made) == hash(info.cls())
    for wrong in ({"top_k": 0}, {"top_k": 1.5}, {"threshold": math.nan}, {"from_logits": 1}):
        with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
            fl.measures.Accuracy(**wrong)
