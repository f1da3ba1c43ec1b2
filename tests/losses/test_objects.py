"""Loss objects: comparable, hashable, picklable, unchangeable, checked; found by name; documented."""

from __future__ import annotations

import copy
import doctest
import importlib
import pickle
import pkgutil
from typing import Any

import numpy as np
import pytest
from conftest import POINTWISE

import fastloss as fl

# Names that losses must go on answering to besides their classes'.
ALIASES = {
    "SquaredError": ["mse", "squared_error"],
    "HalfSquaredError": ["half_mse", "half_squared_error"],
    "AbsoluteError": ["mae", "l1", "manhattan", "absolute_error"],
    "Huber": ["huber", "smooth_mae"],
    "SmoothL1": ["smooth_l1"],
    "LogCosh": ["log_cosh"],
    "PseudoHuber": ["pseudo_huber"],
    "Quantile": ["pinball", "quantile"],
    "Expectile": ["expectile"],
    "SquaredEpsilonInsensitive": ["squared_svr", "squared_epsilon_insensitive"],
    "Cauchy": ["cauchy"],
    "Welsch": ["welsch"],
    "Tukey": ["tukey"],
    "Poisson": ["poisson"],
    "Gamma": ["gamma"],
    "Tweedie": ["tweedie"],
    "SquaredLogError": ["msle", "squared_log_error"],
    "AbsolutePercentageError": ["mape", "absolute_percentage_error"],
    "SymmetricAbsolutePercentageError": ["smape", "symmetric_absolute_percentage_error"],
    "ZeroOne": ["zero_one", "zero_one_loss"],
    "Perceptron": ["perceptron", "perceptron_loss"],
    "Hinge": ["hinge"],
    "SquaredHinge": ["squared_hinge"],
    "SmoothedHinge": ["smooth_hinge", "smoothed_hinge"],
    "Exponential": ["exponential", "adaboost"],
    "BinaryCrossEntropy": ["bce", "log_loss", "logistic", "binary_cross_entropy"],
    "BinaryFocal": ["focal", "binary_focal"],
    "AsymmetricLoss": ["asl", "asymmetric_loss"],
    "WassersteinCritic": ["wgan", "wasserstein_critic"],
}

DEFAULTS = {
    "Huber": {"delta": 1},
    "SmoothL1": {"beta": 1},
    "PseudoHuber": {"delta": 1},
    "Quantile": {"q": 0.5},
    "Expectile": {"q": 0.5},
    "SquaredEpsilonInsensitive": {"epsilon": 0.1},
    "SmoothedHinge": {"gamma": 1},
    "Cauchy": {"c": 1},
    "Welsch": {"c": 1},
    "Tukey": {"c": 4.685},
    "Tweedie": {"power": 1.5},
    "ZeroOne": {"threshold": None, "from_logits": False},
    "BinaryCrossEntropy": {
        "from_logits": True,
        "pos_weight": 1,
        "label_smoothing": 0,
        "class_weight": None,
    },
    "BinaryFocal": {"gamma": 2, "alpha": None, "from_logits": True, "class_weight": None},
    "AsymmetricLoss": {"gamma_pos": 1, "gamma_neg": 4, "clip": 0.05},
}


def test_the_catalogue_is_complete() -> None:
    assert {cls.__name__ for cls in POINTWISE} >= set(ALIASES)


def test_defaults_are_listed(default_loss: Any) -> None:
    (info,) = [i for i in fl.list_losses() if i.cls is type(default_loss)]
    assert default_loss.parameters == info.parameters


@pytest.mark.parametrize("name", ALIASES)
def test_found_by_every_name(name: str) -> None:
    cls = getattr(fl, name)
    for alias in [name, *ALIASES[name]]:
        assert type(fl.get_loss(alias)) is cls
    assert {*ALIASES[name]} <= {cls().name, *cls().aliases}


@pytest.mark.parametrize("name", ALIASES)
def test_defaults(name: str) -> None:
    expected = DEFAULTS.get(name, {})
    (info,) = [i for i in fl.list_losses() if i.cls.__name__ == name]
    assert getattr(fl, name)().parameters == info.parameters == expected


def test_listed(default_loss: Any) -> None:
    (info,) = [i for i in fl.list_losses() if i.cls is type(default_loss)]
    assert info.name == default_loss.name
    assert info.family == default_loss.family
    assert info.aliases == default_loss.aliases
    assert info.has_gradient == default_loss.has_gradient
    assert info.has_hessian == default_loss.has_hessian


