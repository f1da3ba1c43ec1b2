"""Scores arrays in files by several losses in one pass over the files."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._contrast import sum_of
from fastloss.cli.errors import CommandError
from fastloss.cli.hints import MayBeProbabilities, probabilities_hint, takes_scores
from fastloss.cli.spec import format_loss
from fastloss.errors import RowSumWarning
from fastloss.reading import Array, Chunk, Location, Source, check_lengths, open_readers, read_ahead

#: Predictions read and scored at a time, in whole rows: enough to keep several threads busy, small enough for
#: the last-level cache.
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
    samples : int
        The number of samples: rows for a loss of rows, otherwise numbers.
    sum_of_weights : float
        What a mean divides by: the sum of the samples' weights, each 1 where there are none, times the class
        weights where the loss has them; ignored samples do not count.
    seconds : float
        The time it took, without reading.
    warning : str or None
        What the loss warned of first.
    hint : str or None
        What may be meant instead, where the loss takes raw scores and all predictions may be probabilities.
    """

    loss: fl.Loss
    value: float
    samples: int
    sum_of_weights: float
    seconds: float
    warning: str | None
    hint: str | None


@dataclass(frozen=True)
class Evaluation:
    """What all losses said, and of what.

    Attributes
    ----------
    sources : sequence of Source
        The arrays that were read.
    scores : sequence of Score
        One for each loss, in the order given.
    reduction : {"mean", "sum"}
        How the samples' losses were put together.
    rows, elements : int
        The number of rows of the predictions, and of numbers in them.
    sum_of_weights : float
        The sum of the weights as read; the number of rows where there are none.
    dtype : str
        The dtype of the predictions as read.
    seconds, reading_seconds : float
        The time in all, and the part of it that reading took.
    """

    sources: Sequence[Source]
    scores: Sequence[Score]
    reduction: str
    rows: int
    elements: int
    sum_of_weights: float
    dtype: str
    seconds: float
    reading_seconds: float


