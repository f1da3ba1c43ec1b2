"""Arrays of several files, read together in step, one batch ahead of what is computed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import numpy as np

from fastloss._extras import require
from fastloss.reading.locations import STDIN, Array, Location, Role, Source, SourceError, is_table
from fastloss.reading.npy import NpyFile

if TYPE_CHECKING:
    from fastloss.reading.columns import Selection
    from fastloss.reading.tables import Table

#: Batches read ahead of the one that is computed.
_AHEAD = 2
_LOOK_SECONDS = 0.1
_T = TypeVar("_T")


class Reader(Protocol):
    """Reads some arrays of one file, batch after batch."""

    #: The arrays, in the order in which a batch has them.
    sources: list[Source]

    def batches(self, size: int) -> Iterator[tuple[list[str], list[Any]]]:
        """Yield the file of each array, and arrays of at least one row and no more than about `size`."""

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""


class TableReader:
    """Reads arrays and labels from the columns of a table.

    Parameters
    ----------
    table : Table
        The table.
    selections : sequence of Selection
        Which of its columns make up each array.
    lenient : bool
        Whether cells that are missing or no number become NaN; the last array then tells which rows have
        such cells. Otherwise they are errors.
    """

    def __init__(self, table: Table, selections: Sequence[Selection], lenient: bool = False) -> None:
        from fastloss.reading import columns

        self._columns = columns
        self._table = table
        self._selections = selections
        self._lenient = lenient
        for selection in selections:
            for name in selection.columns:
                kind = table.type_of(name)
                if kind is not None:
                    columns.check_type(selection.cell(name, selection.location.path), kind)
        self.sources = [selection.source(table.rows) for selection in selections]

    def batches(self, size: int) -> Iterator[tuple[list[str], list[Any]]]:
        """Yield the arrays of each piece of the table; labels as Arrow has them."""
        names: dict[bool, list[str]] = {False: [], True: []}
        for selection in self._selections:
            names[selection.location.is_label] += selection.columns
        row = 0
        numbers, labels = (list(dict.fromkeys(names[is_label])) for is_label in (False, True))
        for piece in self._table.batches(numbers, labels, size):
            arrays: list[Any] = []
            bad: Array | None = None
            for selection in self._selections:
                cells = [piece.columns[name] for name in selection.columns]
                if selection.location.is_label:
                    arrays.append(cells[0])
                    continue
                found = []
                for name, column in zip(selection.columns, cells, strict=True):
                    place = selection.cell(name, piece.where)
                    if self._lenient:
                        array, missing = self._columns.good_numbers_of(column, place, row)
                        if missing is not None:
                            bad = missing if bad is None else bad | missing
                    else:
                        array = self._columns.numbers_of(column, place, row)
                    found.append(array)
                # Whole columns are copied, so a matrix is in F order.
                arrays.append(np.stack(found).T if selection.is_matrix else found[0])
            n = len(arrays[0])
            if self._lenient:
                arrays.append(np.zeros(n, dtype=bool) if bad is None else bad)
            row += n
            yield [piece.where] * len(arrays), arrays

    def fraction(self) -> float:
        """Tell how much of the table has been read, from 0 to 1."""
        return self._table.fraction()


class Chunk(NamedTuple):
    """Rows of all files.

    Attributes
    ----------
    start : int
        The number of the first one.
    where : dict of Location
        By each role where its rows are from.
    arrays : dict of ndarray
        The arrays by their roles.
    bad : ndarray or None
        Which rows have cells that are missing or no number.
    """

    start: int
    where: dict[Role, Location]
    arrays: dict[Role, Any]
    bad: Array | None


def open_readers(locations: Sequence[Location], lenient: bool = False) -> list[Reader]:
    """Open the files: one reader for each, so that a table that holds several of the arrays is read once.

    Parameters
    ----------
    locations : sequence of Location
        The arrays wanted.
    lenient : bool
        Whether cells of tables may be missing or no numbers.

    Returns
    -------
    list of Reader
        One reader a file; its sources have the locations, of tables with the columns' names filled in.

    Raises
    ------
    SourceError
        A file is missing or broken, or a column is missing or holds no numbers.
    """
    files: dict[Any, list[Location]] = {}
    for location in locations:
        is_pattern = any(sign in location.path for sign in "*?[")
        if location.path != STDIN and not is_pattern and not Path(location.path).exists():
            raise SourceError(f"{location.argument}: there is no file {location.path!r}")
        files.setdefault(location.path if is_table(location.path) else location, []).append(location)
    return [_open(wanted, lenient) for wanted in files.values()]


def _open(locations: Sequence[Location], lenient: bool) -> Reader:
    """Open one file for all that is wanted of it."""
    first = locations[0]
    if not is_table(first.path):
        return NpyFile(first)
    require("pyarrow", "cli", "a .csv or .parquet file")
    from fastloss.reading.columns import select_columns
    from fastloss.reading.tables import open_table

    try:
        table = open_table(first.path)
    except (SourceError, FileNotFoundError) as error:
        raise SourceError(f"{first.argument}: {error}") from error
    return TableReader(table, [select_columns(location, table.names) for location in locations], lenient)


def check_lengths(sources: Sequence[Source]) -> None:
    """Compare the lengths that are known before reading."""
    known = [(source.location, source.rows) for source in sources if source.rows is not None]
    for location, rows in known[1:]:
        if rows != known[0][1]:
            raise ragged(*known[0], location, rows)


def read_together(readers: Sequence[Reader], size: int) -> Iterator[Chunk]:
    """Read several files in step, whatever the length of their batches.

    Each step is as long as the shortest of the batches at hand and is made of views of them, not copies.

    Parameters
    ----------
    readers : sequence of Reader
        The files.
    size : int
        The most rows a step has.

    Yields
    ------
    Chunk
        The rows of a step.

    Raises
    ------
    SourceError
        The files have different lengths.
    """
    streams = [reader.batches(size) for reader in readers]
    pending: list[tuple[list[str], list[Any]]] = [([], []) for _ in readers]
    start = 0
    while True:
        for i, stream in enumerate(streams):
            if not pending[i][1] or len(pending[i][1][0]) == 0:
                pending[i] = next(stream, ([], []))
        lengths = [len(arrays[0]) for _, arrays in pending if arrays]
        if len(lengths) < len(readers):
            if lengths:
                _raise_ragged(readers, streams, [arrays for _, arrays in pending], start)
            return
        step = min(size, *lengths)
        where: dict[Role, Location] = {}
        columns: dict[Role, Any] = {}
        bad: Array | None = None
        for reader, (files, arrays) in zip(readers, pending, strict=True):
            for source, file, array in zip(reader.sources, files, arrays, strict=False):
                role = source.location.role
                where[role], columns[role] = replace(source.location, path=file), array[:step]
            if len(arrays) > len(reader.sources):
                mine = arrays[-1][:step]
                bad = mine if bad is None else bad | mine
        yield Chunk(start, where, columns, bad)
        start += step
        pending = [(files, [array[step:] for array in arrays]) for files, arrays in pending]


def read_ahead(readers: Sequence[Reader], size: int) -> Iterator[Chunk]:
    """Read several files in step while what was read before is computed.

    Tables are read by a thread of its own. Where all files are mapped the system reads ahead, and a thread
    that touches their pages would only take a core away.
    """
    chunks = read_together(readers, size)
    return chunks if all(isinstance(reader, NpyFile) for reader in readers) else ahead(chunks)


def ahead(things: Iterator[_T]) -> Iterator[_T]:
    """Pass things on that a thread of its own makes, some ahead of the one asked for."""
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=_AHEAD)
    stopped = threading.Event()
    end = object()

    def put(thing: Any, error: BaseException | None = None) -> bool:
        while not stopped.is_set():
            try:
                ready.put((thing, error), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for thing in things:
                if not put(thing):
                    return
            put(end)
        except BaseException as error:  # it is the reader's: raised where things are asked for
            put(end, error)

    thread = threading.Thread(target=read, name="fastloss reader", daemon=True)
    thread.start()
    try:
        while True:
            try:
                thing, error = ready.get(timeout=_LOOK_SECONDS)
            except queue.Empty:  # a signal that came to another thread is answered by this one
                continue
            if error is not None:
                raise error
            if thing is end:
                return
            yield thing
    finally:
        stopped.set()
        # A thread that waits for a pipe may wait for ever: it ends with the process.
        thread.join(timeout=1.0)


def ragged(a: Location, rows_a: int, b: Location, rows_b: int) -> SourceError:
    """Make the error for columns of different lengths."""
    return SourceError(
        f"{a.argument} and {b.argument} differ in length: {a} has {rows_a:,} rows, {b} has {rows_b:,}"
    )


def _raise_ragged(
    readers: Sequence[Reader],
    streams: Sequence[Iterator[tuple[list[str], list[Any]]]],
    pending: Sequence[list[Any]],
    start: int,
) -> None:
    """Read to the ends of the files and report two lengths that differ."""
    lengths = {
        reader.sources[0].location: start
        + sum(len(arrays[0]) for arrays in (mine, *(arrays for _, arrays in stream)) if arrays)
        for reader, stream, mine in zip(readers, streams, pending, strict=True)
    }
    first, *others = lengths.items()
    other = next(item for item in others if item[1] != first[1])
    raise ragged(*first, *other)
