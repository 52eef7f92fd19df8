"""What was trained."""

from __future__ import annotations

from typing import Any

from harness.analysis.parts import parts_of
from harness.analysis.tables import Analysis
from harness.report.cells import METHOD, comparison_rows, flatten
from harness.report.context import RunRecords, SuiteContext
from harness.report.document import Column, ReportTable, Section, TableCell
from harness.report.phases import describe_phases
from harness.report.wording import NO_VALUE
from harness.spec import SAVES_STATE, Combination, RewardSpec, RunSpec

_CAPTION = "What was trained."


def build(suite: SuiteContext) -> Section:
    """Every method with its algorithm, bonus and budget, every setting of each, and the digests of its runs."""
    analysis, records = suite.analysis, suite.records
    specs = _specs_by_method(analysis, records)
    has_phases = any(describe_phases(spec) for spec in specs.values())
    columns = (
        METHOD,
        Column("Algorithm"),
        Column("Bonus"),
        Column("How they combine"),
        *([Column("Phases")] if has_phases else []),
        Column("Steps", "number"),
    )
    rows = tuple(
        (
            label,
            spec.algorithm.name,
            spec.reward.name if spec.reward else "none",
            _combination(spec.reward.combine) if spec.reward else "extrinsic reward alone",
            *([describe_phases(spec) or "none"] if has_phases else []),
            _budget(analysis, label),
        )
        for label, spec in specs.items()
    )
    settings = {label: dict(flatten(_settings(spec))) for label, spec in specs.items()}
    heads = (Column("Setting"), *(Column(label, method=True) for label in specs))
    lines = comparison_rows(settings)
    return Section(
        "Methods",
        (
            ReportTable(_CAPTION, columns, rows),
            ReportTable("Every setting of every method.", heads, lines, collapsed=True),
            _digests(analysis),
        ),
    )


def _budget(analysis: Analysis, label: str) -> str:
    """The steps of a method's runs; the least and the most where tasks have budgets of their own."""
    steps = analysis.current_runs.filter(label=label).drop_nulls("steps")["steps"].unique().sort().to_list()
    return " to ".join(f"{count:,}" for count in dict.fromkeys((steps[0], steps[-1])))


def _specs_by_method(analysis: Analysis, records: RunRecords) -> dict[str, RunSpec]:
    first = analysis.current_runs.drop_nulls("folder").unique("label", keep="first", maintain_order=True)
    folders = dict(first.select("label", "folder").rows())
    return {label: records[folders[label]].spec for label in analysis.methods if label in folders}


def _combination(combine: Combination) -> str:
    weights = f"extrinsic × {combine.extrinsic_weight:g}, bonus × {combine.intrinsic_weight:g}"
    if combine.decay:
        weights += f" × {1 - combine.decay:.12g}^step"
    if combine.clip_total is not None:
        weights += f", bounded by ±{combine.clip_total:g}"
    if combine.mode == "sum":
        return (
            f"sum of rewards ({weights}): a simplification, since one value function and one discount serve both and the"
            " bonus ends with the episode"
        )
    ends = "episodic" if combine.episodic else "non-episodic"
    return f"two value heads ({weights}; bonus discounted by {combine.intrinsic_gamma:g}, {ends})"


def _settings(spec: RunSpec) -> dict[str, Any]:
    settings: dict[str, Any] = {f"algorithm.{key}": value for key, value in spec.algorithm.config.items()}
    if spec.reward:
        settings |= {"reward": _reward_settings(spec.reward), "combine": spec.reward.combine.model_dump(mode="json")}
    for phase in spec.phases:
        settings[f"phases.{phase.name}"] = phase.model_dump(mode="json", exclude={"name"})
    settings |= spec.model_dump(mode="json", include={"precision"})
    settings["evaluation"] = spec.evaluation.model_dump(mode="json")
    if spec.training_version == SAVES_STATE:
        return settings | {"checkpoint_every": spec.checkpoint_every}
    return settings | {"checkpoint.replay_steps": spec.replay_steps}


def _reward_settings(reward: RewardSpec) -> dict[str, Any]:
    """The settings of the bonus, those that differ by task for each task."""
    of_tasks = {key for values in reward.config_by_task.values() for key in values}
    shared = {key: value for key, value in reward.config.items() if key not in of_tasks}
    return shared | {f"on {task}": dict(values) for task, values in reward.config_by_task.items()}


def _digests(analysis: Analysis) -> ReportTable:
    read = parts_of(analysis.current_runs.drop_nulls("digest"), "task", "label")
    columns = (Column("Task"), *(Column(label, method=True) for label in analysis.methods))
    rows: list[tuple[TableCell, ...]] = []
    for task in analysis.tasks["task"]:
        cells = [read.get((task, label)) for label in analysis.methods]
        rows.append((task, *(NO_VALUE if cell is None else ", ".join(sorted(set(cell["digest"]))) for cell in cells)))
    caption = (
        "Digests of the runs, as in the names of their folders, <method>-<digest>, and in harness status. A digest changes"
        " with anything that changes a run's numbers, its seed aside."
    )
    return ReportTable(caption, columns, tuple(rows), collapsed=True)
