"""Measures that depend on the order of the scores: AUC, average precision, KS, and their curves."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.evaluation.blocks import Array, Block
from fastloss.evaluation.estimates import Estimate, Total, minus, with_interval
from fastloss.evaluation.means import About, Store
from fastloss.evaluation.tables import LARGEST_WEIGHT, MOST_COUNTS, Ranked, Table

#: A group of so many rows is kept row by row; of more, rows are counted by the key of their score.
KEPT_ROWS = 1 << 16
#: Rows of one call of `update` that are not put into tables before it has succeeded.
HELD_ROWS = 1 << 22
#: With so few groups in a block each one's rows are held by themselves.
_FEW_RUNS = 64
_EXTENT = {"roc_auc": "auc", "average_precision": "precision", "ks": "ks"}


class Rows(NamedTuple):
    """Rows that are kept: the group, label, weight and scores of each; one number for all of one group."""

    group: Array | int
    label: Array
    weight: Array | None
    scores: list[Array]
    #: Whether the arrays are not the caller's, who may write to them.
    is_own: bool = False

    def where(self, kept: Any) -> Rows:
        """Return some of the rows: views of those of a slice, copies of others."""
        weight = None if self.weight is None else self.weight[kept]
        group = self.group if isinstance(self.group, int) else self.group[kept]
        return self._replace(
            group=group, label=self.label[kept], weight=weight, scores=[s[kept] for s in self.scores]
        )

    def of(self, group: int) -> Rows:
        """Return the rows of a group."""
        if isinstance(self.group, int):
            return self.where(slice(None) if self.group == group else slice(0))
        return self.where(self.group == group)

    def groups(self) -> Array:
        """Return the group of each row."""
        if isinstance(self.group, int):
            return np.full(len(self.label), self.group, dtype=np.uint32)
        return self.group

    @staticmethod
    def joined(parts: list[Rows]) -> Rows:
        """Return copies of several, all of one group or all of many, as one."""
        weight = None
        if any(rows.weight is not None for rows in parts):
            weight = np.concatenate([
                np.ones(len(rows.label)) if rows.weight is None else rows.weight for rows in parts
            ])  # fmt: skip
        label = np.concatenate([rows.label for rows in parts])
        scores = [np.concatenate(some) for some in zip(*(rows.scores for rows in parts), strict=True)]
        group = parts[0].group
        if not isinstance(group, int):
            group = np.concatenate([rows.group for rows in parts])
        return Rows(group, label, weight, scores, is_own=True)

    @staticmethod
    def copied(parts: list[Rows]) -> list[Rows]:
        """Return copies of views of arrays that are the caller's: those of a group together."""
        by_group: dict[int, list[Rows]] = {}
        found = []
        for rows in parts:
            if rows.is_own:
                found.append(rows)
            elif isinstance(rows.group, int):
                by_group.setdefault(rows.group, []).append(rows)
            else:
                found.append(Rows.joined([rows]))
        return found + [Rows.joined(some) for some in by_group.values()]

    def alone(self) -> Rows:
        """Return rows whose arrays are no parts of larger ones, which would stay in memory with them."""
        if not self.is_own or self.label.base is None:
            return self
        return Rows.joined([self])