def test_get_loss_passes_parameters() -> None:
    assert fl.get_loss("huber", delta=1.5) == fl.Huber(delta=1.5)
    assert fl.get_loss("BinaryFocal", gamma=3, alpha=0.25) == fl.BinaryFocal(gamma=3.0, alpha=0.25)


@pytest.mark.parametrize(("wrong", "meant"), [("hubr", "huber"), ("bse", "bce"), ("log-cosh", "log_cosh")])
def test_unknown_name_suggests(wrong: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"{wrong}.*{meant}"):
        fl.get_loss(wrong)


def test_unknown_name_far_from_all() -> None:
    with pytest.raises(ValueError, match=r"qqqqqq.*list_losses"):
        fl.get_loss("qqqqqq")
    with pytest.raises(TypeError, match="name"):
        fl.get_loss(3)


def test_unknown_parameter() -> None:
    with pytest.raises(TypeError, match="delta"):
        fl.get_loss("huber", gamma=2)
    with pytest.raises(TypeError):
        fl.Huber(gamma=2)


def test_repr_makes_the_object_again(loss: Any) -> None:
    assert eval(repr(loss), vars(fl)) == loss
    assert repr(fl.Huber(delta=1.5)) == "Huber(delta=1.5)"
    assert repr(fl.SquaredError()) == "SquaredError()"


def test_equality_and_hash(loss: Any) -> None:
    twin = type(loss)(**loss.parameters)
    assert twin == loss
    assert hash(twin) == hash(loss)
    assert twin is not loss
    assert len({loss, twin}) == 1
    assert loss != repr(loss)
    assert (loss == 3) is False


def test_inequality() -> None:
    assert fl.Huber(delta=1.5) != fl.Huber(delta=1.0)
    assert fl.Huber(delta=1) == fl.Huber(delta=1.0)
    assert hash(fl.Huber(delta=1)) == hash(fl.Huber(delta=1.0))
    assert fl.Quantile(q=0.5) != fl.Expectile(q=0.5)
    assert fl.Poisson() != fl.Tweedie(power=1.0)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(loss: Any, protocol: int) -> None:
    _assert_works_alike(pickle.loads(pickle.dumps(loss, protocol)), loss)


def test_copies(loss: Any) -> None:
    _assert_works_alike(copy.copy(loss), loss)
    _assert_works_alike(copy.deepcopy([loss])[0], loss)


def _assert_works_alike(other: Any, loss: Any) -> None:
    assert type(other) is type(loss)
    assert other == loss
    assert other([1.0, 1.0], [0.25, 0.75]) == loss([1.0, 1.0], [0.25, 0.75])


def test_cannot_be_changed(loss: Any) -> None:
    for name in [*loss.parameters, "name", "anything"]:
        with pytest.raises(AttributeError):
            setattr(loss, name, 3.0)
        with pytest.raises(AttributeError):
            delattr(loss, name)
    loss.parameters["delta"] = 77.0
    assert "delta" not in loss.parameters or loss.parameters["delta"] != 77.0
    before = loss([1.0], [0.25])
    with pytest.raises((AttributeError, TypeError)):
        loss._bind("squared_error", ())
    assert loss([1.0], [0.25]) == before


def test_attributes_are_the_parameters(loss: Any) -> None:
    for name, value in loss.parameters.items():
        assert getattr(loss, name) == value
    with pytest.raises(AttributeError, match="nothing_such"):
        loss.nothing_such  # noqa: B018


def test_numbers_of_numpy_are_parameters() -> None:
    for number in (np.float32(1.5), np.float64(1.5)):
        loss = fl.Huber(delta=number)
        assert loss == fl.Huber(delta=1.5)
        assert repr(loss) == "Huber(delta=1.5)"
    assert fl.Huber(delta=np.int64(2)) == fl.Huber(delta=2)


nan, inf = float("nan"), float("inf")

BAD_VALUES = {
    ("Huber", "delta"): [0, -1, nan, inf],
    ("SmoothL1", "beta"): [-1, nan, inf],
    ("PseudoHuber", "delta"): [0, -1, nan, inf],
    ("Quantile", "q"): [0, 1, -0.1, 1.1, nan],
    ("Expectile", "q"): [0, 1, -0.1, 1.1, nan],
    ("SquaredEpsilonInsensitive", "epsilon"): [-1, nan, inf],
    ("SmoothedHinge", "gamma"): [0, -1, nan, inf],
    ("Cauchy", "c"): [0, -1, nan, inf],
    ("Welsch", "c"): [0, -1, nan, inf],
    ("Tukey", "c"): [0, -1, nan, inf],
    ("Tweedie", "power"): [0.99, 2.01, 0, 3, nan],
    ("ZeroOne", "threshold"): [-1, nan],
    ("BinaryCrossEntropy", "pos_weight"): [-1, nan, inf],
    ("BinaryCrossEntropy", "label_smoothing"): [-0.1, 1.1, nan],
    ("BinaryFocal", "gamma"): [-0.1, nan, inf],
    ("BinaryFocal", "alpha"): [-0.1, 1.1, nan],
    ("AsymmetricLoss", "gamma_pos"): [-0.1, nan, inf],
    ("AsymmetricLoss", "gamma_neg"): [-0.1, nan, inf],
    ("AsymmetricLoss", "clip"): [-0.1, 1, nan],
}


