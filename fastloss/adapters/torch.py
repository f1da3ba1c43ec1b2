"""Losses as modules of PyTorch, for tensors in the memory of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss._loss import EmbeddingLoss, Loss, PointwiseLoss, RowLoss, whole_number

try:
    import torch
    from torch.autograd.forward_ad import unpack_dual
except ImportError as error:
    raise ImportError('fastloss.adapters.torch needs torch: pip install "fastloss[torch]"') from error

__all__ = ["EmbeddingModule", "LossModule", "module"]


def module(loss: Loss, reduction: str = "mean", n_threads: int | None = None) -> _Module:
    """Make a PyTorch module of a loss, called in PyTorch's order: ``module(input, target)``.

    Losses of embeddings keep their order, which is PyTorch's: ``module(anchor, positive, negative)``.
    The module reads the memory of the tensors and hands out that of its results: nothing is copied. Value and
    gradient are computed in one pass, in the forward call; the backward call only multiplies by what
    arrives from above, and not even that where it is 1.

    Parameters
    ----------
    loss : PointwiseLoss, RowLoss or EmbeddingLoss
        Any loss of targets and predictions, or of embeddings.
    reduction : {"mean", "sum", "none"}, default "mean"
        As for the call of the loss; "mean" divides by the sum of the weights.
    n_threads : int, optional
        As for the call of the loss. PyTorch's own setting is not looked at.

    Returns
    -------
    LossModule or EmbeddingModule
        It has no parameters and no buffers, so its state is empty; it can be pickled, saved and copied.

    Raises
    ------
    TypeError, ValueError
        If `loss` is not such a loss, or another argument is not of its values.
    ImportError
        If PyTorch is not installed.

    Examples
    --------
    >>> import torch
    >>> import fastloss as fl
    >>> from fastloss.adapters.torch import module
    >>> criterion = module(fl.Huber(delta=1.5))
    >>> prediction = torch.tensor([0.5, 4.0], requires_grad=True)
    >>> value = criterion(prediction, torch.tensor([0.0, 0.0]))
    >>> value.backward()
    >>> prediction.grad
    tensor([0.2500, 0.7500])
    """
    kind = EmbeddingModule if isinstance(loss, EmbeddingLoss) else LossModule
    return kind(loss, reduction, n_threads)


class _Module(torch.nn.Module):  # type: ignore[misc]  # torch is Any to mypy
    """What the modules have in common: a loss and how to call it."""

    _families: tuple[type[Loss], ...] = ()

    def __init__(self, loss: Loss, reduction: str = "mean", n_threads: int | None = None) -> None:
        if not isinstance(loss, self._families):
            raise TypeError(f"loss must be a loss of targets and predictions or of embeddings, got {loss!r}")
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
        if n_threads is not None and whole_number("n_threads", n_threads) < 1:
            raise ValueError(f"n_threads must be at least 1, got {n_threads!r}")
        super().__init__()
        self.loss: Any = loss
        self.reduction = reduction
        self.n_threads = n_threads

    @property
    def __name__(self) -> str:
        return str(self.loss.name)

    def extra_repr(self) -> str:
        """Show the loss and the settings in the module's representation."""
        threads = "" if self.n_threads is None else f", n_threads={self.n_threads}"
        return f"{self.loss!r}, reduction={self.reduction!r}{threads}"

    def _value(self, value: Any, dtype: Any) -> Any:
        """Return what the loss returned as a tensor."""
        return _tensor(value, dtype) if self.reduction == "none" else torch.scalar_tensor(value, dtype=dtype)


