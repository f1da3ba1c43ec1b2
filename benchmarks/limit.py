"""The machine's limit for large arrays: how fast it moves the bytes that a verb must move.

A streaming triad, ``out = a + b`` with stores that bypass the cache, reads two arrays and writes one, as
value-and-gradient does. Its bandwidth, measured beside the loss, turns the bytes of any verb into a time.
"""

from __future__ import annotations

import os

import numpy as np

from benchmarks.cases import OUTPUTS
from benchmarks.timing import Call
from fastloss import _core


def triad_call(z: np.ndarray, threads: int) -> Call:
    """The triad over three float32 arrays of as many bytes as `z` has."""
    a, b, out = (np.ones(z.nbytes // 4, np.float32) for _ in range(3))
    names = {"f": _core.stream_triad, "a": a, "b": b, "out": out, "t": threads}
    return Call("f(a, b, out, t)", names)


def limit_seconds(triad_seconds: float, verb: str, y: np.ndarray, z: np.ndarray) -> float:
    """The time in which the triad's bandwidth moves a verb's bytes: both inputs read, each output written."""
    moved = y.nbytes + z.nbytes + OUTPUTS[verb] * z.nbytes
    return triad_seconds * moved / (3 * z.nbytes)


def larger_than_cache(z: np.ndarray) -> bool:
    """Whether three arrays like `z` overflow the last-level cache twice, so that memory is the limit."""
    try:
        cache = max(os.sysconf(f"SC_LEVEL{level}_CACHE_SIZE") for level in (2, 3))
    except (ValueError, OSError):
        cache = 0
    return 3 * z.nbytes > 2 * max(cache, 2**22)
