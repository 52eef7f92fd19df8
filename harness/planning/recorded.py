"""The suite behind some results, kept beside them as it was resolved: its profile and every option are part of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from harness.errors import HarnessError, SuiteError
from harness.planning.load import load_data
from harness.planning.plan import Plan
from harness.runs.output import OutputFolder
from harness.runs.plans import SuiteNames
from harness.runs.recorded import SUITES
from harness.spec import RunSpec
from harness.suites.locations import Node
from harness.suites.written import yaml_text

_COMMENT = (
    "The suite as it was resolved, with the profile and the options that were given; 'harness run FILE' repeats its runs."
)


def resolved_suite(plan: Plan) -> str | None:
    """A suite file that stands for the runs of a plan by itself; ``None`` for a plan that was not written as one.

    Tasks and methods that nobody asked for are left out, unless what is left would have other runs for that.
    """
    written: Any = plan.tree.to_data()
    if not isinstance(written, dict):
        return None
    whole = {key: value for key, value in cast(dict[str, Any], written).items() if key != "profiles"}
    for data in (asked_for(whole, plan), whole):
        text = yaml_text(data, [_COMMENT])
        with suppress(SuiteError):
            runs = load_data(text, plan.registry).runs
            if runs == plan.runs or (data is whole and _paths(plan.runs) <= _paths(runs)):
                return text
    return None


def _paths(runs: Sequence[RunSpec]) -> set[str]:
    """The places of runs below a results directory, which carry the digests of their settings."""
    return {run.path for run in runs}


def asked_for(data: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """The suite without the tasks and methods that were not asked for, and without what is said of these alone."""
    kept = dict(data)
    for section, names in (("tasks", plan.suite.tasks), ("methods", plan.suite.methods)):
        if isinstance(kept.get(section), dict):
            kept[section] = {name: block for name, block in kept[section].items() if name in names}
    tune = cast(dict[str, Any], kept.get("tune") or {})
    if isinstance(tune.get("space"), dict):
        space = {name: block for name, block in tune["space"].items() if name in plan.suite.methods}
        kept["tune"] = {**tune, "space": space}
    return kept


def record_suite(plan: Plan, results: Path) -> None:
    """Keep the resolved suite of a plan beside its results, where that is possible."""
    with suppress(HarnessError):
        text = resolved_suite(plan)
        if text is not None:
            name = hashlib.sha256(text.encode()).hexdigest()[:8]
            OutputFolder(Path(results) / plan.suite.suite).write(f"{SUITES}/{name}.yaml", text)


def suite_names(plan: Plan) -> SuiteNames | None:
    """What the suite's file calls its tasks and methods, whatever of them was asked for; ``None`` for a suite without a file.

    What a profile drops is a part of the suite all the same.
    """
    if plan.file is None:
        return None
    parts = [plan.tree, *plan.tree.child("profiles").mapping.values()]
    return SuiteNames(tasks=_keys(parts, "tasks"), methods=_keys(parts, "methods"))


def _keys(parts: Sequence[Node], section: str) -> tuple[str, ...]:
    return tuple(sorted({name for part in parts for name in part.child(section).mapping}))
