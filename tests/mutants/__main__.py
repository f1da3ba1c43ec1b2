"""Breaks the C library in one place after the other, and runs the tests that should see it.

Each break is built in a copy of the project, on one instruction-set tier and with little optimisation, since
compiling takes longer than testing. A break is killed if a test fails, crashes or never ends. Before that the
tests must pass on the copy as it is.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import embeddings, evaluation, formulas, pointwise, rows, shared, transport
from .breaks import Break

ROOT = Path(__file__).resolve().parents[2]
BREAKS: list[Break] = [
    *shared.BREAKS,
    *pointwise.BREAKS,
    *formulas.BREAKS,
    *rows.BREAKS,
    *embeddings.BREAKS,
    *transport.BREAKS,
    *evaluation.BREAKS,
]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "*.so", "__pycache__", ".*_cache", "*.egg-info"
)
#: A test run of a break that takes longer than this many seconds hangs.
PATIENCE = 600
COMPILER = """#!/bin/sh
for argument; do shift; [ "$argument" = -O3 ] && argument=-O1; set -- "$@" "$argument"; done
exec {} "$@"
"""


def environment(tier: str, folder: Path) -> dict[str, str]:
    """What a build and a test run of one tier are told."""
    compiler = folder.parent / "compiler"
    compiler.write_text(COMPILER.format("ccache cc" if shutil.which("ccache") else "cc"))
    compiler.chmod(0o755)
    own = {"CC": str(compiler), "FASTLOSS_TIERS": tier, "FASTLOSS_ISA": tier, "PYTHONPATH": str(folder)}
    # No flags of the user's: a break may leave a variable unused, which a compiler may be told to refuse.
    return {**os.environ, **own, "CFLAGS": "", "PYTHONDONTWRITEBYTECODE": "1"}


def build(folder: Path, tier: str) -> None:
    """Build the extension in place, or raise an error with what the compiler said."""
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=folder, env=environment(tier, folder), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"does not build:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def test_files(words: tuple[str, ...]) -> list[str]:
    """The tests with these words in their folders and names, in the order of the words; the slowest last."""
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    files.sort(key=lambda file: "accuracy" in file)
    names = {file: file.removeprefix("tests/").replace("/test_", "/") for file in files}
    return list(dict.fromkeys(file for word in words for file in files if word in names[file]))


def verdict(folder: Path, tier: str, words: tuple[str, ...], patience: float | None = PATIENCE) -> str:
    """Run the tests until one fails: what failed, or an empty text."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *test_files(words)]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment(tier, folder), capture_output=True, text=True, check=False,
            timeout=patience,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "a test that never ends"
    if done.returncode == 0:
        return ""
    if done.returncode < 0:
        return f"a crash by signal {-done.returncode}"
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != 1 or not failed:
        raise RuntimeError(f"the tests do not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[0]


def check(broken: Break) -> None:
    """Raise an error unless the text to replace is there, once."""
    count = (ROOT / broken.path).read_text().count(broken.old)
    if count != 1:
        raise SystemExit(f"{broken}: the text occurs {count} times, not once")


def run(broken: Break, pristine: Path, folders: queue.Queue[Path]) -> str:
    """Build and test one break in a folder of its own."""
    folder = folders.get()
    try:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine, folder)  # with the times of the files, so that little is compiled again
        source = folder / broken.path
        source.write_text(source.read_text().replace(broken.old, broken.new))
        build(folder, broken.tier)
        return verdict(folder, broken.tier, broken.words)
    finally:
        folders.put(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="breaks whose description matches")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="breaks at a time")
    parser.add_argument("--list", action="store_true", help="only list the breaks")
    arguments = parser.parse_args()
    chosen = [b for b in BREAKS if re.search(arguments.only, str(b))]
    for broken in chosen:
        check(broken)
    if arguments.list:
        print(*chosen, f"{len(chosen)} breaks", sep="\n")
        return 0
    survivors: list[Break] = []
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(arguments.jobs) as pool:
        pristine: dict[str, Path] = {}
        folders: queue.Queue[Path] = queue.Queue()
        for i in range(arguments.jobs):
            folders.put(Path(temporary) / f"job{i}")
        for tier in sorted({b.tier for b in chosen}):
            pristine[tier] = Path(temporary) / tier
            shutil.copytree(ROOT, pristine[tier], ignore=LEFT_OUT)
            build(pristine[tier], tier)

        def whole(tier: str) -> str:
            words = tuple(dict.fromkeys(word for b in chosen if b.tier == tier for word in b.words))
            failed = verdict(pristine[tier], tier, words, patience=None)
            print(f"tier {tier} without a break: {failed or 'the tests pass'}", flush=True)
            return failed

        def one(broken: Break) -> None:
            start = time.monotonic()
            seen = run(broken, pristine[broken.tier], folders)
            if not seen:
                survivors.append(broken)
            print(
                f"{'killed' if seen else 'SURVIVED'} in {time.monotonic() - start:.0f} s  {broken}  {seen}",
                flush=True,
            )

        failures = pool.map(whole, pristine)
        list(pool.map(one, chosen))
        failed = any(failures)
    print(f"{len(chosen)} breaks: {len(chosen) - len(survivors)} killed, {len(survivors)} survived")
    return bool(survivors or failed)


if __name__ == "__main__":
    sys.exit(main())
