"""Every number of a report as tables, for CSV files."""

from __future__ import annotations

import re

import polars as pl

from harness.report.attempts import attempts_table
from harness.report.context import ReportContext, SuiteContext
from harness.runs.output import file_stem
from harness.runs.results import Results

_FORMULA = re.compile(r"\s*[=+@\t\r\n\-＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?")

_SIGNIFICANT_FIGURES = 12  # beyond that lies the processor's rounding


def csv_files(report: ReportContext) -> dict[str, str]:
    """The content of each file, by name."""
    tables = _tables(report.results, report.suites) if report.results else {}
    return {f"{name}.csv": _csv(table) for name, table in (tables | _trials_tables(report)).items()}


def _tables(results: Results, suites: tuple[SuiteContext, ...]) -> dict[str, pl.DataFrame]:
    runs = results.runs.rename({"method": "method_name", "label": "method"}).with_columns(pretraining=False)
    pretraining = results.pretraining.with_columns(method_name="method", pretraining=True)
    columns = ["suite", "task", "method", "seed", "score", "normalised", "score_step", "episodes", "digest", "method_digest"]
    tables = {
        "scores": runs.filter(~pl.col("superseded")).drop_nulls("score").select(columns),
        "runs": pl.concat([runs, pretraining], how="diagonal"),
        "attempts": attempts_table(results),
        "curves_by_seed": _evaluations(results),
    }
    if comparisons := [suite.comparison for suite in suites if suite.comparison]:
        for name, clipped in (("published", False), ("published_clipped", True)):
            tables[name] = pl.concat([comparison.table(clipped=clipped) for comparison in comparisons])
    if changes := [suite.changes.table(suite.analysis.suite) for suite in suites if suite.changes]:
        tables["changes"] = pl.concat(changes)
    analyses = [suite.analysis for suite in suites]
    return tables | {name: pl.concat([analysis.tables[name] for analysis in analyses]) for name in analyses[0].tables}


def _evaluations(results: Results) -> pl.DataFrame:
    """Every evaluation of every run that counts: the curve of each seed."""
    runs = results.runs.filter(~pl.col("superseded")).drop_nulls("folder")
    keys = {"suite": "suite", "task": "task", "label": "method", "seed": "seed"}
    measured = [name for name in results.evaluations.columns if name not in keys.values() and _harmless(name) == name]
    keyed = runs.select(pl.col(name).alias(title) for name, title in keys.items()).with_columns(folder=runs["folder"])
    found = keyed.join(results.evaluations.select(measured), on="folder", how="inner", maintain_order="left_right")
    return found.drop("folder")


def _trials_tables(report: ReportContext) -> dict[str, pl.DataFrame]:
    if not report.studies:
        return {}
    from harness.report.trials import trials_table  # loads Optuna

    records = [study.record for study in report.studies]
    return {f"tuning-{file_stem(record.suite, record.name)}": trials_table(record) for record in records}


def _csv(table: pl.DataFrame) -> str:
    table = table.rename(_harmless).with_columns(pl.col(pl.String).map_elements(_harmless, return_dtype=pl.String))
    return table.with_columns(pl.col(pl.Float64).round_sig_figs(_SIGNIFICANT_FIGURES)).write_csv()


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula; a number that was written as text stays one."""
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
