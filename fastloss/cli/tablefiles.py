"""Columns of .csv and .parquet files, read by pyarrow in batches."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from fastloss.cli.errors import CommandError
from fastloss.cli.sources import Array, Location, Reader, Source

_BLOCK_BYTES = 1 << 20
_MOST_COLUMNS_LISTED = 20
#: A row of a .csv file may be so many times as long as its header, whatever that is.
_ROWS_LIKE_HEADER = 16
#: What files that are no .csv begin with.
_FOREIGN = {
    b"\x1f\x8b": "compressed by gzip",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a .parquet file",
    b"ARROW1": "an Arrow file",
    b"\x93NUMPY": "a .npy file",
    codecs.BOM_UTF16_LE: "text in UTF-16",
    codecs.BOM_UTF16_BE: "text in UTF-16",
}


@dataclass(frozen=True)
class Selection:
    """The columns of a table that make up an array.

    Attributes
    ----------
    location : Location
        The array, as it was asked for.
    columns : sequence of Location
        Its columns.
    is_matrix : bool
        Whether the columns lie side by side, in rows; otherwise there is one column and no rows.
    """

    location: Location
    columns: Sequence[Location]
    is_matrix: bool

    def source(self, rows: int | None) -> Source:
        """Describe the array."""
        if not self.is_matrix:
            return Source(self.location, rows)
        names = tuple(str(column.column) for column in self.columns)
        return Source(self.location, rows, (len(names),), names)

    def assemble(self, columns: Sequence[Array]) -> Array:
        """Put the numbers of the columns together; whole columns are copied, so the matrix is in F order."""
        return np.stack(columns).T if self.is_matrix else columns[0]


class ParquetReader(Reader):
    """Reads columns of a .parquet file; integers stay integers and float32 stays float32."""

    def __init__(self, path: str, wanted: Sequence[Location]) -> None:
        try:
            self._file = pa.parquet.ParquetFile(path, buffer_size=_BLOCK_BYTES)
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:  # a name may be no UTF-8
            raise CommandError(f"{wanted[0].argument}: {path}: {_first_line(error)}") from error
        schema = self._file.schema_arrow
        self._selections = [select_columns(location, schema.names) for location in wanted]
        for selection in self._selections:
            for column in selection.columns:
                _check_type(column, schema.field(column.column).type)
        self._read = 0
        self._rows: int = self._file.metadata.num_rows
        super().__init__([selection.source(self._rows) for selection in self._selections])

    def batches(self, size: int) -> Iterator[tuple[Array, ...]]:
        """Yield batches, which may cross the file's row groups."""
        names = _names(self._selections)
        try:
            for batch in self._file.iter_batches(batch_size=size, columns=names):
                if len(batch):
                    numbers = [
                        [self._numbers(place, batch.column(place.column)) for place in selection.columns]
                        for selection in self._selections
                    ]
                    self._read += len(batch)
                    yield _assemble(self._selections, numbers)
        except (OSError, pa.ArrowException) as error:
            raise CommandError(f"{self.sources[0].location.path}: {_first_line(error)}") from error

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._read / max(1, self._rows)

    def _numbers(self, location: Location, column: Any) -> Array:
        """Turn a column of a batch into an array; a view where Arrow's memory allows."""
        if column.null_count:
            row = self._read + pa.compute.index(column.is_null(), True).as_py()
            raise CommandError(f"{location.argument}: {location}: row {row} is null")
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        return _as_array(column)


class CsvReader(Reader):
    """Reads columns of a .csv file whose first line names them: numbers as float64, booleans as 0 and 1."""

    def __init__(self, path: str, wanted: Sequence[Location]) -> None:
        names, self._start = _header(path, wanted[0])
        self._names = names
        self._path = path
        self._blank_lines_are_rows = len(names) == 1
        self._read = 0
        self._fraction = 0.0
        self._selections = [select_columns(location, names) for location in wanted]
        super().__init__([selection.source(None) for selection in self._selections])

    def batches(self, size: int) -> Iterator[tuple[Array, ...]]:
        """Yield one batch for each block of the file; the block's bytes set its length, not `size`."""
        names = _names(self._selections)
        # The header has been read: its length and its letters are no matter for pyarrow.
        block_bytes = max(_BLOCK_BYTES, _ROWS_LIKE_HEADER * self._start)
        try:
            with open(self._path, "rb") as file:
                length = file.seek(0, 2)
                if file.seek(self._start) == length:
                    return
                blocks = pa.csv.open_csv(
                    file,
                    read_options=pa.csv.ReadOptions(block_size=block_bytes, column_names=self._names),
                    parse_options=pa.csv.ParseOptions(ignore_empty_lines=not self._blank_lines_are_rows),
                    convert_options=pa.csv.ConvertOptions(
                        include_columns=names, column_types=dict.fromkeys(names, pa.string())
                    ),
                )
                for block in blocks:
                    if len(block):
                        numbers = [
                            [self._numbers(place, block.column(place.column)) for place in selection.columns]
                            for selection in self._selections
                        ]
                        self._read += len(block)
                        self._fraction = file.tell() / length
                        yield _assemble(self._selections, numbers)
        except (OSError, pa.ArrowException) as error:
            what = _first_line(error)
            if "straddling object" in what:
                what = f"a row is longer than {block_bytes:,} bytes"
            raise CommandError(f"{self._path}: after row {self._read}: {what}") from error

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._fraction

    def _numbers(self, location: Location, cells: Any) -> Array:
        """Read the cells of a block as numbers, or as true and false; name the first that is neither."""
        trimmed = pa.compute.ascii_trim_whitespace(cells)

        def cast(some: Any, kind: Any) -> Any:
            try:
                return pa.compute.cast(some, kind)
            except pa.ArrowInvalid:
                return None

        number, boolean = pa.float64(), pa.bool_()
        first = trimmed.slice(0, 1)
        kind = boolean if cast(first, number) is None and cast(first, boolean) is not None else number
        numbers = cast(trimmed, kind)
        if numbers is None:
            i = next(i for i in range(len(trimmed)) if cast(trimmed.slice(i, 1), kind) is None)
            cell = trimmed[i].as_py()
            what = f"{cell!r}, which is not a number" if cell else "empty"
            raise CommandError(f"{location.argument}: {location}: row {self._read + i} is {what}")
        return _as_array(numbers)


