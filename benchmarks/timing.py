"""Side-by-side timing that survives a noisy machine.

Calls are timed in turn, round after round, and each keeps its fastest time: a disturbance must then last the
whole measurement to favour one of them, and the minimum is the time the work itself needs.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from typing import Any, NamedTuple

#: One timing lasts at least this long, in seconds: ten thousand ticks of the clock.
SHORTEST_TIMING = 2e-4


class Call(NamedTuple):
    """A statement and the names it uses.

    A statement, unlike a function, adds nothing to a call of a hundred nanoseconds.
    """

    statement: str
    names: dict[str, Any]

    def function(self) -> Callable[[], Any]:
        """The statement as a function that returns what it gives."""
        return eval(f"lambda: {self.statement}", dict(self.names))


def interleave(calls: dict[str, Call], seconds: float, rounds: int = 5) -> dict[str, float]:
    """Time calls in turn for about `seconds`, at least `rounds` rounds; return the fastest time of each.

    Fast calls are timed up to four times a round, so that slow peers do not starve them.
    """
    timers = {name: timeit.Timer(call.statement, globals=dict(call.names)) for name, call in calls.items()}
    loops, repeats = {}, {}
    for name, timer in timers.items():
        timer.timeit(1)  # compilation, first touch of memory
        once = min(timer.timeit(1) for _ in range(2))
        loops[name] = max(1, round(SHORTEST_TIMING / once))
        repeats[name] = min(4, max(1, round(0.02 / once)))
    best = dict.fromkeys(calls, float("inf"))
    end = time.perf_counter() + seconds
    done = 0
    while done < rounds or time.perf_counter() < end:
        for name, timer in timers.items():
            fastest = min(timer.repeat(repeats[name], loops[name])) / loops[name]
            best[name] = min(best[name], fastest)
        done += 1
    return best
