"""Groups: the labels that rows are told apart by, as they were given."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss import _core
from fastloss.evaluation.blocks import Array, Scratch

#: Whole numbers of so many values in a row are told apart by one byte.
_FEW = 256
#: Arrow's types of whole numbers, which need no dictionary.
_WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


class Coded:
    """A column of codes, and the label of each: what pandas calls a categorical.

    Parameters
    ----------
    codes : ndarray
        A code for each row; -1 is a label that is missing.
    labels : list
        The labels of the codes 0 and up.
    """

    def __init__(self, codes: Array, labels: list[Any]) -> None:
        self.codes = codes
        self.labels = labels

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice) -> Coded:
        return Coded(self.codes[rows], self.labels)


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

    def split(self, columns: list[Any], n_rows: int, scratch: Scratch) -> tuple[Array | None, Array]:
        """Return a code for each row, None where all are of one group, and the group of each code."""
        if not columns:
            return None, np.array([self.index(None)], dtype=np.intp)
        codes, labels = factorise(columns[0], scratch)
        for column in columns[1:]:
            more, others = factorise(column)
            joint = codes.astype(np.int64) * len(others) + more
            codes, first = _core.encode_items(joint)
            found = joint[first].tolist()
            labels = [(*_tuple(labels[i // len(others)]), others[i % len(others)]) for i in found]
        groups = np.array([self.index(label) for label in labels], dtype=np.intp)
        if len(labels) == 1:
            return None, groups
        return codes, groups

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


def labels_of(column: Any) -> Any:
    """Return a column of labels as `factorise` takes it: of Arrow, of pandas or of anything NumPy reads.

    Raises
    ------
    ValueError
        It has not one label a row.
    """
    if hasattr(column, "dictionary_encode"):
        return column
    values = getattr(column, "array", column)  # of a Series of pandas
    if hasattr(values, "codes") and hasattr(values, "categories"):
        return Coded(np.asarray(values.codes), values.categories.tolist())
    dtype = getattr(values, "dtype", None)
    if hasattr(dtype, "pyarrow_dtype") or getattr(dtype, "storage", "") == "pyarrow":
        return values.__arrow_array__()
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    array = np.asarray(column)
    if array.ndim != 1:
        raise ValueError(f"by has shape {array.shape}, expected one label a row")
    return array


def factorise(column: Any, scratch: Scratch | None = None) -> tuple[Array, list[Any]]:
    """Return a code for each entry, in a scratch array if there is one, and the label of each code.

    Examples
    --------
    >>> codes, labels = factorise(np.array(["b", "a", "b"]))
    >>> [labels[code] for code in codes]
    ['b', 'a', 'b']
    """
    if hasattr(column, "dictionary_encode"):
        return _factorise_arrow(column, scratch)
    if isinstance(column, Coded):
        codes, first = _encode(column.codes, scratch)
        label_of = [*column.labels, None]
        return codes, [label_of[i] for i in column.codes[first].tolist()]
    array = np.asarray(column)
    if array.ndim != 1:
        raise ValueError(f"by has shape {array.shape}, expected one label a row")
    if array.dtype.kind in "OT" or array.dtype.char in "gG":  # whose items have bytes that are not theirs
        return _factorise_objects(array.astype(object, copy=False))
    codes, first = _encode(array, scratch)
    labels = array[first]
    if array.dtype.name != "datetime64[ns]":
        return codes, labels.tolist()
    # Python's times hold whole microseconds; `tolist` makes numbers of them all.
    times = labels.astype("datetime64[us]")
    both = zip(labels.tolist(), times.tolist(), (times == labels).tolist(), strict=True)
    return codes, [time if same else number for number, time, same in both]


def _encode(array: Array, scratch: Scratch | None) -> tuple[Array, Array]:
    out = None if scratch is None else scratch.array("codes", array.shape, np.uint32)
    return _core.encode_items(_by_bytes(array), out)


def _by_bytes(array: Array) -> Array:
    """Return items that are of equal bytes where labels are equal; short ones where that is easily said."""
    if array.dtype.kind in "fc":
        array = array + 0  # -0 is 0
        array[np.isnan(array)] = np.nan
    elif array.dtype.kind in "iu" and array.dtype.itemsize > 1 and len(array):
        low = array.min()
        if int(array.max()) - int(low) < _FEW:
            array = (array - low).astype(np.uint8)
    return array


def _factorise_objects(array: Array) -> tuple[Array, list[Any]]:
    """Give labels numbers in the order that they come; one that is missing is None."""
    classes, codes = _core.encode_objects(array)
    if not all(type(label) is str or label is None for label in classes):
        return _factorise_mixed(array)
    return codes, classes


def _factorise_mixed(array: Array) -> tuple[Array, list[Any]]:
    """Tell apart what Python takes for equal, such as 1 and True."""
    index: dict[Any, int] = {}
    labels: list[Any] = []
    codes = np.empty(len(array), dtype=np.uint32)
    for i, label in enumerate(array.tolist()):
        key = (type(label), label)
        code = index.get(key)
        if code is None:
            if label is None or type(label).__name__ == "NAType" or label != label:
                code = index.setdefault(None, len(labels))
                label = None
            else:
                code = index[key] = len(labels)
            if code == len(labels):
                labels.append(label)
        codes[i] = code
    return codes, labels


def _factorise_arrow(column: Any, scratch: Scratch | None) -> tuple[Array, list[Any]]:
    """Give the labels of an Arrow column numbers, a null as None."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
        if hasattr(column, "chunks"):
            column = column.chunk(0)
    if not column.null_count and str(column.type) in _WHOLE:
        return factorise(np.from_dlpack(column), scratch)
    encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
    labels = encoded.dictionary.to_pylist()
    indices = encoded.indices
    if indices.null_count:
        labels.append(None)
        indices = indices.fill_null(len(labels) - 1)
    array = np.asarray(indices)
    codes, first = _encode(array, scratch)
    return codes, [labels[i] for i in array[first].tolist()]
