"""Instruction sets: those with fused multiply-add give the same bits, the base one all but the same."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import processes
import pytest
import tiers
from tiers import AVAILABLE

import fastloss as fl


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Results of every tier, of ordinary or of hard samples: hard -> tier -> name -> array."""
    return functools.cache(
        lambda hard: tiers.collect(
            tmp_path_factory.mktemp("tiers"),
            "conftest, digest",
            f"digest.everything(conftest.LOSSES, 3001, hard={hard})",
        )
    )


@tiers.needs_two_fused
@pytest.mark.parametrize("hard", [False, True])
def test_fused_tiers_give_the_same_bits(results: Any, hard: bool) -> None:
    tiers.assert_same_bits(results(hard)[tier] for tier in tiers.FUSED)


@tiers.needs_two
def test_the_base_tier_is_close(results: Any) -> None:
    """Without the fused operation the last bits differ, and nothing else does."""
    base, other = results(False)["base"], results(False)[AVAILABLE[-1]]
    for key, x in base.items():
        eps = float(np.finfo(np.float32 if "float32" in key else np.float64).eps)
        scale = np.abs(other[key]).max()
        np.testing.assert_allclose(x, other[key], rtol=16 * eps, atol=16 * eps * scale, err_msg=key)


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="needs two tiers")
def test_tiers_are_different_code(results: Any) -> None:
    """Or forcing a tier does nothing: somewhere a fused operation must show."""
    base, other = results(False)["base"], results(False)[AVAILABLE[-1]]
    assert any(not np.array_equal(base[key], other[key], equal_nan=True) for key in base)


@pytest.mark.skipif(fl.config()["isa"] == "base", reason="runs in this process")
def test_accuracy_of_the_base_tier() -> None:
    """The literals, and the ULPs of float32; the other tiers have the bits of the one tested throughout."""
    code = (
        "import os, sys, pytest\n"
        f"os.chdir({str(Path(__file__).parents[1])!r})\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '--tb=line', '-k', 'not float64',"
        " 'pointwise/test_literals.py', 'pointwise/test_accuracy.py']))"
    )
    result = processes.run(code, FASTLOSS_ISA="base")
    assert result.returncode == 0, result.stdout


SHOW = "import fastloss as fl; print(fl.config()['isa'])"


def test_default_is_the_last_tier() -> None:
    assert processes.output(SHOW) == AVAILABLE[-1]
    assert AVAILABLE[0] == "base"


@pytest.mark.parametrize("wrong", ["avx512", "V4", "v9", "neon"])
def test_a_tier_that_is_not_there_is_a_warning(wrong: str) -> None:
    result = processes.run(SHOW, FASTLOSS_ISA=wrong)
    assert result.returncode == 0
    assert "RuntimeWarning" in result.stderr
    assert repr(wrong) in result.stderr
    assert all(tier in result.stderr for tier in AVAILABLE)
    assert result.stdout.strip() == AVAILABLE[-1]


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    fl.show_config()
    shown = capsys.readouterr().out
    for key in ("version", "isa", "openmp", "num_threads"):
        assert str(fl.config()[key]) in shown
