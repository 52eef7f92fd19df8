"""Run folders as tables: what `harness.runs.collection` found, for the analysis and the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from harness.config import EnvironmentConfig
from harness.errors import ResultsError
from harness.registry import Registry, installed
from harness.runs.collection import Collection, collect_below, refuse_if_empty, without_garbage_collection
from harness.runs.folder import RunFolder, RunRecord
from harness.runs.guarded import Unreadable, look
from harness.runs.merging import merge, source_label
from harness.runs.reading import CollectedRun
from harness.spec import EnvironmentSpec

RUN_KEY = ("suite", "task", "label", "seed")
"""Columns that identify one entry of the score matrix; of several run folders with the same key, one counts."""

_RUN_SCHEMA = {
    "suite": pl.String,
    "task": pl.String,
    "method": pl.String,
    "seed": pl.Int64,
    "digest": pl.String,
    "method_digest": pl.String,
    "state": pl.String,
    "step": pl.Int64,
    "steps": pl.Int64,
    "score": pl.Float64,
    "score_step": pl.Int64,
    "episodes": pl.Int64,
    "attempts": pl.Int64,
    "seconds": pl.Float64,
    "steps_per_second": pl.Float64,
    "started": pl.String,
    "updated": pl.String,
    "error": pl.String,
    "folder": pl.String,
}
_EVALUATION_SCHEMA = {"folder": pl.String, "step": pl.Int64, "episodes": pl.Int64, "return": pl.Float64}
_TASK_SCHEMA = {
    "suite": pl.String,
    "task": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "source": pl.String,
    "frames_per_step": pl.Int64,
    "constants": pl.Int64,
}


RunRecords = Mapping[str, RunRecord]
"""The full record of each run, by the path of its folder as `Results` names it."""


@dataclass(frozen=True)
class Results:
    """What was found in run folders. Tables are sorted, so that the order of reading leaves no trace.

    Attributes:
        runs: One row per run folder, pre-training aside, and one in state ``missing`` for each run that some plan asked for
            and that never began. ``label`` is the method's name, and what differs where several configurations share it.
            ``score`` is null unless the run finished; ``normalised`` also where the task has no constants. ``superseded``
            marks all but one of the folders with the same `RUN_KEY`.
        pretraining: One row per run that is only there for others to begin from; it has no score.
        abandoned: One row per dead run of abandoned settings, which is in no other table; see `harness.runs.planned`.
        evaluations: One row per run and evaluation: ``folder``, ``step``, ``episodes``, mean ``return``, and the mean of
            whatever else the task measures.
        tasks: One row per task: its constants ``low``, ``high`` and their ``source`` (null where there are none),
            ``frames_per_step`` (null where it has no frames), and how many different ``constants`` its runs carry.
        records: The full record of each run, by folder.
        skipped: One line for each thing that was passed over.
        unreadable: Those of ``skipped`` that could not be read.
        fingerprint: What the tables depend on, as a digest.
        planned_suites: The suites of which some plan is recorded; of others nobody knows which runs never began.
        streams: The labels that methods would have without a folder's name or a name of the reader's: random streams depend on
            them, so that a method's numbers do not change with what it is called.
        sources: The name of the group of folders that each method is from, by label, in the order of groups; empty where they
            have no names.
    """

    runs: pl.DataFrame
    pretraining: pl.DataFrame
    evaluations: pl.DataFrame
    tasks: pl.DataFrame
    records: RunRecords
    skipped: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    fingerprint: str = ""
    abandoned: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_RUN_SCHEMA))
    planned_suites: frozenset[str] = frozenset()
    streams: Mapping[str, str] = field(default_factory=dict[str, str])
    sources: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def suites(self) -> list[str]:
        """Names of the suites found, sorted."""
        return self.runs["suite"].unique().sort().to_list()

    def source_rank(self, label: str) -> int:
        """The place of the group of folders that a method is from, 0 for all where they have no names."""
        order = list(dict.fromkeys(self.sources.values()))
        return order.index(self.sources[label]) if label in self.sources else 0


@without_garbage_collection()
def read_results(roots: Iterable[Path | RunFolder], registry: Registry | None = None) -> Results:
    """Read every run folder at or below each of ``roots``.

    Args:
        roots: Results directories, parts of them, or single runs, of which a `RunFolder` need not exist.
        registry: What is installed; of this installation if not given.

    Raises:
        ResultsError: When a root does not exist, or when there is no run in any of them that could have a score.
    """
    roots = list(roots)
    return _tables(_collect(roots), roots, registry)


def read_named_results(groups: Mapping[str, Sequence[Path]], registry: Registry | None = None) -> Results:
    """Read groups of folders whose methods are kept apart, and named after their group.

    Args:
        groups: Results directories, or parts of them, by the name of their group.
        registry: What is installed; of this installation if not given.

    Raises:
        ResultsError: As `read_results`, of each group.
    """
    found = {name: _collect(roots) for name, roots in groups.items()}
    results = _tables(merge(found), [root for roots in groups.values() for root in roots], registry)
    names = [(name, label) for name, one in found.items() for label in _labels(one)]
    return replace(
        results,
        streams={source_label(label, name): label for name, label in names},
        sources={source_label(label, name): name for name, label in names},
    )


def _tables(found: Collection, roots: Sequence[Path | RunFolder], registry: Registry | None) -> Results:
    paths = list(map(_path, roots))
    scored = [run for run in found.runs if not run.spec.pretraining]
    pretraining = [run for run in found.runs if run.spec.pretraining]
    if not scored:
        places = ", ".join(map(str, paths))
        raise ResultsError(f"only pre-training runs in {places}: scores come with the runs that begin from them")
    unscored = {run.spec.suite for run in pretraining} - {run.spec.suite for run in scored}
    remarks = [f"suite {suite}: only pre-training runs so far, which have no score" for suite in unscored]
    return Results(
        runs=_runs(found, scored),
        pretraining=_unscored(pretraining),
        evaluations=_evaluations(found.runs),
        tasks=_tasks(found, registry or installed()),
        records={run.name: run.record for run in found.runs},
        skipped=tuple(sorted({*found.unreadable, *remarks})),
        unreadable=tuple(found.unreadable),
        fingerprint=found.fingerprint,
        abandoned=_unscored(found.abandoned),
        planned_suites=found.planned_suites,
    )


def _labels(found: Collection) -> list[str]:
    """The labels of all methods."""
    return sorted({*(run.label for run in found.runs), *(run.key[2] for run in found.missing)})


def _collect(roots: Sequence[Path | RunFolder]) -> Collection:
    """The runs in some folders.

    Raises:
        ResultsError: One does not exist, or there is no run.
    """
    unstarted = {root.path for root in roots if isinstance(root, RunFolder) and not _exists(root)}
    paths = list(map(_path, roots))
    found = collect_below([path for path in paths if path not in unstarted], sorted(unstarted))
    refuse_if_empty(found, paths)
    return found


def _path(root: Path | RunFolder) -> Path:
    return root.path if isinstance(root, RunFolder) else Path(root)


def _exists(folder: RunFolder) -> bool:
    """Whether a run has a folder; one at which nobody may look is to be named when it is read."""
    try:
        return look(folder.path) is not None
    except Unreadable:
        return True


# --------------------------------------------------------------------------------------------------------------------
# One run
# --------------------------------------------------------------------------------------------------------------------
def _row(run: CollectedRun) -> dict[str, object]:
    spec, status, last = run.spec, run.record.status, run.last_evaluation
    row = {key: getattr(spec, key) for key in ("suite", "task", "method", "seed", "steps")}
    row |= {
        key: getattr(status, key) for key in ("step", "attempts", "seconds", "steps_per_second", "started", "updated", "error")
    }
    row |= {"digest": run.record.digest, "method_digest": run.record.method_digest, "state": run.state, "folder": run.name}
    if last is not None:
        row |= {"score": last.score, "score_step": last.step, "episodes": last.episodes}
    return row


def _evaluations(runs: Sequence[CollectedRun]) -> pl.DataFrame:
    measured = dict.fromkeys(name for run in runs for one in run.evaluations[:1] for name in one.means if name != "return")
    schema = _EVALUATION_SCHEMA | dict.fromkeys(measured, pl.Float64)
    by_name = {run.name: run for run in runs}  # several groups may hold the same folder
    every = [(name, one) for name, run in by_name.items() for one in run.evaluations]
    columns: dict[str, list[object]] = {
        "folder": [name for name, _ in every],
        "step": [one.step for _, one in every],
        "episodes": [one.episodes for _, one in every],
    }
    columns |= {name: [one.means.get(name) for _, one in every] for name in ("return", *measured)}
    return pl.DataFrame(columns, schema=schema).sort("folder", "step")


# --------------------------------------------------------------------------------------------------------------------
# All runs together
# --------------------------------------------------------------------------------------------------------------------
def _tasks(found: Collection, registry: Registry) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    newest = {one.key[:2]: one.planned.spec for one in found.missing}
    newest |= {(run.spec.suite, run.spec.task): run.spec for run in sorted(found.runs, key=_last_changed)}
    for (suite, task), constants in found.tasks.items():
        used = constants.used
        row = {"suite": suite, "task": task, "constants": len(constants.variants)}
        row |= {name: getattr(used, name) if used else None for name in ("low", "high", "source")}
        rows.append({**row, "frames_per_step": _frames_per_step(newest[suite, task].environment, registry)})
    return pl.DataFrame(rows, schema=_TASK_SCHEMA).sort("suite", "task")


def _last_changed(run: CollectedRun) -> tuple[str, str]:
    return run.record.status.updated, run.name


def _frames_per_step(environment: EnvironmentSpec, registry: Registry) -> int | None:
    """What the family says of these settings; ``None`` where it has no frames, or cannot be asked here.

    The settings were valid when the run was planned. They are not validated again, since that may need simulators that are
    not installed where the report is written, and rules that have changed since.
    """
    if environment.family not in registry.environments:
        return None
    try:
        family = registry.config_class(registry.environment(environment.family))
        frames = cast(EnvironmentConfig, family.model_construct(None, **environment.config)).frames_per_step
    except Exception:  # noqa: BLE001  a stranger's code may raise anything, and a report does without frames
        return None
    return frames if isinstance(frames, int) else None


def _unscored(runs: Sequence[CollectedRun]) -> pl.DataFrame:
    table = pl.DataFrame(list(map(_row, runs)), schema=_RUN_SCHEMA)
    return table.sort("suite", "task", "method", "seed", "folder")


def _runs(found: Collection, scored: Sequence[CollectedRun]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {**_row(run), "label": run.label, "superseded": run.superseded, "normalised": run.constants.normalise(run.score)}
        for run in scored
    ]
    for missing in found.missing:
        suite, task, label, seed = missing.key
        spec = missing.planned.spec
        rows.append(
            {"suite": suite, "task": task, "label": label, "seed": seed, "state": "missing", "superseded": False}
            | {"method": spec.method, "method_digest": spec.method_digest}
        )
    schema = _RUN_SCHEMA | {"label": pl.String, "superseded": pl.Boolean, "normalised": pl.Float64}
    order = ["suite", "task", "label", "seed"]
    columns = [*order, "state", "superseded", "score", "normalised"]
    table = pl.DataFrame(rows, schema=schema)
    return table.select(*columns, *(name for name in _RUN_SCHEMA if name not in columns)).sort(*order, "superseded", "folder")
