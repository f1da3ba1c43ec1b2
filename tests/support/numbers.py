"""The dtypes of real numbers, and when two arrays hold the same bits."""

from __future__ import annotations

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
INTEGERS = [np.dtype(c) for c in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")]
NARROW = [np.dtype("f2"), BFLOAT16]
SINGLE, DOUBLE, LONG = np.dtype("f4"), np.dtype("f8"), np.dtype("g")
FLOATS = [*NARROW, SINGLE, DOUBLE, LONG]
REAL = [*INTEGERS, *FLOATS]
#: What results can be written to.
WRITTEN = [*NARROW, SINGLE, DOUBLE]

#: Around every lane, tile, block, chunk and scratch line.
SIZES = [
    *range(18),
    *(31, 32, 33, 63, 64, 65, 127, 128, 129, 130, 255, 256, 257, 300),
    *(1023, 1024, 1025, 4095, 4096, 4097),
]


def is_whole(dtype: np.dtype) -> bool:
    return dtype.kind in "biu"


def native(dtype: np.dtype) -> np.dtype:
    return dtype if dtype == BFLOAT16 else dtype.newbyteorder("=")


def computed_in(*dtypes: np.dtype) -> np.dtype:
    """The precision of a call, which those arguments set that are differentiated by."""
    return SINGLE if all(native(d) in (*NARROW, SINGLE) for d in dtypes) else DOUBLE


def returned_as(dtype: np.dtype) -> np.dtype:
    """The dtype of results like an argument."""
    return native(dtype) if native(dtype) in (*NARROW, SINGLE) else DOUBLE


def cast(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    with np.errstate(all="ignore"):
        return x.astype(dtype)


def exactly(x: np.ndarray, precision: np.dtype) -> np.ndarray:
    """The same numbers in a precision, or in float64 where it would round them."""
    plain = cast(x, precision)
    return plain if np.array_equal(plain.astype(LONG), x.astype(LONG), equal_nan=True) else cast(x, DOUBLE)


def rounded(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Results in another dtype; those of 16 bits are rounded by way of float32."""
    return cast(cast(x, SINGLE) if native(dtype) in NARROW else x, native(dtype))


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Of native arrays; one NaN is as good as another."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind in "biu":
        return bool(np.array_equal(a, b))
    same = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
    return bool(same.all())
