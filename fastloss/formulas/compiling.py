"""Formulas compiled on the user's machine, where there is a C compiler and they are asked to be.

What is compiled is kept in a folder of the user's own: what is loaded from there is code that runs as the
user, so that nobody else may write to it. Whatever fails is no error: the machine runs what is not compiled,
to the same bits.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastloss import _core
from fastloss._version import __version__

if TYPE_CHECKING:
    from fastloss.formulas.printing import Target
    from fastloss.formulas.programs import Programs

#: The flags of setup.py's kernels, and those of its tiers.
_FLAGS = (
    *("-O3", "-std=c11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd"),
    *("-fvisibility=default", "-fPIC", "-shared", "-g0", "-w"),
)
_TIERS = {
    "base": (),
    "v3": ("-march=x86-64-v3",),
    "v4": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
}
_MACHINES = ("x86_64", "amd64", "aarch64", "arm64")
#: A compiler that takes longer has lost its way; so many files the folder may hold.
_SECONDS, _MOST_FILES = 60, 256

_FAILURES = (
    OSError,
    subprocess.SubprocessError,
    ImportError,
    AttributeError,
    LookupError,
    ValueError,
    RuntimeError,
)

#: Where functions are by the digests of what they are compiled from; zeros where that failed.
_loaded: dict[str, tuple[int, int]] = {}


def addresses(programs: Programs, target: Target) -> tuple[int, int]:
    """Return where functions for the programs in float32 and in float64 are; zeros if there are none."""
    try:
        sources, command = _sources(programs, target), _command()
    except _FAILURES:
        return 0, 0
    parts = [__version__, platform.machine(), *command, *sources]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    if key not in _loaded:
        try:
            file = _folder() / f"{key}.so"
            if not _is_whole(file):
                _compile(command, sources, file)
            _loaded[key] = _load(file)
        except _FAILURES:
            _loaded[key] = 0, 0
    return _loaded[key]


def _sources(programs: Programs, target: Target) -> tuple[str, str]:
    from fastloss.formulas.printing import printed

    library = _core.formula_library()
    first, second = (
        f"#define FL_PRECISION {bits}\n{library}\n{printed(programs, target, bits)}" for bits in (32, 64)
    )
    return first, second


def _command() -> list[str]:
    """Return the compiler and its flags."""
    if platform.machine().lower() not in _MACHINES:
        raise RuntimeError("flags for this machine are not known")
    given = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    for candidate in (shlex.split(given), ["cc"], ["gcc"], ["clang"]):
        if candidate and shutil.which(candidate[0]):
            return [*candidate, *_FLAGS, *_TIERS[_core.isa()]]
    raise RuntimeError("there is no compiler")


def _folder() -> Path:
    """Return the folder of what was compiled, made if need be; it must be the user's own."""
    given = os.environ.get("FASTLOSS_CACHE")
    if given:
        folder = Path(given)
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Caches/fastloss"
    elif sys.platform == "win32":
        folder = Path(os.environ["LOCALAPPDATA"]) / "fastloss"
    else:
        # What is not absolute is to be ignored, by the specification of these variables.
        base = os.environ.get("XDG_CACHE_HOME", "")
        folder = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "fastloss"
    folder = folder / "formulas"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_own(folder, stat.S_ISDIR)
    return folder


def _check_own(path: Path, kind: Any) -> None:
    """Raise an error unless a path is of this kind, the user's, and nobody else may write there."""
    found = path.lstat()
    is_own = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
    if not kind(found.st_mode) or not is_own:
        raise RuntimeError(f"{path} is not the user's own")


def _is_whole(file: Path) -> bool:
    """Tell whether a file is what was written: it ends with its own digest."""
    try:
        _check_own(file, stat.S_ISREG)
        content = file.read_bytes()
    except FileNotFoundError:
        return False
    return len(content) > 32 and hashlib.sha256(content[:-32]).digest() == content[-32:]


def _compile(command: list[str], sources: tuple[str, str], file: Path) -> None:
    """Compile into a file, which is there at once and whole, whoever else writes it."""
    with tempfile.TemporaryDirectory(dir=file.parent) as name:
        folder = Path(name)
        for i, source in enumerate(sources):
            (folder / f"{i}.c").write_text(source, encoding="ascii")
        subprocess.run(
            [*command, "0.c", "1.c", "-o", "made"],
            cwd=folder,
            check=True,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        made = folder / "made"
        made.chmod(0o700)
        content = made.read_bytes()
        with made.open("ab") as stream:
            stream.write(hashlib.sha256(content).digest())
        made.replace(file)
    _keep_few(file.parent)


def _keep_few(folder: Path) -> None:
    """Remove the oldest files where there are many."""
    files = sorted(folder.glob("*.so"), key=lambda path: path.stat().st_mtime)
    for path in files[:-_MOST_FILES]:
        path.unlink(missing_ok=True)


def _load(file: Path) -> tuple[int, int]:
    import ctypes

    library = ctypes.CDLL(str(file))
    first, second = (
        ctypes.addressof(ctypes.c_void_p.in_dll(library, f"fl_made_f{bits}")) for bits in (32, 64)
    )
    return first, second
