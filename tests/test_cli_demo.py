"""``fastloss demo``: the fits are good, every loss appears, and its numbers agree with one another."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import fastloss as fl
from fastloss.cli import demo, demo_models, main


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(demo, "TIMED_ROWS", 5000)
    monkeypatch.setattr(demo, "_REPEATS", 1)


@pytest.fixture
def models(capsys):
    assert main(["demo", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def means(predictions):
    return {loss["loss"]: loss["value"] for loss in predictions["losses"]}


def test_fits_are_good(models):
    cancer, diabetes = models
    assert cancer["accuracy"] > 0.95 > cancer["majority_share"]
    assert diabetes["mae"] < 0.75 * diabetes["median_mae"]
    assert min(cancer["iterations"], diabetes["iterations"]) > 5


def test_logistic_fit_is_that_of_scikit_learn():
    split = demo_models._load("load_breast_cancer")
    weights, fit = demo_models._fit(fl.BinaryCrossEntropy(), split)
    peer = LogisticRegression(C=1 / (1e-3 * len(split.targets)), tol=1e-8, max_iter=10_000)
    peer.fit(split.features, split.targets)
    assert fit.success
    logits = split.held_out_features @ weights[:-1] + weights[-1]
    assert np.corrcoef(logits, peer.decision_function(split.held_out_features))[0, 1] > 0.9999
    np.testing.assert_array_equal(logits > 0, peer.predict(split.held_out_features) == 1)


def test_every_loss_appears(models):
    names = {loss["loss"] for model in models for part in model["predictions"] for loss in part["losses"]}
    assert names == {info.name for info in fl.list_losses() if info.family in ("regression", "binary")}


def test_means_agree_with_the_headline_and_with_each_other(models):
    cancer, diabetes = models
    logit, probability = map(means, cancer["predictions"])
    assert probability["zero_one"] == pytest.approx(1 - cancer["accuracy"], abs=1e-15)
    assert logit["binary_cross_entropy"] == pytest.approx(probability["binary_cross_entropy"], rel=1e-9)
    assert logit["binary_focal"] == pytest.approx(probability["binary_focal"], rel=1e-9)
    number, _ = map(means, diabetes["predictions"])
    assert number["absolute_error"] == pytest.approx(diabetes["mae"], rel=1e-14)
    assert number["quantile"] == pytest.approx(diabetes["mae"] / 2, rel=1e-14)
    assert number["squared_error"] == 2 * number["half_squared_error"]


def test_log_link_losses_get_logarithms(models):
    _, diabetes = models
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
    assert max(map(len, out.splitlines())) <= width
    for words in ("Accuracy on 142 samples held out", "Mean absolute error on 110 samples", "bce", "poisson"):
        assert words in " ".join(out.split())
