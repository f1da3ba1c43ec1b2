"""Arrays of numbers in files, read a batch at a time so that no file has to fit in memory."""

from __future__ import annotations

import math
import tokenize
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastloss.cli.errors import CommandError, require

EXTENSIONS = (".npy", ".csv", ".parquet")
_TABLES = (".csv", ".parquet")
_PAGE = 4096
_NPY = b"\x93NUMPY"
_ZIP = b"PK"

Array = NDArray[Any]


@dataclass(frozen=True)
class Location:
    """An array in a file, written ``path`` or, of a table, ``path:column`` or ``path:column,column``."""

    argument: str
    path: str
    column: str | None

    def __str__(self) -> str:
        return self.path if self.column is None else f"{self.path}:{self.column}"


@dataclass(frozen=True)
class Source:
    """An array in an open file.

    Attributes
    ----------
    location : Location
        Where it is.
    rows : int or None
        Its length; None where only reading the file to its end can tell.
    row_shape : tuple of int
        The shape of one row: () but for .npy files of more than one dimension and several columns of a table.
    columns : tuple of str
        The names of these several columns.
    """

    location: Location
    rows: int | None
    row_shape: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def shape(self) -> str:
        """The shape in words, with n for a length not yet known."""
        lengths = ["n" if self.rows is None else str(self.rows), *map(str, self.row_shape)]
        return f"({', '.join(lengths)}{',' if len(lengths) == 1 else ''})"

    def row_size(self) -> int:
        """Count the numbers in a row."""
        return math.prod(self.row_shape)


