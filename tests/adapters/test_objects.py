"""What the boosting adapters hand out: copied, cloned and searched by the libraries, written as made."""

from __future__ import annotations

import copy
import pickle

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score

import fastloss as fl
from fastloss.adapters import catboost as for_catboost
from fastloss.adapters import lightgbm as for_lightgbm
from fastloss.adapters import xgboost as for_xgboost
from fastloss.adapters.scipy import rho
from fastloss.adapters.sklearn import scorer
from fastloss.adapters.sklearn_loss import as_sklearn_loss

QUIET = {"iterations": 3, "verbose": 0, "allow_writing_files": False}
BOOSTING = [
    (module, maker)
    for module, makers in [
        (for_xgboost, ["objective", "sklearn_objective", "metric", "sklearn_metric"]),
        (for_lightgbm, ["objective", "sklearn_objective", "metric", "sklearn_metric"]),
        (for_catboost, ["objective", "metric"]),
    ]
    for maker in makers
]
rng = np.random.default_rng(0)
X = rng.normal(size=(90, 3))
Y = X[:, 0] + 0.1 * rng.normal(size=90)
TWO, THREE = (X[:, 0] > 0).astype(int), np.arange(90) % 3
WEIGHT = rng.integers(1, 9, 90) / 4


@pytest.mark.parametrize(("module", "maker"), BOOSTING)
@pytest.mark.parametrize(
    "options",
    [{}, {"n_threads": 2}, {"n_threads": None}, {"curvature": "exact"}, {"curvature": "majorizer"}],
    ids=str,
)
@pytest.mark.parametrize("chosen", [fl.Huber(2.0), fl.AbsoluteError(), fl.CrossEntropy()], ids=repr)
def test_repr_makes_it_again(module, maker, options, chosen):
    if "metric" in maker and "curvature" in options:
        return
    made = getattr(module, maker)(chosen, **options)
    assert repr(made).startswith(f"{maker.removeprefix('sklearn_')}({chosen!r}")
    assert eval(repr(made), {**vars(fl), **vars(module)}) == made
    assert copy.copy(made) is made
    assert copy.deepcopy([made])[0] is made
    assert pickle.loads(pickle.dumps(made)) == made
    assert (made.__name__, made.name) == (chosen.name, chosen.name)


@pytest.mark.parametrize(
    ("chosen", "n_classes"),
    [
        (fl.Huber(2.0), None),
        (fl.AbsoluteError(), None),
        (fl.Quantile(0.3), None),
        (fl.Poisson(), None),
        (fl.BinaryFocal(), None),
        (fl.CrossEntropy(), 4),
    ],
    ids=repr,
)
def test_repr_of_scikit_learns_losses(chosen, n_classes):
    made = as_sklearn_loss(chosen, n_classes)
    again = eval(repr(made), {**vars(fl), "as_sklearn_loss": as_sklearn_loss})
    assert type(again) is type(made)
    assert again.closs._loss == chosen
    assert again.n_classes == made.n_classes
    estimator = HistGradientBoostingRegressor(max_iter=2)
    if chosen.family == "regression":
        search = GridSearchCV(estimator, {"loss": [made]}, cv=2).fit(X, np.abs(Y))
        assert repr(search.best_params_) == f"{{'loss': as_sklearn_loss({chosen!r})}}"


def test_repr_of_the_others():
    assert eval(repr(scorer(fl.Huber())), {**vars(fl), "scorer": scorer}) == scorer(fl.Huber())
    assert eval(repr(rho(fl.Huber())), {**vars(fl), "rho": rho}).loss == fl.Huber()


def estimators():
    """Return estimators with an objective and, where the constructor takes it, a metric of fastloss."""
    loss = fl.Huber(0.5)
    return [
        catboost.CatBoostRegressor(
            loss_function=for_catboost.objective(loss), eval_metric=for_catboost.metric(loss), **QUIET
        ),
        xgboost.XGBRegressor(
            n_estimators=3,
            objective=for_xgboost.sklearn_objective(loss),
            eval_metric=for_xgboost.sklearn_metric(loss),
        ),
        lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, objective=for_lightgbm.sklearn_objective(loss)),
    ]


