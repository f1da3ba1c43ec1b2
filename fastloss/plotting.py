"""Pictures of losses: value, gradient and Hessian side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastloss._curves import Array, Axis, axis_of, curves_of
from fastloss._extras import require
from fastloss._loss import Loss
from fastloss.formulas import Formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "save"]

_POINTS = 801
_OUTPUTS = ("value", "gradient", "Hessian")
_WIDTH, _HEIGHT = 10.0, 3.3  # inches, of a row of three panels
# What a file would otherwise say of when and by which version it was made.
_WITHOUT_TIME = {"svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}
_LEGEND_LETTERS = 110  # that fit into a line of that width

# Colours that the colour-blind tell apart (M. Okabe and K. Ito, "Color Universal Design", 2008), and dashes,
# for curves on top of each other and for prints without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)), (0, (3, 1, 1, 1, 1, 1)))


def draw(losses: Sequence[Loss], *, target: float = 1.0, limits: tuple[float, float] | None = None) -> Figure:
    """Draw the value, the gradient and the Hessian of losses.

    Losses that depend on the residual alone are drawn over it, other losses of single predictions over the
    prediction at one target. Losses of rows are drawn for three classes, over the score or the probability of
    the first one, which is the target: their gradient and Hessian have a curve for each class. Losses of
    embeddings are drawn over the distance or the angle of two vectors, transport distances over a shift of
    two points beside two others; their gradient is that in the direction of the move. There is a row of three
    panels for each of these kinds, as far as the losses need them.

    Parameters
    ----------
    losses : sequence of Loss
        The losses.
    target : float, default 1.0
        `y_true`, for the losses of single predictions that do not depend on the residual alone.
    limits : tuple of float, optional
        The first and the last residual or prediction, which are cut to the losses' domain; chosen by the
        losses where it is None.

    Returns
    -------
    matplotlib.figure.Figure
        The picture; `save` writes it to a file.

    Raises
    ------
    TypeError
        If there is something else among the losses.
    ValueError
        If there is no loss, if `target` is outside a loss's domain, if `limits` are not increasing finite
        numbers, or outside the domain, or if a loss has a list of numbers for other than three classes.
    ImportError
        If matplotlib is not installed: it comes with the extra ``plot``; for `EarthMover`, POT.

    Examples
    --------
    >>> import fastloss as fl
    >>> from fastloss.plotting import draw
    >>> figure = draw([fl.SquaredError(), fl.Huber(delta=1.5)])
    >>> [panel.get_title() for panel in figure.axes]
    ['value', 'gradient', 'Hessian']
    """
    if not losses:
        raise ValueError("there is no loss to draw")
    rows: dict[str, list[Loss]] = {}
    for loss in dict.fromkeys(losses):
        rows.setdefault(axis_of(loss, target).label, []).append(loss)
    axes = [_join([axis_of(loss, target) for loss in row], limits) for row in rows.values()]
    figure = new_figure((_WIDTH, _HEIGHT * len(rows)))
    parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for part, axis, row in zip(parts, axes, rows.values(), strict=True):
        panels = part.subplots(1, len(_OUTPUTS))
        _draw_row(panels, axis, row)
        handles, labels = panels[0].get_legend_handles_labels()
        lines = math.ceil(sum(len(label) + 7 for label in labels) / _LEGEND_LETTERS)
        columns = math.ceil(len(labels) / lines)
        part.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)
    return figure


def new_figure(size: tuple[float, float]) -> Figure:
    """Make an empty figure of a size in inches.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    figure: Figure = require("matplotlib.figure", "plot", "a picture").Figure(
        figsize=size, layout="constrained"
    )
    return figure


def plain(panel: Any, axis: str = "both") -> None:
    """Give a panel a faint grid behind its curves, and no lines at the top and on the right."""
    panel.grid(axis=axis, color="#DDDDDD", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: str) -> None:
    """Write a picture to a file, the same bytes for the same picture.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The picture.
    path : str
        Where to; the name ends in .png, .svg, .pdf or another ending that matplotlib knows.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    OSError
        If the file cannot be written.
    """
    from matplotlib import rc_context

    kind = kind_of_picture(path)
    with rc_context({"svg.hashsalt": "fastloss"}):
        figure.savefig(path, format=kind, dpi=150, metadata=_WITHOUT_TIME.get(kind))


