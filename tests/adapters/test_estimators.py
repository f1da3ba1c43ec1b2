"""The boosting libraries' estimators with a loss: start, link, probabilities, metric, copies, files."""

from __future__ import annotations

import copy
import pickle

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import fastloss as fl
from adapters.data import binary, classes, regression, weights
from fastloss.adapters import catboost as for_catboost
from fastloss.adapters import lightgbm as for_lightgbm
from fastloss.adapters import xgboost as for_xgboost

pytestmark = [
    pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated"),
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
]
LIBRARIES = {
    for_xgboost: {"n_jobs": 1, "max_depth": 3},
    for_lightgbm: {"n_jobs": 1, "num_leaves": 8, "min_child_samples": 5, "verbose": -1},
    for_catboost: {"thread_count": 1, "depth": 3, "verbose": 0, "allow_writing_files": False},
}
ROUNDS = {for_xgboost: "n_estimators", for_lightgbm: "n_estimators", for_catboost: "iterations"}
OWN = {
    for_xgboost: (xgboost.XGBRegressor, xgboost.XGBClassifier),
    for_lightgbm: (lightgbm.LGBMRegressor, lightgbm.LGBMClassifier),
    for_catboost: (catboost.CatBoostRegressor, catboost.CatBoostClassifier),
}
libraries = pytest.mark.parametrize(
    "library", LIBRARIES, ids=lambda module: module.__name__.rpartition(".")[2]
)
LABELS = np.array(["no", "so", "yes"])


def make(library, kind, rounds=10, own=False, **parameters):
    cls = OWN[library][kind == "Classifier"] if own else getattr(library, kind)
    return cls(**{**LIBRARIES[library], ROUNDS[library]: rounds, **parameters})


def at_start(library, kind, x, y, sample_weight=None, **parameters):
    """Return a model whose trees add nothing to its start."""
    model = make(library, kind, rounds=1, learning_rate=1e-6, **parameters)
    return model.fit(x, y, sample_weight=sample_weight)


@libraries
def test_regressors_start_from_the_best_constant_and_predict_in_the_targets_units(library):
    x, y = regression()
    x, y = x[:441], 100 + 20 * y[:441]  # so many that the median is one of them
    w = weights(len(y))
    bests = [
        (fl.AbsoluteError(), np.median(y)),
        (fl.Quantile(q=0.9), np.quantile(y, 0.9, method="inverted_cdf")),
        ("half_mse", y.mean()),
        (fl.Poisson(), y.mean()),
        ("gamma", y.mean()),
        (fl.Tweedie(power=1.5), y.mean()),
        (fl.SquaredLogError(), np.expm1(np.log1p(y).mean())),
    ]
    for loss, best in bests:
        model = at_start(library, "Regressor", x, y, loss=loss)
        np.testing.assert_allclose(model.predict(x[:3]), best, rtol=2e-6)
        assert isinstance(model.loss_, fl.Loss)
    model = at_start(library, "Regressor", x, y, w, loss="poisson")
    np.testing.assert_allclose(model.predict(x[:3]), np.average(y, weights=w), rtol=2e-6)


@libraries
@pytest.mark.parametrize(
    "chosen",
    ["bce", fl.BinaryFocal(gamma=2.0), fl.BinaryFocal(gamma=0.5), fl.Exponential(), fl.SquaredHinge()],
    ids=repr,
)
def test_the_probability_of_two_classes_at_the_start_is_their_share(library, chosen):
    x, y = binary()
    w = weights(len(y))
    labels = LABELS[2 * y]
    model = at_start(library, "Classifier", x, labels, loss=chosen)
    np.testing.assert_allclose(model.predict_proba(x[:2]), [[1 - y.mean(), y.mean()]] * 2, rtol=1e-5)
    assert model.classes_.tolist() == ["no", "yes"]
    model = at_start(library, "Classifier", x, labels, w, loss=chosen)
    share = np.average(y, weights=w)
    np.testing.assert_allclose(model.predict_proba(x[:1]), [[1 - share, share]], rtol=1e-5)
    model = at_start(library, "Classifier", x, labels, loss=chosen, class_weight="balanced")
    np.testing.assert_allclose(model.predict_proba(x[:1]), [[0.5, 0.5]], rtol=1e-5)
    model = at_start(library, "Classifier", x, labels, loss=chosen, class_weight={"no": 3, "yes": 1})
    odds = y.mean() / (1 - y.mean()) / 3
    np.testing.assert_allclose(model.predict_proba(x[:1])[:, 1], odds / (1 + odds), rtol=1e-5)


@libraries
@pytest.mark.parametrize(
    "chosen", ["bce", fl.CrossEntropy(), fl.Focal(gamma=2.0), fl.BinaryFocal()], ids=repr
)
def test_the_probabilities_of_several_classes_at_the_start_are_their_shares(library, chosen):
    x, y = classes()
    kept = np.r_[:50, 50:80, 100:120]
    model = at_start(library, "Classifier", x[kept], LABELS[y[kept]], loss=chosen)
    np.testing.assert_allclose(model.predict_proba(x[:2]), [[0.5, 0.3, 0.2]] * 2, rtol=1e-5)
    assert (model.predict(x[:2]) == "no").all()


