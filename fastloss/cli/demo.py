"""The command ``fastloss demo``: real fits, evaluated by every loss that applies, timed beside others."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastloss as fl
from fastloss import reference
from fastloss._extras import require
from fastloss.cli.demo_models import RESIDUAL_SCALE, Predictions, breast_cancer, diabetes, digits
from fastloss.cli.demo_peers import LIBRARIES, other_calls
from fastloss.cli.evaluate import to_json
from fastloss.cli.scoring import Evaluation, score_files
from fastloss.cli.spec import format_loss
from fastloss.cli.tables import format_value, print_table, print_text, require_tables

TIMED_ELEMENTS = 1_000_000
_REPEATS = 5

_DESCRIPTION = """\
Fits a logistic regression to the breast cancer data, a Huber regression to the diabetes data and a softmax
regression to the digits data, all of scikit-learn, by scipy's L-BFGS through value_and_gradient; writes the
predictions on held-out samples to files, which it keeps; evaluates them as `fastloss evaluate` does, by
every loss that applies; and times each loss beside its formula in NumPy, scikit-learn's metric, and
PyTorch's function where PyTorch is installed.
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
    others : dict of float
        Elements per second by the libraries that have the loss.
    """

    fastloss: float
    numpy: float
    difference: float
    others: dict[str, float]


def add_parser(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "demo",
        help="fit three models to real data and score them by every loss that applies",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument(
        "--folder", type=Path, metavar="PATH", help="where to write the predictions (a new temporary folder)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and give its exit status."""
    if not args.json:  # importing the libraries takes seconds
        print("Three models are fitted to real data ...", flush=True)
        require_tables("--json")
    for module in ("scipy", "sklearn", "pyarrow"):
        require(module, "demo", "the demo")
    folder = args.folder or Path(tempfile.mkdtemp(prefix="fastloss-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    document = []
    timed: list[Timing] = []
    for make in (breast_cancer, diabetes, digits):
        study = make(folder)
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
        print(_next_steps(folder))
    return 0


def _next_steps(folder: Path) -> str:
    """Name the folder, and three commands to try."""
    label, logit = (shlex.quote(str(folder / f"{name}.npy")) for name in ("label", "logit"))
    return f"""
The predictions are in {folder}. To try next:

  fastloss evaluate {label} {logit} --loss bce --loss hinge
  fastloss choose --task classification --imbalanced
  fastloss plot bce hinge focal:gamma=1 -o losses.svg"""


def time_loss(loss: fl.Loss, predictions: Predictions) -> Timing:
    """Time the mean loss over the predictions, repeated to `TIMED_ELEMENTS`, by fastloss and by others.

    All run on one thread. NumPy computes the formula of `fastloss.reference` alone, without the checks of
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

    others = other_calls(loss, y, z)
    best: dict[Callable[[], float], float] = dict.fromkeys((by_fastloss, by_numpy, *others.values()), np.inf)
    values: dict[Callable[[], float], float] = {}
    for _ in range(_REPEATS):
        for compute in best:
            began = time.perf_counter()
            values[compute] = compute()
            best[compute] = min(best[compute], time.perf_counter() - began)
    truth = values[by_numpy]
    difference = abs(values[by_fastloss] - truth) / (abs(truth) or 1.0)
    rates = {name: z.size / best[call] for name, call in others.items()}
    return Timing(z.size / best[by_fastloss], z.size / best[by_numpy], difference, rates)


def _print_part(predictions: Predictions, evaluation: Evaluation, timings: Sequence[Timing]) -> None:
    """Print the table of one kind of prediction."""
    print_text(f"{_short(predictions.y_pred)} against {_short(predictions.y_true)}", style="italic")
    libraries = [name for name in LIBRARIES if any(name in timing.others for timing in timings)]
    print_table(
        ["loss", "mean", "fastloss\nM/s", "times\nNumPy's", *(f"times\n{name}'s" for name in libraries)],
        [
            [
                format_loss(score.loss),
                format_value(score.value),
                f"{timing.fastloss / 1e6:,.0f}",
                *(
                    _times(timing.fastloss, rate)
                    for rate in (timing.numpy, *map(timing.others.get, libraries))
                ),
            ]
            for score, timing in zip(evaluation.scores, timings, strict=True)
        ],
        spare=(2,),
    )


def _times(ours: float, theirs: float | None) -> str:
    """Write how many times faster fastloss is than a library, if that has the loss."""
    return f"{ours / theirs:.1f}" if theirs else ""


def _legend(timings: Sequence[Timing]) -> str:
    """Say what the columns mean, and where they mislead."""
    difference = max(timing.difference for timing in timings)
    return (
        "M/s: million numbers predicted a second by the mean loss, float64, one thread, on these samples "
        f"repeated to {TIMED_ELEMENTS:,} numbers; best of {_REPEATS}. Times: how many times longer others "
        "take. NumPy computes the formula of fastloss.reference alone, turning class indices into one-hot "
        "rows; scikit-learn its metric of that loss; torch its function, where it is installed. "
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
        entry |= {
            f"{name.replace('-', '_')}_elements_per_second": rate for name, rate in timing.others.items()
        }
    return document


def _short(location: Any) -> str:
    """Write a location without the temporary folder."""
    name = Path(location.path).name
    return name if location.column is None else f"{name}:{location.column}"