class LossModule(_Module):
    r"""A loss of targets and predictions as a PyTorch module; :func:`module` makes one.

    Calling it computes ``loss(target, input, sample_weight=sample_weight)``. A gradient flows to `input`
    alone, and once: asking for a second derivative is an error.

    Attributes
    ----------
    loss : PointwiseLoss or RowLoss
        The loss.
    reduction : str
        "mean", "sum" or "none".
    n_threads : int or None
        The number of threads of a call, None for the library's setting.
    """

    _families = (PointwiseLoss, RowLoss)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Any:
        """Compute the loss of predictions.

        Parameters
        ----------
        input : Tensor
            Predictions, `y_pred` of the loss: floating-point, on the CPU, of any strides. Those of 16 bits
            are computed in float32.
        target : Tensor
            Targets, `y_true` of the loss: of any real dtype, on the CPU; for the losses of classes their
            indices.
        sample_weight : Tensor, optional
            Weights, as for the call of the loss.

        Returns
        -------
        Tensor
            In the dtype of `input`; of no dimension unless the reduction is "none".

        Raises
        ------
        TypeError
            If an argument is not a dense tensor on the CPU, `input` is not floating-point, or the loss is not
            differentiable and `input` requires a gradient.
        ValueError
            If `target` or `sample_weight` requires a gradient, and where the loss raises it. Its messages
            call `input` ``y_pred`` and `target` ``y_true``.
        """
        if torch.is_grad_enabled():
            _refuse_gradient("target", target)
            _refuse_gradient("sample_weight", sample_weight)
            if getattr(input, "requires_grad", False):
                return _Differentiable.apply(lambda z: self._evaluate(z, target, sample_weight, True), input)
        value, _ = self._evaluate(input, target, sample_weight, False)
        _refuse_tangent("input", input)
        return value

    def _evaluate(self, input: Any, target: Any, sample_weight: Any, gradient: bool) -> tuple[Any, Any]:
        z = _array("input", input)
        y = _array("target", target)
        w = None if sample_weight is None else _array("sample_weight", sample_weight)
        dtype = _floating("input", input)
        if not gradient:
            value = self.loss(y, z, sample_weight=w, reduction=self.reduction, n_threads=self.n_threads)
            return self._value(value, dtype), None
        value, slope = self.loss.value_and_gradient(
            y, z, sample_weight=w, reduction=self.reduction, n_threads=self.n_threads
        )
        return self._value(value, dtype), (_tensor(slope, dtype),)


class EmbeddingModule(_Module):
    r"""A loss of embeddings as a PyTorch module; :func:`module` makes one.

    Calling it computes the loss of the same tensors in the same order. Gradients flow to all embeddings, and
    once: asking for a second derivative is an error.

    Attributes
    ----------
    loss : EmbeddingLoss
        The loss.
    reduction : str
        "mean", "sum" or "none". The values of NTXent and CenterLoss have no gradients of their own, as
        vectors and centres have a part in several: under "none" they are computed but not differentiated.
    n_threads : int or None
        The number of threads of a call, None for the library's setting.

    Examples
    --------
    >>> import torch
    >>> import fastloss as fl
    >>> from fastloss.adapters.torch import module
    >>> anchor = torch.tensor([[0.0, 1.0]], requires_grad=True)
    >>> positive, negative = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]])
    >>> module(fl.Triplet(margin=1.0))(anchor, positive, negative).backward()
    >>> anchor.grad
    tensor([[ 2., -2.]])
    """

    _families = (EmbeddingLoss,)

    def forward(self, *inputs: Any, sample_weight: Any = None) -> Any:
        """Compute the loss of embeddings.

        Parameters
        ----------
        *inputs : Tensor
            The arguments of the loss in its order: embeddings of one floating-point dtype, on the CPU, of any
            strides, then labels where it takes them.
        sample_weight : Tensor, optional
            Weights, as for the call of the loss.

        Returns
        -------
        Tensor
            In the dtype of the embeddings; of no dimension unless the reduction is "none".

        Raises
        ------
        TypeError
            If an argument is not a dense tensor on the CPU, or the embeddings are not of one floating-point
            dtype, or too few or too many.
        ValueError
            If labels or `sample_weight` require a gradient, under "none" see the class, and where the loss
            raises it.
        """
        names = self.loss._names
        if len(inputs) != len(names):
            raise TypeError(
                f"{self.loss!r} takes {len(names)} tensors ({', '.join(names)}), got {len(inputs)}"
            )
        count = sum(name not in ("y", "labels") for name in names)
        embeddings, labels = inputs[:count], inputs[count:]
        if torch.is_grad_enabled():
            for label in labels:
                _refuse_gradient(names[-1], label)
            _refuse_gradient("sample_weight", sample_weight)
            if any(getattr(x, "requires_grad", False) for x in embeddings):
                if self.reduction == "none" and isinstance(self.loss, fl.NTXent | fl.CenterLoss):
                    raise ValueError(f"the values of {self.loss!r} under reduction='none' have no gradients")
                return _Differentiable.apply(
                    lambda *x: self._evaluate(x, labels, sample_weight, True), *embeddings
                )
        value, _ = self._evaluate(embeddings, labels, sample_weight, False)
        for name, x in zip(names, embeddings, strict=False):
            _refuse_tangent(name, x)
        return value

    def _evaluate(
        self, embeddings: tuple[Any, ...], labels: tuple[Any, ...], sample_weight: Any, gradient: bool
    ) -> tuple[Any, Any]:
        names = self.loss._names
        arrays = [_array(name, x) for name, x in zip(names, (*embeddings, *labels), strict=True)]
        w = None if sample_weight is None else _array("sample_weight", sample_weight)
        dtype = _floating(names[0], embeddings[0])
        for name, x in zip(names, embeddings, strict=False):
            if x.dtype != dtype:
                raise TypeError(f"{name} has dtype {x.dtype}, expected {dtype} as {names[0]}")
        options = {"sample_weight": w, "reduction": self.reduction, "n_threads": self.n_threads}
        if not gradient:
            return self._value(self.loss(*arrays, **options), dtype), None
        value, slopes = self.loss.value_and_gradient(*arrays, **options)
        return self._value(value, dtype), tuple(_tensor(slope, dtype) for slope in slopes)


