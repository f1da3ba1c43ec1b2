"""Scores columns of files by several losses in one pass over the files."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

import fastloss as fl
from fastloss.cli.errors import CommandError
from fastloss.cli.sources import Array, Location, open_readers, read_together

#: Rows read and scored at a time: enough to keep several threads busy, small enough for the last-level cache.
CHUNK_SIZE = 1 << 20

Progress = Callable[[float, int], None]


@dataclass(frozen=True)
class Score:
    """What one loss said.

    Attributes
    ----------
    loss : Loss
        The loss.
    value : float
        Its mean or sum over all samples.
    seconds : float
        The time it took, without reading.
    """

    loss: fl.Loss
    value: float
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """What all losses said, and of what.

    Attributes
    ----------
    locations : sequence of Location
        The columns that were read.
    scores : sequence of Score
        One for each loss, in the order given.
    reduction : {"mean", "sum"}
        How the samples' losses were put together.
    samples : int
        The number of samples.
    sum_of_weights : float
        The sum of the weights; the number of samples where there are none.
    dtype : str
        The dtype of the predictions as read.
    seconds, reading_seconds : float
        The time in all, and the part of it that reading took.
    """

    locations: Sequence[Location]
    scores: Sequence[Score]
    reduction: str
    samples: int
    sum_of_weights: float
    dtype: str
    seconds: float
    reading_seconds: float


@dataclass
class _Tally:
    """The sums of one loss over the chunks so far."""

    loss: fl.Loss
    sums: list[float] = field(default_factory=list)
    seconds: float = 0.0


def score_files(
    locations: Sequence[Location],
    losses: Sequence[fl.Loss],
    *,
    reduction: str = "mean",
    chunk_size: int = CHUNK_SIZE,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score predictions in files against targets in files.

    The files are read once, chunk by chunk, and each chunk is scored by every loss before the next is read.
    The mean is the sum of the chunks' weighted sums over the sum of the weights, both added without rounding
    error between chunks.

    Parameters
    ----------
    locations : sequence of Location
        The columns used as ``y_true``, ``y_pred`` and, if there is a third, ``sample_weight``.
    losses : sequence of Loss
        The losses.
    reduction : {"mean", "sum"}
        What to compute of the samples' losses.
    chunk_size : int
        Samples read at a time.
    n_threads : int, optional
        Threads to compute with; fastloss's default where None.
    progress : callable, optional
        Called after each chunk with the fraction of the work done and the number of samples scored.

    Returns
    -------
    Evaluation
        The values, counts and times.

    Raises
    ------
    CommandError
        A file cannot be read, the columns do not fit together, or a loss refuses a value; the message names
        the argument, the index in the whole file and the value.
    """
    readers = open_readers(locations)
    began = time.perf_counter()
    by_argument = {location.argument: location for reader in readers for location in reader.locations}
    width = readers[0].row_size()
    tallies = [_Tally(loss) for loss in losses]
    weight_sums: list[float] = []
    samples = 0
    dtype = ""
    for start, columns in read_together(readers, max(1, chunk_size // max(1, width))):
        y_pred = columns["y_pred"]
        dtype = y_pred.dtype.name
        for tally in tallies:
            _add_chunk(tally, columns, by_argument, start, n_threads)
        samples += y_pred.size
        weight_sums.append(_sum_of_weights(columns.get("sample_weight"), y_pred))
        if progress is not None:
            progress(min(reader.fraction() for reader in readers), samples)
    total = combine(weight_sums)
    if reduction == "mean":
        _check_mean(by_argument, samples, total)
    seconds = time.perf_counter() - began
    divisor = total if reduction == "mean" else 1.0
    return Evaluation(
        locations=list(by_argument.values()),
        scores=[Score(tally.loss, combine(tally.sums) / divisor, tally.seconds) for tally in tallies],
        reduction=reduction,
        samples=samples,
        sum_of_weights=total,
        dtype=dtype,
        seconds=seconds,
        reading_seconds=seconds - sum(tally.seconds for tally in tallies),
    )


def combine(sums: Sequence[float]) -> float:
    """Add numbers without rounding error; where they are not finite or overflow, as plain addition does."""
    try:
        return math.fsum(sums)
    except (OverflowError, ValueError):
        return sum(sums)


def _add_chunk(
    tally: _Tally,
    columns: Mapping[str, Array],
    locations: Mapping[str, Location],
    first_row: int,
    n_threads: int | None,
) -> None:
    """Add one chunk's sum to a loss's tally; an error of the loss gets the index in the whole file."""
    began = time.perf_counter()
    try:
        chunk_sum = tally.loss(
            columns["y_true"],
            columns["y_pred"],
            sample_weight=columns.get("sample_weight"),
            reduction="sum",
            n_threads=n_threads,
        )
    except (TypeError, ValueError) as error:
        raise CommandError(_globalise(str(error), locations, first_row)) from error
    tally.sums.append(chunk_sum)
    tally.seconds += time.perf_counter() - began


def _globalise(message: str, locations: Mapping[str, Location], first_row: int) -> str:
    """Shift the row in ``argument[row`` from the chunk to the file, and say which file it is."""

    def shift(match: re.Match[str]) -> str:
        argument, row = match.groups()
        return f"{locations[argument]}: {argument}[{int(row) + first_row}"

    return re.sub(r"\b(y_true|y_pred|sample_weight)\[(\d+)", shift, message, count=1)


def _sum_of_weights(weights: Array | None, y_pred: Array) -> float:
    """Add up a chunk's weights; one weight a row counts for every number in the row."""
    if weights is None:
        return float(y_pred.size)
    return float(np.sum(weights, dtype=np.float64)) * (y_pred.size / max(1, weights.size))


def _check_mean(locations: Mapping[str, Location], samples: int, total: float) -> None:
    """Refuse the mean of nothing."""
    if samples == 0:
        raise CommandError(f"y_pred: {locations['y_pred']} has no rows, and nothing has no mean")
    if total == 0:
        raise CommandError(f"sample_weight: {locations['sample_weight']} is 0 everywhere: there is no mean")
