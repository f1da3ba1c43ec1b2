"""Settings of the documentation site: ``python -m sphinx -W -b html docs build/site``."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

import fastloss

project = "fastloss"
author = "The fastloss developers"
copyright = author
version = release = fastloss.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "mathml",
    "reference",
    "gallery",
]
exclude_patterns = ["_static", "_templates"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["fastloss.css"]

# Pages of the repository are read there too: their links go to files, headings are anchors as on GitHub.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]

autodoc_typehints = "none"  # the docstrings say more than the annotations
autosummary_generate = True
autosummary_imported_members = True
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = False
numpydoc_xref_param_type = False

# `sphinx -b linkcheck` asks other places whether they are there; tests know of the repository's own files.
linkcheck_ignore = [r"https://github\.com/fastloss/"]

html_theme = "pydata_sphinx_theme"
html_title = "fastloss"
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": []}
html_show_sourcelink = False


def _lead_to_the_repository(app, page, source):
    """Links to files beside docs/, which the site does not have, lead to where the sources are shown."""
    files = "https://github.com/fastloss/fastloss/blob/main/"
    source[0] = re.sub(
        r"\]\(\.\./(?!docs)((?:\w+/)*\w+\.(?:py|c|h)|README\.md)\)", rf"]({files}\1)", source[0]
    )
    # The empty line by which doctest knows the end of what is printed.
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def _skip(app, what, name, member, skip, options):
    """Leave out what scikit-learn adds to each estimator for its routing of metadata."""
    return True if name.startswith("set_") and name.endswith("_request") else None


def setup(app):
    """Connect what is above."""
    app.connect("source-read", _lead_to_the_repository)
    app.connect("autodoc-skip-member", _skip)
