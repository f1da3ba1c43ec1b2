"""The audit of a formula: how exact its results are, and what kind of loss it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastloss.formulas import blame, samples
from fastloss.formulas.kinks import Kink, find_kinks
from fastloss.formulas.truth import Truth

if TYPE_CHECKING:
    from fastloss.formulas.loss import Formula

Array = npt.NDArray[Any]

OUTPUTS = ("value", "gradient", "hessian")
#: What a result may be off by, in units in the last place; so much where it is ill-conditioned, in units of
#: what a rounding of the inputs changes.
_EXACT, _CONDITIONED = 4.0, 8.0
#: A derivative that is off by more than this share at so many of the places is another function's.
_WRONG, _WRONG_SHARE = 1e-2, 0.3
_START, _KEPT = 150, 10


@dataclass(frozen=True)
class Accuracy:
    """The worst that was found of one output in one precision.

    Attributes
    ----------
    dtype, output : str
        The precision, and which of the results.
    ulp : float
        The largest error in units in the last place of the true number.
    conditioned_ulp : float
        The same in units of what changes when the target or the prediction is rounded.
    y, z, result, truth : float
        Where it is, what was computed and what is true.
    verdict : str
        "exact", "ill-conditioned", "cancels", "overflows" or "wrong".
    """

    dtype: str
    output: str
    ulp: float
    conditioned_ulp: float
    y: float
    z: float
    result: float
    truth: float
    verdict: str
    hint: str = ""


@dataclass(frozen=True)
class Audit:
    """What :meth:`Formula.audit` found; as a string, a table.

    Attributes
    ----------
    accuracy : tuple of Accuracy
        The worst of each output in each precision.
    kinks : tuple of Kink
        Where the slope or the value jumps, with the subgradient that the loss gives.
    hessian_range : tuple of float
        The smallest and the largest second derivative that was met.
    convex : bool
        Whether nothing was met that a convex loss does not have.
    majorizer : float or None
        The largest absolute second derivative, where that is bounded: a majorizer.
    curvature : str
        The curvature to train boosted trees with.
    problems : tuple of str
        What to mend, a sentence for each.
    places : int
        How many samples were compared.
    """

    loss: Formula
    accuracy: tuple[Accuracy, ...]
    kinks: tuple[Kink, ...]
    hessian_range: tuple[float, float]
    convex: bool
    majorizer: float | None
    curvature: str
    problems: tuple[str, ...]
    places: int

    def __str__(self) -> str:
        lines = [repr(self.loss), f"{'':18} {'ULP':>9} {'of input':>9}  where"]
        for a in self.accuracy:
            where = f"y = {a.y!r}, z = {a.z!r}: {a.result:.9g}, truth {a.truth:.9g}"
            lines.append(
                f"{a.dtype} {a.output:10} {a.ulp:9.3g} {a.conditioned_ulp:9.3g}  {a.verdict}, {where}"
            )
        low, high = self.hessian_range
        lines.append(f"Hessian from {low:.4g} to {high:.4g}; {'convex' if self.convex else 'not convex'}")
        if self.majorizer is not None:
            lines.append(f"|Hessian| is at most {self.majorizer:.4g}: a majorizer")
        lines += [str(kink) for kink in self.kinks]
        lines.append(f"for boosting: curvature={self.curvature!r}")
        lines += [f"problem: {problem}" for problem in self.problems] or ["no problem found"]
        return "\n".join(lines)


def audited(loss: Formula, seconds: float, seed: int) -> Audit:
    """Audit a formula for about so many seconds."""
    graph, roots = loss._raw()
    assert roots[0] is not None
    truth = Truth(graph, roots[0], loss.parameters)
    accuracy: list[Accuracy] = []
    places = 0
    for dtype in (np.float32, np.float64):
        search = _Search(loss, truth, dtype, np.random.default_rng(seed))
        search.run(seconds / 2)
        accuracy += [search.worst(k) for k in range(3)]
        places += len(search.y)
    kinks = find_kinks(loss, truth)
    h, far = curvatures(loss)
    low, high = float(h.min()), float(h.max())
    largest = float(np.abs(h).max())
    convex = low >= -1e-9 * largest and all(kink.convex for kink in kinks)
    bounded = bool(np.isfinite(far).all() and np.abs(far).max(initial=0) <= 1.001 * largest) and not any(
        kink.jumps for kink in kinks
    )
    problems = tuple(
        f"{a.output} in {a.dtype} {_PROBLEMS[a.verdict]}{a.hint}" for a in accuracy if a.verdict in _PROBLEMS
    )
    majorizer = largest if bounded and largest > 0 else None
    return Audit(loss, tuple(accuracy), kinks, (low, high), convex, majorizer, advised(h), problems, places)


_PROBLEMS = {
    "cancels": "loses digits: ",
    "overflows": "is infinite or NaN where the truth is a number: ",
    "wrong": "is not the derivative of the formula: ",
}


def curvatures(loss: Formula) -> tuple[Array, Array]:
    """Return finite Hessians at ordinary samples, and all at samples of any size."""
    with np.errstate(all="ignore"):
        near = samples.ordinary(loss.target_domain, loss.prediction_domain)
        far = samples.hard(
            loss.target_domain, loss.prediction_domain, np.float64, np.random.default_rng(0), 2000
        )
        h, wide = (loss.gradient_and_hessian(*pair, reduction="none", n_threads=1)[1] for pair in (near, far))
    h = h[np.isfinite(h)]
    return (h if h.size else np.zeros(1)), wide


def advised(h: Array) -> str:
    """Return the curvature for boosting, by Hessians at ordinary samples."""
    largest = float(np.abs(h).max())
    if np.mean(np.abs(h) <= 1e-9 * largest) > 0.1:
        return "unit"
    return "absolute" if h.min() < -1e-9 * largest else "exact"


class _Search:
    """Compares results of one precision with the truth where errors are largest."""

    def __init__(self, loss: Formula, truth: Truth, dtype: Any, rng: np.random.Generator) -> None:
        self.loss, self.truth, self.dtype, self.rng = loss, truth, dtype, rng
        self.domains = loss.target_domain, loss.prediction_domain
        self.y = np.empty(0, dtype)
        self.z = np.empty(0, dtype)
        self.results = np.empty((3, 0), dtype)
        self.truths: list[Any] = []
        self.errors = np.empty((3, 0))
        self.conditioned = np.empty((3, 0))

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.add(*samples.hard(*self.domains, self.dtype, self.rng, _START))
        while time.monotonic() < end:
            best = np.unique(
                np.concatenate([np.argsort(e)[-_KEPT:] for e in (*self.errors, *self.conditioned)])
            )
            self.add(*samples.varied(*self.domains, self.y[best], self.z[best], self.rng))

    def add(self, y: Array, z: Array) -> None:
        with np.errstate(all="ignore"):
            results = self.loss.value_gradient_and_hessian(y, z, reduction="none", n_threads=1)
        errors, conditioned = np.zeros((3, len(y))), np.zeros((3, len(y)))
        for i in range(len(y)):
            d = self.truth.derivatives(float(y[i]), float(z[i]))
            self.truths.append(d)
            if self.is_kink(d, float(z[i])):
                continue
            for k in range(3):
                error = float(self.error(results[k][i], d[k]))
                errors[k, i] = error
                conditioned[k, i] = error * self.share(d[k], float(z[i]) * d[k + 1])
        self.y, self.z = np.concatenate([self.y, y]), np.concatenate([self.z, z])
        self.results = np.concatenate([self.results, np.stack(results)], axis=1)
        self.errors = np.concatenate([self.errors, errors], axis=1)
        self.conditioned = np.concatenate([self.conditioned, conditioned], axis=1)

    def is_kink(self, d: Any, z: float) -> bool:
        """Tell whether difference quotients are those of a jump: as large as their steps are small."""
        size = abs(z) or 1e-20
        scale = max(abs(d.value), abs(d.gradient) * size) if d.gradient == d.gradient else 0
        return bool(abs(d.hessian) * size * size > 1e20 * scale or abs(d.third) * size**3 > 1e25 * scale)

    def error(self, result: Any, truth: Any) -> float:
        """Return an error in units in the last place."""
        mp, info = self.truth.mp, np.finfo(self.dtype)
        if not mp.isfinite(truth):
            return 0.0
        if abs(truth) > mp.mpf(float(info.max)):
            return 0.0 if np.isinf(result) else np.inf
        if abs(truth) < mp.mpf(float(info.tiny)) and abs(result) <= 2 * info.tiny:
            return 0.0  # of subnormal numbers nothing is promised but that they are small
        if not np.isfinite(result):
            return np.inf
        error = abs(mp.mpf(float(result)) - truth)
        return float(error / self.unit(truth))

    def unit(self, truth: Any) -> Any:
        info, mp = np.finfo(self.dtype), self.truth.mp
        exponent = info.minexp if truth == 0 else max(int(mp.frexp(truth)[1]) - 1, info.minexp)
        return mp.mpf(2) ** (exponent - info.nmant)

    def share(self, truth: Any, change: Any) -> float:
        """Return how many units of the truth go into one of what a rounding changes, upside down."""
        mp = self.truth.mp
        if not mp.isfinite(change) or not mp.isfinite(truth):
            return 1.0
        return float(self.unit(truth) / self.unit(max(abs(truth), abs(change))))

    def conditioned_by_target(self, k: int, i: int) -> float:
        """Return the error in units of what a rounding of either input changes."""
        y, z = float(self.y[i]), float(self.z[i])
        d, mp = self.truths[i], self.truth.mp
        moved = self.truth.derivatives(y * (1 + 2.0**-40) if y else 2.0**-60, z)
        change = (moved[k] - d[k]) * 2**40
        both = max(abs(z * d[k + 1]), abs(change)) if mp.isfinite(change) else mp.mpf(0)
        return float(self.errors[k, i]) * self.share(d[k], both)

    def worst(self, k: int) -> Accuracy:
        faulty = self.conditioned[k] > _CONDITIONED
        i = int(np.argmax(np.where(faulty, self.conditioned[k], -1) if faulty.any() else self.errors[k]))
        error = float(self.errors[k, i])
        conditioned = self.conditioned_by_target(k, i) if error > _EXACT and np.isfinite(error) else error
        conditioned = min(conditioned, error)
        result, truth = float(self.results[k, i]), float(self.truths[i][k])
        verdict, hint = self.judged(k, i, error, conditioned)
        return Accuracy(
            np.dtype(self.dtype).name,
            OUTPUTS[k],
            error,
            conditioned,
            float(self.y[i]),
            float(self.z[i]),
            result,
            truth,
            verdict,
            hint,
        )

    def judged(self, k: int, i: int, error: float, conditioned: float) -> tuple[str, str]:
        if error <= _EXACT:
            return "exact", ""
        if k and self.is_wrong(k):
            return "wrong", f"{float(self.results[k, i]):.6g} for {float(self.truths[i][k]):.6g}"
        if conditioned <= _CONDITIONED:
            return "ill-conditioned", ""
        hint = blame.culprit(self.loss, self.truth, k, self.y[i : i + 1], self.z[i : i + 1])
        return ("cancels" if np.isfinite(self.results[k, i]) else "overflows"), hint

    def is_wrong(self, k: int) -> bool:
        truths = np.array([float(d[k]) for d in self.truths[:_START]])
        results = self.results[k, :_START].astype(np.float64)
        with np.errstate(all="ignore"):
            off = np.abs(results - truths) > _WRONG * np.abs(truths)
        counts = np.isfinite(truths) & np.isfinite(results) & (np.abs(truths) > 1e-6) & (np.abs(truths) < 1e6)
        return bool(counts.any() and np.mean(off[counts]) > _WRONG_SHARE)
