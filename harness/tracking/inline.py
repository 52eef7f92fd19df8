"""The harness's own trackers, which write in the process of the run; one that raises is left alone from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.config import TrackerConfig
from harness.registry import Registry
from harness.registry.error_summary import summarise_error
from harness.tracking.base import Ending, RunTracker, TrackedRun
from harness.tracking.notices import without_tracker


class InlineTracker:
    """A tracker in the process of the run.

    Args:
        name: Name of the tracker.
        registry: What is installed.
        on_notice: Called at most once, with a sentence, when the run goes on without the tracker.
    """

    def __init__(self, name: str, registry: Registry, on_notice: Callable[[str], None]) -> None:
        self._name, self._registry, self._on_notice = name, registry, on_notice
        self._tracker: RunTracker | None = None

    def begin(self, run: TrackedRun) -> Sequence[Path]:
        """Begin, and return the files that it writes."""

        def begin() -> None:
            path = self._registry.tracker(self._name).tracker
            self._tracker = _make(self._registry.load_class(path, RunTracker))
            self._tracker.begin(run)

        self._try(begin)
        return [] if self._tracker is None else list(self._tracker.files)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """See `harness.tracking.base.RunTracker`."""
        if (tracker := self._tracker) is not None:
            self._try(lambda: tracker.log(step, metrics))

    def log_evaluation(self, step: int, episodes: Sequence[Mapping[str, float]]) -> None:
        """See `harness.tracking.base.RunTracker`."""
        if (tracker := self._tracker) is not None:
            self._try(lambda: tracker.log_evaluation(step, episodes))

    def flush(self) -> None:
        """See `harness.tracking.base.RunTracker`."""
        if (tracker := self._tracker) is not None:
            self._try(tracker.flush)

    def end(self, ending: Ending) -> None:
        """See `harness.tracking.base.RunTracker`."""
        if (tracker := self._tracker) is not None:
            self._try(lambda: tracker.end(ending))
            self._tracker = None

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001  no run fails for what follows it
            failed, self._tracker = self._tracker, None
            if failed is not None:
                with suppress(Exception):
                    failed.end("failed")
            self._on_notice(without_tracker(self._name, summarise_error(error)))


def _make(tracker: Callable[[TrackerConfig], RunTracker]) -> RunTracker:
    return tracker(TrackerConfig())
