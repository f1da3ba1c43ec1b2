"""Fixtures of the tests: pointwise losses with several settings, precisions, reproducible random numbers."""

from __future__ import annotations

import math
import os
import zlib
from pathlib import Path
from typing import Any

# What libraries read when they are loaded, here and in the processes that tests start. Tests run side by
# side, one a core, and call after call is short: threads that wait do not keep a core busy, and NumPy's
# products take one. POT does without the other array libraries, which take seconds to import.
os.environ.update(
    {
        "OMP_WAIT_POLICY": "passive",
        "OPENBLAS_NUM_THREADS": "1",
        **{f"POT_BACKEND_DISABLE_{name}": "1" for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW")},
        **os.environ,
    }
)

import numpy as np
import pytest

import fastloss as fl
from fastloss._loss import PointwiseLoss

#: Settings besides the defaults. A loss that is missing here is tested with its defaults alone.
SETTINGS = {
    "Huber": [{"delta": 0.3}, {"delta": 4.0}],
    "SmoothL1": [{"beta": 0.3}, {"beta": 0.0}, {"beta": 8.0}],
    "PseudoHuber": [{"delta": 0.3}, {"delta": 8.0}, {"delta": 1e-25}, {"delta": 1e9}],
    "Quantile": [{"q": 0.9}, {"q": 0.125}],
    "Expectile": [{"q": 0.9}, {"q": 0.125}],
    "EpsilonInsensitive": [{"epsilon": 0.0}, {"epsilon": 2.5}],
    "Linex": [{"a": -0.3}, {"a": 4.0}],
    "Fair": [{"c": 0.3}, {"c": 8.0}],
    "GeneralRobust": [
        {"alpha": 2.0, "c": 2.0},
        {"alpha": 0.0},
        {"alpha": -2.0, "c": 0.3},
        {"alpha": -math.inf, "c": 1.5},
        {"alpha": -31.5},
        {"alpha": 0.37, "c": 3.0},
        {"alpha": 1.9375},
        {"alpha": 3.5},
    ],
    "BrierScore": [{"from_logits": False}],
    "SquaredEpsilonInsensitive": [{"epsilon": 0.0}, {"epsilon": 2.5}],
    "SmoothedHinge": [{"gamma": 0.25}, {"gamma": 4.0}],
    "Cauchy": [{"c": 0.3}, {"c": 2.0}],
    "Welsch": [{"c": 0.3}, {"c": 2.0}],
    "Tukey": [{"c": 1.0}],
    "Tweedie": [{"power": 1.0}, {"power": 1.1}, {"power": 1.9}, {"power": 2.0}],
    "ZeroOne": [{"threshold": 0.5}, {"from_logits": True}, {"from_logits": True, "threshold": 0.9}],
    "BinaryCrossEntropy": [
        {"pos_weight": 3.0},
        {"label_smoothing": 0.1},
        {"pos_weight": 0.2, "label_smoothing": 0.25},
        {"from_logits": False},
        {"from_logits": False, "pos_weight": 3.0, "label_smoothing": 0.1},
    ],
    "BinaryFocal": [
        {"gamma": 0.0},
        {"gamma": 0.5},
        {"gamma": 1.0},
        {"gamma": 5.0, "alpha": 0.25},
        {"gamma": 0.7, "alpha": 0.9},
        {"from_logits": False},
        {"gamma": 0.0, "from_logits": False},
        {"gamma": 0.5, "alpha": 0.25, "from_logits": False},
        {"gamma": 5.0, "from_logits": False},
    ],
    "AsymmetricLoss": [
        {"gamma_pos": 0.0, "gamma_neg": 4.0},
        {"gamma_pos": 0.5, "gamma_neg": 1.5, "clip": 0.3},
        {"gamma_pos": 2.0, "gamma_neg": 2.0, "clip": 0.0},
    ],
}

POINTWISE = [i.cls for i in fl.list_losses() if issubclass(i.cls, PointwiseLoss)]
LOSSES = [cls(**settings) for cls in POINTWISE for settings in [{}, *SETTINGS.get(cls.__name__, [])]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``loss``: pointwise losses, all settings; ``default_loss``: each once; ``smooth_loss``: smooth ones."""
    defaults = [cls() for cls in POINTWISE]
    for name, losses in [
        ("loss", LOSSES),
        ("default_loss", defaults),
        ("smooth_loss", [loss for loss in defaults if loss.has_gradient]),
    ]:
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, losses, ids=repr)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> type:
    return request.param


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that are the same at every run of one test, and differ between tests."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


#: Worst errors in ULPs, filled by pointwise/test_accuracy.py: (loss, precision) -> {output: (error, y, z)}.
WORST: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}


@pytest.fixture
def worst() -> dict[tuple[str, str], dict[str, tuple[float, float, float]]]:
    return WORST


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """All tests at once run on all cores, if pytest-xdist is there and ``-n`` says nothing else."""
    whole = [Path(argument).resolve() for argument in config.args] == [Path(__file__).parent]
    if whole and not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", 0) is None:
        # Neighbours stay together, and share what their file sets up, until a core runs out of work.
        config.option.numprocesses, config.option.dist = os.cpu_count(), "worksteal"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        # Python's own numbers alone can be sent.
        plain = [(key, {o: tuple(map(float, worst)) for o, worst in by.items()}) for key, by in WORST.items()]
        session.config.workeroutput["worst"] = plain


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    WORST.update(getattr(node, "workeroutput", {}).get("worst", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not WORST:
        return
    terminalreporter.section("worst error in ULPs")
    for (loss, precision), outputs in WORST.items():
        row = "  ".join(f"{name} {error:8.3g}" for name, (error, _, _) in outputs.items())
        terminalreporter.write_line(f"{loss:75} {precision}  {row}")