@dataclass
class _Tally:
    """The sums of one loss over the chunks so far."""

    loss: fl.Loss
    sums: list[float] = field(default_factory=list)
    weight_sums: list[float] = field(default_factory=list)
    samples: int = 0
    counted: int = 0
    seconds: float = 0.0
    warning: str | None = None


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
        The arrays used as ``y_true``, ``y_pred`` and, if there is a third, ``sample_weight``.
    losses : sequence of Loss
        The losses.
    reduction : {"mean", "sum"}
        What to compute of the samples' losses.
    chunk_size : int
        Predictions read at a time, in whole rows.
    n_threads : int, optional
        Threads to compute with; fastloss's default where None.
    progress : callable, optional
        Called after each chunk with the fraction of the work done and the number of rows scored.

    Returns
    -------
    Evaluation
        The values, counts and times.

    Raises
    ------
    CommandError
        A file cannot be read, the arrays do not fit together or a loss does not take their shapes, or it
        refuses a value; the message names the argument, the index in the whole file and the value.
    """
    readers = open_readers(locations)
    opened = {source.location.argument: source for reader in readers for source in reader.sources}
    sources = {location.argument: opened[location.argument] for location in locations}
    for loss in losses:
        check_shapes(loss, sources)
    check_lengths(list(sources.values()))
    began = time.perf_counter()
    width = max(source.row_size() for source in sources.values())
    tallies = [_Tally(loss) for loss in losses]
    weight_sums: list[float] = []
    rows = elements = 0
    dtype = ""
    looked = MayBeProbabilities()
    wants_look = any(takes_scores(loss) for loss in losses)
    for chunk in read_ahead(readers, max(1, chunk_size // max(1, width))):
        columns = {argument: array for (argument, _), array in chunk.arrays.items()}
        y_pred, weights = columns["y_pred"], columns.get("sample_weight")
        dtype = y_pred.dtype.name
        for tally in tallies:
            _add_chunk(tally, columns, chunk, n_threads)
        if wants_look:
            looked.look("", y_pred)
        rows += len(y_pred)
        elements += y_pred.size
        weight_sums.append(len(y_pred) if weights is None else float(np.sum(weights, dtype=np.float64)))
        if progress is not None:
            progress(min(reader.fraction() for reader in readers), rows)
    total = sum_of(weight_sums)
    if reduction == "mean":
        _check_mean(sources, elements, total)
    scores = [_finish(tally, reduction, looked.of("")) for tally in tallies]
    seconds = time.perf_counter() - began
    return Evaluation(
        sources=list(sources.values()),
        scores=scores,
        reduction=reduction,
        rows=rows,
        elements=elements,
        sum_of_weights=total,
        dtype=dtype,
        seconds=seconds,
        reading_seconds=seconds - sum(tally.seconds for tally in tallies),
    )


def check_shapes(loss: fl.Loss, sources: Mapping[str, Source]) -> None:
    """Ask a loss whether it takes arrays of these shapes, before anything is read.

    Raises
    ------
    CommandError
        It does not; the message is the loss's own, about arrays of n rows, with the shapes in the files.
    """
    empty: dict[str, Any] = {
        argument: np.empty((0, *source.row_shape)) for argument, source in sources.items()
    }
    try:
        loss(**empty, reduction="sum")
    except (TypeError, ValueError) as error:
        files = ", ".join(f"{source.location} is {source.shape}" for source in sources.values())
        raise CommandError(f"loss {format_loss(loss)!r}: {_rows_unknown(str(error))}; {files}") from error


def _rows_unknown(message: str) -> str:
    """Write n for the length of an empty array in a message."""
    return message.replace("(0,", "(n,")


def counted_weight(
    loss: fl.Loss, y_true: Array, y_pred: Array, sample_weight: Array | None
) -> tuple[float, int]:
    """Give what a mean over this chunk divides by, and count the samples that are not ignored.

    Examples
    --------
    >>> loss = fl.CrossEntropy(class_weight=[1, 2, 4], ignore_index=-1)
    >>> counted_weight(loss, np.array([0, 2, -1]), np.zeros((3, 3)), None)
    (5.0, 2)
    """
    ignored = getattr(loss, "ignore_index", None)
    samples = len(y_pred) if isinstance(loss, fl.RowLoss) else y_pred.size
    counted = samples if ignored is None else int(np.count_nonzero(y_true != ignored))
    if sample_weight is None and getattr(loss, "class_weight", None) is None:
        return float(counted), counted
    return loss.weight_sum(y_true, y_pred, sample_weight=sample_weight), counted


def _add_chunk(
    tally: _Tally,
    columns: Mapping[str, Any],
    chunk: Chunk,
    n_threads: int | None,
) -> None:
    """Add one chunk's sums to a loss's tally; errors and warnings get the index in the whole file."""
    began = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            chunk_sum = tally.loss(**columns, reduction="sum", n_threads=n_threads)
    except fl.DomainError as error:
        place = f"{chunk.where[error.argument, '']}: "
        raise CommandError(str(error.shifted(chunk.start, place))) from error
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from error
    tally.sums.append(chunk_sum)
    weight, counted = counted_weight(
        tally.loss, columns["y_true"], columns["y_pred"], columns.get("sample_weight")
    )
    tally.weight_sums.append(weight)
    tally.counted += counted
    tally.samples += len(columns["y_pred"]) if isinstance(tally.loss, fl.RowLoss) else columns["y_pred"].size
    if caught and tally.warning is None:
        first = caught[0].message
        if isinstance(first, RowSumWarning):
            first = first.shifted(chunk.start, f"{chunk.where['y_pred', '']}: ")
        tally.warning = str(first)
    tally.seconds += time.perf_counter() - began


def _check_mean(sources: Mapping[str, Source], elements: int, total: float) -> None:
    """Refuse the mean of nothing."""
    if elements == 0:
        raise CommandError(f"y_pred: {sources['y_pred'].location} has no rows, and nothing has no mean")
    if total == 0:
        where = sources["sample_weight"].location
        raise CommandError(f"sample_weight: {where} is 0 everywhere: there is no mean")


def _finish(tally: _Tally, reduction: str, may_be_probabilities: bool) -> Score:
    """Turn the sums of a loss into its score; the mean over samples that are all ignored is 0."""
    value, total = sum_of(tally.sums), sum_of(tally.weight_sums)
    if reduction == "mean" and tally.counted:
        if total == 0:
            name = format_loss(tally.loss)
            raise CommandError(f"loss {name!r}: the samples that count have weight 0: there is no mean")
        value /= total
    hint = probabilities_hint(tally.loss) if may_be_probabilities and takes_scores(tally.loss) else None
    return Score(tally.loss, value, tally.samples, total, tally.seconds, tally.warning, hint)
