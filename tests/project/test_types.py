"""What a type checker knows of the library's results."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

PROGRAM = """
import numpy as np
import fastloss as fl

y, z = np.zeros(3), np.ones(3)
loss = fl.Huber(delta=1.5)
reveal_type(loss(y, z))
reveal_type(loss(y, z, reduction="sum"))
reveal_type(loss(y, z, reduction="none"))
reveal_type(loss.gradient(y, z))
reveal_type(loss.value_and_gradient(y, z))
reveal_type(loss.value_and_gradient(y, z, reduction="none"))
reveal_type(fl.CrossEntropy()([0], [[0.0, 1.0]]))
reveal_type(fl.Sinkhorn()(y, z))
reveal_type(loss.gradient_and_curvature(y, z, curvature="majorizer"))
reveal_type(fl.Huber(delta=2.0).delta)
reveal_type(fl.list_losses(convex=True)[0].name)
fl.Huber(delta="wide")
loss(y, z, reduction="none").shape
loss(y, z).shape
"""
REVEALED = [
    *("float", "float", "array", "array"),
    *("tuple[float, array]", "tuple[array, array]", "float", "float", "tuple[array, array]"),
    *("float", "str"),
]


def named(revealed: str) -> str:
    """A type as mypy reveals it, whatever NumPy's release calls an array of anything."""
    array = r"numpy\.ndarray\[(?:tuple\[Any, \.\.\.\]|_AnyShape|Any), numpy\.dtype\[Any\]\]"
    return re.sub(array, "array", revealed.strip('"').replace("builtins.", ""))


def test_types(tmp_path: Path) -> None:
    """mypy --strict finds a float without reduction, an array with "none", and the two mistakes."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    lines = run.stdout.splitlines()
    assert [named(at.split("Revealed type is ")[1]) for at in lines if "Revealed" in at] == REVEALED, (
        run.stdout
    )
    errors = [line for line in lines if ": error:" in line]
    assert len(errors) == 2, run.stdout
    assert 'incompatible type "str"; expected "float"' in errors[0]
    assert '"float" has no attribute "shape"' in errors[1]


def test_no_promise_is_broken() -> None:
    """No method has other parameters than the one that it stands for."""
    sources = (Path(__file__).parents[2] / "fastloss").rglob("*.py")
    ignoring = [str(path) for path in sources if "ignore[override]" in path.read_text(encoding="utf-8")]
    assert [path for path in ignoring if "reference" not in path] == []
