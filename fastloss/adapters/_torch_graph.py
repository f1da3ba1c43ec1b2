"""Losses as nodes of PyTorch's graph.

Value, slopes and curvature are each a node, whose derivative is computed with the next one: the curvature is
the Hessian's diagonal, which only pointwise losses have, and is not differentiated. So backward and forward
mode, both of both, and the transforms of ``torch.func`` are right as far as they go, and an error beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import forward_ad

#: Whether ``torch.func`` transforms what is called; PyTorch asks this for every autograd function.
_is_transformed: Callable[[], bool] = torch._C._are_functorch_transforms_active


def call(module: Any, inputs: tuple[Any, ...], others: tuple[Any, ...]) -> Any:
    """Compute the loss of inputs, which may be differentiated by, and other tensors or None."""
    if _is_transformed() or forward_ad._current_level >= 0:
        return _Value.apply(module, len(inputs), *inputs, *others)
    if torch.is_grad_enabled():
        for x in inputs:
            if getattr(x, "requires_grad", False):
                return _Differentiable.apply(module, others, *inputs)
    return module._evaluate(inputs + others, True, False)[0]


class _Differentiable(torch.autograd.Function):  # type: ignore[misc]  # torch is Any to mypy
    """The value and its slopes in one pass, on the way forward: what is differentiated once needs no more."""

    @staticmethod
    def forward(ctx: Any, module: Any, others: tuple[Any, ...], *inputs: Any) -> Any:
        value, slopes = module._evaluate(inputs + others, True, True)
        ctx.save_for_backward(*slopes)
        # Not among the saved tensors: these must not be written to, but targets may be when slopes are known.
        ctx.call = module, inputs, others
        return value

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> tuple[Any, ...]:
        # Gradients are recorded here only with create_graph=True.
        if not torch.is_grad_enabled():
            if not grad_output.ndim and not _is_transformed() and grad_output.item() == 1:
                return None, None, *ctx.saved_tensors
            return _scaled(ctx.saved_tensors, grad_output, ctx.needs_input_grad)
        module, inputs, others = ctx.call
        slopes = _Slopes.apply(module, len(inputs), *inputs, *others)
        for slope, before in zip(slopes, ctx.saved_tensors, strict=True):
            if not torch.allclose(slope.detach(), before, rtol=0, atol=0, equal_nan=True):
                raise RuntimeError("predictions, targets or weights were modified in place since the loss")
        return _scaled(slopes, grad_output, ctx.needs_input_grad)


def _scaled(slopes: tuple[Any, ...], grad_output: Any, needed: tuple[bool, ...]) -> tuple[Any, ...]:
    """Multiply slopes by what arrives at the value: the gradients of all arguments of a node."""
    gradients: list[Any] = [None] * len(needed)
    for i, slope in enumerate(slopes, start=2):
        if needed[i]:
            gradients[i] = slope * _like(grad_output, slope)
    return tuple(gradients)


def _like(of_values: Any, slope: Any) -> Any:
    """Give numbers, one for each value, the dimensions of the slopes."""
    if not of_values.ndim:
        return of_values
    return of_values.reshape(of_values.shape + (1,) * (slope.ndim - of_values.ndim))


class _Node(torch.autograd.Function):  # type: ignore[misc]  # torch is Any to mypy
    """A function of all the tensors of a call."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.module, ctx.count, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)
        ctx.set_materialize_grads(False)


def _each(node: Any, info: Any, in_dims: tuple[Any, ...], inputs: tuple[Any, ...]) -> list[Any]:
    """Apply a node to each entry of a batch of calls."""
    tensors = list(zip(inputs[2:], in_dims[2:], strict=True))
    return [
        node.apply(*inputs[:2], *(x if dim is None else x.select(dim, i) for x, dim in tensors))
        for i in range(info.batch_size)
    ]


def _checked_tangents(ctx: Any, tangents: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the tangents of what may be differentiated by, the only ones there may be."""
    for name, tangent in zip(ctx.module._names[ctx.count :], tangents[2 + ctx.count :], strict=True):
        if tangent is not None:
            raise TypeError(f"{name} has a tangent, but the loss has no derivative by it: detach it")
    return tangents[2 : 2 + ctx.count]


class _Value(_Node):
    """The value, for forward mode and the transforms of ``torch.func``."""

    @staticmethod
    def forward(module: Any, count: int, *tensors: Any) -> Any:
        return module._evaluate(tensors, True, False)[0]

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> tuple[Any, ...]:
        if grad_output is None:
            return (None,) * len(ctx.needs_input_grad)
        slopes = _Slopes.apply(ctx.module, ctx.count, *ctx.saved_tensors)
        return _scaled(slopes, grad_output, ctx.needs_input_grad)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        moved = _checked_tangents(ctx, tangents)
        slopes = _Slopes.apply(ctx.module, ctx.count, *ctx.saved_tensors)
        kept = ctx.module._value_dimensions(slopes[0].ndim)
        # PyTorch turns forward mode off here, also that of a transform around this one.
        with forward_ad._set_fwd_grad_enabled(_is_transformed()):
            products = [s * t for s, t in zip(slopes, moved, strict=True) if t is not None]
            return sum(p.sum(dim=tuple(range(kept, p.ndim))) if kept < p.ndim else p for p in products)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        return torch.stack(_each(_Value, info, in_dims, inputs)), 0


class _Slopes(_Node):
    """The slopes of the value by each tensor that may be differentiated by."""

    @staticmethod
    def forward(module: Any, count: int, *tensors: Any) -> Any:
        return module._evaluate(tensors, False, True)[1]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Any, ...]:
        if all(grad is None for grad in grad_outputs):
            return (None,) * len(ctx.needs_input_grad)
        curvature = _Curvature.apply(ctx.module, ctx.count, *ctx.saved_tensors)
        return (None, None, curvature * grad_outputs[0], *[None] * (len(ctx.saved_tensors) - 1))

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        (tangent,) = _checked_tangents(ctx, tangents)[:1]
        return (_Curvature.apply(ctx.module, ctx.count, *ctx.saved_tensors) * tangent,)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        slopes = zip(*_each(_Slopes, info, in_dims, inputs), strict=True)
        return tuple(torch.stack(slope) for slope in slopes), (0,) * inputs[1]


class _Curvature(_Node):
    """The Hessian's diagonal, which is not differentiated."""

    @staticmethod
    def forward(module: Any, count: int, *tensors: Any) -> Any:
        return module._curvature(tensors)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> tuple[Any, ...]:
        raise _beyond(ctx.module.loss, "twice")

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        raise _beyond(ctx.module.loss, "twice")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        return torch.stack(_each(_Curvature, info, in_dims, inputs)), 0


def _beyond(loss: Any, how_often: str) -> RuntimeError:
    return RuntimeError(
        f"{loss!r} as a module of fastloss.adapters.torch is differentiable {how_often}: there is no further"
        " derivative here"
    )


def differentiable_once(loss: Any) -> RuntimeError:
    """Return the error of asking for a second derivative that there is none of."""
    return _beyond(loss, "once")