class _Differentiable(torch.autograd.Function):  # type: ignore[misc]  # torch is Any to mypy
    """The loss as a node of PyTorch's graph; the gradients are found on the way forward and saved."""

    @staticmethod
    def forward(ctx: Any, evaluate: Callable[..., tuple[Any, tuple[Any, ...]]], *inputs: Any) -> Any:
        value, gradients = evaluate(*inputs)
        ctx.save_for_backward(*gradients)
        return value

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> tuple[Any, ...]:
        scaled = [None, *ctx.saved_tensors]
        for i in range(1, len(scaled)):
            scaled[i] = _scale(scaled[i], grad_output) if ctx.needs_input_grad[i] else None
        return tuple(scaled)


def _scale(gradient: Any, grad_output: Any) -> Any:
    """Multiply the gradient of the loss by the one that arrives at its value."""
    if grad_output.ndim:
        trailing = (1,) * (gradient.ndim - grad_output.ndim)
        gradient = gradient * grad_output.detach().reshape(grad_output.shape + trailing)
    elif grad_output.item() != 1:
        gradient = gradient * grad_output.detach()
    # Gradients are recorded here only with create_graph=True.
    if torch.is_grad_enabled():
        gradient = _Once.apply(gradient.detach().requires_grad_())
    return gradient


class _Once(torch.autograd.Function):  # type: ignore[misc]  # torch is Any to mypy
    """A gradient that must not be differentiated again; without this it would count as a constant."""

    @staticmethod
    def forward(ctx: Any, gradient: Any) -> Any:
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        raise RuntimeError(
            "a loss of fastloss.adapters.torch is differentiable once: its gradient has no derivative here"
        )


def _refuse_gradient(name: str, tensor: Any) -> None:
    if getattr(tensor, "requires_grad", False):
        raise ValueError(f"{name} requires a gradient, but the loss has none by it: detach it")


def _refuse_tangent(name: str, tensor: Any) -> None:
    """Refuse what would be dropped without a word; autograd functions do it themselves."""
    if unpack_dual(tensor).tangent is not None:
        raise TypeError(f"{name} has a tangent: forward-mode differentiation is not supported")


def _floating(name: str, tensor: Any) -> Any:
    """Return the dtype of a tensor, which must be of floating point."""
    dtype = tensor.dtype
    if not dtype.is_floating_point:
        raise TypeError(f"{name} has dtype {dtype}, expected a floating-point dtype")
    return dtype


def _array(name: str, tensor: Any) -> npt.NDArray[Any]:
    """Return the memory of a tensor as an array."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    if not tensor.is_cpu or tensor.layout is not torch.strided:
        raise TypeError(
            f"{name} is a tensor on device {str(tensor.device)!r} with layout {tensor.layout}: "
            f"fastloss computes dense tensors on the CPU; move it with {name}.cpu() or make it dense"
        )
    if tensor.dtype is torch.bfloat16:
        array: npt.NDArray[Any] = tensor.detach().view(torch.int16).numpy().view(_bfloat16())
        return array
    array = tensor.numpy(force=True)
    return array


def _tensor(array: npt.NDArray[Any], dtype: Any) -> Any:
    """Return the memory of an array as a tensor."""
    if dtype is torch.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(dtype)
    return torch.from_numpy(array)


def _bfloat16() -> Any:
    """Return the dtype that NumPy lacks."""
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError('tensors of bfloat16 need ml_dtypes: pip install "fastloss[torch]"') from error
    return np.dtype(ml_dtypes.bfloat16)
