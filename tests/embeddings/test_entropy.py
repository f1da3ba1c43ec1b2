"""Entropy, and the divergence of normal codes: losses of what is predicted alone."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp
from multiprecision import DIGITS, exact

import fastloss as fl
from embeddings import truth as embedding_truth
from embeddings.samples import ENTROPIES, ordinary
from embeddings.truth import _twin
from fastloss import reference


def distributions(n: int, c: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of probabilities of all sizes, exact zeros and certain classes among them."""
    p = rng.random((n, c)) ** rng.choice([1, 5, 60], (n, 1))
    p[::7, 0] = 0
    p /= p.sum(axis=1, keepdims=True)
    p[::5] = np.arange(c) == 1
    return p


@pytest.mark.parametrize("c", [2, 3, 10, 130])
def test_cross_entropy_is_entropy_and_divergence(c: int, rng: Any) -> None:
    """In 50 digits and in float64: each of the three within its bound, so the sum to the last digits."""
    p, q = distributions(60, c, rng), rng.random((60, c)) + 1e-3
    q /= q.sum(axis=1, keepdims=True)
    z = np.log(q)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        h, kl = fl.Entropy()(p, reduction="none"), fl.KLDivergence()(p, q, reduction="none")
        cross = fl.CrossEntropy(from_logits=False)(p, q, reduction="none")
        from_logits = fl.CrossEntropy()(p, z, reduction="none")
        kl_of_logits = fl.KLDivergence(from_logits=True)(p, z, reduction="none")
    eps = np.finfo(float).eps
    with mpmath.workdps(DIGITS):
        for i in range(len(p)):
            pairs = [(mp.mpf(a), mp.mpf(b)) for a, b in zip(p[i], q[i], strict=True) if a > 0]
            true_h = -sum(a * mp.log(a) for a, _ in pairs)
            true_kl = sum(a * mp.log(a / b) for a, b in pairs)
            true_cross = -sum(a * mp.log(b) for a, b in pairs)
            assert abs(true_h + true_kl - true_cross) < mp.mpf(10) ** (5 - DIGITS)
            terms = float(sum(a * (abs(mp.log(a)) + abs(mp.log(b))) for a, b in pairs))
            assert abs(h[i] - true_h) <= 4 * eps * true_h
            assert abs(kl[i] - true_kl) <= 8 * eps * terms
            assert abs(cross[i] - true_cross) <= 8 * eps * true_cross
            assert abs(h[i] + kl[i] - cross[i]) <= 8 * eps * terms
            assert abs(h[i] + kl_of_logits[i] - from_logits[i]) <= 16 * eps * terms


def test_by_hand() -> None:
    assert fl.Entropy()([[0.5, 0.25, 0.25]]) == pytest.approx(1.5 * np.log(2), rel=1e-15)
    np.testing.assert_array_equal(fl.Entropy()([[1, 0, 0], [0, 1, 0]], reduction="none"), [0.0, 0.0])
    assert not np.signbit(fl.Entropy()([[0.0, 1.0]]))
    gradient = fl.Entropy().gradient([[0.25, 0.75, 0.0], [0.0, 1.0, 0.0]], reduction="sum")
    np.testing.assert_allclose(
        gradient, [[np.log(4) - 1, np.log(4 / 3) - 1, np.inf], [np.inf, -1, np.inf]], rtol=1e-15
    )
    # Two classes with the odds e^t: H = log(1 + e^t) − t·e^t/(1 + e^t), dH/dt = −t·p(1 − p).
    t, p = 1.25, 1 / (1 + np.exp(-1.25))
    value, gradient = fl.Entropy(from_logits=True).value_and_gradient([[t, 0.0]])
    assert value == pytest.approx(np.log1p(np.exp(t)) - t * p, rel=1e-14)
    np.testing.assert_allclose(gradient, [[-t * p * (1 - p), t * p * (1 - p)]], rtol=1e-14)


def test_masked_and_certain_logits() -> None:
    z = [[0.0, -np.inf, 1.0], [1000.0, 0.0, -1000.0], [-np.inf, -np.inf, -np.inf]]
    value, gradient = fl.Entropy(from_logits=True).value_and_gradient(z, reduction="none")
    assert value[0] == pytest.approx(fl.Entropy(from_logits=True)([[0.0, 1.0]]), rel=1e-15)
    assert value[1] == 0.0
    assert gradient[0, 1] == 0.0
    np.testing.assert_array_equal(gradient[1], [0, 0, 0])
    assert np.isnan(value[2])
    assert np.isnan(gradient[2]).all()


