"""One call with awkward arguments beside the same call with plain ones."""

from __future__ import annotations

import random
import re
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np

from .covering import choices
from .memory import BESIDE_OUTPUT, PLACES, WRITABLE, Guarded, in_memory_order, put
from .numbers import REAL, WRITTEN, computed_in, exactly, native, returned_as, rounded, same_bits

Arrays = dict[str, np.ndarray]
Choice = dict[str, Any]


class Subject:
    """What is called: its array arguments, and what else a call chooses.

    Attributes
    ----------
    name : str
        As it stands in the seeds and in reports.
    covers : frozenset or set of str
        The public names that its trials call.
    inputs : tuple of str
        The arguments that are arrays.
    shapes : sequence
        Sizes, taken in turn.
    share : int
        The tests try one of so many choices, those of one family different ones.
    ulps : int
        By how many units in the last place results may differ where NumPy computes them; 0: the same bits.
    """

    name: str
    covers: Set[str]
    inputs: tuple[str, ...]
    shapes: Sequence[Any] = ()
    share: int = 1
    ulps: int = 0

    def factors(self) -> dict[str, Sequence[Any]]:
        """What a call chooses besides dtypes and places."""
        return {}

    def dtypes(self, name: str) -> Sequence[np.dtype]:
        return REAL

    def places(self, name: str) -> Sequence[str]:
        return list(PLACES)

    def out_places(self) -> Sequence[str]:
        """Where results are written that are given room; "over" is the argument they belong to."""
        return []

    def out_dtypes(self, choice: Choice) -> Sequence[np.dtype]:
        return WRITTEN

    def draw(self, choice: Choice, rng: np.random.Generator) -> Arrays:
        """Numbers for the arguments, in the dtypes of the choice; an argument left out is not given."""
        raise NotImplementedError

    def plain(self, choice: Choice, views: Arrays) -> Arrays:
        """The same numbers in arrays without anything awkward."""
        raise NotImplementedError

    def outputs(self, choice: Choice, plain: Arrays) -> list[tuple[tuple[int, ...], str]]:
        """The shape of each array that results can be written to, and the argument that it may be."""
        return []

    def rounded(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Results in another dtype than the plain ones."""
        return rounded(x, dtype)

    def call(self, choice: Choice, arrays: Arrays, out: Any) -> Sequence[Any]:
        """Results, one after the other; those that `outputs` tells of last."""
        raise NotImplementedError

    def returns(self, choice: Choice, views: Arrays, i: int, result: np.ndarray) -> np.dtype:
        """The dtype of an array among the results, where none was given to be written to."""
        return result.dtype


def plain_like(views: Arrays, *leading: str) -> Arrays:
    """Arguments in the precision that the leading ones set, without gaps, in the order of the first."""
    precision = computed_in(*[views[name].dtype for name in leading])
    first = views[leading[0]]
    return {
        name: exactly(
            in_memory_order(x, first)
            if x.ndim == first.ndim
            else np.ascontiguousarray(x).astype(native(x.dtype)),
            precision,
        )
        for name, x in views.items()
    }


def like(views: Arrays, name: str) -> np.dtype:
    return returned_as(views[name].dtype)


def refused(call: Any, *arguments: Any, **options: Any) -> list[Any]:
    """No results: a verb that has no meaning here says so."""
    try:
        call(*arguments, **options)
    except TypeError as error:
        if "not diagonal" in str(error) or "not a loss that" in str(error):
            return []
        raise
    raise Failure("no error, though the verb has no meaning")


def one_or_tuple(slots: list[Any]) -> Any:
    return slots[0] if len(slots) == 1 else tuple(slots)


def _attempt(subject: Subject, choice: Choice, arrays: Arrays, out: Any) -> tuple[Sequence[Any], str]:
    try:
        return subject.call(choice, arrays, out), ""
    except (ValueError, TypeError, ZeroDivisionError) as error:
        # A number in a message is written in its own dtype.
        return (
            [],
            f"{type(error).__name__}: {re.sub(r'-?[0-9.]+(e[-+]?[0-9]+)?|True|False', '#', str(error))}",
        )


def _slots(
    subject: Subject, choice: Choice, plain: Arrays, given: Mapping[str, Guarded]
) -> tuple[list[np.ndarray], dict[int, Guarded]]:
    """Arrays to write to, and the guards of those that are no argument."""
    slots: list[np.ndarray] = []
    guards: dict[int, Guarded] = {}
    overwritten: set[str] = set()
    for i, (shape, argument) in enumerate(subject.outputs(choice, plain)):
        place = choice["out"]
        target = given.get(argument) if place == "over" else None
        if (
            target is not None
            and argument not in overwritten
            and native(target.view.dtype) in WRITTEN
            and choice[f"place of {argument}"] in WRITABLE
        ):
            overwritten.add(argument)
            slots.append(target.view)
            continue
        place = WRITABLE[(WRITABLE.index(place if place != "over" else "C") + 5 * i) % len(WRITABLE)]
        dtypes = subject.out_dtypes(choice)
        dtype = dtypes[(WRITTEN.index(choice["dtype of out"]) + i) % len(dtypes)]
        numbers = np.frombuffer(bytes([BESIDE_OUTPUT]) * (int(np.prod(shape)) * dtype.itemsize), dtype)
        guards[i] = put(numbers.reshape(shape), place, f"out {i}", BESIDE_OUTPUT)
        slots.append(guards[i].view)
    return slots, guards


class Failure(AssertionError):
    """What a trial found."""


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


def _same(subject: Subject, found: Any, expected: Any, dtype: np.dtype | None) -> str:
    """What is wrong with a result, nothing if it is right."""
    if not isinstance(expected, np.ndarray) or expected.ndim == 0:
        same = same_bits(np.float64([found]), np.float64([expected]))
        same |= abs(found - expected) <= subject.ulps * np.finfo(float).eps * abs(expected)
        return "" if same else f"{found!r} instead of {expected!r}"
    if not isinstance(found, np.ndarray):
        return f"{type(found).__name__} instead of an array"
    if dtype is not None and native(found.dtype) != dtype:
        return f"dtype {found.dtype} instead of {dtype}"
    wanted = subject.rounded(expected, native(found.dtype))
    found = found.astype(native(found.dtype))
    if found.shape != wanted.shape:
        return f"shape {found.shape} instead of {wanted.shape}"
    if same_bits(found, wanted):
        return ""
    if subject.ulps and np.allclose(found, wanted, subject.ulps * np.finfo(wanted.dtype).eps, 0):
        return ""
    differ = ~((found == wanted) | (np.isnan(found) & np.isnan(wanted)))
    place = tuple(np.argwhere(differ)[0]) if differ.any() else "signs of zeros"
    values = (found[place], wanted[place]) if differ.any() else ()
    return f"{int(differ.sum())} of {found.size} differ, first at {place}: {values}"


def trial(subject: Subject, choice: Choice, rng: np.random.Generator) -> None:
    """Call a subject with awkward arguments; raise a Failure if that matters."""
    numbers = subject.draw(choice, rng)
    given = {name: put(x, choice[f"place of {name}"], name) for name, x in numbers.items()}
    views = {name: g.view for name, g in given.items()}
    plain = subject.plain(choice, views)
    expected, error = _attempt(subject, choice, plain, None)
    slots: list[np.ndarray] = []
    guards: dict[int, Guarded] = {}
    if not error and choice.get("given"):
        slots, guards = _slots(subject, choice, plain, given)
    found, found_error = _attempt(subject, choice, views, one_or_tuple(slots) if slots else None)
    _expect(error == found_error, f"{found_error or 'no error'} instead of {error or 'none'}")
    first = len(expected) - len(slots)
    _expect(len(found) == len(expected), f"{len(found)} results instead of {len(expected)}")
    for i, (x, wanted) in enumerate(zip(found, expected, strict=True)):
        given_dtype = None
        if slots and i >= first:
            _expect(x is slots[i - first], f"result {i} is another array than the one given")
            given_dtype = native(x.dtype)
        elif isinstance(wanted, np.ndarray):
            given_dtype = subject.returns(choice, views, i, wanted)
        wrong = _same(subject, x, wanted, given_dtype)
        _expect(not wrong, f"result {i}: {wrong}")
    for i, guard in guards.items():
        guard.take()
        _expect(guard.is_untouched(), f"written beside output {i}")
    for name, guard in given.items():
        if any(slot is guard.view for slot in slots):
            guard.take()
        _expect(guard.is_untouched(), f"{name} or what lies beside it was written to")


def all_choices(subject: Subject, index: int, rounds: int) -> Iterator[tuple[str, Choice]]:
    """Seeds and choices; with no rounds the share that the tests try."""
    factors: dict[str, Sequence[Any]] = {}
    for name in subject.inputs:
        factors[f"place of {name}"] = subject.places(name)
        factors[f"dtype of {name}"] = subject.dtypes(name)
    if out_places := subject.out_places():
        factors |= {"given": (False, True), "out": out_places, "dtype of out": WRITTEN}
    factors |= subject.factors()
    for number in range(max(rounds, 1)):
        seed = f"{subject.name} {number}"
        shapes = random.Random(seed).sample(list(subject.shapes), len(subject.shapes))
        for i, choice in enumerate(choices(factors, seed)):
            if rounds or (i + index) % subject.share == 0:
                if shapes:
                    choice["shape"] = shapes[i // (1 if rounds else subject.share) % len(shapes)]
                yield f"{seed} {i}", choice


def sweep(subjects: Iterable[Subject], rounds: int, note: Callable[[str], None]) -> tuple[int, list[str]]:
    """Try all subjects; the number of trials, and what they found, at most three of a subject.

    Each is noted before it is made, as it may end the process.
    """
    tried, failures = 0, []
    for index, subject in enumerate(subjects):
        failed = 0
        for seed, choice in all_choices(subject, index, rounds):
            note(f"{seed}: {choice}")
            tried += 1
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    trial(subject, choice, np.random.default_rng(zlib.crc32(seed.encode())))
            except Exception as found:
                failed += 1
                if failed <= 3:
                    failures.append(f"{seed}: {type(found).__name__}: {found}\n    {choice}")
    return tried, failures
