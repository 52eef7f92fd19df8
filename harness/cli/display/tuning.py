"""A study under way, drawn live on a terminal or printed line by line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from optuna.trial import TrialState
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.cli.display import formatting
from harness.cli.display.console import print_table
from harness.cli.display.progress import REFRESHES_PER_SECOND, notice
from harness.errors import plural
from harness.execution.events import RunQuiet, StopRequested
from harness.tuning.confirm import CandidateComparison
from harness.tuning.outages import StorageAway, StorageBack
from harness.tuning.parameters import Value
from harness.tuning.tuner import (
    OnTrialEvent,
    TrialEnded,
    TrialEvent,
    TrialLeft,
    TrialProgressed,
    TrialsElsewhere,
    TrialStarted,
)

_REPORT_SECONDS = 30.0
_STYLES = {TrialState.COMPLETE: "green", TrialState.PRUNED: "yellow", TrialState.FAIL: "red"}
_WORDS = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass
class TrialProgress:
    """A trial under way in this process."""

    values: Mapping[str, Value]
    fraction_done: float = 0.0
    score: float | None = None


@dataclass
class StudyProgress:
    """The progress of a study, as far as this process knows.

    Attributes:
        total: Trials of its budget; ``None`` where it has none.
        counts: Trials that have ended, by state, those of earlier calls included.
        best: Number and score of the best finished trial.
        running: Trials under way in this process, by number.
    """

    total: int | None
    counts: dict[TrialState, int]
    best: tuple[int, float] | None = None
    running: dict[int, TrialProgress] = field(default_factory=dict[int, TrialProgress])
    began: float = field(default_factory=time.monotonic)
    ended_here: int = 0

    def update(self, event: TrialEvent) -> None:
        """Update the counts from an event."""
        match event:
            case TrialStarted(number, values, _):
                self.running[number] = TrialProgress(values)
            case TrialProgressed(number, fraction_done, score):
                self.running[number].fraction_done, self.running[number].score = fraction_done, score
            case RunQuiet() | StopRequested() | TrialLeft() | TrialsElsewhere() | StorageAway() | StorageBack():
                pass
            case TrialEnded(number, state, values, _, _):
                self.running.pop(number, None)
                self.counts[state] = self.counts.get(state, 0) + 1
                self.ended_here += 1
                if values and (self.best is None or values[0] > self.best[1]):
                    self.best = number, values[0]

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the study ends, at the pace of this process; ``None`` if no trial has ended or none are counted."""
        if self.total is None or not self.ended_here:
            return None
        left = max(self.total - sum(self.counts.values()) - sum(trial.fraction_done for trial in self.running.values()), 0.0)
        return (
            left
            * (time.monotonic() - self.began)
            / (self.ended_here + sum(trial.fraction_done for trial in self.running.values()))
        )

    def summary(self) -> str:
        """The state in one line, such as ``7 of 20 trials, 2 pruned, 1 failed; best 0.912 (trial 4)``."""
        ended = sum(self.counts.values())
        parts = [f"{ended} of {self.total} trials" if self.total is not None else plural(ended, "trial")]
        for state in (TrialState.PRUNED, TrialState.FAIL):
            parts += [f"{self.counts[state]} {_WORDS[state]}"] if self.counts.get(state) else []
        parts += [f"{len(self.running)} running"] if self.running else []
        best = f"; best {formatting.score(self.best[1])} (trial {self.best[0]})" if self.best else ""
        left = self.seconds_left
        return ", ".join(parts) + best + (f"; about {formatting.duration(left)} left" if left else "")


