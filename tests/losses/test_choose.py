"""Choosing a loss: the usual cases get the usual answers, and every combination of answers gets one."""

from __future__ import annotations

import itertools
import json
import math
import re
import shlex
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastloss as fl
from fastloss.adapters.xgboost import base_score
from fastloss.choosing.advice import ADVICE
from fastloss.choosing.choice import gather
from fastloss.choosing.questions import CONFLICTS, QUESTIONS, matches
from fastloss.choosing.rules import RULES, Computed
from fastloss.cli import main

# The table of application cases: answers, then the loss, its parameters, the activation and the optimiser.
CASES = {
    "house prices: no outliers, normal errors": (
        {"task": "regression", "outliers": "no", "errors": "symmetric"},
        ("SquaredError", {}, "none", "Adam"),
    ),
    "electricity in storms: extreme values": (
        {"task": "regression", "outliers": "some"},
        ("Huber", {"delta": 1.5}, "none", "SGD with momentum"),
    ),
    "distances in autonomous driving: smooth, and some are wrong": (
        {"task": "regression", "outliers": "some", "errors": "symmetric"},
        ("Huber", {"delta": 1.5}, "none", "SGD with momentum"),
    ),
    "spam: 40 % of the mail": (
        {"task": "binary", "shares": 0.4},
        ("BinaryCrossEntropy", {"from_logits": True}, "sigmoid", "Adam"),
    ),
    "MNIST: ten classes alike, one-hot": (
        {"task": "multiclass", "shares": [0.1] * 10, "labels": "one-hot"},
        ("CrossEntropy", {"from_logits": True}, "softmax", "Adam"),
    ),
    "cancer imaging: 1 % are ill": (
        {"task": "binary", "shares": 0.01},
        ("BinaryFocal", {"gamma": 2.0, "alpha": 0.25, "from_logits": True}, "sigmoid", "Adam"),
    ),
    "face recognition: pairs alike or not": (
        {"task": "similarity", "examples": "pairs"},
        ("Contrastive", {"margin": 1.0}, "none", "Adam"),
    ),
    "WGAN: real and generated do not overlap": (
        {"task": "generation", "model": "gan"},
        ("WassersteinCritic", {}, "none", "RMSprop"),
    ),
    "VAE: a mean and a variance for each number of a code": (
        {"model": "vae"},
        ("GaussianKL", {}, "none", "Adam"),
    ),
}

