"""Weights are weights, whatever their size: what a mean, a sum and their slopes are by exact arithmetic."""

from __future__ import annotations

import functools
from fractions import Fraction
from math import log
from typing import Any

import numpy as np
import pytest
from verbs import REDUCTIONS, VERBS, ask

import fastloss as fl

TINY, LARGEST = 5e-324, 1.7976931348623157e308

#: Two weights, which two samples have in turn. float32 holds none of these in full.
WEIGHTS = [
    (1e-39, 1e-39),
    (3e38, 3e38),
    (2e-45, 3e-45),
    (1e39, 2e39),
    (1e-309, 1e-309),
    (TINY, 2 * TINY),
    (LARGEST, LARGEST),
    (1e300, 1e-300),
    (1e-50, 1.0),
    (0.0, 1e-42),
    (0.0, LARGEST),
    (1e-200, 3e-200),
]


@functools.cache
def nearest(weight: Fraction, term: float, divisor: Fraction) -> float:
    """The nearest float64 to a share, infinite beyond the largest."""
    try:
        return float(weight * Fraction(term) / divisor)
    except OverflowError:
        return np.copysign(np.inf, term)


def expected(weights: np.ndarray, terms: dict[str, np.ndarray], reduction: str, dtype: Any) -> dict[str, Any]:
    """What value, gradient and Hessian of samples are, `terms` being exact numbers (n,) or (n, C)."""
    w = [Fraction(x) for x in weights.tolist()]
    divisor = sum(w) if reduction == "mean" else Fraction(1)
    found: dict[str, Any] = {}
    for name, x in terms.items():
        if name == "value" and reduction != "none":
            total = sum(wi * Fraction(t) for wi, t in zip(w, x.tolist(), strict=True))
            found[name] = nearest(total, 1.0, divisor)
            continue
        rows = x.reshape(len(w), -1).tolist()
        shares = [[nearest(wi, t, divisor) for t in row] for wi, row in zip(w, rows, strict=True)]
        with np.errstate(over="ignore", under="ignore"):
            found[name] = np.reshape(shares, x.shape).astype(dtype)
    return found


