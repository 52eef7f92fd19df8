"""``licences``: under which licence everything stands that the harness needs, as the installed packages say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Annotated

import typer
from packaging.requirements import Requirement

from harness.cli.display.console import open_console, print_table
from harness.cli.options import AsJson, print_json
from harness.cli.requirements import extras_of
from harness.errors import shorten
from harness.version import DISTRIBUTION

ALWAYS = "always"
"""What needs a package without which nothing works."""

_COLUMNS = ("package", "version", "licence", "needed")
_CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Licence:
    """The licence of one package.

    Attributes:
        package: Name of the distribution.
        version: The installed version.
        licence: Its licence in its own words, shortened.
        needed: ``always``, or the extras that bring it.
    """

    package: str
    version: str
    licence: str
    needed: str


def licences(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page of the documentation.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the licences of everything that is installed for the harness, and whether it is needed always or for an extra."""
    found = list(installed_licences())
    if as_json:
        print_json([asdict(one) for one in found])
    elif markdown:
        typer.echo(licences_page(found), nl=False)
    else:
        rows = [(one.package, one.version, one.licence, one.needed) for one in found]
        print_table(open_console(), "", _COLUMNS, rows, no_wrap_columns=("package",))


def installed_licences() -> Iterator[Licence]:
    """The licences of the installed packages that this distribution or one of its extras needs, in the order of names."""
    own = metadata.distribution(DISTRIBUTION)
    always = _closure(own, "")
    by_extra = {extra: _closure(own, extra) for extra in extras_of(own)}
    for name in sorted({*always, *(one for names in by_extra.values() for one in names)}):
        package = metadata.distribution(name)
        extras = ", ".join(extra for extra, names in by_extra.items() if name in names)
        yield Licence(package.name, package.version, licence_of(package), ALWAYS if name in always else extras)


def licence_of(package: metadata.Distribution) -> str:
    """What a package says of its licence: its SPDX expression, else its classifiers, else its own words."""
    said = package.metadata
    expressions, words = (said.get_all(field) or [""] for field in ("License-Expression", "License"))
    if expressions[0]:
        return expressions[0]
    classifiers = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or () if line.startswith(_CLASSIFIER)]
    named = [one for one in dict.fromkeys(classifiers) if one != "OSI Approved"]
    return ", ".join(named) or shorten(" ".join(words[0].split()), most=60) or "not said"


def licences_page(found: Iterable[Licence]) -> str:
    """The list as a page in Markdown."""
    rows = [f"| {one.package} | {one.licence} | {one.needed} |" for one in found]
    return "\n".join([_PAGE_HEAD, "| package | licence | needed |", "|---|---|---|", *rows, ""])


_PAGE_HEAD = """# Licences

The harness stands under the MIT licence. It ships no code of others; pip installs what it needs, each under its own licence.
Nothing that is always needed stands under the GPL. One optional package does: **ale-py** (the Arcade Learning Environment,
GPL 2), which the extras `atari` and `all` bring; leave these out where the GPL is not acceptable. Some wheels bundle more than
their own code, under licences that they list themselves: EnvPool the engines that it steps, among them the Arcade Learning
Environment and ViZDoom; imageio-ffmpeg a build of FFmpeg.

What each package says of itself, where all extras are installed; `harness licences` tells of yours.
"""


def _closure(package: metadata.Distribution, extra: str) -> set[str]:
    """The installed packages that a package needs with an extra, directly or not, by normalised name."""
    names: set[str] = set()
    waiting = [(package, extra)]
    visited: set[tuple[str, str]] = set()
    while waiting:
        one, with_extra = waiting.pop()
        for requirement in map(Requirement, one.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": with_extra}):
                continue
            if with_extra and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})) and one is package:
                continue  # of an extra only what it brings
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            for wanted in ("", *sorted(requirement.extras)):
                if (name, wanted) not in visited:
                    visited.add((name, wanted))
                    try:
                        waiting.append((metadata.distribution(name), wanted))
                    except metadata.PackageNotFoundError:
                        continue
                    names.add(name)
    return names
