"""Tables in .parquet and Arrow files and in streams, read by pyarrow in batches."""

from __future__ import annotations

import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet

from fastloss.reading.locations import STDIN, SourceError, format_of
from fastloss.reading.unchanged import Unchanged

_BLOCK_BYTES = 1 << 20


class Piece(NamedTuple):
    """Some rows of a table: the file that they are from, and the columns as Arrow has them."""

    where: str
    columns: dict[str, Any]


class Table(ABC):
    """Something with columns.

    Attributes
    ----------
    path : str
        The file, as messages name it; empty where there is none.
    names : list of str
        Its columns.
    rows : int or None
        Its length; None where only reading it to its end can tell.
    """

    path: str
    names: list[str]
    rows: int | None = None

    @abstractmethod
    def type_of(self, name: str) -> Any:
        """Return the Arrow type of a column; None where its cells are text that is yet to be read."""

    @abstractmethod
    def batches(self, numbers: Sequence[str], labels: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield pieces of at least one row and no more than about `size`, with columns of both kinds."""

    def fraction(self) -> float:
        """Tell how much of it has been read, from 0 to 1."""
        return 0.0


class ParquetTable(Table):
    """A .parquet file; integers stay integers and float32 stays float32."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._unchanged = Unchanged(path)
        with named(path):
            self._file = pa.parquet.ParquetFile(path, buffer_size=_BLOCK_BYTES)
        self._schema = self._file.schema_arrow
        self.names = self._schema.names
        self.rows: int = self._file.metadata.num_rows
        self._read = 0

    def type_of(self, name: str) -> Any:
        """Return the Arrow type of a column."""
        return self._schema.field(name).type

    def batches(self, numbers: Sequence[str], labels: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield pieces, which may cross the file's row groups."""
        wanted = sorted({*numbers, *labels})
        with named(self.path, self._unchanged):
            for batch in self._file.iter_batches(batch_size=size, columns=wanted):
                if len(batch):
                    self._read += len(batch)
                    yield Piece(self.path, {name: batch.column(name) for name in wanted})

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._read / max(1, self.rows)


class ArrowTable(Table):
    """Arrow batches: of a stream, of a file, of whatever has ``__arrow_c_stream__``.

    Parameters
    ----------
    path : str
        The file; empty where there is none.
    schema : pyarrow.Schema
        The columns.
    read : callable
        Yields batches with the columns that it is asked for, and maybe others.
    length : int
        How many batches there are; 0 where nobody knows.
    """

    def __init__(
        self, path: str, schema: Any, read: Callable[[list[str]], Iterable[Any]], length: int = 0
    ) -> None:
        self.path = path
        self._unchanged = Unchanged(path)
        self._schema = schema
        self._batches = read
        self._length = length
        self._read = 0
        self.names = schema.names

    def type_of(self, name: str) -> Any:
        """Return the Arrow type of a column."""
        return self._schema.field(name).type

    def batches(self, numbers: Sequence[str], labels: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield pieces; batches that are small are put together, and large ones cut."""
        wanted = sorted({*numbers, *labels})
        with named(self.path, self._unchanged):
            batches = (batch.select(wanted) for batch in self._batches(wanted))
            for whole in _gathered(self._counted(batches), size):
                for start in range(0, len(whole), size):
                    part = whole.slice(start, size)
                    yield Piece(self.path, {name: part.column(name) for name in wanted})

    def _counted(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            self._read += 1
            yield batch

    def fraction(self) -> float:
        """Tell how much has been read, from 0 to 1."""
        return self._read / self._length if self._length else 0.0


def _gathered(batches: Iterable[Any], size: int) -> Iterator[Any]:
    """Put small batches together, so that what a batch costs is not paid for a few rows."""
    held: list[Any] = []
    rows = 0
    for batch in batches:
        if len(batch) and (held or 2 * len(batch) < size):
            held.append(batch)
            rows += len(batch)
        elif len(batch):
            yield batch
        if 2 * rows >= size:
            yield _joined(held)
            held, rows = [], 0
    if held:
        yield _joined(held)


def _joined(batches: list[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    (whole,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return whole


class named:
    """Says in an error of pyarrow which file it is about, and whether that has changed meanwhile."""

    def __init__(self, path: str, unchanged: Unchanged | None = None) -> None:
        self._path = path
        self._unchanged = unchanged

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is GeneratorExit:
            return
        if self._unchanged is not None and not isinstance(error, SourceError | KeyboardInterrupt):
            self._unchanged.check()
        # A name may be no UTF-8.
        if isinstance(error, OSError | UnicodeDecodeError | pa.ArrowException):
            where = f"{self._path}: " if self._path else ""
            raise SourceError(where + str(error).partition("\n")[0]) from error


class _Descriptor(io.RawIOBase):
    """Reads a descriptor without the lock of `sys.stdin`, which a thread that waits for data would keep."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes; fewer at the end alone."""
        parts = []
        while size and (part := os.read(self._descriptor, size if size > 0 else 1 << 16)):
            parts.append(part)
            size -= len(part) if size > 0 else 0
        return b"".join(parts)


def open_table(path: str) -> Table:
    """Open a file, a folder, a pattern of files, or standard input."""
    if path == STDIN:
        return _open_stdin()
    is_pattern = any(sign in path for sign in "*?[") and not os.path.exists(path)
    if is_pattern or os.path.isdir(path):
        from fastloss.reading.folders import FilesTable

        return FilesTable([path])
    return open_file(path)


def open_file(path: str) -> Table:
    """Open a file by what its name says it is."""
    kind = format_of(path)
    if kind == "csv":
        from fastloss.reading.delimited import CsvTable

        return CsvTable(path)
    return _open_ipc(path) if kind == "ipc" else ParquetTable(path)


def _open_ipc(path: str) -> Table:
    """Open an Arrow file, or a file that holds a stream."""
    with named(path):
        try:
            file = pa.ipc.open_file(path)
        except pa.ArrowInvalid:
            stream = pa.ipc.open_stream(pa.OSFile(path))
            return ArrowTable(path, stream.schema, lambda wanted: stream)

        def read(wanted: list[str]) -> Iterator[Any]:
            places = [file.schema.get_field_index(name) for name in wanted]
            narrow = pa.ipc.open_file(path, options=pa.ipc.IpcReadOptions(included_fields=places))
            for i in range(narrow.num_record_batches):
                yield narrow.get_batch(i)

        return ArrowTable(path, file.schema, read, file.num_record_batches)


def _open_stdin() -> Table:
    """Open the Arrow stream that standard input brings."""
    try:
        source: Any = pa.PythonFile(_Descriptor(sys.stdin.fileno()), "r")
    except OSError:  # it was replaced by something in memory
        source = sys.stdin
    with named("standard input"):
        stream = pa.ipc.open_stream(source)
    return ArrowTable(STDIN, stream.schema, lambda wanted: stream)