def open_table(path: str, wanted: Sequence[Location]) -> Reader:
    """Open a .csv or .parquet file for the columns wanted of it."""
    return CsvReader(path, wanted) if path.lower().endswith(".csv") else ParquetReader(path, wanted)


def select_columns(location: Location, names: Sequence[str]) -> Selection:
    """Find the columns of a table that a location names.

    A location that is the name of a column, or names none where there is only one, is that column. Otherwise
    it is a list of names and shell patterns (``p0,p1`` or ``p*``) separated by commas, whose columns lie side
    by side in a matrix, those of one pattern in the order of the table.

    Parameters
    ----------
    location : Location
        What was asked for.
    names : sequence of str
        The columns of the table.

    Returns
    -------
    Selection
        The columns.

    Raises
    ------
    CommandError
        A column is missing, there twice or asked for twice, or none was named and the table has several (the
        message lists them), or the only column's name is a number, which may be a first row instead of a
        header.
    """
    where = f"{location.argument}: {location.path}"
    text = location.column
    if text is None:
        if len(names) != 1:
            raise CommandError(
                f"{where} has {len(names)} columns: name one as {location.path}:COLUMN, or several separated "
                f"by commas; {_list(names)}"
            )
        if _is_number(names[0]):
            raise CommandError(
                f"{where} has no header but {names[0]!r}: if that is the column's name, "
                f"give {location.path}:{names[0]}; otherwise add a first line with a name"
            )
        text = names[0]
    is_matrix = text not in names and any(sign in text for sign in ",*?[")
    chosen: list[str] = []
    for piece in text.split(",") if is_matrix else [text]:
        exact = piece in names or not is_matrix
        found = [name for name in names if (name == piece if exact else fnmatchcase(name, piece))]
        if not found:
            raise CommandError(f"{where} has no column {piece!r}; {_list(names)}")
        chosen += dict.fromkeys(found)
    in_table, in_text = Counter(names), Counter(chosen)
    for name in chosen:
        if in_table[name] > 1:
            raise CommandError(f"{where} has more than one column {name!r}")
        if in_text[name] > 1:
            raise CommandError(f"{where}: column {name!r} is in {text!r} more than once")
    columns = [Location(location.argument, location.path, name) for name in chosen]
    return Selection(Location(location.argument, location.path, text), columns, is_matrix)


def _names(selections: Sequence[Selection]) -> list[str]:
    """List the names of all columns to read, each once."""
    return sorted({str(column.column) for selection in selections for column in selection.columns})


def _assemble(selections: Sequence[Selection], numbers: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
    """Make each selection's array of a batch."""
    return tuple(selection.assemble(columns) for selection, columns in zip(selections, numbers, strict=True))


def _header(path: str, location: Location) -> tuple[list[str], int]:
    """Read the names of the columns from the first line of a .csv file, and the line's length in bytes.

    Names that are no UTF-8 are taken as Latin-1. What other letters the file has matters where they are read.
    """
    where = f"{location.argument}: {path}"
    lines: list[str] = []
    try:
        with open(path, "rb") as file:
            beginning = file.read(max(map(len, _FOREIGN)))
        for magic, what in _FOREIGN.items():
            if beginning.startswith(magic):
                raise CommandError(f"{where} is {what}, not .csv")
        # A letter is a byte here. A line may end in the midst of a quoted name, which the reader continues.
        with open(path, encoding="latin-1", newline="") as text:
            mark = text.read(len(codecs.BOM_UTF8)) if beginning.startswith(codecs.BOM_UTF8) else ""
            names = next(csv.reader(_kept(text, lines)), [])
    except (OSError, csv.Error) as error:
        raise CommandError(f"{where}: its first line is no header: {error}") from error
    if not names:
        raise CommandError(f"{where} is empty: its first line must name the columns")
    raw = "".join(lines).encode("latin-1")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return names, len(mark) + len(raw)
    return [name.encode("latin-1").decode() for name in names], len(mark) + len(raw)


def _kept(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    """Pass lines on and keep them."""
    for line in lines:
        kept.append(line)
        yield line


def _check_type(location: Location, kind: Any) -> None:
    """Refuse Arrow types that are not real numbers."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    # A column of the null type has no numbers either, but its first row says so better.
    allowed = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    if not any(test(kind) for test in allowed):
        raise CommandError(f"{location.argument}: {location} holds {kind}, not real numbers")


def _as_array(column: Any) -> Array:
    """View Arrow's numbers as an array, true and false as 1 and 0."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    # Not Array.to_numpy, which imports pandas wherever it is installed.
    array: Array = np.from_dlpack(column)
    return array


def _is_number(text: str) -> bool:
    """Tell whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _list(names: Sequence[str]) -> str:
    """List columns, not all of a very wide table."""
    shown = ", ".join(repr(name) for name in names[:_MOST_COLUMNS_LISTED])
    more = len(names) - _MOST_COLUMNS_LISTED
    return f"its columns: {shown or 'none'}" + (f" and {more} more" if more > 0 else "")


def _first_line(error: Exception) -> str:
    """Keep the first line of a library's message."""
    return str(error).partition("\n")[0]
