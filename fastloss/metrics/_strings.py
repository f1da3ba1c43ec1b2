"""Fixed-width strings as integers, which NumPy compares many times faster."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastloss.metrics._arrays import Array

#: Strings are compared with each class in turn up to so many classes, and sorted beyond.
_MANY_CLASSES = 32
#: Odd: the multiplier of a hash modulo 2^64, 2^64 divided by the golden ratio (Knuth 1998, section 6.4).
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def word_of(*strings: Array) -> Any:
    """Return the widest unsigned integer that the strings' widths are multiples of."""
    return np.dtype(np.uint64 if all(a.dtype.itemsize % 8 == 0 for a in strings) else np.uint32)


def string_words(strings: Array, word: Any) -> Array:
    """Return strings as rows of integers."""
    shape = len(strings), strings.dtype.itemsize // word.itemsize
    words: Array = np.ascontiguousarray(strings).view(word).reshape(shape)
    return words


def different_strings(a: Array, b: Array) -> Array:
    """Tell where strings of one byte order differ."""
    word = word_of(a, b)
    narrow, wide = sorted((string_words(a, word), string_words(b, word)), key=lambda words: words.shape[1])
    different = np.zeros(len(a), dtype=bool)
    for k in range(wide.shape[1]):
        # Strings are continued with zeros.
        different |= wide[:, k] != (narrow[:, k] if k < narrow.shape[1] else 0)
    return different


class StringTable:
    """Classes, the ranks of which are found by comparing a few of their words, or a hash of these."""

    def __init__(self, classes: Array) -> None:
        self.classes = classes
        self.words = string_words(classes, word_of(classes))
        columns = np.flatnonzero((self.words != self.words[:1]).any(axis=0))
        telling = [k for k in columns if len(np.unique(self.words[:, k])) == len(classes)]
        self._columns = telling[:1] or list(columns)
        self._keys = self._hash(self.words)

    @property
    def is_unambiguous(self) -> bool:
        """Whether there are few classes, of different hashes."""
        return len(self.classes) <= _MANY_CLASSES and len(np.unique(self._keys)) == len(self.classes)

    def ranks(self, rows: Array) -> Array:
        """Return the ranks of strings that are among the classes, and any rank of others."""
        keys, codes = self._hash(rows), np.zeros(len(rows), np.uint8)
        for rank in range(1, len(self.classes)):
            codes += (keys == self._keys[rank]).view(np.uint8) * np.uint8(rank)
        return codes

    def _hash(self, rows: Array) -> Array:
        if len(self._columns) < 2:
            return rows[:, self._columns[0] if self._columns else 0].copy()
        keys = np.zeros(len(rows), np.uint64)
        for k in self._columns:
            keys *= _MULTIPLIER
            keys += rows[:, k]
        return keys
