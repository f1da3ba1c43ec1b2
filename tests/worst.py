"""Searches for the worst errors of values, gradients and Hessians: ``python -m tests.worst``.

Starts at the hard samples that the accuracy tests use, and climbs (search.py) over targets, predictions
and, in the lines that say "any", over the loss's parameters. Truth is computed by MPFR; what is reported
has been computed again by mpmath. Ends with 1 where an error is above its bound: 4 ULP, 8 for rows, for
some the wider one of docs/numerics.md; of NTXent 4 units of the inner products' last bit over the
temperature.
"""

from __future__ import annotations

import argparse
import sys
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import multiprecision
import numpy as np
import search
from conftest import LOSSES, POINTWISE
from embeddings import samples as embedding_samples
from embeddings import truth as embedding_truth
from penalties import truth as penalty_truth
from pointwise import samples
from pointwise import truth as pointwise_truth
from rows import samples as row_samples
from rows import truth as row_truth

import fastloss as fl
from fastloss.adapters._boosting import CURVATURES

#: How a parameter is drawn where any may be.
DRAWS = {
    **dict.fromkeys(("delta", "beta", "c", "pos_weight"), lambda rng: float(np.exp(rng.normal(0, 1.5)))),
    **dict.fromkeys(("q", "alpha"), lambda rng: float(rng.uniform(0.01, 0.99))),
    "power": lambda rng: float(rng.uniform(1, 2)),
    "gamma": lambda rng: float(rng.uniform(0, 5)),
    "label_smoothing": lambda rng: float(rng.uniform(0, 0.5)),
    "threshold": lambda rng: float(rng.uniform(0, 2)),
    "margin": lambda rng: float(rng.uniform(0.1, 2)),
    "base": lambda rng: float(rng.uniform(1.5, 12)),
    "l1_ratio": lambda rng: float(rng.uniform(0, 1)),
}
#: The same of a loss that means something else by a name.
DRAWS_OF = {"GeneralRobust": {"alpha": lambda rng: float(rng.uniform(-6, 4))}}


def drawn(loss: Any, rng: np.random.Generator) -> Any:
    """The loss with other numbers for parameters."""
    draws = {**DRAWS, **DRAWS_OF.get(type(loss).__name__, {})}
    settings = {
        k: draws[k](rng) if k in draws and not isinstance(v, (list, tuple, bool)) else v
        for k, v in loss.parameters.items()
    }
    return type(loss)(**settings)


def varied(loss: Any, rng: np.random.Generator) -> Any:
    """The loss with one of its numbers changed, by much or by little."""
    floats = [k for k, v in loss.parameters.items() if isinstance(v, float)]
    if not floats:
        return loss
    name = floats[rng.integers(0, len(floats))]
    factor = 1 + float(rng.normal()) * 2.0 ** -float(rng.integers(0, 50))
    try:
        return type(loss)(**(loss.parameters | {name: loss.parameters[name] * factor}))
    except ValueError:
        return loss


class Pointwise:
    """Values, gradients and Hessians of a pointwise loss."""

    bound = 4.0

    def __init__(self, loss: Any) -> None:
        self.loss, self.name, self.free = loss, repr(loss), False
        self.outputs = ["value", *(["gradient", "hessian"] if loss.has_gradient else [])]

    def start(self, dtype: Any, rng: np.random.Generator) -> search.Arrays:
        y, z = samples.hard(self.loss, dtype, rng, 60)
        return y[self.inside((y, z))], z[self.inside((y, z))]

    def inside(self, arrays: search.Arrays) -> np.ndarray:
        y, z = arrays
        target, prediction = self.loss.target_domain, self.loss.prediction_domain
        with np.errstate(over="ignore"):
            right = np.isfinite(z - y)  # docs/numerics.md
        right &= samples._inside(y, target) & samples._inside(z, prediction)
        if target.low == 0 and target.high == np.inf:
            right &= (y == 0) | (y >= np.finfo(y.dtype).tiny)  # likewise
        return right & (y == np.round(y)) if target.integral else right

    def errors(self, loss: Any, output: str, arrays: search.Arrays) -> np.ndarray:
        result = pointwise_truth.results(loss, *arrays)[output]
        return pointwise_truth.errors(loss, output, *arrays, result)[0]


class Curvatures(Pointwise):
    """The curvatures that Newton steps use, which follow from gradients that err by 4 ULP."""

    bound = 8.0

    def __init__(self, loss: Any) -> None:
        super().__init__(loss)
        self.name = f"curvature of {loss!r}"
        has = [CURVATURES[code] for code in loss._curvatures()[0]]
        self.outputs = [
            o for name, o in pointwise_truth.CURVATURES if name == type(loss).__name__ and o in has
        ]

    def inside(self, arrays: search.Arrays) -> np.ndarray:
        # A quotient of subnormal numbers has few bits.
        return super().inside(arrays) & (np.abs(arrays[1] - arrays[0]) > np.finfo(arrays[0].dtype).tiny)

    def errors(self, loss: Any, output: str, arrays: search.Arrays) -> np.ndarray:
        return pointwise_truth.curvature_errors(loss, output, *arrays)


