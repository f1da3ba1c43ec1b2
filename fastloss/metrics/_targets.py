"""Class labels: which they are, and their ranks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.metrics._arrays import Array, blocks, check_finite, column, dense
from fastloss.metrics._strings import StringTable, string_words

#: New strings are looked for among so many rows at a time.
_FEW_ROWS = 64
#: Integers in a range of at most this length are counted, others are sorted.
_LONGEST_RANGE = 1 << 16


class NoLabels(ValueError):
    """The values are no class labels; :func:`target_type` tells what they are."""


class Labels(NamedTuple):
    """The classes in their order, and the rank of each sample's class among them."""

    classes: Array
    codes: Array


def label_array(x: Any) -> Array:
    """Return labels as an array of at most two dimensions, of any dtype."""
    if "numpy.ma" in sys.modules and isinstance(x, np.ma.MaskedArray):
        raise TypeError("labels in a masked array are not supported: its mask would be lost")
    if not (isinstance(x, Sequence) or hasattr(x, "__array__") or hasattr(x, "shape")):
        raise ValueError(f"Expected array-like (array or non-string sequence), got {x!r}")
    array = dense(x)
    if array.dtype.kind == "V":
        raise TypeError(f"labels of dtype {array.dtype} are not supported")
    return array


def are_strings(y: Array) -> bool:
    """Tell whether an array holds strings and nothing else."""
    return y.dtype.kind == "U" or (y.dtype == object and set(map(type, y.ravel().tolist())) == {str})


def encode(y: Array) -> Labels:
    """Find the classes of labels in one dimension: whole numbers, booleans or strings.

    Raises
    ------
    NoLabels
        If a number is no whole number, or an object no string.
    """
    kind = y.dtype.kind
    if kind == "b":
        classes, codes = _encode_integers(y.view(np.uint8))
        return Labels(classes.astype(bool), codes)
    if kind in "iu":
        return Labels(*_encode_integers(y))
    if kind in "mM":
        classes, codes = _encode_integers(y.view(np.int64))
        return Labels(classes.view(y.dtype), codes)
    if kind == "f":
        whole = whole_numbers(y)
        if whole is None:
            raise NoLabels
        classes, codes = _encode_integers(whole)
        return Labels(classes.astype(y.dtype), codes)
    if kind == "U":
        return Labels(*_encode_strings(y))
    return Labels(*_encode_objects(y))


def whole_numbers(y: Array) -> Array | None:
    """Return floats that are whole numbers as integers, None where one is not."""
    with np.errstate(invalid="ignore"):
        whole = y.astype(np.int64)
    same = all(bool((whole[block] == y[block]).all()) for block in blocks(len(y)))
    return whole if same else None


def pick(table: Array, codes: Array) -> Array:
    """Return the rows of a table that codes, all within it, stand for."""
    return np.take(table, codes, axis=0, mode="clip")  # much faster than with the check of indices


def _narrow(n_classes: int) -> Any:
    """Return the smallest dtype for ranks among so many classes."""
    return np.uint8 if n_classes <= 256 else np.uint16 if n_classes <= 65536 else np.int64


def _encode_integers(y: Array) -> tuple[Array, Array]:
    low, high = int(y.min()), int(y.max())
    if high - low >= _LONGEST_RANGE:
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes
    present = np.zeros(high - low + 1, dtype=bool)
    if high - low < 2:
        present[:] = True
    else:
        for block in blocks(len(y)):
            present |= np.bincount(_above(y[block], low), minlength=len(present)) > 0
            if present.all():
                break
    # Modulo the dtype's range, within which the sums are.
    classes = np.flatnonzero(present).astype(y.dtype) + np.asarray(low, y.dtype)
    if low == 0 and len(classes) == len(present):
        return classes, y
    ranks = (np.cumsum(present) - 1).astype(_narrow(len(classes)))
    codes = np.empty(len(y), ranks.dtype)
    for block in blocks(len(y)):
        np.take(ranks, _above(y[block], low), out=codes[block], mode="clip")
    return classes, codes


def _above(y: Array, low: int) -> Array:
    """Integers less the lowest, as indices."""
    if y.dtype == np.uint64:
        return (y - np.uint64(low)).astype(np.intp)
    return y.astype(np.intp) - low if low else y.astype(np.intp, copy=False)


def _encode_strings(y: Array) -> tuple[Array, Array]:
    """Rank strings among the classes met so far, which grow by those of rows that turn out to be none."""
    y = y.astype(y.dtype.newbyteorder("="), copy=False)
    table = StringTable(np.unique(y[:_FEW_ROWS]))
    codes = np.empty(len(y), np.uint8)
    for block in blocks(len(y), table.words.shape[1]):
        rows = string_words(y[block], table.words.dtype)
        while table.is_unambiguous:
            codes[block] = table.ranks(rows)
            different = pick(table.words, codes[block]) != rows
            if not different.any():
                break
            unknown = np.flatnonzero(different.any(axis=1))[:_FEW_ROWS]
            table = StringTable(np.concatenate([table.classes, np.unique(y[block][unknown])]))
        if not table.is_unambiguous:
            classes, inverse = np.unique(y, return_inverse=True)
            return classes, inverse
    return _sorted(table.classes, codes)


