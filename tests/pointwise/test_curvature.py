"""The curvatures that stand for the second derivative, against the mathematics that defines them."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from conftest import LOSSES

import fastloss as fl
from fastloss.adapters._boosting import CURVATURES, curvature_code

TRAINABLE = [
    loss
    for loss in LOSSES
    if loss.has_gradient and getattr(loss, "from_logits", True) and loss != fl.Tweedie(power=1.9)
]


def names_of(loss):
    return [CURVATURES[code] for code in loss._curvatures()[0]]


def curve(loss, y, z, curvature, weight=None, out=None):
    return loss._gradient_and_curvature(y, z, weight, curvature_code(loss, curvature), out, 1)


def with_curvature(name):
    return [loss for loss in TRAINABLE if name in names_of(loss)]


def points(loss):
    """Targets and raw scores, some of them equal."""
    if loss.target_domain.high == 1:
        targets = [0.0, 1.0] if loss.target_domain.integral else [0.0, 0.3, 1.0]
        scores = np.linspace(-9, 9, 13)
    elif loss.target_domain.low > -np.inf:
        targets, scores = [0.02, 1.0, 7.0], np.linspace(-0.9, 6, 12)
    else:
        targets, scores = [-2.0, 0.0, 0.7], np.linspace(-7, 7, 15)
    return [(y, z) for y in targets for z in scores]


def minimum_of(loss, y):
    """Where one sample's loss is smallest, or far on the way there."""
    if loss.family == "binary":
        hard = loss.target_domain.integral or y in (0.0, 1.0)
        if not hard:
            return np.clip(math.log(y / (1 - y)), -30, 30)
        return 30.0 if y > 0 else -30.0
    if isinstance(loss, (fl.Poisson, fl.Gamma, fl.Tweedie)):
        return math.log(y)
    return y


@pytest.mark.parametrize("trained", with_curvature("majorizer"), ids=repr)
def test_majorizer_is_above_the_loss_on_the_way_to_the_minimum(trained):
    for y, z in points(trained):
        # One sample at a time: the width of a kink is then the sample's own loss.
        (g,), (c,) = curve(trained, [y], [z], "majorizer")
        t = np.linspace(z, minimum_of(trained, y), 200)
        parabola = trained([y], [z]) + g * (t - z) + 0.5 * c * (t - z) ** 2
        true = trained(np.full_like(t, y), t, reduction="none")
        assert c >= 0
        assert np.all(parabola >= true - 1e-9 * (1 + np.abs(true))), (y, z)


@pytest.mark.parametrize(
    "trained",
    [
        fl.Huber(),
        fl.SmoothL1(beta=0.3),
        fl.LogCosh(),
        fl.PseudoHuber(),
        fl.Cauchy(),
        fl.Welsch(),
        fl.Tukey(c=1.0),
        fl.Expectile(q=0.9),
        fl.BinaryCrossEntropy(),
        fl.BinaryCrossEntropy(pos_weight=3.0),
        fl.SquaredHinge(),
        fl.SquaredEpsilonInsensitive(),
        fl.SmoothedHinge(gamma=0.5),
    ],
    ids=repr,
)
def test_majorizer_is_above_the_loss_everywhere(trained):
    t = np.linspace(-12, 12, 500)
    for y, z in points(trained):
        (g,), (c,) = curve(trained, [y], [z], "majorizer")
        parabola = trained([y], [z]) + g * (t - z) + 0.5 * c * (t - z) ** 2
        assert np.all(parabola >= trained(np.full_like(t, y), t, reduction="none") - 1e-9), (y, z)


def test_majorizer_of_a_residual_is_slope_over_residual(dtype):
    y, z = np.array([0, 0, 1], dtype), np.array([3, -0.5, 1], dtype)
    _, c = curve(fl.Huber(delta=2.0), y, z, "majorizer")
    np.testing.assert_allclose(c, [2 / 3, 1, 1], rtol=1e-6)
    _, c = curve(fl.LogCosh(), y, z, "majorizer")
    np.testing.assert_allclose(c, [math.tanh(3) / 3, math.tanh(0.5) / 0.5, 1], rtol=1e-6)
    assert c.dtype == dtype


