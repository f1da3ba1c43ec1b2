"""The commands ``fastloss list`` and ``fastloss info``."""

from __future__ import annotations

import argparse
import json
from typing import Any

import fastloss as fl
from fastloss.cli.errors import CommandError
from fastloss.cli.parser import completed, one_of
from fastloss.cli.spec import format_parameter
from fastloss.cli.tables import print_table, print_text, require_tables


def add_parsers(commands: Any) -> None:
    """Add the commands to the parser's commands."""
    lister = commands.add_parser("list", help="show all losses", description="Shows all losses.")
    family = lister.add_argument("--family", metavar="F", help="only the losses of one family")
    completed(family, one_of(_families()))
    lister.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    lister.set_defaults(run=run_list)
    info = commands.add_parser(
        "info",
        help="show how fastloss runs on this machine",
        description="Shows version, instruction set, threads.",
    )
    info.add_argument("--json", action="store_true", help="print one JSON document")
    info.set_defaults(run=run_info)


def run_list(args: argparse.Namespace) -> int:
    """Show all losses, a table for each family, or those of one family."""
    losses = fl.list_losses()
    families = _families()
    if args.family is not None and args.family not in families:
        raise CommandError(f"there is no family {args.family!r}; the families: {', '.join(families)}")
    shown = [info for info in losses if args.family in (None, info.family)]
    if args.json:
        print(json.dumps([_to_json(info) for info in shown], indent=2, allow_nan=False))
        return 0
    require_tables("--json")
    for family in dict.fromkeys(info.family for info in shown):
        print_text(family, style="bold")
        print_table(
            ["name", "aliases", "parameters", "Hessian"],
            [
                [
                    info.name,
                    "\n".join(alias for alias in info.aliases if alias != info.name),
                    "\n".join(f"{key}={format_parameter(value)}" for key, value in info.parameters.items()),
                    "yes" if info.has_hessian else "no",
                ]
                for info in shown
                if info.family == family
            ],
            words=range(4),
            folded=(1, 2),
            spare=(1, 3),
        )
    return 0


def run_info(args: argparse.Namespace) -> int:
    """Show version, instruction set, OpenMP and threads."""
    if args.json:
        print(json.dumps(fl.config(), indent=2))
    else:
        fl.show_config()
    return 0


def _families() -> list[str]:
    """List the families of losses."""
    return list(dict.fromkeys(info.family for info in fl.list_losses()))


def _to_json(info: fl.LossInfo) -> dict[str, Any]:
    """Make the JSON object of one loss."""
    return {
        "name": info.name,
        "class": info.cls.__name__,
        "family": info.family,
        "aliases": list(info.aliases),
        "parameters": dict(info.parameters),
        "has_gradient": info.has_gradient,
        "has_hessian": info.has_hessian,
    }
