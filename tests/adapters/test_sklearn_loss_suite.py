"""Scikit-learn's own test_loss.py passes with its imports pointed at fastloss.adapters.sklearn_loss."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

ROOT = Path(__file__).parents[2]

#: What is left out, by name, with the reason.
EXCEPTIONS = {
    "test_loss_array_api": "tests scikit-learn's array-API classes, which are not replaced",
    "test_log1pexp": "tests a function of scikit-learn's array-API classes",
    "test_cy_loss_classes_module": "tests scikit-learn's own extension module",
}

#: Of the 1280 combinations of test_loss_dtype, those of one thread with both outputs given.
SHORTENED = "test_loss_dtype and not (1-1-1-1 or 1-1-None-1 or 2-1-1-1 or 2-1-None-1)"


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9),
    reason="the tests are those of scikit-learn 1.9's private interface",
)
def test_passes_on_our_classes(tmp_path: Path) -> None:
    found = importlib.util.find_spec("sklearn._loss.tests.test_loss")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).read_text(encoding="utf-8")
    imports = re.search(r"^from sklearn\._loss\.loss import \(.*?^\)\n", source, re.MULTILINE | re.DOTALL)
    assert imports is not None
    # The array-API classes stay scikit-learn's; every name that our module has is ours.
    ours = imports[0] + "from fastloss.adapters.sklearn_loss import *\n"
    (tmp_path / "test_loss.py").write_text(source.replace(imports[0], ours), encoding="utf-8")
    (tmp_path / "conftest.py").write_text("from sklearn.conftest import *\n")
    left_out = " or ".join(EXCEPTIONS)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "test_loss.py",
            "-k",
            f"not ({left_out}) and not ({SHORTENED})",
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "PYTEST_ADDOPTS": "",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) >= 400
