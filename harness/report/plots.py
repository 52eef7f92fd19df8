"""What each figure shows: from the tables of an analysis to panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.analysis.parts import parts_of
from harness.analysis.tables import Analysis
from harness.errors import shorten
from harness.report.descriptions import describe_curves, describe_intervals, describe_profiles
from harness.report.drawing import TEXT_COLOUR, Panel, Plot, Style, method_styles
from harness.report.lines import draw_band, draw_line, limits_at_the_end, set_steps_axis
from harness.report.phases import PhaseBoundaries
from harness.report.seed_curves import SeedCurves
from harness.runs.output import file_stem

METRIC_TITLES = {
    "iqm": "IQM (higher is better)",
    "median": "Median (higher is better)",
    "mean": "Mean (higher is better)",
    "optimality_gap": "Optimality gap (lower is better)",
}

_WIDE = (5.4, 3.2)
_NORMALISED = (0.0, 1.0)
_BOUNDARY = (0, (1, 2.5))
_LONGEST_LABEL = 40  # characters of a legend or a title; longer ones are cut
_LABEL_LINE = 20  # characters of a line on an axis, of which there are two; more would leave no room for what is drawn
_MIN_SPAN = 0.1  # of the way from the score that counts as 0 to the one that counts as 1


class SuitePlots:
    """The figures of one suite; a method gives ``None`` when there is nothing to draw.

    Args:
        analysis: The suite's numbers.
        marks: A mark to set behind a method's label where its aggregate covers fewer tasks than the others'.
        boundaries: Where phases change, to be marked on curves.
        seeds: The curves of single seeds, to be drawn below those of tasks; ``None`` where they are not asked for.
    """

    def __init__(
        self,
        analysis: Analysis,
        marks: Mapping[str, str],
        boundaries: PhaseBoundaries | None = None,
        seeds: SeedCurves | None = None,
    ) -> None:
        self.analysis, self.marks, self.boundaries, self.seeds = analysis, marks, boundaries or {}, seeds
        looks = method_styles(analysis.methods, analysis.baseline)
        self.styles = {label: looks[label] for label in analysis.methods}
        """How methods are drawn, in the order in which they stand everywhere."""

    def file_name(self, name: str) -> str:
        """The stem of a figure's files, for a ``name`` that no other figure of the suite has."""
        return f"{file_stem(self.analysis.suite)}-{name}"

    def aggregates(self) -> Plot | None:
        """Every aggregate score with its interval."""
        table = self.analysis.tables["aggregates"]
        labels = table["method"].unique(maintain_order=True).to_list()
        if not labels:
            return None
        panels = tuple(
            self._interval_panel(title, table.filter(metric=metric), labels, "normalised score")
            for metric, title in METRIC_TITLES.items()
        )
        return self._plot("aggregates", "Aggregate scores with 95 % intervals", panels)

    def improvement(self) -> Plot | None:
        """The probability of improvement over the baseline."""
        table = self.analysis.tables["improvement"].filter(pl.col("task").is_null())
        labels = table["method"].to_list()
        if not table["low"].count():  # single values at 0, a half or 1, which the table holds
            return None
        name = f"P(method > {self.analysis.baseline})"
        panel = self._interval_panel("Probability of improvement", table, labels, name, is_probability=True)
        return self._plot("improvement", f"{name} with 95 % intervals", (panel,))

    def profiles(self) -> Plot | None:
        """The fraction of runs above each score."""
        table, runs = self.analysis.tables["profiles"], self.analysis.tables["aggregates"]["runs"]
        if table.is_empty() or all(count < 2 for count in runs):
            return None

        parts = self._by_method(table)

        def draw(axes: Axes) -> None:
            for label, part in parts:
                draw_line(axes, self.styles[label], part, "threshold", drawstyle="steps-post")
                draw_band(axes, self.styles[label], part, "threshold", step="post")
            axes.set(xlabel="normalised score τ", ylabel="fraction of runs above τ", ylim=(0, 1.02))
            axes.margins(x=0.01)

        panel = Panel("Performance profile", draw, _WIDE, describe_profiles(table), scalable=True)
        title = "Performance profiles with 95 % bands"
        return self._plot("profiles", title, (panel,), {self._marked_label(x): x for x in self._labels(table)})

    def efficiency(self) -> Plot | None:
        """The IQM over training."""
        table = self.analysis.tables["curves"].filter(pl.col("task").is_null())
        if _why_no_curve(table):
            return None
        draw = self._curves(table, "IQM of normalised scores", self.analysis.usable_tasks, _NORMALISED)
        legend = {self._marked_label(label): label for label in self._labels(table)}
        title = "IQM of normalised scores over steps, with 95 % bands"
        panel = Panel("Sample efficiency", draw, _WIDE, describe_curves(table), scalable=True)
        return self._plot("efficiency", title, (panel,), legend)

    def task_curves(self) -> Plot | None:
        """The learning curve of each task that has one to show; see `tasks_without_curves`."""
        table = self.analysis.tables["curves"].drop_nulls("task")
        without = self.tasks_without_curves()
        parts = {task: part for (task,), part in parts_of(table, "task").items() if task not in without}
        if not parts:
            return None
        usable = self.analysis.tasks.filter("usable")
        scales = {task: (low, high) for task, low, high in usable.select("task", "low", "high").rows()}
        panels = tuple(
            Panel(
                shorten(task, _LONGEST_LABEL),
                self._curves(part, "mean return", [task], scales.get(task, (0.0, 0.0)), self.seeds),
                description=describe_curves(part),
                scalable=True,
            )
            for task, part in parts.items()
        )
        legend = {label: label for label in self._labels(table)}
        where = "each task" if len(parts) > 1 else next(iter(parts))  # whose panel has no title on the page, since it is alone
        title = f"Mean return over steps on {where}, with 95 % bands{' and each seed' if self.seeds else ''}"
        return self._plot("curves", title, panels, legend)

    def tasks_without_curves(self) -> dict[str, str]:
        """Why no curve is drawn, by task: a panel that shows nothing is not drawn."""
        table = self.analysis.tables["curves"].drop_nulls("task")
        return {task: why for (task,), part in parts_of(table, "task").items() if (why := _why_no_curve(part))}

    # ----------------------------------------------------------------------------------------------------------------
    def _plot(self, name: str, title: str, panels: tuple[Panel, ...], legend: Mapping[str, str] | None = None) -> Plot:
        """``legend`` maps what it says to labels; without one, the panels name the methods on their vertical axes."""
        styles = {text: self.styles[label] for text, label in (legend or {}).items()}
        return Plot(self.file_name(name), title, panels, styles, shared_rows=legend is None)

    def _marked_label(self, label: str) -> str:
        return shorten(label, _LONGEST_LABEL) + self.marks.get(label, "")

    def _axis_label(self, label: str) -> str:
        """A method's label in at most two lines."""
        first, rest = label[:_LABEL_LINE], label[_LABEL_LINE:]
        if rest and (cut := max(first.rfind(mark) for mark in " _-/·") + 1) > _LABEL_LINE // 2:
            first, rest = label[:cut], label[cut:]
        lines = [first.rstrip(), shorten(rest, _LABEL_LINE)] if rest else [first]
        return "\n".join(lines) + self.marks.get(label, "")

    def _labels(self, table: pl.DataFrame) -> list[str]:
        present = set(table["method"])
        return [label for label in self.analysis.methods if label in present]

    def _by_method(self, table: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
        """The baseline comes last, for the others are drawn over each other less."""
        parts = parts_of(table, "method")
        return [(label, parts[label,]) for label in reversed(self._labels(table))]

    def _interval_panel(
        self, title: str, table: pl.DataFrame, labels: Sequence[str], axis: str, *, is_probability: bool = False
    ) -> Panel:
        def draw(axes: Axes) -> None:
            axes.use_sticky_edges = False  # or a bar that ends at 1 would end the axis just before its last number
            for i, label in enumerate(labels):
                value, low, high = table.filter(method=label).select("value", "low", "high").row(0)
                _interval(axes, i, (value, low, high), self.styles[label])
            axes.set_yticks(range(len(labels)), [self._axis_label(label) for label in labels], linespacing=0.95)
            axes.set(ylim=(len(labels) - 0.4, -0.6), xlabel=axis)
            axes.grid(visible=False, axis="y")
            axes.spines["left"].set_visible(False)
            axes.tick_params(axis="y", length=0)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            if is_probability:
                axes.set_xlim(0, 1)
                axes.axvline(0.5, color=TEXT_COLOUR, linewidth=0.9, linestyle="--")
            else:
                _set_limits(axes, "x", _NORMALISED)

        return Panel(title, draw, (3.7, 0.75 + 0.34 * len(labels)), describe_intervals(table), scalable=True)

    def _curves(
        self,
        table: pl.DataFrame,
        axis: str,
        tasks: Sequence[str],
        scale: tuple[float, float] = (0.0, 0.0),
        seeds: SeedCurves | None = None,
    ) -> Callable[[Axes], None]:
        complete = parts_of(table.filter(pl.col("runs") == pl.col("of_runs")), "method")
        parts = [(label, part, complete.get((label,), part.clear())) for label, part in self._by_method(table)]
        steps_label = self._steps_label(tasks)

        def draw(axes: Axes) -> None:
            with limits_at_the_end(axes):
                for label, *points in parts:
                    if seeds is not None:
                        seeds.draw(axes, self.styles[label], tasks[0], label)
                    self._curve(axes, label, *points)
                    for step in sorted({step for task in tasks for step in self.boundaries.get((label, task), ())}):
                        axes.axvline(step, color=self.styles[label].colour, linewidth=0.9, linestyle=_BOUNDARY)
            set_steps_axis(axes, steps_label)
            axes.set_ylabel(axis)
            _set_limits(axes, "y", scale)

        return draw

    def _steps_label(self, tasks: Sequence[str]) -> str:
        frames = self.analysis.tasks.filter(pl.col("task").is_in(tasks))["frames_per_step"].unique().to_list()
        return f"steps of {frames[0]} frames" if len(frames) == 1 and (frames[0] or 1) > 1 else "steps"

    def _curve(self, axes: Axes, label: str, part: pl.DataFrame, complete: pl.DataFrame) -> None:
        """Solid where all of a method's runs have arrived (one stretch of steps), dotted elsewhere, with its band."""
        style = self.styles[label]
        axes.plot(part["step"], part["value"], color=style.colour, linewidth=1.2, linestyle=(0, (1, 1.5)))
        draw_line(axes, style, complete, "step", marker="o" if len(complete) == 1 else None, markersize=3)
        draw_band(axes, style, part, "step")


def _why_no_curve(points: pl.DataFrame) -> str:
    """Why curves through these points would show nothing; empty where they show something."""
    if points["step"].n_unique() < 2:
        return "there is one evaluation"
    if points["value"].n_unique() < 2:
        return f"every evaluation gave {points['value'][0]:g}"
    return ""


def _interval(axes: Axes, row: int, ends: tuple[float, float | None, float | None], style: Style) -> None:
    value, low, high = ends
    if low is not None and high is not None:
        axes.barh(row, high - low, left=low, height=0.56, color=style.colour, alpha=0.55, linewidth=0)
    ends_of_tick = [row - 0.28, row + 0.28]
    axes.plot([value, value], ends_of_tick, color=TEXT_COLOUR, linewidth=1.8, solid_capstyle="butt", clip_on=False)


def _set_limits(axes: Axes, direction: str, scale: tuple[float, float]) -> None:
    """Begin an axis at zero unless there are values below, and let it span a good part of the scale.

    Without the latter, differences that mean nothing would fill the panel where no method scores.

    Args:
        axes: The axes, with everything drawn.
        direction: ``x`` or ``y``.
        scale: The scores that count as 0 and as 1.
    """
    smallest = axes.dataLim.x0 if direction == "x" else axes.dataLim.y0
    low, high = axes.get_xlim() if direction == "x" else axes.get_ylim()
    needed = (scale[0], scale[0] + _MIN_SPAN * (scale[1] - scale[0]))
    limits = (min(0.0 if smallest >= 0 else low, *needed), max(high, *needed))
    axes.set_xlim(limits) if direction == "x" else axes.set_ylim(limits)
