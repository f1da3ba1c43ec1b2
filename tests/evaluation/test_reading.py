"""Tables in files: what separates their columns, letters, compression, folders; files that change."""

from __future__ import annotations

import bz2
import gzip
import math
import os

import numpy as np
import pytest

import fastloss as fl
from fastloss.cli import main
from fastloss.reading import Location, SourceError, open_readers, read_ahead

pa = pytest.importorskip("pyarrow")
csv, feather, parquet = (pytest.importorskip(f"pyarrow.{name}") for name in ("csv", "feather", "parquet"))


def mae(data, by=None, **options):
    return fl.evaluate("y", "z", ["mae"], data=data, by=by, **options)


def write(path, names="y,z,c", rows=("1,2,süd", "2,4.5,nord", "3,3,süd"), separator=",", encoding="utf-8"):
    text = "\n".join([names, *rows]) + "\n"
    path.write_bytes(text.replace(",", separator).encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_separators_and_letters(tmp_path, separator, encoding):
    result = mae(write(tmp_path / "t.csv", separator=separator, encoding=encoding), by="c")
    assert result["mae"].value == 3.5 / 3
    assert {label: r["mae"].value for label, r in result.groups.items()} == {"süd": 0.5, "nord": 2.5}


def test_points_that_are_commas(tmp_path):
    (tmp_path / "t.csv").write_text('y;z;"c;d"\n1;2;x\n2;4,5;x\n3;3,0e0;y\n')
    assert mae(tmp_path / "t.csv", by="c;d").groups["x"]["mae"].value == 1.75


@pytest.mark.parametrize(("end", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_compressed_text(tmp_path, capsys, end, compress, encoding):
    plain = write(tmp_path / "t.csv", rows=["1,2,a", "2,4.5,b"] * 50_000, encoding=encoding)
    packed = tmp_path / f"t.csv{end}"
    packed.write_bytes(compress(plain.read_bytes()))
    assert mae(packed, by="c")["mae"] == mae(plain)["mae"]
    assert main(["evaluate", f"{packed}:y", f"{packed}:z", "--loss", "mae", "--json"]) == 0
    assert '"value": 1.75' in capsys.readouterr().out
    packed.write_bytes(compress(plain.read_bytes())[:-20])
    with pytest.raises(ValueError, match=f"t.csv{end}"):
        mae(packed)


def test_numbers_of_folders_are_numbers_in_all_or_in_none(tmp_path):
    for part, values in ((1, [1.0, 2.0]), (20, [4.0])):
        folder = tmp_path / "whole" / f"part={part}" / "day=007"
        folder.mkdir(parents=True)
        parquet.write_table(pa.table({"y": [0.0] * len(values), "z": values}), folder / "t.parquet")
    assert mae(tmp_path / "whole", by="part").groups[1]["mae"].value == 1.5
    assert list(mae(tmp_path / "whole", by=["day", "part"]).groups) == [("007", 1), ("007", 20)]
    (tmp_path / "whole" / "part=x").mkdir()
    (tmp_path / "whole" / "part=1" / "day=007").rename(tmp_path / "whole" / "part=x" / "day=007")
    assert set(mae(tmp_path / "whole", by="part").groups) == {"x", "20"}
    parquet.write_table(pa.table({"y": [0.0], "z": [1.0]}), tmp_path / "whole" / "top.parquet")
    with pytest.raises(ValueError, match=r"top\.parquet: the folders name no column, but part, day in"):
        mae(tmp_path / "whole")


def test_a_column_of_a_folder_can_be_a_number(tmp_path):
    for z, y in ((1, [1.0, 3.0]), (2, [2.0])):
        (tmp_path / f"z={z}").mkdir()
        feather.write_feather(pa.table({"y": y}), tmp_path / f"z={z}" / "t.feather")
    assert mae(tmp_path)["mae"].value == 2 / 3


def test_groups_that_change_their_kind(tmp_path):
    write(tmp_path / "0.csv", rows=["1,2,5"])
    write(tmp_path / "1.csv", rows=["1,2,x"])
    with pytest.raises(ValueError, match=r"1\.csv: column 'c' is string, but int64 in .*0\.csv"):
        mae(tmp_path, by="c")


def test_labels_that_change_their_kind_within_a_file(tmp_path):
    rows = ["1,2,5"] * 300_000 + ["1,2,x"]
    with pytest.raises(ValueError, match=r"t\.csv: after row \d+: .*'x'"):
        mae(write(tmp_path / "t.csv", rows=rows), by="c")


def test_rows_that_cannot_be_read_are_skipped_on_demand(tmp_path):
    path = write(tmp_path / "t.csv", rows=["1,2,a", "2,,a", "x,4,b", "nan,1,b", "5,7,"])
    with pytest.raises(ValueError, match=r"t\.csv: y_true\[2\] is 'x', which is not a number: column 'y'"):
        mae(path)
    result = mae(path, by="c", on_error="skip")
    assert (result.samples, result.skipped) == (3, 2)
    assert result.groups["a"]["mae"].value == 1.0
    t = pa.table({"y": pa.array([0, None, 1, 7], pa.int8()), "z": [0.5, 0.5, None, 0.5], "c": list("abcd")})
    parquet.write_table(t, tmp_path / "t.parquet")
    result = fl.evaluate("y", "z", ["bce"], data=tmp_path / "t.parquet", by="c", on_error="skip")
    assert (result.samples, result.skipped, list(result.groups)) == (1, 3, ["a"])
    parquet.write_table(t.slice(1, 2), tmp_path / "t.parquet")
    result = fl.evaluate("y", "z", ["bce"], data=tmp_path / "t.parquet", on_error="skip")
    assert (result.samples, result.skipped, math.isnan(result["bce"].value)) == (0, 2, True)


def changed(tmp_path, path):
    """Read a batch, change the file, read on."""
    reader = open_readers([Location("y_true", str(path), None if path.suffix == ".npy" else "y")])
    chunks = read_ahead(reader, 1000)
    next(chunks)
    stat = os.stat(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))
    with pytest.raises(SourceError, match=f"{path.name}: the file has changed while it was read"):
        for _ in chunks:
            pass


def test_files_that_change_while_they_are_read(tmp_path):
    y = np.arange(300_000) % 7
    t = pa.table({"y": y})
    np.save(tmp_path / "y.npy", y)
    parquet.write_table(t, tmp_path / "t.parquet", row_group_size=2000)
    feather.write_feather(t, tmp_path / "t.feather", chunksize=2000)
    csv.write_csv(pa.concat_tables([t] * 20), tmp_path / "t.csv")
    for name in ("y.npy", "t.parquet", "t.feather", "t.csv"):
        changed(tmp_path, tmp_path / name)


def test_a_map_that_is_cut_off_is_an_error_not_a_crash(tmp_path):
    np.save(tmp_path / "y.npy", np.zeros(1 << 20))
    chunks = read_ahead(open_readers([Location("y_true", str(tmp_path / "y.npy"), None)]), 1 << 10)
    next(chunks)
    os.truncate(tmp_path / "y.npy", 4096)
    with pytest.raises(SourceError, match="has changed"):
        next(chunks)
