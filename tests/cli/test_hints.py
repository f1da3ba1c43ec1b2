"""What ``fastloss evaluate`` says where something else may be meant, and the columns of a pattern."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from fastloss.cli import main
from fastloss.cli.spec import parse_loss


def evaluate(capsys, *arguments):
    """Run the command and return its losses and what it said."""
    assert main(["evaluate", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.array([0, 1, 1, 0], np.int8))
    np.save("p.npy", np.array([0.25, 0.75, 0.5, 1.0]))
    np.save("z.npy", np.array([-1.0, 2.0, 0.0, 3.0]))
    np.save("rows.npy", np.full((4, 2), 0.5))


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("bce", "bce:from_logits=false"),
        ("bce:pos_weight=3", "bce:from_logits=false,pos_weight=3"),
        ("focal", "focal:from_logits=false"),
        ("zero_one:from_logits=true", "zero_one:threshold=0.5"),
    ],
)
@pytest.mark.parametrize("chunk", ["1", "100"])
def test_probabilities_where_scores_are_expected(capsys, spec, meant, chunk):
    document, err = evaluate(capsys, "y.npy", "p.npy", "--loss", spec, "--chunk-size", chunk)
    (line,) = err.splitlines()
    assert line.startswith("fastloss: hint: all predictions are between 0 and 1, and ")
    assert line.removeprefix("fastloss: hint: ") == document["losses"][0]["hint"]
    suggested = line.rpartition(" give ")[2]
    assert parse_loss(suggested) == parse_loss(meant)
    # What it suggests is silent; so is a prediction that is no probability, in the last chunk as well.
    for arguments in (["p.npy", "--loss", suggested], ["z.npy", "--loss", spec, "--chunk-size", chunk]):
        document, err = evaluate(capsys, "y.npy", *arguments)
        assert (err, document["losses"][0]["hint"]) == ("", None)


def test_rows_of_probabilities(capsys):
    _, err = evaluate(capsys, "y.npy", "rows.npy", "--loss", "cross_entropy", "--loss", "multiclass_hinge")
    assert err.count("hint") == 1
    assert err.endswith("give cross_entropy:from_logits=false\n")


def test_no_hint_without_predictions_or_such_losses(capsys):
    for shape in ((0,), (3, 0)):
        np.save("none.npy", np.zeros(shape))
        _, err = evaluate(capsys, "none.npy", "none.npy", "--loss", "bce", "--reduction", "sum")
        assert err == ""
    _, err = evaluate(capsys, "y.npy", "p.npy", "--loss", "mse", "--loss", "hinge", "--loss", "zero_one")
    assert err == ""


def test_columns_of_a_pattern(capsys):
    columns = {name: [0.5, 2.0, 1.0, 1.0] for name in ("p0", "p1", "q0", "q1", "price")}
    pa.parquet.write_table(pa.table({"y": [0, 1, 1, 0], **columns}), "t.parquet")
    document, err = evaluate(capsys, "t.parquet:y", "t.parquet:p*", "--loss", "cce:ignore_index=2")
    assert document["columns"] == {"y_pred": ["p0", "p1", "price"]}
    assert err == "fastloss: hint: t.parquet:p* matches 'price' besides numbered columns\n"
    document, err = evaluate(capsys, "t.parquet:y", "t.parquet:q*", "--loss", "cce")
    assert (document["columns"], err) == ({"y_pred": ["q0", "q1"]}, "")
    document, err = evaluate(capsys, "t.parquet:p0,p1", "t.parquet:q0,q1", "--loss", "mae")
    assert (document["columns"], err) == ({"y_true": ["p0", "p1"], "y_pred": ["q0", "q1"]}, "")
    assert main(["evaluate", "t.parquet:y", "t.parquet:q*", "--loss", "cce"]) == 0
    assert "t.parquet:q* is q0, q1" in capsys.readouterr().out


def test_scores_and_probabilities_have_one_error_rate(capsys):
    z = np.load("z.npy")
    np.save("p.npy", 1 / (1 + np.exp(-z)))
    scores, _ = evaluate(capsys, "y.npy", "z.npy", "--loss", "zero_one:from_logits=true")
    probabilities, _ = evaluate(capsys, "y.npy", "p.npy", "--loss", "zero_one:threshold=0.5")
    # 0 is on neither side, and 3 on the wrong one.
    assert scores["losses"][0]["value"] == probabilities["losses"][0]["value"] == 0.5


REPORT = ("--measure", "roc_auc")


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("bce", "bce:from_logits=false"),
        ("calibration:n_bins=2", "calibration:n_bins=2,from_logits=false"),
        ("accuracy", "accuracy:from_logits=false"),
        ("confusion", "confusion:from_logits=false"),
    ],
)
@pytest.mark.parametrize("chunk", ["1", "100"])
def test_probabilities_in_a_report(capsys, spec, meant, chunk):
    option = "--loss" if spec == "bce" else "--measure"
    document, err = evaluate(capsys, "y.npy", "p.npy", option, spec, *REPORT, "--chunk-size", chunk)
    said = f"all predictions are between 0 and 1, and {spec} takes raw scores; "
    said += f"if they are probabilities, give {meant}"
    assert (document["hints"], err) == ([said], f"fastloss: hint: {said}\n")
    for prediction, other in (("p.npy", meant), ("z.npy", spec)):
        document, err = evaluate(capsys, "y.npy", prediction, option, other, *REPORT, "--chunk-size", chunk)
        assert (document["hints"], err) == ([], "")


def test_which_model_of_a_report_gives_probabilities(capsys):
    _, err = evaluate(capsys, "y.npy", "z.npy", "p.npy", "--loss", "bce")
    assert err.startswith(
        "fastloss: hint: all predictions of p are between 0 and 1, and bce takes raw scores"
    )
    assert err.count("hint") == 1


def test_no_hint_where_it_makes_no_difference(capsys):
    assert evaluate(capsys, "y.npy", "rows.npy", "--measure", "accuracy")[1] == ""
    assert evaluate(capsys, "y.npy", "p.npy", "--measure", "accuracy:threshold=0.5")[1] == ""


def test_columns_of_a_pattern_in_a_report(capsys):
    columns = {name: [0.5, 2.0, 1.0, 1.0] for name in ("p0", "p1", "q0", "q1", "q2", "price")}
    pa.parquet.write_table(pa.table({"y": [0, 1, 1, 0], **columns}), "t.parquet")
    document, err = evaluate(capsys, "t.parquet:y", "t.parquet:p*", "--measure", "accuracy")
    assert document["columns"] == {"y_pred": ["p0", "p1", "price"]}
    assert err == "fastloss: hint: t.parquet:p* matches 'price' besides numbered columns\n"
    document, err = evaluate(capsys, "t.parquet:y", "t.parquet:p*", "t.parquet:q*", "--measure", "accuracy")
    assert document["columns"] == {"y_pred": {"p*": ["p0", "p1", "price"], "q*": ["q0", "q1", "q2"]}}
    assert main(["evaluate", "t.parquet:y", "t.parquet:q*", "--measure", "accuracy"]) == 0
    assert "t.parquet:q* is q0, q1, q2" in capsys.readouterr().out
