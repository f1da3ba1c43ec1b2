"""Columns of tables: which ones make up an array, and their cells as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from fastloss.reading.locations import Array, CellError, Location, Source, SourceError

_MOST_COLUMNS_LISTED = 20
#: What reads as a number, as Arrow reads one.
_NUMBER = r"(?i)^[+-]?(\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|inf(inity)?|nan)$"


@dataclass(frozen=True)
class Selection:
    """The columns of a table that make up an array.

    Attributes
    ----------
    location : Location
        The array, as it was asked for.
    columns : sequence of str
        The names of its columns.
    is_matrix : bool
        Whether the columns lie side by side, in rows; otherwise there is one column and no rows.
    """

    location: Location
    columns: Sequence[str]
    is_matrix: bool

    def source(self, rows: int | None) -> Source:
        """Describe the array."""
        if not self.is_matrix:
            return Source(self.location, rows)
        return Source(self.location, rows, (len(self.columns),), tuple(self.columns))

    def cell(self, column: str, where: str) -> Location:
        """Return one of its columns in one of its files."""
        return replace(self.location, path=where, column=column)


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
    SourceError
        A column is missing, there twice or asked for twice, or none was named and the table has several (the
        message lists them), or the only column's name is a number, which may be a first row instead of a
        header.
    """
    where = f"{location.argument}: {location.path}"
    text = location.column
    if text is None:
        if len(names) != 1:
            raise SourceError(
                f"{where} has {len(names)} columns: name one as {location.path}:COLUMN, or several separated "
                f"by commas; {_list(names)}"
            )
        if _is_number(names[0]):
            raise SourceError(
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
            raise SourceError(f"{where} has no column {piece!r}; {_list(names)}")
        chosen += dict.fromkeys(found)
    in_text = Counter(chosen)
    for name in chosen:
        if in_text[name] > 1:
            raise SourceError(f"{where}: column {name!r} is in {text!r} more than once")
    check_columns(location, chosen, names)
    return Selection(replace(location, column=text), chosen, is_matrix)


def check_columns(location: Location, chosen: Sequence[str], names: Sequence[str]) -> None:
    """Refuse columns that a table lacks, or has twice."""
    for name in chosen:
        if name not in names:
            raise SourceError(f"{location.argument}: {location.path} has no column {name!r}; {_list(names)}")
        if names.count(name) > 1:
            raise SourceError(f"{location.argument}: {location.path} has more than one column {name!r}")


def check_type(location: Location, kind: Any) -> None:
    """Refuse Arrow types that are not real numbers; of labels, lists and the like."""
    types = pa.types
    if location.is_label:
        if types.is_nested(kind):
            raise SourceError(f"{location.argument}: {location} holds {kind}, which cannot be a label")
        return
    if types.is_dictionary(kind):
        kind = kind.value_type
    # A column of the null type has no numbers either, but its first row says so better.
    allowed = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    if not any(test(kind) for test in allowed):
        raise SourceError(f"{location.argument}: {location} holds {kind}, not real numbers")


def kind_of(kind: Any, is_label: bool) -> str:
    """Name what two files must agree on: of numbers nothing, of labels what they are to Python."""
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    if is_number and not is_label:
        return "number"
    for name, tests in {
        "boolean": (types.is_boolean,),
        "integer": (types.is_integer,),
        "float": (types.is_floating,),
        "string": (types.is_string, types.is_large_string, types.is_string_view, types.is_null),
    }.items():
        if any(test(kind) for test in tests):
            return name
    return str(kind)


def numbers_of(cells: Any, location: Location, row: int) -> Array:
    """Turn cells into an array, a view where Arrow's memory allows; text is read as numbers.

    Parameters
    ----------
    cells : pyarrow.Array
        The cells.
    location : Location
        Their column, for errors.
    row : int
        The number of the first one's row.

    Raises
    ------
    CellError
        One is missing or no number.
    """
    if pa.types.is_string(cells.type):
        return _numbers_of_text(cells, location, row)
    if cells.null_count:
        raise CellError(location, row + pa.compute.index(cells.is_null(), True).as_py(), "null")
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_decimal(cells.type):
        cells = cells.cast(pa.float64())
    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.uint8())
    # Not Array.to_numpy, which imports pandas wherever it is installed.
    array: Array = np.from_dlpack(cells)
    return array


def good_numbers_of(cells: Any, location: Location, row: int) -> tuple[Array, Array | None]:
    """Turn cells into an array, NaN for those that are missing or no number, and tell which those are."""
    try:
        return numbers_of(cells, location, row), None
    except CellError:
        if pa.types.is_string(cells.type):
            trimmed = pa.compute.ascii_trim_whitespace(cells)
            fine = pa.compute.match_substring_regex(trimmed, _NUMBER)
            cells = pa.compute.if_else(fine, trimmed, pa.scalar(None, pa.string()))
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        filled = cells.cast(pa.float64()).fill_null(float("nan"))
        return np.from_dlpack(filled), np.asarray(cells.is_null())


def _numbers_of_text(cells: Any, location: Location, row: int) -> Array:
    """Read text as numbers, or as true and false; name the first cell that is neither."""
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
        raise CellError(location, row + i, f"{cell!r}, which is not a number" if cell else "empty")
    return numbers_of(numbers, location, row)


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
