"""Columns and frames whose numbers NumPy would take for objects: nullable ones, and booleans beside numbers.

A missing value becomes NaN. No library is imported here: whoever has made a container has imported its own.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def numbers_of(x: Any) -> Array | None:
    """Return the real numbers of a column or frame of pandas, Polars or Arrow, None for anything else."""
    reader = _READERS.get(type(x).__module__.partition(".")[0])
    return None if reader is None else reader(x)


def _of_pandas(x: Any) -> Array | None:
    if not (hasattr(x, "dtype") or hasattr(x, "dtypes")) or not hasattr(x, "isna"):
        return None
    kinds = set(x.dtypes) if x.ndim == 2 else {x.dtype}
    if len(kinds) == 1 and isinstance(next(iter(kinds)), np.dtype):
        return None
    if not kinds or any(kind.kind not in "biuf" for kind in kinds):
        return None
    plain = [getattr(kind, "subtype", getattr(kind, "numpy_dtype", kind)) for kind in kinds]
    dtype = np.result_type(*plain)
    missing: Any = x.isna()
    if not np.asarray(missing).any():
        array: Array = x.to_numpy(dtype=dtype)
        return array
    array = x.to_numpy(dtype=dtype if dtype.kind == "f" else np.float64, na_value=np.nan)
    return array


def _of_polars(x: Any) -> Array | None:
    polars: Any = sys.modules["polars"]
    kinds = x.dtypes if isinstance(x, polars.DataFrame) else [x.dtype] if isinstance(x, polars.Series) else []
    # Numbers with nulls come as NaN from Polars itself.
    if polars.Boolean not in kinds or not all(kind.is_numeric() or kind == polars.Boolean for kind in kinds):
        return None
    if not np.any(x.null_count().to_numpy() if isinstance(x, polars.DataFrame) else x.null_count()):
        return None
    array: Array = x.cast(polars.Float64).to_numpy()
    return array


def _of_arrow(x: Any) -> Array | None:
    arrow: Any = sys.modules["pyarrow"]
    if isinstance(x, arrow.Table | arrow.RecordBatch):
        columns = [_of_arrow(column) for column in x.columns]
        found = [np.asarray(c) if a is None else a for a, c in zip(columns, x.columns, strict=True)]
        is_mixed = len({a.dtype for a in found}) > 1 and all(a.dtype.kind in "biuf" for a in found)
        return np.column_stack(found) if is_mixed or any(a is not None for a in columns) else None
    if isinstance(x, arrow.Array | arrow.ChunkedArray) and arrow.types.is_boolean(x.type) and x.null_count:
        return np.asarray(x.cast(arrow.uint8()).cast(arrow.float64()))
    return None


_READERS = {"pandas": _of_pandas, "polars": _of_polars, "pyarrow": _of_arrow}
