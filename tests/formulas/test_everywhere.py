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


#: The same on a line, and Huber's; of each the loss of the library that it is.
LINES = {
    "formula: softplus(z) - y*z; targets = [0, 1]; name = logistic": fl.BinaryCrossEntropy(),
    "formula: where(abs(z - y) <= d, (z - y)**2/2, d*(abs(z - y) - d/2)); d = 1.5": fl.Huber(1.5),
    "formula: abs(z - y)": fl.AbsoluteError(),
}
LOGISTIC_LINE, HUBER_LINE, ABSOLUTE_LINE = LINES


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


def test_what_a_formula_says_of_itself() -> None:
    for targets, expected in [
        (None, ("numbers", "numbers", "center", "none", "regression")),
        ("[0, inf)", ("numbers", "numbers", "center", "none", "regression")),
        ("[0, 1]", ("probabilities", "scores", "score", "none", "binary")),
        ("{0, 1}", ("labels", "scores", "score", "none", "binary")),
        ("{-1, 0, 1}", ("labels", "scores", "score", "none", "binary")),
    ]:
        loss = fl.formula("softplus(z) - y*z", targets=targets)
        assert (loss.targets, loss.inputs, loss.predicts, loss.link, loss.family) == expected
    assert fl.formula("abs(z - y)").kinked
    assert not LOGISTIC.kinked


def test_curvatures() -> None:
    for text, name in [
        ("softplus(z) - y*z", "exact"),
        ("abs(z - y)", "unit"),
        ("z**4 - 3*z**2", "absolute"),
    ]:
        assert fl.formula(text)._curvatures()[1] == ["exact", "absolute", "unit"].index(name)


def numbers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 4))
    return x, x @ [1.0, -2, 0.5, 0] + rng.standard_t(3, size=300)


def test_get_loss() -> None:
    assert fl.get_loss(LOGISTIC_LINE) == LOGISTIC
    assert fl.get_loss(HUBER_LINE, d=2.0).parameters == {"d": 2.0}
    with pytest.raises(TypeError, match="no parameter 'q'; its parameters: d"):
        fl.get_loss(HUBER_LINE, q=2.0)
    with pytest.raises(fl.FormulaError, match="column 4"):
        fl.get_loss("formula:z +* y")


def test_a_definition_that_is_a_number() -> None:
    loss = fl.formula("c*z*z", where={"c": "2"})
    again = parse_loss(format_loss(loss))
    assert again.parameters == {}
    assert again([0.0], [3.0]) == 18.0


@pytest.mark.parametrize("line", [LOGISTIC_LINE, HUBER_LINE])
@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_boosting_estimators(library: str, line: str) -> None:
    """The trees of the library's own loss with the same curvature, of which formulas have fewer kinds."""
    pytest.importorskip(library)
    pytest.importorskip("sklearn")
    module = __import__(f"fastloss.adapters.{library}", fromlist=["_"])
    options = {
        "xgboost": {"n_estimators": 8, "n_jobs": 1},
        "lightgbm": {"n_estimators": 8, "n_jobs": 1, "verbose": -1},
        "catboost": {"iterations": 8, "thread_count": 1, "verbose": False, "allow_writing_files": False},
    }[library]
    if line == LOGISTIC_LINE:
        x, y = data()
        found = [
            module.Classifier(loss=loss, **options).fit(x, y).predict_proba(x) for loss in (line, LINES[line])
        ]
    else:
        x, y = numbers()
        found = [
            module.Regressor(loss=loss, curvature="unit", **options).fit(x, y).predict(x)
            for loss in (line, LINES[line])
        ]
    np.testing.assert_allclose(*found, atol=1e-4)


def test_catboost_objects() -> None:
    catboost = pytest.importorskip("catboost")
    from fastloss.adapters import catboost as adapter

    x, y = data()
    models = [
        catboost.CatBoost(
            {
                "loss_function": adapter.objective(loss),
                "eval_metric": adapter.metric(loss),
                "iterations": 8,
                "thread_count": 1,
                "verbose": False,
                "allow_writing_files": False,
            }
        ).fit(x, y)
        for loss in (LOGISTIC, fl.BinaryCrossEntropy())
    ]
    np.testing.assert_allclose(*(model.predict(x) for model in models), atol=1e-6)


