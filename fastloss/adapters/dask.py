"""Evaluations of Dask's frames: each partition on its worker, states merged in a tree."""

from __future__ import annotations

from typing import Any

from fastloss._extras import require
from fastloss.adapters._cluster import AT_ONCE, Work
from fastloss.evaluation import Result

__all__ = ["evaluate"]


def evaluate(
    ddf: Any,
    y_true: Any,
    y_pred: Any,
    measures: Any,
    *,
    sample_weight: Any = None,
    by: Any = None,
    level: float = 0.95,
    on_error: str = "raise",
) -> Result:
    """Compute losses and measures of the columns of a Dask frame in one pass, where its partitions are.

    It runs on the scheduler that Dask has: a cluster where there is a `distributed.Client`, threads
    otherwise. Workers compute with as many threads as they may: one where ``OMP_NUM_THREADS`` is 1, as Dask
    sets it.

    Parameters
    ----------
    ddf : dask.dataframe.DataFrame
        The frame; its index does not matter.
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
        Dask is not installed: it comes with the extra ``dask``.
    ValueError, TypeError
        As `fastloss.evaluate`; the message names the row within its partition.
    """
    dask = require("dask", "dask", "an evaluation of a Dask frame")
    work = Work.given(y_true, y_pred, measures, sample_weight, by, on_error)
    states = [dask.delayed(work.state_of)(part) for part in ddf[work.columns.all()].to_delayed()]
    while len(states) > 1:
        merged = dask.delayed(work.merged)
        states = [merged(states[i : i + AT_ONCE]) for i in range(0, len(states), AT_ONCE)]
    return work.result(dask.compute(*states), level)
