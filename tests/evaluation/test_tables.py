"""Tables of scores: what counts say, by pairs and fractions; tables and arrays shared until written to."""

from __future__ import annotations

import gc
import math
import signal
import weakref
from fractions import Fraction

import numpy as np
import pytest
from machine.test_interrupts import _seconds_to_stop

import fastloss as fl
from fastloss import _core
from fastloss.evaluation import order, tables

ORDER_KEYS = ("precision", "precision_margin", "ks", "ks_margin")


def table(keys, counts):
    """A table of counts, and its extent."""
    keys = np.asarray(keys, dtype=np.uint32)
    low, high, is_high = (
        np.zeros(n, dtype) for n, dtype in (
            (2 * _core.SCORE_KEYS, np.uint8), (2 * _core.SCORE_KEYS, np.uint32), (_core.RUNS, np.uint8)
        )
    )  # fmt: skip
    places, counts = _core.places_of_keys(keys), np.asarray(counts, dtype=np.uint32)
    low[places], high[places] = counts & 255, counts >> 8
    is_high[places[counts > 255] // (2 * _core.RUN_KEYS)] = 1
    return low, high, is_high, np.array([keys.min(), keys.max()], dtype=np.uint32)


@pytest.mark.parametrize("seed", range(6))
def test_counts_by_pairs(seed):
    rng = np.random.default_rng(seed)
    near = [0, 1, 511, 512, 513, _core.SCORE_KEYS - 512, _core.SCORE_KEYS - 2, _core.SCORE_KEYS - 1]
    keys = np.unique([*near, *rng.integers(0, _core.SCORE_KEYS, 30)])
    counts = rng.integers(0, 5, (len(keys), 2))
    counts[rng.random(len(keys)) < 0.2] = 0
    pairs = table(keys, counts)
    kept = counts.any(axis=1)
    listed, negative, positive = _core.list_counts(*pairs)
    assert listed.tolist() == keys[kept][::-1].tolist()
    np.testing.assert_array_equal(np.stack([negative, positive], axis=1), counts[kept][::-1])
    # Each row's share of pairs won, and DeLong's variance of their mean.
    b, a = (np.repeat(keys, counts[:, k]).tolist() for k in range(2))
    won = {(x, y): Fraction(int(x < y) * 2 + int(x == y), 2) for x in keys.tolist() for y in keys.tolist()}
    auc = sum(won[x, y] for x in b for y in a) / (len(a) * len(b))
    tied = Fraction(sum(x == y for x in b for y in a), 2 * len(a) * len(b))
    spread = sum((sum(won[x, y] for x in b) / len(b) - auc) ** 2 for y in a) / (len(a) * (len(a) - 1))
    spread += sum((sum(won[x, y] for y in a) / len(a) - auc) ** 2 for x in b) / (len(b) * (len(b) - 1))
    found = _core.summarise_counts(*pairs)
    assert found["weight"] == [len(b), len(a)]
    assert found["auc"] == pytest.approx(float(auc), rel=3e-16)
    assert found["auc_margin"] == pytest.approx(float(tied), rel=3e-16)
    assert found["auc_variance"] == pytest.approx(float(spread), rel=1e-13, abs=1e-17)


def order_by_entries(entries, step):
    """Average precision, KS and their margins of entries (b, a), the highest first, by fractions.

    With a step of 1 rows are counted; with 0 their number in an entry is not known.
    """
    N, P = (sum(x) for x in zip(*entries, strict=True))
    A = B = Fraction(0)
    value = least = most = Fraction(0)
    between, within = [], []
    for b, a in entries:
        after = (A + a) / (A + a + B + b) if A + a + B + b else 1
        first = (A + step) / (A + step + B + b) if A + step + B + b else 1
        start = max(first, A / (A + B) if A + B else after)
        value += a * (start + after) / 2
        least += a * (first + after) / 2
        most += a * ((A + a) / (A + a + B) if A + a else 0)
        assert least <= value <= most
        if step:
            by_rows = sum((A + t) / (A + t + B + b) for t in range(1, int(a) + 1))
            assert a * (first + after) / 2 <= by_rows <= a * after
        within += [abs((A + a) / P - B / N), abs(A / P - (B + b) / N)]
        A, B = A + a, B + b
        between.append(abs(A / P - B / N))
    return [
        value / P, max(most - value, value - least) / P, max(between), max(0, max(within) - max(between)),
    ]  # fmt: skip


def summary_of_order(found):
    return [found[key] for key in ORDER_KEYS]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weighted", [False, True])
def test_average_precision_and_ks_of_tables_by_fractions(seed, weighted):
    """Of scores in all parts of a run and in many runs, the first entries of one label or of both."""
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, _core.SCORE_KEYS, 40) if seed % 2 else 600_000 + rng.integers(0, 600, 300)
    keys = np.unique(keys).astype(np.uint32)
    counts = rng.integers(0, 6, (len(keys), 2)) * (rng.random((len(keys), 2)) < 0.8)
    counts[-1] = [(3, 2), (0, 2), (3, 0)][seed % 3]
    pairs = table(keys, counts)
    entries = [(Fraction(int(b)), Fraction(int(a))) for b, a in counts[::-1]]
    if not weighted:
        found = _core.summarise_counts(*pairs)
        assert _core.summarise_counts(*pairs, False) == {**found, **dict.fromkeys(ORDER_KEYS, 0)}
    else:
        wide, squares = np.zeros((2 * _core.SCORE_KEYS, 2), np.uint64), np.ones((_core.RUNS, 2, 3), np.uint64)
        wide[:, 1], wide[:, 0] = pairs[0], (pairs[0] > 0) * np.uint64(1 << 62)  # a quarter
        entries = [(b + (b > 0) * Fraction(1, 4), a + (a > 0) * Fraction(1, 4)) for b, a in entries]
        found = _core.summarise_weights(wide, squares, pairs[-1])
    wanted = order_by_entries(entries, 0 if weighted else 1)
    assert summary_of_order(found) == pytest.approx(list(map(float, wanted)), rel=1e-13, abs=1e-16)


