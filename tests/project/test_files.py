"""The files around the code say the same: versions of tools, of Python, of the package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastloss as fl

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[2]
if not (ROOT / "pyproject.toml").exists() or not (ROOT / "CITATION.cff").exists():
    pytest.skip("needs the files of the checkout", allow_module_level=True)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


SETTINGS = tomllib.loads(text("pyproject.toml"))
PROJECT = SETTINGS["project"]


def test_one_version() -> None:
    """Of the package from one file; the citation names it, and the changelog has it or what leads to it."""
    assert SETTINGS["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "fastloss._version.__version__"}
    assert re.findall(r'^__version__ = "(.*)"$', text("fastloss/_version.py"), re.MULTILINE) == [
        fl.__version__
    ]
    assert f"version: {fl.__version__}\n" in text("CITATION.cff")
    assert re.search(rf"^## \[({re.escape(fl.__version__)}|Unreleased)\]", text("CHANGELOG.md"), re.MULTILINE)


def test_versions_of_python() -> None:
    """What is classified is what wheels are built for, from the oldest that is required."""
    classified = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    built = re.findall(r"cp3(\d+)-\*", SETTINGS["tool"]["cibuildwheel"]["build"])
    assert classified == [f"3.{minor}" for minor in built]
    assert PROJECT["requires-python"] == f">={classified[0]}"


def test_classifiers_exist() -> None:
    known = pytest.importorskip("trove_classifiers").classifiers
    assert not set(PROJECT["classifiers"]) - known


def test_tools_before_a_commit_are_those_of_the_checks() -> None:
    config = text(".pre-commit-config.yaml")
    wanted = set(re.findall(r"additional_dependencies: \[(.*?)\]", config))
    assert wanted
    assert wanted <= set(PROJECT["optional-dependencies"]["lint"])


def test_the_readme_of_a_package_index_has_no_relative_link(tmp_path: Path) -> None:
    """There is no file beside it; those in the repository are where its links lead."""
    pytest.importorskip("Cython", reason="needs what builds the package")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    (metadata,) = tmp_path.glob("*/PKG-INFO")
    fields, _, readme = metadata.read_text(encoding="utf-8").partition("\n\n")
    assert "Description-Content-Type: text/markdown" in fields
    links = re.findall(r"\]\(([^)\s]+)\)", readme)
    assert len(links) == len(re.findall(r"\]\(", text("README.md"))) > 20
    for link in links:
        found = re.fullmatch(
            r"https://(?:github|raw\.githubusercontent)\.com/fastloss/fastloss/(?:blob/)?main/(.*)", link
        )
        assert found is None or (ROOT / found[1]).is_file()
        assert found is not None or re.match("https?://", link)
    assert sum(link.startswith("https://raw.") for link in links) == len(re.findall(r"!\[", readme)) > 0
