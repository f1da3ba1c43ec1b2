"""Misspelt commands, options and choices: the error names what may be meant."""

from __future__ import annotations

import pytest

from fastloss.cli import main

NO_FILES = ["evaluate", "TRUE", "PRED"]


@pytest.mark.parametrize(
    ("arguments", "message", "command"),
    [
        (["evalute", "a", "b"], "there is no command 'evalute': did you mean evaluate?", ""),
        (["plto"], "there is no command 'plto': did you mean plot?", ""),
        (["--vresion"], "there is no option '--vresion': did you mean --version?", ""),
        (
            [*NO_FILES, "--wieghts", "w.npy"],
            "there is no option '--wieghts': did you mean --weights?",
            "evaluate",
        ),
        (
            ["evaluate", "--wieghts=w.npy"],
            "there is no option '--wieghts': did you mean --weights?",
            "evaluate",
        ),
        (["plot", "--ouput", "x.png"], "there is no option '--ouput': did you mean --output?", "plot"),
        (["list", "--famly", "binary"], "there is no option '--famly': did you mean --family?", "list"),
        (["choose", "--tsk=regression"], "there is no option '--tsk': did you mean --task?", "choose"),
        ([*NO_FILES, "--frobnicate"], "there is no option '--frobnicate'", "evaluate"),
        (
            [*NO_FILES, "--reduction", "maen"],
            "there is no --reduction 'maen': did you mean mean?",
            "evaluate",
        ),
        (
            [*NO_FILES, "--reduction", "none"],
            "there is no --reduction 'none'; there are mean, sum",
            "evaluate",
        ),
        (["info", "surplus"], "there is no option or one argument too many: 'surplus'", "info"),
        ([*NO_FILES, "-x"], "there is no option or one argument too many: '-x'", "evaluate"),
    ],
)
def test_hint(capsys, arguments, message, command):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"fastloss: error: {message} (see {' '.join(['fastloss', command]).strip()} --help)\n"


def test_commands_are_named_where_none_is_near(capsys):
    assert main(["frobnicate"]) == 2
    assert "; there are evaluate, list, info, choose, plot, demo (" in capsys.readouterr().err


def test_beginnings_of_options_are_taken(capsys):
    assert main(["list", "--fam", "binary", "--js"]) == 0
    assert capsys.readouterr().out


def test_what_follows_two_dashes_is_no_option(capsys):
    assert main(["plot", "--", "--hubber"]) == 2
    assert "there is no loss '--hubber'" in capsys.readouterr().err
