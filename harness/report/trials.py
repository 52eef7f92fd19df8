"""Trials of a study as rows, for sections and for CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import polars as pl
from optuna.trial import FrozenTrial, TrialState

from harness.report.document import Column, TableCell
from harness.report.wording import NO_VALUE, format_number
from harness.tuning.record import StudyRecord

STATE_NAMES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
}
"""What a report calls the states of trials."""


def study_columns(record: StudyRecord, names: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a table of trials, with the settings ``names`` last."""
    objectives = [Column({"score": "Score", "seconds": "Seconds per run"}[name], "number") for name in record.objectives]
    return (Column("Trial", "number"), Column("State"), *objectives, *(Column(name, "number") for name in names))


def study_rows(record: StudyRecord, trials: Sequence[FrozenTrial], names: Sequence[str]) -> tuple[tuple[TableCell, ...], ...]:
    """A row for each trial, for `study_columns` of the same ``names``."""
    return tuple(
        (
            str(trial.number),
            STATE_NAMES.get(trial.state, trial.state.name.lower()) + (", default" if trial.user_attrs.get("default") else ""),
            *(format_number(value) for value in (trial.values or [None] * len(record.objectives))),
            *(_setting(trial.params[name]) if name in trial.params else NO_VALUE for name in names),
        )
        for trial in trials
    )


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def trials_table(record: StudyRecord) -> pl.DataFrame:
    """Every trial of a study as a row: its state, its objectives, what it took, and its settings."""
    rows: list[dict[str, Any]] = []
    for trial in record.to_optuna_study().trials:
        values = trial.values or [None] * len(record.objectives)
        row: dict[str, Any] = {"trial": trial.number, "state": STATE_NAMES.get(trial.state, trial.state.name.lower())}
        row |= dict(zip(record.objectives, values, strict=True))
        row |= {f"total_{name}": trial.user_attrs.get(name) for name in ("runs", "steps", "seconds")}
        rows.append(row | trial.params)
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> pl.Series:
    """Numbers as numbers, and values of several kinds as text."""
    kinds: set[type] = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) == 1:
        values = [float(value) if float in kinds and value is not None else value for value in values]
        with suppress(pl.exceptions.PolarsError, OverflowError, TypeError):  # such as a number of a hundred digits
            return pl.Series(values, strict=True)
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
