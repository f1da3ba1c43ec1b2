"""Objects called like functions have a signature and a name; a name means one thing; packages are lazy."""

from __future__ import annotations

import contextlib
import inspect
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score

import fastloss as fl

EVERY_LOSS = [info.cls(0.5) if "temperature" in info.parameters else info.cls() for info in fl.list_losses()]
VERBS = ["y_true", "y_pred", "sample_weight", "reduction", "out", "n_threads"]


@pytest.mark.parametrize("of", EVERY_LOSS, ids=repr)
def test_losses_have_a_signature_and_a_name(of):
    names = list(inspect.signature(of).parameters)
    if isinstance(of, fl.PointwiseLoss | fl.RowLoss):
        assert names == VERBS
    assert names[0] not in ("self", "args")
    assert of.__name__ == of.name
    # A class is called as its constructor, and has its own name.
    assert list(inspect.signature(type(of)).parameters) == list(of.parameters)
    assert type(of).__name__ in repr(of)


@pytest.mark.parametrize("of", [fl.L1(), fl.L2(2.0), fl.ElasticNet()], ids=repr)
def test_penalties_have_a_signature_and_a_name(of):
    assert str(inspect.signature(of)) == "(w, *, n_threads=None)"
    assert of.__name__ == of.name
    assert list(inspect.signature(type(of)).parameters) == list(of.parameters)


def test_other_callables():
    from fastloss.adapters import catboost, lightgbm, scipy, sklearn, xgboost

    objective = fl.LinearObjective(fl.Huber(), [[1.0], [2.0]], [0.0, 1.0])
    made = [
        *(f(fl.Huber()) for f in (xgboost.objective, xgboost.sklearn_objective)),
        *(f(fl.Huber()) for f in (xgboost.metric, xgboost.sklearn_metric)),
        *(f(fl.Huber()) for f in (lightgbm.objective, lightgbm.sklearn_objective)),
        *(f(fl.Huber()) for f in (lightgbm.metric, lightgbm.sklearn_metric)),
        scipy.rho(fl.Huber()),
        sklearn.scorer(fl.Huber()),
        objective,
    ]
    for each in made:
        assert inspect.signature(each).parameters
        assert each.__name__ == "huber"
    for each in (catboost.objective(fl.Huber()), catboost.metric(fl.Huber())):
        assert each.__name__ == "huber"


def test_torch_module():
    pytest.importorskip("torch")
    from fastloss.adapters.torch import module

    made = module(fl.Huber())
    assert inspect.signature(made).parameters
    assert made.__name__ == "huber"


def test_make_scorer():
    made = make_scorer(fl.Huber(2.0), greater_is_better=False)
    assert "huber" in repr(made)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=60)
    scores = cross_val_score(HuberRegressor(), X, y, scoring=made, cv=3)
    assert (scores < 0).all()


def test_a_name_means_one_thing_in_letters_of_any_case():
    meanings: dict[str, set[type]] = {}
    for info in fl.list_losses():
        for name in (info.name, info.cls.__name__, *info.aliases):
            for spelt in (name, name.lower(), name.upper(), name.title()):
                with contextlib.suppress(ValueError):
                    found = fl.registry.find_loss(spelt)
                    meanings.setdefault(spelt.lower(), set()).update([found.cls] if found else [])
    assert all(len(classes) <= 1 for classes in meanings.values())
    assert meanings["focal"] == {fl.BinaryFocal}
    assert meanings["l2"] == {fl.EuclideanError}


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("Focal", "'focal' is BinaryFocal", "'multiclass_focal' the class Focal"),
        ("L1", "'l1' is the loss AbsoluteError", "fastloss.L1 a penalty"),
        ("L2", "'l2' is the loss EuclideanError", "fastloss.L2 a penalty"),
    ],
)
def test_a_name_of_two_things_is_an_error_with_both(name, one, other):
    with pytest.raises(ValueError, match=f"{one}, {other}"):
        fl.get_loss(name)


LAZY = """
import sys
import fastloss as fl
packages = ["adapters", "cli", "metrics", "plotting"]
modules = ["catboost", "lightgbm", "scipy", "sklearn", "sklearn_loss", "torch", "xgboost"]
assert set(packages) <= set(dir(fl)), dir(fl)
assert not [name for name in packages if f"fastloss.{name}" in sys.modules]
assert fl.metrics.mean_squared_error([1.0], [3.0]) == 4.0
assert fl.plotting.draw and fl.cli.main
assert set(modules) <= set(dir(fl.adapters))
assert not [name for name in modules if f"fastloss.adapters.{name}" in sys.modules]
assert fl.adapters.xgboost.base_score(fl.SquaredError(), [1.0, 3.0]) == 2.0
assert "xgboost" not in sys.modules and "torch" not in sys.modules
for owner in (fl, fl.adapters):
    assert not hasattr(owner, "nothing")
"""


def test_packages_are_imported_when_asked_for():
    subprocess.run([sys.executable, "-c", LAZY], check=True)
