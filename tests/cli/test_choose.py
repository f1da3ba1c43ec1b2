"""``fastloss choose``: from options, from questions on a terminal, for programs."""

from __future__ import annotations

import io
import json
import os
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import fastloss as fl
from fastloss.cli import choose, main
from fastloss.cli.spec import parse_loss


class Terminal(io.StringIO):
    """Replies that come from a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def error(capsys):
    """Run the command, check the manners of its failure, and return the message."""

    def run(*arguments):
        status = main(["choose", *arguments])
        out, err = capsys.readouterr()
        assert (status, out) == (2, "")
        assert err.startswith("fastloss: error: ")
        assert err.count("\n") == 1
        return err

    return run


def document(capsys, *arguments):
    """Run the command and return its JSON document."""
    assert main(["choose", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("width", [60, 100])
def test_for_people(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["choose", "--task", "classification", "--imbalanced"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert max(map(len, lines)) <= width
    assert lines[0].split()[:2] == ["loss", "BinaryFocal(gamma=2.0,"]
    words = " ".join(out.split())
    choice = fl.choose("classification", imbalanced=True)
    for text in (choice.reason, choice.activation, choice.optimiser, *choice.pitfalls):
        assert text in words
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "loss", "reason", "model", "targets", "activation", "link", "optimiser", "pitfalls", "or", "none",
        "assumed",
    ]  # fmt: skip


def test_by_what_is_reported(capsys):
    found = document(capsys, "--metric", "rmsle")
    assert (found["loss"], found["answers"]) == ("squared_log_error", fl.choose(metric="rmsle").answers)
    assert document(capsys, "--metric", "auc", "--task", "multiclass")["class"] == "CrossEntropy"
    assert main(["choose", "--metric", "rmslee"]) != 0
    assert "did you mean 'rmsle'" in capsys.readouterr().err


def test_for_programs(capsys):
    found = document(capsys, "--task", "regression", "--outliers")
    choice = fl.choose("regression", outliers=True)
    assert (found["loss"], found["class"], found["parameters"]) == ("huber", "Huber", {"delta": 1.5})
    assert parse_loss(found["spec"]) == choice.loss
    assert [parse_loss(other["spec"]) for other in found["alternatives"]] == [
        other.loss for other in choice.alternatives
    ]
    for name in ("reason", "activation", "link", "model_output", "targets", "optimiser", "answers"):
        assert found[name] == getattr(choice, name)
    assert found["assumed"] == ["values", "errors"]
    assert found["not_considered"] == []


@pytest.mark.parametrize(
    ("arguments", "spec"),
    [
        (["--task", "regression"], "mse"),
        (["--task", "regression", "--outliers", "many"], "mae"),
        (["--task", "binary", "--shares", "0.1"], "bce:pos_weight=9"),
        (
            ["--task", "binary", "--imbalanced", "--output", "probabilities"],
            "focal:alpha=0.25,from_logits=false",
        ),
        (["--task", "multiclass", "--shares", "5:4:1"], "cce:class_weight=0.666667:0.833333:3.33333"),
        (["--task", "multiclass", "--labels", "one-hot"], "cce"),
        (["--task=distribution", "--symmetric"], "js"),
        (["--task=generation", "--model=vae"], "gaussian_kl"),
        (["--model=vae"], "gaussian_kl"),
    ],
    ids=str,
)
def test_options(capsys, arguments, spec):
    found = document(capsys, *arguments)
    assert parse_loss(found["spec"]) == parse_loss(spec)


@pytest.mark.parametrize(
    ("replies", "answers", "words"),
    [
        ("1\n\n\n\n", {"task": "regression"}, "Enter"),
        ("regression\ncounts\n\nNo\n", {"task": "regression", "values": "counts"}, ""),
        ("binary\n3\n2\n0.01\n1\n\n\n", {"task": "binary", "outliers": "some", "shares": 0.01}, "0.99:0.01"),
        ("2\n1\n\nyes\n\n\n\n\n", {"task": "binary", "imbalanced": "yes"}, "0.99:0.01"),
        ("5\n9\nsvm\n2\n", {"task": "generation", "model": "vae"}, "a number from 1 to 2"),
    ],
)
def test_questions(capsys, monkeypatch, replies, answers, words):
    monkeypatch.setattr(sys, "stdin", Terminal(replies))
    assert main(["choose", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    expected = fl.choose(**answers)
    assert found["class"] == expected.loss_name
    assert found["assumed"] == []
    assert found["answers"].items() >= {k: v for k, v in expected.answers.items() if k != "shares"}.items()
    assert "What is to be predicted?" in err
    assert words in err


def test_only_what_is_not_known_is_asked(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("similarity\n"))
    assert main(["choose", "--examples", "triplets"]) == 0
    out, err = capsys.readouterr()
    assert "Triplet(margin=1.0, squared=True)" in out
    assert "triplets" not in err.partition("To paste:")[0]


def on_a_terminal(replies, width=80):
    """Run the command on a pseudo-terminal of that width; return what is to be seen there, line by line."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    keyboard, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    environment |= {"PYTHONPATH": str(Path(fl.__file__).parents[1]), "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "fastloss", "choose"],
        stdin=terminal, stdout=terminal, stderr=terminal, env=environment, close_fds=True,
    )  # fmt: skip
    os.close(terminal)
    os.write(keyboard, "".join(f"{reply}\n" for reply in replies).encode())
    seen = b""
    try:
        while piece := os.read(keyboard, 4096):
            seen += piece
    except OSError:  # the terminal has no other end any more
        pass
    os.close(keyboard)
    assert process.wait(60) == 0, seen.decode()
    return seen.decode().replace("\r\n", "\n").split("\n")