def test_a_precision_that_is_nearer_to_the_most_than_to_the_least():
    """1 at the top, then 1 to 1/2 by the rows' shares: at least 2/5 + 1/2 in all, at most 2."""
    found = _core.summarise_counts(*table([5, 900_000], [[3, 2], [0, 1]]))
    assert found["precision"] == pytest.approx((1 + 1.5) / 3, rel=1e-15)
    assert found["precision_margin"] == pytest.approx((1.5 - 0.9) / 3, rel=1e-15)


def test_counts_up_to_the_most_rows():
    half = 2**31 - 1
    found = _core.summarise_counts(*table([5, 900_000], [[half, 1], [0, half]]))
    assert found["auc"] == (half * half + half / 2) / (half * (half + 1))
    found = _core.summarise_counts(*table([5, 900_000], [[0, half], [half, 1]]))
    assert found["auc"] == (half / 2) / (half * (half + 1))
    assert _core.summarise_counts(*table([5], [[3, 0]]))["auc"] == 0
    with pytest.raises(ValueError, match="another size"):
        _core.summarise_counts(*table([5], [[3, 0]])[:2], np.zeros(8, np.uint8), np.zeros(2, np.uint32))


@pytest.mark.parametrize("flipped", [False, True])
def test_the_variance_of_many_rows_that_are_nearly_in_order(flipped):
    """Squares of nearly the same numbers: about any other number than their mean they would cancel."""
    counts = [(1_000_000_000, 3), (7, 1_000_000_001)]  # of the labels 0 and 1, the lower score first
    if flipped:
        counts = [(a, b) for b, a in counts[::-1]]
    (b0, a0), (b1, a1) = counts
    negatives, positives = b0 + b1, a0 + a1
    wins = b0 * a1 + Fraction(b0 * a0 + b1 * a1, 2)
    auc = wins / (negatives * positives)
    lost = [(b0, (a1 + Fraction(a0, 2)) / positives), (b1, Fraction(a1, 2) / positives)]
    won = [(a0, Fraction(b0, 2) / negatives), (a1, (b0 + Fraction(b1, 2)) / negatives)]
    wanted = sum(
        sum(rows * (share - auc) ** 2 for rows, share in part) / (n * (n - 1))
        for n, part in ((negatives, lost), (positives, won))
    )
    found = _core.summarise_counts(*table([5, 600_000], counts))
    assert found["auc"] == pytest.approx(float(auc), rel=3e-16)
    assert found["auc_variance"] == pytest.approx(float(wanted), rel=1e-12, abs=0)


