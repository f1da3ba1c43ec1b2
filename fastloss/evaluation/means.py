"""Measures that are means of the rows' values, or a function of such means: losses, accuracy, bias, R²."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from fastloss import _core
from fastloss._loss import Loss, PointwiseLoss
from fastloss.errors import DomainError
from fastloss.evaluation.blocks import Array, Block, precision
from fastloss.evaluation.estimates import (
    Estimate,
    Moments,
    Total,
    combination,
    mean_of,
    minus,
    quotient,
    with_interval,
)
from fastloss.measures import Accuracy


class Store(ABC):
    """What one measure has added up, for every group and model."""

    #: The exact sums, which a state lists cell by cell.
    sums: dict[str, _core.ExactSums]

    def __init__(self, measure: Any, n_models: int) -> None:
        self.measure = measure
        self.n_models = n_models
        self.sums = {}

    @abstractmethod
    def add(self, block: Block) -> None:
        """Add the rows of a block."""

    def grow(self, n_groups: int) -> None:
        """Have room for so many groups."""
        for sums in self.sums.values():
            sums.grow(n_groups * self.cells_per_group)

    @property
    def cells_per_group(self) -> int:
        """How many sets of sums a group has."""
        return 1

    def merge(self, other: Any, groups: Array) -> None:
        """Add what another store of the same measure has; its group i is groups[i] here."""
        n = self.cells_per_group
        cells = (groups[:, None] * n + np.arange(n)).ravel()
        for name, sums in self.sums.items():
            sums.merge(other.sums[name], cells)

    def clear(self) -> None:
        """Take everything away that has been added."""
        for sums in self.sums.values():
            sums.clear()

    @abstractmethod
    def estimate(self, group: int, model: int, about: About) -> Any:
        """Return the estimate of a group and model."""

    def difference(self, group: int, a: int, b: int, about: About) -> Any:
        """Return the estimate of model a's value less model b's; without more, its error is not known."""
        return minus(self.estimate(group, a, about), self.estimate(group, b, about), float("nan"))


class About:
    """What all measures of a group share: the number of rows, the sums of weights, the level asked for."""

    def __init__(self, samples: int, weights: list[Total], level: float) -> None:
        self.samples = samples
        self.weights = weights
        self.level = level


class MeanStore(Store):
    """Means of one value a row and model."""

    limits = (-float("inf"), float("inf"))

    def __init__(self, measure: Any, n_models: int) -> None:
        super().__init__(measure, n_models)
        self.sums["values"] = _core.ExactSums(n_models)

    @abstractmethod
    def values(self, block: Block, model: int) -> Array:
        """Return a value for each row, in float32 or float64."""

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        values = [self.values(block, model) for model in range(self.n_models)]
        self.add_values(values, block, block.double_weights)

    def add_values(self, values: list[Array], block: Block, counted: Array | None) -> None:
        """Add a value for each row and model; what a row counts for may be more than its weight."""
        if len({v.dtype for v in values}) > 1:
            values = [v.astype(np.float64) for v in values]
        weights = block.double_weights
        self.sums["values"].add_values(values, weights, counted, block.starts, block.groups)

    def moments(self, group: int, c: list[float], about: About) -> Moments:
        """Return the moments of a combination of the models' values."""
        sums = self.sums["values"]
        cells = [Total(*sums.cell(group, i)) for i in range(sums.width)]
        return combination(cells, self.n_models, self.weights_of(group, about), c)

    def weights_of(self, group: int, about: About) -> list[Total]:
        """Return the sums of the weights and of their squares."""
        return about.weights

    def samples_of(self, group: int, about: About) -> int:
        """Return the number of samples."""
        return about.samples

    def _made(self, group: int, c: list[float], about: About, is_difference: bool) -> Estimate:
        m = self.moments(group, c, about)
        return with_interval(
            m.mean(), m.standard_error(), level=about.level, samples=self.samples_of(group, about),
            weight=m.w.rounded(), limits=MeanStore.limits if is_difference else self.limits,
            is_difference=is_difference,
        )  # fmt: skip

    def estimate(self, group: int, model: int, about: About) -> Estimate:
        """Return the mean."""
        return self._made(group, [float(k == model) for k in range(self.n_models)], about, False)

    def difference(self, group: int, a: int, b: int, about: About) -> Estimate:
        """Return the mean of the rows' differences."""
        c = [float(k == a) - float(k == b) for k in range(self.n_models)]
        return self._made(group, c, about, True)


