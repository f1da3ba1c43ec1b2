"""The parser of the command line: errors, hints at what a misspelt word may stand for, completion."""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import fastloss as fl
from fastloss.cli.errors import CommandError
from fastloss.registry import near_names

Completer = Callable[..., Iterable[str]]


class Parser(argparse.ArgumentParser):
    """Reports errors as the commands do, and names the word that a misspelt one may stand for."""

    def _parse_optional(self, arg_string: str) -> Any:
        # -:column is a column of standard input, not an option.
        return None if arg_string.startswith("-:") else super()._parse_optional(arg_string)

    def error(self, message: str) -> NoReturn:
        """Report an error."""
        raise CommandError(f"{message} (see {self.prog} --help)")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; refuse what is not known before the lack of something else is noticed."""
        words = sys.argv[1:] if args is None else list(args)
        # The words after a command are its parser's.
        for word in itertools.takewhile(
            lambda w: w != "--" and (w[:1] == "-" or not self._subparsers), words
        ):
            name = word.partition("=")[0]
            if name.startswith("--") and not any(key.startswith(name) for key in self._option_string_actions):
                near = near_names(name, self._option_string_actions)
                self.error(f"there is no option {name!r}{_did_you_mean(near)}")
        namespace, unknown = super().parse_known_args(words, namespace)
        if unknown:
            self.error(f"there is no option or one argument too many: {unknown[0]!r}")
        return namespace, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            near = near_names(str(value), action.choices)
            hint = _did_you_mean(near) or f"; there are {', '.join(action.choices)}"
            what = action.option_strings[-1] if action.option_strings else str(action.metavar).lower()
            self.error(f"there is no {what} {value!r}{hint}")


def _did_you_mean(names: Sequence[str]) -> str:
    """Suggest names."""
    return f": did you mean {' or '.join(names)}?" if names else ""


def completed(action: argparse.Action, completer: Completer) -> argparse.Action:
    """Let the shell complete an argument by what `completer` gives for its beginning."""
    action.completer = completer  # type: ignore[attr-defined]
    return action


def one_of(words: Iterable[str]) -> Completer:
    """Complete to one of these words."""
    found = list(words)
    return lambda **_: found


def complete_losses(prefix: str, **_context: Any) -> list[str]:
    """Give the specifications of losses that a word may become: names, and after the colon parameters.

    Examples
    --------
    >>> complete_losses("smooth_l1:")
    ['smooth_l1:beta=']
    """
    name, colon, rest = prefix.partition(":")
    parameters = {key: info.parameters for info in fl.list_losses() for key in (info.name, *info.aliases)}
    if not colon:
        return list(parameters)
    done, comma, _ = rest.rpartition(",")
    return [f"{name}:{done}{comma}{key}=" for key in parameters.get(name, ())]


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell where it asks for completion, which ends the process, and argcomplete is installed."""
    if "_ARGCOMPLETE" in os.environ:
        try:
            argcomplete = importlib.import_module("argcomplete")
        except ImportError:
            return
        argcomplete.autocomplete(parser)
