"""``python -m benchmarks.jax_callback``: the library inside jax, through ``jax.pure_callback``.

Each line is one loss, dtype and number of predictions, value and gradient: the time of a jitted function that
calls back into the library, of the loss's formula under jax.jit, and of the library itself.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fastloss as fl
from benchmarks import cases
from benchmarks.formulas import FORMULAS
from benchmarks.report import describe_machine
from benchmarks.timing import Call, interleave

SIZES = (1000, 10_000, 100_000, 1_000_000, 10_000_000)
LOSSES = [fl.LogCosh(), fl.BinaryCrossEntropy(), fl.BinaryFocal()]


def callback(loss: Any) -> Any:
    """``f(y, z)`` with a gradient by z, both computed by the library in one call from inside jax."""

    def evaluate(y: Any, z: Any) -> tuple[Any, Any]:
        value, gradient = loss.value_and_gradient(np.asarray(y), np.asarray(z))
        return gradient.dtype.type(value), gradient

    @jax.custom_vjp
    def function(y: Any, z: Any) -> Any:
        return forward(y, z)[0]

    def forward(y: Any, z: Any) -> tuple[Any, Any]:
        shapes = jax.ShapeDtypeStruct((), z.dtype), jax.ShapeDtypeStruct(z.shape, z.dtype)
        return jax.pure_callback(evaluate, shapes, y, z)

    def backward(gradient: Any, above: Any) -> tuple[None, Any]:
        return None, above * gradient

    function.defvjp(forward, backward)
    return function


def formula(loss: Any) -> Any:
    """``f(y, z)`` in jax's own functions, differentiated by jax."""
    return lambda y, z: FORMULAS[loss.name](jnp, loss, y, z)[0]().mean()


def jitted(function: Any, y: Any, z: Any) -> Call:
    compiled = jax.jit(jax.value_and_grad(function, argnums=1))
    names = {"f": lambda: jax.block_until_ready(compiled(y, z))}
    return Call("f()", names)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jax_callback", description=__doc__)
    parser.add_argument("--loss", action="append", help="only losses with this in their name")
    parser.add_argument("--size", action="append", type=int, help="only so many predictions")
    parser.add_argument("--dtype", action="append", choices=cases.DTYPES)
    parser.add_argument("--seconds", type=float, default=1.0, help="least time spent on a line (default 1)")
    options = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)
    fl.set_num_threads(1)
    print(*(f"{key}: {value}" for key, value in describe_machine(1).items()), sep="\n", end="\n\n")
    print("µs a call")
    print(f"{'loss':22}{'dtype':10}{'size':>12}{'callback':>12}{'jax.jit':>12}{'fastloss':>12}", flush=True)
    for loss in LOSSES:
        if options.loss and not any(text in loss.name for text in options.loss):
            continue
        for dtype in options.dtype or cases.DTYPES:
            for size in options.size or SIZES:
                y, z = cases.sample(loss, size, dtype)
                target, prediction = jnp.asarray(y), jnp.asarray(z)
                names = {"loss": loss, "y": y, "z": z, "out": np.empty_like(z)}
                calls = {
                    "callback": jitted(callback(loss), target, prediction),
                    "jax.jit": jitted(formula(loss), target, prediction),
                    "fastloss": Call("loss.value_and_gradient(y, z, out=out)", names),
                }
                seconds = interleave(calls, options.seconds)
                times = (f"{1e6 * seconds[name]:12.1f}" for name in calls)
                print(f"{type(loss).__name__:22}{dtype:10}{size:12_}", *times, sep="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
