"""PyTorch: the module's values, gradients, memory, and what it refuses."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import fastloss as fl

torch = pytest.importorskip("torch")

from fastloss.adapters.torch import EmbeddingModule, LossModule, module  # noqa: E402  # it needs torch

REDUCTIONS = ("mean", "sum", "none")


def _target(loss: Any, shape: tuple[int, ...], rng: Any) -> Any:
    """Targets in the domain of a pointwise loss."""
    low, high, integral, _ = loss.target_domain
    if integral:
        return torch.tensor(rng.integers(max(low, 0), high + 1, shape))
    if np.isfinite(high):
        return torch.tensor(rng.uniform(low, high, shape))
    return torch.tensor(rng.uniform(0.5, 2, shape) if np.isfinite(low) else rng.normal(size=shape))


def _input(loss: Any, shape: tuple[int, ...], rng: Any) -> Any:
    low, high = loss.prediction_domain[:2]
    values = rng.uniform(0.1, 0.9, shape) if np.isfinite(high) else rng.normal(size=shape)
    return torch.tensor(np.abs(values) if np.isfinite(low) else values)


ROW_LOSSES = [
    fl.CrossEntropy(),
    fl.CrossEntropy(class_weight=[1, 0.5, 2, 3, 0.1], label_smoothing=0.1, ignore_index=2),
    fl.Focal(gamma=1.5, alpha=[1, 0.5, 2, 3, 0.1]),
    fl.MulticlassHinge(),
    fl.MulticlassHinge(kind="weston-watkins"),
    fl.EuclideanError(),
    fl.KLDivergence(from_logits=True),
    fl.JSDivergence(),
]


def _rows(loss: Any, rng: Any) -> tuple[Any, Any]:
    """Input and target of a row loss."""
    dense = torch.tensor(rng.dirichlet(np.ones(5), 7))
    if isinstance(loss, fl.JSDivergence):
        return torch.tensor(rng.dirichlet(np.ones(5), 7)), dense
    logits = torch.tensor(rng.normal(size=(7, 5)))
    return logits, dense if loss.family in ("regression", "distribution") else torch.tensor(
        rng.integers(0, 5, 7)
    )


# Values and gradients


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_value_and_gradient_are_the_losss(smooth_loss: Any, reduction: str, dtype: Any, rng: Any) -> None:
    z, y = _input(smooth_loss, (6, 4), rng), _target(smooth_loss, (6, 4), rng)
    z = torch.tensor(z.numpy().astype(dtype), requires_grad=True)
    w = torch.tensor(rng.uniform(0.5, 2, 6))
    value = module(smooth_loss, reduction)(z, y, w)
    expected, gradient = smooth_loss.value_and_gradient(
        y.numpy(), z.detach().numpy(), sample_weight=w.numpy(), reduction=reduction
    )
    assert value.dtype == z.dtype
    assert value.shape == (z.shape if reduction == "none" else ())
    np.testing.assert_array_equal(value.detach().numpy(), np.asarray(expected, dtype))
    value.sum().backward()
    assert z.grad.dtype == z.dtype
    np.testing.assert_array_equal(z.grad.numpy(), gradient)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradcheck(smooth_loss: Any, reduction: str, rng: Any) -> None:
    """By finite differences, with a gradient from above that is not 1, through what comes below."""
    z, y = _input(smooth_loss, (9,), rng), _target(smooth_loss, (9,), rng)
    w = torch.tensor(rng.uniform(0.5, 2, 9))
    criterion = module(smooth_loss, reduction)
    scale = torch.tensor(rng.uniform(0.5, 2, 9 if reduction == "none" else ()))
    assert torch.autograd.gradcheck(lambda z: scale * criterion(z, y, w), z.requires_grad_())


@pytest.mark.filterwarnings("ignore:.*rows are used as given")  # those that differ by a finite difference
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("row_loss", ROW_LOSSES, ids=repr)
def test_gradcheck_of_rows(row_loss: Any, reduction: str, rng: Any) -> None:
    z, y = _rows(row_loss, rng)
    w = torch.tensor(rng.uniform(0.5, 2, 7))
    criterion = module(row_loss, reduction)
    scale = torch.tensor(rng.uniform(0.5, 2, 7 if reduction == "none" else ()))
    assert torch.autograd.gradcheck(lambda z: scale * criterion(z, y, w), z.requires_grad_())
    np.testing.assert_array_equal(
        criterion(z, y, w).detach(),
        row_loss(y.numpy(), z.detach().numpy(), sample_weight=w.numpy(), reduction=reduction),
    )


EMBEDDING_LOSSES = [
    fl.Contrastive(margin=1.5),
    fl.CosineEmbedding(margin=0.1),
    fl.Triplet(margin=1.0),
    fl.Triplet(margin=1.0, squared=False),
    fl.CenterLoss(),
    fl.NTXent(temperature=0.5),
]


def _embeddings(loss: Any, rng: Any) -> list[Any]:
    """The arguments of a loss of embeddings, labels last."""
    rows = [torch.tensor(rng.normal(size=(7, 3))) for _ in range(3)]
    if isinstance(loss, fl.Triplet):
        return rows
    if isinstance(loss, fl.NTXent):
        return rows[:2]
    if isinstance(loss, fl.CenterLoss):
        return [rows[0], rows[1][:4], torch.tensor(rng.integers(0, 4, 7))]
    return [*rows[:2], torch.tensor(rng.integers(0, 2, 7))]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("embedding_loss", EMBEDDING_LOSSES, ids=repr)
def test_gradcheck_of_embeddings(embedding_loss: Any, reduction: str, rng: Any) -> None:
    tensors = _embeddings(embedding_loss, rng)
    criterion = module(embedding_loss, reduction)
    assert isinstance(criterion, EmbeddingModule)
    options = (
        {}
        if isinstance(embedding_loss, fl.NTXent)
        else {"sample_weight": torch.tensor(rng.uniform(0.5, 2, 7))}
    )
    weights = {name: w.numpy() for name, w in options.items()}
    np.testing.assert_array_equal(
        criterion(*tensors, **options),
        embedding_loss(*(x.numpy() for x in tensors), reduction=reduction, **weights),
    )
    floating = [x for x in tensors if x.is_floating_point()]
    labels = tensors[len(floating) :]
    scale = torch.tensor(rng.uniform(0.5, 2, 7 if reduction == "none" else ()))
    for x in floating:
        x.requires_grad_()
    if reduction == "none" and isinstance(embedding_loss, fl.NTXent | fl.CenterLoss):
        with pytest.raises(ValueError, match=r"none.* have no gradients"):
            criterion(*tensors)
        return
    assert torch.autograd.gradcheck(lambda *x: scale * criterion(*x, *labels, **options), floating)


def test_embeddings_without_a_gradient_get_none() -> None:
    a, b = torch.tensor([[3.0, 4.0]], requires_grad=True), torch.zeros(1, 2)
    module(fl.Contrastive())(a, b, torch.ones(1)).backward()
    assert a.grad.tolist() == [[6.0, 8.0]]
    assert b.grad is None


# torch.func brings torch.jit in, which is deprecated.
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_bad_embeddings() -> None:
    criterion = module(fl.Triplet())
    ones = torch.ones(2, 3)
    with pytest.raises(TypeError, match=r"takes 3 tensors \(anchor, positive, negative\), got 2"):
        criterion(ones, ones)
    with pytest.raises(
        TypeError, match=r"negative has dtype torch\.float64, expected torch\.float32 as anchor"
    ):
        criterion(ones, ones, ones.double())
    with pytest.raises(TypeError, match=r"positive is a tensor on device 'meta'"):
        criterion(ones, ones.to("meta"), ones)
    with pytest.raises(ValueError, match="y requires a gradient"):
        module(fl.Contrastive())(ones, ones, torch.ones(2, requires_grad=True))


def test_by_hand() -> None:
    z = torch.tensor([0.5, 4.0, -4.0], dtype=torch.float64, requires_grad=True)
    value = module(fl.Huber(delta=1.5), "none")(z, torch.zeros(3))
    assert value.tolist() == [0.125, 4.875, 4.875]
    value.backward(torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64))
    assert z.grad.tolist() == [1.0, 1.5, -0.75]


def test_the_names_of_the_arguments() -> None:
    criterion = module(fl.SquaredError(), "sum")
    ones = torch.ones(2)
    assert criterion(input=ones, target=3 * ones, sample_weight=ones) == 8
    assert module(fl.Quantile(q=0.9))(torch.zeros(1), torch.ones(1)).item() == pytest.approx(0.9)


@pytest.mark.parametrize("kind", ["transposed", "every second", "expanded", "flipped"])
def test_any_strides(kind: str, rng: Any) -> None:
    base = torch.tensor(rng.normal(size=(6, 8)))
    view = {
        "transposed": base.T,
        "every second": base[:, ::2],
        "expanded": base[:, :1].expand(6, 5),
        "flipped": base.flip(0),
    }[kind]
    y = torch.tensor(rng.normal(size=view.shape))
    for reduction in REDUCTIONS:
        a = view.detach().requires_grad_()
        b = view.contiguous().detach().requires_grad_()
        criterion = module(fl.LogCosh(), reduction)
        criterion(a, y).sum().backward()
        criterion(b, y).sum().backward()
        assert torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_sixteen_bits(name: str, reduction: str, rng: Any) -> None:
    """Computed in float32 from the stored numbers, rounded once."""
    dtype = getattr(torch, name)
    z = torch.tensor(rng.normal(size=(20, 3))).to(dtype)[:, :2].requires_grad_()
    y = torch.tensor(rng.normal(size=(20, 2))).to(dtype)
    wide = z.detach().float().requires_grad_()
    criterion = module(fl.PseudoHuber(delta=0.5), reduction)
    value, expected = criterion(z, y), criterion(wide, y.float())
    assert value.dtype == dtype
    assert torch.equal(value, expected.to(dtype))
    value.sum().backward()
    expected.sum().backward()
    assert z.grad.dtype == dtype
    assert torch.equal(z.grad, wide.grad.to(dtype))


# Memory


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_nothing_is_copied(name: str) -> None:
    """The loss sees the tensors' memory, and the gradient is the memory that the loss wrote."""
    seen = []

    class Spy(fl.Huber):
        def value_and_gradient(self, y_true: Any, y_pred: Any, **options: Any) -> Any:
            value, gradient = super().value_and_gradient(y_true, y_pred, **options)
            seen.extend((y_true, y_pred, options["sample_weight"], gradient))
            return value, gradient

    z, y, w = (torch.ones(1000, dtype=getattr(torch, name)) for _ in range(3))
    z.requires_grad_()
    module(Spy())(z, y, w).backward()
    assert [a.ctypes.data for a in seen[:3]] == [y.data_ptr(), z.data_ptr(), w.data_ptr()]
    assert seen[3].ctypes.data == z.grad.data_ptr()


