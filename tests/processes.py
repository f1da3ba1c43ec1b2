"""Python code in a process of its own: for what is settled at import, and for what might crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` with the tests' folder on its path; the caller judges the exit status."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("FASTLOSS_", "OMP_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def output(code: str, **environment: str) -> str:
    """What `code` prints; an exit status other than 0 is a failure."""
    result = run(code, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
