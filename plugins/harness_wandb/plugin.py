"""What this package gives the harness: the tracker ``wandb``."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Tracker, hookimpl


@hookimpl
def harness_trackers() -> Sequence[Tracker]:
    return [
        Tracker(
            name="wandb",
            tracker="harness_wandb.tracker:WandbTracker",
            config="harness_wandb.config:WandbConfig",
            summary="Weights & Biases, online or offline; pip install 'exploration-harness[wandb]'.",
        )
    ]
