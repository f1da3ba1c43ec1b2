"""The reference itself: its gradients are derivatives, its formulas agree with each other, and it is stable.

The other tests take the reference's word for what is true; here it is held to mathematics alone.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import mpmath
import multiprecision
import numpy as np
import pytest
from mpmath import mp

import fastloss as fl
from fastloss import reference
from pointwise import samples
from pointwise import truth as pointwise_truth


def _points(loss: Any, rng: np.random.Generator, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Multi-precision points off the kinks: residuals and margins there are no round numbers."""
    y, z = samples.ordinary(loss, n, np.float64, rng)
    apart = np.abs(z - y) > 1e-3
    return multiprecision.exact(y[apart].astype(object)), multiprecision.exact(z[apart].astype(object))


@pytest.mark.parametrize(("formula", "derivative"), [("_value", "_gradient"), ("_gradient", "_hessian")])
def test_derivatives(loss: Any, formula: str, derivative: str, rng: Any) -> None:
    if not loss.has_gradient:
        pytest.skip("not differentiable")
    twin = multiprecision.twin(loss)
    y, z = _points(loss, rng)
    with mpmath.workdps(80):
        step = mp.mpf(10) ** -25
        f = getattr(twin, formula)
        # Fourth order: the error is of the size step⁴ = 1e-100 times the fifth derivative, and 1e-80/step.
        near, far = f(y, z + step) - f(y, z - step), f(y, z + 2 * step) - f(y, z - 2 * step)
        slope = (8 * near - far) / (12 * step)
        error = np.abs(getattr(twin, derivative)(y, z) - slope)
        assert max(error / (1 + np.abs(slope))) < 1e-40


@pytest.fixture
def mpfr() -> Iterator[None]:
    with multiprecision.by_mpfr():
        yield


@pytest.mark.usefixtures("mpfr")
def test_working_precision_suffices(loss: Any, rng: Any) -> None:
    """The truth of the accuracy tests does not change with many more digits."""
    y, z = samples.hard(loss, np.float64, rng, n=8)
    twin = multiprecision.twin(loss)
    for output in ["value", "gradient", "hessian"][: 3 if loss.has_gradient else 1]:
        formula = getattr(twin, f"_{output}")
        usual = multiprecision.truth(formula, y, z)
        with multiprecision.precision(2500):
            parts = formula(multiprecision.exact(y.astype(object)), multiprecision.exact(z.astype(object)))
            better = [multiprecision._split(x) for x in np.broadcast_to(parts, y.shape)]
        high, low, exponent = (np.array(x) for x in zip(*better, strict=True))
        unit = np.maximum(usual.exponent, exponent)
        if scale := pointwise_truth.CROSSES_ZERO.get((type(loss).__name__, output)):
            unit = np.maximum(unit, multiprecision.truth(functools.partial(scale, twin), y, z).exponent)
        # Below the smallest denormal number the truth is 0 for every purpose.
        seen = unit > -1080
        of_usual, of_better = usual.exponent - unit, exponent - unit
        error = np.ldexp(usual.high, of_usual) - np.ldexp(high, of_better)
        error += np.ldexp(usual.low, of_usual) - np.ldexp(low, of_better)
        assert np.abs(error[seen]).max(initial=0) < 1e-25


def test_float64_agrees_with_multiprecision(loss: Any, rng: Any) -> None:
    """The shim computes what NumPy computes."""
    y, z = samples.ordinary(loss, 300, np.float64, rng)
    plain, exact = reference.twin(loss), multiprecision.twin(loss)
    for name in ["_value", "_gradient", "_hessian"][: 3 if loss.has_gradient else 1]:
        true = multiprecision.truth(getattr(exact, name), y, z)
        expected = np.ldexp(true.high, true.exponent)
        np.testing.assert_allclose(getattr(plain, name)(y, z), expected, rtol=1e-12, atol=1e-14)


