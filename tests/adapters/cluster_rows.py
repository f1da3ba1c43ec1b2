"""Rows in parts as clusters have them: uneven, one empty, one of a single class; and what they give."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import fastloss as fl

MEASURES = [
    "bce", "roc_auc", "average_precision", "ks", "accuracy", "confusion", "calibration", "r2", "bias",
    "max_error",
]  # fmt: skip
#: Rows of the parts: the first one has one class, the largest more than are kept row by row.
SIZES = (7, 90_000, 0, 1, 2500)
GIVEN = {"y_pred": {"a": "a", "b": "b"}, "sample_weight": "w", "by": ["country", "device"]}


def parts():
    """Return the parts as tables of Arrow."""
    rng = np.random.default_rng(8)
    tables = []
    for k, n in enumerate(SIZES):
        y = np.ones(n, np.int16) if k == 0 else rng.integers(0, 2, n).astype(np.int16)
        a = (y + rng.normal(size=n) - 0.5).astype(np.float32)
        tables.append(pa.table({
            "unused": pa.array(["x"] * n, pa.string()),
            "y": y,
            "a": a,
            "b": (a + 0.3 * rng.normal(size=n)).astype(np.float32),
            "w": rng.uniform(size=n),
            "country": pa.array(rng.choice(["de", "fr", "it"], n), pa.string()),
            "device": rng.integers(0, 2, n),
        }))  # fmt: skip
    return tables


def wanted(**given):
    """Return what one machine finds in all rows."""
    given = {**GIVEN, **given}
    return fl.evaluate("y", given.pop("y_pred"), MEASURES, data=pa.concat_tables(parts()), **given)


def same(found, result):
    """Compare all numbers, bit by bit; NaN is itself."""
    rows = zip(found.to_dict()["estimates"], result.to_dict()["estimates"], strict=True)
    for a, b in rows:
        assert {k: "nan" if v != v else v for k, v in a.items()} == {
            k: "nan" if v != v else v for k, v in b.items()
        }
    assert found.samples == result.samples == sum(SIZES)
    for kind in ("roc", "pr"):
        for a, b in zip(found.curve(kind, "b"), result.curve(kind, "b"), strict=True):
            np.testing.assert_array_equal(a, b)
