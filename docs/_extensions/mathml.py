"""Mathematics of the site as MathML, which browsers draw by themselves: no script, no font from elsewhere."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

# What the converter does not know, in words that it knows.
_SPELLINGS = {r"\operatorname{sign}": r"\mathrm{sign}", r"\tfrac12": r"\tfrac{1}{2}", r"\Big": r"\big"}


def _mathml(text: str, display: str) -> str:
    for ours, theirs in _SPELLINGS.items():
        text = text.replace(ours, theirs)
    return str(convert(text, display=display))


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="formula">{_mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
