"""The command ``fastloss plot``."""

from __future__ import annotations

import argparse
from typing import Any

from fastloss import plotting
from fastloss.cli.errors import CommandError
from fastloss.cli.parser import complete_losses, completed
from fastloss.cli.spec import parse_loss, parse_value

_DESCRIPTION = """\
Draws value, gradient and Hessian of losses side by side, to a .png, .svg, .pdf or other file.

Losses of the residual are drawn over z - y, other losses of single predictions over the prediction at one
target, which --target sets: scores and probabilities of two classes, logarithms of a mean, predictions of
positive numbers. Losses of rows are drawn for three classes, the first of which is the target; those of
embeddings over a distance or an angle; transport distances over a shift. Each kind has a row of its own in
the picture.

Losses: name[:param=value[,param=value]], as in huber:delta=1.5; `fastloss list` shows names and parameters.
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "plot",
        help="draw value, gradient and Hessian of losses",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completed(parser.add_argument("losses", metavar="LOSS", nargs="+", help="a loss"), complete_losses)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="losses.png",
        help="a .png, .svg, .pdf or other file, default: losses.png",
    )
    parser.add_argument("--target", metavar="Y", type=_number, default=1.0, help="y_true, default: 1")
    parser.add_argument(
        "--range", metavar=("LOW", "HIGH"), nargs=2, type=_number, help="from where to where to draw"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and give its exit status."""
    losses = [parse_loss(text) for text in args.losses]
    try:
        figure = plotting.draw(losses, target=args.target, limits=args.range and tuple(args.range))
        plotting.save(figure, args.output)
    except (ImportError, TypeError, ValueError) as error:
        raise CommandError(str(error)) from error
    print(args.output)
    return 0


def _number(text: str) -> float:
    """Read a number."""
    value = parse_value(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}")
    return float(value)
