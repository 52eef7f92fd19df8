"""Run folders as tables, for notebooks and scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from harness.runs.files import read_csv_rows
from harness.runs.folder import RunFolder
from harness.runs.results import RUN_KEY, Results, read_results

if TYPE_CHECKING:
    import pandas as pd


def read_runs(*paths: str | Path) -> pl.DataFrame:
    """One row for each run folder at or below each of ``paths``: what it is, its state and its score.

    Args:
        paths: Results folders, suites in them, or single run folders.

    Returns:
        Columns ``suite``, ``task``, ``label`` (the method's name, and what differs where several configurations share
        it), ``seed``, ``state``, ``superseded`` (another folder holds the same run), ``score`` (mean return of the last
        evaluation, null unless the run finished), ``normalised`` (null where the task has no constants), and what the folder
        says of itself: ``steps``, ``seconds``, ``folder`` and others. A run that was asked for and never began has a row in
        state ``missing``. Pre-training is left out.

    Raises:
        harness.errors.ResultsError: There is no such folder, or no run in it.
    """
    return runs_of(_roots(paths))


def read_evaluations(*paths: str | Path) -> pl.DataFrame:
    """One row for each evaluation of each run: ``step``, ``episodes``, mean ``return``, and what the task measures beside it.

    Args:
        paths: Where the runs lie, see `read_runs`.

    Returns:
        A table that begins with the columns ``suite``, ``task``, ``label`` and ``seed``; the last is ``folder``. Steps,
        episodes and seeds are int64 and never null; the return and whatever a task measures are float64, null where a task
        does not measure it.

    Raises:
        harness.errors.ResultsError: See `read_runs`.
    """
    return evaluations_of(_roots(paths))


def read_progress(*paths: str | Path) -> pl.DataFrame:
    """One row for each row of each run's log of training, numbers as float64, null where a run does not log something.

    Args:
        paths: Where the runs lie, see `read_runs`.

    Returns:
        A table that begins with the columns ``suite``, ``task``, ``label`` and ``seed``; the last is ``folder``. What is
        logged under one of these names has " (measured)" behind it.

    Raises:
        harness.errors.ResultsError: See `read_runs`.
    """
    return progress_of(_roots(paths))


def to_pandas(table: pl.DataFrame) -> pd.DataFrame:
    """A table of these functions for pandas; needs no pyarrow, as polars' own conversion does.

    Args:
        table: A table of text, whole numbers, numbers and truth values.

    Returns:
        All rows and columns of ``table``. Missing text is ``None``, a missing number NaN; whole numbers of which some are
            missing are of pandas' type ``Int64``, truth values ``boolean``.
    """
    import pandas as pd

    return pd.DataFrame({name: pd.Series(_values(table[name]), dtype=_pandas_type(table[name])) for name in table.columns})


def runs_of(roots: Iterable[Path | RunFolder]) -> pl.DataFrame:
    """The table of `read_runs`, of folders or of single runs, which need not have begun."""
    return read_results(roots).runs


def evaluations_of(roots: Iterable[Path | RunFolder]) -> pl.DataFrame:
    """The table of `read_evaluations`, of folders or of single runs."""
    results = read_results(roots)
    return _keyed(results, results.evaluations)


def progress_of(roots: Iterable[Path | RunFolder]) -> pl.DataFrame:
    """The table of `read_progress`, of folders or of single runs."""
    results = read_results(roots)
    logs = [pl.DataFrame(schema={"folder": pl.String})]
    for folder in results.runs["folder"].drop_nulls():
        header, rows = read_csv_rows(Path(folder) / "progress.csv")
        table = pl.DataFrame({name: [row[name] for row in rows] for name in header}, schema=dict.fromkeys(header, pl.String))
        numbers = table.with_columns(pl.all().cast(pl.Float64, strict=False))
        logs.append(numbers.with_columns(pl.lit(folder).alias("folder")))
    return _keyed(results, pl.concat(logs, how="diagonal"))


def _roots(paths: Sequence[str | Path]) -> list[Path]:
    return [Path(path) for path in paths or ["results"]]


def _keyed(results: Results, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of runs that can have a score, with what says which run they are of."""
    keys = results.runs.drop_nulls("folder").select(*RUN_KEY, "folder")
    table = table.rename({name: f"{name} (measured)" for name in table.columns if name in RUN_KEY})
    others = [name for name in table.columns if name != "folder"]
    return keys.join(table, on="folder", how="inner", maintain_order="left_right").select(*RUN_KEY, *others, "folder")


def _values(column: pl.Series) -> list[Any]:
    values = column.to_list()
    return [math.nan if value is None else value for value in values] if column.dtype.is_float() else values


def _pandas_type(column: pl.Series) -> str:
    if column.dtype.is_float():
        return "float64"
    if column.dtype.is_integer():
        return "Int64" if column.null_count() else "int64"
    if column.dtype == pl.Boolean:
        return "boolean" if column.null_count() else "bool"
    return "object"
