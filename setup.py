"""Builds the one extension module: binding, C library, and its kernels once per instruction-set tier."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

# Without contraction an fma is written out or not there: v3, v4 and every compiler give the same bits.
COMMON_FLAGS = ["-std=c11", "-ffp-contract=off", "-fvisibility=hidden", "-g0", "-Wall", "-Wextra"]
KERNEL_FLAGS = ["-O3", "-fwrapv", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd", *COMMON_FLAGS]
# The flags by which Pythons are built differ from version to version; ours replace them in kernels, which are
# the same for all.
PYTHONS_FLAGS = {
    *("-O2", "-O3", "-g", "-DNDEBUG", "-fwrapv", "-fno-strict-overflow"),
    *("-Wall", "-Wsign-compare", "-Wno-unused-result"),
}
# Nothing unwinds the stack through C but a debugger, which brings tables of its own (-g).
LIBRARY_FLAGS = ["-O2", "-fno-asynchronous-unwind-tables", *COMMON_FLAGS]
# Python's own macros make these two warnings inside the binding that Cython generates.
BINDING_FLAGS = ["-Wno-unused-parameter", "-Wno-missing-field-initializers"]
# Otherwise gcc would compute in wider registers: the x87's in 32 bits, float in double's on s390x.
MACHINE_FLAGS = {"__i386__": ["-msse2", "-mfpmath=sse"], "__s390x__": ["-fexcess-precision=fast"]}

TIERS: dict[str, list[str]] = {
    "base": [],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}

# While developing, FASTLOSS_TIERS=v4 (or v3,v4) builds those tiers alone besides base, which is always there.
if "FASTLOSS_TIERS" in os.environ:
    wanted = {"base", *os.environ["FASTLOSS_TIERS"].split(",")}
    TIERS = {tier: flags for tier, flags in TIERS.items() if tier in wanted}

# FASTLOSS_CACHE=FOLDER keeps kernels there, by all that they are made of: what is built next, in whatever
# environment and for whatever Python, takes them from there.
CACHE = os.environ.get("FASTLOSS_CACHE")

# FASTLOSS_SANITIZE=address,undefined compiles everything under these sanitizers, which end the process at the
# first report, and with the C library's own assertions. A Python that imports it needs LD_PRELOAD=libasan.so.
SANITIZE: list[str] = []
if "FASTLOSS_SANITIZE" in os.environ:
    sanitizers = os.environ["FASTLOSS_SANITIZE"]
    if "undefined" in sanitizers:
        sanitizers += ",float-cast-overflow"
    SANITIZE = [
        f"-fsanitize={sanitizers}",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
        "-g1",
        "-O1",
    ]
    LIBRARY_FLAGS = [*LIBRARY_FLAGS, *SANITIZE, "-DFL_ASSERTIONS"]
    # What is always inlined is looked at once, not again in each of its callers: a fifth of the time.
    KERNEL_FLAGS = [*KERNEL_FLAGS, *SANITIZE, "-DFL_ASSERTIONS", "-Dalways_inline=unused"]

# gcc: several vectors' chains of operations interleaved. A processor's queue does not reach to the next one,
# and the usual order, vector after vector, is up to an eighth slower.
GCC_FLAGS = ["-fschedule-insns", "-fsched-pressure"]
# gcc 12 moves row kernels' integers through MMX registers and leaves the x87 state broken behind.
GCC_X86_FLAGS = ["-mno-mmx"]
# A wheel holds the kernels three times: without tables by which a debugger leaves them and without copies of
# functions for constant arguments, which make nothing faster, it is a twentieth smaller.
GCC_FLAGS += ["-fno-ipa-cp-clone", "-fno-asynchronous-unwind-tables"]
# Loops over rows go over whole tiles, and what is left over of classes is short: vectors of half the width
# for that are a fortieth of the code and gain nothing.
GCC_ROW_FLAGS = ["--param=vect-epilogues-nomask=0"]
# Beside v3 and v4, base serves processors from before 2013 alone: smaller, for a thirtieth of the time.
GCC_SMALL_FLAGS = ["-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic"]
# clang warns of each loop that it leaves as it is where it was asked for vectors.
CLANG_FLAGS = ["-Wno-pass-failed"]

NO_MSVC = (
    "fastloss is written in the C of gcc and clang, which Microsoft's compiler does not take: install "
    "MinGW-w64, then run: pip install . -C--global-option=build_ext -C--global-option=--compiler=mingw32"
)
NO_HEADERS = (
    "fastloss needs the headers of this Python, and the compiler finds no Python.h: get them by "
    '"apt install python3-dev" (Debian, Ubuntu) or "dnf install python3-devel" (Fedora, RHEL).'
)
NO_COMPILER = (
    "fastloss needs a C compiler, and {compiler!r} does not work here: {how}, or name another one in the "
    "environment variable CC."
)
HOW_TO_GET_ONE = {
    "darwin": 'get clang by "xcode-select --install"',
    "win32": "install MinGW-w64's gcc and put it on the PATH",
    "linux": 'get gcc by "apt install gcc python3-dev" (Debian, Ubuntu), "dnf install gcc python3-devel" '
    '(Fedora, RHEL) or "apk add gcc musl-dev python3-dev" (Alpine)',
}

# Those that take longest to compile come first.
KERNEL_SOURCES = [
    *(f"csrc/dispatch/{f}_{p}.c" for f in ("rows", "ops", "embeddings", "formulas") for p in ("f32", "f64")),
    "csrc/dispatch/transport_f64.c",
    "csrc/dispatch/evaluation_f64.c",
]
LIBRARY_SOURCES = sorted(str(p) for p in Path("csrc").glob("*/*.c") if str(p) not in KERNEL_SOURCES)
INCLUDES = sorted(str(p) for p in Path("fastloss").glob("*.pxi"))
HEADERS = sorted(str(p) for suffix in ("h", "inc") for p in Path("csrc").rglob(f"*.{suffix}"))


class BuildTiers(build_ext):
    """Compiles the kernels per tier and hands the objects to the linker with the rest."""

    def run(self) -> None:
        # What takes minutes says how far it is; the long commands are shown by setup.py -v.
        logging.disable(logging.INFO if self.verbose < 2 else logging.NOTSET)
        try:
            super().run()
        finally:
            logging.disable(logging.NOTSET)

    def build_extension(self, ext: Extension) -> None:
        macros = self.predefined_macros()
        machine = [flag for macro, flags in MACHINE_FLAGS.items() if macro in macros for flag in flags]
        self.kernel_flags = KERNEL_FLAGS + machine
        self.row_flags: list[str] = []
        if "__clang__" in macros:
            self.kernel_flags += CLANG_FLAGS
        else:
            # What makes kernels faster or smaller takes a sixth of the time in which sanitized ones compile.
            self.kernel_flags += [] if SANITIZE else GCC_FLAGS
            self.kernel_flags += GCC_X86_FLAGS if {"__x86_64__", "__i386__"} & macros else []
            self.row_flags = GCC_ROW_FLAGS
            if "__x86_64__" in macros and not SANITIZE:
                TIERS["base"] = GCC_SMALL_FLAGS
        ext.extra_compile_args += LIBRARY_FLAGS + machine + BINDING_FLAGS
        openmp = self.openmp_flags()
        self.kernel_flags += openmp
        ext.extra_compile_args += openmp
        ext.extra_link_args += openmp + SANITIZE
        tiers = [
            tier
            for tier, flags in TIERS.items()
            if tier == "base" or ("__x86_64__" in macros and self.accepts(flags))
        ]
        ext.define_macros += [(f"FL_HAVE_{tier}", "1") for tier in tiers if tier != "base"]
        ext.extra_objects += self.formula_library()
        self.kernel_compiler = copy.copy(self.compiler)
        words = self.compiler.compiler_so
        self.kernel_compiler.compiler_so = [word for word in words if word not in PYTHONS_FLAGS]
        jobs = [(tier, source) for tier in tiers for source in KERNEL_SOURCES]
        ext.extra_objects += [str(self.kernel_object(*job)) for job in jobs]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            keys = list(pool.map(lambda job: self.kernel_key(*job), jobs))
            todo = [(*job, key) for job, key in zip(jobs, keys, strict=True) if not self.is_there(*job, key)]
            self.say_each_file(len(todo) + len(ext.sources))
            list(pool.map(lambda job: self.compile_kernels(*job), todo))
        # Other tiers, or a kernel that changed within a second, are linked again.
        linked = Path(self.build_temp, "linked")
        if not linked.exists() or linked.read_text() != " ".join(keys):
            Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)
        super().build_extension(ext)
        linked.write_text(" ".join(keys))

    def say_each_file(self, files: int) -> None:
        """Print a line for each file whose compilation begins."""
        numbers = itertools.count(1)

        def saying(compile_one: Callable[..., None]) -> Callable[..., None]:
            def say_and_compile(target: str, source: str, *options: Any) -> None:
                if self.verbose:
                    tier = next((f" for {tier}" for tier in TIERS if f"-DFL_TIER={tier}" in options[-1]), "")
                    # One call, so that lines of several threads stay whole.
                    print(f"compiling {source}{tier} ({next(numbers)} of {files})\n", end="", flush=True)
                compile_one(target, source, *options)

            return say_and_compile

        for compiler in (self.compiler, self.kernel_compiler):
            compiler._compile = saying(compiler._compile)

    def formula_library(self) -> list[str]:
        """Compile a text: the headers that a formula's own kernel needs, for a compiler of the user's."""
        text = whole_text(Path("csrc/pointwise/formula_compiled.h"), {Path("csrc/fastloss.h")})
        lines = (json.dumps(line + "\n") for line in text.splitlines())
        source = Path(self.build_temp) / "formula_library.c"
        source.parent.mkdir(parents=True, exist_ok=True)
        # Without visibility: all of one module.
        source.write_text("\n".join(["const char fl_formula_library[] =", *lines, ";\n"]), encoding="ascii")
        return list(
            self.compiler.compile([str(source)], output_dir=self.build_temp, extra_postargs=LIBRARY_FLAGS)
        )

    def kernel_object(self, tier: str, source: str) -> Path:
        """Name the object of one precision of one tier."""
        return Path(self.build_temp) / tier / Path(source).with_suffix(".o")

    def flags_of(self, tier: str, source: str) -> list[str]:
        """Return the flags of one precision of one tier."""
        return self.kernel_flags + TIERS[tier] + (self.row_flags if "/rows_" in source else [])

    def kernel_key(self, tier: str, source: str) -> str:
        """Return a fingerprint of all that an object is made of: the compiler, its flags, the whole text."""
        command = [*self.kernel_compiler.compiler_so, *self.flags_of(tier, source)]
        whole = [*for_one_machine(command), f"-DFL_TIER={tier}", "-Icsrc", "-E", source]
        asked = (whole, [*self.kernel_compiler.compiler_so, "--version"])
        said = [subprocess.run(each, capture_output=True, check=True).stdout for each in asked]
        return hashlib.sha256(b"\0".join([*said, *map(str.encode, command)])).hexdigest()

    def is_there(self, tier: str, source: str, key: str) -> bool:
        """Tell whether the object of this key is there, or was made before and kept."""
        target = self.kernel_object(tier, source)
        made_of = target.with_suffix(".key")
        if target.exists() and made_of.exists() and made_of.read_text() == key:
            return not self.force
        if CACHE is None or not Path(CACHE, key).exists():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(CACHE, key), target)
        made_of.write_text(key)
        return True

    def compile_kernels(self, tier: str, source: str, key: str) -> None:
        """Compile one precision of one tier."""
        self.kernel_compiler.compile(
            [source],
            output_dir=str(Path(self.build_temp) / tier),
            macros=[("FL_TIER", tier)],
            extra_postargs=self.flags_of(tier, source),
        )
        target = self.kernel_object(tier, source)
        target.with_suffix(".key").write_text(key)
        if CACHE is not None:
            # Several builds may go on: an object appears there whole.
            unfinished = Path(CACHE, f"{key}.{os.getpid()}")
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(target, unfinished)
            unfinished.replace(Path(CACHE, key))

    def predefined_macros(self) -> set[str]:
        """Ask the compiler what it is and compiles for; without one the build ends, in one sentence."""
        if self.compiler.compiler_type == "msvc":
            raise SystemExit(f"error: {NO_MSVC}")
        folders = (f"-I{folder}" for folder in self.compiler.include_dirs)
        command = [*for_one_machine(self.compiler.compiler), *folders]
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "probe.c"
            source.write_text("#include <Python.h>\n")
            try:
                found = subprocess.run(
                    [*command, "-dM", "-E", str(source)], capture_output=True, text=True, check=True
                )
            except (OSError, subprocess.CalledProcessError) as error:
                if "Python.h" in str(getattr(error, "stderr", "")):
                    raise SystemExit(f"error: {NO_HEADERS}") from None
                how = HOW_TO_GET_ONE.get(sys.platform, "get gcc or clang")
                raise SystemExit(f"error: {NO_COMPILER.format(compiler=command[0], how=how)}") from None
        return {line.split()[1] for line in found.stdout.splitlines()}

    def openmp_flags(self) -> list[str]:
        """Return the flag that gives OpenMP, or nothing where the compiler has none."""
        flag = "-fopenmp"
        program = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        if self.accepts([flag], program, link=True):
            return [flag]
        warnings.warn("the compiler has no OpenMP: fastloss will compute on one thread", stacklevel=2)
        return ["-Wno-unknown-pragmas"]

    def accepts(
        self, flags: list[str], program: str = "int main(void) { return 0; }\n", *, link: bool = False
    ) -> bool:
        """Tell whether the compiler takes these flags; say which it does not."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "probe.c"
            source.write_text(program)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=flags)
                if link:
                    self.compiler.link_executable(objects, "probe", output_dir=folder, extra_postargs=flags)
            except Exception as error:  # each compiler class of setuptools raises its own
                warnings.warn(
                    f"the compiler refuses {' '.join(flags)}: built without ({error})", stacklevel=2
                )
                return False
        return True


