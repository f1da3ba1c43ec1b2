"""Measures that depend on the order of the scores: AUC, average precision, KS, and their curves."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastloss import _core
from fastloss.evaluation.blocks import Array, Block
from fastloss.evaluation.estimates import Estimate, Total, minus, with_interval
from fastloss.evaluation.means import About, Store

#: A group of so many rows is kept row by row; of more, rows are counted by the key of their score.
KEPT_ROWS = 1 << 16
#: Weights in a table are multiples of 2^-64 up to this.
LARGEST_WEIGHT = 2.0**31
_MOST_COUNTS = 2**32 - 1
_PLACES = _core.places_of_keys()
_EXTENT = {"roc_auc": "auc", "average_precision": "precision", "ks": "ks"}


class Ranked(NamedTuple):
    """Weights of the labels 0 and 1, and their squares, by score, the highest first."""

    score: Array
    negative: Array
    positive: Array
    negative_squares: Array
    positive_squares: Array
    tied: bool = False
    counted: bool = False
    rounding: float = 0.0


class Rows(NamedTuple):
    """Rows that are kept: the group, label, weight and scores of each."""

    group: Array
    label: Array
    weight: Array | None
    scores: list[Array]

    def where(self, kept: Array) -> Rows:
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[kept]
        return Rows(self.group[kept], self.label[kept], weight, [s[kept] for s in self.scores])


class Table:
    """Counts of a group's rows by score and label, for one model; weights once there are some."""

    def __init__(self) -> None:
        self.counts: Array | None = np.zeros((_core.SCORE_KEYS, 2), dtype=np.uint32)
        self.wide: Array | None = None
        self.squares: Array | None = None
        self.rows = 0

    def add(self, scores: Array, labels: Array, weights: Array | None) -> None:
        """Add rows."""
        if weights is not None and len(weights) and weights.max() > LARGEST_WEIGHT:
            row = int(np.argmax(weights))
            raise ValueError(
                f"sample_weight[{row}] = {weights[row]} is above 2**31, the largest weight of an order of "
                f"more than {KEPT_ROWS:,} rows: divide the weights, or ask for exact=True"
            )
        self.rows += len(labels)
        if weights is None and self.wide is None and self.rows <= _MOST_COUNTS:
            _core.count_scores(self.counts, scores, labels)
            return
        self.widen()
        ones = np.ones(len(labels)) if weights is None else weights
        _core.weigh_scores(self.wide, self.squares, scores, labels, ones)

    def widen(self) -> None:
        """Turn counts into weights of 1."""
        if self.counts is None:
            return
        self.wide = np.zeros((_core.SCORE_KEYS, 2, 2), dtype=np.uint64)
        self.wide[:, :, 1] = self.counts
        self.squares = np.zeros((_core.COARSE_KEYS, 2, 3), dtype=np.uint64)
        by_key = self.counts[_PLACES].astype(np.uint64)
        self.squares[:, :, 2] = by_key.reshape(_core.COARSE_KEYS, -1, 2).sum(axis=1)
        self.counts = None

    def merge(self, other: Table) -> None:
        """Add another table."""
        self.rows += other.rows
        if self.counts is not None and other.counts is not None and self.rows <= _MOST_COUNTS:
            self.counts += other.counts
            return
        self.widen()
        if other.counts is not None:
            copied = Table()
            copied.counts = other.counts
            copied.widen()
            other = copied
        assert self.wide is not None
        assert self.squares is not None
        _add_with_carry(self.wide, other.wide)
        _add_with_carry(self.squares, other.squares)

    def ranked(self) -> Ranked:
        """Return what is in it, by score."""
        places = _PLACES[::-1]
        if self.counts is not None:
            found = self.counts[places]
            kept = np.flatnonzero(found.any(axis=1))
            b, a = (found[kept, k].astype(np.float64) for k in range(2))
            return Ranked(_scores_of_keys(kept), b, a, b, a, tied=False, counted=True)
        assert self.wide is not None
        assert self.squares is not None
        wide = self.wide[places]
        kept = np.flatnonzero(wide.any(axis=(1, 2)))
        coarse = (_core.SCORE_KEYS - 1 - kept) // (_core.SCORE_KEYS // _core.COARSE_KEYS)
        weights, squares = [], []
        for k in range(2):
            w = wide[kept, k, 1].astype(np.float64) + wide[kept, k, 0].astype(np.float64) * 2.0**-64
            # The squares are kept for fewer keys: shared out by weight.
            high, middle, low = (self.squares[:, k, i].astype(np.float64) for i in (2, 1, 0))
            total = np.bincount(coarse, weights=w, minlength=_core.COARSE_KEYS)
            share = (high + (middle + low * 2.0**-64) * 2.0**-64) / np.where(total > 0, total, 1)
            weights.append(w)
            squares.append(w * share[coarse])
        rounding = self.rows * 2.0**-64
        return Ranked(
            _scores_of_keys(kept), weights[0], weights[1], squares[0], squares[1], rounding=rounding
        )


