"""Pages of the API reference, from the lists of public names: what is in an ``__all__`` is on a page."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pages import write_pages
from sphinx.application import Sphinx

import fastloss as fl
from fastloss import choosing, linear_model

ADAPTERS = [
    importlib.import_module(f"fastloss.adapters.{found.name}")
    for found in pkgutil.iter_modules(fl.adapters.__path__)
    if not found.name.startswith("_")
]

#: Titles of the families of losses, in the order of the page.
FAMILIES = {
    "regression": "Regression",
    "binary": "Two classes",
    "multiclass": "Many classes",
    "distribution": "Distributions",
    "embedding": "Embeddings",
    "transport": "Transport",
}


def _listing(title: str, text: str, names: Iterable[str]) -> str:
    listed = "".join(f"   {name}\n" for name in names)
    return f"{title}\n{'-' * len(title)}\n\n{text}\n\n.. autosummary::\n   :toctree: generated\n\n{listed}\n"


def _page(title: str, text: str, *listings: str) -> str:
    return f"{'=' * len(title)}\n{title}\n{'=' * len(title)}\n\n{text}\n\n" + "".join(listings)


def _losses() -> str:
    listings = []
    for family, title in FAMILIES.items():
        classes = [info.cls.__name__ for info in fl.list_losses() if info.family == family]
        listings.append(_listing(title, "", (f"fastloss.{name}" for name in classes)))
    bases = ("Loss", "PointwiseLoss", "RowLoss", "EmbeddingLoss", "TransportLoss")
    text = "What all losses of a kind can do: their verbs, and the arguments of these."
    listings.append(_listing("Verbs", text, (f"fastloss.{name}" for name in bases)))
    return _page("Losses", "Every loss is a class; its parameters are those of the class.", *listings)


def _other(shown: str) -> str:
    names = [
        n for n in fl.__all__ if f"fastloss.{n}\n" not in shown and n not in ("__version__", "reference")
    ]
    penalties = [name for name in names if name in fl.penalty.__all__ or name == "Penalty"]
    rest = sorted(set(names) - set(penalties), key=str.lower)
    return _page(
        "Names, models, settings",
        "What ``fastloss`` has besides its losses.",
        _listing("Penalties", "", (f"fastloss.{name}" for name in penalties)),
        _listing("Objects and functions", "", (f"fastloss.{name}" for name in rest)),
    )


def _module(module: Any) -> str:
    text = (module.__doc__ or "").partition("\n")[0]
    own = (name for name in module.__all__ if getattr(module, name) is not getattr(fl, name, None))
    names = [name for name in own if name[0] != "_"]
    return _listing(module.__name__, text, (f"{module.__name__}.{name}" for name in names))


def _reference() -> str:
    text = (
        "Every loss and penalty under its own name, in plain NumPy: the formula that a reader would check "
        "first. They have the verbs of :class:`fastloss.Loss` and take the same parameters."
    )
    return _page("In plain NumPy", text, _listing("fastloss.reference", "", ["fastloss.reference.twin"]))


def _modules() -> dict[str, str]:
    """Give the pages of modules; what ``fastloss`` has too is on the page of that."""
    modules = {
        "metrics": ("Metrics", "Functions with scikit-learn's names.", [fl.metrics]),
        "evaluation": ("Evaluation", "What ``fl.evaluate`` takes and gives.", [fl.measures, fl.evaluation]),
        "linear_model": ("Linear models", "Estimators of any loss and penalty.", [linear_model]),
        "choosing": ("Choosing", "What ``fl.choose`` gives.", [choosing]),
        "adapters": ("Adapters", "For other libraries.", ADAPTERS),
        "plotting": ("Pictures", "", [fl.plotting]),
    }
    return {
        name: _page(title, text, *map(_module, members)) for name, (title, text, members) in modules.items()
    } | {"reference": _reference()}


def _write(app: Sphinx, _: object) -> None:
    losses = _losses()
    pages = {"losses": losses, "names": _other(losses), **_modules()}
    toctree = ".. toctree::\n   :maxdepth: 2\n\n" + "".join(f"   {name}\n" for name in pages)
    pages["index"] = _page(
        "API reference", "Every public name, with its formula, parameters and errors.", toctree
    )
    write_pages(Path(app.srcdir) / "api", {f"{name}.rst": text for name, text in pages.items()})


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks which there are."""
    app.connect("config-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
