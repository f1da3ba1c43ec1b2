"""The alternatives a user has, each at its best.

- numpy: the formulas of `formulas`, or the library's NumPy reference for a loss without one;
- torch: `torch.nn.functional` and `backward` where it has the loss, the same formulas on tensors elsewhere;
- torch.compile: the formulas compiled, the gradient written into a given array;
- jax.jit: the formulas compiled, the gradient's memory donated back on every call;
- sklearn: scikit-learn's `_loss` with its output arrays given.

Every call returns ``(value,)``, ``(value, gradient)`` or ``(gradient, hessian)``, the value being the mean.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.cases import OUTPUTS
from benchmarks.formulas import FORMULAS
from benchmarks.timing import Call

Peer = Callable[[Any, str, np.ndarray, np.ndarray, int], "Call | None"]


def results(xp: Any, loss: Any, verb: str, y: Any, z: Any) -> tuple[Any, ...]:
    """What a verb returns under reduction="mean", by the loss's formula over the namespace `xp`."""
    parts = FORMULAS[loss.name](xp, loss, y, z)
    if verb == "value":
        return (parts[0]().mean(),)
    scale = 1.0 / z.shape[0]
    if verb == "value_and_gradient":
        return parts[0]().mean(), parts[1]() * scale
    return parts[1]() * scale, parts[2]() * scale


def has_formula(loss: Any) -> bool:
    """Whether `formulas` covers this loss with these parameters."""
    if loss.name == "binary_cross_entropy":
        return loss.pos_weight == 1 and loss.label_smoothing == 0
    if loss.name == "binary_focal":
        return loss.from_logits and loss.alpha is None
    return loss.name in FORMULAS


def fastloss_call(loss: Any, verb: str, y: np.ndarray, z: np.ndarray, threads: int | None = None) -> Call:
    """The library's own call; `threads` None leaves the choice to the library's setting."""
    outputs = tuple(np.empty_like(z) for _ in range(OUTPUTS[verb]))
    extra = "" if threads is None else f", n_threads={threads}"
    names = {"loss": loss, "y": y, "z": z, "out": outputs[0] if len(outputs) == 1 else outputs}
    if verb == "value":
        return Call(f"loss(y, z{extra})", names)
    return Call(f"loss.{verb}(y, z, out=out{extra})", names)


def numpy_call(loss: Any, verb: str, y: np.ndarray, z: np.ndarray, threads: int) -> Call | None:
    if has_formula(loss):
        names = {"results": results, "xp": np, "loss": loss, "verb": verb, "y": y, "z": z}
        return Call("results(xp, loss, verb, y, z)", names)
    twin = fl.reference.twin(loss)
    method = "__call__" if verb == "value" else verb
    return Call(f"twin.{method}(y, z)", {"twin": twin, "y": y, "z": z})


def torch_call(loss: Any, verb: str, y: np.ndarray, z: np.ndarray, threads: int) -> Call | None:
    torch = _torch(threads)
    target, prediction = torch.from_numpy(y), torch.from_numpy(z)
    function = torch_functional(loss)
    if function is None or verb == "gradient_and_hessian":
        if not has_formula(loss):
            return None
        names = {"results": results, "xp": torch, "loss": loss, "verb": verb, "y": target, "z": prediction}
        return Call("results(xp, loss, verb, y, z)", names)
    if verb == "value":
        return Call("(f(z, y),)", {"f": function, "y": target, "z": prediction})

    def step() -> tuple[Any, ...]:
        prediction.grad = None
        value = function(prediction, target)
        value.backward()
        return value.detach(), prediction.grad

    prediction.requires_grad_(True)
    return Call("step()", {"step": step})


