"""What setup.py says where it cannot build: one sentence that tells what to get, and no traceback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytest.importorskip("Cython", reason="needs what builds the extension module")
pytest.importorskip("setuptools", minversion="77", reason="needs what builds the extension module")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="writes a shell script")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "csrc", folder / "csrc")
    shutil.copytree(ROOT / "fastloss", folder / "fastloss", ignore=shutil.ignore_patterns("*.so", "*.c"))
    (folder / "fastloss/_core.c").touch()  # newer than all that Cython would make it of
    return folder


def errors(command: list[str], checkout: Path, **environment: str) -> str:
    inherited = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "LDSHARED")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    return said


BUILD = ["setup.py", "-q", "build_ext", "--inplace"]
WITHOUT_COMPILER = "error: fastloss needs a C compiler, and 'no-such-cc' does not work here: "


def test_without_a_compiler(checkout: Path) -> None:
    said = errors(BUILD, checkout, CC="no-such-cc").strip()
    assert said.startswith(WITHOUT_COMPILER)
    assert "\n" not in said
    if sys.platform == "linux":
        assert '"apt install gcc python3-dev"' in said


def test_with_nothing_on_the_path(checkout: Path, tmp_path: Path) -> None:
    said = errors(BUILD, checkout, PATH=str(tmp_path)).strip()
    assert said.startswith("error: fastloss needs a C compiler, and ")
    assert "\n" not in said


def test_a_compiler_that_does_not_compile(checkout: Path) -> None:
    said = errors(BUILD, checkout, CC=str(shutil.which("false"))).strip()
    assert said.startswith("error: fastloss needs a C compiler, and ")
    assert "\n" not in said


@pytest.mark.parametrize("how", [[], ["-e"]])
def test_pip_shows_the_sentence(checkout: Path, tmp_path: Path, how: list[str]) -> None:
    pytest.importorskip("pip")
    command = ["-m", "pip", "install", "--no-build-isolation", "--no-deps", "--no-input"]
    target = [] if how else ["--target", str(tmp_path)]
    said = errors([*command, *target, *how, "."], checkout, CC="no-such-cc")
    assert WITHOUT_COMPILER in said
    assert said.count("\n") < 60  # pip has about 40 of its own


def test_without_python_s_headers(checkout: Path, tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(
        "#!/bin/sh\necho 'probe.c:1:10: fatal error: Python.h: No such file or directory' >&2\nexit 1\n"
    )
    compiler.chmod(0o755)
    said = errors(BUILD, checkout, CC=str(compiler)).strip()
    assert said.startswith("error: fastloss needs the headers of this Python")
    assert "\n" not in said


def test_microsoft_s_compiler_is_refused(checkout: Path) -> None:
    said = errors([*BUILD, "--compiler=msvc"], checkout).strip()
    assert "install MinGW-w64" in said
    assert "\n" not in said


COMPILER = """#!/bin/sh
case $* in
    *-dM*) echo '#define __x86_64__ 1';;
    *-E*) for source; do :; done; cat "$source";;
esac
while [ $# -gt 1 ]; do [ "$1" = -o ] && : >"$2"; shift; done
"""


def compiled(checkout: Path, folder: Path, **environment: str) -> list[tuple[str, int, int]]:
    """What a build says, by a compiler of x86-64 that writes empty files: file, number and how many."""
    compiler = checkout / "cc"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    inherited = {k: v for k, v in os.environ.items() if k not in ("CFLAGS", "FASTLOSS_CACHE")}
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--build-temp", str(folder), "--build-lib", str(folder)],
        cwd=checkout,
        env=inherited | {"CC": str(compiler), "LDSHARED": str(compiler)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(compiler) not in done.stdout
    found = re.findall(r"^compiling (.*) \((\d+) of (\d+)\)$", done.stdout, flags=re.MULTILINE)
    return [(text, int(number), int(total)) for text, number, total in found]


def kernels(found: list[tuple[str, int, int]]) -> set[str]:
    return {text for text, _, _ in found if " for " in text}


def test_says_what_it_compiles(checkout: Path, tmp_path: Path) -> None:
    found = compiled(checkout, tmp_path / "build")
    assert len({text for text, _, _ in found}) == len(found)
    rows = {f"csrc/dispatch/rows_f32.c for {tier}" for tier in ("base", "v3", "v4")}
    assert rows | {"csrc/rows/drive_f32.c", "fastloss/_core.c"} <= {text for text, _, _ in found}
    assert sorted(number for _, number, _ in found) == list(range(1, len(found) + 1))
    assert {total for _, _, total in found} == {len(found)}


def test_kernels_are_kept_by_what_they_are_made_of(checkout: Path, tmp_path: Path) -> None:
    kept = {"FASTLOSS_CACHE": str(tmp_path / "cache"), "FASTLOSS_TIERS": "base"}
    everything = kernels(compiled(checkout, tmp_path / "first", **kept))
    assert len(everything) == len(list((tmp_path / "cache").iterdir())) > 3
    source = checkout / "csrc/dispatch/rows_f32.c"
    source.write_text(source.read_text(encoding="utf-8") + "/* another text */", encoding="utf-8")
    # Python's own flags are no part of it, the user's are.
    again = compiled(checkout, tmp_path / "second", CFLAGS="-g", **kept)
    assert kernels(again) == {"csrc/dispatch/rows_f32.c for base"}
    assert len(again) > 1
    assert kernels(compiled(checkout, tmp_path / "third", CFLAGS="-DX", **kept)) == everything


def test_other_tiers_are_linked(checkout: Path, tmp_path: Path) -> None:
    assert compiled(checkout, tmp_path, FASTLOSS_TIERS="base")
    assert compiled(checkout, tmp_path, FASTLOSS_TIERS="base") == []
    found = compiled(checkout, tmp_path, FASTLOSS_TIERS="v3")
    assert kernels(found) == {text for text in kernels(found) if text.endswith(" for v3")} != set()
    assert "fastloss/_core.c" in {text for text, _, _ in found}
