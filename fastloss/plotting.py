"""Pictures of losses: value, gradient and Hessian side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastloss._loss import Loss, PointwiseLoss
from fastloss.choosing.advice import ADVICE
from fastloss.registry import list_losses

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "save"]

_POINTS = 801
_OUTPUTS = ("value", "gradient", "Hessian")
_WIDTH, _HEIGHT = 10.0, 3.3  # inches, of a row of three panels
_LEGEND_LETTERS = 110  # that fit into a line of that width

# Colours that the colour-blind tell apart (M. Okabe and K. Ito, "Color Universal Design", 2008), and dashes,
# for curves on top of each other and for prints without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)), (0, (3, 1, 1, 1, 1, 1)))

# Parameters that say at which residual a loss changes its nature.
_SCALES = ("delta", "beta", "c", "threshold")


class _Axis(NamedTuple):
    """What losses are drawn over: from `low` to `high`, within the domain from `least` to `most`."""

    label: str
    target: float
    low: float
    high: float
    least: float = -math.inf
    most: float = math.inf


def draw(losses: Sequence[Loss], *, target: float = 1.0, limits: tuple[float, float] | None = None) -> Figure:
    """Draw the value, the gradient and the Hessian of losses of single predictions.

    Losses that depend on the residual alone are drawn over it, the others over the prediction at one target.
    There is a row of three panels for the residual, for scores of two classes, for probabilities, for
    logarithms of a mean, and for other predictions, as far as the losses need them.

    Parameters
    ----------
    losses : sequence of Loss
        Pointwise losses.
    target : float, default 1.0
        `y_true`, for the losses that do not depend on the residual alone.
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
        If a loss is not one of single predictions.
    ValueError
        If there is no loss, if `target` is outside a loss's domain, or if `limits` are not increasing finite
        numbers, or outside the domain.
    ImportError
        If matplotlib is not installed: it comes with the extra ``plot``.

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
    rows: dict[str, list[PointwiseLoss]] = {}
    for loss in dict.fromkeys(losses):
        rows.setdefault(_axis(loss, target).label, []).append(_check(loss))
    axes = [_join([_axis(loss, target) for loss in row], limits) for row in rows.values()]
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
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('a picture needs matplotlib: pip install "fastloss[plot]"') from error
    return Figure(figsize=size, layout="constrained")


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
        Where to; the name ends in .png or .svg.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    OSError
        If the file cannot be written.
    """
    from matplotlib import rc_context

    kind = path.rpartition(".")[2].lower()
    if kind not in ("png", "svg"):
        raise ValueError(f"a picture's name must end in .png or .svg, got {path!r}")
    metadata = {"svg": {"Date": None}, "png": {"Software": None}}[kind]
    with rc_context({"svg.hashsalt": "fastloss"}):
        figure.savefig(path, format=kind, dpi=150, metadata=metadata)


def _check(loss: Any) -> PointwiseLoss:
    """Return a loss that can be drawn, or say which can."""
    if isinstance(loss, PointwiseLoss):
        return loss
    names = [info.name for info in list_losses() if issubclass(info.cls, PointwiseLoss)]
    raise TypeError(
        f"{type(loss).__name__} cannot be drawn: only losses of single predictions can be, "
        + ", ".join(names)
    )


def _axis(loss: Any, target: float) -> _Axis:
    """Say what a loss is drawn over, and how far."""
    loss = _check(loss)
    if _depends_on_the_residual(loss):
        reach = max(
            3.0, *(1.5 * loss.parameters.get(name) for name in _SCALES if loss.parameters.get(name)), 0.0
        )
        return _Axis("residual r = z − y", 0.0, -reach, reach)
    if loss.prediction_domain.high == 1:
        return _Axis(f"predicted probability p at y = {target:g}", target, 0.02, 0.98, 0.0, 1.0)
    if loss.target_domain.high == 1:
        return _Axis(f"score z at y = {target:g}", target, -3.0, 3.0)
    if ADVICE[type(loss).__name__].link == "log":
        centre = math.log(target) if target > 0 else 0.0
        return _Axis(f"z, the logarithm of the mean, at y = {target:g}", target, centre - 3, centre + 3)
    reach = 3 * max(1.0, abs(target))
    least = loss.prediction_domain.low + 0.1  # not the very edge, where the curves have no bound
    return _Axis(f"prediction z at y = {target:g}", target, target - reach, target + reach, least)


def _depends_on_the_residual(loss: PointwiseLoss) -> bool:
    """Say whether a loss of z and y is one of z - y."""
    if math.isfinite(loss.target_domain.low):
        return False
    residuals = np.array([-3.0, -0.5, 0.25, 2.0])
    at_zero, at_eight = (loss(np.full(4, y), y + residuals, reduction="none") for y in (0.0, 8.0))
    return bool(np.array_equal(at_zero, at_eight))


def _join(axes: Sequence[_Axis], limits: tuple[float, float] | None) -> _Axis:
    """Make one axis of those of several losses."""
    low, high = limits or (min(axis.low for axis in axes), max(axis.high for axis in axes))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"limits must be two increasing finite numbers, got {limits!r}")
    least, most = max(axis.least for axis in axes), min(axis.most for axis in axes)
    if least >= high or most <= low:
        raise ValueError(f"limits {limits!r} are outside the domain, from {least:g} to {most:g}")
    return axes[0]._replace(low=max(low, least), high=min(high, most))


def _draw_row(panels: Any, axis: _Axis, losses: Sequence[PointwiseLoss]) -> None:
    """Draw losses of one axis into three panels."""
    x = np.linspace(axis.low, axis.high, _POINTS)
    curves = [_evaluate(loss, axis.target, x) for loss in losses]
    for i, (panel, title) in enumerate(zip(panels, _OUTPUTS, strict=True)):
        for j, (loss, curve) in enumerate(zip(losses, curves, strict=True)):
            style = {"color": COLOURS[j % len(COLOURS)], "linestyle": DASHES[j % len(DASHES)]}
            if i < len(curve):
                panel.plot(x, curve[i], label=_label(loss), linewidth=1.8, **style)
        panel.set_title(title)
        panel.set_xlabel(axis.label)
        panel.set_xlim(axis.low, axis.high)
        panel.locator_params(axis="x", nbins=7, steps=[1, 2, 5, 10])
        panel.set_ylim(_heights([curve[i] for curve in curves if i < len(curve)]))
        plain(panel)


def _evaluate(loss: PointwiseLoss, target: float, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Compute value, gradient and Hessian, or as many of them as the loss has."""
    y = np.full_like(x, target)
    if not loss.has_gradient:
        return (loss(y, x, reduction="none"),)
    if not loss.has_hessian:
        return loss.value_and_gradient(y, x, reduction="none")
    return loss.value_gradient_and_hessian(y, x, reduction="none")


def _heights(curves: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Choose the vertical limits, so that a curve much steeper than the others does not flatten them."""
    top = _typical([_height(curve) for curve in curves])
    bottom = -_typical([_height(-curve) for curve in curves])
    margin = 0.05 * (top - bottom) or 1.0
    return bottom - margin, top + margin


def _height(curve: NDArray[np.float64]) -> float:
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
    """Write a loss with the parameters that are not the defaults."""
    defaults = type(loss)().parameters
    changed = [f"{name}={value!r}" for name, value in loss.parameters.items() if value != defaults[name]]
    return type(loss).__name__ + (f"({', '.join(changed)})" if changed else "")
