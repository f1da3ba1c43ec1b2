"""``fastloss evaluate`` for reports: measures, groups, several models, intervals, pictures."""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastloss as fl
from fastloss.cli.errors import CommandError
from fastloss.cli.hints import (
    MayBeProbabilities,
    pattern_hints,
    pattern_lines,
    print_hints,
    probabilities_hint,
    takes_scores,
)
from fastloss.cli.progress import LongWorkBar
from fastloss.cli.tables import print_table, require_tables
from fastloss.errors import RowSumWarning
from fastloss.evaluation.result import Result
from fastloss.evaluation.sources import BATCH_ROWS, add_rows
from fastloss.evaluation.specs import Measured, parse
from fastloss.plotting import kind_of_picture
from fastloss.reading import Location, Source, is_table, open_readers, parse_location


def wants_report(args: argparse.Namespace) -> bool:
    """Tell whether the arguments ask for more than sums of losses."""
    more = (args.measure, args.by, args.level, args.exact, args.on_error, args.plot)
    return len(args.y_pred) > 1 or any(x is not None and x is not False for x in more)


def run(args: argparse.Namespace) -> int:
    """Run the command and give its exit status."""
    if args.reduction != "mean":
        raise CommandError("--reduction sum is of losses alone: there is none of a measure, group or model")
    measured = _measured(args)
    locations = _locations(args)
    if not args.json:
        require_tables("--json")
    try:
        if args.plot is not None:
            kind_of_picture(args.plot)
            if not Path(args.plot).parent.is_dir():
                raise CommandError(f"--plot: there is no folder {str(Path(args.plot).parent)!r}")
        evaluation = fl.Evaluation(measured, on_error=args.on_error or "raise")
        level = 0.95 if args.level is None else args.level
        if not 0 < level < 1:
            raise CommandError(f"--level must be between 0 and 1, got {level:g}")
        readers = open_readers(locations, lenient=args.on_error == "skip")
        opened = {source.location.role: source for reader in readers for source in reader.sources}
        sources = [opened[at.role] for at in locations]
        looked = MayBeProbabilities()
        with (
            fl.num_threads(args.threads or fl.get_num_threads()),
            LongWorkBar(args.quiet) as bar,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always", RowSumWarning)
            add_rows(evaluation, readers, bar.update, args.chunk_size or BATCH_ROWS, looked.look)
        result = evaluation.result(level)
        if args.plot is not None:
            result.plot(args.plot)
        hints = [*_hints(evaluation._measured, sources, looked), *pattern_hints(sources)]
    except (ImportError, TypeError, ValueError) as error:
        raise CommandError(str(error)) from error
    for warning in caught:
        print(f"fastloss: warning: {warning.message}", file=sys.stderr)
    print_hints(hints)
    if args.json:
        print(json.dumps(to_json(result, sources, hints), indent=2, allow_nan=False))
    else:
        print_result(result, sources, args.plot)
    return 0


def _measured(args: argparse.Namespace) -> list[Measured | str]:
    """Read the losses and measures; with --exact those of an order keep all scores."""
    texts = [*(args.loss or []), *(args.measure or [])]
    if not texts:
        raise CommandError(
            "evaluate needs a loss or a measure: give --loss bce, --measure roc_auc ...; "
            "`fastloss list` shows the losses"
        )
    if not args.exact:
        return texts
    found: list[Measured | str] = []
    changed = False
    for text in texts:
        try:
            one = parse(text)
        except (TypeError, ValueError) as error:
            raise CommandError(str(error)) from error
        is_of_order = "exact" in one.parameters
        changed |= is_of_order
        found.append(type(one)(**{**one.parameters, "exact": True}) if is_of_order else text)
    if not changed:
        raise CommandError("--exact is for measures of an order: --measure roc_auc, average_precision or ks")
    return found


def _locations(args: argparse.Namespace) -> list[Location]:
    """Find where each array is; ``:column`` is one of TRUE's table, as is what --by names."""
    true = parse_location("y_true", args.y_true)
    table = true.path if is_table(true.path) else None
    found = [true]
    predictions = [parse_location("y_pred", text, table=table) for text in args.y_pred]
    names = [at.column or Path(at.path).stem for at in predictions]
    if len(set(names)) < len(names):
        names = [str(at) for at in predictions]
    for text, at, name in zip(args.y_pred, predictions, names, strict=True):
        if names.count(name) > 1:
            raise CommandError(f"y_pred: {text!r} is there twice")
        found.append(replace(at, key=name if len(names) > 1 else ""))
    if args.weights is not None:
        found.append(parse_location("sample_weight", args.weights, table=table))
    for text in args.by or []:
        is_place = ":" in text or is_table(text) or text.lower().endswith(".npy")
        if not is_place and table is None:
            raise CommandError(f"by: {args.y_true!r} is no table that could have a column {text!r}")
        place = text if is_place else f":{text}"
        at = parse_location("by", place, table=table, is_label=True)
        key = at.column or Path(at.path).stem
        if any(other.role == ("by", key) for other in found):
            raise CommandError(f"by: {key!r} is there twice")
        found.append(replace(at, key=key))
    return found


def _hints(measured: Sequence[Measured], sources: list[Source], looked: MayBeProbabilities) -> list[str]:
    """Say what takes raw scores, where all that it was given by some model may be probabilities."""
    hints: dict[str, None] = {}
    for source in sources:
        at = source.location
        if at.argument == "y_pred" and looked.of(at.key):
            whose = f" of {at.key}" if at.key else ""
            taken = [one for one in measured if takes_scores(one, of_rows=source.row_shape != ())]
            hints |= dict.fromkeys(probabilities_hint(one, whose) for one in taken)
    return list(hints)


def to_json(result: Result, sources: list[Source], hints: list[str]) -> dict[str, Any]:
    """Make the JSON document of a report: a number that JSON lacks is null, or the name of an infinity."""
    by_argument: dict[str, dict[str, str]] = {}
    columns: dict[str, Any] = {}
    for source in sources:
        at = source.location
        by_argument.setdefault(at.argument, {})[at.key] = str(at)
        if source.columns and at.key:
            columns.setdefault(at.argument, {})[at.key] = list(source.columns)
        elif source.columns:
            columns[at.argument] = list(source.columns)
    predictions = by_argument["y_pred"]
    told = result.to_dict()
    told["estimates"] = [
        {name: _json_value(value) for name, value in row.items()} for row in told["estimates"]
    ]
    return {
        "fastloss": fl.__version__,
        "y_true": by_argument["y_true"][""],
        "y_pred": predictions.get("", predictions),
        "sample_weight": by_argument.get("sample_weight", {}).get(""),
        "columns": columns,
        "hints": hints,
        **told,
    }


def _json_value(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def print_result(result: Result, sources: list[Source], picture: str | None) -> None:
    """Print a report as a table."""
    heads, cells, caption = result._shown(most=None)
    n_words = heads.index("measure") + 1
    places = ", ".join(str(at.location) for at in sources if at.location.argument == "y_pred")
    caption = "\n".join([f"{places} against {sources[0].location}, {caption}", *pattern_lines(sources)])
    if picture is not None:
        caption += f"\n{picture}"
    print_table(heads, cells, caption=caption, words=range(n_words), folded=range(n_words))
