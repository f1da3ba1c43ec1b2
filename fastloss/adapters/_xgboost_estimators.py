"""XGBoost's scikit-learn estimators with a loss: what its own objectives know of themselves is set."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

try:
    import xgboost
except ImportError as error:
    raise ImportError(
        'the estimators of fastloss.adapters.xgboost need XGBoost: pip install "fastloss[xgboost]"'
    ) from error
from sklearn.utils.metaestimators import available_if

from fastloss._loss import Loss, ParameterLoss
from fastloss._validation import as_array
from fastloss.adapters import _estimators as shared
from fastloss.adapters._boosting import Array
from fastloss.adapters.xgboost import _Metric, objective, predictions

#: XGBoost's own link of two classes is that of a probability, which must not round to 0 or 1.
_LARGEST_LOGIT = 15.0
#: Where the classes and the loss are kept with the model.
_ATTRIBUTE = "fastloss"
_VERSION = tuple(int(part) for part in xgboost.__version__.split(".")[:2])


class _Trained(xgboost.XGBModel):
    """What a fit of both kinds of estimators does."""

    loss: Any
    curvature: str
    eval_metric: Any
    objective: Any
    base_score: Any
    early_stopping_rounds: Any
    callbacks: Any
    _start: Any = None
    _trained: Any = None
    _classes: Any = None
    #: Whether the metric is fastloss's, and XGBoost shall not evaluate its own.
    _has_metric: bool = True

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters: the loss's and XGBoost's, but for the objective that the loss is."""
        params: dict[str, Any] = super().get_params(deep)
        params.pop("objective", None)
        return params

    def get_xgb_params(self) -> dict[str, Any]:
        """Return the parameters for XGBoost."""
        params: dict[str, Any] = super().get_xgb_params()
        for name in ("loss", "curvature", "class_weight"):
            params.pop(name, None)
        if self._start is not None:
            params["base_score"] = self._start
        if isinstance(self._trained, ParameterLoss):
            params["num_class"] = len(self._trained.columns)
        if self._has_metric:
            params.pop("eval_metric", None)
            params["disable_default_eval_metric"] = True
        return params

    @property
    def loss_(self) -> Any:
        """The loss that it was trained with."""
        self.get_booster()  # raises an error where there is none
        return self._trained

    def _fit_loss(
        self, loss: Loss, start: Any, X: Any, y: Any, options: dict[str, Any], classes: Array | None = None
    ) -> None:
        """Fit with the loss, from the start; the constructor's parameters stay what they are."""
        self._trained, self._start, self._classes = loss, start, None
        given = self.objective, self.eval_metric, self.early_stopping_rounds, self.callbacks
        found = shared.metric_of(self.eval_metric, loss)
        self._has_metric = found is not None
        self.objective = objective(loss, self.curvature)
        if found is not None:
            metric = self.eval_metric = _Metric(found[0], 1, found[1])
            if self.early_stopping_rounds is not None and metric.greater_is_better:
                stop = xgboost.callback.EarlyStopping(rounds=self.early_stopping_rounds, maximize=True)
                self.callbacks, self.early_stopping_rounds = [*(self.callbacks or []), stop], None
        try:
            super().fit(X, y, **{"verbose": False, **options})
        finally:
            self.objective, self.eval_metric, self.early_stopping_rounds, self.callbacks = given
            self._classes = classes
        kept = {"loss": repr(loss), "classes": None if classes is None else classes.tolist()}
        self.get_booster().set_attr(**{_ATTRIBUTE: json.dumps(kept)})

    def _start_for(self, loss: Loss, y: Any, options: dict[str, Any], n_classes: int | None = None) -> Any:
        """Return the start, where neither a parameter nor a model to go on from says it."""
        given = [self.base_score, options.get("xgb_model"), options.get("base_margin")]
        if any(value is not None for value in given):
            return None
        start = shared.start_of(loss, y, options.get("sample_weight"), n_classes)
        if n_classes is None and not np.ndim(start):
            return float(start)
        if np.ndim(start):  # one start for each class is known since 3.1
            return np.asarray(start).tolist() if _VERSION >= (3, 1) else None
        return 1 / (1 + math.exp(-max(-_LARGEST_LOGIT, min(float(start), _LARGEST_LOGIT))))

    def load_model(self, fname: Any) -> None:
        """Load a model that `save_model` wrote; the estimator must have the loss that it was trained with.

        Parameters
        ----------
        fname : str, path or buffer
            As for XGBoost's own.

        Raises
        ------
        ValueError
            If the model was trained with another loss.
        """
        given = self.objective, self.base_score
        super().load_model(fname)
        self.objective, self.base_score = given
        kept = json.loads(self.get_booster().attr(_ATTRIBUTE) or "{}")
        self._restore(kept.get("classes"))
        if kept.get("loss") not in (None, repr(self._trained)):
            raise ValueError(f"the model was trained with {kept['loss']}: give that as the loss")


