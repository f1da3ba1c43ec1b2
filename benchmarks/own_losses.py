"""Losses that no library has: `fastloss.formula` beside what people write them with.

``python -m benchmarks.own_losses`` prints what the tables of docs are made of: value (a mean), gradient of
float32 targets and predictions, one thread, all in turn, the fastest of each: nanoseconds of the machine, and
how many times as long the compiled formula and the peers take. NumPy, numexpr and numba get a derivative that
was taken by hand; jax and torch take theirs of the value.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMEXPR_NUM_THREADS", "1")

import numpy as np

import fastloss as fl
from benchmarks.timing import Call, interleave


class Own(NamedTuple):
    """A formula for fastloss, and value and gradient as a careful user writes them in NumPy's functions.

    Their constants are whole numbers, which keep float32 in every library.
    """

    formula: str
    value: str
    gradient: str
    labels: bool = False


SIGMOID_M = "1/(1 + exp((2*y - 1)*z))"
SOFTPLUS_M = "(where((2*y - 1)*z < 0, -(2*y - 1)*z, 0*z) + log1p(exp(-abs(z))))"
OWN = {
    "cross-entropy": Own(
        "softplus(z) - y*z",
        "where(z > 0, z, 0*z) - y*z + log1p(exp(-abs(z)))",
        "1/(1 + exp(-z)) - y",
        labels=True,
    ),
    "focal, γ = 2": Own(
        "softplus(-(2*y - 1)*z)*sigmoid(-(2*y - 1)*z)**2",
        f"{SOFTPLUS_M}*({SIGMOID_M})**2",
        f"-(2*y - 1)*({SIGMOID_M})**2*({SIGMOID_M} + 2*{SOFTPLUS_M}*(1 - {SIGMOID_M}))",
        labels=True,
    ),
    "Huber": Own(
        "where(abs(z - y) <= 1, (z - y)**2/2, abs(z - y) - 1/2)",
        "where(abs(z - y) <= 1, (z - y)**2/2, abs(z - y) - (1 + 0*z)/2)",
        "where(abs(z - y) <= 1, z - y, where(z > y, 1 + 0*z, -1 + 0*z))",
    ),
    "log-cosh": Own(
        "log_cosh(z - y)", "abs(z - y) + log1p(exp(-2*abs(z - y))) - log1p(1 + 0*z)", "tanh(z - y)"
    ),
    "Cauchy": Own("log1p((z - y)**2)/2", "log1p((z - y)**2)/2", "(z - y)/(1 + (z - y)**2)"),
    "Welsch": Own("1 - exp(-(z - y)**2)", "-expm1(-(z - y)**2)", "2*(z - y)*exp(-(z - y)**2)"),
    "LINEX": Own("exp(y - z) - (y - z) - 1", "expm1(y - z) - (y - z)", "-expm1(y - z)"),
    "Poisson": Own("exp(z) - y*z", "exp(z) - y*z", "exp(z) - y"),
    "pseudo-Huber": Own(
        "sqrt(1 + (z - y)**2) - 1",
        "(z - y)**2/(1 + sqrt(1 + (z - y)**2))",
        "(z - y)/sqrt(1 + (z - y)**2)",
    ),
    "expectile": Own(
        "where(z > y, 1, 3)*(z - y)**2",
        "where(z > y, 1 + 0*z, 3 + 0*z)*(z - y)**2",
        "2*where(z > y, 1 + 0*z, 3 + 0*z)*(z - y)",
    ),
}
NAMES = ("where", "abs", "exp", "expm1", "log1p", "sqrt", "tanh")
PEERS = ("NumPy", "numexpr", "numba", "jax.jit", "torch.compile")

Made = Callable[[np.ndarray, np.ndarray], Callable[[], tuple[Any, Any]]]


def of_fastloss(own: Own, backend: str = "machine") -> Made:
    """Return what binds data to a call of the formula."""
    loss = fl.formula(own.formula, targets="[0, 1]" if own.labels else None, backend=backend)

    def bind(y: np.ndarray, z: np.ndarray) -> Callable[[], tuple[Any, Any]]:
        out = np.empty_like(z)
        return lambda: loss.value_and_gradient(y, z, out=out, n_threads=1)

    return bind


def of_numpy(own: Own) -> Made:
    """NumPy's functions one after the other."""
    names = {name: getattr(np, name) for name in NAMES}
    both = eval(f"lambda y, z: (({own.value}).mean(dtype='f8'), ({own.gradient})/len(z))", names)
    return lambda y, z: lambda: both(y, z)


def of_numexpr(own: Own) -> Made:
    """A machine over blocks, one expression at a time."""
    import numexpr

    def bind(y: np.ndarray, z: np.ndarray) -> Callable[[], tuple[Any, Any]]:
        names, out, values = {"y": y, "z": z, "n": np.float32(len(z))}, np.empty_like(z), np.empty_like(z)

        def call() -> tuple[Any, Any]:
            numexpr.evaluate(own.value, names, out=values)
            return values.mean(dtype="f8"), numexpr.evaluate(f"({own.gradient})/n", names, out=out)

        return call

    return bind


