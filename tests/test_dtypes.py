"""Every real dtype for targets, predictions and weights; the predictions alone set the precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import samples
from verbs import ask, assert_same, verbs_of

import fastloss as fl

INTEGERS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float16", "float32", "float64", "longdouble"]
N = 521

try:
    import ml_dtypes

    BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
except ImportError:
    BFLOAT16 = None

DTYPES = [np.dtype(name) for name in INTEGERS + FLOATS] + ([BFLOAT16] if BFLOAT16 else [])
NARROW = [np.dtype("float16")] + ([BFLOAT16] if BFLOAT16 else [])


@pytest.fixture(params=DTYPES, ids=lambda d: d.name)
def any_dtype(request: pytest.FixtureRequest) -> np.dtype:
    return request.param


def _whole_numbers(loss: Any, dtype: np.dtype, rng: Any) -> np.ndarray:
    """Values that every dtype holds and every loss takes as target, prediction or weight."""
    low = 1 if loss.target_domain.open_low and loss.target_domain.low == 0 else 0
    high = 2 if np.isfinite(loss.target_domain.high) or dtype.kind == "b" else 5
    return rng.integers(low, high, N)


def _orders(x: np.ndarray) -> list[np.ndarray]:
    """The array itself, strided, and where that means anything in the other byte order."""
    swapped = [x.astype(x.dtype.newbyteorder())] if x.dtype.itemsize > 1 and x.dtype != BFLOAT16 else []
    return [x, np.repeat(x, 2)[::2], *swapped]


def test_targets_and_weights(default_loss: Any, dtype: Any, any_dtype: np.dtype, rng: Any) -> None:
    y = _whole_numbers(default_loss, any_dtype, rng)
    w = _whole_numbers(default_loss, any_dtype, rng)
    w[0] = 1
    _, z = samples.ordinary(default_loss, N, dtype, rng)
    for verb in verbs_of(default_loss):
        expected = ask(default_loss, verb, y.astype(dtype), z, sample_weight=w.astype(dtype))
        for other_y in _orders(y.astype(any_dtype)):
            assert_same(ask(default_loss, verb, other_y, z, sample_weight=w.astype(dtype)), expected)
        for other_w in _orders(w.astype(any_dtype)):
            assert_same(ask(default_loss, verb, y.astype(dtype), z, sample_weight=other_w), expected)


def test_predictions(default_loss: Any, any_dtype: np.dtype, rng: Any) -> None:
    y, z = _whole_numbers(default_loss, any_dtype, rng), rng.integers(0, 2, N)
    narrow = any_dtype in NARROW
    computed = np.float32 if narrow or any_dtype == np.float32 else np.float64
    returned = any_dtype if narrow else computed
    for verb in verbs_of(default_loss):
        for reduction in ("mean", "none"):
            expected = ask(default_loss, verb, y, z.astype(computed), reduction=reduction)
            with np.errstate(over="ignore"):
                arrays = {k: x.astype(returned) for k, x in expected.items() if isinstance(x, np.ndarray)}
            expected |= arrays
            for other in _orders(z.astype(any_dtype)):
                assert_same(ask(default_loss, verb, y, other, reduction=reduction), expected)


@pytest.mark.parametrize("narrow", NARROW, ids=lambda d: d.name)
def test_all_16_bit_numbers_are_read_and_written_exactly(narrow: np.dtype) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    z = bits.view(narrow)
    with np.errstate(invalid="ignore"):
        expected = z.astype(np.float32)
    value = np.empty(z.size, np.float32)
    fl.AbsoluteError()(np.zeros(z.size), z, reduction="none", out=value)
    np.testing.assert_array_equal(value, np.abs(expected))
    # HalfSquaredError's gradient against 0 is the prediction itself, back in its 16 bits.
    back = fl.HalfSquaredError().gradient(np.zeros(z.size), z, reduction="none")
    assert back.dtype == narrow
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(back.astype(np.float32)[number], expected[number])
    assert np.isnan(back.astype(np.float32)[~number]).all()


@pytest.mark.parametrize("narrow", NARROW, ids=lambda d: d.name)
def test_results_are_rounded_to_16_bits_as_numpy_does(narrow: np.dtype, rng: Any) -> None:
    """To nearest, ties to even, over the whole range with overflow and denormals."""
    z = (rng.normal(size=200_000) * 10.0 ** rng.uniform(-9, 6, 200_000)).astype(np.float32)
    halfway = np.arange(1 << 15, dtype=np.uint16).view(narrow).astype(np.float32)
    with np.errstate(all="ignore"):
        halfway = (halfway[:-1] + halfway[1:]) / 2
        z = np.concatenate(
            [z, halfway, -halfway, np.float32([0, -0.0, np.inf, -np.inf, 65519.99, 65520, 1e-8])]
        )
        z = z[~np.isnan(z)]
        out = np.empty(z.size, narrow)
        fl.HalfSquaredError().gradient(np.zeros(z.size, np.float32), z, reduction="none", out=out)
        np.testing.assert_array_equal(out.astype(np.float32), z.astype(narrow).astype(np.float32))


def test_integers_of_64_bits_are_read_whole() -> None:
    y = np.array([2**53, -(2**53), 2**62], np.int64)
    np.testing.assert_array_equal(
        fl.AbsoluteError()(y, np.zeros(3), reduction="none"), np.abs(y.astype(float))
    )
    y = np.array([2**63, 2**64 - 1], np.uint64)
    np.testing.assert_array_equal(fl.AbsoluteError()(y, np.zeros(2), reduction="none"), y.astype(float))


def test_16_bit_predictions_clip_at_the_epsilon_of_float32(rng: Any) -> None:
    loss = fl.BinaryCrossEntropy(from_logits=False)
    p = np.array([0, 1], np.float16)
    assert loss(np.array([1, 0]), p) == pytest.approx(23 * np.log(2), rel=1e-6)