class OrderStore(Store):
    """What the measures of an order share: rows, or tables of the groups that have many."""

    def __init__(self, measure: Any, n_models: int) -> None:
        super().__init__(measure, n_models)
        #: Whether rows are held as they are, to be merged into another store as soon as all are good.
        self.holds = False
        self.held = 0
        self.kept: list[Rows] = []
        self.counts = np.zeros(0, dtype=np.int64)
        self.tables: dict[int, list[Table]] = {}
        self._by_group: dict[int, list[Rows]] = {}
        self._ranked: dict[tuple[int, int], Ranked] = {}
        #: By group, model, and whether more than the area is told of.
        self._says: dict[tuple[int, int, bool], dict[str, Any]] = {}

    def grow(self, n_groups: int) -> None:
        """Have room for so many groups."""
        self.counts = np.concatenate([self.counts, np.zeros(n_groups - len(self.counts), dtype=np.int64)])

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        labels, weights = block.labels, block.double_weights
        scores = [block.scores(model) for model in range(self.n_models)]
        lengths = np.diff(block.starts)
        self.counts[block.groups] += lengths
        if len(block.groups) <= _FEW_RUNS:
            for group, start, end in zip(
                block.groups.tolist(), block.starts[:-1].tolist(), block.starts[1:].tolist(), strict=True
            ):
                if end > start:
                    rows = Rows(group, labels, weights, scores, block.is_own)
                    self.kept.append(rows.where(slice(start, end)))
        else:
            group_of = np.repeat(block.groups, lengths).astype(np.uint32)
            self.kept.append(Rows(group_of, labels, weights, scores, block.is_own))
        self.held += len(labels)
        self._spill()

    def merge(self, other: OrderStore, groups: Array) -> None:
        """Add what another store has."""
        self._forget()
        np.add.at(self.counts, groups, other.counts)
        for g, tables in other.tables.items():
            mine = self.tables.get(int(groups[g]))
            if mine is None:
                # Those of a store that only held rows are of no more use to it.
                own = tables if other.holds else [table.shared() for table in tables]
                self.tables[int(groups[g])] = own
                continue
            for table, added in zip(mine, tables, strict=True):
                table.merge(added)
        old = {id(rows) for rows in self.kept}
        for rows in other.kept:
            is_one = isinstance(rows.group, int)
            group = int(groups[rows.group]) if is_one else groups[rows.group].astype(np.uint32)
            self.kept.append(rows._replace(group=group))
        self.held += other.held
        self._spill()
        if other.holds and not self.holds:
            new = [rows for rows in self.kept if id(rows) not in old]
            self.kept = [rows for rows in self.kept if id(rows) in old] + Rows.copied(new)

    def clear(self) -> None:
        """Take everything away that has been added; what another store has got of it stays as it is."""
        self.kept, self.tables, self.held = [], {}, 0
        self.counts[:] = 0
        self._forget()

    def _forget(self) -> None:
        """Forget what has been found of other rows."""
        self._by_group.clear()
        self._ranked.clear()
        self._says.clear()

    def settle(self) -> None:
        """Hold no rows any more that are the caller's."""
        self.holds = False
        self._spill()
        self.kept = Rows.copied(self.kept)

    def _spill(self) -> None:
        """Move the rows of groups that have become large, or have a table, to tables."""
        if self.measure.exact or (self.holds and self.held <= HELD_ROWS):
            return
        large = self.counts > KEPT_ROWS
        for g in self.tables:
            large[g] = True
        if not large.any():
            return
        left: list[Rows] = []
        for rows in self.kept:
            if isinstance(rows.group, int):
                if large[rows.group]:
                    self._add_to_tables(rows.group, rows)
                else:
                    left.append(rows)
                continue
            moves = large[rows.group]
            for g in np.unique(rows.group[moves]).tolist():
                self._add_to_tables(g, rows.of(g))
            if not moves.all():
                left.append(rows.where(~moves) if moves.any() else rows)
        self.kept = [rows.alone() for rows in left]
        self.held = sum(len(rows.label) for rows in left)

    def _add_to_tables(self, group: int, rows: Rows) -> None:
        weights = rows.weight
        if weights is not None and weights.max(initial=0) > LARGEST_WEIGHT:
            row = int(np.argmax(weights))
            raise ValueError(
                f"sample_weight[{row}] = {weights[row]} is above 2**31, the largest weight of an order of "
                f"more than {KEPT_ROWS:,} rows: divide the weights, or ask for exact=True"
            )
        if group not in self.tables:
            self.tables[group] = [Table(rows.weight is not None) for _ in range(self.n_models)]
        for table, score in zip(self.tables[group], rows.scores, strict=True):
            table.add(score, rows.label, rows.weight)

    def rows_of(self, group: int) -> Rows:
        """Return the rows kept of a group, in any order."""
        if not self._by_group:
            self._part_rows()
        parts = self._by_group.get(group, [])
        if not parts:
            empty = np.zeros(0)
            return Rows(group, empty.astype(np.uint8), None, [empty] * self.n_models)
        return parts[0] if len(parts) == 1 else Rows.joined(parts)

    def _part_rows(self) -> None:
        """Tell the rows kept apart by their group."""
        mixed = []
        for rows in self.kept:
            if isinstance(rows.group, int):
                self._by_group.setdefault(rows.group, []).append(rows)
            else:
                mixed.append(rows)
        if not mixed:
            return
        all_rows = Rows.joined(mixed)
        weight = [] if all_rows.weight is None else [all_rows.weight]
        (label, *arrays), starts = _core.bring_together(
            all_rows.groups(), len(self.counts), [all_rows.label, *all_rows.scores, *weight]
        )
        together = Rows(0, label, arrays[self.n_models] if weight else None, arrays[: self.n_models], True)
        for group in np.flatnonzero(np.diff(starts)).tolist():
            rows = together.where(slice(starts[group], starts[group + 1]))._replace(group=group)
            self._by_group.setdefault(group, []).append(rows)

    def ranked(self, group: int, model: int) -> Ranked:
        """Return a group's weights by score."""
        found = self._ranked.get((group, model))
        if found is None:
            if group in self.tables:
                found = self.tables[group][model].ranked()
            else:
                rows = self.rows_of(group)
                found = rank_rows(rows.scores[model], rows.label, rows.weight)
            self._ranked[group, model] = found
        return found

    def says(self, group: int, model: int, kind: str) -> dict[str, Any]:
        """Return what the order says, empty where there is one class alone."""
        with_order = kind != "roc_auc" or group not in self.tables
        found = self._says.get((group, model, with_order))
        if found is None:
            found = self._summary(group, model, with_order)
            self._says[group, model, with_order] = found
        return found

    def _summary(self, group: int, model: int, with_order: bool) -> dict[str, Any]:
        if group in self.tables:
            found = self.tables[group][model].summary(with_order)
        else:
            rows = self.rows_of(group)
            if not len(rows.label):
                return {}
            order = order_of(rows.scores[model], rows.label, rows.weight)
            if order is not None:
                found = order.summary()
            else:
                found = _core.summarise_ranking(*self.ranked(group, model)[1:])
        return found if min(found["weight"]) > 0 else {}

    def certainty(self, group: int, model: int) -> tuple[bool, float]:
        """Tell whether rows are kept, and what the weights of a table may have been rounded by in all."""
        if group not in self.tables:
            return True, 0.0
        table = self.tables[group][model]
        return False, table.rows * 2.0**-64 if table.weighted else 0.0

    def estimate(self, group: int, model: int, about: About, kind: str = "roc_auc") -> Estimate:
        """Return one of the measures."""
        says = self.says(group, model, kind)
        value = error = math.nan
        margin = 0.0
        if says:
            value = says[_EXTENT[kind]]
            is_exact, rounding = self.certainty(group, model)
            if not is_exact:
                # Weights that are cut off in the table, and the roundings of its sums.
                margin = says[f"{_EXTENT[kind]}_margin"] + 8 * rounding / min(says["weight"]) + 2.0**-46
            if kind == "roc_auc":
                error = math.sqrt(says["auc_variance"]) if says["auc_variance"] >= 0 else math.nan
        return with_interval(
            value, error, level=about.level, samples=about.samples, weight=about.weights[0].rounded(),
            half_width=margin, limits=(0.0, 1.0),
        )  # fmt: skip

    def difference(self, group: int, a: int, b: int, about: About, kind: str = "roc_auc") -> Estimate:
        """Return the difference of two models; its error, by DeLong, where the rows are kept."""
        error = math.nan
        if kind == "roc_auc" and group not in self.tables and self.says(group, a, kind):
            error = self._error_of_difference(group, a, b)
        return minus(
            self.estimate(group, a, about, kind), self.estimate(group, b, about, kind), error
        )  # fmt: skip

    def _error_of_difference(self, group: int, a: int, b: int) -> float:
        rows = self.rows_of(group)
        w = np.ones(len(rows.label)) if rows.weight is None else rows.weight
        deviation = np.zeros(len(w))
        for model, sign in ((a, 1), (b, -1)):
            ranked, says = self.ranked(group, model), self.says(group, model, "roc_auc")
            at = len(ranked.score) - 1 - np.searchsorted(ranked.score[::-1], rows.scores[model])
            below = says["weight"][0] - np.cumsum(ranked.negative) + ranked.negative / 2
            above = np.cumsum(ranked.positive) - ranked.positive / 2
            won = np.where(rows.label == 1, below[at] / says["weight"][0], above[at] / says["weight"][1])
            deviation += sign * (won - says["auc"])
        variance = 0.0
        for label in range(2):
            own = rows.label == label
            spread = exact_total((w[own] * deviation[own]) ** 2)
            room = exact_total(w[own]) ** 2 - exact_total(w[own] ** 2)
            variance += spread / room if room > 0 else math.nan
        return math.sqrt(variance) if variance >= 0 else math.nan


