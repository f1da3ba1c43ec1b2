"""The models of the demo, fitted to data sets inside scikit-learn, and their predictions in files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastloss as fl
from fastloss._extras import require
from fastloss.reading import Array, Location

Floats = NDArray[np.float64]

#: The size, in the units of the diabetes target, of an error that a robust loss should begin to call large.
RESIDUAL_SCALE = 50.0
_L2 = 1e-3
_HELD_OUT = 0.25


@dataclass(frozen=True)
class Predictions:
    """One kind of prediction on the held-out samples, in a file, and the losses that apply to it.

    Attributes
    ----------
    kind : str
        What is predicted: logits, probabilities, a number or its logarithm.
    y_true, y_pred : Location
        The targets and predictions in files.
    targets, values : ndarray
        The same numbers in memory.
    losses : sequence of Loss
        The losses that apply.
    """

    kind: str
    y_true: Location
    y_pred: Location
    targets: Array
    values: Floats
    losses: Sequence[fl.Loss]


@dataclass(frozen=True)
class Study:
    """A fitted model.

    Attributes
    ----------
    title : str
        Model and data set.
    headline : str
        How the fit went and how good it is on the samples held out.
    metrics : dict
        The numbers of the headline.
    predictions : sequence of Predictions
        Its predictions on the samples held out.
    """

    title: str
    headline: str
    metrics: dict[str, float]
    predictions: Sequence[Predictions]


@dataclass(frozen=True)
class _Split:
    """A data set with standardised features, in two parts."""

    features: Floats
    targets: Floats
    held_out_features: Floats
    held_out_targets: Floats


def breast_cancer(folder: Path) -> Study:
    """Fit a logistic regression to the breast cancer data and write its predictions as .npy files.

    Parameters
    ----------
    folder : Path
        Where to write the files.

    Returns
    -------
    Study
        The fit; its losses are those of the family "binary".
    """
    split = _load("load_breast_cancer")
    weights, fit = _fit(fl.BinaryCrossEntropy(), split)
    y = split.held_out_targets
    logit = split.held_out_features @ weights[:-1] + weights[-1]
    probability = 1 / (1 + np.exp(-logit))
    label = folder / "label.npy"
    np.save(label, y.astype(np.int8))
    np.save(folder / "logit.npy", logit)
    np.save(folder / "probability.npy", probability)
    accuracy = float(np.mean((logit > 0) == (y == 1)))
    majority = max(float(np.mean(y)), 1 - float(np.mean(y)))
    on_logits, on_probabilities = _binary_losses()
    return Study(
        title="Logistic regression on the breast cancer data",
        headline=(
            f"{_describe(split, fit)}. Accuracy on {len(y)} samples held out: {accuracy:.1%} "
            f"(always answering the larger class: {majority:.1%})."
        ),
        metrics={"iterations": fit.nit, "accuracy": accuracy, "majority_share": majority, "held_out": len(y)},
        predictions=[
            Predictions(kind, _npy("y_true", label), _npy("y_pred", folder / f"{kind}.npy"), y, z, losses)
            for kind, z, losses in (
                ("logit", logit, on_logits),
                ("probability", probability, on_probabilities),
            )
        ],
    )


def diabetes(folder: Path) -> Study:
    """Fit a Huber regression to the diabetes data and write its predictions as a .parquet file.

    Parameters
    ----------
    folder : Path
        Where to write the file.

    Returns
    -------
    Study
        The fit; its losses are those of the family "regression" whose domains admit the data.
    """
    arrow = require("pyarrow", "demo", "the demo")
    parquet = require("pyarrow.parquet", "demo", "the demo")
    split = _load("load_diabetes")
    weights, fit = _fit(fl.Huber(delta=RESIDUAL_SCALE), split)
    y = split.held_out_targets
    prediction = split.held_out_features @ weights[:-1] + weights[-1]
    columns = {"progression": y, "prediction": prediction}
    if prediction.min() > 0:
        columns["log_prediction"] = np.log(prediction)
    path = folder / "diabetes.parquet"
    parquet.write_table(arrow.table(columns), path)
    mae = float(np.mean(np.abs(y - prediction)))
    baseline = float(np.mean(np.abs(y - np.median(split.targets))))
    return Study(
        title=f"Huber regression (delta={RESIDUAL_SCALE:g}) on the diabetes data",
        headline=(
            f"{_describe(split, fit)}. Mean absolute error on {len(y)} samples held out: {mae:.1f} "
            f"(always answering the training median: {baseline:.1f})."
        ),
        metrics={"iterations": fit.nit, "mae": mae, "median_mae": baseline, "held_out": len(y)},
        predictions=[
            Predictions(
                kind,
                Location("y_true", str(path), "progression"),
                Location("y_pred", str(path), kind),
                y,
                columns[kind],
                regression_losses(y, columns[kind], log_link=kind == "log_prediction"),
            )
            for kind in list(columns)[1:]
        ],
    )


def digits(folder: Path) -> Study:
    """Fit a softmax regression to the digits data and write its predictions as .npy files.

    Parameters
    ----------
    folder : Path
        Where to write the files.

    Returns
    -------
    Study
        The fit; its losses are those of rows.
    """
    split = _load("load_digits")
    loss = fl.CrossEntropy()
    weights, fit = _fit_rows(loss, split)
    labels = split.held_out_targets.astype(np.int8)
    logits = split.held_out_features @ weights[:, :-1].T + weights[:, -1]
    probabilities = loss.probabilities(logits)
    n_classes = len(weights)
    one_hot = np.eye(n_classes)[labels]
    arrays = {"label": labels, "one_hot": one_hot, "logits": logits, "probabilities": probabilities}
    for name, array in arrays.items():
        np.save(folder / f"digit_{name}.npy", array)
    accuracy = float(np.mean(logits.argmax(axis=1) == labels))
    largest = np.bincount(split.targets.astype(np.intp)).argmax()
    majority = float(np.mean(labels == largest))
    return Study(
        title=f"Softmax regression on the digits data, {n_classes} classes",
        headline=(
            f"{_describe(split, fit)}. Accuracy on {len(labels)} samples held out: {accuracy:.1%} "
            f"(always answering the largest class: {majority:.1%})."
        ),
        metrics={
            "iterations": fit.nit,
            "accuracy": accuracy,
            "majority_share": majority,
            "held_out": len(labels),
        },
        predictions=[
            Predictions(
                kind,
                _npy("y_true", folder / f"digit_{target}.npy"),
                _npy("y_pred", folder / f"digit_{kind}.npy"),
                arrays[target],
                arrays[kind],
                losses,
            )
            for kind, target, losses in (
                (
                    "logits",
                    "label",
                    [
                        fl.CrossEntropy(),
                        fl.Focal(),
                        fl.MulticlassHinge(),
                        fl.MulticlassHinge(kind="weston-watkins"),
                        fl.GeneralizedCrossEntropy(),
                        fl.Poly1CrossEntropy(),
                    ],
                ),
                ("probabilities", "label", [fl.CrossEntropy(from_logits=False), fl.Focal(from_logits=False)]),
                ("probabilities", "one_hot", [fl.KLDivergence(), fl.JSDivergence(), fl.EuclideanError()]),
            )
        ],
    )


def regression_losses(y: Floats, z: Floats, *, log_link: bool) -> list[fl.Loss]:
    """Choose the regression losses whose domains admit these targets and predictions.

    Parameters
    ----------
    y, z : ndarray
        Targets and predictions.
    log_link : bool
        Whether `z` is the logarithm of the predicted mean, as the Poisson, Gamma and Tweedie losses want it
        and no other does.

    Returns
    -------
    list of Loss
        The losses; parameters that set a scale are the default times `RESIDUAL_SCALE`.
    """
    chosen: list[fl.Loss] = []
    for info in fl.list_losses(family="regression", link="log" if log_link else "identity"):
        loss = info.cls()
        if (scale := loss.scale_parameter) is not None:
            loss = info.cls(**{scale: round(info.parameters[scale] * RESIDUAL_SCALE, 9)})
        if not isinstance(loss, fl.PointwiseLoss):
            continue
        if _admits(loss.target_domain, y) and _admits(loss.prediction_domain, z):
            chosen.append(loss)
    return chosen


def _binary_losses() -> tuple[list[fl.Loss], list[fl.Loss]]:
    """Choose the binary losses that apply to logits, and those that apply to probabilities.

    The cross-entropies apply to both. The zero-one loss compares numbers: on probabilities, an error of at
    least one half is a wrong class. The margin losses and the critic take scores, as logits are.
    """
    on_logits: list[fl.Loss] = []
    on_probabilities: list[fl.Loss] = []
    for info in fl.list_losses(family="binary"):
        if "from_logits" not in info.parameters:
            on_logits.append(info.cls())
            continue
        of_logits = info.cls(**{"from_logits": True})
        on_logits.append(of_logits)
        on_probabilities.append(of_logits._of_probabilities())
    return on_logits, on_probabilities


def _admits(domain: fl.Domain, x: Floats) -> bool:
    """Tell whether a domain holds all the values."""
    above = x > domain.low if domain.open_low else x >= domain.low
    whole = not domain.integral or bool(np.all(x == np.floor(x)))
    return bool(np.all(above & (x <= domain.high))) and whole


def _load(name: str) -> _Split:
    """Load a data set, split it the same way every time, and standardise it by the training part."""
    datasets = require("sklearn.datasets", "demo", "the demo")
    features, targets = getattr(datasets, name)(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(targets))
    held_out, training = np.split(order, [round(_HELD_OUT * len(order))])
    mean, deviation = features[training].mean(axis=0), features[training].std(axis=0)
    standard = (features - mean) / np.where(deviation == 0, 1.0, deviation)
    y = targets.astype(np.float64)
    return _Split(standard[training], y[training], standard[held_out], y[held_out])


def _fit(loss: fl.Loss, split: _Split) -> tuple[Floats, Any]:
    """Minimise mean loss plus ½·L2·‖coefficients‖² over the weights, of which the intercept is the last."""
    features = split.features

    def objective(weights: Floats) -> tuple[float, Floats]:
        coefficients, intercept = weights[:-1], weights[-1]
        value, by_prediction = loss.value_and_gradient(split.targets, features @ coefficients + intercept)
        gradient = np.append(features.T @ by_prediction + _L2 * coefficients, by_prediction.sum())
        return value + 0.5 * _L2 * float(coefficients @ coefficients), gradient

    result = _minimise(objective, np.zeros(features.shape[1] + 1))
    return result.x, result


def _fit_rows(loss: fl.RowLoss, split: _Split) -> tuple[Floats, Any]:
    """Minimise mean loss plus ½·L2·‖coefficients‖² over a row of weights a class, the intercept its last.

    Logits and gradient are computed in the same two arrays in every step.
    """
    features, labels = split.features, split.targets.astype(np.intp)
    shape = (int(labels.max()) + 1, features.shape[1] + 1)
    logits = np.empty((len(labels), shape[0]))
    by_logit = np.empty_like(logits)

    def objective(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        coefficients = weights[:, :-1]
        np.matmul(features, coefficients.T, out=logits)
        np.add(logits, weights[:, -1], out=logits)
        value, _ = loss.value_and_gradient(labels, logits, out=by_logit)
        gradient = np.column_stack([by_logit.T @ features + _L2 * coefficients, by_logit.sum(axis=0)])
        return value + 0.5 * _L2 * float(np.sum(coefficients**2)), gradient.ravel()

    result = _minimise(objective, np.zeros(shape).ravel())
    return result.x.reshape(shape), result


def _minimise(objective: Callable[[Floats], tuple[float, Floats]], start: Floats) -> Any:
    """Run L-BFGS; matrix products this small gain nothing from threads, and may wait long for them."""
    optimize = require("scipy.optimize", "demo", "the demo")
    limits = require("threadpoolctl", "demo", "the demo").threadpool_limits
    with limits(limits=1, user_api="blas"):
        return optimize.minimize(objective, start, method="L-BFGS-B", jac=True)


def _describe(split: _Split, fit: Any) -> str:
    """Say how the fit went."""
    rows, columns = split.features.shape
    end = "L-BFGS converged" if fit.success else "L-BFGS stopped"
    return f"{rows} samples, {columns} features; {end} in {fit.nit} iterations"


def _npy(argument: str, path: Path) -> Location:
    """Locate a .npy file."""
    return Location(argument, str(path), None)