class LossStore(MeanStore):
    """Means of a loss. Some losses weigh rows themselves: by class, or not at all where they are ignored."""

    def __init__(self, measure: Loss, n_models: int) -> None:
        super().__init__(measure, n_models)
        #: Samples of a row: more than one where a loss of single numbers is given rows of them.
        self.times = 1
        self.weighs = any(
            getattr(measure, name, None) is not None for name in ("class_weight", "ignore_index")
        )
        if self.weighs:
            self.sums["counted"] = _core.ExactSums(0)

    def values(self, block: Block, model: int) -> Array:
        """Return the loss of each sample."""
        z = block.predictions[model]
        out = None
        if isinstance(self.measure, PointwiseLoss) and z.dtype in (np.float32, np.float64):
            out = block.scratch.array(("values", model), z.shape, z.dtype)
        values: Array = self.measure(block.y, z, reduction="none", n_threads=1, out=out)
        flat: Array = np.ascontiguousarray(values, dtype=precision(z)).reshape(-1)
        return flat

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        if not len(block):
            return
        values = [self.values(block, model) for model in range(self.n_models)]
        self.times = len(values[0]) // len(block)
        factors = self._factors(block) if self.weighs else None
        if self.times > 1:
            block = block.repeated(self.times)
        counted = block.double_weights
        if factors is not None:
            counted = factors if counted is None else factors * counted
            self.sums["counted"].add_weights(counted, block.starts, block.groups)
        self.add_values(values, block, counted)

    def _factors(self, block: Block) -> Array:
        """Return what each sample counts for: the weight of its label or class, 0 where it is ignored."""
        y, given = block.y, getattr(self.measure, "class_weight", None)
        if isinstance(self.measure, PointwiseLoss):
            return np.tile(np.asarray(given, dtype=np.float64), len(y))
        n_classes = block.predictions[0].shape[1]
        factors = np.ones(n_classes)
        if isinstance(given, dict):
            for k, x in given.items():
                factors[k] = x
        elif given is not None:
            factors[:] = given
        if y.ndim == 2:
            found: Array = np.sum(y * factors, axis=1)
        else:
            ignored = getattr(self.measure, "ignore_index", None)
            kept = np.ones(len(y), dtype=bool) if ignored is None else y != ignored
            own = np.where(kept, y, 0).astype(np.intp)
            # The loss has checked them; whatever another thread has made of them since gives some number.
            found = np.where(kept, factors.take(own, mode="clip"), 0.0)
        return found

    def merge(self, other: Any, groups: Array) -> None:
        """Add what another store of the same measure has."""
        self.times = max(self.times, other.times)
        super().merge(other, groups)

    def weights_of(self, group: int, about: About) -> list[Total]:
        """Return the sums of what the samples count for and of its squares."""
        if self.weighs:
            return [Total(*self.sums["counted"].cell(group, i)) for i in range(2)]
        return [w.times(self.times) for w in about.weights]

    def samples_of(self, group: int, about: About) -> int:
        """Return the number of samples: of rows, or of numbers in them."""
        return about.samples * self.times


class AccuracyStore(MeanStore):
    """The share of rows whose class is found."""

    measure: Accuracy
    limits = (0.0, 1.0)

    def values(self, block: Block, model: int) -> Array:
        """Return 1 where the class is found, 0 elsewhere."""
        z = block.predictions[model]
        if z.ndim == 1:
            hits = block.found(model, self.measure.cutoff)
            np.equal(hits, block.labels.view(np.bool_), out=hits)
        else:
            hits = rank_of_label(block, model) < self.measure.top_k
        values = block.scratch.array(("values", model), hits.shape, np.float32)
        np.copyto(values, hits)
        return values


class BiasStore(MeanStore):
    """The mean of prediction less target."""

    def values(self, block: Block, model: int) -> Array:
        """Return prediction less target, in float64."""
        return residuals(block, model)


class R2Store(Store):
    """R², from the means of r², y² and y: 1 - mean(r²) / (mean(y²) - mean(y)²)."""

    def __init__(self, measure: Any, n_models: int) -> None:
        super().__init__(measure, n_models)
        self.sums["values"] = _core.ExactSums(n_models + 2)

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        squares = [residuals(block, model) for model in range(self.n_models)]
        for r in squares:
            np.multiply(r, r, out=r)
        y, weights = block.double_y, block.double_weights
        y_y = np.multiply(y, y, out=block.scratch.array("squares of y", y.shape, np.float64))
        self.sums["values"].add_values([*squares, y_y, y], weights, weights, block.starts, block.groups)

    def _means(self, group: int, about: About) -> tuple[list[Total], list[float], float]:
        n = self.n_models + 2
        cells = [Total(*self.sums["values"].cell(group, i)) for i in range(self.sums["values"].width)]
        units = [mean_of(cells[k], about.weights[0]) for k in range(n)]
        w, y_y, y = about.weights[0].units, cells[n - 2], cells[n - 1]
        if about.weights[0] == about.weights[1]:
            y_y = cells[-1]  # weights of 1: the squares themselves, not rounded ones
        # In whole numbers, where nothing cancels: the variance times the square of the sum of weights.
        spread = (
            quotient(w * y_y.units - y.units * y.units, w * w) if y_y.is_finite and y.is_finite else math.nan
        )
        return cells, units, spread

    def estimate(self, group: int, model: int, about: About) -> Estimate:
        """Return R² and its error by the delta method."""
        return self._made(group, {model: 1.0}, about)

    def difference(self, group: int, a: int, b: int, about: About) -> Estimate:
        """Return the difference of two models' R²."""
        return self._made(group, {a: 1.0, b: -1.0}, about)

    def _made(self, group: int, models: dict[int, float], about: About) -> Estimate:
        cells, means, spread = self._means(group, about)
        n, is_difference = self.n_models + 2, len(models) > 1
        value = math.nan
        slopes = [0.0] * n
        if spread > 0:
            shares = {k: means[k] / spread for k in models}
            value = 0.0 if is_difference else 1.0
            for k, sign in models.items():
                value -= sign * shares[k]
                slopes[k] -= sign / spread
                slopes[n - 2] += sign * shares[k] / spread
                slopes[n - 1] -= 2 * sign * means[n - 1] * shares[k] / spread
        error = math.nan
        if all(map(math.isfinite, slopes)) and value == value:
            error = combination(cells, n, about.weights, slopes).standard_error()
        return with_interval(
            value, error, level=about.level, samples=about.samples, weight=about.weights[0].rounded(),
            limits=MeanStore.limits if is_difference else (-math.inf, 1.0), is_difference=is_difference,
        )  # fmt: skip


