"""``fastloss evaluate`` with measures, groups and several models: the numbers of ``fl.evaluate``."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fastloss as fl
from fastloss.cli import main

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(fl.__file__).parents[1])}


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    """Rows in a table, in files, and in a folder that is named after a column."""
    monkeypatch.chdir(tmp_path)
    for of_terminals in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(of_terminals, raising=False)
    rng = np.random.default_rng(3)
    n = 600
    y = rng.integers(0, 2, n).astype(np.uint8)
    a = (y + rng.normal(size=n) - 0.5).astype(np.float32)
    columns = {
        "y": y,
        "a": a,
        "b": (a + 0.3 * rng.normal(size=n)).astype(np.float32),
        "w": rng.uniform(size=n),
        "country": np.array(["de", "fr"])[(np.arange(n) > 250).astype(int)],
        "device": rng.integers(0, 3, n),
    }
    table = pa.table(columns)
    parquet.write_table(table, "t.parquet")
    for country, rows in (("de", slice(0, 251)), ("fr", slice(251, n))):
        Path(f"scores/country={country}").mkdir(parents=True)
        part = table.drop_columns(["country"]).slice(rows.start, rows.stop - rows.start)
        parquet.write_table(part, f"scores/country={country}/0.parquet")
    for name in ("y", "a", "b", "country"):
        np.save(f"{name}.npy", columns[name])
    return columns


def run(capsys, *argv):
    """Run the command and return its JSON document."""
    assert main(["evaluate", *argv, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def error(capsys, *argv):
    """Run the command, check the manners of its failure, and return the message."""
    status = main(["evaluate", *argv])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("fastloss: error: ")
    return err.removeprefix("fastloss: error: ").rstrip("\n")


def same(document, result):
    """Compare a document with a result, number by number."""
    wanted = result.to_dict()["estimates"]
    assert len(document["estimates"]) == len(wanted)
    for found, row in zip(document["estimates"], wanted, strict=True):
        assert found == {k: None if v != v else v for k, v in row.items()}


MEASURES = ["--loss", "bce", "--measure", "roc_auc", "--measure", "accuracy:threshold=0.25"]
WANTED = ["bce", "roc_auc", "accuracy:threshold=0.25"]


@pytest.mark.parametrize(
    "places",
    [
        ["t.parquet:y", "t.parquet:a", "t.parquet:b", "--by", "country", "--weights", ":w"],
        ["scores:y", ":a", ":b", "--by", "country", "--weights", "scores:w"],
        ["scores/*/0.parquet:y", ":a", "b.npy", "--by", "t.parquet:country", "--weights", "t.parquet:w"],
        ["y.npy", "a.npy", "b.npy", "--by", "country.npy", "--weights", "t.parquet:w"],
    ],
    ids=lambda places: places[0],
)
def test_groups_and_models_from_every_place(capsys, data, places):
    document = run(capsys, *places, *MEASURES, "--level", "0.9")
    result = fl.evaluate(
        data["y"], {"a": data["a"], "b": data["b"]}, WANTED, by={"country": data["country"]},
        sample_weight=data["w"], level=0.9,
    )  # fmt: skip
    same(document, result)
    assert document["models"] == ["a", "b"]
    assert document["y_true"] == places[0]
    assert sorted(document["y_pred"]) == ["a", "b"]


def test_several_keys_and_one_model(capsys, data):
    document = run(capsys, "scores:y", ":a", "--by", "device", "--by", "country", *MEASURES)
    by = {"device": data["device"], "country": data["country"]}
    same(document, fl.evaluate(data["y"], data["a"], WANTED, by=by))
    assert document["by"] == ["device", "country"]


@pytest.mark.parametrize("rows", [33, 10_000])
def test_an_arrow_stream_on_standard_input(capsys, data, monkeypatch, rows):
    table, sink = parquet.read_table("t.parquet"), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=rows)
    monkeypatch.setattr(sys, "stdin", io.BytesIO(sink.getvalue()))
    document = run(capsys, "-:y", "-:a", ":b", "--by", "country", *MEASURES)
    models = {"a": data["a"], "b": data["b"]}
    same(document, fl.evaluate(data["y"], models, WANTED, by={"country": data["country"]}))
    monkeypatch.setattr(sys, "stdin", io.BytesIO(b"no stream of Arrow batches"))
    assert "y_true: standard input: " in error(capsys, "-:y", "-:a", "--measure", "roc_auc")


def test_exact_keeps_all_scores(capsys):
    rng = np.random.default_rng(4)
    y, z = rng.integers(0, 2, 100_000), rng.normal(size=100_000)
    np.save("y.npy", y)
    np.save("z.npy", z)
    arguments = ["y.npy", "z.npy", "--measure", "roc_auc", "--loss", "bce"]
    (_, binned), (_, exact) = (run(capsys, *arguments, *more)["estimates"] for more in ([], ["--exact"]))
    assert binned["half_width"] > 0
    assert exact["half_width"] == 0
    assert exact["value"] == fl.evaluate(y, z, [fl.measures.ROCAUC(exact=True)])["roc_auc"].value
    assert "--measure roc_auc" in error(capsys, "y.npy", "z.npy", "--loss", "bce", "--exact")


def test_bad_rows_are_errors_or_skipped(capsys, data):
    y = data["y"].astype(float)
    y[[7, 300]] = 5, np.nan
    a = pa.array([None if i == 9 else float(x) for i, x in enumerate(data["a"])])
    parquet.write_table(pa.table({"y": y, "a": a}), "bad.parquet")
    arguments = ["bad.parquet:y", ":a", "--loss", "bce", "--measure", "ks"]
    assert error(capsys, *arguments) == "y_pred: bad.parquet:a: row 9 is null"
    parquet.write_table(pa.table({"y": y, "a": data["a"]}), "bad.parquet")
    assert error(capsys, *arguments).startswith("bad.parquet: y_true[7] = 5.0 is outside the domain")
    parquet.write_table(pa.table({"y": y, "a": a}), "bad.parquet")
    document = run(capsys, *arguments, "--on-error", "skip")
    kept = np.delete(np.arange(len(y)), [7, 9, 300])
    assert (document["samples"], document["skipped"]) == (len(y) - 3, 3)
    wanted = fl.evaluate(y[kept], data["a"][kept].astype(np.float64), ["bce"])["bce"]
    assert document["estimates"][0]["value"] == wanted.value
    assert main(["evaluate", *arguments, "--on-error", "skip"]) == 0
    assert "597 rows, 3 skipped" in capsys.readouterr().out


def test_the_table_and_the_picture(capsys):
    pytest.importorskip("matplotlib")
    arguments = ["scores:y", ":a", ":b", "--by", "country", "--loss", "bce", "--measure", "roc_auc"]
    assert main(["evaluate", *arguments, "--plot", "report.png"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "b - a" in out
    assert "std. error" in out
    assert "scores:a, scores:b against scores:y, 600 rows" in out
    assert Path("report.png").read_bytes().startswith(b"\x89PNG")
    for name, piece in (("report.doc", "must end in"), ("none/report.png", "there is no folder 'none'")):
        assert piece in error(capsys, *arguments, "--plot", name)


@pytest.mark.parametrize(
    ("arguments", "piece"),
    [
        (["t.parquet:y", ":a", ":c", "--loss", "bce"], "y_pred: t.parquet has no column 'c'; its columns:"),
        (["t.parquet:y", ":a", "--measure", "ks", "--by", "c"], "by: t.parquet has no column 'c'"),
        (["t.parquet:y", ":a", ":a", "--measure", "ks"], "':a' is there twice"),
        (["t.parquet:y", ":a", "--measure", "ks", "--by", "w", "--by", "w"], "'w' is there twice"),
        (["y.npy", "a.npy", "--measure", "ks", "--by", "country"], "'y.npy' is no table"),
        (["y.npy", "a.npy", "--measure", "kss"], "did you mean 'ks'"),
        (["y.npy", "a.npy", "--measure", "ks:q=1"], "'q'"),
        (["y.npy", "a.npy", "--measure", "ks", "--level", "1"], "--level must be between 0 and 1"),
        (["y.npy", "a.npy", "--measure", "ks", "--reduction", "sum"], "--reduction sum is of losses alone"),
        (["y.npy", "a.npy", "b.npy"], "needs a loss or a measure"),
        (["y.npy", "country.npy", "--measure", "ks"], "not real numbers"),
        (["y.npy", "a.npy", "--measure", "ks", "--on-error", "hide"], "hide"),
        (["y.npy", "short.npy", "--measure", "ks"], "differ in length"),
        (["t.parquet:y", "short.npy", "--measure", "ks"], "differ in length"),
        (["t.parquet:device", ":a", "--measure", "ks"], "is no label"),
        (["t.parquet:y", "nan.npy", ":a", "--measure", "ks"], "y_pred[5] = nan"),
        (["t.parquet:y", ":a", "nan.npy", "--measure", "ks"], "(the model 'nan')"),
        (["mixed:y", ":a", "--measure", "ks", "--by", "g"], "1.parquet: column 'g' is string, but int64 in"),
        (["mixed:y", ":g", "--measure", "ks"], "1.parquet: column 'g' is string, but int64 in"),
        (["empty:y", ":a", "--measure", "ks"], "the folder has no files"),
        (["y.npy", "a.npy", "--loss", "bce", "--loss", "bce", "--measure", "ks"], "bce is there twice"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_errors(capsys, data, arguments, piece):
    np.save("short.npy", data["a"][:-1])
    np.save("nan.npy", np.where(np.arange(len(data["a"])) == 5, np.nan, data["a"]))
    Path("mixed").mkdir()
    Path("empty").mkdir()
    for i, g in enumerate(([1, 2], ["x", "y"])):
        parquet.write_table(pa.table({"y": [0, 1], "a": [0.5, 1.0], "g": g}), f"mixed/{i}.parquet")
    assert piece in error(capsys, *arguments)


def test_empty_partitions_change_nothing(capsys, data):
    arguments = ["scores:y", ":a", *MEASURES, "--by", "country"]
    before = run(capsys, *arguments)["estimates"]
    Path("scores/country=xx").mkdir()
    empty = parquet.read_table("scores/country=de/0.parquet").slice(0, 0)
    parquet.write_table(empty, "scores/country=xx/0.parquet")
    assert run(capsys, *arguments)["estimates"] == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupt_while_standard_input_is_silent():
    command = [sys.executable, "-m", "fastloss", "evaluate", "-:y", "-:a", "--measure", "roc_auc"]
    process = subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    table, sink = parquet.read_table("t.parquet"), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    process.stdin.write(sink.getvalue()[:-8])  # without its end
    process.stdin.flush()
    time.sleep(3)  # until it waits for more
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_rows_that_are_no_distribution_are_warned_of_once(capsys, tmp_path):
    rows = np.full((10, 2), 0.5)
    rows[7:] = 0.75
    np.save(tmp_path / "p.npy", rows)
    np.save(tmp_path / "y.npy", np.zeros(10))
    files = [str(tmp_path / name) for name in ("y.npy", "p.npy")]
    arguments = ["evaluate", *files, "--loss", "cross_entropy:from_logits=false", "--measure", "accuracy"]
    assert main([*arguments, "--chunk-size", "2", "--json"]) == 0
    at = f"{files[1]}: y_pred[7]"
    assert capsys.readouterr().err == (
        f"fastloss: warning: CrossEntropy: {at} sums to 1.5 instead of 1; rows are used as given\n"
    )


def test_a_bad_prediction_of_one_of_several_files(capsys, tmp_path):
    np.save(tmp_path / "y.npy", np.array([0, 1, 1]))
    np.save(tmp_path / "a.npy", np.array([0.25, 1.5, 0.5]))
    np.save(tmp_path / "b.npy", np.array([0.25, 0.5, 0.5]))
    files = [str(tmp_path / name) for name in ("y.npy", "a.npy", "b.npy")]
    assert main(["evaluate", *files, "--loss", "bce:from_logits=false"]) == 2
    err = capsys.readouterr().err
    assert "y_pred[1] = 1.5" in err
    assert "the model 'a'" in err
    assert "b.npy" not in err
