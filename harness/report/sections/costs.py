"""What each method takes: time, memory and energy."""

from __future__ import annotations

import polars as pl

from harness.analysis.cost_tables import relative_times
from harness.report.cells import METHOD
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, Paragraph, ReportTable, Section, TableCell
from harness.report.wording import NO_VALUE, decimals_for, format_count, format_duration, format_number, join_names

_LONG = 20
_GIB, _WATT_HOUR = 2**30, 3600.0

_EXPLANATION = (
    "What finished runs took, as medians over seeds: evaluations, checkpoints and the replay of environments are in the time,"
    " work that was lost with a kill is not. Memory is the most that was seen of a run's process and of those that step its"
    " environments. Runs that shared a machine slowed each other. Numbers are in costs.csv."
)
_ENERGY = (
    " Energy is what all processors of the machine took while a run trained, whatever else they did meanwhile; graphics cards"
    " are not in it."
)


def build(suite: SuiteContext) -> Section | None:
    """Speeds, hours, memory and energy; nothing where no run is finished."""
    analysis = suite.analysis
    table = analysis.tables["costs"]
    if table.is_empty():
        return None
    text = _EXPLANATION + (_ENERGY if table["energy_joules"].count() else "") + _machines(suite)
    blocks: list[Block] = [Paragraph(text), _methods(suite, table), _tasks(table)]
    return Section("Cost", tuple(blocks))


def _machines(suite: SuiteContext) -> str:
    """A sentence on different machines, where times cannot be compared."""
    finished = suite.analysis.current_runs.filter(state="finished").drop_nulls("folder")["folder"]
    facts = [suite.records[folder].provenance for folder in finished]
    machines = sorted({f"{one.get('cpu', 'unknown')}, {one.get('device', 'unknown')}" for one in facts})
    if len(machines) < 2:
        return ""
    kinds = format_count(len(machines), "kind")
    return f" They ran on {kinds} of machines, whose times cannot be compared: {join_names(machines)}."


def _methods(suite: SuiteContext, table: pl.DataFrame) -> ReportTable:
    baseline = suite.analysis.baseline
    relative = relative_times(table, baseline)
    columns = [METHOD, Column("runs", "number"), Column("hours of all runs", "number")]
    columns += [Column(f"time of a step, {baseline} = 1", "number")] if relative else []
    rows: list[tuple[TableCell, ...]] = []
    for label in suite.analysis.methods:
        part = table.filter(method=label)
        if len(part):
            multiple, tasks = relative.get(label, (None, 0))
            runs, hours = int(part["runs"].sum()), float(part["total_seconds"].sum()) / 3600
            cells: list[TableCell] = [label, str(runs), format_number(hours, 2)]
            cells += [(format_number(multiple, 2), format_count(tasks, "task")) if multiple else NO_VALUE] if relative else []
            rows.append(tuple(cells))
    caption = "Hours of all finished runs, and the time of a step beside the baseline's on the same tasks (geometric mean)."
    return ReportTable(caption if relative else "Hours of all finished runs.", tuple(columns), tuple(rows))


def _tasks(table: pl.DataFrame) -> ReportTable:
    with_memory, with_energy = (table[name].count() > 0 for name in ("memory_bytes", "energy_joules"))
    columns = [Column("Task"), METHOD, Column("steps/s", "number"), Column("time of a run", "number")]
    columns += [Column("memory, GiB", "number")] if with_memory else []
    columns += [Column("energy, Wh", "number")] if with_energy else []
    rows: list[tuple[TableCell, ...]] = []
    for row in table.rows(named=True):
        decimals = min(1, decimals_for([row["steps_per_second"]]))
        ends = f"{format_number(row['slowest'], decimals)} to {format_number(row['fastest'], decimals)}"
        speed = format_number(row["steps_per_second"], decimals)
        cells: list[TableCell] = [row["task"], row["method"], (speed, ends) if row["runs"] > 1 else speed]
        cells.append(format_duration(row["seconds"]))
        cells += [_scaled(row["memory_bytes"], _GIB)] if with_memory else []
        cells += [_scaled(row["energy_joules"], _WATT_HOUR)] if with_energy else []
        rows.append(tuple(cells))
    caption = "Speed, with the slowest and the fastest run, and what a run takes, task by task."
    return ReportTable(caption, tuple(columns), tuple(rows), collapsed=len(rows) > _LONG)


def _scaled(value: float | None, unit: float) -> str:
    return NO_VALUE if value is None else format_number(value / unit, 2)
