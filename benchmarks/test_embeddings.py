"""The losses of embeddings through pytest-benchmark; a peer that computes something else fails."""

from __future__ import annotations

import numpy as np
import pytest

import fastloss as fl
from benchmarks.embeddings import DTYPES, LOSSES, PEERS, WIDTHS, fastloss_call, installed, sample


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("contender", ["fastloss", *installed()])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOSSES)
def test_embedding_loss(benchmark, name, dtype, width, contender):
    build = fastloss_call if contender == "fastloss" else PEERS[contender]
    benchmark.group = f"{name} {dtype} width {width} beside its peers"
    benchmark(build(name, sample(name, 200_000, width, dtype), 1).function())


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nt_xent(benchmark, dtype):
    a, b, _ = sample("cosine", 64_000, 128, dtype)
    benchmark(fl.NTXent().value_and_gradient, a, b, n_threads=1)


@pytest.mark.parametrize("peer", installed())
@pytest.mark.parametrize("name", LOSSES)
def test_peer_computes_the_same(name, peer):
    arguments = sample(name, 20_000, 20, "float64")
    value, *gradients = (np.asarray(x) for x in PEERS[peer](name, arguments, 1).function()())
    ours = LOSSES[name].value_and_gradient(*arguments)
    np.testing.assert_allclose(value, ours[0], rtol=1e-9)
    for gradient, mine in zip(gradients, ours[1], strict=True):
        np.testing.assert_allclose(gradient, mine, rtol=1e-6, atol=1e-12)
