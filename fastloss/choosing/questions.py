"""What is asked about a task, and which answers contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "CONFLICTS",
    "GRADES",
    "QUESTIONS",
    "SHORTHANDS",
    "Conflict",
    "Question",
    "matches",
    "raised",
    "task_of_model",
]

Condition = Mapping[str, tuple[str, ...]]
_ALWAYS: Condition = MappingProxyType({})


class Question(NamedTuple):
    """A question with a few possible answers.

    `answers` says what each means; `default` is the answer where none is given, None where one must be;
    `when` holds the earlier answers that raise the question; `yes` is the answer that True stands for, where
    False stands for no.
    """

    name: str
    text: str
    answers: Mapping[str, str]
    default: str | None = None
    when: Condition = _ALWAYS
    yes: str | None = None


class Conflict(NamedTuple):
    """Answers that do not go together, and why."""

    when: Condition
    why: str


_CLASSIFICATION = {"task": ("classification",)}

QUESTIONS = (
    Question(
        "task",
        "What is to be predicted?",
        {
            "regression": "numbers",
            "classification": "classes",
            "distribution": "probabilities or samples that should be distributed like others",
            "similarity": "vectors that are near to each other where the things are alike",
            "generation": "new samples like those of the data",
        },
    ),
    Question(
        "classes",
        "How many classes are there?",
        {
            "two": "yes or no, positive or negative",
            "many": "three or more, each sample in one of them",
            "multilabel": "each sample in any number of them",
        },
        default="two",
        when=_CLASSIFICATION,
    ),
    Question(
        "values",
        "What are the numbers?",
        {
            "real": "any numbers",
            "counts": "how often something happens: 0, 1, 2, ...",
            "positive": "amounts above 0 whose errors grow with them: costs, durations",
            "vectors": "points, several numbers each, whose distance from the true point counts",
            "boxes": "coordinates of boxes around the objects in a picture",
        },
        default="real",
        when={"task": ("regression",)},
    ),
    Question(
        "errors",
        "How are the errors distributed?",
        {
            "symmetric": "evenly about 0, about normally",
            "skewed": "unevenly, so that mean and median differ",
        },
        default="symmetric",
        when={"task": ("regression",)},
    ),
    Question(
        "outliers",
        "Are there outliers: samples far from the rest, wrong records, wrong labels?",
        {
            "no": "hardly any",
            "mild": "tails somewhat longer than normal",
            "some": "some, which still say something",
            "many": "many, or plain mistakes",
        },
        default="no",
        when={"task": ("regression", "classification")},
        yes="some",
    ),
    Question(
        "imbalanced",
        "Is a class much rarer than the others?",
        {"no": "all are about as frequent", "yes": "one is rare"},
        default="no",
        when=_CLASSIFICATION,
        yes="yes",
    ),
    Question(
        "labels",
        "What do the labels look like?",
        {
            "index": "the number of the class; 0 or 1 with two classes or several labels",
            "one-hot": "a row for each sample, 1 at its class and 0 elsewhere",
            "soft": "probabilities, of the positive class or of each class",
        },
        default="index",
        when=_CLASSIFICATION,
    ),
    Question(
        "model",
        "Which model is trained?",
        {
            "any": "a network, a linear model, boosted trees",
            "svm": "a support-vector machine, or another with the largest margin",
            "adaboost": "AdaBoost",
            "perceptron": "a perceptron",
        },
        default="any",
        when=_CLASSIFICATION,
    ),
    Question(
        "model",
        "Which model is trained?",
        {
            "gan": "a generator against a critic",
            "vae": "a variational autoencoder",
        },
        default="gan",
        when={"task": ("generation",)},
    ),
    Question(
        "output",
        "What does the model give?",
        {
            "any": "whatever suits the loss",
            "logits": "raw scores that become probabilities by sigmoid or softmax",
            "probabilities": "probabilities: its last layer is a sigmoid or softmax",
            "scores": "raw scores that need not become probabilities",
        },
        default="any",
        when=_CLASSIFICATION,
    ),
    Question(
        "form",
        "How are the distributions given?",
        {
            "probabilities": "rows of probabilities of the same outcomes",
            "logits": "rows of raw scores, the softmax of which is compared with rows of probabilities",
            "samples": "samples on a line",
            "points": "samples of several numbers each",
        },
        default="probabilities",
        when={"task": ("distribution",)},
    ),
    Question(
        "overlap",
        "Do the two distributions overlap?",
        {"yes": "they give weight to the same places", "no": "hardly or not at all"},
        default="yes",
        when={"task": ("distribution",), "form": ("probabilities", "logits")},
        yes="yes",
    ),
    Question(
        "symmetric",
        "Must both be treated alike?",
        {"no": "one is the true one, the other is made like it", "yes": "neither is the true one"},
        default="no",
        when={"task": ("distribution",), "form": ("probabilities", "logits")},
        yes="yes",
    ),
    Question(
        "examples",
        "What tells which things are alike?",
        {
            "pairs": "pairs with a label, alike or not",
            "triplets": "triplets: an anchor, one like it, one unlike it",
            "classes": "the classes of the things",
            "views": "two views of each thing, no labels",
        },
        default="pairs",
        when={"task": ("similarity",)},
    ),
)

#: Tasks by a shorter name.
SHORTHANDS: Mapping[str, Mapping[str, str]] = {
    "binary": {"task": "classification", "classes": "two"},
    "multiclass": {"task": "classification", "classes": "many"},
    "multilabel": {"task": "classification", "classes": "multilabel"},
}

#: How rare the rarest class is, its share over the mean share: from which ratio on it is called what.
GRADES = ((0.5, "no"), (0.1, "moderate"), (0.0, "severe"))

CONFLICTS = (
    Conflict(
        {"model": ("svm", "adaboost", "perceptron"), "output": ("logits", "probabilities")},
        "it gives scores that do not stand for probabilities; say output='scores' or model='any'",
    ),
    Conflict(
        {"model": ("adaboost", "perceptron"), "classes": ("many",)},
        "its loss is for two classes; say classes='two' for one class against the rest",
    ),
    Conflict(
        {"model": ("svm", "adaboost", "perceptron"), "labels": ("soft",)},
        "it is trained on hard labels; say model='any'",
    ),
    Conflict(
        {"output": ("scores",), "labels": ("soft",)},
        "losses of scores take hard labels; soft labels need logits or probabilities",
    ),
    Conflict(
        {"classes": ("two", "multilabel"), "labels": ("one-hot",)},
        "there the labels are a number, 0 or 1, for each score; say labels='index', or classes='many' for "
        "rows of two columns",
    ),
    Conflict(
        {"labels": ("soft",), "imbalance": ("severe",), "shares": ("unknown",)},
        "a focal loss takes hard labels, and class weights are computed from the classes' shares: give "
        "shares",
    ),
)


def matches(condition: Condition, facts: Mapping[str, str]) -> bool:
    """Say whether all that a condition names is so."""
    return all(facts.get(name) in answers for name, answers in condition.items())


def raised(facts: dict[str, str]) -> Iterator[Question]:
    """Go through the questions that the facts raise; facts may be added on the way."""
    return (question for question in QUESTIONS if matches(question.when, facts))


def task_of_model(model: object) -> str | None:
    """Return the task that such a model is trained for, where there is only one."""
    for question in QUESTIONS:
        if question.name == "model" and isinstance(model, str) and model in question.answers.keys() - {"any"}:
            (task,) = question.when["task"]
            return task
    return None
