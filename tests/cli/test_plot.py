"""``fastloss plot`` and `fastloss.plotting`: the curves are the losses', the files are pictures."""

from __future__ import annotations

import io
import math
import re
import shlex
import struct
import sys
import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest
from conftest import LOSSES

import fastloss as fl
from fastloss.cli import main
from fastloss.plotting import draw

ROOT = Path(__file__).parents[2]
TITLES = ["value", "gradient", "Hessian"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def error(capsys):
    """Run the command, check the manners of its failure, and return the message."""

    def run(*arguments):
        status = main(["plot", *arguments])
        out, err = capsys.readouterr()
        assert (status, out) == (2, "")
        assert err.startswith("fastloss: error: ")
        assert err.count("\n") == 1
        assert not list(Path().iterdir())
        return err

    return run


def curves(figure, row=0):
    """Return for each panel of a row its curves: label -> (x, y)."""
    panels = figure.axes[3 * row : 3 * row + 3]
    assert [panel.get_title() for panel in panels] == TITLES
    return [
        {line.get_label(): (line.get_xdata(), line.get_ydata()) for line in panel.lines} for panel in panels
    ]


def test_curves_of_the_residual():
    """Against the formulas of the losses."""
    value, gradient, hessian = curves(draw([fl.SquaredError(), fl.Huber(delta=1.5)]))
    assert list(value) == list(gradient) == list(hessian) == ["SquaredError", "Huber(delta=1.5)"]
    r, squares = value["SquaredError"]
    assert (r[0], r[-1]) == (-3, 3)
    np.testing.assert_allclose(squares, r**2, rtol=1e-14)
    np.testing.assert_allclose(gradient["SquaredError"][1], 2 * r, rtol=1e-14)
    np.testing.assert_array_equal(hessian["SquaredError"][1], 2)
    inside = np.abs(r) <= 1.5
    huber = np.where(inside, r**2 / 2, 1.5 * (np.abs(r) - 0.75))
    np.testing.assert_allclose(value["Huber(delta=1.5)"][1], huber, rtol=1e-14)
    np.testing.assert_allclose(gradient["Huber(delta=1.5)"][1], np.clip(r, -1.5, 1.5), rtol=1e-14)
    np.testing.assert_array_equal(hessian["Huber(delta=1.5)"][1], np.where(inside, 1, 0))


def test_curves_at_a_target():
    figure = draw([fl.Poisson(), fl.Gamma()], target=2.0)
    value, gradient, _ = curves(figure)
    z, poisson = value["Poisson"]
    assert z.mean() == pytest.approx(math.log(2))
    np.testing.assert_allclose(poisson, np.exp(z) - 2 * z, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(gradient["Gamma"][1], 1 - 2 * np.exp(-z), rtol=1e-13, atol=1e-13)
    assert "y = 2" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize("drawn", LOSSES, ids=repr)
def test_every_pointwise_loss_can_be_drawn(drawn):
    figure = draw([drawn])
    panels = curves(figure)
    target = 0.0 if "residual" in figure.axes[0].get_xlabel() else 1.0
    ((x, values),) = panels[0].values()
    y = np.full_like(x, target)
    np.testing.assert_array_equal(values, drawn(y, x, reduction="none"))
    if drawn.has_gradient:
        for panel, expected in zip(
            panels[1:], drawn.gradient_and_hessian(y, x, reduction="none"), strict=True
        ):
            np.testing.assert_array_equal(next(iter(panel.values()))[1], expected)
    else:
        assert panels[1:] == [{}, {}]
    for panel in figure.axes:
        low, high = panel.get_ylim()
        assert -math.inf < low < high < math.inf


@pytest.mark.parametrize("label", ["residual", "score", "probability", "logarithm", "prediction"])
def test_what_each_is_drawn_over(label):
    losses = {
        "residual": [fl.LogCosh(), fl.Tukey(), fl.Expectile(q=0.9), fl.ZeroOne(threshold=0.5)],
        "score": [fl.Hinge(), fl.BinaryCrossEntropy(), fl.WassersteinCritic()],
        "probability": [fl.BinaryCrossEntropy(from_logits=False)],
        "logarithm": [fl.Poisson(), fl.Tweedie(power=1.2)],
        "prediction": [fl.SquaredLogError(), fl.AbsolutePercentageError()],
    }
    figure = draw(losses[label])
    assert len(figure.axes) == 3
    assert all(label in panel.get_xlabel() for panel in figure.axes)
    assert len(figure.axes[0].lines) == len(losses[label])


def test_a_row_for_each_axis():
    figure = draw([fl.Huber(), fl.Hinge(), fl.LogCosh(), fl.Huber()])
    assert [list(curves(figure, row)[0]) for row in (0, 1)] == [["Huber", "LogCosh"], ["Hinge"]]
    assert [part.legends[0].texts[0].get_text() for part in figure.subfigs] == ["Huber", "Hinge"]


def test_the_kinks_are_in_view():
    for loss in (fl.Huber(delta=40.0), fl.Tukey(), fl.SmoothL1(beta=9.0), fl.Cauchy(c=20.0)):
        low, high = draw([loss]).axes[0].get_xlim()
        assert -low == high > max(loss.parameters.values())


def test_a_steep_curve_does_not_flatten_the_others():
    figure = draw([fl.Exponential(), fl.Hinge(), fl.BinaryCrossEntropy()])
    assert figure.axes[0].get_ylim()[1] < 0.7 * math.exp(3)
    assert figure.axes[0].get_ylim()[1] > 4  # the hinge loss at -3
    assert figure.axes[2].get_ylim()[1] > 0.25


def test_curves_can_be_told_apart():
    lines = draw([fl.Quantile(q=q) for q in np.linspace(0.05, 0.95, 19)]).axes[0].lines
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}) == 19


