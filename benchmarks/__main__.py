"""``python -m benchmarks``: time the losses beside their peers and print one table.

Each line is one loss, dtype, size and verb: nanoseconds per element, the share of the memory limit reached,
and how many times longer each peer takes. Everything in a line is timed in turn, in the same run.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.cases import DTYPES, OUTPUTS, SIZES, losses, sample, verbs
from benchmarks.limit import larger_than_cache, limit_seconds, triad_call
from benchmarks.peers import PEERS, fastloss_call, installed
from benchmarks.report import describe_machine, header, line, write_json
from benchmarks.timing import Call, interleave

#: From this size on, a second measurement with twice the threads shows how the loss scales.
SCALING_SIZE = 1_000_000


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark that the command line asks for."""
    options = _parse(arguments)
    fl.set_num_threads(options.threads)
    machine = describe_machine(options.threads)
    print(*(f"{key}: {value}" for key, value in machine.items()), sep="\n", end="\n\n")
    print(header(options.peers), flush=True)
    records = []
    for label, loss in losses().items():
        if options.loss and label not in options.loss and loss.name not in options.loss:
            continue
        for size, dtype in ((size, dtype) for size in options.size for dtype in options.dtype):
            for verb in (verb for verb in verbs(loss) if verb in options.verb):
                record = {"loss": label, "dtype": dtype, "size": size, "verb": verb}
                record |= measure(loss, verb, size, dtype, options)
                print(line(record, options.peers), flush=True)
                records.append(record)
    write_json(options.json, machine, records)
    return 0


def measure(loss: Any, verb: str, size: int, dtype: str, options: argparse.Namespace) -> dict[str, Any]:
    """Time one case beside its peers; seconds per call by name, and the memory limit where it applies."""
    y, z = sample(loss, size, dtype)
    if options.target_dtype:
        y = _retype(y, options.target_dtype)
    calls: dict[str, Call] = {"fastloss": fastloss_call(loss, verb, y, z)}
    for name in options.peers:
        call = PEERS[name](loss, verb, y, z, options.threads)
        if call is not None:
            calls[name] = call
    twice = 2 * options.threads
    scales = size >= SCALING_SIZE and twice <= len(os.sched_getaffinity(0))
    if larger_than_cache(z):
        calls["triad"] = triad_call(z, options.threads)
    if scales:
        calls["fastloss, twice the threads"] = fastloss_call(loss, verb, y, z, twice)
        calls["triad, twice the threads"] = triad_call(z, twice)
    seconds = interleave(calls, options.seconds, options.rounds)
    limit = limit_seconds(seconds["triad"], verb, y, z) if "triad" in seconds else None
    return {"seconds": seconds, "limit": limit}


def _retype(y: np.ndarray, dtype: str) -> np.ndarray:
    """Targets in another dtype, if it holds them all exactly; unchanged otherwise."""
    other = y.astype(dtype)
    return other if np.array_equal(other, y) else y


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--loss", action="append", help="only this loss (may be repeated)")
    parser.add_argument("--size", action="append", type=lambda text: int(text.replace("_", "")))
    parser.add_argument("--dtype", action="append", choices=DTYPES)
    parser.add_argument("--verb", action="append", choices=tuple(OUTPUTS))
    parser.add_argument("--threads", type=int, default=1, help="threads of everything timed (default 1)")
    parser.add_argument("--peers", help=f"some of {','.join(PEERS)}; or none; default: all installed")
    parser.add_argument("--target-dtype", help="targets in this dtype where it holds them exactly, as int8")
    parser.add_argument("--seconds", type=float, default=0.5, help="least time spent on a line (default 0.5)")
    parser.add_argument("--rounds", type=int, default=7, help="least number of rounds on a line (default 7)")
    parser.add_argument("--quick", action="store_true", help="few rounds, and no sizes above 1 million")
    parser.add_argument("--json", metavar="FILE", help="write every time measured to FILE")
    options = parser.parse_args(arguments)
    options.size = options.size or list(SIZES)
    options.dtype = options.dtype or list(DTYPES)
    options.verb = options.verb or ["value", "value_and_gradient"]
    if options.quick:
        options.seconds, options.rounds = 0.05, 2
        options.size = [min(size, 1_000_000) for size in options.size]
    here = installed()
    if options.peers is None:
        options.peers = here
    else:
        options.peers = () if options.peers == "none" else tuple(options.peers.split(","))
        for name in options.peers:
            if name not in here:
                state = "is not installed" if name in PEERS else f"is none of {', '.join(PEERS)}"
                parser.error(f"--peers: {name} {state}")
    known = {name for label, loss in losses().items() for name in (label, loss.name)}
    for name in options.loss or ():
        if name not in known:
            parser.error(f"--loss: {name} is none of {', '.join(sorted(known))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
