"""Evaluations of files, tables and streams: the numbers of the arrays; errors that name the place."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

import fastloss as fl

pa = pytest.importorskip("pyarrow")
csv, feather, parquet = (pytest.importorskip(f"pyarrow.{name}") for name in ("csv", "feather", "parquet"))
MEASURES = ["bce", "roc_auc", "r2"]


def table(n=500):
    rng = np.random.default_rng(0)
    return pa.table({
        "unused": ["x"] * n,
        "y": rng.integers(0, 2, n).astype(np.uint8),
        "a": rng.normal(size=n),
        "b": rng.normal(size=n),
        "w": rng.uniform(size=n),
        "c": rng.choice(["de", "fr"], n),
    })  # fmt: skip


def of(data, by="c"):
    return fl.evaluate("y", {"a": "a", "b": "b"}, MEASURES, sample_weight="w", by=by, data=data)


def same(result):
    t = table()
    columns = {name: t.column(name).to_numpy() for name in ("y", "a", "b", "w", "c")}
    wanted = fl.evaluate(
        columns["y"],
        {"a": columns["a"], "b": columns["b"]},
        MEASURES,
        sample_weight=columns["w"],
        by=columns["c"],
    )
    assert result.samples == 500
    for key in MEASURES:
        assert result.models["b"][key] == wanted.models["b"][key]
        assert result.groups["fr"][key] == wanted.groups["fr"][key]


def test_files_of_every_kind(tmp_path):
    t = table()
    parquet.write_table(t, tmp_path / "t.parquet", row_group_size=70)
    feather.write_feather(t, tmp_path / "t.feather")
    csv.write_csv(t, tmp_path / "t.csv")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    tabs = (tmp_path / "t.csv").read_text().replace(",", "\t")
    (tmp_path / "t.tsv").write_text(tabs)
    for name in ("t.parquet", "t.feather", "t.csv", "t.csv.gz", "t.tsv", "*.parquet"):
        same(of(str(tmp_path / name)))


def test_folders_lists_and_partitions(tmp_path):
    t = table()
    for i, country in enumerate(("fr", "de")):
        folder = tmp_path / "hive" / f"country={country}"
        folder.mkdir(parents=True)
        part = t.filter(pa.compute.equal(t["c"], country))
        parquet.write_table(part.drop_columns(["c"]), folder / "0.parquet")
        parquet.write_table(part, tmp_path / f"{i}.parquet")
    parquet.write_table(t.slice(0, 0), tmp_path / "2.parquet")
    same(of(tmp_path / "hive", by="country"))
    same(of([tmp_path / "1.parquet", tmp_path / "2.parquet", tmp_path / "0.parquet"]))


def test_tables_and_streams_of_arrow_and_pandas(tmp_path):
    t = table()
    parquet.write_table(t.slice(0, 200), tmp_path / "0.parquet")
    parquet.write_table(t.slice(200), tmp_path / "1.parquet")
    dataset = pytest.importorskip("pyarrow.dataset").dataset(tmp_path)
    nullable = t.to_pandas().convert_dtypes()
    for data in (t, t.to_reader(max_chunksize=33), dataset, t.to_pandas(), nullable):
        same(of(data))
    same(of(t.set_column(5, "c", t.column("c").dictionary_encode())))


def test_frames_of_polars(tmp_path):
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(table())
    frame.write_parquet(tmp_path / "t.parquet")
    for data in (frame, frame.lazy(), polars.scan_parquet(tmp_path / "t.parquet").filter(True)):
        same(of(data))
    same(of(frame.with_columns(polars.col("c").cast(polars.Categorical))))
    with pytest.raises(ValueError, match="has no column 'd'"):
        of(frame.lazy(), by="d")


def test_relations_of_duckdb(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    t = table()
    parquet.write_table(t, tmp_path / "t.parquet", row_group_size=100)
    connection = duckdb.connect()
    connection.register("t", t)
    for query in ("select * from t", f"select * from '{tmp_path}/t.parquet'"):
        same(of(connection.sql(query)))
    renamed = connection.sql('select y as "the ""y""", a from t')
    plain = fl.evaluate("y", "a", ["bce"], data=t)
    assert fl.evaluate('the "y"', "a", ["bce"], data=renamed)["bce"] == plain["bce"]
    with pytest.raises(ValueError, match="has no column 'd'"):
        of(connection.sql("select * from t"), by="d")


def test_errors_name_the_place(tmp_path):
    t = table()
    wrong = t.set_column(1, "y", pa.array([0] * 123 + [7] + [0] * 376, pa.uint8()))
    parquet.write_table(t, tmp_path / "0.parquet")
    parquet.write_table(wrong, tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1\.parquet: y_true\[623\] = 7 is outside the domain"):
        of(tmp_path)
    missing = t.set_column(2, "a", pa.array([0.5] * 9 + [None] + [0.5] * 490))
    parquet.write_table(missing, tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1\.parquet: y_pred\[509\] is missing: column 'a' is null"):
        of(tmp_path)
    parquet.write_table(t.set_column(5, "c", pa.array(range(500))), tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"1\.parquet: column 'c' is int64, but string in .*0\.parquet"):
        of(tmp_path)
    (tmp_path / "1.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ValueError, match=r"1\.parquet"):
        of(tmp_path)
    with pytest.raises(ValueError, match=r"has no column 'd'; its columns: 'unused', 'y'"):
        of(tmp_path / "0.parquet", by="d")
    with pytest.raises(ValueError, match="not real numbers"):
        fl.evaluate("y", "c", ["bce"], data=t)
    with pytest.raises(FileNotFoundError, match="no file"):
        of(tmp_path / "none.parquet")
    with pytest.raises(TypeError, match="by name"):
        fl.evaluate([0, 1], "a", ["bce"], data=t)
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        of(5)
