"""What an evaluation found: estimates by measure, group and model, as objects and as tables."""

from __future__ import annotations

import html
import importlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from fastloss._extras import require
from fastloss.evaluation.blocks import Array
from fastloss.evaluation.decisions import CalibrationStore
from fastloss.evaluation.estimates import Estimate, Scores
from fastloss.evaluation.means import Store
from fastloss.evaluation.order import OrderStore
from fastloss.evaluation.state import State

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_ROWS_SHOWN = 60
_S = TypeVar("_S", bound=Store)


class Curve(NamedTuple):
    """A curve to draw: x and y, and the score from which on rows are counted in.

    Examples
    --------
    >>> import fastloss as fl
    >>> curve = fl.evaluate([0, 1], [0.2, 0.7], ["roc_auc"]).curve("roc")
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    """

    x: Array
    y: Array
    threshold: Array


class _Estimates(Mapping[str, Any]):
    """The estimates of one group and model, or of two models' difference, by key."""

    def __init__(self, result: Result, *models: int) -> None:
        self._result = result
        self._of = models

    def __getitem__(self, key: str) -> Any:
        return self._result._made_once(self._result._place(key), self._of)

    def __iter__(self) -> Iterator[str]:
        return iter(self._result._keys)

    def __len__(self) -> int:
        return len(self._result._keys)

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{key!r}: {value!r}' for key, value in self.items())}}}"


