"""Columns of .csv and .parquet files, read by pyarrow in batches."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from fastloss.cli.errors import CommandError
from fastloss.cli.sources import Array, Location, Reader

_BLOCK_BYTES = 1 << 20
_MOST_COLUMNS_LISTED = 20


class ParquetReader(Reader):
    """Reads columns of a .parquet file; integers stay integers and float32 stays float32."""

    def __init__(self, path: str, wanted: Sequence[Location]) -> None:
        try:
            self._file = pa.parquet.ParquetFile(path, buffer_size=_BLOCK_BYTES)
        except (OSError, pa.ArrowException) as error:
            raise CommandError(f"{wanted[0].argument}: {path}: {_first_line(error)}") from error
        schema = self._file.schema_arrow
        locations = [resolve_column(location, schema.names) for location in wanted]
        for location in locations:
            _check_type(location, schema.field(location.column).type)
        self._read = 0
        super().__init__(locations, self._file.metadata.num_rows)

    def batches(self, size: int) -> Iterator[tuple[Array, ...]]:
        """Yield batches, which may cross the file's row groups."""
        names = sorted({str(location.column) for location in self.locations})
        try:
            for batch in self._file.iter_batches(batch_size=size, columns=names):
                if len(batch):
                    arrays = [self._numbers(place, batch.column(place.column)) for place in self.locations]
                    self._read += len(batch)
                    yield tuple(arrays)
        except (OSError, pa.ArrowException) as error:
            raise CommandError(f"{self.locations[0].path}: {_first_line(error)}") from error

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._read / max(1, self.rows or 0)

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
        names = _header(path, wanted[0])
        self._path = path
        self._blank_lines_are_rows = len(names) == 1
        self._read = 0
        self._fraction = 0.0
        super().__init__([resolve_column(location, names) for location in wanted], None)

    def batches(self, size: int) -> Iterator[tuple[Array, ...]]:
        """Yield one batch for each block of the file; the block's bytes set its length, not `size`."""
        names = sorted({str(location.column) for location in self.locations})
        try:
            with open(self._path, "rb") as file:
                length = file.seek(0, 2) or 1
                file.seek(0)
                blocks = pa.csv.open_csv(
                    file,
                    read_options=pa.csv.ReadOptions(block_size=_BLOCK_BYTES),
                    parse_options=pa.csv.ParseOptions(ignore_empty_lines=not self._blank_lines_are_rows),
                    convert_options=pa.csv.ConvertOptions(
                        include_columns=names, column_types=dict.fromkeys(names, pa.string())
                    ),
                )
                for block in blocks:
                    if len(block):
                        arrays = [
                            self._numbers(place, block.column(place.column)) for place in self.locations
                        ]
                        self._read += len(block)
                        self._fraction = file.tell() / length
                        yield tuple(arrays)
        except (OSError, pa.ArrowException) as error:
            raise CommandError(f"{self._path}: after row {self._read}: {_first_line(error)}") from error

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


def resolve_column(location: Location, names: Sequence[str]) -> Location:
    """Find the column in a table, filling in the name where the table has only one.

    Raises
    ------
    CommandError
        The column is missing or there twice, or none was named and the table has several (the message lists
        them), or the only column's name is a number, which may be a first row instead of a header.
    """
    where = f"{location.argument}: {location.path}"
    if location.column is None:
        if len(names) != 1:
            raise CommandError(
                f"{where} has {len(names)} columns: name one as {location.path}:COLUMN; {_list(names)}"
            )
        if _is_number(names[0]):
            raise CommandError(
                f"{where} has no header but {names[0]!r}: if that is the column's name, "
                f"give {location.path}:{names[0]}; otherwise add a first line with a name"
            )
        return Location(location.argument, location.path, names[0])
    if location.column not in names:
        raise CommandError(f"{where} has no column {location.column!r}; {_list(names)}")
    if list(names).count(location.column) > 1:
        raise CommandError(f"{where} has more than one column {location.column!r}")
    return location


def _header(path: str, location: Location) -> list[str]:
    """Read the names of the columns from the first line of a .csv file."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{location.argument}: {path}: its first line is no header: {error}") from error
    if not names:
        raise CommandError(f"{location.argument}: {path} is empty: its first line must name the columns")
    return names


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
