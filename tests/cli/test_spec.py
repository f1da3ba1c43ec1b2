"""Losses and columns as they are written on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastloss as fl
from fastloss.cli.errors import CommandError
from fastloss.cli.spec import format_loss, parse_loss, parse_value
from fastloss.reading import SourceError, parse_location


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mse", fl.SquaredError()),
        ("SquaredError", fl.SquaredError()),
        ("HUBER", fl.Huber()),
        ("huber:delta=1.5", fl.Huber(delta=1.5)),
        ("huber: delta = 15e-1 ", fl.Huber(delta=1.5)),
        ("focal:gamma=2,alpha=none,from_logits=False", fl.BinaryFocal(from_logits=False)),
        ("multiclass_focal:alpha=.25:1:0", fl.Focal(alpha=[0.25, 1.0, 0.0])),
        ("multiclass_focal:alpha=.25", fl.Focal(alpha=0.25)),
        ("cce:class_weight=1:2e0:.5,ignore_index=-1", fl.CrossEntropy(True, [1, 2, 0.5], 0.0, -1)),
        ("MulticlassHinge:kind=weston-watkins", fl.MulticlassHinge("weston-watkins")),
        ("bce:pos_weight=3,label_smoothing=.1", fl.BinaryCrossEntropy(pos_weight=3.0, label_smoothing=0.1)),
    ],
)
def test_parse_loss(text, expected):
    assert parse_loss(text) == expected


@pytest.mark.parametrize("info", fl.list_losses(), ids=lambda info: info.name)
def test_every_name_is_understood(info):
    for name in (info.name, info.cls.__name__, *info.aliases):
        if name != "Focal":
            assert parse_loss(name) == info.cls()


def test_a_name_of_two_things_is_refused():
    with pytest.raises(CommandError, match=r"'Focal' is ambiguous.*BinaryFocal.*'multiclass_focal'"):
        parse_loss("Focal:gamma=1")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("hubber", ["'hubber'", "did you mean huber"]),
        ("zzzzzz", ["'zzzzzz'", "fastloss list"]),
        ("auc", ["no loss 'auc'", "fastloss list"]),  # not "cauchy", half of which is something else
        ("acc", ["fastloss list"]),
        ("f1", ["fastloss list"]),
        ("bec", ["did you mean bce?"]),
        ("pinbal", ["did you mean pinball?"]),
        ("cross", ["did you mean cross_entropy?"]),
        ("crossentrpy", ["did you mean cross_entropy?"]),
        ("", ["no loss ''"]),
        ("huber:", ["expected param=value", "''"]),
        ("huber:delta", ["expected param=value", "'delta'"]),
        ("huber:delta=", ["expected param=value", "'delta='"]),
        ("huber:delta=1,,", ["expected param=value", "''"]),
        ("huber:=1", ["expected param=value", "'=1'"]),
        ("huber:beta=1", ["no parameter 'beta'", "delta (default 1.0)"]),
        ("mse:delta=1", ["no parameter 'delta'", "it has none"]),
        ("huber:delta=1,delta=2", ["'delta' is given twice"]),
        ("huber:delta=-1", ["delta", "-1"]),
        ("huber:delta=big", ["delta", "'big'"]),
        ("huber:delta=nan", ["delta", "nan"]),
        ("bce:from_logits=2", ["from_logits", "2"]),
        ("huber:delta=1:2", ["delta", "(1, 2)"]),
        ("cross_entropy:class_weight=1:two", ["class_weight", "1:two"]),
        ("cross_entropy:class_weight=1:-2", ["class_weight[1]", "-2"]),
        ("cross_entropy:class_weight=3", ["class_weight", "3"]),
        ("multiclass_hinge:kind=other", ["kind", "'weston-watkins'", "'other'"]),
    ],
)
def test_bad_specifications(text, pieces):
    with pytest.raises(CommandError) as caught:
        parse_loss(text)
    message = str(caught.value)
    assert message.startswith(f"loss {text!r}: ")
    assert all(piece in message for piece in pieces), message


def test_values_have_their_types():
    values = [parse_value(text) for text in ("2", "-1", "1e3", "inf", "true", "FALSE", "None", "mean")]
    assert values == [2, -1, 1000.0, float("inf"), True, False, None, "mean"]
    assert [parse_value(text) for text in ("1:2.5", "1:a", "1:")] == [(1, 2.5), "1:a", "1:"]
    assert [type(value) for value in values[:4]] == [int, int, float, float]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (fl.AbsoluteError(), "mae"),
        (fl.BinaryCrossEntropy(), "bce"),
        (fl.Huber(delta=2.0), "huber:delta=2"),
        (fl.Huber(delta=0.1 + 0.2), "huber:delta=0.30000000000000004"),
        (fl.BinaryFocal(alpha=0.25, from_logits=False), "focal:alpha=0.25,from_logits=false"),
        (fl.Focal(alpha=[0.25, 1]), "multiclass_focal:alpha=0.25:1"),
        (fl.JSDivergence(base=2), "js:base=2"),
        (fl.CrossEntropy(ignore_index=-1), "cross_entropy:ignore_index=-1"),
        (fl.Exponential(), "exponential"),
    ],
)
def test_format_loss_is_read_back(written, text):
    assert format_loss(written) == text
    assert parse_loss(text) == written


@pytest.mark.parametrize(
    ("text", "path", "column"),
    [
        ("a.npy", "a.npy", None),
        ("A.NPY", "A.NPY", None),
        ("a.csv", "a.csv", None),
        ("a.csv:z", "a.csv", "z"),
        ("a.parquet:model:z", "a.parquet", "model:z"),
        ("a.PARQUET:z", "a.PARQUET", "z"),
        (r"C:\data\a.npy", r"C:\data\a.npy", None),
        (r"C:\data\a.csv", r"C:\data\a.csv", None),
        (r"C:\data\a.csv:z", r"C:\data\a.csv", "z"),
        ("run:3/a.parquet:z", "run:3/a.parquet", "z"),
        ("a.csv:copy.csv", "a.csv", "copy.csv"),
    ],
)
def test_parse_location(text, path, column):
    location = parse_location("y_true", text)
    assert (location.path, location.column) == (path, column)


def test_an_existing_file_decides_where_the_path_ends(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.csv:b.csv").write_text("z\n1\n")
    assert parse_location("y_true", "a.csv:b.csv").column is None
    assert parse_location("y_true", "a.csv:b.csv:z").path == "a.csv:b.csv"
    Path("a.csv").write_text("z\n1\n")
    assert parse_location("y_true", "a.csv:b.csv:z").column == "b.csv:z"


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("a.txt", "extension '.txt'"),
        ("a", "no extension"),
        ("a.npz", "'.npz'"),
        ("a.npy:z", "no columns"),
        ("a.csv:", "names no column"),
    ],
)
def test_bad_locations(text, piece):
    with pytest.raises(SourceError, match=r"^y_pred: ") as caught:
        parse_location("y_pred", text)
    assert piece in str(caught.value)
