"""What was asked for: the runs of every plan that was carried out, recorded beside its suite's results.

``results/<suite>/plans/<digest>.json`` holds a plan's runs, and what the suite's file calls its tasks and methods, those that
were not asked for included. It is written when runs are asked for, and replaced when the same are. Without it nobody could
tell a run that never began from one that nobody wanted, nor a method that was dropped from one that was left out once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import HarnessError
from harness.runs.guarded import MIB, Unreadable, is_text, look, read_json, reason_of, signature_of
from harness.runs.output import OutputFolder
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


class SuiteNames(_Part):
    """What a suite's file calls its tasks and methods, those of all profiles together.

    Attributes:
        tasks: Names of the tasks.
        methods: Names of the methods.
    """

    tasks: tuple[str, ...]
    methods: tuple[str, ...]


class _PlanFile(_Part):
    format: Literal[1] = _FORMAT
    asked: str
    names: SuiteNames | None = None
    runs: tuple[AskedRuns, ...]


@dataclass(frozen=True)
class RecordedPlan:
    """A plan that was carried out, whole or in part.

    Attributes:
        folder: Folder of the suite's results.
        name: Name of the file.
        asked: When it was last asked for, ISO 8601 in UTC.
        runs: What it asks for.
        names: What the suite's file called its tasks and methods then; ``None`` where nobody wrote that down.
    """

    folder: Path
    name: str
    asked: str
    runs: Sequence[AskedRuns]
    names: SuiteNames | None = None


def record_plan(
    specs: Iterable[RunSpec], results: Path, names: SuiteNames | None = None, *, only_change: bool = False
) -> None:
    """Record that these runs are asked for now, in the folder of each suite that they are of.

    Args:
        specs: The runs that are asked for.
        results: The results directory of the suites.
        names: What the suite's file calls its tasks and methods, if there is one.
        only_change: Whether nothing is written where the same was asked for last, or where nothing ever was.

    Raises:
        ResultsError: It cannot be written.
    """
    of_suite: dict[str, dict[str, tuple[RunSpec, list[int]]]] = {}
    for spec in specs:
        settings = spec.model_dump_json(exclude={"seed"})
        of_suite.setdefault(spec.suite, {}).setdefault(settings, (spec, []))[1].append(spec.seed)
    for suite, groups in of_suite.items():
        runs = [{"spec": spec.model_dump(mode="json"), "seeds": seeds} for spec, seeds in groups.values()]
        name = f"{hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()[:8]}.json"
        folder = Path(results) / suite
        if only_change and not _is_change(folder, name, names):
            continue
        told = {"names": names.model_dump(mode="json")} if names is not None else {}
        content = {"format": _FORMAT, "asked": now(), **told, "runs": runs}
        OutputFolder(folder).write(f"{PLANS}/{name}", json.dumps(content, indent=2, allow_nan=False) + "\n")


def now() -> str:
    """The present in UTC, ISO 8601 to the microsecond: plans of one second have an order too.

    Texts to the second, as older records have them, come before those of the same second, for ``+`` comes before ``.``.
    """
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _is_change(suite: Path, name: str, names: SuiteNames | None) -> bool:
    """Whether the newest plan of a suite's results is another than this one."""
    plans, _ = PlanReader().read([suite])
    return bool(plans) and (plans[-1].name, plans[-1].names) != (name, names)


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
            known = self._known[file] = signature, _content(file, suite)
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


def _content(file: Path, suite: Path) -> RecordedPlan:
    content: Any = read_json(file, _MAX_BYTES)
    try:
        plan = _PlanFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "content"
        raise Unreadable(file, f"not a record of a plan of format {_FORMAT} ({where}: {first['msg']})") from None
    return RecordedPlan(suite, file.name, plan.asked, plan.runs, plan.names)


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


def try_to_record(
    specs: Iterable[RunSpec], results: Path, names: SuiteNames | None = None, *, only_change: bool = False
) -> None:
    """Record a plan where that is possible; where it is not, nothing can be trained either, and whoever tries will say so."""
    with suppress(HarnessError):
        record_plan(specs, results, names, only_change=only_change)
