"""Hooks of MkDocs: files of the repository that pages link to become pages, and nothing is loaded from elsewhere.

A link out of ``docs/`` works in a checkout; in the built site it leads to a page that is made here. Markdown is shown as it
is, a folder as its README with the text of each of its files below, other text as one block of code. What pages themselves
link to is followed, so that the whole can be read without a checkout and without a network.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
FOLDER = "repository"
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[)#])")
LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".sh": "bash", ".csv": "text"}
SHOWN_BYTES = 200_000

_places: dict[str, str] = {}
"""Where files of the repository are in the site, both as paths with slashes."""

_sources: dict[str, str] = {}
"""The file of the repository that a page's links start from, by the page's place in the site."""


@event_priority(-100)
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a script of our own in the place of the one that the theme's offline mode would load from a server."""
    config.extra["polyfills"] = ["assets/offline_search.js"]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for whatever is linked and lies outside of the documentation."""
    _places.clear()
    _sources.clear()
    found = [file for file in files if file.is_documentation_page()]
    _places.update({f"docs/{file.src_uri}": file.src_uri for file in files})
    _sources.update({file.src_uri: f"docs/{file.src_uri}" for file in found})
    waiting = [(f"docs/{file.src_uri}", file.content_string) for file in found]
    while waiting:
        source, text = waiting.pop()
        for path in linked(source, text):
            if path in _places:
                continue
            page, content = page_of(path)
            _places[path] = page
            if content is None:
                files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
            else:
                _sources[page] = content_source(path)
                _places.setdefault(_sources[page], page)
                files.append(File.generated(config, page, content=content))
                waiting.append((_sources[page], content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at where files are in the site."""
    source = _sources[page.file.src_uri]
    here = posixpath.dirname(page.file.src_uri)

    def target(match: re.Match[str]) -> str:
        place = _places.get(resolved(source, match[1]))
        return posixpath.relpath(place, here or ".") if place else match[1]

    return LINK.sub(target, markdown)


def linked(source: str, text: str) -> Iterator[str]:
    """What a page of the repository links to inside of it."""
    for match in LINK.finditer(text):
        path = resolved(source, match[1])
        if "://" not in match[1] and not path.startswith("..") and (ROOT / path).exists():
            yield path


def resolved(source: str, link: str) -> str:
    """A link's path in the repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def content_source(path: str) -> str:
    """The file from which links of a page of this path start: a folder's README, whether there is one or not."""
    return f"{path}/README.md" if (ROOT / path).is_dir() else path


def page_of(path: str) -> tuple[str, str | None]:
    """The page's place and text for a file or folder; no text for what is not read but looked at."""
    place = ROOT / path
    if place.is_dir():
        return f"{FOLDER}/{path}/README.md", folder_text(path)
    if place.name == "README.md" and place.parent.parent == ROOT / "examples":
        return f"{FOLDER}/{path}", folder_text(posixpath.dirname(path))
    if place.suffix == ".md":
        return f"{FOLDER}/{path}", place.read_text()
    if place.suffix in LANGUAGES and place.stat().st_size < SHOWN_BYTES:
        return f"{FOLDER}/{path}.md", f"# {path}\n\n{block(path)}"
    return f"{FOLDER}/{path}", None


def folder_text(folder: str) -> str:
    """A folder's README, and the files that are kept in it."""
    readme = ROOT / folder / "README.md"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    inside = listed or [file.relative_to(ROOT).as_posix() for file in sorted((ROOT / folder).rglob("*")) if file.is_file()]
    shown = [path for path in inside if Path(path).suffix in LANGUAGES and (ROOT / path).stat().st_size]
    head = readme.read_text() if readme.exists() else f"# {folder}\n"
    return "\n".join([head, "## Its files", *(f"\n### {posixpath.relpath(path, folder)}\n\n{block(path)}" for path in shown)])


def block(path: str) -> str:
    """A file's text as a block of code."""
    return f"``````{LANGUAGES[Path(path).suffix]}\n{(ROOT / path).read_text().rstrip()}\n``````\n"
