"""Where suites are: in a folder, in the harness itself, and in the packages that plugins come from.

A packaged suite has a name, which is that of its file without ``.yaml``. Of several with the same name the harness's own
counts, then that of the plugin which comes first in the registry.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse
from urllib.request import url2pathname

from harness.errors import SuiteError, UnknownNameError
from harness.packaged import on_disk, packaged_folder
from harness.registry import Registry, installed
from harness.suites.yaml import nearest_file
from harness.version import installed_from

SUITES_FOLDER = "suites"
"""The name of a folder of suites, in a checkout and in a package."""

SUITE_ENDINGS = (".yaml", ".yml")
"""What the names of suite files end with."""


def suite_files(folder: Path) -> list[Path]:
    """Every ``*.yaml`` in a folder, by name; none if there is no such folder."""
    return sorted(folder.glob("*.yaml"))


def is_suite_name(text: str) -> bool:
    """Whether a text names a packaged suite; if not, it is the path of a file.

    >>> is_suite_name("quick"), is_suite_name("quick.yaml"), is_suite_name("./quick")
    (True, False, False)
    """
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return not (text.endswith(SUITE_ENDINGS) or any(separator in text for separator in separators) or text in {"", ".", ".."})


def packaged_suites(registry: Registry | None = None) -> dict[str, Path]:
    """The suites of the harness and of plugins by name, each group in the order of names.

    Args:
        registry: The plugins whose packages are looked through; what is installed by default.
    """
    plugins = (registry or installed()).plugins
    files = [
        *suite_files(packaged_folder(SUITES_FOLDER)),
        *installed_suite_files(filter(None, (p.distribution for p in plugins))),
    ]
    found: dict[str, Path] = {}
    for file in files:
        found.setdefault(file.stem, file)
    return found


def find_suite(suite: Path | str, registry: Registry | None = None) -> Path:
    """The file of a suite.

    Args:
        suite: A path, or as text the name of a packaged suite: it has no separators of folders and no ``.yaml``.
        registry: The plugins whose packages are looked through; what is installed by default.

    Raises:
        UnknownNameError: No packaged suite has this name.
        SuiteError: There is no such file, but a packaged suite of its name.
    """
    if isinstance(suite, str) and is_suite_name(suite):
        known = packaged_suites(registry)
        if suite not in known:
            hint = "; ".join(file_hints(suite)) or f"a file is given by its path, such as {suite}.yaml"
            raise UnknownNameError("suite", suite, known, f"- {hint}")
        return known[suite]
    file = Path(suite)
    missing = file.suffix in SUITE_ENDINGS and not os.path.lexists(file) and nearest_file(file) is None
    if missing and (close := difflib.get_close_matches(file.stem, packaged_suites(registry), n=1)):
        raise SuiteError(f"no such file: did you mean the packaged suite {close[0]!r}?", file=file)
    return file


def file_hints(name: str) -> list[str]:
    """That a file is given by its path, for each file here that may have been meant by a name."""
    beside = [file for ending in ("", *SUITE_ENDINGS) if (file := Path(f"{name}{ending}")).is_file()]
    return [f"a file is given by its path: .{os.sep}{file}" for file in beside]


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
    folders = {file.parent for file in package.files or () if file.suffix == ".yaml" and file.parent.name == SUITES_FOLDER}
    for folder in sorted(folders):
        yield from suite_files(on_disk(_as_traversable(package.locate_file(folder))))


def _as_traversable(located: Any) -> Traversable:
    """A folder of a package, which is no path but something like it where the package lies in an archive."""
    return located if isinstance(located, Path) else cast(Traversable, located)


def _editable_source(package: Distribution) -> Path | None:
    """The folder that an editable installation points at."""
    try:
        origin = installed_from(package)
        editable, address = origin.get("dir_info", {}).get("editable", False), str(origin.get("url", ""))
        url = urlparse(address)
    except (ValueError, AttributeError):  # it is for others to say that the package is broken
        return None
    return Path(url2pathname(url.path)) if editable and url.scheme == "file" else None
