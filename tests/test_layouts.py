"""Misaligned, strided, swapped, multi-dimensional: the same numbers give the same bits wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import samples
from verbs import REDUCTIONS, ask, assert_same, verbs_of

N = 1237
SHAPE = (17, 5, 13)


def _offset(elements: int) -> Any:
    def place(x: np.ndarray) -> np.ndarray:
        buffer = np.empty(x.size + 64, x.dtype)
        buffer[elements : elements + x.size] = x
        return buffer[elements : elements + x.size]

    return place


def _misaligned(x: np.ndarray) -> np.ndarray:
    buffer = np.zeros(x.nbytes + 1, np.uint8)
    found = buffer[1:].view(x.dtype)
    found[:] = x
    assert not found.flags.aligned or x.itemsize == 1
    return found


def _strided(step: int) -> Any:
    def place(x: np.ndarray) -> np.ndarray:
        buffer = np.full(abs(step) * x.size, 77, x.dtype)
        found = buffer[::step]
        found[:] = x
        return found

    return place


def _in_records(x: np.ndarray) -> np.ndarray:
    """A field of a packed record: neither aligned nor a multiple of the item size apart."""
    records = np.zeros(x.size, [("flag", "i1"), ("x", x.dtype)])
    records["x"] = x
    return records["x"]


def _swapped(x: np.ndarray) -> np.ndarray:
    return x.astype(x.dtype.newbyteorder())


def _read_only(x: np.ndarray) -> np.ndarray:
    found = x.copy()
    found.flags.writeable = False
    return found


LAYOUTS = {
    **{f"offset {k}": _offset(k) for k in (1, 2, 3, 7, 8, 15)},
    "misaligned": _misaligned,
    **{f"step {k}": _strided(k) for k in (2, 3, -1, -2, 17)},
    "record": _in_records,
    "swapped": _swapped,
    "swapped and strided": lambda x: _strided(2)(_swapped(x)),
    "read-only": _read_only,
}

GRIDS = {
    "C": lambda x: x,
    "Fortran": np.asfortranarray,
    "transposed": lambda x: np.ascontiguousarray(x.transpose(2, 0, 1)).transpose(1, 2, 0),
    "sliced": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=2)[::2, :, ::3],
    "reversed": lambda x: np.ascontiguousarray(x[::-1, :, ::-1])[::-1, :, ::-1],
    "swapped": _swapped,
    "misaligned": lambda x: _misaligned(x.ravel()).reshape(x.shape),
}


def _results(loss: Any, y: Any, z: Any, w: Any) -> dict[str, Any]:
    return {
        f"{verb} {reduction} {name}": x
        for verb in verbs_of(loss)
        for reduction in REDUCTIONS
        for name, x in ask(loss, verb, y, z, sample_weight=w, reduction=reduction).items()
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_dimension(default_loss: Any, dtype: Any, layout: str, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, N, dtype, rng)
    w = rng.uniform(0, 2, N).astype(dtype)
    place = LAYOUTS[layout]
    expected = _results(default_loss, y, z, w)
    np.testing.assert_array_equal(place(y), y)
    for args in [(place(y), z, w), (y, place(z), w), (y, z, place(w)), (place(y), place(z), place(w))]:
        assert_same(_results(default_loss, *args), expected)
    assert_same(_results(default_loss, place(y), place(z), None), _results(default_loss, y, z, None))


def _flat(results: dict[str, Any]) -> dict[str, Any]:
    return {k: np.ravel(x) if isinstance(x, np.ndarray) else x for k, x in results.items()}


@pytest.mark.parametrize("grid", GRIDS)
def test_three_dimensions(default_loss: Any, dtype: Any, grid: str, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, SHAPE, dtype, rng)
    w = rng.uniform(0, 2, SHAPE).astype(dtype)
    place = GRIDS[grid]
    expected = _results(default_loss, y.ravel(), z.ravel(), w.ravel())
    for args in [(place(y), z, w), (y, place(z), w), (y, z, place(w)), (place(y), place(z), place(w))]:
        actual = _results(default_loss, *args)
        for name, x in _flat(actual).items():
            # The sum goes along memory, so that its rounding differs with the layout of the predictions.
            eps = float(np.finfo(np.float64).eps) if np.isscalar(x) else float(np.finfo(dtype).eps)
            np.testing.assert_allclose(x, expected[name], rtol=64 * eps, atol=1e-14, err_msg=name)
        assert all(x.shape == SHAPE for x in actual.values() if isinstance(x, np.ndarray))


@pytest.mark.parametrize("grid", GRIDS)
def test_one_weight_for_each_row(default_loss: Any, dtype: Any, grid: str, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, SHAPE, dtype, rng)
    rows = rng.uniform(0, 2, SHAPE[0]).astype(dtype)
    whole = np.broadcast_to(rows[:, None, None], SHAPE)
    place = GRIDS[grid]
    actual = _results(default_loss, place(y), place(z), rows)
    assert_same(actual, _results(default_loss, place(y), place(z), whole))
    assert_same(actual, _results(default_loss, place(y), place(z), np.ascontiguousarray(whole)))


def test_many_dimensions(dtype: Any, rng: Any) -> None:
    import fastloss as fl

    shape = (2, 1, 3, 1, 2, 2, 1, 2, 1, 1, 2, 3)
    y, z = rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)
    z = z.transpose(11, 0, 10, 1, 9, 2, 8, 3, 7, 4, 6, 5)
    y = y.transpose(11, 0, 10, 1, 9, 2, 8, 3, 7, 4, 6, 5)[:, :, ::-1]
    expected = ((z - y) ** 2).astype(dtype)
    np.testing.assert_array_equal(fl.SquaredError()(y, z, reduction="none"), expected)
    np.testing.assert_array_equal(fl.SquaredError().gradient(y, z, reduction="sum"), 2 * (z - y))


def test_repeated_elements(default_loss: Any, dtype: Any, rng: Any) -> None:
    """Views of stride 0, as broadcasting makes them."""
    y, z = samples.ordinary(default_loss, N, dtype, rng)
    y1, z1 = np.broadcast_to(y[:1], N), np.broadcast_to(z[:1], N)
    full_y, full_z = np.full(N, y[0]), np.full(N, z[0])
    assert_same(_results(default_loss, y1, z, None), _results(default_loss, full_y, z, None))
    assert_same(_results(default_loss, y, z1, y1 * 0 + 2), _results(default_loss, y, full_z, full_y * 0 + 2))
    assert_same(_results(default_loss, y1, z1, None), _results(default_loss, full_y, full_z, None))


def test_arguments_are_not_changed(default_loss: Any, dtype: Any, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, N, dtype, rng)
    w = rng.uniform(0, 2, N).astype(dtype)
    before = [x.copy() for x in (y, z, w)]
    _results(default_loss, y, z, w)
    for x, was in zip((y, z, w), before, strict=True):
        np.testing.assert_array_equal(x, was)
