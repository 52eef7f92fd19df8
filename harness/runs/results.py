"""Reading many run folders into tables: which runs there are, their states, and their scores.

The score of a run is the mean return over the episodes of its last evaluation, and only a finished run has one. What cannot
be read is skipped and named; what is missing stays visible as a row without a score.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, cast

import polars as pl

from harness.config import EnvironmentConfig
from harness.errors import ResultsError
from harness.registry import Registry, installed
from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder, RunRecord, find_runs
from harness.runs.labels import label_digests
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
        runs: One row per run folder, pre-training aside, and one in state ``missing`` for each seed that others of the
            suite have. ``label`` is the method's name, with its digest where several configurations share the name.
            ``score`` is null unless the run finished; ``normalised`` also where the task has no constants. ``superseded``
            marks all but one of the folders with the same `RUN_KEY`.
        pretraining: One row per run that is only there for others to begin from; it has no score.
        evaluations: One row per run and evaluation: ``folder``, ``step``, ``episodes``, mean ``return``, and the mean of
            whatever else the task measures.
        tasks: One row per task: its constants ``low``, ``high`` and their ``source`` (null where there are none),
            ``frames_per_step`` (null where it has no frames), and how many different ``constants`` its runs carry.
        records: The full record of each run, by folder.
        skipped: One line for each thing that could not be read.
    """

    runs: pl.DataFrame
    pretraining: pl.DataFrame
    evaluations: pl.DataFrame
    tasks: pl.DataFrame
    records: RunRecords
    skipped: tuple[str, ...]

    @property
    def suites(self) -> list[str]:
        """Names of the suites found, sorted."""
        return self.runs["suite"].unique().sort().to_list()


def read_results(roots: Iterable[Path | RunFolder], registry: Registry | None = None) -> Results:
    """Read every run folder at or below each of ``roots``.

    Args:
        roots: Results directories, parts of them, or single runs.
        registry: What is installed; of this installation if not given.

    Raises:
        ResultsError: When a root does not exist, or when there is no run in any of them that could have a score.
    """
    roots = list(roots)
    folders, skipped = _find(roots)
    records: dict[str, RunRecord] = {}
    rows: list[dict[str, Any]] = []
    evaluations = [pl.DataFrame(schema=_EVALUATION_SCHEMA)]
    for name, folder in folders.items():
        try:
            records[name] = folder.read()
            curve = _read_evaluations(folder.evaluations_file)
        except (ResultsError, OSError) as error:
            skipped.append(str(error))
            curve = pl.DataFrame(schema=_EVALUATION_SCHEMA)
        if name in records:
            rows.append(_row(name, records[name], folder.state(records[name]), curve))
            evaluations.append(curve.with_columns(pl.lit(name).alias("folder")))
    places = ", ".join(str(_path(root)) for root in roots)
    if not rows:
        raise ResultsError("; ".join([f"no runs in {places}", *skipped]))
    tasks = _tasks(records, registry or installed())
    pretraining, scored = _partition(rows, lambda row: records[str(row["folder"])].spec.pretraining)
    if not scored:
        raise ResultsError(f"only pre-training runs in {places}: scores come with the runs that begin from them")
    unscored = {row["suite"] for row in pretraining} - {row["suite"] for row in scored}
    skipped += [f"suite {suite}: only pre-training runs so far, which have no score" for suite in unscored]
    return Results(
        runs=_runs(scored, tasks, label_digests(records)),
        pretraining=_pretraining(pretraining),
        evaluations=pl.concat(evaluations, how="diagonal").sort("folder", "step"),
        tasks=tasks,
        records=records,
        skipped=tuple(sorted(set(skipped))),
    )


# --------------------------------------------------------------------------------------------------------------------
# One folder
# --------------------------------------------------------------------------------------------------------------------
def _path(root: Path | RunFolder) -> Path:
    return root.path if isinstance(root, RunFolder) else Path(root)


def _find(roots: Sequence[Path | RunFolder]) -> tuple[dict[str, RunFolder], list[str]]:
    """Run folders by name; a folder reached twice counts once, under the first name in alphabetical order."""
    found: dict[Path, RunFolder] = {}
    skipped: list[str] = []
    for root in sorted(map(_path, roots)):
        folders, unreadable = find_runs(root)
        skipped += unreadable
        for folder in folders:
            found.setdefault(folder.path.resolve(), folder)
        orphans = (file for file in root.rglob("evaluations.csv") if not file.with_name("run.json").exists())
        skipped += [f"{file}: belongs to no run (there is no run.json beside it)" for file in orphans]
    return dict(sorted((folder.path.as_posix(), folder) for folder in found.values())), skipped


def _read_evaluations(file: Path) -> pl.DataFrame:
    """Means over the episodes of each evaluation; rows that were cut short are left out."""
    try:
        header, rows = read_csv_rows(file)
    except csv.Error as error:
        raise ResultsError(f"{file}: cannot be read ({error})") from error
    if not rows:
        return pl.DataFrame(schema=_EVALUATION_SCHEMA)
    if not {"step", "return"} <= set(header):
        raise ResultsError(f"{file}: needs the columns 'step' and 'return', has {', '.join(header)}")
    measured = [name for name in header if name not in {*_EVALUATION_SCHEMA, "episode", "phase"}]
    table = pl.DataFrame({name: [row[name] for row in rows] for name in ("step", "return", *measured)})
    numbers = table.with_columns(pl.all().cast(pl.Float64, strict=False)).drop_nulls(["step", "return"])
    return (
        numbers.with_columns(pl.col("step").cast(pl.Int64))
        .group_by("step", maintain_order=True)
        .agg(pl.all().mean(), pl.len().cast(pl.Int64).alias("episodes"))
        .sort("step")
    )


