"""Every public callable takes awkward arrays as it takes plain ones, and none is left out."""

from __future__ import annotations

import ctypes
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.__main__ import KINDS
from support.covering import choices
from support.trial import Arrays, Choice, Subject, sweep

import fastloss as fl
from fastloss import adapters, metrics

#: Public names that take no arrays, and how it is that they do not.
WITHOUT_ARRAYS = {
    **dict.fromkeys(
        ["EmbeddingLoss", "Loss", "Penalty", "PointwiseLoss", "RowLoss", "TransportLoss"], "a base"
    ),
    **dict.fromkeys(["Choice", "Domain", "Estimate", "LossInfo"], "a record"),
    **dict.fromkeys(["ConvergenceWarning", "metrics.UndefinedMetricWarning"], "a warning"),
    **dict.fromkeys(["DomainError", "FormulaError", "metrics.InvalidParameterError"], "an error"),
    **dict.fromkeys(["choose", "get_loss", "list_losses"], "of losses"),
    **dict.fromkeys(
        [f"{info.cls.__name__}.clip" for info in fl.list_losses() if hasattr(info.cls, "clip")],
        "makes a formula, which has its own table",
    ),
    **dict.fromkeys(
        [
            f"{name}.{kind}"
            for name in ("catboost", "lightgbm", "xgboost")
            for kind in ("Classifier", "Regressor")
        ],
        "the library reads the arrays",
    ),
    "JointLoss": "its parts have their own tables",
    **dict.fromkeys(["config", "show_config", "__version__"], "of the build"),
    **dict.fromkeys(["get_num_threads", "num_threads", "set_num_threads"], "of threads"),
    **dict.fromkeys(["dask.evaluate", "ray.evaluate", "spark.evaluate"], "frames of an engine"),
    "reference": "plain NumPy",
    "sklearn_loss.BaseLoss": "scikit-learn's own",
    "sklearn_loss._LOSSES": "a table",
}


@pytest.mark.parametrize("kind", KINDS)
def test_awkward_arrays(kind: str, tmp_path: Path) -> None:
    """In a process of its own, which a write out of bounds may end; new memory is filled with numbers."""
    note = tmp_path / "note"
    # Large arrays come from memory that is there already, too, and not from new pages each time.
    memory = {"MALLOC_PERTURB_": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "support", kind, "--note", str(note)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **memory},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if result.returncode < 0 or result.returncode > 1:
        pytest.fail(f"ended by {result.returncode} in or after {note.read_text()}\n{result.stderr[-2000:]}")
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]


def _methods(cls: type[Any]) -> set[str]:
    names = [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name))]
    return {f"{cls.__name__}.{name}" for name in ["__call__", *names]}


def _public() -> set[str]:
    """Every public name, and every verb of those that are classes with verbs."""
    found = {f"metrics.{name}" for name in metrics.__all__}
    for name in fl.__all__:
        thing = getattr(fl, name)
        bases = (fl.Loss, fl.Penalty, fl.LinearObjective)
        if isinstance(thing, type) and issubclass(thing, bases) and name not in WITHOUT_ARRAYS:
            found |= _methods(thing)
        else:
            found.add(name)
    found -= {"LinearObjective"}
    for module in pkgutil.iter_modules(adapters.__path__):
        if not module.name.startswith("_"):
            names = importlib.import_module(f"fastloss.adapters.{module.name}").__all__
            found |= {f"{module.name}.{name}" for name in names}
    return found


def test_nothing_public_is_left_out() -> None:
    """A new name belongs into a table of tests/support, or above with the reason why not."""
    for name in ("ot", "torch", "sklearn", "scipy"):
        pytest.importorskip(name)
    subjects = [s for kind in KINDS for s in importlib.import_module(f"support.{kind}").subjects()]
    covered = set().union(*(subject.covers for subject in subjects))
    assert _public() - covered - set(WITHOUT_ARRAYS) == set()
    assert (covered | set(WITHOUT_ARRAYS)) - _public() == set()


def test_every_two_levels_meet() -> None:
    factors = {"a": "xyz", "b": range(5), "c": (True, False), "d": "pqrs"}
    rows = list(choices(factors, "seed"))
    assert len(rows) < 30
    for one, first in factors.items():
        for other, second in factors.items():
            if one < other:
                assert {(r[one], r[other]) for r in rows} == {(x, y) for x in first for y in second}


class _Doubled(Subject):
    """A function that should return its argument doubled."""

    name = "doubled"
    covers = frozenset({"doubled"})
    inputs = ("x",)
    shapes = ((5,), (4, 3))

    def __init__(self, double: Any) -> None:
        self.double = double

    def out_places(self) -> Sequence[str]:
        return ["C", "spaced", "rows turned"]

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        return [np.dtype(np.float64)]

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        return {"x": rng.normal(size=choice["shape"])}

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        return {"x": np.array(views["x"], float, order="C")}

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        return [(plain["x"].shape, "")]

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        if out is None:
            out = np.empty(arrays["x"].shape)
        self.double(arrays["x"], out)
        return [out]


def _right(x: np.ndarray, out: np.ndarray) -> None:
    out[...] = 2 * x


def _writes_beside(x: np.ndarray, out: np.ndarray) -> None:
    out[...] = 2 * x
    if not out.flags.owndata:
        beyond = out.ctypes.data + sum(
            max(s * (n - 1), 0) for s, n in zip(out.strides, out.shape, strict=True)
        )
        ctypes.c_double.from_address(beyond + out.itemsize).value = 1.0


def _takes_order_for_granted(x: np.ndarray, out: np.ndarray) -> None:
    out[...] = 2 * np.ndarray(x.shape, x.dtype.newbyteorder("="), x.ravel("K").tobytes())


def _changes_its_argument(x: np.ndarray, out: np.ndarray) -> None:
    out[...] = 2 * x
    if x.flags.writeable:
        x *= 3


@pytest.mark.parametrize(
    ("double", "message"),
    [
        (_takes_order_for_granted, "differ"),
        (_changes_its_argument, "x or what lies beside it was written to"),
        (_writes_beside, "written beside output 0"),
    ],
)
def test_what_is_wrong_is_found(double: Any, message: str) -> None:
    assert sweep([_Doubled(_right)], 1, lambda text: None)[1] == []
    assert message in "".join(sweep([_Doubled(double)], 1, lambda text: None)[1])
