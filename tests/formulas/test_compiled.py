"""Formulas that a C compiler made kernels of: the machine's bits, or the machine where something is wrong."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import processes
import pytest

import fastloss as fl
from fastloss import _core
from fastloss.formulas import compiling
from fastloss.formulas.compiling import _FLAGS, _TIERS
from fastloss.formulas.programs import OPERATIONS

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
needs_compiler = pytest.mark.skipif(not COMPILERS or sys.platform == "win32", reason="no C compiler")
HUBER = "where(abs(z - y) <= d, (z - y)**2/2, d*(abs(z - y) - d/2))"
M = {"m": "(2*y - 1)*z"}

#: Formulas of all kinds of loops: one, several, with exponentials in the midst and alone.
FORMULAS = [
    (HUBER, {"d": 1.5}),
    ("softplus(z) - y*z", {"targets": "[0, 1]"}),
    ("log_cosh(z - y)", {}),
    ("exp(z) - y*z", {"targets": "[0, inf)", "predictions": "(-1, inf)"}),
    ("a*softplus(-m)*sigmoid(-m)**g", {"where": M, "targets": "{0, 1}", "a": 0.7, "g": 1.3}),
    ("maximum(0.9*(y - z), 0.1*(z - y)) + maximum(0, 1 - z)", {"targets": "{-1, 0, 1}"}),
    ("where(z < y, z**2.5, y**z) + expm1(z)*exp(-z*z) + log1p(exp(y) + z*z)", {}),
    ("clip(z, -1, 2)*y + where(y >= 0, normal_log_cdf(z), lgamma(z*z + 1)) + minimum(z, y) + 0*erf(z)", {}),
    ("where(m >= 1, 0, where(m >= -1, 3*(1 - m)**2, -12*m))", {"where": M, "targets": "{0, 1}"}),
    ("1 - exp(-(z - y)**2)", {}),
    ("z", {}),
]
VERBS = ("__call__", "gradient", "value_and_gradient", "gradient_and_hessian", "value_gradient_and_hessian")
IDS = [text[:20] for text, _ in FORMULAS]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, of this test alone."""
    monkeypatch.setenv("FASTLOSS_CACHE", str(tmp_path))
    monkeypatch.setattr(compiling, "_loaded", {})
    return tmp_path / "formulas"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("shared"))


