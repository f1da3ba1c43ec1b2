"""Arrays in .npy files, mapped into memory."""

from __future__ import annotations

import tokenize
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastloss.reading.locations import Array, Location, Source, SourceError, check_dtype
from fastloss.reading.unchanged import Unchanged

_PAGE = 4096
_NPY = b"\x93NUMPY"
_ZIP = b"PK"


class NpyFile:
    """A memory-mapped .npy file; its batches are views of the map."""

    def __init__(self, location: Location) -> None:
        self._unchanged = Unchanged(location.path)
        self._array = _map_npy(location)
        self._read = 0
        self.sources = [Source(location, len(self._array), self._array.shape[1:])]

    def batches(self, size: int) -> Iterator[tuple[list[str], list[Any]]]:
        """Yield slices along the first axis."""
        path = self.sources[0].location.path
        for start in range(0, len(self._array), size):
            self._unchanged.check()  # to read a map of what is no longer there would end the process
            batch = self._array[start : start + size]
            _touch(batch)
            self._read = start + len(batch)
            yield [path], [batch]
        self._unchanged.check()

    def fraction(self) -> float:
        """Tell how much of the file has been read, from 0 to 1."""
        return self._read / max(1, len(self._array))


def _map_npy(location: Location) -> Array:
    """Map a .npy file into memory, never unpickling anything."""
    where = f"{location.argument}: {location}"
    try:
        with open(location.path, "rb") as file:
            beginning = file.read(len(_NPY))
        if beginning.startswith(_ZIP):
            raise SourceError(f"{where} is an archive of arrays, not a .npy file")
        if not beginning:
            raise SourceError(f"{where} is empty: it has no .npy header")
        if beginning != _NPY:
            raise SourceError(f"{where}: it is not a .npy file of numbers (pickled data is never loaded)")
        with np.errstate(over="raise"):  # more elements than can be counted
            array = np.lib.format.open_memmap(location.path, mode="r")
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(f"{where}: {error.strerror or error}") from error
    except (
        ArithmeticError,
        LookupError,
        MemoryError,
        RecursionError,
        SyntaxError,
        TypeError,
        ValueError,
        tokenize.TokenError,
    ) as error:
        # A header is a Python literal, and what is wrong with one may be any of these.
        raise SourceError(f"{where}: {_npy_fault(error)}") from error
    check_dtype(location, array.dtype)
    if array.ndim == 0:
        raise SourceError(f"{location.argument}: {location} holds a single number, not an array of samples")
    return np.asarray(array)


def _npy_fault(error: Exception) -> str:
    """Put NumPy's reason for refusing a .npy file in terms of the file."""
    message = str(error)
    if "Python objects" in message:
        return "it holds Python objects, not numbers"
    if "mmap length" in message or message.startswith("EOF"):
        return "it is truncated: the data end before the shape in its header says"
    if "dimension" in message or isinstance(error, ArithmeticError):
        return f"the shape in its header cannot be: {message}"
    return f"its header is broken: {message or type(error).__name__}"


def _touch(batch: Array) -> None:
    """Read one byte of each page, so that waiting for the disk counts as reading, not as the first loss."""
    if batch.flags.c_contiguous and batch.size:
        batch.reshape(-1).view(np.uint8)[::_PAGE].max()
