"""Row losses: the same bits for any number of threads, and on every instruction set with fused operations."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import processes
import pytest
import tiers
from verbs import REDUCTIONS, ask, assert_same

import fastloss as fl
from rows import samples as row_samples

#: All above the size where several threads are taken: many rows; long ones; fewer rows than threads.
SHAPES = [(140_003, 2), (30_003, 10), (2803, 100), (903, 300), (37, 9001), (2, 270_001), (1, 300_001)]

CASES = [
    pytest.param(case, form, id=f"{row_samples.case_name(case)}-{form}")
    for case in row_samples.CASES
    for form in row_samples.forms(row_samples.make(case, 2))
    if not case[1] or case[1] == {"label_smoothing": 0.1}
]


def _large(loss: Any, form: str, shape: tuple[int, int], dtype: Any, rng: Any) -> tuple[Any, Any]:
    """A few rows' worth of random numbers, shifted from row to row."""
    n, n_classes = shape
    few = min(n, max(2, 20_011 // n_classes))
    y, z = row_samples.ordinary(loss, form, few, n_classes, dtype, rng)
    pick = rng.integers(0, few, n)
    return y[pick], z[pick]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize(("case", "form"), CASES)
def test_same_bits_for_any_number_of_threads(
    case: Any, form: str, shape: tuple[int, int], dtype: Any, rng: Any
) -> None:
    loss = row_samples.make(case, shape[1])
    y, z = _large(loss, form, shape, dtype, rng)
    w = rng.uniform(0.5, 2, shape[0]).astype(dtype)
    out = tuple(np.empty_like(z) for _ in range(4))
    verb, half = ("value_gradient_and_hessian", 2) if loss.has_hessian else ("value_and_gradient", 1)

    def of(n_threads: int, slots: tuple[np.ndarray, ...]) -> dict[str, Any]:
        slots = slots if half == 2 else slots[0]
        return ask(loss, verb, y, z, sample_weight=w, reduction="mean", n_threads=n_threads, out=slots)

    one = of(1, out[:half])
    for n in (2, 3, 8):
        assert_same(of(n, out[2 : 2 + half]), one)
    for n in (1, 3):
        assert loss(y, z, sample_weight=w, n_threads=n) == one["value"]


@pytest.mark.parametrize("shape", [(70_003, 5), (2, 300_001)], ids=str)
def test_values_of_rows_and_links(shape: tuple[int, int], dtype: Any, rng: Any) -> None:
    y, z = _large(fl.CrossEntropy(), "labels", shape, dtype, rng)
    for place in (lambda x: x, np.asfortranarray):
        one = fl.CrossEntropy()(y, place(z), reduction="none", n_threads=1)
        np.testing.assert_array_equal(fl.CrossEntropy()(y, place(z), reduction="none", n_threads=3), one)
        for link in (fl.CrossEntropy().probabilities, fl.CrossEntropy().log_probabilities):
            np.testing.assert_array_equal(link(place(z), n_threads=3), link(z, n_threads=1))


@pytest.mark.parametrize("shape", [(30_011, 10), (2803, 100), (2803, 130), (3, 150_001)], ids=str)
def test_fortran_order_gives_the_bits_of_c_order(shape: tuple[int, int], dtype: Any, rng: Any) -> None:
    for loss, form in [
        (fl.CrossEntropy(), "labels"),
        (fl.CrossEntropy(), "dense"),
        (fl.EuclideanError(), "dense"),
    ]:
        y, z = _large(loss, form, shape, dtype, rng)
        verb = "value_gradient_and_hessian" if loss.has_hessian else "value_and_gradient"
        for reduction in REDUCTIONS:
            expected = ask(loss, verb, y, z, reduction=reduction, n_threads=1)
            assert_same(ask(loss, verb, y, np.asfortranarray(z), reduction=reduction, n_threads=2), expected)


@pytest.mark.parametrize("shape", [(300, 1500), (70, 9001), (17, 4096)], ids=str)
def test_long_rows_by_class_in_every_combination(shape: tuple[int, int], dtype: Any, rng: Any) -> None:
    """Several blocks of rows are turned, with tiles and segments in them: inputs, outputs, and in place."""
    n, n_classes = shape
    w = rng.uniform(0.5, 2, n).astype(dtype)
    for loss, form in [
        (fl.CrossEntropy(), "labels"),
        (fl.CrossEntropy(label_smoothing=0.1), "dense"),
        (fl.CrossEntropy(from_logits=False), "labels"),
        (fl.MulticlassHinge(), "labels"),
        (fl.KLDivergence(), "dense"),
    ]:
        y, z = row_samples.ordinary(loss, form, n, n_classes, dtype, rng)
        turned = np.asfortranarray(y) if form == "dense" else y
        for reduction in ("mean", "none"):
            options: dict[str, Any] = {"sample_weight": w, "reduction": reduction}
            expected = ask(loss, "value_gradient_and_hessian", y, z, n_threads=1, **options)
            for n_threads in (1, 3):
                for place, out in [(np.asfortranarray, "F"), (np.asfortranarray, "C"), (np.array, "F")]:
                    made = [np.empty(shape, dtype, order=out) for _ in range(2)]
                    slots = [np.empty(n, dtype), *made] if reduction == "none" else made
                    found = loss.value_gradient_and_hessian(
                        turned, place(z), out=tuple(slots), n_threads=n_threads, **options
                    )
                    assert_same(dict(zip(expected, found, strict=True)), expected)
                here = np.asfortranarray(z)
                loss.gradient(turned, here, out=here, n_threads=n_threads, **options)
                np.testing.assert_array_equal(here, expected["gradient"])
        z = np.asfortranarray(z)
        z[n - 3, n_classes - 1] = np.nan
        if form == "labels" and not loss.parameters.get("from_logits", True):
            with pytest.raises(ValueError, match=rf"y_pred\[{n - 3}, {n_classes - 1}\]"):
                loss.gradient(y, z, n_threads=2)


@pytest.mark.parametrize("kind", ["f4", "f8", "f2", ">f4"])
def test_shared_rows_in_and_out_of_every_layout(kind: str, rng: Any) -> None:
    """Fewer rows than threads: what cannot be used in place is copied by all of them."""
    shape = n, n_classes = 2, 300_001
    z, y = rng.normal(0, 3, shape).astype(kind), rng.integers(0, n_classes, n)
    target = rng.random(shape).astype(np.float32)
    wide = np.zeros((n, 2 * n_classes), kind)
    wide[:, ::2] = z
    for loss, true in [(fl.CrossEntropy(), y), (fl.CrossEntropy(), target), (fl.EuclideanError(), target)]:
        expected = loss.value_and_gradient(true, z, n_threads=1)
        true = np.asfortranarray(true)
        for place in (
            np.array,
            np.asfortranarray,
            lambda _: wide[:, ::2],
            lambda x: x[:, ::-1].copy()[:, ::-1],
        ):
            out = np.zeros((n, 2 * n_classes), z.dtype.newbyteorder("="))[:, 1::2]
            for slot in (None, out, np.empty(shape, out.dtype, order="F")):
                value, gradient = loss.value_and_gradient(true, place(z), out=slot, n_threads=3)
                assert value == expected[0]
                np.testing.assert_array_equal(gradient, expected[1])


def test_first_error_for_any_number_of_threads(rng: Any) -> None:
    for n, n_classes in [(200_003, 3), (3001, 400)]:
        y, z = rng.integers(0, n_classes, n), np.zeros((n, n_classes), np.float32)
        for place in (n - 1, n // 2, 3):
            y[place] = n_classes
            for n_threads in (1, 2, 8):
                with pytest.raises(ValueError, match=rf"y_true\[{place}\] = {n_classes}\b"):
                    fl.CrossEntropy()(y, z, n_threads=n_threads)


def test_several_threads_are_really_used() -> None:
    """Else the tests above compare nothing: rows shared out, and one long row shared."""
    if not fl.config()["openmp"]:
        pytest.skip("needs OpenMP")
    for shape in ((200_003, 3), (1, 600_001)):
        code = (
            "import os, numpy as np, fastloss as fl\n"
            f"z = np.zeros({shape}, np.float32); y = np.zeros({shape[0]}, int)\n"
            "before = len(os.listdir('/proc/self/task'))\n"
            "fl.CrossEntropy()(y, z, n_threads=3)\n"
            "print(len(os.listdir('/proc/self/task')) - before)"
        )
        assert int(processes.output(code)) == 2


def test_long_rows_that_begin_off_a_numbers_place(rng: Any) -> None:
    """Of an array that is copied for that, a row by chance may begin in its place."""
    n = 300_000
    raw = np.zeros((2, 4 * n + 2), np.uint8)
    z = np.ndarray((2, n), np.float32, raw, strides=(4 * n + 2, 4))
    z[:] = rng.normal(size=z.shape)
    gradient = np.ndarray((2, n), np.float32, np.zeros_like(raw), strides=z.strides)
    loss = fl.CrossEntropy()
    value = loss.value_and_gradient([3, 5], z, out=gradient, n_threads=4)[0]
    other, slopes = loss.value_and_gradient([3, 5], z.copy(), n_threads=4)
    assert value == other
    np.testing.assert_array_equal(gradient, slopes)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Results of every tier, of ordinary or of hard samples: hard -> tier -> name -> array."""
    return functools.cache(
        lambda hard: tiers.collect(
            tmp_path_factory.mktemp("tiers"), "rows.digest", f"rows.digest.everything({hard})"
        )
    )


@tiers.needs_two_fused
@pytest.mark.parametrize("hard", [False, True])
def test_fused_tiers_give_the_same_bits(results: Any, hard: bool) -> None:
    tiers.assert_same_bits(results(hard)[tier] for tier in tiers.FUSED)


@tiers.needs_two
def test_the_base_tier_is_close(results: Any) -> None:
    """Without the fused operation the last bits differ, and nothing else does."""
    base, other = results(False)["base"], results(False)[tiers.AVAILABLE[-1]]
    assert base.keys() == other.keys()
    assert any(not np.array_equal(base[key], other[key], equal_nan=True) for key in base)
    for key, x in base.items():
        eps = float(np.finfo(np.float32 if "float32" in key else np.float64).eps)
        scale = np.abs(other[key], where=np.isfinite(other[key]), out=np.zeros_like(other[key])).max()
        np.testing.assert_allclose(x, other[key], rtol=32 * eps, atol=32 * eps * scale, err_msg=key)
