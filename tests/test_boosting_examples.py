"""The examples of the boosting libraries run, and their models are of use."""

from __future__ import annotations

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name):
    return runpy.run_path(str(EXAMPLES / name))["main"]()


def test_xgboost():
    assert run("xgboost_focal.py") > 0.8


def test_lightgbm():
    assert 0.3 < run("lightgbm_quantiles.py") < 0.7


def test_catboost():
    squared, robust = run("catboost_robust.py")
    assert robust < 0.8 * squared
