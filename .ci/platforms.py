"""The C library on other machines: compiled with warnings as errors, run by emulators, its bits compared.

    python .ci/platforms.py [--install] [--level N] [--built FOLDER COMPILER]... [NAME]...

Each platform compiles csrc with tests/c_library/program.c and digest.c, which prints a fingerprint of each
kernel in each precision. Equal fingerprints are equal bits: platforms with fused multiply-add must agree with
each other, those without likewise. FOLDER is a build folder of setup.py on this machine, whose tiers are
compared too, without compiling anything again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = sorted(ROOT.glob("csrc/*/*.c"))
#: What setup.py compiles the kernels with, without OpenMP and for one tier.
FLAGS = ["-std=c11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd"]
FLAGS += ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-pass-failed", "-pthread"]
#: What tests/c_library/program.c prints.
EXPECTED = (ROOT / "tests/c_library/program.txt").read_text()
ZIG = [sys.executable, "-m", "ziglang", "cc"]


@dataclass(frozen=True)
class Platform:
    """How to compile for a machine, how to run what comes out, and whether it has fused multiply-add."""

    compiler: list[str]
    runner: list[str] | None  # None: compiled and linked, not run
    fused: bool
    #: Debian's packages, or "pip" and a package.
    packages: str
    refused: str = ""  # what the compiler must say, where the machine is one that the library refuses


def _gcc(machine: str, *flags: str, emulator: str, fused: bool, arch: str) -> Platform:
    packages = f"gcc-{machine} libc6-dev-{arch}-cross qemu-user"
    return Platform([f"{machine}-gcc", "-static", *flags], [f"qemu-{emulator}"], fused, packages)


#: All tiers of the systems that are not here: compiled and linked.
ZIG_TARGETS = [
    ("Windows", "x86-64", "x86_64-windows-gnu", []),
    ("Windows", "x86-64-v3", "x86_64-windows-gnu", ["-mcpu=x86_64_v3"]),
    ("Windows", "x86-64-v4", "x86_64-windows-gnu", ["-mcpu=x86_64_v4", "-mprefer-vector-width=512"]),
    ("Windows", "arm64", "aarch64-windows-gnu", []),
    ("macOS", "x86-64", "x86_64-macos", []),
    ("macOS", "x86-64-v3", "x86_64-macos", ["-mcpu=x86_64_v3"]),
    ("macOS", "x86-64-v4", "x86_64-macos", ["-mcpu=x86_64_v4", "-mprefer-vector-width=512"]),
    ("macOS", "arm64", "aarch64-macos", []),
]

PLATFORMS = {
    "x86-64-v3, gcc": Platform(["gcc", "-march=x86-64-v3"], [], True, "gcc"),
    "x86-64, gcc": Platform(["gcc", "-mno-mmx"], [], False, "gcc"),
    "x86-64-v3, clang": Platform(["clang", "-march=x86-64-v3"], [], True, "clang"),
    "x86-64, clang": Platform(["clang"], [], False, "clang"),
    "x86-64, musl": Platform(["musl-gcc", "-static", "-mno-mmx"], [], False, "musl-tools"),
    "aarch64": _gcc("aarch64-linux-gnu", emulator="aarch64", fused=True, arch="arm64"),
    "armhf": _gcc("arm-linux-gnueabihf", emulator="arm", fused=False, arch="armhf"),
    "armhf, VFPv4": _gcc("arm-linux-gnueabihf", "-mfpu=vfpv4", emulator="arm", fused=True, arch="armhf"),
    "riscv64": _gcc("riscv64-linux-gnu", emulator="riscv64", fused=True, arch="riscv64"),
    "s390x": _gcc("s390x-linux-gnu", "-fexcess-precision=fast", emulator="s390x", fused=True, arch="s390x"),
    "i686, SSE2": _gcc(
        "i686-linux-gnu",
        "-msse2",
        "-mfpmath=sse",
        "-mno-mmx",
        emulator="i386",
        fused=False,
        arch="i386",
    ),
    "i686, x87": Platform(["i686-linux-gnu-gcc"], None, False, "gcc-i686-linux-gnu", refused="-mfpmath=sse"),
    "Windows x86-64, MinGW": Platform(
        ["x86_64-w64-mingw32-gcc", "-static", "-mno-mmx"],
        ["/usr/lib/wine/wine64"],
        False,
        "gcc-mingw-w64-x86-64 wine64",
    ),
    **{
        f"{system} {machine}, zig": Platform(
            [*ZIG, "-target", target, *flags], None, machine != "x86-64", "pip ziglang"
        )
        for system, machine, target, flags in ZIG_TARGETS
    },
}


def install(platforms: list[Platform]) -> None:
    """Install what is missing, as root on Debian."""
    missing = {p.packages for p in platforms if not found(p)}
    modules = sorted({name for p in missing if p.startswith("pip ") for name in p.split()[1:]})
    packages = sorted({name for p in missing if not p.startswith("pip ") for name in p.split()})
    if modules:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", *modules], check=True)
    if packages:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )


def found(platform: Platform) -> bool:
    """Tell whether the compiler and the emulator are there."""
    if platform.compiler[:3] == ZIG[:3]:
        return subprocess.run([*ZIG[:3], "version"], capture_output=True, check=False).returncode == 0
    return all(shutil.which(c[0]) for c in (platform.compiler, platform.runner or []) if c)


def compile_programs(platform: Platform, folder: Path, level: str) -> list[Path]:
    """Compile the library once and link both programs to it."""
    ccache = ["ccache"] if shutil.which("ccache") and platform.compiler[:3] != ZIG[:3] else []
    programs = [ROOT / "tests/c_library/program.c", ROOT / "tests/c_library/digest.c"]

    def compile_one(source: Path) -> Path:
        target = folder / f"{source.parent.name}_{source.stem}.o"
        command = [
            *ccache,
            *platform.compiler,
            *FLAGS,
            level,
            # At -O1 gcc does not see that a loop sets all of a vector, and says so as clang never does.
            *(["-Wno-maybe-uninitialized"] if level == "-O1" and "gcc" in platform.compiler[0] else []),
            "-Icsrc",
            "-c",
            str(source.relative_to(ROOT)),
            "-o",
            str(target),
        ]
        # -static is for the linker alone, which clang, and so zig, says of it.
        command = [word for word in command if word != "-static"]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, SOURCES + programs))
    library, mains = objects[: -len(programs)], objects[-len(programs) :]
    return [link(platform.compiler, [main, *library], folder / f"{main.stem}.exe") for main in mains]


def link(compiler: list[str], objects: list[Path], target: Path, *flags: str) -> Path:
    """Link a program."""
    command = [*compiler, *map(str, objects), "-o", str(target), *flags, "-lm", "-pthread"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


def output(command: list[str]) -> str:
    """Run a program of ours."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.replace("\r", "")