def _encode_objects(y: Array) -> tuple[Array, Array]:
    """Rank Python strings."""
    if y.dtype != object:
        raise NoLabels
    found, codes = _core.encode_objects(y)
    if not all(isinstance(label, str) for label in found):
        raise NoLabels
    classes = np.empty(len(found), dtype=object)
    classes[:] = found
    return _sorted(classes, codes.astype(_narrow(len(classes)), copy=False))


def _of_pandas(x: Any) -> Labels | None:
    """Return the labels of pandas' own strings and categories without making objects; None of others."""
    array = getattr(x, "array", None)
    dtype: Any = getattr(array, "dtype", None)
    if hasattr(dtype, "storage") and dtype.type is str:
        codes, classes = x.factorize()
        labels = np.asarray(classes, dtype=object)
    elif array is not None and hasattr(dtype, "categories"):
        codes, labels = np.asarray(array.codes), np.asarray(dtype.categories)
    else:
        return None
    if len(codes) == 0 or codes.min() < 0:
        return None
    present = np.flatnonzero(np.bincount(codes, minlength=len(labels)))
    try:
        found = encode(labels[present])
    except NoLabels:
        return None
    ranks = np.zeros(len(labels), _narrow(len(found.classes)))
    ranks[present] = found.codes
    return Labels(found.classes, pick(ranks, codes))


def labels_of(x: Any) -> Labels | None:
    """Return the classes and ranks of one column of labels; None of what is none, or of no samples."""
    found = _of_pandas(x)
    if found is not None:
        return found
    array = label_array(x)
    if 0 in array.shape or array.shape[1:] not in ((), (1,)):
        return None
    try:
        return encode(column(array))
    except (NoLabels, TypeError):  # lists, say, are not hashable
        return None


def _sorted(classes: Array, codes: Array) -> tuple[Array, Array]:
    """Turn codes in the order of appearance into ranks."""
    order = np.argsort(classes)
    ranks = np.empty(len(order), codes.dtype)
    ranks[order] = np.arange(len(order))
    return classes[order], pick(ranks, codes)


def recode(labels: Labels, classes: Array) -> Array | None:
    """Return ranks among other classes, sorted ones, or None where a label is none of them."""
    if (labels.classes.dtype.kind in "OU") != (classes.dtype.kind in "OU"):
        return None
    positions = np.searchsorted(classes, labels.classes)
    found = classes[np.minimum(positions, len(classes) - 1)] == labels.classes
    if not found.all():
        return None
    if np.array_equal(positions, np.arange(len(positions))):
        return labels.codes
    return pick(positions.astype(_narrow(len(classes))), labels.codes)


def listed_classes(found: Labels, labels: Any, n_columns: int, miscounted: str, stop: str) -> Array:
    """Return the classes that a caller lists, one for each column of scores, those found among them.

    `miscounted` is the error of another number of them, with places for both numbers; `stop` ends the others,
    which scikit-learn's functions write with a full stop or without.
    """
    given = column(label_array(labels))
    classes = encode(given).classes if len(given) else given
    if len(classes) != len(given):
        raise ValueError(f"Parameter 'labels' must be unique{stop}")
    if not np.array_equal(classes, given):
        raise ValueError(f"Parameter 'labels' must be ordered{stop}")
    if len(classes) != n_columns:
        raise ValueError(miscounted.format(len(classes), n_columns))
    if set(found.classes.tolist()) - set(classes.tolist()):
        raise ValueError(f"'y_true' contains labels not in parameter 'labels'{stop}")
    return classes


def is_indicator(y: Array) -> bool:
    """Tell whether an array is a multilabel indicator: several columns of at most two whole numbers."""
    if y.ndim != 2 or y.shape[1] < 2 or y.dtype.kind not in "fiub":
        return False
    if 0 in y.shape:
        return True
    low, high = y.min(), y.max()
    if y.dtype.kind == "f" and not (low == np.trunc(low) and high == np.trunc(high)):
        return False
    step = blocks(len(y), y.shape[1])
    return y.dtype.kind == "b" or all(bool(((y[rows] == low) | (y[rows] == high)).all()) for rows in step)


def target_type(y: Any, name: str = "") -> str:
    """Name the kind of target as scikit-learn's `type_of_target` does, and raise its errors."""
    array = label_array(y)
    if is_indicator(array):
        return "multilabel-indicator"
    first = array[0] if len(array) else None
    if isinstance(first, bytes):
        raise TypeError(
            "Support for labels represented as bytes is not supported. Convert the labels to a string or"
            " integer format."
        )
    if isinstance(first, Sequence) and not isinstance(first, str):
        raise ValueError(
            "You appear to be using a legacy multi-label data representation. Sequence of sequences are no"
            " longer supported; use a binary array or sparse matrix instead - the MultiLabelBinarizer"
            " transformer can convert to this format."
        )
    if 0 in array.shape:
        return "binary" if array.ndim == 1 else "unknown"
    if array.dtype == object and not isinstance(array.flat[0], str):
        return "unknown"
    suffix = "-multioutput" if array.ndim == 2 and array.shape[1] > 1 else ""
    if array.dtype.kind == "f" and whole_numbers(array.reshape(-1)) is None:
        check_finite(array, name)
        return "continuous" + suffix
    return ("multiclass" if suffix or len(np.unique(array)) > 2 else "binary") + suffix
