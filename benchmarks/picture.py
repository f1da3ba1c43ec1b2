"""``python -m benchmarks.picture``: draw time against error, of fastloss and of other libraries.

Time is that of value and gradient, float32, timed in turn. The error is the worst of the gradient over
predictions that reach into the tails, against the formula in extended precision; a gradient that is none,
or 0 where the true one can be written, has the error 1.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import fastloss as fl
from benchmarks.cases import sample
from benchmarks.peers import PEERS, fastloss_call, installed
from benchmarks.timing import Call, interleave

LOSSES = (
    fl.BinaryCrossEntropy(),
    fl.BinaryFocal(),
    fl.Exponential(),
    fl.LogCosh(),
    fl.Welsch(),
    fl.Cauchy(),
)
SIZE = 1 << 20
#: A power of two, so that the mean's gradient times this is the gradient of the sum, to the last bit.
TAILS = 1 << 14
COLOURS = {
    "fastloss": "#D55E00",
    "numpy": "#0072B2",
    "torch": "#009E73",
    "torch.compile": "#56B4E9",
    "jax.jit": "#CC79A7",
    "sklearn": "#E69F00",
}
MARKERS = "osD^vP"


def calls(loss: Any, y: np.ndarray, z: np.ndarray, peers: tuple[str, ...]) -> dict[str, Call]:
    """The call of every library that has the loss."""
    found = {"fastloss": fastloss_call(loss, "value_and_gradient", y, z)}
    found |= {name: PEERS[name](loss, "value_and_gradient", y, z, 1) for name in peers}
    return {name: call for name, call in found.items() if call is not None}


def tails(loss: Any) -> tuple[np.ndarray, np.ndarray]:
    """Predictions from the smallest to those at which the gradient all but ends."""
    y, _ = sample(loss, TAILS, "float32")
    sizes = np.geomspace(1e-6, 60, TAILS // 2)
    z = np.random.default_rng(0).permutation(np.r_[-sizes, sizes])
    ends = np.round(y) if np.isfinite(loss.target_domain.low) else np.zeros_like(y)
    return ends, z.astype(np.float32)


def worst_error(loss: Any, gradient: Any, y: np.ndarray, z: np.ndarray) -> float:
    """The largest relative error of a mean's gradient, at most 1."""
    true = fl.reference.twin(loss)._gradient(y.astype(np.longdouble), z.astype(np.longdouble))
    error = np.abs((np.asarray(gradient, np.longdouble) * TAILS - true) / true)
    normal = np.abs(true) > 1e-30  # the mean of 2**14 must not end in denormal numbers
    return float(np.minimum(np.where(np.isnan(error), 1, error), 1)[normal].max())


def main() -> None:
    """Measure and draw."""
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__)
    parser.add_argument("-o", "--output", default="docs/images/speed.svg", help="the picture, .svg or .png")
    parser.add_argument("--seconds", type=float, default=3.0, help="of timing, for each loss")
    parser.add_argument("--peers", nargs="*", default=installed(), choices=tuple(PEERS))
    options = parser.parse_args()
    fl.set_num_threads(1)
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.subplots()
    for loss, marker in zip(LOSSES, MARKERS, strict=True):
        times = interleave(calls(loss, *sample(loss, SIZE, "float32"), options.peers), options.seconds)
        y, z = tails(loss)
        for name, call in calls(loss, y, z, options.peers).items():
            error = worst_error(loss, call.function()()[1], y, z)
            nanoseconds = 1e9 * times[name] / SIZE
            print(f"{type(loss).__name__:20} {name:14} {nanoseconds:8.2f} ns {error:9.1e}", flush=True)
            axes.loglog(error, nanoseconds, marker, color=COLOURS[name], markersize=7, alpha=0.85)
    for name in ("fastloss", *options.peers):
        axes.plot([], [], "o", color=COLOURS[name], label=name)
    for loss, marker in zip(LOSSES, MARKERS, strict=True):
        axes.plot([], [], marker, color="#777777", label=type(loss).__name__)
    axes.set_xlabel("worst relative error of the gradient, tails included")
    axes.set_ylabel("ns an element, value and gradient")
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False)
    fl.plotting.save(figure, options.output)


if __name__ == "__main__":
    main()
