"""Processes and interpreters: started by fork or not, sub-interpreters, odd settings, objects sent across."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import processes
import pytest

import fastloss as fl
from fastloss import _core
from fastloss.config import initialise
from fastloss.threads import default_num_threads

# The child's function lies in a module, which spawn and forkserver import.
MODULE = """
import numpy as np, fastloss as fl
y = np.random.default_rng(0).integers(0, 2, 600_001)
z = np.random.default_rng(1).normal(0, 3, (600_001,)).astype(np.float32)
losses = [fl.BinaryCrossEntropy(), fl.get_loss("huber", delta=0.5), fl.Tweedie(power=1.5)]
rows = np.random.default_rng(2).normal(size=(30_001, 11))
def compute(losses=losses):
    found = [loss.value_and_gradient(y, z, n_threads=4) for loss in losses]
    found.append(fl.CrossEntropy().value_and_gradient(y[:30_001], rows, n_threads=4))
    return [(value, gradient.tobytes()) for value, gradient in found]
def child(losses):
    first = compute(losses)
    return first == compute(losses), first, fl.get_num_threads()
"""

PARENT = """
import multiprocessing, fastloss as fl
import start
if __name__ == "__main__":
    before = start.compute()
    context = multiprocessing.get_context({method!r})
    with context.Pool(2) as pool:
        for again, found, threads in pool.map(start.child, [start.losses] * 4):
            assert again and found == before
            assert threads == (1 if {method!r} == "fork" else fl.get_num_threads()), threads
    assert start.compute() == before
    print("done")
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_compute_the_parents_bits(method: str, tmp_path: Any) -> None:
    """Used in the parent with several threads before and after, and twice in each child; losses are sent."""
    (tmp_path / "start.py").write_text(MODULE)
    (tmp_path / "parent.py").write_text(PARENT.format(method=method))
    code = f"import runpy; runpy.run_path({str(tmp_path / 'parent.py')!r}, run_name='__main__')"
    found = processes.run(code, PYTHONPATH=str(tmp_path), FASTLOSS_NUM_THREADS="3")
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "done"


def test_a_child_of_a_thread_that_computes(tmp_path: Any) -> None:
    """fork() while other Python threads are inside of kernels."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs fork")
    (tmp_path / "start.py").write_text(MODULE)
    code = """
