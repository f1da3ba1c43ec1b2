"""Evaluations on clusters: a state for each part of the data, as bytes, and states merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from fastloss.evaluation import Evaluation, Result
from fastloss.evaluation.sources import Columns, add_source

#: How many states a task merges.
AT_ONCE = 8


class Work(NamedTuple):
    """What each worker computes; it travels to them.

    Attributes
    ----------
    columns : Columns
        The columns that are read.
    measures : list of Loss, Measure or str
        What is computed.
    on_error : {"raise", "skip"}
        What to do with rows that a measure refuses.
    """

    columns: Columns
    measures: Any
    on_error: str

    @classmethod
    def given(
        cls, y_true: Any, y_pred: Any, measures: Any, sample_weight: Any, by: Any, on_error: str
    ) -> Work:
        """Take the arguments of `evaluate`; what is wrong with them is said before any worker begins."""
        Evaluation(measures, on_error=on_error)
        return cls(Columns.named(y_true, y_pred, sample_weight, by), measures, on_error)

    def state_of(self, part: Any) -> bytes:
        """Return the state of one part of the data: anything that `fastloss.evaluate` takes for `data`."""
        evaluation = Evaluation(self.measures, on_error=self.on_error)
        add_source(evaluation, part, self.columns)
        return evaluation.to_bytes()

    def merged(self, states: Iterable[bytes]) -> bytes:
        """Return one state of several."""
        return self._evaluation(states).to_bytes()

    def result(self, states: Iterable[bytes], level: float) -> Result:
        """Return the result of all states."""
        return self._evaluation(states).result(level)

    def _evaluation(self, states: Iterable[bytes]) -> Evaluation:
        whole = Evaluation(self.measures, on_error=self.on_error)
        for state in states:
            whole.merge(Evaluation.from_bytes(bytes(state)))
        return whole