def test_every_loss_has_a_twin(loss: Any) -> None:
    twin = reference.twin(loss)
    assert type(twin).__name__ == type(loss).__name__
    assert twin.parameters == loss.parameters
    assert repr(twin) == repr(loss)
    for name in ("family", "has_gradient", "has_hessian", "target_domain", "prediction_domain"):
        assert getattr(twin, name) == getattr(loss, name)


def test_no_twin() -> None:
    with pytest.raises(TypeError, match="SimpleNamespace"):
        reference.twin(SimpleNamespace(parameters={}))


# Invariants, of both the library and the reference: each makes the same call to two losses.


@pytest.fixture(params=[fl, reference], ids=["fastloss", "reference"])
def kit(request: pytest.FixtureRequest) -> Any:
    return request.param


def _all_three(loss: Any, y: Any, z: Any) -> np.ndarray:
    return np.stack(loss.value_gradient_and_hessian(y, z, reduction="none"))


def _residuals(rng: Any, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(0, 2, n), rng.normal(0, 2, n)


def test_mirrored_labels(kit: Any, rng: Any) -> None:
    """Cross-entropies do not change when label and logit are both turned round."""
    z = rng.normal(0, 20, 400)
    signs = np.array([[1], [-1], [1]])
    soft, hard = rng.random(400), rng.integers(0, 2, 400)
    for loss, y in [(kit.BinaryCrossEntropy(), soft), (kit.BinaryFocal(gamma=1.5), hard)]:
        turned = signs * _all_three(loss, 1 - y, -z)
        np.testing.assert_allclose(_all_three(loss, y, z), turned, rtol=1e-12, atol=1e-300)


def test_smooth_l1_is_scaled_huber(kit: Any, rng: Any) -> None:
    y, z = _residuals(rng)
    for beta in (0.25, 0.7, 3.0):
        expected = _all_three(kit.Huber(delta=beta), y, z) / beta
        np.testing.assert_allclose(_all_three(kit.SmoothL1(beta=beta), y, z), expected, rtol=1e-14)


def test_smooth_l1_of_zero_is_absolute(kit: Any, rng: Any) -> None:
    y, z = _residuals(rng)
    absolute = _all_three(kit.AbsoluteError(), y, z)
    np.testing.assert_array_equal(_all_three(kit.SmoothL1(beta=0.0), y, z), absolute)


def test_quantile_and_expectile_at_one_half(kit: Any, rng: Any) -> None:
    y, z = _residuals(rng)
    np.testing.assert_allclose(_all_three(kit.Quantile(), y, z), _all_three(kit.AbsoluteError(), y, z) / 2)
    np.testing.assert_allclose(_all_three(kit.Expectile(), y, z), _all_three(kit.HalfSquaredError(), y, z))


def test_quantile_is_turned_by_its_complement(kit: Any, rng: Any) -> None:
    y, z = _residuals(rng)
    signs = np.array([[1], [-1], [1]])
    for cls in (kit.Quantile, kit.Expectile):
        turned = signs * _all_three(cls(q=0.75), z, y)
        np.testing.assert_allclose(_all_three(cls(q=0.25), y, z), turned, rtol=1e-14)


def test_tweedie_ends_are_poisson_and_gamma(kit: Any, rng: Any) -> None:
    y, z = rng.uniform(0.01, 5, 400), rng.uniform(-2, 2, 400)
    for power, loss in [(1.0, kit.Poisson()), (2.0, kit.Gamma())]:
        tweedie = _all_three(kit.Tweedie(power=power), y, z)
        np.testing.assert_allclose(tweedie, _all_three(loss, y, z), rtol=1e-14)
    # Near the ends the values are those less a constant, -y/(1 - p) and 1/(2 - p).
    h = 2.0**-20
    near_poisson = kit.Tweedie(power=1 + h)(y, z, reduction="none") - y / h
    np.testing.assert_allclose(near_poisson, kit.Poisson()(y, z, reduction="none"), rtol=0, atol=1e-3)
    near_gamma = kit.Tweedie(power=2 - h)(y, z, reduction="none") - 1 / h
    np.testing.assert_allclose(near_gamma, kit.Gamma()(y, z, reduction="none"), rtol=0, atol=1e-3)


@pytest.mark.parametrize("from_logits", [True, False])
def test_focal_without_focus_is_cross_entropy(kit: Any, from_logits: bool, rng: Any) -> None:
    y = rng.integers(0, 2, 400)
    z = rng.normal(0, 100, 400) if from_logits else rng.random(400)
    focal = _all_three(kit.BinaryFocal(gamma=0.0, from_logits=from_logits), y, z)
    cross_entropy = _all_three(kit.BinaryCrossEntropy(from_logits=from_logits), y, z)
    np.testing.assert_allclose(focal, cross_entropy, rtol=1e-13)


def test_logits_and_probabilities_agree(kit: Any, rng: Any) -> None:
    y, z = rng.integers(0, 2, 400), rng.normal(0, 2, 400)
    p = 1 / (1 + np.exp(-z))
    for cls in (kit.BinaryCrossEntropy, kit.BinaryFocal):
        of_logit, of_p = cls(), cls(from_logits=False)
        np.testing.assert_allclose(of_logit(y, z, reduction="none"), of_p(y, p, reduction="none"), rtol=1e-12)
        chain = of_p.gradient(y, p, reduction="none") * p * (1 - p)
        np.testing.assert_allclose(of_logit.gradient(y, z, reduction="none"), chain, rtol=1e-12)


def test_zero_and_minus_one_are_one_label(kit: Any, rng: Any) -> None:
    z = rng.normal(0, 2, 400)
    y = rng.integers(0, 2, 400)
    for cls in (kit.Perceptron, kit.Hinge, kit.SquaredHinge, kit.Exponential, kit.WassersteinCritic):
        np.testing.assert_array_equal(_all_three(cls(), y, z), _all_three(cls(), 2 * y - 1, z))


@pytest.mark.parametrize(
    "name", ["SquaredError", "AbsoluteError", "Huber", "LogCosh", "PseudoHuber", "Cauchy", "Welsch", "Tukey"]
)
def test_even_in_the_residual_and_least_at_zero(kit: Any, name: str, rng: Any) -> None:
    r = rng.normal(0, 3, 400)
    loss, zero = getattr(kit, name)(), np.zeros(400)
    signs = np.array([[1], [-1], [1]])
    np.testing.assert_array_equal(_all_three(loss, zero, r), signs * _all_three(loss, zero, -r))
    assert loss(r, r) == 0
    assert not loss.gradient(r, r).any()
    assert (loss(zero, r, reduction="none") > 0).all()


def test_wide_pseudo_huber_is_half_squared_and_narrow_is_absolute(kit: Any, rng: Any) -> None:
    y, z = _residuals(rng)
    wide = kit.PseudoHuber(delta=1e9)
    np.testing.assert_allclose(_all_three(wide, y, z), _all_three(kit.HalfSquaredError(), y, z), rtol=1e-12)
    narrow = kit.PseudoHuber(delta=1e-9).gradient(y, z, reduction="none") / 1e-9
    np.testing.assert_allclose(narrow, np.sign(z - y), rtol=1e-9)


@pytest.mark.parametrize("name", ["Cauchy", "Welsch", "Tukey"])
def test_wide_redescending_is_half_squared(kit: Any, name: str, rng: Any) -> None:
    y, z = _residuals(rng)
    loss = getattr(kit, name)(c=1e9)
    np.testing.assert_allclose(_all_three(loss, y, z), _all_three(kit.HalfSquaredError(), y, z), rtol=1e-12)


def test_log_links_are_least_at_the_logarithm(kit: Any, rng: Any) -> None:
    y = rng.uniform(0.1, 30, 400)
    for loss in (kit.Poisson(), kit.Gamma(), kit.Tweedie(), kit.Tweedie(power=1.2)):
        np.testing.assert_allclose(loss.gradient(y, np.log(y), reduction="none"), 0, atol=1e-12)
        least = loss(y, np.log(y), reduction="none")
        for step in (-0.1, 0.1):
            assert (loss(y, np.log(y) + step, reduction="none") > least).all()
