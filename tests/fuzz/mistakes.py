"""Calls with one thing wrong: the error must be of the documented kind, and name the argument."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

import fastloss as fl
from fastloss._loss import EmbeddingLoss, PointwiseLoss

from . import arrays, embeddings, pointwise, rows
from .session import FindingError, Session, Unchanged


class Mistake:
    """A correct call's arguments, one of which is to be spoilt, and the names that errors have for them."""

    def __init__(self, args: list[Any], options: dict[str, Any], names: tuple[str, ...]) -> None:
        self.args, self.options, self.names = args, options, names


def _of_wrong_shape(x: np.ndarray, r: random.Random) -> Any:
    kind = r.randrange(5)
    if kind == 0:
        return np.concatenate([x, x[:1]]) if len(x) else np.zeros(1, x.dtype)
    if kind == 1:
        return x[:-1] if len(x) > 1 else np.zeros((len(x) + 2, *x.shape[1:]), x.dtype)
    if kind == 2:
        return x[..., None, None]
    if kind == 3:
        return np.float64(0.5)
    return np.zeros((0, 7, 3))


_NO_NUMBERS: list[Callable[[np.ndarray], Any]] = [
    lambda x: np.full(x.shape, None, dtype=object),
    lambda x: x.astype(np.complex128),
    lambda x: np.full(x.shape, "a"),
    lambda x: np.full(x.shape, b"a"),
    lambda x: np.zeros(x.shape, "M8[s]"),
    lambda x: np.zeros(x.shape, [("a", float)]),
    lambda x: object(),
    lambda x: "y",
    lambda x: {1.0, 2.0},
    lambda x: np.ma.masked_array(x, True),
    lambda x: [[1.0], [1.0, 2.0]],
    lambda x: [1.0, "a"],
    lambda x: np.full(x.shape, 10**400),
    lambda x: [10**400] * len(x),
    lambda x: 10**400,
]


def _no_numbers(x: np.ndarray, r: random.Random) -> Any:
    return r.choice(_NO_NUMBERS)(x)