def of_built(folder: Path, compiler: str, temporary: Path) -> str:
    """Give the fingerprints of all tiers that setup.py left objects of and that this machine runs."""
    main = temporary / f"{compiler}.o"
    source = ROOT / "tests/c_library/digest.c"
    command = [compiler, "-std=c11", "-O2", f"-I{ROOT / 'csrc'}", "-c", source, "-o", main]
    subprocess.run(command, check=True)
    objects = [path for path in sorted(folder.rglob("*.o")) if path.stem != "_core"]
    return output([str(link([compiler], [main, *objects], temporary / compiler, "-fopenmp"))])


def by_tier(lines: str) -> dict[str, dict[str, str]]:
    """Take the output of digest.c apart: tier -> kernel -> fingerprint."""
    tiers: dict[str, dict[str, str]] = {}
    for line in lines.splitlines():
        tier, *kernel, fingerprint = line.split()
        tiers.setdefault(tier, {})[" ".join(kernel)] = fingerprint
    return tiers


class Comparison:
    """Fingerprints with fused multiply-add, and without: the first of each are the measure of others."""

    def __init__(self) -> None:
        self.first: dict[bool, dict[str, str]] = {}

    def say(self, fused: bool, kernels: dict[str, str]) -> tuple[bool, str]:
        """Tell whether these fingerprints are those expected, and what they are equal to."""
        kind = "with fma" if fused else "without fma"
        expected = self.first.setdefault(fused, kernels)
        if expected is kernels:
            return True, f"{len(kernels)} kernels {kind}"
        different = [name for name in expected if kernels.get(name) != expected[name]]
        same = f"{len(expected) - len(different)} of {len(expected)} kernels have the bits {kind}"
        return not different, same + "".join(f"\n    not {name}" for name in different)


def try_platform(platform: Platform, comparison: Comparison, level: str) -> tuple[bool, str]:
    """Compile, run and compare; tell whether it is as it should be, and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            program, digest = compile_programs(platform, Path(folder), level)
        except subprocess.CalledProcessError as error:
            if platform.refused and platform.refused in error.stderr:
                return True, "refused by #error"
            return False, f"does not compile:\n{error.stderr[-3000:]}"
        if platform.refused:
            return False, "not refused"
        if platform.runner is None:
            return True, "compiles and links"
        try:
            ran = output([*platform.runner, str(program)])
            (kernels,) = by_tier(output([*platform.runner, str(digest)])).values()
        except subprocess.CalledProcessError as error:
            return False, f"ends with {error.returncode}: {error.stderr[-1000:]}"
    if ran.split() != EXPECTED.split():
        return False, f"the C program says {ran}"
    good, text = comparison.say(platform.fused, kernels)
    return good, f"C program right, {text}"


def main() -> None:
    """Try what was asked for, all by default, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="*", help="beginnings of names; without any, and without --built, all")
    parser.add_argument("--built", nargs=2, action="append", default=[], metavar=("FOLDER", "COMPILER"))
    parser.add_argument("--install", action="store_true", help="install what is missing, as root on Debian")
    parser.add_argument("--level", default="3", help="of optimisation; 1 takes a third of the time")
    options = parser.parse_args()
    wanted = {
        name: p
        for name, p in PLATFORMS.items()
        if any(name.startswith(start) for start in options.name or ([] if options.built else [""]))
    }
    if options.install:
        install(list(wanted.values()))
    comparison, failed = Comparison(), 0

    def report(name: str, good: bool, text: str) -> None:
        nonlocal failed
        failed += not good
        print(f"{'' if good else 'FAILED: '}{name}: {text}", flush=True)

    for folder, compiler in options.built:
        with tempfile.TemporaryDirectory() as temporary:
            for tier, kernels in by_tier(of_built(Path(folder), compiler, Path(temporary))).items():
                report(f"{compiler}, {tier}", *comparison.say(tier != "base", kernels))
    for name, platform in wanted.items():
        if found(platform):
            report(name, *try_platform(platform, comparison, f"-O{options.level}"))
        else:
            report(name, not options.name, f"not installed: {platform.packages}")
    sys.exit(failed > 0)


main()
