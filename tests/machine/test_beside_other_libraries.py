"""One process with several OpenMP libraries: those of scikit-learn, XGBoost and PyTorch beside ours."""

from __future__ import annotations

import sys

import processes
import pytest

LIBRARIES = ("fastloss", "sklearn.ensemble", "torch", "xgboost")
for name in LIBRARIES[1:]:
    pytest.importorskip(name.partition(".")[0])

PROGRAM = """
import importlib, os, sys, threading
for name in {order}:
    importlib.import_module(name)
import numpy as np
import fastloss as fl, sklearn.ensemble, torch, xgboost

rng = np.random.default_rng(0)
y, z = rng.integers(0, 2, 300_000), rng.normal(size=300_000)
X = rng.normal(size=(3_000, 5))
loss = fl.BinaryCrossEntropy()

def ours(threads=2):
    value, gradient = loss.value_and_gradient(y, z, n_threads=threads)
    return value, gradient.tobytes()

def theirs():
    sklearn.ensemble.HistGradientBoostingClassifier(max_iter=3).fit(X, X[:, 0] > 0)
    xgboost.train({{"nthread": 2}}, xgboost.DMatrix(X, X[:, 0]), num_boost_round=2)
    torch.set_num_threads(2)
    logits = torch.tensor(z, requires_grad=True)
    labels = torch.tensor(y, dtype=logits.dtype)
    by_torch = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    by_torch.backward()
    return float(by_torch.detach()), logits.grad.numpy()

serial = ours(1)
assert ours() == serial
for _ in range(2):
    value, gradient = theirs()
    np.testing.assert_allclose(serial[0], value, rtol=1e-12)
    np.testing.assert_allclose(np.frombuffer(serial[1]), gradient, rtol=1e-10, atol=1e-20)
    assert ours() == serial
threads = [threading.Thread(target=theirs), *(threading.Thread(target=ours) for _ in range(2))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert ours() == serial
if hasattr(os, "fork"):
    child = os.fork()
    if child == 0:
        os._exit(0 if ours() == serial and ours(1) == serial else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert ours() == serial
with open("/proc/self/maps") as maps:
    print(len({{line.split()[-1] for line in maps if "libgomp" in line or "libomp" in line}}))
"""

# Ours comes first, and last.
ORDERS = [LIBRARIES, LIBRARIES[::-1]]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at what is mapped into the process")
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_in_every_order(order: tuple[str, ...]) -> None:
    assert int(processes.output(PROGRAM.format(order=order))) > 1
