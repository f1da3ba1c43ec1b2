"""``fastloss evaluate`` with losses of rows: right numbers from matrices, whatever the file and chunks."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.scoring import counted_weight

ROWS, CLASSES = 60, 4
CHUNKS = [1, 7, 1000]
LOG2, LOG3 = math.log(2), math.log(3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Labels y, logits z, probabilities p and soft targets q, weights w; the matrices in every form."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(11)
    z = rng.normal(size=(ROWS, CLASSES))
    p, q = rng.dirichlet(np.ones(CLASSES), (2, ROWS))
    arrays = {"y": rng.integers(0, CLASSES, ROWS), "w": rng.random(ROWS), "z": z, "p": p, "q": q}
    columns = {}
    for name, array in arrays.items():
        np.save(f"{name}.npy", array)
        by_column = {f"{name}{k}": array[:, k] for k in range(CLASSES)} if array.ndim == 2 else {name: array}
        columns |= by_column
    np.save("f.npy", np.asfortranarray(z))
    np.save("yf.npy", arrays["y"].astype(np.float32))
    table = pa.table(columns)
    pa.csv.write_csv(table, "t.csv")
    pa.parquet.write_table(table, "t.parquet", row_group_size=17)
    return arrays


def evaluate(capsys, *argv):
    """Run the command with --json and return its losses."""
    status = main(["evaluate", *map(str, argv), "--json"])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return json.loads(out)["losses"]


def value(capsys, *argv):
    (loss,) = evaluate(capsys, *argv)
    return loss["value"]


def error(capsys, *argv):
    """Run the command, check the manners of its failure, and return the message."""
    status = main(["evaluate", *map(str, argv)])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("fastloss: error: ")
    assert "Traceback" not in err
    return err.removeprefix("fastloss: error: ").rstrip("\n")


def save_by_hand():
    """Rows of classes 0, 1, 2 whose softmax is (1/2, 1/4, 1/4), (1/3, 1/3, 1/3) and (1/8, 1/8, 3/4)."""
    z = np.log([[2.0, 1, 1], [5, 5, 5], [1, 1, 6]])
    np.save("z.npy", z)
    np.save("p.npy", np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    np.save("y.npy", np.array([0, 1, 2], np.uint8))
    np.save("one_hot.npy", np.eye(3, dtype=np.int8))


@pytest.mark.parametrize("chunk", CHUNKS)
def test_cross_entropy_by_hand(tmp_path, monkeypatch, capsys, chunk):
    monkeypatch.chdir(tmp_path)
    save_by_hand()
    rows = np.array([LOG2, LOG3, math.log(4 / 3)])
    for files, spec in [
        (["y.npy", "z.npy"], "cross_entropy"),
        (["one_hot.npy", "z.npy"], "cross_entropy"),
        (["y.npy", "p.npy"], "cross_entropy:from_logits=false"),
        (["one_hot.npy", "p.npy"], "kl"),
    ]:
        arguments = [*files, "--loss", spec, "--chunk-size", chunk]
        assert value(capsys, *arguments) == pytest.approx(rows.mean(), rel=1e-14)
        assert value(capsys, *arguments, "--reduction", "sum") == pytest.approx(rows.sum(), rel=1e-14)
        np.save("w.npy", np.array([1, 0, 5]))
        (loss,) = evaluate(capsys, *arguments, "--weights", "w.npy")
        assert loss["value"] == pytest.approx((rows[0] + 5 * rows[2]) / 6, rel=1e-14)
        assert (loss["n"], loss["sum_of_weights"]) == (3, 6.0)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_mean_divides_by_the_weights_that_counted(tmp_path, monkeypatch, capsys, chunk):
    monkeypatch.chdir(tmp_path)
    save_by_hand()
    options = ["--chunk-size", chunk, "--loss"]
    (loss,) = evaluate(capsys, "y.npy", "z.npy", *options, "cross_entropy:class_weight=1:2:4")
    expected = (LOG2 + 2 * LOG3 + 4 * math.log(4 / 3)) / 7
    assert (loss["value"], loss["sum_of_weights"]) == (pytest.approx(expected, rel=1e-14), 7.0)
    (loss,) = evaluate(capsys, "y.npy", "z.npy", *options, "cross_entropy:ignore_index=1")
    expected = (LOG2 + math.log(4 / 3)) / 2
    assert (loss["value"], loss["sum_of_weights"]) == (pytest.approx(expected, rel=1e-14), 2.0)
    # An ignored index may lie outside the classes; class weights and sample weights multiply.
    np.save("y.npy", np.array([0.0, -100.0, 2.0]))
    np.save("w.npy", np.array([3.0, 7.0, 0.5]))
    spec = "cross_entropy:class_weight=1:2:4,ignore_index=-100"
    (loss,) = evaluate(capsys, "y.npy", "z.npy", "--weights", "w.npy", *options, spec)
    expected = (3 * LOG2 + 2 * math.log(4 / 3)) / 5
    assert (loss["value"], loss["sum_of_weights"]) == (pytest.approx(expected, rel=1e-14), 5.0)
    assert loss["parameters"]["class_weight"] == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_rows_that_are_all_ignored_give_zero(tmp_path, monkeypatch, capsys, chunk):
    monkeypatch.chdir(tmp_path)
    save_by_hand()
    np.save("y.npy", np.full(3, -1))
    loss, unweighted = evaluate(
        capsys, "y.npy", "z.npy", "--chunk-size", chunk, "--loss", "cross_entropy:ignore_index=-1",
        "--loss", "cross_entropy:ignore_index=-1,class_weight=1:0:1"
    )  # fmt: skip
    assert (loss["value"], loss["sum_of_weights"], loss["n"]) == (0.0, 0.0, 3)
    assert unweighted["value"] == 0.0


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("multiclass_hinge", (1 - LOG2 + 1 + 0) / 3),
        ("multiclass_hinge:kind=weston-watkins", (2 * (1 - LOG2) + 2 + 0) / 3),
        ("multiclass_focal:gamma=1", (LOG2 / 2 + LOG3 * 2 / 3 + math.log(4 / 3) / 4) / 3),
        ("multiclass_focal:gamma=0,alpha=1:0:3", (LOG2 + 3 * math.log(4 / 3)) / 3),
    ],
)
def test_other_losses_of_labels_by_hand(tmp_path, monkeypatch, capsys, spec, expected):
    monkeypatch.chdir(tmp_path)
    save_by_hand()
    assert value(capsys, "y.npy", "z.npy", "--loss", spec) == pytest.approx(expected, rel=1e-14)


def test_losses_of_rows_and_of_numbers_together(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.array([[1.0, 0.0], [0.0, 0.0]]))
    np.save("z.npy", np.array([[0.0, 1.0], [3.0, 4.0]]))
    np.save("w.npy", np.array([1.0, 3.0]))
    specs = ["--loss", "euclidean", "--loss", "mse", "--loss", "cross_entropy"]
    files = ["y.npy", "z.npy", "--weights", "w.npy"]
    euclidean, mse, _ = evaluate(capsys, *files, *specs, "--chunk-size", 1)
    assert euclidean["value"] == pytest.approx((math.sqrt(2) + 3 * 5) / 4, rel=1e-15)
    assert (euclidean["n"], euclidean["sum_of_weights"]) == (2, 4.0)
    assert mse["value"] == (1 + 1 + 3 * 9 + 3 * 16) / 8
    assert (mse["n"], mse["sum_of_weights"]) == (4, 8.0)


SPECS = {
    "labels": ["cross_entropy:class_weight=1:0.5:2:3,label_smoothing=0.1,ignore_index=2", "multiclass_focal",
               "multiclass_hinge", "multiclass_hinge:kind=weston-watkins"],
    "targets": ["cross_entropy", "cross_entropy:class_weight=1:0.5:2:3,label_smoothing=0.1",
                "kl:from_logits=true", "euclidean"],
}  # fmt: skip


@pytest.mark.parametrize(
    "predicted", ["z.npy", "f.npy", "t.csv:z0,z1,z2,z3", "t.parquet:z*", "t.parquet:z0,z[1-3]"]
)
@pytest.mark.parametrize("chunk", CHUNKS)
def test_any_form_and_chunks_give_the_librarys_own_mean(folder, capsys, predicted, chunk):
    for forms, specs in ((["y.npy", "yf.npy", "t.csv:y"], "labels"), (["q.npy", "t.parquet:q*"], "targets")):
        targets = folder["y" if specs == "labels" else "q"]
        for form in forms:
            arguments = [form, predicted, "--weights", "w.npy", "--chunk-size", chunk]
            arguments += [argument for spec in SPECS[specs] for argument in ("--loss", spec)]
            for result in evaluate(capsys, *arguments):
                loss = fl.get_loss(result["loss"], **result["parameters"])
                mean = loss(targets, folder["z"], sample_weight=folder["w"])
                assert result["value"] == pytest.approx(mean, rel=1e-14), loss


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("dense", "options"),
    [
        (False, {}),
        (False, {"class_weight": [1, 0.5, 2, 3]}),
        (False, {"ignore_index": 2}),
        (False, {"class_weight": [1, 0.5, 2, 3], "ignore_index": 2, "label_smoothing": 0.25}),
        (True, {}),
        (True, {"class_weight": [1, 0.5, 2, 3]}),
        (True, {"class_weight": [1, 0.5, 2, 3], "label_smoothing": 0.25}),
    ],
)
def test_counted_weight_is_what_the_library_divides_by(folder, weighted, dense, options):
    loss = fl.CrossEntropy(**options)
    y, z, w = folder["q" if dense else "y"], folder["z"], folder["w"] if weighted else None
    if dense:
        y = 3 * y  # rows need not sum to one
    weight, counted = counted_weight(loss, y, z, w)
    ratio = loss(y, z, sample_weight=w, reduction="sum") / loss(y, z, sample_weight=w)
    assert weight == pytest.approx(ratio, rel=1e-14)
    assert counted == (np.count_nonzero(y != 2) if "ignore_index" in options else ROWS)


def test_precision_is_that_of_the_columns(folder, capsys):
    halves = {"a": pa.array(np.ones(3, np.float32)), "b": pa.array(np.zeros(3, np.float32))}
    pa.parquet.write_table(pa.table(halves | {"y": [0, 1, 1], "n": [1, 2, 3]}), "s.parquet")
    for columns, dtype in [("a,b", "float32"), ("a,n", "float64"), ("y,n", "int64")]:
        assert main(["evaluate", "s.parquet:y", f"s.parquet:{columns}", "--loss", "cce", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["dtype"] == dtype


def test_columns_are_taken_in_the_order_given(folder, capsys):
    arguments = ["--loss", "cross_entropy", "--chunk-size", 7]
    swapped = value(capsys, "y.npy", "t.parquet:z3,z0,z2,z1", *arguments)
    expected = fl.CrossEntropy()(folder["y"], folder["z"][:, [3, 0, 2, 1]])
    assert swapped == pytest.approx(expected, rel=1e-14)


def test_a_column_of_that_very_name_comes_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pa.csv.write_csv(
        pa.table({"a,b": [1.0, 2.0], "a": [0.0, 0.0], "b": [0.0, 0.0], "a*": [3.0, 5.0]}), "t.csv"
    )
    np.save("y.npy", np.zeros(2))
    assert value(capsys, "y.npy", "t.csv:a,b", "--loss", "mae") == 1.5
    assert value(capsys, "y.npy", "t.csv:a*", "--loss", "mae") == 4.0
    np.save("y.npy", np.zeros((2, 2)))
    assert value(capsys, "y.npy", "t.csv:b,a*", "--loss", "mae") == 2.0


def test_table_counts_rows(folder, capsys):
    assert main(["evaluate", "y.npy", "t.parquet:z*", "--loss", "cross_entropy", "--weights", "w.npy"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f" {ROWS} " in out
    assert "t.parquet:z* against y.npy, float64" in out
    assert f"w.npy, which add up to {folder['w'].sum():.9g}" in out


SHAPES = [
    (["y.npy", "w.npy"], "cross_entropy", ["y_pred has shape (n,), expected (n, C)", "y.npy is (60,)"]),
    (["z.npy", "y.npy"], "cross_entropy", ["y_pred has shape (n,)", "z.npy is (60, 4)", "y.npy is (60,)"]),
    (["t.parquet:q0,q1", "z.npy"], "cross_entropy", ["(n, 2), expected (n,) class indices or (n, 4)"]),
    (["t.csv:q0,q1", "z.npy"], "cross_entropy", ["y_true has shape (n, 2)", "t.csv:q0,q1 is (n, 2)"]),
    (["q.npy", "z.npy"], "multiclass_hinge", ["expected (n,) class indices", "q.npy is (60, 4)"]),
    (["y.npy", "p.npy"], "kl", ["y_true has shape (n,), expected (n, 4)", "p.npy is (60, 4)"]),
    (["y.npy", "z.npy"], "mse", ["(n,) and (n, 4)", "y.npy is (60,), z.npy is (60, 4)"]),
    (["y.npy", "z.npy"], "cross_entropy:class_weight=1:2", ["class_weight has 2 numbers", "4 classes"]),
    (["y.npy", "z.npy"], "multiclass_focal:alpha=1:2", ["alpha has 2 numbers", "4 classes"]),
    (["q.npy", "z.npy"], "cross_entropy:ignore_index=1", ["ignore_index needs y_true to be class indices"]),
    (["y.npy", "z.npy", "--weights", "q.npy"], "cross_entropy", ["sample_weight has shape (n, 4)", "q.npy"]),
    (["y.npy", "cube.npy"], "cross_entropy", ["y_pred has shape (n, 2, 2)", "cube.npy is (60, 2, 2)"]),
    (["y.npy", "narrow.npy"], "cross_entropy", ["y_pred has shape (n, 0)", "narrow.npy is (60, 0)"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "spec", "pieces"), SHAPES, ids=[f"{f[:2]} {s}" for f, s, _ in SHAPES])
def test_shapes_that_a_loss_does_not_take(folder, capsys, files, spec, pieces):
    np.save("cube.npy", folder["z"].reshape(ROWS, 2, 2))
    np.save("narrow.npy", folder["z"][:, :0])
    message = error(capsys, *files, "--loss", spec)
    assert message.startswith(f"loss {spec!r}: ")
    assert all(piece in message for piece in pieces), message


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize(
    ("change", "files", "spec", "pieces"),
    [
        (("y", 41, 4), ["y.npy", "z.npy"], "cross_entropy", ["y.npy: y_true[41] = 4", "0 to 3"]),
        (("y", 41, -1), ["y.npy", "f.npy"], "multiclass_hinge", ["y_true[41] = -1"]),
        (("yf", 41, 1.5), ["yf.npy", "z.npy"], "multiclass_focal", ["yf.npy: y_true[41] = 1.5"]),
        (("yf", 41, np.nan), ["yf.npy", "z.npy"], "cross_entropy", ["y_true[41] = nan"]),
        (("p", (41, 2), 1.5), ["y.npy", "p.npy"], "cross_entropy:from_logits=false", ["y_pred[41, 2] = 1.5"]),
        (("q", (41, 2), -0.5), ["q.npy", "p.npy"], "kl", ["q.npy: y_true[41, 2] = -0.5"]),
        (("q", (41, 2), np.nan), ["p.npy", "q.npy"], "js", ["q.npy: y_pred[41, 2] = nan"]),
        (("w", 41, -2), ["y.npy", "z.npy", "--weights", "w.npy"], "cce", ["w.npy: sample_weight[41] = -2"]),
    ],
    ids=lambda case: str(case),
)
def test_values_are_named_by_their_place_in_the_file(folder, capsys, chunk, change, files, spec, pieces):
    name, index, bad = change
    array = np.load(f"{name}.npy")
    array[index] = bad
    np.save(f"{name}.npy", array)
    message = error(capsys, *files, "--loss", spec, "--chunk-size", chunk)
    assert all(piece in message for piece in pieces), message


@pytest.mark.parametrize(
    ("files", "pieces"),
    [
        (["y.npy", "t.csv:z0,zz"], ["y_pred: t.csv has no column 'zz'", "'z0', 'z1'"]),
        (["y.npy", "t.parquet:k*"], ["no column 'k*'", "'z0', 'z1'"]),
        (["y.npy", "t.parquet:z0,"], ["no column ''"]),
        (["y.npy", "t.parquet:z0,z*"], ["column 'z0' is in 'z0,z*' more than once"]),
        (["y.npy", "t.parquet"], ["columns: name one as t.parquet:COLUMN, or several separated by commas"]),
        (["y.npy", "mixed.parquet:*"], ["mixed.parquet:word holds string, not real numbers"]),
        (["t.csv:y", "gaps.parquet:*"], ["y_pred: gaps.parquet:b: row 1 is null"]),
        (["t.csv:y", "gaps.csv:a,b"], ["y_pred: gaps.csv:b: row 1 is empty"]),
        (["y.npy", "t.csv:z*"], ["differ in length: y.npy has 59 rows, t.csv:z* has 60"]),
        (["y.npy", "z.npy"], ["differ in length: y.npy has 59 rows, z.npy has 60"]),
        (["t.csv:y", "z.npy", "--weights", "y.npy"], ["y_pred and sample_weight differ", "y.npy has 59"]),
        (["t.csv:y", "z.npy", "--weights", "zero.npy"], ["zero.npy is 0 everywhere"]),
    ],
    ids=str,
)
def test_columns_and_lengths(folder, capsys, files, pieces):
    np.save("y.npy", folder["y"][:-1])
    np.save("zero.npy", np.zeros(ROWS))
    pa.parquet.write_table(pa.table({"a": [1.0] * ROWS, "word": ["x"] * ROWS}), "mixed.parquet")
    gaps = pa.table({"a": [1.0] * ROWS, "b": [1.0, None] * (ROWS // 2)})
    pa.parquet.write_table(gaps, "gaps.parquet")
    pa.csv.write_csv(gaps, "gaps.csv")
    message = error(capsys, *files, "--loss", "cross_entropy", "--chunk-size", 7)
    assert all(piece in message for piece in pieces), message


def test_weights_of_classes_may_leave_no_mean(folder, capsys):
    np.save("y.npy", np.zeros(ROWS, np.int8))
    spec = "cross_entropy:class_weight=0:1:1:1"
    message = error(capsys, "y.npy", "z.npy", "--loss", spec)
    assert "class_weight=0:1:1:1" in message
    assert "weight 0: there is no mean" in message
    assert value(capsys, "y.npy", "z.npy", "--loss", spec, "--reduction", "sum") == 0.0


@pytest.mark.parametrize("chunk", CHUNKS)
def test_rows_that_are_no_distribution_are_warned_of_once(folder, capsys, chunk):
    p = folder["p"].copy()
    p[[41, 50]] /= 2
    np.save("p.npy", p)
    spec = "cross_entropy:from_logits=false"
    arguments = [
        "evaluate",
        "y.npy",
        "p.npy",
        "--loss",
        spec,
        "--loss",
        "multiclass_focal:from_logits=false",
        "--json",
    ]
    assert main([*arguments, "--chunk-size", str(chunk)]) == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == (
        "fastloss: warning: CrossEntropy: p.npy: y_pred[41] sums to 0.5 instead of 1; rows are used as given"
    )
    assert len(lines) == 2
    cross_entropy, focal = json.loads(out)["losses"]
    assert cross_entropy["warning"] == lines[0].removeprefix("fastloss: warning: ")
    assert "Focal: p.npy: y_pred[41] sums to 0.5" in focal["warning"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = fl.CrossEntropy(from_logits=False)(folder["y"], p)
    assert cross_entropy["value"] == pytest.approx(expected, rel=1e-14)
