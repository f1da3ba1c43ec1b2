"""Evaluations as bytes: a header in JSON, numbers, and a checksum. Nothing that is read runs code."""

from __future__ import annotations

import datetime
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from fastloss import _core
from fastloss._loss import Loss
from fastloss.evaluation.decisions import ConfusionStore
from fastloss.evaluation.means import LossStore, MaxErrorStore, Store
from fastloss.evaluation.order import OrderStore, Rows
from fastloss.evaluation.specs import Measured, find_measure
from fastloss.evaluation.state import State
from fastloss.evaluation.tables import Table
from fastloss.formulas import Formula
from fastloss.formulas.specification import read_line, write_line
from fastloss.registry import find_loss

if TYPE_CHECKING:
    from fastloss.evaluation.evaluation import Evaluation

_MAGIC = b"fastloss evaluation\n"
VERSION = 2
_WORD = 8
_MOST_GROUPS = 1 << 32


class _Writer:
    """Collects arrays behind a header that tells what they are."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def array(self, a: Any) -> list[Any]:
        """Keep an array; return what the header says of it."""
        a = np.ascontiguousarray(a)
        a = a.astype(a.dtype.newbyteorder("<"), copy=False)
        self.parts.append(a.tobytes())
        return [a.dtype.str, list(a.shape)]

    def sums(self, sums: _core.ExactSums) -> list[Any]:
        """Keep exact sums: the length of each in bytes, what was infinite or NaN in it, its bytes."""
        lengths, specials, numbers = [], [], []
        for group in range(sums.n_groups):
            for i in range(sums.width):
                total, *special = sums.cell(group, i)
                raw = total.to_bytes((total.bit_length() + 8) // 8, "little", signed=True)
                lengths.append(len(raw))
                specials.append(special)
                numbers.append(raw)
        return [
            sums.n_groups,
            self.array(np.array(lengths, dtype=np.uint16)),
            self.array(np.array(specials, dtype=np.uint64).reshape(-1, 3)),
            self.array(np.frombuffer(b"".join(numbers), dtype=np.uint8)),
        ]


class _Reader:
    """Reads the arrays in the order in which they were kept."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def array(self, told: Any, dtype: Any, shape: tuple[int | None, ...]) -> Any:
        """Read an array of this dtype, and of this shape where that is known."""
        kind, found = told
        dtype = np.dtype(dtype).newbyteorder("<")
        sizes = [_whole(size) for size in found]
        if np.dtype(kind) != dtype or len(sizes) != len(shape):
            raise ValueError("an array is of another kind")
        if any(size != wanted for size, wanted in zip(sizes, shape, strict=True) if wanted is not None):
            raise ValueError("an array has another size")
        n = dtype.itemsize
        for size in sizes:
            n *= size
        if n > len(self.data) - self.at:
            raise ValueError("it ends before an array does")
        raw = np.frombuffer(self.data[self.at : self.at + n], dtype=dtype)
        self.at += n
        return raw.reshape(sizes).astype(dtype.newbyteorder("="))

    def sums(self, told: Any, sums: _core.ExactSums, n_groups: int) -> None:
        """Read exact sums into empty ones."""
        n, lengths, specials, numbers = told
        if n != n_groups:
            raise ValueError("sums are of another number of groups")
        sizes = self.array(lengths, np.uint16, (n_groups * sums.width,))
        special = self.array(specials, np.uint64, (n_groups * sums.width, 3))
        raw = self.array(numbers, np.uint8, (int(sizes.sum()),)).tobytes()
        sums.grow(n_groups)
        at = 0
        for cell, size in enumerate(sizes.tolist()):
            total = int.from_bytes(raw[at : at + size], "little", signed=True)
            sums.set_cell(cell // sums.width, cell % sums.width, total, *special[cell].tolist())
            at += size


def to_bytes(evaluation: Evaluation) -> bytes:
    """Write an evaluation."""
    writer = _Writer()
    header: dict[str, Any] = {
        "measures": [_written(one) for one in evaluation._measured],
        "keys": evaluation._keys,
        "on_error": evaluation._on_error,
        "models": evaluation._models,
        "width": evaluation._width,
    }
    state = evaluation._state
    if state is not None:
        header["names"] = state.groups.names
        header["labels"] = [_label_written(label) for label in state.groups.labels]
        header["skipped"] = state.skipped
        header["samples"] = writer.array(state.samples)
        header["weights"] = writer.sums(state.weights)
        header["stores"] = [_store_written(store, writer) for store in state.stores]
    text = json.dumps(header).encode()
    body = b"".join([len(text).to_bytes(_WORD, "little"), text, *writer.parts])
    checksum = zlib.crc32(body).to_bytes(_WORD, "little")
    return b"".join([_MAGIC, VERSION.to_bytes(2, "little"), checksum, body])


def from_bytes(cls: type[Evaluation], state: bytes) -> Any:
    """Read an evaluation."""
    if not isinstance(state, bytes | bytearray | memoryview):
        raise TypeError(f"expected bytes, got {type(state).__name__}")
    data = memoryview(bytes(state))
    at = len(_MAGIC)
    if bytes(data[:at]) != _MAGIC or len(data) < at + 2 + 2 * _WORD:
        raise ValueError("these bytes are no evaluation")
    version = int.from_bytes(data[at : at + 2], "little")
    if version != VERSION:
        raise ValueError(
            f"this evaluation is of version {version}, but fastloss here knows version {VERSION}"
        )
    checksum, body = int.from_bytes(data[at + 2 : at + 2 + _WORD], "little"), data[at + 2 + _WORD :]
    if zlib.crc32(body) != checksum:
        raise ValueError("these bytes of an evaluation are damaged or cut off")
    try:
        return _read(cls, body)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"these bytes are no evaluation that can be: {error}") from error


