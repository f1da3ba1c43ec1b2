"""Random numbers, and arrays that hold them in every way that memory allows."""

from __future__ import annotations

import random
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray

#: Sizes at and around the internal boundaries: lanes, tiles, blocks, chunks, scratch lines.
EDGES = (15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300, 1023, 1024, 1025, 2049, 4097)

_POOL = np.random.default_rng(20240607)
_NORMAL = _POOL.normal(size=1 << 16)
_UNIFORM = _POOL.random(1 << 16)
_WIDE = np.exp(_POOL.uniform(-60, 60, 1 << 16)) * _POOL.choice([-1.0, 1.0], 1 << 16)
_HALF = 1 << 15

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
REAL = [np.dtype(c) for c in "?bBhHiIqQefdg"] + [BFLOAT16]
FLOATS = [np.dtype(c) for c in "efd"] + [BFLOAT16]

#: Numbers at which something changes or ends.
HARD = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 88.8, -104.0, 709.9, -745.2, 1e-38, -1e-40, 1e-300, 3e38, 1e6, 2.0**-52]
)


def size(r: random.Random) -> int:
    k = r.random()
    if k < 0.8:
        return r.randrange(1, 24)
    if k < 0.98:
        return r.choice(EDGES)
    return r.randrange(0, 3000)


def _slice(pool: Array, r: random.Random, n: int) -> Array:
    if n > _HALF:
        return np.resize(pool, n)
    start = r.randrange(_HALF)
    return pool[start : start + n]