def kind_of_picture(path: str) -> str:
    """Return the ending of a picture's name, or raise a ValueError where matplotlib cannot write such."""
    kinds = new_figure((1.0, 1.0)).canvas.get_supported_filetypes()
    kind = path.rpartition(".")[2].lower()
    if kind not in kinds:
        raise ValueError(f"a picture's name must end in .{', .'.join(sorted(kinds))}, got {path!r}")
    return kind


def _join(axes: Sequence[Axis], limits: tuple[float, float] | None) -> Axis:
    """Make one axis of those of several losses."""
    low, high = limits or (min(axis.low for axis in axes), max(axis.high for axis in axes))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"limits must be two increasing finite numbers, got {limits!r}")
    least, most = max(axis.least for axis in axes), min(axis.most for axis in axes)
    if least >= high or most <= low:
        raise ValueError(f"limits {limits!r} are outside the domain, from {least:g} to {most:g}")
    return axes[0]._replace(low=max(low, least), high=min(high, most))


def _draw_row(panels: Any, axis: Axis, losses: Sequence[Loss]) -> None:
    """Draw losses of one axis into three panels."""
    x = np.linspace(axis.low, axis.high, _POINTS)
    curves = [curves_of(loss, axis, x) for loss in losses]
    named = False
    for i, (panel, title) in enumerate(zip(panels, _OUTPUTS, strict=True)):
        drawn = [curve[i] if i < len(curve) else {} for curve in curves]
        for j, parts in enumerate(drawn):
            for k, (name, heights) in enumerate(parts.items()):
                # A loss has a colour, each of its curves a dash; of a loss alone, each curve has both.
                colour, dash = j if len(losses) > 1 else k, k if len(parts) > 1 else j
                style = {"color": COLOURS[colour % len(COLOURS)], "linestyle": DASHES[dash % len(DASHES)]}
                label = _label(losses[j]) if k == 0 else f"_{name}"
                panel.plot(x, heights, label=label, linewidth=1.8, **style)
        panel.set_title(title)
        panel.set_xlabel(axis.label)
        panel.set_xlim(axis.low, axis.high)
        panel.locator_params(axis="x", nbins=7, steps=[1, 2, 5, 10])
        panel.set_ylim(_heights([heights for parts in drawn for heights in parts.values()]))
        plain(panel)
        if not any(drawn):
            panel.text(0.5, 0.5, "there is none", transform=panel.transAxes, ha="center", color="#777777")
            panel.set_yticks([])
        names = max(drawn, key=len)
        if len(names) > 1 and not named:
            _name_parts(panel, list(names), len(losses) == 1)
            named = True


def _name_parts(panel: Any, names: Sequence[str], of_one_loss: bool) -> None:
    """Say which curve of a loss is which."""
    from matplotlib.lines import Line2D

    colours = COLOURS if of_one_loss else ["#777777"] * len(names)
    handles = [Line2D([], [], color=colours[k], linestyle=DASHES[k]) for k in range(len(names))]
    panel.legend(handles, names, fontsize="small", framealpha=0.7, edgecolor="none")


def _heights(curves: Sequence[Array]) -> tuple[float, float]:
    """Choose the vertical limits, so that a curve much steeper than the others does not flatten them."""
    top = _typical([_height(curve) for curve in curves])
    bottom = -_typical([_height(-curve) for curve in curves])
    margin = 0.05 * (top - bottom) or 1.0
    return bottom - margin, top + margin


def _height(curve: Array) -> float:
    """Return how far above 0 a curve goes, not counting a steep end."""
    heights = np.maximum(curve[np.isfinite(curve)], 0)
    highest = float(np.max(heights, initial=0))
    if highest not in (*heights[:1], *heights[-1:]):
        return highest
    return min(highest, 2 * float(np.quantile(heights, 0.9))) or highest


def _typical(heights: Sequence[float]) -> float:
    """Return the greatest height, but no more than three times the (upper) median of those that are not 0."""
    positive = sorted(height for height in heights if height > 0)
    return min(positive[-1], 3 * positive[len(positive) // 2]) if positive else 0.0


def _label(loss: Loss) -> str:
    """Write a loss with the parameters that are not the defaults, a formula by its name or as it is."""
    if isinstance(loss, Formula):
        return loss.expression if loss.name == "formula" else loss.name
    defaults = type(loss)().parameters
    changed = [f"{name}={value!r}" for name, value in loss.parameters.items() if value != defaults[name]]
    return type(loss).__name__ + (f"({', '.join(changed)})" if changed else "")
