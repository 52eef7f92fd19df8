"""All trackers of one run: the harness's own, and those that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.config import TrackerConfig
from harness.errors import HarnessError, printable
from harness.registry import Registry
from harness.tracking.base import Ending, TrackedRun
from harness.tracking.identity import is_id, read_ids, write_ids
from harness.tracking.inline import InlineTracker
from harness.tracking.link import TrackerLink
from harness.tracking.notices import without_tracker
from harness.tracking.protocol import begin_message

_COUNTS = ("time/iterations", "time/total_timesteps")
"""Columns that only count, which is what a tracker's steps do."""


class Followers:
    """The trackers of one attempt at a run; nothing that one of them does is an error here.

    Args:
        chosen: Settings of the trackers that were asked for, as JSON, by name.
        registry: What is installed.
        on_notice: Called with a sentence, at most once for each tracker.
    """

    def __init__(self, chosen: Mapping[str, Mapping[str, Any]], registry: Registry, on_notice: Callable[[str], None]) -> None:
        self._chosen, self._registry, self._on_notice = chosen, registry, on_notice
        own = [name for name, found in registry.trackers.items() if found.description.inline]
        self._inline = [InlineTracker(name, registry, on_notice) for name in own]
        self._links: list[TrackerLink] = []
        self._ids: dict[str, str] = {}

    def begin(self, run: TrackedRun) -> Sequence[Path]:
        """Begin to follow a run.

        Returns:
            The files in the run's folder that the harness's own trackers write.
        """
        files = [file for tracker in self._inline for file in tracker.begin(run)] if run.kind == "run" else []
        self._ids = read_ids(run.folder, run.digest) if self._chosen else {}
        for name, settings in self._chosen.items():
            if name not in self._registry.trackers or not self._registry.tracker(name).inline:
                self._start(name, settings, run)
        return files

    def _start(self, name: str, settings: Mapping[str, Any], run: TrackedRun) -> None:
        try:
            description = self._registry.tracker(name)
        except HarnessError as error:  # it is installed where the suite was read, and not here
            self._on_notice(printable(without_tracker(name, error)))
            return

        def remember(found: object) -> None:
            if isinstance(found, str) and is_id(found) and self._ids.get(name) != found:
                self._ids[name] = found
                with suppress(OSError):
                    write_ids(run.folder, run.digest, self._ids)

        wait = TrackerConfig.model_fields["wait_seconds"].default
        known = replace(run, id=self._ids.get(name))
        first = begin_message(known, description.tracker, description.config, dict(settings))
        self._links.append(TrackerLink(name, first, settings.get("wait_seconds", wait), remember, self._on_notice))

    @property
    def sessions(self) -> frozenset[int]:
        """The sessions of processes that trackers work in."""
        return frozenset(link.pid for link in self._links if link.pid is not None)

    def log(self, step: int, row: Mapping[str, Any]) -> None:
        """Pass on the numbers of a row, except what only counts."""
        metrics = {name: value for name, value in row.items() if isinstance(value, int | float) and name not in _COUNTS}
        for tracker in self._inline:
            tracker.log(step, metrics)
        self._send({"log": [step, metrics]})

    def log_evaluation(self, step: int, episodes: Sequence[Mapping[str, float]]) -> None:
        """Pass on an evaluation."""
        for tracker in self._inline:
            tracker.log_evaluation(step, episodes)
        self._send({"evaluation": [step, list(episodes)]})

    def flush(self) -> None:
        """Have everything so far survive a kill."""
        for tracker in self._inline:
            tracker.flush()
        self._send({"flush": True})

    def add_report(self, folder: Path) -> None:
        """Pass on a report."""
        self._send({"report": str(folder.absolute())})

    def _send(self, message: Mapping[str, Any]) -> None:
        for link in self._links:
            link.send(dict(message))

    def close_own(self, ending: Ending) -> None:
        """Close the files of the harness's own trackers."""
        for tracker in self._inline:
            tracker.end(ending)

    def kill(self) -> None:
        """End all processes of trackers at once."""
        for link in self._links:
            link.kill()
        self._links.clear()

    def end(self, ending: Ending, on_wait: Callable[[], None] | None = None) -> None:
        """End everything, within the time that each tracker has.

        Args:
            ending: How the attempt at the run ended.
            on_wait: Called now and then while this takes.
        """
        self.close_own(ending)
        for link in self._links:
            link.announce_end(ending)
        for link in self._links:
            link.close(on_wait)
        self._links.clear()
