"""A short run of the fuzzer, always of the same calls; and that it sees what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastloss import _core

ROOT = Path(__file__).parents[2]

# Together with the modules of this folder, of which it takes formulas.
sys.path.insert(0, str(ROOT))

from tests.fuzz import arrays, others, pointwise, worker  # noqa: E402
from tests.fuzz.session import FindingError, Guarded, Unchanged  # noqa: E402


@pytest.fixture(autouse=True)
def tier() -> Iterator[None]:
    """Cases take tiers of their own."""
    before = _core.isa()
    yield
    _core.select_isa(before)


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 2.0**-60, reason="needs a type longer than float64")
def test_a_short_run_finds_nothing() -> None:
    """In a process of its own, with NumPy's warnings as errors."""
    command = [sys.executable, "-m", "tests.fuzz", "--seed", "short", "--calls", "12000", "--seconds", "200"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    calls = dict(re.findall(r"^(\w+) +([\d,]+) calls", found.stdout, re.MULTILINE))
    assert calls.keys() == {*worker.FAMILIES, "all"}
    assert all(int(n.replace(",", "")) > 0 for n in calls.values()), found.stdout


def test_a_crash_is_told_with_its_call_and_does_not_end_the_run(tmp_path: Any) -> None:
    """A worker that crashes in its third case; the parent says where, and starts another."""
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.fuzz import __main__ as parent, worker
parent._WORKER = [sys.executable, {str(tmp_path / "worker.py")!r}]
parent.main()
"""
    (tmp_path / "worker.py").write_text(f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.fuzz import worker
usual = worker.FAMILIES["objects"]
def crash(session):
    usual(session)
    if session.seed == "objects/7/2":
        os.abort()
worker.FAMILIES["objects"] = crash
worker.main()
""")
    command = [
        sys.executable,
        "-c",
        code,
        "--only",
        "objects",
        "--seed",
        "7",
        "--calls",
        "60",
        "--seconds",
        "60",
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert "--replay objects/7/2\n    ended with -6" in found.stdout, found.stdout + found.stderr
    assert "fl." in found.stdout.splitlines()[2]
    assert found.stdout.endswith("1 findings\n")
    assert int(re.findall(r"all +(\d+) calls", found.stdout)[0]) >= 60


def _finding(family: str, monkeypatch: Any, cases: int = 40) -> str:
    """What the first finding says while something is broken."""
    for number in range(cases):
        text = worker.run(family, "broken", number)[1]
        if text:
            return text
    return ""


def test_a_wrong_number_is_found(monkeypatch: Any) -> None:
    def wrong(self: Any, *args: Any, **options: Any) -> Any:
        found = function(self, *args, **options)
        if isinstance(found, tuple) and isinstance(found[0], np.ndarray) and found[0].size > 7:
            found[0].flat[7] *= 1 + 1e-5
        return found

    cls = pointwise.fl.SquaredError
    function = cls.value_gradient_and_hessian
    monkeypatch.setattr(cls, "value_gradient_and_hessian", wrong)
    monkeypatch.setattr(pointwise, "LOSSES", [cls])
    text = _finding("pointwise", monkeypatch)
    assert re.match(r"value.* is .*, not ", text), text
    assert "np.array([" in text


def test_weights_of_any_size_and_what_they_take_away_are_tried(monkeypatch: Any) -> None:
    """A loss that takes small weights for 0, and one that multiplies what is no number by 0."""
    cls = pointwise.fl.SquaredError
    function = cls.__call__

    def rounds(self: Any, y: Any, z: Any, *, sample_weight: Any = None, **options: Any) -> Any:
        if sample_weight is not None:
            sample_weight = np.where(sample_weight < 1e-100, 0.0, sample_weight) + (not sample_weight.any())
        return function(self, y, z, sample_weight=sample_weight, **options)

    def multiplies(self: Any, y: Any, z: Any, *, sample_weight: Any = None, **options: Any) -> Any:
        found = function(self, y, z, sample_weight=sample_weight, **options)
        return found if sample_weight is None or not np.isnan(z.astype(np.float64)).any() else found * np.nan

    for wrong in (rounds, multiplies):
        monkeypatch.setattr(cls, "__call__", wrong)
        monkeypatch.setattr(pointwise, "LOSSES", [cls])
        assert "value" in _finding("pointwise", monkeypatch, 400)


def test_an_error_of_the_wrong_kind_is_found(monkeypatch: Any) -> None:
    def wrong(value: Any) -> Any:
        raise AttributeError("no such thing")

    monkeypatch.setattr(others.fl.L1, "value_and_gradient", wrong)
    monkeypatch.setattr(others, "_penalty", lambda r: others.fl.L1())
    assert "TypeError" in _finding("penalties", monkeypatch)


def test_what_lies_around_outputs_and_inputs_is_watched() -> None:
    for name in ("every_second", "inside", "inside_fortran", "shifted_1", "swapped_inside"):
        x = arrays.lay(np.zeros((3, 2)), name)
        guarded = Guarded((x,))
        x[...] = 5
        guarded.check()
        arrays.block_of(x).view(np.uint8).reshape(-1, order="A")[-1] ^= 1
        with pytest.raises(FindingError, match="beside"):
            guarded.check()
    y = np.zeros(3)
    unchanged = Unchanged(y)
    unchanged.check()
    y[1] = 1
    with pytest.raises(FindingError, match="written"):
        unchanged.check()
