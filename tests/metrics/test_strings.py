"""String labels of every width and layout, against Python's own comparisons."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastloss import metrics
from fastloss.metrics._strings import StringTable
from fastloss.metrics._targets import encode

CLASSES = {
    "one word": ["ab", "ac"],
    "prefixes": ["a", "ab", "abc", "abcd", ""],
    "two words": ["spam", "ham", "eggs"],
    "odd width": ["malignant", "benign!!!"],
    # No four characters tell all of them apart.
    "spread": ["aaaaxxxxcccc", "bbbbxxxxcccc", "aaaaxxxxdddd", "bbbbxxxxdddd", "aaaayyyycccc"],
    "wide": ["x" * 40 + c for c in "abc"] + ["y" * 41],
    "not ASCII": ["Łódź", "Åse", "\U0001f600", "é"],
    "alone": ["only"],
    "many": [f"class {i}" for i in range(40)],
}


def drawn(names, n=3000):
    return np.array(names)[np.random.default_rng(0).integers(0, len(names), n)]


def layouts(y):
    yield y
    yield np.repeat(y, 2)[::2]
    yield y[::-1][::-1]
    yield y.astype(y.dtype.newbyteorder())
    misaligned = np.empty(y.nbytes + 1, np.uint8)[1:].view(y.dtype)
    misaligned[:] = y
    yield misaligned
    yield y.astype(object)


@pytest.mark.parametrize("names", CLASSES.values(), ids=CLASSES)
def test_ranks_are_those_of_the_sorted_classes(names):
    y = drawn(names)
    ordered = sorted(names)
    expected = [ordered.index(label) for label in y.tolist()]
    for a in layouts(y):
        classes, codes = encode(a)
        assert classes.tolist() == ordered
        assert codes.tolist() == expected


@pytest.mark.parametrize("late", ["zzz", "aa", "ham and eggs!"])
def test_classes_that_come_last(late):
    y = np.array(["ham", "spam"] * 40_000 + [late], dtype="U13")
    classes, codes = encode(y)
    assert classes.tolist() == sorted(["ham", "spam", late])
    assert [classes[codes[k]] for k in (0, 1, 79_998, 79_999, 80_000)] == ["ham", "spam"] * 2 + [late]


def test_many_classes_as_objects():
    y = np.array([f"{i:03}" for i in range(300)] * 2, dtype=object)
    classes, codes = encode(y)
    assert classes.tolist() == [f"{i:03}" for i in range(300)]
    assert codes.tolist() == list(range(300)) * 2


def test_equal_hashes_are_told_apart(monkeypatch):
    monkeypatch.setattr(StringTable, "_hash", lambda self, rows: np.zeros(len(rows), np.uint64))
    y = drawn(CLASSES["spread"])
    classes, codes = encode(y)
    assert classes[codes].tolist() == y.tolist()


@pytest.mark.parametrize("names", CLASSES.values(), ids=CLASSES)
def test_zero_one_loss_of_strings(names):
    y = drawn([*names, "other"])
    z = np.where(np.arange(len(y)) % 3 == 0, "another and longer", y)
    # As wide as the longest, and as wide as that and a word more.
    for shuffled in (z, z.astype("U23"), drawn([*names, "other"][::-1])):
        expected = sum(a != b for a, b in zip(y.tolist(), shuffled.tolist(), strict=True)) / len(y)
        for a, b in zip(layouts(y), layouts(shuffled), strict=True):
            assert metrics.zero_one_loss(a, b) == metrics.zero_one_loss(b, a) == pytest.approx(expected)
        assert metrics.zero_one_loss(y.astype(object), shuffled) == pytest.approx(expected)
        swapped = shuffled.astype(shuffled.dtype.newbyteorder())
        assert metrics.zero_one_loss(y, swapped) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", ["f2", "<f4", "<f8", ">f8"])
def test_the_ends_of_the_probabilities(dtype):
    p = np.array([0.0, -0.0, 1.0, 0.5], dtype)
    assert metrics.brier_score_loss([0, 0, 1, 1], p) == 0.0625
    above = np.nextafter(np.array(1, p.dtype.newbyteorder("=")), 2)
    below = np.nextafter(np.array(0, p.dtype.newbyteorder("=")), -1)
    for bad in (above, 2, below, np.nan, np.inf, -np.inf):
        for shape in ((4,), (2, 2)):
            q = p.copy()
            q[1] = bad
            with pytest.raises(ValueError, match=r"y_prob contains|Input contains"):
                metrics.brier_score_loss([0, 0, 1, 1][: shape[0]], q.reshape(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_decisions_that_are_not_finite(bad):
    # In the last of several blocks, where the loss does not show it: the right class's, or one of the others.
    z = np.zeros((30_000, 3))
    y = np.arange(30_000) % 3
    for column in range(3):
        z[-1] = 0
        z[-1, column] = bad
        with pytest.raises(ValueError, match=r"Input contains (NaN|infinity)"):
            metrics.hinge_loss(y, z)
        with pytest.raises(ValueError, match=r"Input contains (NaN|infinity)"):
            metrics.hinge_loss(y, z, labels=[0, 1])
    z[-1] = 0
    assert metrics.hinge_loss(y, z) == 1


CONTAINERS = {
    "list": np.ndarray.tolist,
    "objects": lambda y: y.astype(object),
    "pandas str": lambda y: pd.Series(y, dtype="str"),
    "pandas string": lambda y: pd.Series(y, dtype="string", index=np.arange(len(y))[::-1]),
    "pandas string array": lambda y: pd.array(y, dtype="string[python]"),
    "pandas objects": lambda y: pd.Series(y, dtype=object),
    "pandas arrow": lambda y: pd.Series(y, dtype="string[pyarrow]"),
    "categories": lambda y: pd.Series(y, dtype="category"),
    "polars": pl.Series,
}


@pytest.mark.parametrize("names", list(itertools.product(CONTAINERS, repeat=2)), ids=str)
def test_zero_one_loss_of_any_two_containers(names):
    y, z = drawn(CLASSES["two words"], 60), drawn(CLASSES["two words"], 120)[60:]
    a, b = (CONTAINERS[name](labels) for name, labels in zip(names, (y, z), strict=True))
    w = np.arange(60)
    assert metrics.zero_one_loss(a, b) == np.mean(y != z)
    assert metrics.zero_one_loss(a, b, normalize=False, sample_weight=w) == np.sum(w[y != z])


@pytest.mark.parametrize("dtype", ["str", "string", "string[pyarrow]", object])
def test_a_missing_string_is_no_label(dtype):
    y, gap = pd.Series(["a", "b"], dtype=dtype), pd.Series(["a", None], dtype=dtype)
    for pair in ((y, gap), (gap, y), (gap, gap)):
        with pytest.raises((TypeError, ValueError)):
            metrics.zero_one_loss(*pair)
