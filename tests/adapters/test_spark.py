"""Evaluations by Spark: two cores with a worker process each, and the bits of one machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastloss as fl

parquet = pytest.importorskip("pyarrow.parquet")
sql = pytest.importorskip("pyspark.sql")
if shutil.which("java") is None:
    pytest.skip("Spark needs java", allow_module_level=True)

from adapters.cluster_rows import GIVEN, MEASURES, SIZES, parts, same, wanted  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def spark():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = sql.SparkSession.builder.master("local[2,3]")  # a task may fail twice
        for key, value in {
            "ui.enabled": "false",
            "sql.shuffle.partitions": "2",
            "driver.host": "127.0.0.1",
            "driver.bindAddress": "127.0.0.1",
            "log.level": "OFF",
        }.items():
            builder = builder.config(f"spark.{key}", value)
        session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.fixture
def df(spark, tmp_path):
    """Make a frame whose partitions are the parts."""
    frames = []
    for k, table in enumerate(parts()):
        # Spark's library for the usual compression is not for every system.
        parquet.write_table(table, tmp_path / f"{k}.parquet", compression="none")
        frames.append(spark.read.parquet(str(tmp_path / f"{k}.parquet")))
    return functools.reduce(lambda a, b: a.unionAll(b), frames)


def evaluate(df, **given):
    given = {**GIVEN, **given}
    return fl.adapters.spark.evaluate(df, "y", given.pop("y_pred"), MEASURES, **given)


def test_two_processes_give_the_bits_of_one(df):
    assert df.rdd.getNumPartitions() >= len(SIZES) - 1
    same(evaluate(df), wanted())
    same(evaluate(df.repartition(3), by=None), wanted(by=None))


def test_a_task_that_fails_is_tried_again_with_the_threads_it_may_use(df, tmp_path):
    flag, threads = str(tmp_path / "failed"), str(tmp_path / "threads")

    def fail_once(batches):
        if not os.path.exists(flag):
            open(flag, "w").close()
            os._exit(1)
        with open(threads, "a") as file:
            file.write(f"{fl.get_num_threads()} {os.getpid()}\n")
        yield from batches

    same(evaluate(df.mapInArrow(fail_once, df.schema)), wanted())
    lines = [line.split() for line in Path(threads).read_text().splitlines()]
    assert {n for n, _ in lines} == {"1"}
    assert {int(pid) for _, pid in lines} - {os.getpid()}


CONNECTED = """
import functools
from pyspark.sql import SparkSession
from adapters.cluster_rows import GIVEN, MEASURES, parts, same, wanted
import fastloss as fl
spark = SparkSession.builder.remote("local[2]").getOrCreate()
assert "connect" in type(spark).__module__
frames = [spark.createDataFrame(table.to_pandas()) for table in parts() if len(table)]
df = functools.reduce(lambda a, b: a.unionAll(b), frames)
same(fl.adapters.spark.evaluate(df, "y", measures=MEASURES, **GIVEN), wanted())
spark.stop()
"""


def test_spark_connect_gives_the_same_bits():
    # A process has sessions of one kind.
    pytest.importorskip("grpc_status")
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    own = {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    own["SPARK_LOCAL_IP"] = "127.0.0.1"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CONNECTED], env={**os.environ, **own}, capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_errors(df):
    with pytest.raises(Exception, match=r"y_true: country holds string, not real numbers"):
        fl.adapters.spark.evaluate(df, "country", "a", ["bce"])
    with pytest.raises(Exception, match=r"y_true\[0\] = \d is outside the domain|y_true\[0\] = 5 is outside"):
        fl.adapters.spark.evaluate(df.selectExpr("y + 5 as y", "a"), "y", "a", ["bce"])
    with pytest.raises(Exception, match="none"):
        evaluate(df, by="none")


def test_without_spark(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(ImportError, match=r'pip install "fastloss\[spark\]"'):
        fl.adapters.spark.evaluate(None, "y", "a", ["bce"])
