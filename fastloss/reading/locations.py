"""Where arrays are: in files of their own, or in columns of tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Tables by the end of their names, compressed or not.
FORMATS = {
    ".csv": "csv", ".parquet": "parquet", ".tsv": "csv", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc",
    ".ipc": "ipc",
}  # fmt: skip
COMPRESSED = (".gz", ".bz2", ".zst")
STDIN = "-"

Array = NDArray[Any]
Role = tuple[str, str]


class SourceError(ValueError):
    """A file, a column or a cell that cannot be read; the message says which."""


@dataclass(frozen=True)
class Location:
    """An array in a file, written ``path`` or, of a table, ``path:column`` or ``path:column,column``.

    Attributes
    ----------
    argument : str
        What it is used as: ``y_true``, ``y_pred``, ``sample_weight`` or ``by``.
    path : str
        The file; a folder or a pattern of files; ``-`` for standard input.
    column : str or None
        The column or columns.
    is_label : bool
        Whether it tells groups apart, and may hold anything; otherwise it holds numbers.
    key : str
        The name of the model or of the groups' key where there may be several.
    """

    argument: str
    path: str
    column: str | None
    is_label: bool = False
    key: str = ""

    @property
    def role(self) -> Role:
        """What it is used as, and for which model or key."""
        return self.argument, self.key

    def __str__(self) -> str:
        return ":".join(part for part in (self.path, self.column) if part)


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


class CellError(SourceError):
    """A cell that is missing or no number.

    Attributes
    ----------
    location : Location
        Its column.
    row : int
        Its row in the whole table.
    what : str
        What it is.
    """

    def __init__(self, location: Location, row: int, what: str) -> None:
        super().__init__(f"{location.argument}: {location}: row {row} is {what}")
        self.location = location
        self.row = row
        self.what = what


def format_of(path: str) -> str | None:
    """Tell by a file's name what it is: ``npy``, ``csv``, ``parquet`` or ``ipc``; None where it does not say.

    Examples
    --------
    >>> format_of("scores.csv.gz"), format_of("scores.npy"), format_of("scores")
    ('csv', 'npy', None)
    """
    name = path.lower()
    for end in COMPRESSED:
        if name.endswith(end):
            name = name.removesuffix(end)
            return "csv" if FORMATS.get(Path(name).suffix) == "csv" else None
    suffix = Path(name).suffix
    return "npy" if suffix == ".npy" else FORMATS.get(suffix)


def is_table(path: str) -> bool:
    """Tell whether a path is of something with columns."""
    kind = format_of(path)
    return path == STDIN or (kind != "npy" and (kind is not None or Path(path).is_dir()))


def parse_location(argument: str, text: str, *, table: str | None = None, is_label: bool = False) -> Location:
    r"""Split ``path:column``, where the column may be several, as `select_columns` reads them.

    The column begins at the first colon that follows a table's extension, a folder or the ``-`` of standard
    input; of several such places, at the first whose path is a file. Colons before it (a drive letter's, say)
    belong to the path, colons after it to the column.

    Parameters
    ----------
    argument : str
        What the column is used as, for messages: ``y_true``, ``y_pred``, ``sample_weight`` or ``by``.
    text : str
        The path and, for a table, the column.
    table : str, optional
        The path that ``:column`` alone is a column of.
    is_label : bool
        Whether it tells groups apart.

    Returns
    -------
    Location
        The two parts.

    Raises
    ------
    SourceError
        The extension is not one that can be read, or a column is asked of a .npy file.

    Examples
    --------
    >>> parse_location("y_true", r"C:\data\scores.csv:label").column
    'label'
    """
    if table is not None and text.startswith(":"):
        text = table + text
    colons = [i for i, letter in enumerate(text) if letter == ":" and is_table(text[:i])]
    if format_of(text) is not None and (not colons or Path(text).is_file()):
        return Location(argument, text, None, is_label)
    if colons:
        cut = next((i for i in colons if Path(text[:i]).exists()), colons[0])
        if cut + 1 == len(text):
            raise SourceError(f"{argument}: {text!r} names no column after its colon")
        return Location(argument, text[:cut], text[cut + 1 :], is_label)
    if is_table(text):
        return Location(argument, text, None, is_label)
    if ".npy:" in text.lower():
        raise SourceError(f"{argument}: {text!r}: a .npy file holds one array and has no columns")
    suffix = Path(text).suffix
    what = f"extension {suffix!r}" if suffix else "no extension"
    raise SourceError(f"{argument}: {text!r} has {what}; expected .npy, {', '.join(FORMATS)} or a folder")


def check_dtype(location: Location, dtype: np.dtype[Any]) -> None:
    """Refuse everything but real numbers, and of labels what has no order."""
    if dtype.kind not in ("biufSUM" if location.is_label else "biuf"):
        raise SourceError(f"{location.argument}: {location} holds {dtype}, not real numbers")
