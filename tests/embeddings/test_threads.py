"""Losses of embeddings: the same bits for any number of threads and on every tier with fused multiply-add."""

from __future__ import annotations

from typing import Any

import numpy as np
import processes
import pytest
import tiers

import fastloss as fl
from embeddings.samples import ALL, ENTROPIES, ROW_BY_ROW, ask, assert_same, ordinary


@pytest.mark.parametrize("case", ROW_BY_ROW, ids=repr)
@pytest.mark.parametrize("shape", [(90_001, 3), (2_203, 128), (67, 5003)], ids=str)
def test_any_number_of_threads(case: Any, shape: tuple[int, int], dtype: Any, rng: Any) -> None:
    arguments = ordinary(case, *shape, dtype, rng)
    w = rng.uniform(0.5, 2, shape[0]).astype(dtype)
    one = ask(case, arguments, sample_weight=w, n_threads=1)
    for n in (2, 3, 8):
        assert_same(ask(case, arguments, sample_weight=w, n_threads=n), one)
    one = case(*arguments, reduction="none", n_threads=1)
    np.testing.assert_array_equal(case(*arguments, reduction="none", n_threads=3), one)


def test_any_number_of_threads_of_a_batch(dtype: Any, rng: Any) -> None:
    arguments = ordinary(fl.NTXent(), 400, 5, dtype, rng)
    one = ask(fl.NTXent(), arguments, n_threads=1)
    for n in (2, 3, 8):
        assert_same(ask(fl.NTXent(), arguments, n_threads=n), one)


@pytest.mark.parametrize("n_classes", [1, 2, 1000, 30_000])
def test_centres_of_any_number(n_classes: int, dtype: Any, rng: Any) -> None:
    """Few classes share segments of rows, many are shared out; their rows' order is scattered."""
    n, d = 20_011, 17
    labels = np.minimum(rng.geometric(0.001, n) % n_classes, n_classes - 1)
    x, centers = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(n_classes, d)).astype(dtype)
    w = rng.uniform(0.5, 2, n).astype(dtype)
    value, (by_x, by_centers) = fl.CenterLoss().value_and_gradient(
        x, centers, labels, sample_weight=w, reduction="sum", n_threads=1
    )
    for n_threads in (2, 3, 8):
        found = fl.CenterLoss().value_and_gradient(
            x, centers, labels, sample_weight=w, reduction="sum", n_threads=n_threads
        )
        assert found[0] == value
        np.testing.assert_array_equal(found[1][0], by_x)
        np.testing.assert_array_equal(found[1][1], by_centers)
    expected = np.zeros((n_classes, d), np.longdouble)
    np.add.at(expected, labels, w[:, None].astype(float) * (centers[labels].astype(float) - x))
    np.testing.assert_allclose(
        by_centers, expected, rtol=8 * np.finfo(dtype).eps, atol=1e-11 if dtype == np.float64 else 1e-5
    )
    assert (by_centers[np.bincount(labels, minlength=n_classes) == 0] == 0).all()


def test_first_error_for_any_number_of_threads() -> None:
    x, centers, labels = np.zeros((90_000, 4)), np.zeros((3, 4)), np.zeros(90_000, int)
    for place in (89_999, 40_000, 5):
        labels[place] = 3
        for n in (1, 2, 8):
            with pytest.raises(ValueError, match=rf"labels\[{place}\] = 3 "):
                fl.CenterLoss().gradient(x, centers, labels, n_threads=n)


def test_several_threads_are_really_used() -> None:
    """Else the tests above compare nothing."""
    if not fl.config()["openmp"]:
        pytest.skip("needs OpenMP")
    for call in (
        "fl.Contrastive().gradient(a, a, y, n_threads=3)",
        "fl.CenterLoss().gradient(a, a[:9], y, n_threads=3)",
        "fl.CenterLoss().gradient(a, a.copy(), y, n_threads=3)",
    ):
        code = (
            "import os, numpy as np, fastloss as fl\n"
            "a = np.zeros((90_003, 4), np.float32); y = np.zeros(90_003, int)\n"
            "before = len(os.listdir('/proc/self/task'))\n"
            f"{call}\n"
            "print(len(os.listdir('/proc/self/task')) - before)"
        )
        assert int(processes.output(code)) == 2