def for_one_machine(command: list[str]) -> list[str]:
    """Return a command without the machines that macOS compiles for at once: it preprocesses for one."""
    places = {k + i for k, word in enumerate(command) if word == "-arch" for i in (0, 1)}
    return [word for k, word in enumerate(command) if k not in places]


def whole_text(header: Path, seen: set[Path]) -> str:
    """Return a header and those of the library that it includes, each once, without comments and spaces."""
    text = re.sub(r"/\*.*?\*/", " ", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines: list[str] = []
    for line in text.splitlines():
        line = re.sub(r"[ \t]+", " ", line).strip()
        included = re.match(r'# ?include "(.*)"', line)
        if included:
            path = Path(os.path.normpath(header.parent / included[1]))
            if path not in seen:
                seen.add(path)
                lines.append(whole_text(path, seen))
        elif line:
            lines.append(line)
    return "\n".join(lines)


def readme() -> str:
    """Return README for a package index, which has no files beside it: its links lead to the repository."""
    text = Path("README.md").read_text(encoding="utf-8")
    pictures = "https://raw.githubusercontent.com/fastloss/fastloss/main/"
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", rf"\1{pictures}", text)
    return re.sub(r"(\]\()(?!https?:|#)", r"\1https://github.com/fastloss/fastloss/blob/main/", text)


class CompileFirst(build):
    """Files are copied after what can fail."""

    def run(self) -> None:
        self.run_command("build_ext")
        super().run()


setup(
    long_description=readme(),
    long_description_content_type="text/markdown",
    ext_modules=[
        Extension(
            "fastloss._core",
            ["fastloss/_core.pyx", *LIBRARY_SOURCES],
            include_dirs=["csrc", numpy.get_include()],
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_1_25_API_VERSION"),
            ],
            depends=[*KERNEL_SOURCES, *HEADERS, *INCLUDES],
        )
    ],
    cmdclass={"build": CompileFirst, "build_ext": BuildTiers},
)
