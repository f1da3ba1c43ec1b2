"""Numbers put anywhere in memory, with guard zones around and between them."""

from __future__ import annotations

import ctypes
import mmap
import tempfile
from typing import Any, NamedTuple

import numpy as np

#: Bytes on each side, more than any vector.
MARGIN = 256
#: What lies there: NaN and -1 beside what is read, a number beside what is written.
BESIDE_INPUT, BESIDE_OUTPUT = 0xFF, 0xC3


class Place(NamedTuple):
    """Where an array lies."""

    order: str = "C"
    step: int = 1  #: items from one to the next along the fastest axis
    pad: int = 0  #: items between its lines
    odd: int = 0  #: bytes between items, as in a packed record
    turned: str = ""  #: axes of negative stride: "first", "last" or "all"
    repeated: str = ""  #: axes of stride 0
    offset: int = 0  #: bytes beyond a multiple of 64
    swapped: bool = False
    medium: str = "memory"


PLACES = {
    "C": Place(),
    "Fortran": Place("F"),
    "spaced": Place(step=3),
    "spaced Fortran": Place("F", step=2),
    "padded": Place(pad=3),
    "padded Fortran": Place("F", pad=5),
    "rows turned": Place(turned="first"),
    "columns turned": Place(turned="last"),
    "turned Fortran": Place("F", turned="all", step=2),
    "one row": Place(repeated="first"),
    "one column": Place(repeated="last"),
    "one number": Place(repeated="all"),
    "record": Place(odd=1),
    "record Fortran": Place("F", odd=3),
    "off by 1": Place(offset=1),
    "off by 4": Place(offset=4),
    "off Fortran": Place("F", offset=1),
    "swapped": Place(swapped=True),
    "swapped Fortran": Place("F", swapped=True),
    "swapped and spaced": Place(swapped=True, step=2, turned="first"),
    "read-only": Place(medium="read-only"),
    "mapped": Place(medium="mapped"),
    "page's end": Place(medium="end"),
    "page's start": Place(medium="start"),
    "page's end, Fortran": Place("F", medium="end"),
}
WRITABLE = [name for name, p in PLACES.items() if not p.repeated and p.medium not in ("read-only", "mapped")]


class Guarded:
    """An array, and the bytes around and between its elements."""

    def __init__(self, view: np.ndarray, memory: np.ndarray) -> None:
        self.view = view
        self.memory = memory
        self.before = memory.copy()

    def is_untouched(self) -> bool:
        return np.array_equal(self.memory, self.before)

    def take(self) -> np.ndarray:
        """What was written to the array, which is then put back as it was."""
        found = self.view.copy()
        np.ndarray(self.view.shape, self.view.dtype, self.memory, self._start(), self.view.strides)[...] = (
            np.ndarray(self.view.shape, self.view.dtype, self.before, self._start(), self.view.strides)
        )
        return found

    def _start(self) -> int:
        return self.view.ctypes.data - self.memory.ctypes.data


def _axes(which: str, n_dims: int) -> range:
    return {"": range(0), "first": range(1), "last": range(n_dims - 1, n_dims), "all": range(n_dims)}[which]


def _strides(place: Place, shape: tuple[int, ...], itemsize: int) -> list[int]:
    strides, stride = [0] * len(shape), itemsize * place.step + place.odd
    axes = range(len(shape))
    for axis in axes if place.order == "F" else reversed(axes):
        strides[axis] = stride
        if axis not in _axes(place.repeated, len(shape)):
            stride = stride * max(shape[axis], 1) + itemsize * place.pad
    for axis in _axes(place.turned, len(shape)):
        strides[axis] *= -1
    for axis in _axes(place.repeated, len(shape)):
        strides[axis] = 0
    return strides


class _Fence:
    """Pages between two that cannot be read."""

    SIZE = 1 << 20

    def __init__(self) -> None:
        page = mmap.PAGESIZE
        self.map = mmap.mmap(-1, self.SIZE + 2 * page)
        self.memory = np.frombuffer(self.map, np.uint8)
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for at in (0, page + self.SIZE):
            address = ctypes.c_void_p(self.memory.ctypes.data + at)
            if protect(address, ctypes.c_size_t(page), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        self.memory = self.memory[page : page + self.SIZE]


_fences: dict[str, _Fence] = {}
_files: dict[str, Any] = {}


def _memory(place: Place, size: int, owner: str) -> tuple[np.ndarray, int]:
    """Bytes with guards, and where among them `size` bytes start."""
    if place.medium in ("end", "start") and size + MARGIN <= _Fence.SIZE:
        fence = _fences[owner] if owner in _fences else _fences.setdefault(owner, _Fence())
        if place.medium == "end":
            return fence.memory[fence.memory.size - size - MARGIN :], MARGIN
        return fence.memory[: size + MARGIN], 0
    memory = np.empty(size + 2 * MARGIN + 128, np.uint8)
    return memory, MARGIN + -(memory.ctypes.data + MARGIN) % 64 + place.offset


def put(x: np.ndarray, name: str, owner: str, beside: int = BESIDE_INPUT) -> Guarded:
    """Put numbers at a place; where that repeats some, the first of them stand for all.

    `owner` names the argument: those of one call must not share their pages.
    """
    place = PLACES[name]
    dtype = x.dtype
    if place.swapped and dtype.kind != "V" and dtype.name != "bfloat16":
        dtype = dtype.newbyteorder()
    strides = _strides(place, x.shape, dtype.itemsize)
    spans = [stride * max(n - 1, 0) for stride, n in zip(strides, x.shape, strict=True)]
    below = -sum(span for span in spans if span < 0)
    size = below + sum(span for span in spans if span > 0) + dtype.itemsize * (x.size > 0)
    memory, start = _memory(place, size, owner)
    memory[...] = beside
    view = np.ndarray(x.shape, dtype, memory, start + below, strides)
    for axis in _axes(place.repeated, x.ndim):
        x = np.broadcast_to(x.take([0], axis) if x.shape[axis] else x, x.shape)
    view[...] = x
    if place.medium == "mapped":
        file = _files.get(owner) or _files.setdefault(owner, tempfile.TemporaryFile())  # noqa: SIM115
        file.seek(0)
        file.write(memory)
        file.flush()
        mapped = np.memmap(file, np.uint8, "r", shape=memory.shape)
        return Guarded(np.ndarray(x.shape, dtype, mapped, start + below, strides), mapped)
    if place.medium == "read-only":
        view.flags.writeable = False
    return Guarded(view, memory)


def in_memory_order(x: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A copy without gaps whose axes lie in memory as those of `like` do."""
    axes = sorted(range(x.ndim), key=lambda axis: -abs(like.strides[axis]))
    plain = np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))
    return plain.astype(x.dtype.newbyteorder("="), order="K") if x.dtype.name != "bfloat16" else plain
