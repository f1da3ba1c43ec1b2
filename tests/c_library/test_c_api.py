"""The C library on its own: a C program compiles against the public header, with nothing of Python.

With FASTLOSS_SANITIZE=address,undefined it runs under these sanitizers, which report leaks, too.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import fastloss as fl

ROOT = Path(__file__).parents[2]
COMPILER = os.environ.get("CC", "").split() or next(
    ([found] for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), []
)


pytestmark = pytest.mark.skipif(not COMPILER, reason="no C compiler")
STRICT = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", f"-I{ROOT / 'csrc'}"]


def test_c_programs_use_the_library(tmp_path):
    # Without the functions that are always inlined it compiles in a tenth of the time.
    flags = ["-std=c11", "-O0", "-Dalways_inline=unused", *STRICT]
    links = ["-lm", "-pthread"]
    if "FASTLOSS_SANITIZE" in os.environ:
        links.append(f"-fsanitize={os.environ['FASTLOSS_SANITIZE']}")
        flags += [links[-1], "-fno-sanitize-recover=all", "-g1"]

    def compiled(source: Path) -> str:
        target = str(tmp_path / f"{source.parent.name}_{source.stem}.o")
        subprocess.run([*COMPILER, *flags, "-c", str(source), "-o", target], check=True, cwd=tmp_path)
        return target

    # Those of the rows take longest, and come first.
    mains = [ROOT / "tests/c_library/program.c", ROOT / "examples/c/robust_mean.c"]
    sources = [*mains, *sorted(ROOT.glob("csrc/*/*.c"))]
    sources.sort(key=lambda path: "dispatch/rows" not in path.as_posix())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = dict(zip(sources, pool.map(compiled, sources), strict=True))
    library = [target for source, target in objects.items() if source not in mains]
    said = []
    for main in mains:
        program = tmp_path / main.stem
        subprocess.run([*COMPILER, objects[main], *library, "-o", str(program), *links], check=True)
        done = subprocess.run([program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        said.append(done.stdout)
    # Huber(1): 0.5*0.25 + 2.5 + 2.5; softmax of equal logits: log 2; 5² + (1 - 0.5)².
    assert said[0] == (ROOT / "tests/c_library/program.txt").read_text()
    # Of the slopes at m between 1 and 2, 1 + (m - 1) + (m - 2) - 1, the sum is 0 at 3/2.
    assert said[1] == (
        f"fastloss {fl.__version__}, tier base: the robust mean of 0, 1, 2 and 100 is 1.500000\n"
    )


@pytest.mark.parametrize(("name", "standard"), [("c", "c11"), ("c++", "c++11")])
def test_the_header_compiles_alone(name, standard, tmp_path):
    if name == "c++" and not shutil.which("c++"):
        pytest.skip("no C++ compiler")
    command = COMPILER if name == "c" else ["c++"]
    source = tmp_path / "alone"
    source.write_text('#include "fastloss.h"\nint main(void) { return fl_version() == 0; }\n')
    flags = ["-x", name, f"-std={standard}", "-pedantic", *STRICT, "-fsyntax-only"]
    subprocess.run([*command, *flags, str(source)], check=True)


#: isa.c with all tiers, whose tables are elsewhere: it knows their addresses alone.
AT_THE_START = """
#include <stdio.h>
const char *fl_isa(void), *const *fl_isa_available(void);
int fl_isa_select(const char *name);
#define TABLES(tier) int fl_ops_##tier##_f32, fl_ops_##tier##_f64;
TABLES(base) TABLES(v3) TABLES(v4)
int main(void) {
    printf("%s", fl_isa());
    printf(" %d", fl_isa_select("base"));
    printf(" %s", fl_isa());
    for (const char *const *name = fl_isa_available(); *name; name++)
        printf(" %s", *name);
}
"""


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs a list of what the processor can do")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="has one tier")
def test_the_best_tier_is_taken_at_the_start(tmp_path):
    able = set(Path("/proc/cpuinfo").read_text().split())
    tiers = ["base"]
    if {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe"} <= able:
        tiers.append("v3")
    if tiers[-1] == "v3" and {"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"} <= able:
        tiers.append("v4")
    (tmp_path / "start.c").write_text(AT_THE_START)
    program = tmp_path / "start"
    sources = [str(tmp_path / "start.c"), str(ROOT / "csrc/dispatch/isa.c")]
    flags = [f"-I{ROOT / 'csrc'}", "-DFL_HAVE_v3", "-DFL_HAVE_v4"]
    subprocess.run([*COMPILER, *flags, *sources, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [tiers[-1], "1", "base", *tiers]
