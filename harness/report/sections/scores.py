"""The sections of a report that show scores: aggregates, comparisons, profiles, curves and tasks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from harness.analysis import statistics
from harness.analysis.tables import Analysis
from harness.report.document import Block, Column, FigureBlock, Paragraph, ReportSection, ReportTable, TableCell
from harness.report.plots import SuitePlots
from harness.report.warnings import ADEQUATE_SEEDS
from harness.report.wording import NO_VALUE, decimals_for, format_interval, format_number, join_names

METHOD = Column("Method", "method")


def score_sections(analysis: Analysis, plots: SuitePlots) -> list[ReportSection]:
    """Every section for which there are numbers, in the order of their weight."""
    sections = (
        ("Aggregate scores", _aggregates(analysis, plots)),
        ("Probability of improvement", _improvement(analysis, plots)),
        ("Performance profiles", _profiles(plots)),
        ("Sample efficiency", _efficiency(analysis, plots)),
        ("Tasks", _tasks(analysis, plots)),
        ("Other measurements", _measurements(analysis)),
    )
    return [ReportSection(title, tuple(blocks), styles=plots.styles) for title, blocks in sections if blocks]


def findings(analysis: Analysis) -> list[str]:
    """What the intervals allow one to say, a sentence for each method."""
    iqms = analysis.tables["aggregates"].filter(metric="iqm").select("method", "value", "low", "high").rows()
    parts = [f"{label} {format_number(value)} {format_interval(low, high)}" for label, value, low, high in iqms]
    sentences = [f"Interquartile mean of normalised scores: {join_names(parts, most=len(parts))}."] if parts else []
    overall = analysis.tables["improvement"].filter(pl.col("task").is_null())
    for label, value, low, high, seeds in overall.select("method", "value", "low", "high", "fewest_seeds").rows():
        claim = f"A run of {label} scores more than a run of {analysis.baseline} with probability {format_number(value, 2)}"
        sentences.append(f"{claim} {format_interval(low, high, 2)}: {_verdict(low, high, seeds)}.")
    return sentences


def _verdict(low: float | None, high: float | None, seeds: int) -> str:
    if low is None or high is None:
        return "too few seeds to judge"
    if low <= 0.5 <= high:
        return "the interval includes one half, so these runs do not decide"
    outcome = "better more often than not" if low > 0.5 else "worse more often than not"
    return outcome if seeds >= ADEQUATE_SEEDS else f"{outcome}, as far as {seeds} seeds per task can tell"


def _estimate_cell(value: float | None, low: float | None, high: float | None, decimals: int = 3) -> TableCell:
    return NO_VALUE if value is None else (format_number(value, decimals), format_interval(low, high, decimals))


def _aggregates(analysis: Analysis, plots: SuitePlots) -> list[Block]:
    table, plot = analysis.tables["aggregates"], plots.aggregates()
    if plot is None:
        text = "No finished run on a task with normalisation constants: there is nothing to aggregate. Raw scores stand below."
        return [Paragraph(text)]
    heads = ("IQM", "Median", "Mean", "Optimality gap")
    columns = (METHOD, *(Column(head, "number") for head in heads), Column("Tasks", "number"), Column("Runs", "number"))
    rows = []
    for label in table["method"].unique(maintain_order=True):
        part = table.filter(method=label)
        estimates = {metric: ends for metric, *ends in part.select("metric", "value", "low", "high").rows()}
        tasks, of_tasks, runs, of_runs = part.select("tasks", "of_tasks", "runs", "of_runs").row(0)
        cells = [_estimate_cell(*estimates[metric]) for metric in statistics.AGGREGATE_METRICS]
        rows.append((label, *cells, f"{tasks}/{of_tasks}{'' if tasks == of_tasks else ' †'}", f"{runs}/{of_runs}"))
    explanation = (
        "Over all tasks together. IQM is the mean of the middle half of all runs: less noisy than the median, less"
        " moved by outliers than the mean. Median and mean are taken over the tasks' mean scores. The optimality gap is"
        " how far runs stay below a normalised score of 1 on average, so smaller is better. Bars are 95 % intervals,"
        " black ticks the values. Where two intervals do not overlap, the difference is larger than seeds alone"
        " explain; where they do, look at the probability of improvement before concluding anything."
    )
    caption = "Value and 95 % interval; tasks with a score of all that can be normalised; runs with a score of all planned."
    return [Paragraph(explanation), FigureBlock(plot), ReportTable(caption, columns, tuple(rows))]


def _improvement(analysis: Analysis, plots: SuitePlots) -> list[Block]:
    plot = plots.improvement()
    if plot is None:
        if analysis.baseline is None:
            text = "There is no baseline to compare with here, so no probability of improvement is given."
        else:
            text = f"No method shares a task with finished runs with the baseline {analysis.baseline}."
        return [Paragraph(text)]
    table = analysis.tables["improvement"]
    explanation = (
        f"The chance that a run of the method, drawn at random, scores more than a run of {analysis.baseline} on the"
        " same task, averaged over the tasks both have scores for; ties count half. At 0.5 (dashed) neither is better."
        " An interval that includes 0.5 leaves the question open. The number says how often the method is better, not"
        " by how much; [1.00, 1.00] says that these runs separate completely, not that all others would."
    )
    labels = table["method"].unique(maintain_order=True).to_list()
    columns = (Column("Task"), *(Column(label, "number", method=True) for label in labels))
    tasks = [None, *analysis.tasks["task"]]
    rows = []
    for task in tasks:
        part = table.filter(pl.col("task").eq_missing(pl.lit(task)))
        found = {label: (value, low, high) for label, value, low, high in part.select("method", "value", "low", "high").rows()}
        cells = [_estimate_cell(*found.get(label, (None, None, None)), decimals=2) for label in labels]
        rows.append((task or "all common tasks", *cells))
    return [
        Paragraph(explanation),
        FigureBlock(plot),
        ReportTable(f"P(method > {analysis.baseline}), task by task.", columns, tuple(rows)),
    ]


def _profiles(plots: SuitePlots) -> list[Block]:
    plot = plots.profiles()
    if plot is None:
        return []
    explanation = (
        "For every score τ, the fraction of runs over all tasks that score more than τ, each task weighing the same,"
        " with 95 % bands. A curve above another at every τ means better at every level of difficulty; curves that"
        " cross mean that the ranking depends on what counts as success."
    )
    return [Paragraph(explanation), FigureBlock(plot)]


def _efficiency(analysis: Analysis, plots: SuitePlots) -> list[Block]:
    plot = plots.efficiency()
    if plot is None:
        return []
    explanation = (
        "The IQM of normalised scores at each evaluation during training, with 95 % bands: the higher and the further"
        " left, the sooner a method learns. A line is dotted where some of its runs are not there (yet), and ends"
        f" where a task has no run left.{_frames_note(analysis)}{_phases_note(plots)}"
        f" Bands hold at each step alone, not for whole"
        " curves."
    )
    return [Paragraph(explanation), FigureBlock(plot)]


def _phases_note(plots: SuitePlots) -> str:
    marked = any(plots.boundaries.values())
    return " An upright dotted line marks where the next phase of the method of its colour begins." if marked else ""


def _frames_note(analysis: Analysis) -> str:
    skips = analysis.tasks.drop_nulls("frame_skip")["frame_skip"].unique().sort().to_list()
    if skips in ([], [1]):
        return ""
    return f" Steps are decisions of the agent; one step is {' or '.join(map(str, skips))} frames."


def _tasks(analysis: Analysis, plots: SuitePlots) -> list[Block]:
    explanation = (
        "Raw scores: the mean return of the last evaluation's episodes, in the environment's own unclipped reward,"
        " averaged over seeds. The curves show the mean over seeds of every evaluation, with 95 % bands where there are"
        f" enough seeds.{_frames_note(analysis)}{_phases_note(plots)}"
    )
    columns = (Column("Task"), *(Column(label, "number", method=True) for label in analysis.methods))
    table = analysis.tables["tasks"]
    rows = [(task, *_task_cells(table.filter(task=task), analysis.methods)) for task in analysis.tasks["task"]]
    caption = "Mean ± standard deviation over seeds, and the number of runs with a score of all planned."
    blocks: list[Block] = [Paragraph(explanation), ReportTable(caption, columns, tuple(rows))]
    plot = plots.task_curves()
    return [*blocks, FigureBlock(plot)] if plot else blocks


def _task_cells(part: pl.DataFrame, labels: Sequence[str]) -> list[TableCell]:
    decimals = decimals_for(part["value"])
    cells: list[TableCell] = []
    for label in labels:
        value, sd, scores, planned = part.filter(method=label).select("value", "sd", "scores", "planned").row(0)
        spread = "" if sd is None else f" ± {format_number(sd, decimals)}"
        cells.append((f"{format_number(value, decimals)}{spread}", f"{scores}/{planned}"))
    return cells


def _measurements(analysis: Analysis) -> list[Block]:
    table = analysis.tables["measurements"]
    if table.is_empty():
        return []
    columns = (Column("Task"), Column("Measured"), *(Column(label, "number", method=True) for label in analysis.methods))
    rows = []
    for (task, name), part in table.group_by("task", "measurement", maintain_order=True):
        decimals = decimals_for(part["mean"])
        found = {label: (mean, sd, n) for label, mean, sd, n in part.select("method", "mean", "sd", "runs").rows()}
        cells = [_measurement_cell(*found[label], decimals) if label in found else NO_VALUE for label in analysis.methods]
        rows.append((str(task), str(name), *cells))
    caption = "What the tasks measure beside the return, at the last evaluation: mean ± standard deviation over seeds."
    return [ReportTable(caption, columns, tuple(rows))]


def _measurement_cell(mean: float, sd: float | None, runs: int, decimals: int) -> TableCell:
    spread = "" if sd is None else f" ± {format_number(sd, decimals)}"
    return f"{format_number(mean, decimals)}{spread}", f"n = {runs}"
