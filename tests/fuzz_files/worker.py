"""Runs the command on broken files, one after the other, until it says something that it should not."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import io
import json
import random
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

import fastloss.cli
from fastloss.cli import main

from .samples import FILES, broken

#: A file that takes longer hangs.
PATIENCE = 60
_MEMORY = 4 << 30

#: Columns and losses by extension.
_WAYS = {
    ".npy": [("{}", "{}", "mse"), ("{}", "{}", "bce"), ("y.npy", "{}", "cross_entropy")],
    ".csv": [
        ("{}:a", "{}:b", "mse"),
        ("{}:a", "{}:p0,p1", "cce"),
        ("{}", "{}", "mae"),
        ("y.npy", "{}:b", "mse"),
    ],
    ".parquet": [("{}:a", "{}:b", "mse"), ("{}:a", "{}:p*", "cce"), ("{}:p0", "{}:p1", "mae")],
}


def fault(arguments: list[str]) -> str | None:
    """Run the command; return what is wrong with how it ended, None where it ended as it should."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([*arguments, "--json"])
    except BaseException:  # whatever comes out is a finding
        return traceback.format_exc()
    said, errors = out.getvalue(), err.getvalue()
    if status == 0:
        json.loads(said)
        return None
    if status != 2 or said or errors.count("\n") != 1 or not errors.startswith("fastloss: error: "):
        return f"status {status}, stdout {said!r}, stderr {errors!r}"
    return None if len(errors) > len("fastloss: error: \n") + 10 else f"says nothing: {errors!r}"


def work(seed: str, start: int, until: float, most: int) -> int:
    """Try files from a number on, in the present folder, and print what is found; return the last number."""
    warnings.simplefilter("ignore")
    # The parser of the command line takes twice as long to make as a file to read.
    fastloss.cli.build_parser = functools.cache(fastloss.cli.build_parser)
    wholes = {extension: make() for extension, make in FILES.items()}
    for number in range(start, start + most):
        if time.time() > until:
            return number
        random_ = random.Random(f"{seed} {number}")
        extension = random_.choice(list(wholes))
        data = broken(wholes[extension], random_)
        name = f"f{extension}"
        Path(name).write_bytes(data)
        arguments = [part.format(name) for part in random_.choice(_WAYS[extension])]
        chunk = str(random_.choice((1, 7, 1 << 20)))
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        wrong = fault(["evaluate", *arguments[:2], "--loss", arguments[2], "--chunk-size", chunk])
        if wrong is not None:
            print(json.dumps({"number": number, "arguments": arguments, "wrong": wrong}), flush=True)
    return start + most


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    seed, start, until, most = sys.argv[1:]
    last = work(seed, int(start), float(until), int(most))
    print(json.dumps({"last": last}), flush=True)
