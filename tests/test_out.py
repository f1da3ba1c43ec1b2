"""``out``: every form, layout and dtype of it, in place, and nothing written beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import samples
from verbs import REDUCTIONS, array_results, ask, assert_same, verbs_of

import fastloss as fl

#: Lengths below a lane, beside it, of several blocks, and large enough for streaming stores.
SIZES = [1, 15, 16, 17, 2049, 10_001]
CANARY = -12345.0


def _contiguous(n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    buffer = np.full(n + 40, CANARY, dtype)
    return buffer, buffer[21 : 21 + n]


def _stepped(step: int) -> Any:
    def make(n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        buffer = np.full(n * abs(step) + 40, CANARY, dtype)
        return buffer, buffer[20 : 20 + n * abs(step)][::step]

    return make


def _misaligned(n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    raw = np.empty((n + 40) * np.dtype(dtype).itemsize + 1, np.uint8)
    buffer = raw[1:].view(dtype)
    buffer[:] = CANARY
    return buffer, buffer[20 : 20 + n]


def _swapped(n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    return _contiguous(n, np.dtype(dtype).newbyteorder())


FORMS = {
    "contiguous": _contiguous,
    "every second": _stepped(2),
    "every third": _stepped(3),
    "reversed": _stepped(-1),
    "misaligned": _misaligned,
    "swapped": _swapped,
}


def _one_or_tuple(slots: list[np.ndarray]) -> Any:
    return slots[0] if len(slots) == 1 else tuple(slots)


@pytest.mark.parametrize("form", FORMS)
def test_layouts(default_loss: Any, dtype: Any, form: str, rng: Any) -> None:
    for n in SIZES:
        y, z = samples.ordinary(default_loss, n, dtype, rng)
        for weights in (None, rng.uniform(0.1, 2, n).astype(dtype)):
            for verb in verbs_of(default_loss):
                for reduction in REDUCTIONS:
                    names = array_results(verb, reduction)
                    if not names:
                        continue
                    expected = ask(default_loss, verb, y, z, sample_weight=weights, reduction=reduction)
                    made = [FORMS[form](n, dtype) for _ in names]
                    slots = [slot for _, slot in made]
                    options = {"sample_weight": weights, "reduction": reduction, "out": _one_or_tuple(slots)}
                    results = ask(default_loss, verb, y, z, **options)
                    for name, (buffer, slot) in zip(names, made, strict=True):
                        assert results[name] is slot
                        np.testing.assert_array_equal(slot, expected[name])
                        slot[...] = CANARY
                        assert (buffer == CANARY).all()
                    if "value" in results and reduction != "none":
                        assert results["value"] == expected["value"]


@pytest.mark.parametrize("other", ["float16", "float32", "float64"])
def test_other_dtypes(default_loss: Any, dtype: Any, other: str, rng: Any) -> None:
    y, z = samples.ordinary(default_loss, 1003, dtype, rng)
    for verb in verbs_of(default_loss):
        expected = ask(default_loss, verb, y, z, reduction="none")
        slots = [np.empty(2006, other)[::2] for _ in expected]
        ask(default_loss, verb, y, z, reduction="none", out=_one_or_tuple(slots))
        for slot, x in zip(slots, expected.values(), strict=True):
            with np.errstate(over="ignore"):
                # float64 becomes float16 by way of float32, which rounds twice.
                rounded = x.astype(np.float32).astype(other) if other == "float16" else x.astype(other)
            np.testing.assert_array_equal(slot, rounded)


@pytest.mark.parametrize("step", [1, 2, -1])
def test_in_place(smooth_loss: Any, dtype: Any, step: int, rng: Any) -> None:
    """Every array result, written over the predictions."""
    for n in SIZES:
        y, z = samples.ordinary(smooth_loss, n, dtype, rng)
        w = rng.uniform(0.1, 2, n).astype(dtype)
        for verb in verbs_of(smooth_loss):
            for reduction in REDUCTIONS:
                names = array_results(verb, reduction)
                expected = ask(smooth_loss, verb, y, z, sample_weight=w, reduction=reduction)
                for over in range(len(names)):
                    predictions = np.empty(n * abs(step), dtype)[::step]
                    predictions[:] = z
                    slots = [predictions if i == over else np.empty(n, dtype) for i in range(len(names))]
                    options = {"sample_weight": w, "reduction": reduction, "out": _one_or_tuple(slots)}
                    assert_same(ask(smooth_loss, verb, y, predictions, **options), expected)


def test_in_place_through_another_object(dtype: Any, rng: Any) -> None:
    y, z = rng.normal(size=100).astype(dtype), rng.normal(size=100).astype(dtype)
    expected = fl.SquaredError().gradient(y, z)
    view = z[:]
    assert fl.SquaredError().gradient(y, z, out=view) is view
    np.testing.assert_array_equal(z, expected)


def test_in_place_in_two_dimensions(dtype: Any, rng: Any) -> None:
    for order in "CF":
        y = rng.normal(size=(31, 17)).astype(dtype)
        z = np.array(rng.normal(size=(31, 17)), dtype, order=order)
        expected = 2 * (z - y)
        fl.SquaredError().gradient(y, z, reduction="sum", out=z)
        np.testing.assert_array_equal(z, expected)


def test_grids_of_other_orders(default_loss: Any, dtype: Any, rng: Any) -> None:
    shape = (23, 7, 5)
    y, z = samples.ordinary(default_loss, shape, dtype, rng)
    expected = default_loss(y, z, reduction="none")
    for make in (
        lambda: np.empty(shape, dtype),
        lambda: np.empty(shape, dtype, order="F"),
        lambda: np.empty((5, 23, 7), dtype).transpose(1, 2, 0),
        lambda: np.empty((46, 14, 5), dtype)[::2, ::-2, ::-1],
    ):
        for predictions in (z, np.asfortranarray(z), z[::-1][::-1]):
            out = make()
            default_loss(y, predictions, reduction="none", out=out)
            np.testing.assert_array_equal(out, expected)


def test_large_outputs_are_written_whole(dtype: Any, rng: Any) -> None:
    """Larger than any last-level cache, where stores may go past it."""
    n = 12_000_017
    y = np.resize(rng.normal(size=1009), n).astype(dtype)
    z = np.resize(rng.normal(size=1013), n).astype(dtype)
    buffer = np.full(n + 32, CANARY, dtype)
    for offset in (0, 1, 16):
        gradient = buffer[offset : offset + n]
        fl.HalfSquaredError().gradient(y, z, reduction="sum", out=gradient)
        np.subtract(gradient, z, out=gradient)
        np.add(gradient, y, out=gradient)
        eps = float(np.finfo(dtype).eps)
        assert float(np.abs(gradient).max()) < 16 * eps
        assert (buffer[offset + n :] == CANARY).all()
        buffer[:] = CANARY


def test_one_array_may_stand_alone_or_in_a_tuple(rng: Any) -> None:
    y, z = rng.normal(size=10), rng.normal(size=10)
    out = np.empty(10)
    assert fl.SquaredError().gradient(y, z, out=(out,)) is out
    assert fl.SquaredError()(y, z, reduction="none", out=(out,)) is out


def test_none_in_a_tuple_is_allocated(rng: Any) -> None:
    y, z = rng.normal(size=10), rng.normal(size=10)
    hessian = np.empty(10)
    gradient, found = fl.SquaredError().gradient_and_hessian(y, z, out=(None, hessian))
    assert found is hessian
    np.testing.assert_array_equal(gradient, fl.SquaredError().gradient(y, z))