import os, threading, warnings, start
warnings.simplefilter("ignore")  # of Python 3.12 and newer: fork beside threads
expected, stop = start.compute(), threading.Event()
def work():
    while not stop.is_set():
        start.compute()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        os._exit(0 if start.compute() == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads: thread.join()
print("done")
"""
    found = processes.run(code, PYTHONPATH=str(tmp_path), FASTLOSS_NUM_THREADS="3")
    assert (found.returncode, found.stdout.strip()) == (0, "done"), found.stderr


def test_eight_python_threads_on_the_same_arrays(rng: Any) -> None:
    """Every family at once, inputs shared, outputs of one's own: the bits of one thread alone."""
    n = 40_001
    y, z = rng.integers(0, 2, n), rng.normal(size=n)
    rows, labels = rng.normal(size=(n // 8, 16)), rng.integers(0, 16, n // 8)
    calls = [
        lambda t: fl.BinaryCrossEntropy().value_and_gradient(y, z, n_threads=t),
        lambda t: fl.CrossEntropy().value_and_gradient(labels, np.asfortranarray(rows), n_threads=t),
        lambda t: fl.CenterLoss().gradient(rows, rows[:16], labels, n_threads=t)[1],
        lambda t: fl.Triplet().value_and_gradient(rows, rows[::-1], rows, n_threads=t)[0],
        lambda t: fl.Wasserstein().value_and_gradient(rows[:200], rows[200:400], n_threads=t),
        lambda t: fl.Sinkhorn(reg=1.0, max_iter=20, tol=1.0).value_and_gradient(rows[:300], rows[300:600]),
        lambda t: fl.L2().value_and_gradient(z, n_threads=t),
    ]

    def bits(found: Any) -> bytes:
        return pickle.dumps(
            [np.asarray(x).tobytes() for x in (found if isinstance(found, tuple) else (found,))]
        )

    expected = [bits(call(1)) for call in calls]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            jobs = [(k, pool.submit(calls[k], 1 + i % 3)) for i in range(8) for k in range(len(calls))]
            assert [k for k, job in jobs if bits(job.result(timeout=120)) != expected[k]] == []
    finally:
        sys.setswitchinterval(interval)


OBJECTS = [info.cls() for info in fl.list_losses()] + [fl.L1(), fl.L2(0.5), fl.ElasticNet(0.5, 0.25)]


def _round_trip(item: Any) -> tuple[Any, str, int]:
    return item, repr(item), hash(item)


def test_objects_are_sent_to_other_processes_and_back() -> None:
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    with multiprocessing.get_context(method).Pool(1) as pool:
        for item, (back, text, _) in zip(OBJECTS, pool.map(_round_trip, OBJECTS), strict=True):
            assert back == item
            assert text == repr(item)
            assert hash(back) == hash(item)


def test_linear_objectives_are_sent() -> None:
    rng = np.random.default_rng(0)
    objective = fl.LinearObjective(fl.Huber(), rng.normal(size=(30, 3)), rng.normal(size=30), fl.L2())
    again = pickle.loads(pickle.dumps(objective))
    w = rng.normal(size=objective.size)
    assert again(w)[0] == objective(w)[0]
    np.testing.assert_array_equal(again(w)[1], objective(w)[1])


# Sub-interpreters

SUBINTERPRETER = """
import sys
import fastloss
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
import sys
sys.path[:] = {{path}}
try:
    import fastloss
except ImportError as error:
    message = f"refused: {{error}}"
else:
    message = "imported"
open({to!r}, "w").write(message)
'''.replace("{{path}}", repr(sys.path))
{create}
print(interpreters.run_string(interpreter, code))
import numpy as np
assert fastloss.SquaredError()([1.0], [2.0]) == 1.0
print("alive")
"""


@pytest.mark.parametrize("create", ["isolated", "legacy"])
def test_sub_interpreters_are_refused_with_a_sentence(create: str, tmp_path: Any) -> None:
    """NumPy can be loaded once a process; the main interpreter goes on."""
    made = {
        "isolated": "interpreter = interpreters.create()",
        "legacy": (
            "interpreter = interpreters.create('legacy') if sys.version_info >= (3, 13)"
            " else interpreters.create(isolated=False)"
        ),
    }[create]
    found = processes.run(SUBINTERPRETER.format(to=str(tmp_path / "said"), create=made))
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip().endswith("alive"), found.stdout + found.stderr
    said = (tmp_path / "said").read_text()
    assert said.startswith("refused: "), said
    assert "interpreter" in said


LEAKS = """
import sys, leaks
sys.argv[1:] = ["--calls", "1500", "--errors", "300"]
sys.exit(leaks.main())
"""

# Settings: what other processes would be started with


@pytest.fixture
def settings(monkeypatch: Any) -> Any:
    """Sets variables; the tier and the threads of this process are put back afterwards."""
    isa, threads = fl.config()["isa"], fl.get_num_threads()
    for name in ("FASTLOSS_ISA", "FASTLOSS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch.setenv
    _core.select_isa(isa)
    fl.set_num_threads(threads)


@pytest.mark.parametrize("variable", ["FASTLOSS_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize(
    ("text", "threads"),
    [
        ("", None),
        ("  ", None),
        (",2", None),
        (" 3 ", 3),
        ("4,2", 4),
        ("1000000000", 4096),
        ("9" * 6000, 4096),
        ("٣", 3),
        ("007", 7),
        ("0" * 6000 + "7", 7),
    ],
    ids=[
        "empty",
        "spaces",
        "comma",
        "padded",
        "nested",
        "huge",
        "endless",
        "arabic",
        "zeros",
        "endless zeros",
    ],
)
def test_numbers_of_threads(settings: Any, variable: str, text: str, threads: int | None) -> None:
    usual = default_num_threads()
    settings(variable, text)
    assert default_num_threads() == (usual if threads is None else threads)


@pytest.mark.parametrize("variable", ["FASTLOSS_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize(
    "text", ["0", "-1", "abc", "1e9", "2.5", "0x4", "²", "3;4", "é", "+2", "\udcff", "0" * 6000]
)
def test_no_number_of_threads_is_a_warning_that_names_the_variable(
    settings: Any, variable: str, text: str
) -> None:
    usual = default_num_threads()
    settings(variable, text)
    with pytest.warns(RuntimeWarning, match=f"^{variable}=.* is not a positive integer: ignored$"):
        initialise()
    assert fl.get_num_threads() == usual


@pytest.mark.parametrize("text", ["", "  ", " base "])
def test_tiers(settings: Any, text: str) -> None:
    settings("FASTLOSS_ISA", text)
    initialise()
    assert fl.config()["isa"] == (text.strip() or fl.config()["isa_available"][-1])


@pytest.mark.parametrize("text", ["V4", "v9", "v3,v4", "0", "é", "\udcff", "a" * 5000])
def test_no_tier_is_a_warning_that_names_the_variable(settings: Any, text: str) -> None:
    settings("FASTLOSS_ISA", text)
    with pytest.warns(RuntimeWarning, match="^FASTLOSS_ISA=.* is not available: using .*, of base"):
        initialise()
    assert fl.config()["isa"] == fl.config()["isa_available"][-1]


def test_bytes_that_are_no_text_do_not_stop_the_import() -> None:
    found = processes.run("import fastloss", FASTLOSS_ISA="\udcff", FASTLOSS_NUM_THREADS="9" * 6000)
    assert found.returncode == 0, found.stderr
    assert "FASTLOSS_ISA" in found.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_calls_leave_no_memory_behind() -> None:
    """A short run of what ``python -m tests.leaks`` does with a million calls of each verb."""
    found = processes.run(LEAKS)
    assert found.returncode == 0, found.stdout + found.stderr