def test_no_gradient_is_computed_unless_wanted() -> None:
    class Spy(fl.Huber):
        def value_and_gradient(self, y_true: Any, y_pred: Any, **options: Any) -> Any:
            raise AssertionError("a gradient was computed")

    criterion = module(Spy())
    z, y = torch.ones(3, requires_grad=True), torch.zeros(3)
    with torch.no_grad():
        assert not criterion(z, y).requires_grad
    with torch.inference_mode():
        assert criterion(z, y).item() == 0.5
    assert not criterion(z.detach(), y).requires_grad
    with pytest.raises(AssertionError):
        criterion(z, y)


def test_a_graph_that_is_kept() -> None:
    """Two backward calls add up, and do not write into each other's gradient."""
    z = torch.tensor([1.0, 3.0], requires_grad=True)
    value = module(fl.SquaredError(), "sum")(z, torch.zeros(2))
    value.backward(retain_graph=True)
    z.grad *= 100
    (second,) = torch.autograd.grad(value, z, retain_graph=True)
    assert second.tolist() == [2.0, 6.0]
    value.backward()
    assert z.grad.tolist() == [202.0, 606.0]
    with pytest.raises(RuntimeError, match="second time"):
        value.backward()


# Refusals


def test_a_gradient_penalty() -> None:
    """Neither dropped nor too small: the gradient is differentiated, by z through z²."""
    z = torch.tensor([1.0, 3.0], requires_grad=True)
    for reduction in ("mean", "none"):
        value = module(fl.SquaredError(), reduction)(z * z, torch.zeros(2)).sum()
        (gradient,) = torch.autograd.grad(value, z, create_graph=True)
        share = 2 if reduction == "mean" else 1
        np.testing.assert_allclose(gradient.detach(), 4 * np.array([1.0, 27.0]) / share)
        (penalty,) = torch.autograd.grad(gradient.square().sum(), z)
        # (4z³)² = 16z⁶
        np.testing.assert_allclose(penalty, 96 * np.array([1.0, 243.0]) / share**2)


