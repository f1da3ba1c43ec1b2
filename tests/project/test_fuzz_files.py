"""Broken files give numbers or one line of error; ``python -m tests.fuzz_files`` tries more of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Together with the modules of this folder.
sys.path.insert(0, str(ROOT))

pytest.importorskip("resource", reason="limits the memory of the workers")


def test_some_broken_files() -> None:
    command = [sys.executable, "-m", "tests.fuzz_files", "--files", "700", "--seconds", "60", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    tried = re.search(r"([\d,]+) broken files tried, 0 findings", done.stdout)
    assert tried, done.stdout + done.stderr
    assert int(tried[1].replace(",", "")) > 50


def test_what_is_no_line_of_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fuzz_files import worker

    def crash(argv: list[str]) -> int:
        raise KeyError(argv[0])

    def babble(argv: list[str]) -> int:
        print("fastloss: error: two\nlines, this long", file=sys.stderr)
        return 2

    def falter(argv: list[str]) -> int:
        print("fastloss: error: ", file=sys.stderr)
        return 2

    for wrong in (crash, babble, falter):
        monkeypatch.setattr(worker, "main", wrong)
        assert worker.fault(["evaluate"])