# The other rules, by task, data and output.
LOGITS, PROBABILITIES = {"from_logits": True}, {"from_logits": False}
OTHERS = [
    ({"task": "regression"}, "SquaredError", {}),
    ({"task": "regression", "outliers": False}, "SquaredError", {}),
    ({"task": "regression", "outliers": True}, "Huber", {"delta": 1.5}),
    ({"task": "regression", "outliers": "many"}, "AbsoluteError", {}),
    ({"task": "regression", "outliers": "mild"}, "LogCosh", {}),
    ({"task": "regression", "errors": "skewed"}, "AbsoluteError", {}),
    ({"task": "regression", "values": "boxes"}, "SmoothL1", {"beta": 1.0}),
    ({"task": "regression", "values": "vectors"}, "EuclideanError", {}),
    ({"task": "regression", "values": "counts"}, "Poisson", {}),
    ({"task": "regression", "values": "positive"}, "Gamma", {}),
    ({"task": "classification"}, "BinaryCrossEntropy", LOGITS),
    ({"task": "binary", "output": "probabilities"}, "BinaryCrossEntropy", PROBABILITIES),
    ({"task": "binary", "labels": "soft"}, "BinaryCrossEntropy", LOGITS),
    ({"task": "binary", "output": "scores"}, "Hinge", {}),
    ({"task": "binary", "outliers": True}, "Hinge", {}),
    (
        {"task": "binary", "outliers": True, "output": "logits"},
        "BinaryCrossEntropy",
        {"label_smoothing": 0.1},
    ),
    ({"task": "binary", "model": "svm"}, "Hinge", {}),
    ({"task": "binary", "model": "adaboost"}, "Exponential", {}),
    ({"task": "binary", "model": "perceptron"}, "Perceptron", {}),
    ({"task": "classification", "imbalanced": True}, "BinaryFocal", {"gamma": 2.0, "alpha": 0.25}),
    ({"task": "binary", "shares": 0.1}, "BinaryCrossEntropy", {"pos_weight": 9.0}),
    ({"task": "binary", "shares": [0.99, 0.01], "output": "probabilities"}, "BinaryFocal", PROBABILITIES),
    ({"task": "multiclass", "labels": "index"}, "CrossEntropy", LOGITS),
    ({"task": "multiclass", "labels": "soft"}, "CrossEntropy", LOGITS),
    ({"task": "multiclass", "output": "probabilities"}, "CrossEntropy", PROBABILITIES),
    ({"task": "multiclass", "output": "scores"}, "MulticlassHinge", {"kind": "crammer-singer"}),
    ({"task": "multiclass", "model": "svm"}, "MulticlassHinge", {"kind": "crammer-singer"}),
    ({"task": "multiclass", "imbalanced": True}, "Focal", {"gamma": 2.0, "from_logits": True}),
    (
        {"task": "multiclass", "shares": [5, 4, 1]},
        "CrossEntropy",
        {"class_weight": (0.666667, 0.833333, 3.33333)},
    ),
    ({"task": "multilabel"}, "BinaryCrossEntropy", LOGITS),
    ({"task": "multilabel", "imbalanced": True}, "BinaryFocal", {"gamma": 2.0}),
    ({"task": "distribution"}, "KLDivergence", PROBABILITIES),
    ({"task": "distribution", "form": "logits"}, "KLDivergence", LOGITS),
    ({"task": "distribution", "symmetric": True}, "JSDivergence", {}),
    ({"task": "distribution", "overlap": False}, "Wasserstein", {"p": 1.0}),
    ({"task": "distribution", "form": "samples"}, "Wasserstein", {"p": 1.0}),
    ({"task": "distribution", "form": "points"}, "Sinkhorn", {}),
    ({"task": "similarity"}, "Contrastive", {"margin": 1.0}),
    ({"task": "similarity", "examples": "triplets"}, "Triplet", {"margin": 1.0, "squared": True}),
    ({"task": "similarity", "examples": "classes"}, "CenterLoss", {}),
    ({"task": "similarity", "examples": "views"}, "NTXent", {}),
    ({"task": "generation"}, "WassersteinCritic", {}),
    ({"task": "generation", "model": "vae"}, "GaussianKL", {}),
    ({"model": "vae"}, "GaussianKL", {}),
    ({"model": "gan"}, "WassersteinCritic", {}),
    ({"model": "adaboost"}, "Exponential", {}),
]


@pytest.mark.parametrize("case", CASES)
def test_application_cases(case: str) -> None:
    answers, (name, parameters, activation, optimiser) = CASES[case]
    choice = fl.choose(**answers)
    assert (choice.loss_name, choice.parameters) == (name, parameters)
    assert type(choice.loss).__name__ == name
    assert choice.loss.parameters.items() >= parameters.items()
    assert choice.activation == activation
    assert choice.optimiser.startswith(optimiser)