@pytest.mark.parametrize("estimator", estimators(), ids=lambda e: type(e).__name__)
def test_cloned_and_searched(estimator):
    name = "loss_function" if isinstance(estimator, catboost.CatBoostRegressor) else "objective"
    objective = estimator.get_params()[name]
    assert clone(estimator).get_params()[name] == objective
    assert np.isfinite(cross_val_score(estimator, X, Y, cv=2)).all()
    other = type(objective).of(fl.SquaredError(), "auto", 1)
    search = GridSearchCV(estimator, {name: [objective, other]}, cv=2).fit(X, Y)
    assert search.best_params_[name] in (objective, other)
    assert copy.deepcopy(estimator).get_params()[name] == objective


@pytest.mark.filterwarnings("ignore:The argument 'eval_set'")
def test_metrics_are_logged_by_the_losss_name():
    log = {}
    loss, metric = fl.SquaredError(), fl.PseudoHuber(2.0)
    model = catboost.CatBoostRegressor(
        loss_function=for_catboost.objective(loss), eval_metric=for_catboost.metric(metric), **QUIET
    )
    assert set(model.fit(X, Y).get_best_score()["learn"]) == {"pseudo_huber"}
    model = xgboost.XGBRegressor(n_estimators=2, eval_metric=for_xgboost.sklearn_metric(metric))
    model.fit(X, Y, eval_set=[(X, Y)], verbose=False)
    assert "pseudo_huber" in model.evals_result()["validation_0"]
    model = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1)
    metric_of = for_lightgbm.sklearn_metric(metric)
    model.fit(X, Y, eval_set=[(X, Y)], eval_metric=metric_of, callbacks=[lightgbm.record_evaluation(log)])
    assert "pseudo_huber" in next(iter(log.values()))


# What to set, where a library computes other than the loss wants.


def of_catboost(loss, y, metric=None, **options):
    metric = for_catboost.metric(loss if metric is None else metric)
    model = catboost.CatBoostClassifier(
        loss_function=for_catboost.objective(loss), eval_metric=metric, **QUIET, **options
    )
    return model.fit(X, y)


def of_xgboost(loss, y, **parameters):
    return xgboost.train(parameters, xgboost.DMatrix(X, y), 2, obj=for_xgboost.objective(loss))


def of_xgboost_metric(loss, y):
    data = xgboost.DMatrix(X, y)
    metric = for_xgboost.metric(loss)
    return xgboost.train({}, data, 2, custom_metric=metric, evals=[(data, "a")], verbose_eval=False)


def of_xgboost_estimator(loss, y):
    objective = for_xgboost.sklearn_objective(loss)
    return xgboost.XGBClassifier(n_estimators=2, objective=objective).fit(X, y)


def of_lightgbm(loss, y, **parameters):
    parameters |= {"objective": for_lightgbm.objective(loss), "verbose": -1}
    return lightgbm.train(parameters, lightgbm.Dataset(X, y), 2)


def of_lightgbm_metric(loss, y):
    data = lightgbm.Dataset(X, y)
    return lightgbm.train({"verbose": -1}, data, 2, valid_sets=[data], feval=for_lightgbm.metric(loss))


def of_lightgbm_estimator(loss, y):
    objective = for_lightgbm.sklearn_objective(loss)
    return lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, objective=objective).fit(X, y)


TRAININGS = [of_xgboost, of_xgboost_metric, of_lightgbm, of_lightgbm_metric]
ESTIMATORS = [of_xgboost_estimator, of_lightgbm_estimator]


@pytest.mark.parametrize(
    ("train", "y", "parameter"),
    [
        *((train, THREE, "num_class") for train in TRAININGS),
        *((train, TWO, "num_class") for train in [*TRAININGS, *ESTIMATORS]),
        (of_catboost, THREE, "classes_count"),
        (of_catboost, TWO, "classes_count"),
    ],
)
def test_the_number_of_classes_is_missing(train, y, parameter):
    message = rf"CrossEntropy\(.*set {parameter}.*two classes.*BinaryCrossEntropy\(\)"
    with pytest.raises((ValueError, catboost.CatBoostError), match=message):
        train(fl.CrossEntropy(), y)


def test_catboost_with_classes_count():
    assert of_catboost(fl.CrossEntropy(), THREE, classes_count=3).predict_proba(X).shape == (90, 3)


@pytest.mark.parametrize("train", ESTIMATORS)
def test_a_loss_of_one_score_for_three_classes(train):
    with pytest.raises(ValueError, match=r"BinaryCrossEntropy\(.*has 3.*CrossEntropy\(\)"):
        train(fl.BinaryCrossEntropy(), THREE)


