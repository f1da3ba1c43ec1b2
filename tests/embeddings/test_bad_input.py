"""Losses of embeddings: what cannot be computed is refused, with argument, index and value in the message."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastloss as fl
from embeddings.samples import ALL, ROW_BY_ROW, embeddings, ordinary
from fastloss.cli import main

nan, inf = float("nan"), float("inf")
A = np.ones((4, 3))
NAMES = {
    "Contrastive": ("a", "b", "y"),
    "CosineEmbedding": ("a", "b", "y"),
    "Triplet": ("anchor", "positive", "negative"),
    "CenterLoss": ("x", "centers", "labels"),
    "NTXent": ("a", "b"),
    "GaussianKL": ("mean", "log_variance"),
}


def _arguments(case: Any) -> list[Any]:
    return list(ordinary(case, 4, 3, np.float64, np.random.default_rng(0)))


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_shapes(case: Any) -> None:
    names = NAMES[type(case).__name__]
    good = _arguments(case)
    for i, name in enumerate(names):
        is_embedding = i < len(embeddings(case, tuple(good)))
        wrong = (
            [np.ones(4), np.ones((4, 3, 1)), np.ones((4, 0)), 1.0] if is_embedding else [np.ones((4, 1)), 1]
        )
        if i > 0:
            wrong.append(np.ones((5, 2)) if is_embedding else np.ones(5))
        if i > 0 and not isinstance(case, fl.CenterLoss):
            wrong.append(np.ones((5, 3)) if is_embedding else np.ones(3))
        for x in wrong:
            bad = [*good[:i], x, *good[i + 1 :]]
            with pytest.raises(ValueError, match=rf"^{name} has shape \({str(np.shape(x))[1:-1]}\)"):
                case.value_and_gradient(*bad)
    assert case(**dict(zip(names, good, strict=True))) == case(*good)
    with pytest.raises(TypeError):
        case(*good, good[0])
    with pytest.raises(ValueError, match="centers has shape"):
        fl.CenterLoss()(A, np.ones((0, 3)), [0] * 4)


@pytest.mark.parametrize("case", ALL, ids=repr)
@pytest.mark.parametrize("kind", [object, complex, "U3", "M8[s]"])
def test_dtypes(case: Any, kind: Any) -> None:
    good = _arguments(case)
    for i, name in enumerate(NAMES[type(case).__name__]):
        bad = [*good[:i], np.zeros(good[i].shape, kind), *good[i + 1 :]]
        with pytest.raises(TypeError, match=f"{name} has dtype"):
            case(*bad)
    with pytest.raises(TypeError, match="sample_weight has dtype"):
        case(*good, sample_weight=np.zeros(4, kind))


@pytest.mark.parametrize("value", [2, -1, 0.5, nan, inf])
def test_labels_of_contrastive(value: float) -> None:
    y = np.array([0, 1, value, 7])
    with pytest.raises(ValueError, match=rf"y\[2\] = {y[2]} is no label for Contrastive: expected 1 .* or 0"):
        fl.Contrastive()(A, A, y)


@pytest.mark.parametrize("value", [2, -2, 0.5, nan, inf])
def test_labels_of_cosine(value: float) -> None:
    y = np.array([0, -1, 1, value])
    with pytest.raises(
        ValueError, match=rf"y\[3\] = {y[3]} is no label for CosineEmbedding: expected 1 .*-1"
    ):
        fl.CosineEmbedding().gradient(A, A, y)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 3, 0, 9]),
        np.array([0, -1, 0, 9]),
        np.array([0, 255, 0, 0], np.uint8),
        np.array([0, 2**63, 0, 0], np.uint64),
        np.array([0, 2**32, 0, 0]),
        np.array([0, 0.5, 0, 0]),
        np.array([0, nan, 0, 0]),
        np.array([0, -inf, 0, 0], np.float32),
    ],
)
def test_labels_of_centres(labels: Any, dtype: Any) -> None:
    for verb in ("__call__", "gradient", "value_and_gradient"):
        with pytest.raises(ValueError, match=rf"labels\[1\] = {labels[1]} is no class .* expected 0 to 2"):
            getattr(fl.CenterLoss(), verb)(A.astype(dtype), np.ones((3, 3), dtype), labels)


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_weights(case: Any) -> None:
    good = _arguments(case)
    for value in (-1.0, nan, inf, -1e-300):
        with pytest.raises(ValueError, match=rf"sample_weight\[1\] = {value}: weights must be finite"):
            case.gradient(*good, sample_weight=[1.0, value, 1.0, -5.0])
    for wrong in (np.ones(3), np.ones((4, 1)), np.ones((4, 3)), 1.0):
        with pytest.raises(ValueError, match="sample_weight has shape"):
            case(*good, sample_weight=wrong)
    for verb in ("__call__", "gradient"):
        with pytest.raises(ValueError, match=r"sum to 0\.0"):
            getattr(case, verb)(*good, sample_weight=np.zeros(4))
    assert case(*good, sample_weight=np.zeros(4), reduction="sum") == 0


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_options(case: Any) -> None:
    good = _arguments(case)
    for reduction in ("average", None, 1, "Mean"):
        with pytest.raises(ValueError, match="reduction must be"):
            case(*good, reduction=reduction)
    for n in (0, -1, 5000):
        with pytest.raises(ValueError, match="n_threads must be between"):
            case(*good, n_threads=n)
    with pytest.raises(TypeError, match="n_threads must be an integer"):
        case(*good, n_threads=1.5)


@pytest.mark.parametrize("case", ALL, ids=repr)
def test_outputs(case: Any) -> None:
    good = _arguments(case)
    vectors = embeddings(case, tuple(good))
    fresh = [np.zeros_like(x) for x in vectors]
    with pytest.raises(ValueError, match="a reduced value is a float"):
        case(*good, out=np.zeros(4))
    with pytest.raises(TypeError, match=f"tuple of {len(vectors)} arrays"):
        case.gradient(*good, out=fresh[0])
    with pytest.raises(ValueError, match=f"must hold {len(vectors)} arrays, got 1"):
        case.gradient(*good, out=(fresh[0],))
    with pytest.raises(ValueError, match=f"must hold {1 + len(vectors)} arrays"):
        case.value_and_gradient(*good, reduction="none", out=tuple(fresh))
    last = len(vectors) - 1

    def refused(kind: type[Exception], message: str, x: Any) -> None:
        with pytest.raises(kind, match=message):
            case.gradient(*good, out=(*fresh[:last], x))

    refused(TypeError, rf"out\[{last}\] must be a NumPy array", [[0.0]])
    refused(TypeError, rf"out\[{last}\] has dtype int64", np.zeros(vectors[last].shape, int))
    refused(ValueError, rf"out\[{last}\] has shape \(9, 3\)", np.zeros((9, 3)))
    constant = np.zeros(vectors[last].shape)
    constant.flags.writeable = False
    refused(ValueError, rf"out\[{last}\] is read-only", constant)
    name = NAMES[type(case).__name__][0]
    if vectors[0].shape == vectors[last].shape:
        refused(ValueError, rf"out\[{last}\] overlaps {name}", good[0])
        refused(ValueError, rf"out\[{last}\] overlaps out\[0\]", fresh[0])
    own = NAMES[type(case).__name__][last]
    refused(ValueError, rf"out\[{last}\] overlaps {own} without being the same", good[last][::-1])


def test_outputs_over_labels_and_weights() -> None:
    y = np.ones((4, 3))
    with pytest.raises(ValueError, match=r"out\[0\] overlaps y"):
        fl.Contrastive().gradient(A.copy(), A.copy(), y[:, 0], out=(y, None))
    for case in (fl.Contrastive(), fl.NTXent()):
        with pytest.raises(ValueError, match=r"out\[1\] overlaps sample_weight"):
            case.gradient(*_arguments(case), sample_weight=y[:, 0], out=(None, y))
    with pytest.raises(ValueError, match="out overlaps a"):
        fl.Contrastive()(A, y, np.ones(4), reduction="none", out=A[:, 0])


BAD_PARAMETERS = {
    ("Contrastive", "margin"): [0, -1, nan, inf],
    ("CosineEmbedding", "margin"): [-1.1, 1.1, nan, inf],
    ("Triplet", "margin"): [-0.1, nan, inf],
    ("NTXent", "temperature"): [0, -1, 1e-7, 1e7, nan, inf],
}


@pytest.mark.parametrize(("name", "parameter"), BAD_PARAMETERS)
def test_parameters(name: str, parameter: str) -> None:
    for value in BAD_PARAMETERS[name, parameter]:
        with pytest.raises(ValueError, match=rf"{parameter}.*{value}"):
            getattr(fl, name)(**{parameter: value})
    for value in ("1", None, [1.0], 1j, True):
        with pytest.raises(TypeError, match=parameter):
            getattr(fl, name)(**{parameter: value})
    for value in (1, 0.0, "no", None):
        with pytest.raises(TypeError, match="squared"):
            fl.Triplet(squared=value)


def test_never_initialised() -> None:
    class Half(fl.Contrastive):
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match="Half was never initialised"):
        Half()(A, A, np.ones(4))


def test_the_command_says_that_it_has_no_embeddings(capsys: Any, tmp_path: Any) -> None:
    np.save(tmp_path / "y.npy", np.ones(3))
    path = str(tmp_path / "y.npy")
    assert main(["evaluate", path, path, "--loss", "triplet", "--json"]) != 0
    assert "triplet does not compare predictions with targets" in capsys.readouterr().err


@pytest.mark.parametrize("case", ROW_BY_ROW, ids=repr)
def test_containers(case: Any) -> None:
    torch = pytest.importorskip("torch")
    pandas = pytest.importorskip("pandas")
    good = _arguments(case)
    expected = case(*good)
    assert case(*[x.tolist() for x in good]) == expected
    assert case(*[torch.from_numpy(x) for x in good]) == expected
    frames = [pandas.DataFrame(x) if x.ndim == 2 else pandas.Series(x) for x in good]
    assert case(*frames) == expected
    with pytest.raises(TypeError, match="masked"):
        case(np.ma.masked_array(good[0]), *good[1:])


@pytest.mark.parametrize("verb", ["__call__", "gradient", "value_and_gradient"])
@pytest.mark.parametrize("bad", ["avg", None, 0])
def test_no_verb_takes_an_unknown_reduction(verb: str, bad: Any) -> None:
    """A gradient alone asks for it too, though it writes no values."""
    for loss in ALL:
        arguments = ordinary(loss, 4, 3, np.float64, np.random.default_rng(0))
        with pytest.raises(ValueError, match="reduction must be"):
            getattr(loss, verb)(*arguments, reduction=bad)
