"""The C library on its own: a C program compiles against the public header, with nothing of Python.

With FASTLOSS_SANITIZE=address,undefined it runs under these sanitizers, which report leaks, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
def test_a_c_program_uses_the_library(tmp_path):
    program = tmp_path / "program"
    sources = [str(path) for path in sorted(ROOT.glob("csrc/*/*.c"))]
    flags = ["-std=c11", "-O0", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-lm", "-pthread"]
    if "FASTLOSS_SANITIZE" in os.environ:
        flags += [f"-fsanitize={os.environ['FASTLOSS_SANITIZE']}", "-fno-sanitize-recover=all", "-g1"]
    main = str(ROOT / "tests/c_program.c")
    include = f"-I{ROOT / 'csrc'}"
    subprocess.run([COMPILER, include, main, *sources, "-o", str(program), *flags], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    # Huber(1): 0.5*0.25 + 2.5 + 2.5; softmax of equal logits: log 2; 5² + (1 - 0.5)².
    assert done.stdout == (ROOT / "tests/c_program.txt").read_text()
    assert done.returncode == 0
