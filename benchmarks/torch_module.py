"""``python -m benchmarks.torch_module``: the loss of a training step, through the module and by PyTorch.

Each line is one loss and number of predictions, forward and backward: the time of the module's step, and how
many times longer it takes with ``torch.nn.functional`` (or the loss's formula on tensors, where PyTorch lacks
it) and with the same compiled by torch.compile. Everything in a line is timed in turn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import fastloss as fl
from benchmarks import cases
from benchmarks.formulas import FORMULAS
from benchmarks.peers import torch_functional
from benchmarks.report import describe_machine, write_json
from benchmarks.timing import Call, interleave
from fastloss.adapters.torch import module

SIZES = (16, 1000, 100_000, 10_000_000)
LOSSES = [
    fl.SquaredError(),
    fl.Huber(),
    fl.BinaryCrossEntropy(),
    fl.LogCosh(),
    fl.BinaryFocal(),
    fl.CrossEntropy(),
]
#: Of the cross-entropy; its size is that of the logits.
CLASSES = 10

Function = Callable[[Any, Any], Any]


def sample(loss: Any, size: int, dtype: str) -> tuple[Any, Any]:
    """Input and target."""
    if isinstance(loss, fl.CrossEntropy):
        rng = np.random.default_rng(size)
        n = max(1, size // CLASSES)
        z, y = rng.normal(0, 2, (n, CLASSES)).astype(dtype), rng.integers(0, CLASSES, n)
    else:
        y, z = cases.sample(loss, size, dtype)
    return torch.from_numpy(z), torch.from_numpy(y)


def torch_function(loss: Any) -> Function:
    """``f(input, target)`` of PyTorch."""
    if isinstance(loss, fl.CrossEntropy):
        return torch.nn.functional.cross_entropy
    found = torch_functional(loss)
    return found or (lambda z, y: FORMULAS[loss.name](torch, loss, y, z)[0]().mean())


def step(function: Function, z: Any, y: Any) -> Call:
    """Forward and backward, the gradient of the step before thrown away."""
    z = z.clone().requires_grad_()

    def run() -> tuple[Any, Any]:
        z.grad = None
        value = function(z, y)
        value.backward()
        return value, z.grad

    return Call("run()", {"run": run})


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torch_module", description=__doc__)
    parser.add_argument("--loss", action="append", help="only losses with this in their name")
    parser.add_argument("--size", action="append", type=int, help="only so many predictions")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    parser.add_argument("--threads", type=int, default=1, help="threads of everything timed (default 1)")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time spent on a line (default 1)")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    print(f"{'loss':22}{'size':>12}{'µs a step':>12}{'× torch':>12}{'× torch.compile':>18}", flush=True)
    records = []
    for loss in LOSSES:
        if options.loss and not any(text in loss.name for text in options.loss):
            continue
        for size in options.size or SIZES:
            z, y = sample(loss, size, options.dtype)
            function = torch_function(loss)
            calls = {
                "fastloss": step(module(loss, n_threads=options.threads), z, y),
                "torch": step(function, z, y),
            }
            if not options.no_compile:
                torch._dynamo.reset()
                calls["torch.compile"] = step(torch.compile(function, dynamic=False), z, y)
            values = {name: call.function()() for name, call in calls.items()}
            for value, gradient in values.values():
                torch.testing.assert_close(value, values["torch"][0], rtol=1e-3, atol=1e-6)
                torch.testing.assert_close(gradient, values["torch"][1], rtol=1e-3, atol=1e-6)
            seconds = interleave(calls, options.seconds)
            ratios = [f"{seconds[name] / seconds['fastloss']:.2f}" for name in list(calls)[1:]]
            print(
                f"{type(loss).__name__:22}{size:12_}{1e6 * seconds['fastloss']:12.1f}{ratios[0]:>12}"
                f"{ratios[1] if len(ratios) > 1 else '':>18}",
                flush=True,
            )
            records.append({"loss": loss.name, "size": size, "dtype": options.dtype, "seconds": seconds})
    write_json(options.json, machine, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
