"""What losses say of themselves, tried on random points, and that nobody else keeps lists of losses."""

from __future__ import annotations

import ast
import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import LOSSES
from pointwise import samples
from rows import samples as row_samples

import fastloss as fl

ROOT = Path(__file__).parents[2]
N = 4000

#: Pointwise and row losses with a gradient, all settings.
ROWS = [row_samples.make(case, 3) for case in row_samples.CASES if "ignore_index" not in case[1]]
POINTWISE = [loss for loss in LOSSES if loss.has_gradient and 1e-6 < getattr(loss, "delta", 1) < 1e6]
TRIED = [*POINTWISE, *ROWS]


def points(loss: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, and two predictions of each."""
    if isinstance(loss, fl.PointwiseLoss):
        y, a = samples.ordinary(loss, N, np.float64, rng)
        b = samples.ordinary(loss, N, np.float64, rng)[1]
        if loss.inputs == "probabilities":  # which are clipped at both ends
            a, b = a.clip(1e-9, 1 - 1e-9), b.clip(1e-9, 1 - 1e-9)
        return y, a, b
    if loss.inputs == "probabilities":
        a, b = (rng.dirichlet(np.ones(3), N).clip(1e-9) for _ in "ab")
    else:
        a, b = (rng.normal(0, 3, (N, 3)) for _ in "ab")
    if loss.targets == "classes":
        return rng.integers(0, 3, N), a, b
    return (rng.normal(0, 3, a.shape) if loss.targets == "numbers" else rng.dirichlet(np.ones(3), N)), a, b


def values(loss: Any, y: Any, z: Any) -> Any:
    return loss(y, z, reduction="none")


def gradients(loss: Any, y: Any, z: Any) -> Any:
    return loss.gradient(y, z, reduction="sum")


@pytest.mark.filterwarnings("ignore:.*rows are used as given")
@pytest.mark.parametrize("of", TRIED, ids=repr)
def test_convex(of: Any, rng: np.random.Generator) -> None:
    """Midpoints are nowhere above the chord if and only if the loss is convex."""
    y, a, b = points(of, rng)
    between, at_a, at_b = (values(of, y, z) for z in ((a + b) / 2, a, b))
    slack = 1e-9 * (1 + abs(at_a) + abs(at_b))
    assert bool(np.all(between <= (at_a + at_b) / 2 + slack)) == of.convex


@pytest.mark.parametrize("of", POINTWISE, ids=repr)
def test_slope_bound(of: Any, rng: np.random.Generator) -> None:
    """No slope is beyond the bound, some come near it; without a bound they grow with the prediction."""
    y, z, _ = points(of, rng)
    if of.inputs == "probabilities":
        near, far = (np.full(N, 1 - edge) for edge in (1e-3, 1e-9))
        y = np.zeros(N)
    else:
        near, far = (np.concatenate([z[: N // 2] * t, np.geomspace(1e-3, 3, N // 2)]) for t in (1.0, 30.0))
    if of.prediction_domain.low == -1:
        near, far = 1e-2 - 1 + 0 * near, 1e-6 - 1 + 0 * near
    steepest = [abs(gradients(of, y, z)).max() for z in (near, far)]
    if of.lipschitz:
        assert max(steepest) <= of.slope_bound * (1 + 1e-12)
        of_ratio = of.slope_bound == 2.0**52
        assert of_ratio or max(steepest) >= of.slope_bound / 3
    else:  # or as target and prediction shrink
        smaller = abs(gradients(of, y / 30, near / 30)).max() if of.targets == "numbers" else 0
        assert max(steepest[1], smaller) > 3 * steepest[0]


@pytest.mark.parametrize("of", ROWS, ids=repr)
@pytest.mark.filterwarnings("ignore:.*rows are used as given")
def test_slope_bound_of_rows(of: Any, rng: np.random.Generator) -> None:
    y, z, _ = points(of, rng)
    steepest = abs(gradients(of, y, z if of.inputs == "probabilities" else 10 * z)).max()
    assert steepest <= of.slope_bound * (1 + 1e-12)
    if of.lipschitz:
        assert steepest >= of.slope_bound / 3


@pytest.mark.parametrize("of", LOSSES, ids=repr)
def test_of_the_residual_and_symmetric(of: Any, rng: np.random.Generator) -> None:
    if of.targets in ("labels", "probabilities") or not math.isinf(of.prediction_domain.low):
        assert (of.of_residual, of.symmetric) == (False, False)
        return
    y = np.abs(np.round(rng.normal(0, 64, N))) + 1  # so that sums are exact
    r = np.round(rng.normal(0, 64, N)) / 64
    moved, above, below = values(of, y + 32, y + 32 + r), values(of, y, y + r), values(of, y, y - r)
    assert np.array_equal(moved, above) == of.of_residual
    assert np.array_equal(above, below) == of.symmetric


@pytest.mark.parametrize("of", POINTWISE, ids=repr)
def test_homogeneous(of: Any, rng: np.random.Generator) -> None:
    if of.targets in ("labels", "probabilities"):
        assert of.homogeneous is None
        return
    y, z, _ = points(of, rng)
    once, twice = values(of, y, z), values(of, 2 * y, 2 * z)
    kept = (once > 1e-3) & (twice > 0)
    powers = np.log2(twice[kept] / once[kept])
    is_one = bool(np.ptp(powers) < 1e-9)
    assert of.homogeneous == (round(powers[0], 9) if is_one and powers[0] != 0 else None)


@pytest.mark.parametrize("of", TRIED, ids=repr)
@pytest.mark.filterwarnings("ignore:.*rows are used as given")
def test_hessians(of: Any, rng: np.random.Generator) -> None:
    if not of.has_hessian:
        assert (of.positive_hessian, of.constant_hessian) == (False, False)
        return
    y, z, _ = points(of, rng)
    hessian = of.gradient_and_hessian(y, z, reduction="sum")[1]
    is_positive, is_constant = bool((hessian > 0).all()), bool(np.ptp(hessian) == 0)
    assert of.positive_hessian <= is_positive
    assert of.constant_hessian <= (is_constant and is_positive)
    if of == type(of)() and of.targets != "distributions":  # of which an entry may be 0
        assert of.positive_hessian == is_positive
    assert hessian.min() >= of.least_hessian * (1 + 1e-9)
    if math.isfinite(of.least_hessian) and of.least_hessian < 0:
        r = np.linspace(0, 5 * getattr(of, of.scale_parameter), 10_001)
        found = of.gradient_and_hessian(np.zeros_like(r), r)[1].min() * len(r)
        assert found == pytest.approx(of.least_hessian, rel=1e-3)


@pytest.mark.parametrize("of", POINTWISE, ids=repr)
def test_kinked(of: Any) -> None:
    """The widest step between neighbours does not shrink with their distance where the gradient jumps."""
    labels = of.targets in ("labels", "probabilities")
    low, high = (
        (0.01, 0.99)
        if of.inputs == "probabilities"
        else (-0.9123, 9.7 if of.lipschitz and not labels else 3.0)
    )
    target = 1.0 if labels else 0.5
    for _ in range(9):
        z = np.linspace(low, high, 101)
        steps = abs(np.diff(gradients(of, np.full_like(z, target), z)))
        widest = int(steps.argmax())
        low, high = z[widest], z[widest + 1]
    assert bool(steps.max() > 1e-6) == of.kinked
    if of.kink is not None:
        at = {"target": [target], "zero": [0.0], "margin": [1.0]}.get(of.kink)
        at = at or [target - of.epsilon, target + of.epsilon]
        assert any(low - 1e-12 <= place <= high + 1e-12 for place in at)


@pytest.mark.parametrize("of", [of for of in TRIED if of.canonical], ids=repr)
def test_canonical(of: Any, rng: np.random.Generator) -> None:
    """The gradient is the inverse link of the score less the target; class weights and smoothing aside."""
    if any(of.parameters.get(name, 0) for name in ("class_weight", "label_smoothing")):
        pytest.skip("weighted")
    if of.parameters.get("pos_weight", 1) != 1:
        pytest.skip("weighted")
    y, z, _ = points(of, rng)
    exp = np.exp(z)
    inverse = {
        "identity": lambda: z,
        "log": lambda: exp,
        "logit": lambda: exp / (1 + exp),
        "softmax": lambda: exp / exp.sum(axis=1, keepdims=True),
    }[of.link]()
    y = np.eye(z.shape[1])[y] if of.targets == "classes" else y
    np.testing.assert_allclose(
        gradients(of, y.argmax(axis=1) if of.targets == "classes" else y, z), inverse - y, atol=1e-12
    )


@pytest.mark.parametrize("of", [of for of in TRIED if of.predicts == "mean"], ids=repr)
def test_the_mean_is_predicted(of: Any, rng: np.random.Generator) -> None:
    y = samples.ordinary(of, 50, np.float64, rng)[0]
    mean = y.mean() if of.link == "identity" else math.log(y.mean())
    slopes = [gradients(of, y, np.full(50, mean + step)).sum() for step in (-1e-6, 1e-6)]
    assert slopes[0] < 0 < slopes[1]


@pytest.mark.parametrize("of", [of for of in LOSSES if math.isfinite(of.constant_beyond)], ids=repr)
def test_constant_beyond(of: Any) -> None:
    r = of.constant_beyond * np.array([1.0, 2.0, 1e6])
    assert np.ptp(values(of, np.zeros(3), r)) == 0
    assert values(of, [0.0], r[:1] / 2) < values(of, [0.0], r[:1])


@pytest.mark.parametrize("of", [of for of in LOSSES if of.scale_parameter], ids=repr)
def test_scale_parameter(of: Any) -> None:
    """Twice the scale is the loss of residuals half as large, but for a factor."""
    if not (scale := getattr(of, of.scale_parameter)):
        return
    other = type(of)(**{**of.parameters, of.scale_parameter: 2 * scale})
    r = scale * np.array([0.25, 0.75, 1.5, 3.0])
    once, twice = values(of, np.zeros(4), r), values(other, np.zeros(4), 2 * r)
    np.testing.assert_allclose(once * twice[-1], twice * once[-1], rtol=1e-9)


def test_what_the_adapters_turn_on() -> None:
    assert [i.name for i in fl.list_losses(link="log")] == ["poisson", "gamma", "tweedie"]
    assert {i.name for i in fl.list_losses(family="regression", convex=False)} >= {
        "cauchy",
        "welsch",
        "tukey",
    }
    assert fl.SmoothL1(beta=0.0).kink == "target"
    assert fl.SmoothL1(beta=1.0).kink is None
    assert not fl.Quantile(q=0.9).symmetric
    assert fl.ZeroOne().inputs == "classes"
    assert fl.ZeroOne(from_logits=True).inputs == "scores"


def test_traits_are_shown_and_filter() -> None:
    (huber,) = [
        info for info in fl.list_losses(scale_parameter="delta", kinked=False) if info.name == "huber"
    ]
    assert huber.traits["slope_bound"] == 1.0
    assert huber.traits["convex"] is True
    assert len(huber) == 7
    assert fl.list_losses(has_hessian=False, family="transport") == fl.list_losses(family="transport")
    with pytest.raises(TypeError, match="did you mean 'convex'"):
        fl.list_losses(convx=True)


#: Where no list of losses may stand, nor a question which one a loss is.
SHARED = [
    *("adapters", "cli", "metrics", "choosing/choice.py", "evaluation"),
    *("plotting.py", "_curves.py", "linear.py", "linear_model.py", "_linear_input.py", "_linear_solvers.py"),
]
CLASSES = {info.cls.__name__ for info in fl.list_losses()}


def questions(source: str) -> list[str]:
    """The lines on which a module asks for a class of losses, or lists some as they are: not called."""
    tree = ast.parse(source)
    found = []

    def name(node: ast.AST) -> str | None:
        """The class of losses that an expression is; not a scikit-learn class of the same name."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "fl":
            return node.attr if node.attr in CLASSES else None
        return node.id if isinstance(node, ast.Name) and node.id in imported else None

    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastloss.")
        for alias in node.names
        if alias.name in CLASSES
    }
    for node in ast.walk(tree):
        named = False
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            named = any(name(part) for part in ast.walk(node.args[1]))
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            named = any(map(name, node.elts))
        elif isinstance(node, ast.Dict):
            named = any(name(key) for key in node.keys if key is not None)
        elif isinstance(node, ast.Compare):
            named = any(map(name, [node.left, *node.comparators]))
        if named:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def test_nobody_asks_which_loss_it_is() -> None:
    found = {}
    for place in SHARED:
        path = ROOT / "fastloss" / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if lines := questions(file.read_text(encoding="utf-8")):
                found[str(file.relative_to(ROOT))] = lines
    assert found == {}


def test_a_question_would_be_found() -> None:
    assert questions("import fastloss as fl\nisinstance(loss, fl.Huber | fl.Poisson)")
    assert questions("from fastloss.regression import Huber\nROBUST = (Huber,)")
    assert questions("from fastloss.regression import Huber\nOF = {Huber: 1}\n")
    assert questions("import fastloss as fl\nok = type(loss) is fl.Huber")
    assert not questions("import fastloss as fl\nlosses = [fl.Huber(delta=2.0)]")


def test_few_files_name_a_loss() -> None:
    """Classes of losses are named where they are made, told of and tried, and nowhere in between."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs the repository")
    command = ["git", "grep", "-lw", "Expectile", "--", "fastloss", "csrc"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    told_of = {"fastloss/choosing/advice.py", "fastloss/choosing/reported.py"}
    assert set(files) <= {"fastloss/regression.py", "fastloss/reference/regression.py"} | told_of