@libraries
def test_hinge_losses_have_classes_but_no_probabilities(library):
    x, y = binary()
    model = make(library, "Classifier", loss=fl.Hinge(), learning_rate=0.3).fit(x, LABELS[y])
    assert model.score(x, LABELS[y]) > 0.9
    assert not hasattr(model, "predict_proba")
    x, y = classes()
    model = make(library, "Classifier", loss=fl.MulticlassHinge()).fit(x, y)
    assert model.score(x, y) > 0.9
    with pytest.raises(AttributeError):
        model.predict_proba(x)


@libraries
def test_they_are_the_librarys_own_where_it_has_the_loss(library):
    x, y = regression()
    # CatBoost's own takes the rate for itself, and for several classes a matrix of second derivatives.
    same = {"learning_rate": 0.3, "random_state": 0}
    own = make(library, "Regressor", own=True, **same).fit(x, y)
    found = make(library, "Regressor", **same).fit(x, y)
    np.testing.assert_allclose(found.predict(x), own.predict(x), atol=2e-6)
    x, y = binary()
    own = make(library, "Classifier", own=True, **same, **start_of_its_own(library)).fit(x, y)
    found = make(library, "Classifier", **same).fit(x, y)
    if library is not for_catboost:
        np.testing.assert_allclose(found.predict_proba(x), own.predict_proba(x), atol=2e-5)
    assert found.score(x, y) == pytest.approx(own.score(x, y), abs=0.02)


def start_of_its_own(library):
    return {"boost_from_average": True} if library is for_catboost else {}


def stopped(library, metric, loss, x, y, kind="Classifier"):
    """Return a model stopped early, the history of its metric, and the best round."""
    stop = {} if library is for_lightgbm else {"early_stopping_rounds": 4}
    model = make(library, kind, 80, loss=loss, learning_rate=0.5, eval_metric=metric, **stop)
    options = {"callbacks": [lightgbm.early_stopping(4, verbose=False)]} if library is for_lightgbm else {}
    half = len(y) // 2
    model.fit(x[:half], y[:half], eval_set=[(x[half:], y[half:])], **options)
    if library is for_xgboost:
        (history,) = model.evals_result()["validation_0"].values()
        return model, history, model.best_iteration
    results = model.evals_result_
    (history,) = results[list(results)[-1]].values()
    return model, history, model.best_iteration_ - (library is for_lightgbm)


@libraries
@pytest.mark.parametrize("chosen", [fl.BinaryFocal(gamma=1.0), "bce"], ids=repr)
def test_stopping_goes_by_the_loss(library, chosen):
    x, y = binary()
    x, y = np.tile(x, (2, 1)), np.concatenate([y, np.roll(y, 1)])  # the second half is noise
    model, history, best = stopped(library, None, chosen, x, LABELS[y])
    assert len(history) < 80
    assert best == int(np.argmin(history))
    half = len(y) // 2
    at_best = model.loss_(y[half:], raw_scores(library, model, x[half:]))
    assert history[best] == pytest.approx(at_best, rel=1e-5)


def raw_scores(library, model, x):
    if library is for_xgboost:
        return model.predict(x, output_margin=True)
    if library is for_lightgbm:
        return model.predict(x, raw_score=True)
    return catboost.CatBoost.predict(model, x, prediction_type="RawFormulaVal")


@libraries
def test_stopping_by_a_measure_of_which_more_is_better(library):
    x, y = binary()
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.2, 1 - y, y)
    for metric in (fl.measures.ROCAUC(), "auc"):
        model, history, best = stopped(library, metric, "bce", x, y)
        assert best == int(np.argmax(history))
        half = len(y) // 2
        found = fl.metrics.roc_auc_score(y[half:], model.predict_proba(x[half:])[:, 1])
        assert history[best] == pytest.approx(found, abs=2e-6)


@libraries
@pytest.mark.parametrize("metric", [fl.AbsoluteError(), "r2", fl.Gamma()], ids=repr)
def test_metrics_of_a_log_link_take_what_is_predicted(library, metric):
    x, y = regression()
    y = np.exp(y)
    model, history, best = stopped(library, metric, fl.Poisson(), x, y, "Regressor")
    half = len(y) // 2
    found = model.predict(x[half:])
    expected = {
        "r2": lambda y, p: 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum(),
        fl.Gamma(): lambda y, p: (np.log(p) + y / p).mean(),  # that too has a log link
        fl.AbsoluteError(): lambda y, p: np.abs(y - p).mean(),
    }[metric](y[half:], found)
    assert history[best] == pytest.approx(expected, rel=1e-5, abs=2e-6)


