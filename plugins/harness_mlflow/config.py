"""Where in MLflow runs are followed; passwords and tokens are never among the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness import TrackerConfig


class MlflowConfig(TrackerConfig):
    """Where in MLflow runs are followed. Users and passwords come from MLflow's own environment variables."""

    tracking_uri: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """A server or a database, such as ``http://HOST:5000``, without a password; null for what ``MLFLOW_TRACKING_URI`` says, or
    else for the file ``mlflow.db`` in the results directory."""

    experiment: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the experiment; null for what ``MLFLOW_EXPERIMENT_NAME`` says, or else for the suite's name."""
