"""Linear models through pytest-benchmark; no time fails a test, an optimum that is none does."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.linear import LAYOUTS, MODELS, fit_peer, minimise, sample

CONTENDERS = {"fastloss": minimise, "sklearn": fit_peer}


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", MODELS)
def test_time_to_the_optimum(benchmark, name, layout, contender):
    X, y = sample(MODELS[name], 2_000, 10, layout)
    benchmark.group = f"{name}, 2000 x 10, {layout}"
    benchmark(CONTENDERS[contender], MODELS[name], X, y)


@pytest.mark.parametrize("name", MODELS)
def test_peer_finds_the_same(name):
    X, y = sample(MODELS[name], 2_000, 10, "C")
    ours, theirs = (find(MODELS[name], X, y).w for find in CONTENDERS.values())
    if MODELS[name].loss.family == "multiclass":
        # The same number added to all intercepts changes nothing.
        ours, theirs = (w.reshape(5, -1) - w.reshape(5, -1).mean(axis=0) for w in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=5e-3)
