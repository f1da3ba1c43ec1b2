"""Scores of predicted classes against counts made one sample after the other, in rational numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fastloss import _core, metrics

WORDS = np.array(["ant", "bee", "cat", "dog"])


def table_of(y: Any, z: Any, w: Any, labels: Any) -> list[list[Fraction]]:
    return [
        [
            sum(
                (Fraction(float(v)) for t, p, v in zip(y, z, w, strict=True) if t == a and p == b),
                Fraction(0),
            )
            for b in labels
        ]
        for a in labels
    ]


def ratio(above: Fraction, below: Fraction) -> Fraction:
    return above / below if below else Fraction(0)


def samples(seed: int, n_classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, z = rng.integers(0, n_classes, (2, 60))
    return y, np.where(rng.random(60) < 0.5, y, z), rng.choice([0.0, 0.25, 1.0, 2.5], 60)


#: The same classes as numbers and strings of many kinds.
KINDS = {
    "int8": lambda c: c.astype(np.int8),
    "big-endian": lambda c: c.astype(">i4"),
    "spread": lambda c: c.astype(np.int64) * 2**61 - 2**62,
    "uint64": lambda c: c.astype(np.uint64) + np.uint64(2**64 - 9),
    "float": lambda c: c * 3.0 - 2,
    "strings": lambda c: WORDS[c],
    "objects": lambda c: WORDS[c].astype(object),
    "other objects": lambda c: np.array(["".join(list(w)) for w in WORDS[c]], object),
    "pandas": lambda c: pd.Series(WORDS[c], dtype="str"),
    "pandas, string": lambda c: pd.Series(WORDS[c], dtype="string"),
    "pandas, arrow": lambda c: pd.Series(WORDS[c], dtype="string[pyarrow]"),
    "pandas, object": lambda c: pd.Series(WORDS[c], dtype=object),
    "categories": lambda c: pd.Series(WORDS[c]).astype(pd.CategoricalDtype([*WORDS[::-1], "elk"])),
    "list": lambda c: WORDS[c].tolist(),
    "column": lambda c: c[:, None],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_scores_of_classes(kind: str, n_classes: int) -> None:
    codes_y, codes_z, w = samples(n_classes, n_classes)
    y, z = KINDS[kind](codes_y), KINDS[kind](codes_z)
    classes = range(n_classes)
    for weights in (None, w):
        c = table_of(codes_y, codes_z, np.ones(60) if weights is None else w, classes)
        of_rows, of_columns = [sum(row) for row in c], [sum(column) for column in zip(*c, strict=True)]
        total, hits = sum(of_rows), [c[k][k] for k in classes]
        found = metrics.confusion_matrix(y, z, sample_weight=weights)
        assert found.tolist() == [[float(x) for x in row] for row in c]
        assert found.dtype == (np.int64 if weights is None else np.float64)
        assert metrics.accuracy_score(y, z, sample_weight=weights) == pytest.approx(float(sum(hits) / total))
        recalls = [ratio(hits[k], of_rows[k]) for k in classes]
        precisions = [ratio(hits[k], of_columns[k]) for k in classes]
        fs = [ratio(5 * hits[k], 4 * of_rows[k] + of_columns[k]) for k in classes]
        for function, expected, options in (
            (metrics.recall_score, recalls, {}),
            (metrics.precision_score, precisions, {}),
            (metrics.fbeta_score, fs, {"beta": 2}),
        ):
            each = function(y, z, average=None, sample_weight=weights, **options)
            assert each.tolist() == pytest.approx([float(x) for x in expected], rel=1e-15)
            macro = function(y, z, average="macro", sample_weight=weights, **options)
            assert macro == pytest.approx(float(sum(expected) / n_classes), rel=1e-15)
            weighted = sum(x * row for x, row in zip(expected, of_rows, strict=True)) / total
            found = function(y, z, average="weighted", sample_weight=weights, **options)
            assert found == pytest.approx(float(weighted), rel=1e-14)
            micro = function(y, z, average="micro", sample_weight=weights, **options)
            assert micro == pytest.approx(float(sum(hits) / total), rel=1e-15)
        balanced = metrics.balanced_accuracy_score(y, z, sample_weight=weights)
        assert balanced == pytest.approx(float(sum(recalls) / n_classes), rel=1e-15)
        chance = sum(a * b for a, b in zip(of_rows, of_columns, strict=True)) / total
        kappa = (sum(hits) - chance) / (total - chance)
        assert metrics.cohen_kappa_score(y, z, sample_weight=weights) == pytest.approx(
            float(kappa), rel=1e-13
        )
        squares = [sum(x * x for x in sums) for sums in (of_rows, of_columns)]
        covariance = sum(hits) * total - sum(a * b for a, b in zip(of_rows, of_columns, strict=True))
        mcc = float(covariance) / math.sqrt((total**2 - squares[0]) * (total**2 - squares[1]))
        assert metrics.matthews_corrcoef(y, z, sample_weight=weights) == pytest.approx(mcc, rel=1e-13)


def test_labels_of_different_dtypes_are_compared_as_they_are() -> None:
    big = 2**63
    y, z = np.array([big - 1, big - 2, 0], np.int64), np.array([big - 1, big - 1, big], np.uint64)
    assert metrics.confusion_matrix(y, z).tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert metrics.confusion_matrix([0, 1, 1], [False, True, False]).tolist() == [[1, 0], [1, 1]]
    assert metrics.confusion_matrix([0.0, 1.0], np.array([1, 1], np.int8)).tolist() == [[0, 1], [0, 1]]
    assert metrics.f1_score(["b", "a"], np.array(["b", "b"], object), pos_label="b") == 2 / 3


def test_labels_asked_for() -> None:
    y, z = ["cat", "ant", "cat", "elk"], ["ant", "ant", "cat", "cat"]
    assert metrics.confusion_matrix(y, z, labels=["cat", "ant"]).tolist() == [[1, 1], [0, 1]]
    assert metrics.recall_score(y, z, labels=["cat", "cat", "ant"], average=None).tolist() == [0.5, 0.5, 1]
    with pytest.warns(UserWarning, match="in labels with no predicted samples"):
        found = metrics.precision_score(y, z, labels=["yak", "cat"], average=None)
    assert found.tolist() == [0, 0.5]
    assert metrics.recall_score(y, z, labels=["yak"], average="macro", zero_division=1) == 1


def test_weights_of_integers_stay_integers() -> None:
    for dtype in ("i1", "u2", "i8", "u8", ">i4", "?"):
        w = np.array([1, 0, 1], dtype)
        found = metrics.confusion_matrix([0, 1, 1], [0, 1, 0], sample_weight=w)
        assert found.dtype == np.int64
        assert found.tolist() == [[1, 0], [1, 0]]
    large = 2**60 + 1
    assert metrics.confusion_matrix([0, 1], [0, 1], sample_weight=[large, 3]).tolist() == [[large, 0], [0, 3]]
    w = np.array([127, 127, 1], np.int8)
    assert metrics.accuracy_score([0, 0, 0], [0, 0, 1], sample_weight=w) == 254 / 255


def test_many_classes() -> None:
    rng = np.random.default_rng(6)
    y = rng.permutation(3000).repeat(2)
    z = np.where(rng.random(6000) < 0.5, y, (y + 1) % 3000)
    w = rng.uniform(1, 2, 6000)
    hit = np.array([(z[y == c] == c).mean() for c in range(3000)])
    found = metrics.recall_score(y, z, average=None)
    assert found.tolist() == hit.tolist()
    expected = np.array([np.average(z[y == c] == c, weights=w[y == c]) for c in range(3000)])
    found = metrics.recall_score(y.astype(str), z.astype(str), average="macro", sample_weight=w)
    assert found == pytest.approx(expected.mean(), rel=1e-14)


def test_sums_of_weights_are_compensated() -> None:
    # 1, and 10^6 times 2^-53, which a plain running sum loses; within a block of 512 sums are plain.
    n = 1_000_000
    w = np.full(n, 2.0**-53)
    w[0] = 1
    y = np.zeros(n, np.uint8)
    found = _core.count_pairs(y, 1, y, 1, w)[0, 0]
    assert found == pytest.approx(1 + (n - 1) * 2.0**-53, abs=512 * 2.0**-53)


def test_codes_that_are_none_do_no_harm() -> None:
    """Arrays may change while they are read: what is outside the table counts as its first entry."""
    codes = np.array([0, 9, -1, 2**40], np.int64)
    assert _core.count_pairs(codes, 2, np.zeros(4, np.int8), 1).tolist() == [[4], [0]]


def test_indicators() -> None:
    y, z = np.array([[1, 0, 1], [0, 1, 1]]), np.array([[1, 1, 0], [0, 1, 1]])
    assert metrics.precision_score(y, z, average=None).tolist() == [1, 0.5, 1]
    assert metrics.recall_score(y, z, average="samples") == (1 / 2 + 1) / 2
    assert metrics.f1_score(y, z, average="samples", sample_weight=[3, 1]) == (3 * 1 / 2 + 1) / 4
    assert metrics.precision_score(y, z, labels=[1], average="macro", sample_weight=[1, 3]) == 0.75
    assert metrics.accuracy_score(y, z) == 0.5


def test_objects_of_any_hash() -> None:
    """Codes are found by address where it is known, otherwise by value."""
    found, codes = _core.encode_objects(np.array(["a", "b", "".join("a"), None, 1, True, 1.0, "b"], object))
    assert found == ["a", "b", None, 1]
    assert codes.tolist() == [0, 1, 0, 2, 3, 3, 3, 1]
    many = np.array([f"{i % 5000}" for i in range(20_000)], object)
    found, codes = _core.encode_objects(many[::-1])
    assert [found[code] for code in codes] == many[::-1].tolist()
    with pytest.raises(TypeError, match="unhashable"):
        _core.encode_objects(np.array([[], {}, None], object))