def _row(name: str, record: RunRecord, state: str, curve: pl.DataFrame) -> dict[str, object]:
    spec, status = record.spec, record.status
    row = {key: getattr(spec, key) for key in ("suite", "task", "method", "seed", "steps")}
    row |= {
        key: getattr(status, key) for key in ("step", "attempts", "seconds", "steps_per_second", "started", "updated", "error")
    }
    row |= {"digest": record.digest, "method_digest": record.method_digest, "state": state, "folder": name}
    if state == "finished" and len(curve):
        step, episodes, score = curve.select("step", "episodes", "return").row(-1)
        row |= {"score": score, "score_step": step, "episodes": episodes}
    return row


# --------------------------------------------------------------------------------------------------------------------
# All folders together
# --------------------------------------------------------------------------------------------------------------------
def _tasks(records: RunRecords, registry: Registry) -> pl.DataFrame:
    """The newest run decides a task's constants: they may be corrected after the first runs."""
    rows: dict[tuple[str, str], dict[str, object]] = {}
    seen: dict[tuple[str, str], set[tuple[float, float] | None]] = {}
    for _, record in sorted(records.items(), key=lambda item: (item[1].status.updated, item[0])):
        spec, constants = record.spec, record.spec.normalise
        if spec.pretraining:
            continue
        key = (spec.suite, spec.task)
        seen.setdefault(key, set()).add((constants.low, constants.high) if constants else None)
        rows[key] = {
            "suite": spec.suite,
            "task": spec.task,
            "low": constants.low if constants else None,
            "high": constants.high if constants else None,
            "source": constants.source if constants else None,
            "frames_per_step": _frames_per_step(spec.environment, registry),
            "constants": len(seen[key]),
        }
    return pl.DataFrame(list(rows.values()), schema=_TASK_SCHEMA).sort("suite", "task")


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


def _partition(
    rows: Iterable[Mapping[str, object]], first: Callable[[Mapping[str, object]], bool]
) -> tuple[list[Mapping[str, object]], list[Mapping[str, object]]]:
    """The rows for which ``first`` holds, and the others."""
    parts: tuple[list[Mapping[str, object]], list[Mapping[str, object]]] = ([], [])
    for row in rows:
        parts[not first(row)].append(row)
    return parts


def _pretraining(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    table = pl.DataFrame([{**row, "score": None} for row in rows], schema=_RUN_SCHEMA)
    return table.sort("suite", "task", "method", "seed", "folder")


def _runs(rows: Sequence[Mapping[str, object]], tasks: pl.DataFrame, digests: Mapping[str, str]) -> pl.DataFrame:
    digest = pl.col("folder").replace_strict(digests, return_dtype=pl.String)
    several = digest.n_unique().over("suite", "method") > 1
    finite = pl.when(pl.col("score").is_finite()).then("score")
    labelled = pl.DataFrame(rows, schema=_RUN_SCHEMA).with_columns(
        pl.when(several).then(pl.format("{} ({})", "method", digest)).otherwise("method").alias("label"),
        finite.alias("score"),
    )
    scale = pl.when(pl.col("high") != pl.col("low")).then(pl.col("high") - pl.col("low"))
    normalised = (
        _with_superseded(_with_missing(labelled))
        .join(tasks.select("suite", "task", "low", "high"), on=["suite", "task"], how="left")
        .with_columns(((pl.col("score") - pl.col("low")) / scale).alias("normalised"))
    )
    order = ["suite", "task", "label", "seed"]
    columns = [*order, "state", "superseded", "score", "normalised"]
    return normalised.select(*columns, *(name for name in _RUN_SCHEMA if name not in columns)).sort(
        *order, "superseded", "folder"
    )


def _with_missing(runs: pl.DataFrame) -> pl.DataFrame:
    """Add rows for the missing runs: every method of a suite, on every task of it, with every seed of it."""
    present = set(runs.select(RUN_KEY).iter_rows())
    absent: list[dict[str, Any]] = []
    for (suite,), part in runs.group_by("suite"):
        methods = part.select("label", "method", "method_digest").unique("label", maintain_order=True).rows()
        for task, (label, method, digest), seed in product(part["task"].unique(), methods, part["seed"].unique()):
            if (suite, task, label, seed) not in present:
                facts = {"method": method, "method_digest": digest, "label": label, "state": "missing"}
                absent.append({"suite": suite, "task": task, "seed": seed, **facts})
    return pl.concat([runs, pl.DataFrame(absent, schema=runs.schema)])


def _with_superseded(runs: pl.DataFrame) -> pl.DataFrame:
    """The runs with a column that marks superseded ones.

    Of several folders with the same `RUN_KEY` the newest finished one counts, or the newest if none finished.
    """
    finished = pl.col("state") == "finished"
    ranked = runs.sort(finished, "updated", "folder", descending=[True, True, False], nulls_last=True, maintain_order=True)
    return ranked.with_columns((~pl.struct(RUN_KEY).is_first_distinct()).alias("superseded"))
