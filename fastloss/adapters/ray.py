"""Evaluations of Ray's data sets: each block where it is, as Arrow batches."""

from __future__ import annotations

from typing import Any

from fastloss._extras import require
from fastloss.adapters._cluster import AT_ONCE, Work
from fastloss.evaluation import Result

__all__ = ["evaluate"]


def evaluate(
    ds: Any,
    y_true: Any,
    y_pred: Any,
    measures: Any,
    *,
    sample_weight: Any = None,
    by: Any = None,
    level: float = 0.95,
    on_error: str = "raise",
) -> Result:
    """Compute losses and measures of the columns of a Ray data set in one pass, where its blocks are.

    Each task sees a block as an Arrow table (`map_batches`) and gives one state; some at a time are merged by
    tasks, and those by the driver as they come.

    Parameters
    ----------
    ds : ray.data.Dataset
        The data set.
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
        Ray is not installed: it comes with the extra ``ray``.
    ray.exceptions.RayTaskError
        A row is refused; its message has fastloss's, which names the row within its block.
    """
    require("ray.data", "ray", "an evaluation of a Ray data set")
    work = Work.given(y_true, y_pred, measures, sample_weight, by, on_error)

    def state_of_block(table: Any) -> dict[str, list[bytes]]:
        return {"state": [work.state_of(table)] if len(table) else []}

    def merge(states: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"state": [work.merged(states["state"])] if len(states["state"]) else []}

    states = ds.select_columns(work.columns.all()).map_batches(
        state_of_block, batch_size=None, batch_format="pyarrow"
    )
    merged = states.map_batches(merge, batch_size=AT_ONCE, batch_format="numpy")
    return work.result((row["state"] for row in merged.iter_rows()), level)