class Regressor(_Trained, xgboost.XGBRegressor):
    """XGBoost's regressor with any loss: start, link, metric and curvature are set.

    Training starts from the constant of least loss. `predict` gives numbers in the units of the targets: the
    exponential of scores for `Poisson`, `Gamma` and `Tweedie`; of `GaussianNLL` and its kin, and of
    `MultiQuantile`, the columns that the loss takes. What is evaluated after each round, and early stopping
    goes by, is the loss.

    Parameters
    ----------
    loss : Loss or str, default "half_mse"
        A loss of regression with a gradient, or its name.
    curvature : str, default "auto"
        As for :func:`objective`.
    eval_metric : Loss, Measure, str or callable, optional
        A loss or measure of fastloss, or its name, in place of the loss; a function as XGBoost takes it gets
        raw scores.
    **kwargs
        XGBoost's own parameters.

    Attributes
    ----------
    loss_ : Loss
        The loss that it was trained with.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.xgboost import Regressor
    >>> X, y = np.arange(40.0)[:, None], np.repeat([10.0, 1000.0], 20)
    >>> Regressor(loss=fl.Poisson(), n_estimators=20).fit(X, y).predict([[5.0], [35.0]]).round(-1)
    array([  10., 1000.], dtype=float32)
    """

    def __init__(
        self, *, loss: Any = "half_mse", curvature: str = "auto", eval_metric: Any = None, **kwargs: Any
    ) -> None:
        shared.refuse(kwargs, "objective")
        self.loss = loss
        self.curvature = curvature
        super().__init__(eval_metric=eval_metric, **kwargs)

    def fit(self, X: Any, y: Any, *, sample_weight: Any = None, **options: Any) -> Regressor:
        """Fit the model.

        Parameters
        ----------
        X, y : array_like
            Features and targets.
        sample_weight : array_like, optional
            A weight for each sample.
        **options
            Those of XGBoost's own `fit`: `eval_set`, `sample_weight_eval_set`, and so on.

        Returns
        -------
        Regressor
            Itself.
        """
        loss = shared.loss_of_numbers(self.loss)
        options = {**options, "sample_weight": sample_weight}
        self._fit_loss(loss, self._start_for(loss, shared.targets(y), options), X, y, options)
        return self

    def predict(self, X: Any, *, output_margin: bool = False, **options: Any) -> Array:
        """Predict the targets; with `output_margin` raw scores."""
        raw = super().predict(X, output_margin=True, **options)
        return raw if output_margin else predictions(self.loss_, raw)

    def _restore(self, classes: Any) -> None:
        self._trained = shared.loss_of_numbers(self.loss)


