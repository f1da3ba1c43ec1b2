"""The search for the worst errors: it climbs, stays in the domain, and is the same for one seed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import search


def climb(dtype, seed, steps):
    y, z = np.random.default_rng(seed).normal(0, 3, (2, 200)).astype(dtype)
    # Highest where z - y is 0.7 to the last bit, and nothing but y > 1 is allowed.
    return search.climb(
        None,
        (np.abs(y) + 1, z),
        lambda _, a: -np.abs(a[1].astype(float) - a[0] - 0.7),
        lambda a: a[0] > 1,
        None,
        np.random.default_rng(seed),
        60,
        steps,
    )


def test_climbs_to_the_peak(dtype):
    found = climb(dtype, 3, 100)
    assert found.error > -4 * np.finfo(dtype).eps
    assert found.arguments[0][0] > 1


def test_one_seed_one_search(dtype):
    first, second = climb(dtype, 5, 8), climb(dtype, 5, 8)
    assert first.error == second.error
    np.testing.assert_array_equal(first.arguments, second.arguments)


def test_command_says_where():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.worst",
            "--loss",
            "huber(delta=1.0)",
            "--steps",
            "1",
            "--dtype",
            "float32",
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Huber(delta=1.0)" in done.stdout
    assert "0 errors above their bounds" in done.stdout
