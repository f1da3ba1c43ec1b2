"""Measures of rows counted by class and decision, or by probability: confusion and calibration."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.binary import BinaryCrossEntropy
from fastloss.errors import DomainError
from fastloss.evaluation.blocks import Array, Block
from fastloss.evaluation.estimates import (
    Estimate,
    Moments,
    Scores,
    Total,
    quotient,
    with_interval,
)
from fastloss.evaluation.means import About, Store, class_labels
from fastloss.measures import Calibration, Confusion

#: With weights a cell has two exact sums of a thousand bytes each.
MOST_WEIGHTED_CLASSES = 100
#: With so few groups in a block each one's rows are counted by themselves.
_FEW_RUNS = 64


class ConfusionStore(Store):
    """Rows by their class and the class found."""

    measure: Confusion

    def __init__(self, measure: Confusion, n_models: int) -> None:
        super().__init__(measure, n_models)
        self.n_classes = 0
        self.n_groups = 0
        self.counts = np.zeros((n_models, 0, 0), dtype=np.int64)

    @property
    def cells_per_group(self) -> int:
        """The number of pairs of classes."""
        return max(1, self.n_classes**2)

    def grow(self, n_groups: int) -> None:
        """Have room for so many groups."""
        self.n_groups = max(self.n_groups, n_groups)
        if self.n_classes:
            more = np.zeros(
                (self.n_models, self.n_groups - self.counts.shape[1], self.n_classes**2), np.int64
            )
            self.counts = np.concatenate([self.counts.reshape(self.n_models, -1, self.n_classes**2), more], 1)
        super().grow(self.n_groups)

    def set_classes(self, n_classes: int) -> None:
        """Learn the number of classes, from the first rows."""
        if self.n_classes == 0:
            self.n_classes = n_classes
            self.grow(self.n_groups)
        elif n_classes != self.n_classes:
            raise ValueError(f"y_pred has {n_classes} classes a row, but had {self.n_classes} before")

    def have_weights(self) -> None:
        """Make exact sums for the cells, once there are weights."""
        if self.sums:
            return
        if self.n_classes > MOST_WEIGHTED_CLASSES:
            raise ValueError(
                f"a weighted confusion matrix has at most {MOST_WEIGHTED_CLASSES} classes, "
                f"got {self.n_classes}"
            )
        for model in range(self.n_models):
            self.sums[str(model)] = _core.ExactSums(0)
        super().grow(self.n_groups)

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        z = block.predictions[0]
        n = 2 if z.ndim == 1 else z.shape[1]
        self.set_classes(n)
        label = block.labels if z.ndim == 1 else class_labels(block, n)
        if block.weights is not None:
            self.have_weights()
        lengths = np.diff(block.starts)
        for model, z in enumerate(block.predictions):
            found = block.found(model, self.measure.cutoff) if z.ndim == 1 else largest(block, model)
            if z.ndim == 1 and block.double_weights is None and len(lengths) <= _FEW_RUNS:
                self._count(model, block, label.view(np.bool_), found)
                continue
            code = label.astype(np.uint32) * np.uint32(n) + found.astype(np.uint32)
            if block.double_weights is not None:
                (weights,), starts, cells = block.split_by(code, n * n, [block.double_weights])
                self.sums[str(model)].add_weights(weights, starts, cells)
                continue
            run = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
            counts = np.bincount(run * (n * n) + code, minlength=len(lengths) * n * n)
            self.counts[model, block.groups] += counts.reshape(len(lengths), n * n)

    def _count(self, model: int, block: Block, label: Array, found: Array) -> None:
        """Count the rows of two classes, run by run."""
        both = np.logical_and(label, found, out=block.scratch.array("both", found.shape, np.bool_))
        for group, start, end in zip(block.groups, block.starts[:-1], block.starts[1:], strict=True):
            run = slice(start, end)
            positive, hits = np.count_nonzero(label[run]), np.count_nonzero(found[run])
            right = np.count_nonzero(both[run])
            others = end - start - positive - (hits - right)
            self.counts[model, group] += (others, hits - right, positive - right, right)

    def clear(self) -> None:
        """Take everything away that has been added."""
        self.counts[:] = 0
        super().clear()

    def merge(self, other: Any, groups: Array) -> None:
        """Add what another store of the same measure has."""
        if not other.n_classes:
            return
        self.set_classes(other.n_classes)
        for model in range(self.n_models):
            np.add.at(self.counts[model], groups, other.counts[model])
        if other.sums:
            self.have_weights()
            super().merge(other, groups)

    def matrix(self, group: int, model: int) -> tuple[Array, Array]:
        """Return the sums of weights by class and class found, and those of their squares."""
        n = self.n_classes
        counts = self.counts[model, group] if n else np.zeros(0, np.int64)
        both = np.zeros((2, n * n))
        for k in range(n * n):
            for i in range(2):
                total = Total(int(counts[k]) << _core.EXACT_UNIT)
                if self.sums:
                    total += Total(*self.sums[str(model)].cell(group * n * n + k, i))
                both[i, k] = total.rounded() if self.sums else counts[k]
        return both[0].reshape(n, n), both[1].reshape(n, n)

    def estimate(self, group: int, model: int, about: About) -> Scores:
        """Return what comes of the matrix; errors by the delta method."""
        matrix, squares = self.matrix(group, model)

        def made(value: float, slope: Array) -> Estimate:
            error = math.sqrt(float(np.sum(slope * slope * squares))) if matrix.any() else math.nan
            low = -1.0 if slope is mcc_slope else 0.0
            return with_interval(
                float(value), error, level=about.level, samples=about.samples,
                weight=about.weights[0].rounded(), limits=(low, 1.0),
            )  # fmt: skip

        n = len(matrix)
        mcc_value, mcc_slope = _mcc(matrix)
        parts = {"precision": _shares(matrix.T), "recall": _shares(matrix), "f1": _f1(matrix)}
        parts["precision"] = (parts["precision"][0], parts["precision"][1].transpose(0, 2, 1))
        seen = matrix.sum(axis=1) > 0
        found: dict[str, Estimate] = {}
        value, slope = parts["recall"]
        every = np.arange(n)
        balanced = made(
            value[seen].mean() if seen.any() else math.nan,
            slope[seen].sum(axis=0) / max(1, seen.sum()),
        )
        if n == 2:
            found = {name: made(v[1], s[1]) for name, (v, s) in parts.items()}
            found["specificity"] = made(value[0], slope[0])
        else:
            for name, (v, s) in parts.items():
                found[name] = made(v.mean() if n else math.nan, s.sum(axis=0) / max(1, n))
            for name, (v, s) in parts.items():
                found.update({f"{name}[{k}]": made(v[k], s[k]) for k in every})
        found["balanced_accuracy"] = balanced
        found["mcc"] = made(mcc_value, mcc_slope)
        return Scores(found, {"matrix": matrix})


def largest(block: Block, model: int) -> Array:
    """Return the class of each row's largest score, the lowest of equal ones."""
    found: Array = block.rows_of_scores(model).argmax(axis=1)
    return found


