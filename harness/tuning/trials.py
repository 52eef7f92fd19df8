"""From a trial's values to its runs, and the seeds that only tuning uses.

A study's runs are those of a suite of its own, ``<suite>/tuning/<study>``: they lie below that folder, and no table ever
holds them beside the runs of an evaluation. Their seeds begin where those of suites end (`harness.spec.TUNING_SEEDS`), and
so do the environment seeds that follow from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.planning.expand import expand
from harness.planning.plan import Plan
from harness.planning.resolve import deep_merge
from harness.planning.snapshots import resolve_snapshots
from harness.runs.folder import STUDIES
from harness.runs.walk import find_files
from harness.spec import CONFIRMATION_SEEDS, TUNING_SEEDS, RunSpec
from harness.suites.model import MethodAlgorithmBlock, MethodBlock
from harness.tuning.parameters import Values, nested

STUDY_RECORD_FILE = "study.json"
"""The record of a study, in its folder."""


def trial_seeds(n: int) -> tuple[int, ...]:
    """The run seeds of every trial."""
    return tuple(range(TUNING_SEEDS, TUNING_SEEDS + n))


def confirmation_seeds(n: int) -> tuple[int, ...]:
    """The run seeds of a confirmation."""
    return tuple(range(CONFIRMATION_SEEDS, CONFIRMATION_SEEDS + n))


def study_folder(results: Path, suite: str, study: str) -> Path:
    """Where a study leaves everything."""
    return results / suite / STUDIES / study


def find_study_records(roots: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """The record of every study at or below some directories, and one line for each place that may not be looked into.

    Raises:
        harness.errors.ResultsError: A directory does not exist.
    """
    found: dict[Path, Path] = {}
    problems: dict[str, None] = {}
    for root in roots:
        files, unreadable = find_files(root, {STUDY_RECORD_FILE})
        problems |= dict.fromkeys(line for line in unreadable)
        for file in files:
            if file.parent.parent.name == STUDIES or file.parent.resolve().parent.name == STUDIES:
                found.setdefault(file.parent.resolve(), file)
    return list(found.values()), list(problems)


def method_block(block: MethodBlock, values: Values) -> MethodBlock:
    """A method's block with these values in it."""
    changes = nested(values)
    own = block.algorithm.model_dump(exclude_unset=True)
    algorithm = MethodAlgorithmBlock.model_validate(deep_merge(own, changes.get("algorithm", {})))
    tuned = changes.get("config", {})
    by_task = {
        task: {key: value for key, value in settings.items() if key not in tuned}
        for task, settings in block.config_by_task.items()
    }
    update = {
        "config": deep_merge(block.config, tuned),
        "config_by_task": {task: settings for task, settings in by_task.items() if settings},
        "combine": deep_merge(block.combine, changes.get("combine", {})),
        "algorithm": algorithm,
    }
    return block.model_copy(update=update)


def trial_specs(plan: Plan, method: str, values: Values, *, study: str, seeds: Sequence[int]) -> list[RunSpec]:
    """The runs of one point of the search space: all tasks with the first seed, then all with the second, and so on.

    Args:
        plan: The plan of the suite.
        method: Name of one of its methods.
        values: The values by name of the parameter; empty for the suite's own settings.
        study: Name of the study.
        seeds: Seeds of `trial_seeds` or `confirmation_seeds`.

    Raises:
        SuiteError: The values do not go together, or a snapshot cannot be used.
    """
    suite = plan.suite
    update = {
        "suite": f"{suite.suite}/{STUDIES}/{study}",
        "methods": {method: method_block(suite.methods[method], values)},
        "seeds": tuple(seeds),
    }
    return list(resolve_snapshots(expand(suite.model_copy(update=update), plan.registry)).runs)
