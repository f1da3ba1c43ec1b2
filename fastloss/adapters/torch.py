"""Losses as modules of PyTorch, for tensors in the memory of the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastloss._loss import EmbeddingLoss, Loss, PointwiseLoss, RowLoss, whole_number

try:
    import torch
except ImportError as error:
    raise ImportError('fastloss.adapters.torch needs torch: pip install "fastloss[torch]"') from error
from fastloss.adapters._torch_graph import call, differentiable_once

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

    def _options(self, weight: Any) -> dict[str, Any]:
        """Return the keywords of a call of the loss."""
        w = None if weight is None else _array("sample_weight", weight)
        return {"sample_weight": w, "reduction": self.reduction, "n_threads": self.n_threads}

    def _value(self, value: Any, dtype: Any) -> Any:
        """Return what the loss returned as a tensor."""
        return _tensor(value, dtype) if self.reduction == "none" else torch.scalar_tensor(value, dtype=dtype)


class LossModule(_Module):
    r"""A loss of targets and predictions as a PyTorch module; :func:`module` makes one.

    Calling it computes ``loss(target, input, sample_weight=sample_weight)``. A gradient flows to `input`
    alone, in backward and forward mode and through the transforms of ``torch.func``. Pointwise losses can be
    differentiated twice; a second derivative by rows, or a third, is a RuntimeError.

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
        return call(self, (input,), (target, sample_weight))

    _names = ("input", "target", "sample_weight")

    def _evaluate(self, tensors: tuple[Any, ...], value: bool, slopes: bool) -> tuple[Any, tuple[Any, ...]]:
        input, target, sample_weight = tensors
        z = _array("input", input)
        y = _array("target", target)
        dtype = _floating("input", input)
        w = None if sample_weight is None else _array("sample_weight", sample_weight)
        reduction, n_threads = self.reduction, self.n_threads
        if not slopes:
            result = self.loss(y, z, sample_weight=w, reduction=reduction, n_threads=n_threads)
            return self._value(result, dtype), ()
        if not value:
            slope = self.loss.gradient(y, z, sample_weight=w, reduction=reduction, n_threads=n_threads)
            return None, (_tensor(slope, dtype),)
        result, slope = self.loss.value_and_gradient(
            y, z, sample_weight=w, reduction=reduction, n_threads=n_threads
        )
        return self._value(result, dtype), (_tensor(slope, dtype),)

    def _curvature(self, tensors: tuple[Any, ...]) -> Any:
        """Return the diagonal of the Hessian, which is all of it for losses of one number at a time."""
        if not isinstance(self.loss, PointwiseLoss):
            raise differentiable_once(self.loss)
        input, target, sample_weight = tensors
        z, y = _array("input", input), _array("target", target)
        _, curvature = self.loss.gradient_and_hessian(y, z, **self._options(sample_weight))
        return _tensor(curvature, input.dtype)

    def _value_dimensions(self, of_slopes: int) -> int:
        if self.reduction != "none":
            return 0
        return of_slopes if isinstance(self.loss, PointwiseLoss) else of_slopes - 1


class EmbeddingModule(_Module):
    r"""A loss of embeddings as a PyTorch module; :func:`module` makes one.

    Calling it computes the loss of the same tensors in the same order. Gradients flow to all embeddings, and
    once, in backward or forward mode: asking for a second derivative is a RuntimeError.

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
        if torch.is_grad_enabled():
            for label in inputs[count:]:
                _refuse_gradient(names[-1], label)
            _refuse_gradient("sample_weight", sample_weight)
        return call(self, inputs[:count], (*inputs[count:], sample_weight))

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.loss._names, "sample_weight")

    def _evaluate(self, tensors: tuple[Any, ...], value: bool, slopes: bool) -> tuple[Any, tuple[Any, ...]]:
        if slopes and self.reduction == "none" and self.loss.couples_rows:
            raise ValueError(f"the values of {self.loss!r} under reduction='none' have no gradients")
        *inputs, weight = tensors
        names = self.loss._names
        arrays = [_array(name, x) for name, x in zip(names, inputs, strict=True)]
        dtype = _floating(names[0], inputs[0])
        for name, x in zip(names, inputs, strict=True):
            if name not in ("y", "labels") and x.dtype != dtype:
                raise TypeError(f"{name} has dtype {x.dtype}, expected {dtype} as {names[0]}")
        options = self._options(weight)
        if not slopes:
            return self._value(self.loss(*arrays, **options), dtype), ()
        if not value:
            found = self.loss.gradient(*arrays, **options)
            return None, self._slopes(found, dtype)
        result, found = self.loss.value_and_gradient(*arrays, **options)
        return self._value(result, dtype), self._slopes(found, dtype)

    @staticmethod
    def _slopes(found: Any, dtype: Any) -> tuple[Any, ...]:
        slopes = found if isinstance(found, tuple) else (found,)
        return tuple(_tensor(slope, dtype) for slope in slopes)

    def _curvature(self, tensors: tuple[Any, ...]) -> Any:
        raise differentiable_once(self.loss)

    def _value_dimensions(self, of_slopes: int) -> int:
        return int(self.reduction == "none")


def _refuse_gradient(name: str, tensor: Any) -> None:
    if getattr(tensor, "requires_grad", False):
        raise ValueError(f"{name} requires a gradient, but the loss has none by it: detach it")


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
