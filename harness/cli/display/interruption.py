"""Runs that were stopped or are silent, in words that hold: how far each is kept is read from the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.cli.display import formatting
from harness.execution.events import RunQuiet, StopRequested
from harness.runs.folder import RunFolder
from harness.runs.kept import kept_step
from harness.spec import RunSpec

MAX_LINES = 12
"""Runs that are named one by one."""

_MAX_NAMES = 3


def print_kept(console: Console, runs: Sequence[tuple[str, RunSpec]], results: Path) -> None:
    """How many steps the disk holds of each run that was stopped, one line each; many are summed up.

    Args:
        console: The console to print on.
        runs: Name and specification of each.
        results: The results directory.
    """
    kept = [(name, spec, kept_step(RunFolder.of(spec, results))) for name, spec in runs]
    shown = kept if len(kept) <= MAX_LINES + 1 else kept[:MAX_LINES]
    for name, spec, step in shown:
        console.print(Text(f"  {name}: {_in_words(spec, step)}", style="yellow"), soft_wrap=True)
    rest = [step for _, _, step in kept[len(shown) :]]
    if rest:
        console.print(Text(f"  and {_summed_up(rest)}", style="yellow"), soft_wrap=True)


def stop_requested_line(event: StopRequested) -> str:
    """What is waited for after a request to stop, and how to wait no longer; empty if nothing is."""
    if not event.waiting:
        return ""
    names = ", ".join(spec.label for spec in event.waiting[:_MAX_NAMES])
    more = f" and {len(event.waiting) - _MAX_NAMES} more" if len(event.waiting) > _MAX_NAMES else ""
    runs = "1 run saves" if len(event.waiting) == 1 else f"{len(event.waiting)} runs save"
    return f"stopping: {runs} at the next update ({names}{more}); a second Ctrl-C or signal stops at once"


def quiet_line(event: RunQuiet) -> str:
    """For how long a run has not been heard of, and what it was at."""
    time, progress = formatting.duration(event.seconds), event.progress
    if progress is None:
        what = f"still starting after {time}"
    elif progress.activity != "rollout":
        first = "its first" if progress.score is None else "its"
        what = f"still in {first} {progress.activity} after {time}, at step {formatting.count(progress.step)}"
    elif not progress.steps_per_second:
        what = f"still in its first rollout and update after {time}"
    else:
        what = f"no update for {time}, since step {formatting.count(progress.step)}"
    return f"quiet     {event.spec.label}  {what}"


def _in_words(spec: RunSpec, step: int | None) -> str:
    if step is None:
        return "nothing saved yet, so it begins anew"
    return f"{formatting.count(step)} of {formatting.count(spec.steps)} steps kept"


def _summed_up(steps: Sequence[int | None]) -> str:
    saved = [step for step in steps if step is not None]
    parts: list[str] = []
    if saved:
        parts.append(f"{len(saved)} more with {formatting.count(min(saved))} to {formatting.count(max(saved))} steps kept")
    if len(saved) < len(steps):
        parts.append(f"{len(steps) - len(saved)} more with nothing saved yet")
    return " and ".join(parts)