class Result(Mapping[str, Any]):
    """The estimates of an evaluation, by the name of the measure; of several models those of the first.

    Attributes
    ----------
    groups : dict
        The results of each group, by its label; of several keys by a tuple of labels. Empty without `by`.
    samples : int
        The number of rows.
    skipped : int
        The number of rows left out with ``on_error="skip"``.
    level : float
        The level of the intervals.

    Examples
    --------
    >>> import fastloss as fl
    >>> y, a, b = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0], [2.0, 2.0, 4.0, 5.5]
    >>> result = fl.evaluate(y, {"a": a, "b": b}, ["mae"], by=["x", "y", "x", "y"])
    >>> result.models["b"]["mae"].value, result.differences["b", "a"]["mae"].value
    (0.875, 0.625)
    >>> result.groups["y"]["mae"].value
    0.5
    """

    def __init__(
        self,
        state: State,
        keys: list[str],
        models: tuple[str, ...],
        level: float,
        _grouped: tuple[State, int] | None = None,
    ) -> None:
        self._grouped = _grouped is None
        self._all = state
        self._state, self._group = _grouped if _grouped is not None else (state.overall(), 0)
        self._keys = keys
        self._names = models
        self.level = level
        self.skipped = state.skipped if _grouped is None else 0
        self.samples = int(self._state.samples[self._group])
        self._about = self._state.about(self._group, level)
        self._made: dict[tuple[int, tuple[int, ...]], Any] = {}
        self.groups: dict[Any, Result] = {}
        if _grouped is None and state.groups.names is not None:
            self.groups = {
                label: Result(state, keys, models, level, (state, g))
                for g, label in sorted(enumerate(state.groups.labels), key=lambda pair: _order(pair[1]))
            }

    # Made anew each time: a mapping that the result kept would keep the result, with all its tables, alive.
    @property
    def models(self) -> dict[str, Mapping[str, Any]]:
        """The estimates of each model, by its name.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([0.0], {"a": [1.0], "b": [3.0]}, ["mae"]).models["b"]["mae"].value
        3.0
        """
        return {name: _Estimates(self, k) for k, name in enumerate(self._names)}

    @property
    def differences(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The estimates of two models' differences, by the pair of their names: the first less the second.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([0.0], {"a": [1.0], "b": [3.0]}, ["mae"]).differences["b", "a"]["mae"].value
        2.0
        """
        names = list(enumerate(self._names))
        return {(a, b): _Estimates(self, i, j) for i, a in names for j, b in names if i != j}

    def __getitem__(self, key: str) -> Any:
        return self._made_once(self._place(key), (0,))

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def _place(self, key: str) -> int:
        if key in self._keys:
            return self._keys.index(key)
        from fastloss.evaluation.specs import spec_of

        for at, one in enumerate(self._state.measured):
            names = (one.name, *one.aliases, spec_of(one))
            if key in names and sum(key in (o.name, *o.aliases) for o in self._state.measured) <= 1:
                return at
        raise KeyError(f"{key!r} was not evaluated: {', '.join(self._keys)}")

    def _made_once(self, at: int, models: tuple[int, ...]) -> Any:
        """Return the estimate of a model, or of two models' difference, computed when first asked for."""
        if (at, models) not in self._made:
            made = self._estimate(at, *models) if len(models) == 1 else self._difference(at, *models)
            self._made[at, models] = made
        return self._made[at, models]

    def _estimate(self, at: int, model: int) -> Any:
        store = self._state.store_of[at]
        if isinstance(store, OrderStore):
            return store.estimate(self._group, model, self._about, self._state.measured[at].name)
        return store.estimate(self._group, model, self._about)

    def _difference(self, at: int, a: int, b: int) -> Any:
        store = self._state.store_of[at]
        if isinstance(store, OrderStore):
            return store.difference(self._group, a, b, self._about, self._state.measured[at].name)
        found = store.estimate(self._group, a, self._about)
        if isinstance(found, Scores):
            other = store.estimate(self._group, b, self._about)
            from fastloss.evaluation.estimates import minus

            return Scores({n: minus(found[n], other[n], math.nan) for n in found}, {})
        return store.difference(self._group, a, b, self._about)

    def _store(self, kind: type[_S], needed: str) -> _S:
        for store in self._state.stores:
            if isinstance(store, kind):
                return store
        raise KeyError(f"there is no such measure among {self._keys}: evaluate {needed}")

    def _model(self, model: str | None) -> int:
        if model is None:
            return 0
        if model not in self._names:
            raise KeyError(f"there is no model {model!r}: {', '.join(self._names)}")
        return self._names.index(model)

    def curve(self, kind: str, model: str | None = None) -> Curve:
        """Return a curve of the scores.

        Parameters
        ----------
        kind : {"roc", "pr"}
            The shares of positive rows (y) and of negative ones (x) above a threshold, or precision (y) and
            recall (x).
        model : str, optional
            Of several models; the first where none is named.

        Returns
        -------
        Curve
            A point for each distinct score, or each bin of them where there are many rows, the highest first.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([0, 1, 1], [0.1, 0.2, 0.7], ["average_precision"]).curve("pr").y.tolist()
        [1.0, 1.0, 1.0, 0.6666666666666666]
        """
        if kind not in ("roc", "pr"):
            raise ValueError(f"kind must be 'roc' or 'pr', got {kind!r}")
        store = self._store(OrderStore, "roc_auc, average_precision or ks")
        ranked = store.ranked(self._group, self._model(model))
        above = [np.concatenate([[0.0], np.cumsum(x)]) for x in (ranked.negative, ranked.positive)]
        threshold = np.concatenate([[np.inf], ranked.score])
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = above[1] / above[1][-1]
            if kind == "roc":
                return Curve(above[0] / above[0][-1], recall, threshold)
            precision = above[1] / (above[0] + above[1])
        precision[0] = 1.0
        return Curve(recall, precision, threshold)

    def reliability(self, model: str | None = None) -> dict[str, Array]:
        """Return the table of `Calibration`: bins, their mean probability, share of positives, and weight.

        Examples
        --------
        >>> import fastloss as fl
        >>> result = fl.evaluate([0, 1], [0.25, 0.75], ["calibration:n_bins=2,from_logits=false"])
        >>> {name: column.tolist() for name, column in result.reliability().items()}["probability"]
        [0.25, 0.75]
        """
        store = self._store(CalibrationStore, "calibration")
        return store.table(self._group, self._model(model))

    def records(self) -> list[dict[str, Any]]:
        """Return a row for each estimate: its group, model, measure, and the estimate's attributes.

        Examples
        --------
        >>> import fastloss as fl
        >>> [(r["measure"], r["value"]) for r in fl.evaluate([1.0], [2.0], ["mae", "mse"]).records()]
        [('mae', 1.0), ('mse', 1.0)]
        """
        rows: list[dict[str, Any]] = []
        names = self._all.groups.names
        everything: list[tuple[Any, Result]] = [(None, self), *self.groups.items()]
        for label, result in everything:
            place: dict[str, Any] = {}
            if self.groups and names is not None:
                labels = label if isinstance(label, tuple) and len(names) > 1 else (label,) * len(names)
                place = {
                    f"by_{name}" if name in _COLUMNS else name: x
                    for name, x in zip(names, labels, strict=True)
                }
            for name, estimates in result.models.items():
                rows += _rows({**place, "model": name, "against": None}, estimates)
            pairs = [(b, a) for i, a in enumerate(self._names) for b in self._names[i + 1 :]]
            for b, a in pairs:
                rows += _rows({**place, "model": b, "against": a}, result.differences[b, a])
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as dictionaries and lists of plain numbers.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([1.0], [2.0], ["mae"]).to_dict()["samples"]
        1
        """
        return {
            "samples": self.samples,
            "skipped": self.skipped,
            "level": self.level,
            "models": list(self._names),
            "by": list(self._all.groups.names or ()) if self._grouped else [],
            "estimates": self.records(),
        }

    def plot(self, path: str | None = None) -> Figure:
        """Draw everything there is a picture of.

        The curves of ROC, precision and recall, and reliability, where they were evaluated; and of each
        measure a panel of its values with their intervals, of all rows and by group, and beside it, of
        several models, one of their paired differences from the first.

        Parameters
        ----------
        path : str, optional
            Where to write the picture to: a name that ends in .png, .svg, .pdf ...

        Returns
        -------
        matplotlib.figure.Figure
            The picture.

        Raises
        ------
        ImportError
            If matplotlib is not installed: it comes with the extra ``plot``.
        ValueError
            If the name ends otherwise.

        Examples
        --------
        >>> import fastloss as fl
        >>> figure = fl.evaluate([0, 1, 1], [-0.5, 0.2, 0.7], ["roc_auc", "bce"]).plot()
        >>> [panel.get_title() for panel in figure.axes][:4]
        ['ROC curve', 'precision and recall', 'roc_auc', 'bce, 95 % intervals']
        """
        from fastloss.evaluation.pictures import draw
        from fastloss.plotting import save

        figure = draw(self)
        if path is not None:
            save(figure, str(path))
        return figure

    def _columns(self) -> dict[str, list[Any]]:
        rows = self.records()
        return {name: [row.get(name) for row in rows] for name in rows[0]}

    def to_arrow(self) -> Any:
        """Return the estimates as a table of pyarrow, a row for each.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([1.0], [2.0], ["mae"]).to_arrow().column("value").to_pylist()
        [1.0]
        """
        return require("pyarrow", "cli", "to_arrow()").table(self._columns())

    def to_pandas(self) -> Any:
        """Return the estimates as a frame of pandas, a row for each.

        Examples
        --------
        >>> import fastloss as fl
        >>> fl.evaluate([1.0], [2.0], ["mae"]).to_pandas()["value"].tolist()
        [1.0]
        """
        return importlib.import_module("pandas").DataFrame(self._columns())

    def _shown(self, most: int | None = _MOST_ROWS_SHOWN) -> tuple[list[str], list[list[str]], str]:
        """Return headings, at most so many lines of cells, and a caption of the table for people."""
        rows = self.records()
        keys = [name for name in rows[0] if name not in _COLUMNS]
        if len(self._names) > 1:
            keys.append("model")
        certified = any(row["half_width"] for row in rows)
        percent = f"{100 * self.level:g} %"
        heads = [*keys, "measure", "value", "std. error", f"{percent} from", "to"]
        heads += ["± bins"] * certified + ["p"] * (len(self._names) > 1)
        cells = []
        for row in rows[:most]:
            name = row["model"] if row["against"] is None else f"{row['model']} - {row['against']}"
            line = [name if key == "model" else _label(row[key]) for key in keys]
            line += [row["measure"], *(_number(row[k]) for k in ("value", "standard_error", "low", "high"))]
            line += [_number(row["half_width"])] * certified
            line += ["" if row["p_value"] is None else _number(row["p_value"], 3)] * (len(self._names) > 1)
            cells.append(line)
        caption = f"{self.samples:,} rows"
        if self.skipped:
            caption += f", {self.skipped:,} skipped"
        if len(rows) > len(cells):
            caption += f"; {len(rows) - len(cells):,} more lines in to_pandas() and to_arrow()"
        return heads, cells, caption

    def __str__(self) -> str:
        heads, cells, caption = self._shown()
        n_words = heads.index("measure") + 1
        widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
        lines = [
            "  ".join(
                text.ljust(width) if i < n_words else text.rjust(width)
                for i, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in [heads, *cells]
        ]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], caption])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads, cells, caption = self._shown()

        def row(line: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in line) + "</tr>"

        body = "".join(row(line, "td") for line in cells)
        head = f"<caption>{caption}</caption><thead>{row(heads, 'th')}</thead>"
        return f"<table>{head}<tbody>{body}</tbody></table>"


#: Columns of `Result.records` besides the keys of groups.
_COLUMNS = (
    "model", "against", "measure", "value", "standard_error", "low", "high", "half_width", "p_value",
    "samples", "weight", "level",
)  # fmt: skip


def _rows(place: dict[str, Any], estimates: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for key, found in estimates.items():
        parts = (
            {f"{key}/{name}": e for name, e in found.items()} if isinstance(found, Scores) else {key: found}
        )
        for name, e in parts.items():
            assert isinstance(e, Estimate)
            numbers = {k: getattr(e, k) for k in _COLUMNS[3:]}
            rows.append({**place, "measure": name, **numbers})
    return rows


def _order(label: Any) -> Any:
    """Give labels an order, whichever came first: by kind, missing ones last."""
    if isinstance(label, tuple):
        return tuple(map(_order, label))
    return label is None or label != label, type(label).__name__, "" if label is None else label


def _label(x: Any) -> str:
    return "(all)" if x is None else str(x)


def _number(x: float, digits: int = 6) -> str:
    return "" if x is None or math.isnan(x) else f"{x:.{digits}g}"
