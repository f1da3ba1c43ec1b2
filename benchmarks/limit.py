"""The machine's limit for large arrays: how fast it moves the bytes that a verb must move.

A streaming triad, ``out = a + b`` with stores that bypass the cache, reads two arrays and writes one, as
value-and-gradient does. Its bandwidth, measured beside the loss, turns the bytes of any verb into a time.
"""

from __future__ import annotations

from pathlib import Path

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
    # The kernel's file, since sysconf() reports the caches of the whole package on some processors.
    size = Path("/sys/devices/system/cpu/cpu0/cache/index3/size")
    kibibytes = int(size.read_text().rstrip("K\n")) if size.exists() else 32_768
    return 3 * z.nbytes > 2 * 1024 * kibibytes