def test_on_a_real_terminal(capsys, monkeypatch):
    lines = on_a_terminal(["2", "", "yes", "YES", "0.9:0.1", "", "", ""])
    to_paste = lines.index("To paste:")
    words = {word for line in lines[:to_paste] for word in line.split()}
    assert max(map(len, lines[:to_paste])) <= 80
    for question in choose.raised({"task": "classification", "classes": "two"}):
        whole = [question.text, *question.answers, *question.answers.values()]
        assert all(word in words for text in whole for word in text.split())
    python, evaluation, again = (line.strip() for line in lines[to_paste + 1 : to_paste + 4])
    space = {}
    exec(python, space)
    expected = fl.choose("classification", outliers="some", imbalanced=True, shares=[0.9, 0.1])
    assert space["loss"] == expected.loss
    assert shlex.split(evaluation)[:5] == ["fastloss", "evaluate", "TRUE", "PRED", "--loss"]
    assert parse_loss(shlex.split(evaluation)[5]) == expected.loss
    monkeypatch.setenv("COLUMNS", "80")
    assert main(shlex.split(again)[1:]) == 0
    out = capsys.readouterr().out
    assert expected.loss_name in out
    assert all(line in lines for line in out.splitlines() if not line.startswith("assumed"))


@pytest.mark.parametrize("width", [30, 60, 200])
def test_words_are_whole_at_any_width(width):
    lines = on_a_terminal(["similarity", "triplets"], width)
    words = " ".join(lines).split()
    for text in ("distributed", "predicted?", "generation", "Triplet(margin=1.0,"):
        assert text in words


def test_yes_and_no_everywhere(capsys, monkeypatch):
    for question in choose.QUESTIONS:
        if question.yes is not None:
            for reply, meaning in (("yes", question.yes), ("y", question.yes), ("No", "no"), ("n", "no")):
                monkeypatch.setattr(sys, "stdin", Terminal(f"{reply}\n"))
                assert choose._ask(question) == meaning


def test_without_a_terminal(error, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n\n\n\n"))
    message = error()
    assert "on a terminal" in message
    assert "--task regression | classification" in message


def test_the_input_may_end(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("1\n"))
    assert main(["choose"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith("fastloss: error: choose was left without an answer")


@pytest.mark.parametrize(
    ("arguments", "pieces"),
    [
        (["--task", "regresion"], ["'regresion'", "did you mean 'regression'"]),
        (["--task", "binary", "--outliers", "few"], ["outliers", "'few'", "'mild'"]),
        (["--task", "similarity", "--outliers"], ["outliers='some'", "'classification'"]),
        (["--task", "binary", "--model", "svm", "--output", "logits"], ["model='svm'", "output='logits'"]),
        (["--task", "binary", "--shares", "half"], ["shares"]),
        (["--task", "binary", "--shares", "true"], ["shares"]),
        (["--task", "multiclass", "--shares", "0.5"], ["shares", "each class"]),
        (["--task"], ["--task", "expected one argument"]),
        (["--colour", "red"], ["--colour"]),
        (["mse"], ["mse"]),
    ],
    ids=str,
)
def test_errors(error, arguments, pieces):
    message = error(*arguments)
    assert all(piece in message for piece in pieces), message


def test_a_table_needs_rich(error, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("rich")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert 'use --json) needs rich: pip install "fastloss[cli]"' in error("--task", "regression")


def test_the_help_names_every_answer(capsys):
    with pytest.raises(SystemExit):
        main(["choose", "--help"])
    out = capsys.readouterr().out
    for question in choose.QUESTIONS:
        assert question.text in out
        assert all(meaning in out for meaning in question.answers.values())
