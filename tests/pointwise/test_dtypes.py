"""Numbers of 16 and 64 bits are read whole, and results are rounded to 16 bits as NumPy does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

try:
    import ml_dtypes

    BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
except ImportError:
    BFLOAT16 = None

NARROW = [np.dtype("float16")] + ([BFLOAT16] if BFLOAT16 else [])


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
