"""Pictures of losses of rows, of embeddings and of transport: the curves are those of formulas."""

from __future__ import annotations

import numpy as np
import pytest

import fastloss as fl
from fastloss.plotting import draw

pytest.importorskip("matplotlib")
CLASSES = ["by class 1, the target", "by class 2", "by class 3"]


def lines(figure, panel):
    """Give the curves of a panel, each as heights over the common places."""
    drawn = figure.axes[panel].lines
    return drawn[0].get_xdata(), [line.get_ydata() for line in drawn]


def legend(panel):
    return [text.get_text() for text in panel.get_legend().texts]


def test_cross_entropy_of_three_classes():
    figure = draw([fl.CrossEntropy()])
    x, (value,) = lines(figure, 0)
    scores = np.stack([x, 0 * x, 0 * x - 1])
    shares = np.exp(scores) / np.exp(scores).sum(axis=0)
    np.testing.assert_allclose(value, -np.log(shares[0]), rtol=1e-12)
    np.testing.assert_allclose(lines(figure, 1)[1], shares - [[1], [0], [0]], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(lines(figure, 2)[1], shares * (1 - shares), rtol=1e-12)
    assert legend(figure.axes[1]) == CLASSES
    assert figure.axes[0].get_xlabel() == "score z₁ of the target (z₂ = 0, z₃ = −1)"
    assert len({line.get_color() for line in figure.axes[1].lines}) == 3


def test_divergence_of_three_probabilities():
    figure = draw([fl.KLDivergence()])
    x, (value,) = lines(figure, 0)
    q = np.stack([x, 2 / 3 * (1 - x), 1 / 3 * (1 - x)])
    p = np.array([[0.6], [0.4 * 2 / 3], [0.4 / 3]])
    np.testing.assert_allclose(value, (p * np.log(p / q)).sum(axis=0), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(lines(figure, 1)[1], -p / q, rtol=1e-12)
    np.testing.assert_allclose(lines(figure, 2)[1], p / q**2, rtol=1e-12)


def test_two_losses_of_rows_share_panels_and_keep_their_colours():
    figure = draw([fl.CrossEntropy(), fl.MulticlassHinge()])
    assert len(figure.axes) == 3
    assert [len(panel.lines) for panel in figure.axes] == [2, 6, 6]
    colours = [line.get_color() for line in figure.axes[1].lines]
    assert colours[:3] == [figure.axes[0].lines[0].get_color()] * 3
    assert colours[3:] == [figure.axes[0].lines[1].get_color()] * 3
    x, (_, hinge) = lines(figure, 0)
    np.testing.assert_allclose(hinge, np.maximum(0, 1 - x), atol=1e-15)


def test_a_row_for_each_kind():
    figure = draw([fl.CrossEntropy(), fl.CrossEntropy(from_logits=False), fl.Huber(), fl.EuclideanError()])
    assert len(figure.axes) == 12
    x, (value,) = lines(figure, 9)
    np.testing.assert_allclose(value, np.sqrt(x**2 + 1), rtol=1e-13)
    assert figure.axes[11].texts[0].get_text() == "there is none"


VALUES = {
    fl.Contrastive(): [lambda d: d**2, lambda d: np.maximum(0, 1 - d) ** 2],
    fl.Triplet(): [lambda d: np.maximum(0, 2 - d**2)],
    fl.CenterLoss(): [lambda d: d**2 / 2],
    fl.CosineEmbedding(margin=0.5): [lambda a: 1 - np.cos(a), lambda a: np.maximum(0, np.cos(a) - 0.5)],
    # The other pair's loss is that of a partner at distance 0 beside two vectors at right angles.
    fl.NTXent(temperature=0.5): [
        lambda a: (np.log(1 + 2 * np.exp(-2 * np.cos(a))) + np.log(1 + 2 * np.exp(-2.0))) / 2
    ],
    fl.Wasserstein(): [lambda x: (abs(x) + abs(x - 1)) / 2],
    fl.Sinkhorn(reg=0.01): [lambda x: (x**2 + (x - 1) ** 2) / 2],
    fl.EarthMover(): [lambda x: (abs(x) + abs(x - 1)) / 2],
}


@pytest.mark.parametrize("drawn", VALUES, ids=repr)
def test_losses_of_vectors(drawn):
    if isinstance(drawn, fl.EarthMover):
        pytest.importorskip("ot")
    figure = draw([drawn])
    x, values = lines(figure, 0)
    for formula, curve in zip(VALUES[drawn], values, strict=True):
        np.testing.assert_allclose(curve, formula(x), rtol=1e-6, atol=1e-6)
    # The slope is the value's, but beside kinks.
    for curve, slope in zip(values, lines(figure, 1)[1], strict=True):
        missed = abs(np.gradient(curve, x) - slope) > 2e-2
        assert missed.sum() <= 8


@pytest.mark.parametrize("info", fl.list_losses(), ids=lambda info: info.name)
def test_every_loss_can_be_drawn(info):
    if info.name == "earth_mover":
        pytest.importorskip("ot")
    figure = draw([info.cls()])
    assert all(panel.lines for panel in figure.axes[: 1 + info.has_gradient + info.has_hessian])
    assert all(np.isfinite(panel.get_ylim()).all() for panel in figure.axes)