def torch_compile_call(loss: Any, verb: str, y: np.ndarray, z: np.ndarray, threads: int) -> Call | None:
    if not has_formula(loss):
        return None
    torch = _torch(threads)
    torch._dynamo.reset()  # cases share one code object, and its cache of compilations is searched in order

    def compute(y: Any, z: Any, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        found = results(torch, loss, verb, y, z)
        for out, array in zip(outputs, found[len(found) - len(outputs) :], strict=True):
            out.copy_(array)
        return found[: len(found) - len(outputs)] + outputs

    compiled = torch.compile(compute, fullgraph=True, dynamic=False)
    target, prediction = torch.from_numpy(y), torch.from_numpy(z)
    outputs = tuple(torch.empty_like(prediction) for _ in range(OUTPUTS[verb]))
    return Call("f(y, z, out)", {"f": compiled, "y": target, "z": prediction, "out": outputs})


def jax_call(loss: Any, verb: str, y: np.ndarray, z: np.ndarray, threads: int) -> Call | None:
    if not has_formula(loss):
        return None
    os.environ["NPROC"] = str(threads)  # XLA reads it once, when the first array is made
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @functools.partial(jax.jit, donate_argnums=2, keep_unused=True)
    def compute(y: Any, z: Any, outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return results(jnp, loss, verb, y, z)

    target, prediction = jnp.asarray(y), jnp.asarray(z)
    held = [tuple(jnp.zeros_like(prediction) for _ in range(OUTPUTS[verb]))]

    def step() -> tuple[Any, ...]:
        found = jax.block_until_ready(compute(target, prediction, held[0]))
        held[0] = found[len(found) - OUTPUTS[verb] :]
        return found

    return Call("step()", {"step": step})


def sklearn_call(loss: Any, verb: str, y: np.ndarray, z: np.ndarray, threads: int) -> Call | None:
    found = _sklearn_loss(loss)
    if found is None or (verb == "gradient_and_hessian" and loss.name in ("absolute_error", "quantile")):
        return None  # for these two the Hessian is 0, and scikit-learn gives the 1 that its boosting wants
    other, factor = found
    if loss.name == "exponential":
        y = (y + 1) / 2
    y = y.astype(z.dtype, copy=False)  # targets in another dtype than the predictions' are refused
    a, b = np.empty_like(z), np.empty_like(z)

    def value() -> tuple[Any, ...]:
        return (factor * other.loss(y, z, loss_out=a, n_threads=threads).mean(),)

    def value_and_gradient() -> tuple[Any, ...]:
        each, gradient = other.loss_gradient(y, z, loss_out=a, gradient_out=b, n_threads=threads)
        return factor * each.mean(), gradient

    def gradient_and_hessian() -> tuple[Any, ...]:
        return other.gradient_hessian(y, z, gradient_out=a, hessian_out=b, n_threads=threads)

    steps = {f.__name__: f for f in (value, value_and_gradient, gradient_and_hessian)}
    return Call("step()", {"step": steps[verb]})


PEERS: dict[str, Peer] = {
    "numpy": numpy_call,
    "torch": torch_call,
    "torch.compile": torch_compile_call,
    "jax.jit": jax_call,
    "sklearn": sklearn_call,
}


def installed() -> tuple[str, ...]:
    """The peers whose packages are here."""
    return tuple(name for name in PEERS if importlib.util.find_spec(name.partition(".")[0]))


def _torch(threads: int) -> Any:
    import torch

    torch.set_num_threads(threads)
    return torch


def torch_functional(loss: Any) -> Callable[[Any, Any], Any] | None:
    """``f(prediction, target)`` from torch.nn.functional, or None where torch lacks the loss."""
    import torch.nn.functional as F

    if loss.name == "binary_cross_entropy":
        return F.binary_cross_entropy_with_logits if loss.from_logits else F.binary_cross_entropy
    table: dict[str, Callable[[Any, Any], Any]] = {
        "squared_error": F.mse_loss,
        "absolute_error": F.l1_loss,
        "huber": lambda z, y: F.huber_loss(z, y, delta=loss.delta),
        "smooth_l1": lambda z, y: F.smooth_l1_loss(z, y, beta=loss.beta),
        "poisson": F.poisson_nll_loss,
    }
    return table.get(loss.name)


def _sklearn_loss(loss: Any) -> tuple[Any, float] | None:
    """Scikit-learn's loss object and the factor that makes its value equal, or None where it has none."""
    from sklearn._loss import loss as sk

    if loss.name == "binary_cross_entropy" and not loss.from_logits:
        return None
    table: dict[str, Callable[[], tuple[Any, float]]] = {
        "squared_error": lambda: (sk.HalfSquaredError(), 2.0),
        "half_squared_error": lambda: (sk.HalfSquaredError(), 1.0),
        "absolute_error": lambda: (sk.AbsoluteError(), 1.0),
        "huber": lambda: (sk.HuberLoss(delta=loss.delta), 1.0),
        "quantile": lambda: (sk.PinballLoss(quantile=loss.q), 1.0),
        "poisson": lambda: (sk.HalfPoissonLoss(), 1.0),
        "gamma": lambda: (sk.HalfGammaLoss(), 1.0),
        "tweedie": lambda: (sk.HalfTweedieLoss(power=loss.power), 1.0),
        "exponential": lambda: (sk.ExponentialLoss(), 1.0),
        "binary_cross_entropy": lambda: (sk.HalfBinomialLoss(), 1.0),
    }
    return table[loss.name]() if loss.name in table else None
