"""Reports that are as they would be if they were made again, told without making them.

A report depends on what was asked for, on the files below the results, on published numbers, on which unfinished runs are
alive, and on the code that makes it. When one has been written, all of this is noted beside the results; the next time that
the same is asked for and nothing of it has changed, the report that is there is the answer, if its own files are whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import util
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import HarnessError
from harness.registry import Registry, installed
from harness.report.manifest import MANIFEST_FILE
from harness.runs.folder import FOLDERS_ABOVE_RUN, RECORD_FILE, RunFolder
from harness.runs.guarded import MIB, Unreadable, is_folder, look, read_bytes, read_json
from harness.runs.output import OutputFolder
from harness.runs.plans import PLANS
from harness.runs.reading import RunReader, describe_unfinished
from harness.runs.remembered import MEMORY_FILE, MEMORY_FOLDER, remembering
from harness.runs.tree import Survey, digest_of, survey_files
from harness.version import installed_version

STAMPS_FILE = "reports.json"

_FORMAT = 1
_MOST = 20
_MAX_BYTES = 16 * MIB
_MAX_UNFINISHED = 2_000

_LIBRARIES = ("numpy", "polars", "scipy", "matplotlib", "rliable", "jinja2", "markupsafe", "pydantic")
_CODE = (".py", ".j2", ".css", ".js", ".csv", ".json", ".yaml")


class _Stamp(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    seen_ns: Annotated[int, Field(ge=0)]
    tree: str
    made_with: str
    unfinished: dict[str, str]
    files: dict[str, str]
    main: str
    unreadable: list[str]


@dataclass(frozen=True)
class CurrentReport:
    """A report that need not be made again.

    Attributes:
        main: Name of the file to open first.
        unreadable: One line for each thing that could not be read when it was made.
    """

    main: str
    unreadable: Sequence[str]


def write_unless_current(
    write: Callable[[], tuple[Path, Sequence[str]]], results: Path, places: Sequence[Path], out: Path, asked: str
) -> tuple[Path, Sequence[str], bool]:
    """Write a report, unless the one that is there is as it would be.

    Args:
        write: Writes it; gives the file to open first, and one line for each thing that could not be read.
        results: The folder in which what was read is kept for the next time.
        places: Where everything lies that is read, apart from the code.
        out: Folder of the report.
        asked: What was asked for, as text.

    Returns:
        What ``write`` gives or gave, and whether it was left as it is.
    """
    if not _is_results(results):
        return *write(), False
    memory = results / MEMORY_FOLDER
    stamps = Stamps(memory, places, out, asked, installed())
    current = stamps.find_current()
    if current is not None:
        return out / current.main, current.unreadable, True
    with remembering(memory) as read:
        file, unreadable = write()
    stamps.keep(file.name, unreadable, read.unfinished)
    return file, unreadable, False


def _is_results(folder: Path) -> bool:
    """Whether it is a folder that may hold more than a run's own files."""
    try:
        return is_folder(folder) and look(folder / RECORD_FILE) is None
    except Unreadable:
        return False


