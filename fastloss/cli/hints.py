"""What ``fastloss evaluate`` says where something else may be meant: probabilities, other columns."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import fastloss as fl
from fastloss.cli.spec import format_loss
from fastloss.evaluation.specs import Measured
from fastloss.measures import Accuracy, Calibration, Confusion
from fastloss.reading import Array, Source


class MayBeProbabilities:
    """Whether all predictions of a model so far are between 0 and 1."""

    def __init__(self) -> None:
        self._may_be: dict[str, bool] = {}

    def look(self, model: str, y_pred: Array) -> None:
        """Look at more predictions."""
        if y_pred.size and self._may_be.get(model, True):
            self._may_be[model] = bool(y_pred.min() >= 0 and y_pred.max() <= 1)

    def of(self, model: str) -> bool:
        """Tell whether there were any, and all of them may be probabilities."""
        return self._may_be.get(model, False)


def takes_scores(one: Measured, of_rows: bool = False) -> bool:
    """Tell whether a loss or measure would come out differently if it were told of probabilities.

    The largest of several scores is the largest of their probabilities, and a threshold besides 0 is one that
    somebody has thought about.
    """
    if isinstance(one, Accuracy | Confusion) and (of_rows or one.threshold):
        return False
    return one.parameters.get("from_logits") is True


def probabilities_hint(one: Measured, whose: str = "") -> str:
    """Say what a loss or measure takes, and which one takes probabilities."""
    if isinstance(one, Accuracy | Calibration | Confusion):
        other: Measured = type(one)(**{**one.parameters, "from_logits": False})
    else:
        assert isinstance(one, fl.Loss)
        other = one._of_probabilities()
    return (
        f"all predictions{whose} are between 0 and 1, and {format_loss(one)} takes raw scores; "
        f"if they are probabilities, give {format_loss(other)}"
    )


def has_pattern(source: Source) -> bool:
    """Tell whether columns were asked for by a pattern."""
    return bool(set(source.columns) - set(str(source.location.column).split(",")))


def pattern_hints(sources: Iterable[Source]) -> list[str]:
    """Name what is no numbered column among those that a pattern has found besides some."""
    hints = []
    for source in filter(has_pattern, sources):
        others = [name for name in source.columns if not name[-1:].isdigit()]
        if 0 < len(others) < len(source.columns):
            which = " and ".join(map(repr, others[:3]))
            hints.append(f"{source.location} matches {which} besides numbered columns")
    return hints


def pattern_lines(sources: Iterable[Source]) -> list[str]:
    """Write the columns of each pattern, for what stands below a table."""
    return [f"{source.location} is {', '.join(source.columns)}" for source in filter(has_pattern, sources)]


def print_hints(hints: Sequence[str]) -> None:
    """Print hints on stderr."""
    for hint in hints:
        print(f"fastloss: hint: {hint}", file=sys.stderr)
