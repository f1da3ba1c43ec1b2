"""The documentation site in a browser, on a narrow screen: pages, mathematics, pictures, links and search.

Needs the built site (``python -m sphinx -W -b html docs build/site``) and Chromium.
"""

from __future__ import annotations

import functools
import http.server
import importlib
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

import fastloss as fl

SITE = Path(__file__).parents[2] / "build" / "site"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="the site is not built"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]

# A page that shows another one as wide as a phone, and says how wide it came out and what of it can be seen.
FRAME = """<!doctype html><iframe id=f width=390 height=800 src="{page}"></iframe><script>
f.onload = () => {{
  const page = f.contentDocument;
  const broken = [...page.images].filter(i => !i.complete || i.naturalWidth == 0);
  const drawn = [...page.querySelectorAll("math")].filter(m => m.getBoundingClientRect().height > 4);
  const seen = ["width", page.documentElement.scrollWidth, "formulas", drawn.length,
    "pictures", page.images.length, "broken", broken.map(i => i.src).join(" ")];
  document.body.insertAdjacentHTML("beforeend", "<pre>" + seen.join(" ") + ".</pre>");
}};
</script>"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if not self.path.startswith("/frame/"):
            return super().do_GET()
        text = FRAME.format(page=self.path.removeprefix("/frame")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text)
        return None

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address():
    """Where the site is served."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Handler, directory=SITE)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def browse(url: str, tmp_path: Path) -> str:
    """Return the document that a browser has made of a page, scripts and all."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
         "--virtual-time-budget=15000", "--dump-dom", url],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return done.stdout


PAGES = {
    "index.html": (0, 1),
    "theory.html": (10, 0),
    "gallery/huber.html": (1, 1),
    "gallery/index.html": (0, 20),
    "api/generated/fastloss.BinaryFocal.html": (4, 0),
    "tutorials/train.html": (0, 0),
    "speed.html": (0, 0),
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_on_a_narrow_screen(address, page, tmp_path):
    text = browse(f"{address}/frame/{page}", tmp_path)
    seen = re.search(r"width (\d+) formulas (\d+) pictures (\d+) broken (.*?)\.</pre>", text)
    assert seen, text[-2000:]
    formulas, pictures = PAGES[page]
    assert int(seen[1]) <= 390
    assert int(seen[2]) >= formulas
    assert int(seen[3]) >= pictures
    assert seen[4] == ""


def test_search_finds(address, tmp_path):
    found = browse(f"{address}/search.html?q=Huber", tmp_path)
    assert re.search(r'<a href="[^"]*fastloss\.Huber\.html', found)


def test_every_public_name_has_a_page():
    """Of fastloss and its modules; the twins in plain NumPy have the names of what they check."""
    pages = {path.stem for path in (SITE / "api" / "generated").glob("*.html")}
    modules = [
        importlib.import_module(f"fastloss.{name}")
        for name in ("measures", "metrics", "evaluation", "linear_model", "choosing", "plotting")
    ]
    for path in (Path(fl.__file__).parent / "adapters").glob("[!_]*.py"):
        modules.append(importlib.import_module(f"fastloss.adapters.{path.stem}"))
    named = {f"fastloss.{name}" for name in fl.__all__} - {"fastloss.reference", "fastloss.__version__"}
    for module in modules:
        own = (name for name in module.__all__ if getattr(module, name) is not getattr(fl, name, None))
        named |= {f"{module.__name__}.{name}" for name in own if name[0] != "_"}
    assert sorted(named - pages) == []
    assert "fastloss.reference.twin" in pages


def test_mathematics_is_rendered():
    """No page shows the source of a formula; that of every loss has one."""
    for path in (path for path in SITE.rglob("*.html") if "_static" not in path.parts):
        text = re.sub(
            r"(?s)<(math|pre|code|script|title)\b.*?</\1>|<[^>]*>", "", path.read_text(encoding="utf-8")
        )
        assert not re.search(r":math:|\\[a-z]{2,}|\\\(", text), path.relative_to(SITE)
    for info in fl.list_losses():
        page = (SITE / "api" / "generated" / f"fastloss.{info.cls.__name__}.html").read_text(encoding="utf-8")
        assert "<math" in page, info.name


def test_every_loss_has_its_page_in_the_gallery():
    """With its use, formula or sentence, picture, what goes with it, accuracy and speed."""
    for info in fl.list_losses():
        page = (SITE / "gallery" / f"{info.name}.html").read_text(encoding="utf-8")
        assert "<strong>For:</strong>" in page
        assert (SITE / "_images" / f"{info.name}.svg").exists()
        assert f"{info.name}.svg" in page
        for words in (
            "Gives",
            "Optimiser",
            "Accuracy and speed",
            "in the last place|tolerance",
            "ns an element",
        ):
            assert re.search(words, page), (info.name, words)
        assert "<math" in page or info.name == "zero_one"


def test_links_within_the_site_lead_somewhere():
    anchors = {
        p: set(re.findall(r'\bid="([^"]+)"', p.read_text(encoding="utf-8"))) for p in SITE.rglob("*.html")
    }
    broken = []
    for page in (page for page in anchors if "_static" not in page.parts):
        for link in re.findall(r'\bhref="([^"]+)"', page.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            path = (page.parent / target.partition("?")[0]).resolve() if target else page
            if not path.exists() or (anchor and path in anchors and anchor not in anchors[path]):
                broken.append(f"{page.relative_to(SITE)}: {link}")
    assert not broken
