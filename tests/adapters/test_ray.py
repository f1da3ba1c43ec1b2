"""Evaluations by Ray: two worker processes, and the bits of one machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import fastloss as fl

pytest.importorskip("pyarrow")
ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")

from adapters.cluster_rows import GIVEN, MEASURES, parts, same, wanted  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def cluster():
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 << 20,
    )  # fmt: skip
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def evaluate(ds, **given):
    given = {**GIVEN, **given}
    return fl.adapters.ray.evaluate(ds, "y", given.pop("y_pred"), MEASURES, **given)


def test_two_processes_give_the_bits_of_one(cluster):
    ds = ray.data.from_arrow(parts())
    same(evaluate(ds), wanted())
    same(evaluate(ds.repartition(3), by=None), wanted(by=None))


def test_a_task_that_dies_is_run_again_with_the_threads_it_may_use(cluster, tmp_path):
    flag, threads = str(tmp_path / "died"), str(tmp_path / "threads")

    def fail_once(table):
        if not os.path.exists(flag):
            open(flag, "w").close()
            os._exit(1)
        with open(threads, "a") as file:
            file.write(f"{fl.get_num_threads()} {os.getpid()}\n")
        return table

    ds = ray.data.from_arrow(parts()).map_batches(fail_once, batch_size=None, batch_format="pyarrow")
    same(evaluate(ds), wanted())
    lines = [line.split() for line in Path(threads).read_text().splitlines()]
    assert {n for n, _ in lines} == {"1"}
    assert {int(pid) for _, pid in lines} - {os.getpid()}


def test_errors(cluster):
    ds = ray.data.from_arrow(parts())
    with pytest.raises(Exception, match=r"y_true: country holds string, not real numbers"):
        fl.adapters.ray.evaluate(ds, "country", "a", ["bce"])


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ImportError, match=r'pip install "fastloss\[ray\]"'):
        fl.adapters.ray.evaluate(None, "y", "a", ["bce"])
