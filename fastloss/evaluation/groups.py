"""Groups: the labels that rows are told apart by, as they were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss.evaluation.blocks import Array

_FEW = 1 << 16


class Groups:
    """The groups found so far, in the order they came; without any `by` there is one."""

    def __init__(self) -> None:
        #: The names of several keys, or of one that has a name.
        self.names: tuple[str, ...] | None = None
        self.labels: list[Any] = []
        self._index: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.labels)

    def index(self, label: Any) -> int:
        """Return the number of a group, new or known."""
        # Python takes True and 1 for one key, and each NaN for another.
        key = (type(label).__name__, "nan" if label != label else label)
        if isinstance(label, tuple):
            key = ("tuple", tuple((type(x).__name__, "nan" if x != x else x) for x in label))
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.labels)
            self.labels.append(label)
        return found

    def split(self, columns: list[Any], n_rows: int) -> tuple[Array | None, Array]:
        """Return a code for each row, None where all are of one group, and the group of each code."""
        if not columns:
            return None, np.array([self.index(None)], dtype=np.intp)
        codes, labels = factorise(columns[0])
        for column in columns[1:]:
            more, others = factorise(column)
            joint = codes.astype(np.int64) * len(others) + more
            found, codes = _distinct(joint)
            labels = [(*_tuple(labels[i // len(others)]), others[i % len(others)]) for i in found.tolist()]
        groups = np.array([self.index(label) for label in labels], dtype=np.intp)
        if len(labels) == 1:
            return None, groups
        return codes.astype(np.uint32), groups

    def merged(self, other: Groups) -> Array:
        """Return the number here of each group of another."""
        if other.labels and self.labels and self.names != other.names:
            raise ValueError(
                f"the groups are of {_shown(self.names)} here and of {_shown(other.names)} there"
            )
        if not self.labels:
            self.names = other.names
        return np.array([self.index(label) for label in other.labels], dtype=np.intp)


def _shown(names: tuple[str, ...] | None) -> str:
    return "no column" if names is None else ", ".join(names)


def _tuple(label: Any) -> tuple[Any, ...]:
    return label if isinstance(label, tuple) else (label,)


def factorise(column: Any) -> tuple[Array, list[Any]]:
    """Return a code for each entry, and the label of each code that occurs.

    Examples
    --------
    >>> codes, labels = factorise(np.array(["b", "a", "b"]))
    >>> [labels[code] for code in codes]
    ['b', 'a', 'b']
    """
    if hasattr(column, "dictionary_encode"):
        return _factorise_arrow(column)
    array = np.asarray(column)
    if array.ndim != 1:
        raise ValueError(f"by has shape {array.shape}, expected one label a row")
    if array.dtype.kind in "biu" and len(array):
        low, high = int(array.min()), int(array.max())
        if high - low < _FEW:
            small = (array.astype(np.int64) - low).astype(np.uint32)
            found = np.flatnonzero(np.bincount(small, minlength=high - low + 1))
            place = np.zeros(high - low + 1, dtype=np.uint32)
            place[found] = np.arange(len(found), dtype=np.uint32)
            return place[small], (found + low).astype(array.dtype).tolist()
    if array.dtype.kind in "OUST":
        return _factorise_objects(array)
    found, codes = np.unique(array, return_inverse=True)
    return codes.reshape(-1), found.tolist()


def _distinct(joint: Array) -> tuple[Array, Array]:
    found, codes = np.unique(joint, return_inverse=True)
    return found, codes.reshape(-1)


def _factorise_objects(array: Array) -> tuple[Array, list[Any]]:
    """Give labels numbers in the order that they come; one that is missing is None."""
    index: dict[Any, int] = {}
    labels: list[Any] = []
    codes = np.empty(len(array), dtype=np.uint32)
    for i, label in enumerate(array.tolist()):
        key = (type(label), label)
        code = index.get(key)
        if code is None:
            if label is None or label != label or type(label).__name__ == "NAType":
                code = index.setdefault(None, len(labels))
                label = None
            else:
                code = index[key] = len(labels)
            if code == len(labels):
                labels.append(label)
        codes[i] = code
    return codes, labels


def _factorise_arrow(column: Any) -> tuple[Array, list[Any]]:
    """Give the labels of an Arrow column numbers, a null as None."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
        if hasattr(column, "chunks"):
            column = column.chunk(0)
    encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
    labels = encoded.dictionary.to_pylist()
    indices = encoded.indices
    if indices.null_count:
        labels.append(None)
        indices = indices.fill_null(len(labels) - 1)
    codes = np.asarray(indices).astype(np.uint32)
    found = np.flatnonzero(np.bincount(codes, minlength=len(labels)))
    place = np.zeros(len(labels), dtype=np.uint32)
    place[found] = np.arange(len(found), dtype=np.uint32)
    return place[codes], [labels[i] for i in found.tolist()]
