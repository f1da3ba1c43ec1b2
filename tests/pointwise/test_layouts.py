"""Several dimensions in any order: which element goes with which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from verbs import REDUCTIONS, ask, assert_same, verbs_of

from pointwise import samples

SHAPE = (17, 5, 13)


GRIDS = {
    "C": lambda x: x,
    "Fortran": np.asfortranarray,
    "transposed": lambda x: np.ascontiguousarray(x.transpose(2, 0, 1)).transpose(1, 2, 0),
    "sliced": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=2)[::2, :, ::3],
    "reversed": lambda x: np.ascontiguousarray(x[::-1, :, ::-1])[::-1, :, ::-1],
}


def _results(loss: Any, y: Any, z: Any, w: Any) -> dict[str, Any]:
    return {
        f"{verb} {reduction} {name}": x
        for verb in verbs_of(loss)
        for reduction in REDUCTIONS
        for name, x in ask(loss, verb, y, z, sample_weight=w, reduction=reduction).items()
    }


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
