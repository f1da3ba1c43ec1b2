"""``python -m benchmarks.rows``: softmax cross-entropy beside its peers, by the number of classes.

Each line is one number of classes and dtype, value and gradient from class indices: nanoseconds per element
of the (n, C) logits, percent of the memory limit, and how many times longer each peer takes. Everything in a
line is timed in turn; the limit is the time in which a streaming triad moves the bytes.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.limit import limit_seconds, triad_call
from benchmarks.report import describe_machine, write_json
from benchmarks.timing import Call, interleave

CLASSES = (2, 3, 10, 100, 1000, 32_000)
DTYPES = ("float32", "float64")

Peer = Callable[[np.ndarray, np.ndarray, int], Call]


def sample(n_elements: int, n_classes: int, dtype: str, order: Any = "C") -> tuple[np.ndarray, np.ndarray]:
    """Class indices and logits, of about so many elements."""
    rng = np.random.default_rng(n_classes)
    n = max(1, n_elements // n_classes)
    labels = rng.integers(0, n_classes, n)
    return labels, rng.normal(0.0, 2.0, (n, n_classes)).astype(dtype, order=order)


def fastloss_call(y: np.ndarray, z: np.ndarray, threads: int) -> Call:
    names = {"loss": fl.CrossEntropy(), "y": y, "z": z, "out": np.empty_like(z)}
    return Call(f"loss.value_and_gradient(y, z, out=out, n_threads={threads})", names)


def numpy_call(y: np.ndarray, z: np.ndarray, threads: int) -> Call:
    rows = np.arange(y.size)

    def step() -> tuple[Any, ...]:
        shifted = z - z.max(axis=1, keepdims=True)
        gradient = np.exp(shifted)
        total = gradient.sum(axis=1, keepdims=True)
        value = (np.log(total[:, 0]) - shifted[rows, y]).mean()
        gradient /= total
        gradient[rows, y] -= 1
        gradient *= 1 / y.size
        return value, gradient

    return Call("step()", {"step": step})


def torch_call(y: np.ndarray, z: np.ndarray, threads: int, compiled: bool = False) -> Call:
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    target, logits = torch.from_numpy(y), torch.from_numpy(z)
    if compiled:
        torch._dynamo.reset()

        def compute(y: Any, z: Any, out: Any) -> Any:
            log_p = torch.log_softmax(z, 1)
            gradient = log_p.exp()
            gradient.scatter_add_(1, y[:, None], torch.full_like(y[:, None], -1, dtype=z.dtype))
            out.copy_(gradient / y.shape[0])
            return -log_p.gather(1, y[:, None]).mean()

        function = torch.compile(compute, fullgraph=True, dynamic=False)
        out = torch.empty_like(logits)

        def step() -> tuple[Any, ...]:
            return function(target, logits, out), out
    else:
        logits.requires_grad_(True)

        def step() -> tuple[Any, ...]:
            logits.grad = None
            value = F.cross_entropy(logits, target)
            value.backward()
            return value.detach(), logits.grad

    return Call("step()", {"step": step})


def torch_compile_call(y: np.ndarray, z: np.ndarray, threads: int) -> Call:
    return torch_call(y, z, threads, compiled=True)


def jax_call(y: np.ndarray, z: np.ndarray, threads: int) -> Call:
    os.environ["NPROC"] = str(threads)  # XLA reads it once, when the first array is made
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def compute(y: Any, z: Any) -> tuple[Any, ...]:
        log_p = jax.nn.log_softmax(z, axis=1)
        gradient = (jnp.exp(log_p) - jax.nn.one_hot(y, z.shape[1], dtype=z.dtype)) / y.shape[0]
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean(), gradient

    target, logits = jnp.asarray(y), jnp.asarray(z)
    return Call("f(y, z)", {"f": lambda y, z: jax.block_until_ready(compute(y, z)), "y": target, "z": logits})


def sklearn_call(y: np.ndarray, z: np.ndarray, threads: int) -> Call:
    from sklearn._loss.loss import HalfMultinomialLoss

    loss = HalfMultinomialLoss(n_classes=z.shape[1])
    target, values, out = y.astype(z.dtype), np.empty(y.size, z.dtype), np.empty_like(z)

    def step() -> tuple[Any, ...]:
        each, gradient = loss.loss_gradient(target, z, loss_out=values, gradient_out=out, n_threads=threads)
        return each.mean(), gradient

    return Call("step()", {"step": step})


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


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rows", description=__doc__)
    parser.add_argument("--classes", action="append", type=int, help="only so many classes (may be repeated)")
    parser.add_argument("--dtype", action="append", choices=DTYPES)
    parser.add_argument("--elements", type=int, default=4_000_000, help="of the logits (default 4 million)")
    parser.add_argument("--order", default="C", choices=("C", "F"), help="of all matrices (default C)")
    parser.add_argument("--threads", type=int, default=1, help="threads of everything timed (default 1)")
    parser.add_argument("--peers", help=f"some of {','.join(PEERS)}; or none; default: all installed")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time spent on a line (default 1)")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    peers = (
        installed() if options.peers is None else tuple(p for p in options.peers.split(",") if p != "none")
    )
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    heads = (f"{'× ' + name:>15}" for name in peers)
    print(f"{'classes':>8}  {'dtype':8} {'ns/element':>10} {'% of limit':>10}", *heads, flush=True)
    records = []
    for dtype in options.dtype or DTYPES:
        for n_classes in options.classes or CLASSES:
            y, z = sample(options.elements, n_classes, dtype, options.order)
            calls = {"fastloss": fastloss_call(y, z, options.threads)}
            calls |= {name: PEERS[name](y, z.copy(order="K"), options.threads) for name in peers}
            calls["triad"] = triad_call(z, options.threads)
            seconds = interleave(calls, options.seconds)
            mine = seconds["fastloss"]
            share = 100 * limit_seconds(seconds["triad"], "value_and_gradient", y, z) / mine
            ratios = (f"{seconds[name] / mine:15.2f}" for name in peers)
            print(f"{n_classes:>8}  {dtype:8} {1e9 * mine / z.size:10.3f} {share:10.0f}", *ratios, flush=True)
            record = {"classes": n_classes, "dtype": dtype, "order": options.order, "elements": z.size}
            records.append(record | {"seconds": seconds})
    write_json(options.json, machine, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
