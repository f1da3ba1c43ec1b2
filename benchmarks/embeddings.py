"""``python -m benchmarks.embeddings``: losses of embeddings beside NumPy and torch, by the width of a row.

Each line is one loss, width and dtype, value and gradients: nanoseconds per row, the percentage of the memory
limit (every input read once, every gradient written once), and how many times longer each peer takes.
Everything in a line is timed in turn. ``--batch N`` times NT-Xent on N pairs instead.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.limit import triad_call
from benchmarks.report import describe_machine, write_json
from benchmarks.timing import Call, interleave

LOSSES = {"triplet": fl.Triplet(squared=False), "cosine": fl.CosineEmbedding(), "center": fl.CenterLoss()}
WIDTHS = (16, 128, 1024)
DTYPES = ("float32", "float64")
CENTERS = 100

Arguments = tuple[np.ndarray, ...]


def sample(name: str, n_elements: int, width: int, dtype: str) -> Arguments:
    """Rows of about so many elements an argument, and labels."""
    rng = np.random.default_rng(width)
    n = max(1, n_elements // width)
    a, b, c = (rng.normal(size=(n, width)).astype(dtype) for _ in range(3))
    if name == "triplet":
        return a, b, c
    if name == "center":
        return a, b[:CENTERS].copy(), rng.integers(0, min(n, CENTERS), n)
    return a, b, rng.choice([-1, 1], n)


def fastloss_call(name: str, arguments: Arguments, threads: int) -> Call:
    out = tuple(np.empty_like(x) for x in arguments if x.ndim == 2)
    names = {"f": LOSSES[name].value_and_gradient, "x": arguments, "out": out}
    return Call(f"f(*x, out=out, n_threads={threads})", names)


def _numpy_triplet(a: Any, p: Any, n: Any) -> tuple[Any, ...]:
    to_p, to_n = a - p, a - n
    near, far = np.linalg.norm(to_p, axis=1), np.linalg.norm(to_n, axis=1)
    over = np.maximum(near - far + 1, 0)
    active = (over > 0) / len(a)
    to_p *= (active / near)[:, None].astype(a.dtype)
    to_n *= (active / far)[:, None].astype(a.dtype)
    return over.mean(), to_p - to_n, -to_p, to_n


def _numpy_cosine(a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    ab, aa, bb = (np.einsum("ij,ij->i", u, v) for u, v in ((a, b), (a, a), (b, b)))
    lengths = np.sqrt(aa * bb)
    cosine = ab / lengths
    slope = (np.where(y == 1, -1, cosine > 0) / lengths / len(a)).astype(a.dtype)[:, None]
    value = np.where(y == 1, 1 - cosine, np.maximum(cosine, 0)).mean()
    return value, slope * (b - (ab / aa)[:, None] * a), slope * (a - (ab / bb)[:, None] * b)


def _numpy_center(x: Any, centers: Any, labels: Any) -> tuple[Any, ...]:
    by_x = x - centers[labels]
    value = np.einsum("ij,ij->", by_x, by_x) / 2 / len(x)
    by_x *= 1 / len(x)
    by_centers = np.zeros_like(centers)
    np.subtract.at(by_centers, labels, by_x)
    return value, by_x, by_centers


def numpy_call(name: str, arguments: Arguments, threads: int) -> Call:
    step = {"triplet": _numpy_triplet, "cosine": _numpy_cosine, "center": _numpy_center}[name]
    return Call("f(*x)", {"f": step, "x": arguments})


def torch_call(name: str, arguments: Arguments, threads: int) -> Call:
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    tensors = [torch.from_numpy(x.copy()).requires_grad_(x.ndim == 2) for x in arguments]
    compute = {
        "triplet": lambda a, p, n: F.triplet_margin_loss(a, p, n, eps=0.0),
        "cosine": F.cosine_embedding_loss,
        "center": lambda x, c, y: (x - c[y]).square().sum() / 2 / len(x),
    }[name]

    def step() -> tuple[Any, ...]:
        for x in tensors:
            x.grad = None
        value = compute(*tensors)
        value.backward()
        return value.detach(), *(x.grad for x in tensors if x.grad is not None)

    return Call("f()", {"f": step})


PEERS: dict[str, Callable[[str, Arguments, int], Call]] = {"numpy": numpy_call, "torch": torch_call}


def installed() -> tuple[str, ...]:
    """The peers whose packages are here."""
    return tuple(name for name in PEERS if importlib.util.find_spec(name))


def measure_batch(n: int, width: int, dtype: str, threads: int) -> None:
    """NT-Xent's time and memory on one batch of so many pairs."""
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(n, width)).astype(dtype) for _ in range(2))
    for verb in ("__call__", "value_and_gradient"):
        began = time.perf_counter()
        getattr(fl.NTXent(), verb)(a, b, n_threads=threads)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"NTXent {n} x {width} {dtype} {verb}: {seconds:.1f} s, the process's peak {peak:.0f} MiB")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embeddings", description=__doc__)
    parser.add_argument("--loss", action="append", choices=LOSSES)
    parser.add_argument("--width", action="append", type=int, help="only rows so wide (may be repeated)")
    parser.add_argument("--dtype", action="append", choices=DTYPES)
    parser.add_argument("--elements", type=int, default=8_000_000, help="of an argument (default 8 million)")
    parser.add_argument("--threads", type=int, default=1, help="threads of everything timed (default 1)")
    parser.add_argument("--peers", help=f"some of {','.join(PEERS)}; or none; default: all installed")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time spent on a line (default 1)")
    parser.add_argument("--batch", type=int, metavar="N", help="time NT-Xent on N pairs of width 128 instead")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    if options.batch is not None:
        for dtype in options.dtype or DTYPES[:1]:
            measure_batch(options.batch, (options.width or [128])[0], dtype, options.threads)
        return 0
    peers = (
        installed() if options.peers is None else tuple(p for p in options.peers.split(",") if p != "none")
    )
    head = (
        f"{'loss':8} {'width':>6}  {'dtype':8} {'ns/row':>9} {'% limit':>8}",
        *(f"{'× ' + p:>9}" for p in peers),
    )
    print(*head, flush=True)
    records = []
    for name in options.loss or LOSSES:
        for dtype in options.dtype or DTYPES:
            for width in options.width or WIDTHS:
                x = sample(name, options.elements, width, dtype)
                calls = {"fastloss": fastloss_call(name, x, options.threads)}
                calls |= {peer: PEERS[peer](name, x, options.threads) for peer in peers}
                calls["triad"] = triad_call(x[0], options.threads)
                seconds = interleave(calls, options.seconds)
                mine, moved = seconds["fastloss"], 2 * sum(a.nbytes for a in x if a.ndim == 2)
                limit = seconds["triad"] * moved / (3 * x[0].nbytes)
                ratios = (f"{seconds[peer] / mine:9.2f}" for peer in peers)
                row = (
                    f"{name:8} {width:>6}  {dtype:8} {1e9 * mine / len(x[0]):9.1f} {100 * limit / mine:8.0f}"
                )
                print(row, *ratios, flush=True)
                records.append({"loss": name, "width": width, "dtype": dtype, "seconds": seconds})
    write_json(options.json, machine, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