def _read(cls: type[Evaluation], body: memoryview) -> Any:
    length = int.from_bytes(body[:_WORD], "little")
    if length > len(body) - _WORD:
        raise ValueError("it ends within its header")
    header = json.loads(bytes(body[_WORD : _WORD + length]))
    made = cls([_measured(one) for one in header["measures"]], on_error=header["on_error"])
    if len(header["keys"]) != len(made._measured) or not all(isinstance(k, str) for k in header["keys"]):
        raise ValueError("keys are missing")
    made._keys = header["keys"]
    if header["models"] is None:
        return made
    reader = _Reader(body[_WORD + length :])
    made._models = tuple(map(str, header["models"]))
    made._width = None if header["width"] is None else _whole(header["width"])
    state = State(made._measured, len(made._models))
    state.groups.names = None if header["names"] is None else tuple(map(str, header["names"]))
    for label in header["labels"]:
        state.groups.index(_label_read(label))
    n = len(header["labels"])
    if n != len(state.groups):
        raise ValueError("two groups have one label")
    state._grow()
    state.skipped = _whole(header["skipped"])
    state.samples = reader.array(header["samples"], np.int64, (n,))
    reader.sums(header["weights"], state.weights, n)
    for told, store in zip(header["stores"], state.stores, strict=True):
        _read_store(told, store, n, reader)
    if reader.at != len(reader.data):
        raise ValueError("there is more than it tells of")
    made._state = state
    return made


def _store_written(store: Store, writer: _Writer) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if isinstance(store, LossStore):
        told["times"] = store.times
    if isinstance(store, MaxErrorStore):
        told["largest"] = writer.array(store.largest)
    if isinstance(store, ConfusionStore):
        told["classes"] = store.n_classes
        told["counts"] = writer.array(store.counts)
    if isinstance(store, OrderStore):
        told["counts"] = writer.array(store.counts)
        told["tables"] = [
            [g, [_table_written(t, writer) for t in tables]] for g, tables in store.tables.items()
        ]
        told["kept"] = [
            {
                "group": writer.array(rows.groups().astype(np.uint32)),
                "label": writer.array(rows.label),
                "weight": None if rows.weight is None else writer.array(rows.weight),
                "scores": [writer.array(score) for score in rows.scores],
            }
            for rows in store.kept
        ]
    told["sums"] = {name: writer.sums(sums) for name, sums in store.sums.items()}
    return told


def _read_store(told: dict[str, Any], store: Store, n: int, reader: _Reader) -> None:
    if isinstance(store, LossStore):
        store.times = _whole(told["times"])
    if isinstance(store, MaxErrorStore):
        store.largest = reader.array(told["largest"], np.float64, (n, store.n_models))
    if isinstance(store, ConfusionStore):
        store.n_classes = _whole(told["classes"])
        cells = store.n_classes**2
        store.counts = reader.array(told["counts"], np.int64, (store.n_models, n if cells else 0, cells))
        store.n_groups = n
        if told["sums"]:
            store.have_weights()
    if isinstance(store, OrderStore):
        store.counts = reader.array(told["counts"], np.int64, (n,))
        for g, tables in told["tables"]:
            if not 0 <= _whole(g) < n or len(tables) != store.n_models:
                raise ValueError("a table is of no group")
            store.tables[g] = [_read_table(t, reader) for t in tables]
        for rows in told["kept"]:
            store.kept.append(_read_rows(rows, n, store.n_models, reader))
    if set(told["sums"]) != set(store.sums):
        raise ValueError("sums are missing")
    for name, sums in told["sums"].items():
        reader.sums(sums, store.sums[name], n * store.cells_per_group)


