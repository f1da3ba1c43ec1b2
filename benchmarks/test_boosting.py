"""The benchmarks of boosting: that times are taken in each library, and that "auto" trains."""

from __future__ import annotations

import pytest

import fastloss as fl
from benchmarks import boosting, curvature


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_calls_and_rounds_are_timed(library, capsys):
    boosting.main(
        ["--library", library, "--rows", "3000", "--rounds", "4", "--repeat", "1", "--threads", "1"]
    )
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if f"| {library} " in line]
    assert [row[2].strip() for row in rows] == ["focal", "focal", "focal as a formula"]
    for row in rows:
        call, turn = float(row[4]), float(row[5])
        assert 0 < call <= turn + 0.1


@pytest.mark.parametrize("loss", [fl.Quantile(q=0.9), fl.AbsolutePercentageError()], ids=repr)
def test_automatic_curvature_trains_in_every_cell(loss):
    task = "ratios" if isinstance(loss, fl.AbsolutePercentageError) else "regression"
    found = list(curvature.cells(lambda scale: loss, task, "auto", 1))
    assert len(found) == 3 * 2 * 2 * 3
    assert not [cell for cell in found if cell.diverged or cell.collapsed]
