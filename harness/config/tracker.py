"""The settings that all trackers have; no run depends on them."""

from __future__ import annotations

from pydantic import Field

from harness.config.base import Config


class TrackerConfig(Config):
    """The settings of a tracker; no secret belongs in here, since suites are kept beside results."""

    wait_seconds: float = Field(default=120.0, gt=0, le=3600)
    """Longest wait for the tracker: how long it may be silent while it has something to do, and at a run's end the time for
    everything that is left. A run goes on without a tracker that takes longer."""
