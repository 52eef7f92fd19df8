"""The sections about a study: what was searched and found, what was left of it on fresh seeds, and Optuna's own figures."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import optuna
import polars as pl
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as figures

from harness.report.document import (
    Block,
    BulletList,
    CodeBlock,
    Column,
    FigureBlock,
    Paragraph,
    ReportSection,
    ReportTable,
    TableCell,
)
from harness.report.drawing import ExternalPlot
from harness.report.wording import NO_VALUE, format_count, format_interval, format_number, join_names
from harness.tuning.confirm import compare, verdict
from harness.tuning.record import StudyRecord

_MIN_TRIALS_FOR_IMPORTANCE = 4
_MAX_SHOWN = 10
_STATE_NAMES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
}


def tuning_sections(record: StudyRecord) -> list[ReportSection]:
    """Everything about one study."""
    study = record.to_optuna_study()
    title = f"Tuning of {record.method} in suite {record.suite}"
    sections = [
        ReportSection(title, tuple(_overview(record, study)), level=2),
        ReportSection("Confirmation", tuple(_confirmation(record))),
        ReportSection("Trials", tuple(_trials(record, study))),
        ReportSection("Search", tuple(_figures(record, study))),
    ]
    return [section for section in sections if section.blocks]


def _overview(record: StudyRecord, study: optuna.Study) -> list[Block]:
    counts = Counter(trial.state for trial in study.trials)
    states = [f"{n} {_STATE_NAMES.get(state, state.name.lower())}" for state, n in counts.items()]
    tasks = list(record.definition["tasks"])  # type: ignore[arg-type]
    options = record.options
    metric = {"iqm": "interquartile mean (IQM)", "mean": "mean"}[options["metric"]]
    text = (
        f"Study {record.name}: {format_count(len(study.trials), 'trial')} ({join_names(states)}) by sampler"
        f" {options['sampler']}, pruner"
        f" {options['pruner']}. A trial's score is the {metric} of normalised scores over"
        f" {format_count(len(tasks), 'task')} and"
        f" {format_count(options['seeds'], 'seed')} that belong to tuning alone: no evaluation uses them,"
        f" nor the environment seeds"
        " that follow from them."
    )
    blocks: list[Block] = [Paragraph(text)]
    if len(record.objectives) > 1:
        blocks.append(
            Paragraph(
                "The second objective is the training time of a run in seconds, as measured: it varies with the machine."
            )
        )
    compared = compare(record.name, options["metric"], record.confirmations())
    if compared:
        blocks.append(BulletList((verdict(compared),)))
    else:
        best = max((trial.values[0] for trial in study.trials if trial.state == TrialState.COMPLETE), default=None)
        if best is not None:
            message = (
                f"The best score, {best:.3f}, is the highest of many and so too high: nothing was run again on fresh seeds."
            )
            blocks.append(BulletList((message,), warning=True))
    errors = [
        f"Trial {t.number} failed: {t.user_attrs.get('error', 'no reason recorded')}" for t in study.trials if _failed(t)
    ]
    if errors:
        blocks.append(BulletList(tuple(errors[:_MAX_SHOWN]), warning=True))
    return blocks


def _confirmation(record: StudyRecord) -> list[Block]:
    compared = compare(record.name, record.options["metric"], record.confirmations())
    if not compared:
        return []
    columns = (
        Column("Settings"),
        Column("Tuned score", "number"),
        Column("Confirmed score", "number"),
        Column("Drop", "number"),
        Column("Better than default", "number"),
        Column("Runs", "number"),
    )
    rows = []
    for one in compared:
        better = one.improvement
        rows.append(
            (
                one.confirmation.label,
                format_number(one.confirmation.tuned),
                (format_number(one.score.value), format_interval(one.score.low, one.score.high)),
                format_number(one.drop),
                (format_number(better.value, 2), format_interval(better.low, better.high, 2)) if better else NO_VALUE,
                str(len(one.confirmation.scores)),
            )
        )
    caption = (
        "The best trials and the suite's own settings, run again on fresh seeds. The tuned score is the highest of many and so"
        " too high; the drop is what of it was luck. Better than default: the chance that a run scores more than one with the"
        " suite's own settings on the same task, with its 95 % interval."
    )
    return [ReportTable(caption, columns, tuple(rows))]


# --------------------------------------------------------------------------------------------------------------------
# Trials
# --------------------------------------------------------------------------------------------------------------------
def _trials(record: StudyRecord, study: optuna.Study) -> list[Block]:
    names = list(dict.fromkeys(name for trial in study.trials for name in trial.params))
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    by_score = sorted(complete, key=lambda trial: (-trial.values[0], trial.number))
    blocks: list[Block] = []
    if len(record.objectives) > 1 and complete:
        front = sorted(study.best_trials, key=lambda trial: trial.values)
        caption = "The Pareto front: no other trial has both a higher score and a lower cost."
        blocks.append(ReportTable(caption, _columns(record, names), _rows(record, front, names)))
    if by_score:
        blocks.append(ReportTable("The best trials.", _columns(record, names), _rows(record, by_score[:_MAX_SHOWN], names)))
    blocks.append(ReportTable("Every trial.", _columns(record, names), _rows(record, study.trials, names), collapsed=True))
    space = tuple((str(p["name"]), _range(p), _condition(p)) for p in record.definition["space"])  # type: ignore[union-attr, index]
    blocks.append(
        ReportTable("What was searched.", (Column("Setting"), Column("Range"), Column("Only while")), space, collapsed=True)
    )
    blocks += [Paragraph("To look inside the study:"), CodeBlock(f"optuna-dashboard {record.storage}")]
    return blocks


def _columns(record: StudyRecord, names: Sequence[str]) -> tuple[Column, ...]:
    objectives = [Column({"score": "Score", "seconds": "Seconds per run"}[name], "number") for name in record.objectives]
    return (Column("Trial", "number"), Column("State"), *objectives, *(Column(name, "number") for name in names))


def _rows(record: StudyRecord, trials: Sequence[FrozenTrial], names: Sequence[str]) -> tuple[tuple[TableCell, ...], ...]:
    return tuple(
        (
            str(trial.number),
            _STATE_NAMES.get(trial.state, trial.state.name.lower()) + (", default" if trial.user_attrs.get("default") else ""),
            *(format_number(value) for value in (trial.values or [None] * len(record.objectives))),
            *(_setting(trial.params[name]) if name in trial.params else NO_VALUE for name in names),
        )
        for trial in trials
    )


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _range(parameter: Any) -> str:
    if parameter["scale"] == "choices":
        return join_names([str(choice) for choice in parameter["range"]], most=20)
    low, high = parameter["range"]
    return f"{low:g} to {high:g}{', logarithmic' if parameter['scale'] == 'log' else ''}"


def _condition(parameter: Any) -> str:
    return f"{parameter['when'][0]} is {' or '.join(map(str, parameter['when'][1:]))}" if parameter["when"] else ""


def _failed(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.FAIL


def trials_table(record: StudyRecord) -> pl.DataFrame:
    """Every trial of a study as a row: its state, its objectives, what it took, and its settings."""
    rows = []
    for trial in record.to_optuna_study().trials:
        values = trial.values or [None] * len(record.objectives)
        row: dict[str, Any] = {"trial": trial.number, "state": _STATE_NAMES.get(trial.state, trial.state.name.lower())}
        row |= dict(zip(record.objectives, values, strict=True))
        row |= {f"total_{name}": trial.user_attrs.get(name) for name in ("runs", "steps", "seconds")}
        rows.append(row | trial.params)
    return pl.DataFrame(rows, infer_schema_length=None)


# --------------------------------------------------------------------------------------------------------------------
# Figures
# --------------------------------------------------------------------------------------------------------------------
def _figures(record: StudyRecord, study: optuna.Study) -> list[Block]:
    """Optuna's own; those that need more trials than there are, are left out."""
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    if not complete:
        return []
    several = len(record.objectives) > 1
    target: dict[str, Any] = {"target": _score, "target_name": "score"} if several else {"target_name": "score"}
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{record.suite}-{record.name}")
    blocks: list[Block] = [Paragraph("History: every trial, and the best so far.")]
    blocks.append(
        _figure(f"{stem}-history", "Optimisation history", lambda: figures.plot_optimization_history(study, **target))
    )
    if several:
        names = ["score", "seconds per run"]
        blocks.append(_figure(f"{stem}-pareto", "Pareto front", lambda: figures.plot_pareto_front(study, target_names=names)))
    if len(complete) >= _MIN_TRIALS_FOR_IMPORTANCE and len({trial.values[0] for trial in complete}) > 1:
        blocks.append(
            Paragraph(
                "Importances (PED-ANOVA): how much of the difference between good trials and the others each setting accounts"
                " for; with few trials, a rough guess."
            )
        )
        blocks.append(_figure(f"{stem}-importances", "Importances", lambda: figures.plot_param_importances(study, **target)))
    names = sorted({name for trial in complete for name in trial.params})
    if names:
        blocks.append(Paragraph("Parallel coordinates: every complete trial is a line; the darker, the better."))
        parallel = lambda: figures.plot_parallel_coordinate(study, **target)  # noqa: E731
        size = (max(6.4, 1.1 * len(names) + 2), 4.4)
        blocks.append(_figure(f"{stem}-parallel", "Parallel coordinates", parallel, size))
        blocks.append(Paragraph("Slices: the score over each setting; the darker, the later."))
        blocks.append(FigureBlock(_slices(study, names, target, f"{stem}-slices")))
    return blocks


def _score(trial: FrozenTrial) -> float:
    return trial.values[0]


def _figure(name: str, title: str, draw: Callable[[], Any], size: tuple[float, float] = (6.4, 3.4)) -> FigureBlock:
    make = _figure_factory(draw)
    return FigureBlock(ExternalPlot(name, title, (make,), make, size, size))


def _slices(study: optuna.Study, names: Sequence[str], target: dict[str, Any], stem: str) -> ExternalPlot:
    panels = tuple(_figure_factory(lambda name=name: figures.plot_slice(study, params=[name], **target)) for name in names)
    whole = _figure_factory(lambda: figures.plot_slice(study, params=list(names), **target))
    return ExternalPlot(stem, "Slices", panels, whole, (3.7, 2.9), (max(3.0 * len(names), 3.7), 3.2))


def _figure_factory(draw: Callable[[], Any]) -> Callable[[], Figure]:
    """A function that makes the figure, whatever Optuna returns for it, and says nothing beside."""

    def make() -> Figure:
        from matplotlib import pyplot

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            draw()
        return pyplot.gcf()

    return make
