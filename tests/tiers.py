"""The same results on every instruction-set tier that this machine runs, each in a process of its own."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import processes
import pytest

import fastloss as fl

AVAILABLE: list[str] = fl.config()["isa_available"]
#: The tiers with fused multiply-add, which give the same bits.
FUSED = [tier for tier in AVAILABLE if tier != "base"]

needs_two = pytest.mark.skipif(len(AVAILABLE) < 2, reason="needs two tiers")
needs_two_fused = pytest.mark.skipif(len(FUSED) < 2, reason="needs two tiers with fused multiply-add")

_SAVE = """
import pickle, warnings
import numpy as np, fastloss as fl
import {modules}
warnings.simplefilter("ignore")
assert fl.config()["isa"] == {tier!r}
with open({path!r}, "wb") as file:
    pickle.dump({expression}, file)  # thousands of small arrays
"""

Results = dict[str, np.ndarray]


def collect(folder: Path, modules: str, expression: str) -> dict[str, Results]:
    """Evaluate an expression that gives arrays by name, on every tier."""
    found = {}
    for tier in AVAILABLE:
        path = folder / f"{tier}.pickle"
        code = _SAVE.format(tier=tier, path=str(path), modules=modules, expression=expression)
        processes.output(code, FASTLOSS_ISA=tier)
        found[tier] = pickle.loads(path.read_bytes())
    return found


def assert_same_bits(results: Iterable[Results]) -> None:
    first, *others = results
    for other in others:
        assert first.keys() == other.keys()
        different = [key for key in first if not np.array_equal(first[key], other[key], equal_nan=True)]
        assert not different