@pytest.mark.parametrize("of", ENTROPIES, ids=repr)
def test_error(of: Any, dtype: Any, rng: Any) -> None:
    """Within 4 units in the last place, or of the terms' where they cancel; hard rows too."""
    for n, c in ((60, 2), (40, 3), (10, 17), (3, 1000)):
        samples = [ordinary(of, n, c, dtype, rng)[0]]
        if of.from_logits:
            samples.append((rng.normal(size=(n, c)) * 30).astype(dtype))
        else:
            samples.append(np.maximum(distributions(n, c, rng), 1e-30).astype(dtype))
            samples.append((1 - np.array([1e-3, 1e-6])[:, None] * rng.random((2, c))).astype(dtype))
        for z in samples:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value, gradient = of.value_and_gradient(z, reduction="none")
            for found in embedding_truth.errors(of, (z,), [value, gradient]):
                assert found.max() <= 4


@pytest.mark.parametrize("of", ENTROPIES, ids=repr)
def test_the_twins_gradient_is_the_derivative(of: Any, rng: Any) -> None:
    (z,) = ordinary(of, 5, 4, np.float64, rng)
    with mpmath.workdps(80):
        point, direction = exact(z.astype(object)), exact(rng.normal(size=z.shape).astype(object))
        w, step = exact(rng.uniform(0.5, 2, 5).astype(object)), mp.mpf(10) ** -25
        (gradient,) = _twin(of)._gradients(w, point)
        ahead, behind = (_twin(of)._values(point + t * direction) for t in (step, -step))
        slope = np.sum(w * (ahead - behind)) / (2 * step)
        assert abs(np.sum(gradient * direction) - slope) < mp.mpf(10) ** -38


@pytest.mark.parametrize("of", ENTROPIES, ids=repr)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_outputs_and_the_twin(of: Any, reduction: str, dtype: Any, rng: Any) -> None:
    (z,) = ordinary(of, 300, 7, dtype, rng)
    w = rng.integers(0, 3, 300)
    expected = reference.twin(of).value_and_gradient(z.astype(float), sample_weight=w, reduction=reduction)
    value, gradient = of.value_and_gradient(z, sample_weight=w, reduction=reduction)
    assert gradient.dtype == dtype
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(value, expected[0], **tolerance)
    np.testing.assert_allclose(gradient, expected[1], **tolerance)
    np.testing.assert_array_equal(of(z, sample_weight=w, reduction=reduction), value)
    np.testing.assert_array_equal(of.gradient(z, sample_weight=w, reduction=reduction, n_threads=2), gradient)
    over = z.copy()
    assert of.gradient(over, sample_weight=w, reduction=reduction, out=over) is over
    np.testing.assert_array_equal(over, gradient)
    fortran = np.asfortranarray(z)
    np.testing.assert_array_equal(of.gradient(fortran, sample_weight=w, reduction=reduction), gradient)


def test_rows_of_weight_0_are_as_if_they_were_not_there() -> None:
    value, gradient = fl.Entropy().value_and_gradient([[0.5, 0.5], [0.0, 1.0]], sample_weight=[1, 0])
    assert value == np.log(2)
    np.testing.assert_array_equal(gradient[1], [0, 0])
    z = [[0.0, 0.0], [np.nan, 1.0]]
    assert fl.Entropy(from_logits=True)(z, sample_weight=[2, 0]) == pytest.approx(np.log(2), rel=1e-15)


def test_bad_input() -> None:
    p = np.full((4, 2), 0.5)
    for bad in (-0.1, np.nan, np.inf):
        spoilt = p.copy()
        spoilt[2, 1] = bad
        for verb in ("__call__", "gradient", "value_and_gradient"):
            for reduction in ("mean", "none"):
                with pytest.raises(fl.DomainError, match=rf"y_pred\[2, 1\] = {bad} is outside .* of Entropy"):
                    getattr(fl.Entropy(), verb)(spoilt, reduction=reduction)
    with pytest.warns(UserWarning, match=r"Entropy: y_pred\[1\] sums to 1.1 instead of 1"):
        fl.Entropy()([[0.5, 0.5], [0.5, 0.6]])
    with pytest.raises(ValueError, match=r"y_pred has shape \(3,\), expected \(n, d\)"):
        fl.Entropy()([0.2, 0.3, 0.5])
    with pytest.raises(ValueError, match=r"sample_weight\[1\] = -1"):
        fl.Entropy()(p, sample_weight=[1, -1, 1, 1])
    with pytest.raises(ValueError, match="the weights sum to 0"):
        fl.Entropy()(p, sample_weight=np.zeros(4))
    with pytest.raises(ValueError, match="y_pred is empty"):
        fl.Entropy()(p[:0])
    with pytest.raises(ValueError, match="reduction must be"):
        fl.Entropy().gradient(p, reduction="avg")
    with pytest.raises(TypeError, match="not diagonal"):
        fl.Entropy().gradient_and_hessian(p)
    with pytest.raises(TypeError, match="from_logits must be True or False"):
        fl.Entropy(from_logits=1)
    with pytest.raises(ValueError, match="out overlaps y_pred without being the same"):
        fl.Entropy().gradient(p, out=p[::-1])


