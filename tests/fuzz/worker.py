"""The process that a crash may take: runs cases of one family after another, and says what it found."""

from __future__ import annotations

import json
import mmap
import struct
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from . import embeddings, metrics, mistakes, others, pointwise, rows
from .session import FindingError, Session

FAMILIES: dict[str, Any] = {
    "pointwise": pointwise.case,
    "rows": rows.case,
    "embeddings": embeddings.case,
    "penalties": others.penalties,
    "wasserstein": others.wasserstein,
    "sinkhorn": others.sinkhorn,
    "linear": others.linear,
    "objects": others.objects,
    "mistakes": mistakes.case,
    "metrics": metrics.case,
}

#: Slow families take part in every so manieth round alone.
EVERY = {"metrics": 25, "linear": 3, "sinkhorn": 3}

#: Warnings that are part of what is documented.
EXPECTED = (r".*sums to .* instead of 1", r".*stopped after \d+ iterations")


#: What the parent sees of a worker: the case, the family, and the calls of each family so far.
PLACE_BYTES = 256


def unpack(place: bytes) -> tuple[int, ...]:
    """The numbers of a place."""
    return struct.unpack(f"<{PLACE_BYTES // 8}q", place)


def _quiet() -> None:
    warnings.simplefilter("error")
    for message in EXPECTED:
        warnings.filterwarnings("ignore", message=message)


def run(family: str, seed: str, number: int, echo: bool = False) -> tuple[int, str]:
    """Run one case; return the number of its calls, and what was found."""
    session = Session(f"{family}/{seed}/{number}", echo)
    try:
        FAMILIES[family](session)
    except FindingError as error:
        return session.calls, f"{error}\n    {_shortened(session)}"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return session.calls, f"{type(error).__name__}: {error} ({place})\n    {_shortened(session)}"
    return session.calls, ""


def _shortened(session: Session) -> str:
    try:
        line = session.line() if session.last else "before the first call"
    except Exception as error:  # a finding must be told whatever its arguments are
        line = f"a call that cannot be written: {error!r}"
    return line if len(line) < 2000 else f"{line[:1400]} ... {line[-500:]}"


def work(families: list[str], seed: str, start: int, until: float, most: int, place: str) -> None:
    """Run cases until the time is over or enough calls are made; write a line of JSON for each finding."""
    _quiet()
    calls = [0] * len(families)
    with open(place, "r+b") as file, mmap.mmap(file.fileno(), PLACE_BYTES) as now:
        number = start
        while time.time() < until and sum(calls) < most:
            for i, family in enumerate(families):
                if len(families) > 1 and number % EVERY.get(family, 1):
                    continue
                struct.pack_into("<2q", now, 0, number, i)
                n, found = run(family, seed, number)
                calls[i] += n
                struct.pack_into("<q", now, 16 + 8 * i, calls[i])
                if found:
                    sys.stdout.write(json.dumps([family, number, found]) + "\n")
                    sys.stdout.flush()
            number += 1


def main() -> None:
    """Run what the parent asks for, or repeat one case."""
    if sys.argv[1] == "--replay":
        _quiet()
        np.set_printoptions(legacy="1.25")
        family, seed, number = sys.argv[2].split("/")
        found = run(family, seed, int(number), echo=True)[1]
        sys.stdout.write(f"FOUND {found}\n" if found else "nothing found\n")
        return
    families, seed, start, until, most, place = sys.argv[1:]
    work(families.split(","), seed, int(start), float(until), int(most), place)


if __name__ == "__main__":
    main()
