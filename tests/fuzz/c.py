"""Builds the libFuzzer harness of the C library and runs it: ``python -m tests.fuzz.c --seconds 60``.

Needs a clang that has libFuzzer. What the library was compiled to is kept in build/fuzz_c for the next time.
``--built FOLDER`` takes a library that setup.py built there under the same sanitizers by CC, and tries random
inputs for so long on each tier: nothing is compiled again, but nothing is learned from coverage.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parent.parent.parent
_BUILD = _ROOT / "build" / "fuzz_c"

_CHECKS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
_FLAGS = ["-std=c11", "-g1", "-ffp-contract=off", "-fno-math-errno", "-w", f"-I{_ROOT / 'csrc'}"]


def clang() -> str | None:
    """A clang that links libFuzzer."""
    program = "int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return !data && size; }\n"
    for name in ("clang", *(f"clang-{version}" for version in range(22, 12, -1))):
        if found := shutil.which(name):
            command = [found, "-x", "c", "-", "-fsanitize=fuzzer,address", "-o", "/dev/null"]
            done = subprocess.run(command, input=program, text=True, capture_output=True, check=False)
            if done.returncode == 0:
                return found
    return None


def build(compiler: str, level: str = "-O1") -> Path:
    """Compile what is not up to date, and link."""
    folder = _BUILD / level
    folder.mkdir(parents=True, exist_ok=True)
    headers = max(path.stat().st_mtime for path in _ROOT.glob("csrc/**/*.[hi]*"))
    objects = []
    for source in [*sorted(_ROOT.glob("csrc/*/*.c")), _ROOT / "tests/fuzz/c.c"]:
        target = folder / f"{source.parent.name}_{source.stem}.o"
        objects.append(str(target))
        if not target.exists() or target.stat().st_mtime < max(headers, source.stat().st_mtime):
            options = [*_FLAGS, level, *_CHECKS, "-fsanitize=fuzzer-no-link"]
            subprocess.run([compiler, *options, "-c", str(source), "-o", str(target)], check=True)
    program = folder / "fuzz_c"
    links = [*_CHECKS, "-fsanitize=fuzzer", "-lm", "-pthread"]
    subprocess.run([compiler, *objects, *links, "-o", str(program)], check=True)
    return program


def run(program: Path, seconds: int, seed: int) -> subprocess.CompletedProcess[str]:
    """Let it try for so many seconds, from what it found before; what crashes it stays in its folder."""
    corpus = program.parent / "corpus"
    corpus.mkdir(exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-max_len=64",
        "-timeout=60",
        "-print_final_stats=1",
    ]
    return subprocess.run(
        [str(program), *options, f"-artifact_prefix={program.parent}/", str(corpus)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def run_built(folder: Path, seconds: int, seed: int) -> int:
    """Link the harness to a library that is there, and try random inputs."""
    compiler = os.environ.get("CC", "cc").split()
    objects = [str(path) for path in folder.rglob("*.o") if path.stem != "_core"]
    sources = [str(_ROOT / "tests/fuzz" / name) for name in ("c.c", "c_main.c")]
    with tempfile.TemporaryDirectory() as temporary:
        program = str(Path(temporary) / "fuzz_c")
        links = [*_CHECKS, "-fopenmp", "-lm", "-pthread"]
        subprocess.run([*compiler, *_FLAGS, "-O1", *sources, *objects, *links, "-o", program], check=True)
        return subprocess.run([program, str(seconds), str(seed)], check=False).returncode


def main() -> int:
    """Build, run, and say how many inputs were tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.c", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--level", default="-O1", help="of optimisation: -O0 compiles faster")
    parser.add_argument("--built", type=Path, metavar="FOLDER", help="a build folder of setup.py")
    options = parser.parse_args()
    if options.built:
        return run_built(options.built, options.seconds, options.seed)
    compiler = clang()
    if compiler is None:
        sys.stderr.write("no clang with libFuzzer was found\n")
        return 2
    done = run(build(compiler, options.level), options.seconds, options.seed)
    lines = [line for line in done.stderr.splitlines() if "NEW" not in line and "REDUCE" not in line]
    sys.stdout.write("\n".join(lines[-40:]) + "\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