def test_objects() -> None:
    for of in ENTROPIES:
        assert pickle.loads(pickle.dumps(of)) == of == fl.get_loss("entropy", **of.parameters)
        assert repr(reference.twin(of)) == repr(of)
        assert (of.targets, of.predicts, of.has_hessian) == ("none", "distribution", False)
    assert fl.GaussianKL() == fl.get_loss("gaussian_kl")


def test_added_to_another_loss(rng: Any) -> None:
    """The penalty of predictions that are too sure: the gradients by the two arguments belong together."""
    y, z = rng.integers(0, 3, 20), rng.normal(size=(20, 3))
    made = fl.CrossEntropy() + -0.1 * fl.Entropy(from_logits=True)
    value, (first, second) = made.value_and_gradient(y, z, z)
    assert value == pytest.approx(fl.CrossEntropy()(y, z) - 0.1 * fl.Entropy(from_logits=True)(z), rel=1e-14)
    np.testing.assert_allclose(first, fl.CrossEntropy().gradient(y, z), rtol=1e-14)
    np.testing.assert_allclose(second, -0.1 * fl.Entropy(from_logits=True).gradient(z), rtol=1e-14)


def test_other_libraries_entropy(rng: Any) -> None:
    special = pytest.importorskip("scipy.special")
    p = distributions(50, 6, rng)
    np.testing.assert_allclose(
        fl.Entropy()(p, reduction="none"), special.entr(p).sum(axis=1), rtol=1e-14, atol=0
    )
    torch = pytest.importorskip("torch")
    from fastloss.adapters.torch import module

    z = torch.tensor(rng.normal(size=(30, 5)), requires_grad=True)
    module(fl.Entropy(from_logits=True))(z).backward()
    found = z.grad.clone()
    z.grad = None
    torch.distributions.Categorical(logits=z).entropy().mean().backward()
    torch.testing.assert_close(found, z.grad, rtol=1e-11, atol=1e-15)


def test_codes_beside_torch(rng: Any) -> None:
    torch = pytest.importorskip("torch")
    from fastloss.adapters.torch import module

    mean, log_variance = (torch.tensor(rng.normal(size=(40, 7)), requires_grad=True) for _ in range(2))
    value = module(fl.GaussianKL())(mean, log_variance)
    value.backward()
    found = mean.grad.clone(), log_variance.grad.clone()
    mean.grad = log_variance.grad = None
    normal = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    true = torch.distributions.kl_divergence(normal, prior).sum(dim=1).mean()
    true.backward()
    torch.testing.assert_close(value, true, rtol=1e-12, atol=0)
    torch.testing.assert_close(found[0], mean.grad, rtol=1e-11, atol=1e-15)
    torch.testing.assert_close(found[1], log_variance.grad, rtol=1e-10, atol=1e-15)


def test_codes_of_one_matrix(rng: Any) -> None:
    """The halves of an encoder's output; its gradient goes into the halves of another."""
    h, out = rng.normal(size=(30, 8)), np.empty((30, 8))
    value, _ = fl.GaussianKL().value_and_gradient(h[:, :4], h[:, 4:], out=(out[:, :4], out[:, 4:]))
    m, v = h[:, :4], h[:, 4:]
    assert value == pytest.approx(0.5 * (m**2 + np.exp(v) - 1 - v).sum() / 30, rel=1e-13)
    np.testing.assert_allclose(out, np.hstack([m, np.expm1(v) / 2]) / 30, rtol=1e-13)


def test_codes_near_the_prior_and_far_from_it(dtype: Any) -> None:
    """Where e^v − 1 − v cancels, and where it overflows."""
    sizes = [1e-30, 1e-12, 1e-7, 1e-3, 0.3, 1.0, 30.0, 80.0]
    v = np.array([[s * x for x in (1, -1, 0.7)] for s in sizes], dtype)
    m = np.array([[1e-15, 1e-9, 0], *[[0, 0, 0]] * 6, [3.0, -1e10, 1e15]], dtype)
    value, gradients = fl.GaussianKL().value_and_gradient(m, v, reduction="none")
    for found in embedding_truth.errors(fl.GaussianKL(), (m, v), [value, *gradients]):
        assert found.max() <= 4
    value, (by_mean, by_v) = fl.GaussianKL().value_and_gradient([[np.inf], [0.0]], [[0.0], [-np.inf]])
    assert value == np.inf
    np.testing.assert_array_equal(by_mean, [[np.inf], [0]])
    np.testing.assert_array_equal(by_v, [[0], [-0.25]])
    assert fl.GaussianKL()([[0.0]], [[0.0]]) == 0
