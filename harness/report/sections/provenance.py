"""Where and how the runs were trained."""

from __future__ import annotations

import shlex
from pathlib import Path

import polars as pl

from harness.analysis.tables import Analysis
from harness.report.cells import comparison_rows, flatten
from harness.report.context import RunRecords, SuiteContext
from harness.report.document import Block, CodeBlock, Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import format_count, format_duration, join_names
from harness.runs.recorded import recorded_suites


def build(suite: SuiteContext) -> Section:
    """Commands, versions and machines, as the runs recorded them."""
    analysis, records = suite.analysis, suite.records
    read = analysis.current_runs.drop_nulls("folder")
    found = [dict(records[folder].provenance) for folder in read["folder"]]
    commands = sorted({str(facts.pop("command")) for facts in found if facts.get("command")})
    flat = [{key: value for key, value in flatten(facts) if value != "null"} for facts in found]
    rows: list[tuple[TableCell, ...]] = []
    for key in dict.fromkeys(key for facts in flat for key in facts):
        values = [facts.get(key, "not recorded") for facts in flat]
        distinct = sorted(set(values), key=lambda value: (-values.count(value), value))
        counted = (
            distinct if len(distinct) == 1 else [f"{value} ({format_count(values.count(value), 'run')})" for value in distinct]
        )
        rows.append((key, join_names(counted, most=6)))
    seconds = float(read["seconds"].sum())  # 0 where nobody wrote down how long they took
    took = f"{format_duration(seconds)} of training in " if seconds else ""
    effort = f"{took}{join_names(_attempts(read))}." if len(read) else ""
    blocks: list[Block] = [Paragraph(f"As recorded by the runs themselves. {effort}")]
    if commands:
        blocks += [Paragraph("The command that repeats them, run from the same place; finished runs are not run again:")]
        blocks += [CodeBlock("\n".join(commands))]
    else:
        blocks += [Paragraph("The command that started the runs was not recorded.")]
    if suites := list(map(str, recorded_suites(map(Path, read["folder"])))):
        intro = "The suites as they were resolved, with every option, lie beside the results and repeat them by themselves:"
        blocks += [Paragraph(intro), CodeBlock("\n".join(f"harness run {shlex.quote(file)}" for file in suites))]
    attempts = "Command, commit, versions and machine of each run, attempt by attempt, are in attempts.csv (--format csv)."
    blocks += [Paragraph(attempts)]
    environments = _environments(analysis, records)
    return Section(
        "Provenance",
        (
            *blocks,
            ReportTable("Versions and machines.", (Column("Fact"), Column("Value")), tuple(rows)),
            environments,
        ),
    )


def _attempts(read: pl.DataFrame) -> list[str]:
    resumed = read.filter(pl.col("attempts") > 1).height
    return [format_count(len(read), "run"), *([f"{resumed} of them resumed at least once"] if resumed else [])]


def _environments(analysis: Analysis, records: RunRecords) -> ReportTable:
    settings: dict[str, dict[str, str]] = {}
    for task, folder in analysis.current_runs.drop_nulls("folder").select("task", "folder").rows():
        environment = records[folder].spec.environment
        settings.setdefault(task, dict(flatten({"family": environment.family, **environment.config})))
    heads = (Column("Setting"), *(Column(task) for task in settings))
    return ReportTable("Environment settings of each task.", heads, comparison_rows(settings), collapsed=True)
