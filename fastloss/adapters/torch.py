"""Losses as modules of PyTorch, for tensors in the memory of the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import Loss, PointwiseLoss, RowLoss, whole_number

try:
    import torch
    from torch.autograd.forward_ad import unpack_dual
except ImportError as error:
    raise ImportError('fastloss.adapters.torch needs torch: pip install "fastloss[torch]"') from error

__all__ = ["LossModule", "module"]


def module(loss: Loss, reduction: str = "mean", n_threads: int | None = None) -> LossModule:
    """Make a PyTorch module of a loss, called in PyTorch's order: ``module(input, target)``.

    The module reads the memory of the tensors and hands out that of its results: nothing is copied. Value and
    gradient are computed in one pass, in the forward call; the backward call only multiplies by what
    arrives from above, and not even that where it is 1.

    Parameters
    ----------
    loss : PointwiseLoss or RowLoss
        Any loss of targets and predictions.
    reduction : {"mean", "sum", "none"}, default "mean"
        As for the call of the loss; "mean" divides by the sum of the weights.
    n_threads : int, optional
        As for the call of the loss. PyTorch's own setting is not looked at.

    Returns
    -------
    LossModule
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
    return LossModule(loss, reduction, n_threads)


class LossModule(torch.nn.Module):  # type: ignore[misc]  # torch is Any to mypy
    r"""A loss as a PyTorch module; :func:`module` makes one.

    Calling it computes ``loss(target, input, sample_weight=sample_weight)``. A gradient flows to `input`
    alone, and once: asking for a second derivative is an error.

    Attributes
    ----------
    loss : Loss
        The loss.
    reduction : str
        "mean", "sum" or "none".
    n_threads : int or None
        The number of threads of a call, None for the library's setting.
    """

    def __init__(self, loss: Loss, reduction: str = "mean", n_threads: int | None = None) -> None:
        if not isinstance(loss, PointwiseLoss | RowLoss):
            raise TypeError(f"loss must be a loss of targets and predictions, got {loss!r}")
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
        if n_threads is not None and whole_number("n_threads", n_threads) < 1:
            raise ValueError(f"n_threads must be at least 1, got {n_threads!r}")
        super().__init__()
        self.loss = loss
        self.reduction = reduction
        self.n_threads = n_threads

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
            for name, tensor in (("target", target), ("sample_weight", sample_weight)):
                if getattr(tensor, "requires_grad", False):
                    raise ValueError(
                        f"{name} requires a gradient, but there is one by input alone: detach it"
                    )
            if getattr(input, "requires_grad", False):
                return _Differentiable.apply(input, (self, target, sample_weight))
        value, _ = _evaluate(self, input, target, sample_weight, False)
        # A tangent would be dropped without a word; autograd functions refuse it themselves.
        if unpack_dual(input).tangent is not None:
            raise TypeError("input has a tangent: forward-mode differentiation is not supported")
        return value

    def extra_repr(self) -> str:
        """Show the loss and the settings in the module's representation."""
        threads = "" if self.n_threads is None else f", n_threads={self.n_threads}"
        return f"{self.loss!r}, reduction={self.reduction!r}{threads}"


class _Differentiable(torch.autograd.Function):  # type: ignore[misc]  # torch is Any to mypy
    """The loss as a node of PyTorch's graph; the gradient is found on the way forward and saved."""

    @staticmethod
    def forward(ctx: Any, input: Any, call: tuple[LossModule, Any, Any]) -> Any:
        owner, target, sample_weight = call
        value, gradient = _evaluate(owner, input, target, sample_weight, True)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> tuple[Any, None]:
        (gradient,) = ctx.saved_tensors
        if grad_output.ndim:
            trailing = (1,) * (gradient.ndim - grad_output.ndim)
            gradient = gradient * grad_output.detach().reshape(grad_output.shape + trailing)
        elif grad_output.item() != 1:
            gradient = gradient * grad_output.detach()
        # Gradients are recorded here only with create_graph=True.
        if torch.is_grad_enabled():
            gradient = _Once.apply(gradient.detach().requires_grad_())
        return gradient, None


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


def _evaluate(
    owner: LossModule, input: Any, target: Any, sample_weight: Any, gradient: bool
) -> tuple[Any, Any]:
    """Value and gradient as tensors, the gradient None unless wanted."""
    z = _array("input", input)
    y = _array("target", target)
    w = None if sample_weight is None else _array("sample_weight", sample_weight)
    dtype = input.dtype
    if not dtype.is_floating_point:
        raise TypeError(f"input has dtype {dtype}, expected a floating-point dtype")
    reduction: Any = owner.reduction
    slope: Any = None
    if gradient:
        value, slope = owner.loss.value_and_gradient(
            y, z, sample_weight=w, reduction=reduction, n_threads=owner.n_threads
        )
        slope = _tensor(slope, dtype)
    else:
        value = owner.loss(y, z, sample_weight=w, reduction=reduction, n_threads=owner.n_threads)
    return (_tensor(value, dtype) if reduction == "none" else torch.scalar_tensor(value, dtype=dtype)), slope


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
