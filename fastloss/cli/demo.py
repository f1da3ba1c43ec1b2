"""The command ``fastloss demo``: real fits, evaluated by every loss that applies, timed beside NumPy."""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastloss as fl
from fastloss import reference
from fastloss.cli.demo_models import RESIDUAL_SCALE, Predictions, breast_cancer, diabetes, digits
from fastloss.cli.errors import require
from fastloss.cli.evaluate import to_json
from fastloss.cli.scoring import Evaluation, score_files
from fastloss.cli.spec import format_loss
from fastloss.cli.tables import format_value, print_table, print_text, require_tables

TIMED_ELEMENTS = 1_000_000
_REPEATS = 5

_DESCRIPTION = """\
Fits a logistic regression to the breast cancer data, a Huber regression to the diabetes data and a softmax
regression to the digits data, all of scikit-learn, by scipy's L-BFGS through value_and_gradient; writes the
predictions on held-out samples to files; evaluates them as `fastloss evaluate` does, by every loss that
applies; and times each loss beside its formula in NumPy.
"""


@dataclass(frozen=True)
class Timing:
    """How fast a loss is.

    Attributes
    ----------
    fastloss, numpy : float
        Elements per second.
    difference : float
        The relative difference of the two means.
    """

    fastloss: float
    numpy: float
    difference: float


def add_parser(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "demo",
        help="fit three models to real data and score them by every loss that applies",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and give its exit status."""
    for module in ("scipy", "sklearn", "pyarrow"):
        require(module, "demo", "the demo")
    if not args.json:
        require_tables("--json")
    document = []
    timed: list[Timing] = []
    with tempfile.TemporaryDirectory(prefix="fastloss-demo-") as folder:
        for make in (breast_cancer, diabetes, digits):
            study = make(Path(folder))
            if not args.json:
                print_text(study.title, style="bold")
                print_text(study.headline + "\n")
            parts = []
            for predictions in study.predictions:
                evaluation = score_files([predictions.y_true, predictions.y_pred], predictions.losses)
                timings = [time_loss(loss, predictions) for loss in predictions.losses]
                timed += timings
                if args.json:
                    parts.append(_part_to_json(predictions, evaluation, timings))
                else:
                    _print_part(predictions, evaluation, timings)
            document.append({"model": study.title, **study.metrics, "predictions": parts})
    if args.json:
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        print_text(_legend(timed), style="dim")
    return 0


def time_loss(loss: fl.Loss, predictions: Predictions) -> Timing:
    """Time the mean loss over the predictions, repeated to `TIMED_ELEMENTS`, by fastloss and by NumPy.

    Both run on one thread. NumPy computes the formula of `fastloss.reference` alone, without the checks of
    the input that fastloss makes.

    Parameters
    ----------
    loss : Loss
        The loss.
    predictions : Predictions
        Targets and predictions.

    Returns
    -------
    Timing
        The best of several runs of each, in turns.
    """
    row_shape = predictions.values.shape[1:]
    rows = TIMED_ELEMENTS // math.prod(row_shape)
    y = np.resize(predictions.targets, (rows, *predictions.targets.shape[1:]))
    z = np.resize(predictions.values, (rows, *row_shape))
    twin = reference.twin(loss)

    def by_numpy() -> float:
        with np.errstate(all="ignore"):
            return float(np.mean(twin._value(y, z)))

    def by_fastloss() -> float:
        return float(loss(y, z, n_threads=1))

    best = {by_fastloss: np.inf, by_numpy: np.inf}
    values: dict[Callable[[], float], float] = {}
    for _ in range(_REPEATS):
        for compute in best:
            began = time.perf_counter()
            values[compute] = compute()
            best[compute] = min(best[compute], time.perf_counter() - began)
    truth = values[by_numpy]
    difference = abs(values[by_fastloss] - truth) / (abs(truth) or 1.0)
    return Timing(z.size / best[by_fastloss], z.size / best[by_numpy], difference)


def _print_part(predictions: Predictions, evaluation: Evaluation, timings: Sequence[Timing]) -> None:
    """Print the table of one kind of prediction."""
    print_text(f"{_short(predictions.y_pred)} against {_short(predictions.y_true)}", style="italic")
    print_table(
        ["loss", "mean", "fastloss\nM/s", "NumPy\nM/s", "faster"],
        [
            [
                format_loss(score.loss),
                format_value(score.value),
                f"{timing.fastloss / 1e6:,.0f}",
                f"{timing.numpy / 1e6:,.0f}",
                f"{timing.fastloss / timing.numpy:.1f}x",
            ]
            for score, timing in zip(evaluation.scores, timings, strict=True)
        ],
        spare=(3, 2, 4),
    )


def _legend(timings: Sequence[Timing]) -> str:
    """Say what the columns mean, and where they mislead."""
    difference = max(timing.difference for timing in timings)
    return (
        "M/s: million numbers predicted a second by the mean loss, float64, one thread, on these samples "
        f"repeated to {TIMED_ELEMENTS:,} numbers; best of {_REPEATS}. NumPy computes the formula of "
        "fastloss.reference alone, which turns class indices into one-hot rows; fastloss needs none, and "
        "checks labels, probabilities and other bounded input as well. "
        f"Largest relative difference of the two means: {difference:.1e}.\n"
        "Means of different losses are not comparable. Parameters that set a scale (delta, beta, c) are the "
        f"defaults times {RESIDUAL_SCALE:g}, a large error in the units of the diabetes data. The Poisson, "
        "Gamma and Tweedie losses take the logarithm of the mean and leave out the terms that do not depend "
        "on it. zero_one:threshold=0.5 on probabilities is the share of wrong classes."
    )


def _part_to_json(
    predictions: Predictions, evaluation: Evaluation, timings: Sequence[Timing]
) -> dict[str, Any]:
    """Make the JSON object of one kind of prediction: the evaluate command's, with the timings added."""
    document = to_json(evaluation)
    document["y_true"], document["y_pred"] = _short(predictions.y_true), _short(predictions.y_pred)
    for entry, timing in zip(document["losses"], timings, strict=True):
        entry["elements_per_second"] = timing.fastloss
        entry["numpy_elements_per_second"] = timing.numpy
        entry["relative_difference"] = timing.difference
    return document


def _short(location: Any) -> str:
    """Write a location without the temporary folder."""
    name = Path(location.path).name
    return name if location.column is None else f"{name}:{location.column}"
