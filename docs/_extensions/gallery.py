"""The gallery: a page a loss, with its picture, formula, traits, accuracy, speed, and what it is for."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from pages import write_pages
from reference import FAMILIES
from sphinx.application import Sphinx
from uses import USES

import fastloss as fl
from fastloss.choosing.advice import Advice, advice_for

DOCS = Path(__file__).parents[1]


def _table_rows(page: str, name: str) -> list[list[str]]:
    """Find the lines about a loss in the tables of a page, as cells."""
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = re.findall(rf"^\| `?{name}(?:\(.*?\))?`? \|(.*)\|$", text, flags=re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def _for(info: fl.LossInfo) -> str:
    return USES.get(info.cls.__name__) or _summary(info.cls).partition("\n")[0]


def _summary(cls: type[fl.Loss]) -> str:
    return re.split(r"\n\n(?:Parameters|Raises|Notes|References|Examples)\n", inspect.getdoc(cls) or "")[0]


def _picture(info: fl.LossInfo, folder: Path) -> str:
    path = folder / f"{info.name}.svg"
    fl.plotting.save(fl.plotting.draw([info.cls()]), str(path))
    return f".. image:: {path.name}\n   :alt: Value, gradient and Hessian of {info.cls.__name__}\n\n"


def _domain(domain: fl.Domain) -> str:
    low, high = (
        "−∞" if domain.low < -1e300 else f"{domain.low:g}",
        "∞" if domain.high > 1e300 else f"{domain.high:g}",
    )
    if (low, high) == ("−∞", "∞"):
        return "any real numbers"
    span = f"above {low}" if domain.open_low else f"from {low}"
    return (
        ("whole numbers " if domain.integral else "numbers ") + span + ("" if high == "∞" else f" to {high}")
    )


def _traits(info: fl.LossInfo) -> str:
    given = ["value"] + ["gradient"] * info.has_gradient + ["Hessian"] * info.has_hessian
    lines = [("Also named", ", ".join(f"``{alias}``" for alias in info.aliases)), ("Gives", ", ".join(given))]
    if issubclass(info.cls, fl.PointwiseLoss):
        loss = info.cls()
        domains = {"Targets": loss.target_domain, "Predictions": loss.prediction_domain}
        lines += [(name, _domain(domain)) for name, domain in domains.items()]
    if shape := _shape(info):
        lines.append(("Shape", ", ".join(shape) + " (at the default parameters)"))
    return "".join(f":{name}: {text}\n" for name, text in lines if text) + "\n"


def _shape(info: fl.LossInfo) -> list[str]:
    if not info.has_gradient or not issubclass(info.cls, fl.PointwiseLoss | fl.RowLoss):
        return []
    words = {"convex": ("convex", "not convex")}
    if issubclass(info.cls, fl.PointwiseLoss):
        words["kinked"] = ("the gradient jumps", "the gradient is continuous")
        words["lipschitz"] = ("of bounded slope", "of a slope without bound")
        if info.traits["of_residual"]:
            words["symmetric"] = ("symmetric", "not symmetric")
    return [words[trait][not info.traits[trait]] for trait in words]


def _use(advice: Advice) -> str:
    rows = [
        ("The model gives", advice.gives),
        ("Activation", advice.activation),
        ("Link", advice.link),
        ("Targets", advice.targets),
        ("Optimiser", advice.optimiser),
    ]
    table = "".join(f":{name}: {text}\n" for name, text in rows)
    pitfalls = "".join(f"- {pitfall}\n" for pitfall in advice.pitfalls)
    return _section("What goes with it", table + "\n" + pitfalls) if advice else ""


def _section(title: str, text: str) -> str:
    return f"{title}\n{'-' * len(title)}\n\n{text}\n"


#: Where no table of a search names the loss.
_ACCURACY = {
    "regression": "Within 8 units in the last place of the true result, which samples try.",
    "binary": "Within 4 units in the last place of the true result, which samples try.",
    "multiclass": "Within 8 units in the last place of the true result, which samples try.",
    "distribution": "Within 8 units in the last place of the true result, which samples try.",
    "embedding": "Within 4 units in the last place of the true result, or of what cancels in it.",
    "transport": "Computed in float64; exact, or to the tolerance that is asked for.",
}


def _figures(name: str, family: str) -> str:
    text = ""
    for cells in _table_rows("accuracy.md", name):
        named = zip(
            ("value", "gradient", "Hessian") * 2, ("float32",) * 3 + ("float64",) * 3, cells, strict=True
        )
        found = ", ".join(f"{output} in {real} {cell}" for output, real, cell in named if cell)
        text += f"Worst error that a search found, in units in the last place: {found}. :doc:`/accuracy`\n\n"
    text = text or f"{_ACCURACY[family]} :doc:`/numerics`\n\n"
    for data, value, with_gradient in (cells for cells in _table_rows("speed.md", name) if len(cells) == 3):
        more = f", {with_gradient} with the gradient" if with_gradient else ""
        text += f"Of {data}, on one thread: {value} ns an element{more}. :doc:`/speed`\n\n"
    return _section("Accuracy and speed", text) if text else ""


def _page(info: fl.LossInfo, folder: Path) -> str:
    name = info.cls.__name__
    return (
        f"{name}\n{'=' * len(name)}\n\n**For:** {_for(info)}\n\n{_summary(info.cls)}\n\n"
        + _picture(info, folder)
        + _traits(info)
        + _use(advice_for(info.cls()))
        + _figures(name, info.family)
        + f"Parameters, errors, source and an example: :class:`fastloss.{name}`.\n"
    )


def _cards() -> str:
    text = ""
    for family in dict.fromkeys(info.family for info in fl.list_losses()):
        text += f"\n## {FAMILIES[family]}\n\n::::{{grid}} 1 2 3 3\n:gutter: 2\n"
        for info in fl.list_losses():
            if info.family == family:
                text += f"\n:::{{grid-item-card}} {info.cls.__name__}\n:link: {info.name}\n:link-type: doc\n"
                use = _for(info).replace(":math:", "{math}")  # the role, as MyST writes it
                text += f":img-bottom: {info.name}.svg\n\n{use}\n:::\n"
        text += "::::\n"
    names = "\n".join(info.name for info in fl.list_losses())
    words = (
        "What each is for; its page has value, gradient and Hessian, the formula, traits, what goes with it, "
        "accuracy and speed. {doc}`/choosing` asks questions and answers with a loss."
    )
    return f"# Gallery of losses\n\n{words}\n\n```{{toctree}}\n:hidden:\n{names}\n```\n{text}"


def _write(app: Sphinx, _: object) -> None:
    folder = Path(app.srcdir) / "gallery"
    folder.mkdir(exist_ok=True)
    pages = {f"{info.name}.rst": _page(info, folder) for info in fl.list_losses()}
    pages["index.md"] = _cards()
    write_pages(folder, pages)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks which there are."""
    app.connect("config-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
