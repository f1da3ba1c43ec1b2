"""The transport losses through pytest-benchmark; a peer that computes something else fails."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.transport import clouds, rows, sinkhorn_calls, wasserstein_calls

# Importing POT imports the other array libraries that are there, and theirs warn.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

NAMES = ["fastloss", "fastloss, value and gradient", "numpy", "scipy", "POT"]


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("m", [10, 100])
def test_wasserstein(benchmark, m, name):
    calls = wasserstein_calls(*rows(1000, m), 1, 1)
    if name not in calls:
        pytest.skip(f"{name} is not installed")
    benchmark.group = f"Wasserstein, 1000 rows of {m}"
    benchmark(calls[name].function())


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("name", ["fastloss", "fastloss, debiased, with gradient", "POT"])
def test_sinkhorn(benchmark, name):
    calls, _ = sinkhorn_calls(*clouds(300, 3), 0.1, 1e-6, 1)
    if name not in calls:
        pytest.skip(f"{name} is not installed")
    benchmark.group = "Sinkhorn, 300 points"
    benchmark(calls[name].function())


@pytest.mark.parametrize("p", [1, 2])
def test_peers_compute_the_same_distances(p):
    calls = wasserstein_calls(*rows(50, 20), p, 1)
    mine = calls.pop("fastloss").function()()
    del calls["fastloss, value and gradient"]
    for name, call in calls.items():
        np.testing.assert_allclose(call.function()(), mine, rtol=1e-9, err_msg=name)


def test_peers_compute_the_same_cost():
    calls, _ = sinkhorn_calls(*clouds(100, 2), 0.1, 1e-9, 1)
    if "POT" in calls:
        assert calls["POT"].function()() == pytest.approx(calls["fastloss"].function()(), rel=1e-9)
