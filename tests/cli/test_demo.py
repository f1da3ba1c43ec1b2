"""``fastloss demo``: the fits are good, every loss appears, and its numbers agree with one another."""

from __future__ import annotations

import contextlib
import io
import json
import shlex

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import fastloss as fl
from fastloss._loss import ParameterLoss
from fastloss.cli import demo, demo_models, demo_peers, main


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1, "blas"):
        patch.setattr(demo, "TIMED_ELEMENTS", 5000)
        patch.setattr(demo, "_REPEATS", 1)
        yield


@pytest.fixture(scope="module")
def models(quick):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["demo", "--json"]) == 0
    return json.loads(out.getvalue())


def means(predictions):
    return {loss["loss"]: loss["value"] for loss in predictions["losses"]}


def test_fits_are_good(models):
    cancer, diabetes, digits = models
    assert cancer["accuracy"] > 0.95 > cancer["majority_share"]
    assert diabetes["mae"] < 0.75 * diabetes["median_mae"]
    assert digits["accuracy"] > 0.95
    assert 0.05 < digits["majority_share"] < 0.15
    assert min(model["iterations"] for model in models) > 5


def test_logistic_fit_is_that_of_scikit_learn():
    split = demo_models._load("load_breast_cancer")
    weights, fit = demo_models._fit(fl.BinaryCrossEntropy(), split)
    peer = LogisticRegression(C=1 / (1e-3 * len(split.targets)), tol=1e-8, max_iter=10_000)
    peer.fit(split.features, split.targets)
    assert fit.success
    logits = split.held_out_features @ weights[:-1] + weights[-1]
    assert np.corrcoef(logits, peer.decision_function(split.held_out_features))[0, 1] > 0.9999
    np.testing.assert_array_equal(logits > 0, peer.predict(split.held_out_features) == 1)


def test_softmax_fit_is_that_of_scikit_learn():
    split = demo_models._load("load_digits")
    weights, fit = demo_models._fit_rows(fl.CrossEntropy(), split)
    peer = LogisticRegression(C=1 / (1e-3 * len(split.targets)), tol=1e-8, max_iter=10_000)
    peer.fit(split.features, split.targets)
    assert fit.success
    logits = split.held_out_features @ weights[:, :-1].T + weights[:, -1]
    np.testing.assert_allclose(
        fl.CrossEntropy().probabilities(logits), peer.predict_proba(split.held_out_features), atol=2e-3
    )


def test_every_loss_appears(models):
    names = {loss["loss"] for model in models for part in model["predictions"] for loss in part["losses"]}
    scored = {
        i.name
        for i in fl.list_losses()
        # No model here predicts a scale or several quantiles.
        if issubclass(i.cls, fl.PointwiseLoss | fl.RowLoss) and not issubclass(i.cls, ParameterLoss)
    }
    assert names == scored


def test_means_agree_with_the_headline_and_with_each_other(models):
    cancer, diabetes, digits = models
    logit, probability = map(means, cancer["predictions"])
    assert probability["zero_one"] == pytest.approx(1 - cancer["accuracy"], abs=1e-15)
    assert logit["binary_cross_entropy"] == pytest.approx(probability["binary_cross_entropy"], rel=1e-9)
    assert logit["binary_focal"] == pytest.approx(probability["binary_focal"], rel=1e-9)
    number, _ = map(means, diabetes["predictions"])
    assert number["absolute_error"] == pytest.approx(diabetes["mae"], rel=1e-14)
    assert number["quantile"] == pytest.approx(diabetes["mae"] / 2, rel=1e-14)
    assert number["squared_error"] == 2 * number["half_squared_error"]
    logits, probabilities, distributions = map(means, digits["predictions"])
    assert logits["cross_entropy"] == pytest.approx(probabilities["cross_entropy"], rel=1e-9)
    assert logits["multiclass_focal"] == pytest.approx(probabilities["multiclass_focal"], rel=1e-9)
    assert distributions["kl_divergence"] == pytest.approx(logits["cross_entropy"], rel=1e-9)
    assert [loss["parameters"] for loss in digits["predictions"][0]["losses"][2:4]] == [
        {"kind": "crammer-singer"},
        {"kind": "weston-watkins"},
    ]