@pytest.mark.parametrize("name", ["input", "target", "sample_weight"])
def test_tensors_elsewhere_are_refused(name: str) -> None:
    tensors = {k: torch.ones(3) for k in ("input", "target", "sample_weight")}
    criterion = module(fl.Huber())
    with pytest.raises(TypeError, match=f"{name} is a tensor on device 'meta'.*CPU"):
        criterion(**{**tensors, name: torch.ones(3, device="meta")})
    with pytest.raises(TypeError, match=f"{name} is a tensor .*layout torch.sparse_coo.*dense"):
        criterion(**{**tensors, name: torch.ones(3).to_sparse()})
    with pytest.raises(TypeError, match=f"{name} must be a tensor, got list"):
        criterion(**{**tensors, name: [1.0, 1.0, 1.0]})
    if name != "input":
        with pytest.raises(ValueError, match=f"{name} requires a gradient.*detach"):
            criterion(**{**tensors, name: torch.ones(3, requires_grad=True)})
        with torch.no_grad():
            criterion(**{**tensors, name: torch.ones(3, requires_grad=True)})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_tensor_of_a_gpu_is_refused() -> None:
    with pytest.raises(TypeError, match=r"device 'cuda:0'.*input.cpu\(\)"):
        module(fl.Huber())(torch.ones(3, device="cuda"), torch.ones(3))


