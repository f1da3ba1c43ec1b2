"""Many files as one table: lists, folders, patterns, and folders that are named after columns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from fastloss.reading.columns import kind_of
from fastloss.reading.locations import FORMATS, SourceError, format_of
from fastloss.reading.tables import Piece, Table, open_file

#: What Hive calls the folder of rows without a value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class FilesTable(Table):
    """Files one after the other, in the order of their names; ``key=value`` folders are columns.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, folders and patterns.
    """

    def __init__(self, paths: Iterable[Any]) -> None:
        found = [pair for path in paths for pair in _found(path)]
        self.path = str(Path(found[0][0]).parent) if len(found) > 1 else found[0][0]
        self._files = [path for path, _ in found]
        self._sizes = [os.path.getsize(path) for path in self._files]
        self._read_bytes = 0
        self._now: Table = open_file(self._files[0])
        self._first = self._now
        self._keys = [_keys_of(path, root) for path, root in found]
        for path, keys in zip(self._files, self._keys, strict=True):
            if list(keys) != list(self._keys[0]):
                raise SourceError(
                    f"{path}: the folders name {', '.join(keys) or 'no column'}, but "
                    f"{', '.join(self._keys[0]) or 'no column'} in {self._files[0]}"
                )
        self._values = {key: _typed([keys[key] for keys in self._keys]) for key in self._keys[0]}
        self._kinds: dict[str, tuple[str, Any, str]] = {}
        self.names = [*(name for name in self._first.names if name not in self._values), *self._values]
        if len(self._files) == 1:
            self.rows = self._first.rows

    def type_of(self, name: str) -> Any:
        """Return the Arrow type of a column in the first file."""
        return self._values[name].type if name in self._values else self._first.type_of(name)

    def batches(self, numbers: Sequence[str], labels: Sequence[str], size: int) -> Iterator[Piece]:
        """Yield pieces, each of one file."""
        wanted = {*numbers, *labels}
        for i, path in enumerate(self._files):
            table = self._now = self._first if i == 0 else open_file(path)
            self._check(table, wanted, set(labels))
            own_numbers = [name for name in numbers if name not in self._values]
            own_labels = [name for name in labels if name not in self._values]
            # Where nothing is read but the folders' names, some column must say how many rows there are.
            for piece in table.batches(own_numbers or own_labels or table.names[:1], own_labels, size):
                n = len(next(iter(piece.columns.values())))
                for name in own_labels:
                    self._check_kind(path, name, piece.columns[name].type)
                for name in wanted & set(self._values):
                    value = self._values[name].slice(i, 1)
                    piece.columns[name] = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), value)
                yield piece
            self._read_bytes += self._sizes[i]

    def fraction(self) -> float:
        """Tell how much has been read, from 0 to 1."""
        return min(1.0, self._read_bytes / max(1, sum(self._sizes)))

    def _check(self, table: Table, wanted: set[str], labels: set[str]) -> None:
        """Refuse a file that lacks a column, or has one of another kind than the first file."""
        for name in sorted(wanted - set(self._values)):
            if name not in table.names:
                raise SourceError(f"{table.path} has no column {name!r}, as {self._files[0]} does")
            mine = table.type_of(name)
            if mine is not None and name not in labels:
                its = self._first.type_of(name)
                if its is not None and kind_of(mine, False) != kind_of(its, False):
                    raise _changed(table.path, name, mine, its, self._files[0])

    def _check_kind(self, path: str, name: str, mine: Any) -> None:
        """Refuse labels of another kind than before."""
        kind, its, where = self._kinds.setdefault(name, (kind_of(mine, True), mine, path))
        if kind_of(mine, True) != kind:
            raise _changed(path, name, mine, its, where)


def _changed(path: str, name: str, mine: Any, its: Any, where: str) -> SourceError:
    return SourceError(f"{path}: column {name!r} is {mine}, but {its} in {where}")


def _found(given: Any) -> list[tuple[str, str | None]]:
    """Find the files of a path, pattern or folder, in the order of names, and the folder each is below."""
    path = Path(given)
    root = str(path) if path.is_dir() else None
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(("_", ".")))
        if not files:
            raise SourceError(f"{path}: the folder has no files")
    elif path.is_file():
        files = [path]
    else:
        files = sorted(p for p in map(Path, glob.glob(str(given), recursive=True)) if p.is_file())
        if not files:
            raise FileNotFoundError(f"there is no file {str(given)!r}")
    for file in files:
        if format_of(str(file)) not in ("csv", "parquet", "ipc"):
            raise SourceError(f"{file}: expected a file named {', '.join(FORMATS)}")
    return [(str(file), root) for file in files]


def _keys_of(path: str, root: str | None) -> dict[str, str | None]:
    """Read the columns that the folders between root and file are named after."""
    if root is None:
        return {}
    pieces = [piece.partition("=") for piece in Path(path).relative_to(root).parent.parts]
    named = {unquote(key): unquote(value) for key, equals, value in pieces if equals}
    return {key: None if value == _NO_VALUE else value for key, value in named.items()}


def _typed(values: list[str | None]) -> Any:
    """Make an Arrow array of texts: of whole numbers where all are, wherever the files."""
    try:
        numbers = [None if value is None else int(value) for value in values]
    except ValueError:
        return pa.array(values, pa.string())
    # A text such as 007 is none.
    same = all(a is None or a == str(b) for a, b in zip(values, numbers, strict=True))
    is_whole = same and any(number is not None for number in numbers)
    return pa.array(numbers, pa.int64()) if is_whole else pa.array(values, pa.string())