def test_files_of_the_digits(tmp_path):
    study = demo_models.digits(tmp_path)
    arrays = {path.stem: np.load(path) for path in tmp_path.iterdir()}
    labels, probabilities = arrays["digit_label"], arrays["digit_probabilities"]
    assert arrays["digit_logits"].shape == probabilities.shape == (len(labels), 10)
    np.testing.assert_array_equal(arrays["digit_one_hot"].argmax(axis=1), labels)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)
    assert np.mean(probabilities.argmax(axis=1) == labels) == study.metrics["accuracy"]
    for predictions in study.predictions:
        np.testing.assert_array_equal(np.load(predictions.y_true.path), predictions.targets)
        np.testing.assert_array_equal(np.load(predictions.y_pred.path), predictions.values)


def test_log_link_losses_get_logarithms(models):
    _, diabetes, _ = models
    number, logarithm = diabetes["predictions"]
    assert number["y_pred"] == "diabetes.parquet:prediction"
    assert logarithm["y_pred"] == "diabetes.parquet:log_prediction"
    assert set(means(logarithm)) == {"poisson", "gamma", "tweedie"}
    assert not set(means(logarithm)) & set(means(number))


def test_losses_that_do_not_admit_the_data_are_left_out():
    y, z = np.array([0.0, 2.0]), np.array([1.0, -3.0])
    names = {loss.name for loss in demo_models.regression_losses(y, z, log_link=False)}
    assert "squared_error" in names
    assert "squared_log_error" not in names  # a prediction below -1
    names = {loss.name for loss in demo_models.regression_losses(y, z, log_link=True)}
    assert names == {"poisson", "tweedie"}  # Gamma wants y > 0


def test_timings_come_with_the_difference_from_numpy(models):
    for model in models:
        for part in model["predictions"]:
            for loss in part["losses"]:
                assert loss["elements_per_second"] > 0
                assert loss["numpy_elements_per_second"] > 0
                assert loss["relative_difference"] < 1e-12, loss["loss"]


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    ends = out.index("The predictions are in")  # with commands to copy, which are not broken into lines
    assert max(map(len, out[:ends].splitlines())) <= width
    for words in (
        "Accuracy on 142 samples held out",
        "Mean absolute error on 110 samples",
        "Accuracy on 449 samples held out",
        " bce ",
        " poisson ",
        " multiclass_hinge:kind=weston-watkins ",
    ):
        assert words in " ".join(out.split())


def test_the_folder_is_kept_and_the_commands_at_the_end_run(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "a folder"
    assert main(["demo", "--folder", str(folder)]) == 0
    out = capsys.readouterr().out
    assert str(folder) in out
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for line in out.splitlines() if line.startswith("  fastloss ")]
    assert [words[1] for words in commands] == ["evaluate", "choose", "plot"]
    for words in commands:
        assert main(words[1:]) == 0
    assert (tmp_path / "losses.svg").exists()


def test_something_is_said_before_anything_is_imported(capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "require", stop)
    assert main(["demo"]) == 130
    assert "models are fitted" in capsys.readouterr().out


def test_the_other_libraries_compute_the_same(tmp_path):
    for make in (demo_models.breast_cancer, demo_models.diabetes, demo_models.digits):
        for predictions in make(tmp_path).predictions:
            for loss in predictions.losses:
                ours = loss(predictions.targets, predictions.values)
                others = demo_peers.other_calls(loss, predictions.targets, predictions.values)
                for name, call in others.items():
                    assert call() == pytest.approx(ours, rel=1e-6), (name, loss)
