"""What an evaluation has added up: the stores of its measures, by group and model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastloss import _core, measures
from fastloss._loss import Loss
from fastloss.errors import DomainError
from fastloss.evaluation.blocks import Array, Block, Scratch, check_weights
from fastloss.evaluation.decisions import CalibrationStore, ConfusionStore
from fastloss.evaluation.estimates import Total
from fastloss.evaluation.groups import Groups
from fastloss.evaluation.means import (
    About,
    AccuracyStore,
    BiasStore,
    LossStore,
    MaxErrorStore,
    R2Store,
    Store,
)
from fastloss.evaluation.order import OrderStore
from fastloss.evaluation.specs import Measured

_STORES: dict[type[Any], type[Store]] = {
    measures.ROCAUC: OrderStore,
    measures.AveragePrecision: OrderStore,
    measures.KS: OrderStore,
    measures.Accuracy: AccuracyStore,
    measures.Confusion: ConfusionStore,
    measures.Calibration: CalibrationStore,
    measures.R2: R2Store,
    measures.Bias: BiasStore,
    measures.MaxError: MaxErrorStore,
}


class State:
    """Everything that has been added up.

    Parameters
    ----------
    measured : sequence of Loss or Measure
        What is computed.
    n_models : int
        How many predictions there are of each row.
    """

    def __init__(self, measured: Sequence[Measured], n_models: int) -> None:
        self.measured = list(measured)
        self.n_models = n_models
        #: What errors call the predictions, while rows are added.
        self.model_names: tuple[str, ...] = ()
        self.holds = False
        self.groups = Groups()
        self.samples = np.zeros(0, dtype=np.int64)
        self.weights = _core.ExactSums(0)
        self.skipped = 0
        self.scratch = Scratch()
        shared: dict[Any, Store] = {}
        self.store_of: list[Store] = []
        for one in self.measured:
            cls = LossStore if isinstance(one, Loss) else _STORES[type(one)]
            key = (cls, getattr(one, "exact", None)) if cls is OrderStore else one
            if key not in shared:
                shared[key] = cls(one, n_models)
            self.store_of.append(shared[key])
        self.stores = list(shared.values())

    def fresh(self) -> State:
        """Return an empty one of the same measures."""
        other = State(self.measured, self.n_models)
        other.groups.names = self.groups.names
        other.model_names = self.model_names
        if self.holds:
            other.hold()
        return other

    def hold(self) -> None:
        """Be a state that is merged into another as soon as all rows are good: let it see to their order."""
        self.holds = True
        for store in self.stores:
            if isinstance(store, OrderStore):
                store.holds = True

    def clear(self) -> None:
        """Take everything away that has been added; the groups stay."""
        self.samples[:] = 0
        self.weights.clear()
        self.skipped = 0
        for store in self.stores:
            store.clear()

    def settle(self) -> None:
        """Be a state by itself after all: what has been held goes to where it belongs."""
        self.holds = False
        for store in self.stores:
            if isinstance(store, OrderStore):
                store.settle()

    def add(self, y: Array, predictions: list[Array], weights: Array | None, by: list[Any]) -> None:
        """Add rows. After an error the state is of no more use."""
        if not len(y):
            return
        if weights is not None:
            check_weights(weights)
        codes, groups = self.groups.split(by, len(y), self.scratch)
        self._grow()
        starts = np.array([0, len(y)], dtype=np.intp)
        is_own = False
        if codes is not None:
            given = [y, *predictions] if weights is None else [y, *predictions, weights]
            room = self._room(given)
            (y, *predictions), starts = _core.bring_together(codes, len(groups), given, room)
            weights = None if weights is None else predictions.pop()
            is_own = room is None
        block = Block(y, predictions, weights, starts, groups, self.scratch, is_own)
        lengths = np.diff(starts)
        self.samples[groups] += lengths
        if block.double_weights is None:
            self.weights.add_counts(lengths.astype(np.int64), groups)
        else:
            self.weights.add_weights(block.double_weights, starts, groups)
        try:
            for store in self.stores:
                store.add(block)
        except DomainError as error:
            if codes is None:
                raise
            # Another row may be the first one in the order given, but this one is wrong as well.
            order = np.argsort(codes, kind="stable")
            raise error.shifted(lambda row: int(order[row])) from error

    def _room(self, arrays: list[Array]) -> list[Array] | None:
        """Return arrays for rows that are brought together; None if a store keeps them."""
        if any(isinstance(store, OrderStore) for store in self.stores):
            return None
        return [self.scratch.array(("rows", i), x.shape, x.dtype) for i, x in enumerate(arrays)]

    def merge(self, other: State) -> None:
        """Add what another state of the same measures has."""
        groups = self.groups.merged(other.groups)
        self._grow()
        np.add.at(self.samples, groups, other.samples)
        self.weights.merge(other.weights, groups)
        for mine, its in zip(self.stores, other.stores, strict=True):
            mine.merge(its, groups)
        self.skipped += other.skipped

    def overall(self) -> State:
        """Return all groups as one: itself where there is no `by`."""
        if self.groups.labels == [None] and self.groups.names is None:
            return self
        whole = State(self.measured, self.n_models)
        whole.groups.index(None)
        whole._grow()
        into = np.zeros(len(self.groups), dtype=np.intp)
        whole.samples[0] = self.samples.sum()
        if len(into):
            whole.weights.merge(self.weights, into)
            for mine, its in zip(whole.stores, self.stores, strict=True):
                mine.merge(its, into)
        return whole

    def about(self, group: int, level: float) -> About:
        """Return what all measures of a group share."""
        weights = [Total(*self.weights.cell(group, i)) for i in range(2)]
        return About(int(self.samples[group]), weights, level)

    def _grow(self) -> None:
        n = len(self.groups)
        if n == len(self.samples):
            return
        self.samples = np.concatenate([self.samples, np.zeros(n - len(self.samples), dtype=np.int64)])
        self.weights.grow(n)
        for store in self.stores:
            store.grow(n)
