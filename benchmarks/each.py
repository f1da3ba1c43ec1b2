"""``python -m benchmarks.each``: nanoseconds an element, of every loss of every family.

float32, one thread, outputs into given arrays where the loss takes them; transport distances in float64.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.cases import sample
from benchmarks.timing import Call, interleave
from fastloss._loss import ParameterLoss

SINGLE = 10_000_000
ROWS = (400_000, 10)
VECTORS = (50_000, 128)
SAMPLES = (10_000, 100)
POINTS = {"sinkhorn": 1_000, "earth_mover": 200}


def arguments(loss: Any) -> tuple[str, int, tuple[Any, ...]]:
    """What a loss is timed on: in words, how many numbers of one argument, and the arguments."""
    rng = np.random.default_rng(0)
    if isinstance(loss, fl.PointwiseLoss):
        return f"{SINGLE:,} predictions", SINGLE, sample(loss, SINGLE, "float32")
    if isinstance(loss, ParameterLoss):
        shape = (SINGLE // 4, len(loss.columns))
        z, y = rng.normal(size=shape).astype(np.float32), rng.normal(size=shape[0]).astype(np.float32)
        return f"{shape[0]:,} rows of {shape[1]}", z.size, (y, z)
    if isinstance(loss, fl.RowLoss):
        z, y = (rng.normal(size=ROWS).astype(np.float32) for _ in range(2))
        if loss.family == "multiclass":
            y = rng.integers(0, ROWS[1], ROWS[0])
        elif loss.family == "distribution":
            z, y = (np.exp(a) / np.exp(a).sum(axis=1, keepdims=True) for a in (z, y))
        return f"{ROWS[0]:,} rows of {ROWS[1]}", z.size, (y, z)
    if isinstance(loss, fl.EmbeddingLoss):
        a, b, c = rng.normal(size=(3, *VECTORS)).astype(np.float32)
        labels = rng.integers(0, 2, VECTORS[0])
        given = {
            "triplet": (a, b, c),
            "center_loss": (a, b[:2], labels),
            "nt_xent": (a[:2000], b[:2000]),
            "entropy": (fl.CrossEntropy().probabilities(a),),
            "gaussian_kl": (a, b),
        }
        found = given.get(loss.name, (a, b, labels))
        return f"{len(found[0]):,} vectors of {VECTORS[1]}", found[0].size, found
    if loss.name in POINTS:
        points = POINTS[loss.name]
        return f"{points:,} points in the plane", points, tuple(rng.normal(size=(2, points, 2)))
    return (
        f"{SAMPLES[0]:,} samples of {SAMPLES[1]}",
        SAMPLES[0] * SAMPLES[1],
        tuple(rng.normal(size=(2, *SAMPLES))),
    )


def calls(loss: Any, given: tuple[Any, ...]) -> dict[str, Call]:
    """The verbs that a loss has."""
    names = {"loss": loss, "given": given}
    found = {"value": Call("loss(*given)", names)}
    if isinstance(loss, (fl.PointwiseLoss, fl.RowLoss)) and loss.has_gradient:
        names["out"] = np.empty_like(given[1])
        found["with gradient"] = Call("loss.value_and_gradient(*given, out=out)", names)
    elif loss.has_gradient:
        found["with gradient"] = Call("loss.value_and_gradient(*given)", names)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.each", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="of timing, for each loss")
    parser.add_argument("--family", help="only losses of this family")
    options = parser.parse_args()
    fl.set_num_threads(1)
    warnings.simplefilter("ignore")
    print("| class | data | value | with gradient |\n|---|---|---|---|")
    for info in fl.list_losses():
        if options.family in (None, info.family):
            data, elements, given = arguments(info.cls())
            seconds = interleave(calls(info.cls(), given), options.seconds)
            cells = [
                f"{1e9 * s / elements:.2f}" if s < elements * 1e-7 else f"{1e9 * s / elements:,.0f}"
                for s in seconds.values()
            ]
            print(
                "|", " | ".join([info.cls.__name__, data, *cells, *[""] * (2 - len(cells))]), "|", flush=True
            )


if __name__ == "__main__":
    main()
