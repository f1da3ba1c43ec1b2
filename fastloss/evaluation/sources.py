"""Columns of files and of streams of Arrow batches, read while the batch before is computed."""

from __future__ import annotations

import glob
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastloss._validation import shown
from fastloss.evaluation.blocks import Array
from fastloss.evaluation.state import shift_row

if TYPE_CHECKING:
    from fastloss.evaluation.evaluation import Evaluation

BATCH_ROWS = 1 << 18
#: Batches read ahead of the one that is computed.
_AHEAD = 2
_FORMATS = {
    ".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "feather", ".ipc": "ipc",
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
}  # fmt: skip
_COMPRESSED = {".gz", ".bz2", ".zst"}


class Columns(NamedTuple):
    """The columns that an evaluation reads."""

    y_true: str
    y_pred: dict[str, list[str]]
    sample_weight: str | None
    by: list[str]
    is_named: bool

    @classmethod
    def named(cls, y_true: Any, y_pred: Any, sample_weight: Any, by: Any) -> Columns:
        """Take names from the arguments of `evaluate`."""
        models = y_pred if isinstance(y_pred, Mapping) else {"y_pred": y_pred}
        keys = [] if by is None else [by] if isinstance(by, str) else list(by)
        lists = {str(m): [z] if isinstance(z, str) else list(z) for m, z in models.items()}
        names = [y_true, *(z for zs in lists.values() for z in zs), *keys]
        names += [] if sample_weight is None else [sample_weight]
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"with data=, columns are given by name, got {shown(name)}")
        return cls(y_true, lists, sample_weight, keys, isinstance(y_pred, Mapping))

    def all(self) -> list[str]:
        """List the names, each once."""
        names = [self.y_true, *(z for zs in self.y_pred.values() for z in zs), *self.by]
        return list(dict.fromkeys([*names, *([self.sample_weight] if self.sample_weight else [])]))


class Batch(NamedTuple):
    """A batch of rows: where they are from, the number of the first, and the columns."""

    where: str
    first_row: int
    table: Any


def add_source(evaluation: Evaluation, data: Any, columns: Columns) -> None:
    """Add all rows of a source, reading ahead in a thread of its own.

    Raises
    ------
    ValueError, TypeError, OSError
        A file or column is not there or is of another kind, or a row is refused; the message names it.
    """
    for batch in _ahead(_batches(data, columns.all())):
        try:
            y = _numbers(batch, columns.y_true, "y_true")
            z = {m: _predictions(batch, names) for m, names in columns.y_pred.items()}
            weight = columns.sample_weight
            w = None if weight is None else _numbers(batch, weight, "sample_weight")
            by = {name: batch.table.column(name) for name in columns.by}
            evaluation.update(y, z if columns.is_named else z["y_pred"], w, by or None)
        except ValueError as error:
            where = f"{batch.where}: " if batch.where else ""
            raise ValueError(shift_row(str(error), batch.first_row, where)) from error


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Pass batches on that a thread reads; it ends with the one who asks."""
    ready: queue.Queue[Any] = queue.Queue(maxsize=_AHEAD)
    stopped = threading.Event()

    def put(thing: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put(thing, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:  # it is the reader's: raised where batches are asked for
            put(error)

    thread = threading.Thread(target=read, name="fastloss reader", daemon=True)
    thread.start()
    try:
        while True:
            thing = ready.get()
            if thing is None:
                return
            if isinstance(thing, BaseException):
                raise thing
            yield thing
    finally:
        stopped.set()
        thread.join()


def _batches(data: Any, names: list[str]) -> Iterator[Batch]:
    """Read a source batch by batch."""
    row = 0
    for where, batches in _parts(data, names):
        for batch in batches:
            if batch.num_rows:
                yield Batch(where, row, batch)
                row += batch.num_rows


def _parts(data: Any, names: list[str]) -> Iterator[tuple[str, Iterable[Any]]]:
    """Open what there is to read: each file with its name, or one stream without."""
    pa = _arrow("pyarrow")
    if isinstance(data, str | Path) or (isinstance(data, list | tuple) and data):
        yield from _files(data if isinstance(data, list | tuple) else [data], names)
        return
    if hasattr(data, "scanner"):
        _check_columns(data.schema.names, names, "data")
        yield "", data.scanner(columns=names, batch_size=BATCH_ROWS).to_batches()
        return
    if hasattr(data, "lazy") and not hasattr(data, "__arrow_c_stream__"):
        data = data.lazy()
    if hasattr(data, "collect_schema"):
        _check_columns(data.collect_schema().names(), names, "data")
        data = data.select(names)
        data = data.collect(engine="streaming") if hasattr(data, "collect") else data
    if not hasattr(data, "__arrow_c_stream__"):
        raise TypeError(f"data is {shown(data)}: expected paths, or something with __arrow_c_stream__")
    reader = pa.RecordBatchReader.from_stream(data)
    _check_columns(reader.schema.names, names, "data")
    yield "", (part for batch in reader for part in _pieces(batch.select(names)))


def _pieces(batch: Any) -> Iterator[Any]:
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _files(paths: Iterable[Any], names: list[str]) -> Iterator[tuple[str, Iterable[Any]]]:
    """Open files one after the other; folders may be partitioned by hive's ``key=value``."""
    dataset = _arrow("pyarrow.dataset")
    kinds: dict[str, Any] = {}
    for path, root in _found(paths):
        kind = _format_of(path)
        try:
            form = kind
            if kind == "csv":
                csv = _arrow("pyarrow.csv")
                tabs = ".tsv" in Path(path).suffixes
                form = dataset.CsvFileFormat(csv.ParseOptions(delimiter="\t" if tabs else ","))
            part = dataset.dataset(path, format=form, partitioning="hive", partition_base_dir=root)
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: {str(error).partition(chr(10))[0]}") from error
        _check_columns(part.schema.names, names, path)
        for name in names:
            mine = part.schema.field(name).type
            if kinds.setdefault(name, (path, mine))[1] != mine and not _both_numbers(kinds[name][1], mine):
                other, its = kinds[name]
                raise ValueError(f"{path}: column {name!r} is {mine}, but {its} in {other}")
        yield path, _told(part.to_batches(columns=names, batch_size=BATCH_ROWS), path)


