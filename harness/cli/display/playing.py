"""Episodes that were played: as tables, as JSON, and as pictures in a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from harness.cli.display.console import print_table
from harness.errors import UserError
from harness.play.window import Closed, Window

if TYPE_CHECKING:
    from harness.play.camera import Frame
    from harness.play.playing import Played

_LIGHTNESS = " .:-=+*#%@"
"""Characters from dark to light, for terminals without colours."""

_MARGIN = 3  # rows that are left for text


class Screen:
    """Shows pictures one after the other, at a steady pace.

    Args:
        console: The console of the terminal.
        fps: Pictures per second.
        window: Whether to open a window instead.
        title: The title of the window.

    Raises:
        UserError: There is neither a terminal nor a window.
    """

    def __init__(self, console: Console, fps: float, *, window: bool, title: str) -> None:
        if not window and not console.is_terminal:
            raise UserError("--show needs a terminal, and this goes to a file or a pipe; use --video FILE or --strip")
        self._console, self._seconds = console, 1 / fps
        self._window = Window(title) if window else None
        self._live = None if window else Live(console=console, auto_refresh=False, transient=True)
        self._due, self._is_closed = 0.0, False
        if self._live:
            self._live.start()

    def show(self, frame: Frame) -> None:
        """Show the next picture, as soon as it is time to; nothing more once a window was closed."""
        if self._is_closed:
            return
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due = time.monotonic() + self._seconds
        if self._window:
            try:
                self._window.show(frame.picture)
            except Closed:
                self._is_closed = True
        if self._live:
            self._live.update(TerminalPicture(frame), refresh=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._live.stop()
        if self._window:
            self._window.close()


class TerminalPicture:
    """A picture made of half blocks, two pixels in each character, and a line about the episode under it.

    Args:
        frame: The picture to show.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __rich_console__(self, console: Console, options: Any) -> Iterator[Any]:
        height = max(2, (options.height or console.height) - _MARGIN)
        picture = shrink(self._frame.picture, options.max_width, 2 * height)
        yield from _half_blocks(picture) if console.color_system else _characters(picture)
        yield Text(f"step {self._frame.step:,}, return {self._frame.episode_return:g}")


def shrink(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """The nearest pixels of a picture, so many that it fits; its sides keep their ratio, and small ones are enlarged.

    Args:
        picture: The picture, uint8 ``(height, width, 3)``.
        width: The largest width in pixels.
        height: The largest height in pixels.
    """
    scale = min(width / picture.shape[1], height / picture.shape[0])
    rows, columns = (max(1, int(side * scale)) for side in picture.shape[:2])
    rows += rows % 2
    y = np.minimum((np.arange(rows) + 0.5) / scale, picture.shape[0] - 1).astype(int)
    x = np.minimum((np.arange(columns) + 0.5) / scale, picture.shape[1] - 1).astype(int)
    return picture[y][:, x]


def _half_blocks(picture: np.ndarray) -> Iterator[Segment]:
    for upper, lower in zip(picture[::2].tolist(), picture[1::2].tolist(), strict=True):
        for above, below in zip(upper, lower, strict=True):
            colours = f"rgb({above[0]},{above[1]},{above[2]}) on rgb({below[0]},{below[1]},{below[2]})"
            yield Segment("▀", Style.parse(colours))
        yield Segment.line()


def _characters(picture: np.ndarray) -> Iterator[Segment]:
    brightness = picture.reshape(len(picture) // 2, 2, picture.shape[1], 3).mean(axis=(1, 3))
    for row in (brightness / 256 * len(_LIGHTNESS)).astype(int).tolist():
        yield Segment("".join(_LIGHTNESS[level] for level in row))
        yield Segment.line()


def print_played(console: Console, played: Played) -> None:
    """Every episode, the mean of each seed, and where films are."""
    run = played.run
    spec = run.record.spec
    how = "likeliest actions" if played.evaluation.deterministic else "sampled actions"
    console.print(f"{spec.label} after {run.step:,} of {spec.steps:,} steps, {how}", soft_wrap=True)
    metrics = _metric_names(played)
    rows = [
        [
            one.seed,
            number,
            f"{episode.episode_return:g}",
            f"{episode.length:,}{' (cut)' if episode.cut else ''}",
            *(f"{episode.metrics[name]:g}" if name in episode.metrics else None for name in metrics),
        ]
        for one in played.seeds
        for number, episode in enumerate(one.episodes, 1)
    ]
    columns = ["seed", "episode", "return", "length", *metrics]
    print_table(console, "", columns, rows, right_aligned=columns)
    for one in played.seeds:
        console.print(f"mean return {one.score:g} over {len(one.episodes)} episodes of seed {one.seed}", soft_wrap=True)
    if played.agrees is not None:
        same = "the same" if played.agrees else f"and this run recorded {played.recorded:g}: versions or device may differ"
        console.print(f"these are the episodes of its own evaluation at this step: {same}", soft_wrap=True)
    for name, file in (("film", played.video), ("strip", played.strip)):
        if file:
            console.print(f"{name}: {file}", soft_wrap=True)


def as_document(played: Played) -> dict[str, Any]:
    """The same for scripts."""
    run = played.run
    spec = run.record.spec
    return {
        "run": run.folder.path.as_posix(),
        "suite": spec.suite,
        "task": spec.task,
        "method": spec.method,
        "seed": spec.seed,
        "step": run.step,
        "steps": spec.steps,
        "device": run.device,
        "evaluation": played.evaluation.model_dump(mode="json", exclude={"every"}),
        "seeds": [
            {
                "seed": one.seed,
                "index": one.index,
                "mean_return": one.score,
                "episodes": [
                    {"return": it.episode_return, "length": it.length, "cut": it.cut, "metrics": it.metrics}
                    for it in one.episodes
                ],
            }
            for one in played.seeds
        ],
        "recorded": played.recorded,
        "agrees": played.agrees,
        "video": None if played.video is None else str(played.video),
        "strip": None if played.strip is None else str(played.strip),
    }


def _metric_names(played: Played) -> list[str]:
    names = (name for one in played.seeds for episode in one.episodes for name in episode.metrics)
    return list(dict.fromkeys(names))