class OrderStore(Store):
    """What the measures of an order share: rows, or tables of the groups that have many."""

    def __init__(self, measure: Any, n_models: int) -> None:
        super().__init__(measure, n_models)
        self.kept: list[Rows] = []
        self.counts = np.zeros(0, dtype=np.int64)
        self.tables: dict[int, list[Table]] = {}
        self._cache: dict[tuple[int, int], tuple[Ranked, dict[str, Any]]] = {}

    def grow(self, n_groups: int) -> None:
        """Have room for so many groups."""
        self.counts = np.concatenate([self.counts, np.zeros(n_groups - len(self.counts), dtype=np.int64)])

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        self._cache.clear()
        labels, weights = block.labels, block.double_weights
        scores = [block.scores(model) for model in range(self.n_models)]
        lengths = np.diff(block.starts)
        in_table = np.array([int(g) in self.tables for g in block.groups], dtype=bool)
        for i in np.flatnonzero(in_table & (lengths > 0)):
            rows = slice(block.starts[i], block.starts[i + 1])
            w = None if weights is None else weights[rows]
            for table, score in zip(self.tables[int(block.groups[i])], scores, strict=True):
                table.add(score[rows], labels[rows], w)
        self.counts[block.groups] += lengths
        if in_table.all():
            return
        rows_kept = Rows(np.repeat(block.groups, lengths).astype(np.uint32), labels, weights, scores)
        others = np.repeat(~in_table, lengths)
        # Copies: the arrays are the caller's, who may write to them.
        self.kept.append(rows_kept.where(np.flatnonzero(others)))
        self._spill()

    def merge(self, other: OrderStore, groups: Array) -> None:
        """Add what another store has."""
        self._cache.clear()
        np.add.at(self.counts, groups, other.counts)
        for g, tables in other.tables.items():
            mine = self.tables.setdefault(int(groups[g]), [Table() for _ in range(self.n_models)])
            for table, added in zip(mine, tables, strict=True):
                table.merge(added)
        self.kept += [rows._replace(group=groups[rows.group].astype(np.uint32)) for rows in other.kept]
        self._spill()

    def _spill(self) -> None:
        """Move the rows of groups that have become large, or have a table, to tables."""
        if self.measure.exact:
            return
        large = self.counts > KEPT_ROWS
        for g in self.tables:
            large[g] = True
        if not any(large[rows.group].any() for rows in self.kept):
            return
        left = []
        for rows in self.kept:
            moves = large[rows.group]
            for g in np.unique(rows.group[moves]):
                own = rows.where(rows.group == g)
                tables = self.tables.setdefault(int(g), [Table() for _ in range(self.n_models)])
                for table, score in zip(tables, own.scores, strict=True):
                    table.add(score, own.label, own.weight)
            if not moves.all():
                left.append(rows.where(~moves))
        self.kept = left

    def rows_of(self, group: int) -> Rows:
        """Return the rows kept of a group, in an order that does not depend on how they came."""
        parts = [rows.where(rows.group == group) for rows in self.kept]
        parts = [rows for rows in parts if len(rows.label)]
        if not parts:
            empty = np.zeros(0)
            return Rows(empty, empty.astype(np.uint8), None, [empty] * self.n_models)
        weight = None
        if any(rows.weight is not None for rows in parts):
            weight = np.concatenate([
                np.ones(len(rows.label)) if rows.weight is None else rows.weight for rows in parts
            ])  # fmt: skip
        label = np.concatenate([rows.label for rows in parts])
        scores = [np.concatenate([rows.scores[k] for rows in parts]) for k in range(self.n_models)]
        return Rows(np.full(len(label), group), label, weight, scores)

    def ranked(self, group: int, model: int) -> tuple[Ranked, dict[str, Any]]:
        """Return a group's weights by score, and what they say."""
        found = self._cache.get((group, model))
        if found is None:
            if group in self.tables:
                ranked = self.tables[group][model].ranked()
            else:
                rows = self.rows_of(group)
                ranked = rank_rows(rows.scores[model], rows.label, rows.weight)
            arrays = ranked[1:5]
            if not len(ranked.score) or not ranked.negative.any() or not ranked.positive.any():
                says: dict[str, Any] = {}
            else:
                says = _core.summarise_ranking(*arrays, ranked.tied, ranked.counted)
            found = self._cache[group, model] = ranked, says
        return found

    def estimate(self, group: int, model: int, about: About, kind: str = "roc_auc") -> Estimate:
        """Return one of the measures."""
        ranked, says = self.ranked(group, model)
        value = error = math.nan
        margin = 0.0
        if says:
            value = says[_EXTENT[kind]]
            if not ranked.tied:
                # Weights that are cut off in the table, and the roundings of its sums.
                least = min(says["weight"])
                margin = says[f"{_EXTENT[kind]}_margin"] + 8 * ranked.rounding / least + 2.0**-50
            if kind == "roc_auc":
                error = math.sqrt(says["auc_variance"]) if says["auc_variance"] >= 0 else math.nan
        return with_interval(
            value, error, level=about.level, samples=about.samples, weight=about.weights[0].rounded(),
            half_width=margin, limits=(0.0, 1.0),
        )  # fmt: skip

    def difference(self, group: int, a: int, b: int, about: About, kind: str = "roc_auc") -> Estimate:
        """Return the difference of two models; its error, by DeLong, where the rows are kept."""
        error = math.nan
        if kind == "roc_auc" and group not in self.tables and self.ranked(group, a)[1]:
            error = self._error_of_difference(group, a, b)
        return minus(
            self.estimate(group, a, about, kind), self.estimate(group, b, about, kind), error
        )  # fmt: skip

    def _error_of_difference(self, group: int, a: int, b: int) -> float:
        rows = self.rows_of(group)
        w = np.ones(len(rows.label)) if rows.weight is None else rows.weight
        deviation = np.zeros(len(w))
        for model, sign in ((a, 1), (b, -1)):
            ranked, says = self.ranked(group, model)
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


def rank_rows(scores: Array, labels: Array, weights: Array | None) -> Ranked:
    """Return the weights of each label by score, of rows in any order."""
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
    return Ranked(score[starts], sums[0], sums[1], sums[2], sums[3], tied=True, counted=weights is None)


def _scores_of_keys(from_top: Array) -> Array:
    """Return the lowest score of each key, counted from the highest key."""
    half = _core.SCORE_KEYS // 2
    key = _core.SCORE_KEYS - 1 - from_top
    size = np.where(key >= half, key - half, half - 1 - key + 1).astype(np.uint32)
    bits = (size << np.uint32(9)) + np.uint32(0x35800000)
    score = bits.view(np.float32).astype(np.float64) - 2.0**-20
    return np.where(key >= half, score, -score)


def _add_with_carry(a: Array, b: Any) -> None:
    """Add numbers of several words, the lowest first, along the last axis."""
    carry = np.zeros(a.shape[:-1], dtype=np.uint64)
    for i in range(a.shape[-1]):
        total = a[..., i] + carry
        overflow = total < carry
        a[..., i] = total + b[..., i]
        carry = (overflow | (a[..., i] < total)).astype(np.uint64)