@pytest.mark.parametrize("weighted", [False, True])
def test_memory_of_tables_is_handed_on_as_zeros(weighted):
    """Also that of scores at both ends, and of more tables than stay in memory."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([[-np.inf, -0.0, 1e-30, np.inf], rng.normal(size=500)]).astype(np.float32)
    labels = rng.integers(0, 2, len(scores)).astype(np.uint8)
    weights = rng.uniform(size=len(scores)) if weighted else None
    for part in (slice(None), slice(4, None), slice(0, 1), slice(1, 3), slice(3, 4)):
        some = [tables.Table(weighted) for _ in range(tables._MOST_SPARE[weighted] + 1)]
        for one in some:
            assert not any(array.any() for array in one.memory.arrays)
            one.add(scores[part], labels[part], None if weights is None else weights[part])
        assert some[0].summary()["weight"] == some[-1].summary()["weight"]
        del one, some
    assert len(tables._SPARE[weighted]) == tables._MOST_SPARE[weighted]


def test_a_merged_table_has_what_both_have():
    """Of extents that lie apart, that overlap, and of an empty one."""
    rng = np.random.default_rng(1)
    pieces = [rng.uniform(low, low + 1, 300).astype(np.float32) for low in (-9, 3, 3.5)] + [
        np.zeros(0, np.float32)
    ]
    for i, first in enumerate(pieces):
        for second in pieces[i + 1 :]:
            parts, whole = [tables.Table() for _ in range(2)], tables.Table()
            for part, scores in zip(parts, (first, second), strict=True):
                labels = (np.arange(len(scores)) % 3 == 0).astype(np.uint8)
                part.add(scores, labels, None)
                whole.add(scores, labels, None)
            parts[0].merge(parts[1])
            assert parts[0].summary() == whole.summary()
            np.testing.assert_array_equal(parts[0].listed(), whole.listed())


def counted(one):
    """The counts of a table of some scores: the highest score first, of the labels 0 and 1."""
    return np.stack(one.listed()[1:3], axis=1).astype(int).tolist()


def test_counts_that_are_more_than_a_byte():
    """Added row by row, merged with and without a carry, copied, written, turned into weights."""
    sizes = [(255, 1), (256, 255), (70_000, 0), (0, 511), (3, 2)]
    one, twice = tables.Table(), tables.Table()
    for score, (b, a) in enumerate(sizes):
        labels = np.repeat(np.arange(2, dtype=np.uint8), (b, a))
        one.add(np.full(b + a, score - 2, np.float32), labels, None)
    assert counted(one) == list(map(list, sizes[::-1]))
    double = [[2 * b, 2 * a] for b, a in sizes[::-1]]
    twice.merge(one)
    twice.merge(one)
    assert counted(twice) == double
    copy = twice.shared()
    copy.merge(tables.Table())
    copy.add(np.array([-2.0], np.float32), np.array([1], np.uint8), None)
    assert (counted(copy)[-1], counted(twice)) == ([510, 3], double)
    twice._widen()
    assert counted(twice) == double


def test_tables_of_large_counts_are_read_as_they_were_written(monkeypatch):
    monkeypatch.setattr(order, "KEPT_ROWS", 100)
    y, z = np.arange(5000) % 7 % 2, np.arange(5000) % 9 * (np.arange(5000) % 4 > 0)
    ev = fl.Evaluation(["roc_auc"]).update(y, z)
    read = fl.Evaluation.from_bytes(ev.to_bytes())
    assert numbers(read.result()) == numbers(ev.result())
    (wanted,), (found,) = (one._state.stores[0].tables[0] for one in (ev, read))
    assert counted(found) == counted(wanted)
    assert max(map(max, counted(wanted))) > 255 > min(map(min, counted(wanted)))


def data(n, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n).astype(np.uint8)
    return y, y + rng.normal(size=n), rng.choice(["a", "b", "c"], n)


def numbers(result):
    return [r["value"] for r in result.to_dict()["estimates"]]


@pytest.mark.parametrize("kept", [200, 10_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_result_is_not_changed_by_later_rows(monkeypatch, kept, weighted):
    monkeypatch.setattr(order, "KEPT_ROWS", kept)
    n = 1000
    y, z, by = data(n)
    by = by if not weighted else None
    w = np.random.default_rng(1).uniform(size=1000) if weighted else None
    ev = fl.Evaluation(["roc_auc", "ks"]).update(y, z, w, by)
    before, other = ev.result(), fl.Evaluation(["roc_auc", "ks"]).merge(ev)
    wanted = numbers(fl.evaluate(y, z, ["roc_auc", "ks"], sample_weight=w, by=by))
    ev.update(y[::-1], z, w, by)
    ev.merge(other)
    other.update(y, -z, w, by)
    assert numbers(before) == wanted
    twice = fl.evaluate(
        np.concatenate([y, y[::-1], y]), np.concatenate([z, z, z]), ["roc_auc", "ks"],
        sample_weight=None if w is None else np.tile(w, 3), by=None if by is None else np.tile(by, 3),
    )  # fmt: skip
    assert numbers(ev.result()) == numbers(twice)


@pytest.mark.parametrize("groups", [1, 3, 500])
@pytest.mark.parametrize("held", [50, 1 << 22])
def test_arrays_may_be_written_to_after_an_update(monkeypatch, groups, held):
    monkeypatch.setattr(order, "HELD_ROWS", held)
    monkeypatch.setattr(order, "KEPT_ROWS", 300)
    y, z, _ = data(2000)
    by = np.arange(2000) % groups if groups > 1 else None
    measures = ["roc_auc", fl.measures.ROCAUC(exact=True)]
    wanted = numbers(fl.evaluate(y.copy(), z.copy(), measures, by=by))
    ev = fl.Evaluation(measures)
    for cut in (slice(0, 700), slice(700, 2000)):
        y_part, z_part = y[cut].copy(), z[cut].copy()
        ev.update(y_part, z_part, by=None if by is None else by[cut])
        y_part[:] = 0
        z_part[:] = -1
    assert numbers(ev.result()) == wanted


def test_an_error_in_the_last_row_leaves_tables_as_they_were():
    y, z, _ = data(2 * order.KEPT_ROWS)
    ev = fl.Evaluation(["roc_auc"]).update(y, z)
    before = numbers(ev.result())
    bad = y.copy()
    bad[-1] = 9
    with pytest.raises(ValueError, match=rf"y_true\[{len(y) - 1}\] = 9"):
        ev.update(bad, z)
    assert numbers(ev.result()) == before


def test_infinite_scores_have_their_place():
    y, z = [0, 1, 0, 1, 1], [-math.inf, -1.0, 0.0, math.inf, math.inf]
    assert fl.evaluate(y, z, ["roc_auc"])["roc_auc"].value == 5 / 6


def test_rows_that_stay_behind_keep_no_others_in_memory(monkeypatch):
    monkeypatch.setattr(order, "KEPT_ROWS", 300)
    y, z, _ = data(2000)
    ev = fl.Evaluation(["roc_auc"]).update(y, z, by=np.arange(2000) % 100 == 0)
    (store,) = ev._state.stores
    assert len(store.tables) == 1
    assert sum(len(rows.label) for rows in store.kept) == 20
    for rows in store.kept:
        assert all(array.base is None for array in (rows.label, *rows.scores))


def test_a_result_is_freed_with_its_tables_at_once():
    y, z, by = data(1000)
    result = fl.evaluate(y, {"a": z, "b": -z}, ["roc_auc", "bce"], by=by)
    assert result["roc_auc"] is result.models["a"]["roc_auc"]
    assert result.differences["a", "b"]["bce"].value == -result.differences["b", "a"]["bce"].value
    print(result)
    freed = weakref.ref(result)
    gc.disable()
    try:
        del result
        assert freed() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_ends_an_update_on_all_threads():
    y, z = np.broadcast_to(np.uint8(1), 1 << 31), np.broadcast_to(np.float32(0.5), 1 << 31)
    with fl.num_threads(2):
        assert _seconds_to_stop(lambda: fl.evaluate(y, z, ["bce", "roc_auc"]), again=0.5) < 2
