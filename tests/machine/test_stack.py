"""Little of a thread's stack is used, the caller's or OpenMP's, and no thread is started for nothing."""

from __future__ import annotations

import sys

import processes
import pytest

CALLS = '''
import threading
import numpy as np
import fastloss as fl

rng = np.random.default_rng(0)
n, n_threads = 1 << 18, 2


def apart(x):
    """The same numbers, none where a kernel could use them."""
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype.newbyteorder())
    wide[..., ::2] = x
    return wide[..., ::2]


y, z, w = rng.uniform(0.5, 2, (3, n))
labels, logits = rng.integers(0, 3, n), rng.normal(size=(n, 3))
few, wide = rng.integers(0, 1000, 500), rng.normal(size=(500, 1000))
a, b, signs = rng.normal(size=(n // 16, 32)), rng.normal(size=(n // 16, 32)), rng.integers(0, 2, n // 16)
u, v, points = rng.normal(size=(700, 300)), rng.normal(size=(700, 300)), rng.normal(size=(400, 3))
options = {"n_threads": n_threads}
calls = [
    lambda: fl.Poisson().value_gradient_and_hessian(y, z, sample_weight=w, **options),
    lambda: fl.Poisson().value_gradient_and_hessian(apart(y), apart(z), sample_weight=apart(w), **options),
    lambda: fl.SquaredError().gradient_and_hessian(y[:16], z[:16]),
    lambda: fl.formula("lgamma(1 + z*z) - y*z").value_gradient_and_hessian(apart(y), apart(z), **options),
    lambda: fl.ElasticNet().value_gradient_and_hessian(apart(w), **options),
    lambda: fl.CrossEntropy().value_gradient_and_hessian(labels, apart(logits), **options),
    lambda: fl.CrossEntropy(label_smoothing=0.1).value_and_gradient(few, apart(wide), **options),
    lambda: fl.CrossEntropy().value_gradient_and_hessian(few, np.asfortranarray(wide), **options),
    lambda: fl.CrossEntropy()(few[:1], np.zeros((1, 1 << 20), np.float16), **options),
    lambda: fl.Focal().value_and_gradient(labels[:16], logits[:16]),
    lambda: fl.Contrastive().value_and_gradient(apart(a), apart(b), signs, **options),
    lambda: fl.Triplet().value_and_gradient(a, b, np.asfortranarray(a), **options),
    lambda: fl.CenterLoss().value_and_gradient(apart(a), b[:2], signs, **options),
    lambda: fl.Wasserstein().value_and_gradient(apart(u), apart(v), **options),
    lambda: fl.Sinkhorn(max_iter=5)(points, points + 1, **options),
]
'''


@pytest.mark.skipif(sys.platform != "linux", reason="sizes of stacks are those of Linux")
def test_small_stacks() -> None:
    code = CALLS + (
        "import warnings\n"
        "warnings.simplefilter('ignore')\n"
        "threading.stack_size(128 << 10)\n"
        "for call in calls:\n"
        "    thread = threading.Thread(target=call)\n"
        "    thread.start()\n"
        "    thread.join()\n"
        "print('done')"
    )
    assert processes.output(code, OMP_STACKSIZE="48K") == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads where Linux lists them")
def test_no_more_threads_than_pieces_of_work() -> None:
    """Most of these calls have 256; the single row is shared in 1 024 chunks."""
    code = CALLS + (
        "import os\n"
        "options['n_threads'] = 4096\n"
        "most = 0\n"
        "for call in calls:\n"
        "    call()\n"
        "    most = max(most, len(os.listdir('/proc/self/task')))\n"
        "print(most)"
    )
    # BLAS may have threads of its own.
    assert int(processes.output(code, OPENBLAS_NUM_THREADS="1")) <= 1025


def test_threads_are_counted_by_pieces() -> None:
    code = (
        "import os, time, numpy as np, fastloss as fl\n"
        "def count(most):\n"  # those of smaller teams end some time after their call, on a busy machine
        "    end = time.monotonic() + 10\n"
        "    while (n := len(os.listdir('/proc/self/task')) - before) > most and time.monotonic() < end:\n"
        "        time.sleep(0.05)\n"
        "    return n\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "fl.Wasserstein()(np.zeros((3, 50_000)), np.zeros((3, 50_000)), n_threads=64)\n"
        "rows = count(2)\n"
        "fl.Sinkhorn(max_iter=1)(np.zeros((80, 1)), np.zeros((5_000, 1)), n_threads=64)\n"
        "print(rows, count(63))"
    )
    if sys.platform != "linux":
        pytest.skip("counts threads where Linux lists them")
    # Three rows; of Sinkhorn's 5 000 points sixteen are a piece.
    rows, points = map(int, processes.output(code, OPENBLAS_NUM_THREADS="1").split())
    assert rows <= 2
    assert points <= 63