@libraries
def test_copies_and_files(library, tmp_path):
    x, y = regression()
    loss = fl.Poisson()
    model = make(library, "Regressor", loss=loss, curvature="exact", eval_metric="mae").fit(x, np.exp(y))
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict(x), model.predict(x))
    unfitted = clone(model)
    parameters = unfitted.get_params()
    assert parameters["loss"] == loss
    assert (parameters["curvature"], parameters["eval_metric"]) == ("exact", "mae")
    assert "objective" not in parameters
    assert unfitted.set_params(loss="gamma").fit(x, np.exp(y)).loss_ == fl.Gamma()
    path = str(tmp_path / "model")
    if library is for_lightgbm:  # its estimators are not read from files
        model.booster_.save_model(path)
        raw = lightgbm.Booster(model_file=path).predict(x)
        np.testing.assert_allclose(np.exp(raw), model.predict(x), rtol=1e-12)
        return
    path += ".json" if library is for_xgboost else ".cbm"
    model.save_model(path)
    again = make(library, "Regressor", loss=loss)
    again.load_model(path)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    with pytest.raises(ValueError, match=r"trained with Poisson\(\): give that"):
        make(library, "Regressor").load_model(path)
    x, y = classes()
    model = make(library, "Classifier", loss=fl.Focal()).fit(x, LABELS[y])
    model.save_model(path)
    again = make(library, "Classifier", loss=fl.Focal())
    again.load_model(path)
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@libraries
@pytest.mark.parametrize("kind", ["Regressor", "Classifier"])
def test_weights_that_are_all_zero_are_an_error(library, kind):
    with pytest.raises(ValueError, match="sample_weight is zero everywhere"):
        make(library, kind, 3).fit(np.eye(4), [0, 1, 0, 1], sample_weight=np.zeros(4))


@libraries
def test_searched_in_a_pipeline(library):
    x, y = classes()
    model = make_pipeline(StandardScaler(), make(library, "Classifier", 3))
    name = model.steps[-1][0]
    search = GridSearchCV(model, {f"{name}__loss": ["bce", fl.Focal(gamma=1.0)]}, cv=2).fit(x, LABELS[y])
    assert search.best_score_ > 0.85
    assert np.isfinite(cross_val_score(make(library, "Regressor", 3), *regression(), cv=2)).all()


@libraries
@pytest.mark.parametrize("kind", ["Regressor", "Classifier"])
@pytest.mark.filterwarnings("ignore")
def test_they_pass_the_checks_that_the_librarys_own_pass(library, kind):
    def failed(estimator):
        checks = check_estimator(estimator, on_fail=None, on_skip=None)
        return {check["check_name"] for check in checks if check["status"] == "failed"}

    found = failed(make(library, kind, 3))
    if library is for_xgboost:  # equal but for the last digit of float32, which is more than it allows
        found = {name for name in found if "sample_weight_equivalence" not in name}
    assert not found or found <= failed(make(library, kind, 3, own=True))


@libraries
def test_what_to_set(library):
    x, y = classes()
    with pytest.raises(TypeError, match="give loss instead of"):
        make(library, "Regressor", **{"loss_function" if library is for_catboost else "objective": "x"})
    with pytest.raises(ValueError, match=r"BinaryCrossEntropy\(.*take a Classifier"):
        make(library, "Regressor", loss="bce").fit(x, y)
    with pytest.raises(ValueError, match=r"Huber\(.*take a Regressor"):
        make(library, "Classifier", loss=fl.Huber()).fit(x, y)
    with pytest.raises(ValueError, match=r"Hinge\(\) is not for 3 classes: .*CrossEntropy\(\)"):
        make(library, "Classifier", loss=fl.Hinge()).fit(x, y)
    with pytest.raises(ValueError, match=r"MulticlassHinge\(.*not for 2 classes: .*BinaryCrossEntropy\(\)"):
        make(library, "Classifier", loss=fl.MulticlassHinge()).fit(x, y > 0)
    with pytest.raises(ValueError, match=r"eval_set|unseen labels"):
        make(library, "Classifier").fit(x[:100], y[:100], eval_set=[(x, y)])
    with pytest.raises(TypeError, match=r"Bias\(\) is not one number"):
        make(library, "Regressor", eval_metric="bias").fit(x, y)
    with pytest.raises(ValueError, match="no loss is named 'hubert': did you mean 'huber'"):
        make(library, "Regressor", loss="hubert").fit(x, y)
    with pytest.raises(ValueError, match="curvature must be one of"):
        make(library, "Regressor", curvature="half").fit(x, y)


def test_catboost_scales_robust_losses_by_all_targets():
    # λ is compared with Σh: without the constant nothing would move where targets are in the thousands.
    x, y = regression()
    for loss in (fl.AbsoluteError(), fl.AbsolutePercentageError()):
        small = make(for_catboost, "Regressor", loss=loss, learning_rate=0.3).fit(x, 10 + y)
        large = make(for_catboost, "Regressor", loss=loss, learning_rate=0.3).fit(x, 1000 * (10 + y))
        np.testing.assert_allclose(large.predict(x), 1000 * small.predict(x), rtol=1e-4)
