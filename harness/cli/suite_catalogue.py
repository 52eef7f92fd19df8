"""What ``harness list suites`` tells: suites of a folder, of the harness and of plugins, with what they will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import SuiteError, UnknownNameError
from harness.registry import Registry
from harness.runs.speeds import SPEEDS_FILE, Speed, estimate_cost, measured_speeds
from harness.suites.files import SUITES_FOLDER, packaged_suites, suite_files
from harness.suites.yaml import read_yaml


@dataclass(frozen=True)
class SuiteEntry:
    """A suite file.

    Attributes:
        file: Where it is.
        name: What it is called on the command line; empty for one that is given by its path.
        suite: Name of the suite; empty when it cannot be used.
        description: What the suite says of itself.
        tasks: Names of its tasks.
        methods: Names of its methods.
        seeds: Number of its seeds.
        runs: Tasks times methods times seeds; 0 if it has not the profile that was asked for.
        steps: The steps of each run; the longest, where tasks have their own; 0 likewise.
        profiles: Names of its profiles.
        hours: Hours of training all runs one after another, from speeds measured before; ``None`` if some are unknown.
        measured: Where those speeds were measured.
        unmeasured: Methods of which no speed is known.
        problem: Why it cannot be used, one line for each mistake.
    """

    file: str
    name: str = ""
    suite: str = ""
    description: str = ""
    tasks: Sequence[str] = ()
    methods: Sequence[str] = ()
    seeds: int = 0
    runs: int = 0
    steps: int = 0
    profiles: Sequence[str] = ()
    hours: float | None = None
    measured: Sequence[str] = ()
    unmeasured: Sequence[str] = ()
    problem: str = ""


def suites(
    registry: Registry, directory: Path | None = None, *, profile: str | None = None, results: Path = Path("results")
) -> list[SuiteEntry]:
    """Suites with what they will take.

    Args:
        registry: Where names are looked up.
        directory: Where suites are; if not given, the folder ``suites``, the harness and the packages of installed plugins.
        profile: The scale to look at. Of a suite that has no such profile only what does not depend on it is told.
        results: Finished runs, for their speed.

    Raises:
        UnknownNameError: There are suites, and none has the profile.
        ResultsError: A table of measured speeds cannot be used.
    """
    names = {file.resolve(): name for name, file in packaged_suites(registry).items()}
    files = {file: names.pop(file.resolve(), "") for file in suite_files(directory or Path(SUITES_FOLDER))}
    files |= names if directory is None else {}
    speeds = measured_speeds(results, dict.fromkeys(file.parent / SPEEDS_FILE for file in files))
    found = [_suite(registry, file, name, profile, speeds) for file, name in files.items()]
    known = {one for suite in found for one in suite.profiles}
    if profile is not None and profile not in known and any(suite.suite for suite in found):
        raise UnknownNameError("profile", profile, known)
    return found


def _suite(registry: Registry, file: Path, name: str, profile: str | None, speeds: Mapping[str, Speed]) -> SuiteEntry:
    from harness.planning.load import load

    try:
        scaled = profile is None or profile in read_yaml(file).child("profiles").mapping
        plan = load(file, profile=profile if scaled else None, registry=registry)
    except SuiteError as error:
        return SuiteEntry(str(file), name, problem=str(error))
    suite = plan.suite
    entry = SuiteEntry(
        file=str(file),
        name=name,
        suite=suite.suite,
        description=" ".join(suite.description.split()),
        tasks=list(suite.tasks),
        methods=list(suite.methods),
        profiles=list(suite.profiles),
    )
    if not scaled:
        return entry
    estimate = estimate_cost(plan.runs, speeds)
    return replace(
        entry,
        seeds=len(suite.seeds),
        runs=len(plan.runs),
        steps=max(spec.steps for spec in plan.runs),
        hours=estimate.hours,
        measured=list(estimate.origins),
        unmeasured=list(estimate.unknown),
    )