@pytest.mark.parametrize(("low", "high"), [(-10, 10), (0.25, 0.5), (-1e9, 1e9)])
def test_range(low, high):
    assert draw([fl.Huber()], limits=(low, high)).axes[0].get_xlim() == (low, high)
    probabilities = draw([fl.BinaryFocal(from_logits=False)], limits=(low, high))
    assert probabilities.axes[0].get_xlim() == (max(low, 0), min(high, 1))
    low_end, _ = draw([fl.SquaredLogError()], limits=(low, high)).axes[0].get_xlim()
    assert low_end == max(low, -0.9)


def test_draw_refuses():
    with pytest.raises(TypeError, match="str cannot be drawn: it is not a loss"):
        draw(["huber"])
    with pytest.raises(ValueError, match="class_weight"):
        draw([fl.CrossEntropy(class_weight=(1.0, 2.0))])
    with pytest.raises(ValueError, match="no loss"):
        draw([])
    for limits in [(1, 1), (2, 1), (0, math.inf), (math.nan, 1)]:
        with pytest.raises(ValueError, match="limits must be"):
            draw([fl.Huber()], limits=limits)
    with pytest.raises(ValueError, match=r"limits \(2, 3\) are outside the domain, from 0 to 1"):
        draw([fl.BinaryFocal(from_logits=False)], limits=(2, 3))
    with pytest.raises(ValueError, match=r"y_true\[0\] = 7.0 .*BinaryCrossEntropy"):
        draw([fl.BinaryCrossEntropy()], target=7)


def test_png(capsys):
    assert main(["plot", "mse", "huber:delta=1.5"]) == 0
    assert capsys.readouterr().out == "losses.png\n"
    content = Path("losses.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert width > 2 * height > 800


def test_svg():
    arguments = [
        "plot",
        "hinge",
        "focal:gamma=5",
        "-o",
        "curves.SVG",
        "--target",
        "0",
        "--range",
        "-2.5",
        "3",
    ]
    assert main(arguments) == 0
    content = Path("curves.SVG").read_bytes()
    assert xml.etree.ElementTree.parse(io.BytesIO(content)).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert content.count(b"<!-- BinaryFocal(gamma=5.0) -->") == 1
    assert content.count(b"<!-- score z at y = 0 -->") == 3
    assert main(arguments) == 0
    assert Path("curves.SVG").read_bytes() == content  # the same bytes again


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        ("pdf", b"%PDF-"),
        ("eps", b"%!PS-Adobe"),
        ("jpg", b"\xff\xd8\xff"),
        ("tif", b"II*\0"),
        ("webp", b"RIFF"),
    ],
)
def test_other_kinds_of_files(ending, start):
    assert main(["plot", "cross_entropy", "mse", "-o", f"losses.{ending}"]) == 0
    content = Path(f"losses.{ending}").read_bytes()
    assert content.startswith(start)
    if ending == "pdf":
        assert b"CreationDate" not in content


@pytest.mark.parametrize(
    ("arguments", "pieces"),
    [
        (["mse", "hubber"], ["'hubber'", "did you mean huber"]),
        (["huber:q=1"], ["'q'", "delta"]),
        (["cross_entropy:class_weight=1:2"], ["class_weight", "2", "3"]),
        (["mse", "-o", "losses.doc"], ["must end in", ".pdf, ", ".png, ", ".svg, ", "'losses.doc'"]),
        (["mse", "-o", "losses"], ["must end in", "'losses'"]),
        (["mse", "-o", "nowhere/losses.png"], ["nowhere/losses.png", "No such file"]),
        (["bce", "--target", "7"], ["y_true", "7.0", "BinaryCrossEntropy"]),
        (["bce", "--target", "one"], ["--target", "'one'"]),
        (["bce", "--target", "true"], ["--target", "'true'"]),
        (["mse", "--range", "3"], ["--range", "expected 2"]),
        (["mse", "--range", "1", "x"], ["--range", "'x'"]),
        (["mse", "--range", "3", "1"], ["(3.0, 1.0)", "increasing"]),
        (["focal:from_logits=false", "--range", "2", "3"], ["outside the domain"]),
        ([], ["LOSS"]),
    ],
    ids=str,
)
def test_errors(error, arguments, pieces):
    message = error(*arguments)
    assert all(piece in message for piece in pieces), message


def test_matplotlib_is_named_with_its_extra(error, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("matplotlib.")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert 'matplotlib: pip install "fastloss[plot]"' in error("mse")


def test_the_pictures_of_the_documents():
    """Each is small, and the command beside it draws one like it."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = re.findall(r"^fastloss plot .* -o docs/images/.*$", text, flags=re.MULTILINE)
    pictures = {path.name for path in (ROOT / "docs" / "images").iterdir()} - {"speed.svg"}
    assert len(commands) == len(pictures) == 3
    for command in commands:
        *arguments, path = shlex.split(command)[1:]
        assert main([*arguments, Path(path).name]) == 0
        kept, fresh = (ROOT / path).read_text(encoding="utf-8"), Path(path).name
        assert len(kept) < 100_000
        comments = r"<!-- (\w.*?) -->"  # the texts in the picture
        assert re.findall(comments, kept) == re.findall(comments, Path(fresh).read_text(encoding="utf-8"))
        assert f"({path.removeprefix('docs/')})" in (ROOT / "docs/losses.md").read_text(encoding="utf-8")
