"""``fastloss evaluate``: the right numbers from every kind of file, whatever the chunks."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import fastloss as fl
from fastloss.cli import main, progress

SAMPLES = 1000
FORMATS = ("npy", "csv", "parquet")
# A process of its own finds the package that is tested here, installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(fl.__file__).parents[1])}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Labels y, predictions z and weights w in files of every format, and all in t.csv and t.parquet."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    columns = {
        "y": rng.integers(0, 2, SAMPLES).astype(np.int8),
        "z": rng.normal(size=SAMPLES),
        "w": rng.random(SAMPLES),
    }
    for name, column in columns.items():
        save(name, column)
    table = pa.table(columns)
    pa.csv.write_csv(table, "t.csv")
    pa.parquet.write_table(table, "t.parquet", row_group_size=137)
    return columns


def save(name, column):
    np.save(f"{name}.npy", column)
    table = pa.table({name: column})
    pa.csv.write_csv(table, f"{name}.csv")
    pa.parquet.write_table(table, f"{name}.parquet", row_group_size=301)


def evaluate(capsys, *argv):
    """Run the command with --json and return the document."""
    status = main(["evaluate", *map(str, argv), "--json"])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return json.loads(out)


def value(capsys, *argv):
    (loss,) = evaluate(capsys, *argv)["losses"]
    return loss["value"]


def test_values_by_hand(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save("y", np.array([0.0, 1.0, 2.0, 3.0]))
    save("z", np.array([0.0, 3.0, 1.0, 3.5]))
    losses = evaluate(
        capsys, "y.npy", "z.npy", "--loss", "mse", "--loss", "mae", "--loss", "huber:delta=1.5"
    )["losses"]
    # Residuals 0, 2, -1 and 0.5; Huber: 0 + 1.5·(2 − 0.75) + 0.5 + 0.125.
    assert [loss["value"] for loss in losses] == [5.25 / 4, 3.5 / 4, 2.5 / 4]
    assert [loss["loss"] for loss in losses] == ["squared_error", "absolute_error", "huber"]
    assert losses[2]["parameters"] == {"delta": 1.5}
    assert value(capsys, "y.npy", "z.npy", "--loss", "mse", "--reduction", "sum") == 5.25
    save("w", np.array([1, 0, 3, 4]))
    (weighted,) = evaluate(capsys, "y.npy", "z.npy", "--loss", "mse", "--weights", "w.npy")["losses"]
    assert weighted["value"] == (3 * 1 + 4 * 0.25) / 8
    assert (weighted["n"], weighted["sum_of_weights"]) == (4, 8.0)


@pytest.mark.parametrize("true", FORMATS)
@pytest.mark.parametrize("predicted", FORMATS)
@pytest.mark.parametrize("chunk", [1, 7, 100, 1000, 10**6])
def test_any_mixture_of_formats_and_chunks(folder, capsys, true, predicted, chunk):
    y, z, w = folder["y"].astype(float), folder["z"], folder["w"]
    expected = math.fsum(w * (y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z))) / math.fsum(w)
    arguments = [f"y.{true}", f"z.{predicted}", "--loss", "bce", "--chunk-size", chunk]
    for weights in ("w.npy", "w.csv", "w.parquet"):
        assert value(capsys, *arguments, "--weights", weights) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("table", ["t.csv", "t.parquet"])
def test_columns_of_one_table(folder, capsys, table):
    expected = np.average((folder["z"] - folder["y"]) ** 2, weights=folder["w"])
    arguments = [f"{table}:y", f"{table}:z", "--weights", f"{table}:w", "--loss", "mse"]
    assert value(capsys, *arguments, "--chunk-size", 64) == pytest.approx(expected, rel=1e-14)
    assert value(capsys, f"{table}:z", f"{table}:z", "--loss", "mse") == 0


def test_chunks_are_added_without_rounding(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save("y", np.ones(3))
    save("z", np.array([-1e16, -1.0, 1e16]))
    arguments = ["y.npy", "z.npy", "--loss", "wgan", "--reduction", "sum"]
    assert value(capsys, *arguments, "--chunk-size", 1) == 1.0


def test_blocks_of_a_long_csv_meet_other_chunks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    n = 300_000
    z = np.arange(n) % 1009 / 8
    pa.csv.write_csv(pa.table({"name": ["some text"] * n, "z": z}), "z.csv")
    assert Path("z.csv").stat().st_size > 4 << 20  # several of the reader's blocks
    np.save("y.npy", np.zeros(n))
    # Multiples of 1/64 below 2^53 / 64: exact.
    assert value(capsys, "y.npy", "z.csv:z", "--loss", "mse", "--reduction", "sum") == np.sum(z**2)
    np.save("y.npy", z)
    assert value(capsys, "y.npy", "z.csv:z", "--loss", "mse", "--chunk-size", 1234) == 0


@pytest.mark.parametrize("chunk", [1, 30, 64, 10**6])
def test_arrays_of_several_dimensions(folder, capsys, chunk):
    y, z, w = folder["y"].reshape(50, 4, 5), folder["z"].reshape(50, 4, 5), folder["w"]
    np.save("y3.npy", np.asfortranarray(y))
    np.save("z3.npy", z)
    np.save("w3.npy", w.reshape(50, 4, 5))
    np.save("rows.npy", w[:50])
    arguments = ["y3.npy", "z3.npy", "--loss", "mse", "--chunk-size", chunk]
    assert value(capsys, *arguments) == pytest.approx(np.mean((z - y) ** 2), rel=1e-14)
    expected = np.average((z - y) ** 2, weights=w.reshape(z.shape))
    assert value(capsys, *arguments, "--weights", "w3.npy") == pytest.approx(expected, rel=1e-14)
    expected = np.average(np.mean((z - y) ** 2, axis=(1, 2)), weights=w[:50])
    document = evaluate(capsys, *arguments, "--weights", "rows.npy")["losses"][0]
    assert document["value"] == pytest.approx(expected, rel=1e-14)
    assert document["n"] == SAMPLES
    assert document["sum_of_weights"] == pytest.approx(20 * np.sum(w[:50]), rel=1e-14)


@pytest.mark.parametrize("form", ["npy", "parquet"])
def test_predictions_set_the_precision(folder, capsys, form):
    # (1/3)² in float32 differs from that in float64 in the eighth digit.
    save("y", np.zeros(1))
    save("z", np.array([1 / 3], dtype=np.float32))
    assert value(capsys, "y.npy", f"z.{form}", "--loss", "mse") == float(np.float32(1 / 3) ** 2)
    save("z", np.array([1 / 3]))
    assert value(capsys, "y.npy", f"z.{form}", "--loss", "mse") == (1 / 3) ** 2
    save("z", np.array([2**24 + 1], dtype=np.int32))
    assert value(capsys, "y.npy", f"z.{form}", "--loss", "mae") == 2**24 + 1


def test_kinds_of_parquet_columns(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    columns = {
        "boolean": pa.array([True, False, True]),
        "unsigned": pa.array([1, 0, 1], pa.uint8()),
        "half": pa.array(np.array([1, 0, 1], np.float16)),
        "decimal": pa.array([1, 0, 1], pa.int8()).cast(pa.decimal128(5, 2)),
        "categories": pa.array([1, 0, 1]).dictionary_encode(),
        "a.b": pa.array([1.0, 0.0, 1.0]),
    }
    pa.parquet.write_table(pa.table(columns), "t.parquet")
    np.save("z.npy", np.array([2.0, 4.0, 8.0]))
    for name in columns:
        assert value(capsys, f"t.parquet:{name}", "z.npy", "--loss", "mae") == (1 + 4 + 7) / 3


@pytest.mark.parametrize(
    "text",
    [
        "z\n1\n0\n1\n",
        "z\n1\n0\n1",
        "z\r\n1\r\n0\r\n1\r\n",
        "\ufeffz\n1\n0\n1\n",
        '"z"\n"1"\n"0"\n"1.0"\n',
        "z,other\n 1 ,\n 0 ,x\n+1e0,\n",
        "other,z\n\u20ac,True\n,false\n,TRUE\n",
    ],
)
def test_spellings_of_csv(tmp_path, monkeypatch, capsys, text):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_bytes(text.encode())
    np.save("y.npy", np.array([2.0, 4.0, 8.0]))
    assert value(capsys, "y.npy", "t.csv:z", "--loss", "mae") == (1 + 4 + 7) / 3


def test_numbers_that_json_lacks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.zeros(3))
    Path("z.csv").write_text("nan,inf,large\nNaN,inf,1e300\n0,-Infinity,1e300\n0,0,1e300\n")
    for column, name in [("nan", "nan"), ("inf", "inf"), ("large", "inf")]:
        (loss,) = evaluate(capsys, "y.npy", f"z.csv:{column}", "--loss", "mse", "--chunk-size", 1)["losses"]
        assert (loss["value"], loss["nonfinite"]) == (None, name)
    (loss,) = evaluate(capsys, "y.npy", "z.csv:large", "--loss", "mae")["losses"]
    assert (loss["value"], loss["nonfinite"]) == (1e300, None)


@pytest.mark.parametrize("form", FORMATS)
def test_no_rows_have_a_sum(tmp_path, monkeypatch, capsys, form):
    monkeypatch.chdir(tmp_path)
    save("y", np.zeros(0))
    (loss,) = evaluate(capsys, f"y.{form}", f"y.{form}", "--loss", "mse", "--reduction", "sum")["losses"]
    assert (loss["value"], loss["n"], loss["sum_of_weights"]) == (0.0, 0, 0.0)


def test_document(folder, capsys):
    document = evaluate(
        capsys, "t.parquet:y", "z.csv", "--loss", "bce", "--loss", "focal", "--weights", "w.npy"
    )
    assert document["y_true"] == "t.parquet:y"
    assert document["y_pred"] == "z.csv:z"
    assert document["sample_weight"] == "w.npy"
    assert (document["dtype"], document["reduction"]) == ("float64", "mean")
    bce, focal = document["losses"]
    parameters = {"from_logits": True, "pos_weight": 1.0, "label_smoothing": 0.0, "class_weight": None}
    assert bce["parameters"] == parameters
    parameters = {"gamma": 2.0, "alpha": None, "from_logits": True, "class_weight": None}
    assert focal["parameters"] == parameters
    assert 0 < bce["seconds"] <= document["seconds"]
    assert 0 <= document["reading_seconds"] <= document["seconds"]


def test_table_at_every_width(tmp_path, monkeypatch, capsys):
    """Numbers are whole wherever there is room for one, names are complete; what matters less goes first."""
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.zeros(1000))
    np.save("z.npy", np.full(1000, 123456.789))
    specs = {"mse": "1.52415788e+10", "mae": "123456.789", "huber:delta=0.30000000000000004": "37036.9917"}
    arguments = [argument for spec in specs for argument in ("--loss", spec)]
    headings = ["loss", "mean", "samples", "seconds", "elements/s"]
    before = 0
    for width in range(20, 201):
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(["evaluate", "y.npy", "z.npy", *arguments]) == 0
        out = capsys.readouterr().out
        lines = out.splitlines()
        assert max(len(line.rstrip()) for line in lines if "delta" not in line) <= width
        tokens = out.split()
        assert all(value in tokens for value in specs.values()), out
        assert all(spec in "".join(tokens) for spec in ("mse", "mae", "delta=0.30000000000000004")), out
        shown = [heading for heading in headings if heading in tokens]
        assert shown == headings[: len(shown)]
        assert len(shown) >= before
        before = len(shown)
        if "samples" in shown:
            assert tokens.count("1,000") == 3
        assert "z.npy against y.npy" in " ".join(tokens)
    assert before == len(headings)


def test_file_names_are_not_markup(folder, capsys):
    np.save("[bold]y[red].npy", folder["y"])
    assert main(["evaluate", "[bold]y[red].npy", "z.npy", "--loss", "mse"]) == 0
    assert "[bold]y[red].npy" in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("terminal", "patience", "options", "shown"),
    [
        (Terminal, 0.0, [], True),
        (Terminal, 0.0, ["--quiet"], False),
        (Terminal, 60.0, [], False),
        (io.StringIO, 0.0, [], False),
    ],
)
def test_progress_bar(folder, capsys, monkeypatch, terminal, patience, options, shown):
    monkeypatch.setattr(progress, "_PATIENCE_SECONDS", patience)
    monkeypatch.setattr(sys, "stderr", terminal())
    assert main(["evaluate", "y.csv", "z.npy", "--loss", "mse", "--chunk-size", "10", *options]) == 0
    bar = sys.stderr.getvalue()
    assert ("1,000 rows" in bar and "100%" in bar) if shown else bar == ""
    assert "samples" in capsys.readouterr().out


RUN_IN_LITTLE_MEMORY = """
import json, resource, sys
from fastloss.cli import main
import pyarrow.compute, pyarrow.csv, pyarrow.parquet

