"""Every loss through pytest-benchmark: ``pytest benchmarks --benchmark-only --benchmark-group-by=group``.

No time fails a test. What fails one is a peer that does not compute the same loss: its time would mean
nothing.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from benchmarks.cases import DTYPES, SIZES, losses, sample, verbs
from benchmarks.limit import triad_call
from benchmarks.peers import PEERS, fastloss_call, installed

# torch.compile's own imports warn.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LOSSES = losses()
VERBS = [(label, verb) for label, loss in LOSSES.items() for verb in verbs(loss)]

#: Size of the check that a peer computes the same loss.
CHECK_SIZE = 1_000


@lru_cache(maxsize=1)
def cached_sample(label, size, dtype):
    return sample(LOSSES[label], size, dtype)


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("contender", ["fastloss", *installed()])
@pytest.mark.parametrize(("label", "verb"), VERBS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_loss(benchmark, size, dtype, label, verb, contender):
    """One verb of one loss, by the library or by a peer, on one thread."""
    y, z = cached_sample(label, size, dtype)
    build = fastloss_call if contender == "fastloss" else PEERS[contender]
    call = build(LOSSES[label], verb, y, z, 1)
    if call is None:
        pytest.skip(f"{contender} has no {label}")
    benchmark.group = f"{label} {verb} {dtype} {size}"
    benchmark(call.function())


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_memory_limit(benchmark, size, dtype):
    """The streaming triad of as many bytes as value-and-gradient moves."""
    call = triad_call(np.ones(size, dtype), 1)
    benchmark.group = f"memory limit {dtype} {size}"
    benchmark(call.function())


@pytest.mark.parametrize("peer", installed())
@pytest.mark.parametrize(("label", "verb"), VERBS)
def test_peer_computes_the_same(label, verb, peer):
    """Each peer gives the library's value, and its arrays up to a positive factor."""
    loss = LOSSES[label]
    y, z = sample(loss, CHECK_SIZE, "float64")
    call = PEERS[peer](loss, verb, y.copy(), z.copy(), 1)
    if call is None:
        pytest.skip(f"{peer} has no {label}")
    theirs = [np.asarray(result) for result in call.function()()]
    ours = fastloss_call(loss, verb, y, z).function()()
    ours = [np.asarray(result) for result in (ours if isinstance(ours, tuple) else (ours,))]
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours, strict=True):
        if a.ndim:
            a, b = (x / (np.abs(x).max() or 1.0) for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
