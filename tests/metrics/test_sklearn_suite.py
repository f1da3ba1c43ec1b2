"""Scikit-learn's own tests of its metrics pass with the functions of fastloss.metrics in their place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

from fastloss import metrics

FUNCTIONS = [name for name in metrics.__all__ if name[0].islower()]

ROOT = Path(__file__).parents[2]

#: Cases left out, by what their names match, with the reason. All others that use our functions must pass.
EXCEPTIONS = {
    "array_api": "array-API dispatch computes on the device that holds the data; fastloss reads the CPU"
    " arrays of every library, and answers in Python floats and NumPy arrays",
}

#: Where the tests are, and at least how many of their cases concern fastloss's functions.
SUITES = {
    "sklearn.metrics.tests.test_classification": 180,
    "sklearn.metrics.tests.test_ranking": 150,
    "sklearn.metrics.tests.test_regression": 25,
    "sklearn.metrics.tests.test_common": 1000,
    "sklearn.tests.test_calibration": 1,
}

PLUGIN = '''
"""Puts fastloss's functions into scikit-learn before its tests import them; keeps the cases that use them."""
import functools, inspect, json, os, re, sys
import sklearn.calibration, sklearn.metrics
from sklearn.metrics import _classification, _ranking, _regression
from fastloss import metrics

NAMES = {names!r}
for name in NAMES:
    for module in (sklearn.metrics, _classification, _ranking, _regression, sklearn.calibration):
        if hasattr(module, name):
            setattr(module, name, getattr(metrics, name))

WORDS = re.compile("|".join(NAMES))

def concerns(item):
    if re.search({exceptions!r}, item.name):
        return False
    if item.module.__name__.endswith("test_calibration"):
        return "calibration_curve" in item.name
    parameters = getattr(item, "callspec", None)
    common = getattr(item.module, "ALL_METRICS", {{}})
    for value in (parameters.params.values() if parameters else ()):
        value = common.get(value, value) if isinstance(value, str) else value
        while isinstance(value, functools.partial):
            value = value.func
        if getattr(value, "__module__", "").startswith("fastloss"):
            return True
        if getattr(value, "__module__", "").startswith("sklearn.metrics"):
            return False
    return bool(WORDS.search(inspect.getsource(item.function)))

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if concerns(item)]

results = {{}}

def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome == "skipped":
        results[f"{{os.path.basename(report.location[0])}}::{{report.location[2]}}"] = report.outcome

def pytest_sessionfinish():
    with open(os.environ["RESULTS"], "w") as file:
        json.dump(results, file)
'''


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9),
    reason="the signatures are those of scikit-learn 1.9",
)
def test_passes_on_our_functions(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(PLUGIN.format(names=FUNCTIONS, exceptions="|".join(EXCEPTIONS)))
    results = tmp_path / "results.json"
    path = os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "ours", "-p", "no:cacheprovider", "-c", os.devnull]
    run = subprocess.run(
        [*command, "--pyargs", *SUITES],
        env={**os.environ, "PYTHONPATH": path, "RESULTS": str(results), "PYTEST_ADDOPTS": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert results.exists(), run.stdout + run.stderr
    outcomes = json.loads(results.read_text())
    assert [case for case, outcome in outcomes.items() if outcome == "failed"] == [], run.stdout[-5000:]
    for suite, least in SUITES.items():
        passed = [
            case
            for case, outcome in outcomes.items()
            if outcome == "passed" and case.startswith(suite.rpartition(".")[2])
        ]
        assert len(passed) >= least, run.stdout[-2000:]
