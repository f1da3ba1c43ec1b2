"""Evaluations: one result however the rows come; groups, models, bad rows."""

from __future__ import annotations

import contextlib
import datetime
import math
import pickle
import random
import re
import threading
import time
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tiers import assert_same_bits, collect, needs_two, needs_two_fused

import fastloss as fl
from fastloss.evaluation import order

MEASURES = [
    "bce", fl.BinaryFocal(), "huber:delta=0.5", "roc_auc", "average_precision", "ks", "accuracy", "confusion",
    "calibration:n_bins=5", "r2", "bias", "max_error",
]  # fmt: skip


def table(n=3000, seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n).astype(np.uint8)
    a = (rng.normal(size=n) + y).astype(dtype)
    return {
        "y": y,
        "z": {"a": a, "b": (a + rng.normal(size=n)).astype(dtype)},
        "w": rng.uniform(0, 2, n) * (rng.random(n) < 0.9),
        "by": rng.choice(["de", "fr", "it"], n, p=[0.95, 0.04, 0.01]),
    }


def rows(data, which, weighted=True):
    z = {name: x[which] for name, x in data["z"].items()}
    return data["y"][which], z, data["w"][which] if weighted else None, data["by"][which]


def numbers(result):
    """Every number of a result, NaN as None, by what it is of."""
    return {
        (r["by"], r["model"], r["against"], r["measure"], name): None if r[name] != r[name] else r[name]
        for r in result.records()
        for name in ("value", "standard_error", "low", "half_width", "p_value", "weight", "samples")
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("spilled", [False, True])
def test_any_cut_order_and_tree_gives_the_same_numbers(weighted, spilled, monkeypatch):
    if spilled:
        monkeypatch.setattr(order, "KEPT_ROWS", 100)
    data = table(1000)
    n = len(data["y"])
    whole = numbers(fl.Evaluation(MEASURES).update(*rows(data, slice(None), weighted)).result())
    for seed in range(1 if spilled else 3):
        rng = random.Random(seed)
        mixed = np.random.default_rng(seed).permutation(n)
        cuts = [0, *sorted(rng.sample(range(n), 3)), n]
        pieces = []
        for i in range(4):
            piece = fl.Evaluation(MEASURES)
            part = mixed[cuts[i] : cuts[i + 1]]
            for half in np.array_split(part, 2):
                piece.update(*rows(data, half, weighted))
            pieces.append(piece)
        while len(pieces) > 1:
            one = pieces.pop(rng.randrange(len(pieces)))
            pieces[rng.randrange(len(pieces))].merge(one)
        assert numbers(pieces[0].result()) == whole


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kept", [100, 1 << 16])
def test_many_updates_and_errors_between_them_give_the_same_numbers(weighted, kept, monkeypatch):
    """Also of groups that come and go; what an error has left behind is not added later."""
    monkeypatch.setattr(order, "KEPT_ROWS", kept)
    data = table(1200)
    data["by"] = data["by"].astype(object)
    data["by"][300:400], data["by"][900:] = "es", "pt"
    whole = numbers(fl.Evaluation(MEASURES).update(*rows(data, slice(None), weighted)).result())
    ev = fl.Evaluation(MEASURES)
    for i in range(0, 1200, 100):
        y, z, w, by = rows(data, slice(i, i + 100), weighted)
        bad = y.astype(np.int64)
        bad[-1] = 7
        with pytest.raises(fl.DomainError):
            ev.update(bad, z, w, by)
        ev.update(y, z, w, by)
        with pytest.raises(ValueError, match="has"):
            ev.update(y, z, w, by[1:])
    assert numbers(ev.result()) == whole
    assert numbers(ev.update(*rows(data, slice(None), weighted)).result()) == numbers(
        fl.Evaluation(MEASURES).update(*(_twice(x) for x in rows(data, slice(None), weighted))).result()
    )


def _twice(x):
    if isinstance(x, dict):
        return {name: _twice(z) for name, z in x.items()}
    return None if x is None else np.concatenate([x, x])


def test_threads_and_blocks_do_not_matter(monkeypatch):
    from fastloss.evaluation import evaluation

    data = table(6000)
    whole = numbers(fl.Evaluation(MEASURES).update(*rows(data, slice(None))).result())
    monkeypatch.setattr(evaluation, "GROUPED_ROWS", 700)
    monkeypatch.setattr(evaluation, "_ROWS_PER_THREAD", 1000)
    for threads in (1, 2, 5):
        with fl.num_threads(threads):
            assert numbers(fl.Evaluation(MEASURES).update(*rows(data, slice(None))).result()) == whole


_TIERS = """{
    "cells": np.array(evaluation.test_results.digests(evaluation.test_results.cells_of_rows())),
}"""
_FUSED = """{
    "all": np.array(evaluation.test_results.digests(evaluation.test_results.whole_numbers().items())),
}"""


def digests(found):
    return [zlib.crc32(repr(x).encode()) for x in found]


def cells_of_rows():
    """Sums and ranks of numbers that are the same on every tier."""
    from fastloss import _core
    from fastloss.evaluation.tables import Table

    data = table(5000, dtype=np.float64)
    run, group = np.array([0, 5000]), np.array([0])
    found = []
    for values in ([data["z"]["a"]], [data["z"]["a"].astype(np.float32)]):
        for w in (None, data["w"]):
            sums = _core.ExactSums(1)
            sums.grow(1)
            sums.add_values(values, w, w, run, group)
            found += [sums.cell(0, i) for i in range(sums.width)]
    order = _core.Ranking(data["z"]["a"], data["y"]).summary()
    one, weighed = Table(), Table(weighted=True)
    one.add(data["z"]["a"], data["y"], None)
    weighed.add(data["z"]["a"], data["y"], data["w"])
    return [*found, one.listed()[0].tolist(), order, one.summary(), weighed.summary()]


def whole_numbers():
    data = table()
    return numbers(fl.evaluate(data["y"], data["z"], MEASURES, sample_weight=data["w"], by=data["by"]))


@needs_two
def test_every_tier_adds_up_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    assert_same_bits(collect(tmp_path, "evaluation.test_results", _TIERS).values())


@needs_two_fused
def test_tiers_with_fused_operations_give_the_same_results(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    found = collect(tmp_path, "evaluation.test_results", _FUSED)
    assert_same_bits(results for tier, results in found.items() if tier != "base")


def test_overall_is_all_groups_and_a_group_is_its_rows():
    data = table()
    result = fl.Evaluation(MEASURES).update(*rows(data, slice(None))).result()
    y, z, w, _ = rows(data, slice(None))
    alone = fl.Evaluation(MEASURES).update(y, z, w).result()
    assert result["bce"] == alone["bce"]
    assert result.models["b"]["roc_auc"] == alone.models["b"]["roc_auc"]
    y, z, w, _ = rows(data, data["by"] == "fr")
    only = fl.evaluate(y, z, MEASURES, sample_weight=w)
    assert result.groups["fr"]["confusion"]["f1"] == only["confusion"]["f1"]
    assert result.groups["fr"].differences["b", "a"]["bce"] == only.differences["b", "a"]["bce"]
    assert sorted(result.groups) == ["de", "fr", "it"]


def test_groups_by_several_keys_have_tuples():
    y = np.zeros(4)
    by = {"country": ["de", "de", "fr", "fr"], "year": [2020, 2021, 2021, 2021]}
    result = fl.evaluate(y, np.array([1.0, 2.0, 3.0, 5.0]), ["mae"], by=by)
    assert {label: group["mae"].value for label, group in result.groups.items()} == {
        ("de", 2020): 1.0, ("de", 2021): 2.0, ("fr", 2021): 4.0,
    }  # fmt: skip
    assert [r["country"] for r in result.records()] == [None, "de", "de", "fr"]


@pytest.mark.parametrize(
    "labels",
    [
        [True, False, True],
        [1.5, float("nan"), 1.5],
        ["x", None, "x"],
        np.array(["2024-01-01", "2024-01-02", "2024-01-01"], "datetime64[D]"),
        np.array([10**12, -5, 10**12]),
    ],
)
def test_labels_are_as_they_were_given(labels):
    found = list(fl.evaluate(np.zeros(3), np.ones(3), ["mae"], by=labels).groups)
    plain = labels.tolist() if isinstance(labels, np.ndarray) else labels
    assert len(found) == 2
    assert {str(x) for x in found} == {str(x) for x in plain}
    assert {type(x) for x in found} == {type(x) for x in plain}


def test_labels_of_pandas_polars_and_arrow():
    pandas, polars, arrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    labels = ["x", "y", "x", None]
    columns = [
        pandas.Series(labels), pandas.Series(labels).astype("category"), pandas.Categorical(labels),
        pandas.Series(labels, dtype=object), pandas.Series(labels, dtype="string[python]"),
        pandas.Series(labels, dtype="string[pyarrow]"), polars.Series(labels),
        pandas.Series(labels, dtype=pandas.ArrowDtype(arrow.string())),
        arrow.array(labels), arrow.chunked_array([labels[:1], labels[1:]]),
        arrow.array(labels).dictionary_encode(),
    ]  # fmt: skip
    for column in columns:
        result = fl.evaluate(np.zeros(4), np.arange(4.0), ["bias"], by=column)
        assert {label: g["bias"].value for label, g in result.groups.items()} == {
            "x": 1.0,
            "y": 1.0,
            None: 3.0,
        }


def test_times_in_nanoseconds_are_times():
    """As those of other units; what Python's times cannot hold stays a number."""
    times = np.array(
        ["2020-01-01T01:02:03.000004", "2020-01-01", "NaT", "1970-01-01T00:00:00.000000001"], "M8[ns]"
    )
    found = fl.evaluate(np.zeros(4), np.arange(4.0), ["bias"], by=np.array(times, "M8[ns]")).groups
    assert {label: g["bias"].value for label, g in found.items()} == {
        datetime.datetime(2020, 1, 1, 1, 2, 3, 4): 0.0,
        datetime.datetime(2020, 1, 1): 1.0,
        None: 2.0,
        1: 3.0,
    }


def test_categories_of_pandas_are_labels():
    """The codes stay, the labels are the categories, a missing one is None; those of no row are not there."""
    pandas = pytest.importorskip("pandas")
    codes = np.random.default_rng(0).integers(-1, 300, 200_000)
    column = pandas.Categorical.from_codes(codes, categories=[10 * k for k in range(299, -1, -1)] + [1])
    found = fl.evaluate(np.zeros(len(codes)), np.ones(len(codes)), ["mae"], by=column).groups
    samples = {None if k == -1 else 10 * (299 - k): int((codes == k).sum()) for k in range(-1, 300)}
    assert {label: g["mae"].samples for label, g in found.items()} == samples


def test_mean_and_error_are_what_the_formulas_say():
    rng = np.random.default_rng(3)
    y, z, w = rng.normal(size=500), rng.normal(size=500), rng.uniform(0, 3, 500)
    for weights in (None, w):
        e = fl.evaluate(y, z, ["mse"], sample_weight=weights)["mse"]
        v = np.ones(500) if weights is None else w
        loss = (y - z) ** 2
        mean = float(sum(map(Fraction, v * loss)) / sum(map(Fraction, v)))
        assert e.value == mean
        error = math.sqrt(math.fsum((v * (loss - mean)) ** 2)) / math.fsum(v)
        assert e.standard_error == pytest.approx(error, rel=1e-13)
        assert (e.low + e.high) / 2 == pytest.approx(mean)
        assert (e.high - e.low) / 2 == pytest.approx(1.959963984540054 * error)
        assert (e.samples, e.weight) == (500, math.fsum(v))


def test_error_of_a_large_mean_with_a_small_spread():
    """Of losses 10^9 + 0, 1, 2, 3: squares are 10^18, and what differs is lost in a double."""
    y = np.zeros(4)
    z = 1e9 + np.arange(4.0)
    e = fl.evaluate(y, z, ["mae"])["mae"]
    assert e.value == 1e9 + 1.5
    assert e.standard_error == math.sqrt(5.0) / 4


def test_differences_are_of_the_rows():
    data = table()
    y, z, w, _ = rows(data, slice(None))
    a, b = (fl.BinaryCrossEntropy()(y, x, reduction="none").astype(float) for x in z.values())
    e = fl.evaluate(y, z, ["bce"], sample_weight=w).differences["b", "a"]["bce"]
    mean = math.fsum([*(w * b), *(-w * a)]) / math.fsum(w)
    assert e.value == pytest.approx(mean, rel=1e-12)
    d = w * (b - a - mean)
    assert e.standard_error == pytest.approx(math.sqrt(math.fsum(d * d)) / math.fsum(w), rel=1e-9)
    assert e.p_value == pytest.approx(math.erfc(abs(mean) / e.standard_error / math.sqrt(2)))
    same = fl.evaluate(y, {"a": z["a"], "b": z["a"]}, ["bce", "roc_auc"]).differences["b", "a"]
    for key in ("bce", "roc_auc"):
        assert (same[key].value, same[key].standard_error, same[key].p_value) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    "of_rows",
    [
        fl.CrossEntropy(class_weight=[1, 2, 4]),
        fl.CrossEntropy(class_weight={1: 3.0}, ignore_index=2),
        fl.CrossEntropy(ignore_index=-100, label_smoothing=0.1),
        fl.MulticlassHinge(),
        fl.Focal(gamma=2.0),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_of_rows_weigh_by_class(of_rows, weighted):
    rng = np.random.default_rng(4)
    y, z = rng.integers(0, 3, 200), rng.normal(size=(200, 3))
    if getattr(of_rows, "ignore_index", None) == -100:
        y[::7] = -100
    w = rng.uniform(0, 2, 200) if weighted else None
    e = fl.evaluate(y, z, [of_rows], sample_weight=w)[of_rows.name]
    assert e.value == pytest.approx(of_rows(y, z, sample_weight=w), rel=1e-13)
    assert e.weight == pytest.approx(of_rows.weight_sum(y, z, sample_weight=w), rel=1e-13)


def test_rows_of_numbers_are_samples_each():
    y, z, w = np.zeros((4, 3)), np.arange(12.0).reshape(4, 3), np.array([1.0, 0, 2, 1])
    for weights in (None, w):
        e = fl.evaluate(y, z, ["mae"], sample_weight=weights)["mae"]
        assert e.value == fl.AbsoluteError()(y, z, sample_weight=weights)
        assert e.samples == 12
    both = fl.evaluate(np.full((4, 3), 1 / 3), np.full((4, 3), 1 / 3), ["kl", "mae"])
    assert (both["kl"].value, both["mae"].samples, both["kl"].samples) == (0.0, 12, 4)


def test_a_row_that_is_wrong_is_named():
    y = np.zeros(100_000)
    y[70_123] = 7
    with pytest.raises(
        ValueError, match=r"y_true\[70123\] = 7.0 is outside the domain of BinaryCrossEntropy"
    ):
        fl.evaluate(y, np.zeros(100_000), ["bce"])
    with pytest.raises(ValueError, match=r"y_true\[70123\] = 7.0 is no label"):
        fl.evaluate(y, np.zeros(100_000), ["roc_auc"], by=np.arange(100_000) % 3)
    z = np.zeros(100_000)
    z[99_999] = np.nan
    with pytest.raises(ValueError, match=r"y_pred\[99999\] = nan has no place in an order"):
        fl.evaluate(np.zeros(100_000), z, ["ks"])
    with pytest.raises(ValueError, match=r"sample_weight\[3\] = -1"):
        fl.evaluate(np.zeros(5), np.zeros(5), ["mae"], sample_weight=[1, 1, 1, -1, 1])
    with pytest.raises(ValueError, match=r"y_true\[1\] = 3 is no class: expected 0 to 2"):
        fl.evaluate([0, 3], np.zeros((2, 3)), ["accuracy"])


@pytest.mark.parametrize("by", [None, ["a", "b", "a", "b", "a"]])
def test_a_prediction_of_nan_counts_for_nothing_in_a_row_of_weight_zero(by):
    measures = ["roc_auc", fl.measures.ROCAUC(exact=True), "average_precision", "ks", "accuracy", "confusion"]
    measures += ["calibration", "bce", "r2", "bias", "max_error"]
    y, w = [1, 0, 1, 1, 0], [0, 1, 2, 1, 0.5]
    z = np.array([np.nan, 0.5, 1.5, -1.0, 0.25])
    rows = np.stack([np.zeros(5), z, z / 2], axis=1)
    for given, of in (
        (z, measures),
        (rows, ["cross_entropy", "accuracy:top_k=2", "confusion", "calibration"]),
    ):
        found, expected = (
            fl.evaluate(y, np.nan_to_num(given, nan=nan), of, sample_weight=w, by=by).to_dict()
            for nan in (np.nan, 7.0)
        )
        np.testing.assert_equal(found, expected)
        again = [1, *w[1:]]
        with pytest.raises(ValueError, match=r"y_pred\[0.*\] = nan"):
            fl.evaluate(y, given, of[-2:-1] if given is rows else of[:1], sample_weight=again, by=by)


def test_an_error_leaves_the_evaluation_as_it_was():
    ev = fl.Evaluation(["bce", "roc_auc"]).update([0, 1], [0.5, 1.0], by=["a", "b"])
    before = str(ev.result())
    for wrong in (
        lambda: ev.update([0, 5], [0.5, 1.0], by=["c", "c"]),
        lambda: ev.update([0], [0.5, 1.0]),
        lambda: ev.update([0, 1], {"a": [0.5, 1.0]}, by=["a", "b"]),
        lambda: ev.update([0, 1], [0.5, 1.0]),
        lambda: ev.update([0, 1], [[0.5], [1.0]], by=["a", "b"]),
        lambda: ev.merge(fl.Evaluation(["bce"]).update([0], [0.5])),
        lambda: ev.merge(fl.Evaluation(["bce", "roc_auc"]).update([0], {"m": [0.5]})),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            wrong()
        assert str(ev.result()) == before


def test_rows_can_be_skipped_and_counted():
    data = table()
    y = data["y"].astype(float)
    z = data["z"]["a"].copy()
    y[[3, 77]] = 5
    z[[77, 900, 2999]] = np.nan
    result = fl.evaluate(y, z, MEASURES, on_error="skip")
    good = np.setdiff1d(np.arange(3000), [3, 77, 900, 2999])
    assert result.skipped == 4
    assert result.samples == 2996
    assert result["bce"] == fl.evaluate(y[good], z[good], MEASURES)["bce"]
    assert "4 skipped" in str(result)
    with pytest.raises(ValueError, match="shape"):
        fl.evaluate(y, np.zeros((3000, 3)), ["roc_auc"], on_error="skip")


def test_what_has_no_result():
    with pytest.raises(ValueError, match="no rows yet"):
        fl.Evaluation(["mae"]).result()
    empty = fl.evaluate(np.zeros(0), np.zeros(0), MEASURES)
    assert math.isnan(empty["bce"].value)
    assert empty.samples == 0
    one_class = fl.evaluate([1, 1], [0.5, 2.0], ["roc_auc", "average_precision"])
    assert math.isnan(one_class["roc_auc"].value)
    for thing, message in (
        (["nothing"], "no loss or measure"),
        ([], "empty"),
        (["triplet"], "does not compare"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            fl.Evaluation(thing)
    with pytest.raises(ValueError, match="twice"):
        fl.Evaluation(["bce", fl.BinaryCrossEntropy()])
    with pytest.raises(ValueError, match="level"):
        fl.Evaluation(["mae"]).update([1.0], [1.0]).result(level=1.5)


def test_keys_are_names_or_specifications():
    result = fl.evaluate(
        [0, 1], [0.5, 1.0], ["bce", "accuracy:threshold=0", "accuracy:threshold=0.75", "auc"]
    )
    assert list(result) == ["bce", "accuracy:threshold=0", "accuracy:threshold=0.75", "auc"]
    assert result["binary_cross_entropy"] is result["bce"]
    assert result["roc_auc"] == result["auc"]
    with pytest.raises(KeyError, match="was not evaluated"):
        result["mae"]


def test_tables_are_of_every_estimate():
    arrow = pytest.importorskip("pyarrow")
    data = table(200)
    result = fl.evaluate(data["y"], data["z"], ["bce", "roc_auc"], by=data["by"])
    records = result.to_dict()["estimates"]
    assert len(records) == (1 + len(result.groups)) * 3 * 2
    assert isinstance(result.to_arrow(), arrow.Table)
    assert result.to_arrow().column("measure").to_pylist() == [r["measure"] for r in records]
    assert result.to_pandas()["value"].tolist() == [r["value"] for r in records]
    text = str(result)
    assert re.search(r"^de +b - a +bce ", text, flags=re.MULTILINE)
    assert result._repr_html_().count("<tr>") == 1 + len(records)


def test_bytes_and_pickle_keep_everything():
    data = table()
    ev = fl.Evaluation(MEASURES).update(*rows(data, slice(None)))
    for copy in (fl.Evaluation.from_bytes(ev.to_bytes()), pickle.loads(pickle.dumps(ev))):
        assert numbers(copy.result()) == numbers(ev.result())
        copy.update(*rows(data, slice(0, 10)))
        assert copy.result().samples == 3010
    assert ev.result().samples == 3000


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("given", [{"pos_weight": [1.0, 2.0, 3.0]}, {"class_weight": [1.0, 2.0, 0.5]}])
def test_losses_with_a_number_for_each_label(rng, weighted, given):
    y, z = rng.integers(0, 2, (90, 3)), rng.normal(size=(90, 3))
    w = rng.uniform(size=90) if weighted else None
    loss = fl.BinaryCrossEntropy(**given)
    by = np.arange(90) % 2
    result = fl.evaluate(y, {"a": z, "b": -z}, [loss, fl.BinaryCrossEntropy()], sample_weight=w, by=by)
    at = next(iter(result))
    for name, model in (("a", z), ("b", -z)):
        assert result.models[name][at].value == pytest.approx(loss(y, model, sample_weight=w), rel=1e-14)
    part = slice(1, None, 2)
    wanted = loss(y[part], z[part], sample_weight=None if w is None else w[part])
    assert result.groups[1][at].value == pytest.approx(wanted, rel=1e-14)
    assert result[at].samples == 270


@pytest.mark.parametrize(
    "measures", [["accuracy", "confusion"], ["cross_entropy:class_weight=1:2:3"]], ids=str
)
def test_labels_that_change_meanwhile(measures):
    """Numbers or an error that names a label, but no index beyond a row: what is checked is what is used."""
    z = np.zeros((100_000, 3))
    good, bad = np.zeros(len(z), np.int64), np.full(len(z), 1 << 20)
    y, ended = good.copy(), threading.Event()

    def change():
        while not ended.is_set():
            y[:] = bad
            y[:] = good

    thread = threading.Thread(target=change)
    thread.start()
    end = time.monotonic() + 1
    try:
        while time.monotonic() < end:
            with contextlib.suppress(fl.DomainError):
                fl.evaluate(y, z, measures)
    finally:
        ended.set()
        thread.join()
