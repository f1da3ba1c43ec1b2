"""The row losses through pytest-benchmark; no time fails a test, a peer that computes something else does."""

from __future__ import annotations

import numpy as np
import pytest

import fastloss as fl
from benchmarks.rows import CLASSES, DTYPES, PEERS, fastloss_call, installed, sample
from fastloss._loss import ParameterLoss

# torch.compile's own imports warn.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROW_LOSSES = {
    info.name: info.cls()
    for info in fl.list_losses()
    if issubclass(info.cls, fl.RowLoss) and not issubclass(info.cls, ParameterLoss)
}


def targets(loss, y, z):
    """Class indices where the loss takes them, else rows that lie about the predictions."""
    return y if loss.family == "multiclass" else np.roll(z, 1, axis=0)


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("name", ROW_LOSSES)
@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_row_loss(benchmark, dtype, n_classes, name):
    loss = ROW_LOSSES[name]
    y, z = sample(100_000, n_classes, dtype)
    z = fl.CrossEntropy().probabilities(z) if loss.family == "distribution" else z
    out, y = np.empty_like(z), targets(loss, y, z)
    benchmark.group = f"{name} {dtype} {n_classes} classes"
    benchmark(loss.value_and_gradient, y, z, out=out, n_threads=1)


@pytest.mark.benchmark(min_rounds=3, max_time=0.2)
@pytest.mark.parametrize("contender", ["fastloss", *installed()])
@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy(benchmark, dtype, n_classes, contender):
    y, z = sample(100_000, n_classes, dtype)
    build = fastloss_call if contender == "fastloss" else PEERS[contender]
    benchmark.group = f"cross-entropy {dtype} {n_classes} classes beside its peers"
    benchmark(build(y, z, 1).function())


@pytest.mark.parametrize("peer", installed())
def test_peer_computes_the_same(peer):
    y, z = sample(2_000, 10, "float64")
    value, gradient = (np.asarray(x) for x in PEERS[peer](y, z.copy(), 1).function()())
    ours = fl.CrossEntropy().value_and_gradient(y, z)
    np.testing.assert_allclose(value, ours[0], rtol=1e-9)
    gradient = gradient / np.abs(gradient).max() * np.abs(ours[1]).max()
    np.testing.assert_allclose(gradient, ours[1], rtol=1e-6, atol=1e-12)
