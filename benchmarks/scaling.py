"""Times an evaluation of files on one machine and on clusters of it: ``python -m benchmarks.scaling``.

Writes parquet files of labels, scores and groups, and evaluates them by `fastloss.evaluate`, or by Dask, Ray
or Spark with some workers of one thread each. Clusters are started before the clock is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

import fastloss as fl

MEASURES = ["bce", "roc_auc", "accuracy", "calibration"]
FILES = 8


def write(folder: Path, rows: int) -> None:
    """Write the rows to files."""
    rng = np.random.default_rng(0)
    for k in range(FILES):
        n = rows // FILES
        y = rng.integers(0, 2, n).astype(np.int16)
        table = pa.table({
            "y": y,
            "z": (1.5 * rng.normal(size=n) + y - 0.5).astype(np.float32),
            "g": rng.integers(0, 5, n).astype(np.int16),
        })  # fmt: skip
        pa.parquet.write_table(table, folder / f"{k}.parquet", compression="none")


def with_dask(workers: int, folder: Path, stack: ExitStack) -> Callable[[], Any]:
    """Start Dask's workers and return what is timed."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
    stack.enter_context(Client(stack.enter_context(cluster)))
    frame = dd.read_parquet(folder)
    return lambda: fl.adapters.dask.evaluate(frame, "y", "z", MEASURES, by="g")


def with_ray(workers: int, folder: Path, stack: ExitStack) -> Callable[[], Any]:
    """Start Ray's workers and return what is timed."""
    import ray

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, object_store_memory=500 << 20)
    stack.callback(ray.shutdown)
    ray.data.DataContext.get_current().enable_progress_bars = False
    return lambda: fl.adapters.ray.evaluate(ray.data.read_parquet(str(folder)), "y", "z", MEASURES, by="g")


def with_spark(workers: int, folder: Path, stack: ExitStack) -> Callable[[], Any]:
    """Start Spark and return what is timed."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{workers}]").config("spark.ui.enabled", "false")
    for key in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(key, "127.0.0.1")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    stack.callback(session.stop)
    frame = session.read.parquet(str(folder))
    return lambda: fl.adapters.spark.evaluate(frame, "y", "z", MEASURES, by="g")


def main() -> None:
    """Print a line for each engine and number of workers: the fastest of some runs, the first one apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8_000_000)
    parser.add_argument("--engine", choices=("none", "dask", "ray", "spark"), default="none")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write(folder, args.rows)
        call: Callable[[], Any] = lambda: fl.evaluate("y", "z", MEASURES, data=folder, by="g")  # noqa: E731
        if args.engine != "none":
            start = {"dask": with_dask, "ray": with_ray, "spark": with_spark}[args.engine]
            call = start(args.workers, folder, stack)
        times = []
        for _ in range(1 + args.runs):
            began = time.perf_counter()
            result = call()
            times.append(time.perf_counter() - began)
        value = result["bce"].value
        print(
            f"{args.engine} {args.workers}: {min(times[1:]):.2f} s, the first {times[0]:.2f} s, bce {value!r}"
        )


if __name__ == "__main__":
    main()
