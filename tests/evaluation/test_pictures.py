"""``Result.plot``: what is drawn is what was evaluated."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import fastloss as fl

pytest.importorskip("matplotlib")
MEASURES = ["bce", "roc_auc", "ks", "confusion", "calibration"]


def rows(n=400):
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, n).astype(np.uint8)
    a = y + rng.normal(size=n)
    return y, a, a + 0.3 * rng.normal(size=n), rng.choice(["de", "fr", None], n)


def panels(figure):
    return {panel.get_title().partition(",")[0]: panel for panel in figure.axes}


def marks(panel):
    """Return the estimates of a panel, and the ends of their intervals, each series from the top."""
    series = [c for c in panel.containers if hasattr(c, "has_xerr")]
    values = [c[0].get_xdata() for c in series]
    ends = [np.array([s[:, 0] for s in c[2][0].get_segments()]) for c in series]
    return values, ends


def test_every_panel_has_its_numbers(tmp_path):
    y, a, b, by = rows()
    result = fl.evaluate(y, {"a": a, "b": b}, MEASURES, by=by, level=0.9)
    figure = result.plot(tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    drawn = panels(figure)
    curves = drawn["ROC curve"].get_lines()
    np.testing.assert_array_equal(curves[1].get_xdata(), result.curve("roc", "b").x)
    np.testing.assert_array_equal(curves[1].get_ydata(), result.curve("roc", "b").y)
    pr = drawn["precision and recall"].get_lines()[0]
    np.testing.assert_array_equal(pr.get_ydata(), result.curve("pr", "a").y)
    share = result.reliability("a")
    np.testing.assert_array_equal(
        drawn["reliability"].get_lines()[0].get_ydata(), share["share"][share["weight"] > 0]
    )
    order = sorted(result.groups, key=lambda g: -result.groups[g].samples)
    names = [text.get_text() for text in drawn["bce"].get_yticklabels()]
    assert names == ["all rows", *("(missing)" if g is None else g for g in order)]
    for of, panel in ((lambda r: r["bce"], "bce"), (lambda r: r["confusion"]["f1"], "confusion/f1")):
        wanted = [of(r) for r in (result, *(result.groups[g] for g in order))]
        values, ends = marks(drawn[panel])
        assert values[0].tolist() == [e.value for e in wanted]
        np.testing.assert_allclose(ends[0], [[e.low, e.high] for e in wanted], rtol=1e-12)
    values, ends = marks(drawn["bce: difference from a on the same rows"])
    wanted = [r.differences["b", "a"]["bce"] for r in (result, *(result.groups[g] for g in order))]
    assert values[0].tolist() == [e.value for e in wanted]
    np.testing.assert_allclose(ends[0], [[e.low, e.high] for e in wanted], rtol=1e-12)
    assert "ks, 90 % intervals" not in {panel.get_title() for panel in figure.axes}  # no error is known
    assert "bce, 90 % intervals" in {panel.get_title() for panel in figure.axes}


def test_one_model_and_regressions():
    y, a, _, by = rows()
    assert list(panels(fl.evaluate(y, a, ["mse", "r2"]).plot())) == ["mse", "r2", ""]
    assert list(panels(fl.evaluate(y, a, ["mse", "max_error"], by=by).plot())) == ["mse", "max_error"]


def test_long_curves_are_thinned_and_keep_their_shape():
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, 50_000)
    z = y + rng.normal(size=len(y))
    result = fl.evaluate(y, z, ["roc_auc"])
    line = panels(result.plot())["ROC curve"].get_lines()[0]
    x, height = line.get_data()
    assert len(x) <= 2000
    assert (x[0], height[0], x[-1], height[-1]) == (0.0, 0.0, 1.0, 1.0)
    area = np.sum(np.diff(x) * (height[1:] + height[:-1]) / 2)
    assert area == pytest.approx(result["roc_auc"].value, abs=1e-3)


def test_the_largest_of_many_groups_and_one_class():
    by = np.repeat(np.arange(60), np.arange(1, 61))
    y, z = np.ones(len(by), dtype=np.uint8), np.linspace(-1, 1, len(by))
    figure = fl.evaluate(y, z, ["bce", "roc_auc", "accuracy"], by=by).plot()
    assert figure.get_suptitle() == "1,830 rows; the 40 largest of 60 groups"
    names = [text.get_text() for text in panels(figure)["bce"].get_yticklabels()]
    assert names == ["all rows", *map(str, range(59, 19, -1))]


def test_errors(tmp_path, monkeypatch):
    result = fl.evaluate([0.0], [1.0], ["mse"])
    with pytest.raises(ValueError, match="must end in"):
        result.plot(tmp_path / "report.doc")
    for module in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "fastloss\[plot\]"'):
        result.plot()
