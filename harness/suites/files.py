"""Where suites are: in a folder, and in the packages that plugins come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

SUITES_FOLDER = "suites"
"""The name of a folder of suites, in a checkout and in a package."""


def suite_files(folder: Path) -> list[Path]:
    """Every ``*.yaml`` in a folder, by name; none if there is no such folder."""
    return sorted(folder.glob("*.yaml"))


def installed_suite_files(distributions: Iterable[str]) -> list[Path]:
    """The suites of installed packages, as ``harness new-plugin`` lays them out.

    Args:
        distributions: Names of packages, as pip has them. Of one that was installed editable it is the folder ``suites`` of
            its source; of any other each ``*.yaml`` that it installed into a folder of that name.
    """
    return [file for name in dict.fromkeys(distributions) for file in sorted(_suite_files_of(name))]


def _suite_files_of(name: str) -> Iterator[Path]:
    try:
        package = distribution(name)
    except (PackageNotFoundError, ValueError):
        return
    if source := _editable_source(package):
        yield from suite_files(source / SUITES_FOLDER)
    for file in package.files or ():
        if file.suffix == ".yaml" and file.parent.name == SUITES_FOLDER:
            yield Path(str(file.locate()))


def _editable_source(package: Distribution) -> Path | None:
    """The folder that an editable installation points at (PEP 610)."""
    try:
        origin = json.loads(package.read_text("direct_url.json") or "{}")
        editable, address = origin.get("dir_info", {}).get("editable", False), str(origin.get("url", ""))
        url = urlparse(address)
    except (ValueError, AttributeError):  # it is for others to say that the package is broken
        return None
    return Path(url2pathname(url.path)) if editable and url.scheme == "file" else None