def _told(batches: Iterator[Any], path: str) -> Iterator[Any]:
    """Say in an error of a reader which file it is."""
    try:
        yield from batches
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {str(error).partition(chr(10))[0]}") from error


def _found(paths: Iterable[Any]) -> Iterator[tuple[str, str | None]]:
    """Find the files of paths, globs and folders, in the order of names, and the folder each is below."""
    for given in paths:
        path = Path(given)
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(("_", ".")))
            if not files:
                raise ValueError(f"{path}: the folder has no files")
            yield from ((str(p), str(path)) for p in files)
        elif path.is_file():
            yield str(path), None
        else:
            files = sorted(map(Path, glob.glob(str(given), recursive=True)))
            if not files:
                raise FileNotFoundError(f"there is no file {str(given)!r}")
            yield from ((str(p), None) for p in files if p.is_file())


def _format_of(path: str) -> str:
    suffixes = [s.lower() for s in Path(path).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    kind = _FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise ValueError(f"{path}: expected a file named {', '.join(_FORMATS)}")
    return kind


def _check_columns(have: list[str], names: list[str], where: str) -> None:
    for name in names:
        if name not in have:
            listed = ", ".join(map(repr, have[:20])) + (" ..." if len(have) > 20 else "")
            raise ValueError(f"{where} has no column {name!r}; its columns: {listed}")


def _both_numbers(a: Any, b: Any) -> bool:
    types = _arrow("pyarrow").types
    return all(types.is_integer(t) or types.is_floating(t) or types.is_boolean(t) for t in (a, b))


def _numbers(batch: Batch, name: str, argument: str) -> Array:
    """Return a column as an array."""
    pa = _arrow("pyarrow")
    column = batch.table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise ValueError(f"column {name!r} holds {column.type}, not real numbers")
    if column.null_count:
        row = int(np.argmax(np.asarray(column.is_null())))
        raise ValueError(f"{argument}[{row}] is missing: column {name!r} is null")
    array: Array = np.asarray(column)
    return array


def _predictions(batch: Batch, names: list[str]) -> Array:
    """Return one column, or several side by side."""
    columns = [_numbers(batch, name, "y_pred") for name in names]
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def _arrow(module: str) -> Any:
    from fastloss.cli.errors import CommandError, require

    try:
        return require(module, "cli", "data=")
    except CommandError as error:
        raise ImportError(str(error)) from None