def check(actual: dict[str, Any], wanted: dict[str, Any], dtype: Any, *, ulps: int = 4) -> None:
    """Each within some units in the last place, or of a few rounded numbers below the normal ones."""
    for name, x in wanted.items():
        info = np.finfo(float if np.ndim(x) == 0 else dtype)
        rounded = 20 if np.ndim(x) else 5000  # a sum has many
        rtol, atol = ulps * float(np.finfo(dtype).eps), rounded * float(info.smallest_subnormal)
        np.testing.assert_allclose(actual[name], x, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("pair", WEIGHTS, ids=repr)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_pointwise(pair: tuple[float, float], reduction: str, dtype: Any) -> None:
    for n in (2, 6, 2100):
        y, z = np.tile([1, 2], n // 2).astype(dtype), np.tile([2, 4], n // 2).astype(dtype)
        w = np.tile(pair, n // 2)
        terms = {
            "value": np.tile([1.0, 4.0], n // 2),
            "gradient": np.tile([2.0, 4.0], n // 2),
            "hessian": np.full(n, 2.0),
        }
        wanted = expected(w, terms, reduction, dtype)
        for verb, names in VERBS.items():
            found = ask(fl.SquaredError(), verb, y, z, sample_weight=w, reduction=reduction)
            check(found, {name: wanted[name] for name in names}, dtype)
        out = z.copy()
        fl.SquaredError().gradient(y, out, sample_weight=w, reduction=reduction, out=out)
        check({"gradient": out}, {"gradient": wanted["gradient"]}, dtype)


@pytest.mark.parametrize(
    ("pair", "gradient", "value"),
    [
        ((1e-39, 1e-39), [1, 2], 2.5),
        ((2e-45, 3e-45), [0.8, 2.4], 2.8),
        ((1e39, 2e39), [2 / 3, 8 / 3], 3.0),
        ((1e-309, 1e-309), [1, 2], 2.5),
    ],
)
def test_by_hand(pair: tuple[float, float], gradient: list[float], value: float) -> None:
    loss, y = fl.SquaredError(), [1.0, 2.0]
    for dtype in (np.float32, np.float64):
        found = loss.value_and_gradient(y, np.array([2, 4], dtype), sample_weight=np.array(pair))
        assert found[0] == pytest.approx(value, rel=1e-15)
        np.testing.assert_allclose(found[1], gradient, rtol=4 * np.finfo(dtype).eps)


def test_a_million_large_weights() -> None:
    n = 1_000_000
    y, z = np.zeros(n, np.float32), np.ones(n, np.float32)
    for w in (np.full(n, 3e38), np.full(n, 3e38, np.float32)):
        for threads in (1, 4):
            value, g = fl.SquaredError().value_and_gradient(y, z, sample_weight=w, n_threads=threads)
            assert value == pytest.approx(1.0, rel=1e-15)
            np.testing.assert_allclose(g, 2 / n, rtol=1e-6)


@pytest.mark.parametrize("kind", ["<f8", ">f8", "f2", "f4", "i8", "u8", "g", "strided", "grid"])
def test_of_any_dtype_and_layout(kind: str, dtype: Any) -> None:
    """1 and 2 times the largest power of two that all of them hold, and two thirds of the samples."""
    y, z = np.tile(np.array([1, 2], dtype), (30, 1)), np.tile(np.array([2, 4], dtype), (30, 1))
    w = np.ones(30)
    if kind == "strided":
        w = np.tile(np.array([[1e39, 7.0]]), (30, 1))[:, 0]
    elif kind == "grid":
        w = np.asfortranarray(np.full((30, 2), 1e-310))
    else:
        w = (w * (2.0**14 if kind == "f2" else 2.0**62)).astype(kind)
    value, g = fl.SquaredError().value_and_gradient(y, z, sample_weight=w)
    assert value == 2.5
    np.testing.assert_allclose(g, np.tile([2 / 60, 4 / 60], (30, 1)), rtol=4 * np.finfo(dtype).eps)


def test_curvatures(dtype: Any) -> None:
    """The kink's majorizer of |r| is w/|r|, beyond the width that is a tenth of the mean loss."""
    w = np.array([1e39, 1e-39, 0.0])
    y, z = np.zeros(3, dtype), np.array([1, 2, np.nan], dtype)
    codes, _ = fl.AbsoluteError()._curvatures()
    g, h = fl.AbsoluteError()._gradient_and_curvature(y, z, w, 3, None, 1)
    assert 3 in codes
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(g, np.array([1e39, 1e-39, 0.0]).astype(dtype), rtol=1e-6, atol=1e-44)
        np.testing.assert_allclose(h, np.array([1e39, 0.5e-39, 0.0]).astype(dtype), rtol=1e-6, atol=1e-44)


# Rows


@pytest.mark.parametrize("pair", WEIGHTS, ids=repr)
@pytest.mark.parametrize("n_classes", [2, 3, 5, 130, 300])
def test_rows(pair: tuple[float, float], n_classes: int, dtype: Any) -> None:
    """Of equal logits the cross-entropy is log C, its slopes 1/C - [k = y] and (1/C)(1 - 1/C)."""
    n, p = 18, 1 / n_classes
    w, y = np.tile(pair, n // 2), np.arange(n) % 2
    one_hot = (np.arange(n_classes) == y[:, None]).astype(dtype)
    z = np.zeros((n, n_classes), dtype)
    terms = {
        "value": np.full(n, log(n_classes)),
        "gradient": p - one_hot.astype(float),
        "hessian": np.full((n, n_classes), p * (1 - p)),
    }
    for reduction in REDUCTIONS:
        wanted = expected(w, terms, reduction, dtype)
        for targets in (y, one_hot):
            for order in "CF":
                found = ask(
                    fl.CrossEntropy(),
                    "value_gradient_and_hessian",
                    targets,
                    np.array(z, order=order),
                    sample_weight=w,
                    reduction=reduction,
                )
                check(found, wanted, dtype, ulps=8)
        out = z.copy()
        fl.CrossEntropy().gradient(y, out, sample_weight=w, reduction=reduction, out=out)
        check({"gradient": out}, {"gradient": wanted["gradient"]}, dtype, ulps=8)


@pytest.mark.parametrize("size", [1e-310, 1e-39, 1e39, 1e300])
@pytest.mark.parametrize("n_classes", [3, 130])
def test_class_weights(size: float, n_classes: int, dtype: Any) -> None:
    """A factor of all class weights leaves the mean as it is, and multiplies sums."""
    y, rows = np.arange(12) % 3, np.linspace(-1, 1, 12 * n_classes).reshape(12, n_classes).astype(dtype)
    few = np.arange(n_classes) % 3 + 1.0
    for options in ({}, {"label_smoothing": 0.1}, {"ignore_index": 1}):
        plain = fl.CrossEntropy(class_weight=few, **options)
        scaled = fl.CrossEntropy(class_weight=size * few, **options)
        for weights in (None, np.linspace(0, 1, 12), np.full(12, 1e-40)):
            for a, b in zip(
                plain.value_gradient_and_hessian(y, rows, sample_weight=weights),
                scaled.value_gradient_and_hessian(y, rows, sample_weight=weights),
                strict=True,
            ):
                np.testing.assert_allclose(b, a, rtol=20 * np.finfo(dtype).eps)
            with np.errstate(over="ignore"):
                total = plain(y, rows, sample_weight=weights, reduction="sum") * size
            assert scaled(y, rows, sample_weight=weights, reduction="sum") == pytest.approx(total, rel=1e-5)
        assert scaled.weight_sum(y, rows) == pytest.approx(plain.weight_sum(y, rows) * size, rel=1e-6)


def test_a_loss_of_zero_times_a_product_of_weights_beyond_the_largest_number(dtype: Any) -> None:
    one, certain = np.zeros((3, 1), dtype), np.tile(np.array([0, 2000], dtype), (3, 1))
    for loss, y, rows in [
        (fl.CrossEntropy(class_weight=[2.0**900]), [0, 0, 0], one),
        (fl.CrossEntropy(class_weight=[1, 2.0**900]), [1, 1, 1], certain),
        (fl.Focal(alpha=[1, 2.0**900]), [1, 1, 1], certain),
    ]:
        for reduction in REDUCTIONS:
            found = loss.value_and_gradient(y, rows, sample_weight=[1e200] * 3, reduction=reduction)
            for x in found:
                np.testing.assert_array_equal(x, 0)


def test_alpha_of_the_focal_loss(dtype: Any) -> None:
    y, z = [0, 1], np.zeros((2, 2), dtype)
    for size in (1e-300, 1e-39, 1e38, 1e300):
        for alpha in (size, [size, size], {0: size, 1: size}):
            value = fl.Focal(gamma=2.0, alpha=alpha)(y, z)
            assert value == pytest.approx(size * 0.25 * log(2), rel=1e-6)
            g = fl.Focal(gamma=0.0, alpha=alpha).gradient(
                y, z, sample_weight=[1 / size, 1 / size], reduction="sum"
            )
            np.testing.assert_allclose(g, [[-0.5, 0.5], [0.5, -0.5]], rtol=1e-6)


def test_parameters_that_float32_does_not_hold() -> None:
    y, z = np.array([0, 1], np.float32), np.zeros(2, np.float32)
    for a in (1e39, 1e-39, 1e-310):
        loss = fl.BinaryCrossEntropy(pos_weight=a)
        assert loss(y, z) == pytest.approx((1 + a) / 2 * log(2), rel=1e-6)
        with np.errstate(over="ignore"):
            wanted = np.array([0.5, -0.5 * a]).astype(np.float32)
        g = loss.gradient(y, z, reduction="sum")
        np.testing.assert_allclose(g, wanted, rtol=1e-6, atol=1e-44)
    value, g = fl.L2(alpha=1e39).value_and_gradient(np.array([1e-10, 0], np.float32))
    assert value == pytest.approx(0.5e19, rel=1e-6)
    np.testing.assert_allclose(g, [1e29, 0], rtol=1e-6)
    assert fl.L1(alpha=1e-39)(np.full(3, 1e30, np.float32)) == pytest.approx(3e-9, rel=1e-6)


# Embeddings


@pytest.mark.parametrize("pair", WEIGHTS, ids=repr)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_embeddings(pair: tuple[float, float], reduction: str, dtype: Any) -> None:
    """Of points (1, 0) and (0, 0): D² = 1."""
    n = 270
    a, b = np.tile(np.array([1, 0], dtype), (n, 1)), np.zeros((n, 2), dtype)
    w = np.tile(pair, n // 2)
    side = np.tile([2.0, 0.0], (n, 1))
    cases = [
        (fl.Contrastive(), (a, b, np.ones(n)), np.ones(n), (side, -side)),
        (fl.Triplet(margin=1.0), (a, b, b), np.ones(n), (0 * side, -side, side)),
        (fl.CosineEmbedding(), (a, a[:, ::-1], np.ones(n)), np.ones(n), (-side[:, ::-1] / 2, -side / 2)),
    ]
    for loss, arguments, values, gradients in cases:
        terms = {"value": values} | {f"gradient {i}": g for i, g in enumerate(gradients)}
        wanted = expected(w, terms, reduction, dtype)
        value, found = loss.value_and_gradient(*arguments, sample_weight=w, reduction=reduction)
        check({"value": value} | {f"gradient {i}": g for i, g in enumerate(found)}, wanted, dtype)
    terms = {"value": np.full(n, 0.5), "gradient": side / 2}
    wanted = expected(w, terms, reduction, dtype)
    labels = np.arange(n) % 2
    value, (by_row, by_center) = fl.CenterLoss().value_and_gradient(
        a, b[:3], labels, sample_weight=w, reduction=reduction
    )
    check({"value": value, "gradient": by_row}, wanted, dtype)
    shares = [Fraction(x) * (n // 2) for x in pair]
    divisor = sum(shares) if reduction == "mean" else Fraction(1)
    with np.errstate(over="ignore", under="ignore"):
        sums = np.array([[nearest(s, -1.0, divisor), 0] for s in [*shares, Fraction(0)]]).astype(dtype)
    np.testing.assert_allclose(
        by_center,
        sums,
        rtol=1e-6 if dtype is np.float32 else 1e-14,
        atol=n * np.finfo(dtype).smallest_subnormal,
    )


@pytest.mark.parametrize("size", [1e-310, 1e-39, 1e39, 1e308])
def test_contrast_against_a_batch(size: float, dtype: Any) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 4, 3)).astype(dtype)
    few = np.array([1.0, 0.5, 0.25, 1.0])
    for plain, scaled in [
        (fl.NTXent().value_and_gradient(a, b, sample_weight=w) for w in (few, few * size)),
    ]:
        assert scaled[0] == pytest.approx(plain[0], rel=1e-6)
        for g, h in zip(plain[1], scaled[1], strict=True):
            np.testing.assert_allclose(h, g, rtol=1e-4, atol=1e-6)
    assert fl.NTXent(10.0)(a, b, sample_weight=[5e307] * 4, reduction="sum") == np.inf
    total = fl.NTXent()(a, b, sample_weight=few * size, reduction="sum")
    with np.errstate(over="ignore"):
        assert total == pytest.approx(fl.NTXent()(a, b, sample_weight=few, reduction="sum") * size, rel=1e-5)


# Transport


@pytest.mark.parametrize("size", [TINY, 1e-310, 1e39, LARGEST])
def test_transport(size: float) -> None:
    u, v = np.zeros((2, 1)), np.array([[1.0], [4.0]])
    for p in (1.0, 2.0):
        value, g = fl.Wasserstein(p=p).value_and_gradient(u, v, sample_weight=[size, size])
        assert value == pytest.approx(2.5, rel=1e-15)
        np.testing.assert_allclose(g, [[0.5], [0.5]], rtol=1e-15)
        one = fl.Wasserstein(p=p)([0.0, 3.0], [1.0], u_weights=[size, size], v_weights=[size])
        assert one == pytest.approx(1.5 if p == 1 else 2.5**0.5, rel=1e-15)
    histograms = fl.Wasserstein(positions=[0.0, 1.0])
    assert histograms([size, size], [size, 0.0]) == pytest.approx(0.5, rel=1e-15)
    with np.errstate(over="ignore"):
        wanted = -0.25 / np.float64(size)
    g = histograms.gradient([size, size], [2 * min(size, 0.5 * LARGEST), 0.0])
    assert g[0] == 0
    assert -g[1] == pytest.approx(2 * -wanted * size / min(size, 0.5 * LARGEST), rel=1e-9)
    # One atom of a hundred moves by 1: the distance is 1/10, and so is its slope there.
    u, v = np.arange(100.0)[None], np.arange(100.0)[None]
    u[0, 99], large = 100, 1e308
    value, g = fl.Wasserstein(p=2.0).value_and_gradient(u, v, sample_weight=[large], reduction="none")
    assert value[0] == pytest.approx(1e307, rel=1e-15)
    assert not g[0, :99].any()
    assert g[0, 99] == pytest.approx(-1e307, rel=1e-14)
    by_mass = fl.Wasserstein(p=2.0, positions=[0.0, 1.0]).gradient(
        [[1.0, 0.0]], [[0.99, 0.01]], sample_weight=[large], reduction="none"
    )
    assert by_mass[0, 0] == pytest.approx(-5e306, rel=1e-12)
    assert by_mass[0, 1] == np.inf
    cloud, other = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 1.0], [2.0, 1.0]])
    sinkhorn = fl.Sinkhorn(reg=0.5)
    plain = sinkhorn(cloud, other)
    assert sinkhorn(cloud, other, [size, size], [size, size]) == pytest.approx(plain, rel=1e-12)


# Linear models


@pytest.mark.parametrize("size", [1e-310, 1e-39, 1e39, LARGEST])
@pytest.mark.parametrize("dtype_", [np.float32, np.float64])
def test_linear_objective(size: float, dtype_: Any) -> None:
    X, y = np.array([[1], [2], [4]], dtype_), np.array([1.0, 0.0, 2.0])
    few = np.array([1.0, 0.5, 0.0])
    for loss in (fl.SquaredError(), fl.BinaryCrossEntropy(), fl.CrossEntropy()):
        targets = y if isinstance(loss, fl.SquaredError) else y > 0.5
        targets = targets.astype(int) if isinstance(loss, fl.CrossEntropy) else targets
        plain = fl.LinearObjective(loss, X, targets, sample_weight=few)
        scaled = fl.LinearObjective(loss, X, targets, sample_weight=few * size)
        w = np.linspace(-1, 1, plain.size)
        for a, b in zip(plain(w), scaled(w), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5)
        np.testing.assert_allclose(scaled.hessp(w, w + 1), plain.hessp(w, w + 1), rtol=1e-5)
    weighed = fl.LinearObjective(fl.CrossEntropy(class_weight=[size, size]), X, [0, 1, 1])
    plain = fl.LinearObjective(fl.CrossEntropy(), X, [0, 1, 1])
    for a, b in zip(plain(np.ones(4)), weighed(np.ones(4)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-7)


# All families: 1/Σw takes an entry out of the range where its share does not.


def small_slopes(dtype: Any) -> list[tuple[Any, tuple[np.ndarray, ...], float]]:
    """Losses, arguments for two samples, and the slope of the first sample's first number, unweighted."""
    small, power = (1e-35, 80) if dtype == np.float32 else (1e-300, 690)
    ones = np.ones((2, 2), dtype)
    far = np.array([[-power, 0], [-power, 0]], dtype)
    return [
        (fl.SquaredError(), (np.zeros(2, dtype), np.full(2, small, dtype)), 2 * small),
        (fl.CrossEntropy(), (np.array([1, 1]), far), np.exp(np.float64(-power))),
        (fl.CosineEmbedding(), (ones / dtype(small), ones * dtype([1, -1]), np.array([1, 1])), -small / 2),
    ]


@pytest.mark.parametrize("exponent", [-60, 0, 30])
@pytest.mark.parametrize("which", range(3))
def test_a_mean_of_small_slopes(which: int, exponent: int, dtype: Any) -> None:
    """Two equal weights, whatever they are, give half of each slope, with all its bits."""
    loss, arguments, slope = small_slopes(dtype)[which]
    size = dtype(2.0) ** (exponent if dtype == np.float32 else 4 * exponent)
    found = loss.gradient(*arguments, sample_weight=np.full(2, size, dtype))
    first = np.ravel(found[0] if isinstance(found, tuple) else found)[0]
    assert float(first) == pytest.approx(slope / 2, rel=8 * float(np.finfo(dtype).eps), abs=0)
