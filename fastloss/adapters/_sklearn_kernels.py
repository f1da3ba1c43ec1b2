"""What scikit-learn's private losses call `closs`, computed by fastloss's kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastloss as fl
from fastloss._loss import Loss, PointwiseLoss

Array = npt.NDArray[Any]


class Kernel:
    """What scikit-learn calls `closs`: a loss that writes to the arrays it is given.

    Weights are applied in the loss's own pass; negative ones, which it refuses, afterwards.
    """

    def __init__(self, loss: Loss, **parameters: Any) -> None:
        self._loss = loss
        self.__dict__.update(parameters)

    def loss(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any, loss_out: Any, n_threads: int = 1
    ) -> Any:
        """Write the weighted value of each sample."""
        self._write(self._loss.__call__, y_true, raw_prediction, sample_weight, (loss_out,), n_threads)
        return loss_out

    def gradient(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any, gradient_out: Any, n_threads: int = 1
    ) -> Any:
        """Write the weighted gradient of each sample."""
        self._write(self._loss.gradient, y_true, raw_prediction, sample_weight, (gradient_out,), n_threads)
        return gradient_out

    def loss_gradient(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any,
        loss_out: Any,
        gradient_out: Any,
        n_threads: int = 1,
    ) -> Any:
        """Write the weighted value and gradient of each sample."""
        outputs = (loss_out, gradient_out)
        verb = self._loss.value_and_gradient
        self._write(verb, y_true, raw_prediction, sample_weight, outputs, n_threads)
        return outputs

    def gradient_hessian(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any,
        gradient_out: Any,
        hessian_out: Any,
        n_threads: int = 1,
    ) -> Any:
        """Write the weighted gradient and Hessian of each sample."""
        outputs = (gradient_out, hessian_out)
        self._write(self._derivatives, y_true, raw_prediction, sample_weight, outputs, n_threads)
        return outputs

    def _derivatives(self, y: Any, z: Any, *, sample_weight: Any, reduction: Any, **options: Any) -> Any:
        """Compute what stands for gradient and Hessian, as the loss's verb does."""
        return self._loss.gradient_and_hessian(
            y, z, sample_weight=sample_weight, reduction=reduction, **options
        )

    def _write(
        self, verb: Any, y: Array, z: Array, w: Array | None, outputs: tuple[Array, ...], n_threads: int
    ) -> None:
        if isinstance(self._loss, PointwiseLoss) and y.ndim < z.ndim:
            raise ValueError(
                f"{self._loss!r} takes one raw prediction a sample, got {z.shape[1]}: for so many classes"
                f" take as_sklearn_loss(CrossEntropy(), n_classes={z.shape[1]}) or another loss of classes"
            )
        inside = w is None or (len(w) > 0 and w.min() >= 0)
        verb(y, z, sample_weight=w if inside else None, reduction="none", out=outputs, n_threads=n_threads)
        if not inside:
            for output in outputs:
                np.multiply(output, _like(w, output), out=output, casting="same_kind")
                _clear(output, w)


def _clear(output: Array, w: Array | None) -> None:
    """Make rows of weight 0 as if they were not there: what is infinite or NaN would stay."""
    if w is not None:
        output[w == 0] = 0


def _like(w: Any, output: Array) -> Any:
    """Weights that multiply an output of one or two dimensions."""
    return w[:, None] if output.ndim == 2 else w


class UnitHessian(Kernel):
    """A kernel whose Hessian is 0 or none, for which scikit-learn takes 1."""

    def gradient_hessian(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any,
        gradient_out: Any,
        hessian_out: Any,
        n_threads: int = 1,
    ) -> Any:
        self.gradient(y_true, raw_prediction, sample_weight, gradient_out, n_threads)
        hessian_out[...] = 1 if sample_weight is None else sample_weight
        return gradient_out, hessian_out


class HuberKernel(Kernel):
    """Huber's kernel; gradient boosting sets `delta` anew at every stage."""

    delta: float

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "delta":
            self._loss = fl.Huber(delta=float(value))


class MultinomialKernel(Kernel):
    """Softmax's kernel, which gives the probabilities besides."""

    def gradient_proba(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any,
        gradient_out: Any,
        proba_out: Any,
        n_threads: int = 1,
    ) -> Any:
        """Write the weighted gradient and the probabilities of each sample."""
        self.gradient(y_true, raw_prediction, sample_weight, gradient_out, n_threads)
        loss: Any = self._loss
        loss.probabilities(raw_prediction, out=proba_out, n_threads=n_threads)
        return gradient_out, proba_out

    def _test_cy_gradient(self, y_true: Any, raw_prediction: Any, sample_weight: Any) -> Any:
        out = np.empty_like(raw_prediction)
        return self.gradient(y_true, raw_prediction, sample_weight, out)


class ExponentialKernel(Kernel):
    """The exponential loss, also of labels between 0 and 1: then it is the mean of both labels' losses."""

    def _write(
        self, verb: Any, y: Array, z: Array, w: Array | None, outputs: tuple[Array, ...], n_threads: int
    ) -> None:
        if np.isin(y, (0, 1)).all():
            super()._write(verb, y, z, w, outputs, n_threads)
            return
        share, other = y, tuple(np.empty_like(output) for output in outputs)
        super()._write(verb, np.ones_like(y), z, share if w is None else w * share, outputs, n_threads)
        super()._write(
            verb, np.zeros_like(y), z, (1 - share) if w is None else w * (1 - share), other, n_threads
        )
        for output, rest in zip(outputs, other, strict=True):
            output += rest


class TweedieLogLink(PointwiseLoss):
    """The Tweedie loss with the log link, of any power but 0, 1 and 2."""

    family = "regression"
    power: float

    def __init__(self, power: float) -> None:
        super().__init__("tweedie_log_link", (power,), power=power)


class SquaredErrorLogLink(Kernel):
    """Half the squared error of e^z: the Tweedie loss of power 0, by the chain rule."""

    def _write(
        self, verb: Any, y: Array, z: Array, w: Array | None, outputs: tuple[Array, ...], n_threads: int
    ) -> None:
        # Rows of weight 0 may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.exp(z)
            super()._write(verb, y, mean, w, outputs, n_threads)
            if verb == self._derivatives:
                # d²/dz² = h·mean² + g·mean with the gradient g and the Hessian h by the mean
                gradient, hessian = outputs
                hessian *= mean
                hessian += gradient
                hessian *= mean
                gradient *= mean
            elif verb != self._loss.__call__:
                outputs[-1][...] *= mean
        for output in outputs:
            _clear(output, w)
