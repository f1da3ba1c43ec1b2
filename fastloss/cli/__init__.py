"""The command ``fastloss``: score predictions in files, list, choose and draw losses, and more."""

# PYTHON_ARGCOMPLETE_OK

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import fastloss as fl
from fastloss._extras import MissingExtra
from fastloss.cli import choose, demo, describe, evaluate, plot
from fastloss.cli.errors import CommandError
from fastloss.cli.parser import Parser, complete
from fastloss.reading import SourceError

__all__ = ["main"]

_ERROR = 2
_INTERRUPTED = 130
_CLOSED_PIPE = 141


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = Parser(prog="fastloss", description="Loss functions on a CPU, right and fast.")
    parser.add_argument("--version", action="version", version=f"fastloss {fl.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    evaluate.add_parser(commands)
    describe.add_parsers(commands)
    choose.add_parser(commands)
    plot.add_parser(commands)
    demo.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process where None.

    Returns
    -------
    int
        The exit status: 0, 2 after an error (one line on stderr says which), 130 after Ctrl-C, 141 where the
        reader of stdout has gone.
    """
    try:
        parser = build_parser()
        complete(parser)
        args = parser.parse_args(argv)
        status: int = args.run(args)
        sys.stdout.flush()
    except (CommandError, MissingExtra, SourceError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its end, which must not fail aloud.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except MemoryError:
        return _fail("out of memory; a smaller --chunk-size needs less")
    return status


def _fail(message: str) -> int:
    """Print an error as one line and give its exit status."""
    print("fastloss: error: " + " ".join(message.splitlines()), file=sys.stderr)
    return _ERROR
