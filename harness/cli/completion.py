"""What a shell completes behind the options and arguments of commands; nothing is said where it cannot be found out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import typer

from harness.errors import HarnessError


def suites(incomplete: str) -> list[str]:
    """Names of packaged suites, YAML files, and folders to look into."""
    from harness.suites.files import packaged_suites

    return [*_beginning(incomplete, packaged_suites()), *_files(incomplete)]


def checkable(incomplete: str) -> list[str]:
    """Suites, and names of methods, algorithms and environment families."""
    from harness.registry import installed

    registry = installed()
    names = {*registry.methods, *registry.algorithms, *registry.environments}
    return [*dict.fromkeys([*suites(incomplete), *_beginning(incomplete, names)])]


def names(incomplete: str) -> list[str]:
    """Names of everything that is installed."""
    from harness.cli.catalogue import KINDS
    from harness.registry import installed

    return _beginning(incomplete, {name for kind in KINDS for name in getattr(installed(), kind)})


def executors(incomplete: str) -> list[str]:
    """Names of executors."""
    from harness.registry import installed

    return _beginning(incomplete, installed().executors)


def profiles(context: typer.Context, incomplete: str) -> list[str]:
    """Profiles of the suite that stands before on the command line."""
    return _beginning(incomplete, _keys(context, "profiles"))


def methods(context: typer.Context, incomplete: str) -> list[str]:
    """Methods of the suite that stands before on the command line."""
    return _beginning(incomplete, _keys(context, "methods"))


def tasks(context: typer.Context, incomplete: str) -> list[str]:
    """Tasks of the suite that stands before on the command line."""
    return _beginning(incomplete, _keys(context, "tasks"))


def _keys(context: typer.Context, section: str) -> list[str]:
    """The names in a section of the suites that a command was given."""
    from harness.suites.files import find_suite
    from harness.suites.yaml import read_yaml

    given = [context.params.get(parameter) for parameter in ("suite", "what", "source")]
    named = [name for one in given if one for name in ([one] if isinstance(one, str) else one)]
    found: dict[str, None] = {}
    for name in named or context.args:  # where the option itself has no value yet, what stands before it is not taken apart
        with suppress(HarnessError):
            found |= dict.fromkeys(read_yaml(find_suite(str(name))).child(section).mapping)
    return list(found)


def _beginning(incomplete: str, known: Iterable[str]) -> list[str]:
    return sorted(name for name in known if name.startswith(incomplete))


def _files(incomplete: str) -> Iterator[str]:
    folder, _, start = incomplete.rpartition("/")
    place = Path(folder or ("/" if incomplete.startswith("/") else "."))
    with suppress(OSError):
        for entry in sorted(place.iterdir()):
            hidden = entry.name.startswith(".") and not start
            if entry.name.startswith(start) and not hidden and (entry.is_dir() or entry.suffix in {".yaml", ".yml"}):
                yield incomplete[: len(incomplete) - len(start)] + entry.name + ("/" if entry.is_dir() else "")
