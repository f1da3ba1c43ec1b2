"""``python -m benchmarks.transport``: distances that move mass, beside scipy and POT.

Wasserstein distances of a batch of rows, value and gradient, and Sinkhorn costs of two clouds of points at
one regularisation and one tolerance of the marginals for all. Everything in a line is timed in turn.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import warnings
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.report import describe_machine, write_json
from benchmarks.timing import Call, interleave


def rows(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(m)
    return rng.normal(size=(n, m)), rng.normal(0.5, 1.5, size=(n, m))


def clouds(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(d)
    return rng.normal(size=(n, d)), rng.normal(1.0, 1.0, size=(n, d))


def wasserstein_calls(u: np.ndarray, v: np.ndarray, p: float, threads: int) -> dict[str, Call]:
    """The distance of each row of u from that of v; scipy knows p = 1 alone, and one pair at a time."""
    out = np.empty_like(v)
    names = {"loss": fl.Wasserstein(p=p), "u": u, "v": v, "out": out}
    calls = {
        "fastloss": Call(f'loss(u, v, reduction="none", n_threads={threads})', names),
        "fastloss, value and gradient": Call(
            f"loss.value_and_gradient(u, v, out=out, n_threads={threads})", names
        ),
    }

    def numpy() -> Any:
        return (np.abs(np.sort(u, axis=1) - np.sort(v, axis=1)) ** p).mean(axis=1) ** (1 / p)

    calls["numpy"] = Call("f()", {"f": numpy})
    if p == 1 and importlib.util.find_spec("scipy"):
        from scipy.stats import wasserstein_distance

        calls["scipy"] = Call("[f(a, b) for a, b in zip(u, v)]", {"f": wasserstein_distance, "u": u, "v": v})
    if importlib.util.find_spec("ot"):
        import ot

        calls["POT"] = Call(f"f(u.T, v.T, p={p}) ** (1 / {p})", {"f": ot.wasserstein_1d, "u": u, "v": v})
    return calls


def sinkhorn_calls(
    x: np.ndarray, y: np.ndarray, share: float, tol: float, threads: int
) -> tuple[dict[str, Call], float]:
    """OT_reg at reg = share of the median squared distance; also that reg."""
    squares = ((x[:300, None] - y[:300]) ** 2).sum(axis=2)
    reg = share * float(np.median(squares))
    loss = fl.Sinkhorn(reg=reg, debiased=False, tol=tol, max_iter=10_000)
    names = {"loss": loss, "debiased": fl.Sinkhorn(reg=reg, tol=tol, max_iter=10_000), "x": x, "y": y}
    calls = {
        "fastloss": Call(f"loss(x, y, n_threads={threads})", names),
        "fastloss, debiased": Call(f"debiased(x, y, n_threads={threads})", names),
        "fastloss, debiased, with gradient": Call(
            f"debiased.value_and_gradient(x, y, n_threads={threads})", names
        ),
    }
    if importlib.util.find_spec("ot"):
        import ot

        a, b = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))

        def pot() -> float:
            costs = ot.dist(x, y)
            # Its tolerance is of the norm, which for m errors alike is 1/sqrt(m) of the magnitudes' sum.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                plan = ot.bregman.sinkhorn_log(
                    a, b, costs, reg, numItermax=10_000, stopThr=tol / len(y) ** 0.5
                )
            positive = plan > 0
            ratio = np.where(positive, plan, 1) / np.where(positive, np.outer(a, b), 1)
            return float(np.sum(plan * costs) + reg * np.sum(plan * np.log(ratio)))

        calls["POT"] = Call("f()", {"f": pot})
    return calls, reg


def _print_line(label: str, seconds: dict[str, float]) -> None:
    mine = seconds["fastloss"]
    print(f"{label}\n    fastloss {1e3 * mine:.3g} ms", end="")
    for name, time in seconds.items():
        if name != "fastloss":
            print(f"; {name} {1e3 * time:.3g} ms ({time / mine:.2g}×)", end="")
    print(flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transport", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="of a batch (default 10000)")
    parser.add_argument("--points", type=int, default=2000, help="of each cloud (default 2000)")
    parser.add_argument("--dims", type=int, action="append", help="of the clouds (default 2 and 50)")
    parser.add_argument("--share", type=float, action="append", help="reg over the median cost (default .1)")
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--threads", type=int, default=1, help="threads of fastloss (default 1)")
    parser.add_argument("--no-sinkhorn", action="store_true")
    parser.add_argument("--no-wasserstein", action="store_true")
    parser.add_argument("--no-peers", action="store_true", help="time fastloss alone")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time spent on a line (default 1)")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    records: list[dict[str, Any]] = []

    def measure(label: str, calls: dict[str, Call], rounds: int) -> None:
        calls = {k: c for k, c in calls.items() if not options.no_peers or k.startswith("fastloss")}
        seconds = interleave(calls, options.seconds, rounds)
        _print_line(label, seconds)
        records.append({"case": label, "seconds": seconds})

    for m, p in () if options.no_wasserstein else ((10, 1), (100, 1), (100, 2), (1000, 1)):
        u, v = rows(options.rows, m)
        measure(
            f"Wasserstein(p={p}), {options.rows} rows of {m}", wasserstein_calls(u, v, p, options.threads), 3
        )
    for d in () if options.no_sinkhorn else options.dims or (2, 50):
        x, y = clouds(options.points, d)
        for share in options.share or (0.1,):
            calls, reg = sinkhorn_calls(x, y, share, options.tol, options.threads)
            label = f"Sinkhorn(reg={reg:.3g}), {options.points} points of {d} dims, reg = {share} median cost"
            measure(label, calls, 1)
    write_json(options.json, machine, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