def test_kinks_count_tiny_residuals_as_a_tenth_of_the_mean_loss(dtype):
    y, z = np.zeros(4, dtype), np.array([0, 1, 2, -5], dtype)
    np.testing.assert_allclose(curve(fl.AbsoluteError(), y, z, "majorizer")[1], [5, 1, 0.5, 0.2], rtol=1e-6)
    # The mean pinball loss at q = 0.75 is (0.25 + 0.5 + 3.75)/4.
    c = curve(fl.Quantile(q=0.75), y, z, "majorizer")[1]
    np.testing.assert_allclose(c, [0.5 / 0.1125, 0.5, 0.25, 0.1], rtol=1e-6)
    # 1/(|y|·|r|) where |r|/|y| is above a tenth of the mean of 0.5.
    c = curve(fl.AbsolutePercentageError(), np.array([2, 4], dtype), np.array([2, 8], dtype), "majorizer")[1]
    np.testing.assert_allclose(c, [1 / 2**2 / 0.05, 1 / (4 * 4)], rtol=1e-6)


def test_perfect_scores_have_finite_curvature(dtype):
    for loss in (fl.AbsoluteError(), fl.Quantile(), fl.AbsolutePercentageError()):
        y = np.ones(3, dtype)
        assert np.all(np.isfinite(curve(loss, y, y.copy(), "auto")[1]))


