"""The trials of a study."""

from __future__ import annotations

import shlex
from typing import Any, cast

from optuna.trial import TrialState

from harness.report.context import StudyContext
from harness.report.document import Block, CodeBlock, Column, Paragraph, ReportTable, Section
from harness.report.trials import study_columns, study_rows
from harness.report.wording import join_names

_MAX_SHOWN = 10


def build(study: StudyContext) -> Section:
    """The best trials, every trial, and the ranges that were searched."""
    record = study.record
    optuna_study = record.to_optuna_study()
    names = list(dict.fromkeys(name for trial in optuna_study.trials for name in trial.params))
    complete = [trial for trial in optuna_study.trials if trial.state == TrialState.COMPLETE]
    by_score = sorted(complete, key=lambda trial: (-trial.values[0], trial.number))
    blocks: list[Block] = []
    if len(record.objectives) > 1 and complete:
        front = sorted(optuna_study.best_trials, key=lambda trial: trial.values)
        caption = "The Pareto front: no other trial has both a higher score and a lower cost."
        blocks.append(ReportTable(caption, study_columns(record, names), study_rows(record, front, names)))
    if by_score:
        blocks.append(
            ReportTable("The best trials.", study_columns(record, names), study_rows(record, by_score[:_MAX_SHOWN], names))
        )
    blocks.append(
        ReportTable(
            "Every trial.", study_columns(record, names), study_rows(record, optuna_study.trials, names), collapsed=True
        )
    )
    parameters = cast(list[dict[str, Any]], record.definition["space"])
    space = tuple((str(p["name"]), _range(p), _condition(p)) for p in parameters)
    blocks.append(
        ReportTable("What was searched.", (Column("Setting"), Column("Range"), Column("Only while")), space, collapsed=True)
    )
    blocks += [Paragraph("To look inside the study:"), CodeBlock(shlex.join(["optuna-dashboard", record.storage]))]
    return Section("Trials", tuple(blocks))


def _range(parameter: Any) -> str:
    if parameter["scale"] == "choices":
        return join_names([str(choice) for choice in parameter["range"]], most=20)
    low, high = parameter["range"]
    return f"{low:g} to {high:g}{', logarithmic' if parameter['scale'] == 'log' else ''}"


def _condition(parameter: Any) -> str:
    return f"{parameter['when'][0]} is {' or '.join(map(str, parameter['when'][1:]))}" if parameter["when"] else ""
