"""The modules beside PyTorch's own losses, where these mean the same.

Class indices, soft labels, divergences and the multi-class margin are compared in rows/test_options.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl

torch = pytest.importorskip("torch")
F = torch.nn.functional

from fastloss.adapters.torch import module  # noqa: E402  # it needs torch

N = 500


def _gaussian(z: Any, y: Any, reduction: str) -> Any:
    return F.gaussian_nll_loss(z, y, torch.ones_like(z), reduction=reduction)


def _distance(z: Any, y: Any, reduction: str) -> Any:
    each = torch.linalg.vector_norm(z - y, dim=1)
    return each if reduction == "none" else getattr(each, reduction)()


def _with(function: Any, **options: Any) -> Any:
    return lambda *tensors, reduction: function(*tensors, reduction=reduction, **options)


#: Our loss, PyTorch's, and the kind of targets.
PAIRS = [
    (fl.SquaredError(), F.mse_loss, "real"),
    (fl.HalfSquaredError(), _gaussian, "real"),
    (fl.AbsoluteError(), F.l1_loss, "real"),
    (fl.Huber(delta=0.7), _with(F.huber_loss, delta=0.7), "real"),
    (fl.SmoothL1(beta=0.7), _with(F.smooth_l1_loss, beta=0.7), "real"),
    (fl.SmoothL1(beta=0.0), _with(F.smooth_l1_loss, beta=0.0), "real"),
    (fl.Poisson(), F.poisson_nll_loss, "counts"),
    (fl.BinaryCrossEntropy(), F.binary_cross_entropy_with_logits, "share"),
    (
        fl.BinaryCrossEntropy(pos_weight=3.0),
        _with(F.binary_cross_entropy_with_logits, pos_weight=torch.tensor(3.0)),
        "share",
    ),
    (fl.BinaryCrossEntropy(from_logits=False), F.binary_cross_entropy, "share of a share"),
    (
        fl.BinaryCrossEntropy(),
        lambda z, y, reduction: F.soft_margin_loss(z, 2 * y - 1, reduction=reduction),
        "0 or 1",
    ),
    (fl.EuclideanError(), _distance, "rows"),
    (
        fl.CrossEntropy(from_logits=False, class_weight=[1.0, 2.0, 0.5, 3.0], ignore_index=1),
        lambda z, y, reduction: F.nll_loss(
            z.log(), y, torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=z.dtype), reduction=reduction, ignore_index=1
        ),
        "classes of shares",
    ),
]


def _sample(kind: str, rng: Any) -> tuple[Any, Any]:
    """Input and target, in float64."""
    z = rng.normal(0, 3, N)
    if kind == "real":
        return z, rng.normal(0, 3, N)
    if kind == "counts":
        return z, rng.poisson(2, N).astype(float)
    if kind == "share":
        return z, rng.uniform(0, 1, N)
    if kind == "share of a share":
        return rng.uniform(0.01, 0.99, N), rng.uniform(0, 1, N)
    if kind == "0 or 1":
        return z, rng.integers(0, 2, N).astype(float)
    if kind == "rows":
        return z.reshape(-1, 5), rng.normal(0, 3, (N // 5, 5))
    return rng.dirichlet(np.ones(4), N), rng.integers(0, 4, N)


def _value_and_gradient(function: Any, z: Any, y: Any) -> tuple[Any, Any]:
    z = torch.tensor(z, requires_grad=True)
    value = function(z, torch.tensor(y))
    # A gradient from above that differs from entry to entry.
    value.backward(torch.linspace(1, 2, value.numel(), dtype=value.dtype).reshape(value.shape))
    return value.detach().numpy(), z.grad.numpy()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("ours", "theirs", "kind"), PAIRS, ids=[f"{p[0]!r}-{p[2]}" for p in PAIRS])
def test_as_torch(ours: Any, theirs: Any, kind: str, reduction: str, rng: Any) -> None:
    z, y = _sample(kind, rng)
    value, gradient = _value_and_gradient(module(ours, reduction), z, y)
    expected, slopes = _value_and_gradient(lambda z, y: theirs(z, y, reduction=reduction), z, y)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-11, atol=1e-13 * np.abs(slopes).max())


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_weights_as_torch(reduction: str, rng: Any) -> None:
    """Its means divide by the number of samples, ours by the sum of the weights."""
    z, y = _sample("share", rng)
    w = torch.tensor(rng.uniform(0.5, 2, N))
    criterion = module(fl.BinaryCrossEntropy(), reduction)
    value, gradient = _value_and_gradient(lambda z, y: criterion(z, y, w), z, y)
    expected, slopes = _value_and_gradient(
        lambda z, y: F.binary_cross_entropy_with_logits(z, y, w, reduction=reduction), z, y
    )
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_embeddings_as_torch(reduction: str, rng: Any) -> None:
    a, b, c = (torch.tensor(rng.normal(size=(50, 8)), requires_grad=True) for _ in range(3))
    y = torch.tensor(rng.choice([-1, 1], 50))
    above = (
        torch.linspace(1, 2, 50, dtype=a.dtype) if reduction == "none" else torch.tensor(2.0, dtype=a.dtype)
    )
    for ours, theirs, tensors in [
        (fl.CosineEmbedding(margin=0.2), _with(F.cosine_embedding_loss, margin=0.2), (a, b, y)),
        (
            fl.Triplet(margin=1.0, squared=False),
            lambda a, p, n, reduction: F.triplet_margin_loss(a, p, n, margin=1.0, eps=0, reduction=reduction),
            (a, b, c),
        ),
    ]:
        value = module(ours, reduction)(*tensors)
        expected = theirs(*tensors, reduction=reduction)
        # A value near the margin is a difference of numbers near 1.
        np.testing.assert_allclose(value.detach(), expected.detach(), rtol=1e-11, atol=1e-13)
        wanted = [x for x in tensors if x.requires_grad]
        found, slopes = (torch.autograd.grad(x, wanted, above) for x in (value, expected))
        for gradient, slope in zip(found, slopes, strict=True):
            np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-13)


def test_the_tails_are_better_than_torchs() -> None:
    """A confident right answer: log1p(e^-40), where PyTorch's float32 gradient p - y is 0."""
    z = torch.tensor([40.0], requires_grad=True)
    module(fl.BinaryCrossEntropy())(z, torch.ones(1)).backward()
    np.testing.assert_allclose(z.grad, [-np.exp(-40.0)], rtol=1e-6)
