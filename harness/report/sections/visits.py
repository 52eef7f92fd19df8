"""Where methods went in training, on maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from harness.analysis.tables import Analysis
from harness.analysis.visit_tables import SHOWN_MARKS, Whereabouts, marked
from harness.errors import shorten
from harness.report.context import SuiteContext
from harness.report.document import Block, Column, FigureBlock, Paragraph, ReportTable, Section, TableCell
from harness.report.drawing import Plot
from harness.report.place_maps import Frame, method_panel, visits_scale
from harness.report.wording import NO_VALUE, format_number

_MOST_TASKS, _MOST_METHODS = 6, 8
"""Tasks whose maps are drawn, and methods on each; a page with more is no longer read."""

_LONGEST_NAME = 40

_EXPLANATION = (
    "Where steps of training led, on the environment's own map: the share of all steps up to a tenth, the half and the end of"
    " training, as the mean over seeds. The cell that an episode begins in does not count by that. Cells that nobody came to"
    " are left empty; walls, and cells beyond anybody's reach, are grey. Colours of visits mean the same for all methods of a"
    " task and show factors. Below them is the mean bonus of the steps that led to each cell in the tenth of training before,"
    " as it was added to the reward, or, where bonuses have a critic of their own, before it was normalised: colours of one"
    " method cannot be compared with another's. Off-policy learners have no such map, for they compute bonuses of replayed"
    " batches and not of steps. What is drawn is in visits.csv."
)

Places = Mapping[str, Mapping[float, Whereabouts]]


def build(suite: SuiteContext) -> Section | None:
    """Maps and counts of visited cells; nothing where no environment tells places."""
    analysis = suite.analysis
    found = {task: _places(analysis, task) for task in analysis.places.maps}
    found = {task: places for task, places in found.items() if places}
    if not found:
        return None
    blocks: list[Block] = [Paragraph(_EXPLANATION + _left_out(analysis, found)), _counts(analysis, found)]
    for i, (task, places) in enumerate(list(found.items())[:_MOST_TASKS], 1):
        blocks += map(FigureBlock, _plots(suite.plots.file_name(f"visits-{i}"), analysis, task, places))
    return Section("Where methods went", tuple(blocks))


def _places(analysis: Analysis, task: str) -> Places:
    """Where each method had been, of those that came to anything."""
    found = {label: marked(analysis.places.records.get((label, task), ())) for label in analysis.methods}
    return {label: places for label, places in found.items() if places}


def _left_out(analysis: Analysis, found: Mapping[str, Places]) -> str:
    notes: list[str] = []
    if len(found) > _MOST_TASKS:
        notes.append(f"maps of the first {_MOST_TASKS} of {len(found)} tasks are drawn")
    if any(len(places) > _MOST_METHODS for places in found.values()):
        notes.append(f"of each task the first {_MOST_METHODS} methods")
    present = analysis.current_runs.drop_nulls("folder").height
    if analysis.training_runs < present:
        notes.append(f"{analysis.training_runs} of {present} runs were read, those with the lowest seeds")
    return f" Here {', and '.join(notes)}." if notes else ""


def _plots(name: str, analysis: Analysis, task: str, places: Places) -> Iterator[Plot]:
    """A figure for each method."""
    everywhere = [there for by_mark in places.values() for there in by_mark.values()]
    visited = np.any([there.shares > 0 for there in everywhere], axis=0)
    frame, scale = Frame.around(analysis.places.maps[task], visited), visits_scale(iter(everywhere))
    for i, (label, one) in enumerate(list(places.items())[:_MOST_METHODS], 1):
        panel = method_panel(f"{shorten(task, _LONGEST_NAME)}: {shorten(label, _LONGEST_NAME)}", one, frame, scale)
        yield Plot(f"{name}-{i}", f"Where {label} went on {task} in training, and the bonus there", (panel,), {})


def _counts(analysis: Analysis, found: Mapping[str, Places]) -> ReportTable:
    columns = (Column("Task"), Column("By"), *(Column(label, "number", method=True) for label in analysis.methods))
    rows: list[tuple[TableCell, ...]] = []
    for task, places in found.items():
        place_map = analysis.places.maps[task]
        free = f" of {place_map.cells - len(place_map.walls):,}" if place_map.walls else ""
        for mark in SHOWN_MARKS:
            cells = [_cell(places.get(label, {}).get(mark), free) for label in analysis.methods]
            rows.append((task, f"{mark:.0%}", *cells))
    caption = "Cells of the map that a run had come to by a share of training: mean over seeds, and the number of runs."
    return ReportTable(caption, columns, tuple(rows))


def _cell(there: Whereabouts | None, free: str) -> TableCell:
    return NO_VALUE if there is None else (f"{format_number(there.visited, 1)}{free}", f"n = {there.runs}")