class MaxErrorStore(Store):
    """The largest distance of a prediction from its target."""

    def __init__(self, measure: Any, n_models: int) -> None:
        super().__init__(measure, n_models)
        self.largest = np.zeros((0, n_models))

    def grow(self, n_groups: int) -> None:
        """Have room for so many groups."""
        more = np.full((n_groups - len(self.largest), self.n_models), -np.inf)
        self.largest = np.concatenate([self.largest, more])

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        kept = np.flatnonzero(np.diff(block.starts))
        groups, starts = block.groups[kept], block.starts[kept]
        for model in range(self.n_models):
            errors = residuals(block, model)
            np.abs(errors, out=errors)
            if block.weights is not None:
                errors = np.where(block.weights != 0, errors, -np.inf)
            if len(errors):
                largest = np.maximum.reduceat(errors, starts)
                self.largest[groups, model] = np.maximum(self.largest[groups, model], largest)

    def clear(self) -> None:
        """Take everything away that has been added."""
        self.largest[:] = -np.inf

    def merge(self, other: Any, groups: Array) -> None:
        """Add what another store of the same measure has."""
        np.maximum.at(self.largest, groups, other.largest)

    def estimate(self, group: int, model: int, about: About) -> Estimate:
        """Return the largest error; it has no standard error."""
        value = float(self.largest[group, model])
        return with_interval(
            math.nan if value == -math.inf else value, math.nan, level=about.level, samples=about.samples,
            weight=about.weights[0].rounded(),
        )  # fmt: skip


def residuals(block: Block, model: int) -> Array:
    """Return predictions less targets, rounded once to float64, in a scratch array."""
    y, z = block.y, block.predictions[model]
    if z.ndim != 1 or y.ndim != 1:
        raise ValueError(f"y_pred has shape (n, {z.shape[-1]}), expected one prediction a row")
    room = block.scratch.array(("residuals", model), z.shape, np.float64)
    if len(z) and z.dtype.kind in "iu" and y.dtype.kind in "iu":
        # Times in nanoseconds are beyond the whole numbers that float64 holds; their differences are not.
        from fastloss.metrics._integers import differences, is_beyond_floats

        if is_beyond_floats(z) or is_beyond_floats(y):
            room[:] = differences(z, y)
            return room
    return np.subtract(z, block.double_y, out=room, dtype=np.float64)


def class_labels(block: Block, n_classes: int) -> Array:
    """Return targets as indices of classes.

    Raises
    ------
    ValueError
        One of them is none.
    """
    if block.y.ndim != 1:
        raise ValueError(f"y_true has shape (n, {block.y.shape[1]}), expected one class a row")
    y = block.y.copy()  # what is looked at is what is used, whatever another thread writes meanwhile
    good = (y >= 0) & (y < n_classes)
    if y.dtype.kind == "f":
        good &= y == np.floor(y)
    if not good.all():
        row = int(np.argmin(good))
        expected = f"0 to {n_classes - 1}"
        raise DomainError("y_true", row, y[row], expected, f" is no class: expected {expected}")
    found: Array = y.astype(np.intp, copy=False)
    return found


def rank_of_label(block: Block, model: int) -> Array:
    """Return how many scores of a row come before its label's; of equal ones the lower classes' do."""
    z = block.rows_of_scores(model)
    label = class_labels(block, z.shape[1])
    own = np.take_along_axis(z, label[:, None], axis=1)
    before = np.arange(z.shape[1])[None, :] < label[:, None]
    found: Array = np.count_nonzero((z > own) | ((z == own) & before), axis=1)
    return found
