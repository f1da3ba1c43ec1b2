"""Nullable dtypes, and booleans beside numbers, wherever arrays are taken: the numbers, NaN for null."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.metrics

import fastloss as fl
from fastloss.adapters.scipy import rho
from fastloss.adapters.xgboost import base_score, predictions

FLOATS = [0.5, 2.0, 1.25, 0.75]
INTEGERS = [0, 3, 1, 2]
FLAGS = [1, 0, 1, 1]


def of_pandas(dtype):
    return lambda x: pd.Series(x, dtype=dtype)


def of_arrow(kind):
    return lambda x: pa.array([None if v is None else kind.to_pandas_dtype()(v) for v in x], type=kind)


def of_polars(kind):
    return lambda x: pl.Series(x, dtype=pl.Int64 if kind == pl.Boolean else kind).cast(kind)


NULLABLE_FLOATS = ("Float64", "Float32", "double[pyarrow]", "float[pyarrow]")
#: Name, maker, what it holds.
COLUMNS = [
    *((dtype, of_pandas(dtype), FLOATS) for dtype in NULLABLE_FLOATS),
    *((dtype, of_pandas(dtype), INTEGERS) for dtype in ("Int64", "Int8", "UInt32", "int64[pyarrow]")),
    *((dtype, of_pandas(dtype), FLAGS) for dtype in ("boolean", "bool[pyarrow]")),
    ("Int64 array", lambda x: pd.array(x, dtype="Int64"), INTEGERS),
    ("Int64 index", lambda x: pd.Index(x, dtype="Int64"), INTEGERS),
    *((f"arrow {kind}", of_arrow(kind), FLOATS) for kind in (pa.float64(), pa.float32())),
    *((f"arrow {kind}", of_arrow(kind), INTEGERS) for kind in (pa.int64(), pa.uint8())),
    ("arrow bool", of_arrow(pa.bool_()), FLAGS),
    ("arrow chunks", lambda x: pa.chunked_array([of_arrow(pa.bool_())(x)]), FLAGS),
    ("polars floats", of_polars(pl.Float64), FLOATS),
    ("polars integers", of_polars(pl.Int32), INTEGERS),
    ("polars booleans", of_polars(pl.Boolean), FLAGS),
]


def test_pandas_reads_booleans_from_numbers():
    assert pd.Series(FLAGS, dtype="boolean").tolist() == [True, False, True, True]


@pytest.mark.parametrize(("name", "make", "values"), COLUMNS, ids=[name for name, _, _ in COLUMNS])
def test_columns(name, make, values):
    column, other = make(values), np.array([1.0, 0.5, 0.0, 2.0])
    expected = fl.SquaredError()(np.array(values, float), other, sample_weight=other)
    assert fl.SquaredError()(column, other, sample_weight=other) == expected
    assert fl.SquaredError()(other, column) == fl.SquaredError()(other, np.array(values, float))
    weighted = fl.SquaredError()(other, other[::-1], sample_weight=np.array(values, float))
    assert fl.SquaredError()(other, other[::-1], sample_weight=column) == weighted
    missing = make([values[0], None, *values[2:]])
    each = fl.SquaredError()(missing, other, reduction="none")
    assert math.isnan(each[1])
    assert each[[0, 2, 3]].tolist() == [(values[i] - other[i]) ** 2 for i in (0, 2, 3)]
    assert np.isnan(fl.SquaredError().gradient(other, missing)).tolist() == [False, True, False, False]
    with pytest.raises(ValueError, match=r"sample_weight\[1\] = nan"):
        fl.SquaredError()(other, other, sample_weight=missing)


@pytest.mark.parametrize("dtype", ["Float32", "float[pyarrow]"])
def test_single_precision_stays(dtype):
    assert fl.Huber().gradient([0.0, 1.0], pd.Series([1.0, None], dtype=dtype)).dtype == np.float32
    frame = pd.DataFrame({"a": np.float32([1, 2]), "b": [True, False]})
    assert fl.Huber().gradient(frame, frame).dtype == np.float32


def frames() -> Any:
    columns = {"a": [1.5, None, 2.0], "b": [True, False, None], "c": [1, 2, None]}
    dtypes = {"a": "Float64", "b": "boolean", "c": "Int64"}
    arrow = {"a": "double[pyarrow]", "b": "bool[pyarrow]", "c": "int8[pyarrow]"}
    return [
        pd.DataFrame({name: pd.array(x, dtype=dtypes[name]) for name, x in columns.items()}),
        pd.DataFrame({name: pd.array(x, dtype=arrow[name]) for name, x in columns.items()}),
        pl.DataFrame(columns),
        pa.table(columns),
        pa.record_batch(columns),
    ]


@pytest.mark.parametrize("frame", frames(), ids=lambda frame: type(frame).__name__)
def test_frames_of_many_kinds(frame):
    expected = [[2.25, 1.0, 1.0], [math.nan, 0.0, 4.0], [4.0, math.nan, math.nan]]
    np.testing.assert_array_equal(fl.SquaredError()(frame, np.zeros((3, 3)), reduction="none"), expected)
    np.testing.assert_array_equal(
        fl.SquaredError().gradient(np.zeros((3, 3)), frame, reduction="sum"),
        [[3, 2, 2], [math.nan, 0, 4], [4, math.nan, math.nan]],
    )


def test_losses_of_rows_and_embeddings():
    z = np.array([[0.5, 1.0, 0.25], [2.0, 0.0, 1.0]])
    frame = pd.DataFrame(z).astype("Float64")
    for labels in (pd.Series([2, 0], dtype="Int64"), pd.Series([2, 0], dtype="int64[pyarrow]")):
        assert fl.CrossEntropy()(labels, frame) == fl.CrossEntropy()([2, 0], z)
        assert fl.CenterLoss()(z, z[[1, 0, 1]], labels) == fl.CenterLoss()(z, z[[1, 0, 1]], [2, 0])
    assert fl.Triplet()(frame, frame, frame) == fl.Triplet()(z, z, z)
    assert fl.Wasserstein()(frame[0], frame[1]) == fl.Wasserstein()(z[:, 0], z[:, 1])
    assert fl.Sinkhorn()(frame, frame + 1) == fl.Sinkhorn()(z, z + 1)
    assert fl.L2()(frame) == fl.L2()(z)


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series([1, None, 0], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pl.Series([1, None, 0]),
        pl.Series([True, None, False]),
        pa.array([1, None, 0]),
        pa.array([True, None, False]),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_a_missing_label_is_an_error(labels):
    rows = np.zeros((3, 2))
    for call, name in [
        (lambda: fl.BinaryCrossEntropy()(labels, np.zeros(3)), "y_true"),
        (lambda: fl.Hinge()(labels, np.zeros(3)), "y_true"),
        (lambda: fl.CrossEntropy()(labels, rows), "y_true"),
        (lambda: fl.MulticlassHinge()(labels, rows), "y_true"),
        (lambda: fl.Contrastive()(rows, rows, labels), "y"),
        (lambda: fl.CenterLoss()(rows, rows, labels), "labels"),
    ]:
        with pytest.raises(ValueError, match=rf"^{name}\[1\] = nan .*not a missing value"):
            call()
    for metric in ("log_loss", "brier_score_loss"):
        with pytest.raises(ValueError, match="contains NaN"):
            getattr(fl.metrics, metric)(labels, np.array([0.5, 0.5, 0.5]))


def test_linear_objective():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], "kind": ["a", "b", "a", "b"]})
    X, y = pd.get_dummies(frame), pd.Series([1, 2, 4, 8], dtype="Int64")
    weight = pd.Series([1, 2, 1, 1], dtype="int64[pyarrow]")
    plain = np.array([[1, 1, 0], [2, 0, 1], [3, 1, 0], [5, 0, 1]], dtype=float)
    expected = fl.LinearObjective(fl.Huber(), plain, [1, 2, 4, 8], sample_weight=[1, 2, 1, 1])
    objective = fl.LinearObjective(fl.Huber(), X, y, sample_weight=weight)
    w = np.array([0.5, 1.0, -1.0, 0.25])
    for given in (w, pd.Series(w, dtype="Float64")):
        value, gradient = objective(given)
        assert value == expected(w)[0]
        np.testing.assert_array_equal(gradient, expected(w)[1])


@pytest.mark.parametrize(
    ("name", "y", "z"),
    [
        ("mean_squared_error", [1, 2, 4], [1.5, 2.0, 3.0]),
        ("mean_absolute_error", [1, 2, 4], [1.5, 2.0, 3.0]),
        ("median_absolute_error", [1, 2, 4], [1.5, 2.0, 3.0]),
        ("max_error", [1, 2, 4], [1.5, 2.0, 3.0]),
        ("d2_pinball_score", [1, 2, 4], [1.5, 2.0, 3.0]),
        ("mean_poisson_deviance", [1, 2, 4], [1.5, 2.0, 3.0]),
        ("log_loss", [1, 0, 1], [0.75, 0.5, 0.25]),
        ("brier_score_loss", [1, 0, 1], [0.75, 0.5, 0.25]),
        ("hinge_loss", [1, 0, 1], [0.75, 0.5, 0.25]),
        ("zero_one_loss", [1, 0, 1], [1, 1, 1]),
    ],
)
def test_metrics(name, y, z):
    expected = getattr(sklearn.metrics, name)(y, z)
    for integers in ("Int64", "int64[pyarrow]"):
        for numbers in ("Float64", "double[pyarrow]") if isinstance(z[0], float) else (integers,):
            given = pd.Series(y, dtype=integers), pd.Series(z, dtype=numbers)
            weight = pd.Series([1, 1, 1], dtype=integers)
            assert getattr(fl.metrics, name)(*given) == pytest.approx(expected, rel=1e-14)
            result = (
                getattr(fl.metrics, name)(*given, sample_weight=weight) if name != "max_error" else expected
            )
            assert result == pytest.approx(expected, rel=1e-14)


def test_adapters():
    assert base_score(fl.SquaredError(), pd.Series([1, 2, 6], dtype="Int64")) == pytest.approx(3.0)
    with pytest.raises(ValueError, match=r"y_true\[1\] = nan"):
        base_score(fl.SquaredError(), pd.Series([1, None, 6], dtype="Int64"))
    assert predictions(fl.Poisson(), pd.Series([0, 0], dtype="Int64")).tolist() == [1.0, 1.0]
    squared = pd.Series([0, 4], dtype="Int64")
    np.testing.assert_array_equal(rho(fl.Huber())(squared), rho(fl.Huber())([0.0, 4.0]))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["1", "2"]),
        pd.Series(["1", "2"], dtype="string"),
        pd.DataFrame({"a": [1.0, 2.0], "b": ["1", "2"]}),
        pd.Series([1.0, None], dtype=object),
        pl.Series(["1", "2"]),
        pl.DataFrame({"a": [True, None], "b": ["1", "2"]}),
        pa.array(["1", "2"]),
        pa.table({"a": [True, None], "b": ["1", "2"]}),
    ],
    ids=lambda column: type(column).__name__,
)
def test_what_is_no_number_is_refused(column):
    with pytest.raises(TypeError, match=r"y_true has dtype .*, expected real numbers"):
        fl.SquaredError()(column, np.zeros(np.shape(column)))
