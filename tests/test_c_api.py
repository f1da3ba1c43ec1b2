"""The C library on its own: a C program compiles against the public header, with nothing of Python.

With FASTLOSS_SANITIZE=address,undefined it runs under these sanitizers, which report leaks, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPILER = os.environ.get("CC", "").split() or next(
    ([found] for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), []
)


@pytest.mark.skipif(not COMPILER, reason="no C compiler")
def test_a_c_program_uses_the_library(tmp_path):
    program = tmp_path / "program"
    flags = ["-std=c11", "-O0", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", f"-I{ROOT / 'csrc'}"]
    links = ["-lm", "-pthread"]
    if "FASTLOSS_SANITIZE" in os.environ:
        links.append(f"-fsanitize={os.environ['FASTLOSS_SANITIZE']}")
        flags += [links[-1], "-fno-sanitize-recover=all", "-g1"]

    def compiled(source: Path) -> str:
        target = str(tmp_path / f"{source.parent.name}_{source.stem}.o")
        subprocess.run([*COMPILER, *flags, "-c", str(source), "-o", target], check=True, cwd=tmp_path)
        return target

    # Those of the rows take longest, and come first.
    sources = [ROOT / "tests/c_program.c", *sorted(ROOT.glob("csrc/*/*.c"))]
    sources.sort(key=lambda path: "dispatch/rows" not in path.as_posix())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, sources))
    subprocess.run([*COMPILER, *objects, "-o", str(program), *links], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    # Huber(1): 0.5*0.25 + 2.5 + 2.5; softmax of equal logits: log 2; 5² + (1 - 0.5)².
    assert done.stdout == (ROOT / "tests/c_program.txt").read_text()
    assert done.returncode == 0
