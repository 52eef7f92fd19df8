"""What was asked for: the runs of every plan that was carried out, recorded beside its suite's results.

``results/<suite>/plans/<digest>.json`` holds a plan's runs, and is written when some of them are about to be trained. Asking
for the same runs again replaces the file. Without it nobody could tell a run that never began from one that nobody wanted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.runs.files import write_json_atomic
from harness.runs.folder import now
from harness.runs.guarded import MIB, Unreadable, is_text, look, read_json, reason_of, signature_of
from harness.spec import MAX_COUNT, RunSpec

PLANS = "plans"
"""The folder of a suite's plans, below its results."""

_FORMAT = 1
_MAX_BYTES = 256 * MIB

_Seed = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class AskedRuns(_Part):
    """Runs that differ in their seed alone.

    Attributes:
        spec: Specification of the run with the first seed.
        seeds: The seeds of all of them.
    """

    spec: RunSpec
    seeds: tuple[_Seed, ...]

    @cached_property
    def digest(self) -> str:
        """The digest in the names of their folders."""
        return self.spec.digest

    @cached_property
    def method_digest(self) -> str:
        """The digest of their method."""
        return self.spec.method_digest


class _PlanFile(_Part):
    format: Literal[1] = _FORMAT
    asked: str
    runs: tuple[AskedRuns, ...]


@dataclass(frozen=True)
class RecordedPlan:
    """A plan that was carried out, whole or in part.

    Attributes:
        folder: Folder of the suite's results.
        asked: When it was last asked for, ISO 8601 in UTC.
        runs: What it asks for.
    """

    folder: Path
    asked: str
    runs: Sequence[AskedRuns]


def record_plan(specs: Iterable[RunSpec], results: Path) -> None:
    """Record that these runs are asked for now, in the folder of each suite that they are of.

    Raises:
        OSError: It cannot be written.
    """
    of_suite: dict[str, dict[str, tuple[RunSpec, list[int]]]] = {}
    for spec in specs:
        settings = spec.model_dump_json(exclude={"seed"})
        of_suite.setdefault(spec.suite, {}).setdefault(settings, (spec, []))[1].append(spec.seed)
    for suite, groups in of_suite.items():
        runs = [{"spec": spec.model_dump(mode="json"), "seeds": seeds} for spec, seeds in groups.values()]
        name = hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()[:8]
        folder = Path(results) / suite / PLANS
        folder.mkdir(parents=True, exist_ok=True)
        write_json_atomic(folder / f"{name}.json", {"format": _FORMAT, "asked": now(), "runs": runs})


class PlanReader:
    """Reads recorded plans, and of those that it has read before only what has changed since."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], RecordedPlan]] = {}

    def read(self, suites: Iterable[Path]) -> tuple[list[RecordedPlan], list[str]]:
        """The plans of some suites, the oldest first, and one line for each that cannot be read.

        Args:
            suites: Folders of suites' results.
        """
        plans: list[RecordedPlan] = []
        problems: list[str] = []
        for suite in suites:
            for file in _files(suite / PLANS, problems):
                try:
                    plans += self._read(file, suite)
                except Unreadable as error:
                    problems.append(str(error))
        return sorted(plans, key=lambda plan: plan.asked), problems

    def _read(self, file: Path, suite: Path) -> list[RecordedPlan]:
        found = look(file)
        if found is None:  # it went away since it was seen
            return []
        signature = signature_of(found)
        known = self._known.get(file)
        if known is None or known[0] != signature:
            known = self._known[file] = signature, RecordedPlan(suite, *_content(file))
        return [known[1]]


def _files(folder: Path, problems: list[str]) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  names alone are looked at
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        problems.append(str(Unreadable(folder, f"may not be looked into ({reason_of(error)})")))
        return []
    return [folder / name for name in names if is_text(name) and name.endswith(".json") and not name.startswith(".")]


def _content(file: Path) -> tuple[str, Sequence[AskedRuns]]:
    content: Any = read_json(file, _MAX_BYTES)
    try:
        plan = _PlanFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "content"
        raise Unreadable(file, f"not a record of a plan of format {_FORMAT} ({where}: {first['msg']})") from None
    return plan.asked, plan.runs


Cell = tuple[str, str, str, bool]
"""A suite, a task, the name of a method, and whether its runs are for others to begin from."""


def cell(spec: RunSpec) -> Cell:
    """What runs have in common that differ in their settings and seeds alone."""
    return spec.suite, spec.task, spec.method, spec.pretraining


def newest_wishes(plans: Sequence[RecordedPlan]) -> Mapping[Cell, str]:
    """The digest of the runs of each cell that the newest plan with such runs asks for.

    Args:
        plans: The plans, the oldest first.
    """
    return {cell(asked.spec): asked.digest for plan in plans for asked in plan.runs}


def try_to_record(specs: Iterable[RunSpec], results: Path) -> None:
    """Record a plan where that is possible; where it is not, nothing can be trained either, and whoever tries will say so."""
    with suppress(OSError):
        record_plan(specs, results)
