"""How bonuses went over training."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from harness.analysis.bonus_tables import BONUS_MEAN, BONUS_SPREAD, CLIPPED, N_POINTS, NORMALISERS
from harness.errors import shorten
from harness.report.cells import METHOD
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, FigureBlock, Paragraph, ReportTable, Section, TableCell
from harness.report.drawing import Plot
from harness.report.training_plots import curve_panel, present_methods, shows_something
from harness.report.wording import format_significant

_MOST_PANELS = 12
_LONGEST_TITLE = 40
_FIRST, _LAST = 0.1, 0.9

_EXPLANATION = (
    "What the log says of bonuses during training, as means over seeds with the smallest and the largest seed as a band. A"
    " bonus that vanishes early no longer explores, one that does not vanish may chase what cannot be learned; one whose"
    " spread is small beside its mean tells states hardly apart. Bonuses of different methods have no common unit, so each is"
    " drawn as a multiple of its own mean over the first tenth of training. In a sum they are those that were added to the"
    " reward; with a critic of their own they are taken before they are normalised; off-policy they are those of sampled"
    " batches. Numbers are in bonuses.csv."
)


def build(suite: SuiteContext) -> Section | None:
    """A table and charts; nothing where no run of the suite has a bonus that was logged."""
    table = suite.analysis.tables["bonuses"]
    if table.is_empty():
        return None
    blocks: list[Block] = [Paragraph(_EXPLANATION), _summary(table)]
    for name, title, axis, part in _figures(table):
        drawn = [(task, one) for (task,), one in part.group_by("task", maintain_order=True) if shows_something(one)]
        panels = tuple(
            curve_panel(shorten(str(task), _LONGEST_TITLE), one, suite.styles, axis, ends=("min", "max"), by_factors=True)
            for task, one in drawn[:_MOST_PANELS]
        )
        if panels:
            shown = pl.concat([one for _, one in drawn])
            legend = {label: suite.styles[label] for label in present_methods(shown, suite.styles)}
            more = f", of the first {_MOST_PANELS} of {len(drawn)} tasks" if len(drawn) > _MOST_PANELS else ""
            blocks.append(FigureBlock(Plot(suite.plots.file_name(name), f"{title}{more}", panels, legend)))
    return Section("What the bonus did", tuple(blocks))


def _figures(table: pl.DataFrame) -> Iterator[tuple[str, str, str, pl.DataFrame]]:
    """The name, the title, the axis and the numbers of each figure."""
    yield "bonus-decay", "Mean bonus, as a multiple of its mean over the first tenth", "multiple", _relative(table, BONUS_MEAN)
    yield "bonus-spread", "Standard deviation of bonuses, as a multiple of their mean", "multiple", _spread(table)
    clipped = table.filter(pl.col("quantity").str.ends_with(CLIPPED) & pl.col("max").is_not_null())
    if (clipped["max"] > 0).any():
        yield "bonus-clipped", "Share of the bonus that a bound cut off", "share", _one_each(clipped)
    normalisers = table.filter(pl.col("quantity").is_in(NORMALISERS))
    parts = [_relative(normalisers, name) for name in normalisers["quantity"].unique(maintain_order=True)]
    if parts:
        title = "What bonuses are divided by, as a multiple of its mean over the first tenth"
        yield "bonus-normaliser", title, "multiple", _one_each(pl.concat(parts))


def _one_each(table: pl.DataFrame) -> pl.DataFrame:
    """The numbers with one quantity for each method and task: members of a mixture have one each, and the first is shown."""
    first = table.group_by("task", "method", maintain_order=True).agg(pl.col("quantity").first())
    return table.join(first, on=["task", "method", "quantity"], how="semi", maintain_order="left")


def _relative(table: pl.DataFrame, quantity: str) -> pl.DataFrame:
    """Numbers over their mean in the first tenth; without methods that have none above 0 there."""
    part = _with_share(table.filter(quantity=quantity))
    keys = ["task", "method"]
    first = part.filter(pl.col("share") <= _FIRST + 0.5 / N_POINTS).group_by(keys).agg(pl.col("value").mean().alias("first"))
    joined = part.join(first.filter(pl.col("first") > 0), on=keys, how="inner", maintain_order="left")
    return joined.with_columns(pl.col("value", "min", "max") / pl.col("first"))


def _spread(table: pl.DataFrame) -> pl.DataFrame:
    means, spreads = (table.filter(quantity=name) for name in (BONUS_MEAN, BONUS_SPREAD))
    keys = ["task", "method", "step"]
    joined = spreads.join(means.select(*keys, pl.col("value").alias("mean")), on=keys, how="inner", maintain_order="left")
    return joined.filter(pl.col("mean") > 0).with_columns(pl.col("value", "min", "max") / pl.col("mean"))


def _with_share(table: pl.DataFrame) -> pl.DataFrame:
    """With the share of training that each step is, of the longest curve of its task and method."""
    return table.with_columns((pl.col("step") / pl.col("step").max().over("task", "method")).alias("share"))


def _summary(table: pl.DataFrame) -> ReportTable:
    columns = (Column("Task"), METHOD, *(Column(title, "number") for title in _COLUMNS))
    rows: list[tuple[TableCell, ...]] = []
    for (task, method), part in table.group_by("task", "method", maintain_order=True):
        shared = _with_share(part)
        ends = [
            _means(shared.filter(pl.col("share") <= _FIRST + 0.5 / N_POINTS)),
            _means(shared.filter(pl.col("share") > _LAST)),
        ]
        rows.append((str(task), str(method), *_cells(*ends), f"{part['runs'].max()}"))
    return ReportTable("Bonuses over the first and the last tenth of training, mean over seeds.", columns, tuple(rows))


_COLUMNS = (
    "bonus, first tenth",
    "bonus, last tenth",
    "last over first",
    "deviation over mean, first",
    "deviation over mean, last",
    "cut off, first",
    "cut off, last",
    "divided by, first",
    "divided by, last",
    "runs",
)


def _means(part: pl.DataFrame) -> dict[str, float]:
    rows = part.group_by("quantity", maintain_order=True).agg(pl.col("value").mean()).rows()
    return {str(name): float(value) for name, value in rows if value is not None}


def _cells(first: dict[str, float], last: dict[str, float]) -> tuple[TableCell, ...]:
    before, after = first.get(BONUS_MEAN), last.get(BONUS_MEAN)
    cells = [format_significant(before), format_significant(after), format_significant(_ratio(after, before))]
    cells += [format_significant(_ratio(end.get(BONUS_SPREAD), end.get(BONUS_MEAN))) for end in (first, last)]
    cells += [format_significant(_named(end, (CLIPPED,))) for end in (first, last)]
    cells += [format_significant(_named(end, NORMALISERS)) for end in (first, last)]
    return tuple(cells)


def _named(values: dict[str, float], names: tuple[str, ...]) -> float | None:
    return next((value for name, value in values.items() if name.endswith(names)), None)


def _ratio(value: float | None, by: float | None) -> float | None:
    return None if value is None or not by else value / by
