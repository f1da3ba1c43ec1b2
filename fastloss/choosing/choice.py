"""From answers to a loss: facts are gathered, contradictions refused, and the tables looked up."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastloss._loss import Loss, PointwiseLoss, number_in, sequence_of_numbers
from fastloss.choosing.advice import ADVICE, COMMON_PITFALLS
from fastloss.choosing.questions import (
    CONFLICTS,
    GRADES,
    QUESTIONS,
    SHORTHANDS,
    Question,
    matches,
    raised,
    task_of_model,
)
from fastloss.choosing.reported import REPORTED
from fastloss.choosing.rules import RULES, Computed, Rule
from fastloss.registry import list_losses

#: What there is where no loss of the library fits.
_OWN = "formula('a*(z - y)**2', a=2.0): a loss that you write, of a target, a prediction and parameters"

__all__ = ["Alternative", "Choice", "check_answer", "choose", "gather"]


class Alternative(NamedTuple):
    """Another loss, and when it is the better one.

    Attributes
    ----------
    loss_name : str
        The name of its class.
    parameters : dict
        The arguments of its constructor.
    when : str
        What speaks for it.
    """

    loss_name: str
    parameters: dict[str, Any]
    when: str

    @property
    def loss(self) -> Loss:
        """The loss itself."""
        return _loss(self.loss_name, self.parameters)


@dataclass(frozen=True)
class Choice:
    """A loss that suits a task, and what goes with it.

    Attributes
    ----------
    loss_name : str
        The name of the loss's class.
    parameters : dict
        The arguments of its constructor; the others are left at their defaults.
    reason : str
        Why this loss.
    activation : str
        The function that turns raw scores into predictions: ``"none"``, ``"sigmoid"``, ``"softmax"``,
        ``"exp"``.
    link : str
        Its inverse, from the mean to the raw score: ``"identity"``, ``"logit"``, ``"log"``, ...
    model_output : str
        What the model hands to the loss, and where the activation is applied.
    targets : str
        What the targets look like.
    optimiser : str
        Which optimisers get on with the loss's gradient.
    pitfalls : tuple of str
        What goes wrong most often.
    alternatives : tuple of Alternative
        Other losses, and when they are the better ones.
    answers : dict
        The answers to the questions that the task raised.
    assumed : tuple of str
        The questions among these that were not answered, and had their usual answer assumed.
    not_considered : tuple of str
        The answers that no rule for this task takes into account.
    """

    loss_name: str
    parameters: dict[str, Any]
    reason: str
    activation: str
    link: str
    model_output: str
    targets: str
    optimiser: str
    pitfalls: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    answers: dict[str, Any]
    assumed: tuple[str, ...]
    not_considered: tuple[str, ...]

    @property
    def loss(self) -> Loss:
        """The loss itself, ready for use."""
        return _loss(self.loss_name, self.parameters)

    def __str__(self) -> str:
        """Write the choice in lines, for people."""
        return "\n".join(f"{label:11}  {text}" for label, text in self.lines())

    def lines(self) -> list[tuple[str, str]]:
        """Return labelled lines, for people; a line without a label continues those above it."""
        groups = {
            "loss": [_call(self.loss_name, self.parameters)],
            "reason": [self.reason],
            "model gives": [self.model_output],
            "targets": [self.targets],
            "activation": [self.activation],
            "link": [self.link],
            "optimiser": [self.optimiser],
            "pitfalls": self.pitfalls,
            "or": [
                f"{_call(other.loss_name, other.parameters)}: {other.when}" for other in self.alternatives
            ],
            "none fits": [_OWN] if isinstance(self.loss, PointwiseLoss) else [],
            "assumed": [", ".join(f"{name}={self.answers[name]}" for name in self.assumed)],
            "disregarded": [", ".join(f"{name}={self.answers[name]}" for name in self.not_considered)],
        }
        return [
            (label if i == 0 else "", text)
            for label, texts in groups.items()
            for i, text in enumerate(filter(None, texts))
        ]


def choose(
    task: str | None = None,
    *,
    metric: str | None = None,
    classes: str | None = None,
    values: str | None = None,
    errors: str | None = None,
    outliers: str | bool | None = None,
    imbalanced: str | bool | None = None,
    shares: float | Sequence[float] | None = None,
    labels: str | None = None,
    model: str | None = None,
    output: str | None = None,
    form: str | None = None,
    overlap: str | bool | None = None,
    symmetric: str | bool | None = None,
    examples: str | None = None,
) -> Choice:
    """Choose a loss for a task, by the usual rules of thumb.

    Each argument answers a question. Those that the task does not raise must be left out; those that it
    raises and that are left out have their usual answer (the first one named below) assumed.

    Parameters
    ----------
    task : str, optional
        ``"regression"``, ``"classification"``, ``"distribution"`` (to match one), ``"similarity"`` (of
        embeddings) or ``"generation"``. ``"binary"``, ``"multiclass"`` and ``"multilabel"`` are
        classification with that answer to `classes`. It may be left out where `metric` is given, or
        `model`.
    metric : str, optional
        The number that is reported in the end, which then decides: ``"rmse"``, ``"mse"``, ``"r2"``,
        ``"mae"``, ``"rmsle"``, ``"mape"``, ``"smape"``, ``"pinball"``, ``"poisson_deviance"`` or
        ``"gamma_deviance"`` of regression; ``"log_loss"``, ``"brier"``, ``"auc"``, ``"average_precision"``,
        ``"accuracy"``, ``"balanced_accuracy"`` or ``"f1"`` of classification.
    classes : str, optional
        Classification: ``"two"``, ``"many"`` or ``"multilabel"``.
    values : str, optional
        Regression: ``"real"``, ``"counts"``, ``"positive"``, ``"vectors"`` or ``"boxes"``.
    errors : str, optional
        Regression: ``"symmetric"`` or ``"skewed"``.
    outliers : str or bool, optional
        Regression and classification: ``"no"``, ``"mild"``, ``"some"`` or ``"many"``; True is ``"some"``.
    imbalanced : str or bool, optional
        Classification: ``"no"`` or ``"yes"``, whether a class is much rarer than the others.
    shares : float or sequence of float, optional
        Classification: the share of each class among the samples, or that of the positive class. From these
        weights are computed, and how imbalanced the classes are: balanced where the rarest has at least half
        of the mean share, severely imbalanced where it has less than a tenth.
    labels : str, optional
        Classification: ``"index"``, ``"one-hot"`` or ``"soft"``.
    model : str, optional
        Classification: ``"any"``, ``"svm"``, ``"adaboost"`` or ``"perceptron"``. Generation: ``"gan"`` or
        ``"vae"``.
    output : str, optional
        Classification, what the model gives: ``"any"``, ``"logits"``, ``"probabilities"`` or ``"scores"``.
    form : str, optional
        Distribution: ``"probabilities"``, ``"logits"``, ``"samples"`` (on a line) or ``"points"``.
    overlap : str or bool, optional
        Distribution: ``"yes"`` or ``"no"``, whether the two distributions overlap.
    symmetric : str or bool, optional
        Distribution: ``"no"`` or ``"yes"``, whether both must be treated alike.
    examples : str, optional
        Similarity: ``"pairs"``, ``"triplets"``, ``"classes"`` or ``"views"``.

    Returns
    -------
    Choice
        The configured loss (``choice.loss``), the reason, and what goes with it.

    Raises
    ------
    ValueError
        If an answer is unknown, does not belong to the task, or contradicts another.
    TypeError
        If an answer is neither a string nor True or False, or `shares` are not numbers.

    Examples
    --------
    >>> import fastloss as fl
    >>> fl.choose("regression", outliers=True).loss
    Huber(delta=1.5)
    >>> choice = fl.choose("classification", imbalanced=True)
    >>> choice.loss, choice.activation
    (BinaryFocal(gamma=2.0, alpha=0.25, from_logits=True, class_weight=None), 'sigmoid')
    >>> fl.choose(metric="mae").loss
    AbsoluteError()
    >>> fl.choose(model="vae").loss
    GaussianKL()
    >>> fl.choose("multiclass", shares=[0.8, 0.15, 0.05]).loss.class_weight
    (0.416667, 2.22222, 6.66667)
    """
    if task is None:
        task = _task_of(metric, model)
    given = {
        "task": task,
        "classes": classes,
        "values": values,
        "errors": errors,
        "outliers": outliers,
        "imbalanced": imbalanced,
        "labels": labels,
        "model": model,
        "output": output,
        "form": form,
        "overlap": overlap,
        "symmetric": symmetric,
        "examples": examples,
    }
    facts, assumed = gather({name: answer for name, answer in given.items() if answer is not None})
    answered = facts.keys() - assumed
    distribution = None if shares is None else _check_shares(shares, facts)
    imbalance = _grade(distribution, facts, "imbalanced" in answered)
    conditions = {**facts, "imbalance": imbalance, "shares": "unknown" if distribution is None else "known"}
    for conflict in CONFLICTS:
        if matches(conflict.when, conditions):
            named = " with ".join(f"{name}={facts[name]!r}" for name in conflict.when if name in facts)
            raise ValueError(f"{named}: {conflict.why}")
    rules = RULES if metric is None else _reported(metric)
    rule = next((rule for rule in rules if matches(rule.when, conditions)), None)
    if rule is None:
        tasks = " or ".join(_task_and_classes(other) for other in rules)
        raise ValueError(f"metric={metric!r} does not belong here: it is reported of {tasks}")
    computed = _compute(facts, distribution)
    # Weights of classes whose shares are not known are left out.
    parameters = {
        name: value for name, value in _fill(rule.parameters, computed).items() if value is not None
    }
    advice = ADVICE[rule.loss]
    takes_probabilities = parameters.get("from_logits") is False
    alternatives = {
        option.loss: Alternative(option.loss, _fill(option.parameters, computed), option.when)
        for option in reversed(rule.options)
        if None not in _fill(option.parameters, computed).values()
    }
    if distribution is not None:
        facts["imbalanced"] = "no" if imbalance == "no" else "yes"
        answered.add("imbalanced")
    considered = {*rule.when, *(["imbalanced"] if "imbalance" in rule.when else [])}
    if rule.parameters.get("from_logits") is Computed.FROM_LOGITS:
        considered.add("output")
    defaults = {question.name: question.default for question in raised(facts)}
    return Choice(
        loss_name=rule.loss,
        parameters=parameters,
        reason=rule.reason,
        activation=advice.activation,
        link=advice.link,
        model_output=(takes_probabilities and advice.gives_probabilities) or advice.gives,
        targets=advice.targets,
        optimiser=advice.optimiser,
        pitfalls=(*advice.pitfalls, *COMMON_PITFALLS),
        alternatives=tuple(reversed(alternatives.values())),
        answers={
            **facts,
            **({} if metric is None else {"metric": metric}),
            **({} if distribution is None else {"shares": distribution}),
        },
        assumed=tuple(name for name in facts if name not in answered),
        not_considered=tuple(
            name for name in facts if name not in considered and facts[name] != defaults[name]
        ),
    )


def _reported(metric: Any) -> tuple[Rule, ...]:
    """Return the rules of a number that is reported."""
    if not isinstance(metric, str):
        raise TypeError(f"metric must be the name of what is reported, got {metric!r}")
    if metric not in REPORTED:
        near = difflib.get_close_matches(metric.lower(), REPORTED, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"metric must be one of {', '.join(map(repr, REPORTED))}, got {metric!r}{hint}")
    return REPORTED[metric]


def _task_of(metric: Any, model: Any) -> str:
    """Return the task of which a number is reported, or for which alone there is such a model."""
    if metric is None:
        if (task := task_of_model(model)) is not None:
            return task
        raise TypeError("task must be given, or the metric that is reported, got task=None")
    (task,) = _reported(metric)[0].when["task"]
    return task


def _task_and_classes(rule: Rule) -> str:
    """Name the task of a rule."""
    (task,) = rule.when["task"]
    return task + (f" of {' or '.join(rule.when['classes'])} classes" if "classes" in rule.when else "")


def gather(given: Mapping[str, str | bool]) -> tuple[dict[str, str], set[str]]:
    """Check answers, and complete them by those that are usual.

    Parameters
    ----------
    given : mapping of str to str or bool
        Answers by the names of their questions.

    Returns
    -------
    facts : dict
        An answer to each question that is raised.
    assumed : set of str
        The questions whose answer was not given.

    Raises
    ------
    ValueError, TypeError
        As for `choose`.
    """
    answers: dict[str, Any] = dict(given)
    task = answers.get("task")
    for name, answer in (SHORTHANDS.get(task, {}) if isinstance(task, str) else {}).items():
        if name != "task" and answers.get(name, answer) != answer:
            raise ValueError(f"task={task!r} and {name}={answers[name]!r} contradict each other")
        answers[name] = answer
    facts: dict[str, str] = {}
    assumed = set()
    for question in raised(facts):
        answer = answers.pop(question.name, None)
        if answer is None and question.default is not None:
            answer = question.default
            assumed.add(question.name)
        facts[question.name] = check_answer(question, answer)
    for name, answer in answers.items():
        raise ValueError(f"{name}={answer!r} does not belong here: it is asked where {_where(name)}")
    return facts, assumed


def check_answer(question: Question, answer: Any) -> str:
    """Return an answer as one of those that a question has, or raise an error that says which there are."""
    known = [*question.answers, *(SHORTHANDS if question.name == "task" else ())]
    expected = f"{question.name} must be one of {', '.join(map(repr, known))}, got {answer!r}"
    if question.yes is not None and isinstance(answer, bool):
        return question.yes if answer else "no"
    if not isinstance(answer, str):
        raise TypeError(expected)
    if answer not in question.answers:
        near = difflib.get_close_matches(answer.lower(), known, n=1)
        raise ValueError(expected + (f": did you mean {near[0]!r}?" if near else ""))
    return answer


def _where(name: str) -> str:
    """Say which answers raise a question."""
    return " or ".join(
        " and ".join(f"{key} is {' or '.join(map(repr, answers))}" for key, answers in question.when.items())
        for question in QUESTIONS
        if question.name == name
    )


def _check_shares(shares: Any, facts: Mapping[str, str]) -> tuple[float, ...]:
    """Return the shares of the classes, which add up to 1."""
    if facts["task"] != "classification":
        raise ValueError(
            f"shares={shares!r} does not belong here: it is asked where task is 'classification'"
        )
    if isinstance(shares, numbers.Real):
        if facts["classes"] == "many":
            raise ValueError(f"shares must be a number for each class, got {shares!r}")
        positive = number_in("shares", shares, 0, 1)
        return (1 - positive, positive)
    counts = sequence_of_numbers("shares", shares, 0, math.inf)
    if len(counts) < 2 or 0 in counts:
        raise ValueError(f"shares must be a positive number for each class, got {shares!r}")
    if facts["classes"] != "many" and len(counts) != 2:
        raise ValueError(
            f"shares has {len(counts)} numbers, but classes={facts['classes']!r}: expected the share of the "
            "positive class, or the shares of the negative and the positive class"
        )
    return tuple(count / sum(counts) for count in counts)


def _grade(shares: tuple[float, ...] | None, facts: Mapping[str, str], answered: bool) -> str:
    """Say how imbalanced the classes are, by their shares if they are known."""
    said = facts.get("imbalanced", "no")
    if shares is None:
        return "severe" if said == "yes" else "no"
    ratio = min(shares) * len(shares)
    grade = next(grade for limit, grade in GRADES if ratio >= limit)
    if answered and (said == "yes") != (grade != "no"):
        raise ValueError(
            f"imbalanced={said!r} and shares contradict each other: the rarest class has {min(shares):.3g}, "
            f"{ratio:.3g} of the mean share, and is rare below {GRADES[0][0]}"
        )
    return grade


def _compute(facts: Mapping[str, str], shares: tuple[float, ...] | None) -> dict[Any, Any]:
    """Compute the parameters that depend on the answers; None where the shares are not known."""
    return {
        Computed.FROM_LOGITS: facts.get("output") != "probabilities",
        Computed.POS_WEIGHT: None if shares is None else _round(shares[0] / shares[1]),
        Computed.CLASS_WEIGHT: None
        if shares is None
        else tuple(_round(1 / (len(shares) * share)) for share in shares),
    }


def _round(weight: float) -> float:
    """Round a weight to six digits: more would pretend."""
    return float(f"{weight:.6g}")


def _fill(parameters: Mapping[str, Any], computed: Mapping[Any, Any]) -> dict[str, Any]:
    """Put what was computed into a rule's parameters."""
    return {name: computed.get(value, value) for name, value in parameters.items()}


def _loss(loss_name: str, parameters: Mapping[str, Any]) -> Loss:
    """Make a loss by the name of its class, which that of another may equal but for capitals."""
    return next(info.cls for info in list_losses() if info.cls.__name__ == loss_name)(**parameters)


def _call(loss_name: str, parameters: Mapping[str, Any]) -> str:
    """Write the call that makes a loss."""
    return f"{loss_name}({', '.join(f'{name}={value!r}' for name, value in parameters.items())})"
