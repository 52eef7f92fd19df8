"""The sections of a report that let one judge and repeat it: runs, methods, normalisation, provenance, definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from harness.analysis import statistics
from harness.analysis.tables import Analysis
from harness.report.document import Block, CodeBlock, Column, Paragraph, ReportSection, ReportTable, TableCell
from harness.report.drawing import Style
from harness.report.phases import describe_phases
from harness.report.sections.scores import METHOD
from harness.report.wording import NO_VALUE, format_count, format_duration, join_names
from harness.runs.folder import RunRecord
from harness.spec import Combination, RunSpec

_STATES = ("finished", "failed", "interrupted", "running", "missing")

RunRecords = Mapping[str, RunRecord]


def reproducibility_sections(analysis: Analysis, records: RunRecords, styles: Mapping[str, Style]) -> list[ReportSection]:
    """How the runs stand, what was run, and where and how."""
    sections = (
        ("Runs", _runs(analysis)),
        ("Methods", _methods(analysis, records)),
        ("Normalisation", _normalisation(analysis)),
        ("Provenance", _provenance(analysis, records)),
    )
    return [ReportSection(title, tuple(blocks), styles=styles) for title, blocks in sections]


def _runs(analysis: Analysis) -> list[Block]:
    runs = analysis.current_runs
    columns = (METHOD, Column("planned", "number"), *(Column(state, "number") for state in _STATES))
    rows = []
    for label in analysis.methods:
        states = runs.filter(label=label)["state"].to_list()
        rows.append((label, str(len(states)), *(str(states.count(state)) for state in _STATES)))
    blocks: list[Block] = [ReportTable("How the runs stand.", columns, tuple(rows))]
    pending = runs.filter(pl.col("state") != "finished").sort("task", "label", "seed")
    if len(pending):
        heads = (Column("Task"), METHOD, Column("Seed", "number"), Column("State"), Column("Step", "number"), Column("Reason"))
        facts = pending.select("task", "label", "seed", "state", "step", "steps", "error").rows()
        lines = tuple(
            (task, label, str(seed), state, _format_progress(step, steps), error or "")
            for task, label, seed, state, step, steps, error in facts
        )
        blocks.append(ReportTable("Runs without a final score, each by name.", heads, lines, collapsed=len(lines) > 20))
    if len(analysis.pretraining):
        blocks.append(_pretraining(analysis))
    return blocks


def _pretraining(analysis: Analysis) -> ReportTable:
    columns = (
        Column("Pre-training"),
        METHOD,
        Column("Seed", "number"),
        Column("State"),
        Column("Step", "number"),
        Column("Digest"),
        Column("Reason"),
    )
    facts = analysis.pretraining.select("task", "method", "seed", "state", "step", "steps", "digest", "error").rows()
    rows = tuple(
        (task, method, str(seed), state, _format_progress(step, steps), digest, error or "")
        for task, method, seed, state, step, steps, digest, error in facts
    )
    caption = "Pre-training runs, from which others begin. They have no score and count in no number above."
    return ReportTable(caption, columns, rows, collapsed=len(rows) > 20)


def _format_progress(step: int | None, steps: int | None) -> str:
    return NO_VALUE if step is None else f"{step:,} of {steps:,}"


# --------------------------------------------------------------------------------------------------------------------
# Methods
# --------------------------------------------------------------------------------------------------------------------
def _methods(analysis: Analysis, records: RunRecords) -> list[Block]:
    specs = _specs_by_method(analysis, records)
    has_phases = any(describe_phases(spec) for spec in specs.values())
    columns = (
        METHOD,
        Column("Algorithm"),
        Column("Bonus"),
        Column("How they combine"),
        *([Column("Phases")] if has_phases else []),
        Column("Steps", "number"),
        Column("Digest"),
    )
    rows = tuple(
        (
            label,
            spec.algorithm.name,
            spec.reward.name if spec.reward else "none",
            _combination(spec.reward.combine) if spec.reward else "extrinsic reward alone",
            *([describe_phases(spec) or "none"] if has_phases else []),
            f"{spec.steps:,}",
            spec.method_digest,
        )
        for label, spec in specs.items()
    )
    settings = {label: dict(_flatten(_settings(spec))) for label, spec in specs.items()}
    heads = (Column("Setting"), *(Column(label, method=True) for label in specs))
    lines = _comparison_rows(settings)
    return [
        ReportTable("What was trained. The digest changes with anything that changes a method's numbers.", columns, rows),
        ReportTable("Every setting of every method.", heads, lines, collapsed=True),
        _digests(analysis),
    ]


def _specs_by_method(analysis: Analysis, records: RunRecords) -> dict[str, RunSpec]:
    first = analysis.current_runs.drop_nulls("folder").unique("label", keep="first", maintain_order=True)
    folders = dict(first.select("label", "folder").rows())
    return {label: records[folders[label]].spec for label in analysis.methods if label in folders}


def _combination(combine: Combination) -> str:
    weights = f"extrinsic × {combine.extrinsic_weight:g}, bonus × {combine.intrinsic_weight:g}"
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
        settings |= {"reward": spec.reward.config, "combine": spec.reward.combine.model_dump(mode="json")}
    for phase in spec.phases:
        settings[f"phases.{phase.name}"] = phase.model_dump(mode="json", exclude={"name"})
    return settings | {"evaluation": spec.evaluation.model_dump(mode="json"), "checkpoint_every": spec.checkpoint_every}


def _flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and their values as JSON."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _comparison_rows(columns: Mapping[str, Mapping[str, str]]) -> tuple[tuple[TableCell, ...], ...]:
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    return tuple((key, *(column.get(key, NO_VALUE) for column in columns.values())) for key in keys)


def _digests(analysis: Analysis) -> ReportTable:
    read = analysis.current_runs.drop_nulls("digest")
    columns = (Column("Task"), *(Column(label, method=True) for label in analysis.methods))
    rows = []
    for task in analysis.tasks["task"]:
        cells = [
            ", ".join(read.filter(task=task, label=label)["digest"].unique().sort()) or NO_VALUE for label in analysis.methods
        ]
        rows.append((task, *cells))
    return ReportTable("Digests of the runs: the folders are named <method>-<digest>.", columns, tuple(rows), collapsed=True)


# --------------------------------------------------------------------------------------------------------------------
# Normalisation and provenance
# --------------------------------------------------------------------------------------------------------------------
def _normalisation(analysis: Analysis) -> list[Block]:
    text = (
        "normalised score = (score − low) / (high − low), with constants of the task. 0 is what the low score stands"
        " for, such as a random agent; 1 what the high one does, such as a human or the optimum. Scores above 1 are"
        " kept as they are."
    )
    columns = (Column("Task"), Column("Low", "number"), Column("High", "number"), Column("Source"))
    rows = tuple(
        (task, _format_constant(low), _format_constant(high), (source or "not stated") if usable else "not normalised")
        for task, low, high, source, usable in analysis.tasks.select("task", "low", "high", "source", "usable").rows()
    )
    return [Paragraph(text), ReportTable("Constants of each task.", columns, rows)]


def _format_constant(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:,.10g}".replace("-", "−")


def _provenance(analysis: Analysis, records: RunRecords) -> list[Block]:
    read = analysis.current_runs.drop_nulls("folder")
    found = [dict(records[folder].provenance) for folder in read["folder"]]
    commands = sorted({str(facts.pop("command")) for facts in found if facts.get("command")})
    flat = [{key: value for key, value in _flatten(facts) if value != "null"} for facts in found]
    rows: list[tuple[TableCell, ...]] = []
    for key in dict.fromkeys(key for facts in flat for key in facts):
        values = [facts.get(key, "not recorded") for facts in flat]
        distinct = sorted(set(values), key=lambda value: (-values.count(value), value))
        counted = (
            distinct if len(distinct) == 1 else [f"{value} ({format_count(values.count(value), 'run')})" for value in distinct]
        )
        rows.append((key, join_names(counted, most=6)))
    effort = (
        f"{format_duration(float(read['seconds'].sum()))} of training in {join_names(_attempts(read))}." if len(read) else ""
    )
    blocks: list[Block] = [Paragraph(f"As recorded by the runs themselves. {effort}")]
    if commands:
        blocks += [Paragraph("The command that repeats them, run from the same place; finished runs are not run again:")]
        blocks += [CodeBlock("\n".join(commands))]
    else:
        blocks += [Paragraph("The command that started the runs was not recorded.")]
    environments = _environments(analysis, records)
    return [*blocks, ReportTable("Versions and machines.", (Column("Fact"), Column("Value")), tuple(rows)), environments]


def _attempts(read: pl.DataFrame) -> list[str]:
    resumed = read.filter(pl.col("attempts") > 1).height
    return [format_count(len(read), "run"), *([f"{resumed} of them resumed at least once"] if resumed else [])]


def _environments(analysis: Analysis, records: RunRecords) -> ReportTable:
    settings: dict[str, dict[str, str]] = {}
    for task, folder in analysis.current_runs.drop_nulls("folder").select("task", "folder").rows():
        environment = records[folder].spec.environment
        settings.setdefault(task, dict(_flatten({"family": environment.family, **environment.config})))
    heads = (Column("Setting"), *(Column(task) for task in settings))
    return ReportTable("Environment settings of each task.", heads, _comparison_rows(settings), collapsed=True)


def definitions_section() -> ReportSection:
    """How every number is made; the same for all suites."""
    paragraphs = (
        "The score of a run is the mean undiscounted return over the episodes of its last evaluation, played with seeds"
        " of their own after training has ended. Only finished runs have one. Seeds are the unit of replication:"
        " episodes of one run are averaged, never counted as independent.",
        "Aggregates, profiles and the probability of improvement are those of Agarwal et al. 2021 (Deep reinforcement"
        " learning at the edge of the statistical precipice, arXiv 2108.13264), as rliable computes them. Where tasks"
        " have different numbers of runs, which rliable does not provide for, every task weighs the same.",
        "Intervals are the 2.5 % and 97.5 % percentiles of a bootstrap that resamples seeds within each task"
        f" ({statistics.N_RESAMPLES:,} resamples for aggregates, {statistics.N_BAND_RESAMPLES:,} for each curve and"
        " profile). They say how much the numbers would vary with other seeds on these tasks; they say nothing about"
        " other tasks. Each is 95 % by itself: among many comparisons some will stand out by chance. The random stream"
        " follows from the names of suite and method, so the same runs give the same digits.",
    )
    return ReportSection("How to read the numbers", tuple(Paragraph(text) for text in paragraphs), level=2)
