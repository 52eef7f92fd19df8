"""What this package gives the harness: the tracker ``mlflow``."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Tracker, hookimpl


@hookimpl
def harness_trackers() -> Sequence[Tracker]:
    return [
        Tracker(
            name="mlflow",
            tracker="harness_mlflow.tracker:MlflowTracker",
            config="harness_mlflow.config:MlflowConfig",
            summary="MLflow, on a server or in a database file; pip install 'exploration-harness[mlflow]'.",
        )
    ]