def test_cases_of_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "choosing.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"\| `fastloss (choose [^`]+)` \| `(\w+)` \| (\w+) \| ([^|]+) \|$", text, flags=re.MULTILINE
    )
    assert [name for _, name, *_ in rows] == [name for _, (name, *_) in CASES.values()]
    for command, name, activation, optimiser in rows:
        assert main([*shlex.split(command), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["class"], document["activation"]) == (name, activation)
        assert document["optimiser"].startswith(optimiser)


@pytest.mark.parametrize(("answers", "name", "parameters"), OTHERS, ids=str)
def test_rules(answers: dict[str, Any], name: str, parameters: dict[str, Any]) -> None:
    choice = fl.choose(**answers)
    assert choice.loss_name == name
    assert choice.loss.parameters.items() >= parameters.items()


def combinations() -> list[dict[str, Any]]:
    """Every combination of answers, with and without the shares of the classes."""
    found: list[dict[str, Any]] = [{}]
    for question in QUESTIONS:
        every = [{question.name: answer} for answer in question.answers]
        found = [
            {**facts, **answer}
            for facts in found
            for answer in (every if matches(question.when, facts) else [{}])
        ]
    shares: dict[str, list[Any]] = {
        "two": [0.4, 0.1, 0.001],
        "multilabel": [0.1],
        "many": [[1, 1, 1], [100, 1, 1]],
    }
    weighted = [
        {**{name: answer for name, answer in facts.items() if name != "imbalanced"}, "shares": number}
        for facts in found
        if facts["task"] == "classification" and facts["imbalanced"] == "no"
        for number in shares[facts["classes"]]
    ]
    return found + weighted


def test_every_combination_has_an_answer() -> None:
    reached, refused = set(), set()
    for answers in combinations():
        try:
            choice = fl.choose(**answers)
        except ValueError as error:
            refused.add(str(error).split(": ", 1)[1])
            continue
        reached.add(choice.reason)
        assert type(choice.loss).__name__ == choice.loss_name
        assert choice.alternatives
        for other in choice.alternatives:
            assert type(other.loss).__name__ == other.loss_name
            assert other.loss != choice.loss
        if "from_logits" in choice.parameters and answers["task"] == "classification":
            assert choice.parameters["from_logits"] == (answers["output"] != "probabilities")
            assert choice.model_output.startswith("raw scores") == choice.parameters["from_logits"]
        if "imbalanced" in choice.answers and choice.loss_name in ("CrossEntropy", "BinaryCrossEntropy"):
            weighted = {"class_weight", "pos_weight"} & choice.parameters.keys()
            assert bool(weighted) == (choice.answers["imbalanced"] == "yes")
    assert reached == {rule.reason for rule in RULES}, "a rule is never reached"
    assert refused == {conflict.why for conflict in CONFLICTS}, "a conflict is never met"


def test_every_answer_counts() -> None:
    """Each answer but the usual one is asked for by a rule or refused by a conflict."""
    conditions = [item.when for item in (*RULES, *CONFLICTS)]
    for question in QUESTIONS:
        for answer in question.answers:
            name = {"imbalanced": "imbalance"}.get(question.name, question.name)
            wanted = "severe" if (name, answer) == ("imbalance", "yes") else answer
            assert answer == question.default or any(wanted in when.get(name, ()) for when in conditions)


def test_tables_agree_with_the_losses() -> None:
    classes = {info.cls.__name__: info for info in fl.list_losses()}
    assert ADVICE.keys() <= classes.keys()
    assert {rule.loss for rule in RULES} <= ADVICE.keys()
    options = [option for rule in RULES for option in rule.options]
    for item in (*RULES, *options):
        info = classes[item.loss]
        assert item.parameters.keys() <= info.parameters.keys()
        if "from_logits" in info.parameters and not isinstance(item, fl.choosing.rules.Rule):
            continue
        assert ("from_logits" in item.parameters) == ("from_logits" in info.parameters), item
    for name, advice in ADVICE.items():
        has_both = "from_logits" in classes[name].parameters and classes[name].has_gradient
        assert has_both == bool(advice.gives_probabilities), name


@pytest.mark.parametrize(
    "name", [name for name, advice in ADVICE.items() if advice.link in ("identity", "log", "logit")]
)
def test_links(name: str) -> None:
    """The gradient is 0 where the prediction, through the link, is the target."""
    if name in ("EuclideanError", "MultiQuantile"):  # of rows
        return
    loss = fl.get_loss(name)
    y = {"logit": 1.0 if name in ("BinaryFocal", "AsymmetricLoss") else 0.3}.get(ADVICE[name].link, 0.75)
    z = {
        "identity": y,
        "log": math.log(y),
        "logit": math.log(y / (1 - y)) if y < 1 else 40.0,
    }[ADVICE[name].link]
    assert loss.gradient([y], [z])[0] == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("shares", [[0.9, 0.1], [9, 1], 0.1])
def test_pos_weight_balances_the_classes(shares: Any) -> None:
    loss = fl.choose("binary", shares=shares).loss
    assert loss == fl.BinaryCrossEntropy(pos_weight=9.0)


def test_class_weights_balance_the_classes() -> None:
    shares = [0.62, 0.3, 0.08]
    weights = fl.choose("multiclass", shares=shares).parameters["class_weight"]
    weighted = [share * weight for share, weight in zip(shares, weights, strict=True)]
    assert weighted == pytest.approx([1 / 3] * 3, rel=1e-5)  # all alike, and the mean weight is 1


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.5, "BinaryCrossEntropy()"),
        (0.25, "BinaryCrossEntropy()"),
        (0.249, "BinaryCrossEntropy(pos_weight)"),
        (0.051, "BinaryCrossEntropy(pos_weight)"),
        (0.049, "BinaryFocal()"),
        (0.951, "BinaryFocal()"),
    ],
)
def test_how_rare_is_rare(share: float, expected: str) -> None:
    choice = fl.choose("binary", shares=share)
    weight = "pos_weight" if "pos_weight" in choice.parameters else ""
    assert f"{choice.loss_name}({weight})" == expected


def test_weights_are_offered_once_the_shares_are_known() -> None:
    known = fl.choose("binary", shares=0.01).alternatives
    unknown = fl.choose("binary", imbalanced=True).alternatives
    assert [other.loss.pos_weight for other in known] == [99.0]
    assert [(other.loss_name, other.loss.pos_weight) for other in unknown] == [("BinaryCrossEntropy", 1.0)]
    assert "shares" in unknown[0].when
    assert Computed.POS_WEIGHT not in unknown[0].parameters.values()


def test_assumed_and_not_considered() -> None:
    choice = fl.choose("regression", outliers="no")
    assert choice.answers == {"task": "regression", "values": "real", "errors": "symmetric", "outliers": "no"}
    assert choice.assumed == ("values", "errors")
    assert choice.not_considered == ()
    assert fl.choose("regression", values="counts", outliers="many").not_considered == ("outliers",)
    svm = fl.choose("binary", model="svm", imbalanced=True, outliers=True)
    assert svm.loss == fl.Hinge()
    assert svm.not_considered == ("imbalanced",)
    rare = fl.choose("binary", shares=0.01)
    assert rare.answers["imbalanced"] == "yes"
    assert rare.answers["shares"] == (0.99, 0.01)
    assert "imbalanced" not in rare.assumed


def test_a_choice_is_for_reading() -> None:
    choice = fl.choose("regression", outliers=True)
    with pytest.raises(FrozenInstanceError):
        choice.loss_name = "Tukey"  # type: ignore[misc]
    text = str(choice)
    for part in ["Huber(delta=1.5)", choice.reason, choice.optimiser, *choice.pitfalls, "AbsoluteError(): "]:
        assert part in text
    assert "assumed      values=real, errors=symmetric" in text
    assert "disregarded" not in text
    assert "disregarded  outliers=many" in str(fl.choose("regression", values="counts", outliers="many"))


@pytest.mark.parametrize(
    ("answers", "error", "pieces"),
    [
        ({"task": "regresion"}, ValueError, ["task", "'regresion'", "did you mean 'regression'"]),
        ({"task": "zzz"}, ValueError, ["'zzz'", "'multiclass'"]),
        ({"task": None}, TypeError, ["task", "None"]),
        ({"task": 3}, TypeError, ["task", "3"]),
        ({"task": ["binary"]}, TypeError, ["task", "['binary']"]),
        ({"task": "binary", "outliers": "few"}, ValueError, ["outliers", "'few'", "'mild'"]),
        ({"task": "binary", "outliers": 1}, TypeError, ["outliers", "1"]),
        ({"task": "binary", "labels": True}, TypeError, ["labels", "True"]),
        ({"task": "binary", "labels": "onehot"}, ValueError, ["'onehot'", "did you mean 'one-hot'"]),
        ({"task": "binary", "classes": "many"}, ValueError, ["task='binary'", "classes='many'"]),
        ({"task": "similarity", "outliers": True}, ValueError, ["outliers=True", "'regression' or 'classif"]),
        ({"task": "regression", "model": "svm"}, ValueError, ["model='svm'", "'generation'"]),
        ({"task": "generation", "model": "svm"}, ValueError, ["'svm'", "'gan', 'vae'"]),
        ({"task": "distribution", "form": "points", "overlap": "no"}, ValueError, ["overlap", "form is"]),
        ({"task": "regression", "shares": 0.1}, ValueError, ["shares=0.1", "'classification'"]),
        ({"task": "binary", "shares": 1.5}, ValueError, ["shares", "1.5"]),
        ({"task": "binary", "shares": 0}, ValueError, ["shares", "0"]),
        ({"task": "binary", "shares": math.nan}, ValueError, ["shares", "nan"]),
        ({"task": "binary", "shares": "half"}, TypeError, ["shares"]),
        ({"task": "binary", "shares": [1.0]}, ValueError, ["shares", "[1.0]"]),
        ({"task": "binary", "shares": [1, 0]}, ValueError, ["shares", "[1, 0]"]),
        ({"task": "binary", "shares": [1, -1]}, ValueError, ["shares[1]", "-1"]),
        ({"task": "binary", "shares": [1, 2, 3]}, ValueError, ["3 numbers", "positive class"]),
        ({"task": "multiclass", "shares": 0.3}, ValueError, ["each class", "0.3"]),
        ({"task": "binary", "shares": 0.5, "imbalanced": True}, ValueError, ["imbalanced='yes'", "shares"]),
        ({"task": "binary", "shares": 0.01, "imbalanced": "no"}, ValueError, ["imbalanced='no'", "0.01"]),
        ({"task": "binary", "model": "svm", "output": "probabilities"}, ValueError, ["'svm'", "output="]),
        ({"task": "multiclass", "labels": "soft", "imbalanced": True}, ValueError, ["'soft'", "shares"]),
    ],
    ids=str,
)  # fmt: skip
def test_errors(answers: dict[str, Any], error: type[Exception], pieces: list[str]) -> None:
    with pytest.raises(error) as caught:
        fl.choose(**answers)
    assert all(piece in str(caught.value) for piece in pieces), caught.value


def test_questions_are_asked_in_an_order_that_can_be_answered() -> None:
    """Whatever raises a question was asked before it, and each question can be raised."""
    for i, question in enumerate(QUESTIONS):
        for name, answers in question.when.items():
            assert any(
                earlier.name == name and set(answers) <= set(earlier.answers) for earlier in QUESTIONS[:i]
            )
        assert question.default is None or question.default == next(iter(question.answers))
    for first, second in itertools.combinations(QUESTIONS, 2):
        if first.name == second.name:  # the same name is never asked twice
            assert not set(first.when["task"]) & set(second.when["task"])
    assert gather({"task": "generation"}) == ({"task": "generation", "model": "gan"}, {"model"})


REPORTED = {
    "rmse": "SquaredError",
    "mae": "AbsoluteError",
    "rmsle": "SquaredLogError",
    "mape": "AbsolutePercentageError",
    "smape": "SymmetricAbsolutePercentageError",
    "pinball": "Quantile",
    "poisson_deviance": "Poisson",
    "gamma_deviance": "Gamma",
}
#: Constants in place of predictions, of which the metric is least at the one that the loss finds.
METRICS = {
    "rmse": lambda y, z: np.sqrt(np.mean((y - z) ** 2)),
    "mae": lambda y, z: np.mean(np.abs(y - z)),
    "rmsle": lambda y, z: np.sqrt(np.mean((np.log1p(y) - np.log1p(z)) ** 2)),
    "mape": lambda y, z: np.mean(np.abs(y - z) / y),
    "smape": lambda y, z: np.mean(2 * np.abs(y - z) / (y + z)),
    "pinball": lambda y, z: np.mean(np.maximum(0.9 * (y - z), -0.1 * (y - z))),
    "poisson_deviance": lambda y, z: 2 * np.mean(y * np.log(y / z) - y + z),
    "gamma_deviance": lambda y, z: 2 * np.mean(np.log(z / y) + y / z - 1),
}


@pytest.mark.parametrize("metric", REPORTED)
def test_the_loss_of_a_metric_makes_it_least(metric: str) -> None:
    choice = fl.choose(metric=metric)
    assert choice.loss_name == REPORTED[metric]
    y = np.random.default_rng(0).gamma(2.0, 3.0, 101)
    best = base_score(choice.loss, y)
    best = float(np.exp(best)) if choice.link == "log" else best
    least = METRICS[metric](y, best)
    assert all(METRICS[metric](y, best * factor) >= least for factor in np.geomspace(0.5, 2, 101))


@pytest.mark.parametrize("metric", ["log_loss", "brier", "auc", "accuracy", "balanced_accuracy"])
def test_metrics_of_classes(metric: str) -> None:
    assert fl.choose(metric=metric).loss_name == "BinaryCrossEntropy"
    assert fl.choose("multiclass", metric=metric).loss_name == "CrossEntropy"
    assert fl.choose("binary", metric=metric, output="probabilities").loss.from_logits is False
    choice = fl.choose("binary", metric=metric, outliers="many")
    assert choice.not_considered == ("outliers",)
    assert choice.answers["metric"] == metric


def test_metrics_with_weights_and_mistakes() -> None:
    assert fl.choose("binary", metric="balanced_accuracy", shares=0.1).loss.pos_weight == 9.0
    with pytest.raises(ValueError, match=r"metric must be one of 'mse'.*'rmslee': did you mean 'rmsle'"):
        fl.choose(metric="rmslee")
    with pytest.raises(
        ValueError, match="'auc' does not belong here: it is reported of classification of two"
    ):
        fl.choose("regression", metric="auc")
    with pytest.raises(ValueError, match="'f1' does not belong here"):
        fl.choose("multiclass", metric="f1")
    with pytest.raises(TypeError, match="task must be given, or the metric"):
        fl.choose()
    with pytest.raises(TypeError, match="name of what is reported"):
        fl.choose(metric=3)
