"""Second derivatives, forward mode, torch.func: as autograd finds of the formula, or an error, not zeros."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import fastloss as fl  # noqa: E402
from fastloss.adapters.torch import module  # noqa: E402

functional, func, forward_ad = torch.autograd.functional, torch.func, torch.autograd.forward_ad
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")

#: Smooth losses by PyTorch's operations: what autograd differentiates.
FORMULAS = {
    fl.SquaredError(): lambda z, y: (z - y) ** 2,
    fl.LogCosh(): lambda z, y: torch.log(torch.cosh(z - y)),
    fl.PseudoHuber(0.5): lambda z, y: 0.25 * (torch.sqrt(1 + ((z - y) / 0.5) ** 2) - 1),
    fl.Cauchy(2.0): lambda z, y: 2 * torch.log1p(((z - y) / 2) ** 2),
    fl.Welsch(): lambda z, y: (1 - torch.exp(-((z - y) ** 2))) / 2,
    fl.Poisson(): lambda z, y: torch.exp(z) - y * z,
    fl.Gamma(): lambda z, y: z + y * torch.exp(-z),
    fl.BinaryCrossEntropy(): lambda z, y: torch.nn.functional.binary_cross_entropy_with_logits(
        z, y, reduction="none"
    ),
}
Z = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
Y = torch.tensor([1.0, 0.25, 0.5], dtype=torch.float64)
W = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
V = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
ROWS = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]], dtype=torch.float64)
CLASSES = torch.tensor([2, 0])


def reduced(values: Any, weight: Any, reduction: str) -> Any:
    total = 1.0 if weight is None else weight
    if reduction == "none":
        return values * total
    return (values * total).sum() / (
        1 if reduction == "sum" else (len(Z) if weight is None else weight.sum())
    )


@pytest.mark.parametrize("of", FORMULAS, ids=repr)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, W], ids=["", "weighted"])
def test_as_of_the_formula(of: Any, reduction: str, weight: Any) -> None:
    criterion = module(of, reduction)

    def loss(z: Any) -> Any:
        value = criterion(z, Y, weight)
        return (value**2).sum() if reduction == "none" else value

    def formula(z: Any) -> Any:
        value = reduced(FORMULAS[of](z, Y), weight, reduction)
        return (value**2).sum() if reduction == "none" else value

    hessian = functional.hessian(formula, Z)
    assert hessian.abs().max() > 0
    for found in (
        functional.hessian(loss, Z),
        functional.hessian(loss, Z, vectorize=True),
        functional.hessian(loss, Z, vectorize=True, outer_jacobian_strategy="forward-mode").detach(),
        functional.jacobian(lambda z: functional.jacobian(loss, z, create_graph=True), Z),
        func.hessian(loss)(Z),
        func.jacrev(func.jacrev(loss))(Z),
        func.jacfwd(func.jacfwd(loss))(Z),
        func.jacrev(func.jacfwd(loss))(Z),
    ):
        torch.testing.assert_close(found, hessian)
    for name in ("hvp", "vhp", "jvp"):
        torch.testing.assert_close(
            getattr(functional, name)(loss, Z, V), getattr(functional, name)(formula, Z, V)
        )
    torch.testing.assert_close(func.jvp(loss, (Z,), (V,)), func.jvp(formula, (Z,), (V,)))
    torch.testing.assert_close(func.grad(loss)(Z), func.grad(formula)(Z))
    # Through what comes before.
    torch.testing.assert_close(
        functional.hessian(lambda z: loss(z * z), Z), functional.hessian(lambda z: formula(z * z), Z)
    )
    expected = func.jvp(formula, (Z,), (V,))
    with forward_ad.dual_level():
        torch.testing.assert_close(tuple(forward_ad.unpack_dual(loss(forward_ad.make_dual(Z, V)))), expected)


def test_by_hand() -> None:
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.zeros(3)
    criterion = module(fl.SquaredError(), "sum")
    assert functional.hessian(lambda a: criterion(a, y), x).tolist() == (2 * torch.eye(3)).tolist()
    assert functional.hvp(lambda a: criterion(a, y), x, torch.ones(3))[1].tolist() == [2.0, 2.0, 2.0]
    assert functional.jvp(lambda a: criterion(a, y), x, torch.ones(3))[1].item() == 12.0


@pytest.mark.parametrize("of", FORMULAS, ids=repr)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_finite_differences(of: Any, reduction: str) -> None:
    z, w = Z.clone().requires_grad_(), W
    criterion = module(of, reduction)
    assert torch.autograd.gradcheck(lambda a: criterion(a, Y, w), z, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda a: criterion(a, Y, w), z)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_other_precisions(dtype: Any) -> None:
    z, y = torch.tensor([[1.0, -2.0]], dtype=dtype), torch.zeros(1, 2, dtype=dtype)
    found = functional.hvp(lambda a: module(fl.Huber(3.0), "sum")(a, y), z, torch.ones_like(z))[1]
    assert found.dtype == dtype
    assert found.tolist() == [[1.0, 1.0]]


def every_loss_of_predictions() -> list[Any]:
    return [i.cls() for i in fl.list_losses() if issubclass(i.cls, fl.PointwiseLoss) and i.has_gradient]


@pytest.mark.parametrize("of", every_loss_of_predictions(), ids=repr)
def test_every_pointwise_loss_has_its_hessian(of: Any) -> None:
    z = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    y = torch.ones(3, dtype=torch.float64)
    found = functional.hessian(lambda a: module(of)(a, y), z)
    expected = of.gradient_and_hessian(y.numpy(), z.numpy())[1]
    torch.testing.assert_close(found, torch.diag(torch.from_numpy(expected)))


def test_vmap() -> None:
    criterion = module(fl.LogCosh())
    z, y = torch.stack([Z, 2 * Z]), torch.stack([Y, Y + 1])
    each = torch.stack([criterion(a, b) for a, b in zip(z, y, strict=True)])
    assert func.vmap(criterion)(z, y).tolist() == each.tolist()
    assert func.vmap(criterion, in_dims=(1, 1))(z.T, y.T).tolist() == each.tolist()
    same = torch.stack([criterion(a, Y) for a in z])
    assert func.vmap(criterion, in_dims=(0, None))(z, Y).tolist() == same.tolist()
    slopes = func.vmap(func.grad(criterion))(z, y)
    torch.testing.assert_close(
        slopes, torch.stack([func.grad(criterion)(*x) for x in zip(z, y, strict=True)])
    )
    hessians = func.vmap(func.hessian(criterion))(z, y)
    expected = [func.hessian(criterion)(*x) for x in zip(z, y, strict=True)]
    torch.testing.assert_close(hessians, torch.stack(expected))
    rows = module(fl.CrossEntropy())
    of_each = func.vmap(func.grad(lambda a, b: rows(a[None], b[None])))(ROWS, CLASSES)
    expected = torch.autograd.functional.jacobian(
        lambda a: torch.nn.functional.cross_entropy(a, CLASSES, reduction="sum"), ROWS
    )
    torch.testing.assert_close(of_each, expected)


REFUSED = {
    fl.CrossEntropy(): lambda m: (lambda a: m(a, CLASSES).sum(), ROWS),
    fl.Focal(): lambda m: (lambda a: m(a, CLASSES).sum(), ROWS),
    fl.EuclideanError(): lambda m: (lambda a: m(a, 0 * ROWS).sum(), ROWS),
    fl.KLDivergence(from_logits=True): lambda m: (lambda a: m(a, ROWS.softmax(1)).sum(), ROWS),
    fl.Triplet(margin=99.0): lambda m: (lambda a: m(a, ROWS + 1, ROWS - 2).sum(), ROWS),
    fl.Contrastive(): lambda m: (lambda a: m(a, ROWS + 1, CLASSES // 2).sum(), ROWS),
    fl.NTXent(0.5): lambda m: (lambda a: m(a, ROWS + 1).sum(), ROWS),
    fl.CenterLoss(): lambda m: (lambda a: m(a, ROWS.repeat(2, 1), CLASSES).sum(), ROWS),
}


@pytest.mark.parametrize("of", REFUSED, ids=repr)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_rows_and_embeddings_once(of: Any, reduction: str) -> None:
    if reduction == "none" and isinstance(of, fl.NTXent | fl.CenterLoss):
        loss, x = REFUSED[of](module(of, reduction))
        for call in (lambda: func.grad(loss)(x), lambda: func.jvp(loss, (x,), (x,))):
            with pytest.raises(ValueError, match="have no gradients"):
                call()
        return
    loss, x = REFUSED[of](module(of, reduction))
    gradient = functional.jacobian(loss, x)
    assert gradient.abs().max() > 0
    torch.testing.assert_close(func.grad(loss)(x), gradient)
    for jvp in (lambda: functional.jvp(loss, x, x), lambda: func.jvp(loss, (x,), (x,))):
        torch.testing.assert_close(jvp()[1], (gradient * x).sum())
    assert torch.autograd.gradcheck(loss, x.clone().requires_grad_(), check_forward_ad=True)
    for call in (
        lambda: functional.hessian(loss, x),
        lambda: functional.hessian(loss, x, vectorize=True),
        lambda: functional.hvp(loss, x, x),
        lambda: functional.vhp(loss, x, x),
        lambda: func.hessian(loss)(x),
        lambda: func.jacfwd(func.jacfwd(loss))(x),
        lambda: func.jacrev(func.jacrev(loss))(x),
    ):
        with pytest.raises(RuntimeError, match="differentiable once"):
            call()


def test_transport_is_no_module() -> None:
    for loss in (fl.Wasserstein(), fl.Sinkhorn(), fl.EarthMover()):
        with pytest.raises(TypeError, match="loss must be a loss of"):
            module(loss)


def test_a_third_derivative_is_refused() -> None:
    def loss(z: Any) -> Any:
        return module(fl.LogCosh())(z, Y)

    for call in (
        lambda: functional.jacobian(lambda a: functional.hessian(loss, a, create_graph=True), Z),
        lambda: func.jacfwd(func.hessian(loss))(Z),
        lambda: func.jacrev(func.hessian(loss))(Z),
        lambda: func.jacfwd(func.jacfwd(func.jacfwd(loss)))(Z),
    ):
        with pytest.raises(RuntimeError, match="differentiable twice"):
            call()


def test_targets_and_weights_are_refused() -> None:
    criterion = module(fl.SquaredError())
    for name, argument in (("target", 1), ("sample_weight", 2)):
        with pytest.raises(ValueError, match=f"{name} requires a gradient"):
            func.grad(criterion, argnums=argument)(Z, Y, W)

        def moved(x: Any, argument: int = argument) -> Any:
            return criterion(*[x if i == argument else given for i, given in enumerate((Z, Y, W))])

        with pytest.raises(TypeError, match=f"{name} has a tangent"):
            func.jvp(moved, (W,), (V,))
        with forward_ad.dual_level(), pytest.raises(TypeError, match=f"{name} has a tangent"):
            moved(forward_ad.make_dual(W, V))


def test_written_in_place() -> None:
    z, y = Z.clone().requires_grad_(), Y.clone()
    value = module(fl.SquaredError(), "sum")(z, y)
    y += 1  # the slopes are known
    (gradient,) = torch.autograd.grad(value, z, retain_graph=True)
    torch.testing.assert_close(gradient, 2 * (z - Y).detach())
    with pytest.raises(RuntimeError, match="modified in place"):
        torch.autograd.grad(value, z, create_graph=True)
    with torch.inference_mode():
        target = Y.clone()
    module(fl.SquaredError())(z, target).backward()
    torch.testing.assert_close(z.grad, 2 * (z - Y).detach() / 3)
