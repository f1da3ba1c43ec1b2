"""The evaluation: every measure of any number of rows, whatever way they come."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np

from fastloss import _core, _validation
from fastloss._loss import PointwiseLoss, RowLoss, number_in
from fastloss.errors import DomainError
from fastloss.evaluation.bad_rows import add_good_rows, blamed, shifted_warnings
from fastloss.evaluation.blocks import BLOCK_ROWS, GROUPED_ROWS, Array, Scratch
from fastloss.evaluation.groups import labels_of
from fastloss.evaluation.result import Result
from fastloss.evaluation.specs import Measured, as_measured, keys_of
from fastloss.evaluation.state import State

if TYPE_CHECKING:
    from typing_extensions import Self

_ON_ERROR = ("raise", "skip")
#: Rows for each thread below which a second one costs more than it saves.
_ROWS_PER_THREAD = 1 << 18
_LOOK_SECONDS = 0.1
#: A state of so few groups is kept for the next rows, which may be of others.
_FEW_GROUPS = 1 << 10


class Evaluation:
    """Computes losses and measures, with their uncertainty, of rows that come in any number of pieces.

    The result does not depend on how the rows are cut, in which order they come, on how many threads compute,
    or in which order evaluations are merged: sums are exact and rounded once.

    Parameters
    ----------
    measures : list of Loss, Measure or str
        Losses of rows, measures of `fastloss.measures`, or specifications such as ``"bce"`` or
        ``"accuracy:threshold=0.5"``.
    on_error : {"raise", "skip"}
        What to do with rows that a measure refuses, such as a label outside its domain: raise an error that
        names the row, or leave the row out of all measures and count it (`Result.skipped`).

    Raises
    ------
    ValueError, TypeError
        There is no such loss or measure, or it does not compare rows.

    Examples
    --------
    >>> import fastloss as fl
    >>> ev = fl.Evaluation(["mae", "r2"])
    >>> result = ev.update([1.0, 2.0], [1.5, 2.0]).update([3.0], [2.5]).result()
    >>> result["mae"].value, result["r2"].value
    (0.3333333333333333, 0.75)
    """

    def __init__(self, measures: Any, *, on_error: str = "raise") -> None:
        _validation.one_of("on_error", on_error, _ON_ERROR)
        things = (
            [measures] if isinstance(measures, str) or not isinstance(measures, list | tuple) else measures
        )
        self._measured: list[Measured] = as_measured(
            measures if isinstance(measures, list | tuple) else things
        )
        self._keys = keys_of(self._measured, list(things))
        self._on_error = on_error
        self._models: tuple[str, ...] | None = None
        self._state: State | None = None
        self._width: int | None = None
        #: An empty state, whose memory the next rows are added in.
        self._spare: State | None = None
        #: What blocks are computed in, on this thread and on others.
        self._scratch = Scratch()
        self._others: list[Scratch] = []

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None, by: Any = None) -> Self:
        """Add rows.

        Parameters
        ----------
        y_true : array_like
            The targets, (n,), or (n, C) for losses of rows that take such.
        y_pred : array_like or dict of array_like
            The predictions, (n,) or (n, C); of several models by their names.
        sample_weight : array_like, optional
            A weight for each row, (n,).
        by : array_like or dict of array_like, optional
            The group of each row, (n,): numbers, strings or anything that has an order of its own; by several
            keys a dict of them.

        Returns
        -------
        Evaluation
            This one. After an error it is as it was before.

        Raises
        ------
        ValueError, TypeError
            Arrays of different lengths, other models or keys than before, or a row that a measure refuses;
            the message names it.

        Examples
        --------
        >>> import fastloss as fl
        >>> ev = fl.Evaluation(["bce"]).update([0, 1, 1], [-1.0, 2.0, 0.5], by=["a", "b", "b"])
        >>> round(ev.result().groups["b"]["bce"].value, 4)
        0.3005
        """
        y, models, predictions = self._arrays(y_true, y_pred)
        weights = None if sample_weight is None else _numbers(sample_weight, "sample_weight")
        names, columns = _by_columns(by)
        _check_lengths(y, models, predictions, weights, names, columns)
        if weights is not None and weights.ndim != 1 and weights.shape != y.shape:
            raise ValueError(
                f"sample_weight has shape {weights.shape}, expected ({len(y)},), one for each row"
            )
        y, predictions, weights, columns = self._flattened(y, predictions, weights, columns)
        added = self._fresh(models, names, predictions)
        added.scratch = self._scratch
        added.model_names = models
        added.hold()
        self._add(added, y, predictions, weights, columns)
        if self._state is None:
            added.settle()
            self._state = added
        else:
            self._state.merge(added)
            if len(added.groups) <= _FEW_GROUPS:
                added.clear()
                self._spare = added
        self._models = models
        return self

    def merge(self, other: Evaluation) -> Self:
        """Add what another evaluation of the same measures has.

        Parameters
        ----------
        other : Evaluation
            It stays as it is.

        Returns
        -------
        Evaluation
            This one.

        Raises
        ------
        ValueError, TypeError
            It is of other measures, models or keys.

        Examples
        --------
        >>> import fastloss as fl
        >>> a, b = (fl.Evaluation(["mae"]).update([0.0], [x]) for x in (1.0, 2.0))
        >>> a.merge(b).result()["mae"].value
        1.5
        """
        if not isinstance(other, Evaluation):
            raise TypeError(f"expected an Evaluation, got {_validation.shown(other)}")
        if other._measured != self._measured:
            raise ValueError(f"these are evaluations of {self._keys} and of {other._keys}")
        if other._state is None:
            return self
        assert other._models is not None
        if self._state is None:
            self._models, self._width = other._models, other._width
            self._state = other._state.fresh()
        elif self._models != other._models:
            raise ValueError(f"the models are {self._models} here and {other._models} there")
        elif self._width != other._width:
            raise ValueError(f"y_pred has {self._width} numbers a row here and {other._width} there")
        self._state.merge(other._state)
        return self

    def result(self, level: float = 0.95) -> Result:
        """Return everything computed so far; later rows do not change it.

        Parameters
        ----------
        level : float
            The level of the intervals, between 0 and 1.

        Returns
        -------
        Result

        Examples
        --------
        >>> import fastloss as fl
        >>> estimate = fl.Evaluation(["mae"]).update([0.0, 0.0], [1.0, 3.0]).result(level=0.5)["mae"]
        >>> estimate.value, round(estimate.low, 3), round(estimate.high, 3)
        (2.0, 1.523, 2.477)
        """
        return self._result(level, is_last=False)

    def _result(self, level: float, is_last: bool) -> Result:
        """Return the result, of a copy unless nothing is added any more."""
        level = number_in("level", level, 0, 1)
        if self._state is None:
            raise ValueError("there are no rows yet: nothing has no result")
        state = self._state
        if not is_last:
            state = state.fresh()
            state.merge(self._state)
        return Result(state, self._keys, self._models or (), level)

    def to_bytes(self) -> bytes:
        """Return everything added up so far as bytes, for another process or a file.

        Examples
        --------
        >>> import fastloss as fl
        >>> state = fl.Evaluation(["mae"]).update([0.0], [1.0]).to_bytes()
        >>> fl.Evaluation.from_bytes(state).result()["mae"].value
        1.0
        """
        from fastloss.evaluation.storage import to_bytes

        return to_bytes(self)

    @classmethod
    def from_bytes(cls, state: bytes) -> Self:
        """Make an evaluation from what `to_bytes` returned; no code is run that the bytes name.

        Raises
        ------
        ValueError
            They are not such bytes, are damaged, or of a version that this one does not know.
        """
        from fastloss.evaluation.storage import from_bytes

        made: Self = from_bytes(cls, state)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Evaluation.from_bytes, (self.to_bytes(),)

    def __repr__(self) -> str:
        rows = 0 if self._state is None else int(self._state.samples.sum())
        return f"Evaluation({self._keys}, {rows:,} rows)"

    def _arrays(self, y_true: Any, y_pred: Any) -> tuple[Array, tuple[str, ...], list[Array]]:
        """Return targets, the names of the models and their predictions as arrays."""
        y = _numbers(y_true, "y_true")
        if isinstance(y_pred, Mapping):
            if not y_pred:
                raise ValueError("y_pred is an empty dict: there is no model")
            models = tuple(map(str, y_pred))
            predictions = [_numbers(z, f"y_pred[{name!r}]") for name, z in y_pred.items()]
        else:
            models, predictions = ("y_pred",), [_numbers(y_pred, "y_pred")]
        if self._models not in (None, models):
            raise ValueError(f"y_pred is of the models {models}, but was of {self._models} before")
        return y, models, predictions

    def _flattened(
        self, y: Array, predictions: list[Array], weights: Array | None, columns: list[Any]
    ) -> tuple[Array, list[Array], Array | None, list[Any]]:
        """Take numbers of several dimensions for rows of their own where nothing needs rows."""
        if y.ndim < 2 or any(isinstance(one, RowLoss) for one in self._measured):
            return y, predictions, weights, columns
        losses = [one for one in self._measured if isinstance(one, PointwiseLoss)]
        have_columns = any(loss._n_columns() for loss in losses)
        if (columns and not have_columns) or len(losses) < len(self._measured):
            raise ValueError(f"y_true has shape {y.shape}, expected ({len(y)},), one target a row")
        if have_columns:
            if weights is not None and weights.ndim > 1:
                raise ValueError("a loss with a number for each label takes one sample_weight for each row")
            return y, predictions, weights, columns
        if weights is not None and weights.shape != y.shape:
            weights = np.broadcast_to(weights.reshape(-1, *[1] * (y.ndim - 1)), y.shape)
        flat = None if weights is None else weights.reshape(-1)
        return y.reshape(-1), [z.reshape(-1) for z in predictions], flat, columns

    def _fresh(
        self, models: tuple[str, ...], names: tuple[str, ...] | None, predictions: list[Array]
    ) -> State:
        """Return a state for rows, and check that they are of the same models and keys as those before."""
        shapes = {z.shape[1:] for z in predictions}
        if len(shapes) > 1:
            raise ValueError(f"the models' predictions have shapes {[z.shape for z in predictions]}")
        width = predictions[0].shape[1] if predictions[0].ndim > 1 else None
        if self._state is None:
            state = State(self._measured, len(models))
            state.groups.names = names
            self._width = width
            return state
        if self._state.groups.labels and self._state.groups.names != names:
            raise ValueError(f"by has the keys {names}, but had {self._state.groups.names} before")
        if width != self._width:
            raise ValueError(f"y_pred has rows of {width} numbers, but had {self._width} before")
        spare, self._spare = self._spare, None
        return self._state.fresh() if spare is None else spare

    def _may_warn(self) -> bool:
        """Tell whether there are losses of rows, which may warn of distributions that do not sum to 1."""
        return any(isinstance(one, RowLoss) for one in self._measured)

    def _add(
        self, state: State, y: Array, predictions: list[Array], weights: Array | None, by: list[Any]
    ) -> None:
        """Add rows block by block, on several threads where there are many."""
        size = GROUPED_ROWS if by else BLOCK_ROWS
        size = max(1, size // max(1, math.prod(predictions[0].shape[1:])))
        cuts = [slice(i, min(i + size, len(y))) for i in range(0, len(y), size)]
        threads = min(_core.threads(), max(1, len(y) // _ROWS_PER_THREAD), 16)
        told = set[str]() if self._may_warn() else None
        if threads == 1 or told is not None:
            for cut in cuts:
                self._add_block(state, cut, y, predictions, weights, by, told)
            return
        shares = [cuts[i::threads] for i in range(threads)]
        self._others += [Scratch() for _ in range(threads - len(self._others))]

        interrupted = threading.Event()

        def one(share: list[slice], scratch: Scratch) -> tuple[State, tuple[int, Exception] | None]:
            own = state.fresh()
            own.scratch = scratch
            for cut in share:
                if interrupted.is_set():
                    break
                try:
                    self._add_block(own, cut, y, predictions, weights, by)
                except (TypeError, ValueError) as error:
                    return own, (cut.start, error)
            return own, None

        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(one, *given) for given in zip(shares, self._others, strict=False)]
            try:
                # A signal may come to another thread; its handler waits for this one to wake.
                while wait(futures, timeout=_LOOK_SECONDS).not_done:
                    pass
                parts = [future.result() for future in futures]
            except BaseException:  # Ctrl-C: the threads end with the block that they are at
                interrupted.set()
                raise
        failed = [failure for _, failure in parts if failure is not None]
        if failed:
            raise min(failed, key=lambda failure: failure[0])[1]
        for own, _ in parts:
            state.merge(own)

    def _add_block(
        self,
        state: State,
        cut: slice,
        y: Array,
        predictions: list[Array],
        weights: Array | None,
        by: list[Any],
        told: set[str] | None = None,
    ) -> None:
        """Add the rows of one block; errors and warnings name the row in all of them."""
        rows = (
            y[cut], [z[cut] for z in predictions], None if weights is None else weights[cut],
            [column[cut] for column in by],
        )  # fmt: skip
        with shifted_warnings(cut.start, told):
            if self._on_error == "skip":
                add_good_rows(state, *rows)
                return
            try:
                state.add(*rows)
            except DomainError as error:
                raise error.shifted(cut.start, end=blamed(state, error, *rows)) from error


def evaluate(
    y_true: Any,
    y_pred: Any,
    measures: Any,
    *,
    sample_weight: Any = None,
    by: Any = None,
    data: Any = None,
    level: float = 0.95,
    on_error: str = "raise",
) -> Result:
    """Compute losses and measures of arrays, or of columns of a source, in one pass.

    Parameters
    ----------
    y_true, y_pred, sample_weight, by
        Arrays, as `Evaluation.update` takes them. With `data`, names of its columns: a list of names for
        predictions that are a row of several, and for several keys in `by`.
    measures : list of Loss, Measure or str
        What to compute, as for `Evaluation`.
    data : optional
        Where the columns are: a path, a glob, a folder or a list of these (parquet, Arrow IPC, CSV), or
        anything with ``__arrow_c_stream__``, as tables of pyarrow, Polars and pandas have; read in
        batches.
    level : float
        The level of the intervals.
    on_error : {"raise", "skip"}
        What to do with rows that a measure refuses.

    Returns
    -------
    Result

    Raises
    ------
    ValueError, TypeError
        As `Evaluation.update`.

    Examples
    --------
    >>> import fastloss as fl
    >>> result = fl.evaluate([0, 0, 1, 1], [-2.0, 0.5, 0.25, 3.0], ["bce", "roc_auc"])
    >>> round(result["bce"].value, 4), result["roc_auc"].value
    (0.4314, 0.75)
    """
    evaluation = Evaluation(measures, on_error=on_error)
    if data is None:
        evaluation.update(y_true, y_pred, sample_weight, by)
        return evaluation._result(level, is_last=True)
    from fastloss.evaluation.sources import Columns, add_source

    add_source(evaluation, data, Columns.named(y_true, y_pred, sample_weight, by))
    return evaluation._result(level, is_last=True)


def _numbers(x: Any, name: str) -> Array:
    """Return an array of real numbers with at least one axis."""
    array = _validation.as_array(x, name)
    if not _validation.is_real(array.dtype):
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    if array.ndim == 0:
        raise ValueError(f"{name} is 0-dimensional, expected at least one dimension")
    return array


def _by_columns(by: Any) -> tuple[tuple[str, ...] | None, list[Any]]:
    """Return the names of the keys, None without a name, and their columns."""
    if by is None:
        return None, []
    if isinstance(by, Mapping):
        if not by:
            raise ValueError("by is an empty dict: there is no key")
        return tuple(map(str, by)), [labels_of(column) for column in by.values()]
    return ("by",), [labels_of(by)]


def _check_lengths(
    y: Array, models: tuple[str, ...], predictions: list[Array], weights: Array | None,
    names: tuple[str, ...] | None, columns: list[Any],
) -> None:  # fmt: skip
    """Raise an error that names the argument of another length than `y_true`."""
    others = [
        ("y_pred" if m == "y_pred" else f"y_pred[{m!r}]", z) for m, z in zip(models, predictions, strict=True)
    ]
    others += [("sample_weight", weights)] if weights is not None else []
    others += [("by" if n == "by" else f"by[{n!r}]", c) for n, c in zip(names or (), columns, strict=True)]
    for name, array in others:
        if len(array) != len(y):
            raise ValueError(f"{name} has {len(array)} rows, but y_true has {len(y)}")