class Rows:
    """Values of rows, gradients and Hessians of their classes."""

    def __init__(self, case: Any, form: str, n_classes: int) -> None:
        self.loss, self.form, self.n_classes, self.free = (
            row_samples.make(case, n_classes),
            form,
            n_classes,
            False,
        )
        self.name = f"{row_samples.case_name(case)} of {n_classes} classes, {form}"
        self.bound = {"Focal": 9.0, "Poly1CrossEntropy": 14.0}.get(type(self.loss).__name__, 8.0)
        self.outputs = ["value", "gradient", *(["hessian"] if self.loss.has_hessian else [])]

    def start(self, dtype: Any, rng: np.random.Generator) -> search.Arrays:
        y, z = row_samples.hard(self.loss, self.form, 400, self.n_classes, dtype, rng)
        counted = ~row_truth.twin(self.loss)._ignored(y) & np.isfinite(z).all(axis=1)
        return y[counted], z[counted]

    def inside(self, arrays: search.Arrays) -> np.ndarray:
        y, z = arrays
        right = np.ones(len(z), bool)
        if row_samples.of_probabilities(self.loss):
            right &= ((z >= 0) & (z <= 1)).all(axis=1)
        if self.form == "dense" and not isinstance(self.loss, fl.EuclideanError):
            right &= ((y >= 0) & (y <= 1)).all(axis=1) & (y.sum(axis=1) > 0)
        if isinstance(self.loss, (fl.KLDivergence, fl.JSDivergence)) and row_samples.of_probabilities(
            self.loss
        ):
            right &= ~((z < np.finfo(z.dtype).tiny) & (y > 0)).any(axis=1)
        return right

    def errors(self, loss: Any, output: str, arrays: search.Arrays) -> np.ndarray:
        results = {output: row_truth.results(loss, *arrays)[output]}
        found = row_truth.errors(loss, *arrays, results)[0][output]
        return found.reshape(len(found), -1).max(axis=1)


class Embeddings:
    """Values of rows and the gradients by each of the embeddings."""

    bound = 4.0

    def __init__(self, loss: Any, d: int) -> None:
        self.loss, self.d, self.free, self.name = loss, d, False, f"{loss!r} of {d} numbers"
        if isinstance(loss, fl.Entropy):
            self.bound = 8.0  # as rows have: of a softmax and its logarithm
        self.outputs = ["value", *(f"gradient {k}" for k in range(embedding_samples.n_gradients(loss)))]

    def start(self, dtype: Any, rng: np.random.Generator) -> search.Arrays:
        n = 400
        arrays = list(embedding_samples.ordinary(self.loss, n, self.d, dtype, rng))
        if isinstance(self.loss, fl.CenterLoss):  # a centre for each, so that each is a sample of its own
            arrays[1] = embedding_samples.ordinary(fl.NTXent(), n, self.d, dtype, rng)[0]
            return tuple(arrays[:2])
        return tuple(arrays)

    def inside(self, arrays: search.Arrays) -> np.ndarray:
        numbers = [a for a in arrays if a.ndim == 2]
        right = np.all(
            [(np.abs(a) < 1e9).all(axis=1) & (np.abs(a).max(axis=1) > 1e-6) for a in numbers], axis=0
        )
        if self.loss == fl.Entropy():
            right &= ((numbers[0] > 0) & (numbers[0] <= 1)).all(axis=1)
        return right & np.all([(a != b).any(axis=1) for a in numbers[:1] for b in numbers[1:]], axis=0)

    def errors(self, loss: Any, output: str, arrays: search.Arrays) -> np.ndarray:
        if isinstance(loss, fl.CenterLoss):
            arrays = (*arrays, np.arange(len(arrays[0])))
        value, gradients = loss.value_and_gradient(*arrays, reduction="none")
        results = [value, *embedding_samples.listed(gradients)]
        found = embedding_truth.errors(loss, arrays, results)[self.outputs.index(output)]
        return found.reshape(len(found), -1).max(axis=1)


