"""Evaluations of Spark's frames: each partition on its executor, as Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from fastloss._extras import require
from fastloss.adapters._cluster import Work
from fastloss.evaluation import Result

__all__ = ["evaluate"]

#: How many tasks merge states before the driver does.
_MERGERS = 16


def evaluate(
    df: Any,
    y_true: Any,
    y_pred: Any,
    measures: Any,
    *,
    sample_weight: Any = None,
    by: Any = None,
    level: float = 0.95,
    on_error: str = "raise",
) -> Result:
    """Compute losses and measures of the columns of a Spark frame in one pass, where its partitions are.

    Each task sees its partition as Arrow batches (`mapInArrow`) and gives one state; the states are merged by
    a few tasks, and theirs by the driver. Only frames are used, so that Spark Connect does as well. Fastloss
    must be installed on the executors.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        The frame.
    y_true, y_pred, sample_weight, by : str, or as `fastloss.evaluate` takes them
        The names of columns: for several models a dict of them, for rows of numbers a list.
    measures : list of Loss, Measure or str
        What to compute, as for `fastloss.Evaluation`.
    level : float
        The level of the intervals.
    on_error : {"raise", "skip"}
        What to do with rows that a measure refuses; a row's number is that in its part of the data.

    Returns
    -------
    Result
        The same bits as `fastloss.evaluate` gives for the same rows on one machine, however they are parted.

    Raises
    ------
    MissingExtra
        Spark or pyarrow is not installed: they come with the extra ``spark``.
    pyspark.errors.PythonException
        A row is refused; the message of the task has fastloss's, which names the row within its partition.
    """
    require("pyspark", "spark", "an evaluation of a Spark frame")
    work = Work.given(y_true, y_pred, measures, sample_weight, by, on_error)
    quoted = ["`" + name.replace("`", "``") + "`" for name in work.columns.all()]

    def state_of_partition(batches: Iterator[Any]) -> Iterator[Any]:
        pa = require("pyarrow", "spark", "an evaluation of a Spark frame")
        task = require("pyspark", "spark", "an evaluation of a Spark frame").TaskContext.get()
        first = next(batches, None)
        if first is not None:
            stream = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
            yield _row(pa, 0 if task is None else task.partitionId() % _MERGERS, work.state_of(stream))

    def merge(table: Any) -> Any:
        pa = require("pyarrow", "spark", "an evaluation of a Spark frame")
        states: Iterable[Any] = (state.as_py() for state in table.column("state"))
        return pa.Table.from_batches([_row(pa, 0, work.merged(states))])

    schema = "merger int, state binary"
    states = df.select(*quoted).mapInArrow(state_of_partition, schema)
    merged = states.groupBy("merger").applyInArrow(merge, schema).select("state").collect()
    return work.result((row[0] for row in merged), level)


def _row(pa: Any, merger: int, state: bytes) -> Any:
    columns = [pa.array([merger], pa.int32()), pa.array([state], pa.binary())]
    return pa.RecordBatch.from_arrays(columns, ["merger", "state"])