def both_of_xgboost(objective, metric):
    """Train by the native interface and by the estimator; return scores and values of the metric of each."""
    data, native = xgboost.DMatrix(X, Y, weight=WEIGHT), {}
    model = xgboost.train(
        {"base_score": 0.5, "disable_default_eval_metric": True},
        data,
        3,
        obj=objective,
        custom_metric=metric,
        evals=[(data, "a")],
        evals_result=native,
        verbose_eval=False,
    )
    estimator = xgboost.XGBRegressor(n_estimators=3, objective=objective, eval_metric=metric, base_score=0.5)
    given = {"eval_set": [(X, Y)], "sample_weight_eval_set": [WEIGHT], "verbose": False}
    estimator.fit(X, Y, sample_weight=WEIGHT, **given)
    found = estimator.evals_result()["validation_0"]
    return model.predict(data), native["a"][metric.name], estimator.predict(X), found[metric.name]


def both_of_lightgbm(objective, metric):
    data, native, found = lightgbm.Dataset(X, Y, weight=WEIGHT), {}, {}
    model = lightgbm.train(
        {"objective": objective, "verbose": -1},
        data,
        3,
        valid_sets=[data],
        feval=metric,
        callbacks=[lightgbm.record_evaluation(native)],
    )
    estimator = lightgbm.LGBMRegressor(n_estimators=3, objective=objective, verbose=-1)
    given = {"eval_set": [(X, Y)], "eval_sample_weight": [WEIGHT], "eval_metric": metric}
    estimator.fit(X, Y, WEIGHT, callbacks=[lightgbm.record_evaluation(found)], **given)
    return (
        model.predict(X),
        next(iter(native.values()))[metric.name],
        estimator.predict(X),
        next(iter(found.values()))[metric.name],
    )


@pytest.mark.filterwarnings("ignore:The argument 'eval_set'")
@pytest.mark.parametrize(
    ("module", "train"), [(for_xgboost, both_of_xgboost), (for_lightgbm, both_of_lightgbm)]
)
@pytest.mark.parametrize("former", ["", "sklearn_"])
def test_one_function_for_both_interfaces(module, train, former):
    objective = getattr(module, f"{former}objective")(fl.Huber())
    metric = getattr(module, f"{former}metric")(fl.PseudoHuber())
    scores, values, of_estimator, found = train(objective, metric)
    np.testing.assert_array_equal(scores, of_estimator)
    np.testing.assert_array_equal(values, found)
    assert values[-1] == pytest.approx(fl.PseudoHuber()(Y, scores, sample_weight=WEIGHT), abs=1e-6)


@pytest.mark.parametrize("train", [of_xgboost, of_lightgbm, of_catboost])
@pytest.mark.parametrize(
    ("chosen", "y", "remedy"),
    [
        (fl.BinaryFocal(), 1 + TWO, "as 0 and 1, or take .*Classifier"),
        (fl.BinaryCrossEntropy(), 2 * TWO - 1, "as 0 and 1, or take .*Classifier"),
        (fl.CrossEntropy(), 1 + THREE, "to one more than the largest label.* or take .*Classifier"),
    ],
    ids=repr,
)
def test_labels_of_the_wrong_kind(train, chosen, y, remedy):
    if train is of_catboost:
        if chosen.family == "multiclass":
            return  # CatBoost numbers classes itself

        def train(loss, y):
            options = {"loss_function": for_catboost.objective(loss), "eval_metric": "RMSE"}
            return catboost.CatBoostRegressor(**options, **QUIET).fit(X, y)

    options = {"num_class": 3} if chosen.family == "multiclass" else {}
    with pytest.raises((ValueError, catboost.CatBoostError), match=rf"y_true\[\d+\] = -?\d.*{remedy}"):
        train(chosen, y, **options)


@pytest.mark.parametrize(
    ("chosen", "y", "remedy"),
    [
        (as_sklearn_loss(fl.CrossEntropy(), n_classes=4), THREE, "take n_classes=3"),
        (as_sklearn_loss(fl.CrossEntropy(), n_classes=3), TWO, r"BinaryCrossEntropy\(\), without n_classes"),
        (as_sklearn_loss(fl.BinaryFocal()), THREE, r"n_classes=3 and a loss such as CrossEntropy\(\)"),
        (as_sklearn_loss(fl.Huber()), THREE, r"as_sklearn_loss\(CrossEntropy\(\), n_classes=3\)"),
    ],
    ids=repr,
)
def test_another_number_of_classes_in_histogram_boosting(chosen, y, remedy):
    with pytest.raises(ValueError, match=remedy):
        HistGradientBoostingClassifier(loss=chosen, max_iter=2).fit(X, y)
