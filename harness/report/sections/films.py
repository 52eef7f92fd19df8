"""Films: strips of pictures that ``harness play RUN --strip`` has kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from matplotlib.axes import Axes

from harness.play.films import FilmRecord, read_film
from harness.report.context import SuiteContext
from harness.report.document import Block, BulletList, FigureBlock, Paragraph, Section
from harness.report.drawing import Panel, Plot
from harness.report.wording import format_count, format_number
from harness.runs.folder import RunFolder
from harness.runs.guarded import Unreadable

_MOST = 24
"""Strips of a suite that are shown; a page with more is no longer read."""

_WIDTH = 7.4


def build(suite: SuiteContext) -> Section | None:
    """Each strip with a sentence that says what it shows; ``None`` where none was made."""
    runs = suite.analysis.current_runs.drop_nulls("folder").sort("task", "label", "seed")
    blocks: list[Block] = []
    problems: list[str] = []
    found = 0
    for task, label, seed, folder in runs.select("task", "label", "seed", "folder").rows():
        try:
            film = read_film(RunFolder(folder), suite.records[folder])
        except Unreadable as error:
            problems.append(f"not shown: {error}")
            continue
        found += film is not None
        if film is not None and found <= _MOST:
            name = suite.plots.file_name(f"film-{found}")
            blocks += _strip(name, f"{task}, {label}, seed {seed}", *film)
    if not blocks and not problems:
        return None
    intro = "Pictures of single episodes, evenly spaced from the first to the last: what a policy does, not how good it is."
    more = (f" {found - _MOST} more strips lie beside the results.",) if found > _MOST else ()
    notes = (BulletList(tuple(problems), warning=True),) if problems else ()
    return Section("Films", (Paragraph("".join((intro, *more))), *notes, *blocks))


def _strip(name: str, title: str, film: FilmRecord, picture: np.ndarray) -> Iterator[Block]:
    how = "likeliest actions" if film.deterministic else "sampled actions"
    shown = ", ".join(f"{step:,}" for step in film.shown)
    yield Paragraph(
        f"{title}, after {film.step:,} of {film.steps:,} steps of training: episode {film.episode + 1} of evaluation"
        f" {film.evaluation + 1} from seed {film.seed}, {how}. Return {format_number(film.episode_return)} in"
        f" {format_count(film.length, 'step')}; steps {shown} are shown."
    )
    size = (_WIDTH, min(_WIDTH * picture.shape[0] / picture.shape[1], _WIDTH))
    panel = Panel(title, _drawing(picture), size, f"{len(film.shown)} pictures side by side, at steps {shown}.")
    yield FigureBlock(Plot(name, f"Pictures of an episode: {title}", (panel,), {}))


def _drawing(picture: np.ndarray) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        axes.imshow(picture, interpolation="nearest")
        axes.set_axis_off()

    return draw
