"""The command ``fastloss evaluate``."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

import fastloss as fl
from fastloss.cli import report
from fastloss.cli.errors import CommandError
from fastloss.cli.hints import pattern_hints, pattern_lines, print_hints
from fastloss.cli.parser import complete_losses, completed
from fastloss.cli.progress import LongWorkBar
from fastloss.cli.scoring import CHUNK_SIZE, Evaluation, Score, score_files
from fastloss.cli.spec import format_loss, parse_loss
from fastloss.cli.tables import format_rate, format_value, print_table, require_tables
from fastloss.reading import parse_location

_DESCRIPTION = """\
Scores predictions in a file against targets in a file, by any number of losses and measures in one pass.
The files may be larger than memory.

Files: .npy (any number of dimensions); tables in .parquet, .arrow, .feather, .csv and .tsv (their first line
names the columns; also compressed, .csv.gz); folders and patterns of tables, whose key=value folders are
columns; - for an Arrow stream on standard input. A table's column is written file.parquet:column,
folder:column or -:column; :column is one of TRUE's table; a table with only one column needs no name.
The dtype of PRED sets the precision: float32 or float64; integers and text are computed in float64.

Losses of rows (cross_entropy, kl, ...) take PRED of shape (n, C): a .npy file of two dimensions, or columns
of a table in the order of the classes, file.parquet:p0,p1,p2 or file.parquet:'p*' (a shell pattern: the
columns that match, in the table's order). TRUE holds n class indices, or as many numbers as PRED.

Losses: name[:param=value[,param=value]], as in huber:delta=1.5 or bce:from_logits=false; several numbers
are separated by colons, as in cross_entropy:class_weight=1:2.5:1,ignore_index=-100.
`fastloss list` shows the names and the parameters.

Measures are written likewise: roc_auc, average_precision, ks, accuracy, confusion, calibration, r2, bias,
max_error. With measures, groups or several PRED, which are models to compare, values come with standard
errors and intervals, and differences of models are of the same rows.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "evaluate",
        help="score predictions in a file against targets in a file",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("y_true", metavar="TRUE", help="the targets")
    parser.add_argument(
        "y_pred",
        metavar="PRED",
        nargs="+",
        help="the predictions, one or a row for each target; several are models to compare",
    )
    spec = parser.add_argument(
        "--loss", action="append", metavar="SPEC", help="a loss; may be given several times"
    )
    completed(spec, complete_losses)
    parser.add_argument(
        "--measure", action="append", metavar="SPEC", help="a measure; may be given several times"
    )
    parser.add_argument(
        "--by",
        action="append",
        metavar="COLUMN",
        help="a column of TRUE's table, or FILE:COLUMN, that tells groups apart; several times for pairs",
    )
    parser.add_argument("--weights", metavar="FILE", help="a weight for each sample, or for each row")
    parser.add_argument("--level", type=float, metavar="P", help="the level of intervals, default: 0.95")
    parser.add_argument("--exact", action="store_true", help="keep all scores for measures of their order")
    parser.add_argument(
        "--on-error",
        choices=("raise", "skip"),
        help="what to do with rows that a measure refuses: stop, or leave them out and count them",
    )
    parser.add_argument("--plot", metavar="FILE", help="draw a report to a .png, .svg or .pdf file")
    parser.add_argument("--reduction", choices=("mean", "sum"), default="mean", help="default: mean")
    parser.add_argument("--threads", type=_count, metavar="N", help="threads to compute with")
    parser.add_argument(
        "--chunk-size",
        type=_count,
        metavar="N",
        help=f"predictions at a time, in whole rows, default: {CHUNK_SIZE}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and give its exit status."""
    if report.wants_report(args):
        return report.run(args)
    if not args.loss:
        raise CommandError(
            "evaluate needs a loss or a measure: give --loss mse, --loss huber:delta=1.5, "
            "--measure roc_auc ...; `fastloss list` shows them all"
        )
    losses = [parse_loss(text) for text in args.loss]
    for loss in losses:
        if not isinstance(loss, (fl.PointwiseLoss, fl.RowLoss)):
            raise CommandError(f"{loss.name} does not compare predictions with targets: use it in Python")
    columns = {"y_true": args.y_true, "y_pred": args.y_pred[0], "sample_weight": args.weights}
    table = parse_location("y_true", args.y_true).path
    locations = [
        parse_location(argument, text, table=table) for argument, text in columns.items() if text is not None
    ]
    if not args.json:
        require_tables("--json")
    with LongWorkBar(args.quiet) as bar:
        evaluation = score_files(
            locations,
            losses,
            reduction=args.reduction,
            chunk_size=args.chunk_size or CHUNK_SIZE,
            n_threads=args.threads,
            progress=bar.update,
        )
    for score in evaluation.scores:
        if score.warning is not None:
            print(f"fastloss: warning: {score.warning}", file=sys.stderr)
    hints = [score.hint for score in evaluation.scores if score.hint is not None]
    print_hints([*hints, *pattern_hints(evaluation.sources)])
    if args.json:
        print(json.dumps(to_json(evaluation), indent=2, allow_nan=False))
    else:
        print_evaluation(evaluation)
    return 0


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Make the JSON document of an evaluation.

    JSON has no NaN and no infinity: a value that is not finite is ``null``, and ``nonfinite`` beside it says
    ``"nan"``, ``"inf"`` or ``"-inf"``; it is ``null`` beside a finite value.

    Parameters
    ----------
    evaluation : Evaluation
        What was computed.

    Returns
    -------
    dict
        A document that `json.dumps` writes with ``allow_nan=False``.
    """
    files = _files(evaluation)
    return {
        "fastloss": fl.__version__,
        "y_true": files["y_true"],
        "y_pred": files["y_pred"],
        "sample_weight": files.get("sample_weight"),
        "columns": {
            source.location.argument: list(source.columns) for source in evaluation.sources if source.columns
        },
        "dtype": evaluation.dtype,
        "reduction": evaluation.reduction,
        "seconds": evaluation.seconds,
        "reading_seconds": evaluation.reading_seconds,
        "losses": [_score_to_json(score) for score in evaluation.scores],
    }


def _score_to_json(score: Score) -> dict[str, Any]:
    """Make the JSON object of one loss."""
    finite = math.isfinite(score.value)
    return {
        "loss": score.loss.name,
        "parameters": {key: _finite_or_text(value) for key, value in score.loss.parameters.items()},
        "value": score.value if finite else None,
        "nonfinite": None if finite else str(score.value),
        "n": score.samples,
        "sum_of_weights": _finite_or_text(score.sum_of_weights),
        "seconds": score.seconds,
        "warning": score.warning,
        "hint": score.hint,
    }


def _finite_or_text(value: Any) -> Any:
    """Replace a number that JSON lacks by its name."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def print_evaluation(evaluation: Evaluation) -> None:
    """Print an evaluation as a table."""
    print_table(
        ["loss", evaluation.reduction, "samples", "seconds", "elements/s"],
        [
            [
                format_loss(score.loss),
                format_value(score.value),
                f"{score.samples:,}",
                f"{score.seconds:.3g}",
                format_rate(evaluation.elements / score.seconds)
                if score.seconds and evaluation.elements
                else "",
            ]
            for score in evaluation.scores
        ],
        caption=_caption(evaluation),
        spare=(4, 3, 2),
    )


def _files(evaluation: Evaluation) -> dict[str, str]:
    """Write the arrays as they were given, by the argument each was used as."""
    return {source.location.argument: str(source.location) for source in evaluation.sources}


def _caption(evaluation: Evaluation) -> str:
    """Say what was evaluated, and how long reading it took."""
    files = _files(evaluation)
    lines = [f"{files['y_pred']} against {files['y_true']}, {evaluation.dtype}"]
    lines += pattern_lines(evaluation.sources)
    if "sample_weight" in files:
        lines.append(f"weights {files['sample_weight']}, which add up to {evaluation.sum_of_weights:.9g}")
    lines.append(f"{evaluation.seconds:.3g} s in all, {evaluation.reading_seconds:.3g} s of it reading")
    return "\n".join(lines)


def _count(text: str) -> int:
    """Read a positive whole number."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)