def numbers(r: random.Random, n: int) -> Array:
    """Any finite numbers: about 1 mostly, of all magnitudes, whole, or at the ends."""
    kind = r.randrange(8)
    if kind < 4:
        return _slice(_NORMAL, r, n) * r.choice((0.1, 1.0, 3.0, 30.0))
    if kind == 4:
        return np.round(_slice(_NORMAL, r, n) * 3)
    if kind == 5:
        return _slice(_WIDE, r, n).copy()
    found = _slice(_NORMAL, r, n) * 2
    if n:
        for _ in range(1 + n // 8):
            found[r.randrange(n)] = HARD[r.randrange(len(HARD))]
    return found


def fractions(r: random.Random, n: int) -> Array:
    """Numbers in [0, 1], the ends and their neighbourhoods among them."""
    found = _slice(_UNIFORM, r, n).copy()
    kind = r.randrange(4)
    if kind == 0:
        return np.round(found)
    if kind == 1 and n:
        found[r.randrange(n)] = r.choice((0.0, 1.0, 1e-30, 2.0**-24, 1 - 2.0**-24, 0.5))
    return found


def positive(r: random.Random, n: int) -> Array:
    kind = r.randrange(3)
    if kind == 0:
        return np.round(_slice(_UNIFORM, r, n) * 5) + 1
    if kind == 1:
        return np.abs(_slice(_WIDE, r, n)) ** 0.3
    return _slice(_UNIFORM, r, n) * 4 + 1e-3


def whole(r: random.Random, n: int, low: int, high: int) -> Array:
    """Whole numbers from low to high."""
    return np.floor(_slice(_UNIFORM, r, n) * (high - low + 1)) + low


#: Weights that products and sums of float32 or of float64 do not hold, and ordinary ones beside them.
EXTREMES = np.array(
    [0, 5e-324, 1e-310, 1e-300, 1e-40, 1e-39, 0.3, 1, 7, 3e38, 1e39, 1e300, 1.7976931348623157e308]
)


def weights(r: random.Random, n: int) -> Array:
    """Weights of any size, of which one at least is positive where there are any."""
    kind = r.randrange(6)
    if kind == 0:
        found = np.floor(_slice(_UNIFORM, r, n) * 3)
    elif kind == 1:
        found = _slice(_UNIFORM, r, n) * 10.0 ** r.randrange(-6, 7)
    elif kind == 2:
        found = _slice(_UNIFORM, r, n) * EXTREMES[r.randrange(1, len(EXTREMES))]
    elif kind == 3:
        chosen = EXTREMES[r.sample(range(len(EXTREMES)), r.randrange(2, 5))]
        found = chosen[whole(r, n, 0, len(chosen) - 1).astype(np.intp)]
    else:
        found = _slice(_UNIFORM, r, n) * 2
    found = np.where(found == 0, r.choice((0.0, -0.0)), found)
    if n and not found.any():
        found = found + 1
    return found


def as_dtype(x: Array, dtype: np.dtype) -> Array:
    """`x` in a dtype; numbers that it does not hold are folded into it."""
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.clip(np.nan_to_num(x), max(info.min, -(2**53)), min(info.max, 2**53)).astype(dtype)
    if dtype.kind == "b":
        return x != 0
    with np.errstate(over="ignore"):
        found = x.astype(dtype)
    if dtype.itemsize <= 4:
        found[~np.isfinite(found)] = 1
    return found


# Layouts. Each gives an array of the same numbers; outputs lie in a block whose rest must not change.


def _every_second(x: Array) -> Array:
    buffer = np.full((*x.shape[:-1], 2 * x.shape[-1]), 7, x.dtype)
    found = buffer[..., ::2]
    found[...] = x
    return found


def _reversed(x: Array) -> Array:
    turned = (slice(None, None, -1),) * x.ndim
    return np.ascontiguousarray(x[turned])[turned]


def _inside(x: Array) -> Array:
    buffer = np.full([s + 3 for s in x.shape], 7, x.dtype)
    found = buffer[tuple(slice(1, 1 + s) for s in x.shape)]
    found[...] = x
    return found


def _inside_fortran(x: Array) -> Array:
    return _inside(x.T).T


def _shifted(by: int) -> Any:
    def place(x: Array) -> Array:
        buffer = np.zeros(x.nbytes + 8, np.uint8)
        found = buffer[by : by + x.nbytes].view(x.dtype).reshape(x.shape)
        found[...] = x
        return found

    return place


def _swapped(x: Array) -> Array:
    return x if x.dtype == BFLOAT16 else x.astype(x.dtype.newbyteorder())


def _in_records(x: Array) -> Array:
    records = np.zeros(x.shape, [("flag", "i1"), ("x", x.dtype)])
    records["x"] = x
    return records["x"]


def _read_only(x: Array) -> Array:
    found = x.copy()
    found.flags.writeable = False
    return found


LAYOUTS: dict[str, Any] = {
    "fortran": np.asfortranarray,
    "every_second": _every_second,
    "reversed": _reversed,
    "inside": _inside,
    "inside_fortran": _inside_fortran,
    "shifted_1": _shifted(1),
    "shifted_4": _shifted(4),
    "swapped": _swapped,
    "swapped_fortran": lambda x: np.asfortranarray(_swapped(x)),
    "swapped_inside": lambda x: _inside(_swapped(x)),
    "in_records": _in_records,
    "read_only": _read_only,
}
_NAMES = list(LAYOUTS)
_OF_OUTPUTS = [name for name in _NAMES if name != "read_only"]


def lay(x: Array, name: str) -> Array:
    """An array of the numbers of `x`, laid out as `name` says."""
    found: Array = LAYOUTS[name](x)
    return found


def some_layout(x: Array, r: random.Random) -> Array:
    """`x` itself half of the time, or laid out in another way."""
    if r.random() < 0.5:
        return x
    return lay(x, r.choice(_NAMES))


def some_output(shape: tuple[int, ...], dtype: np.dtype, r: random.Random) -> Array:
    return lay(np.full(shape, 3, dtype), r.choice(_OF_OUTPUTS))


def block_of(x: Array) -> Array:
    """The block of memory that an array lies in."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def outside(x: Array) -> bytes:
    """What lies around the elements of `x` in its block."""
    block = block_of(x)
    kept = x.copy()
    x[...] = 0
    found = block.tobytes()
    x[...] = kept
    return found


def source(x: Any) -> str:
    """Python that makes an argument again; the layout is that of its strides."""
    if isinstance(x, tuple):
        return f"({', '.join(map(source, x))},)"
    if not isinstance(x, np.ndarray):
        return repr(x)
    dtype = "ml_dtypes.bfloat16" if x.dtype == BFLOAT16 else repr(x.dtype.str)
    text = f"np.array({x.tolist()!r}, {dtype})".replace("nan", "np.nan").replace("inf", "np.inf")
    if x.size and not x.flags.c_contiguous:
        steps = [s // x.itemsize if s % x.itemsize == 0 else s / x.itemsize for s in x.strides]
        text = f"np.asfortranarray({text})" if x.flags.f_contiguous else f"{text} in steps of {steps}"
    if not x.flags.aligned:
        text += " misaligned"
    return text
