"""What ``import fastloss`` brings, and what waits until it is asked for."""

from __future__ import annotations

import processes
import pytest

import fastloss as fl


def test_import_brings_neither_other_libraries_nor_what_is_used_seldom() -> None:
    waiting = ["adapters", "choosing", "cli", "evaluation", "measures", "metrics", "plotting", "reference"]
    others = {
        "matplotlib",
        "ml_dtypes",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "sklearn",
        "torch",
        "xgboost",
    }
    code = "import fastloss, sys; print(*sorted(sys.modules))"
    modules = set(processes.output(code).split())
    assert "fastloss._core" in modules
    assert not modules & {f"fastloss.{name}" for name in waiting}
    assert not modules & others


@pytest.mark.parametrize("name", [*fl.__all__, "adapters", "evaluation", "measures", "metrics", "plotting"])
def test_each_name_may_be_the_first_that_is_asked_for(name: str) -> None:
    assert name in dir(fl)
    if name in ("Choice", "choose", "reference", "evaluate", "metrics", "Huber"):
        found = processes.output(f"import fastloss as fl; print(fl.{name} is getattr(fl, {name!r}))")
        assert found == "True"
    else:
        assert getattr(fl, name) is not None


def test_star() -> None:
    names = processes.output("from fastloss import *; print(*globals())").split()
    assert set(fl.__all__) <= set(names)
