"""What the gallery finds of a loss by computing it, against what is known of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import fastloss as fl

EXTENSIONS = Path(__file__).parents[1] / "docs" / "_extensions"
if not EXTENSIONS.exists():
    pytest.skip("needs the sources of the site", allow_module_level=True)
sys.path.insert(0, str(EXTENSIONS))
from traits import traits_of  # noqa: E402
from uses import USES  # noqa: E402

#: Of the losses with a gradient: which are not convex, whose gradient jumps, and whose slope has a bound.
NOT_CONVEX = {"Cauchy", "Welsch", "Tukey", "SquaredLogError", "BinaryFocal", "Focal"}
KINKED = {"AbsoluteError", "Quantile", "AbsolutePercentageError", "Perceptron", "Hinge"}
BOUNDED = {
    *(
        "AbsoluteError",
        "Huber",
        "SmoothL1",
        "LogCosh",
        "PseudoHuber",
        "Quantile",
        "Cauchy",
        "Welsch",
        "Tukey",
    ),
    *("AbsolutePercentageError", "Perceptron", "Hinge", "SmoothedHinge", "BinaryCrossEntropy", "BinaryFocal"),
    "WassersteinCritic",
}


@pytest.mark.parametrize("info", fl.list_losses(), ids=lambda info: info.name)
@pytest.mark.filterwarnings("ignore:rows of y_pred")
def test_what_is_known(info):
    name, found = info.cls.__name__, traits_of(info.cls())
    single = issubclass(info.cls, fl.PointwiseLoss)
    if not info.has_gradient or not (single or issubclass(info.cls, fl.RowLoss)):
        assert found == {}
        return
    assert found["convex"] == (name not in NOT_CONVEX)
    if single:
        assert found["kinked"] == (name in KINKED)
        assert found["bounded slope"] == (name in BOUNDED)


def test_of_parameters():
    assert not traits_of(fl.Quantile(q=0.9))["symmetric"]
    assert traits_of(fl.Quantile())["symmetric"]
    assert traits_of(fl.SmoothL1(beta=0))["kinked"]
    assert traits_of(fl.BinaryCrossEntropy(from_logits=False))["convex"]
    assert not traits_of(fl.ZeroOne())


def test_every_loss_has_a_use():
    assert list(USES) == [info.cls.__name__ for info in fl.list_losses()]