def kilobytes(name):
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith(name)).split()[1])

if sys.argv[1] == "limit":
    limit = kilobytes("VmData:") * 1024 + int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
before = kilobytes("VmRSS:")
status = main(sys.argv[3:])
print(kilobytes("VmHWM:") - before, file=sys.stderr)
sys.exit(status)
"""


def run_in_little_memory(*argv):
    command = [sys.executable, "-c", RUN_IN_LITTLE_MEMORY, *map(str, argv), "--threads", "1", "--json"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["losses"][0], 1024 * int(done.stderr)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and limits private memory")
def test_npy_files_larger_than_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    n = 60_000_000
    for name in ("y.npy", "z.npy"):  # files with holes: no disk, no time
        np.lib.format.open_memmap(name, mode="w+", dtype=np.float32, shape=(n,)).flush()
    assert os.path.getsize("y.npy") == 128 + 4 * n
    loss, _ = run_in_little_memory("limit", 64 << 20, "evaluate", "y.npy", "z.npy", "--loss", "mse")
    assert (loss["value"], loss["n"]) == (0.0, n)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_larger_than_memory(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    n = 20_000_000
    if form == "csv":
        Path("t.csv").write_bytes(b"z\n" + b"1\n" * n)
    else:
        column = pa.repeat(pa.scalar(1.0), n)
        pa.parquet.write_table(pa.table({"z": column}), "t.parquet", row_group_size=n)
    np.lib.format.open_memmap("y.npy", mode="w+", dtype=np.int8, shape=(n,)).flush()
    loss, peak = run_in_little_memory(
        "measure", 0, "evaluate", "y.npy", f"t.{form}", "--loss", "mse", "--chunk-size", 1 << 18
    )
    assert (loss["value"], loss["n"]) == (1.0, n)
    assert peak - n < 8 * n  # mapped y apart, less than the column alone
