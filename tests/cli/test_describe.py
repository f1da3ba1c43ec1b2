"""``fastloss list``, ``fastloss info`` and the command's own options."""

from __future__ import annotations

import json

import pytest

import fastloss as fl
from fastloss.cli import main


def test_list_as_json(capsys):
    assert main(["list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in document] == [info.name for info in fl.list_losses()]
    huber = next(entry for entry in document if entry["name"] == "huber")
    assert huber["class"] == "Huber"
    assert huber["parameters"] == {"delta": 1.0}
    zero_one = next(entry for entry in document if entry["name"] == "zero_one")
    assert (zero_one["has_gradient"], zero_one["has_hessian"]) == (False, False)


def test_list_of_a_family(capsys):
    assert main(["list", "--family", "binary", "--json"]) == 0
    names = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert "hinge" in names
    assert "huber" not in names
    assert main(["list", "--family", "multiclass", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in document] == [
        "cross_entropy",
        "multiclass_focal",
        "generalized_cross_entropy",
        "poly1_cross_entropy",
        "multiclass_hinge",
    ]
    assert document[0]["parameters"]["class_weight"] is None
    assert main(["list", "--family", "distribution", "--json"]) == 0
    names = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert names == ["kl_divergence", "js_divergence", "entropy", "gaussian_kl"]


@pytest.mark.parametrize("width", [80, 120])
def test_list_as_table(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    for info in fl.list_losses():
        (row,) = [line.split() for line in lines if line.split()[:1] == [info.name]]
        assert row[-1] == ("yes" if info.has_hessian else "no")


def test_list_at_every_width(capsys, monkeypatch):
    for width in range(20, 201, 3):
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(["list", "--family", "binary"]) == 0
        tokens = capsys.readouterr().out.split()
        for piece in ("binary_cross_entropy", "label_smoothing=0", "pos_weight=1", "zero_one", "gamma=2"):
            assert piece in tokens


def test_info(capsys):
    assert main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == fl.config()
    assert main(["info"]) == 0
    assert fl.config()["isa"] in capsys.readouterr().out


def test_version_and_help(capsys):
    for arguments, text in [
        (["--version"], fl.__version__),
        (["--help"], "evaluate"),
        (["evaluate", "--help"], "PRED"),
    ]:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 0
        assert text in capsys.readouterr().out