class Stamps:
    """What is known of the reports on some results.

    Args:
        folder: The folder of what may be lost.
        roots: Where the results and everything else lie that is read, apart from the code.
        out: Folder of the report.
        asked: What was asked for, as text.
        registry: What is installed.
    """

    def __init__(self, folder: Path, roots: Sequence[Path], out: Path, asked: str, registry: Registry) -> None:
        self._folder, self._out, self._registry = Path(folder), Path(out), registry
        self._roots = [*roots, *(place for root in roots for place in _plans_above(root))]
        self._key = hashlib.sha256(f"{os.path.realpath(out)}\0{asked}".encode()).hexdigest()[:16]
        self._seen_ns = time.time_ns()
        self._survey: Survey | None = None

    def find_current(self) -> CurrentReport | None:
        """The report that is there, if it is as it would be if it were made now; otherwise notes how everything is."""
        stamp = self._read().get(self._key)
        self._survey = survey_files(self._roots, stamp.seen_ns if stamp else self._seen_ns)
        if stamp is None or not self._holds(stamp):
            if stamp is not None:  # what was fresh then need not be now
                self._survey = survey_files(self._roots, self._seen_ns)
            return None
        return CurrentReport(stamp.main, stamp.unreadable)

    def _holds(self, stamp: _Stamp) -> bool:
        own = self._own_files(stamp.files)
        return (
            stamp.made_with == self._made_with()
            and self._survey is not None
            and digest_of(self._survey, own) == stamp.tree
            and all(_sha256(self._out / name) == sha256 for name, sha256 in stamp.files.items())
            and _unfinished(stamp.unfinished) == stamp.unfinished
        )

    def keep(self, main: str, unreadable: Sequence[str], unfinished: Mapping[str, str]) -> None:
        """Note that the report shows everything as it was when it was looked for.

        Args:
            main: Name of the file to open first.
            unreadable: One line for each thing that could not be read.
            unfinished: The states of runs of which only a living process tells whether they go on, by folder.
        """
        content = _read_files(self._out)
        if self._survey is None or content is None or len(unfinished) > _MAX_UNFINISHED:
            return
        tree = digest_of(self._survey, self._own_files(content))
        if tree is None:
            return
        stamp = _Stamp(
            seen_ns=self._seen_ns,
            tree=tree,
            made_with=self._made_with(),
            unfinished=dict(unfinished),
            files=content,
            main=main,
            unreadable=list(unreadable),
        )
        others = [(key, one) for key, one in self._read().items() if key != self._key]
        known = {key: one.model_dump(mode="json") for key, one in [*others, (self._key, stamp)][-_MOST:]}
        body = json.dumps(known, sort_keys=False)
        head = {"format": _FORMAT, "sha256": hashlib.sha256(body.encode()).hexdigest(), "reports": known}
        with suppress(HarnessError):  # it may be lost
            OutputFolder(self._folder.parent).write(f"{self._folder.name}/{STAMPS_FILE}", json.dumps(head) + "\n")

    def _read(self) -> dict[str, _Stamp]:
        with suppress(HarnessError, ValidationError, KeyError, TypeError):
            content: Any = read_json(self._folder / STAMPS_FILE, _MAX_BYTES)
            body = json.dumps(content["reports"], sort_keys=False)
            if content["format"] == _FORMAT and content["sha256"] == hashlib.sha256(body.encode()).hexdigest():
                return {key: _Stamp.model_validate(one) for key, one in content["reports"].items()}
        return {}

    def _own_files(self, names: Mapping[str, str]) -> set[str]:
        """The real paths of what a report writes, and of what is kept for the next."""
        report, memory = self._out.resolve(), self._folder.resolve()
        return {str(report / name) for name in names} | {str(memory / name) for name in (STAMPS_FILE, MEMORY_FILE)}

    def _made_with(self) -> str:
        """A digest of what makes reports: the harness, every plugin, libraries, and who may read what."""
        plugins = [(one.name, one.distribution, one.version, one.module) for one in self._registry.plugins]
        modules = sorted({"harness", *(module.partition(".")[0] for *_, module in plugins)})
        versions = [(name, installed_version(name) or "") for name in _LIBRARIES]
        facts = [
            plugins,
            [_code(module) for module in modules],
            versions,
            platform.python_version(),
            getattr(os, "geteuid", int)(),
        ]
        facts += [os.environ.get("SOURCE_DATE_EPOCH"), sorted(map(str, self._registry.broken))]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _plans_above(root: Path) -> list[Path]:
    """The recorded plans of what lies in a part of a suite's results."""
    above = list(root.absolute().parents)[:FOLDERS_ABOVE_RUN]
    return [plans for folder in above if (plans := folder / PLANS).is_dir()]


def _unfinished(before: Mapping[str, str]) -> dict[str, str]:
    """How some runs that were not finished stand now."""
    reader, found = RunReader(), dict[str, str]()
    for folder in before:
        try:
            run = reader.read(RunFolder(Path(folder)))[0]
        except Unreadable:
            return {}
        found[folder] = describe_unfinished(run.state, run.holder)
    return found


def _read_files(out: Path) -> dict[str, str] | None:
    """The digest of each file of a report, by name; ``None`` where it was not written, or not whole."""
    try:
        content: Any = read_json(out / MANIFEST_FILE)
        files = {name: sha256 for name, sha256 in content["files"].items() if _sha256(out / name) == sha256}
    except (Unreadable, KeyError, TypeError, AttributeError):
        return None
    return {**files, MANIFEST_FILE: _sha256(out / MANIFEST_FILE)} if len(files) == len(content["files"]) else None


def _sha256(file: Path) -> str:
    with suppress(Unreadable):
        data = read_bytes(file)
        return "" if data is None else hashlib.sha256(data).hexdigest()
    return ""


@cache
def _code(module: str) -> str:
    """What tells the files of a package apart from those of any other version, without reading them."""
    found = util.find_spec(module)
    places = list(found.submodule_search_locations or ()) if found else []
    files = [Path(found.origin)] if found and found.origin and not places else []
    for place in places:
        files += [file for file in sorted(Path(place).rglob("*")) if file.suffix in _CODE]
    stats = [(str(file), file.stat()) for file in files]
    return hashlib.sha256(repr([(name, one.st_size, one.st_mtime_ns) for name, one in stats]).encode()).hexdigest()
