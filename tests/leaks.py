"""Whether calls leave memory behind: ``python -m tests.leaks`` asks every verb a million times.

Blocks of Python's allocator are counted, references to the arguments too, and the process's resident memory
shows what C allocates.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastloss as fl

VERBS = ("__call__", "gradient", "value_and_gradient", "gradient_and_hessian", "value_gradient_and_hessian")


class Growth(NamedTuple):
    """What so many calls left behind."""

    blocks: int
    references: int
    kibibytes: int


def _data() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(6, 3))
    return {
        "y": rng.integers(0, 2, 6),
        "z": z[:, 0].copy(),
        "w": rng.random(6),
        "rows": z,
        "fortran": np.asfortranarray(z.astype(">f4")),
        "labels": np.array([0, 1, 2, 0, 1, 2], np.int8),
        "p": rng.dirichlet(np.ones(3), 6),
        "out": np.empty((6, 3)),
    }


def _refused(function: Callable[..., Any], *args: Any, **options: Any) -> Callable[[], None]:
    def call() -> None:
        try:
            function(*args, **options)
        except (ValueError, TypeError):
            return
        raise AssertionError(f"{function} accepts {args} {options}")

    return call


def calls(d: dict[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every verb of every family by name, and errors of every kind."""
    losses = [
        (fl.BinaryCrossEntropy(), (d["y"], d["z"])),
        (fl.CrossEntropy(class_weight=(1.0, 2.0, 3.0)), (d["labels"], d["rows"])),
        (fl.KLDivergence(), (d["p"], d["p"])),
        (fl.CosineEmbedding(), (d["rows"], d["rows"], d["y"])),
        (fl.CenterLoss(), (d["rows"], d["rows"], d["labels"])),
        (fl.NTXent(), (d["rows"], d["rows"])),
        (fl.Wasserstein(), (d["rows"], d["rows"])),
        (fl.Sinkhorn(reg=5.0), (d["rows"], d["rows"])),
    ]
    for loss, args in losses:
        for verb in VERBS:
            method, name = getattr(loss, verb), f"{type(loss).__name__}.{verb}"
            if verb.endswith("hessian") and not loss.has_hessian:
                yield f"{name}, refused", _refused(method, *args)
                continue
            yield name, lambda method=method, args=args: method(*args)
            if not isinstance(loss, fl.Sinkhorn):
                w, options = d["w"], {"reduction": "none", "n_threads": 2}
                yield (
                    f"{name}, weighted",
                    lambda method=method, args=args, w=w, o=options: method(*args, sample_weight=w, **o),
                )
                yield f"{name}, bad weight", _refused(method, *args, sample_weight=-w)
                yield f"{name}, bad reduction", _refused(method, *args, reduction="avg")
            yield f"{name}, bad shape", _refused(method, args[0], args[1][:-1].T, *args[2:])
            yield f"{name}, bad dtype", _refused(method, args[0], args[1].astype("M8[s]"), *args[2:])
            yield f"{name}, bad threads", _refused(method, *args, n_threads=0)
    loss = fl.CrossEntropy()
    yield "lists", lambda: fl.Huber().gradient([1.0, 2.0], [3.0, 4.0])
    yield "get_loss", lambda: fl.get_loss("huber", delta=2.0)
    yield "get_loss, refused", _refused(fl.get_loss, "hubert")
    yield "swapped and turned", lambda: loss.value_and_gradient(d["labels"], d["fortran"])
    yield "out", lambda: loss.gradient(d["labels"], d["rows"], out=d["out"])
    yield "bad out", _refused(loss.gradient, d["labels"], d["rows"], out=d["out"][:, :2])
    yield "overlapping out", _refused(loss.gradient, d["labels"], d["rows"], out=d["rows"][::-1])
    yield "bad label", _refused(loss, d["labels"] + 1, d["rows"])
    yield "bad target", _refused(fl.Hinge(), d["y"] + 7, d["z"])
    yield "probabilities", lambda: loss.probabilities(d["rows"])
    yield "penalty", lambda: fl.ElasticNet(1.0, 0.5).value_gradient_and_hessian(d["z"])
    objective = fl.LinearObjective(loss, d["rows"], d["labels"], fl.L2(), sample_weight=d["w"])
    at, other = np.zeros(objective.size), np.ones(objective.size)
    yield "linear", lambda: objective(at)
    yield "linear hessp", lambda: objective.hessp(at, other)
    yield "linear, refused", _refused(objective, at[1:])


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def growth(call: Callable[[], Any], d: dict[str, Any], n: int) -> Growth:
    """What `n` calls leave behind, after some that fill caches."""
    for _ in range(200):
        call()
    gc.collect()
    references = sum(sys.getrefcount(x) for x in d.values())
    kibibytes, blocks = _resident(), sys.getallocatedblocks()
    for _ in range(n):
        call()
    gc.collect()
    left = sys.getallocatedblocks() - blocks
    return Growth(left, sum(sys.getrefcount(x) for x in d.values()) - references, _resident() - kibibytes)


def main() -> int:
    """Ask everything; the exit status is 1 where something grows with the calls."""
    parser = argparse.ArgumentParser(prog="python -m tests.leaks", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000, help="of each verb")
    parser.add_argument("--errors", type=int, help="of each wrong call; a tenth of the calls unless given")
    parser.add_argument("--only", default="", help="calls whose names hold this")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    d, start, worst, total, leaking = _data(), time.time(), 0, 0, []
    asked = [(name, call) for name, call in calls(d) if options.only in name]
    for name, call in asked:
        wrong = "refused" in name or "bad" in name or "overlapping" in name
        n = (options.errors or options.calls // 10) if wrong else options.calls
        found = growth(call, d, n)
        total, worst = total + n, max(worst, found.kibibytes)
        if found.blocks > n // 50 + 50 or found.references or found.kibibytes > 512 + n // 100:
            leaking.append(name)
            sys.stdout.write(f"{name}: {n} calls left {found}\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"{len(asked)} kinds of calls, {total:,} calls in {time.time() - start:.0f} s,"
        f" at most {worst} KiB more, {len(leaking)} leak\n"
    )
    return 1 if leaking else 0


if __name__ == "__main__":
    sys.exit(main())