def of_numba(own: Own) -> Made:
    """One loop, compiled with fused and reordered arithmetic allowed."""
    import numba

    def where(condition: Any, a: Any, b: Any) -> Any:
        return a if condition else b

    names: dict[str, Any] = {name: getattr(math, name) for name in NAMES if hasattr(math, name)}
    names |= {"where": numba.njit(where, inline="always"), "abs": abs}
    code = (
        "def both(y_all, z_all, out):\n"
        "    total, n = 0.0, z_all.size\n"
        "    for i in range(n):\n"
        "        y, z = y_all[i], z_all[i]\n"
        f"        total += {own.value}\n"
        f"        out[i] = ({own.gradient})/n\n"
        "    return total/n\n"
    )
    exec(code, names)
    both = numba.njit(fastmath=True)(names["both"])

    def bind(y: np.ndarray, z: np.ndarray) -> Callable[[], tuple[Any, Any]]:
        out = np.empty_like(z)
        return lambda: (both(y, z, out), out)

    return bind


def of_jax(own: Own) -> Made:
    """The value, differentiated and compiled."""
    import jax
    import jax.numpy as jnp

    value = eval(f"lambda y, z: {own.value}", {name: getattr(jnp, name) for name in NAMES})
    both = jax.jit(jax.value_and_grad(lambda z, y: value(y, z).mean()))

    def bind(y: np.ndarray, z: np.ndarray) -> Callable[[], tuple[Any, Any]]:
        on_device = jax.device_put(z), jax.device_put(y)
        return lambda: jax.block_until_ready(both(*on_device))

    return bind


def of_torch(own: Own) -> Made:
    """The value, differentiated, compiled forwards and backwards."""
    import torch

    torch.set_num_threads(1)
    names = {name: getattr(torch, name) for name in NAMES}
    value = torch.compile(eval(f"lambda y, z: ({own.value}).mean()", names), dynamic=True)

    def bind(y: np.ndarray, z: np.ndarray) -> Callable[[], tuple[Any, Any]]:
        target, prediction = torch.from_numpy(y), torch.from_numpy(z).requires_grad_()

        def call() -> tuple[Any, Any]:
            found = value(target, prediction)
            return found.detach(), torch.autograd.grad(found, prediction)[0]

        return call

    return bind


MAKERS = dict(zip(PEERS, (of_numpy, of_numexpr, of_numba, of_jax, of_torch), strict=True))


def data(own: Own, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and predictions, ordinary ones."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n) if own.labels else rng.normal(0, 1, n)
    return y.astype(np.float32), rng.normal(0, 2, n).astype(np.float32)


def worst(own: Own, gradient: Any, y: np.ndarray, z: np.ndarray) -> float:
    """Return the largest error of a gradient times n, in units in the last place of float32."""
    names = {name: getattr(np, name) for name in NAMES}
    truth = eval(own.gradient, names | {"y": y.astype(np.float64), "z": z.astype(np.float64)})
    error = np.abs(np.asarray(gradient, np.float64) * len(z) - truth)
    return float((error / np.spacing(np.abs(truth).astype(np.float32))).max())


def main() -> None:
    """Print a line for each formula and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="default: 16, 1,000, 100,000, 10,000,000")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--only", help="formulas whose name begins so", default="")
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    sizes = options.size or [16, 1_000, 100_000, 10_000_000]
    peers = ["compiled", *options.peers]
    print(f"| formula | elements | ns/element | {' | '.join(peers)} |")
    print("|---" * (3 + len(peers)) + "|")
    exact = 4096
    for name, own in OWN.items():
        if not name.startswith(options.only):
            continue
        makers = {"fastloss": of_fastloss, "compiled": partial(of_fastloss, backend="compiled")}
        makers |= {peer: MAKERS[peer] for peer in options.peers}
        made, first, errors = {}, [], []
        y, z = data(own, exact)
        for peer, maker in makers.items():
            start = time.perf_counter()
            made[peer] = maker(own)
            _, gradient = made[peer](y, z)()
            first.append(f"{1e3 * (time.perf_counter() - start):.3g} ms")
            errors.append(f"{worst(own, gradient, y, z):.1f} ULP")
        for n in sizes:
            y, z = data(own, n)
            calls = {peer: Call("f()", {"f": bind(y, z)}) for peer, bind in made.items()}
            best = interleave(calls, options.seconds)
            ours = best["fastloss"]
            ratios = (f"{best[peer] / ours:.2g}×" for peer in peers)
            print(f"| {name} | {n:,} | {1e9 * ours / n:.3g} | {' | '.join(ratios)} |", flush=True)
        print(f"| {name} | first result | {' | '.join(first)} |", flush=True)
        print(f"| {name} | error | {' | '.join(errors)} |", flush=True)


if __name__ == "__main__":
    main()
