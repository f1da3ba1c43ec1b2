"""Formulas where the library's losses go: the command, plots, linear models, boosting, PyTorch."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastloss as fl
from fastloss.cli import main
from fastloss.cli.spec import format_loss, parse_loss

LOGISTIC = fl.formula("softplus(z) - y*z", targets="[0, 1]", name="logistic")
FOCAL = (
    "formula:a*softplus(-m)*sigmoid(-m)**g; m = (2*y - 1)*z; a = 0.5; g = 2; targets = {0, 1}; name = mine"
)


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    return x, (x @ [1.0, -2, 0.5, 0] + rng.logistic(size=300) > 0).astype(float)


def test_a_line_is_a_loss_and_back() -> None:
    loss = parse_loss(FOCAL)
    assert loss.parameters == {"a": 0.5, "g": 2.0}
    assert loss.name == "mine"
    assert parse_loss(format_loss(loss)) == loss
    for text, message in [
        ("formula:softplu(z)", "did you mean softplus"),
        ("formula:z*a; a", "expected name = value"),
        ("formula:z*a; a=1; a=2", "given twice"),
        ("formula:", "not a formula"),
        ("formula:z; targets=[0, 3]", "targets must be one of"),
    ]:
        with pytest.raises(Exception, match=message):
            parse_loss(text)


def test_the_command(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    x, y = data()
    z = x @ [1.0, -1, 0, 0]
    np.save("y.npy", y)
    np.save("z.npy", z)
    arguments = ["y.npy", "z.npy", "--loss", FOCAL, "--loss", "focal:gamma=2,alpha=0.5", "--json"]
    assert main(["evaluate", *arguments]) == 0
    scores = [s["value"] for s in json.loads(capsys.readouterr().out)["losses"]]
    assert scores[0] == pytest.approx(scores[1])


def test_a_plot(tmp_path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    figure = fl.plotting.draw([LOGISTIC, fl.formula("(z - y)**4")])
    labels = {line.get_label() for part in figure.subfigs for axes in part.axes for line in axes.lines}
    assert {"logistic", "(z - y)**4"} <= labels


def test_a_linear_model() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    x, y = data()
    found = []
    for loss in (LOGISTIC, fl.BinaryCrossEntropy()):
        objective = fl.LinearObjective(loss, x, y, fl.L2(alpha=0.1))
        found.append(optimize.minimize(objective, objective.initial(), jac=True, tol=1e-10).x)
    np.testing.assert_allclose(*found, atol=1e-6)


def test_xgboost() -> None:
    xgboost = pytest.importorskip("xgboost")
    from fastloss.adapters import xgboost as adapter

    x, y = data()
    matrix = xgboost.DMatrix(x, y, nthread=1)
    options = {"nthread": 1, "base_score": 0.0, "max_depth": 3}
    models = [
        xgboost.train(options, matrix, 5, obj=adapter.objective(loss))
        for loss in (LOGISTIC, fl.BinaryCrossEntropy())
    ]
    a, b = (model.predict(matrix, output_margin=True) for model in models)
    np.testing.assert_allclose(a, b, atol=1e-5)
    focal = xgboost.train(options, matrix, 5, obj=adapter.objective(parse_loss(FOCAL)))
    assert np.mean((focal.predict(matrix, output_margin=True) > 0) == y) > 0.8


def test_lightgbm_and_its_first_score() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    from fastloss.adapters import lightgbm as adapter

    x, y = data()
    assert adapter.init_score(LOGISTIC, y) == pytest.approx(np.log(y.mean() / (1 - y.mean())))
    options = {
        "objective": adapter.objective(LOGISTIC),
        "num_threads": 1,
        "verbose": -1,
        "min_data_in_leaf": 5,
    }
    model = lightgbm.train(options, lightgbm.Dataset(x, y), 10)
    assert np.mean((model.predict(x) > 0) == y) > 0.8


def test_torch() -> None:
    torch = pytest.importorskip("torch")
    from fastloss.adapters import torch as adapter

    _, y = data()
    z = torch.linspace(-3, 3, 300, dtype=torch.float64, requires_grad=True)
    target = torch.from_numpy(y)
    adapter.module(LOGISTIC)(z, target).backward()
    mine = z.grad.clone()
    z.grad = None
    torch.nn.functional.binary_cross_entropy_with_logits(z, target).backward()
    torch.testing.assert_close(mine, z.grad)


def test_curvatures() -> None:
    for text, name in [
        ("softplus(z) - y*z", "exact"),
        ("abs(z - y)", "unit"),
        ("z**4 - 3*z**2", "absolute"),
    ]:
        assert fl.formula(text)._curvatures()[1] == ["exact", "absolute", "unit"].index(name)
