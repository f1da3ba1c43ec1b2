"""Sums, multiples and clipped losses: their values, one pass, one object."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from conftest import LOSSES

import fastloss as fl
from fastloss.formulas.composition import _TEXTS, _text, as_formula

HAVE_FORMULAS = [loss for loss in LOSSES if _text(loss) is not None]


def arguments(one: fl.PointwiseLoss) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y, z = rng.normal(0, 2, (2, 500))
    if one.target_domain.high == 1:
        y = (y > 0) * 1.0
    elif one.target_domain.low > -np.inf:
        y = np.abs(y) + 0.1
    if one.prediction_domain.high == 1:
        return y, 1 / (1 + np.exp(-z))
    return y, np.abs(z) + 0.1 if one.prediction_domain.low > -np.inf else z


@pytest.mark.parametrize("one", HAVE_FORMULAS, ids=repr)
def test_the_formula_of_a_loss_is_the_loss(one: fl.PointwiseLoss) -> None:
    made = as_formula(one)
    assert (made.target_domain, made.prediction_domain) == (one.target_domain, one.prediction_domain)
    y, z = arguments(one)
    found = made.value_gradient_and_hessian(y, z, reduction="none")
    expected = one.value_gradient_and_hessian(y, z, reduction="none")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13 * max(1.0, np.abs(b).max()))


def test_every_loss_of_the_table_is_tried() -> None:
    assert {one.name for one in HAVE_FORMULAS} == {*_TEXTS}
    without = {one.name for one in LOSSES if isinstance(one, fl.PointwiseLoss)} - {*_TEXTS}
    assert without == {"zero_one"}


def test_sums_and_multiples() -> None:
    y, z = arguments(fl.Huber())
    made = fl.Huber(2.0) + 0.5 * fl.Quantile(0.9)
    parts = fl.Huber(2.0), fl.Quantile(0.9)
    np.testing.assert_allclose(
        made.gradient(y, z, reduction="none"),
        parts[0].gradient(y, z, reduction="none") + 0.5 * parts[1].gradient(y, z, reduction="none"),
        rtol=1e-14,
    )
    assert made(y, z) == pytest.approx(parts[0](y, z) + 0.5 * parts[1](y, z))
    assert made.parameters == {"delta": 2.0, "q": 0.9}
    assert pickle.loads(pickle.dumps(made)) == made == eval(repr(made), {"formula": fl.formula})
    w = np.random.default_rng(1).uniform(0, 2, len(y))
    assert made(y, z, sample_weight=w) == pytest.approx(
        parts[0](y, z, sample_weight=w) + 0.5 * parts[1](y, z, sample_weight=w)
    )


def test_parameters_of_one_name() -> None:
    made = fl.Huber(1.0) + fl.Huber(3.0) + fl.PseudoHuber(3.0)
    assert made.parameters == {"delta": 1.0, "delta_2": 3.0}
    assert made([0.0], [10.0]) == pytest.approx(9.5 + 25.5 + 9 * (np.sqrt(1 + 100 / 9) - 1))


def test_a_clipped_loss() -> None:
    made = fl.SquaredError().clip(max=4.0)
    value, gradient, hessian = made.value_gradient_and_hessian([0, 0, 0], [1, 2, 9], reduction="none")
    np.testing.assert_array_equal(value, [1, 4, 4])
    np.testing.assert_array_equal(gradient, [2, 0, 0])
    np.testing.assert_array_equal(hessian, [2, 0, 0])
    with pytest.raises(ValueError, match="max must be in"):
        fl.SquaredError().clip(max=-1.0)


def test_a_parameter_named_like_the_method() -> None:
    chosen = fl.AsymmetricLoss(clip=0.1)
    assert chosen.clip == chosen.parameters["clip"] == 0.1
    clipped = fl.PointwiseLoss.clip(chosen, max=4.0)
    assert clipped([1.0], [-9.0]) == 4
    assert clipped([1.0], [-2.0]) == pytest.approx(chosen([1.0], [-2.0]))


def test_relative_errors_where_target_and_prediction_are_0() -> None:
    made = fl.SymmetricAbsolutePercentageError() + fl.AbsolutePercentageError()
    y, z = [0.0, 1.0, 2.0], [0.0, 3.0, -1.0]
    value, gradient, _ = made.value_gradient_and_hessian(y, z, reduction="none")
    np.testing.assert_allclose(value, [0, 3, 3.5], rtol=1e-15)
    np.testing.assert_allclose(gradient, [0, 1.25, -0.5], rtol=1e-15)


def test_domains_are_narrowed() -> None:
    both = fl.BinaryCrossEntropy() + 0.1 * fl.Hinge()
    assert both.target_domain == fl.Domain(0.0, 1.0, True)
    poisson = fl.Poisson() + 0.1 * fl.SquaredError()
    assert poisson.target_domain == fl.Poisson().target_domain
    with pytest.raises(ValueError, match="nothing in common"):
        fl.Gamma() + fl.Hinge()


def test_what_cannot_be_added() -> None:
    with pytest.raises(TypeError, match="has no formula"):
        fl.Huber() + fl.ZeroOne()
    with pytest.raises(TypeError):
        fl.Huber() + 1
    with pytest.raises(TypeError):
        fl.Huber() * "2"
    with pytest.raises(TypeError, match="derivatives of its own"):
        fl.Huber() + fl.formula("z*z", gradient="z")