@pytest.mark.parametrize(("name", "parameter"), BAD_VALUES)
def test_bad_parameters(name: str, parameter: str) -> None:
    for value in BAD_VALUES[name, parameter]:
        with pytest.raises(ValueError, match=rf"{parameter}.*{value}"):
            getattr(fl, name)(**{parameter: value})
    several = (name, parameter) in (("BinaryCrossEntropy", "pos_weight"), ("BinaryFocal", "alpha"))
    for value in ["1", [[1.0]] if several else [1.0], 1j, np.ones((1, 1)) if several else np.ones(1), True]:
        with pytest.raises(TypeError, match=parameter):
            getattr(fl, name)(**{parameter: value})


@pytest.mark.parametrize("name", ["BinaryCrossEntropy", "BinaryFocal"])
def test_from_logits_is_a_flag(name: str) -> None:
    for value in (1, 0.0, "yes", None):
        with pytest.raises(TypeError, match="from_logits"):
            getattr(fl, name)(from_logits=value)


@pytest.mark.parametrize(
    "name", ["Huber", "SmoothL1", "PseudoHuber", "Cauchy", "Welsch", "Tukey", "Quantile"]
)
def test_none_is_no_number(name: str) -> None:
    (parameter,) = DEFAULTS[name]
    with pytest.raises(TypeError, match=parameter):
        getattr(fl, name)(**{parameter: None})


def test_domains() -> None:
    assert fl.SquaredError().target_domain[:3] == (-inf, inf, False)
    assert fl.Poisson().target_domain == (0, inf, False, False)
    assert fl.Gamma().target_domain == (0, inf, False, True)
    assert fl.SquaredLogError().prediction_domain == (-1, inf, False, True)
    assert fl.Hinge().target_domain[:3] == (-1, 1, True)
    assert fl.BinaryFocal().target_domain[:3] == (0, 1, True)
    assert fl.BinaryCrossEntropy().target_domain[:3] == (0, 1, False)
    assert fl.BinaryCrossEntropy().prediction_domain[:2] == (-inf, inf)
    assert fl.BinaryCrossEntropy(from_logits=False).prediction_domain[:3] == (0, 1, False)


def test_a_subclass_without_a_kernel_is_refused() -> None:
    class Half(fl.Huber):
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match="Half"):
        Half()([1.0], [1.0])


def _public() -> list[str]:
    return [name for name in fl.__all__ if callable(getattr(fl, name))]


@pytest.mark.parametrize("name", _public())
def test_documented(name: str) -> None:
    assert len(getattr(fl, name).__doc__ or "") > 40


def test_losses_have_formula_and_example(default_loss: Any) -> None:
    text = type(default_loss).__doc__
    assert ":math:" in text or ".. math::" in text
    assert ">>>" in text
    for parameter in default_loss.parameters:
        assert f"{parameter} :" in text


@pytest.mark.parametrize("verb", ["gradient", "value_and_gradient", "gradient_and_hessian"])
def test_verbs_are_documented(verb: str) -> None:
    assert ">>>" in getattr(fl.Huber, verb).__doc__


def _modules() -> list[str]:
    found = ["fastloss"]
    for module in pkgutil.walk_packages(fl.__path__, "fastloss."):
        if not module.name.startswith("fastloss.cli") and not module.name.endswith("__main__"):
            found.append(module.name)
    return found


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings(name: str) -> None:
    if name in ("fastloss.adapters.torch", "fastloss.adapters._torch_graph"):
        pytest.importorskip("torch")
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0
    if name in ("fastloss.regression", "fastloss.binary", "fastloss.registry"):
        assert results.attempted > 0


def test_examples_of_the_binding() -> None:
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for verb in ("gradient", "value_and_gradient", "gradient_and_hessian", "value_gradient_and_hessian"):
        for example in finder.find(getattr(fl.Loss, verb), name=verb, globs={}):
            assert example.examples
            assert runner.run(example).failed == 0