def arguments(loss: fl.PointwiseLoss, dtype: type, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    y, z = rng.normal(0, 2, n), rng.normal(0, 3, n)
    z[::7] *= 100
    z[3::11] = np.inf
    z[5::13] = np.nan
    if loss.target_domain.integral:
        y = rng.integers(max(loss.target_domain.low, 0), 2, n).astype(float)
    elif loss.target_domain.high == 1:
        y = rng.uniform(0, 1, n)
    elif loss.target_domain.low > -np.inf:
        y = np.abs(y)
    else:
        y[::17] = np.nan
    return y.astype(dtype), (np.abs(z) if loss.prediction_domain.low > -np.inf else z).astype(dtype)


def bits(results: object) -> list[bytes]:
    parts = results if isinstance(results, tuple) else (results,)
    return [np.where(np.isnan(part), np.nan, part).tobytes() for part in map(np.asarray, parts)]


@needs_compiler
@pytest.mark.parametrize(("text", "options"), FORMULAS, ids=IDS)
def test_the_bits_of_the_machine(
    text: str, options: dict, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTLOSS_CACHE", shared)
    monkeypatch.setenv("CC", COMPILERS[IDS.index(text[:20]) % len(COMPILERS)])
    machine, compiled = fl.formula(text, **options), fl.formula(text, backend="compiled", **options)
    assert (machine.backend, compiled.backend) == ("machine", "compiled")
    with np.errstate(all="ignore"):
        for dtype in (np.float32, np.float64):
            for n in (1, 37, 1000, 3000):
                y, z = arguments(machine, dtype, n)
                w = np.random.default_rng(1).uniform(0, 2, n)
                for reduction, weight in (("mean", None), ("none", None), ("sum", w)):
                    given = {"sample_weight": weight, "reduction": reduction, "n_threads": 1}
                    for verb in VERBS:
                        found = [bits(getattr(loss, verb)(y, z, **given)) for loss in (machine, compiled)]
                        assert found[0] == found[1], (dtype, n, reduction, verb)
                for k in range(3):  # each output written over the predictions
                    found = []
                    for loss in (machine, compiled):
                        outs = [np.empty_like(z) for _ in range(3)]
                        outs[k] = z.copy()
                        given = {"reduction": "none", "out": tuple(outs), "n_threads": 1}
                        found.append(bits(loss.value_gradient_and_hessian(y, outs[k], **given)))
                    assert found[0] == found[1], (dtype, n, k)


@needs_compiler
def test_many_threads_and_bad_targets(shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTLOSS_CACHE", shared)
    loss = fl.formula("softplus(z) - y*z", targets="[0, 1]", backend="compiled")
    rng = np.random.default_rng(0)
    y, z = rng.integers(0, 2, 300_001).astype(np.float32), rng.normal(0, 3, 300_001).astype(np.float32)
    assert bits(loss.value_and_gradient(y, z, n_threads=1)) == bits(
        loss.value_and_gradient(y, z, n_threads=2)
    )
    y[250_003] = 1.5
    for n in (len(y), 250_004):
        with pytest.raises(ValueError, match=r"y_true\[250003\] = 1.5 is outside"):
            loss(y[:n], z[:n])
    with pytest.raises(ValueError, match=r"y_true\[2\] = -0.5 is outside"):
        loss.gradient([0, 1, -0.5], [0.0, 0, 0])


@needs_compiler
def test_parameters_are_data(cache: Path) -> None:
    """Kernels are of a formula, not of its numbers: another parameter compiles nothing."""
    loss = fl.formula("c*log1p(((z - y)/c)**2)", c=3.0, backend="compiled")
    assert loss.backend == "compiled"
    other = loss.with_parameters(c=5.0)
    assert other.backend == "compiled"
    assert len(list(cache.iterdir())) == 1
    assert other([0.0], [5.0]) == pytest.approx(5 * np.log(2))
    assert repr(loss) == "formula('c*log1p(((z - y)/c)**2)', backend='compiled', c=3.0)"
    again = pickle.loads(pickle.dumps(loss))
    assert again == loss
    assert again.backend == "compiled"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_nothing_is_compiled_unless_it_is_asked_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTLOSS_FORMULA_BACKEND", raising=False)
    assert fl.formula("(z - y)**2").backend == "machine"
    assert not cache.exists()
    with pytest.raises(ValueError, match="backend must be one of 'machine', 'compiled', got 'jit'"):
        fl.formula("z", backend="jit")
    for line in ("2", "compiled"):  # a string from anybody runs no compiler
        with pytest.raises(ValueError, match="backend"):
            fl.get_loss(f"formula: z; backend = {line}")


@needs_compiler
def test_the_environment_asks(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTLOSS_FORMULA_BACKEND", "compiled")
    assert fl.formula("(z - y)**4").backend == "compiled"
    assert fl.formula("(z - y)**4", backend="machine").backend == "machine"


def program(folder: Path, text: str) -> str:
    """A compiler that is a shell script."""
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def falls_back() -> bool:
    loss = fl.formula(HUBER, d=1.0, backend="compiled")
    assert loss([0.0], [3.0]) == 2.5
    return loss.backend == "machine"


@needs_compiler
@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "exit 0",
        "echo no library > made",
        'exec gcc "$@" -Dfl_made_f64=other',
        "kill -9 $$",
        "exec gcc -c 0.c -o made",
    ],
)
def test_a_compiler_that_fails(
    script: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", program(tmp_path, script))
    assert falls_back()
    assert [path for path in cache.iterdir() if path.suffix != ".so"] == []


@needs_compiler
def test_a_compiler_that_makes_other_bits(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fused where the machine rounds twice: what is loaded is tried first."""
    if _core.isa() == "base":
        pytest.skip("no fused multiply-add to go wrong")
    monkeypatch.setenv("CC", program(tmp_path, 'exec gcc "$@" -ffp-contract=fast'))
    loss = fl.formula("(y*z + 1)*(y*z + 2)", backend="compiled")
    assert loss.backend == "machine"
    assert loss([1.0], [2.0]) == 12


def test_no_compiler(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cache))
    monkeypatch.setenv("CC", "no-such-compiler")
    assert falls_back()


@needs_compiler
def test_a_compiler_that_never_ends(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_SECONDS", 0.2)
    monkeypatch.setenv("CC", program(tmp_path, "exec sleep 60"))
    assert falls_back()


@needs_compiler
def test_folders_that_others_may_write_to(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(mode=0o700)
    cache.chmod(0o777)
    assert falls_back()
    assert not list(cache.iterdir())
    cache.chmod(0o700)
    monkeypatch.setattr(compiling, "_loaded", {})
    if os.getuid() == 0:
        os.chown(cache, 12345, 12345)
        assert falls_back()
        os.chown(cache, 0, 0)
        monkeypatch.setattr(compiling, "_loaded", {})
    assert not falls_back()
    (file,) = cache.glob("*.so")
    file.chmod(0o722)
    monkeypatch.setattr(compiling, "_loaded", {})
    assert falls_back()


@needs_compiler
def test_a_folder_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").mkdir()
    (tmp_path / "link/formulas").symlink_to(tmp_path / "real")
    for folder in ("file", "file/deeper", "link"):
        monkeypatch.setattr(compiling, "_loaded", {})
        monkeypatch.setenv("FASTLOSS_CACHE", str(tmp_path / folder))
        assert falls_back(), folder


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts as root")
@pytest.mark.parametrize("option", ["noexec", "ro"])
def test_file_systems(option: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"mode=700,{option}", "none", str(cache)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no mounts here")
    try:
        if option == "noexec":
            library = cache / "core.so"
            shutil.copy(_core.__file__, library)
            if not processes.run(f"import ctypes; ctypes.CDLL({str(library)!r})").returncode:
                pytest.skip("noexec is not heeded here")
            library.unlink()
        assert falls_back()
    finally:
        subprocess.run(["umount", "-l", str(cache)], check=True)


@needs_compiler
@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "folder"])
def test_a_file_that_is_not_what_was_written(
    damage: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never loaded: half a library would end the process."""
    assert not falls_back()
    (file,) = cache.glob("*.so")
    content = file.read_bytes()
    file.unlink()  # what is loaded stays as it is
    if damage == "folder":
        file.mkdir()
    else:
        file.write_bytes(
            {"cut": content[:5000], "changed": content[:-99] + b"x" + content[-98:]}.get(damage, b"")
        )
        file.chmod(0o700)
    monkeypatch.setattr(compiling, "_loaded", {})
    assert falls_back() == (damage == "folder")
    if damage != "folder":
        assert file.read_bytes()[-32:] == content[-32:]


PROCESS = f"""
import fastloss as fl
loss = fl.formula({HUBER!r}, d=1.0, backend="compiled")
print(loss.backend, loss([0.0], [3.0]))
"""


@needs_compiler
def test_processes_at_once(cache: Path) -> None:
    command = [sys.executable, "-c", PROCESS]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {run.communicate(timeout=120)[0] for run in runs} == {"compiled 2.5\n"}
    assert len(list(cache.iterdir())) == 1


@needs_compiler
def test_the_oldest_files_are_removed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_MOST_FILES", 2)
    cache.mkdir(mode=0o700)
    for age in range(4):
        file = cache / f"{age}.so"
        file.write_bytes(b"")
        os.utime(file, (age, age))
    assert not falls_back()
    assert len(list(cache.iterdir())) == 2
    assert not (cache / "2.so").exists()


def test_flags_are_those_of_the_kernels() -> None:
    text = (Path(__file__).parents[2] / "setup.py").read_text(encoding="utf-8")
    for flags in _TIERS.values():
        assert not flags or str(list(flags)).replace("'", '"') in text
    for flag in ("-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"):
        assert f'"{flag}"' in text
        assert flag in _FLAGS


def test_all_operations_are_printed() -> None:
    """What is printed calls functions that the library's text has."""
    text = _core.formula_library()
    for name in OPERATIONS:
        base = name
        while base.rpartition("_")[2] in ("vv", "vc", "cv", "cc"):
            base = base.rpartition("_")[0]
        assert (
            base == "set"
            or f"fl_op_{base}" in text
            or f"_OP_OF_REGISTERS({base}," in text
            or f"({base}, " in text
        )


def test_sysconfig_names_no_compiler_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that was built elsewhere knows a compiler that is not here."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: "/elsewhere/cc -pthread")
    if COMPILERS:
        assert compiling._command()[0] != "/elsewhere/cc"