def _shares(m: Array) -> tuple[Array, Array]:
    """Return of each row the share on the diagonal, and its slopes by the matrix; 0 of an empty row."""
    n = len(m)
    total = m.sum(axis=1)
    safe = np.where(total > 0, total, 1)
    share = np.where(total > 0, np.diagonal(m) / safe, 0.0)
    slopes = np.zeros((n, n, n))
    k = np.arange(n)
    slopes[k, k, :] = -share[:, None] / safe[:, None]
    slopes[k, k, k] += 1 / safe
    slopes[total == 0] = 0
    return share, slopes


def _f1(m: Array) -> tuple[Array, Array]:
    """Return F1 of each class, 2 tp / (row + column), and its slopes."""
    n = len(m)
    both = m.sum(axis=0) + m.sum(axis=1)
    safe = np.where(both > 0, both, 1)
    f1 = np.where(both > 0, 2 * np.diagonal(m) / safe, 0.0)
    slopes = np.zeros((n, n, n))
    k = np.arange(n)
    slopes[k, k, :] -= f1[:, None] / safe[:, None]
    slopes[k, :, k] -= f1[:, None] / safe[:, None]
    slopes[k, k, k] += 2 / safe
    slopes[both == 0] = 0
    return f1, slopes


def _mcc(m: Array) -> tuple[float, Array]:
    """Return Matthews' correlation and its slopes; 0 where all rows are of one class, or found so."""
    row, column, total, right = m.sum(axis=1), m.sum(axis=0), m.sum(), np.trace(m)
    top = right * total - row @ column
    a, b = total**2 - column @ column, total**2 - row @ row
    if not (a > 0 and b > 0):
        return 0.0 if m.size else math.nan, np.zeros_like(m)
    d_top = np.eye(len(m)) * total + right - row[None, :] - column[:, None]
    d_a, d_b = 2 * (total - column)[None, :], 2 * (total - row)[:, None]
    value = top / math.sqrt(a * b)
    return float(value), d_top / math.sqrt(a * b) - value / 2 * (d_a / a + d_b / b)


class _Bin(NamedTuple):
    """Sums over a bin of weights w, probabilities p and labels y: integers of the unit of exact sums."""

    p: int  # sum w p
    right: int  # sum w y
    w: int
    w_w: int
    gap: int  # sum w (p - y)
    gap_w: int  # sum w² (p - y)
    gap_gap: int  # sum w² (p - y)²