class Reader(ABC):
    """Reads some arrays of one file, batch after batch.

    Parameters
    ----------
    sources : sequence of Source
        The arrays, in the order in which a batch has them.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources

    @abstractmethod
    def batches(self, size: int) -> Iterator[tuple[Array, ...]]:
        """Yield arrays of at least one row, one array a source; no more than about `size` rows at a time."""

    @abstractmethod
    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""


class NpyReader(Reader):
    """Reads a memory-mapped .npy file; its batches are views of the map."""

    def __init__(self, location: Location) -> None:
        self._array = _map_npy(location)
        self._read = 0
        super().__init__([Source(location, len(self._array), self._array.shape[1:])])

    def batches(self, size: int) -> Iterator[tuple[Array, ...]]:
        """Yield slices along the first axis."""
        for start in range(0, len(self._array), size):
            batch = self._array[start : start + size]
            _touch(batch)
            self._read = start + len(batch)
            yield (batch,)

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._read / max(1, len(self._array))


def parse_location(argument: str, text: str) -> Location:
    r"""Split ``path:column``, where the column may be several, as `tablefiles.select_columns` reads them.

    The column begins at the first colon that follows .csv or .parquet; of several such places, at the first
    whose path is a file. Colons before it (a drive letter's, say) belong to the path, colons after it to the
    column.

    Parameters
    ----------
    argument : str
        What the column is used as, for messages: ``y_true``, ``y_pred`` or ``sample_weight``.
    text : str
        The path and, for a table, the column.

    Returns
    -------
    Location
        The two parts.

    Raises
    ------
    CommandError
        The extension is not one that can be read, or a column is asked of a .npy file.

    Examples
    --------
    >>> parse_location("y_true", r"C:\data\scores.csv:label").column
    'label'
    """
    colons = [i for i, letter in enumerate(text) if letter == ":" and text[:i].lower().endswith(_TABLES)]
    if Path(text).suffix.lower() in EXTENSIONS and (not colons or Path(text).is_file()):
        return Location(argument, text, None)
    if colons:
        cut = next((i for i in colons if Path(text[:i]).is_file()), colons[0])
        if cut + 1 == len(text):
            raise CommandError(f"{argument}: {text!r} names no column after its colon")
        return Location(argument, text[:cut], text[cut + 1 :])
    if ".npy:" in text.lower():
        raise CommandError(f"{argument}: {text!r}: a .npy file holds one array and has no columns")
    suffix = Path(text).suffix
    what = f"extension {suffix!r}" if suffix else "no extension"
    raise CommandError(f"{argument}: {text!r} has {what}; expected {', '.join(EXTENSIONS)}")


def open_readers(locations: Sequence[Location]) -> list[Reader]:
    """Open the files: one reader for each, so that a table that holds several of the arrays is read once.

    Parameters
    ----------
    locations : sequence of Location
        The arrays wanted.

    Returns
    -------
    list of Reader
        One reader a file.

    Raises
    ------
    CommandError
        A file is missing or broken, or a column is missing or holds no numbers.
    """
    files: dict[str, list[Location]] = {}
    for location in locations:
        if not Path(location.path).exists():
            raise CommandError(f"{location.argument}: there is no file {location.path!r}")
        is_table = location.path.lower().endswith(_TABLES)
        files.setdefault(location.path if is_table else location.argument, []).append(location)
    return [_open(wanted) for wanted in files.values()]


def check_lengths(sources: Sequence[Source]) -> None:
    """Compare the lengths that are known before reading."""
    known = [(source.location, source.rows) for source in sources if source.rows is not None]
    for location, rows in known[1:]:
        if rows != known[0][1]:
            raise ragged(*known[0], location, rows)


def read_together(readers: Sequence[Reader], size: int) -> Iterator[tuple[int, dict[str, Array]]]:
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
    start : int
        The index of the step's first row in the files.
    columns : dict
        The arrays, by the argument each is used as.

    Raises
    ------
    CommandError
        The files have different lengths.
    """
    streams = [reader.batches(size) for reader in readers]
    pending: list[tuple[Array, ...]] = [() for _ in readers]
    start = 0
    while True:
        for i, stream in enumerate(streams):
            if not pending[i] or len(pending[i][0]) == 0:
                pending[i] = next(stream, ())
        if not all(pending):
            if any(pending):
                _raise_ragged(readers, streams, pending, start)
            return
        step = min(size, *(len(batch[0]) for batch in pending))
        columns = {
            source.location.argument: array[:step]
            for reader, batch in zip(readers, pending, strict=True)
            for source, array in zip(reader.sources, batch, strict=True)
        }
        yield start, columns
        start += step
        pending = [tuple(array[step:] for array in batch) for batch in pending]


def ragged(a: Location, rows_a: int, b: Location, rows_b: int) -> CommandError:
    """Make the error for columns of different lengths."""
    return CommandError(
        f"{a.argument} and {b.argument} differ in length: {a} has {rows_a:,} rows, {b} has {rows_b:,}"
    )


def check_numbers(location: Location, dtype: np.dtype[Any]) -> None:
    """Refuse everything but real numbers."""
    if dtype.kind not in "biuf":
        raise CommandError(f"{location.argument}: {location} holds {dtype}, not real numbers")


def _open(locations: Sequence[Location]) -> Reader:
    """Open one file for all that is wanted of it."""
    if not locations[0].path.lower().endswith(_TABLES):
        return NpyReader(locations[0])
    require("pyarrow", "cli", "a .csv or .parquet file")
    from fastloss.cli.tablefiles import open_table

    return open_table(locations[0].path, locations)


def _map_npy(location: Location) -> Array:
    """Map a .npy file into memory, never unpickling anything."""
    where = f"{location.argument}: {location}"
    try:
        with open(location.path, "rb") as file:
            beginning = file.read(len(_NPY))
        if beginning.startswith(_ZIP):
            raise CommandError(f"{where} is an archive of arrays, not a .npy file")
        if not beginning:
            raise CommandError(f"{where} is empty: it has no .npy header")
        if beginning != _NPY:
            raise CommandError(f"{where}: it is not a .npy file of numbers (pickled data is never loaded)")
        array = np.lib.format.open_memmap(location.path, mode="r")
    except OSError as error:
        raise CommandError(f"{where}: {error.strerror or error}") from error
    except (
        ArithmeticError,
        LookupError,
        MemoryError,
        RecursionError,
        SyntaxError,
        TypeError,
        ValueError,
        tokenize.TokenError,
    ) as error:
        # A header is a Python literal, and what is wrong with one may be any of these.
        raise CommandError(f"{where}: {_npy_fault(error)}") from error
    check_numbers(location, array.dtype)
    if array.ndim == 0:
        raise CommandError(f"{location.argument}: {location} holds a single number, not an array of samples")
    return np.asarray(array)


def _npy_fault(error: Exception) -> str:
    """Put NumPy's reason for refusing a .npy file in terms of the file."""
    message = str(error)
    if "Python objects" in message:
        return "it holds Python objects, not numbers"
    if "mmap length" in message or message.startswith("EOF"):
        return "it is truncated: the data end before the shape in its header says"
    if "dimension" in message or isinstance(error, ArithmeticError):
        return f"the shape in its header cannot be: {message}"
    return f"its header is broken: {message or type(error).__name__}"


def _touch(batch: Array) -> None:
    """Read one byte of each page, so that waiting for the disk counts as reading, not as the first loss."""
    if batch.flags.c_contiguous and batch.size:
        batch.reshape(-1).view(np.uint8)[::_PAGE].max()


def _raise_ragged(
    readers: Sequence[Reader],
    streams: Sequence[Iterator[tuple[Array, ...]]],
    pending: Sequence[tuple[Array, ...]],
    start: int,
) -> None:
    """Read to the ends of the files and report two lengths that differ."""
    lengths = {
        reader.sources[0].location: start + sum(len(batch[0]) for batch in (pending_one, *stream) if batch)
        for reader, stream, pending_one in zip(readers, streams, pending, strict=True)
    }
    first, *others = lengths.items()
    other = next(item for item in others if item[1] != first[1])
    raise ragged(*first, *other)
