"""What is drawn of a loss: the numbers that vary, and value, gradient and Hessian along them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastloss._loss import EmbeddingLoss, Loss, ParameterLoss, PointwiseLoss, RowLoss, TransportLoss

Array = NDArray[np.float64]
#: The curves of each output that a loss has, by what tells them apart: "" where there is one.
Curves = list[dict[str, Array]]

# What rows of three are made of beside the number that varies: two scores, or two parts of what is left.
_OTHER_SCORES = (0.0, -1.0)
_OTHER_PARTS = (2 / 3, 1 / 3)
_TARGET_ROW = (0.6, 0.4 * _OTHER_PARTS[0], 0.4 * _OTHER_PARTS[1])


class Axis(NamedTuple):
    """What losses are drawn over: from `low` to `high`, within the domain from `least` to `most`."""

    label: str
    target: float
    low: float
    high: float
    least: float = -math.inf
    most: float = math.inf


class _Path(NamedTuple):
    """A vector that moves, as an argument of a loss of embeddings or of transport, and where it is drawn."""

    label: str
    low: float
    high: float
    arguments: Mapping[str, Callable[[Any], tuple[Any, ...]]]
    place: Callable[[float], Array]
    direction: Callable[[float], Array]
    #: Which argument moves, or which does in each of the curves.
    moved: int | Mapping[str, int] = 0


_ORIGIN, _UNIT = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])
_FIRST_AND_LAST = np.eye(3)[[0, 2]]
_CLOUD = np.array([[0.0, 0.0], [2.0, 0.0]])


_STRAIGHT: dict[str, Any] = {
    "place": lambda x: x * _UNIT,
    "direction": lambda _: _UNIT,
    "low": 0.0,
    "high": 2.0,
}
_TURNING: dict[str, Any] = {
    "place": lambda x: np.array([[math.cos(x), math.sin(x)]]),
    "direction": lambda x: np.array([[-math.sin(x), math.cos(x)]]),
    "low": 0.0,
    "high": math.pi,
}


def _shifted(points: Array, along: Array) -> dict[str, Any]:
    return {"place": lambda x: points + x * along, "direction": lambda _: along, "low": -2.0, "high": 3.0}


def _pairs(of: Array) -> dict[str, Callable[[Any], tuple[Any, ...]]]:
    return {
        "similar": lambda moved: (of, moved, [1]),
        "not similar": lambda moved: (of, moved, [0]),
    }


_OF_CLOUDS = "x of the points x, x + 1 beside 0, 2"
_PATHS = {
    "contrastive": _Path("distance of a pair", arguments=_pairs(_ORIGIN), moved=1, **_STRAIGHT),
    "cosine_embedding": _Path("angle of a pair", arguments=_pairs(_UNIT), moved=1, **_TURNING),
    "triplet": _Path(
        "distance of the negative (positive: 1)",
        arguments={"": lambda negative: (_ORIGIN, _UNIT, negative)},
        moved=2,
        **_STRAIGHT,
    ),
    "center_loss": _Path(
        "distance from the centre", arguments={"": lambda x: (x, _ORIGIN, [0])}, **_STRAIGHT
    ),
    "nt_xent": _Path(
        "angle of a pair beside a second pair",
        arguments={"": lambda moved: (_FIRST_AND_LAST, moved)},
        place=lambda x: np.array([[math.cos(x), math.sin(x), 0.0], [0.0, 0.0, 1.0]]),
        direction=lambda x: np.array([[-math.sin(x), math.cos(x), 0.0], [0.0, 0.0, 0.0]]),
        low=0.0,
        high=math.pi,
        moved=1,
    ),
    "entropy": _Path(
        "probability p₁ (p₂ = 2 p₃)",
        arguments={"": lambda p: (p,)},
        place=lambda x: np.array([[x, *((1 - x) * part for part in _OTHER_PARTS)]]),
        direction=lambda _: np.array([[1.0, *(-part for part in _OTHER_PARTS)]]),
        low=0.02,
        high=0.98,
    ),
    "entropy of scores": _Path(
        "score z₁ (z₂ = 0, z₃ = −1)",
        arguments={"": lambda z: (z,)},
        place=lambda x: np.array([[x, *_OTHER_SCORES]]),
        direction=lambda _: np.array([[1.0, 0.0, 0.0]]),
        low=-3.0,
        high=3.0,
    ),
    "gaussian_kl": _Path(
        "mean or log-variance of a code",
        arguments={"mean": lambda x: (x, 0 * x), "log-variance": lambda x: (0 * x, x)},
        place=lambda x: np.array([[x]]),
        direction=lambda _: np.array([[1.0]]),
        low=-3.0,
        high=3.0,
        moved={"mean": 0, "log-variance": 1},
    ),
    "wasserstein": _Path(
        _OF_CLOUDS, arguments={"": lambda v: (_CLOUD[:, 0], v)}, **_shifted(_CLOUD[:, 0] / 2, np.ones(2))
    ),
    "sinkhorn": _Path(_OF_CLOUDS, arguments={"": lambda Y: (_CLOUD, Y)}, **_shifted(_CLOUD / 2, _UNIT)),
    "earth_mover": _Path(_OF_CLOUDS, arguments={"": lambda Y: (_CLOUD, Y)}, **_shifted(_CLOUD / 2, _UNIT)),
}


def axis_of(loss: Any, target: float) -> Axis:
    """Say what a loss is drawn over, and how far; a TypeError where it is no loss."""
    if isinstance(loss, PointwiseLoss):
        return _axis_of_single(loss, target)
    if isinstance(loss, RowLoss):
        return _axis_of_row(loss)
    if isinstance(loss, (EmbeddingLoss, TransportLoss)):
        path = _path_of(loss)
        return Axis(path.label, 0.0, path.low, max(path.high, 2 * loss.parameters.get("margin", 0.0)))
    raise TypeError(f"{type(loss).__name__} cannot be drawn: it is not a loss")


def curves_of(loss: Loss, axis: Axis, x: Array) -> Curves:
    """Compute value, gradient and Hessian over an axis, or as many of them as the loss has."""
    if isinstance(loss, PointwiseLoss):
        return [{"": curve} for curve in _outputs(loss, np.full_like(x, axis.target), x)]
    if isinstance(loss, RowLoss):
        y, z, names = _rows(loss, x)
        value, *derivatives = _outputs(loss, y, z)
        return [{"": value}, *(dict(zip(names, array.T, strict=True)) for array in derivatives)]
    return _along(loss, _path_of(loss), x)


def _path_of(loss: Any) -> _Path:
    return _PATHS.get(f"{loss.name} of {loss.inputs}") or _PATHS[loss.name]


def _outputs(loss: Any, y: NDArray[Any], z: Array) -> tuple[Array, ...]:
    """Compute all that a loss of targets and predictions has."""
    if not loss.has_gradient:
        return (loss(y, z, reduction="none"),)
    if not loss.has_hessian:
        outputs: tuple[Array, ...] = loss.value_and_gradient(y, z, reduction="none")
    else:
        outputs = loss.value_gradient_and_hessian(y, z, reduction="none")
    return outputs


def _along(loss: Any, path: _Path, x: Array) -> Curves:
    """Compute the value along a path, and its derivative: the gradient by what moves, in its direction."""
    value: dict[str, Array] = {name: np.empty_like(x) for name in path.arguments}
    slope: dict[str, Array] = {name: np.empty_like(x) for name in path.arguments}
    for name, arguments in path.arguments.items():
        for i, place in enumerate(x):
            value[name][i], gradient = loss.value_and_gradient(*arguments(path.place(place)))
            moved = path.moved if isinstance(path.moved, int) else path.moved[name]
            by_moved = gradient[moved] if isinstance(gradient, tuple) else gradient
            slope[name][i] = np.sum(by_moved * path.direction(place))
    return [value, slope]


def _axis_of_single(loss: PointwiseLoss, target: float) -> Axis:
    """Say what a loss of single predictions is drawn over."""
    if loss.of_residual:
        reach = max(3.0, 1.5 * (loss.parameters.get(loss.scale_parameter or "") or 0.0))
        return Axis("residual r = z − y", 0.0, -reach, reach)
    if loss.prediction_domain.high == 1:
        return Axis(f"predicted probability p at y = {target:g}", target, 0.02, 0.98, 0.0, 1.0)
    if loss.target_domain.high == 1:
        return Axis(f"score z at y = {target:g}", target, -3.0, 3.0)
    if loss.link == "log":
        centre = math.log(target) if target > 0 else 0.0
        return Axis(f"z, the logarithm of the mean, at y = {target:g}", target, centre - 3, centre + 3)
    reach = 3 * max(1.0, abs(target))
    least = loss.prediction_domain.low + 0.1  # not the very edge, where the curves have no bound
    return Axis(f"prediction z at y = {target:g}", target, target - reach, target + reach, least)


def _axis_of_row(loss: RowLoss) -> Axis:
    """Say what a loss of rows is drawn over: the first of three numbers."""
    if isinstance(loss, ParameterLoss):
        return Axis(f"{loss.columns[0]} (y = 0, the others 0)", 0.0, -3.0, 3.0)
    if loss.family == "regression":
        return Axis("residual r₁ (r₂ = 0, r₃ = −1)", 0.0, -3.0, 3.0)
    of_target, at_target = (" of the target", "") if loss.family == "multiclass" else ("", ", y₁ = 0.6")
    if loss.inputs == "scores":
        return Axis(f"score z₁{of_target} (z₂ = 0, z₃ = −1{at_target})", 0.0, -3.0, 3.0)
    return Axis(f"probability p₁{of_target} (p₂ = 2 p₃{at_target})", 0.0, 0.02, 0.98, 0.0, 1.0)


def _rows(loss: RowLoss, x: Array) -> tuple[NDArray[Any], Array, Sequence[str]]:
    """Make targets and predictions of three classes or numbers, and names for them."""
    if isinstance(loss, ParameterLoss):
        z = np.zeros((len(x), len(loss.columns)))
        z[:, 0] = x
        return np.zeros(len(x)), z, [f"by {column}" for column in loss.columns]
    if loss.inputs != "probabilities":
        z = np.stack([x, *(np.full_like(x, score) for score in _OTHER_SCORES)], axis=1)
    else:
        z = np.stack([x, *((1 - x) * part for part in _OTHER_PARTS)], axis=1)
    if loss.family == "multiclass":
        return np.zeros(len(x), np.int64), z, ("by class 1, the target", "by class 2", "by class 3")
    y = np.zeros_like(z) if loss.family == "regression" else np.tile(_TARGET_ROW, (len(x), 1))
    return y, z, ("by the first", "by the second", "by the third")