def test_in_a_child_of_fork() -> None:
    code = (
        "import os, numpy as np, fastloss as fl\n"
        "a = np.ones((90_003, 4)); y = np.zeros(90_003, int)\n"
        "fl.Contrastive()(a, a, y, n_threads=2)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os._exit(int(fl.Contrastive()(a, a, y, n_threads=2)) + 6)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert processes.output("import warnings; warnings.simplefilter('ignore')\n" + code) == "7"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Results of every tier that this machine runs: tier -> name -> array."""
    return tiers.collect(
        tmp_path_factory.mktemp("tiers"), "embeddings.samples", "embeddings.samples.digest()"
    )


@tiers.needs_two_fused
def test_fused_tiers_give_the_same_bits(results: Any) -> None:
    first, *others = (results[tier] for tier in tiers.FUSED)
    for other in others:
        assert_same(other, first)


@tiers.needs_two
def test_the_base_tier_is_close(results: Any) -> None:
    base, other = results["base"], results[tiers.AVAILABLE[-1]]
    assert base.keys() == other.keys()
    assert any(not np.array_equal(base[key], other[key]) for key in base)
    for key, x in base.items():
        eps = float(np.finfo(np.float32 if "float32" in key else np.float64).eps)
        scale = np.abs(other[key]).max()
        np.testing.assert_allclose(x, other[key], rtol=8 * eps, atol=8 * eps * max(scale, 1), err_msg=key)


PEAK = """
import resource, numpy as np, fastloss as fl
rng = np.random.default_rng(0)
a, b = (rng.normal(size=({n}, 64)).astype(np.float32) for _ in range(2))
fl.NTXent()(a[:64], b[:64])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fl.NTXent().value_and_gradient(a, b, n_threads=1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_similarities_are_never_whole() -> None:
    """2 n = 6000 vectors: their matrix would take 144 MB in float32."""
    kibibytes = int(processes.output(PEAK.format(n=3000), OPENBLAS_NUM_THREADS="1"))
    assert kibibytes < 30_000


def test_every_loss_is_tested() -> None:
    listed = {info.cls for info in fl.list_losses() if issubclass(info.cls, fl.EmbeddingLoss)}
    assert {type(loss) for loss in [*ALL, *ENTROPIES]} == listed


def test_labels_that_change_meanwhile() -> None:
    """Numbers or an error, but no crash: a label is checked whenever it is read.

    They change at another moment of the call each time.
    """
    code = (
        "import threading, time, numpy as np, fastloss as fl\n"
        "x, centers = np.ones((400_000, 2)), np.ones((9, 2))\n"
        "y = np.zeros(len(x), np.int64)\n"
        "verbs = fl.CenterLoss(), fl.CenterLoss().value_and_gradient\n"
        "start = time.monotonic()\n"
        "for verb in verbs:\n"
        "    verb(x, centers, y)\n"
        "took = time.monotonic() - start\n"
        "def change(delay):\n"
        "    time.sleep(delay)\n"
        "    y[::-1] = 1 << 40\n"
        "for part in range(40):\n"
        "    thread = threading.Thread(target=change, args=[part % 20 / 20 * took])\n"
        "    thread.start()\n"
        "    for verb in verbs:\n"
        "        try:\n"
        "            verb(x, centers, y, n_threads=1)\n"
        "        except ValueError as error:\n"
        "            assert 'is no class' in str(error)\n"
        "    thread.join()\n"
        "    y[:] = 0\n"
        "print('alive')"
    )
    assert processes.output(code) == "alive"
