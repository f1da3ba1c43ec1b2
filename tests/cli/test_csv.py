"""Headers and letters of .csv files: long ones, Latin-1, names in quotes that go over lines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fastloss.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.array([2.0, 4.0, 8.0]))


def error_of(capsys, *columns):
    """The mean absolute error of each column; they hold 1, 0, 1."""
    values = []
    for column in columns:
        assert main(["evaluate", "y.npy", f"t.csv:{column}", "--loss", "mae", "--json"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        values.append(json.loads(out)["losses"][0]["value"])
    return values


@pytest.mark.parametrize(
    "text",
    [
        "z,größe\n1,2\n0,3\n1,4\n",
        "z,word\n1,süß\n0,x\n1,é\n",
        "größe,z\r\nä,1\r\nö,0\r\nü,1\r\n",
        "z,é\r1,2\r0,2\r1,\r",
    ],
)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
def test_letters_of_columns_that_are_not_read(capsys, text, encoding):
    Path("t.csv").write_bytes(text.encode(encoding))
    assert error_of(capsys, "z") == [4.0]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
def test_names_that_are_not_ascii(capsys, encoding):
    Path("t.csv").write_bytes('größe,"a,""b""\nc"\n1,1\n0,0\n1,1\n'.encode(encoding))
    assert error_of(capsys, "größe", 'a,"b"\nc') == [4.0, 4.0]


def test_a_header_of_more_than_a_block(capsys):
    names = [f"a column of a long name, number {i}" for i in range(60_000)]
    header = ",".join(f'"{name}"' for name in names)
    assert len(header) > 2 << 20
    rows = (",".join([digit] * len(names)) for digit in "101")
    Path("t.csv").write_text("\n".join([header, *rows]) + "\n")
    assert error_of(capsys, names[0], names[-1]) == [4.0, 4.0]


def test_a_header_alone(capsys):
    for text in ("z,k", "z,k\n"):
        Path("t.csv").write_text(text)
        assert main(["evaluate", "t.csv:k", "t.csv:z", "--loss", "mae", "--reduction", "sum", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["losses"][0]["n"] == 0


def test_a_row_longer_than_a_block(capsys):
    Path("t.csv").write_text("z,word\n1," + "x" * (3 << 20) + "\n0,y\n1,y\n")
    assert main(["evaluate", "y.npy", "t.csv:z", "--loss", "mae", "--json"]) == 2
    assert "t.csv: after row 0: a row is longer than 1,048,576 bytes" in capsys.readouterr().err
