"""What the command says when something is wrong: one line, exit status 2, no traceback."""

from __future__ import annotations

import gzip
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

import fastloss as fl
from fastloss.cli import evaluate, main

SAMPLES = 100
# A process of its own finds the package that is tested here, installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(fl.__file__).parents[1])}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Good and bad files."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    y, z = rng.integers(0, 2, SAMPLES).astype(np.int8), rng.normal(size=SAMPLES)
    table = pa.table({"y": y, "z": z, "name": ["a"] * SAMPLES})
    pa.csv.write_csv(table, "t.csv")
    pa.parquet.write_table(table, "t.parquet")
    np.save("y.npy", y)
    np.save("z.npy", z)
    np.save("short.npy", z[:99])
    np.save("square.npy", z.reshape(10, 10))
    np.save("empty.npy", z[:0])
    np.save("zero.npy", np.zeros(SAMPLES))
    np.save("words.npy", np.array(["a"] * SAMPLES))
    np.save("complex.npy", z * 1j)
    np.save("dates.npy", np.zeros(SAMPLES, "datetime64[s]"))
    np.save("fields.npy", np.zeros(SAMPLES, [("a", "f8"), ("b", "f4")]))
    np.save("objects.npy", np.array([1, None], object), allow_pickle=True)
    np.save("scalar.npy", np.float64(1))
    spoilt = {"label": (77, 7), "label_nan": (88, np.nan), "probability": (55, 1.5), "weight": (66, -1)}
    for name, (index, bad) in {**spoilt, "weight_nan": (99, np.nan)}.items():
        column = np.ones(SAMPLES)
        column[index] = bad
        np.save(f"{name}.npy", column)
        np.save(f"{name}_square.npy", column.reshape(10, 10))
        pa.csv.write_csv(pa.table({name: column}), f"{name}.csv")
    Path("pickled.npy").write_bytes(pickle.dumps([1.0]))
    Path("text.npy").write_text("1\n2\n")
    Path("nothing.npy").touch()
    Path("truncated.npy").write_bytes(Path("z.npy").read_bytes()[:300])
    Path("header.npy").write_bytes(Path("z.npy").read_bytes()[:60])
    with open("archive.npy", "wb") as file:
        np.savez(file, z=z)
    Path("folder.npy").mkdir()
    Path("nothing.csv").touch()
    Path("headless.csv").write_text("0.5\n0.25\n")
    Path("twice.csv").write_text("z,z\n1,2\n")
    Path("word.csv").write_text("k,z\n1,0.5\n2,abc\n3,1\n")
    Path("gap.csv").write_text("k,z\n1,0.5\n2,1\n3,\n")
    Path("blank.csv").write_text("z\n0.5\n\n1\n")
    Path("na.csv").write_text("z\n0.5\nNA\n1\n")
    Path("ragged.csv").write_text("k,z\n1,2\n1,2,3\n")
    Path("latin.csv").write_bytes("k,größe,word\n1,2,süß\n".encode("latin-1"))
    Path("packed.csv").write_bytes(gzip.compress(b"z\n1\n"))
    Path("spoilt.csv.gz").write_bytes(gzip.compress(b"z\n1\n")[:-9])
    Path("plain.csv.gz").write_bytes(b"z\n1\n")
    Path("wide.csv").write_bytes("z\n1\n".encode("utf-16"))
    Path("parquet.csv").write_bytes(Path("t.parquet").read_bytes())
    npy = Path("z.npy").read_bytes()
    Path("zip.npy").write_bytes(b"PK\x03\x04" + npy)
    Path("version.npy").write_bytes(npy[:6] + b"\x09" + npy[7:])
    Path("garbled.npy").write_bytes(npy.replace(b"'fortran_order'", b"'fortran_order("))
    shapes = {
        "huge": b"(100000000000000000000,)",
        "product": b"(4611686018427387904, 8)",
        "negative": b"(-100,)",
    }
    for name, shape in shapes.items():
        padding = b" " * (len(shape) - len(b"(100,)"))
        Path(f"{name}.npy").write_bytes(npy.replace(b"(100,), }" + padding, shape + b", }"))
    parquet = Path("t.parquet").read_bytes()
    Path("short.parquet").write_bytes(parquet[:-200])
    Path("spoilt.parquet").write_bytes(
        parquet[:4] + bytes(len(parquet) // 2) + parquet[4 + len(parquet) // 2 :]
    )
    Path("name.parquet").write_bytes(parquet.replace(b"name", b"n\xe9me"))
    pa.feather.write_feather(table, "feather.parquet")
    Path("nothing.parquet").touch()
    Path("text.parquet").write_text("z\n1\n2\n")
    pa.parquet.write_table(pa.table({"z": [0.5, 1.0, None, None], "none": pa.nulls(4)}), "nulls.parquet")
    structs = pa.array([{"a": 1.0}])
    pa.parquet.write_table(pa.table({"nested": structs}), "nested.parquet")


def error(capsys, *argv):
    """Run the command, check the manners of its failure, and return the message."""
    status = main([str(argument) for argument in argv])
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.startswith("fastloss: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err.removeprefix("fastloss: error: ").rstrip("\n")


FILES = [
    (["y.npy", "missing.npy"], ["y_pred", "no file", "'missing.npy'"]),
    (["missing.csv:y", "z.npy"], ["y_true", "no file", "'missing.csv'"]),
    (["y.npy", "z.txt"], ["y_pred", "'.txt'", ".npy, .csv, .parquet"]),
    (["y.npy", "z.npy:z"], ["y_pred", "no columns"]),
    (["y.npy", "t.csv:zz"], ["y_pred", "no column 'zz'", "'y', 'z', 'name'"]),
    (["y.npy", "t.parquet:zz"], ["y_pred", "no column 'zz'", "'y', 'z', 'name'"]),
    (["y.npy", "t.csv"], ["3 columns", "t.csv:COLUMN", "'y', 'z', 'name'"]),
    (["y.npy", "t.parquet"], ["3 columns", "t.parquet:COLUMN"]),
    (["y.npy", "twice.csv:z"], ["more than one column 'z'"]),
    (["y.npy", "headless.csv"], ["no header but '0.5'", "headless.csv:0.5"]),
    (["y.npy", "t.csv:name"], ["y_pred", "t.csv:name", "row 0", "'a'"]),
    (["y.npy", "t.parquet:name"], ["y_pred", "string", "not real numbers"]),
    (["y.npy", "nested.parquet:nested"], ["struct", "not real numbers"]),
    (["y.npy", "word.csv:z"], ["y_pred", "row 1", "'abc'"]),
    (["y.npy", "gap.csv:z"], ["y_pred", "row 2", "empty"]),
    (["y.npy", "blank.csv"], ["y_pred", "row 1", "empty"]),
    (["y.npy", "na.csv"], ["y_pred", "row 1", "'NA'"]),
    (["y.npy", "ragged.csv:z"], ["ragged.csv", "Expected 2 columns, got 3"]),
    (["y.npy", "latin.csv:word"], ["latin.csv", "after row 0", "UTF8"]),
    (["y.npy", "latin.csv:größ"], ["latin.csv", "no column 'größ'", "'größe'"]),
    (["y.npy", "packed.csv:z"], ["y_pred", "packed.csv is compressed by gzip"]),
    (["y.npy", "parquet.csv:z"], ["y_pred", "parquet.csv is a .parquet file"]),
    (["y.npy", "spoilt.csv.gz:z"], ["y_pred: spoilt.csv.gz: Truncated"]),
    (["y.npy", "plain.csv.gz:z"], ["y_pred: plain.csv.gz: zlib inflate failed"]),
    (["y.npy", "wide.csv:z"], ["y_pred", "length", "wide.csv:z has 1"]),
    (["y.npy", "zip.npy"], ["zip.npy is an archive of arrays"]),
    (["y.npy", "huge.npy"], ["huge.npy", "shape in its header cannot be"]),
    (["y.npy", "product.npy"], ["product.npy", "shape in its header cannot be"]),
    (["y.npy", "negative.npy"], ["negative.npy", "shape in its header cannot be"]),
    (["y.npy", "version.npy"], ["version.npy", "its header is broken"]),
    (["y.npy", "garbled.npy"], ["garbled.npy", "its header is broken"]),
    (["y.npy", "short.parquet:z"], ["short.parquet"]),
    (["y.npy", "spoilt.parquet:z"], ["spoilt.parquet"]),
    (["y.npy", "feather.parquet:z"], ["feather.parquet"]),
    (["y.npy", "name.parquet:z"], ["y_pred", "name.parquet", "utf-8"]),
    (["y.npy", "nothing.csv"], ["y_pred", "nothing.csv is empty"]),
    (["y.npy", "nothing.parquet"], ["y_pred", "nothing.parquet", "0 bytes"]),
    (["y.npy", "text.parquet"], ["y_pred", "text.parquet"]),
    (["y.npy", "words.npy"], ["y_pred", "words.npy", "<U1", "not real numbers"]),
    (["y.npy", "complex.npy"], ["complex128", "not real numbers"]),
    (["y.npy", "dates.npy"], ["datetime64", "not real numbers"]),
    (["y.npy", "fields.npy"], ["fields.npy", "not real numbers"]),
    (["y.npy", "objects.npy"], ["objects.npy", "Python objects"]),
    (["y.npy", "scalar.npy"], ["scalar.npy", "single number"]),
    (["y.npy", "pickled.npy"], ["pickled.npy", "pickled data is never loaded"]),
    (["y.npy", "text.npy"], ["text.npy", "not a .npy file"]),
    (["y.npy", "nothing.npy"], ["nothing.npy is empty"]),
    (["y.npy", "truncated.npy"], ["truncated.npy", "truncated"]),
    (["y.npy", "header.npy"], ["header.npy", "truncated"]),
    (["y.npy", "archive.npy"], ["archive.npy", "archive"]),
    (["y.npy", "folder.npy"], ["folder.npy", "directory"]),
    (["y.npy", "short.npy"], ["y_true and y_pred", "length", "y.npy has 100 rows", "short.npy has 99"]),
    (["t.csv:y", "short.npy"], ["length", "t.csv:y has 100 rows", "short.npy has 99"]),
    (["short.npy", "t.parquet:y"], ["length", "short.npy has 99 rows", "t.parquet:y has 100"]),
    (["y.npy", "z.npy", "--weights", "short.npy"], ["y_true and sample_weight", "short.npy has 99"]),
    (["y.npy", "square.npy"], ["y_true and y_pred", "shape", "(100,)", "(10, 10)"]),
    (["t.csv:y", "square.npy"], ["shape", "(n,)", "(10, 10)"]),
    (["empty.npy", "empty.npy"], ["empty.npy has no rows"]),
    (["y.npy", "z.npy", "--weights", "zero.npy"], ["sample_weight", "zero.npy", "0 everywhere"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "pieces"), FILES, ids=[" ".join(files) for files, _ in FILES])
def test_files(capsys, files, pieces):
    message = error(capsys, "evaluate", *files, "--loss", "mse")
    assert all(piece in message for piece in pieces), message


@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize(
    ("files", "spec", "pieces"),
    [
        (["label.npy", "z.npy"], "bce", ["label.npy", "y_true[77] = 7"]),
        (["label.csv", "z.npy"], "hinge", ["label.csv:label", "y_true[77] = 7"]),
        (["label_nan.npy", "z.npy"], "focal", ["y_true[88] = nan"]),
        (["label_square.npy", "square.npy"], "bce", ["y_true[7, 7] = 7"]),
        (["y.npy", "probability.npy"], "bce:from_logits=false", ["probability.npy", "y_pred[55] = 1.5"]),
        (["y.npy", "z.npy", "--weights", "weight.npy"], "mse", ["weight.npy", "sample_weight[66] = -1"]),
        (["y.npy", "z.npy", "--weights", "weight_nan.csv"], "mse", ["sample_weight[99] = nan"]),
        (["square.npy", "square.npy", "--weights", "weight_square.npy"], "mse", ["sample_weight[6, 6]"]),
    ],
    ids=" ".join,
)
def test_values_are_named_by_their_place_in_the_file(capsys, files, spec, pieces, chunk):
    message = error(capsys, "evaluate", *files, "--loss", spec, "--chunk-size", chunk)
    assert all(piece in message for piece in pieces), message


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_nulls_are_named_by_their_row(capsys, chunk):
    np.save("y.npy", np.zeros(4))
    arguments = ["--loss", "mse", "--chunk-size", chunk]
    message = error(capsys, "evaluate", "y.npy", "nulls.parquet:z", *arguments)
    assert message == "y_pred: nulls.parquet:z: row 2 is null"
    message = error(capsys, "evaluate", "nulls.parquet:none", "y.npy", *arguments)
    assert message == "y_true: nulls.parquet:none: row 0 is null"


def test_bad_cell_beyond_the_first_block(capsys):
    Path("long.csv").write_text("z\n" + "0.123456789\n" * 200_000 + "x\n")
    np.save("y.npy", np.zeros(200_001))
    message = error(capsys, "evaluate", "y.npy", "long.csv", "--loss", "mse")
    assert message == "y_pred: long.csv:z: row 200000 is 'x', which is not a number"


def test_lengths_of_two_streams(capsys):
    Path("long.csv").write_text("z\n" + "0.123456789\n" * 200_001)
    Path("longer.csv").write_text("z\n" + "0.123456789\n" * 350_000)
    message = error(capsys, "evaluate", "long.csv", "longer.csv", "--loss", "mse")
    assert message == (
        "y_true and y_pred differ in length: long.csv:z has 200,001 rows, longer.csv:z has 350,000"
    )


@pytest.mark.parametrize(
    ("arguments", "pieces"),
    [
        ([], ["COMMAND"]),
        (["frob"], ["'frob'", "evaluate"]),
        (["evaluate", "y.npy"], ["PRED"]),
        (["evaluate", "y.npy", "z.npy"], ["--loss mse", "fastloss list"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "bec"], ["'bec'", "did you mean bce"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "huber:q=1"], ["'q'", "delta"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "mse", "--threads", "0"], ["--threads", "'0'"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "mse", "--threads", "-1"], ["--threads"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "mse", "--threads", "two"], ["--threads", "'two'"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "mse", "--threads", "99999"], ["n_threads", "99999"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "mse", "--chunk-size", "0"], ["--chunk-size", "'0'"]),
        (["evaluate", "y.npy", "z.npy", "--loss", "mse", "--reduction", "none"], ["--reduction", "'none'"]),
        (["list", "--family", "nope"], ["'nope'", "regression, binary"]),
    ],
    ids=" ".join,
)
def test_arguments(capsys, arguments, pieces):
    message = error(capsys, *arguments)
    assert all(piece in message for piece in pieces), message


@pytest.mark.parametrize(
    ("missing", "arguments", "message"),
    [
        ("rich", ["evaluate", "y.npy", "z.npy", "--loss", "mse"], "without it, use --json) needs rich"),
        ("rich", ["list"], "needs rich"),
        ("pyarrow", ["evaluate", "t.csv:y", "z.npy", "--loss", "mse", "--json"], "needs pyarrow"),
        ("pyarrow", ["evaluate", "t.parquet:y", "z.npy", "--loss", "mse", "--json"], "needs pyarrow"),
    ],
)
def test_missing_libraries_are_named_with_their_extra(capsys, monkeypatch, missing, arguments, message):
    for module in [name for name in sys.modules if name == missing or name.startswith(f"{missing}.")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, missing, None)
    found = error(capsys, *arguments)
    assert message in found
    assert found.endswith('pip install "fastloss[cli]"')


def run(*argv, code=None):
    """Run the command in a process of its own."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "fastloss"]), *argv]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_numpy_alone_is_enough_for_npy_and_json():
    code = (
        "import sys\n"
        "for name in ('rich', 'pyarrow', 'scipy', 'sklearn', 'pandas'): sys.modules[name] = None\n"
        "from fastloss.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = run("evaluate", "y.npy", "z.npy", "--loss", "mse", "--json", code=code)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"value": ' in done.stdout
    assert run("info", code=code).returncode == 0
    assert run("list", "--json", code=code).returncode == 0


def test_a_process_fails_as_main_does():
    done = run("evaluate", "y.npy", "short.npy", "--loss", "mse")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "fastloss: error: y_true and y_pred differ in length: y.npy has 100 rows, short.npy has 99\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
@pytest.mark.parametrize("arguments", [["list", "--json"], ["list"], ["info"]], ids=" ".join)
def test_a_closed_pipe_is_no_error_to_shout_about(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fastloss", *arguments],
            env=ENVIRONMENT,
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode not in (0, 2)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals and named pipes")
def test_interrupt_ends_quietly():
    os.mkfifo("endless.csv")
    process = subprocess.Popen(
        [sys.executable, "-m", "fastloss", "evaluate", "y.npy", "endless.csv", "--loss", "mse", "--json"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    writer = None
    while writer is None and process.poll() is None:
        try:
            writer = os.open("endless.csv", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # the command does not read yet
            time.sleep(0.01)
    time.sleep(2)  # until it waits for data, not still for the file to be opened
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")
    os.close(writer)


def test_running_out_of_memory_is_an_error_in_words(capsys, monkeypatch):
    def exhaust(*args, **options):
        raise MemoryError

    monkeypatch.setattr(evaluate, "score_files", exhaust)
    assert "--chunk-size" in error(capsys, "evaluate", "y.npy", "z.npy", "--loss", "mse", "--json")