def exact_total(x: Array) -> float:
    """Return the sum of numbers, whatever their order."""
    sums = _core.ExactSums(1)
    sums.grow(1)
    sums.add_values([np.ascontiguousarray(x)], None, None, np.array([0, len(x)]), np.zeros(1, dtype=np.intp))
    return Total(*sums.cell(0, 0)).rounded()


def order_of(scores: Array, labels: Array, weights: Array | None) -> _core.Ranking | None:
    """Return rows by score; None where they have weights, are too many, or have scores that are infinite."""
    if weights is not None or len(labels) > MOST_COUNTS:
        return None
    try:
        return _core.Ranking(scores, labels)
    except ValueError:
        return None


def rank_rows(scores: Array, labels: Array, weights: Array | None) -> Ranked:
    """Return the weights of each label by score, of rows in any order."""
    found = order_of(scores, labels, weights)
    if found is not None:
        negative, positive, score = found.curve()
        b, a = (np.diff(x, prepend=0.0) for x in (negative, positive))
        return Ranked(score, b, a, b, a)
    if weights is None:
        order = np.argsort(scores)[::-1]
        w = np.ones(len(scores))
    else:
        order = np.lexsort((weights, labels, scores))[::-1]  # one order, whichever the rows came in
        w = weights[order]
    score, is_positive = scores[order], labels[order] == 1
    starts = np.flatnonzero(np.concatenate([[len(score) > 0], score[1:] != score[:-1]]))
    sums = [
        np.add.reduceat(np.where(mask, x, 0.0), starts) if len(starts) else np.zeros(0)
        for x in (w, w * w)
        for mask in (~is_positive, is_positive)
    ]
    return Ranked(score[starts], *sums)
