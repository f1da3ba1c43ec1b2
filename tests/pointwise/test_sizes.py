"""Lengths around the widths of lanes and blocks: each element is as it is alone, nothing else is touched."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from verbs import REDUCTIONS, array_results, ask, assert_same, verbs_of

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


def _assert_is(expected: np.ndarray, buffer: np.ndarray, slot: np.ndarray, what: str) -> None:
    same = slot == expected
    assert same.all(), (
        f"{what}: {slot[~same][:3]} instead of {expected[~same][:3]}, at {np.flatnonzero(~same)[:3]}"
    )
    assert (buffer[:MARGIN] == CANARY).all(), what
    assert (buffer[-MARGIN:] == CANARY).all(), what


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
                _assert_is(true[name], buffer, slot, f"{verb}, n={n}")
            ask(loss, verb, y, z, reduction="none", out=out, sample_weight=w)
            for name, (buffer, slot) in buffers.items():
                _assert_is(w * true[name], buffer, slot, f"{verb}, n={n}, weights")


def test_sums_of_each_size(loss: Any, alone: Any) -> None:
    y0, z0, w0, expected = alone
    verbs = [verb for verb in verbs_of(loss) if "value" in ask(loss, verb, y0[:1], z0[:1])]
    for n in SIZES:
        y, z, w, v = (np.resize(np.roll(x, n), n) for x in (y0, z0, w0, expected["value"]))
        weighted = v.astype(np.float64) * w.astype(np.float64)
        # As lists, whose numbers need not be made one by one.
        total, weighted_total, weight = (math.fsum(x.tolist()) for x in (v, weighted, w))
        # The terms are rounded to their precision and no more; with float64 weights each product is too.
        error = 1e-14 * float(np.abs(v).sum())
        for verb in verbs:
            for options, wanted, absolute in (
                ({"reduction": "sum"}, total, error),
                ({}, total / n, error),
                ({"reduction": "sum", "sample_weight": w}, weighted_total, error),
                ({"sample_weight": w}, weighted_total / weight, error / weight),
            ):
                found = ask(loss, verb, y, z, **options)["value"]
                assert math.isclose(found, wanted, rel_tol=1e-13, abs_tol=absolute), (verb, n, found, wanted)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_against_the_reference(loss: Any, dtype: Any, reduction: str, rng: Any) -> None:
    twin = reference.twin(loss)
    eps = float(np.finfo(dtype).eps)
    for n in (33, 257, 2049, 10_007):
        y, z = samples.ordinary(loss, n, dtype, rng)
        for w in (None, rng.uniform(0.5, 2, n).astype(dtype)):
            # The verb that gives all results, which are those of the others.
            expected = ask(twin, verbs_of(loss)[-1], y, z, sample_weight=w, reduction=reduction)
            # Ordinary data: terms of like size, whose cancellation costs a factor of some ten.
            scales = {name: float(np.max(np.abs(x))) for name, x in expected.items()}
            for verb in verbs_of(loss):
                if n == 33:
                    same = ask(twin, verb, y, z, sample_weight=w, reduction=reduction)
                    assert_same(same, {name: expected[name] for name in same})
                actual = ask(loss, verb, y, z, sample_weight=w, reduction=reduction)
                assert actual.keys() <= expected.keys()
                for name, x in actual.items():
                    tolerance = 32 * eps * (np.abs(expected[name]) + scales[name])
                    # NaN is within nothing.
                    assert np.all(np.abs(x - expected[name]) <= tolerance), (verb, name, n)
                    assert np.shape(x) == np.shape(expected[name])
                    assert type(x) is type(expected[name])