def _read_rows(told: dict[str, Any], n: int, n_models: int, reader: _Reader) -> Rows:
    group = reader.array(told["group"], np.uint32, (None,))
    label = reader.array(told["label"], np.uint8, (len(group),))
    if len(group) and (group.max() >= n or label.max() > 1):
        raise ValueError("a row is of no group or has no label")
    weight = None if told["weight"] is None else reader.array(told["weight"], np.float64, (len(group),))
    if len(told["scores"]) != n_models:
        raise ValueError("rows are of other models")
    kinds = [np.float32 if np.dtype(s[0]).itemsize == 4 else np.float64 for s in told["scores"]]
    scores = [reader.array(s, kind, (len(group),)) for s, kind in zip(told["scores"], kinds, strict=True)]
    return Rows(group, label, weight, scores)


def _table_written(table: Table, writer: _Writer) -> dict[str, Any]:
    """Write the keys that it has, and of weights the squares of the runs."""
    keys, negative, positive, *_ = table.listed()
    told = {"rows": table.rows, "keys": writer.array(keys)}
    if table.weighted:
        wide, squares = table.memory.arrays
        return {
            **told,
            "wide": writer.array(wide[_core.places_of_keys(keys)]),
            "squares": writer.array(squares),
        }
    return {**told, "counts": writer.array(np.stack([negative, positive], axis=1).astype(np.uint32))}


def _read_table(told: dict[str, Any], reader: _Reader) -> Table:
    table = Table(weighted="counts" not in told)
    table.rows = _whole(told["rows"])
    keys = reader.array(told["keys"], np.uint32, (None,))
    places = _core.places_of_keys(keys)
    if len(keys):
        table.memory.widen(np.array([keys.min(), keys.max()]))
    if "counts" in told:
        low, high, is_high = table.memory.arrays
        counts = reader.array(told["counts"], np.uint32, (len(keys), 2))
        low[places] = counts & 0xFF
        large = counts > 0xFF
        high[places[large]] = counts[large] >> 8
        is_high[keys[large.any(axis=1)] // _core.RUN_KEYS] = 1
        return table
    table.memory.arrays[0][places] = reader.array(told["wide"], np.uint64, (len(keys), 2, 2))
    runs = table.memory.runs()
    table.memory.arrays[1][runs] = reader.array(told["squares"], np.uint64, (_core.RUNS, 2, 3))[runs]
    return table


def _whole(x: Any) -> int:
    if type(x) is not int or not 0 <= x < 2**63:
        raise ValueError(f"expected a count, got {x!r}")
    return x


def _written(one: Measured) -> list[Any]:
    """Write a loss or measure: its name and its parameters."""
    cls: type[Any] | None = None
    if isinstance(one, Formula):
        return ["formula:", {"line": write_line(one)}]
    if isinstance(one, Loss):
        info = find_loss(one.name)
        cls = None if info is None else info.cls
    elif (found := find_measure(one.name)) is not None:
        cls = found.cls
    if cls is not type(one):
        raise TypeError(f"{type(one).__name__} is no loss or measure of fastloss: it cannot be written")
    return [one.name, {name: _parameter(value) for name, value in one.parameters.items()}]


def _parameter(value: Any) -> Any:
    if isinstance(value, dict):
        return {"dict": list(value.items())}
    return list(value) if isinstance(value, tuple) else value


def _measured(told: Any) -> Measured:
    name, parameters = told
    if name == "formula:":
        return read_line(parameters["line"])
    info = find_measure(name) or find_loss(name)
    if info is None or info.name != name:
        raise ValueError(f"there is no loss or measure {name!r} here")
    read = {
        key: dict(map(tuple, value["dict"])) if isinstance(value, dict) else value
        for key, value in parameters.items()
    }
    made: Measured = info.cls(**read)
    return made


_PLAIN = (str, int, float, bool, type(None))


def _label_written(label: Any) -> Any:
    if isinstance(label, tuple):
        return {"tuple": [_label_written(x) for x in label]}
    if isinstance(label, datetime.datetime):
        return {"datetime": label.isoformat()}
    if isinstance(label, datetime.date):
        return {"date": label.isoformat()}
    if isinstance(label, _PLAIN):
        return label
    raise TypeError(f"a group's label is {label!r}: only strings, numbers and dates can be written")


def _label_read(told: Any) -> Any:
    if isinstance(told, dict):
        ((kind, value),) = told.items()
        if kind == "tuple":
            return tuple(_label_read(x) for x in value)
        return {"date": datetime.date, "datetime": datetime.datetime}[kind].fromisoformat(value)
    if not isinstance(told, _PLAIN):
        raise ValueError("a label is of no kind that there is")
    return told
