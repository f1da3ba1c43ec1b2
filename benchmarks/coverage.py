"""How often the intervals of an evaluation hold the true value: ``python -m benchmarks.coverage``.

Samples are drawn again and again, each as a group of one evaluation, from distributions whose true value is
known: of light and of heavy tails, of few and of many rows.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import fastloss as fl

Generator = np.random.Generator


class Case(NamedTuple):
    """What is estimated: rows of one sample, or of many at once, and the value that they are drawn for."""

    name: str
    measure: str
    draw: Callable[[Generator, int], dict[str, Any]]
    true: float


def _errors(draw: Callable[[Generator, int], Any]) -> Callable[[Generator, int], dict[str, Any]]:
    return lambda rng, n: {"y_true": np.zeros(n), "y_pred": draw(rng, n)}


def _scores(shift: float) -> Callable[[Generator, int], dict[str, Any]]:
    def draw(rng: Generator, n: int) -> dict[str, Any]:
        y = (rng.random(n) < 0.3).astype(np.uint8)
        return {"y_true": y, "y_pred": shift * y + rng.normal(size=n)}

    return draw


def _two_models(rng: Generator, n: int) -> dict[str, Any]:
    shared = rng.normal(size=n)
    return {
        "y_true": np.zeros(n),
        "y_pred": {"a": shared + 0.3 * rng.normal(size=n), "b": shared + 0.5 * rng.normal(size=n)},
    }


def _weighted(rng: Generator, n: int) -> dict[str, Any]:
    # Weights that go with the loss: the mean is E[w |z|] / E[w] with w = exp(z), z normal.
    z = rng.normal(size=n)
    return {"y_true": np.zeros(n), "y_pred": z, "sample_weight": np.exp(z)}


def _folded(shift: float) -> float:
    """Return E|z| of a normal z around `shift`."""
    phi = math.exp(-shift * shift / 2) / math.sqrt(2 * math.pi)
    return 2 * phi + shift * math.erf(shift / math.sqrt(2))


def _rare(rng: Generator, n: int) -> dict[str, Any]:
    return {"y_true": (rng.random(n) < 0.01).astype(np.uint8), "y_pred": np.full(n, -5.0)}


def _linear(rng: Generator, n: int) -> dict[str, Any]:
    z = rng.normal(size=n)
    return {"y_true": z + rng.normal(size=n), "y_pred": z}


def _normal(rng: Generator, n: int) -> Any:
    return rng.normal(size=n)


def _student(rng: Generator, n: int) -> Any:
    return rng.standard_t(3, n)


CASES = [
    Case("mean absolute error, normal errors", "mae", _errors(_normal), math.sqrt(2 / math.pi)),
    Case("mean squared error, normal errors", "mse", _errors(_normal), 1.0),
    Case("mean absolute error, Student's t of 3", "mae", _errors(_student), 2 * math.sqrt(3) / math.pi),
    Case("mean squared error, Student's t of 3", "mse", _errors(_student), 3.0),
    Case("mean squared error, lognormal", "mse", _errors(lambda g, n: g.lognormal(size=n)), math.exp(2)),
    Case("mean absolute error, Pareto's of 1.5", "mae", _errors(lambda g, n: g.pareto(1.5, n)), 2.0),
    Case("absolute error, weights that go with it", "mae", _weighted, _folded(1.0)),
    Case("difference of two models' squared errors", "mse", _two_models, 0.25 - 0.09),
    Case("accuracy of 0.99", "accuracy", _rare, 0.99),
    Case("AUC of 0.76", "roc_auc", _scores(1.0), 0.5 * (1 + math.erf(0.5))),
    Case("AUC of 0.98", "roc_auc", _scores(3.0), 0.5 * (1 + math.erf(1.5))),
    Case("R² of 0.5", "r2", _linear, 0.5),
]


def coverage(case: Case, n: int, samples: int, seed: int = 0) -> float:
    """Return the share of samples of n rows whose interval of 95 % holds the true value."""
    given = case.draw(np.random.default_rng(seed), n * samples)
    prediction = given.pop("y_pred")
    result = fl.evaluate(
        given.pop("y_true"), prediction, [case.measure], by=np.repeat(np.arange(samples), n), **given
    )
    pair = ("b", "a")
    found = [
        (group.differences[pair] if isinstance(prediction, dict) else group)[case.measure]
        for group in result.groups.values()
    ]
    return float(np.mean([e.low <= case.true <= e.high for e in found]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--rows", type=int, nargs="+", default=[30, 100, 1000, 10_000])
    args = parser.parse_args()
    print("| |" + "".join(f" {n:,} rows |" for n in args.rows))
    print("|---|" + "---|" * len(args.rows))
    for case in CASES:
        shares = [coverage(case, n, args.samples) for n in args.rows]
        print(f"| {case.name} |" + "".join(f" {100 * share:.1f} % |" for share in shares), flush=True)


if __name__ == "__main__":
    main()