@contextmanager
def study_view(console: Console, study_progress: StudyProgress) -> Generator[OnTrialEvent]:
    """Show events as they come: a table that redraws itself on a terminal, a line now and then elsewhere."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield _LineReporter(console, study_progress)
        return

    def on_event(event: TrialEvent) -> None:
        study_progress.update(event)
        if isinstance(event, TrialEnded):
            console.print(trial_outcome_line(event))
        elif line := _notice(event):
            console.print(Text(line, style="yellow"), soft_wrap=True)

    with Live(
        get_renderable=lambda: draw(study_progress),
        console=console,
        refresh_per_second=REFRESHES_PER_SECOND,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield on_event


def _notice(event: TrialEvent) -> str:
    """What is said of an event at once; empty for most."""
    match event:
        case TrialsElsewhere(count):
            return f"waiting   for {plural(count, 'trial')} that other processes have"
        case StorageAway(seconds, pause, limit):
            since = f" for {formatting.duration(seconds)}" if seconds >= 1 else ""
            left = formatting.duration(max(limit - seconds, 0))
            return (
                f"storage   cannot be reached{since}; trying again in {pause:.0f} s, for {left} at most; runs go on meanwhile"
            )
        case StorageBack(seconds):
            return f"storage   is back after {formatting.duration(seconds)}"
        case _:
            return notice(event)


def draw(study_progress: StudyProgress) -> RenderableType:
    """The current progress as a table."""
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("trial", no_wrap=True, min_width=5)
    table.add_column("", ratio=1, min_width=6)
    table.add_column("done", justify="right", min_width=5)
    table.add_column("score so far", justify="right", min_width=8)
    table.add_column("settings", ratio=3, no_wrap=True, overflow="ellipsis")
    for number, trial in study_progress.running.items():
        bar = ProgressBar(total=1.0, completed=trial.fraction_done)
        table.add_row(str(number), bar, f"{trial.fraction_done:.0%}", formatting.score(trial.score), settings(trial.values))
    return Group(table, Text(study_progress.summary(), style="bold"))


def settings(values: Mapping[str, Value]) -> str:
    """Values in one line, such as ``config.eta 0.25, algorithm.gamma 0.99``."""
    return ", ".join(f"{name} {f'{value:.3g}' if isinstance(value, float) else value}" for name, value in values.items())


def trial_outcome_line(event: TrialEnded) -> Text:
    """How a trial ended, in one line."""
    outcome = event.error
    if event.values:
        cost = f", {formatting.duration(event.values[1])} per run" if len(event.values) > 1 else ""
        outcome = f"score {formatting.score(event.values[0])}{cost}"
    line = f"{_WORDS[event.state]:9} trial {event.number}  {outcome}  {settings(event.settings)}"
    return Text(" ".join(line.split("\n")).rstrip(), style=_STYLES[event.state])


class _LineReporter:
    """Prints a line when a trial starts and ends, and its progress every 30 seconds."""

    def __init__(self, console: Console, study_progress: StudyProgress) -> None:
        self._console, self._study_progress = console, study_progress
        self._last_reported: dict[int, float] = {}

    def __call__(self, event: TrialEvent) -> None:
        self._study_progress.update(event)
        match event:
            case TrialStarted(number, values, resumed):
                self._last_reported[number] = time.monotonic()
                self._print_line(f"{'resumed' if resumed else 'started':9} trial {number}  {settings(values)}")
            case TrialProgressed(number, fraction_done, score):
                if time.monotonic() - self._last_reported.get(number, 0.0) >= _REPORT_SECONDS:
                    self._last_reported[number] = time.monotonic()
                    so_far = "" if score is None else f"  score so far {formatting.score(score)}"
                    self._print_line(f"running   trial {number}  {fraction_done:.0%}{so_far}")
            case TrialEnded():
                self._print_line(trial_outcome_line(event).plain)
                self._print_line(f"          {self._study_progress.summary()}")
            case _:
                if line := _notice(event):
                    self._print_line(line)

    def _print_line(self, line: str) -> None:
        self._console.print(f"{datetime.now():%H:%M:%S}  {line}", soft_wrap=True)


def print_confirmation(console: Console, compared: Sequence[CandidateComparison]) -> None:
    """What the best trials scored when they were found, and what on fresh seeds."""
    numbers = ("tuned", "confirmed", "95 % interval", "drop", "better than default")
    rows = [
        (
            one.confirmation.label,
            formatting.score(one.confirmation.tuned),
            formatting.score(one.score.value),
            _interval(one.score.low, one.score.high),
            formatting.score(one.drop),
            f"{one.improvement.value:.2f} {_interval(one.improvement.low, one.improvement.high)}" if one.improvement else "",
        )
        for one in compared
    ]
    print_table(console, "", ("settings", *numbers), rows, right_aligned=numbers, no_wrap_columns=("settings",))


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"
