"""What the shell offers: argcomplete asked as bash asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastloss as fl

pytest.importorskip("argcomplete", reason="the shell's side of completion")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(fl.__file__).parents[1])}


def offered(line: str, tmp_path: Path) -> set[str]:
    """Ask for what may stand at the end of a line, by the protocol of argcomplete's function for bash."""
    answer = tmp_path / "answer"
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n"}
    asked |= {"_ARGCOMPLETE_COMP_WORDBREAKS": "", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer)}
    code = "import sys; from fastloss.cli import main; sys.argv[0] = 'fastloss'; main()"
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=ENVIRONMENT | asked, cwd=tmp_path, check=True, timeout=120)
    return {word.strip() for word in answer.read_text().splitlines()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fastloss ev", {"evaluate"}),
        ("fastloss evaluate --we", {"--weights"}),
        ("fastloss evaluate a b --loss log_", {"log_cosh", "log_loss"}),
        ("fastloss evaluate a b --loss tweedie:", {"tweedie:power="}),
        ("fastloss evaluate a b --loss focal:gamma=2,from", {"focal:gamma=2,from_logits="}),
        ("fastloss evaluate a b --reduction ", {"mean", "sum"}),
        ("fastloss evaluate lab", {"labels.npy"}),
        ("fastloss plot hinge squared_h", {"squared_hinge"}),
        ("fastloss list --family bi", {"binary"}),
        ("fastloss choose --task reg", {"regression"}),
    ],
)
def test_offers(line: str, expected: set[str], tmp_path: Path) -> None:
    (tmp_path / "labels.npy").touch()
    assert offered(line, tmp_path) == expected


def test_every_command_and_nothing_run(tmp_path: Path) -> None:
    words = offered("fastloss ", tmp_path)
    assert {"evaluate", "list", "info", "choose", "plot", "demo"} <= words
    assert list(tmp_path.iterdir()) == [tmp_path / "answer"]
