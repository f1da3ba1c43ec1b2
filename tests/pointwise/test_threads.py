"""Threads: the same bits for any number of them, after fork, and from many Python threads at once."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import processes
import pytest
from verbs import REDUCTIONS, ask, assert_same, verbs_of

import fastloss as fl
from pointwise import samples

#: Above the size where every loss takes several threads, and no multiple of a block.
LARGE = (1 << 21) + 4099


def _large(loss: Any, dtype: Any, rng: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, z = samples.ordinary(loss, 100_003, dtype, rng)
    w = rng.uniform(0, 2, 100_003).astype(dtype)
    return np.resize(y, LARGE), np.resize(z, LARGE), np.resize(w, LARGE)


def test_same_bits_for_any_number_of_threads(default_loss: Any, dtype: Any, rng: Any) -> None:
    y, z, w = _large(default_loss, dtype, rng)
    verb = verbs_of(default_loss)[-1]
    for reduction in REDUCTIONS:
        one = ask(default_loss, verb, y, z, sample_weight=w, reduction=reduction, n_threads=1)
        for n in (2, 3, 8):
            many = ask(default_loss, verb, y, z, sample_weight=w, reduction=reduction, n_threads=n)
            assert_same(many, one)


def test_several_threads_are_really_used() -> None:
    """The clock of the process runs faster than that on the wall: else the test above compares nothing."""
    if not fl.config()["openmp"] or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs OpenMP and two processors")
    code = (
        "import os, threading, numpy as np, fastloss as fl\n"
        f"x = np.zeros({LARGE}, np.float32)\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "fl.BinaryCrossEntropy()(x, x, n_threads=3)\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    assert int(processes.output(code)) == 2


def test_setting_and_context() -> None:
    before = fl.get_num_threads()
    try:
        fl.set_num_threads(3)
        assert fl.get_num_threads() == 3
        with fl.num_threads(1):
            assert fl.get_num_threads() == 1
            with fl.num_threads(2):
                assert fl.get_num_threads() == 2
            assert fl.get_num_threads() == 1
        assert fl.get_num_threads() == 3
        with pytest.raises(KeyError), fl.num_threads(2):
            raise KeyError
        assert fl.get_num_threads() == 3
    finally:
        fl.set_num_threads(before)


def test_context_is_of_one_python_thread() -> None:
    before, seen = fl.get_num_threads(), []
    with fl.num_threads(before + 5):
        thread = threading.Thread(target=lambda: seen.append(fl.get_num_threads()))
        thread.start()
        thread.join()
    assert seen == [before]


@pytest.mark.parametrize("bad", [0, -1, 10**6, 2**70])
def test_bad_numbers(bad: int) -> None:
    before = fl.get_num_threads()
    with pytest.raises(ValueError, match="threads"):
        fl.set_num_threads(bad)
    with pytest.raises(ValueError, match="threads"), fl.num_threads(bad):
        pass
    with pytest.raises(ValueError, match="n_threads"):
        fl.SquaredError()([1.0], [1.0], n_threads=bad)
    assert fl.get_num_threads() == before


@pytest.mark.parametrize("bad", ["2", 2.5, [2]])
def test_bad_types(bad: Any) -> None:
    with pytest.raises(TypeError, match="threads"):
        fl.set_num_threads(bad)
    with pytest.raises(TypeError, match="n_threads"):
        fl.SquaredError()([1.0], [1.0], n_threads=bad)


def test_none_is_no_setting() -> None:
    with pytest.raises(TypeError, match="threads"):
        fl.set_num_threads(None)
    assert fl.SquaredError()([1.0], [2.0], n_threads=None) == 1


SHOW = "import fastloss as fl; print(fl.get_num_threads())"


def test_environment_variable() -> None:
    assert processes.output(SHOW, FASTLOSS_NUM_THREADS="3") == "3"
    assert processes.output(SHOW, FASTLOSS_NUM_THREADS="5", OMP_NUM_THREADS="2") == "5"
    assert processes.output(SHOW, OMP_NUM_THREADS="1") == "1"


@pytest.mark.parametrize("bad", ["0", "-2", "many", "2.5"])
def test_bad_environment_variable_is_a_warning(bad: str) -> None:
    result = processes.run(SHOW, FASTLOSS_NUM_THREADS=bad)
    assert result.returncode == 0
    assert "RuntimeWarning" in result.stderr
    assert "FASTLOSS_NUM_THREADS" in result.stderr
    assert int(result.stdout) >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs processor affinity")
def test_default_obeys_affinity() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); " + SHOW
    assert processes.output(code) == "1"


FORK = """
import multiprocessing, sys, numpy as np, fastloss as fl
x = np.linspace(-5, 5, 3_000_001)
y = (x > 0).astype(np.int8)
loss = fl.BinaryCrossEntropy()
parent = loss(y, x, n_threads=4)
def child(queue):
    queue.put((loss(y, x, n_threads=4), loss(y, x), fl.get_num_threads()))
context = multiprocessing.get_context("fork")
queue = context.Queue()
process = context.Process(target=child, args=(queue,))
process.start()
first, second, threads = queue.get(timeout=60)
process.join(60)
assert process.exitcode == 0
assert first == second == parent == loss(y, x, n_threads=4)
assert threads == 1
print("done")
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_child_of_fork_computes() -> None:
    """OpenMP's threads do not come along: a parallel region in the child would wait for them for ever."""
    assert processes.output(FORK) == "done"


def test_many_python_threads_at_once(rng: Any) -> None:
    losses = [fl.Huber(), fl.BinaryCrossEntropy(), fl.LogCosh(), fl.Poisson()]
    n = 400_003
    y, z = rng.integers(0, 2, n), rng.normal(size=n)
    expected = [loss.value_and_gradient(y, z, n_threads=1) for loss in losses]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(12) as pool:
            jobs = [(k, pool.submit(losses[k].value_and_gradient, y, z)) for _ in range(10) for k in range(4)]
            for k, job in jobs:
                value, gradient = job.result(timeout=120)
                assert value == expected[k][0]
                np.testing.assert_array_equal(gradient, expected[k][1])
    finally:
        sys.setswitchinterval(interval)


def test_other_python_threads_run_meanwhile() -> None:
    """The interpreter's lock is released around a kernel."""
    x = np.zeros(30_000_000, np.float32)
    started, done, steps = threading.Event(), threading.Event(), []

    def compute() -> None:
        started.set()
        fl.BinaryCrossEntropy()(x, x, n_threads=1)
        done.set()

    interval = sys.getswitchinterval()
    # So long an interval that the counting thread gets the lock only if the kernel gives it up.
    sys.setswitchinterval(60)
    try:
        thread = threading.Thread(target=compute)
        thread.start()
        started.wait()
        while not done.is_set():
            steps.append(1)
            done.wait(0.0005)
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(steps) > 2


def test_first_error_for_any_number_of_threads(rng: Any) -> None:
    y = rng.integers(0, 2, LARGE)
    for place in (LARGE - 1, 1_500_000, 70_001, 3):
        y[place] = 7
        for n in (1, 2, 8):
            with pytest.raises(ValueError, match=rf"y_true\[{place}\] = 7\b"):
                fl.Hinge()(y, np.zeros(LARGE), n_threads=n)
