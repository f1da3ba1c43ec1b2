"""Ctrl-C in a call that takes long: whatever the handler of the signal raises ends it, in every family.

Timers and clocks are those of the process's own work, so that a busy machine changes nothing.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastloss as fl

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

#: Elements of views whose computation takes minutes.
MANY = 1 << 38


class Stop(Exception):
    """Raised by the handler."""


def _seconds_to_stop(call: Callable[[], Any], again: float = 0) -> float:
    """How much work of the process after the signal ends the call with what the handler raised.

    `again` is after how many seconds the signal comes again: callbacks, of weak references for one, swallow
    what a handler raises in them.
    """

    def stop(*_: Any) -> None:
        raise Stop

    before = signal.signal(signal.SIGPROF, stop)
    start = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, 0.2, again)
        with pytest.raises(Stop):
            call()
        return time.process_time() - start - 0.2
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _view(x: Any, *shape: int) -> np.ndarray:
    return np.broadcast_to(x, shape)


def _calls() -> dict[str, Callable[[int], Any]]:
    one, row = np.float32(0.5), np.full(2000, 0.5, np.float32)
    line = _view(one, MANY)
    few, many = _view(one, MANY // 4, 4), _view(row, MANY // 2000, 2000)
    vectors = _view(row[:64], MANY // 64, 64)
    labels, zeros = _view(np.int8(1), len(vectors)), _view(np.int8(0), len(few))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60_000, 2))
    samples = _view(rng.normal(size=256), 1 << 22, 256)
    points = rng.normal(size=(50, 1))
    # Zeros that nobody writes take no memory.
    long, scattered = np.zeros((1, 1 << 31), np.float32), _view(np.array(0.5, ">f2"), 1, 1 << 28)
    turned = np.zeros((1 << 25, 16), np.float32).T
    row_of_samples = rng.normal(size=1 << 23)
    never = {"tol": 1e-300, "max_iter": 2**31 - 1}
    return {
        "native": lambda n: fl.SquaredError()(line, line, n_threads=n),
        "penalty": lambda n: fl.L1()(line, n_threads=n),
        "weights": lambda n: fl.Huber().weight_sum(line, line, sample_weight=line, n_threads=n),
        "unusual weights": lambda n: fl.Huber().weight_sum(
            line, line, sample_weight=_view(1e-300, MANY), n_threads=n
        ),
        "heavy": lambda n: fl.Tweedie(1.7)(line, line, n_threads=n),
        "few classes": lambda n: fl.CrossEntropy()(zeros, few, n_threads=n),
        "many classes": lambda n: fl.CrossEntropy()(zeros[: len(many)], many, n_threads=n),
        "check": lambda n: fl.CrossEntropy().weight_sum(zeros, few, n_threads=n),
        "pairs": lambda n: fl.Contrastive()(vectors, vectors, labels, n_threads=n),
        "a long pair": lambda n: fl.Contrastive()(long, long, [1], n_threads=n),
        "a long centre": lambda n: fl.CenterLoss()(long, long, [0], n_threads=n),
        "scattered pairs": lambda n: fl.Contrastive()(scattered, scattered, [1], n_threads=n),
        "scattered classes": lambda n: fl.CrossEntropy()([0], scattered, n_threads=n),
        "turned classes": lambda n: fl.CrossEntropy()(zeros[:16], turned, n_threads=n),
        "centres": lambda n: fl.CenterLoss()(vectors, vectors[:2], labels, n_threads=n),
        "a matrix that is copied": lambda n: fl.LinearObjective(
            fl.SquaredError(), _view(row[:64], 1 << 24, 64), _view(one, 1 << 24)
        ),
        "Wasserstein": lambda n: fl.Wasserstein()(samples, samples, n_threads=n),
        "a long sort": lambda n: fl.Wasserstein()(row_of_samples, row_of_samples, n_threads=n),
        "long weights": lambda n: fl.Wasserstein(p=1.5)(
            row_of_samples, row_of_samples[: 1 << 22], v_weights=_view(1.0, 1 << 22), n_threads=n
        ),
        "Sinkhorn": lambda n: fl.Sinkhorn(reg=0.1)(x, y, n_threads=n),
        "Sinkhorn's pair": lambda n: fl.Sinkhorn(reg=0.5, debiased=False, **never)(
            points[:20], points[20:], n_threads=n
        ),
        # Of one point the first problem ends at once, the clouds' own go on and on.
        "Sinkhorn's own": lambda n: fl.Sinkhorn(reg=0.5, **never)(points[:1], points, n_threads=n),
    }


CALLS = _calls()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", CALLS)
def test_a_signal_ends_the_call(name: str, n_threads: int) -> None:
    seconds = _seconds_to_stop(lambda: CALLS[name](n_threads))
    assert seconds < 0.25 * n_threads
    y = np.array([1.0, 2.0])
    assert fl.SquaredError()(y, y + 1) == 1


def test_an_output_is_written_in_part() -> None:
    """What was computed before the signal stays; nothing else has changed."""
    n = 1 << 25
    z = _view(np.float32(3), n)
    out = np.zeros(n, np.float32)

    def call() -> None:
        while True:
            out[:] = 0
            fl.SquaredError().gradient(_view(np.float32(1), n), z, reduction="sum", out=out)

    _seconds_to_stop(call)
    assert np.isin(out[:: 1 << 10], (0, 4)).all()