class Classifier(_Trained, xgboost.XGBClassifier):
    """XGBoost's classifier with any loss: labels, start, probabilities, metric and curvature are set.

    Labels are of any kind. Training starts from the scores of least loss. `predict_proba` gives
    probabilities that belong to the loss: of a focal loss not the logistic function of its scores, which
    would be too near one half. Hinge losses have none. What is evaluated after each round, and early
    stopping goes by, is the loss.

    Parameters
    ----------
    loss : Loss or str, default "bce"
        A loss of two or of several classes, or its name. `BinaryCrossEntropy` and `BinaryFocal` without
        weights of classes stand for `CrossEntropy` and `Focal` where there are several, and these for those.
    curvature : str, default "auto"
        As for :func:`objective`.
    class_weight : dict, "balanced" or None
        Weights of the classes, as scikit-learn's.
    eval_metric : Loss, Measure, str or callable, optional
        A loss or measure of fastloss, or its name, in place of the loss; a function as XGBoost takes it gets
        raw scores.
    **kwargs
        XGBoost's own parameters.

    Attributes
    ----------
    loss_ : Loss
        The loss that it was trained with.
    classes_ : ndarray
        The labels.

    Examples
    --------
    >>> import numpy as np
    >>> import fastloss as fl
    >>> from fastloss.adapters.xgboost import Classifier
    >>> X, y = np.arange(40.0)[:, None], np.repeat(["left", "right"], 20)
    >>> model = Classifier(loss=fl.BinaryFocal(gamma=2.0), n_estimators=20).fit(X, y)
    >>> model.predict([[5.0], [35.0]])
    array(['left', 'right'], dtype='<U5')
    """

    def __init__(
        self,
        *,
        loss: Any = "bce",
        curvature: str = "auto",
        class_weight: Any = None,
        eval_metric: Any = None,
        **kwargs: Any,
    ) -> None:
        shared.refuse(kwargs, "objective")
        self.loss = loss
        self.curvature = curvature
        self.class_weight = class_weight
        super().__init__(eval_metric=eval_metric, **kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = False
        return tags

    @property
    def classes_(self) -> Array:
        """The labels; while XGBoost fits, their indices, which it takes for labels."""
        classes: Array | None = self.__dict__.get("_classes")
        return np.arange(self.n_classes_) if classes is None else classes

    def fit(self, X: Any, y: Any, *, sample_weight: Any = None, **options: Any) -> Classifier:
        """Fit the model.

        Parameters
        ----------
        X, y : array_like
            Features and labels.
        sample_weight : array_like, optional
            A weight for each sample.
        **options
            Those of XGBoost's own `fit`: `eval_set`, `sample_weight_eval_set`, and so on.

        Returns
        -------
        Classifier
            Itself.
        """
        classes, codes = shared.encoded(y)
        loss = shared.loss_of_classes(self.loss, len(classes))
        weight = shared.with_class_weight(self.class_weight, y, sample_weight)
        options = {**options, "sample_weight": weight}
        if options.get("eval_set") is not None:
            options["eval_set"] = [(x, shared.codes_of(v, classes)) for x, v in options["eval_set"]]
        self._fit_loss(loss, self._start_for(loss, codes, options, len(classes)), X, codes, options, classes)
        return self

    def predict(self, X: Any, *, output_margin: bool = False, **options: Any) -> Array:
        """Predict labels: the class that the score is for; with `output_margin` raw scores."""
        raw = super().predict(X, output_margin=True, **options)
        return raw if output_margin else np.asarray(self._classes[shared.decisions(raw)])

    @available_if(shared.tells_probabilities)
    def predict_proba(self, X: Any, **options: Any) -> Array:
        """Predict the classes' probabilities, a row for each sample, in the order of `classes_`."""
        return shared.probabilities(self.loss_, super().predict(X, output_margin=True, **options))

    def _restore(self, classes: Any) -> None:
        self._classes = np.arange(self.n_classes_) if classes is None else as_array(classes, "classes")
        self._trained = shared.loss_of_classes(self.loss, len(self._classes))


for _estimator in (Classifier, Regressor):
    _estimator.__module__ = "fastloss.adapters.xgboost"