def _with_bad(x: np.ndarray, bad: float) -> np.ndarray:
    found = x.astype(np.float64)
    found.flat[found.size // 2] = bad
    return found


def _spoil_numbers(s: Session, loss: Any, call: Mistake) -> str | None:
    """Put one argument out of shape or out of kind; return the names that the error may have."""
    i = s.r.randrange(len(call.args))
    spoil = s.r.choice((_of_wrong_shape, _no_numbers))
    given = call.args[i]
    call.args[i] = spoil(given, s.r)
    if isinstance(loss, fl.CrossEntropy | fl.CenterLoss) and spoil is _of_wrong_shape:
        return None  # another number of classes or of centres may be meant
    # Of shapes that do not go together any may be the wrong one.
    return "|".join(call.names) if spoil is _of_wrong_shape else call.names[i]


def _spoil_weight(s: Session, call: Mistake) -> str:
    x = call.args[0]
    w = np.ones(x.shape[:1])
    kind = s.r.randrange(3)
    if kind == 0:
        call.options["sample_weight"] = _with_bad(w, s.r.choice((-1.0, np.nan, np.inf)))
    elif kind == 1:
        call.options["sample_weight"] = _no_numbers(w, s.r)
    else:
        call.options["sample_weight"] = np.ones(len(x) + s.r.choice((1, 2)))
    return "sample_weight"


def _spoil_option(s: Session, call: Mistake) -> str:
    r = s.r
    if r.random() < 0.5:
        words = np.array(["mean", "sum"])
        odd = (None, "Mean", "", "avg", 0, True, ["mean"], b"mean", words, words[0:1], np.zeros(2), 10**400)
        call.options["reduction"] = r.choice(odd)
        return "reduction"
    call.options["n_threads"] = r.choice(
        (
            0,
            -1,
            4097,
            10**20,
            10**400,
            -(10**400),
            1.0,
            "2",
            [1],
            np.float32(2),
            np.zeros(2),
            np.array([1, 2]),
        )
    )
    return "n_threads"


def _spoil_output(s: Session, call: Mistake, shapes: list[tuple[int, ...]], dtype: np.dtype) -> str:
    r = s.r
    outputs: list[Any] = [np.zeros(shape, dtype) for shape in shapes]
    i = r.randrange(len(outputs))
    x, kind = outputs[i], r.randrange(7)
    if kind == 0:
        outputs[i] = np.zeros((*x.shape[:-1], x.shape[-1] + 1), dtype)
    elif kind == 1:
        outputs[i] = x.astype(r.choice(("i4", "?", "c16", "O", "g")))
    elif kind == 2:
        x.flags.writeable = False
    elif kind == 3:
        outputs[i] = r.choice((x.tolist(), 3, "out", memoryview(bytearray(8))))
    elif kind == 4:
        outputs = [*outputs, x]
    elif kind == 5 and len(outputs) > 1:
        outputs[i] = outputs[i - 1] if outputs[i].shape == outputs[i - 1].shape else np.zeros(3, dtype)
    else:
        # It begins one element before the predictions do.
        block = np.zeros(call.args[-1 if len(call.names) == 2 else 0].size + 1, dtype)
        which = 1 if len(call.names) == 2 and call.names[1] == "y_pred" else 0
        z = call.args[which]
        if z.size < 2 or z.dtype.itemsize != np.dtype(dtype).itemsize or shapes[i] != z.shape:
            outputs[i] = np.zeros((*x.shape, 2), dtype)
        else:
            block = np.zeros(z.size + 1, z.dtype)
            shifted = block[1:].reshape(z.shape)
            shifted[...] = z
            call.args[which] = shifted
            outputs[i] = block[:-1].reshape(z.shape)
    call.options["out"] = tuple(outputs) if len(outputs) > 1 or r.random() < 0.5 else outputs[0]
    return "out"


def _spoil_label(s: Session, loss: Any, call: Mistake) -> str | None:
    """Put a target or prediction out of its domain."""
    if isinstance(loss, PointwiseLoss):
        y, z = loss.target_domain, loss.prediction_domain
        beyond = {0.0: -1.0, -1.0: -1.5}
        if z.low in beyond:
            call.args[1] = _with_bad(call.args[1], beyond[z.low])
            return r"y_pred\["
        if y.low in beyond:
            call.args[0] = _with_bad(call.args[0], s.r.choice((beyond[y.low], -np.inf)))
            return r"y_true\["
        return None
    if isinstance(loss, fl.NTXent | fl.Triplet | fl.EuclideanError):
        return None
    if isinstance(loss, EmbeddingLoss):
        call.args[2] = _with_bad(call.args[2], s.r.choice((2.5, np.nan, -7.0, 1e30)))
        return rf"{call.names[2]}\["
    if loss.targets == "classes":
        call.args[0] = _with_bad(
            call.args[0], s.r.choice((0.5, np.nan, -7.0, 1e30, float(call.args[1].shape[1])))
        )
    else:
        call.args[0] = _with_bad(call.args[0], s.r.choice((-1.0, np.nan)))
    return r"y_true\["


def _correct(s: Session) -> tuple[Any, Mistake, str, list[tuple[int, ...]]]:
    """A loss, a correct call of it, the verb, and the shapes of what it gives without reduction."""
    r = s.r
    n, kind = r.randrange(1, 20), r.randrange(3)
    dtype = r.choice("fd")
    if kind == 0:
        loss = pointwise.make(r.choice(pointwise.LOSSES), r, True)
        y, z = pointwise.data(loss, r, n)
        y, z = pointwise.kept_in(y.astype(np.float32), loss), z.astype(dtype)
        call, shapes = Mistake([y, z], {}, ("y_true", "y_pred")), [(n,)]
        verb = r.choice(("gradient", "value_and_gradient")) if loss.has_gradient else "__call__"
    elif kind == 1:
        classes = r.randrange(2, 9)
        cls = r.choice([c for c in rows.LOSSES if c is not fl.CrossEntropy])
        given = rows.parameters(cls, r, classes)
        loss = cls(**{k: v for k, v in given.items() if k not in ("ignore_index", "from_logits")})
        z = arrays.fractions(r, n * classes).reshape(n, classes) * 0.9 + 0.05
        if loss.targets == "classes":
            y = arrays.whole(r, n, 0, classes - 1).astype(np.int64)
        else:
            y = z / z.sum(axis=1, keepdims=True)
        call, shapes = Mistake([y, z.astype(dtype)], {}, ("y_true", "y_pred")), [(n, classes)]
        verb = r.choice(("gradient", "value_and_gradient"))
    else:
        loss = embeddings.make(r)
        d, inputs = r.randrange(1, 9), 3 if isinstance(loss, fl.Triplet) else 2
        args = [(arrays.fractions(r, n * d) * 2 - 1).reshape(n, d).astype(dtype) for _ in range(inputs)]
        if not isinstance(loss, fl.Triplet | fl.NTXent):
            args.append(np.zeros(n))
        call, shapes = Mistake(args, {}, loss._names), [(n, d)] * inputs
        verb = "gradient"
    call.options["reduction"] = "sum"
    if verb == "__call__":
        call.options["reduction"] = "none"
    return loss, call, verb, shapes


def case(s: Session) -> None:
    """A correct call, then the same with something wrong."""
    r = s.r
    for _ in range(4):
        loss, call, verb, shapes = _correct(s)
        try:
            s.call(getattr(loss, verb), *call.args, **call.options)
        except Exception as error:
            raise FindingError(f"the call was to be correct: {error!r}") from error
        unchanged = Unchanged(*call.args)
        kind = r.randrange(6)
        names: str | None
        if kind < 2:
            names = _spoil_numbers(s, loss, call)
        elif kind == 2:
            names = _spoil_weight(s, call)
        elif kind == 3:
            names = _spoil_option(s, call)
        elif kind == 4:
            names = _spoil_output(s, call, shapes, np.dtype(call.args[0 if len(shapes) > 1 else 1].dtype))
        else:
            names = _spoil_label(s, loss, call)
        if names is not None:
            s.refused(names, getattr(loss, verb), *call.args, **call.options)
        unchanged.check()
