"""The command ``fastloss choose``."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import textwrap
from typing import Any

import fastloss as fl
from fastloss.choosing.questions import QUESTIONS, SHORTHANDS, Question, raised, task_of_model
from fastloss.choosing.reported import REPORTED
from fastloss.cli.errors import CommandError
from fastloss.cli.parser import completed, one_of
from fastloss.cli.spec import format_loss, parse_value
from fastloss.cli.tables import print_labelled, require_tables

_DESCRIPTION = """\
Chooses a loss for a task: prints the configured loss, the reason, the activation and the link that go
with it, which optimisers suit it, the pitfalls, and when another loss is better.

Without --task it asks its questions on the terminal. With --task, the questions that are not answered by an
option have their usual answer assumed, which is the first one listed here. With --metric, the number that is
reported in the end, it chooses what makes that number good.

"""

_NARROWEST = 20
_NAMES = tuple(dict.fromkeys(question.name for question in QUESTIONS))


def add_parser(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "choose",
        help="choose a loss for a task",
        description=_DESCRIPTION + _list_questions(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in _NAMES:
        asked = [question for question in QUESTIONS if question.name == name]
        answers = [answer for question in asked for answer in question.answers]
        bare = {"nargs": "?", "const": asked[0].yes} if asked[0].yes else {}
        suffix = f" (alone: {asked[0].yes})" if asked[0].yes else ""
        option = parser.add_argument(f"--{name}", metavar="ANSWER", help=" | ".join(answers) + suffix, **bare)
        completed(option, one_of(answers))
    parser.add_argument(
        "--shares",
        metavar="SHARES",
        help="the classes' shares of the samples, 0.9:0.1, or that of the positive class, 0.1",
    )
    metric = parser.add_argument(
        "--metric", metavar="NAME", help="the number that is reported: " + ", ".join(REPORTED)
    )
    completed(metric, one_of(REPORTED))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and give its exit status."""
    if not args.json:
        require_tables("--json")
    answers: dict[str, str] = {
        name: getattr(args, name) for name in _NAMES if getattr(args, name) is not None
    }
    shares = args.shares
    are_asked = "task" not in answers and args.metric is None and task_of_model(args.model) is None
    if are_asked:
        answers, shares = ask_all(answers, shares)
    numbers: Any = None if shares is None else parse_value(shares)
    try:
        choice = fl.choose(**answers, metric=args.metric, shares=numbers)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from error
    if args.json:
        print(json.dumps(to_json(choice), indent=2, allow_nan=False))
    else:
        print_labelled(choice.lines())
    if are_asked:
        _say_how_to_go_on(choice, answers, shares)
    return 0


def ask_all(given: dict[str, str], shares: str | None) -> tuple[dict[str, str], str | None]:
    """Ask the questions that are not answered yet, on the terminal.

    Parameters
    ----------
    given : dict
        The answers that are known, by the names of their questions.
    shares : str, optional
        The classes' shares, if they are known.

    Returns
    -------
    answers : dict
        The answers to all questions that are raised.
    shares : str or None
        The classes' shares.

    Raises
    ------
    CommandError
        There is no terminal to ask on, or it was closed.
    """
    if not sys.stdin.isatty():
        tasks = " | ".join(QUESTIONS[0].answers)
        raise CommandError(
            f"choose asks its questions on a terminal, and stdin is not one: give --task {tasks}"
        )
    answers = dict(given)
    for question in raised(answers):
        if question.name not in answers:
            reply = _ask(question)
            answers.update(SHORTHANDS.get(reply, {question.name: reply}))
        if question.name == "imbalanced" and answers["imbalanced"] == "yes" and shares is None:
            _say("")
            _say("What share of the samples has each class? As in 0.99:0.01; Enter if it is not known.")
            shares = _read() or None
    _say("")
    return answers, shares


def to_json(choice: fl.Choice) -> dict[str, Any]:
    """Make the JSON document of a choice.

    Parameters
    ----------
    choice : Choice
        What was chosen.

    Returns
    -------
    dict
        A document that `json.dumps` writes.
    """
    return {
        **_loss_to_json(choice.loss),
        "reason": choice.reason,
        "model_output": choice.model_output,
        "targets": choice.targets,
        "activation": choice.activation,
        "link": choice.link,
        "optimiser": choice.optimiser,
        "pitfalls": choice.pitfalls,
        "alternatives": [{**_loss_to_json(other.loss), "when": other.when} for other in choice.alternatives],
        "answers": choice.answers,
        "assumed": choice.assumed,
        "not_considered": choice.not_considered,
    }


def _loss_to_json(loss: fl.Loss) -> dict[str, Any]:
    """Make the JSON object of a loss."""
    return {
        "loss": loss.name,
        "class": type(loss).__name__,
        "parameters": loss.parameters,
        "spec": format_loss(loss),
    }


def _ask(question: Question) -> str:
    """Ask a question until it is answered by the number or the name of an answer."""
    names = list(question.answers)
    width = max(map(len, names))
    _say("")
    _say(question.text)
    for i, (name, meaning) in enumerate(question.answers.items(), 1):
        usual = "  (Enter)" if name == question.default else ""
        _say(f"  {i}  {name:{width}}  {meaning}{usual}", indent=width + 7)
    known = {**{str(i): name for i, name in enumerate(names, 1)}, **{name: name for name in names}}
    if question.name == "task":
        known.update({name: name for name in SHORTHANDS})
    if question.yes is not None:
        known.update({"yes": question.yes, "y": question.yes, "n": "no"})
    if question.default is not None:
        known[""] = question.default
    while (reply := _read().lower()) not in known:
        _say(f"  Please answer by a number from 1 to {len(names)}, or by one of these names.")
    return known[reply]


def _say(words: str, indent: int = 0) -> None:
    """Print a paragraph on stderr, broken between words at the terminal's width: stdout is for the result."""
    width = max(shutil.get_terminal_size().columns - 1, indent + _NARROWEST)
    print(
        textwrap.fill(words, width, subsequent_indent=" " * indent, break_on_hyphens=False), file=sys.stderr
    )


def _say_how_to_go_on(choice: fl.Choice, answers: dict[str, str], shares: str | None) -> None:
    """Print lines to paste, unbroken: the loss in Python, in `evaluate`, and the same choice once more."""
    options = {**answers, **({} if shares is None else {"shares": shares})}
    command = ["fastloss", "choose", *(f"--{name}={answer}" for name, answer in options.items())]
    lines = [f"import fastloss as fl; loss = fl.{choice.loss!r}"]
    if isinstance(choice.loss, (fl.PointwiseLoss, fl.RowLoss)):
        lines.append(shlex.join(["fastloss", "evaluate", "TRUE", "PRED", "--loss", format_loss(choice.loss)]))
    _say("")
    _say("To paste:")
    for line in (*lines, shlex.join(command)):
        print(f"  {line}", file=sys.stderr)


def _read() -> str:
    """Read a reply."""
    print("> ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        _say("")
        raise CommandError("choose was left without an answer: the input ended")
    return line.strip()


def _list_questions() -> str:
    """Write the questions and their answers, for the help."""
    lines = []
    for question in QUESTIONS:
        where = " and ".join(f"{key} {' or '.join(answers)}" for key, answers in question.when.items())
        lines.append(f"--{question.name}: {question.text}" + (f" [{where}]" if where else ""))
        lines += [f"  {answer:15}{meaning}" for answer, meaning in question.answers.items()]
    return "\n".join(lines)
