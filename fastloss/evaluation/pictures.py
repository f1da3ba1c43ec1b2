"""The picture of a result: curves, reliability, and estimates with their intervals by group and model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastloss.evaluation.blocks import Array
from fastloss.evaluation.decisions import CalibrationStore
from fastloss.evaluation.estimates import Estimate, Scores
from fastloss.evaluation.order import OrderStore
from fastloss.plotting import COLOURS, DASHES, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastloss.evaluation.result import Result

_WIDTH = 10.5  # inches
_CURVES_HEIGHT = 3.9
_BAND_HEIGHT, _LINE_HEIGHT = 1.0, 0.2  # of a measure's panels without lines, and of each estimate in them
_MOST_POINTS = 2000
_MOST_GROUPS = 40
_MOST_LETTERS = 28
#: Of what a measure gives as several numbers, those that are drawn.
_DRAWN = ("f1", "mcc", "ece")
_FAINT = "#999999"


class _Band(NamedTuple):
    """One measure: for all rows and each group an estimate of every model, and of every difference."""

    name: str
    values: list[list[Estimate]]
    differences: list[list[Estimate]]


def draw(result: Result) -> Figure:
    """Draw what a result has: ROC and precision-recall curves, reliability, groups, differences of models."""
    stores = result._state.stores
    curves = ["roc", "pr"] if any(isinstance(store, OrderStore) for store in stores) else []
    curves += ["reliability"] * any(isinstance(store, CalibrationStore) for store in stores)
    models = list(result.models)
    groups = sorted(result.groups.items(), key=lambda item: -item[1].samples)[:_MOST_GROUPS]
    labels = ["all rows", *(_shown(label) for label, _ in groups)]
    bands = list(_bands([result, *(group for _, group in groups)], models))
    across = 1 if len(models) > 1 else 2 if groups else 3
    rows = [bands[i : i + across] for i in range(0, len(bands), across)]
    heights = [_CURVES_HEIGHT] if curves else []
    heights += [_BAND_HEIGHT + _LINE_HEIGHT * len(labels) * (len(models) + 0.5)] * len(rows)
    figure = new_figure((_WIDTH, sum(heights) + 0.4))
    figure.suptitle(_title(result, len(groups)), fontsize=11)
    parts = iter(figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
    if curves:
        for panel, kind in zip(next(parts).subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
            _draw_curves(panel, result, kind)
    for part, row in zip(parts, rows, strict=True):
        panels = part.subplots(1, 2 if len(models) > 1 else across, squeeze=False)[0]
        for panel in panels:
            panel.set_axis_off()
        for panel, band in zip(panels, row, strict=False):
            _draw_intervals(panel, f"{band.name}{{}}", band.values, labels, result.level)
        if len(models) > 1:
            title = f"{row[0].name}: difference from {models[0]} on the same rows{{}}"
            panels[1].axvline(0, color=_FAINT, linewidth=0.9)
            _draw_intervals(panels[1], title, row[0].differences, labels, result.level, first_colour=1)
            panels[1].set_yticklabels([])
    if len(models) > 1:
        from matplotlib.lines import Line2D

        marks = [
            Line2D([], [], color=colour, linestyle=dashes, marker="o", markersize=4, label=model)
            for colour, dashes, model in zip(cycle(COLOURS), cycle(DASHES), models)
        ]
        figure.legend(handles=marks, loc="outside upper right", ncols=min(6, len(models)), frameon=False)
    return figure


def _title(result: Result, n_groups: int) -> str:
    title = f"{result.samples:,} rows"
    if result.skipped:
        title += f", {result.skipped:,} skipped"
    if n_groups < len(result.groups):
        title += f"; the {n_groups} largest of {len(result.groups):,} groups"
    return title


def _shown(label: Any) -> str:
    """Write a group's label, not all of a long one."""
    text = ", ".join(map(_shown, label)) if isinstance(label, tuple) else str(label)
    if label is None:
        text = "(missing)"
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"


