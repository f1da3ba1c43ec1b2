"""``threadpoolctl.threadpool_limits`` limits the threads of a call, in whatever order things are imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import fastloss as fl

pytest.importorskip("threadpoolctl")
needs_openmp = pytest.mark.skipif(not fl.config()["openmp"], reason="built without OpenMP: one thread anyway")
needs_processors = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two processors"
)
pytestmark = [needs_openmp, needs_processors]

PROGRAM = """
import threading
{imports}

before = fl.get_num_threads()
assert before == {before}, before
with threadpoolctl.threadpool_limits(1):
    assert fl.get_num_threads() == 1
    with fl.num_threads(3):
        assert fl.get_num_threads() == 1
    fl.set_num_threads(4)
    assert fl.get_num_threads() == 1
    fl.set_num_threads(before)
    # Another thread has its own limits, for threadpoolctl as for OpenMP.
    seen = []
    thread = threading.Thread(target=lambda: seen.append(fl.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [before]
assert fl.get_num_threads() == before
with threadpoolctl.threadpool_limits(1, user_api="blas"):
    assert fl.get_num_threads() == before
with threadpoolctl.threadpool_limits(1, user_api="openmp"):
    assert fl.get_num_threads() == 1
fl.set_num_threads(5)
assert fl.get_num_threads() == 5
with fl.num_threads(6):
    assert fl.get_num_threads() == 6
"""


@pytest.mark.parametrize(
    ("imports", "variable"),
    [
        ("import fastloss as fl, threadpoolctl", None),
        ("import fastloss as fl, threadpoolctl", "FASTLOSS_NUM_THREADS"),
        ("import threadpoolctl, fastloss as fl", "OMP_NUM_THREADS"),
        ("import threadpoolctl, sklearn.utils, fastloss as fl", None),  # beside another OpenMP
        (
            "import threadpoolctl, sklearn.utils\n"
            "with threadpoolctl.threadpool_limits(1):\n    import fastloss as fl",
            None,
        ),
    ],
)
def test_limits(imports: str, variable: str | None) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    before = "2"
    if variable:
        before = environment[variable] = "3"
    elif len(os.sched_getaffinity(0)) > 2:
        before = "fl.threads.default_num_threads()"
    program = PROGRAM.format(imports=imports, before=before)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
