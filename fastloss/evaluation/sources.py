"""Columns of files and of streams of Arrow batches, read while the batch before is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fastloss._extras import require
from fastloss._validation import shown
from fastloss.errors import DomainError
from fastloss.evaluation.bad_rows import shifted_warnings
from fastloss.reading import Array, CellError, Chunk, Location, Reader, check_lengths, read_ahead

if TYPE_CHECKING:
    from fastloss.evaluation.evaluation import Evaluation
    from fastloss.reading.tables import Table

BATCH_ROWS = 1 << 18


class Columns(NamedTuple):
    """The columns that an evaluation reads."""

    y_true: str
    y_pred: dict[str, list[str]]
    sample_weight: str | None
    by: list[str]

    @classmethod
    def named(cls, y_true: Any, y_pred: Any, sample_weight: Any, by: Any) -> Columns:
        """Take names from the arguments of `evaluate`."""
        models = y_pred if isinstance(y_pred, Mapping) else {"": y_pred}
        keys = [] if by is None else [by] if isinstance(by, str) else list(by)
        lists = {str(m): [z] if isinstance(z, str) else list(z) for m, z in models.items()}
        names = [y_true, *(z for zs in lists.values() for z in zs), *keys]
        names += [] if sample_weight is None else [sample_weight]
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"with data=, columns are given by name, got {shown(name)}")
        return cls(y_true, lists, sample_weight, keys)

    def all(self) -> list[str]:
        """List the names, each once."""
        names = [self.y_true, *(z for zs in self.y_pred.values() for z in zs), *self.by]
        return list(dict.fromkeys([*names, *([self.sample_weight] if self.sample_weight else [])]))

    def reader(self, table: Table, lenient: bool) -> Reader:
        """Read them from a table."""
        from fastloss.reading.columns import Selection, check_columns
        from fastloss.reading.readers import TableReader

        wanted = [(Location("y_true", table.path, None), [self.y_true])]
        wanted += [(Location("y_pred", table.path, None, key=m), names) for m, names in self.y_pred.items()]
        if self.sample_weight is not None:
            wanted.append((Location("sample_weight", table.path, None), [self.sample_weight]))
        wanted += [(Location("by", table.path, None, is_label=True, key=name), [name]) for name in self.by]
        for location, names in wanted:
            check_columns(location, names, table.names)
        return TableReader(table, [Selection(at, names, len(names) > 1) for at, names in wanted], lenient)


def add_source(evaluation: Evaluation, data: Any, columns: Columns) -> None:
    """Add all rows of a source.

    Raises
    ------
    ValueError, TypeError, OSError
        A file or column is not there or is of another kind, or a row is refused; the message names it.
    """
    from fastloss.cli.progress import LongWorkBar

    require("pyarrow", "cli", "data=")
    table = _open_source(data, columns.all())
    reader = columns.reader(table, lenient=evaluation._on_error == "skip")
    try:
        with LongWorkBar(quiet=False) as bar:
            add_rows(evaluation, [reader], progress=bar.update)
    except CellError as error:
        at, what = error.location, "missing" if error.what == "null" else error.what
        where = f"{at.path}: " if at.path else ""
        end = " is null" if error.what == "null" else ""
        raise ValueError(f"{where}{at.argument}[{error.row}] is {what}: column {at.column!r}{end}") from error


def add_rows(
    evaluation: Evaluation,
    readers: Sequence[Reader],
    progress: Callable[[float, int], None],
    size: int = BATCH_ROWS,
    look: Callable[[str, Array], None] | None = None,
) -> None:
    """Add the rows of files that are read in step, a thread reading ahead of the computation.

    Parameters
    ----------
    evaluation : Evaluation
        What to add to.
    readers : sequence of Reader
        The files; their locations say what each array is used as, and of which model or key.
    progress : callable
        Called after each chunk with the fraction of the work done and the number of rows.
    size : int
        The most rows of a chunk.
    look : callable, optional
        Called with the name of each model and its predictions of each chunk.

    Raises
    ------
    ValueError, TypeError
        A row is refused; the message names its file and its number in the whole source.
    """
    check_lengths([source for reader in readers for source in reader.sources])
    told = set[str]() if evaluation._may_warn() else None
    for chunk in read_ahead(readers, size):
        arrays = chunk.arrays
        n = len(next(iter(arrays.values())))
        places: Any = None
        if chunk.bad is not None and chunk.bad.any():
            places = (~chunk.bad).nonzero()[0]
            arrays = {role: _taken(array, places) for role, array in arrays.items()}
        models = {key: array for (argument, key), array in arrays.items() if argument == "y_pred"}
        by = {key: array for (argument, key), array in arrays.items() if argument == "by"}
        if look is not None:
            for model, array in models.items():
                look(model, array)
        start, where = chunk.start, _files(chunk)

        def shift(row: int, start: int = start, places: Any = places) -> int:
            return start + (row if places is None else int(places[row]))

        try:
            with shifted_warnings(shift, told, where.get("y_pred", "")):
                evaluation.update(
                    arrays["y_true", ""], models.get("", models),
                    arrays.get(("sample_weight", "")), by or None,
                )  # fmt: skip
            if places is not None and evaluation._state is not None:
                evaluation._state.skipped += n - len(places)
        except DomainError as error:
            raise error.shifted(shift, where.get(error.argument, "")) from error
        progress(min(reader.fraction() for reader in readers), chunk.start + n)


def _files(chunk: Chunk) -> dict[str, str]:
    """Return for each argument the file of its rows, to stand before it; of models in several files none."""
    found: dict[str, str] = {}
    for (argument, _), at in chunk.where.items():
        place = f"{at.path}: " if at.path else ""
        found[argument] = place if found.get(argument, place) == place else ""
    return found


def _taken(array: Any, places: Any) -> Any:
    return array.take(places) if hasattr(array, "dictionary_encode") else array[places]


def _open_source(data: Any, names: list[str]) -> Table:
    """Open paths, or whatever has a stream of Arrow batches, of these columns alone."""
    from fastloss.reading.folders import FilesTable
    from fastloss.reading.tables import ArrowTable

    if isinstance(data, str | Path) or (isinstance(data, list | tuple) and data):
        return FilesTable(data if isinstance(data, list | tuple) else [data])
    schema, batches = _stream(data, names)
    return ArrowTable("", schema, lambda wanted: batches)


def _stream(data: Any, names: list[str]) -> tuple[Any, Iterator[Any]]:
    """Return the schema and the batches of something that is no file, narrowed to columns where it can be."""
    pa = require("pyarrow", "cli", "data=")
    if hasattr(data, "scanner"):  # a dataset of pyarrow
        _check_columns(data.schema.names, names)
        scanner = data.scanner(columns=names, batch_size=BATCH_ROWS)
        return scanner.projected_schema, scanner.to_batches()
    if hasattr(data, "collect_batches"):  # a lazy frame of Polars
        _check_columns(data.collect_schema().names(), names)
        data = data.select(names)
        schema = data.head(0).collect().to_arrow().schema
        frames = data.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
        return schema, (batch for frame in frames for batch in frame.to_arrow().to_batches())
    if hasattr(data, "to_arrow_reader"):  # a relation of DuckDB
        _check_columns(data.columns, names)
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        reader = data.project(quoted).to_arrow_reader(BATCH_ROWS)
        return reader.schema, reader
    if hasattr(data, "columns") and hasattr(data, "loc"):  # a frame of pandas
        _check_columns(list(data.columns), names)
        data = data[names]
    elif hasattr(data, "select") and not hasattr(data, "read_next_batch"):  # a frame of Polars, a table
        _check_columns(list(getattr(data, "column_names", getattr(data, "columns", names))), names)
        data = data.select(names)
    if not hasattr(data, "__arrow_c_stream__"):
        raise TypeError(f"data is {shown(data)}: expected paths, or something with __arrow_c_stream__")
    reader = pa.RecordBatchReader.from_stream(data)
    _check_columns(reader.schema.names, names)
    return reader.schema, reader


def _check_columns(have: list[str], names: list[str]) -> None:
    from fastloss.reading.columns import check_columns

    check_columns(Location("data", "it", None), names, have)
