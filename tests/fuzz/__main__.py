"""Starts the workers, survives their crashes, and adds up."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

from .worker import FAMILIES, PLACE_BYTES, unpack

#: A case that takes longer hangs, though the machine be busy.
PATIENCE = 600

_WORKER = [sys.executable, "-m", f"{__package__}.worker"]
_ROOT = Path(__file__).parent.parent.parent


class Run:
    """Cases of some families, in a process that is started again after a crash."""

    def __init__(self, families: list[str], seed: str, seconds: float, calls: int) -> None:
        self.families, self.seed = families, seed
        self.until, self.most = time.time() + seconds, calls
        self.calls: Counter[str] = Counter()
        self.findings: list[str] = []

    def run(self) -> None:
        """Go on until the time is over."""
        start = 0
        while time.time() < self.until and sum(self.calls.values()) < self.most:
            start = self._once(start) + 1

    def _once(self, start: int) -> int:
        """Run a worker to its end, which may be a crash; return the number of its last case."""
        with (
            tempfile.NamedTemporaryFile() as place,
            tempfile.NamedTemporaryFile("w+") as said,
            tempfile.TemporaryFile("w+") as errors,
        ):
            place.write(bytes(PLACE_BYTES))
            place.flush()
            most = self.most - sum(self.calls.values())
            arguments = [
                ",".join(self.families),
                self.seed,
                str(start),
                str(self.until),
                str(most),
                place.name,
            ]
            worker = subprocess.Popen([*_WORKER, *arguments], stdout=said, stderr=errors, cwd=_ROOT)
            with open(said.name) as told:
                self._follow(worker, place.name, told)
            place.seek(0)
            case, *numbers = unpack(place.read(PLACE_BYTES))
            for family, n in zip(self.families, numbers[1:], strict=False):
                self.calls[family] += n
            if worker.returncode:
                errors.seek(0)
                self._crashed(self.families[numbers[0]], case, worker.returncode, errors.read())
            return case

    def _follow(self, worker: subprocess.Popen[bytes], place: str, told: TextIO) -> None:
        """Take down what the worker finds, and end it if it hangs."""
        seen, since, ended, rest = b"", time.time(), False, ""
        while not ended:
            time.sleep(0.05)
            ended = worker.poll() is not None
            *lines, rest = (rest + told.read()).split("\n")
            for line in lines:
                self.found(*json.loads(line))
            now = Path(place).read_bytes()[:16]
            if now != seen:
                seen, since = now, time.time()
            elif time.time() - since > PATIENCE:
                worker.send_signal(signal.SIGABRT)

    def _crashed(self, family: str, number: int, status: int, errors: str) -> None:
        name = f"{family}/{self.seed}/{number}"
        again = subprocess.run(
            [*_WORKER, "--replay", name], capture_output=True, text=True, cwd=_ROOT, timeout=600, check=False
        )
        last = again.stdout.splitlines()[-1:] or [""]
        self.found(
            family,
            number,
            f"ended with {status} {errors[-500:]}; again {again.returncode}\n    {last[0][:2000]}",
        )

    def found(self, family: str, number: int, text: str) -> None:
        """Take down a finding, and tell of it."""
        self.findings.append(f"{family}/{self.seed}/{number}")
        sys.stdout.write(f"--replay {family}/{self.seed}/{number}\n    {text}\n")
        sys.stdout.flush()


def main() -> int:
    """Run the command; the exit status is 1 where there are findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--calls", type=int, default=1 << 62, help="stop after so many")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--only", choices=list(FAMILIES), action="append", help="a family; may be repeated")
    parser.add_argument("--replay", metavar="FAMILY/SEED/CASE", help="repeat one case, and write its calls")
    options = parser.parse_args()
    if options.replay:
        return subprocess.run([*_WORKER, "--replay", options.replay], cwd=_ROOT, check=False).returncode
    run = Run(options.only or list(FAMILIES), options.seed, options.seconds, options.calls)
    start = time.time()
    run.run()
    total, seconds = sum(run.calls.values()), time.time() - start
    for family in run.families:
        sys.stdout.write(f"{family:<14}{run.calls[family]:>12,} calls\n")
    sys.stdout.write(f"{'all':<14}{total:>12,} calls, {total / seconds:,.0f} a second\n")
    sys.stdout.write(f"{len(run.findings)} findings\n")
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
