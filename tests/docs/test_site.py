"""The documentation as a site: it can be built strictly, needs no network to be read, and has everything in its navigation."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
"""Elements that load what they name, and the attribute that names it."""


def navigation() -> set[str]:
    return set(re.findall(r"^ +- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))


def test_every_page_is_in_the_navigation() -> None:
    assert navigation() == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if "gallery" not in page.parts}


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    shown = re.findall(r"^::: harness\.(\w+)$", (DOCS / "reference" / "api.md").read_text(), re.MULTILINE)
    assert set(shown) == {*harness.__all__, "errors"}


def test_generated_pages_are_current() -> None:
    sys.path.insert(0, str(DOCS))
    try:
        made = runpy.run_path(str(DOCS / "reference_pages.py"))["pages"]()
    finally:
        sys.path.remove(str(DOCS))
    assert [page.name for page, text in made.items() if text != page.read_text()] == [], "python docs/generate.py"
    assert {page.name for page in (DOCS / "reference").glob("*.md")} == {page.name for page in made} | {"api.md"}


def test_everything_that_is_installed_is_on_a_page() -> None:
    from harness.registry import installed

    text = "\n".join((DOCS / "reference" / f"{name}.md").read_text() for name in ("methods", "environments", "learners"))
    own = installed()
    for kind in ("methods", "environments", "algorithms", "networks", "executors", "trackers"):
        for name, provided in getattr(own, kind).items():
            assert provided.plugin.distribution != "exploration-harness" or f"`{name}`" in text, f"{kind}: {name}"


class Loads(HTMLParser):
    """What a page loads when it is opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in LOADS and attributes.get("rel") not in {"canonical", "prev", "next", "edit"}:
            self.found.append(attributes.get(LOADS[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    return place


def files(site: Path, kind: str) -> Iterator[Path]:
    return site.rglob(f"*.{kind}")


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    elsewhere = re.compile(r"(https?:)?//")
    loaded = {page: [one for one in Loads(page.read_text()).found if elsewhere.match(one)] for page in files(site, "html")}
    assert len(loaded) > 60
    assert {page.name: found for page, found in loaded.items() if found} == {}
    for sheet in files(site, "css"):
        assert not re.search(r"(url\(|@import\s+)[\"']?(https?:)?//", sheet.read_text()), sheet.name


@pytest.mark.slow
def test_what_pages_link_to_inside_of_the_site_is_there(site: Path) -> None:
    missing = []
    for page in files(site, "html"):
        if page.name == "404.html" or "gallery" in page.parts:  # reports in the gallery come without their tables
            continue
        for link in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text()):
            if not re.match(r"\w+:|//", link) and not (page.parent / link).exists():
                missing.append(f"{page.relative_to(site)}: {link}")
    assert missing == []


@pytest.mark.slow
def test_public_names_are_described(site: Path) -> None:
    text = (site / "reference" / "api.html").read_text()
    assert [name for name in harness.__all__ if f'id="harness.{name}"' not in text] == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium here")
def test_search_works_on_pages_that_are_opened_from_a_disk(site: Path) -> None:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=30000", "--dump-dom"]
    done = subprocess.run([*command, f"{site.as_uri()}/index.html?q=novelty"], capture_output=True, text=True, check=False)
    assert re.search(r"[1-9]\d* matching documents", done.stdout)
