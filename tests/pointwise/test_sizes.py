"""Lengths around the widths of lanes and blocks: each element is as it is alone, nothing else is touched."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from verbs import REDUCTIONS, array_results, ask, verbs_of

from fastloss import reference
from pointwise import samples

SIZES = [*range(1, 68), 127, 128, 129, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 300_007]

#: The data of a longer array repeats this many elements, a prime, so that they meet every place of a block.
PERIOD = 1009

CANARY, MARGIN = -12345.0, 64


@pytest.fixture
def alone(loss: Any, dtype: Any, rng: Any) -> Any:
    """Targets, predictions, weights, and the results of a call for each sample by itself."""
    y, z = samples.ordinary(loss, PERIOD, dtype, rng)
    results: dict[str, list[Any]] = {}
    for i in range(PERIOD):
        for name, x in ask(loss, verbs_of(loss)[-1], y[i : i + 1], z[i : i + 1], reduction="none").items():
            assert x.dtype == dtype
            results.setdefault(name, []).append(x[0])
    w = rng.uniform(0, 2, PERIOD).astype(dtype)
    return y, z, w, {name: np.array(x) for name, x in results.items()}


def _guarded(n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    buffer = np.full(n + 2 * MARGIN, CANARY, dtype)
    return buffer, buffer[MARGIN : MARGIN + n]


def _assert_untouched(buffer: np.ndarray) -> None:
    assert (buffer[:MARGIN] == CANARY).all()
    assert (buffer[-MARGIN:] == CANARY).all()


def test_each_element_as_alone(loss: Any, alone: Any, dtype: Any) -> None:
    y0, z0, w0, expected = alone
    for n in SIZES:
        y, z, w = (np.resize(np.roll(x, n), n) for x in (y0, z0, w0))
        true = {name: np.resize(np.roll(x, n), n) for name, x in expected.items()}
        for verb in verbs_of(loss):
            buffers = {name: _guarded(n, dtype) for name in array_results(verb, "none")}
            out = tuple(slot for _, slot in buffers.values())
            ask(loss, verb, y, z, reduction="none", out=out)
            for name, (buffer, slot) in buffers.items():
                np.testing.assert_array_equal(slot, true[name], err_msg=f"{verb}, n={n}")
                _assert_untouched(buffer)
            ask(loss, verb, y, z, reduction="none", out=out, sample_weight=w)
            for name, (buffer, slot) in buffers.items():
                np.testing.assert_array_equal(slot, w * true[name], err_msg=f"{verb}, n={n}, weights")
                _assert_untouched(buffer)


def test_sums_of_each_size(loss: Any, alone: Any) -> None:
    y0, z0, w0, expected = alone
    for n in SIZES:
        y, z, w, v = (np.resize(np.roll(x, n), n) for x in (y0, z0, w0, expected["value"]))
        weighted = v.astype(np.float64) * w.astype(np.float64)
        # The terms are rounded to their precision and no more; with float64 weights each product is too.
        close = {"rel": 1e-13, "abs": 1e-14 * float(np.abs(v).sum())}
        total, weighted_total, weight = math.fsum(v), math.fsum(weighted), math.fsum(w)
        for verb in verbs_of(loss):
            if "value" not in ask(loss, verb, y[:1], z[:1]):
                continue
            assert ask(loss, verb, y, z, reduction="sum")["value"] == pytest.approx(total, **close)
            assert ask(loss, verb, y, z)["value"] == pytest.approx(total / n, **close)
            value = ask(loss, verb, y, z, sample_weight=w, reduction="sum")["value"]
            assert value == pytest.approx(weighted_total, **close)
            value = ask(loss, verb, y, z, sample_weight=w)["value"]
            assert value == pytest.approx(weighted_total / weight, rel=1e-13, abs=close["abs"] / weight)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_against_the_reference(loss: Any, dtype: Any, reduction: str, rng: Any) -> None:
    twin = reference.twin(loss)
    eps = float(np.finfo(dtype).eps)
    for n in (33, 257, 2049, 10_007):
        y, z = samples.ordinary(loss, n, dtype, rng)
        for w in (None, rng.uniform(0.5, 2, n).astype(dtype)):
            for verb in verbs_of(loss):
                actual = ask(loss, verb, y, z, sample_weight=w, reduction=reduction)
                expected = ask(twin, verb, y, z, sample_weight=w, reduction=reduction)
                for name, x in actual.items():
                    # Ordinary data: terms of like size, whose cancellation costs a factor of some ten.
                    scale = float(np.max(np.abs(expected[name])))
                    np.testing.assert_allclose(x, expected[name], rtol=32 * eps, atol=32 * eps * scale)
                    assert type(x) is type(expected[name])