def test_the_first_score_of_a_loss_whose_scores_are_in_other_units() -> None:
    from fastloss.adapters.xgboost import base_score

    y = np.array([1.0, 2.0, 9.0])
    assert base_score(fl.formula("exp(z) - y*z"), y) == pytest.approx(np.log(4))
    assert base_score(fl.formula("softplus(z) - y*z"), np.array([0.0, 0, 0, 1])) == pytest.approx(
        np.log(1 / 3)
    )
    assert base_score(fl.formula("(z + 100 - y)**2"), y) == pytest.approx(-96)
    assert base_score(fl.formula("abs(z - y)"), y) == 2
    for text in ("z", "-(z - y)**2"):
        with pytest.raises(ValueError, match="no constant score of smallest loss"):
            base_score(fl.formula(text), y)


@pytest.mark.parametrize("line", LINES)
def test_linear_estimators(line: str) -> None:
    """Also where slopes jump, of which second derivatives say nothing."""
    linear_model = pytest.importorskip("fastloss.linear_model")
    kind, (x, y) = (
        (linear_model.LinearClassifier, data())
        if line == LOGISTIC_LINE
        else (linear_model.LinearRegressor, numbers())
    )
    own, known = (kind(loss=loss, alpha=0.01).fit(x, y) for loss in (line, LINES[line]))
    values = [LINES[line](y, x @ np.ravel(m.coef_) + m.intercept_) for m in (own, known)]
    assert values[0] == pytest.approx(values[1], rel=1e-3)
    np.testing.assert_allclose(own.coef_, known.coef_, atol=0.02)


def test_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    ensemble = pytest.importorskip("sklearn.ensemble")
    metrics = pytest.importorskip("sklearn.metrics")
    from fastloss.adapters.sklearn import scorer
    from fastloss.adapters.sklearn_loss import as_sklearn_loss

    x, y = numbers()
    model = linear.LinearRegression().fit(x, y)
    score = scorer(fl.get_loss(ABSOLUTE_LINE))(model, x, y)
    assert score == pytest.approx(-metrics.mean_absolute_error(y, model.predict(x)))
    options = {"max_iter": 5, "random_state": 0}
    squared = as_sklearn_loss(fl.formula("(z - y)**2/2"))
    found = [
        ensemble.HistGradientBoostingRegressor(loss=loss, **options).fit(x, y).predict(x)
        for loss in (squared, "squared_error")
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_evaluations() -> None:
    x, y = data()
    z = x @ [1.0, -1, 0, 0]
    whole = fl.evaluate(y, z, [LOGISTIC_LINE, "bce", "formula:abs(y - sigmoid(z)); targets=[0, 1]"])
    assert [*whole] == ["logistic", "bce", "formula"]
    assert whole["logistic"].value == pytest.approx(whole["bce"].value, rel=1e-14)
    p = 1 / (1 + np.exp(-z))
    assert whole["formula"].value == pytest.approx(np.abs(y - p).mean())
    parts = [fl.Evaluation([LOGISTIC, HUBER_LINE]) for _ in range(2)]
    for part, rows in zip(parts, (slice(0, 100), slice(100, None)), strict=True):
        part.update(y[rows], z[rows])
    read = fl.Evaluation.from_bytes(parts[0].to_bytes())
    read.merge(parts[1])
    assert read.result()["logistic"].value == whole["logistic"].value
    assert read.result()["formula"].value == pytest.approx(fl.Huber(1.5)(y, z), rel=1e-14)


def test_torch_learns() -> None:
    """A formula in place of a criterion: the steps that PyTorch's own takes."""
    torch = pytest.importorskip("torch")
    from fastloss.adapters import torch as adapter

    x, y = (torch.from_numpy(a) for a in data())
    weights = []
    for criterion in (adapter.module(LOGISTIC), torch.nn.BCEWithLogitsLoss()):
        w = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=1.0)
        for _ in range(10):
            optimizer.zero_grad()
            criterion(x @ w, y).backward()
            optimizer.step()
        weights.append(w.detach())
    torch.testing.assert_close(*weights)


def test_choose_says_how_to_write_one() -> None:
    text = str(fl.choose("regression"))
    line = next(line for line in text.splitlines() if line.startswith("none fits"))
    call = line.split(maxsplit=2)[2].partition(":")[0]
    assert eval(f"fl.{call}") == fl.formula("a*(z - y)**2", a=2.0)
    assert "none fits" not in str(fl.choose("classification", classes="many"))
