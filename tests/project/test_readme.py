"""What the documents say is so: their examples run, a table lists every loss, README's commands are two."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import pytest

import fastloss as fl

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCUMENTS = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")),
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "gallery"),  # which is generated
]
TEXT = README.read_text(encoding="utf-8")
LISTED = (ROOT / "docs" / "losses.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if re.search("^>>> ", d.read_text(encoding="utf-8"), flags=re.MULTILINE)],
    ids=lambda path: path.name,
)
def test_examples_run(document, monkeypatch, tmp_path):
    monkeypatch.setenv("FASTLOSS_CACHE", str(tmp_path))  # no kernels of formulas among the user's
    text = document.read_text(encoding="utf-8")
    if ">>> import torch" in text:  # which the extra `test` leaves out: its wheels are some gigabytes
        pytest.importorskip("torch")
    result = doctest.testfile(str(document), module_relative=False, encoding="utf-8")
    assert result.attempted == len(re.findall(r"^>>> ", text, flags=re.MULTILINE))
    assert result.failed == 0


def test_table_lists_every_class_once():
    listed = re.findall(r"^\| `(\w+)", LISTED, flags=re.MULTILINE)
    losses = [info.cls.__name__ for info in fl.list_losses()]
    assert sorted(listed) == sorted([*losses, *fl.penalty.__all__])


@pytest.mark.parametrize("info", fl.list_losses(), ids=lambda info: info.name)
def test_table_gives_names_and_defaults(info):
    row = re.search(rf"^\| `{info.cls.__name__}(?:\((.*?)\))?` \| ?(.*?) ?\|", LISTED, flags=re.MULTILINE)
    assert row is not None
    defaults = eval(f"dict({row[1] or ''})")
    assert defaults == {name: p.default for name, p in inspect.signature(info.cls).parameters.items()}
    aliases = set(info.aliases) - {info.name}
    assert set(filter(None, row[2].split(", "))) == aliases


def test_two_set_up_commands():
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert all(block.count("\n") == 1 for block in blocks)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / link).is_file(), link


SOURCES = [p for folder in ("fastloss", "examples") for p in sorted((ROOT / folder).rglob("*.py"))]


def test_links_to_other_places_are_whole():
    """Of documents and docstrings: https, a host, a path."""
    link = re.compile(r"https://(?:[\w-]+\.)+[a-z]{2,}(?:/[\w./~%#?&=+-]*)?")
    for path in [*DOCUMENTS, *SOURCES]:
        for found in re.findall(r"\bhttps?:[^\s<>)\]\"'`]*", path.read_text(encoding="utf-8")):
            assert link.fullmatch(found.rstrip(".,;")), (path, found)


def test_nothing_is_installed_from_where_it_is_not_yet():
    """Before the first release the index has no fastloss. (With it installed an extra's name is enough.)"""
    released = re.search(r"^## \[\d", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for path in [] if released else [*DOCUMENTS, *sorted((ROOT / "examples").glob("*.py"))]:
        assert not re.search(r"pip install \S*fastloss", path.read_text(encoding="utf-8")), path


def _lines(text):
    """Lines without indentation and empty lines, which excerpts have otherwise."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def test_excerpts_are_from_the_sources():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    excerpts = re.findall(r"In\s+`([^`]+)`:\n\n```\w+\n(.*?)```", text, flags=re.DOTALL)
    assert len(excerpts) == 8
    for path, excerpt in excerpts:
        assert _lines(excerpt) in _lines((ROOT / path).read_text(encoding="utf-8")), path
