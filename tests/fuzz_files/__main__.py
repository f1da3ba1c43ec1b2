"""Gives workers a folder each, survives their crashes, and adds up."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from .samples import ROWS

_ROOT = Path(__file__).parents[2]
#: Files a worker tries before another takes its place: what is lost with a crash, and no leak adds up.
_BATCH = 5000


def run(seed: str, seconds: float, most: int) -> tuple[int, list[str]]:
    """Try files until the time is over; return how many, and what was wrong."""
    until, number, findings = time.time() + seconds, 0, []
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        np.save(Path(folder, "y.npy"), np.zeros(ROWS, np.int8))
        while number < most and time.time() < until:
            batch = min(_BATCH, most - number)
            done = subprocess.run(
                [sys.executable, "-m", f"{__package__}.worker", seed, str(number), str(until), str(batch)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                capture_output=True,
                text=True,
                check=False,
            )
            reports = [json.loads(line) for line in done.stdout.splitlines()]
            findings += [json.dumps(report) for report in reports if "wrong" in report]
            if not reports or "last" not in reports[-1]:
                findings.append(_keep(folder, number, done))
                number += batch
            else:
                number = reports[-1]["last"]
    return number, findings


def _keep(folder: str, number: int, done: subprocess.CompletedProcess[str]) -> str:
    """Keep the file that ended a worker, and tell of it."""
    newest = max(Path(folder).glob("f.*"), key=os.path.getmtime)
    kept = Path(tempfile.gettempdir(), f"fuzz_files_{number}{newest.suffix}")
    kept.write_bytes(newest.read_bytes())
    return f"{kept}: a worker ended with {done.returncode} after number {number}: {done.stderr[-3000:]}"


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--files", type=int, default=1 << 40, help="at most so many")
    arguments = parser.parse_args()
    number, findings = run(arguments.seed, arguments.seconds, arguments.files)
    for finding in findings:
        print(finding)
    print(f"{number:,} broken files tried, {len(findings)} findings (seed {arguments.seed})")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