class Batch:
    """Losses of whole batches and gradients, in units of an inner product's last bit over the temperature.

    A sample is a batch. The unit of a gradient is of the sum of its terms' magnitudes.
    """

    bound = 4.0
    outputs = ("value", "gradient")

    def __init__(self, loss: Any, n: int, d: int) -> None:
        self.loss, self.n, self.d, self.free = loss, n, d, False
        self.name = f"{loss!r} of {n} pairs of {d} numbers"

    def start(self, dtype: Any, rng: np.random.Generator) -> search.Arrays:
        shape = 100, self.n * self.d
        apart = rng.choice([0.01, 0.3, 3.0], (100, 1))
        a = rng.normal(size=shape)
        return a.astype(dtype), (a + apart * rng.normal(size=shape)).astype(dtype)

    def inside(self, arrays: search.Arrays) -> np.ndarray:
        rows = np.concatenate([x.reshape(len(x), self.n, self.d) for x in arrays], axis=1)
        return ((np.abs(rows) < 1e6).all(axis=2) & (np.abs(rows).max(axis=2) > 1e-6)).all(axis=1)

    def errors(self, loss: Any, output: str, arrays: search.Arrays) -> np.ndarray:
        return np.array(
            [
                embedding_truth.batch_error(loss, output, *(x.reshape(self.n, self.d) for x in batch))
                for batch in zip(*arrays, strict=True)
            ]
        )


class Penalty:
    """Values, gradients and Hessians of a penalty of one parameter."""

    bound = 4.0
    outputs = ("value", "gradient", "hessian")

    def __init__(self, loss: Any) -> None:
        self.loss, self.free, self.name = loss, False, repr(loss)

    def start(self, dtype: Any, rng: np.random.Generator) -> search.Arrays:
        return (penalty_truth.hard(dtype, rng),)

    def inside(self, arrays: search.Arrays) -> np.ndarray:
        return np.abs(arrays[0]) < np.sqrt(np.finfo(arrays[0].dtype).max)

    def errors(self, loss: Any, output: str, arrays: search.Arrays) -> np.ndarray:
        return penalty_truth.errors(loss, output, *arrays, penalty_truth.results(loss, *arrays)[output])


def subjects() -> Iterator[Any]:
    for loss in LOSSES:
        yield Pointwise(loss)
    for cls in POINTWISE:
        if any(k in DRAWS for k in cls().parameters):
            yield _free(Pointwise(cls()))
    for loss in LOSSES:
        if getattr(loss, "from_logits", True) and loss != fl.SmoothL1(beta=0.0):
            yield Curvatures(loss)
    for case in row_samples.CASES:
        for form in row_samples.forms(row_samples.make(case, 2)):
            for n_classes in (2, 3, 8) if case[1] else (2, 3, 5, 20, 130):
                yield Rows(case, form, n_classes)
    for loss in (*embedding_samples.ROW_BY_ROW, fl.GaussianKL(), *embedding_samples.ENTROPIES):
        for d in (1, 3, 16, 40):
            yield Embeddings(loss, d)
    for temperature in (0.05, 0.5):
        for n, d in ((2, 2), (3, 5)):
            yield Batch(fl.NTXent(temperature), n, d)
    for penalty in penalty_truth.PENALTIES:
        yield Penalty(penalty)


def _free(subject: Any) -> Any:
    subject.free, subject.name = True, f"{type(subject.loss).__name__}(any)"
    return subject


def searched(subject: Any, output: str, dtype: Any, seconds: float, steps: int, seed: int) -> search.Found:
    """The worst that is found of one output, confirmed by mpmath."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{subject.name} {output} {dtype.__name__}".encode())])
    with multiprecision.by_mpfr(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = None
        for _ in range(4 if subject.free else 1):
            loss = drawn(subject.loss, rng) if subject.free else subject.loss
            subject.loss = loss
            found = search.climb(
                loss,
                subject.start(dtype, rng),
                lambda loss, arrays: subject.errors(loss, output, arrays),
                subject.inside,
                varied if subject.free else None,
                rng,
                seconds / (4 if subject.free else 1),
                steps,
            )
            if best is None or found.error > best.error:
                best = found
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return best._replace(error=float(subject.errors(best.loss, output, best.arguments).max()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.worst", description=__doc__)
    parser.add_argument("--loss", default="", help="only lines whose name contains this")
    parser.add_argument("--dtype", choices=["float32", "float64"], help="only this precision")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="for each output of each line (default: 3)"
    )
    parser.add_argument("--steps", type=int, default=1_000_000, help="at most so many generations, for each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--above", type=float, default=0.0, help="print errors above this alone")
    options = parser.parse_args()
    beyond = tried = 0
    print(f"{'loss':60} {'output':10} dtype       ULP  where")
    for subject in subjects():
        if options.loss.lower() not in subject.name.lower():
            continue
        for dtype in (np.float32, np.float64):
            if options.dtype not in (None, dtype.__name__):
                continue
            for output in subject.outputs:
                found = searched(subject, output, dtype, options.seconds, options.steps, options.seed)
                tried += found.tried
                beyond += not found.error <= subject.bound
                if found.error > options.above:
                    where = ", ".join(str(a[0].tolist()) for a in found.arguments)
                    at = f" {found.loss!r}" if subject.free else ""
                    print(
                        f"{subject.name:60} {output:10} {dtype.__name__} {found.error:8.3g}  {where}{at}",
                        flush=True,
                    )
    print(f"{tried} arguments tried; {beyond} errors above their bounds")
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main())
