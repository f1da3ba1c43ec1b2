"""What an audit finds: planted faults, kinks, convexity, bounds; and nothing where there is nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import fastloss as fl
from fastloss.formulas.audit import Audit


def audit(text: str, seconds: float = 0.6, **options: object) -> Audit:
    return fl.formula(text, **options).audit(seconds=seconds, show=False)


def verdicts(found: Audit, output: str) -> set[str]:
    return {a.verdict for a in found.accuracy if a.output == output}


def test_nothing_is_found_of_a_good_formula() -> None:
    found = audit("softplus(z) - y*z", targets="{0, 1}", seconds=1.0)
    assert found.problems == ()
    assert {a.verdict for a in found.accuracy} == {"exact"}
    assert max(a.ulp for a in found.accuracy) <= 4
    assert found.convex
    assert found.kinks == ()
    assert found.majorizer == pytest.approx(0.25)
    assert found.curvature == "exact"
    assert 0 < found.hessian_range[0] < found.hessian_range[1] <= 0.25


def test_a_formula_that_cancels() -> None:
    found = audit("(cosh(z) - 1) + 0*y")
    assert "cancels" in verdicts(found, "value")
    assert verdicts(found, "hessian") == {"exact"}
    (problem, *_) = found.problems
    assert "cosh(z) - 1" in problem
    assert "nearly equal" in problem


def test_a_formula_that_overflows_too_soon() -> None:
    found = audit("log(exp(2*z) + exp(z) + 1) - y*z", targets="[0, 1]")
    assert verdicts(found, "value") == {"overflows"}
    assert any("exp(2*z) overflows" in problem for problem in found.problems)
    for a in found.accuracy:
        assert not np.isfinite(a.result)
        assert np.isfinite(a.truth)


def test_a_wrong_gradient() -> None:
    found = audit("(z - y)**2/2", gradient="(z - y)*1.1")
    assert verdicts(found, "value") == {"exact"}
    assert verdicts(found, "gradient") == {"wrong"}
    assert any("not the derivative" in problem for problem in found.problems)
    right = audit("(z - y)**2/2", gradient="z - y", hessian="1")
    assert right.problems == ()


def test_a_wrong_hessian_of_a_right_gradient() -> None:
    found = audit("exp(z) - y*z", hessian="exp(z) + 0.1")
    assert verdicts(found, "hessian") == {"wrong"}
    assert "wrong" not in verdicts(found, "gradient")


def test_kinks_and_jumps() -> None:
    (kink,) = audit("maximum(0, 1 - (2*y - 1)*z)", targets="{0, 1}", seconds=0.1).kinks
    assert (kink.y, kink.z) == (0, -1)
    assert (kink.left, kink.right, kink.gradient) == (0, 1, 0)
    assert kink.convex
    assert not kink.jumps
    (kink,) = audit("0.9*maximum(y - z, 0) + 0.1*z", seconds=0.1).kinks
    assert kink.left == pytest.approx(-0.8)
    assert kink.right == pytest.approx(0.1)
    (jump,) = audit("where(z < y, z, z + 1)", seconds=0.1).kinks
    assert jump.jumps
    assert audit("where(z < y, (z - y)**2, 2*(z - y)**2)", seconds=0.1).kinks == ()
    assert not audit("-abs(z - y)", seconds=0.1).convex


def test_shape_and_curvature() -> None:
    welsch = audit("1 - exp(-(z - y)**2)", seconds=0.1)
    assert not welsch.convex
    assert welsch.curvature == "unit"
    assert welsch.majorizer == pytest.approx(2)
    poisson = audit("exp(z) - y*z", targets="[0, inf)", seconds=0.1)
    assert poisson.convex
    assert poisson.majorizer is None
    huber = audit("where(abs(z - y) <= 1, (z - y)**2/2, abs(z - y) - 0.5)", seconds=0.1)
    assert huber.convex
    assert huber.majorizer == 1
    assert huber.curvature == "unit"
    assert not audit("z**3", seconds=0.1).convex
    assert audit("z**4 - 3*z**2", seconds=0.1).curvature == "absolute"


def test_what_is_ill_conditioned_is_no_fault() -> None:
    """Near its root a difference of inputs has no more digits than they have."""
    found = audit("exp(z) - y*z", targets="[0, inf)", seconds=1.0)
    gradients = [a for a in found.accuracy if a.output == "gradient"]
    assert {a.verdict for a in gradients} <= {"ill-conditioned", "exact"}
    assert found.problems == ()


def test_the_table() -> None:
    code = (
        "import fastloss as fl\n"
        "found = fl.formula('abs(z - y)*a', a=2.0, name='mine').audit(seconds=0.1)\n"
        "assert found.problems == ()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for text in (
        "formula('abs(z - y)*a', name='mine', a=2.0)",
        "float32 value",
        "float64 hessian",
        "kink of",
    ):
        assert text in run.stdout
    assert "curvature='unit'" in run.stdout
    assert "no problem found" in run.stdout


def test_mpmath_is_an_extra() -> None:
    code = "import sys; sys.modules['mpmath'] = None\nimport fastloss as fl\nfl.formula('z*z').audit()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "fastloss[formula]"' in run.stderr
