"""Builds the one extension module: binding, C library, and its kernels once per instruction-set tier."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MSVC = sys.platform == "win32" and "mingw" not in sysconfig.get_platform()
X86_64 = platform.machine().lower() in {"x86_64", "amd64"}

# -std=c11 turns contraction off: an fma is written out or not there, so that v3 and v4 give the same bits.
KERNEL_FLAGS = ["/O2", "/GL-", "/std:c11"] if MSVC else [
    "-O3", "-std=c11", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd", "-g0",
    "-Wall", "-Wextra",
]  # fmt: skip
LIBRARY_FLAGS = (
    ["/O2", "/std:c11"] if MSVC else ["-O2", "-std=c11", "-fvisibility=hidden", "-g0", "-Wall", "-Wextra"]
)
# Python's own macros make these two warnings inside the binding that Cython generates.
BINDING_FLAGS = [] if MSVC else ["-Wno-unused-parameter", "-Wno-missing-field-initializers"]

TIERS: dict[str, list[str]] = {"base": []}
if X86_64:
    # gcc 12 moves row kernels' integers through MMX registers and leaves the x87 state broken behind.
    TIERS["base"] = [] if MSVC else ["-mno-mmx"]
    TIERS["v3"] = ["/arch:AVX2"] if MSVC else ["-march=x86-64-v3"]
    TIERS["v4"] = ["/arch:AVX512"] if MSVC else ["-march=x86-64-v4", "-mprefer-vector-width=512"]

# While developing, FASTLOSS_TIERS=v4 (or v3,v4) builds those tiers alone besides base, which is always there.
if "FASTLOSS_TIERS" in os.environ:
    wanted = {"base", *os.environ["FASTLOSS_TIERS"].split(",")}
    TIERS = {tier: flags for tier, flags in TIERS.items() if tier in wanted}

# gcc: several vectors' chains of operations interleaved. A processor's queue does not reach to the next one,
# and the usual order, vector after vector, is up to an eighth slower.
INTERLEAVED = ["-fschedule-insns", "-fsched-pressure"]

# Those that take longest to compile come first.
KERNEL_SOURCES = [
    *(f"csrc/dispatch/{f}_{p}.c" for f in ("rows", "ops", "embeddings") for p in ("f32", "f64")),
    "csrc/dispatch/transport_f64.c",
]
FAMILIES = ("pointwise", "rows", "embeddings", "transport")
LIBRARY_SOURCES = sorted(str(p) for p in Path("csrc").glob("*/*.c") if str(p) not in KERNEL_SOURCES)
INCLUDES = sorted(str(p) for p in Path("fastloss").glob("*.pxi"))
HEADERS = sorted(str(p) for p in Path("csrc").rglob("*.h"))


class BuildTiers(build_ext):
    """Compiles the kernels per tier and hands the objects to the linker with the rest."""

    def build_extension(self, ext: Extension) -> None:
        ext.extra_compile_args += LIBRARY_FLAGS + BINDING_FLAGS
        openmp = self.openmp_flags()
        ext.extra_compile_args += openmp
        ext.extra_link_args += openmp
        tiers = [tier for tier, flags in TIERS.items() if tier == "base" or self.accepts(flags)]
        ext.define_macros += [(f"FL_HAVE_{tier}", "1") for tier in tiers if tier != "base"]
        interleaved = INTERLEAVED if not MSVC and self.accepts(["-Werror", *INTERLEAVED]) else []
        self.kernel_flags = KERNEL_FLAGS + interleaved
        jobs = [(tier, source) for tier in tiers for source in KERNEL_SOURCES]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            ext.extra_objects += pool.map(lambda job: self.compile_kernels(*job), jobs)
        super().build_extension(ext)

    def compile_kernels(self, tier: str, source: str) -> str:
        """Compile one precision of one tier; its object is newer than all of csrc, or it is made again."""
        folder = Path(self.build_temp) / tier
        target = folder / Path(source).with_suffix(".obj" if MSVC else ".o")
        # The row kernels take long to compile: a change to another family's leaves them alone.
        own = next((family for family in FAMILIES if family in source), "pointwise")
        foreign = tuple(f"csrc/{family}/" for family in FAMILIES if family != own)
        headers = [p for p in HEADERS if not p.startswith(foreign) or p.endswith("types.h")]
        inputs = [source, "setup.py", *headers]
        if (
            not self.force
            and target.exists()
            and target.stat().st_mtime > max(os.path.getmtime(p) for p in inputs)
        ):
            return str(target)
        (compiled,) = self.compiler.compile(
            [source],
            output_dir=str(folder),
            macros=[("FL_TIER", tier)],
            extra_postargs=self.kernel_flags + TIERS[tier],
        )
        return str(compiled)

    def openmp_flags(self) -> list[str]:
        """Return the flag that gives OpenMP, or nothing where the compiler has none."""
        flag = "/openmp" if MSVC else "-fopenmp"
        program = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        if self.accepts([flag], program, link=True):
            return [flag]
        warnings.warn("the compiler has no OpenMP: fastloss will compute on one thread", stacklevel=2)
        return [] if MSVC else ["-Wno-unknown-pragmas"]

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


setup(
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
    cmdclass={"build_ext": BuildTiers},
)
