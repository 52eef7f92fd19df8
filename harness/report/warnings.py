"""What a reader must know before trusting a number: everything that is missing, unequal or left out, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from harness.analysis.exact import are_successes
from harness.analysis.statistics import MIN_SEEDS
from harness.analysis.tables import Analysis
from harness.report.differences import describe_changes, describe_differences
from harness.report.reliability import coverage_of_few_seeds
from harness.report.wording import join_names
from harness.runs.results import RunRecords
from harness.spec import RunSpec

ADEQUATE_SEEDS = 10
"""Below it the report says how often intervals hold."""


def collect_warnings(analysis: Analysis, records: RunRecords) -> list[str]:
    """All that apply to a suite, the gravest first."""
    checks: tuple[Callable[[Analysis, RunRecords], Iterator[str]], ...] = (
        _without_score,
        _incomplete_methods,
        _few_seeds,
        _successes_alone,
        _not_normalised,
        _incomplete_evaluations,
        _unequal_budgets,
        _unequal_protocols,
        _unequal_environments,
        _unequal_algorithms,
        _cut_evaluations,
        _changed_provenance,
        _conflicting_constants,
        _superseded,
        _altered_curves,
    )
    return [warning for check in checks for warning in check(analysis, records)]


def incomplete_methods(analysis: Analysis) -> list[str]:
    """Methods whose aggregates cover fewer tasks than there are."""
    table = analysis.tables["aggregates"].filter(pl.col("tasks") < pl.col("of_tasks"))
    return table["method"].unique(maintain_order=True).to_list()


def _run_name(task: str, label: str, seed: int) -> str:
    return f"{task}/{label}/seed-{seed}"


def _without_score(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    runs = analysis.current_runs
    states = [
        f"{n} {state}" for state in ("failed", "interrupted", "running", "missing") if (n := runs.filter(state=state).height)
    ]
    if states:
        yield (
            f"Not every planned run has a score: {join_names(states)}. They are left out, never counted as zero; the"
            " numbers of runs stand beside each score, and “Runs” below names each one. A run is planned if somebody asked for"
            " it: it has a folder, or is part of a plan that 'harness run' was given."
        )
    unscored = runs.filter(pl.col("score").is_null(), state="finished").select("task", "label", "seed").rows()
    if unscored:
        yield f"Finished without a usable score in evaluations.csv: {join_names([_run_name(*row) for row in unscored])}."


def _incomplete_methods(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    table = analysis.tables["aggregates"].filter(pl.col("tasks") < pl.col("of_tasks"), metric="iqm")
    parts = [f"{label} ({n} of {total})" for label, n, total in table.select("method", "tasks", "of_tasks").rows()]
    if parts:
        yield (
            f"Marked †: aggregates of {join_names(parts)} cover fewer tasks than the suite has, and cannot be compared with"
            " the others. Probabilities of improvement use common tasks only."
        )
    scored = set(analysis.tables["aggregates"]["method"])
    absent = [label for label in analysis.methods if label not in scored]
    if absent and scored:
        yield f"No aggregate for {join_names(absent)}: no finished run on a task that can be normalised."


def _few_seeds(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    table = analysis.tables["tasks"].filter(pl.col("scores") > 0)
    few = table.filter(pl.col("scores") < MIN_SEEDS)
    if len(few):
        yield (
            f"Fewer than {MIN_SEEDS} seeds in cells of {join_names(few['method'].unique().sort().to_list())}: numbers that"
            " rest on them have no interval, because one or two runs cannot say how much a score varies. Treat these"
            " numbers as anecdotes."
        )
    fewest = table.filter(pl.col("scores") >= MIN_SEEDS)["scores"].min()
    if isinstance(fewest, int) and fewest < ADEQUATE_SEEDS:
        yield (
            f"Intervals rest on as few as {fewest} seeds per task. {coverage_of_few_seeds(analysis.intervals)}. Nothing can"
            " tell how scores are distributed that were drawn so seldom: seeds that agree by chance give an interval without"
            " width."
        )


def only_successes(analysis: Analysis) -> bool:
    """Whether every normalised score is 0 or 1, so that the mean is a success rate."""
    return are_successes(analysis.current_runs.drop_nulls("normalised")["normalised"].to_numpy())


def _successes_alone(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    if only_successes(analysis):
        yield (
            "Every normalised score is 0 or 1. The IQM of such scores is 1 from a success rate of 0.75 on and 0 up to 0.25: it"
            " hides differences there. Prefer the mean, which is the success rate, and its interval, which counts successes."
        )


def _not_normalised(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    left_out = [task for task in analysis.tasks["task"] if task not in analysis.usable_tasks]
    if left_out:
        yield (
            f"No usable normalisation constants for {join_names(left_out)}: shown raw, left out of aggregates, profiles and"
            " the sample-efficiency curve. The probability of improvement includes them, since it depends on order"
            " alone."
        )


def _incomplete_evaluations(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    parts: list[str] = []
    scored = analysis.current_runs.drop_nulls("score").select(
        "task", "label", "seed", "folder", "episodes", "score_step", "steps"
    )
    for task, label, seed, folder, episodes, step, steps in scored.rows():
        wanted = records[folder].spec.evaluation.episodes
        if episodes < wanted or step < steps:
            parts.append(f"{_run_name(task, label, seed)} ({episodes} of {wanted} episodes at step {step:,} of {steps:,})")
    if parts:
        yield f"Scores from an incomplete or early last evaluation: {join_names(parts)}."


def _unequal_budgets(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    """Budgets that differ within a task; tasks may well differ in theirs."""
    budgets = analysis.current_runs.drop_nulls("steps").select("task", "label", "steps").unique()
    unequal = budgets.filter(pl.col("steps").n_unique().over("task") > 1)
    if len(unequal):
        pairs = unequal.select("label", "steps").unique().sort("label", "steps").rows()
        tasks = unequal["task"].unique().sort().to_list()
        where = "" if len(tasks) == budgets["task"].n_unique() else f" on {join_names(tasks)}"
        parts = join_names([f"{label} {steps:,}" for label, steps in pairs])
        yield f"Methods were trained for different numbers of steps{where}: {parts}. Final scores are not like for like."


def _unequal_protocols(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    runs = analysis.current_runs.drop_nulls("folder").select("label", "folder").rows()
    settings = [(label, records[folder].spec.evaluation.model_dump(mode="json")) for label, folder in runs]
    if differing := describe_differences(settings):
        yield (
            f"Methods were evaluated differently: {'; '.join(differing)}. Scores are compared all the same, and are not like"
            " for like: an agent that takes its likeliest action is another than one that samples, a cut episode has another"
            " return, and means of fewer episodes vary more."
        )


def _unequal_environments(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    different: list[str] = []
    details: dict[str, None] = {}
    for task in analysis.tasks["task"]:
        runs = analysis.current_runs.filter(task=task).drop_nulls("folder").select("label", "folder").rows()
        settings = [(label, _environment_settings(records[folder].spec)) for label, folder in runs]
        differing = describe_differences(settings)
        different += [task] if differing else []
        details |= dict.fromkeys(differing)
    if different:
        yield (
            f"Runs of {join_names(different)} differ in their environment's settings: {'; '.join(details)}. Their scores are"
            " not like for like."
        )


def _environment_settings(spec: RunSpec) -> dict[str, Any]:
    return {"family": spec.environment.family, **spec.environment.config}


def _unequal_algorithms(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    """Methods that were each given the algorithm of their own publication."""
    runs = analysis.current_runs.drop_nulls("folder").select("label", "folder").rows()
    specs = {label: records[folder].spec.algorithm for label, folder in runs}
    if len({spec.name for spec in specs.values()}) != 1:  # “Methods” says which is whose
        return
    if differing := describe_differences([(label, spec.config) for label, spec in specs.items()]):
        yield f"Methods differ in their algorithm's settings: {'; '.join(differing)}. Not the bonus alone is compared."


def _cut_evaluations(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    table = analysis.tables["measurements"].filter(pl.col("mean") > 0, measurement="cut")
    parts = [f"{label} on {task} ({share:.0%})" for label, task, share in table.select("method", "task", "mean").rows()]
    if parts:
        yield (
            "Episodes of the last evaluation were ended by evaluation.max_steps and not by the environment:"
            f" {join_names(parts)}. Their returns are what was earned until then, and nothing else was measured of them."
        )


def _changed_provenance(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    runs = analysis.current_runs.drop_nulls("folder").select("task", "label", "seed", "folder").rows()
    parts = [
        f"{_run_name(task, label, seed)} ({'; '.join(changes)})"
        for task, label, seed, folder in runs
        if (changes := describe_changes(records[folder].attempts))
    ]
    if parts:
        yield (
            f"What these runs were trained with changed while they were interrupted: {join_names(parts)}. Their scores belong"
            " to neither version alone; those of runs with --fresh would."
        )


def _conflicting_constants(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    several = analysis.tasks.filter(pl.col("constants") > 1)["task"].to_list()
    if several:
        yield f"Runs of {join_names(several)} carry different normalisation constants; those of the newest run are used."


def _superseded(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    folders = analysis.runs.filter("superseded")["folder"].to_list()
    if folders:
        yield (
            "Several folders hold the same task, method and seed; the newest finished one counts. Superseded:"
            f" {join_names(folders)}."
        )


def _altered_curves(analysis: Analysis, records: RunRecords) -> Iterator[str]:
    if analysis.interpolated:
        parts = [f"{label} on {task}" if task else f"{label} over all tasks" for label, task in analysis.interpolated]
        yield (
            f"Runs were evaluated at different steps: the curves of {join_names(parts)} are interpolated linearly between a"
            " run's own evaluations, and never continued beyond its last one."
        )
    if analysis.downsampled:
        yield "Sample-efficiency curves leave out some evaluations for brevity; task curves and curves.csv by task have all."