def test_bad_arguments() -> None:
    for loss in ("huber", fl.Huber, None, fl.reference.Huber()):
        with pytest.raises(TypeError, match="loss must be a loss"):
            module(loss)
    with pytest.raises(ValueError, match="'batchmean'"):
        module(fl.Huber(), "batchmean")
    with pytest.raises(ValueError, match=r"n_threads.*0"):
        module(fl.Huber(), n_threads=0)
    with pytest.raises(TypeError, match="n_threads"):
        module(fl.Huber(), n_threads="all")
    criterion = module(fl.BinaryFocal())
    with pytest.raises(TypeError, match=r"input has dtype torch\.int64"):
        criterion(torch.ones(3, dtype=torch.int64), torch.ones(3))
    with pytest.raises(TypeError, match="complex"):
        criterion(torch.ones(3), torch.ones(3, dtype=torch.complex64))
    with pytest.raises(ValueError, match=r"one shape, got \(3,\) and \(3, 1\)"):
        criterion(torch.ones(3, 1), torch.ones(3))
    with pytest.raises(ValueError, match=r"y_true\[1\] = 2"):
        criterion(torch.ones(3, requires_grad=True), torch.tensor([0, 2, 1]))
    with pytest.raises(TypeError, match="not differentiable"):
        module(fl.ZeroOne())(torch.ones(3, requires_grad=True), torch.ones(3))
    assert module(fl.ZeroOne())(torch.ones(4), torch.tensor([1, 1, 0, 1])).item() == 0.25


