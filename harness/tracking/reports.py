"""A finished report, handed to the trackers that followed its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.registry import Registry
from harness.tracking.base import TrackedRun
from harness.tracking.followers import Followers
from harness.tracking.notices import of_report

FOLDER = ".trackers"
"""The folder, below a suite's results, in which trackers keep what belongs to no run; no task can have this name."""


def hand_over(
    report: Path, suite: str, results: Path, chosen: Mapping[str, Mapping[str, Any]], registry: Registry
) -> Sequence[str]:
    """Give a report to each tracker, in a run of the tracker's own that goes on with the suite's next report.

    Args:
        report: Folder of the report.
        suite: Name of the suite.
        results: The results directory.
        chosen: Settings of the trackers, as JSON, by name.
        registry: What is installed.

    Returns:
        A sentence for each tracker that did not take it.
    """
    chosen = {name: settings for name, settings in chosen.items() if not registry.tracker(name).inline}
    if not chosen:
        return []
    folder, notices = results.absolute() / suite / FOLDER, list[str]()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return [f"{folder}: cannot be made ({error.strerror}), so no tracker was given the report"]
    followers = Followers(chosen, registry, notices.append)
    run = TrackedRun(
        kind="report",
        name=f"{suite} report",
        suite=suite,
        digest=f"report of {suite}",
        folder=folder,
        results=results.absolute(),
    )
    followers.begin(run)
    followers.add_report(report)
    followers.end("finished")
    return [of_report(notice) for notice in notices]