def test_curvature_of_tweedie_where_an_exponent_is_large(dtype):
    """Rounding the exponent would cost as many units in the last place as it is large."""
    power, y, z = 1.1, np.array([44735788.0, 3e-30], dtype), np.array([-82.40457916259766, 80.125], dtype)
    with mpmath.workdps(30):
        exponent = 2 - mpmath.mpf(power)
        expected = [mpmath.exp(exponent * float(x)) for x in z]
        at_minimum = [mpmath.mpf(float(x)) ** exponent for x in y[:1]]
    _, found = curve(fl.Tweedie(power=power), y, z, "gauss-newton")
    np.testing.assert_allclose(found, np.array(expected, dtype), 2 * np.finfo(dtype).eps)
    _, found = curve(fl.Tweedie(power=power), y[:1], np.array([17.0], dtype), "majorizer")
    np.testing.assert_allclose(found, np.array(at_minimum, dtype), 2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_majorizer_next_to_the_target_where_the_slope_is_subnormal(dtype):
    """The second derivative there, with all its digits."""
    r = np.array([1.25, 30.0], dtype) * np.finfo(dtype).tiny
    for loss, expected in ((fl.GeneralRobust(alpha=0.5, c=3.0), 1 / 9), (fl.SmoothL1(beta=1e10), 1e-10)):
        found = curve(loss, np.zeros(2, dtype), r, "majorizer")[1]
        np.testing.assert_allclose(found, expected, 4 * np.finfo(dtype).eps)
    # A slope that is subnormal far away is none of these.
    assert curve(fl.Huber(delta=2.0**-1030), [0.0], [1.0], "majorizer")[1] == [2.0**-1030]


@pytest.mark.parametrize(
    ("trained", "formula"),
    [
        (fl.Poisson(), lambda y, z: np.exp(z)),
        (fl.Gamma(), lambda y, z: np.ones_like(z)),
        (fl.Tweedie(power=1.3), lambda y, z: np.exp(0.7 * z)),
        (fl.SquaredLogError(), lambda y, z: 2 / (1 + z) ** 2),
        (fl.BinaryCrossEntropy(), lambda y, z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_gauss_newton_is_the_expected_hessian(trained, formula, dtype):
    y, z = (np.array(a, dtype) for a in zip(*points(trained), strict=True))
    np.testing.assert_allclose(curve(trained, y, z, "gauss-newton")[1], formula(y, z), rtol=2e-5)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0, 5.0])
def test_gauss_newton_of_focal_bends_the_logarithm_alone(gamma, dtype):
    # ψ(L) = (1 − e^−L)^γ·L; ψ'(L)·r(1 − r), with ψ' by central differences.
    loss, step = fl.BinaryFocal(gamma=gamma), 1e-5
    y, z = (np.array(a, dtype) for a in zip(*points(loss), strict=True))
    r = 1 / (1 + np.exp(np.where(y > 0, -z, z).astype(float)))
    log = -np.log(r)
    psi = [(1 - np.exp(-(log + s))) ** gamma * (log + s) for s in (step, -step)]
    expected = (psi[0] - psi[1]) / (2 * step) * r * (1 - r)
    np.testing.assert_allclose(curve(loss, y, z, "gauss-newton")[1], expected, rtol=1e-3, atol=1e-8)


@pytest.mark.parametrize("trained", TRAINABLE, ids=repr)
def test_the_others_follow_from_the_hessian(trained, dtype):
    y, z = (np.array(a, dtype) for a in zip(*points(trained), strict=True))
    gradient, hessian = trained.gradient_and_hessian(y, z, reduction="sum")
    for name, expected in [("exact", hessian), ("absolute", np.abs(hessian)), ("unit", np.ones_like(z))]:
        g, c = curve(trained, y, z, name)
        np.testing.assert_array_equal(g, gradient)
        np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize("trained", TRAINABLE, ids=repr)
def test_automatic_is_positive_where_there_is_a_slope(trained):
    y, z = (np.array(a) for a in zip(*points(trained), strict=True))
    g, c = curve(trained, y, z, "auto")
    assert np.all((c > 0) | (g == 0))
    assert np.all(np.isfinite(c))


@pytest.mark.parametrize("name", ["majorizer", "gauss-newton", "unit"])
def test_weights_multiply_once_and_outputs_may_be_strided(name, dtype, rng):
    # Longer than a block, with a tail.
    n, loss = 2500, fl.BinaryFocal(gamma=1.5)
    y, z, w = rng.integers(0, 2, n), rng.normal(0, 3, n).astype(dtype), rng.random(n)
    g, c = curve(loss, y, z, name)
    pairs = np.empty((n, 2))
    weighted = curve(loss, y, z, name, w, (pairs[:, 0], pairs[:, 1]))
    assert weighted[0].base is pairs
    w = w.astype(dtype)
    np.testing.assert_array_equal(pairs[:, 0], (w * g).astype(float))
    np.testing.assert_array_equal(pairs[:, 1], (w * c).astype(float))
    threads = loss._gradient_and_curvature(y, z, w, curvature_code(loss, name), None, 2)
    np.testing.assert_array_equal(threads[1], w * c)


@pytest.mark.parametrize("n_classes", [2, 3, 40, 300])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_of_classes(n_classes, order, dtype, rng):
    n = 23
    z = np.asarray(rng.normal(0, 2, (n, n_classes)), dtype=dtype, order=order)
    y, w = rng.integers(0, n_classes, n), rng.random(n).astype(dtype)
    tolerance = {"rtol": 2e-5 if dtype is np.float32 else 1e-12}
    loss = fl.CrossEntropy()
    h = loss.gradient_and_hessian(y, z, reduction="sum")[1].astype(float)
    for name, factor in [
        ("exact", 1),
        ("absolute", 1),
        ("majorizer", 2),
        ("gauss-newton", n_classes / (n_classes - 1)),
    ]:
        c = curve(loss, y, z, name, w)[1]
        assert c.flags.f_contiguous == (order == "F") or n_classes == 1
        np.testing.assert_allclose(c, factor * h * w[:, None], **tolerance)
    np.testing.assert_array_equal(curve(loss, y, z, "unit", w)[1], np.broadcast_to(w[:, None], z.shape))
    focal = fl.Focal(gamma=2.0)
    g = curve(focal, y, z, "gauss-newton")[0].astype(float)
    p = loss.gradient_and_hessian(y, z, reduction="sum")[0].astype(float)
    # The gradient is ψ'(L) times that of L: p − [y].
    slope = np.take_along_axis(g, y[:, None], 1) / np.take_along_axis(p, y[:, None], 1)
    expected = n_classes / (n_classes - 1) * slope * h
    c = curve(focal, y, z, "gauss-newton")[1]
    np.testing.assert_allclose(c, expected, rtol=1e-4 if dtype is np.float32 else 1e-10)


def test_row_majorizer_is_above_the_full_hessian(rng):
    for z in rng.normal(0, 3, (20, 6)):
        p = fl.CrossEntropy().probabilities(z[None])[0]
        bound = curve(fl.CrossEntropy(), [0], z[None], "majorizer")[1][0]
        assert np.linalg.eigvalsh(np.diag(bound) - (np.diag(p) - np.outer(p, p))).min() > -1e-12


def test_ignored_rows_weigh_nothing():
    loss = fl.CrossEntropy(ignore_index=9)
    for name in ("unit", "majorizer", "auto"):
        g, c = curve(loss, [0, 9], np.zeros((2, 3)), name)
        assert c[0].min() > 0
        assert not g[1].any()
        assert not c[1].any()


def test_a_curvature_that_a_loss_lacks_is_refused():
    with pytest.raises(
        ValueError, match=r"'auto', 'exact', 'absolute', 'unit', 'majorizer' for Huber.*'gauss-newton'"
    ):
        curvature_code(fl.Huber(), "gauss-newton")
    with pytest.raises(ValueError, match="'newton'"):
        curvature_code(fl.BinaryCrossEntropy(), "newton")
    with pytest.raises(ValueError, match="majorizer"):
        curvature_code(fl.MulticlassHinge(), "majorizer")