class CalibrationStore(Store):
    """Sums of probabilities, by their bin and by label."""

    measure: Calibration

    def __init__(self, measure: Calibration, n_models: int) -> None:
        super().__init__(measure, n_models)
        for model in range(n_models):
            self.sums[f"values {model}"] = _core.ExactSums(1)
            self.sums[f"weights {model}"] = _core.ExactSums(0)

    @property
    def cells_per_group(self) -> int:
        """The number of bins, twice."""
        return 2 * self.measure.n_bins

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        n_bins = self.measure.n_bins
        for model in range(self.n_models):
            p, hit = self._probabilities(block, model)
            code = block.scratch.array("codes of bins", p.shape, np.uint32)
            if not _core.find_probability_bins(p, hit, n_bins, code):
                row, z = int((~((p >= 0) & (p <= 1))).argmax()), block.predictions[model]
                expected = "a number in [0, 1]"
                raise DomainError("y_pred", row, z[row], expected, f" is no probability: expected {expected}")
            given = [p] if block.double_weights is None else [p, block.double_weights]
            (p, *w), starts, cells = block.split_by(code, 2 * n_bins, given)
            weights = w[0] if w else None
            self.sums[f"values {model}"].add_values([p], weights, weights, starts, cells)
            if weights is None:
                self.sums[f"weights {model}"].add_counts(np.diff(starts).astype(np.int64), cells)
            else:
                self.sums[f"weights {model}"].add_weights(weights, starts, cells)

    def _probabilities(self, block: Block, model: int) -> tuple[Array, Array]:
        """Return the probability of each row, and 1 where what it is of is so."""
        z = block.predictions[model]
        if z.ndim == 1:
            p, hit = block.scores(model), block.labels
            if self.measure.from_logits:
                p = _sigmoid(p, block.scratch.array("probabilities", p.shape, p.dtype))
        else:
            label = class_labels(block, z.shape[1])
            top = largest(block, model)
            wide = block.rows_of_scores(model).astype(np.float64)
            if self.measure.from_logits:
                shifted = np.exp(wide - wide.max(axis=1, keepdims=True))
                p = 1 / shifted.sum(axis=1)
            else:
                p = np.take_along_axis(wide, top[:, None], axis=1)[:, 0]
            hit = (top == label).view(np.uint8)
        return p, hit

    def bins(self, group: int, model: int) -> list[_Bin]:
        """Return the sums of each bin."""
        n = self.measure.n_bins
        values, weights = self.sums[f"values {model}"], self.sums[f"weights {model}"]
        found = []
        for cells in ((c, c + 1) for c in range(2 * group * n, 2 * (group + 1) * n, 2)):
            # Products of probabilities and weights are finite: the integers are all that there is.
            p, p_w, p_p, hit, hit_w, hit_p = (values.cell(c, i)[0] for c in cells for i in range(3))
            miss, miss_w, right, right_w = (weights.cell(c, i)[0] for c in cells for i in range(2))
            gap, gap_w, gap_gap = p + hit - right, p_w + hit_w - right_w, p_p + hit_p - 2 * hit_w + right_w
            found.append(_Bin(p + hit, right, miss + right, miss_w + right_w, gap, gap_w, gap_gap))
        return found

    def table(self, group: int, model: int) -> dict[str, Array]:
        """Return the reliability table."""
        return self._table(self.bins(group, model))

    def _table(self, bins: list[_Bin]) -> dict[str, Array]:
        n = self.measure.n_bins
        return {
            "low": np.arange(n) / n,
            "high": np.arange(1, n + 1) / n,
            "probability": np.array([quotient(b.p, b.w) for b in bins]),
            "share": np.array([quotient(b.right, b.w) for b in bins]),
            "weight": np.array([Total(b.w).rounded() for b in bins]),
        }

    def estimate(self, group: int, model: int, about: About) -> Scores:
        """Return the distances of shares and probabilities, and Murphy's parts of the Brier score."""
        bins = self.bins(group, model)
        table = self._table(bins)
        kept = table["weight"] > 0
        gap = np.where(kept, table["probability"] - table["share"], 0.0)
        share = np.where(kept, table["share"], 0.0)

        def made(value: float, error: float) -> Estimate:
            return with_interval(
                float(value) if kept.any() else math.nan, error, level=about.level, samples=about.samples,
                weight=about.weights[0].rounded(), limits=(0.0, 1.0),
            )  # fmt: skip

        # The mean distance is the mean of s (p - y), with the sign s of each bin: a ratio of sums.
        signs = [1 if b.gap >= 0 else -1 for b in bins]
        moments = Moments(
            Total(sum(s * b.gap for s, b in zip(signs, bins, strict=True))),
            Total(sum(s * b.gap_w for s, b in zip(signs, bins, strict=True))),
            Total(sum(b.gap_gap for b in bins)),
            Total(sum(b.w for b in bins)),
            Total(sum(b.w_w for b in bins)),
        )
        total = math.fsum(table["weight"])
        base = math.fsum(table["weight"] * share) / total if total else math.nan
        reliability = math.fsum(table["weight"] * gap**2) / total if total else math.nan
        resolution = math.fsum(table["weight"] * (share - base) ** 2 * kept) / total if total else math.nan
        return Scores(
            {
                "ece": made(moments.mean(), moments.standard_error()),
                "mce": made(float(np.abs(gap).max()), math.nan),
                "reliability": made(reliability, math.nan),
                "resolution": made(resolution, math.nan),
                "uncertainty": made(base * (1 - base), math.nan),
            },
            {"reliability": table},
        )


def _sigmoid(z: Array, out: Array) -> Array:
    """Return the slopes of the cross-entropy of the label 0, which are the probabilities of the label 1."""
    zeros = np.zeros(z.shape, dtype=np.uint8)
    return BinaryCrossEntropy().gradient(zeros, z, reduction="none", out=out, n_threads=1)