def _bands(results: Sequence[Result], models: Sequence[str]) -> Iterator[_Band]:
    """Collect the measures that are one number, and the chief ones of those that are several."""
    for key, found in results[0].items():
        for part in [p for p in _DRAWN if p in found] if isinstance(found, Scores) else [None]:

            def one(estimates: Mapping[str, Any], key: str = key, part: str | None = part) -> Estimate:
                estimate: Estimate = estimates[key] if part is None else estimates[key][part]
                return estimate

            yield _Band(
                key if part is None else f"{key}/{part}",
                [[one(result.models[model]) for model in models] for result in results],
                [[one(result.differences[m, models[0]]) for m in models[1:]] for result in results],
            )


def _draw_curves(panel: Any, result: Result, kind: str) -> None:
    """Draw a curve of every model."""
    for k, model in enumerate(result.models):
        style: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "linewidth": 1.8}
        if kind == "reliability":
            table = result.reliability(model)
            kept = table["weight"] > 0
            panel.plot(table["probability"][kept], table["share"][kept], ".-", **style)
            _draw_weights(panel, table, k, len(result.models), style["color"])
            continue
        x, y, _ = result.curve(kind, model)
        panel.plot(*_thinned(x, y), linestyle=DASHES[k % len(DASHES)], **style)
    panel.set_xlim(-0.01, 1.01)
    panel.set_ylim(-0.01, 1.02)
    panel.set_aspect("equal", adjustable="box")
    titles = {
        "roc": ("ROC curve", "share of negatives above the threshold", "share of positives above it"),
        "pr": ("precision and recall", "recall", "precision"),
        "reliability": ("reliability", "mean probability of a bin", "share of positives (bars: of rows)"),
    }
    title, x_label, y_label = titles[kind]
    panel.set_title(title)
    panel.set_xlabel(x_label)
    panel.set_ylabel(y_label)
    if kind != "pr":
        panel.plot([0, 1], [0, 1], color=_FAINT, linewidth=0.9, linestyle=":")
    plain(panel)


def _draw_weights(panel: Any, table: dict[str, Array], k: int, n_models: int, colour: str) -> None:
    """Draw the share of rows in each bin as bars at the bottom, those of several models side by side."""
    width = (table["high"] - table["low"]) / n_models
    share = table["weight"] / max(float(table["weight"].sum()), np.finfo(float).tiny)
    panel.bar(table["low"] + k * width, share, width, align="edge", color=colour, alpha=0.3, linewidth=0)


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    """Leave points out of a long curve: what is left is as even along it as its own points allow."""
    length = np.cumsum(np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])))
    if len(x) <= _MOST_POINTS or not math.isfinite(length[-1]):
        return x, y
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], _MOST_POINTS)).clip(0, len(x) - 1))
    return x[kept], y[kept]


def _draw_intervals(
    panel: Any,
    title: str,
    lines: Sequence[Sequence[Estimate]],
    labels: Sequence[str],
    level: float,
    first_colour: int = 0,
) -> None:
    """Draw a line for each label, from the top: a mark for each estimate, and its interval where known."""
    panel.set_axis_on()
    panel.axhspan(-0.5, 0.5, color="#F2F2F2", linewidth=0)
    n = len(lines[0])
    for k in range(n):
        own = [line[k] for line in lines]
        values, low, high = (np.array([getattr(e, name) for e in own]) for name in ("value", "low", "high"))
        at = np.arange(len(own)) + (k - (n - 1) / 2) * 0.7 / n
        reach = [np.nan_to_num(part, nan=0.0).tolist() for part in (values - low, high - values)]
        colour = COLOURS[(k + first_colour) % len(COLOURS)]
        panel.errorbar(values, at, xerr=reach, fmt="o", markersize=4, linewidth=1.4, color=colour)
    known = any(math.isfinite(e.standard_error) for line in lines for e in line)
    panel.set_title(title.format(f", {100 * level:g} % intervals" if known else ""), fontsize=10)
    panel.set_ylim(len(lines) - 0.5, -0.5)
    panel.set_yticks(np.arange(len(lines)), labels)
    panel.locator_params(axis="x", nbins=5)
    plain(panel, "x")