# A module among modules


def test_a_module_without_state() -> None:
    criterion = module(fl.Quantile(q=0.9), "sum", n_threads=1)
    assert isinstance(criterion, torch.nn.Module)
    assert dict(criterion.state_dict()) == {}
    assert list(criterion.parameters()) == list(criterion.buffers()) == []
    assert repr(criterion) == "LossModule(Quantile(q=0.9), reduction='sum', n_threads=1)"
    assert repr(module(fl.LogCosh())) == "LossModule(LogCosh(), reduction='mean')"
    criterion.load_state_dict(criterion.state_dict())
    assert criterion.double() is criterion


def test_copies() -> None:
    criterion = module(fl.CrossEntropy(class_weight=[1, 2], label_smoothing=0.1), "sum")
    file = io.BytesIO()
    torch.save(criterion, file)
    file.seek(0)
    z, y = torch.tensor([[1.0, 2.0], [0.5, -1.0]]), torch.tensor([0, 1])
    for other in (
        pickle.loads(pickle.dumps(criterion)),
        copy.deepcopy(criterion),
        torch.load(file, weights_only=False),
    ):
        assert type(other) is LossModule
        assert repr(other) == repr(criterion)
        assert other(z, y) == criterion(z, y)


def test_training() -> None:
    """A network takes the same steps with the module as with PyTorch's own loss."""

    def train(criterion: Any) -> list[float]:
        torch.manual_seed(0)
        x = torch.randn(200, 4)
        y = (x[:, 0] * x[:, 1] > 0).long()
        network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
        optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
        history = []
        for _ in range(30):
            optimiser.zero_grad()
            value = criterion(network(x), y)
            value.backward()
            optimiser.step()
            history.append(value.item())
        return history

    ours, theirs = train(module(fl.CrossEntropy())), train(torch.nn.CrossEntropyLoss())
    assert ours[-1] < 0.5 * ours[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


class _Scored(torch.utils.data.Dataset):
    """A data set whose entries are computed by the loss, in whichever process loads them."""

    def __init__(self) -> None:
        self.criterion = module(fl.LogCosh(), "sum")

    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> Any:
        z = torch.full((100_000,), float(i), requires_grad=True)
        value = self.criterion(z, torch.zeros(100_000))
        value.backward()
        return value.detach(), z.grad[0]


# Newer Pythons warn of any fork beside threads, which PyTorch has.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_in_worker_processes() -> None:
    scores = _Scored()
    [scores[i] for i in range(4)]
    loader = torch.utils.data.DataLoader(scores, num_workers=1, multiprocessing_context="fork", timeout=60)
    values, slopes = (torch.cat(column) for column in zip(*loader, strict=True))
    np.testing.assert_allclose(values, 100_000 * np.log(np.cosh(np.arange(4.0))), rtol=1e-6)
    np.testing.assert_allclose(slopes, np.tanh(np.arange(4.0)), rtol=1e-6)


def test_inside_a_compiled_step() -> None:
    """torch.compile leaves the module out of its graph instead of baking its result in."""
    criterion = module(fl.LogCosh())
    scale = torch.tensor(2.0, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = torch.compile(lambda x, y: 3 * criterion(scale * x, y), backend="aot_eager")
        for y in (torch.zeros(2), torch.ones(2)):
            x = torch.tensor([0.5, 1.0])
            scale.grad = None
            value = compiled(x, y)
            value.backward()
            residual = 2 * x - y
            np.testing.assert_allclose(value.detach(), 3 * torch.log(torch.cosh(residual)).mean(), rtol=1e-6)
            np.testing.assert_allclose(scale.grad, 3 * (torch.tanh(residual) * x).mean(), rtol=1e-6)
