"""Evaluations by Dask: two worker processes, and the bits of one machine."""

from __future__ import annotations

import os
import sys

import pytest

import fastloss as fl

pytest.importorskip("pyarrow")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

from adapters.cluster_rows import GIVEN, MEASURES, parts, same, wanted  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def frame(fails_once=None):
    """Make a frame of the parts; a file's name lets the worker of one part end the first time."""
    tables = parts()

    def load(k):
        if fails_once is not None and k == 1 and not os.path.exists(fails_once):
            open(fails_once, "w").close()
            os._exit(1)
        return tables[k].to_pandas()

    return dd.from_map(load, range(len(tables)), meta=tables[2].to_pandas())


def evaluate(ddf, **given):
    given = {**GIVEN, **given}
    return fl.adapters.dask.evaluate(ddf, "y", given.pop("y_pred"), MEASURES, **given)


def test_two_processes_give_the_bits_of_one(client):
    assert len(set(client.run(os.getpid).values()) - {os.getpid()}) == 2
    same(evaluate(frame()), wanted())
    same(evaluate(frame(), by=None, sample_weight=None), wanted(by=None, sample_weight=None))


def test_threads_of_workers(client):
    assert set(client.run(lambda: os.environ["OMP_NUM_THREADS"]).values()) == {"1"}
    assert set(client.run(fl.get_num_threads).values()) == {1}


def test_a_worker_that_dies_changes_nothing(client, tmp_path):
    flag = tmp_path / "died"
    same(evaluate(frame(str(flag))), wanted())
    assert flag.exists()


def test_without_a_cluster():
    import dask

    with dask.config.set(scheduler="synchronous"):
        same(evaluate(frame()), wanted())


def test_errors(client):
    with pytest.raises(ValueError, match=r"y_true\[\d+\] = 7 is outside the domain of BinaryCrossEntropy"):
        evaluate(frame().assign(y=7 * (frame()["y"].cumsum() > 1)))
    with pytest.raises(KeyError, match="none"):
        evaluate(frame(), by="none")
    with pytest.raises(ValueError, match="did you mean 'roc_auc'"):
        fl.adapters.dask.evaluate(frame(), "y", "a", ["roc_au"])


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ImportError, match=r'pip install "fastloss\[dask\]"'):
        fl.adapters.dask.evaluate(None, "y", "a", ["bce"])
